/*
 * Segments of four connections in any order, with any sequence numbers, flags and times. Whatever
 * comes, a message out of the streams is no longer than its length can say; and where all octets of
 * a connection tell one truth, a message that was found behind a SYN is one of those that were
 * sent.
 *
 * A segment is seven octets: connection; flags; what is odd about it; sequence number (two, beyond
 * a start of its connection); length (two).
 */
#include "wire/stream.h"

#include <string.h>

#include "base/clock.h"

#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
        LIES = 1,    /* its octets are others */
        CLIENT = 2,  /* from the client to the server */
        FAR = 4,     /* the sequence number counts kilobytes */
        SLOW = 8,    /* a minute passes before it */
        GARBAGE = 16 /* the octets are those of the input */
};

/* The wire of a connection: responses of growing length, one behind the other, again and again. */
#define WIRE 8192
static uint8_t wire[WIRE]; /* zeros at its end: messages of no octet */
static struct {
        uint32_t at, length;
} sent[32];
static size_t sent_count;

static void make_wire(void)
{
        static const uint8_t header[12] = {0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1};
        uint32_t at = 0, length = 12;

        for (; at + 2 + length < WIRE; length = length * 3 / 2) {
                sent[sent_count].at = at + 2;
                sent[sent_count++].length = length;
                wire[at++] = (uint8_t)(length >> 8);
                wire[at++] = (uint8_t)length;
                memset(wire + at, (int)length, length);
                memcpy(wire + at, header, sizeof header);
                at += length;
        }
}

struct story {
        struct pt_streams *streams;
        struct pt_counters counters;
        int64_t time;
        bool doubtful[4]; /* somebody lied, or it did not begin with its SYN */
};

static bool is_sent(const struct pt_stream_message *m)
{
        for (size_t i = 0; i < sent_count && m->length; i++)
                if ((m->cut ? m->length < sent[i].length : m->length == sent[i].length) &&
                    memcmp(wire + sent[i].at, m->octets, m->length) == 0)
                        return true;
        return !m->length;
}

static unsigned take_all(struct story *s, unsigned which)
{
        struct pt_stream_message m;
        unsigned count = 0;

        for (; pt_streams_next(s->streams, &m); count++) {
                volatile uint8_t sum = 0;

                MUST(m.length <= 65535);
                for (uint32_t i = 0; i < m.length; i++)
                        sum = (uint8_t)(sum + m.octets[i]);
                MUST(count < 65536);
                MUST(s->doubtful[which] || is_sent(&m));
        }
        return count;
}

static struct pt_packet packet_of(unsigned which, bool client, uint8_t flags, uint32_t sequence)
{
        return (struct pt_packet){
                .source = pt_address_from_ipv4(0xc0000200 + which),
                .destination = pt_address_from_ipv4(0x0a000001),
                .source_port = client ? 40000 : 53,
                .destination_port = client ? 53 : 40000,
                .protocol = 6,
                .tcp_flags = flags,
                .tcp_sequence = sequence,
        };
}

static void put_all(struct story *s, const uint8_t *data, size_t size)
{
        static const uint32_t starts[4] = {1, UINT32_MAX - 100, 0x7fffff00, 5};

        for (; size >= 7; data += 7, size -= 7) {
                static uint8_t octets[70000];
                unsigned which = data[0] & 3, odd = data[2];
                uint32_t offset = (uint32_t)(data[3] << 8 | data[4]) * (odd & FAR ? 1024 : 1);
                struct pt_packet p =
                        packet_of(which, odd & CLIENT, data[1], starts[which] + offset);

                p.payload = octets;
                p.payload_length = (uint32_t)(data[5] << 8 | data[6]);
                if (data[1] & PT_TCP_SYN) {
                        p.payload_length = 0;
                        p.tcp_sequence = starts[which] - 1;
                }
                for (uint32_t i = 0; i < p.payload_length; i++)
                        octets[i] = (uint8_t)(offset + i < WIRE ? wire[offset + i] : 0);
                if (odd & GARBAGE)
                        memcpy(octets, data, size < p.payload_length ? size : p.payload_length);
                else if (odd & LIES && p.payload_length)
                        octets[p.payload_length / 2]++;
                s->doubtful[which] |=
                        odd & (LIES | GARBAGE | CLIENT) || offset >= WIRE || which == 3;
                s->time += odd & SLOW ? 60 * PT_SECOND : PT_SECOND / 1000;
                pt_streams_put(s->streams, &p, s->time);
                take_all(s, which);
                MUST(pt_streams_followed(s->streams) <= 64);
        }
}

/* Whatever came before, a connection of somebody else is read. */
static void put_canary(struct story *s)
{
        struct pt_packet p = packet_of(77, false, PT_TCP_SYN | PT_TCP_ACK, 999);

        s->doubtful[0] = false;
        pt_streams_put(s->streams, &p, s->time);
        MUST(take_all(s, 0) == 0);
        p = packet_of(77, false, PT_TCP_ACK, 1000 + 8);
        p.payload = wire + 8;
        p.payload_length = 24;
        pt_streams_put(s->streams, &p, s->time);
        MUST(take_all(s, 0) == 0);
        p = packet_of(77, false, PT_TCP_ACK, 1000);
        p.payload = wire;
        p.payload_length = 8;
        pt_streams_put(s->streams, &p, s->time);
        MUST(take_all(s, 0) == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct pt_hash_key key = {1, 2};
        static struct story s;

        if (!sent_count)
                make_wire();
        memset(&s, 0, sizeof s);
        MUST(pt_streams_new((size_t)256 << 10, &key, &s.counters, &s.streams) == 0);
        put_all(&s, data, size);
        put_canary(&s);
        pt_streams_finish(s.streams);
        MUST(pt_streams_followed(s.streams) == 0);
        put_canary(&s);
        pt_streams_free(s.streams);
        return 0;
}
