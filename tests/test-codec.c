#include "io/capture/codec.h"

#include <errno.h>
#include <string.h>

#include "packed.h"

#define LENGTH 50000
#define ROOM 200000

static const enum pt_kind kinds[] = {PT_KIND_GZIP, PT_KIND_ZSTD, PT_KIND_XZ};
#define KINDS (sizeof kinds / sizeof *kinds)

static uint8_t plain[LENGTH], packed[ROOM], out[ROOM];

/* Neither all the same nor incompressible. */
static void make_plain(void)
{
        uint32_t state = 1;

        for (size_t i = 0; i < sizeof plain; i++) {
                state = state * 1664525 + 1013904223;
                plain[i] = (uint8_t)(i % 97 < 50 ? i : state >> 24);
        }
}

/* What comes out of `length` octets, given and taken in pieces. Returns how many. */
static size_t run(enum pt_kind kind, size_t length, size_t piece, enum pt_codec_step *ret,
                  char reason[PT_CODEC_REASON])
{
        struct pt_codec_room room = {.in = packed, .out = out};
        enum pt_codec_step step = PT_CODEC_GO;
        struct pt_codec *codec;
        size_t given = 0;

        cr_assert_eq(pt_codec_new(kind, &codec), 0);
        for (int i = 0; step == PT_CODEC_GO && i < 10000000; i++) {
                if (room.in_left == 0) {
                        size_t more = length - given < piece ? length - given : piece;

                        room.in_left = more;
                        given += more;
                        room.last = more == 0;
                }
                if (room.out_left == 0)
                        room.out_left = piece;
                cr_assert_leq(room.out + room.out_left, out + sizeof out);
                step = pt_codec_run(codec, &room, reason);
        }
        cr_expect_null(pt_codec_free(codec));
        *ret = step;
        return (size_t)(room.out - out);
}

Test(codec, what_went_in_comes_out_in_pieces_of_any_size, .init = make_plain)
{
        static const size_t pieces[] = {1, 7, 1000, ROOM / 4};
        char reason[PT_CODEC_REASON];
        enum pt_codec_step step;

        for (size_t k = 0; k < KINDS; k++) {
                size_t length = pack(kinds[k], plain, LENGTH, packed, ROOM);

                for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
                        cr_expect_eq(run(kinds[k], length, pieces[i], &step, reason), LENGTH);
                        cr_expect_eq(step, PT_CODEC_END, "%zu", k);
                        cr_expect_eq(memcmp(out, plain, LENGTH), 0);
                }
        }
}

/* RFC 1952 section 2.2, RFC 8878 section 3, xz(1): files put behind one another are one. */
Test(codec, several_streams_in_a_row_are_one, .init = make_plain)
{
        char reason[PT_CODEC_REASON];
        enum pt_codec_step step;

        for (size_t k = 0; k < KINDS; k++) {
                size_t length = pack(kinds[k], plain, 20000, packed, ROOM);

                length += pack(kinds[k], plain, 0, packed + length, ROOM - length);
                length += pack(kinds[k], plain + 20000, LENGTH - 20000, packed + length,
                               ROOM - length);
                for (size_t piece = 1; piece < 5000; piece = piece * 3 + 1) {
                        cr_expect_eq(run(kinds[k], length, piece, &step, reason), LENGTH, "%zu", k);
                        cr_expect_eq(step, PT_CODEC_END);
                        cr_expect_eq(memcmp(out, plain, LENGTH), 0);
                }
        }
}

/* Zeros behind are padding for gzip(1) and, in fours, for xz(1). */
Test(codec, padding_is_no_damage, .init = make_plain)
{
        char reason[PT_CODEC_REASON];
        enum pt_codec_step step;

        for (size_t k = 0; k < KINDS; k++) {
                size_t length = pack(kinds[k], plain, LENGTH, packed, ROOM);

                if (kinds[k] == PT_KIND_ZSTD)
                        continue;
                memset(packed + length, 0, 512);
                cr_expect_eq(run(kinds[k], length + 512, 100, &step, reason), LENGTH);
                cr_expect_eq(step, PT_CODEC_END);
        }
}

/* Whatever comes before the cut is given, and the cut is no end. */
Test(codec, cut_at_any_octet_it_is_a_fault, .init = make_plain)
{
        char reason[PT_CODEC_REASON];
        enum pt_codec_step step;

        for (size_t k = 0; k < KINDS; k++) {
                size_t length = pack(kinds[k], plain, LENGTH, packed, ROOM);

                for (size_t cut = 1; cut < length; cut += cut < 40 ? 1 : 997) {
                        size_t came = run(kinds[k], cut, 4096, &step, reason);

                        cr_expect_eq(step, PT_CODEC_FAULT, "kind %zu, cut at %zu", k, cut);
                        cr_expect_str_eq(reason, "the data is cut", "kind %zu, cut at %zu", k, cut);
                        cr_expect_eq(memcmp(out, plain, came), 0);
                }
        }
}

Test(codec, damage_is_a_fault, .init = make_plain)
{
        char reason[PT_CODEC_REASON];
        enum pt_codec_step step;

        for (size_t k = 0; k < KINDS; k++) {
                size_t length = pack(kinds[k], plain, LENGTH, packed, ROOM);

                for (size_t place = length / 4; place < length; place += 1009) {
                        packed[place] ^= 0x10;
                        run(kinds[k], length, 4096, &step, reason);
                        /* zstd without a checksum cannot notice all of it; the records behind do.
                         */
                        if (kinds[k] != PT_KIND_ZSTD)
                                cr_expect_eq(step, PT_CODEC_FAULT, "kind %zu at %zu", k, place);
                        packed[place] ^= 0x10;
                }
        }
}

Test(codec, something_else_behind_it_is_a_fault, .init = make_plain)
{
        char reason[PT_CODEC_REASON];
        enum pt_codec_step step;

        for (size_t k = 0; k < KINDS; k++) {
                size_t length = pack(kinds[k], plain, LENGTH, packed, ROOM);

                memcpy(packed + length, "something else, in words", 24);
                cr_expect_eq(run(kinds[k], length + 24, 300, &step, reason), LENGTH, "%zu", k);
                cr_expect_eq(step, PT_CODEC_FAULT);
                /* liblzma does not tell one from the other. */
                cr_expect_str_eq(reason,
                                 kinds[k] == PT_KIND_XZ
                                         ? "the data is damaged"
                                         : "something else stands behind the compressed data");
        }
}

/* A header may ask for a window of gigabytes: xz by its dictionary, zstd by its window. */
Test(codec, greed_for_memory_is_a_fault)
{
        /* RFC 8878 section 3.1.1.1.2: window descriptor 0xa8 is 2 GiB. */
        static const uint8_t zstd[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00};
        lzma_options_lzma options;
        lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
        lzma_stream stream = LZMA_STREAM_INIT;
        char reason[PT_CODEC_REASON];
        enum pt_codec_step step;

        memcpy(packed, zstd, sizeof zstd);
        run(PT_KIND_ZSTD, sizeof zstd, 100, &step, reason);
        cr_expect_eq(step, PT_CODEC_FAULT);
        cr_expect(strstr(reason, "more than 128 MiB"), "%s", reason);

        lzma_lzma_preset(&options, 0);
        options.dict_size = 256 << 20;
        cr_assert_eq(lzma_stream_encoder(&stream, filters, LZMA_CHECK_CRC32), LZMA_OK);
        stream.next_in = (const uint8_t *)"x";
        stream.avail_in = 1;
        stream.next_out = packed;
        stream.avail_out = ROOM;
        cr_assert_eq(lzma_code(&stream, LZMA_FINISH), LZMA_STREAM_END);
        lzma_end(&stream);
        run(PT_KIND_XZ, ROOM - stream.avail_out, 100, &step, reason);
        cr_expect_eq(step, PT_CODEC_FAULT);
        cr_expect(strstr(reason, "more than 128 MiB"), "%s", reason);
}

Test(codec, other_kinds_are_not_known)
{
        struct pt_codec *codec;

        cr_expect_eq(pt_codec_new(PT_KIND_CLASSIC, &codec), -EINVAL);
        cr_expect(!pt_codec_knows(PT_KIND_PACKED));
        cr_expect(pt_codec_knows(PT_KIND_XZ));
        cr_expect_null(pt_codec_free(NULL));
}
