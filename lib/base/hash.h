/*
 * hash: SipHash (Aumasson, Bernstein 2012), and heads of chained tables.
 *
 * Every table keyed by traffic uses a keyed hash, so that nobody outside can aim at one chain.
 * Tables take SipHash-1-3, identifiers the 128-bit form of SipHash-2-4.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct pt_hash_key {
        uint64_t k0;
        uint64_t k1;
};

struct pt_hash128 {
        uint8_t octets[16];
};

uint64_t pt_siphash13(const struct pt_hash_key *key, const void *bytes, size_t length);
uint64_t pt_siphash24(const struct pt_hash_key *key, const void *bytes, size_t length);
struct pt_hash128 pt_siphash24_128(const struct pt_hash_key *key, const void *bytes, size_t length);

/*
 * A keyed hash of two words, where SipHash would cost more than all the rest: the halves of a
 * product that depends on both words and both keys, folded. Who does not know the key cannot tell
 * which words collide; it is no authenticator, and nothing of it may leave the program.
 */
static inline uint64_t pt_hash_mix(const struct pt_hash_key *key, uint64_t a, uint64_t b)
{
        __extension__ typedef unsigned __int128 wide;
        wide product = (wide)(a ^ key->k0) * (b ^ key->k1);

        return (uint64_t)product ^ (uint64_t)(product >> 64);
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
