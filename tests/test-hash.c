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

/* test_siphash_1_3 of the Rust standard library (library/coretests/tests/hash/sip.rs). */
static const struct vector sip13[] = {
        {0, "dcc40f055801acab"},  {1, "93ca577df39bf4c9"},  {2, "4dd4c74d029bcb82"},
        {3, "fbf7dde7b80af88b"},  {4, "2883d388605775cf"},  {5, "673b53492fd5f9de"},
        {6, "a7229fc5502b0dc5"},  {7, "4011b19b987d92d3"},  {8, "8e9a298d11959036"},
        {9, "e43d066cb38ea425"},  {10, "7f09ff92ee85de79"}, {11, "52c34df9c118c170"},
        {12, "a2d9b457b184a378"}, {13, "a7ff29120c766f30"}, {14, "345df9c011a15a60"},
        {15, "5699512a6dd820d3"}, {16, "668b907d1add4fcc"}, {17, "0cd8db639068f29c"},
        {31, "bcd1218c1fdd7023"}, {32, "0db6a7166c7b1581"}, {63, "a8b3bbb76290199d"},
};

Test(hash, siphash_1_3_gives_the_published_values)
{
        for (size_t i = 0; i < ROWS(sip13); i++) {
                const struct vector *v = &sip13[i];

                expect_number(pt_siphash13(&key, message(v->length), v->length), v);
        }
}

Test(hash, both_halves_of_the_key_matter)
{
        const struct pt_hash_key first = {key.k0 ^ 1, key.k1};
        const struct pt_hash_key second = {key.k0, key.k1 ^ 1};
        uint64_t hash = pt_siphash13(&key, "portent", 7);

        cr_assert_neq(pt_siphash13(&first, "portent", 7), hash);
        cr_assert_neq(pt_siphash13(&second, "portent", 7), hash);
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
