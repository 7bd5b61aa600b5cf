/*
 * visibility: how much of what matters the sensor can see, client by client, so that silence is
 * never taken for safety: SYNs without an answer before them, clients that never resolve, clients
 * that ask a resolver over an encrypted connection, answers without a query.
 *
 * (sight is for the alarms: it knows no client but those with most answers.) A bounded table; the
 * sums are exact whatever gives way. Nothing here decides about an alert.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "base/counter.h"
#include "wire/dns.h"
#include "base/hash.h"

#define PT_VISIBILITY_LISTED 10 /* clients of each list of a report */

struct pt_visibility_client {
        struct pt_address client;
        uint64_t syns;     /* of an inside client: judged, so without copies */
        uint64_t given;    /* those whose destination DNS had given to it */
        uint64_t eligible; /* SYNs that could be an alert with DNS evidence */
        uint64_t preceded; /* those whose destination DNS had given to it */
        uint64_t answers;  /* with an address, copies not counted */
        uint64_t unasked;  /* those whose query was not seen */
        uint64_t dot;      /* SYNs to TCP/853: DNS over TLS (RFC 7858) */
        uint64_t doh;      /* to port 443 of a public resolver, TCP or QUIC: DNS over HTTPS */
        uint64_t names;    /* queries for the name of a public encrypted resolver */
};

struct pt_visibility_list {
        const struct pt_visibility_client *clients[PT_VISIBILITY_LISTED];
        size_t count;
};

struct pt_visibility_report {
        int64_t from; /* packet times of the first and last SYN or answer; 0 if there was none */
        int64_t until;
        struct pt_visibility_client sum;  /* over all, its address unused */
        uint64_t clients;                 /* in the table */
        uint64_t forgotten;               /* that gave way for lack of room */
        uint64_t silent;                  /* clients that send SYNs and were given nothing */
        uint64_t encrypted;               /* clients that use an encrypted resolver */
        struct pt_visibility_list worst;  /* by eligible SYNs that no answer preceded */
        struct pt_visibility_list never;  /* of the silent ones, by SYNs */
        struct pt_visibility_list hidden; /* of the encrypted ones, by what tells so */
};

struct pt_visibility;

/* 0, or -ENOMEM. Follows at most `capacity` clients. Borrows key and counters. */
int pt_visibility_new(uint32_t capacity, const struct pt_hash_key *key,
                      struct pt_counters *counters, struct pt_visibility **ret);
struct pt_visibility *pt_visibility_free(struct pt_visibility *visibility);
size_t pt_visibility_size(uint32_t capacity);

/* A new period: all is counted anew. */
void pt_visibility_begin(struct pt_visibility *visibility);

/* Of a client, made once for all that is asked about it; and fetch that, in steps 0 and 1. */
uint32_t pt_visibility_hash(const struct pt_visibility *visibility,
                            const struct pt_address *client);
void pt_visibility_fetch(const struct pt_visibility *visibility, uint32_t hash, unsigned step);

/* What a client did. `wall`: packet time. */
struct pt_visibility_syn {
        const struct pt_address *client;
        const struct pt_address *destination;
        uint16_t port;
        bool quic;  /* no SYN, but a QUIC packet with a long header: shows DoH at most */
        bool given; /* DNS gave the client this destination */
        bool eligible;
        int64_t wall;
        uint32_t hash; /* of the client, 0 where nobody made it */
};
void pt_visibility_syn(struct pt_visibility *visibility, const struct pt_visibility_syn *syn);
void pt_visibility_query(struct pt_visibility *visibility, const struct pt_address *client,
                         const struct pt_dns_name *question);
void pt_visibility_answer(struct pt_visibility *visibility, const struct pt_address *client,
                          bool asked, int64_t wall, uint32_t hash);

/* Of the period until now. Its lists are good until something is counted. */
void pt_visibility_report(const struct pt_visibility *visibility, struct pt_visibility_report *ret);

/* What a counter counted in this period. */
uint64_t pt_visibility_since(const struct pt_visibility *visibility, enum pt_counter counter);

/* Is it the name of a public encrypted resolver, or below one; or the address of one? */
bool pt_visibility_is_resolver_name(const struct pt_dns_name *name);
bool pt_visibility_is_resolver(const struct pt_address *address);
