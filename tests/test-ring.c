#include "memory/ring.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const struct pt_hash_key key = {0x0123456789abcdef, 0xfedcba9876543210};
static struct pt_ring ring;

static void make(void)
{
        cr_assert_eq(pt_ring_init(&ring, 8, &key), 0);
}

static void end(void)
{
        pt_ring_deinit(&ring);
        pt_ring_deinit(&ring);
}

TestSuite(ring, .init = make, .fini = end);

static void add(uint64_t name, int64_t time)
{
        pt_ring_add(&ring, name)->time = time;
}

static int64_t found(uint64_t name)
{
        const struct pt_ring_entry *e = pt_ring_find(&ring, name);

        return e ? e->time : -1;
}

Test(ring, what_was_written_is_found_until_so_many_came_after_it)
{
        for (uint64_t name = 1; name <= 8; name++)
                add(name, (int64_t)name * 10);
        for (uint64_t name = 1; name <= 8; name++)
                cr_expect_eq(found(name), (int64_t)name * 10);
        cr_expect_eq(found(9), -1);
        cr_expect_eq(pt_ring_oldest(&ring)->key, 1);
        add(9, 90);
        cr_expect_eq(found(1), -1);
        cr_expect_eq(found(2), 20);
        cr_expect_eq(found(9), 90);
        cr_expect_eq(pt_ring_oldest(&ring)->key, 2);
}

Test(ring, nothing_gives_way_while_there_is_room)
{
        cr_expect_null(pt_ring_oldest(&ring));
        for (uint64_t name = 1; name <= 7; name++)
                add(name, 1);
        cr_expect_null(pt_ring_oldest(&ring));
        add(8, 1);
        cr_expect_not_null(pt_ring_oldest(&ring));
}

Test(ring, the_youngest_of_a_key_is_found)
{
        add(1, 10);
        add(2, 20);
        add(1, 30);
        cr_expect_eq(found(1), 30);
        for (uint64_t name = 3; name <= 9; name++)
                add(name, 0);
        cr_expect_eq(found(1), 30, "the older one gave way");
        add(10, 0);
        cr_expect_eq(found(1), -1);
}

Test(ring, a_key_of_zero_is_one_like_any_other)
{
        cr_expect_eq(found(0), -1);
        add(0, 5);
        cr_expect_eq(found(0), 5);
}

/* Chains of many turns, beside a plain list of the last eight; and numbers that come round. */
Test(ring, it_answers_as_a_plain_list_does)
{
        uint64_t last[8] = {0};
        int64_t times[8];

        ring.number = UINT32_MAX - 1000;
        srand(1);
        for (int i = 0; i < 8; i++) {
                times[i] = -1;
                last[i] = UINT64_MAX;
        }
        for (int i = 0; i < 200000; i++) {
                uint64_t name = (uint64_t)rand() % 20;
                int64_t wanted = -1;

                for (int back = 1; back <= 8 && wanted < 0; back++)
                        if (last[(i + 8 - back) % 8] == name)
                                wanted = times[(i + 8 - back) % 8];
                cr_assert_eq(found(name), wanted, "step %d", i);
                name = (uint64_t)rand() % 20;
                add(name, i);
                last[i % 8] = name;
                times[i % 8] = i;
        }
}
