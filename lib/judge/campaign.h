/*
 * campaign: several matches of one client on different networks and ports (design 4.9, rotation).
 */
#pragma once

#include "base/address.h"
#include "base/hash.h"
#include "judge/verdict.h"

#define PT_CAMPAIGN_MATCHES 64 /* distinct (destination, port) remembered for a client */

#define PT_CAMPAIGN_CHANCE 1e-6 /* joint chance above this is no rotation */

struct pt_campaign_match {
        struct pt_address destination;
        struct pt_source source; /* the evidence */
        uint16_t port;
        enum pt_verdict verdict;
        double chance;
        int64_t first; /* engine times */
        int64_t last;
};

struct pt_rotation {
        const struct pt_campaign_match *matches; /* in order of first appearance */
        size_t match_count;
        unsigned count;          /* the smaller of distinct destination networks and ports */
        double chance;           /* joint chance */
        enum pt_verdict verdict; /* the best of theirs */
};

struct pt_campaign;

/* 0, or -ENOMEM. At most `capacity` clients are followed. Borrows key and counters. */
int pt_campaign_new(uint32_t capacity, int64_t window, const struct pt_hash_key *key,
                    struct pt_counters *counters, struct pt_campaign **ret);
struct pt_campaign *pt_campaign_free(struct pt_campaign *campaign);
size_t pt_campaign_size(uint32_t capacity);

/*
 * Add a match with DNS evidence. True if a new level of 2, 4, 8, ... was reached: `ret` is written,
 * and borrows until the next call.
 */
bool pt_campaign_add(struct pt_campaign *campaign, const struct pt_syn *syn,
                     const struct pt_match *match, const struct pt_source *source,
                     struct pt_rotation *ret);
