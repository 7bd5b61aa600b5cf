#include "io/capture/block.h"

#include <criterion/criterion.h>

#include "capture.h"

static struct pt_source source;
static struct pt_block block;
static struct pt_record_fault fault;
static struct pt_frame frame;

static void finish(void)
{
        pt_block_close(&block);
        pt_source_close(&source);
}

static enum pt_record open_bytes(const struct bytes *b)
{
        struct pt_source_settings settings = {0};

        cr_assert_eq(pt_source_open(&source, as_file(b), &settings), 0);
        return pt_block_open(&block, &source, &fault);
}

static enum pt_record next(void)
{
        return pt_block_next(&block, &source, &frame, &fault);
}

/* An interface with one option, written whole: code, length, value padded to four octets. */
static void put_option(struct bytes *b, uint16_t link, uint16_t code, const void *value,
                       uint16_t length)
{
        uint32_t padded = (length + 3u) / 4 * 4;
        static const uint8_t zero[4];

        put32(b, 1);
        put32(b, 20 + 4 + padded + 4);
        put16(b, link);
        put16(b, 0);
        put32(b, 0);
        put16(b, code);
        put16(b, length);
        put(b, value, length);
        put(b, zero, padded - length);
        put32(b, 0); /* the end of options */
        put32(b, 20 + 4 + padded + 4);
}

/* Hand arithmetic: ticks / ticks a second, in nanoseconds. */
Test(block, every_resolution_gives_its_nanoseconds, .fini = finish)
{
        static const struct {
                uint8_t resolution;
                uint64_t ticks;
                int64_t time;
        } rows[] = {
                {0, 1700000000, 1700000000000000000},
                {3, 1700000000123, 1700000000123000000},
                {6, 1700000000123456, 1700000000123456000},
                {6, UINT64_C(1) << 53, INT64_C(9007199254740992000)},
                {9, 1700000000123456789, 1700000000123456789},
                {12, 1000000000001999, 1000000000001},
                {12, UINT64_MAX, 18446744073709551}, /* 18446744.073709551615 s */
                {19, UINT64_MAX, 1844674407},        /* 1.8446744073709551615 s */
                {0x80, 5, 5000000000},
                {0x81, 3, 1500000000},
                {0x94, (UINT64_C(1700000000) << 20) + (1 << 19), 1700000000500000000},
                {0xa0, (UINT64_C(1700000000) << 32) + (UINT64_C(1) << 31), 1700000000500000000},
                {0xbf, UINT64_MAX, 1999999999}, /* 2 - 2^-63 s */
                {0, UINT64_MAX, INT64_MAX},
                {6, UINT64_MAX, INT64_MAX},
                {9, UINT64_C(1) << 63, INT64_MAX},
        };

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                for (int big = 0; big < 2; big++) {
                        static struct bytes b;

                        b = (struct bytes){.big = big};
                        put_section(&b);
                        put_option(&b, 1, 9, &rows[i].resolution, 1);
                        put_packet(&b, rows[i].ticks);
                        cr_assert_eq(open_bytes(&b), PT_RECORD_FRAME, "%s", fault.reason);
                        cr_assert_eq(next(), PT_RECORD_FRAME);
                        cr_expect_eq(frame.time, rows[i].time, "row %zu: %lld", i,
                                     (long long)frame.time);
                        cr_expect_eq(next(), PT_RECORD_END);
                        finish();
                }
        }
}

Test(block, a_resolution_that_cannot_be_is_refused, .fini = finish)
{
        static const uint8_t values[] = {20, 127, 0xc0, 0xff};

        for (size_t i = 0; i < sizeof values; i++) {
                static struct bytes b;

                b = (struct bytes){0};
                put_section(&b);
                put_option(&b, 1, 9, &values[i], 1);
                cr_expect_eq(open_bytes(&b), PT_RECORD_FAULT);
                cr_expect_eq(fault.offset, 28);
                cr_expect(strstr(fault.reason, "if_tsresol"), "%s", fault.reason);
                finish();
        }
}

/* if_tsoffset: whole seconds, signed. */
Test(block, a_time_offset_is_added, .fini = finish)
{
        static const struct {
                int64_t offset, time;
        } rows[] = {
                {1700000000, 1700000001000000000},
                {-2, -1000000000},
                {INT64_MAX, INT64_MAX},
                {INT64_MIN, INT64_MIN},
        };

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                for (int big = 0; big < 2; big++) {
                        static struct bytes b, value;

                        b = (struct bytes){.big = big};
                        value = (struct bytes){.big = big};
                        put_number(&value, (uint64_t)rows[i].offset, 8);
                        put_section(&b);
                        put_option(&b, 1, 14, value.at, 8);
                        put_packet(&b, 1000000);
                        cr_assert_eq(open_bytes(&b), PT_RECORD_FRAME);
                        cr_assert_eq(next(), PT_RECORD_FRAME);
                        cr_expect_eq(frame.time, rows[i].time, "row %zu: %lld", i,
                                     (long long)frame.time);
                        finish();
                }
        }
}

/* "Packet Block" of older drafts: interface and drops in 16 bits each. */
static void put_obsolete(struct bytes *b, uint16_t interface, uint64_t time)
{
        put32(b, 2);
        put32(b, 36);
        put16(b, interface);
        put16(b, 9);
        put32(b, (uint32_t)(time >> 32));
        put32(b, (uint32_t)time);
        put32(b, 4);
        put32(b, 60);
        put(b, "\x45\x00\x00\x14", 4);
        put32(b, 36);
}

static void put_simple(struct bytes *b, uint32_t length, uint32_t there)
{
        put32(b, 3);
        put32(b, 16 + there);
        put32(b, length);
        for (uint32_t i = 0; i < there; i++)
                put(b, "\x45", 1);
        put32(b, 16 + there);
}

Test(block, obsolete_and_simple_packets_are_read, .fini = finish)
{
        for (int big = 0; big < 2; big++) {
                static struct bytes b;

                b = (struct bytes){.big = big};
                put_section(&b);
                put_interface(&b, 101, 8);
                put_interface(&b, 228, 0);
                put_obsolete(&b, 1, 3000001);
                put_simple(&b, 60, 8); /* of 60 octets the snap length of interface 0 let 8 in */
                put_simple(&b, 3, 4);
                cr_assert_eq(open_bytes(&b), PT_RECORD_FRAME, "%s", fault.reason);
                cr_assert_eq(next(), PT_RECORD_FRAME);
                cr_expect_eq(frame.linktype, 228);
                cr_expect_eq(frame.time, 3000001000);
                cr_expect_eq(frame.captured, 4);
                cr_expect_eq(frame.length, 60);
                cr_assert_eq(next(), PT_RECORD_FRAME);
                cr_expect_eq(frame.linktype, 101);
                cr_expect_eq(frame.time, 0);
                cr_expect_eq(frame.captured, 8);
                cr_expect_eq(frame.length, 60);
                cr_assert_eq(next(), PT_RECORD_FRAME);
                cr_expect_eq(frame.captured, 3);
                cr_expect_eq(frame.bytes[2], 0x45);
                cr_expect_eq(next(), PT_RECORD_END);
                finish();
        }
}

/* A17: what libpcap refuses. Interfaces are numbered anew in each section. */
Test(block, sections_have_their_own_order_and_interfaces, .fini = finish)
{
        static struct bytes b;

        b = (struct bytes){0};
        put_section(&b);
        put_interface(&b, 1, 96);
        put_interface(&b, 113, 65535);
        put_packet(&b, 1);
        put_obsolete(&b, 1, 2);
        b.big = true;
        put_section(&b);
        put_interface(&b, 276, 0);
        put_packet(&b, 3);
        put_obsolete(&b, 1, 4);
        cr_assert_eq(open_bytes(&b), PT_RECORD_FRAME);
        for (int i = 0; i < 3; i++) {
                static const int links[] = {1, 113, 276};

                cr_assert_eq(next(), PT_RECORD_FRAME);
                cr_expect_eq(frame.linktype, links[i]);
                cr_expect_eq(frame.time, (i + 1) * 1000);
        }
        cr_expect_eq(next(), PT_RECORD_FAULT);
        cr_expect_str_eq(fault.reason, "a packet of interface 1, of 1 in the section");
        cr_expect_eq(fault.offset, 2 * 28 + 3 * 20 + 3 * 36);
}

Test(block, a_section_without_packets_is_a_capture, .fini = finish)
{
        static struct bytes b;

        b = (struct bytes){0};
        put_section(&b);
        cr_assert_eq(open_bytes(&b), PT_RECORD_FRAME);
        cr_expect_eq(next(), PT_RECORD_END);
}

/* Memory for what a file says of itself is bounded. */
Test(block, too_many_interfaces_are_a_fault, .fini = finish)
{
        static struct bytes b, more;
        struct pt_source_settings settings = {0};
        FILE *file = tmpfile();
        char name[64];

        b = more = (struct bytes){0};
        put_section(&b);
        for (int i = 0; i < 1024; i++)
                put_interface(&more, 1, 0);
        fwrite(b.at, 1, b.length, file);
        for (int i = 0; i < PT_BLOCK_INTERFACES / 1024; i++)
                fwrite(more.at, 1, more.length, file);
        fwrite(more.at, 1, 20, file);
        cr_assert_eq(fflush(file), 0);
        snprintf(name, sizeof name, "/proc/self/fd/%d", fileno(file));
        cr_assert_eq(pt_source_open(&source, name, &settings), 0);
        cr_expect_eq(pt_block_open(&block, &source, &fault), PT_RECORD_FAULT);
        cr_expect_str_eq(fault.reason, "more than 65536 interfaces in a section");
        cr_expect_eq(fault.offset, 28 + 65536 * 20);
}

Test(block, options_that_do_not_fit_are_a_fault, .fini = finish)
{
        static struct bytes b;

        b = (struct bytes){0};
        put_section(&b);
        put_option(&b, 1, 2, "eth0", 4);
        b.at[28 + 16 + 2] = 200; /* the name's length */
        cr_expect_eq(open_bytes(&b), PT_RECORD_FAULT);
        cr_expect_str_eq(fault.reason, "an interface whose options do not fit its block");
}
