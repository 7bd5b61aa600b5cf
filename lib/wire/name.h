/*
 * name: a name of a DNS message -> its wire form without compression: at most 255 octets (RFC 1035
 * section 2.3.4), pointers only to before where the name began (RFC 9267 section 2), at most 127 of
 * them. Any octet may stand in a label.
 *
 * A part of dns, whose header shows it too. What stands inline here is what every record costs.
 */
#pragma once

#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"

#define PT_DNS_NAME_TEXT (4 * 255 + 1) /* octets of pt_dns_name_format() at most, with the NUL */

/* Length-prefixed labels and the final zero, uncompressed. The root is {1, {0}}. */
struct pt_dns_name {
        uint8_t length; /* 1..255 */
        uint8_t wire[255];
};

/* Decode the name at an offset. 0, or -EBADMSG. */
int pt_dns_name_read(const uint8_t *message, size_t length, size_t offset, struct pt_dns_name *ret);

/*
 * Text of a name: 0x21 to 0x7e as they are except '.' and '\' inside a label; those and all else as
 * \DDD; no final dot; the root is ".". Returns the length, without the NUL.
 */
size_t pt_dns_name_format(const struct pt_dns_name *name, char ret[PT_DNS_NAME_TEXT]);

/* Same name, ignoring ASCII case (RFC 4343). */
bool pt_dns_name_equal(const struct pt_dns_name *a, const struct pt_dns_name *b);

/* A hash that ignores ASCII case as pt_dns_name_equal() does. */
uint64_t pt_dns_name_hash(const struct pt_hash_key *key, const struct pt_dns_name *name);

/* ---- for dns ---- */

/* The same with how many pointers it took. `name` is undefined after -EBADMSG. */
int pt_dns_name_decode(const uint8_t *message, size_t length, size_t offset,
                       struct pt_dns_name *name, unsigned *ret_jumps);

#define PT_DNS_NO_END 0x80 /* an octet that ends no labels */

static inline struct pt_reader pt_dns_reader_at(const uint8_t *message, size_t length,
                                                size_t offset)
{
        struct pt_reader r = pt_reader(message, length);

        pt_reader_take(&r, offset);
        return r;
}

static inline bool pt_dns_is_pointer(uint8_t octet)
{
        return octet >= 0xc0;
}

static inline bool pt_dns_is_label(uint8_t octet)
{
        return octet < 0x40; /* 0x40 and 0x80: types that nobody uses (RFC 6891 section 5) */
}

/*
 * Steps over labels, and over the octet that ends them, which is returned: zero, the first of a
 * pointer, or one that is neither (after a failure too).
 */
static inline uint8_t pt_dns_labels_skip(struct pt_reader *r)
{
        const uint8_t *b;

        while ((b = pt_reader_take(r, 1)) && *b != 0 && pt_dns_is_label(*b))
                pt_reader_take(r, *b);
        return b ? *b : PT_DNS_NO_END;
}

/* Steps over a name where it stands, without following its pointer. */
static inline void pt_dns_name_skip(struct pt_reader *r)
{
        uint8_t end = pt_dns_labels_skip(r);

        if (pt_dns_is_pointer(end))
                pt_reader_take(r, 1);
        else if (end != 0)
                r->failed = true;
}

/* In blocks of a fixed size, which cost a move or two; most names fill one. */
static inline void pt_dns_name_copy(struct pt_dns_name *to, const struct pt_dns_name *from)
{
        enum { BLOCK = 32 };
        _Static_assert(sizeof *to % BLOCK == 0, "a name is whole blocks");

        for (size_t at = 0; at <= from->length; at += BLOCK)
                memcpy((uint8_t *)to + at, (const uint8_t *)from + at, BLOCK);
}
