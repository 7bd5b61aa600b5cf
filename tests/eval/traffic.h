/*
 * traffic: what happens in a made network, as events in order of time, and the packets they become.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "reckon.h"

#define SECOND UINT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define BEGIN (UINT64_C(1750000000) / 86400 * 86400 * SECOND)

enum event_kind {
        EVENT_SYN,
        EVENT_DNS,     /* a query and its answer */
        EVENT_DNS_TCP, /* the same over TCP */
        EVENT_DNS_6,   /* the same over IPv6, to the client's address there */
};

#define ADDRESSES 8

struct event {
        uint64_t time; /* microseconds; of DNS, when the answer comes */
        enum event_kind kind;
        uint32_t client, server; /* the destination, or the resolver */
        uint16_t port;
        enum reckon_kind of;
        uint8_t count;
        uint32_t name, ttl;
        uint32_t addresses[ADDRESSES];
};

/* A random number below the bound; the same ones for the same seed, anywhere. */
void traffic_seed(uint64_t seed);
uint32_t traffic_below(uint32_t bound);
double traffic_part(void); /* 0 to 1 */

/* How many of something that happens at this rate. */
unsigned traffic_poisson(double rate);

void traffic_add(const struct event *event);

/* Writes all that comes before this time, and reckons with it. */
void traffic_write(uint64_t until, FILE *file);
void traffic_header(FILE *file);
