#include "io/since.h"

#include <criterion/criterion.h>

#define SECOND INT64_C(1000000000)

Test(since, what_began_now_began_now)
{
        struct pt_since since = pt_since_now();

        cr_expect_eq(pt_since_wall(since), since.wall);
        cr_expect_eq(pt_since_wall(since), since.wall, "and says the same again");
        cr_expect_geq(pt_since_elapsed(since), 0);
        cr_expect_lt(pt_since_elapsed(since), 60 * SECOND);
        cr_expect_eq(pt_since_wall((struct pt_since){0}), 0);
}

/* Ten minutes ago, by a clock that was an hour ahead then, or behind, and has been set since. */
Test(since, a_clock_that_was_set_changes_no_duration)
{
        static const int64_t set[] = {3600 * SECOND, -3600 * SECOND};

        for (size_t i = 0; i < 2; i++) {
                struct pt_since now = pt_since_now(), since = now;
                int64_t wall;

                since.steady -= 600 * SECOND;
                since.wall += set[i] - 600 * SECOND;
                cr_expect_geq(pt_since_elapsed(since), 600 * SECOND);
                cr_expect_lt(pt_since_elapsed(since), 660 * SECOND);
                wall = pt_since_wall(since);
                cr_expect_geq(wall, now.wall - 601 * SECOND);
                cr_expect_lt(wall, now.wall - 540 * SECOND);
        }
}
