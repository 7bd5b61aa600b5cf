#include "wire/stream.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/clock.h"
#include "make.h"

static struct pt_streams *streams;
static struct pt_counters counters;

static void begin(void)
{
        static const struct pt_hash_key key = {1, 2};

        memset(&counters, 0, sizeof counters);
        cr_assert_eq(pt_streams_new((size_t)4 << 20, &key, &counters, &streams), 0);
}

static void end(void)
{
        pt_streams_free(streams);
}

TestSuite(stream, .init = begin, .fini = end);

static uint64_t counted(enum pt_counter counter)
{
        return counters.value[counter];
}

#define ISN 1000u
#define FIRST (ISN + 1)

/* What a test sends: a run of messages with their lengths before them. */
static struct {
        uint8_t octets[1 << 17];
        size_t length;
} wire;

/* A response of `length` octets, all of them `fill` but for a header that is sound. */
static void add(unsigned length, uint8_t fill)
{
        static uint8_t octets[65535];
        static const uint8_t header[12] = {0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1};

        memset(octets, fill, length);
        memcpy(octets, header, length < 12 ? length : 12);
        cr_assert_leq(wire.length + 2 + length, sizeof wire.octets);
        wire.octets[wire.length] = (uint8_t)(length >> 8);
        wire.octets[wire.length + 1] = (uint8_t)length;
        memcpy(wire.octets + wire.length + 2, octets, length);
        wire.length += 2 + length;
}

static struct segment_note {
        const char *from;
        uint16_t port;
        int64_t time;
} who = {"192.0.2.53", 40000, 0};

static void flags(uint32_t sequence, uint8_t tcp_flags, const void *octets, size_t length)
{
        struct pt_packet p = {
                .source = make_address(who.from),
                .destination = make_address("10.0.0.1"),
                .source_port = 53,
                .destination_port = who.port,
                .protocol = 6,
                .tcp_flags = tcp_flags,
                .tcp_sequence = sequence,
                .payload = octets,
                .payload_length = (uint32_t)length,
        };

        pt_streams_put(streams, &p, who.time);
}

/* Octets `from` to `to` of the wire, as a segment. */
static void segment(size_t from, size_t to)
{
        flags(FIRST + (uint32_t)from, PT_TCP_ACK, wire.octets + from, to - from);
}

static void open_flow(void)
{
        flags(ISN, PT_TCP_SYN | PT_TCP_ACK, NULL, 0);
}

/* The messages that came of the last segment, as "100a 20b(cut)": length, and what fills them. */
static const char *messages(void)
{
        static char text[1 << 16];
        struct pt_stream_message m;
        size_t at = 0;

        text[0] = '\0';
        while (pt_streams_next(streams, &m))
                if (at < sizeof text / 2)
                        at += (size_t)snprintf(
                                text + at, sizeof text - at, "%s%u%c%s", at ? " " : "", m.length,
                                m.length > 12 ? m.octets[m.length - 1] : '-', m.cut ? "(cut)" : "");
        return text;
}

#define EXPECT(wanted, ...)                                                                        \
        do {                                                                                       \
                const char *seen = messages();                                                     \
                cr_expect_str_eq(seen, wanted, "saw \"%.200s\", not \"%.200s\"" __VA_ARGS__, seen, \
                                 wanted);                                                          \
        } while (0)

static void two_messages(void)
{
        wire.length = 0;
        add(100, 'a');
        add(40, 'b');
}

Test(stream, a_message_in_a_segment_is_taken_at_once)
{
        two_messages();
        open_flow();
        EXPECT("");
        segment(0, 144);
        EXPECT("100a 40b");
        cr_expect_eq(counted(PT_COUNT_STREAM_MESSAGES), 2);
        cr_expect_eq(pt_streams_followed(streams), 1);
}

/* G1: any split, the length's own too. */
Test(stream, two_messages_split_anywhere)
{
        two_messages();
        for (size_t first = 0; first <= 144; first++) {
                for (size_t second = first; second <= 144; second++) {
                        char seen[64] = "";

                        who.port++;
                        open_flow();
                        messages();
                        segment(0, first);
                        strcat(seen, messages());
                        strcat(seen, " ");
                        segment(first, second);
                        strcat(seen, messages());
                        strcat(seen, " ");
                        segment(second, 144);
                        strcat(seen, messages());
                        while (strchr(seen, ' ') && seen[strlen(seen) - 1] == ' ')
                                seen[strlen(seen) - 1] = '\0';
                        cr_expect(strstr(seen, "100a") && strstr(seen, "40b"),
                                  "split at %zu and %zu: %s", first, second, seen);
                }
        }
        cr_expect_eq(counted(PT_COUNT_STREAM_MESSAGES), 2 * 145 * 146 / 2);
}

Test(stream, octet_by_octet_from_behind)
{
        two_messages();
        open_flow();
        for (size_t i = 144; i-- > 1;) {
                segment(i, i + 1);
                EXPECT("");
        }
        segment(0, 1);
        EXPECT("100a 40b");
}

Test(stream, out_of_order_and_twice)
{
        two_messages();
        open_flow();
        segment(60, 144);
        EXPECT("");
        segment(60, 144);
        EXPECT("");
        segment(0, 60);
        EXPECT("100a 40b");
        segment(0, 60);
        EXPECT("");
        segment(0, 144);
        EXPECT("");
        cr_expect_eq(counted(PT_COUNT_STREAM_COPIES), 3);
        cr_expect_eq(counted(PT_COUNT_STREAM_OVERLAPS), 0);
}

/* F6: what came first stands. */
Test(stream, overlaps_with_other_octets_do_not_change_what_is_there)
{
        uint8_t other[80];

        memset(other, 'x', sizeof other);
        two_messages();
        open_flow();
        segment(50, 70);
        messages();
        flags(FIRST + 40, PT_TCP_ACK, other, 40); /* around it */
        EXPECT("");
        cr_expect_eq(counted(PT_COUNT_STREAM_OVERLAPS), 1);
        segment(0, 144);
        {
                struct pt_stream_message m;

                cr_assert(pt_streams_next(streams, &m));
                cr_expect_eq(m.octets[37], 'a');
                cr_expect_eq(m.octets[38], 'x', "40 of the wire is 38 of the message");
                cr_expect_eq(m.octets[47], 'x');
                cr_expect_eq(m.octets[48], 'a', "the first that came");
                cr_expect_eq(m.octets[67], 'a');
                cr_expect_eq(m.octets[68], 'x');
                cr_expect_eq(m.octets[78], 'a');
        }
        EXPECT("40b");
        cr_expect_eq(counted(PT_COUNT_STREAM_OVERLAPS), 2);
}

/* F5 */
Test(stream, sequence_numbers_wrap)
{
        two_messages();
        flags(UINT32_MAX - 50, PT_TCP_SYN | PT_TCP_ACK, NULL, 0);
        messages();
        flags(UINT32_MAX - 49 + 120, PT_TCP_ACK, wire.octets + 120, 24);
        EXPECT("");
        flags(UINT32_MAX - 49, PT_TCP_ACK, wire.octets, 120);
        EXPECT("100a 40b");
}

/* F7 */
Test(stream, taken_up_in_mid_stream_where_a_message_begins)
{
        two_messages();
        segment(30, 60);
        EXPECT("");
        cr_expect_eq(counted(PT_COUNT_STREAM_UNSYNCED), 1);
        cr_expect_eq(pt_streams_followed(streams), 0);
        segment(102, 144);
        EXPECT("40b");
        who.port = 40001;
        segment(102, 104); /* the length alone */
        EXPECT("");
        segment(104, 144);
        EXPECT("40b");
        who.port = 40002;
        flags(FIRST, PT_TCP_ACK, "\0\x20", 2); /* might be a length */
        EXPECT("");
        flags(FIRST + 2, PT_TCP_ACK, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
        EXPECT("");
        cr_expect_eq(counted(PT_COUNT_STREAM_UNSYNCED), 2);
        cr_expect_eq(pt_streams_followed(streams), 2);
}

/* F6, F7: a segment that the mirror lost is never sent again. */
Test(stream, a_hole_is_given_up_when_the_flow_ends)
{
        two_messages();
        open_flow();
        segment(0, 50);
        EXPECT("");
        segment(60, 144);
        EXPECT("");
        flags(FIRST + 144, PT_TCP_FIN | PT_TCP_ACK, NULL, 0);
        EXPECT("", " (the hole may still fill)");
        flags(FIRST + 145, PT_TCP_RST, NULL, 0);
        EXPECT("48a(cut)");
        cr_expect_eq(counted(PT_COUNT_STREAM_UNFINISHED), 1);
        cr_expect_eq(pt_streams_followed(streams), 0);
}

Test(stream, a_hole_is_given_up_when_the_flow_holds_all_it_may)
{
        wire.length = 0;
        add(30000, 'a');
        add(30000, 'b');
        open_flow();
        segment(0, 500);
        EXPECT("");
        segment(1000, 60004);
        EXPECT("");
        wire.length = 0;
        add(20, 'c');
        flags(FIRST + 65537, PT_TCP_ACK, wire.octets, 22);
        EXPECT("498a(cut) 20c");
        cr_expect_eq(counted(PT_COUNT_STREAM_GAPS), 1);
}

Test(stream, a_fin_ends_what_is_there)
{
        two_messages();
        open_flow();
        flags(FIRST, PT_TCP_FIN | PT_TCP_ACK, wire.octets, 144);
        EXPECT("100a 40b");
        cr_expect_eq(pt_streams_followed(streams), 0);
        cr_expect_eq(counted(PT_COUNT_STREAM_UNFINISHED), 0);
        open_flow();
        flags(FIRST, PT_TCP_FIN | PT_TCP_ACK, wire.octets, 120);
        EXPECT("100a 16b(cut)");
        cr_expect_eq(counted(PT_COUNT_STREAM_UNFINISHED), 1);
}

/* F7 */
Test(stream, ports_used_again)
{
        two_messages();
        open_flow();
        segment(0, 50);
        messages();
        flags(5000000, PT_TCP_SYN | PT_TCP_ACK, NULL, 0);
        messages();
        flags(5000001, PT_TCP_ACK, wire.octets, 144);
        EXPECT("100a 40b");
        flags(5000145, PT_TCP_RST, NULL, 0);
        messages();
        open_flow();
        segment(0, 144);
        EXPECT("100a 40b");
}

/* F4: SYNs that lie about where it begins. */
Test(stream, a_second_syn_does_not_lose_the_thread)
{
        two_messages();
        for (uint32_t lie = 0; lie < 4; lie++) {
                static const uint32_t lies[] = {ISN + 10, ISN - 10, ISN + 4000000,
                                                ISN ^ 0x80000000};

                who.port++;
                open_flow();
                segment(0, 50);
                messages();
                flags(lies[lie], PT_TCP_SYN | PT_TCP_ACK, NULL, 0);
                messages();
                segment(50, 144);
                EXPECT("100a 40b");
                who.port++;
                flags(lies[lie], PT_TCP_SYN | PT_TCP_ACK, NULL, 0);
                messages();
                open_flow();
                messages();
                segment(0, 144);
                EXPECT("100a 40b");
                who.port++;
                flags(lies[lie], PT_TCP_SYN | PT_TCP_ACK, NULL,
                      0); /* and the true one was not seen */
                messages();
                segment(0, 144);
                if (lies[lie] + 1 != FIRST + 10 && lies[lie] + 1 != FIRST - 10)
                        EXPECT("100a 40b");
        }
}

/* F5 */
Test(stream, a_segment_far_outside_is_not_followed_unless_it_begins_a_message)
{
        two_messages();
        open_flow();
        segment(0, 50);
        messages();
        flags(FIRST + 1000000, PT_TCP_ACK, "xxxxxxxxxxxxxxxxxxxx", 20);
        EXPECT("");
        cr_expect_eq(counted(PT_COUNT_STREAM_OUTSIDE), 1);
        segment(50, 144);
        EXPECT("100a 40b");
        flags(FIRST + 1000000, PT_TCP_ACK, wire.octets + 102, 42);
        EXPECT("40b");
        cr_expect_eq(counted(PT_COUNT_STREAM_GAPS), 1);
}

/* G1, G2 */
Test(stream, lengths_that_no_message_has)
{
        wire.length = 0;
        for (unsigned length = 0; length < 12; length++)
                add(length, '-');
        add(65535, 'z');
        open_flow();
        segment(0, 500);
        EXPECT("0- 1- 2- 3- 4- 5- 6- 7- 8- 9- 10- 11-");
        for (size_t at = 500; at < wire.length - 1000; at += 1000) {
                segment(at, at + 1000);
                EXPECT("");
        }
        segment(65000, wire.length);
        EXPECT("65535z");
        wire.length = 0;
        for (int i = 0; i < 30000; i++)
                add(0, 0);
        who.port++;
        open_flow();
        messages();
        segment(0, 60000);
        messages();
        cr_expect_eq(counted(PT_COUNT_STREAM_MESSAGES), 12 + 1 + 30000);
}

/* F8: receive offload hands up more than 64 KiB at once. */
Test(stream, a_merged_segment_of_many_messages)
{
        static uint8_t merged[200 * 1002 + 500];
        size_t at;

        wire.length = 0;
        add(1000, 'm');
        for (at = 0; at < 200 * 1002; at += 1002)
                memcpy(merged + at, wire.octets, 1002);
        memcpy(merged + at, wire.octets, 500);
        open_flow();
        flags(FIRST, PT_TCP_ACK, merged, sizeof merged);
        messages();
        cr_expect_eq(counted(PT_COUNT_STREAM_MESSAGES), 200);
        flags(FIRST + sizeof merged, PT_TCP_ACK, wire.octets + 500, 502);
        EXPECT("1000m");
        who.port++; /* the same with the beginning late */
        open_flow();
        flags(FIRST + 10, PT_TCP_ACK, merged + 10, 60000);
        EXPECT("");
        flags(FIRST, PT_TCP_ACK, merged, sizeof merged);
        messages();
        cr_expect_eq(counted(PT_COUNT_STREAM_MESSAGES), 401);
}

/* F6: holes cost memory, so there is a bound; what is whole in front is still taken. */
Test(stream, a_million_octets_with_holes_between)
{
        wire.length = 0;
        add(60000, 'h');
        open_flow();
        for (size_t at = 10; at < 60000; at += 2) {
                segment(at, at + 1);
                EXPECT("");
        }
        cr_expect_gt(counted(PT_COUNT_STREAM_DROPPED), 29000);
        segment(0, 60002);
        EXPECT("60000h");
}

/* Many flows that hold much: the one that was silent longest goes. */
Test(stream, flows_that_hold_much_push_out_the_oldest)
{
        wire.length = 0;
        add(65535, 'f');
        for (unsigned i = 0; i < 200; i++) {
                who.port = (uint16_t)(1024 + i);
                open_flow();
                messages();
                segment(0, 65000);
                EXPECT("");
        }
        cr_expect_gt(counted(PT_COUNT_STREAM_EVICTED), 100);
        who.port = 1024 + 199;
        segment(65000, 65537);
        EXPECT("65535f");
}

/* An answer in a SYN flood: flows that hold nothing go first. */
Test(stream, a_flood_of_syns_takes_nothing_from_a_flow_with_data)
{
        two_messages();
        open_flow();
        segment(0, 50);
        messages();
        who.from = "203.0.113.66";
        for (unsigned i = 0; i < 100000; i++) {
                who.port = (uint16_t)i;
                flags(i, PT_TCP_SYN | PT_TCP_ACK, NULL, 0);
                messages();
        }
        who.from = "192.0.2.53";
        who.port = 40000;
        segment(50, 144);
        EXPECT("100a 40b");
        cr_expect_eq(counted(PT_COUNT_STREAM_EVICTED), 0);
        cr_expect_leq(pt_streams_followed(streams), 2048);
}

Test(stream, a_flow_that_fell_silent_is_forgotten)
{
        two_messages();
        open_flow();
        segment(0, 50);
        messages();
        who.time = 120 * PT_SECOND;
        who.port = 50000;
        open_flow();
        messages();
        cr_expect_eq(pt_streams_followed(streams), 2);
        who.time++;
        who.port = 50001;
        open_flow();
        messages();
        cr_expect_eq(pt_streams_followed(streams), 2);
        cr_expect_eq(counted(PT_COUNT_STREAM_UNFINISHED), 1);
        segment(0, 50);
        messages();
        pt_streams_finish(streams);
        cr_expect_eq(pt_streams_followed(streams), 0);
        cr_expect_eq(counted(PT_COUNT_STREAM_UNFINISHED), 2);
}

/* A SYN with data (RFC 7413): what it carries begins behind it. */
Test(stream, data_in_a_syn)
{
        two_messages();
        flags(ISN, PT_TCP_SYN | PT_TCP_ACK, wire.octets, 50);
        EXPECT("");
        segment(50, 144);
        EXPECT("100a 40b");
}
