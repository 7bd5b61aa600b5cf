#include "bed.h"

#include <criterion/criterion.h>

/* What is told of a SYN: design 4.3, 4.6, 4.9 and 4.10, by packets. The arithmetic stands beside.
 */

#define CLIENT "10.0.0.1"
#define A "198.51.100.23"  /* apt12: 198 * 51 + 100 = 10198 */
#define C "52.231.114.183" /* apt12: 52 * 231 + 114 = 12126 */
#define D "51.145.123.29"  /* apt12: 51 * 145 + 123 = 7518 */
#define E "207.46.130.100" /* apt12: 207 * 46 + 130 = 9652 */
#define B "203.0.113.9"

static struct bed bed;

static void begin(void)
{
        bed_init(&bed);
        bed_begin(&bed);
}

static void end(void)
{
        bed_end(&bed);
}

TestSuite(tell, .init = begin, .fini = end);

static void again(void (*change)(struct pt_settings *))
{
        end();
        bed_init(&bed);
        change(&bed.settings);
        bed_begin(&bed);
}

/* ---- verdicts (4.3), as alerts ---- */

Test(tell, the_four_verdicts_are_four_alerts) /* 4.3 */
{
        bed_ask(&bed, 0, CLIENT, "a.example", A);
        bed_ask(&bed, 0, CLIENT, "c2.example", B);
        bed_syn(&bed, 1, "10.0.0.9", D, 7518);
        bed_syn(&bed, 2, "10.0.0.2", A, 10198);
        bed_syn(&bed, 3, CLIENT, B, 10198);
        bed_syn(&bed, 4, CLIENT, A, 10198);
        cr_expect_str_eq(bed_finish(&bed),
                         "alert apt12 port_only 21 10.0.0.9>51.145.123.29:7518\n"
                         "alert apt12 dns_other_client 47 10.0.0.2>198.51.100.23:10198 from "
                         "198.51.100.23 a.example asked\n"
                         "alert apt12 dns_other_address 73 10.0.0.1>203.0.113.9:10198 from "
                         "198.51.100.23 a.example asked\n"
                         "campaign name 2 dns_other_address 73 10.0.0.1,10.0.0.2 names=a.example\n"
                         "alert apt12 dns_confirmed 73 10.0.0.1>198.51.100.23:10198 from "
                         "198.51.100.23 a.example asked\n"
                         /* two ports of rules, but one port: no rotation */);
}

Test(tell, a_scan_from_outside_is_nobodys_alert) /* 4.4 */
{
        bed_ask(&bed, 0, CLIENT, "a.example", A);
        bed_syn(&bed, 1, "192.0.2.77", A, 10198);
        bed_syn(&bed, 1, "192.0.2.77", D, 7518);
        cr_expect_str_eq(bed_finish(&bed), "");
}

Test(tell, a_syn_is_one_alert_and_what_else_fits_stands_in_it) /* 4.6 */
{
        static const char *const rules[] = {
                APT12,
                RULE("z", "\"port\": \"o1 * o2 + o3\""),
                RULE("m", "\"port\": \"10198\""),
                RULE("none", "\"port\": \"10199\""),
                RULE("b", "\"port\": \"o1 * o2 + o3\", \"limits\": {\"ports\": [\"10000-11000\"]}"),
        };

        end();
        bed_init(&bed);
        bed.rules = make_rules(rules, ROWS(rules));
        bed_begin(&bed);
        bed_ask(&bed, 0, CLIENT, "a.example", A);
        bed_syn(&bed, 1, CLIENT, A, 10198);
        /* All are 73 and dns_confirmed: the rule of most ports is least likely luck; m before z. */
        cr_expect_str_eq(bed_finish(&bed), "alert m dns_confirmed 73 10.0.0.1>198.51.100.23:10198 "
                                           "from 198.51.100.23 a.example asked also=apt12,b,z\n");
        cr_expect_eq(bed_count(&bed, PT_COUNT_MATCH_OTHER), 1);
}

Test(tell, the_chance_is_the_base_rate) /* design 5 */
{
        bed_ask(&bed, 0, CLIENT, "a.example", A);
        bed_syn(&bed, 1, CLIENT, A, 10198);
        bed_finish(&bed);
        cr_expect(bed.match.chance > 2.22e-5 - 1e-8 && bed.match.chance < 2.22e-5 + 1e-8);
}

Test(tell, an_alert_carries_the_packets_own_time_and_number) /* 4.12 */
{
        bed_ask(&bed, 0, CLIENT, "a.example", A);
        bed_syn(&bed, 1.25, CLIENT, A, 10198);
        bed_finish(&bed);
        cr_expect_eq(bed.syn.wall, bed_time(1.25));
        cr_expect_eq(bed.syn.number, 3);
}

/* ---- rotation (4.9) ---- */

#define ALERT_A "alert apt12 dns_confirmed 73 10.0.0.1>198.51.100.23:10198 from 198.51.100.23 "
#define ALERT_C "alert apt12 dns_confirmed 73 10.0.0.1>52.231.114.183:12126 from 52.231.114.183 "

Test(tell, matches_on_two_networks_and_ports_are_one_more_alert) /* 4.9 */
{
        bed_ask(&bed, 0, CLIENT, "a.example", A);
        bed_ask(&bed, 0, CLIENT, "c.example", C);
        bed_syn(&bed, 1, CLIENT, A, 10198);
        bed_syn(&bed, 2, CLIENT, C, 12126);
        cr_expect_str_eq(bed_finish(&bed), ALERT_A
                         "a.example asked\n" ALERT_C "c.example asked\n"
                         "rotation 2 dns_confirmed 10.0.0.1 matches=2 names=a.example,c.example\n");
        /* The second match is the client's second try: 1 / 45045 * 2 / 45045 = 9.857e-10. */
        cr_expect(bed.joint > 9.85e-10 && bed.joint < 9.86e-10);
        cr_expect_eq(bed_count(&bed, PT_COUNT_ALERT_GENERATED), 3);
}

Test(tell, fast_flux_under_one_name_is_a_rotation_too) /* 4.9 */
{
        bed_ask(&bed, 0, CLIENT, "flux.example", A " " C);
        bed_syn(&bed, 1, CLIENT, A, 10198);
        bed_syn(&bed, 2, CLIENT, C, 12126);
        cr_expect_str_eq(bed_finish(&bed), ALERT_A
                         "flux.example asked\n" ALERT_C "flux.example asked\n"
                         "rotation 2 dns_confirmed 10.0.0.1 matches=2 names=flux.example\n");
}

Test(tell, four_are_the_next_level) /* 4.9 */
{
        bed_ask(&bed, 0, CLIENT, "a.example", A " " C " " D " " E);
        bed_syn(&bed, 1, CLIENT, A, 10198);
        bed_syn(&bed, 2, CLIENT, C, 12126);
        bed_pass(&bed, 3);
        bed_told(&bed);
        bed_syn(&bed, 4, CLIENT, D, 7518);
        bed_pass(&bed, 5);
        cr_expect_null(strstr(bed_told(&bed), "rotation"));
        bed_syn(&bed, 6, CLIENT, E, 9652);
        cr_expect_not_null(strstr(bed_finish(&bed), "rotation 4 dns_confirmed 10.0.0.1 matches=4"));
}

Test(tell, matches_without_dns_evidence_are_no_rotation) /* 4.9 */
{
        bed_syn(&bed, 1, CLIENT, A, 10198);
        bed_syn(&bed, 2, CLIENT, C, 12126);
        bed_syn(&bed, 3, CLIENT, D, 7518);
        cr_expect_str_eq(bed_finish(&bed),
                         "alert apt12 port_only 21 10.0.0.1>198.51.100.23:10198\n"
                         "alert apt12 port_only 21 10.0.0.1>52.231.114.183:12126\n"
                         "alert apt12 port_only 21 10.0.0.1>51.145.123.29:7518\n");
}

/* A is alerted and told with C. Later A is held back (within 600 s of its alert), and counts. */
Test(tell, a_match_that_is_held_back_counts_for_the_rotation) /* 4.9 */
{
        bed_ask(&bed, 0, CLIENT, "a.example", A "/3600");
        bed_ask(&bed, 0, CLIENT, "c.example", C "/3600");
        bed_syn(&bed, 1, CLIENT, A, 10198);
        bed_syn(&bed, 302, CLIENT, A, 10198); /* alerts; the hold is 600 s now: until 902 */
        bed_syn(&bed, 700, CLIENT, A, 10198); /* held back */
        bed_pass(&bed, 701);
        bed_told(&bed);
        bed_syn(&bed, 1000, CLIENT, C, 12126); /* 302 is too old, 700 is not */
        bed_pass(&bed, 1001);
        cr_expect_str_eq(bed_told(&bed), ALERT_C
                         "c.example asked\n"
                         "rotation 2 dns_confirmed 10.0.0.1 matches=2 names=a.example,c.example\n");
}

/* ---- hold (4.10) ---- */

#define SHORT_A "alert apt12 port_only 21 10.0.0.1>198.51.100.23:10198"

Test(tell, repeats_are_held_back_then_told_as_a_number) /* 4.10 */
{
        bed_syn(&bed, 0, CLIENT, A, 10198);
        bed_syn(&bed, 100, CLIENT, A, 10198);
        bed_syn(&bed, 200, CLIENT, A, 10198);
        bed_syn(&bed, 300, CLIENT, A, 10198);
        cr_expect_str_eq(bed_finish(&bed), SHORT_A "\n" SHORT_A " suppressed=2\n");
        cr_expect_eq(bed_count(&bed, PT_COUNT_ALERT_SUPPRESSED), 2);
}

Test(tell, a_higher_severity_passes_at_once) /* 4.10 */
{
        bed_syn(&bed, 0, CLIENT, A, 10198);
        bed_syn(&bed, 1, CLIENT, A, 10198);
        bed_answer(&bed, 2, CLIENT, "a.example", A);
        bed_syn(&bed, 3, CLIENT, A, 10198);
        cr_expect_str_eq(bed_finish(&bed), SHORT_A "\n" ALERT_A "a.example suppressed=1\n");
}

Test(tell, what_is_pending_leaves_when_the_run_ends) /* 4.10 */
{
        bed_syn(&bed, 0, CLIENT, A, 10198);
        bed_syn(&bed, 1, CLIENT, A, 10198);
        bed_syn(&bed, 2, CLIENT, D, 7518);
        bed_syn(&bed, 3, CLIENT, D, 7518);
        bed_syn(&bed, 4, CLIENT, A, 10198);
        bed_syn(&bed, 5, CLIENT, C, 12126); /* nothing pending: nothing to tell */
        cr_expect_str_eq(bed_finish(&bed),
                         SHORT_A "\n"
                                 "alert apt12 port_only 21 10.0.0.1>51.145.123.29:7518\n"
                                 "alert apt12 port_only 21 10.0.0.1>52.231.114.183:12126\n"
                                 /* the one matched longest ago first */
                                 "repeats apt12 10.0.0.1>51.145.123.29:7518 pending=1\n"
                                 "repeats apt12 10.0.0.1>198.51.100.23:10198 pending=2\n");
        cr_expect_eq(bed_count(&bed, PT_COUNT_ALERT_REPEATS), 2);
}

Test(tell, what_is_pending_leaves_when_it_is_forgotten) /* 4.10 */
{
        bed_syn(&bed, 0, CLIENT, A, 10198);
        bed_syn(&bed, 10, CLIENT, A, 10198);
        for (int hour = 1; hour <= 24; hour++)
                bed_pass(&bed, 3600 * hour);
        bed_pass(&bed, 86410);
        cr_expect_str_eq(bed_told(&bed), SHORT_A "\n");
        bed_pass(&bed, 86410.000000001);
        cr_expect_str_eq(bed_told(&bed), "repeats apt12 10.0.0.1>198.51.100.23:10198 pending=1\n");
        bed_syn(&bed, 86411, CLIENT, A, 10198);
        cr_expect_str_eq(bed_finish(&bed), SHORT_A "\n");
}

/* What is forgotten leaves before the SYN of the packet at hand, and after those in the line. */
Test(tell, the_line_moves_before_holds_are_forgotten) /* 4.10 */
{
        bed_syn(&bed, 0, CLIENT, A, 10198);
        bed_syn(&bed, 10, CLIENT, A, 10198);
        for (int hour = 1; hour < 24; hour++)
                bed_pass(&bed, 3600 * hour);
        bed_syn(&bed, 86409.99, CLIENT, A, 10198); /* long after the hold: passes */
        bed_pass(&bed, 86420);
        cr_expect_str_eq(bed_told(&bed), SHORT_A "\n" SHORT_A " suppressed=1\n");
}

Test(tell, what_is_pending_leaves_when_it_is_evicted) /* 4.10 */
{
        bed_syn(&bed, 0, CLIENT, A, 10198);
        bed_syn(&bed, 0, CLIENT, A, 10198);
        bed_pass(&bed, 1);
        cr_expect_str_eq(bed_told(&bed), SHORT_A "\n");
        for (unsigned i = 0; i < 10000 && !bed_count(&bed, PT_COUNT_HOLD_EVICTED); i++) {
                char client[32];

                snprintf(client, sizeof client, "10.1.%u.%u", i / 250, i % 250);
                bed_told(&bed);
                bed_syn(&bed, 2 + i * 0.01, client, A, 10198);
                bed_pass(&bed, 2 + i * 0.01 + 0.0500001);
        }
        cr_expect_eq(bed_count(&bed, PT_COUNT_HOLD_EVICTED), 1);
        cr_expect_not_null(
                strstr(bed_told(&bed), "repeats apt12 10.0.0.1>198.51.100.23:10198 pending=1\n"));
}

static void throttle_minute(struct pt_settings *settings)
{
        settings->throttle = 60 * PT_SECOND;
}

Test(tell, the_first_hold_is_what_throttle_says) /* 4.10 */
{
        again(throttle_minute);
        bed_syn(&bed, 0, CLIENT, A, 10198);
        bed_syn(&bed, 59, CLIENT, A, 10198);
        bed_syn(&bed, 60, CLIENT, A, 10198);
        cr_expect_str_eq(bed_finish(&bed), SHORT_A "\n" SHORT_A " suppressed=1\n");
}

/* ---- what is told only when asked for ---- */

static void near_misses(struct pt_settings *settings)
{
        settings->near_misses = true;
}

Test(tell, near_misses_are_counted_always_and_told_when_asked_for) /* design 5 */
{
        bed_syn(&bed, 0, CLIENT, "80.101.0.1", 8080); /* 80 * 101, an excluded port */
        cr_expect_str_eq(bed_finish(&bed), "");
        cr_expect_eq(bed_count(&bed, PT_COUNT_NEAR_EXCLUDED_PORT), 1);
        again(near_misses);
        bed_syn(&bed, 0, CLIENT, "80.101.0.1", 8080);
        cr_expect_str_eq(bed_finish(&bed), "near excluded_port apt12 10.0.0.1>80.101.0.1:8080\n");
        cr_expect_eq(bed_count(&bed, PT_COUNT_NEAR_EXCLUDED_PORT), 1);
        cr_expect_eq(bed_count(&bed, PT_COUNT_ALERT_GENERATED), 0);
}

static void connections(struct pt_settings *settings)
{
        settings->connection_events = true;
        settings->connection_port_low = 4096;
        settings->connection_port_high = 49151;
}

Test(tell, connections_are_told_within_a_range_of_ports_each_once) /* design 6, 7 */
{
        again(connections);
        bed_answer(&bed, 0, CLIENT, "a.example", A);
        bed_syn(&bed, 1, CLIENT, A, 4095);
        bed_syn(&bed, 1, CLIENT, A, 4096);
        bed_syn(&bed, 1, CLIENT, B, 49151);
        bed_syn(&bed, 1, CLIENT, B, 49152);
        bed_tcp(&bed, 1, CLIENT, 999, B, 5000, 1, PT_TCP_SYN);
        bed_tcp(&bed, 1, CLIENT, 999, B, 5000, 1, PT_TCP_SYN);
        bed_quic(&bed, 1, CLIENT, B, 443, BED_QUIC_LONG, 5);
        cr_expect_str_eq(bed_finish(&bed), "connection 10.0.0.1>198.51.100.23:4096 given\n"
                                           "connection 10.0.0.1>203.0.113.9:49151\n"
                                           "connection 10.0.0.1>203.0.113.9:5000\n");
}
