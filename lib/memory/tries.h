/*
 * tries: which (destination, port) pairs each client tried within the window (design 5).
 *
 * Each has a linear counter (Whang, Vander-Zanden and Taylor 1990) whose cells know their age:
 * right to a few per cent up to some 1500 pairs, and never more than PT_TRIES_MOST. The counter is
 * not keyed: whoever makes his own pairs collide makes his own tries look fewer, and his matches
 * stronger.
 *
 * It is a table of its own and no pt_recent, for every SYN comes here: what is looked at of a
 * client is one line of memory, and its cell another.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/hash.h"

#define PT_TRIES_CELLS 512
#define PT_TRIES_MOST 3194  /* what a full counter says: 512 * ln 512 */
#define PT_TRIES_PERIODS 16 /* of a window: how finely the age of a try is known */

struct pt_tries_client {
        struct pt_address address;
        uint32_t chain; /* of the same hash */
        uint32_t older, newer;
        uint32_t serial; /* no other client ever had it, but after 2^32 of them */
        int64_t period;  /* of its last try */
        int64_t swept;   /* the period at which no cell was older than a window */
        int64_t hour;    /* to which `brought` has faded: these two are history's */
        double brought;  /* observations, to all ports */
        struct {
                uint8_t period; /* of the last try that fell here, modulo 256 */
                uint8_t sets;   /* which it was on; 0 for none */
        } cells[PT_TRIES_CELLS];
};

struct pt_tries {
        struct pt_tries_client *clients; /* place 0 heads the circle of age */
        struct pt_heads heads;
        struct pt_hash_key key;
        uint32_t capacity;
        uint32_t count;
        uint32_t serial; /* of the last new client */
};

/* 0, or -ENOMEM. */
int pt_tries_init(struct pt_tries *tries, uint32_t capacity, const struct pt_hash_key *key);
void pt_tries_deinit(struct pt_tries *tries);

/* Octets that pt_tries_init() takes. */
size_t pt_tries_size(uint32_t capacity);

/* Nobody tried anything; clients stay. */
void pt_tries_clear(struct pt_tries *tries);

/* NULL if it is not there. Its age stays as it is. */
struct pt_tries_client *pt_tries_find(const struct pt_tries *tries,
                                      const struct pt_address *address);

/*
 * The client, and the time has come to this period for it. A new one takes the place of the one
 * whose last try was longest ago; says whether that still counts.
 */
struct pt_tries_client *pt_tries_touch(struct pt_tries *tries, const struct pt_address *address,
                                       int64_t period, bool *ret_evicted);

/* The time has come to this period for the client. */
void pt_tries_come(struct pt_tries_client *client, int64_t period);

/* Notes a try on these sets of ports. Returns the sets on which nothing had fallen into its cell.
 */
uint8_t pt_tries_note(struct pt_tries_client *client, const struct pt_address *destination,
                      uint16_t port, uint8_t sets, int64_t period);

/* How many distinct pairs were tried on this set (a bit), at least 1. */
unsigned pt_tries_count(const struct pt_tries_client *client, uint8_t set);

/* Fetch what a try will touch. */
void pt_tries_fetch(const struct pt_tries *tries, const struct pt_address *address,
                    const struct pt_address *destination, uint16_t port);

/*
 * The client, as far as what was fetched tells, if the try looks like a new one: it may be another
 * client, so this is good for fetching only.
 */
const struct pt_tries_client *pt_tries_guess(const struct pt_tries *tries,
                                             const struct pt_address *address,
                                             const struct pt_address *destination, uint16_t port,
                                             int64_t period);
