#include "judge/campaign.h"

#include "base/clock.h"
#include "make.h"

#include <criterion/criterion.h>
#include <math.h>

/* Design 4.9. The window is 600 s. A chance of 1e-4 needs two independent matches for 1e-6. */

static struct pt_campaign *campaign;
static struct pt_counters counters;

static void make_campaign(void)
{
        static const struct pt_hash_key key = {1, 2};

        cr_assert_eq(pt_campaign_new(2, 600 * PT_SECOND, &key, &counters, &campaign), 0);
}

static void free_campaign(void)
{
        cr_expect_null(pt_campaign_free(campaign));
        cr_expect_null(pt_campaign_free(NULL));
}

TestSuite(campaign, .init = make_campaign, .fini = free_campaign);

static const char *client = "10.0.0.1";
static enum pt_verdict verdict = PT_DNS_CONFIRMED;
static struct pt_rotation rotation; /* the last */

/* The level that was announced, 0 for none. */
static unsigned add(double seconds, const char *destination, uint16_t port, double chance)
{
        struct pt_syn syn = {
                .time = (int64_t)(seconds * 1e9) + 1000000 * PT_SECOND,
                .client = make_address(client),
                .destination = make_address(destination),
                .key = make_address(destination),
                .destination_port = port,
        };
        struct pt_match match = {.verdict = verdict, .chance = chance};

        return pt_campaign_add(campaign, &syn, &match, &(struct pt_source){.address = syn.key},
                               &rotation)
                       ? rotation.count
                       : 0;
}

struct step {
        double time;
        const char *destination;
        uint16_t port;
        double chance;
        unsigned expected;
        const char *why;
};

static void expect(const struct step *steps, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                unsigned is =
                        add(steps[i].time, steps[i].destination, steps[i].port, steps[i].chance);

                cr_expect_eq(is, steps[i].expected, "%zu: %u, but %s", i, is, steps[i].why);
        }
}

Test(campaign, two_networks_and_two_ports_are_a_rotation) /* 4.9 */
{
        static const struct step steps[] = {
                {0, "198.51.100.1", 10001, 1e-4, 0, "one is none"},
                {1, "198.51.101.1", 10002, 1e-4, 2, "two are"},
                {2, "198.51.101.1", 10002, 1e-4, 0, "nothing new"},
        };

        expect(steps, ROWS(steps));
        cr_expect_eq(rotation.match_count, 2);
        cr_expect(fabs(rotation.chance - 1e-8) < 1e-14);
}

Test(campaign, the_smaller_of_networks_and_ports_counts) /* 4.9 */
{
        static const struct step steps[] = {
                {0, "198.51.100.1", 10001, 1e-4, 0, "one"},
                {1, "198.51.100.2", 10002, 1e-4, 0, "two ports of one /24"},
                {2, "198.51.100.255", 10003, 1e-4, 0, "three ports of one /24"},
                {3, "198.51.99.1", 10002, 1e-4, 2, "a second /24: two networks, three ports"},
        };
        static const struct step other[] = {
                {1000, "198.51.100.1", 10001, 1e-4, 0, "one"},
                {1001, "198.51.101.1", 10001, 1e-4, 0, "two networks on one port"},
                {1002, "198.51.102.1", 10001, 1e-4, 0, "three networks on one port"},
                {1003, "198.51.102.1", 10002, 1e-4, 2, "a second port"},
        };

        expect(steps, ROWS(steps));
        expect(other, ROWS(other));
}

Test(campaign, an_ipv6_network_has_48_bits) /* 4.9 */
{
        static const struct step steps[] = {
                {0, "2001:db8:1::1", 10001, 1e-4, 0, "one"},
                {1, "2001:db8:1:ffff::1", 10002, 1e-4, 0, "the same /48"},
                {2, "2001:db8:2::1", 10003, 1e-4, 2, "another /48"},
        };

        expect(steps, ROWS(steps));
}

Test(campaign, levels_are_powers_of_two_each_told_once) /* 4.9 */
{
        for (unsigned i = 1; i <= 40; i++) {
                char destination[32];
                bool level = i == 2 || i == 4 || i == 8 || i == 16 || i == 32;

                snprintf(destination, sizeof destination, "198.51.%u.1", i);
                cr_expect_eq(add(i, destination, (uint16_t)(10000 + i), 1e-4), level ? i : 0,
                             "match %u", i);
        }
}

/* Joint chance late: the level that is reached then is told, not those below it. */
Test(campaign, a_joint_chance_above_one_in_a_million_is_no_rotation) /* 4.9 */
{
        static const struct step steps[] = {
                {0, "198.51.100.1", 10001, 1e-2, 0, "1e-2"},
                {1, "198.51.101.1", 10002, 1e-2, 0, "1e-4"},
                {2, "198.51.102.1", 10003, 1.1e-2, 0, "1.1e-6, still above"},
                {3, "198.51.103.1", 10004, 1e-1, 4, "1.1e-7: four, and two was never told"},
        };

        expect(steps, ROWS(steps));
}

/* 1/1024 each, exactly: the square is 9.5e-7. And 2^-10 times 2^-9 is above 1e-6. */
Test(campaign, the_chance_is_a_product_of_those_that_are_independent) /* 4.9 */
{
        static const struct step steps[] = {
                {0, "198.51.100.1", 10001, 1.0 / 1024, 0, "first"},
                {1, "198.51.100.2", 10001, 1.0 / 1024, 0, "the same /24 and port: not independent"},
                {2, "198.51.100.3", 10002, 1.0 / 1024, 0, "the same /24"},
                {3, "198.51.101.1", 10001, 1.0 / 1024, 0,
                 "two networks, two ports; but only the first is independent: 1/1024"},
                {4, "198.51.101.2", 10002, 1.0 / 1024, 2,
                 "brings a /24 and a port that the first has not: 1/1048576"},
        };

        expect(steps, ROWS(steps));
        cr_expect(fabs(rotation.chance - 1.0 / 1048576) < 1e-16);
        cr_expect_eq(rotation.match_count, 5);
}

Test(campaign, a_repeat_refreshes_and_keeps_the_lowest_chance) /* 4.9 */
{
        static const struct step steps[] = {
                {0, "198.51.100.1", 10001, 1e-2, 0, "first"},
                {500, "198.51.100.1", 10001, 1e-4, 0, "again, less likely luck"},
                {550, "198.51.100.1", 10001, 1e-1, 0, "again, likelier: the lowest stays"},
                {1100, "198.51.101.1", 10002, 1e-3, 2,
                 "1e-7, and the first is not older than 600 s"},
        };

        expect(steps, ROWS(steps));
        cr_expect_eq(rotation.match_count, 2);
        cr_expect(fabs(rotation.chance - 1e-7) < 1e-13);
}

Test(campaign, what_is_older_than_the_window_does_not_count) /* 4.9 */
{
        static const struct step steps[] = {
                {0, "198.51.100.1", 10001, 1e-4, 0, "one"},
                {600.000001, "198.51.101.1", 10002, 1e-4, 0, "the first is older than 600 s"},
                {1200.000001, "198.51.102.1", 10003, 1e-4, 2, "the second is exactly 600 s old"},
        };

        expect(steps, ROWS(steps));
}

Test(campaign, the_level_begins_again_when_nothing_is_left_from_before) /* 4.9 */
{
        static const struct step steps[] = {
                {0, "198.51.100.1", 10001, 1e-4, 0, "one"},
                {1, "198.51.101.1", 10002, 1e-4, 2, "two"},
                {602, "198.51.102.1", 10003, 1e-4, 0, "nothing is left: one"},
                {603, "198.51.103.1", 10004, 1e-4, 2, "two again"},
                {1000, "198.51.104.1", 10005, 1e-4, 0, "three"},
                {1300, "198.51.105.1", 10006, 1e-4, 0,
                 "602 and 603 are gone, 1000 is left: two,"
                 " and the level stays"},
        };

        expect(steps, ROWS(steps));
}

Test(campaign, clients_are_counted_each_for_itself) /* 4.9 */
{
        cr_expect_eq(add(0, "198.51.100.1", 10001, 1e-4), 0);
        client = "10.0.0.2";
        cr_expect_eq(add(1, "198.51.101.1", 10002, 1e-4), 0);
        cr_expect_eq(add(2, "198.51.102.1", 10003, 1e-4), 2);
}

Test(campaign, the_verdict_is_the_best_of_theirs) /* 4.9 */
{
        verdict = PT_DNS_OTHER_CLIENT;
        add(0, "198.51.100.1", 10001, 1e-4);
        verdict = PT_DNS_OTHER_ADDRESS;
        cr_expect_eq(add(1, "198.51.101.1", 10002, 1e-4), 2);
        cr_expect_eq(rotation.verdict, PT_DNS_OTHER_ADDRESS);
        add(2, "198.51.102.1", 10003, 1e-4);
        verdict = PT_DNS_CONFIRMED;
        add(3, "198.51.100.1", 10001, 1e-4); /* the first again, better */
        verdict = PT_DNS_OTHER_CLIENT;
        cr_expect_eq(add(4, "198.51.103.1", 10004, 1e-4), 4);
        cr_expect_eq(rotation.verdict, PT_DNS_CONFIRMED);
}

Test(campaign, matches_stand_in_the_order_of_their_first_appearance)
{
        add(0, "198.51.100.1", 10001, 1e-4);
        add(5, "198.51.100.2", 10001, 1e-4);
        add(6, "198.51.100.1", 10001, 1e-4);
        cr_expect_eq(add(7, "198.51.101.1", 10002, 1e-4), 2);
        cr_assert_eq(rotation.match_count, 3);
        cr_expect_eq(pt_address_low32(&rotation.matches[0].destination), 0xc6336401);
        cr_expect_eq(pt_address_low32(&rotation.matches[1].destination), 0xc6336402);
        cr_expect_eq(pt_address_low32(&rotation.matches[2].destination), 0xc6336501);
        cr_expect_eq(rotation.matches[0].last - rotation.matches[0].first, 6 * PT_SECOND);
}

/* 64 are kept; the oldest goes. The level of 64 is the last that can be reached. */
Test(campaign, however_many_there_are_the_64_last_are_kept)
{
        unsigned last = 0;

        for (unsigned i = 0; i < 1000; i++) {
                char destination[32];
                unsigned level;

                snprintf(destination, sizeof destination, "198.%u.%u.1", i / 256, i % 256);
                level = add(i * 0.1, destination, (uint16_t)(10000 + i), 1e-4);
                last = level ? level : last;
                cr_assert_leq(rotation.match_count, 64);
        }
        cr_expect_eq(last, 64);
}

Test(campaign, a_client_that_gives_way_with_matches_that_count_is_counted)
{
        add(0, "198.51.100.1", 10001, 1e-4);
        client = "10.0.0.2";
        add(1, "198.51.100.1", 10001, 1e-4);
        cr_expect_eq(counters.value[PT_COUNT_ROTATION_EVICTED], 0);
        client = "10.0.0.3"; /* there is room for two */
        add(2, "198.51.100.1", 10001, 1e-4);
        cr_expect_eq(counters.value[PT_COUNT_ROTATION_EVICTED], 1);
        client = "10.0.0.4"; /* 10.0.0.2 gives way: its match is too old to count */
        add(700, "198.51.100.1", 10001, 1e-4);
        cr_expect_eq(counters.value[PT_COUNT_ROTATION_EVICTED], 1);
        client = "10.0.0.1"; /* and what it had is gone */
        cr_expect_eq(add(701, "198.51.101.1", 10002, 1e-4), 0);
}

/* The last of its list to come may be the first to have been seen. */
Test(campaign, a_match_that_was_repeated_lately_counts_when_its_client_gives_way)
{
        add(0, "198.51.100.1", 10001, 1e-4);
        add(100, "198.51.101.1", 10001, 1e-4);
        add(550, "198.51.100.1", 10001, 1e-4); /* not the last of the list, but the latest */
        client = "10.0.0.2";
        add(551, "198.51.100.1", 10001, 1e-4);
        client = "10.0.0.3";
        add(710, "198.51.100.1", 10001, 1e-4); /* 10.0.0.1 gives way */
        cr_expect_eq(counters.value[PT_COUNT_ROTATION_EVICTED], 1);
}
