#include "memory/sight.h"

#include "make.h"

#include <criterion/criterion.h>

static struct pt_sight sight;

static void answers(const char *client, unsigned count)
{
        struct pt_address address = make_address(client);

        while (count--)
                pt_sight_answer(&sight, &address);
}

/* Host `number` of 10/8. */
static struct pt_address host(unsigned number)
{
        return pt_address_from_ipv4(0x0a000000u + number);
}

Test(sight, who_owns_nearly_all_answers)
{
        cr_expect_eq(pt_sight_owners(&sight, 90), 0, "there are none");
        answers("10.0.0.1", 50);
        cr_expect_eq(pt_sight_owners(&sight, 90), 1);
        answers("10.0.0.2", 45);
        answers("10.0.0.3", 5);
        cr_expect_eq(pt_sight_owners(&sight, 90), 2, "95 of 100");
        cr_expect_eq(pt_sight_owners(&sight, 50), 1);
        cr_expect_eq(pt_sight_owners(&sight, 100), 3);
        cr_expect_eq(sight.answers, 100);
        pt_sight_begin(&sight);
        cr_expect_eq(sight.answers, 0);
        cr_expect_eq(pt_sight_owners(&sight, 90), 0);
}

/* 19 of 20 for one, the rest for a thousand others, in any order. */
Test(sight, the_owner_is_found_among_a_thousand_others)
{
        struct pt_address owner = host(1);

        for (unsigned i = 0; i < 20000; i++) {
                struct pt_address other = host(2 + i / 20);

                pt_sight_answer(&sight, i % 20 ? &owner : &other);
        }
        cr_expect_eq(pt_sight_owners(&sight, 90), 1);
}

Test(sight, where_many_own_answers_nobody_does)
{
        for (unsigned i = 0; i < 20000; i++) {
                struct pt_address client = host(i % 100);

                pt_sight_answer(&sight, &client);
        }
        cr_expect_eq(pt_sight_owners(&sight, 50), 0);
}

/* Linear counting with 4096 bits: a few per cent wrong at most for these (Whang, table 2). */
Test(sight, hosts_that_send_syns_are_counted_each_once)
{
        static const unsigned counts[] = {0, 1, 2, 20, 250, 2000, 8000};

        for (size_t i = 0; i < ROWS(counts); i++) {
                unsigned least = counts[i] - counts[i] / 20, most = counts[i] + counts[i] / 20;

                pt_sight_begin(&sight);
                for (unsigned k = 0; k < 3 * counts[i]; k++) {
                        struct pt_address client = host(k % (counts[i] ? counts[i] : 1));

                        pt_sight_syn(&sight, &client, k % 3 == 0);
                }
                cr_expect(pt_sight_senders(&sight) >= least && pt_sight_senders(&sight) <= most,
                          "%u: %u", counts[i], pt_sight_senders(&sight));
                cr_expect_eq(sight.syns, 3 * counts[i]);
                cr_expect_eq(sight.given, counts[i]);
        }
}

Test(sight, a_full_counter_says_as_many_as_it_can)
{
        memset(sight.senders, 0xff, sizeof sight.senders);
        cr_expect_gt(pt_sight_senders(&sight), 30000); /* 4096 ln 4096 = 34070 */
}

/* Eight that came first have all the places: they give way to one that has most in the end. */
Test(sight, an_owner_that_comes_late_is_found)
{
        struct pt_address owner = host(9);

        for (unsigned i = 0; i < 80; i++) {
                struct pt_address early = host(i % 8);

                pt_sight_answer(&sight, &early);
        }
        for (unsigned i = 0; i < 5000; i++)
                pt_sight_answer(&sight, &owner);
        cr_expect_eq(pt_sight_owners(&sight, 90), 1);
}
