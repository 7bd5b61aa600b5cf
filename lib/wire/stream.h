/*
 * stream: DNS messages out of TCP (RFC 1035 section 4.2.2, RFC 7766), in a fixed pool.
 *
 * Each direction of a connection is a flow of its own: a mirror may show one of them only. A flow
 * begins with its SYN, or in mid-stream with a segment that begins as a message does. Segments may
 * come in any order, more than once, and overlap: what came first stands. A hole that does not fill
 * is given up when the flow ends or holds all that it may (a message and its length: 65 537
 * octets); what stood before it is still used, as a message that was cut. Then the next segment
 * that begins as a message does is where it goes on.
 *
 * Where there is no room, the flow that was silent longest goes, those that hold nothing first.
 */
#pragma once

#include "base/counter.h"
#include "base/hash.h"
#include "wire/packet.h"

struct pt_streams;

/* 0, or -ENOMEM. Takes `memory` octets and a message more. Borrows the counters (stream.*). */
int pt_streams_new(size_t memory, const struct pt_hash_key *key, struct pt_counters *counters,
                   struct pt_streams **ret);
struct pt_streams *pt_streams_free(struct pt_streams *streams);

/* Octets that it takes beyond `memory`. */
size_t pt_streams_size(void);

struct pt_stream_message {
        const uint8_t *octets;
        uint32_t length;
        bool cut; /* the message is longer than what there is of it */
};

/*
 * A TCP segment to or from port 53 comes. Then every message that it completes is taken, in order,
 * until there is none: its octets are good until the next is asked for.
 */
void pt_streams_put(struct pt_streams *streams, const struct pt_packet *p, int64_t time);
bool pt_streams_next(struct pt_streams *streams, struct pt_stream_message *ret);

/* The end of the input: flows that hold part of a message are counted. */
void pt_streams_finish(struct pt_streams *streams);

/* Flows that are followed now. */
uint32_t pt_streams_followed(const struct pt_streams *streams);
