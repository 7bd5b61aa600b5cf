#include "io/capture/classic.h"

#include <criterion/criterion.h>

#include "capture.h"

/* What lib/io/capture/replay.h promises of whole files stands in test-replay.c; here is what is
 * rare. */

static struct pt_source source;
static struct pt_classic classic;
static struct pt_record_fault fault;
static struct pt_frame frame;

static void finish(void)
{
        pt_source_close(&source);
}

static enum pt_record open_bytes(const struct bytes *b)
{
        struct pt_source_settings settings = {0};

        cr_assert_eq(pt_source_open(&source, as_file(b), &settings), 0);
        return pt_classic_open(&classic, &source, &fault);
}

static void put_version(struct bytes *b, uint32_t magic, uint16_t major, uint16_t minor)
{
        put32(b, magic);
        put16(b, major);
        put16(b, minor);
        put32(b, 0);
        put32(b, 0);
        put32(b, 65535);
        put32(b, 1);
}

/* pcap-savefile(5): before 2.3 the lengths stood the other way round, with 2.3 one cannot know. */
Test(classic, old_versions_have_their_lengths_exchanged, .fini = finish)
{
        static const struct {
                uint16_t major, minor;
                uint32_t first, second; /* lengths as the file has them */
                uint32_t captured, length;
        } rows[] = {
                {2, 4, 20, 60, 20, 60}, {2, 3, 20, 60, 20, 60}, {2, 3, 60, 20, 20, 60},
                {2, 2, 60, 20, 20, 60}, {2, 0, 60, 20, 20, 60}, {543, 0, 60, 20, 20, 60},
        };

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                for (int big = 0; big < 2; big++) {
                        static struct bytes b;

                        b = (struct bytes){.big = big};
                        put_version(&b, MICRO, rows[i].major, rows[i].minor);
                        put_record(&b, 1, 2, 20, 60);
                        b.length -= 28;
                        put32(&b, rows[i].first);
                        put32(&b, rows[i].second);
                        b.length += 20;
                        cr_assert_eq(open_bytes(&b), PT_RECORD_FRAME);
                        cr_assert_eq(pt_classic_next(&classic, &source, &frame, &fault),
                                     PT_RECORD_FRAME, "row %zu: %s", i, fault.reason);
                        cr_expect_eq(frame.captured, rows[i].captured, "row %zu", i);
                        cr_expect_eq(frame.length, rows[i].length, "row %zu", i);
                        cr_expect_eq(frame.time, 1000002000, "row %zu", i);
                        cr_expect_eq(pt_classic_next(&classic, &source, &frame, &fault),
                                     PT_RECORD_END);
                        pt_source_close(&source);
                }
        }
}

Test(classic, other_versions_are_refused, .fini = finish)
{
        static const uint16_t versions[][2] = {{2, 5}, {1, 4}, {3, 0}, {0, 0}, {543, 1}};

        for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
                static struct bytes b;
                char words[64];

                b = (struct bytes){0};
                put_version(&b, MICRO, versions[i][0], versions[i][1]);
                cr_expect_eq(open_bytes(&b), PT_RECORD_FAULT);
                snprintf(words, sizeof words, "pcap version %d.%d is not read", versions[i][0],
                         versions[i][1]);
                cr_expect_str_eq(fault.reason, words);
                pt_source_close(&source);
        }
}

/* Kuznetsov's variant: 8 octets more before each frame; a snap length may lack a made-up header. */
Test(classic, the_patched_variant_is_read, .fini = finish)
{
        static struct bytes b;

        b = (struct bytes){0};
        put_pcap(&b, 0xa1b2cd34, 20, 1);
        for (uint32_t i = 1; i < 3; i++) {
                put32(&b, i);
                put32(&b, 7);
                put32(&b, 40);
                put32(&b, 60);
                put32(&b, 0xffffffff);
                put32(&b, 0xffffffff);
                for (int octet = 0; octet < 40; octet++)
                        put(&b, "\x11", 1);
        }
        cr_assert_eq(open_bytes(&b), PT_RECORD_FRAME);
        for (int64_t i = 1; i < 3; i++) {
                cr_assert_eq(pt_classic_next(&classic, &source, &frame, &fault), PT_RECORD_FRAME);
                cr_expect_eq(frame.time, i * 1000000000 + 7000);
                cr_expect_eq(frame.bytes[0], 0x11);
                cr_expect_eq(frame.bytes[33], 0x11);
                cr_expect_eq(frame.captured, 34); /* 20 + 14 */
        }
        cr_expect_eq(pt_classic_next(&classic, &source, &frame, &fault), PT_RECORD_END);
}

/* A record that is half there stands where it stood until the rest comes. */
Test(classic, a_record_half_written_is_waited_for, .fini = finish)
{
        static struct bytes b;
        struct pt_source_settings settings = {.follow = true};

        b = (struct bytes){0};
        put_pcap(&b, MICRO, 65535, 1);
        put_record(&b, 1, 0, 20, 20);
        put_record(&b, 2, 0, 20, 20);
        for (size_t length = 24; length <= b.length; length++) {
                static struct bytes part;
                enum pt_record wanted;

                part = b;
                part.length = length;
                cr_assert_eq(pt_source_open(&source, as_file(&part), &settings), 0);
                cr_assert_eq(pt_classic_open(&classic, &source, &fault), PT_RECORD_FRAME);
                for (size_t place = 24; place <= length; place += 36) {
                        wanted = length - place >= 36 ? PT_RECORD_FRAME : PT_RECORD_LATER;
                        cr_expect_eq(pt_classic_next(&classic, &source, &frame, &fault), wanted,
                                     "%zu of %zu", place, length);
                }
                pt_source_close(&source);
        }
}
