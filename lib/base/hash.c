#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>

#include "base/pages.h"

/* The state of SipHash, named as in the paper. */
struct sip {
        uint64_t v0, v1, v2, v3;
};

/* SipHash reads and writes little-endian words; compilers make one load or store of these. */
static inline uint64_t le64(const uint8_t *b)
{
        return (uint64_t)b[7] << 56 | (uint64_t)b[6] << 48 | (uint64_t)b[5] << 40 |
               (uint64_t)b[4] << 32 | (uint64_t)b[3] << 24 | (uint64_t)b[2] << 16 |
               (uint64_t)b[1] << 8 | b[0];
}

static inline void le64_put(uint8_t *b, uint64_t word)
{
        for (int i = 0; i < 8; i++)
                b[i] = (uint8_t)(word >> 8 * i);
}

static inline uint64_t rotl(uint64_t x, int n)
{
        return x << n | x >> (64 - n);
}

static inline void sip_rounds(struct sip *s, int rounds)
{
        for (int i = 0; i < rounds; i++) {
                s->v0 += s->v1;
                s->v2 += s->v3;
                s->v1 = rotl(s->v1, 13) ^ s->v0;
                s->v3 = rotl(s->v3, 16) ^ s->v2;
                s->v0 = rotl(s->v0, 32);
                s->v2 += s->v1;
                s->v0 += s->v3;
                s->v1 = rotl(s->v1, 17) ^ s->v2;
                s->v3 = rotl(s->v3, 21) ^ s->v0;
                s->v2 = rotl(s->v2, 32);
        }
}

static inline struct sip sip_begin(const struct pt_hash_key *key)
{
        return (struct sip){
                .v0 = key->k0 ^ 0x736f6d6570736575,
                .v1 = key->k1 ^ 0x646f72616e646f6d,
                .v2 = key->k0 ^ 0x6c7967656e657261,
                .v3 = key->k1 ^ 0x7465646279746573,
        };
}

static inline void sip_word(struct sip *s, uint64_t word, int rounds)
{
        s->v3 ^= word;
        sip_rounds(s, rounds);
        s->v0 ^= word;
}

static inline void sip_absorb(struct sip *s, const void *bytes, size_t length, int rounds)
{
        const uint8_t *at = bytes;
        const uint8_t *end = at + length / 8 * 8;
        uint64_t word;

        for (; at != end; at += 8)
                sip_word(s, le64(at), rounds);
        /* The last word holds what is left, and the length in its highest octet. */
        word = (uint64_t)length << 56;
        for (size_t i = 0; i < length % 8; i++)
                word |= (uint64_t)at[i] << (8 * i);
        sip_word(s, word, rounds);
}

static inline uint64_t sip_squeeze(struct sip *s, uint64_t tweak, int rounds)
{
        s->v2 ^= tweak;
        sip_rounds(s, rounds);
        return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t pt_siphash24(const struct pt_hash_key *key, const void *bytes, size_t length)
{
        struct sip s = sip_begin(key);

        sip_absorb(&s, bytes, length, 2);
        return sip_squeeze(&s, 0xff, 4);
}

struct pt_hash128 pt_siphash24_128(const struct pt_hash_key *key, const void *bytes, size_t length)
{
        struct sip s = sip_begin(key);
        struct pt_hash128 hash = {{0}};

        s.v1 ^= 0xee;
        sip_absorb(&s, bytes, length, 2);
        le64_put(hash.octets, sip_squeeze(&s, 0xee, 4));
        s.v1 ^= 0xdd;
        le64_put(hash.octets + 8, sip_squeeze(&s, 0, 4));
        return hash;
}

int pt_heads_init(struct pt_heads *heads, size_t count)
{
        size_t rounded = 1;
        uint32_t *link;

        while (rounded < count) {
                if (rounded > PTRDIFF_MAX / sizeof *link / 2)
                        return -ENOMEM;
                rounded *= 2;
        }
        link = pt_pages_take(rounded, sizeof *link);
        if (!link)
                return -ENOMEM;
        *heads = (struct pt_heads){.link = link, .mask = rounded - 1};
        return 0;
}

void pt_heads_free(struct pt_heads *heads)
{
        pt_pages_give(heads->link, heads->mask + 1, sizeof *heads->link);
        *heads = (struct pt_heads){0};
}
