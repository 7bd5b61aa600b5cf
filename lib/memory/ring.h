/*
 * ring: a bounded table of small things by 64-bit keys, where the one written longest ago gives
 * way. It is made for what is written once and looked for often: writing touches the next place,
 * which memory delivers by itself, and one head; nothing is unlinked.
 *
 * Places have numbers that only grow, and a chain leads from younger to older ones. A number that
 * is too old has been written over since, so there the chain ends.
 */
#pragma once

#include <stdbool.h>

#include "base/hash.h"

struct pt_ring_entry {
        uint64_t key;
        int64_t time;
        double weight;
        uint32_t older; /* number of the next in the chain: the ring's own */
};

struct pt_ring {
        struct pt_ring_entry *entries;
        struct pt_heads heads;
        uint32_t mask;   /* places - 1, a power of two - 1 */
        uint32_t number; /* of the next one to be written */
        uint32_t count;  /* places that were written */
        struct pt_hash_key hash_key;
};

/* 0, or -ENOMEM. `capacity` is rounded up to a power of two. */
int pt_ring_init(struct pt_ring *ring, uint32_t capacity, const struct pt_hash_key *key);
void pt_ring_deinit(struct pt_ring *ring);

/* Octets that pt_ring_init() takes. */
size_t pt_ring_size(uint32_t capacity);

/* The youngest entry of the key, NULL if there is none. */
struct pt_ring_entry *pt_ring_find(const struct pt_ring *ring, uint64_t key);

/* What gives way to the next one, NULL for nothing; and that one, all zero but its key. */
const struct pt_ring_entry *pt_ring_oldest(const struct pt_ring *ring);
struct pt_ring_entry *pt_ring_add(struct pt_ring *ring, uint64_t key);

/* Fetch what a look for the key will touch: its head, and then its first entry. */
void pt_ring_fetch(const struct pt_ring *ring, uint64_t key, unsigned step);
