#include "judge/verdict.h"

#include "judging.h"

#include <criterion/criterion.h>

/*
 * Design 3, 4.3 to 4.6. The arithmetic, by hand:
 *
 *      198.51.100.23   apt12 198 * 51 + 100 = 10198   variant 198 * (51 + 100) = 29898
 *      198.51.0.23     both  198 * 51 = 10098
 *      52.231.114.183  apt12 52 * 231 + 114 = 12126   variant 52 * 345 = 17940
 *      203.0.113.9     apt12 113: no port of the band variant 203 * 113 = 22939
 *      swap16: 198.51.100.23 is 100.23.198.51
 */
#define CLIENT "10.0.0.1"
#define OTHER "10.0.0.2"
#define OUTSIDE "192.0.2.77"
#define A "198.51.100.23"
#define B "203.0.113.9"
#define C "52.231.114.183"

static struct judging j;

static void make_judging(void)
{
        judging_begin(&j, make_usual_rules());
}

static void free_judging(void)
{
        judging_end(&j);
}

TestSuite(verdict, .init = make_judging, .fini = free_judging);

#define NONE ""

/* ---- the destination itself ---- */

static const struct {
        const char *destination;
        uint16_t port;
        const char *expected;
        const char *why;
} direct[] = {
        {A, 10198, "apt12 dns_confirmed 73 a.example 1", "198 * 51 + 100"},
        {A, 29898, "variant dns_confirmed 73 a.example 1", "198 * (51 + 100)"},
        {A, 10197, NONE, "one off"},
        {A, 10199, NONE, "one off"},
        {A, 0, NONE, "port 0 meets nothing"},
        {"198.51.0.23", 10098,
         "apt12 dns_confirmed 73 a.example 1; variant dns_confirmed 73 a.example 1",
         "both, in order of id (4.6)"},
        {"64.64.0.1", 4096,
         "apt12 dns_confirmed 73 a.example 1; variant dns_confirmed 73 a.example 1",
         "64 * 64: the first port of the band"},
        {"63.65.0.1", 4095, NONE, "63 * 65: before it"},
        {"192.255.191.1", 49151, "apt12 dns_confirmed 73 a.example 1",
         "192 * 255 + 191: the last port of the band"},
        {"192.255.192.1", 49152, NONE, "behind it"},
        {"80.101.0.1", 8080, NONE, "80 * 101: a port that is excluded"},
        {"20.101.57.9", 2077, NONE, "20 * 101 + 57: outside the band"},
        {"192.168.1.1", 32257, NONE, "192 * 168 + 1, but a private destination"},
        {"172.31.9.9", 5341, NONE, "172 * 31 + 9, but a private destination"},
        {"169.254.7.7", 42933, NONE, "169 * 254 + 7, but link-local"},
        {"127.99.1.1", 12574, NONE, "127 * 99 + 1, but loopback"},
        {"10.255.255.1", 5100, NONE, "10 * (255 + 255), but a private destination"},
        {"255.255.255.1", 65280, NONE, "255 * 255 + 255: the largest there is, outside the band"},
        {"200.200.200.1", 14464, NONE, "80000 modulo 65536: variant is not truncated"},
};

Test(verdict, the_port_of_an_address_that_the_client_was_given_is_confirmed) /* 4.3 */
{
        for (size_t i = 0; i < ROWS(direct); i++) {
                free_judging();
                make_judging();
                give(&j.g, 0, CLIENT, "a.example", direct[i].destination);
                cr_expect_str_eq(judged(&j, 1, CLIENT, direct[i].destination, direct[i].port),
                                 direct[i].expected, "%s:%u: %s", direct[i].destination,
                                 direct[i].port, direct[i].why);
        }
}

Test(verdict, another_clients_answer_is_weaker_and_none_at_all_the_weakest) /* 4.3 */
{
        cr_expect_str_eq(judged(&j, 0, CLIENT, A, 10198), "apt12 port_only 21 - 1");
        give(&j.g, 1, OTHER, "a.example", A);
        cr_expect_str_eq(judged(&j, 2, CLIENT, A, 10198), "apt12 dns_other_client 47 a.example 1");
        give(&j.g, 3, CLIENT, "b.example", A);
        cr_expect_str_eq(judged(&j, 4, CLIENT, A, 10198), "apt12 dns_confirmed 73 b.example 1");
}

Test(verdict, evidence_counts_for_the_window_and_no_longer) /* 4.3, 4.7 */
{
        give(&j.g, 0, CLIENT, "a.example", A);
        cr_expect_str_eq(judged(&j, 600, CLIENT, A, 10198), "apt12 dns_confirmed 73 a.example 1");
        cr_expect_str_eq(judged(&j, 600.000000001, CLIENT, A, 10198), "apt12 port_only 21 - 1");
        give(&j.g, 1000, OTHER, "b.example", A);
        cr_expect_str_eq(judged(&j, 1600, CLIENT, A, 10198),
                         "apt12 dns_other_client 47 b.example 1");
        cr_expect_str_eq(judged(&j, 1600.000000001, CLIENT, A, 10198), "apt12 port_only 21 - 1");
}

Test(verdict, a_syn_may_be_a_little_older_than_its_answer) /* 4.1 */
{
        give(&j.g, 1, CLIENT, "a.example", A);
        cr_expect_str_eq(judged(&j, 0.95, CLIENT, A, 10198), "apt12 dns_confirmed 73 a.example 1");
        cr_expect_str_eq(judged(&j, 0.949999999, CLIENT, A, 10198), "apt12 port_only 21 - 1");
}

Test(verdict, in_a_lab_private_destinations_count_too) /* design 3 */
{
        j.settings.lab = true;
        judging_again(&j);
        give(&j.g, 0, CLIENT, "a.example", "192.168.1.1");
        cr_expect_str_eq(judged(&j, 1, CLIENT, "192.168.1.1", 32257),
                         "apt12 dns_confirmed 73 a.example 1");
}

Test(verdict, what_is_confirmed_by_dns_needs_no_inside_client) /* 4.4: the last two do */
{
        give(&j.g, 0, OUTSIDE, "a.example", A);
        cr_expect_str_eq(judged(&j, 1, OUTSIDE, A, 10198), "apt12 dns_confirmed 73 a.example 1");
}

/* ---- inside (4.4) ---- */

static const struct {
        const char *client;
        bool inside;
} clients[] = {
        {"10.255.255.255", true}, {"172.16.0.1", true},  {"172.32.0.1", false},
        {"192.168.255.1", true},  {"169.254.1.1", true}, {"192.0.2.77", false},
        {"fd00::1", true},        {"fe80::1", true},     {"2001:db8::1", false},
        {"203.0.113.130", true}, /* in home_networks here */
        {"203.0.113.127", false}, {"8.8.8.8", false},
};

Test(verdict, without_an_answer_only_a_client_that_is_inside_matches) /* 4.4 */
{
        cr_assert_eq(pt_prefix_parse("203.0.113.128/25", &j.home), 0);
        j.settings.home = (struct pt_prefixes){&j.home, 1};
        judging_again(&j);
        for (size_t i = 0; i < ROWS(clients); i++)
                cr_expect_str_eq(judged(&j, 0, clients[i].client, A, 10198),
                                 clients[i].inside ? "apt12 port_only 21 - 1" : NONE, "%s",
                                 clients[i].client);
        give(&j.g, 1, OTHER, "a.example", A);
        for (size_t i = 0; i < ROWS(clients); i++)
                cr_expect_str_eq(judged(&j, 2, clients[i].client, A, 10198),
                                 clients[i].inside ? "apt12 dns_other_client 47 a.example 1" : NONE,
                                 "%s", clients[i].client);
}

Test(verdict, a_client_that_ever_received_dns_is_inside) /* 4.4 */
{
        give(&j.g, 0, OUTSIDE, "x.example", "192.0.2.1");
        cr_expect_str_eq(judged(&j, 100000, OUTSIDE, A, 10198), "apt12 port_only 21 - 1");
}

/* ---- the port from another address ---- */

Test(verdict, the_port_may_come_from_an_address_of_another_name) /* 4.3: APT12's shape */
{
        give(&j.g, 0, CLIENT, "port.example", A);
        give(&j.g, 1, CLIENT, "c2.example", B);
        cr_expect_str_eq(judged(&j, 2, CLIENT, B, 10198),
                         "apt12 dns_other_address 73 port.example 1");
        cr_expect_eq(j.best.input, 0xc6336417);
        cr_expect(j.best.destination_given);
        cr_expect_not(j.best.contacted);
}

Test(verdict, a_name_that_was_contacted_gives_a_weaker_verdict) /* 4.3, 4.5 */
{
        give(&j.g, 0, CLIENT, "port.example", A);
        give(&j.g, 1, CLIENT, "c2.example", B);
        contact(&j.g, 1.5, CLIENT, A);
        cr_expect_str_eq(judged(&j, 2, CLIENT, B, 10198),
                         "apt12 dns_other_address 47 port.example 1");
        cr_expect(j.best.contacted);
}

Test(verdict, where_the_destination_was_not_given_the_verdict_is_the_weakest) /* 4.3 */
{
        give(&j.g, 0, CLIENT, "port.example", A);
        cr_expect_str_eq(judged(&j, 2, CLIENT, B, 10198),
                         "apt12 dns_other_address 21 port.example 1");
        cr_expect_not(j.best.destination_given);
        give(&j.g, 3, OTHER, "c2.example", B);
        cr_expect_str_eq(judged(&j, 4, CLIENT, B, 10198),
                         "apt12 dns_other_address 21 port.example 1", "given to another client");
}

/* An outside client needs an answer too for this verdict, and has one. */
Test(verdict, the_port_from_another_address_needs_no_inside_client) /* 4.4 */
{
        give(&j.g, 0, OUTSIDE, "port.example", A);
        give(&j.g, 1, OUTSIDE, "c2.example", B);
        cr_expect_str_eq(judged(&j, 2, OUTSIDE, B, 10198),
                         "apt12 dns_other_address 73 port.example 1");
}

Test(verdict, an_address_gives_ports_for_other_destinations_for_the_cross_window) /* 4.3 */
{
        give(&j.g, 0, CLIENT, "c2.example", B "/3600");
        give(&j.g, 10, CLIENT, "port.example", A "/3600");
        cr_expect_str_eq(judged(&j, 70, CLIENT, B, 10198),
                         "apt12 dns_other_address 73 port.example 1");
        cr_expect_str_eq(judged(&j, 70.000000001, CLIENT, B, 10198), NONE);
}

Test(verdict, the_destination_counts_for_its_window_not_the_cross_window) /* 4.3 */
{
        give(&j.g, 0, CLIENT, "c2.example", B);
        give(&j.g, 590, CLIENT, "port.example", A);
        cr_expect_str_eq(judged(&j, 600, CLIENT, B, 10198),
                         "apt12 dns_other_address 73 port.example 1");
        cr_expect_str_eq(judged(&j, 600.1, CLIENT, B, 10198),
                         "apt12 dns_other_address 21 port.example 1");
}

Test(verdict, the_port_may_come_from_an_absurd_address) /* design 3 */
{
        give(&j.g, 0, CLIENT, "port.example", "127.51.100.1 240.99.7.7 10.250.250.1");
        give(&j.g, 1, CLIENT, "c2.example", B);
        cr_expect_str_eq(judged(&j, 2, CLIENT, B, 6577), /* 127 * 51 + 100 */
                         "apt12 dns_other_address 73 port.example 1");
        cr_expect_str_eq(judged(&j, 2, CLIENT, B, 23767), /* 240 * 99 + 7, the second */
                         "apt12 dns_other_address 73 port.example 2");
        cr_expect_str_eq(judged(&j, 2, CLIENT, B, 5000), /* variant: 10 * (250 + 250), third */
                         "variant dns_other_address 73 port.example 3");
}

Test(verdict, the_destination_may_be_an_ipv6_address) /* 4.3 */
{
        give(&j.g, 0, CLIENT, "port.example", A);
        give(&j.g, 1, CLIENT, "c2.example", "2001:db8::9");
        cr_expect_str_eq(judged(&j, 2, CLIENT, "2001:db8::9", 10198),
                         "apt12 dns_other_address 73 port.example 1");
        cr_expect_str_eq(judged(&j, 2, CLIENT, "2001:db8::10", 10198),
                         "apt12 dns_other_address 21 port.example 1");
}

Test(verdict, an_ipv4_address_inside_ipv6_counts_for_the_arithmetic) /* design 3 */
{
        give(&j.g, 0, "fd00::1", "a.example", "64:ff9b::198.51.100.23");
        cr_expect_str_eq(judged(&j, 1, "fd00::1", "64:ff9b::198.51.100.23", 10198),
                         "apt12 dns_confirmed 73 a.example 1");
        cr_expect_str_eq(judged(&j, 1, "fd00::1", "64:ff9b::100.23.198.51", 443),
                         "swap16 dns_confirmed 73 a.example 1");
}

/* Newest answer first, and within one in the order of its records. */
Test(verdict, of_several_hits_one_whose_name_was_not_contacted_suffices) /* 4.5 */
{
        give(&j.g, 0, CLIENT, "c2.example", B);
        give(&j.g, 1, CLIENT, "old.example", "198.51.100.1");
        give(&j.g, 2, CLIENT, "mid.example", "198.51.100.2");
        give(&j.g, 3, CLIENT, "new.example", "198.51.100.3");
        cr_expect_str_eq(judged(&j, 4, CLIENT, B, 10198),
                         "apt12 dns_other_address 73 new.example 1");
        contact(&j.g, 5, CLIENT, "198.51.100.3");
        cr_expect_str_eq(judged(&j, 6, CLIENT, B, 10198),
                         "apt12 dns_other_address 73 mid.example 1");
        contact(&j.g, 7, CLIENT, "198.51.100.2");
        cr_expect_str_eq(judged(&j, 8, CLIENT, B, 10198),
                         "apt12 dns_other_address 73 old.example 1");
        contact(&j.g, 9, CLIENT, "198.51.100.1");
        cr_expect_str_eq(judged(&j, 10, CLIENT, B, 10198),
                         "apt12 dns_other_address 47 new.example 1");
}

/* A packet up to a second late keeps its time (4.12): newest is by time. */
Test(verdict, an_answer_that_comes_late_is_searched_in_its_place)
{
        give(&j.g, 0, CLIENT, "c2.example", B);
        give(&j.g, 2, CLIENT, "new.example", "198.51.100.3");
        give(&j.g, 1.5, CLIENT, "late.example", "198.51.100.2");
        cr_expect_str_eq(judged(&j, 4, CLIENT, B, 10198),
                         "apt12 dns_other_address 73 new.example 1");
}

/* Nobody gets from 73 to 47 by contacting many names that give the same port. */
Test(verdict, of_however_many_hits_one_that_was_not_contacted_suffices) /* 4.5 */
{
        char name[32], address[32];

        give(&j.g, 0, CLIENT, "c2.example", B);
        give(&j.g, 0, CLIENT, "port.example", A);
        for (int i = 0; i < 100; i++) {
                snprintf(name, sizeof name, "n%d.example", i);
                snprintf(address, sizeof address, "198.51.100.%d", 100 + i);
                give(&j.g, 1 + i * 0.01, CLIENT, name, address);
                contact(&j.g, 2 + i * 0.01, CLIENT, address);
        }
        cr_expect_str_eq(judged(&j, 4, CLIENT, B, 10198),
                         "apt12 dns_other_address 73 port.example 1");
}

/* ---- candidates (design 5) ---- */

Test(verdict, candidates_are_the_distinct_ports_up_to_and_with_the_hit) /* design 5 */
{
        give(&j.g, 0, CLIENT, "hit.example", A);
        give(&j.g, 1, CLIENT, "c2.example", B);
        give(&j.g, 2, CLIENT, "more.example",
             C " 52.231.114.184 20.101.57.9 2001:db8::1 51.145.123.29");
        /* 12126 twice, 2077 is not admitted, no IPv4, 7518; B itself is passed over; then 10198 */
        cr_expect_str_eq(judged(&j, 3, CLIENT, B, 10198),
                         "apt12 dns_other_address 73 hit.example 3");
        cr_expect_str_eq(judged(&j, 3, CLIENT, B, 12126),
                         "apt12 dns_other_address 73 more.example 1");
        cr_expect_str_eq(judged(&j, 3, CLIENT, B, 7518),
                         "apt12 dns_other_address 73 more.example 2");
}

/* ---- answers that nobody asked for ---- */

/* 12126, 7518 and 5360 of the forged ones are no candidates beside what was asked for. */
Test(verdict, forged_answers_are_no_candidates_behind_one_that_was_asked_for) /* design 5 */
{
        give_asked(&j.g, 0, CLIENT, "port.example", A);
        give_asked(&j.g, 1, CLIENT, "c2.example", B);
        give(&j.g, 2, CLIENT, "forged.example", C " 51.145.123.29 66.81.14.1");
        cr_expect_str_eq(judged(&j, 3, CLIENT, B, 10198),
                         "apt12 dns_other_address 73 port.example 1");
        cr_expect_str_eq(judged(&j, 3, CLIENT, B, 7518),
                         "apt12 dns_other_address 73 forged.example 2", "12126, 7518");
        cr_expect_str_eq(judged(&j, 3, CLIENT, B, 5360),
                         "apt12 dns_other_address 73 forged.example 3", "and 66 * 81 + 14");
}

Test(verdict, a_forged_hit_does_not_stand_before_one_that_was_asked_for) /* design 5 */
{
        give_asked(&j.g, 0, CLIENT, "port.example", "198.51.100.1");
        give_asked(&j.g, 1, CLIENT, "c2.example", B);
        give(&j.g, 2, CLIENT, "forged.example", C " 198.51.100.2");
        cr_expect_str_eq(judged(&j, 3, CLIENT, B, 10198),
                         "apt12 dns_other_address 73 port.example 1");
        contact(&j.g, 4, CLIENT, "198.51.100.1");
        cr_expect_str_eq(judged(&j, 5, CLIENT, B, 10198),
                         "apt12 dns_other_address 73 forged.example 2",
                         "its name was not contacted");
        contact(&j.g, 6, CLIENT, "198.51.100.2");
        cr_expect_str_eq(judged(&j, 7, CLIENT, B, 10198),
                         "apt12 dns_other_address 47 port.example 1", "both were");
}

Test(verdict, a_forged_answer_does_not_make_a_name_contacted) /* 4.5, design 5 */
{
        give_asked(&j.g, 0, CLIENT, "port.example", A);
        give_asked(&j.g, 1, CLIENT, "c2.example", B);
        give_asked(&j.g, 1, CLIENT, "web.example", C);
        give(&j.g, 2, CLIENT, "port.example", C);
        contact(&j.g, 3, CLIENT, C);
        cr_expect_str_eq(judged(&j, 4, CLIENT, B, 10198),
                         "apt12 dns_other_address 73 port.example 2");
        give_asked(&j.g, 5, CLIENT, "port.example", C);
        contact(&j.g, 6, CLIENT, C);
        cr_expect_str_eq(judged(&j, 7, CLIENT, B, 10198),
                         "apt12 dns_other_address 47 port.example 2", "asked for");
}

Test(verdict, a_forged_answer_of_the_calculated_address_hides_nothing) /* design 3, 5 */
{
        give_asked(&j.g, 0, CLIENT, "a.example", A);
        give(&j.g, 1, CLIENT, "forged.example", "100.23.198.51");
        cr_expect_str_eq(judged(&j, 2, CLIENT, "100.23.198.51", 443),
                         "swap16 dns_confirmed 73 a.example 2");
        give_asked(&j.g, 3, CLIENT, "x.example", "100.23.198.51");
        give(&j.g, 4, CLIENT, "forged.example", "100.23.198.51");
        cr_expect_str_eq(judged(&j, 5, CLIENT, "100.23.198.51", 443), NONE, "asked for");
}

/* ---- calculated addresses ---- */

static const struct {
        const char *given;
        double time;
        const char *destination;
        uint16_t port;
        const char *expected;
        const char *why;
} calculated[] = {
        {A, 1, "100.23.198.51", 443, "swap16 dns_confirmed 73 a.example 1", "its halves exchanged"},
        {A, 1, "100.23.198.51", 1, "swap16 dns_confirmed 73 a.example 1", "any port"},
        {A, 1, "100.23.198.51", 0, NONE, "but 0"},
        {A, 1, "100.23.198.52", 443, NONE, "one off"},
        {A, 600, "100.23.198.51", 443, "swap16 dns_confirmed 73 a.example 1",
         "for the window, not the cross window"},
        {A, 600.000000001, "100.23.198.51", 443, NONE, "and no longer"},
        {A "/3000", 3000, "100.23.198.51", 443, "swap16 dns_confirmed 73 a.example 1",
         "or its TTL"},
        {"198.51.198.51", 1, "198.51.198.51", 443, NONE, "swaps to itself"},
        {"1.2.10.5", 1, "10.5.1.2", 443, NONE, "a private destination"},
        {"1.2.192.168", 1, "192.168.1.2", 443, NONE, "a private destination"},
        {"10.5.100.2", 1, "100.2.10.5", 443, "swap16 dns_confirmed 73 a.example 1",
         "the answer itself may be private"},
        {A " 100.23.198.51", 1, "100.23.198.51", 443, NONE, "the destination was given as well"},
        {"192.0.2.1 192.0.2.2 " A, 1, "100.23.198.51", 443, "swap16 dns_confirmed 73 a.example 3",
         "the third address"},
        {"192.0.2.1 192.0.2.1 " A, 1, "100.23.198.51", 443, "swap16 dns_confirmed 73 a.example 2",
         "two distinct ones"},
        {A " " A, 1, "100.23.198.51", 443, "swap16 dns_confirmed 73 a.example 1",
         "the hit itself, twice in its answer"},
        {"192.0.2.1 " A " 192.0.2.1", 1, "100.23.198.51", 443,
         "swap16 dns_confirmed 73 a.example 2", "one before the hit, that comes again behind it"},
};

Test(verdict, a_calculated_address_is_confirmed) /* design 3, 4.3 */
{
        for (size_t i = 0; i < ROWS(calculated); i++) {
                free_judging();
                make_judging();
                give(&j.g, 0, CLIENT, "a.example", calculated[i].given);
                cr_expect_str_eq(judged(&j, calculated[i].time, CLIENT, calculated[i].destination,
                                        calculated[i].port),
                                 calculated[i].expected, "%s: %s", calculated[i].given,
                                 calculated[i].why);
        }
}

Test(verdict, another_clients_answer_calculates_nothing) /* 4.3 */
{
        give(&j.g, 0, OTHER, "a.example", A);
        cr_expect_str_eq(judged(&j, 1, CLIENT, "100.23.198.51", 443), NONE);
}

Test(verdict, a_calculated_address_that_was_given_long_ago_counts_again) /* design 3 */
{
        give(&j.g, 0, CLIENT, "x.example", "100.23.198.51");
        give(&j.g, 100, CLIENT, "a.example", A);
        cr_expect_str_eq(judged(&j, 600, CLIENT, "100.23.198.51", 443), NONE);
        cr_expect_str_eq(judged(&j, 601, CLIENT, "100.23.198.51", 443),
                         "swap16 dns_confirmed 73 a.example 1");
}

/* Distinct ones of all answers up to the hit; what no longer counts is none. */
Test(verdict, candidates_of_an_address_rule_are_the_distinct_addresses_passed) /* design 5 */
{
        give(&j.g, 0, CLIENT, "gone.example", "192.0.2.200");
        give(&j.g, 300, CLIENT, "hit.example", "192.0.2.1 " A " 192.0.2.99");
        give(&j.g, 301, CLIENT, "x.example", "192.0.2.1 192.0.2.2 2001:db8::1");
        give(&j.g, 302, CLIENT, "y.example", "192.0.2.2 192.0.2.3");
        cr_expect_str_eq(judged(&j, 700, CLIENT, "100.23.198.51", 443),
                         "swap16 dns_confirmed 73 hit.example 4");
}

Test(verdict, a_calculated_address_is_public_whatever_the_rules_own_limits) /* design 3 */
{
        static const char *const rules[] = {RULE("swap", "\"address\": \"swap16(addr)\"")};

        free_judging();
        judging_begin(&j, make_rules(rules, 1));
        give(&j.g, 0, CLIENT, "a.example", "1.2.10.5 1.2.169.254 " A);
        cr_expect_str_eq(judged(&j, 1, CLIENT, "10.5.1.2", 443), NONE);
        cr_expect_str_eq(judged(&j, 1, CLIENT, "169.254.1.2", 443), NONE);
        cr_expect_str_eq(judged(&j, 1, CLIENT, "100.23.198.51", 443),
                         "swap dns_confirmed 73 a.example 3");
}

Test(verdict, in_a_lab_a_calculated_address_may_be_private) /* design 3 */
{
        j.settings.lab = true;
        judging_again(&j);
        give(&j.g, 0, CLIENT, "a.example", "1.2.10.5");
        cr_expect_str_eq(judged(&j, 1, CLIENT, "10.5.1.2", 443),
                         "swap16 dns_confirmed 73 a.example 1");
}

/* ---- rules of other kinds ---- */

static void with_rules(const char *const texts[], size_t count)
{
        free_judging();
        judging_begin(&j, make_rules(texts, count));
}

Test(verdict, a_rule_may_calculate_both_port_and_address) /* design 3 */
{
        static const char *const both[] = {
                RULE("both", "\"port\": \"o1 * o2\", \"address\": \"swap16(addr)\"")};

        with_rules(both, 1);
        give(&j.g, 0, CLIENT, "a.example", A);
        cr_expect_str_eq(judged(&j, 1, CLIENT, "100.23.198.51", 10098),
                         "both dns_confirmed 73 a.example 1"); /* 198 * 51, of the answer */
        cr_expect_str_eq(judged(&j, 1, CLIENT, "100.23.198.51", 2300), NONE); /* not 100 * 23 */
        cr_expect_str_eq(judged(&j, 1, CLIENT, A, 10098), NONE, "it is no port rule");
}

Test(verdict, what_has_no_value_is_no_match_and_counted) /* design 3 */
{
        static const char *const rules[] = {RULE("divide", "\"port\": \"1000 / o4\"")};

        with_rules(rules, 1);
        give(&j.g, 0, CLIENT, "a.example", "192.0.2.0");
        cr_expect_str_eq(judged(&j, 1, CLIENT, "192.0.2.0", 1000), NONE);
        cr_expect_eq(j.g.counters.value[PT_COUNT_MATCH_NO_VALUE], 1);
        cr_expect_str_eq(judged(&j, 1, CLIENT, "192.0.2.2", 500), "divide port_only 21 - 1");
        cr_expect_eq(j.g.counters.value[PT_COUNT_MATCH_NO_VALUE], 1);
}

Test(verdict, a_port_above_65535_is_no_port) /* design 3 */
{
        static const char *const rules[] = {RULE("large", "\"port\": \"65536 + o4\"")};

        with_rules(rules, 1);
        give(&j.g, 0, CLIENT, "a.example", "192.0.2.7");
        cr_expect_str_eq(judged(&j, 1, CLIENT, "192.0.2.7", 7), NONE);
        cr_expect_eq(j.g.counters.value[PT_COUNT_MATCH_NO_VALUE], 1);
}

Test(verdict, each_rule_has_its_own_limits) /* design 3 */
{
        static const char *const rules[] = {
                RULE("free", "\"port\": \"o1 * o2 + o3\""),
                RULE("narrow", "\"port\": \"o1 * o2 + o3\", \"limits\": {\"ports\": [\"1-9999\"]}"),
                RULE("other", "\"port\": \"o1 * o2 + o3\", \"limits\": "
                              "{\"exclude_destinations\": [\"198.51.100.0/24\"]}"),
        };

        with_rules(rules, 3);
        give(&j.g, 0, CLIENT, "a.example", A " 10.200.5.1");
        cr_expect_str_eq(judged(&j, 1, CLIENT, A, 10198), "free dns_confirmed 73 a.example 1");
        cr_expect_str_eq(judged(&j, 1, CLIENT, "10.200.5.1", 2005), /* 10 * 200 + 5 */
                         "free dns_confirmed 73 a.example 1; other dns_confirmed 73 a.example 1; "
                         "narrow dns_confirmed 73 a.example 1", /* of fewer ports: likelier luck */
                         "10.200.5.1");
}

/* ---- the best comes first (4.6) ---- */

Test(verdict, the_best_is_by_severity_then_verdict_then_chance_then_id) /* 4.6 */
{
        struct pt_rule rules[4] = {
                {.id = (char *)"b"}, {.id = (char *)"a"}, {.id = (char *)"B"}, {.id = (char *)"c"}};
        struct pt_match matches[] = {
                {.rule = &rules[0], .severity = 47, .verdict = PT_DNS_OTHER_CLIENT, .chance = 1e-9},
                {.rule = &rules[0],
                 .severity = 73,
                 .verdict = PT_DNS_OTHER_ADDRESS,
                 .chance = 1e-9},
                {.rule = &rules[0], .severity = 73, .verdict = PT_DNS_CONFIRMED, .chance = 2e-5},
                {.rule = &rules[1], .severity = 73, .verdict = PT_DNS_CONFIRMED, .chance = 2e-5},
                {.rule = &rules[2], .severity = 73, .verdict = PT_DNS_CONFIRMED, .chance = 2e-5},
                {.rule = &rules[3], .severity = 73, .verdict = PT_DNS_CONFIRMED, .chance = 1e-5},
                {.rule = &rules[1], .severity = 47, .verdict = PT_DNS_OTHER_ADDRESS, .chance = 1},
                {.rule = &rules[1], .severity = 21, .verdict = PT_DNS_OTHER_ADDRESS, .chance = 0},
        };
        struct pt_judgement judgement = {matches, ROWS(matches), 0};
        static const char *const order[] = {"c", "B", "a", "b", "b", "a", "b", "a"};
        static const int severities[] = {73, 73, 73, 73, 73, 47, 47, 21};

        pt_judgement_sort(&judgement);
        for (size_t i = 0; i < ROWS(matches); i++) {
                cr_expect_str_eq(matches[i].rule->id, order[i], "place %zu", i);
                cr_expect_eq(matches[i].severity, severities[i], "place %zu", i);
        }
}

Test(verdict, the_less_likely_luck_comes_first_whichever_stood_first) /* 4.6 */
{
        struct pt_rule rules[2] = {{.id = (char *)"a"}, {.id = (char *)"b"}};

        for (int first = 0; first < 2; first++) {
                struct pt_match matches[2] = {
                        {.rule = &rules[first], .severity = 73, .chance = first ? 1e-9 : 1e-5},
                        {.rule = &rules[!first], .severity = 73, .chance = first ? 1e-5 : 1e-9},
                };
                struct pt_judgement judgement = {matches, 2, 0};

                pt_judgement_sort(&judgement);
                cr_expect_str_eq(matches[0].rule->id, "b");
        }
}

Test(verdict, the_better_of_one_rule_stands_for_it) /* 4.6 */
{
        /* Direct and cross at once: 198.51.100.23 and .24 calculate the same port. */
        give(&j.g, 0, CLIENT, "port.example", "198.51.100.24");
        cr_expect_str_eq(judged(&j, 1, CLIENT, A, 10198),
                         "apt12 dns_other_address 21 port.example 1", "before port_only");
        give(&j.g, 2, OTHER, "a.example", A);
        cr_expect_str_eq(judged(&j, 3, CLIENT, A, 10198), "apt12 dns_other_client 47 a.example 1");
        give(&j.g, 4, CLIENT, "own.example", A);
        cr_expect_str_eq(judged(&j, 5, CLIENT, A, 10198), "apt12 dns_confirmed 73 own.example 1",
                         "before dns_other_address");
}

/* ---- eyesight: how many eligible SYNs were preceded by an answer (design 9) ---- */

Test(verdict, eligible_syns_are_counted_and_those_preceded_by_an_answer)
{
        give(&j.g, 0, CLIENT, "a.example", A);
        judged(&j, 1, CLIENT, A, 5000);          /* eligible, preceded */
        judged(&j, 1, CLIENT, B, 5000);          /* eligible */
        judged(&j, 1, CLIENT, A, 80);            /* no port rule admits the port */
        judged(&j, 1, CLIENT, "10.9.9.9", 5000); /* nor the destination */
        judged(&j, 1, OUTSIDE, A, 5000);         /* not inside */
        cr_expect_eq(j.g.counters.value[PT_COUNT_SYN_ELIGIBLE], 2);
        cr_expect_eq(j.g.counters.value[PT_COUNT_SYN_PRECEDED], 1);
}

/* ---- twins (4.11) ---- */

#define TWIN "fd00::1"

static void add_twin(const char *address)
{
        j.twins.addresses[j.twins.count++] = make_address(address);
}

static const char *twin_of_best(void)
{
        static char text[PT_ADDRESS_TEXT];

        return j.best.by_twin ? pt_address_format(&j.best.twin, text) : "-";
}

Test(verdict, what_a_twin_was_given_counts_as_if_the_twin_had_sent_the_syn) /* 4.11 */
{
        add_twin(TWIN);
        give(&j.g, 0, TWIN, "a.example", A);
        cr_expect_str_eq(judged(&j, 1, CLIENT, A, 10198), "apt12 dns_confirmed 73 a.example 1");
        cr_expect_str_eq(twin_of_best(), TWIN);
        j.twins.count = 0;
        cr_expect_str_eq(judged(&j, 2, CLIENT, A, 10198), "apt12 dns_other_client 47 a.example 1");
        cr_expect_str_eq(twin_of_best(), "-");
}

Test(verdict, own_evidence_comes_before_that_of_a_twin) /* 4.11 */
{
        add_twin(TWIN);
        give(&j.g, 0, TWIN, "twin.example", A);
        give(&j.g, 1, CLIENT, "own.example", A);
        cr_expect_str_eq(judged(&j, 2, CLIENT, A, 10198), "apt12 dns_confirmed 73 own.example 1");
        cr_expect_str_eq(twin_of_best(), "-");
}

Test(verdict, of_two_twins_the_first_comes_first) /* 4.11 */
{
        add_twin("192.0.2.1");
        add_twin(TWIN);
        give(&j.g, 0, TWIN, "two.example", A);
        give(&j.g, 0, "192.0.2.1", "one.example", A);
        cr_expect_str_eq(judged(&j, 1, CLIENT, A, 10198), "apt12 dns_confirmed 73 one.example 1");
        cr_expect_str_eq(twin_of_best(), "192.0.2.1");
}

/* The twin's 73 beats the own 21: C was given to neither until the twin got it. */
Test(verdict, a_twins_evidence_of_more_weight_wins) /* 4.6, 4.11 */
{
        add_twin(TWIN);
        give(&j.g, 0, CLIENT, "own.example", "198.51.100.77"); /* 10198 too */
        cr_expect_str_eq(judged(&j, 1, CLIENT, A, 10198),
                         "apt12 dns_other_address 21 own.example 1");
        give(&j.g, 2, TWIN, "twin.example", A);
        cr_expect_str_eq(judged(&j, 3, CLIENT, A, 10198), "apt12 dns_confirmed 73 twin.example 1");
}

/* APT12's two names, each answered to another address of the host. */
Test(verdict, the_destination_and_the_port_may_be_given_to_different_addresses_of_a_host) /* 4.11 */
{
        add_twin(TWIN);
        give(&j.g, 0, TWIN, "port.example", A);
        cr_expect_str_eq(judged(&j, 1, CLIENT, B, 10198),
                         "apt12 dns_other_address 21 port.example 1");
        give(&j.g, 2, CLIENT, "c2.example", B);
        cr_expect_str_eq(judged(&j, 3, CLIENT, B, 10198),
                         "apt12 dns_other_address 73 port.example 1");
        cr_expect_str_eq(twin_of_best(), TWIN);
}

Test(verdict, the_port_from_an_own_answer_and_the_destination_from_a_twins) /* 4.11 */
{
        add_twin(TWIN);
        give(&j.g, 0, CLIENT, "port.example", A);
        give(&j.g, 1, TWIN, "c2.example", B);
        cr_expect_str_eq(judged(&j, 3, CLIENT, B, 10198),
                         "apt12 dns_other_address 73 port.example 1");
        cr_expect_str_eq(twin_of_best(), "-");
}

Test(verdict, a_name_that_a_twin_contacted_was_contacted) /* 4.5, 4.11 */
{
        add_twin(TWIN);
        give(&j.g, 0, TWIN, "port.example", A);
        give(&j.g, 0, CLIENT, "PORT.example", A);
        give(&j.g, 1, CLIENT, "c2.example", B);
        contact(&j.g, 2, TWIN, A);
        cr_expect_str_eq(judged(&j, 3, CLIENT, B, 10198),
                         "apt12 dns_other_address 47 PORT.example 1");
        /* The marks are gone with the SYN. */
        j.twins.count = 0;
        cr_expect_str_eq(judged(&j, 4, CLIENT, B, 10198),
                         "apt12 dns_other_address 73 PORT.example 1");
}

Test(verdict, a_calculated_address_that_a_twin_was_given_is_none) /* 3, 4.11 */
{
        add_twin(TWIN);
        give(&j.g, 0, TWIN, "a.example", A);
        cr_expect_str_eq(judged(&j, 1, CLIENT, "100.23.198.51", 80),
                         "swap16 dns_confirmed 73 a.example 1");
        cr_expect_str_eq(twin_of_best(), TWIN);
        give(&j.g, 2, CLIENT, "b.example", "100.23.198.51");
        cr_expect_str_eq(judged(&j, 3, CLIENT, "100.23.198.51", 80), NONE);
}

Test(verdict, a_host_is_inside_by_any_of_its_addresses) /* 4.4, 4.11 */
{
        cr_expect_str_eq(judged(&j, 1, OUTSIDE, A, 10198), NONE);
        add_twin("2001:db8::1");
        cr_expect_str_eq(judged(&j, 2, OUTSIDE, A, 10198), NONE);
        give(&j.g, 3, "2001:db8::1", "other.example", "192.0.2.200");
        cr_expect_str_eq(judged(&j, 4, OUTSIDE, A, 10198), "apt12 port_only 21 - 1");
}
