#include "base/bytes.h"

#include "page.h"

#include <criterion/criterion.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

Test(bytes, numbers_are_read_in_network_order)
{
        size_t length;
        const uint8_t *bytes = page_hex("01 0203 04050607 08", &length);
        struct pt_reader r = pt_reader(bytes, length);

        cr_assert_eq(pt_reader_u8(&r), 0x01);
        cr_assert_eq(pt_reader_be16(&r), 0x0203);
        cr_assert_eq(pt_reader_be32(&r), 0x04050607);
        cr_assert_eq(pt_reader_left(&r), 1);
        cr_assert_not(r.failed);
}

Test(bytes, high_octets_do_not_become_signs)
{
        size_t length;
        const uint8_t *bytes = page_hex("ff ff80 ff800001", &length);
        struct pt_reader r = pt_reader(bytes, length);

        cr_assert_eq(pt_reader_u8(&r), 255);
        cr_assert_eq(pt_reader_be16(&r), 65408);
        cr_assert_eq(pt_reader_be32(&r), 4286578689u);
}

Test(bytes, a_read_past_the_end_gives_zero_and_is_remembered)
{
        static const struct {
                size_t length;
                uint8_t u8;
                uint16_t be16;
                uint32_t be32;
                const char *reason;
        } rows[] = {
                {0, 0, 0, 0, "nothing there"},
                {1, 0xff, 0, 0, "one octet is no half of a 16-bit number"},
                {2, 0xff, 0xffff, 0, "two are no half of a 32-bit number"},
                {3, 0xff, 0xffff, 0, "nor are three"},
                {4, 0xff, 0xffff, 0xffffffff, "exactly enough"},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                const uint8_t *bytes = page_place("\xff\xff\xff\xff", rows[i].length);
                struct pt_reader r8 = pt_reader(bytes, rows[i].length);
                struct pt_reader r16 = r8;
                struct pt_reader r32 = r8;

                cr_expect_eq(pt_reader_u8(&r8), rows[i].u8, "%s", rows[i].reason);
                cr_expect_eq(pt_reader_be16(&r16), rows[i].be16, "%s", rows[i].reason);
                cr_expect_eq(pt_reader_be32(&r32), rows[i].be32, "%s", rows[i].reason);
                cr_expect_eq(r8.failed, rows[i].length < 1, "%s", rows[i].reason);
                cr_expect_eq(r16.failed, rows[i].length < 2, "%s", rows[i].reason);
                cr_expect_eq(r32.failed, rows[i].length < 4, "%s", rows[i].reason);
        }
}

Test(bytes, after_a_failure_every_read_fails)
{
        struct pt_reader r = pt_reader(page_place("\x01\x02\x03", 3), 3);

        cr_assert_eq(pt_reader_be32(&r), 0);
        cr_assert_eq(pt_reader_u8(&r), 0, "there are three octets, but the reader has failed");
        cr_assert_eq(pt_reader_be16(&r), 0);
        cr_assert_null(pt_reader_take(&r, 0));
        cr_assert(r.failed);
        cr_assert_eq(pt_reader_left(&r), 3, "a read that failed steps over nothing");
}

Test(bytes, taking_nothing_at_the_end_is_no_failure)
{
        const uint8_t *bytes = page_place("\x01", 1);
        struct pt_reader r = pt_reader(bytes, 1);

        cr_assert_eq(pt_reader_take(&r, 1), bytes);
        cr_assert_eq(pt_reader_take(&r, 0), bytes + 1);
        cr_assert_not(r.failed);
}

Test(bytes, a_length_near_the_end_of_the_address_space_does_not_wrap)
{
        static const size_t lengths[] = {2, SIZE_MAX / 2, SIZE_MAX - 1, SIZE_MAX};

        for (size_t i = 0; i < ROWS(lengths); i++) {
                struct pt_reader r = pt_reader(page_place("\x01", 1), 1);

                cr_expect_null(pt_reader_take(&r, lengths[i]));
                cr_expect(r.failed);
        }
}

Test(bytes, a_part_ends_where_it_was_cut_and_the_whole_goes_on_behind_it)
{
        struct pt_reader r = pt_reader(page_place("\x01\x02\x03", 3), 3);
        struct pt_reader part = pt_reader_sub(&r, 2);

        cr_assert_eq(pt_reader_u8(&part), 1);
        cr_assert_eq(pt_reader_be16(&part), 0);
        cr_assert(part.failed);
        cr_assert_not(r.failed, "what happens in the part stays there");
        cr_assert_eq(pt_reader_u8(&r), 3);
}

Test(bytes, a_part_longer_than_the_whole_fails_both)
{
        struct pt_reader r = pt_reader(page_place("\x01\x02\x03", 3), 3);
        struct pt_reader part = pt_reader_sub(&r, 4);

        cr_assert(r.failed);
        cr_assert(part.failed);
        cr_assert_eq(pt_reader_left(&part), 0);
        cr_assert_eq(pt_reader_u8(&part), 0);
}
