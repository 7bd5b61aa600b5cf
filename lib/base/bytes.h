/*
 * bytes: the one reader of untrusted bytes.
 *
 * It cannot be read past its end, and it remembers that it was tried: read straight down, look at
 * `failed` once, then use what was read. After a failure every read gives zero (or NULL).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pt_reader {
        const uint8_t *at;
        const uint8_t *end;
        bool failed;
};

static inline struct pt_reader pt_reader(const uint8_t *bytes, size_t length)
{
        return (struct pt_reader){.at = bytes, .end = bytes + length};
}

static inline size_t pt_reader_left(const struct pt_reader *r)
{
        return (size_t)(r->end - r->at);
}

/* The next `length` bytes, stepped over; NULL if there are not so many. */
static inline const uint8_t *pt_reader_take(struct pt_reader *r, size_t length)
{
        const uint8_t *taken = r->at;

        if (r->failed || length > pt_reader_left(r)) {
                r->failed = true;
                return NULL;
        }
        r->at += length;
        return taken;
}

/* A reader over the next `length` bytes, which this one steps over. */
static inline struct pt_reader pt_reader_sub(struct pt_reader *r, size_t length)
{
        const uint8_t *taken = pt_reader_take(r, length);

        if (!taken)
                return (struct pt_reader){.failed = true};
        return pt_reader(taken, length);
}

static inline uint8_t pt_reader_u8(struct pt_reader *r)
{
        const uint8_t *b = pt_reader_take(r, 1);

        return b ? b[0] : 0;
}

static inline uint16_t pt_reader_be16(struct pt_reader *r)
{
        const uint8_t *b = pt_reader_take(r, 2);

        if (!b)
                return 0;
        return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t pt_reader_be32(struct pt_reader *r)
{
        const uint8_t *b = pt_reader_take(r, 4);

        if (!b)
                return 0;
        return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}
