/* packed: octets compressed by the libraries themselves, as gzip, zstd and xz would. */
#pragma once

#include <criterion/criterion.h>
#include <lzma.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "io/capture/kind.h"

static inline size_t pack_gzip(const uint8_t *bytes, size_t length, uint8_t *out, size_t room)
{
        z_stream stream = {0};

        cr_assert_eq(deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY),
                     Z_OK);
        stream.next_in = (Bytef *)bytes;
        stream.avail_in = (uInt)length;
        stream.next_out = out;
        stream.avail_out = (uInt)room;
        cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
        deflateEnd(&stream);
        return room - stream.avail_out;
}

/* One member, frame or stream. Returns its length. */
static inline size_t pack(enum pt_kind kind, const uint8_t *bytes, size_t length, uint8_t *out,
                          size_t room)
{
        size_t used = 0;

        switch (kind) {
        case PT_KIND_GZIP:
                return pack_gzip(bytes, length, out, room);
        case PT_KIND_ZSTD:
                used = ZSTD_compress(out, room, bytes, length, 1);
                cr_assert(!ZSTD_isError(used));
                return used;
        default:
                cr_assert_eq(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, bytes, length, out,
                                                     &used, room),
                             LZMA_OK);
                return used;
        }
}
