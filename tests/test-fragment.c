#include "wire/fragment.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/clock.h"
#include "make.h"

static struct pt_fragments *fragments;
static struct pt_counters counters;
static const uint8_t *whole;
static uint32_t whole_length;

static void begin(void)
{
        static const struct pt_hash_key key = {1, 2};

        memset(&counters, 0, sizeof counters);
        cr_assert_eq(pt_fragments_new((size_t)2 << 20, &key, &counters, &fragments), 0);
}

static void end(void)
{
        pt_fragments_free(fragments);
}

TestSuite(fragment, .init = begin, .fini = end);

static uint64_t counted(enum pt_counter counter)
{
        return counters.value[counter];
}

/* Octet `at` of every datagram here, unless a test says otherwise. */
static uint8_t octet(uint32_t at)
{
        return (uint8_t)(at * 7 + at / 256);
}

struct piece {
        uint32_t offset;
        uint32_t length;
        bool more;
        uint8_t change; /* added to the first octet: data that differs */
        uint32_t id;
        const char *source;
        int64_t time;
        uint8_t protocol;
        bool ipv6;
        bool cut;
};

static struct pt_packet packet_of(const struct piece *piece, const uint8_t *octets)
{
        return (struct pt_packet){
                .source = make_address(piece->source ? piece->source : "192.0.2.53"),
                .destination = make_address("10.0.0.1"),
                .protocol = piece->protocol ? piece->protocol : 17,
                .ipv6 = piece->ipv6,
                .payload = octets,
                .payload_length = piece->length,
                .payload_cut = piece->cut,
                .fragment = {.id = piece->id,
                             .offset = (uint16_t)piece->offset,
                             .more = piece->more},
        };
}

static struct pt_packet packet;

static bool put(struct piece piece)
{
        static uint8_t octets[1 << 17];

        for (uint32_t i = 0; i < piece.length; i++)
                octets[i] = octet(piece.offset + i);
        if (piece.length)
                octets[0] = (uint8_t)(octets[0] + piece.change);
        packet = packet_of(&piece, octets);
        return pt_fragments_put(fragments, &packet, piece.time, &whole, &whole_length);
}

#define PUT(...) put((struct piece){__VA_ARGS__})

static void expect_whole(uint32_t length)
{
        cr_assert_eq(whole_length, length);
        for (uint32_t i = 0; i < length; i++)
                cr_assert_eq(whole[i], octet(i), "octet %u", i);
}

Test(fragment, two_fragments_make_a_datagram_in_either_order)
{
        cr_expect_not(PUT(0, 1480, true));
        cr_expect_eq(pt_fragments_waiting(fragments), 1);
        cr_expect(PUT(1480, 521, false));
        expect_whole(2001);
        cr_expect_eq(pt_fragments_waiting(fragments), 0);
        cr_expect_not(PUT(1480, 521, false, .id = 2));
        cr_expect(PUT(0, 1480, true, .id = 2));
        expect_whole(2001);
        cr_expect_eq(counted(PT_COUNT_FRAGMENT_DATAGRAMS), 2);
        cr_expect_eq(counted(PT_COUNT_FRAGMENT_LOST), 0);
}

/* E7: the longest datagrams there are, in eight-octet pieces, from the end. */
Test(fragment, the_longest_datagram_in_the_smallest_pieces_from_the_end)
{
        cr_expect_not(PUT(65528, 7, false, .ipv6 = true));
        for (uint32_t at = 65520; at > 0; at -= 8)
                cr_expect_not(PUT(at, 8, true, .ipv6 = true));
        cr_expect(PUT(0, 8, true, .ipv6 = true));
        expect_whole(65535);
}

/* E5, E6, E7. An IPv4 header takes 20 octets of what its length can say. */
Test(fragment, what_no_sender_makes_is_dropped_alone)
{
        cr_expect_not(PUT(0, 16, true));
        cr_expect_not(PUT(16, 0, false));
        cr_expect_not(PUT(0, 0, true));
        cr_expect_not(PUT(16, 7, true));
        cr_expect_not(PUT(65528, 8, false));
        cr_expect_not(PUT(65512, 4, false));
        cr_expect_not(PUT(8, 65528, false, .ipv6 = true));
        cr_expect_not(PUT(65528, 8, true, .ipv6 = true));
        cr_expect_not(PUT(65528, 100000, false));
        cr_expect_eq(counted(PT_COUNT_FRAGMENT_MALFORMED), 8);
        cr_expect(PUT(16, 5, false));
        expect_whole(21);
        cr_expect_not(PUT(65512, 3, false, .id = 2));
        cr_expect_eq(counted(PT_COUNT_FRAGMENT_MALFORMED), 8, "the last octet that fits");
}

Test(fragment, what_the_capture_cut_is_not_used)
{
        cr_expect_not(PUT(0, 16, true, .cut = true));
        cr_expect_not(PUT(16, 8, false));
        cr_expect_eq(counted(PT_COUNT_FRAGMENT_CUT), 1);
        cr_expect(PUT(0, 16, true));
}

/* E7: duplicated a thousand times; and all of it again after it is whole, as a mirror does. */
Test(fragment, copies_change_nothing)
{
        for (int i = 0; i < 1000; i++)
                cr_expect_not(PUT(0, 1480, true));
        cr_expect(PUT(1480, 8, false));
        cr_expect_not(PUT(0, 1480, true));
        cr_expect_not(PUT(1480, 8, false));
        cr_expect_eq(counted(PT_COUNT_FRAGMENT_COPIES), 1001);
        cr_expect_eq(counted(PT_COUNT_FRAGMENT_DATAGRAMS), 1);
        pt_fragments_finish(fragments);
        cr_expect_eq(counted(PT_COUNT_FRAGMENT_LOST), 0, "a copy waits for nothing");
}

/* Where a fragment of 16 octets lies beside one at 32..63: all relations of two intervals. */
static const struct {
        uint32_t offset, length;
        bool overlaps;
} relations[] = {
        {0, 32, false},  /* meets it from before */
        {64, 32, false}, /* meets it from behind */
        {24, 16, true},  /* overlaps its beginning */
        {56, 16, true},  /* its end */
        {32, 16, true},  /* begins with it */
        {48, 16, true},  /* ends with it */
        {40, 8, true},   /* lies inside */
        {24, 48, true},  /* around it */
        {32, 32, true},  /* is it */
};

/* E2 */
Test(fragment, overlaps_with_the_same_octets_are_fine)
{
        for (uint32_t i = 0; i < ROWS(relations); i++) {
                for (uint32_t order = 0; order < 2; order++) {
                        uint32_t id = 2 * i + order;

                        if (order)
                                PUT(relations[i].offset, relations[i].length, true, .id = id);
                        PUT(32, 32, true, .id = id);
                        if (!order)
                                PUT(relations[i].offset, relations[i].length, true, .id = id);
                        cr_expect_not(PUT(0, 64, true, .id = id));
                        cr_expect_not(PUT(64, 32, true, .id = id));
                        cr_expect(PUT(96, 3, false, .id = id), "%u, order %u", i, order);
                        expect_whole(99);
                }
        }
        cr_expect_eq(counted(PT_COUNT_FRAGMENT_OVERLAPS), 0);
}

/* E2, RFC 5722: the datagram is dropped, with what is still to come of it. */
Test(fragment, overlaps_with_other_octets_drop_the_datagram)
{
        uint64_t dropped = 0;

        for (uint32_t i = 0; i < ROWS(relations); i++) {
                for (uint32_t order = 0; order < 2; order++) {
                        uint32_t id = 2 * i + order, offset = relations[i].offset;
                        uint32_t place = offset < 32 ? 32 - offset : 0; /* an octet they share */
                        struct piece piece = {offset, relations[i].length, true, .id = id};
                        uint8_t octets[64];

                        if (!relations[i].overlaps)
                                continue;
                        for (uint32_t at = 0; at < piece.length; at++)
                                octets[at] = octet(offset + at);
                        octets[place]++;
                        if (!order)
                                PUT(32, 32, true, .id = id);
                        packet = packet_of(&piece, octets);
                        cr_expect_not(
                                pt_fragments_put(fragments, &packet, 0, &whole, &whole_length));
                        if (order)
                                PUT(32, 32, true, .id = id);
                        dropped++;
                        cr_expect_eq(counted(PT_COUNT_FRAGMENT_OVERLAPS), dropped, "%u", i);
                        cr_expect_not(PUT(0, 96, true, .id = id));
                        cr_expect_not(PUT(96, 3, false, .id = id), "%u, order %u", i, order);
                }
        }
        cr_expect_eq(pt_fragments_waiting(fragments), 0);
}

/* Teardrop: the second fragment ends inside the first. E3: a late last one that claims an end. */
Test(fragment, ends_that_contradict_drop_the_datagram)
{
        PUT(0, 40, true);
        cr_expect_not(PUT(24, 4, false));
        cr_expect_eq(counted(PT_COUNT_FRAGMENT_OVERLAPS), 1, "teardrop");
        PUT(0, 8, true, .id = 2);
        PUT(24, 8, true, .id = 2);
        cr_expect_not(PUT(8, 8, false, .id = 2));
        cr_expect_eq(counted(PT_COUNT_FRAGMENT_OVERLAPS), 2, "an end before what is there");
        PUT(0, 8, true, .id = 3);
        PUT(24, 8, false, .id = 3);
        cr_expect_not(PUT(16, 24, true, .id = 3));
        cr_expect_eq(counted(PT_COUNT_FRAGMENT_OVERLAPS), 3, "octets behind the end");
        PUT(24, 8, false, .id = 4);
        cr_expect_not(PUT(24, 7, false, .id = 4));
        cr_expect_eq(counted(PT_COUNT_FRAGMENT_OVERLAPS), 4, "two ends");
        PUT(16, 8, false, .id = 5);
        PUT(0, 8, true, .id = 5);
        cr_expect_not(PUT(16, 8, false, .id = 5), "E3: the hole is still there");
        cr_expect(PUT(8, 8, true, .id = 5));
        expect_whole(24);
}

/* E4 */
Test(fragment, a_number_is_used_again)
{
        cr_expect_not(PUT(0, 16, true));
        cr_expect(PUT(16, 8, false));
        cr_expect_not(PUT(0, 16, true, .change = 1), "the next datagram, at once");
        cr_expect(PUT(16, 8, false));
        cr_expect_eq(whole[0], (uint8_t)(octet(0) + 1));
        cr_expect_not(PUT(0, 16, true, .id = 2));
        cr_expect_not(PUT(0, 16, true, .change = 1, .id = 2, .time = PT_SECOND + 1),
                      "the rest of the first was lost");
        cr_expect(PUT(16, 8, false, .id = 2, .time = PT_SECOND + 1));
        cr_expect_eq(whole[0], (uint8_t)(octet(0) + 1));
        cr_expect_eq(counted(PT_COUNT_FRAGMENT_LOST), 1);
        cr_expect_eq(counted(PT_COUNT_FRAGMENT_OVERLAPS), 0);
        cr_expect_not(PUT(0, 16, true, .id = 3));
        cr_expect_not(PUT(0, 16, true, .change = 1, .id = 3), "at once: which one is right?");
        cr_expect_not(PUT(16, 8, false, .id = 3, .time = PT_SECOND));
        cr_expect_not(PUT(0, 16, true, .id = 3, .time = PT_SECOND + 1), "a second later");
        cr_expect(PUT(16, 8, false, .id = 3, .time = PT_SECOND + 1));
}

/* E4, E9: IPv4 tells datagrams by protocol too, IPv6 does not; the two never meet. */
Test(fragment, what_tells_datagrams_apart)
{
        cr_expect_not(PUT(0, 16, true, .protocol = 17));
        cr_expect_not(PUT(16, 8, false, .protocol = 6));
        cr_expect_not(PUT(16, 8, false, .source = "192.0.2.54"));
        cr_expect_not(PUT(16, 8, false, .id = 1));
        cr_expect_not(PUT(16, 8, false, .ipv6 = true), "mapped addresses look the same");
        cr_expect_eq(pt_fragments_waiting(fragments), 5);
        cr_expect(PUT(16, 8, false, .protocol = 17));
        cr_expect_not(PUT(0, 16, true, .protocol = 17, .ipv6 = true, .id = 7));
        cr_expect(PUT(16, 8, false, .protocol = 60, .ipv6 = true, .id = 7));
        cr_expect_eq(packet.protocol, 17, "the first fragment says what it is");
}

Test(fragment, after_half_a_minute_the_rest_is_not_waited_for)
{
        cr_expect_not(PUT(0, 16, true));
        cr_expect_not(PUT(0, 16, true, .id = 1, .time = 30 * PT_SECOND));
        cr_expect_eq(counted(PT_COUNT_FRAGMENT_LOST), 0);
        cr_expect_not(PUT(0, 16, true, .id = 2, .time = 30 * PT_SECOND + 1));
        cr_expect_eq(counted(PT_COUNT_FRAGMENT_LOST), 1);
        cr_expect_not(PUT(16, 8, false, .time = 30 * PT_SECOND + 1));
        pt_fragments_finish(fragments);
        cr_expect_eq(counted(PT_COUNT_FRAGMENT_LOST), 4, "the end of the input waits for nothing");
        cr_expect_eq(pt_fragments_waiting(fragments), 0);
}

/* E1 */
Test(fragment, a_million_first_fragments_push_out_only_their_own)
{
        char source[32];

        cr_expect_not(PUT(0, 1480, true, .source = "198.51.100.1"));
        for (uint32_t id = 0; id < 1000000; id++)
                put((struct piece){0, 8, true, .id = id, .source = "192.0.2.66"});
        cr_expect(PUT(1480, 8, false, .source = "198.51.100.1"));
        expect_whole(1488);
        cr_expect_geq(counted(PT_COUNT_FRAGMENT_EVICTED), 999800);
        cr_expect_leq(pt_fragments_waiting(fragments), 1024 / 8);
        for (uint32_t i = 0; i < 100000; i++) { /* many sources: the oldest goes */
                snprintf(source, sizeof source, "203.%u.%u.1", i / 256 % 256, i % 256);
                put((struct piece){0, 1480, true, .id = i, .source = source});
                if (i % 1000 == 0) {
                        PUT(0, 1480, true, .id = 7 + i, .source = "198.51.100.1");
                        cr_expect(PUT(1480, 8, false, .id = 7 + i, .source = "198.51.100.1"));
                }
        }
        cr_expect_leq(pt_fragments_waiting(fragments), 1024);
}

/* Sixty-four kilobytes for each: chunks run out before datagrams do. */
Test(fragment, large_datagrams_of_one_source_push_out_each_other)
{
        for (uint32_t id = 0; id < 100; id++)
                for (uint32_t at = 0; at < 65000; at += 1000)
                        put((struct piece){at, 1000, true, .id = id, .source = "192.0.2.66"});
        cr_expect_gt(counted(PT_COUNT_FRAGMENT_EVICTED), 90);
        cr_expect_not(PUT(0, 1480, true));
        cr_expect(PUT(1480, 8, false));
}

Test(fragment, a_small_pool_has_no_room_for_a_large_datagram_and_says_so)
{
        static const struct pt_hash_key key = {1, 2};

        end();
        cr_assert_eq(pt_fragments_new((size_t)64 << 10, &key, &counters, &fragments), 0);
        for (uint32_t at = 0; at < 65000; at += 1000)
                PUT(at, 1000, true);
        cr_expect_eq(counted(PT_COUNT_FRAGMENT_EVICTED), 1);
        cr_expect_not(PUT(0, 1480, true, .id = 2));
        cr_expect(PUT(1480, 8, false, .id = 2));
}

/* A datagram whose number is used again is the youngest, and the lists stay whole. */
Test(fragment, one_that_begins_again_is_the_youngest)
{
        for (uint32_t id = 0; id < 3; id++)
                PUT(0, 8, true, .id = id);
        PUT(0, 8, true, .change = 1, .id = 0, .time = 2 * PT_SECOND);
        cr_expect_eq(pt_fragments_waiting(fragments), 3);
        PUT(0, 8, true, .id = 9, .time = 31 * PT_SECOND);
        cr_expect_eq(pt_fragments_waiting(fragments), 2, "those of the beginning are lost");
        cr_expect(PUT(8, 8, false, .id = 0, .time = 31 * PT_SECOND));
        pt_fragments_finish(fragments);
        cr_expect_eq(pt_fragments_waiting(fragments), 0);
        cr_expect_eq(counted(PT_COUNT_FRAGMENT_LOST), 1 + 2 + 1);
        for (uint32_t id = 0; id < 3; id++)
                PUT(0, 8, true, .id = id);
        PUT(0, 8, true, .change = 1, .id = 0, .time = 2 * PT_SECOND);
        pt_fragments_finish(fragments);
        cr_expect_eq(pt_fragments_waiting(fragments), 0);
        cr_expect_eq(counted(PT_COUNT_FRAGMENT_LOST), 4 + 1 + 3);
}

/* Those that are too old leave a few at a time; none of them is taken for one that begins. */
Test(fragment, what_is_too_old_is_not_added_to)
{
        for (uint32_t id = 0; id < 20; id++)
                PUT(2000, 8, true, .id = id);
        cr_expect_not(PUT(0, 1480, true, .id = 19, .time = 31 * PT_SECOND));
        cr_expect(PUT(1480, 8, false, .id = 19, .time = 31 * PT_SECOND));
        expect_whole(1488);
}
