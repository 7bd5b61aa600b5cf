#include "base/pages.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

/* Small ones, one around the size from which on they are mapped, and large ones. */
Test(pages, memory_is_clear_whoever_had_it_before)
{
        static const size_t counts[] = {1, 100, 8191, 8192, 8193, 100000};

        for (unsigned round = 0; round < 2; round++) {
                for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
                        uint64_t *at = pt_pages_take(counts[i], 64);

                        cr_assert_not_null(at);
                        for (size_t w = 0; w < counts[i] * 8; w++)
                                cr_assert_eq(at[w], 0, "word %zu of %zu", w, counts[i] * 8);
                        memset(at, 0xff, counts[i] * 64);
                        pt_pages_give(at, counts[i], 64);
                }
        }
}

Test(pages, what_cannot_be_had_is_refused)
{
        cr_expect_null(pt_pages_take(SIZE_MAX / 2, 64));
        cr_expect_null(pt_pages_take(PTRDIFF_MAX / 64, 64));
        pt_pages_give(NULL, SIZE_MAX / 2, 64);
        pt_pages_give(NULL, 1, 64);
}
