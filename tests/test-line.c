#include "engine/line.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Design 4.1: SYNs leave in the order of their time, those of one time in that of their coming. */

static struct pt_line *line;

static void make_line(void)
{
        cr_assert_eq(pt_line_new(&line), 0);
}

static void free_line(void)
{
        line = pt_line_free(line);
        cr_expect_null(line);
}

TestSuite(line, .init = make_line, .fini = free_line);

static void put(int64_t time, uint64_t number)
{
        struct pt_syn syn = {.time = time, .number = number};

        pt_line_put(line, &syn);
}

/* The number of the SYN that leaves, 0 if there is none. */
static uint64_t take(void)
{
        const struct pt_syn *syn = pt_line_take(line);

        return syn ? syn->number : 0;
}

Test(line, an_empty_line_has_nothing_to_give)
{
        cr_expect_null(pt_line_peek(line, 0));
        cr_expect_null(pt_line_take(line));
        cr_expect_not(pt_line_full(line));
}

Test(line, syns_leave_in_the_order_of_their_time) /* 4.1 */
{
        put(30, 1);
        put(10, 2);
        put(20, 3);
        put(5, 4);
        put(40, 5);
        cr_expect_eq(take(), 4);
        cr_expect_eq(take(), 2);
        cr_expect_eq(take(), 3);
        cr_expect_eq(take(), 1);
        cr_expect_eq(take(), 5);
        cr_expect_eq(take(), 0);
}

Test(line, syns_of_one_time_leave_in_the_order_in_which_they_came) /* 4.1, 4.13 */
{
        put(10, 1);
        put(20, 2);
        put(10, 3);
        put(20, 4);
        put(10, 5);
        cr_expect_eq(take(), 1);
        cr_expect_eq(take(), 3);
        cr_expect_eq(take(), 5);
        cr_expect_eq(take(), 2);
        cr_expect_eq(take(), 4);
}

Test(line, those_in_front_can_be_looked_at)
{
        put(20, 1);
        put(10, 2);
        cr_expect_eq(pt_line_peek(line, 0)->number, 2);
        cr_expect_eq(pt_line_peek(line, 1)->number, 1);
        cr_expect_null(pt_line_peek(line, 2));
        cr_expect_null(pt_line_peek(line, UINT32_MAX));
        cr_expect_eq(take(), 2);
        cr_expect_eq(pt_line_peek(line, 0)->number, 1);
}

Test(line, all_of_a_syn_comes_out_again)
{
        struct pt_syn syn;

        memset(&syn, 0x5a, sizeof syn);
        syn.time = 1;
        syn.ipv6 = syn.quic = syn.has_mac = syn.has_destination_mac = true;
        pt_line_put(line, &syn);
        cr_expect_eq(memcmp(pt_line_take(line), &syn, sizeof syn), 0);
}

Test(line, there_are_8192_places) /* 4.1 */
{
        for (int i = 0; i < 8192; i++) {
                cr_assert_not(pt_line_full(line), "full after %d", i);
                put(i, (uint64_t)i + 1);
        }
        cr_expect(pt_line_full(line));
        cr_expect_eq(take(), 1);
        cr_expect_not(pt_line_full(line));
}

Test(line, a_syn_that_was_taken_can_be_read_until_the_next_is_put_in)
{
        const struct pt_syn *syn;

        put(1, 1);
        put(2, 2);
        syn = pt_line_take(line);
        (void)pt_line_peek(line, 0);
        cr_expect_eq(syn->number, 1);
}

/* ---- against a plain list, searched from its beginning ---- */

static struct {
        int64_t time;
        uint64_t number;
} list[PT_LINE_PLACES];
static size_t listed;

static void list_put(int64_t time, uint64_t number)
{
        list[listed].time = time;
        list[listed++].number = number;
}

static uint64_t list_take(void)
{
        uint64_t number;
        size_t first = 0;

        if (!listed)
                return 0;
        for (size_t i = 1; i < listed; i++)
                if (list[i].time < list[first].time)
                        first = i;
        number = list[first].number;
        memmove(list + first, list + first + 1, (--listed - first) * sizeof *list);
        return number;
}

/* So many that the order wanders through its room several times. */
static void compare(unsigned most, int64_t jitter, int operations)
{
        uint64_t number = 0;

        listed = 0;
        for (int i = 0; i < operations; i++) {
                if (listed < most && rand() % 5 < 3) {
                        int64_t time = i + (jitter ? rand() % jitter : 0);

                        put(time, ++number);
                        list_put(time, number);
                } else {
                        cr_assert_eq(take(), list_take());
                }
        }
        while (listed)
                cr_assert_eq(take(), list_take());
        cr_assert_eq(take(), 0);
}

Test(line, no_order_of_times_makes_it_differ_from_a_plain_list)
{
        srand(3);
        compare(1, 0, 40000);
        compare(7, 3, 100000);
        compare(300, 1000, 100000);
        compare(PT_LINE_PLACES, 100000, 60000);
}

/* Every SYN before all the others: the worst for a list kept in order. */
Test(line, a_full_line_of_falling_times_comes_out_rising)
{
        for (int round = 0; round < 5; round++) {
                for (int i = 0; i < PT_LINE_PLACES; i++)
                        put(PT_LINE_PLACES - i, (uint64_t)i + 1);
                cr_assert(pt_line_full(line));
                for (int i = PT_LINE_PLACES; i > 0; i--)
                        cr_assert_eq(take(), (uint64_t)i);
        }
}
