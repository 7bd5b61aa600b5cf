/*
 * flow: the flows that stream follows, one direction of a connection each, and the octets that
 * they hold until a message is whole: a fixed pool of flows, and one of chunks that all share.
 *
 * Octets are stored at places, counted from the next one that is wanted; what came first stands.
 * Where there is no room, the flow that was silent longest goes, those that hold nothing first.
 * Only stream knows what a message is.
 */
#pragma once

#include "base/counter.h"
#include "base/hash.h"
#include "wire/packet.h"

#define PT_FLOW_MOST (2 + 65535) /* octets that a flow may hold: a message and its length */
#define PT_FLOW_CHUNK 1024
#define PT_FLOW_CHUNKS (PT_FLOW_MOST / PT_FLOW_CHUNK + 2) /* the first one may begin anywhere */
#define PT_FLOW_RANGES 16 /* pieces with holes between that a flow may hold */

struct pt_flow_key {
        struct pt_address source;
        struct pt_address destination;
        uint16_t source_port;
        uint16_t destination_port;
        uint32_t zero;
        struct pt_zone zone;
};

/* Octets that are there, counted from the next one that is wanted. */
struct pt_flow_range {
        uint32_t from, to;
};

enum pt_flow_lists {
        PT_FLOW_IDLE, /* flows that hold nothing */
        PT_FLOW_HOLDING,
        PT_FLOW_LISTS,
};

/* One direction of a connection. 0 is none in all links. */
struct pt_flow {
        struct pt_flow_key key;
        int64_t last;
        uint32_t chain;
        uint32_t older, newer;
        uint32_t next;  /* sequence number of the first octet that is wanted */
        uint32_t other; /* where it begins by another SYN: an attack, or the ports used again */
        uint32_t end;   /* behind the last octet, once a FIN has said so */
        bool has_other;
        bool has_end;
        bool sure;  /* its SYN was seen: messages begin where we think they do */
        bool fresh; /* no data came yet */
        uint8_t list;
        uint8_t range_count;
        uint16_t start;                              /* place of `next` in the first chunk */
        struct pt_flow_range ranges[PT_FLOW_RANGES]; /* in order, none touches another */
        uint16_t chunks[PT_FLOW_CHUNKS];
};

struct pt_flow_list {
        uint32_t oldest, newest;
};

struct pt_flows {
        struct pt_hash_key key;
        struct pt_counters *counters;
        struct pt_heads heads;
        struct pt_flow *flow; /* from 1 */
        uint8_t *chunks;      /* from 1 */
        uint16_t *chunk_next; /* spare ones */
        uint32_t flow_count, flow_spare, followed;
        uint32_t chunk_count, chunk_spare;
        struct pt_flow_list lists[PT_FLOW_LISTS];
};

/* Of one that is all zero. 0, or -ENOMEM; either way it is deinitialised. Borrows the counters. */
int pt_flows_init(struct pt_flows *flows, size_t memory, const struct pt_hash_key *key,
                  struct pt_counters *counters);
void pt_flows_deinit(struct pt_flows *flows);

static inline void pt_flows_count(struct pt_flows *flows, enum pt_counter counter)
{
        flows->counters->value[counter]++;
}

/* The flow of this key, 0 if there is none; and a new one, for which another may have to go. */
uint32_t pt_flows_find(const struct pt_flows *flows, const struct pt_flow_key *key);
uint32_t pt_flows_make(struct pt_flows *flows, const struct pt_flow_key *key, uint32_t next,
                       bool sure);

/* The second counts `cause` if the flow holds anything. */
void pt_flows_forget(struct pt_flows *flows, uint32_t link);
void pt_flows_forget_counted(struct pt_flows *flows, uint32_t link, enum pt_counter cause);

/* It waits for its next segment: it is the newest in its list. */
void pt_flows_rest(struct pt_flows *flows, uint32_t link);

/* A few at a time: each segment that is put in pays for two flows that fell silent. */
void pt_flows_expire(struct pt_flows *flows, int64_t now);

/* Octets at the front, without a hole. */
uint32_t pt_flow_front(const struct pt_flow *f);

/* Octets that are there, all of them. */
void pt_flow_copy_out(const struct pt_flows *flows, const struct pt_flow *f, uint32_t place,
                      uint8_t *to, uint32_t length);

/* What came first stands: only octets that are not there are copied. False: no room. */
bool pt_flow_store(struct pt_flows *flows, uint32_t link, uint32_t place, const uint8_t *octets,
                   uint32_t length);

/* The first octets have been taken. */
void pt_flow_consume(struct pt_flows *flows, struct pt_flow *f, uint32_t length);

/* Nothing is held any more. */
void pt_flow_empty(struct pt_flows *flows, struct pt_flow *f);
