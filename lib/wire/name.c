#include "wire/name.h"

#include <errno.h>

#define NAME_OCTETS 255 /* RFC 1035 section 2.3.4 */
#define JUMPS 127       /* a name has no more labels than that */

/* Append labels as they stand, with their length octets; the final zero must still find room. */
static inline bool labels_append(struct pt_dns_name *name, const uint8_t *labels, size_t octets)
{
        if (octets > NAME_OCTETS - 1u - name->length)
                return false;
        memcpy(name->wire + name->length, labels, octets);
        name->length = (uint8_t)(name->length + octets);
        return true;
}

int pt_dns_name_decode(const uint8_t *message, size_t length, size_t offset,
                       struct pt_dns_name *name, unsigned *ret_jumps)
{
        size_t run = offset; /* where this run of labels begins: a pointer must lead before it */

        name->length = 0;
        for (unsigned jumps = 0; jumps <= JUMPS; jumps++) {
                struct pt_reader r = pt_dns_reader_at(message, length, run);
                const uint8_t *labels = r.at;
                uint8_t end = pt_dns_labels_skip(&r);
                size_t target;

                if (r.failed || !labels_append(name, labels, (size_t)(r.at - labels) - 1))
                        return -EBADMSG;
                if (end == 0) {
                        name->wire[name->length++] = 0;
                        *ret_jumps = jumps;
                        return 0;
                }
                target = (size_t)(end & 0x3f) << 8 | pt_reader_u8(&r);
                if (!pt_dns_is_pointer(end) || r.failed || target >= run)
                        return -EBADMSG;
                run = target;
        }
        return -EBADMSG;
}

int pt_dns_name_read(const uint8_t *message, size_t length, size_t offset, struct pt_dns_name *ret)
{
        struct pt_dns_name name;
        unsigned jumps;

        if (pt_dns_name_decode(message, length, offset, &name, &jumps) < 0)
                return -EBADMSG;
        pt_dns_name_copy(ret, &name);
        return 0;
}

size_t pt_dns_name_format(const struct pt_dns_name *name, char ret[PT_DNS_NAME_TEXT])
{
        char *out = ret;
        size_t at = 0;

        while (at < name->length && name->wire[at] != 0) {
                size_t end = at + 1 + name->wire[at];

                if (at > 0)
                        *out++ = '.';
                for (at++; at < end; at++) {
                        uint8_t c = name->wire[at];

                        if (c > 0x20 && c < 0x7f && c != '.' && c != '\\') {
                                *out++ = (char)c;
                                continue;
                        }
                        *out++ = '\\';
                        *out++ = (char)('0' + c / 100);
                        *out++ = (char)('0' + c / 10 % 10);
                        *out++ = (char)('0' + c % 10);
                }
        }
        if (out == ret)
                *out++ = '.';
        *out = '\0';
        return (size_t)(out - ret);
}

/* Eight octets at once, A to Z made small. The carries of one octet never reach the next. */
static uint64_t fold8(uint64_t word)
{
        const uint64_t ones = 0x0101010101010101;
        uint64_t low7 = word & 0x7f * ones;
        uint64_t from_a = low7 + (0x80 - 'A') * ones;
        uint64_t past_z = low7 + (0x7f - 'Z') * ones;
        uint64_t capital = (from_a ^ past_z) & ~word & 0x80 * ones;

        return word | capital >> 2;
}

/* Eight octets of a name with its length in front, those behind the name as zeros. */
static inline uint64_t name_word(const struct pt_dns_name *name, size_t at)
{
        static const uint8_t masks[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
        size_t left = name->length + 1u - at;
        uint64_t word, mask;

        memcpy(&word, (const uint8_t *)name + at, 8);
        memcpy(&mask, masks + (left < 8 ? 8 - left : 0), 8);
        return word & mask;
}

bool pt_dns_name_equal(const struct pt_dns_name *a, const struct pt_dns_name *b)
{
        if (a->length != b->length)
                return false;
        /* Length octets of labels are below 64, so folding leaves them alone. */
        for (size_t at = 0; at <= a->length; at += 8)
                if (fold8(name_word(a, at)) != fold8(name_word(b, at)))
                        return false;
        return true;
}

/* Length octets are below 64 and so are no letters: folding the whole wire form is sound. */
uint64_t pt_dns_name_hash(const struct pt_hash_key *key, const struct pt_dns_name *name)
{
        uint64_t folded[sizeof name->wire / 8 + 2];
        size_t words = (size_t)(name->length + 15) / 16 * 2; /* they are hashed in pairs */

        folded[words - 2] = folded[words - 1] = 0;
        memcpy(folded, name->wire, name->length);
        for (size_t i = 0; i < words; i++)
                folded[i] = fold8(folded[i]);
        return pt_hash_octets(key, folded, words * 8);
}
