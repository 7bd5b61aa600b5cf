#include "memory/pool.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CELLS 100

static struct pt_pool pool;

static void make_pool(void)
{
        cr_assert_eq(pt_pool_init(&pool, CELLS * PT_CELL), 0);
}

static void free_pool(void)
{
        pt_pool_deinit(&pool);
}

TestSuite(pool, .init = make_pool, .fini = free_pool);

/* Link 0 means none, so its cell is never given out: 100 cells of memory are 99 to give. */
Test(pool, there_are_as_many_cells_as_fit_but_for_the_first)
{
        bool seen[CELLS] = {false};

        cr_expect_eq(pool.count, CELLS - 1);
        for (int i = 0; i < CELLS - 1; i++) {
                uint32_t link = pt_pool_take(&pool);

                cr_assert(link > 0 && link < CELLS, "link %u", link);
                cr_assert(!seen[link], "link %u was given out twice", link);
                seen[link] = true;
        }
        cr_expect_eq(pt_pool_take(&pool), 0);
        cr_expect_eq(pt_pool_take(&pool), 0);
        cr_expect_eq(pool.used, CELLS - 1);
        cr_expect_eq(pt_pool_free(&pool), 0);
}

Test(pool, a_cell_is_a_cache_line_and_cleared_whoever_had_it_before)
{
        static const uint8_t clear[PT_CELL];
        uint32_t link = pt_pool_take(&pool);

        cr_expect_eq((uintptr_t)pt_pool_at(&pool, link) % 64, 0);
        cr_expect_arr_eq(pt_pool_at(&pool, link), clear, PT_CELL);
        memset(pt_pool_at(&pool, link), 0xff, PT_CELL);
        pt_pool_give(&pool, link);
        cr_expect_eq(pt_pool_take(&pool), link); /* it is still in the cache */
        cr_expect_arr_eq(pt_pool_at(&pool, link), clear, PT_CELL);
}

Test(pool, what_is_given_back_can_be_taken_again)
{
        while (pt_pool_take(&pool))
                ;
        pt_pool_give(&pool, 7);
        pt_pool_give(&pool, 3);
        cr_expect_eq(pt_pool_free(&pool), 2);
        cr_expect_eq(pt_pool_take(&pool) + pt_pool_take(&pool), 10);
        cr_expect_eq(pt_pool_take(&pool), 0);
}

/* A plain list of who holds what, beside the pool. */
Test(pool, no_order_of_taking_and_giving_loses_a_cell)
{
        uint32_t held[CELLS];
        size_t count = 0;

        srand(1);
        for (int i = 0; i < 100000; i++) {
                if (rand() % 2) {
                        uint32_t link = pt_pool_take(&pool);

                        cr_assert_eq(link != 0, count < CELLS - 1);
                        if (!link)
                                continue;
                        memset(pt_pool_at(&pool, link), (int)link, PT_CELL);
                        held[count++] = link;
                } else if (count) {
                        size_t which = (size_t)rand() % count;
                        const uint8_t *cell = pt_pool_at(&pool, held[which]);

                        for (int octet = 0; octet < PT_CELL; octet++)
                                cr_assert_eq(cell[octet], held[which]);
                        pt_pool_give(&pool, held[which]);
                        held[which] = held[--count];
                }
                cr_assert_eq(pool.used, count);
        }
}

Test(pool, the_least_pool_has_one_cell_whatever_was_asked_for)
{
        struct pt_pool least;

        cr_assert_eq(pt_pool_init(&least, 0), 0);
        cr_expect_eq(least.count, 1);
        cr_expect_eq(pt_pool_take(&least), 1);
        cr_expect_eq(pt_pool_take(&least), 0);
        pt_pool_deinit(&least);
}

Test(pool, taking_it_down_twice_is_harmless)
{
        struct pt_pool nothing = {0};

        pt_pool_deinit(&nothing);
        pt_pool_deinit(&nothing);
        cr_expect_null(nothing.cells);
}
