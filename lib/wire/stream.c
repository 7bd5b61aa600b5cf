#include "wire/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"

#define SILENCE (120 * PT_SECOND) /* RFC 7766 leaves it to the server; most close after seconds */

#define PORT 53
#define PREFIX 2              /* the length before a message */
#define HEADER 12             /* of a message */
#define MOST (PREFIX + 65535) /* octets that a flow may hold */
#define CHUNK 1024
#define CHUNKS (MOST / CHUNK + 2) /* the first one may begin anywhere */
#define RANGES 16                 /* pieces with holes between that a flow may hold */

struct key {
        struct pt_address source;
        struct pt_address destination;
        uint16_t source_port;
        uint16_t destination_port;
        uint32_t zero;
        struct pt_zone zone;
};

/* Octets that are there, counted from the next one that is wanted. */
struct range {
        uint32_t from, to;
};

enum list_name {
        IDLE, /* flows that hold nothing */
        HOLDING,
        LISTS,
};

/* One direction of a connection. 0 is none in all links. */
struct flow {
        struct key key;
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
        uint16_t start;              /* place of `next` in the first chunk */
        struct range ranges[RANGES]; /* in order, none touches another */
        uint16_t chunks[CHUNKS];
};

struct list {
        uint32_t oldest, newest;
};

/* What is left of the segment that came last. */
struct rest {
        const uint8_t *octets;
        uint32_t length;
        uint32_t sequence;
};

struct pt_streams {
        struct pt_hash_key key;
        struct pt_counters *counters;
        struct pt_heads heads;
        struct flow *flows;   /* from 1 */
        uint8_t *chunks;      /* from 1 */
        uint16_t *chunk_next; /* spare ones */
        uint32_t flow_count, flow_spare, followed;
        uint32_t chunk_count, chunk_spare;
        struct list lists[LISTS];
        uint32_t at; /* the flow whose messages are being taken */
        bool closing;
        struct rest rest;
        uint8_t message[MOST];
};

static void count(struct pt_streams *s, enum pt_counter counter)
{
        s->counters->value[counter]++;
}

/* ---- setting up ---- */

static void make_spare(struct pt_streams *s)
{
        for (uint32_t i = s->flow_count; i > 0; i--) {
                s->flows[i].chain = s->flow_spare;
                s->flow_spare = i;
        }
        for (uint32_t i = s->chunk_count; i > 0; i--) {
                s->chunk_next[i] = (uint16_t)s->chunk_spare;
                s->chunk_spare = i;
        }
}

int pt_streams_new(size_t memory, const struct pt_hash_key *key, struct pt_counters *counters,
                   struct pt_streams **ret)
{
        struct pt_streams *s = calloc(1, sizeof *s);
        size_t flows = memory / 2048;
        size_t fixed = flows * (sizeof(struct flow) + 2 * sizeof(uint32_t));
        size_t chunks = (memory - fixed) / (CHUNK + sizeof(uint16_t));

        if (!s)
                return -ENOMEM;
        s->key = *key;
        s->counters = counters;
        s->flow_count = (uint32_t)flows;
        s->chunk_count = (uint32_t)(chunks < UINT16_MAX ? chunks : UINT16_MAX);
        s->flows = calloc(flows + 1, sizeof *s->flows);
        s->chunks = calloc(s->chunk_count + 1, CHUNK);
        s->chunk_next = calloc(s->chunk_count + 1, sizeof *s->chunk_next);
        if (!s->flows || !s->chunks || !s->chunk_next || pt_heads_init(&s->heads, flows) < 0) {
                pt_streams_free(s);
                return -ENOMEM;
        }
        make_spare(s);
        *ret = s;
        return 0;
}

struct pt_streams *pt_streams_free(struct pt_streams *s)
{
        if (!s)
                return NULL;
        pt_heads_free(&s->heads);
        free(s->chunk_next);
        free(s->chunks);
        free(s->flows);
        free(s);
        return NULL;
}

size_t pt_streams_size(void)
{
        return sizeof(struct pt_streams);
}

/* ---- coming and going ---- */

static uint32_t *head_of(const struct pt_streams *s, const struct key *key)
{
        return pt_heads_at(&s->heads, pt_siphash13(&s->key, key, sizeof *key));
}

static uint32_t find(const struct pt_streams *s, const struct key *key)
{
        uint32_t link = *head_of(s, key);

        while (link && memcmp(&s->flows[link].key, key, sizeof *key) != 0)
                link = s->flows[link].chain;
        return link;
}

static void list_remove(struct pt_streams *s, const struct flow *f)
{
        struct list *list = &s->lists[f->list];

        *(f->older ? &s->flows[f->older].newer : &list->oldest) = f->newer;
        *(f->newer ? &s->flows[f->newer].older : &list->newest) = f->older;
}

static void list_append(struct pt_streams *s, uint32_t link)
{
        struct flow *f = &s->flows[link];
        struct list *list = &s->lists[f->list];

        f->older = list->newest;
        f->newer = 0;
        *(f->older ? &s->flows[f->older].newer : &list->oldest) = link;
        list->newest = link;
}

static void give_chunk(struct pt_streams *s, uint16_t *chunk)
{
        if (!*chunk)
                return;
        s->chunk_next[*chunk] = (uint16_t)s->chunk_spare;
        s->chunk_spare = *chunk;
        *chunk = 0;
}

/* Nothing is held any more. */
static void empty(struct pt_streams *s, struct flow *f)
{
        for (size_t i = 0; f->range_count && i < CHUNKS; i++)
                give_chunk(s, &f->chunks[i]);
        f->range_count = 0;
        f->start = 0;
}

static void forget(struct pt_streams *s, uint32_t link)
{
        struct flow *f = &s->flows[link];
        uint32_t *chain = head_of(s, &f->key);

        empty(s, f);
        while (*chain != link)
                chain = &s->flows[*chain].chain;
        *chain = f->chain;
        list_remove(s, f);
        f->chain = s->flow_spare;
        s->flow_spare = link;
        s->followed--;
}

static void forget_counted(struct pt_streams *s, uint32_t link, enum pt_counter cause)
{
        if (s->flows[link].range_count)
                count(s, cause);
        forget(s, link);
}

/* A few at a time: each segment that is put in pays for two flows that fell silent. */
static void expire(struct pt_streams *s, int64_t now)
{
        for (int i = 0; i < LISTS; i++) {
                uint32_t link = s->lists[i].oldest;

                if (link && s->flows[link].last < now - SILENCE)
                        forget_counted(s, link, PT_COUNT_STREAM_UNFINISHED);
        }
}

static uint32_t make(struct pt_streams *s, const struct key *key, uint32_t next, bool sure)
{
        uint32_t *head = head_of(s, key);
        uint32_t link;

        if (!s->flow_spare)
                forget_counted(
                        s, s->lists[IDLE].oldest ? s->lists[IDLE].oldest : s->lists[HOLDING].oldest,
                        PT_COUNT_STREAM_EVICTED);
        link = s->flow_spare;
        s->flow_spare = s->flows[link].chain;
        s->flows[link] = (struct flow){
                .key = *key,
                .chain = *head,
                .next = next,
                .sure = sure,
                .fresh = true,
                .list = IDLE,
        };
        *head = link;
        list_append(s, link);
        s->followed++;
        return link;
}

/* The flow that was silent longest gives its octets for those of another. */
static bool yield(struct pt_streams *s, uint32_t self)
{
        uint32_t link = s->lists[HOLDING].oldest;

        if (link == self)
                link = s->flows[link].newer;
        if (!link)
                return false;
        forget_counted(s, link, PT_COUNT_STREAM_EVICTED);
        return true;
}

/* ---- what a flow holds ---- */

static uint32_t at_front(const struct flow *f)
{
        return f->range_count && f->ranges[0].from == 0 ? f->ranges[0].to : 0;
}

/* The octets at a place, as many as stand in one piece of memory. */
static uint8_t *octets_at(const struct pt_streams *s, const struct flow *f, uint32_t place,
                          uint32_t *ret_length)
{
        uint32_t at = f->start + place;
        uint16_t chunk = f->chunks[at / CHUNK];

        *ret_length = CHUNK - at % CHUNK;
        return chunk ? s->chunks + (size_t)chunk * CHUNK + at % CHUNK : NULL;
}

static void copy_out(const struct pt_streams *s, const struct flow *f, uint32_t place, uint8_t *to,
                     uint32_t length)
{
        while (length) {
                uint32_t piece;
                const uint8_t *from = octets_at(s, f, place, &piece);

                piece = piece < length ? piece : length;
                memcpy(to, from, piece);
                to += piece;
                place += piece;
                length -= piece;
        }
}

/* Where there is no chunk yet one is taken. False: there is none. */
static bool copy_in(struct pt_streams *s, uint32_t link, uint32_t place, const uint8_t *from,
                    uint32_t length)
{
        struct flow *f = &s->flows[link];

        while (length) {
                uint32_t piece;
                uint8_t *to = octets_at(s, f, place, &piece);

                if (!to) {
                        if (!s->chunk_spare && !yield(s, link))
                                return false;
                        f->chunks[(f->start + place) / CHUNK] = (uint16_t)s->chunk_spare;
                        s->chunk_spare = s->chunk_next[s->chunk_spare];
                        continue;
                }
                piece = piece < length ? piece : length;
                memcpy(to, from, piece);
                from += piece;
                place += piece;
                length -= piece;
        }
        return true;
}

static bool differs(const struct pt_streams *s, const struct flow *f, uint32_t place,
                    const uint8_t *octets, uint32_t length)
{
        while (length) {
                uint32_t piece;
                const uint8_t *held = octets_at(s, f, place, &piece);

                piece = piece < length ? piece : length;
                if (memcmp(held, octets, piece) != 0)
                        return true;
                octets += piece;
                place += piece;
                length -= piece;
        }
        return false;
}

/* `from` to `to` are there now: ranges that touch become one. False: there would be too many. */
static bool add_range(struct flow *f, uint32_t from, uint32_t to)
{
        struct range *r = f->ranges;
        size_t first = 0, behind;

        while (first < f->range_count && r[first].to < from)
                first++;
        for (behind = first; behind < f->range_count && r[behind].from <= to; behind++) {
                from = r[behind].from < from ? r[behind].from : from;
                to = r[behind].to > to ? r[behind].to : to;
        }
        if (behind == first && f->range_count == RANGES)
                return false;
        memmove(r + first + 1, r + behind, (f->range_count - behind) * sizeof *r);
        f->range_count = (uint8_t)(f->range_count + 1 - (behind - first));
        r[first] = (struct range){from, to};
        return true;
}

/* Is there a range that touches these octets, or a place for another one? */
static bool has_place(const struct flow *f, uint32_t from, uint32_t to)
{
        for (size_t i = 0; i < f->range_count; i++)
                if (f->ranges[i].from <= to && f->ranges[i].to >= from)
                        return true;
        return f->range_count < RANGES;
}

/* What came first stands: only octets that are not there are copied. False: no room. */
static bool store(struct pt_streams *s, uint32_t link, uint32_t place, const uint8_t *octets,
                  uint32_t length)
{
        struct flow *f = &s->flows[link];
        uint32_t at = place, end = place + length;
        bool other = false, more = false;

        if (!has_place(f, place, end)) {
                count(s, PT_COUNT_STREAM_DROPPED);
                return true;
        }
        for (size_t i = 0; i <= f->range_count && at < end; i++) {
                uint32_t from = i < f->range_count ? f->ranges[i].from : end;
                uint32_t to = i < f->range_count ? f->ranges[i].to : end;

                from = from < end ? from : end;
                to = to < end ? to : end;
                if (from > at && !copy_in(s, link, at, octets + (at - place), from - at))
                        return false;
                more |= from > at;
                at = at > from ? at : from;
                if (to > at)
                        other |= differs(s, f, at, octets + (at - place), to - at);
                at = at > to ? at : to;
        }
        if (other)
                count(s, PT_COUNT_STREAM_OVERLAPS);
        else if (!more)
                count(s, PT_COUNT_STREAM_COPIES);
        return add_range(f, place, end);
}

/* The first octets have been taken. */
static void consume(struct pt_streams *s, struct flow *f, uint32_t length)
{
        uint32_t at = f->start + length, whole = at / CHUNK;
        struct range *r = f->ranges;

        f->next += length;
        if (!f->range_count)
                return;
        if (r[0].to == length)
                memmove(r, r + 1, --f->range_count * sizeof *r);
        else
                r[0].from = length;
        for (size_t i = 0; i < f->range_count; i++) {
                r[i].from -= length;
                r[i].to -= length;
        }
        for (size_t i = 0; i < (f->range_count ? whole : CHUNKS); i++)
                give_chunk(s, &f->chunks[i]);
        if (whole) {
                memmove(f->chunks, f->chunks + whole, (CHUNKS - whole) * sizeof f->chunks[0]);
                memset(f->chunks + CHUNKS - whole, 0, whole * sizeof f->chunks[0]);
        }
        f->start = f->range_count ? (uint16_t)(at % CHUNK) : 0;
}

/* ---- messages ---- */

static uint32_t message_length(const uint8_t *prefix)
{
        return (uint32_t)prefix[0] << 8 | prefix[1];
}

/* May a message of this direction begin so? With fewer octets than a header there is less to say.
 */
static bool begins_message(const struct key *key, const uint8_t *octets, uint32_t length)
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
        count(s, PT_COUNT_STREAM_MESSAGES);
        *ret = (struct pt_stream_message){octets, length, cut};
}

/* A flow that began in mid-stream may have begun wrongly. */
static bool is_misread(const struct pt_streams *s, const struct flow *f)
{
        uint8_t octets[PREFIX + HEADER];

        if (f->sure || at_front(f) < sizeof octets)
                return false;
        copy_out(s, f, 0, octets, sizeof octets);
        return !begins_message(&f->key, octets, sizeof octets);
}

/* The message at the front of what is held, if it is whole. */
static bool take_held(struct pt_streams *s, struct flow *f, struct pt_stream_message *ret)
{
        uint32_t there = at_front(f), length;
        uint8_t prefix[PREFIX];

        if (there < PREFIX)
                return false;
        copy_out(s, f, 0, prefix, PREFIX);
        length = message_length(prefix);
        if (there < PREFIX + length)
                return false;
        copy_out(s, f, PREFIX, s->message, length);
        consume(s, f, PREFIX + length);
        taken(s, ret, s->message, length, false);
        return true;
}

/* What is there of a message that will not become whole; enough of it to be read. */
static bool take_cut(struct pt_streams *s, struct flow *f, struct pt_stream_message *ret)
{
        uint32_t there = at_front(f);

        if (there < PREFIX + HEADER)
                return false;
        copy_out(s, f, PREFIX, s->message, there - PREFIX);
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
static bool take_direct(struct pt_streams *s, struct flow *f, struct pt_stream_message *ret)
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
        forget(s, s->at);
        s->at = 0;
        s->rest.length = 0;
}

/* The hole is given up: on with the segment at hand, which lies behind all that may be held. */
static bool give_up(struct pt_streams *s, struct flow *f, struct pt_stream_message *ret)
{
        bool cut = take_cut(s, f, ret);

        count(s, PT_COUNT_STREAM_GAPS);
        empty(s, f);
        f->next = s->rest.sequence;
        f->sure = false;
        if (!begins_message(&f->key, s->rest.octets, s->rest.length))
                leave(s);
        return cut;
}

/* Some of the segment goes where it belongs. True: that was a message. */
static bool feed(struct pt_streams *s, struct flow *f, struct pt_stream_message *ret)
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
                        count(s, PT_COUNT_STREAM_UNSYNCED);
                        leave(s);
                        return false;
                }
                if (take_direct(s, f, ret))
                        return true;
        }
        if (place >= MOST)
                return give_up(s, f, ret);
        length = MOST - (uint32_t)place < rest->length ? MOST - (uint32_t)place : rest->length;
        if (!store(s, s->at, (uint32_t)place, rest->octets, length)) {
                count(s, PT_COUNT_STREAM_EVICTED);
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

        return place > -MOST && place < MOST;
}

/* The flow goes on elsewhere. */
static void begin_again(struct pt_streams *s, struct flow *f, uint32_t next, bool sure)
{
        if (f->range_count)
                count(s, PT_COUNT_STREAM_UNFINISHED);
        empty(s, f);
        f->next = next;
        f->sure = sure;
        f->has_other = false;
        f->has_end = false;
}

/*
 * A second SYN with another sequence number: perhaps the ports are used again, perhaps somebody
 * wants us to lose the thread. The data will tell.
 */
static uint32_t put_syn(struct pt_streams *s, uint32_t link, const struct key *key, uint32_t next)
{
        struct flow *f = &s->flows[link];

        if (!link)
                return make(s, key, next, true);
        if (f->next != next) {
                f->other = next;
                f->has_other = true;
        }
        return link;
}

/* Where does the flow stand for this segment? False: it is none of its. */
static bool place_segment(struct pt_streams *s, struct flow *f, const struct rest *rest)
{
        int32_t behind = (int32_t)(rest->sequence + rest->length - f->next);
        bool begins = begins_message(&f->key, rest->octets, rest->length);

        if (f->has_other && (rest->sequence == f->other ||
                             (!fits(rest->sequence, f->next) && fits(rest->sequence, f->other)))) {
                begin_again(s, f, f->other, true);
                return true;
        }
        if (behind <= 0) { /* all of it was there before, unless we stand in a wrong place */
                if (begins && (f->fresh || behind <= -2 * MOST))
                        begin_again(s, f, rest->sequence, false);
                else
                        count(s, PT_COUNT_STREAM_COPIES);
                return (int32_t)(rest->sequence - f->next) == 0;
        }
        if ((int32_t)(rest->sequence - f->next) < MOST || begins)
                return true;
        count(s, PT_COUNT_STREAM_OUTSIDE);
        return false;
}

static uint32_t put_data(struct pt_streams *s, uint32_t link, const struct key *key,
                         const struct rest *rest)
{
        if (!link && !begins_message(key, rest->octets, rest->length)) {
                count(s, PT_COUNT_STREAM_UNSYNCED);
                return 0;
        }
        if (!link)
                link = make(s, key, rest->sequence, false);
        if (place_segment(s, &s->flows[link], rest))
                s->rest = *rest;
        return link;
}

void pt_streams_put(struct pt_streams *s, const struct pt_packet *p, int64_t time)
{
        struct key key = {p->source, p->destination, p->source_port, p->destination_port,
                          0,         p->zone};
        struct rest rest = {p->payload, p->payload_length, p->tcp_sequence};
        uint32_t link;

        s->rest.length = 0;
        s->closing = p->tcp_flags & PT_TCP_RST;
        expire(s, time);
        link = find(s, &key);
        if (p->tcp_flags & PT_TCP_SYN)
                link = put_syn(s, link, &key, ++rest.sequence);
        if (rest.length)
                link = put_data(s, link, &key, &rest);
        if (rest.length && p->tcp_flags & PT_TCP_URG)
                count(s, PT_COUNT_STREAM_URGENT);
        s->at = link;
        if (!link)
                return;
        s->flows[link].last = time;
        if (p->tcp_flags & PT_TCP_FIN && !p->payload_cut) {
                s->flows[link].has_end = true;
                s->flows[link].end = rest.sequence + rest.length;
        }
}

/* Nothing more comes of the segment: the flow waits for the next, or is over. */
static bool settle(struct pt_streams *s, struct pt_stream_message *ret)
{
        uint32_t link = s->at;
        struct flow *f = &s->flows[link];
        bool over = s->closing ||
                    (f->has_end && f->range_count <= 1 && f->next + at_front(f) == f->end);
        bool cut;

        s->at = 0;
        if (!over) {
                list_remove(s, f);
                f->list = f->range_count ? HOLDING : IDLE;
                list_append(s, link);
                return false;
        }
        cut = take_cut(s, f, ret);
        forget_counted(s, link, PT_COUNT_STREAM_UNFINISHED);
        return cut;
}

bool pt_streams_next(struct pt_streams *s, struct pt_stream_message *ret)
{
        while (s->at) {
                struct flow *f = &s->flows[s->at];

                if (is_misread(s, f)) {
                        count(s, PT_COUNT_STREAM_UNSYNCED);
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
        for (int i = 0; i < LISTS; i++)
                while (s->lists[i].oldest)
                        forget_counted(s, s->lists[i].oldest, PT_COUNT_STREAM_UNFINISHED);
}

uint32_t pt_streams_followed(const struct pt_streams *s)
{
        return s->followed;
}
