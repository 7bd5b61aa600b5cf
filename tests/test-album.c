#include "io/capture/album.h"

#include <criterion/criterion.h>
#include <string.h>

/* A frame whose octets say its number. */
static void put(struct pt_album *album, uint64_t number, uint32_t file, uint32_t length,
                uint64_t offset)
{
        static uint8_t octets[1 << 18];
        struct pt_frame frame = {
                .bytes = octets,
                .captured = length,
                .length = length + 1,
                .linktype = 1,
                .time = (int64_t)number * 1000,
                .number = number,
                .file = file,
                .offset = offset,
        };
        const struct pt_trace trace = {
                .frame = &frame, .query_number = number - 1, .query_file = 7};

        memset(octets, (int)number, length);
        pt_album_put(album, &trace);
}

static bool has(const struct pt_album *album, uint64_t number, uint32_t file, uint32_t length)
{
        struct pt_album_frame found;

        if (!pt_album_find(album, file, number, &found))
                return false;
        cr_expect_eq(found.frame.number, number);
        cr_expect_eq(found.frame.file, file);
        cr_expect_eq(found.frame.captured, length);
        cr_expect_eq(found.frame.length, length + 1);
        cr_expect_eq(found.frame.time, (int64_t)number * 1000);
        cr_expect_eq(found.query_number, number - 1);
        cr_expect_eq(found.query_file, 7);
        for (uint32_t i = 0; found.frame.bytes && i < length; i++)
                if (found.frame.bytes[i] != (uint8_t)number)
                        return false;
        return true;
}

Test(album, frames_are_found_by_file_and_number)
{
        struct pt_album *album;

        cr_assert_eq(pt_album_new(PT_ALBUM_LEAST, &album), 0);
        cr_expect_not(has(album, 1, 0, 60));
        put(album, 1, 0, 60, 0);
        put(album, 1, 3, 1500, 0);
        put(album, 2, 0, 0, 0);
        cr_expect(has(album, 1, 0, 60));
        cr_expect(has(album, 1, 3, 1500));
        cr_expect(has(album, 2, 0, 0));
        cr_expect_not(has(album, 2, 3, 0));
        pt_album_free(album);
}

Test(album, of_a_frame_in_a_file_only_the_place_is_kept)
{
        struct pt_album_frame found;
        struct pt_album *album;

        cr_assert_eq(pt_album_new(PT_ALBUM_LEAST, &album), 0);
        /* With their octets, these would be five times as much as there is room for. */
        for (uint64_t i = 1; i <= 3500; i++)
                put(album, i, 0, 1500, 40 + i);
        cr_assert(pt_album_find(album, 0, 1, &found));
        cr_expect_null(found.frame.bytes);
        cr_expect_eq(found.frame.offset, 41);
        pt_album_free(album);
}

/* At every step the newest are there, and what is said to be there is whole. */
Test(album, the_oldest_give_way)
{
        struct pt_album *album;
        uint32_t length[3000];
        uint32_t seed = 1;

        cr_assert_eq(pt_album_new(PT_ALBUM_LEAST, &album), 0);
        for (uint64_t i = 1; i < 3000; i++) {
                seed = seed * 1103515245 + 12345;
                length[i] = seed >> 16 & 1 ? seed >> 17 & 8191 : 60;
                put(album, i, 0, length[i], 0);
                cr_assert(has(album, i, 0, length[i]), "%llu", (unsigned long long)i);
                if (i > 50)
                        cr_assert(has(album, i - 50, 0, length[i - 50]));
        }
        cr_expect_not(has(album, 1, 0, length[1]));
        for (uint64_t i = 1, kept = 0; i < 3000; i++) {
                bool there = has(album, i, 0, length[i]);

                cr_expect(there || !kept, "none is gone that is younger than one that is there");
                kept += there;
        }
        pt_album_free(album);
}

Test(album, a_frame_that_is_too_long_is_left_out)
{
        static uint8_t octets[600 << 10];
        struct pt_frame frame = {.bytes = octets, .captured = sizeof octets, .number = 2};
        const struct pt_trace trace = {.frame = &frame};
        struct pt_album_frame found;
        struct pt_album *album;

        cr_assert_eq(pt_album_new(PT_ALBUM_LEAST, &album), 0);
        put(album, 1, 0, 60, 0);
        pt_album_put(album, &trace);
        cr_expect_not(pt_album_find(album, 0, 2, &found));
        cr_expect(has(album, 1, 0, 60));
        pt_album_free(album);
}
