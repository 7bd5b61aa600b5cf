#include "judge/hold.h"

#include "base/clock.h"
#include "make.h"

#include <criterion/criterion.h>

/* Design 4.10. Times are seconds; the hold begins with 300 s, the default of `throttle`. */

#define DAY 86400
#define CAPACITY 4

static struct pt_hold *hold;
static struct pt_rule rules[2] = {{.id = (char *)"first", .place = 0},
                                  {.id = (char *)"second", .place = 1}};

static void make_hold(void)
{
        static const struct pt_hash_key key = {1, 2};

        cr_assert_eq(pt_hold_new(CAPACITY, 300 * PT_SECOND, &key, &hold), 0);
}

static void free_hold(void)
{
        cr_expect_null(pt_hold_free(hold));
        cr_expect_null(pt_hold_free(NULL));
}

TestSuite(hold, .init = make_hold, .fini = free_hold);

static struct pt_syn syn_at(int64_t seconds)
{
        return (struct pt_syn){
                .time = (1000 * DAY + seconds) * PT_SECOND,
                .wall = seconds * PT_SECOND,
                .client = make_address("10.0.0.1"),
                .destination = make_address("198.51.100.23"),
                .key = make_address("198.51.100.23"),
                .destination_port = 10198,
        };
}

static struct pt_match match_of(int severity)
{
        return (struct pt_match){.rule = &rules[0], .severity = severity};
}

#define HELD (-1)

/* How many were suppressed before it, or HELD. */
static int pass(int64_t seconds, int severity)
{
        struct pt_syn syn = syn_at(seconds);
        struct pt_match match = match_of(severity);
        uint64_t suppressed = 1000000;

        return pt_hold_pass(hold, &syn, &match, &suppressed) ? (int)suppressed : HELD;
}

static bool forget(int64_t seconds, enum pt_forget which, struct pt_held *ret)
{
        return pt_hold_forget(hold, (1000 * DAY + seconds) * PT_SECOND, which, ret);
}

struct step {
        int64_t time;
        int severity;
        int expected; /* suppressed before it, or HELD */
        const char *why;
};

static void expect(const struct step *steps, size_t count)
{
        for (size_t i = 0; i < count; i++)
                cr_expect_eq(pass(steps[i].time, steps[i].severity), steps[i].expected, "%zu: %s",
                             i, steps[i].why);
}

Test(hold, repeats_are_held_back_and_counted_and_the_next_after_the_hold_tells_how_many) /* 4.10 */
{
        static const struct step steps[] = {
                {0, 73, 0, "the first alerts"},
                {1, 73, HELD, "within 300 s"},
                {100, 73, HELD, "holding does not begin anew"},
                {299, 73, HELD, "until just before the end"},
                {300, 73, 3, "the hold is over"},
        };

        expect(steps, ROWS(steps));
}

Test(hold, a_hold_that_held_nothing_tells_no_count) /* 4.10 */
{
        static const struct step steps[] = {
                {0, 73, 0, "the first"},
                {300, 73, 0, "nothing was held back: no suppressed_count"},
        };

        expect(steps, ROWS(steps));
}

/* 300, 600, 1200, ..., 76800, and then 86400 instead of 153600. */
Test(hold, the_hold_doubles_with_each_alert_up_to_a_day) /* 4.10 */
{
        static const int64_t lengths[] = {300,   600,   1200,  2400, 4800, 9600,
                                          19200, 38400, 76800, DAY,  DAY,  DAY};
        int64_t time = 0;

        cr_expect_eq(pass(0, 73), 0);
        for (size_t i = 0; i < ROWS(lengths); i++) {
                cr_expect_eq(pass(time + lengths[i] - 1, 73), HELD, "hold %zu", i);
                time += lengths[i];
                cr_expect_eq(pass(time, 73), 1, "hold %zu is %lld s", i, (long long)lengths[i]);
        }
}

Test(hold, a_higher_severity_passes_at_once_and_restarts_the_hold_at_its_length) /* 4.10 */
{
        static const struct step steps[] = {
                {0, 21, 0, "the first"},
                {10, 21, HELD, "no higher"},
                {20, 47, 1, "higher: it passes, with what was held back"},
                {30, 47, HELD, "no higher than the last alert"},
                {40, 21, HELD, "lower"},
                {50, 73, 2, "higher again"},
                {349, 73, HELD, "300 s from 50: not doubled"},
                {350, 21, 1, "over: whatever its severity"},
                {360, 47, 0, "higher than the last alert, though not than one before it"},
                {959, 47, HELD, "restarted at 360 with 600 s"},
                {960, 47, 1, "over"},
        };

        expect(steps, ROWS(steps));
}

Test(hold, client_rule_destination_and_port_are_held_each_for_itself) /* 4.10 */
{
        struct pt_syn syn = syn_at(0);
        struct pt_match match = match_of(73);
        uint64_t suppressed;

        cr_expect(pt_hold_pass(hold, &syn, &match, &suppressed));
        match.rule = &rules[1];
        cr_expect(pt_hold_pass(hold, &syn, &match, &suppressed), "another rule");
        match.rule = &rules[0];
        syn.destination_port++;
        cr_expect(pt_hold_pass(hold, &syn, &match, &suppressed), "another port");
        syn.destination_port--;
        syn.destination = make_address("198.51.100.24");
        cr_expect(pt_hold_pass(hold, &syn, &match, &suppressed), "another destination");
        syn = syn_at(1);
        cr_expect_not(pt_hold_pass(hold, &syn, &match, &suppressed));
        free_hold();
        make_hold();
        cr_expect(pt_hold_pass(hold, &syn, &match, &suppressed));
        syn.client = make_address("10.0.0.2");
        cr_expect(pt_hold_pass(hold, &syn, &match, &suppressed), "another client");
        syn = syn_at(2);
        syn.client_port = 4444;
        syn.sequence = 5;
        cr_expect_not(pt_hold_pass(hold, &syn, &match, &suppressed),
                      "ports of its own don't count");
}

/* How many were suppressed before this match at an address of 198.51.100.0/24, or HELD. */
static int pass_at(int64_t seconds, const char *address, enum pt_verdict verdict)
{
        struct pt_syn syn = syn_at(seconds);
        struct pt_match match = match_of(verdict == PT_PORT_ONLY ? 21 : 73);
        uint64_t suppressed;

        syn.destination = syn.key = make_address(address);
        match.verdict = verdict;
        return pt_hold_pass(hold, &syn, &match, &suppressed) ? (int)suppressed : HELD;
}

Test(hold, without_dns_evidence_a_sweep_of_a_network_is_one_finding) /* 4.10 */
{
        struct pt_held held;

        cr_expect_eq(pass_at(0, "198.51.100.1", PT_PORT_ONLY), 0);
        for (int i = 1; i < 100; i++)
                cr_expect_eq(pass_at(i, i % 2 ? "198.51.100.2" : "198.51.100.77", PT_PORT_ONLY),
                             HELD);
        cr_expect_eq(pass_at(100, "198.51.101.1", PT_PORT_ONLY), 0, "another network");
        cr_expect_eq(pass_at(300, "198.51.100.200", PT_PORT_ONLY), 99, "the hold is over");
        cr_expect_eq(pass_at(301, "198.51.100.2", PT_PORT_ONLY), HELD);
        cr_expect(forget(302, PT_FORGET_ALL, &held));
        cr_expect(forget(302, PT_FORGET_ALL, &held));
        cr_expect_eq(held.pending, 1);
        cr_expect(pt_address_equal(&held.destination, &(struct pt_address){.octets = {[10] = 0xff,
                                                                                      [11] = 0xff,
                                                                                      [12] = 198,
                                                                                      [13] = 51,
                                                                                      [14] = 100,
                                                                                      [15] = 1}}),
                  "the first address stands for all");
}

Test(hold, a_match_with_dns_evidence_does_not_wait_behind_a_sweep) /* 4.10 */
{
        cr_expect_eq(pass_at(0, "198.51.100.1", PT_PORT_ONLY), 0);
        cr_expect_eq(pass_at(1, "198.51.100.2", PT_PORT_ONLY), HELD);
        cr_expect_eq(pass_at(2, "198.51.100.2", PT_DNS_CONFIRMED), 0, "evidence of its own");
        cr_expect_eq(pass_at(3, "198.51.100.2", PT_DNS_CONFIRMED), HELD);
        cr_expect_eq(pass_at(4, "198.51.100.2", PT_PORT_ONLY), HELD, "held for itself now");
        cr_expect_eq(pass_at(5, "198.51.100.1", PT_DNS_CONFIRMED), 1, "tells of the sweep");
        cr_expect_eq(pass_at(302, "198.51.100.2", PT_PORT_ONLY), 2, "its own hold is over");
}

Test(hold, a_day_of_silence_and_it_is_forgotten_with_its_pending_count) /* 4.10 */
{
        struct pt_held held;

        pass(0, 73);
        pass(10, 73);
        pass(20, 73);
        cr_expect_not(forget(20 + DAY, PT_FORGET_SILENT, &held), "a day, and not more");
        cr_assert(forget(21 + DAY, PT_FORGET_SILENT, &held));
        cr_expect_eq(held.pending, 2);
        cr_expect_eq(held.destination_port, 10198);
        cr_expect_eq(held.severity, 73);
        cr_expect_eq(held.first_wall, 10 * PT_SECOND);
        cr_expect_eq(held.last_wall, 20 * PT_SECOND);
        cr_expect_not(forget(21 + DAY, PT_FORGET_SILENT, &held));
        cr_expect_eq(pass(22 + DAY, 73), 0, "as if it had never been");
        cr_expect_eq(pass(22 + DAY + 300, 73), 0, "with the first length again");
}

Test(hold, silence_counts_from_the_last_match_held_back_or_not) /* 4.10 */
{
        struct pt_held held;

        pass(0, 73);
        pass(DAY, 73); /* alerts: the hold was 300 s */
        pass(DAY + 100, 73);
        cr_expect_not(forget(2 * DAY, PT_FORGET_SILENT, &held));
        cr_expect_not(forget(2 * DAY + 100, PT_FORGET_SILENT, &held));
        cr_expect(forget(2 * DAY + 101, PT_FORGET_SILENT, &held));
}

static void pass_port(int64_t seconds, uint16_t port)
{
        struct pt_syn syn = syn_at(seconds);
        struct pt_match match = match_of(73);
        uint64_t suppressed;

        syn.destination_port = port;
        pt_hold_pass(hold, &syn, &match, &suppressed);
}

Test(hold, at_the_end_of_the_run_all_leave_the_one_matched_longest_ago_first) /* 4.10 */
{
        struct pt_held held;

        pass_port(0, 1);
        pass_port(1, 2);
        pass_port(2, 3);
        pass_port(3, 1); /* held back, and the youngest now */
        cr_assert(forget(4, PT_FORGET_ALL, &held));
        cr_expect_eq(held.destination_port, 2);
        cr_assert(forget(4, PT_FORGET_ALL, &held));
        cr_expect_eq(held.destination_port, 3);
        cr_assert(forget(4, PT_FORGET_ALL, &held));
        cr_expect_eq(held.destination_port, 1);
        cr_expect_eq(held.pending, 1);
        cr_expect_not(forget(4, PT_FORGET_ALL, &held));
}

Test(hold, a_full_table_says_so_for_what_it_does_not_hold_yet)
{
        struct pt_syn syn = syn_at(10);
        struct pt_match match = match_of(73);
        struct pt_held held;

        for (uint16_t port = 1; port <= CAPACITY; port++) {
                syn.destination_port = port;
                cr_expect_not(pt_hold_full(hold, &syn, &match));
                pass_port(port, port);
        }
        cr_expect_not(pt_hold_full(hold, &syn, &match), "that one is held already");
        syn.destination_port = 99;
        cr_expect(pt_hold_full(hold, &syn, &match));
        cr_expect(forget(10, PT_FORGET_ROOM, &held));
        cr_expect_eq(held.destination_port, 1);
        cr_expect_not(pt_hold_full(hold, &syn, &match));
}

Test(hold, it_is_known_when_there_is_something_to_forget)
{
        struct pt_held held;

        cr_expect_eq(pt_hold_due(hold), INT64_MAX);
        pass(0, 73);
        cr_expect_eq(pt_hold_due(hold), 1001 * DAY * PT_SECOND);
        pass(50, 73);
        cr_expect_eq(pt_hold_due(hold), (1001 * DAY + 50) * PT_SECOND);
        forget(60, PT_FORGET_ALL, &held);
        cr_expect_eq(pt_hold_due(hold), INT64_MAX);
}
