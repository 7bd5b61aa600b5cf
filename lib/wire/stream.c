#include "wire/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire/flow.h"

#define PORT 53
#define PREFIX 2  /* the length before a message */
#define HEADER 12 /* of a message */

/* What is left of the segment that came last. */
struct rest {
        const uint8_t *octets;
        uint32_t length;
        uint32_t sequence;
};

struct pt_streams {
        struct pt_flows flows;
        uint32_t at; /* the flow whose messages are being taken */
        bool closing;
        struct rest rest;
        uint8_t message[PT_FLOW_MOST];
};

int pt_streams_new(size_t memory, const struct pt_hash_key *key, struct pt_counters *counters,
                   struct pt_streams **ret)
{
        struct pt_streams *s = calloc(1, sizeof *s);

        if (!s)
                return -ENOMEM;
        if (pt_flows_init(&s->flows, memory, key, counters) < 0) {
                pt_streams_free(s);
                return -ENOMEM;
        }
        *ret = s;
        return 0;
}

struct pt_streams *pt_streams_free(struct pt_streams *s)
{
        if (!s)
                return NULL;
        pt_flows_deinit(&s->flows);
        free(s);
        return NULL;
}

size_t pt_streams_size(void)
{
        return sizeof(struct pt_streams);
}

/* ---- messages ---- */

static uint32_t message_length(const uint8_t *prefix)
{
        return (uint32_t)prefix[0] << 8 | prefix[1];
}

/* May a message of this direction begin so? With fewer octets than a header there is less to say.
 */
static bool begins_message(const struct pt_flow_key *key, const uint8_t *octets, uint32_t length)
{
        bool response = key->source_port == PORT;
        const uint8_t *header = octets + PREFIX;

        if (length < PREFIX || message_length(octets) < HEADER)
                return false;
        if (length < PREFIX + HEADER)
                return length == PREFIX; /* some send the length in a segment of its own */
        return (header[2] >> 7) == response && (header[2] >> 3 & 15) == 0 && header[4] == 0 &&
               header[5] <= 1; /* a standard query or its response, of one question at most */
}

static void taken(struct pt_streams *s, struct pt_stream_message *ret, const uint8_t *octets,
                  uint32_t length, bool cut)
{
        pt_flows_count(&s->flows, PT_COUNT_STREAM_MESSAGES);
        *ret = (struct pt_stream_message){octets, length, cut};
}

/* A flow that began in mid-stream may have begun wrongly. */
static bool is_misread(const struct pt_streams *s, const struct pt_flow *f)
{
        uint8_t octets[PREFIX + HEADER];

        if (f->sure || pt_flow_front(f) < sizeof octets)
                return false;
        pt_flow_copy_out(&s->flows, f, 0, octets, sizeof octets);
        return !begins_message(&f->key, octets, sizeof octets);
}

/* The message at the front of what is held, if it is whole. */
static bool take_held(struct pt_streams *s, struct pt_flow *f, struct pt_stream_message *ret)
{
        uint32_t there = pt_flow_front(f), length;
        uint8_t prefix[PREFIX];

        if (there < PREFIX)
                return false;
        pt_flow_copy_out(&s->flows, f, 0, prefix, PREFIX);
        length = message_length(prefix);
        if (there < PREFIX + length)
                return false;
        pt_flow_copy_out(&s->flows, f, PREFIX, s->message, length);
        pt_flow_consume(&s->flows, f, PREFIX + length);
        taken(s, ret, s->message, length, false);
        return true;
}

/* What is there of a message that will not become whole; enough of it to be read. */
static bool take_cut(struct pt_streams *s, struct pt_flow *f, struct pt_stream_message *ret)
{
        uint32_t there = pt_flow_front(f);

        if (there < PREFIX + HEADER)
                return false;
        pt_flow_copy_out(&s->flows, f, PREFIX, s->message, there - PREFIX);
        taken(s, ret, s->message, there - PREFIX, true);
        return true;
}

static void advance(struct rest *rest, uint32_t length)
{
        rest->octets += length;
        rest->length -= length;
        rest->sequence += length;
}

/* A message that is whole in the segment needs no copy. */
static bool take_direct(struct pt_streams *s, struct pt_flow *f, struct pt_stream_message *ret)
{
        struct rest *rest = &s->rest;
        uint32_t length;

        if (rest->length < PREFIX)
                return false;
        length = message_length(rest->octets);
        if (rest->length < PREFIX + length)
                return false;
        taken(s, ret, rest->octets + PREFIX, length, false);
        f->next += PREFIX + length;
        advance(rest, PREFIX + length);
        return true;
}

static void leave(struct pt_streams *s)
{
        pt_flows_forget(&s->flows, s->at);
        s->at = 0;
        s->rest.length = 0;
}

/* The hole is given up: on with the segment at hand, which lies behind all that may be held. */
static bool give_up(struct pt_streams *s, struct pt_flow *f, struct pt_stream_message *ret)
{
        bool cut = take_cut(s, f, ret);

        pt_flows_count(&s->flows, PT_COUNT_STREAM_GAPS);
        pt_flow_empty(&s->flows, f);
        f->next = s->rest.sequence;
        f->sure = false;
        if (!begins_message(&f->key, s->rest.octets, s->rest.length))
                leave(s);
        return cut;
}

/* Some of the segment goes where it belongs. True: that was a message. */
static bool feed(struct pt_streams *s, struct pt_flow *f, struct pt_stream_message *ret)
{
        struct rest *rest = &s->rest;
        int32_t place = (int32_t)(rest->sequence - f->next);
        uint32_t length;

        f->fresh = false;
        if (place < 0) { /* the beginning of it was there before */
                uint32_t old = (uint32_t)-place < rest->length ? (uint32_t)-place : rest->length;

                advance(rest, old);
                return false;
        }
        if (place == 0 && !f->range_count) {
                if (!f->sure && rest->length >= PREFIX + HEADER &&
                    !begins_message(&f->key, rest->octets, rest->length)) {
                        pt_flows_count(&s->flows, PT_COUNT_STREAM_UNSYNCED);
                        leave(s);
                        return false;
                }
                if (take_direct(s, f, ret))
                        return true;
        }
        if (place >= PT_FLOW_MOST)
                return give_up(s, f, ret);
        length = PT_FLOW_MOST - (uint32_t)place < rest->length ? PT_FLOW_MOST - (uint32_t)place
                                                               : rest->length;
        if (!pt_flow_store(&s->flows, s->at, (uint32_t)place, rest->octets, length)) {
                pt_flows_count(&s->flows, PT_COUNT_STREAM_EVICTED);
                leave(s);
                return false;
        }
        advance(rest, length);
        return false;
}

/* ---- a segment comes ---- */

static bool fits(uint32_t sequence, uint32_t next)
{
        int32_t place = (int32_t)(sequence - next);

        return place > -PT_FLOW_MOST && place < PT_FLOW_MOST;
}

/* The flow goes on elsewhere. */
static void begin_again(struct pt_streams *s, struct pt_flow *f, uint32_t next, bool sure)
{
        if (f->range_count)
                pt_flows_count(&s->flows, PT_COUNT_STREAM_UNFINISHED);
        pt_flow_empty(&s->flows, f);
        f->next = next;
        f->sure = sure;
        f->has_other = false;
        f->has_end = false;
}

/*
 * A second SYN with another sequence number: perhaps the ports are used again, perhaps somebody
 * wants us to lose the thread. The data will tell.
 */
static uint32_t put_syn(struct pt_streams *s, uint32_t link, const struct pt_flow_key *key,
                        uint32_t next)
{
        struct pt_flow *f = &s->flows.flow[link];

        if (!link)
                return pt_flows_make(&s->flows, key, next, true);
        if (f->next != next) {
                f->other = next;
                f->has_other = true;
        }
        return link;
}

/* Where does the flow stand for this segment? False: it is none of its. */
static bool place_segment(struct pt_streams *s, struct pt_flow *f, const struct rest *rest)
{
        int32_t behind = (int32_t)(rest->sequence + rest->length - f->next);
        bool begins = begins_message(&f->key, rest->octets, rest->length);

        if (f->has_other && (rest->sequence == f->other ||
                             (!fits(rest->sequence, f->next) && fits(rest->sequence, f->other)))) {
                begin_again(s, f, f->other, true);
                return true;
        }
        if (behind <= 0) { /* all of it was there before, unless we stand in a wrong place */
                if (begins && (f->fresh || behind <= -2 * PT_FLOW_MOST))
                        begin_again(s, f, rest->sequence, false);
                else
                        pt_flows_count(&s->flows, PT_COUNT_STREAM_COPIES);
                return (int32_t)(rest->sequence - f->next) == 0;
        }
        if ((int32_t)(rest->sequence - f->next) < PT_FLOW_MOST || begins)
                return true;
        pt_flows_count(&s->flows, PT_COUNT_STREAM_OUTSIDE);
        return false;
}

static uint32_t put_data(struct pt_streams *s, uint32_t link, const struct pt_flow_key *key,
                         const struct rest *rest)
{
        if (!link && !begins_message(key, rest->octets, rest->length)) {
                pt_flows_count(&s->flows, PT_COUNT_STREAM_UNSYNCED);
                return 0;
        }
        if (!link)
                link = pt_flows_make(&s->flows, key, rest->sequence, false);
        if (place_segment(s, &s->flows.flow[link], rest))
                s->rest = *rest;
        return link;
}

void pt_streams_put(struct pt_streams *s, const struct pt_packet *p, int64_t time)
{
        struct pt_flow_key key = {p->source, p->destination, p->source_port, p->destination_port,
                                  0,         p->zone};
        struct rest rest = {p->payload, p->payload_length, p->tcp_sequence};
        uint32_t link;

        s->rest.length = 0;
        s->closing = p->tcp_flags & PT_TCP_RST;
        pt_flows_expire(&s->flows, time);
        link = pt_flows_find(&s->flows, &key);
        if (p->tcp_flags & PT_TCP_SYN)
                link = put_syn(s, link, &key, ++rest.sequence);
        if (rest.length)
                link = put_data(s, link, &key, &rest);
        if (rest.length && p->tcp_flags & PT_TCP_URG)
                pt_flows_count(&s->flows, PT_COUNT_STREAM_URGENT);
        s->at = link;
        if (!link)
                return;
        s->flows.flow[link].last = time;
        if (p->tcp_flags & PT_TCP_FIN && !p->payload_cut) {
                s->flows.flow[link].has_end = true;
                s->flows.flow[link].end = rest.sequence + rest.length;
        }
}

/* Nothing more comes of the segment: the flow waits for the next, or is over. */
static bool settle(struct pt_streams *s, struct pt_stream_message *ret)
{
        uint32_t link = s->at;
        struct pt_flow *f = &s->flows.flow[link];
        bool over = s->closing ||
                    (f->has_end && f->range_count <= 1 && f->next + pt_flow_front(f) == f->end);
        bool cut;

        s->at = 0;
        if (!over) {
                pt_flows_rest(&s->flows, link);
                return false;
        }
        cut = take_cut(s, f, ret);
        pt_flows_forget_counted(&s->flows, link, PT_COUNT_STREAM_UNFINISHED);
        return cut;
}

bool pt_streams_next(struct pt_streams *s, struct pt_stream_message *ret)
{
        while (s->at) {
                struct pt_flow *f = &s->flows.flow[s->at];

                if (is_misread(s, f)) {
                        pt_flows_count(&s->flows, PT_COUNT_STREAM_UNSYNCED);
                        leave(s);
                        return false;
                }
                if (take_held(s, f, ret))
                        return true;
                if (!s->rest.length)
                        return settle(s, ret);
                if (feed(s, f, ret))
                        return true;
        }
        return false;
}

void pt_streams_finish(struct pt_streams *s)
{
        for (int i = 0; i < PT_FLOW_LISTS; i++)
                while (s->flows.lists[i].oldest)
                        pt_flows_forget_counted(&s->flows, s->flows.lists[i].oldest,
                                                PT_COUNT_STREAM_UNFINISHED);
}

uint32_t pt_streams_followed(const struct pt_streams *s)
{
        return s->flows.followed;
}
