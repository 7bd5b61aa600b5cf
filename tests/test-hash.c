#include "base/hash.h"

#include "page.h"

#include <criterion/criterion.h>
#include <errno.h>

/* Key and message of all published vectors: octets 00 01 02 ... */
static const struct pt_hash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

static const uint8_t *message(size_t length)
{
        uint8_t bytes[64];

        for (size_t i = 0; i < sizeof bytes; i++)
                bytes[i] = (uint8_t)i;
        return page_place(bytes, length);
}

struct vector {
        size_t length;
        const char *hash; /* octets, least significant first where it is a number */
};

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

static void expect_number(uint64_t is, const struct vector *v)
{
        uint8_t expected[8];

        cr_assert_eq(hex_read(v->hash, expected, 8), 8);
        for (int i = 0; i < 8; i++)
                cr_expect_eq((uint8_t)(is >> 8 * i), expected[i], "length %zu, octet %d", v->length,
                             i);
}

/* vectors_sip64 of the authors' reference implementation (github.com/veorq/SipHash). */
static const struct vector sip24[] = {
        {0, "310e0edd47db6f72"},  {1, "fd67dc93c539f874"},  {2, "5a4fa9d909806c0d"},
        {3, "2d7efbd796666785"},  {4, "b7877127e09427cf"},  {5, "8da699cd64557618"},
        {6, "cee3fe586e46c9cb"},  {7, "37d1018bf50002ab"},  {8, "6224939a79f5f593"},
        {9, "b0e4a90bdf82009e"},  {10, "f3b9dd94c5bb5d7a"}, {11, "a7ad6b22462fb3f4"},
        {12, "fbe50e86bc8f1e75"}, {13, "903d84c02756ea14"}, {14, "eef27a8e90ca23f7"},
        {15, "e545be4961ca29a1"}, {16, "db9bc2577fcc2a3f"}, {17, "9447be2cf5e99a69"},
        {31, "42c341d8fa92d832"}, {32, "ce7cf2722f512771"}, {63, "724506eb4c328a95"},
};

Test(hash, siphash_2_4_gives_the_published_values)
{
        for (size_t i = 0; i < ROWS(sip24); i++) {
                const struct vector *v = &sip24[i];

                expect_number(pt_siphash24(&key, message(v->length), v->length), v);
        }
}

/* vectors_sip128 of the same. */
static const struct vector sip24_128[] = {
        {0, "a3817f04ba25a8e66df67214c7550293"},  {1, "da87c1d86b99af44347659119b22fc45"},
        {2, "8177228da4a45dc7fca38bdef60affe4"},  {3, "9c70b60c5267a94e5f33b6b02985ed51"},
        {4, "f88164c12d9c8faf7d0f6e7c7bcd5579"},  {5, "1368875980776f8854527a07690e9627"},
        {6, "14eeca338b208613485ea0308fd7a15e"},  {7, "a1f1ebbed8dbc153c0b84aa61ff08239"},
        {8, "3b62a9ba6258f5610f83e264f31497b4"},  {9, "264499060ad9baabc47f8b02bb6d71ed"},
        {10, "00110dc378146956c95447d3f3d0fbba"}, {11, "0151c568386b6677a2b4dc6f81e5dc18"},
        {12, "d626b266905ef35882634df68532c125"}, {13, "9869e247e9c08b10d029934fc4b952f7"},
        {14, "31fcefac66d7de9c7ec7485fe4494902"}, {15, "5493e99933b0a8117e08ec0f97cfc3d9"},
        {16, "6ee2a4ca67b054bbfd3315bf85230577"}, {17, "473d06e8738db89854c066c47ae47740"},
        {63, "5150d1772f50834a503e069a973fbd7c"},
};

Test(hash, the_128_bit_form_of_siphash_2_4_gives_the_published_values)
{
        for (size_t i = 0; i < ROWS(sip24_128); i++) {
                const struct vector *v = &sip24_128[i];
                struct pt_hash128 is = pt_siphash24_128(&key, message(v->length), v->length);
                uint8_t expected[16];

                cr_assert_eq(hex_read(v->hash, expected, 16), 16);
                cr_expect_arr_eq(is.octets, expected, 16, "length %zu", v->length);
        }
}

/* Calculated by hand of what the header says, with Python's whole numbers. */
static const struct vector products[] = {
        {0, "0000000000000000"},  {1, "5c83d1cd45ee6af3"},  {6, "0a9a9399b453872e"},
        {8, "ad226ae3d0d16379"},  {15, "b3d63c3215abada3"}, {16, "0885442a2e09d98d"},
        {17, "533236d41d92a84b"}, {31, "6e6cfaeb1e83a7f0"}, {32, "41117e60215d6c5b"},
        {48, "e3c2666a6e2d0f57"}, {63, "56c93ecf352b02f1"},
};

Test(hash, octets_are_hashed_by_products)
{
        for (size_t i = 0; i < ROWS(products); i++) {
                const struct vector *v = &products[i];

                expect_number(pt_hash_octets(&key, message(v->length), v->length), v);
        }
}

Test(hash, both_halves_of_the_key_matter)
{
        const struct pt_hash_key first = {key.k0 ^ 1, key.k1};
        const struct pt_hash_key second = {key.k0, key.k1 ^ 1};

        cr_assert_neq(pt_siphash24(&first, "portent", 7), pt_siphash24(&key, "portent", 7));
        cr_assert_neq(pt_siphash24(&second, "portent", 7), pt_siphash24(&key, "portent", 7));
        cr_assert_neq(pt_hash_octets(&first, "portent", 7), pt_hash_octets(&key, "portent", 7));
        cr_assert_neq(pt_hash_octets(&second, "portent", 7), pt_hash_octets(&key, "portent", 7));
}

/* How many of `count` addresses that differ by `step` fall onto the most crowded of as many heads.
 */
static unsigned most_crowded(const struct pt_hash_key *k, uint32_t step, unsigned shift)
{
        static uint8_t load[65536];
        unsigned most = 0;

        memset(load, 0, sizeof load);
        for (uint32_t i = 0; i < 65536; i++) {
                uint32_t number = i * step;
                uint8_t octets[16] = {[10] = 0xff, [11] = 0xff};
                uint8_t *at;

                for (unsigned b = 0; b < 4; b++)
                        octets[12 + b] = (uint8_t)(number >> (24 - 8 * b));
                at = &load[pt_hash_octets(k, octets, sizeof octets) >> shift & 0xffff];
                *at = (uint8_t)(*at + 1);
                most = *at > most ? *at : most;
        }
        return most;
}

/*
 * 65536 balls fall into as many boxes: that one box gets 13 or more has a chance of 65536 e^-1
 * (1/13!
 * + 1/14! + ...) = 4e-6 (Poisson).
 */
Test(hash, addresses_in_a_row_are_spread_by_both_halves)
{
        static const struct pt_hash_key keys[] = {
                {0, 0}, {1, 2}, {0x706f7274656e7400, 0x7265706c61790000}, {~0ull, ~0ull}};
        static const uint32_t steps[] = {1, 2, 3, 256, 257, 4096, 65537, 0x9e3779b1};

        for (size_t k = 0; k < ROWS(keys); k++)
                for (size_t s = 0; s < ROWS(steps); s++) {
                        cr_expect_lt(most_crowded(&keys[k], steps[s], 0), 13, "key %zu, step %zu",
                                     k, s);
                        cr_expect_lt(most_crowded(&keys[k], steps[s], 32), 13, "key %zu, step %zu",
                                     k, s);
                }
}

Test(hash, heads_are_a_power_of_two_and_begin_empty)
{
        static const struct {
                size_t asked;
                uint64_t mask;
        } rows[] = {{0, 0}, {1, 0}, {2, 1}, {3, 3}, {4, 3}, {5, 7}, {1000, 1023}, {1024, 1023}};

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_heads heads;

                cr_assert_eq(pt_heads_init(&heads, rows[i].asked), 0);
                cr_expect_eq(heads.mask, rows[i].mask, "%zu heads asked for", rows[i].asked);
                for (uint64_t h = 0; h <= heads.mask; h++)
                        cr_expect_eq(*pt_heads_at(&heads, h), 0);
                pt_heads_free(&heads);
        }
}

Test(hash, a_hash_finds_its_head_by_its_low_bits)
{
        struct pt_heads heads;

        cr_assert_eq(pt_heads_init(&heads, 8), 0);
        *pt_heads_at(&heads, 0xfffffffffffffff5) = 7;
        cr_assert_eq(heads.link[5], 7);
        cr_assert_eq(*pt_heads_at(&heads, 0xd), 7);
        pt_heads_free(&heads);
}

Test(hash, more_heads_than_memory_are_refused)
{
        struct pt_heads heads;

        cr_assert_eq(pt_heads_init(&heads, SIZE_MAX), -ENOMEM, "their octets cannot be counted");
        cr_assert_eq(pt_heads_init(&heads, SIZE_MAX / 8), -ENOMEM, "nor these");
}

Test(hash, heads_may_be_freed_twice)
{
        struct pt_heads heads;

        cr_assert_eq(pt_heads_init(&heads, 4), 0);
        pt_heads_free(&heads);
        pt_heads_free(&heads);
        cr_assert_null(heads.link);
}
