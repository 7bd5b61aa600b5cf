/*
 * datagram: a fixed pool of datagrams of which fragments came, in chunks of a kilobyte. A part of
 * fragment, which says what of a fragment is taken.
 *
 * No source holds more than an eighth of the pool; where there is no room, the oldest goes.
 */
#pragma once

#include "base/address.h"
#include "base/counter.h"
#include "base/hash.h"

#define PT_DATAGRAM_UNIT 8 /* offsets count these */
#define PT_DATAGRAM_CHUNK 1024
#define PT_DATAGRAM_UNITS (PT_DATAGRAM_CHUNK / PT_DATAGRAM_UNIT)
#define PT_DATAGRAM_CHUNKS 64 /* of the largest datagram */
#define PT_DATAGRAM_LONGEST 65535
#define PT_DATAGRAM_BUCKETS 256

/* A kilobyte of a datagram, and which units of it are there. */
struct pt_datagram_chunk {
        uint64_t there[PT_DATAGRAM_UNITS / 64];
        uint8_t octets[PT_DATAGRAM_CHUNK];
};

struct pt_datagram_key {
        struct pt_address source;
        struct pt_address destination;
        uint32_t id;
        uint8_t protocol; /* IPv6: 0, a fragment's own says nothing (RFC 8200) */
        uint8_t ipv6;
        uint8_t zero[2];
        struct pt_zone zone;
};

enum pt_datagram_state {
        PT_DATAGRAM_WAITING,
        PT_DATAGRAM_WHOLE,   /* kept to tell copies from the next datagram of the same number */
        PT_DATAGRAM_SPOILED, /* holds no chunks: all that comes is dropped */
};

/* Two lists: by age, and by age among those of one bucket of sources. 0 is none in all links. */
struct pt_datagram {
        struct pt_datagram_key key;
        int64_t begun;
        int64_t last;
        uint32_t total; /* PT_DATAGRAM_LONGEST + 1 while the last fragment is not there */
        uint32_t end;   /* of what is there */
        uint32_t held;  /* octets */
        uint32_t chain; /* next of the same hash */
        uint32_t older, newer;
        uint32_t bucket_older, bucket_newer;
        uint16_t bucket;
        uint8_t state;
        uint8_t protocol; /* of the first fragment */
        uint16_t chunks[PT_DATAGRAM_CHUNKS];
};

struct pt_datagram_list {
        uint32_t oldest, newest;
};

struct pt_datagram_bucket {
        struct pt_datagram_list list;
        uint32_t datagrams;
        uint32_t chunks;
};

struct pt_datagrams {
        struct pt_hash_key key;
        struct pt_counters *counters;
        struct pt_heads heads;
        struct pt_datagram *datagrams;    /* from 1 */
        struct pt_datagram_chunk *chunks; /* from 1 */
        uint32_t datagram_count, datagram_spare;
        uint32_t chunk_count, chunk_spare, chunks_free;
        uint32_t waiting;
        struct pt_datagram_list list;
        struct pt_datagram_bucket buckets[PT_DATAGRAM_BUCKETS];
};

/* Takes `memory` octets beside the struct. 0, or -ENOMEM. Borrows the counters (fragment.*). */
int pt_datagrams_init(struct pt_datagrams *pool, size_t memory, const struct pt_hash_key *key,
                      struct pt_counters *counters);
void pt_datagrams_deinit(struct pt_datagrams *pool);

/* The link of the datagram with this key, 0 if there is none. */
uint32_t pt_datagrams_find(const struct pt_datagrams *pool, const struct pt_datagram_key *key);

/* One for the key, of which nothing is there yet; an older one may have to go. */
uint32_t pt_datagrams_make(struct pt_datagrams *pool, const struct pt_datagram_key *key,
                           int64_t time);

/* It goes; if it waited, that counts as `cause`. */
void pt_datagrams_forget(struct pt_datagrams *pool, uint32_t link, enum pt_counter cause);

/* Those that waited too long go: a few at a time, more than come. */
void pt_datagrams_expire(struct pt_datagrams *pool, int64_t now);
bool pt_datagrams_is_over(const struct pt_datagram *d, int64_t now);

/* Its chunks are given back: nothing of it is there any more. */
void pt_datagrams_empty(struct pt_datagrams *pool, struct pt_datagram *d);

/* Its number is used again. */
void pt_datagrams_begin_again(struct pt_datagrams *pool, struct pt_datagram *d, int64_t time);

/* A chunk for a place in it. False if none can be had. */
bool pt_datagrams_take_chunk(struct pt_datagrams *pool, uint32_t self, size_t place);

/* Is this unit of it there? */
static inline bool pt_datagram_has(const struct pt_datagram_chunk *c, size_t unit)
{
        return c->there[unit / 64] >> (unit % 64) & 1;
}
