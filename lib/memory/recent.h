/*
 * recent: a bounded table of things seen lately, each known by a key. When there is no room, the
 * one touched longest ago gives way. Serves the queries that answers belong to (4.8), the SYNs that
 * were seen (4.2), held matches (4.10), the matches of a client (4.9) and the addresses of a MAC
 * (4.11).
 */
#pragma once

#include <stdbool.h>

#include "base/hash.h"

#define PT_RECENT_KEY 48 /* octets of a key, unused ones zero */

struct pt_recent {
        unsigned char *entries; /* place 0 heads the list of age */
        size_t stride;
        struct pt_heads heads;
        uint32_t capacity;
        uint32_t count;
        uint32_t spare; /* list of places given back */
        uint32_t fresh; /* places from here on were never used */
        struct pt_hash_key key;
};

/* 0, or -ENOMEM. */
int pt_recent_init(struct pt_recent *recent, uint32_t capacity, size_t payload,
                   const struct pt_hash_key *key);
void pt_recent_deinit(struct pt_recent *recent);

/* Forgets everything. */
void pt_recent_clear(struct pt_recent *recent);

/* Octets that pt_recent_init() takes. */
size_t pt_recent_size(uint32_t capacity, size_t payload);

/*
 * A key and its hash, made once for all that is asked of it. Octets that are not used are zero.
 */
struct pt_recent_key {
        uint8_t octets[PT_RECENT_KEY];
        uint32_t hash; /* by pt_recent_hash(), or by the caller: always the same, and keyed */
};

void pt_recent_hash(const struct pt_recent *recent, struct pt_recent_key *key);

/* Fetch what a look for this hash will touch first. */
static inline void pt_recent_prefetch(const struct pt_recent *recent, uint32_t hash)
{
        __builtin_prefetch(pt_heads_at(&recent->heads, hash));
}

/* And, once that is there, the first entry that a look will meet: its key, and some of its payload.
 */
void pt_recent_prefetch_entry(const struct pt_recent *recent, uint32_t hash);

/* The payload of that entry, which may be another key's, or nobody's: good for fetching only. */
const void *pt_recent_guess(const struct pt_recent *recent, uint32_t hash);

/* The payload of a key, NULL if it is not there. Its age stays as it is. */
void *pt_recent_find(const struct pt_recent *recent, const struct pt_recent_key *key);

/*
 * The payload of a key, which is the youngest now. A new one is all zero. The caller has seen to it
 * that there is room: an entry that must give way first is gone without a word.
 */
void *pt_recent_touch(struct pt_recent *recent, const struct pt_recent_key *key);

/* The entry that a payload belongs to is the youngest now. */
void pt_recent_renew(struct pt_recent *recent, const void *payload);

/* The payload of the oldest entry, NULL if there is none; and forget that entry. */
void *pt_recent_oldest(const struct pt_recent *recent);
void pt_recent_drop_oldest(struct pt_recent *recent);

/* From the youngest to the oldest: NULL if there is none (any more). */
void *pt_recent_youngest(const struct pt_recent *recent);
void *pt_recent_older(const struct pt_recent *recent, const void *payload);

/* The next younger one, NULL behind the youngest; and forget any of them. */
void *pt_recent_younger(const struct pt_recent *recent, const void *payload);
void pt_recent_drop(struct pt_recent *recent, const void *payload);

static inline bool pt_recent_full(const struct pt_recent *recent)
{
        return recent->count == recent->capacity;
}
