#include <criterion/criterion.h>
#include <stdlib.h>

#include "io/logs/window.h"

static void put(struct pt_window *window, int64_t time, uint64_t number)
{
        uint8_t octet = (uint8_t)number;
        struct pt_window_record record = {time, number, 1, &octet};

        cr_assert_eq(pt_window_put(window, &record), 0);
}

Test(window, records_come_out_in_the_order_of_time_then_of_lines)
{
        struct pt_window window = {0};
        struct pt_window_record taken;
        int64_t last = -1;
        uint64_t number = 0;

        for (uint64_t i = 1; i <= 5000; i++)
                put(&window, (int64_t)(i * 7919 % 1009), i);
        for (int i = 0; i < 5000; i++) {
                cr_assert(pt_window_take(&window, &taken));
                cr_assert(taken.time > last || (taken.time == last && taken.number > number));
                cr_assert_eq(taken.octets[0], (uint8_t)taken.number);
                last = taken.time;
                number = taken.number;
                free(taken.octets);
        }
        cr_expect(!pt_window_take(&window, &taken));
        cr_expect_eq(window.octets, 0);
        pt_window_clear(&window);
}

Test(window, it_is_full_by_octets_and_not_before)
{
        struct pt_window window = {.most = 1000};
        struct pt_window_record taken;

        cr_expect(!pt_window_full(&window));
        for (uint64_t i = 0; i < 1000 / 40; i++) /* a record takes more than it holds */
                put(&window, (int64_t)i, i);
        cr_expect(pt_window_full(&window));
        while (pt_window_full(&window)) {
                cr_assert(pt_window_take(&window, &taken));
                free(taken.octets);
        }
        cr_expect_gt(window.count, 0);
        pt_window_clear(&window);
        cr_expect_eq(window.count, 0);
}
