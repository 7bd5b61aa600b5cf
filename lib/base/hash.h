/*
 * hash: keyed hashes, and heads of chained tables.
 *
 * Every table keyed by traffic uses a keyed hash, so that nobody outside can aim at one chain.
 * Tables compare what they find, so theirs need only be cheap and hard to aim at: products of
 * secret words. What stands for the thing itself is hashed by SipHash-2-4 (Aumasson, Bernstein
 * 2012).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct pt_hash_key {
        uint64_t k0;
        uint64_t k1;
};

struct pt_hash128 {
        uint8_t octets[16];
};

uint64_t pt_siphash24(const struct pt_hash_key *key, const void *bytes, size_t length);
struct pt_hash128 pt_siphash24_128(const struct pt_hash_key *key, const void *bytes, size_t length);

/*
 * A keyed hash of two words: the halves of a product that depends on both words and both keys,
 * folded. Who does not know the key cannot tell which words collide; it is no authenticator, and
 * nothing of it may leave the program. The constants (2^64 by the golden ratio, and a prime of
 * xxHash) keep keys of a few bits, as tests have them, from making products of a few bits.
 */
static inline uint64_t pt_hash_mix(const struct pt_hash_key *key, uint64_t a, uint64_t b)
{
        __extension__ typedef unsigned __int128 wide;
        wide product =
                (wide)(a ^ key->k0 ^ 0x9e3779b97f4a7c15) * (b ^ key->k1 ^ 0xc2b2ae3d27d4eb4f);

        return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/*
 * The same of octets, sixteen at a time, each product going into the next. All lengths of one table
 * are the same, or what is hashed says where it ends: then nothing differs by zeros alone.
 */
static inline uint64_t pt_hash_octets(const struct pt_hash_key *key, const void *octets,
                                      size_t length)
{
        const uint8_t *at = octets;
        uint64_t hash = 0, word[2];

        for (; length >= sizeof word; at += sizeof word, length -= sizeof word) {
                memcpy(word, at, sizeof word);
                hash = pt_hash_mix(key, word[0], word[1] ^ hash);
        }
        if (!length)
                return hash;
        word[0] = word[1] = 0;
        memcpy(word, at, length);
        return pt_hash_mix(key, word[0], word[1] ^ hash);
}

/* Heads of chains: links are numbers that the owner of the table understands, 0 is none. */
struct pt_heads {
        uint32_t *link;
        uint64_t mask; /* number of heads - 1, a power of two - 1 */
};

/* 0, or -ENOMEM. `count` is rounded up to a power of two. */
int pt_heads_init(struct pt_heads *heads, size_t count);
void pt_heads_free(struct pt_heads *heads);

static inline uint32_t *pt_heads_at(const struct pt_heads *heads, uint64_t hash)
{
        return heads->link + (hash & heads->mask);
}
