#include "memory/history.h"
#include "memory/tries.h"

#include "make.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"

/*
 * Design 5. Without a ports.json every port is alike, so the prior of a port among the 45045 that
 * apt12 admits is 10000 / 45045 = 0.222 observations of 10000.
 */
#define MINUTES INT64_C(60000000000)
#define DAY (24 * PT_HOUR)
#define BASE (1.0 / 45045)

static struct pt_rules *rules;
static struct pt_history *history;
static struct pt_counters counters;
static struct pt_hash_key key;

static void begin_with(uint32_t room)
{
        static const char *const texts[] = {APT12, SWAP16};

        rules = make_rules(texts, 2);
        memset(&counters, 0, sizeof counters);
        if (pt_history_new(&(struct pt_history_room){room, room, room}, 10 * MINUTES, rules, &key,
                           &counters, &history) < 0)
                abort();
}

static void begin(void)
{
        begin_with(4096);
}

static void end(void)
{
        history = pt_history_free(history);
        rules = pt_rules_free(rules);
}

TestSuite(history, .init = begin, .fini = end);

static struct pt_address numbered(uint32_t ipv4)
{
        char text[32];

        snprintf(text, sizeof text, "%u.%u.%u.%u", ipv4 >> 24, ipv4 >> 16 & 255, ipv4 >> 8 & 255,
                 ipv4 & 255);
        return make_address(text);
}

static void add(int64_t time, uint32_t client, uint32_t destination, uint16_t port)
{
        pt_history_add(history, &(struct pt_try){
                                        .client = numbered(client),
                                        .destination = numbered(destination),
                                        .port = port,
                                        .sets = pt_history_set(history, rules->list[0]) |
                                                pt_history_set(history, rules->list[1]),
                                        .given = true,
                                        .outbound = true,
                                        .time = time,
                                });
}

static double share(uint32_t client, uint16_t port)
{
        struct pt_address address = numbered(client);

        return pt_history_share(history, rules->list[0], &address, port);
}

static unsigned tries(uint32_t client, int64_t time)
{
        struct pt_address address = numbered(client);

        return pt_history_tries(history, rules->list[0], &address, time);
}

static bool near(double a, double b)
{
        return fabs(a - b) <= b * 1e-6;
}

#define CLIENT 0x0a000001u
#define NETWORK(n) (0xcb000000u + (uint32_t)(n)*256)

Test(history, before_anything_was_seen_it_is_the_prior)
{
        cr_expect(near(share(CLIENT, 5222), BASE), "%g", share(CLIENT, 5222));
        cr_expect_eq(tries(CLIENT, 0), 1, "the one that asks");
}

/* Twenty clients, a network each: 20 seen, 2 left out as what one client may bring. */
Test(history, networks_count_each_once)
{
        for (uint32_t i = 0; i < 20; i++) {
                add(0, CLIENT + 1 + i, NETWORK(i), 5222);
                add(0, CLIENT + 1 + i, NETWORK(i) + 7, 5222); /* the same /24 */
        }
        cr_expect(near(share(CLIENT, 5222), (10000.0 / 45045 + 18) / 10020), "%g",
                  share(CLIENT, 5222));
        cr_expect(near(share(CLIENT, 5223), BASE), "no less than one port of all");
}

/* An outbreak: three thousand clients, one destination. It does not hide itself. */
Test(history, one_network_is_one_however_many_clients_go_there)
{
        for (uint32_t i = 0; i < 3000; i++)
                add(0, CLIENT + 1 + i, NETWORK(1), 10198);
        cr_expect(near(share(CLIENT, 10198), BASE), "%g", share(CLIENT, 10198));
}

/* Whatever one client does, another's match stays what it was. */
Test(history, one_client_moves_no_port_for_another)
{
        for (uint32_t i = 0; i < 3000; i++)
                add((int64_t)i * 30 * MINUTES, CLIENT + 1, NETWORK(i), 10198);
        cr_expect(near(share(CLIENT, 10198), BASE), "%g", share(CLIENT, 10198));
}

/* Nor by pushing its own part out of the table first: it brings no more than 256 in all. */
Test(history, one_client_cannot_make_its_part_forgotten)
{
        end();
        begin_with(512);
        for (uint32_t round = 0; round < 20; round++) {
                add(0, CLIENT + 1, NETWORK(round * 1000), 10198);
                for (uint32_t i = 0; i < 999; i++)
                        add(0, CLIENT + 1, NETWORK(round * 1000 + 1 + i), (uint16_t)(20000 + i));
        }
        cr_expect(near(share(CLIENT, 10198), BASE), "%g", share(CLIENT, 10198));
}

/* The client that is judged does not speak for itself. Eleven networks, two of them its own. */
Test(history, the_judged_clients_own_part_is_left_out)
{
        add(0, CLIENT, NETWORK(100), 5222);
        add(0, CLIENT, NETWORK(101), 5222);
        for (uint32_t i = 0; i < 9; i++)
                add(0, CLIENT + 1 + i, NETWORK(i), 5222);
        cr_expect(near(share(CLIENT, 5222), (10000.0 / 45045 + 7) / 10011), "9 - 2: %g",
                  share(CLIENT, 5222));
        cr_expect(near(share(CLIENT + 100, 5222), (10000.0 / 45045 + 9) / 10011), "11 - 2: %g",
                  share(CLIENT + 100, 5222));
}

/* Several hosts together can: five clients bring ten, of which eight count. */
Test(history, several_clients_together_make_a_port_usual)
{
        for (uint32_t i = 0; i < 10; i++)
                add(0, CLIENT + 1 + i / 2, NETWORK(i), 10198);
        cr_expect(near(share(CLIENT, 10198), (10000.0 / 45045 + 8) / 10010), "%g",
                  share(CLIENT, 10198));
}

Test(history, counts_fade_by_half_a_day)
{
        for (uint32_t i = 0; i < 42; i++)
                add(0, CLIENT + 1 + i, NETWORK(i), 5222);
        add(DAY, CLIENT + 90, NETWORK(900), 33333);
        /* 42 are 21, less 2 are 19; together with the new one they are 22. */
        cr_expect(near(share(CLIENT, 5222), (10000.0 / 45045 + 19) / 10022), "%g",
                  share(CLIENT, 5222));
}

Test(history, a_network_counts_again_the_next_day)
{
        for (uint32_t day = 0; day < 2; day++)
                for (uint32_t i = 0; i < 10; i++)
                        add(day * DAY, CLIENT + 1 + i, NETWORK(i), 5222);
        /* 10 fade to 5, and 10 more are 15. */
        cr_expect(near(share(CLIENT, 5222), (10000.0 / 45045 + 13) / 10015), "%g",
                  share(CLIENT, 5222));
}

Test(history, what_stays_inside_is_no_history)
{
        for (uint32_t i = 0; i < 20; i++)
                pt_history_add(history, &(struct pt_try){
                                                .client = numbered(CLIENT + 1 + i),
                                                .destination = numbered(NETWORK(i)),
                                                .port = 5222,
                                                .sets = 1,
                                        });
        cr_expect(near(share(CLIENT, 5222), BASE));
}

/* ---- tries ---- */

Test(history, tries_are_distinct_pairs_within_the_window)
{
        add(0, CLIENT, NETWORK(1), 5222);
        add(1, CLIENT, NETWORK(1), 5222);
        cr_expect_eq(tries(CLIENT, 1), 1, "the same pair twice");
        add(2, CLIENT, NETWORK(1), 5223);
        add(3, CLIENT, NETWORK(2), 5222);
        cr_expect_eq(tries(CLIENT, 3), 3);
        add(3, CLIENT + 1, NETWORK(7), 5222);
        cr_expect_eq(tries(CLIENT, 3), 3, "another client's are its own");
        add(6 * MINUTES, CLIENT, NETWORK(3), 5222);
        cr_expect_eq(tries(CLIENT, 6 * MINUTES), 4);
        cr_expect_eq(tries(CLIENT, 12 * MINUTES), 1, "the first three are older than 10 minutes");
        cr_expect_eq(tries(CLIENT, 30 * MINUTES), 1, "never none: a match is a try");
}

/* Ages are kept modulo 256 sixteenths of the window: 160 minutes. */
Test(history, old_tries_do_not_come_back)
{
        for (uint32_t i = 0; i < 40; i++)
                add(0, CLIENT, NETWORK(i), 5222);
        add(160 * MINUTES, CLIENT, NETWORK(100), 5222);
        cr_expect_eq(tries(CLIENT, 160 * MINUTES), 1, "%u", tries(CLIENT, 160 * MINUTES));
        for (int64_t minute = 161; minute < 400; minute++)
                add(minute * MINUTES, CLIENT, NETWORK(100), 5222);
        cr_expect_eq(tries(CLIENT, 400 * MINUTES), 1);
}

/* Within three standard errors of a linear counter of 512 cells (Whang 1990, theorem 3). */
Test(history, many_tries_are_counted_within_the_counters_error)
{
        static const struct {
                unsigned tries;
                double error; /* of one: sqrt(512 * (e^t - t - 1)) / n, t = n / 512 */
        } rows[] = {{16, 0.032}, {64, 0.032}, {200, 0.034}, {500, 0.038}, {800, 0.042}};

        for (size_t i = 0; i < ROWS(rows); i++) {
                unsigned is;

                for (uint32_t j = 0; j < rows[i].tries; j++)
                        add(0, CLIENT + (uint32_t)i, NETWORK(j % 7), (uint16_t)(4096 + j * 31));
                is = tries(CLIENT + (uint32_t)i, 0);
                cr_expect(fabs((double)is / rows[i].tries - 1) < 3 * rows[i].error, "%u of %u", is,
                          rows[i].tries);
        }
        for (uint32_t j = 0; j < 45045; j++)
                add(0, CLIENT + 50, NETWORK(1), (uint16_t)(4096 + j));
        cr_expect_eq(tries(CLIENT + 50, 0), PT_TRIES_MOST, "a whole scan");
}

/* A pair on a port that only an address rule admits is no try of a port rule. */
Test(history, tries_are_told_apart_by_what_the_rules_admit)
{
        struct pt_address client = numbered(CLIENT);

        pt_history_add(history, &(struct pt_try){
                                        .client = client,
                                        .destination = numbered(NETWORK(1)),
                                        .port = 80,
                                        .sets = pt_history_set(history, rules->list[1]),
                                });
        add(0, CLIENT, NETWORK(2), 5222);
        cr_expect_eq(pt_history_tries(history, rules->list[0], &client, 0), 1);
        cr_expect_eq(pt_history_tries(history, rules->list[1], &client, 0), 2);
}

/* 24 tries within an hour: 24 * ln 2 / (1 - 2^(-1/24)) = 584.3 a day by what was seen so far. */
Test(history, tries_a_day_are_extrapolated)
{
        for (uint32_t i = 0; i < 24; i++)
                add(0, CLIENT + i, NETWORK(i), 5222);
        cr_expect(fabs(pt_history_per_day(history, rules->list[0], true) - 584.3) < 0.1, "%g",
                  pt_history_per_day(history, rules->list[0], true));
        cr_expect(pt_history_per_day(history, rules->list[0], false) <= 0);
}

/* 100 clients in room for 64 within a minute: 36 gave way, and of each a network and a part. */
Test(history, what_gives_way_early_is_counted)
{
        end();
        begin_with(64);
        for (uint32_t i = 0; i < 100; i++)
                add(i, CLIENT + i, NETWORK(i), 5222);
        cr_expect_eq(counters.value[PT_COUNT_HISTORY_EVICTED], 3 * 36);
}

/* Other rules: ports stay known, under the limits of the new ones. */
Test(history, other_rules_keep_what_was_seen_of_ports)
{
        static const char *const texts[] = {
                RULE("nine", "\"port\": \"o1\", \"limits\": {\"ports\": [\"5220-5229\"]}")};
        struct pt_rules *before = rules;

        for (uint32_t i = 0; i < 20; i++)
                add(0, CLIENT + 1 + i, NETWORK(i), 5222);
        rules = make_rules(texts, 1);
        pt_history_adopt(history, rules);
        pt_rules_free(before);
        cr_expect(near(share(CLIENT, 5222), (1000.0 + 18) / 10020), "%g", share(CLIENT, 5222));
        cr_expect_eq(tries(CLIENT + 1, 0), 1);
}
