#include "document/alarm.h"

#include "make.h"

#include <criterion/criterion.h>

/* Times are seconds; shares are taken over 60 s, of at least 100 packets. */

#define SECOND INT64_C(1000000000)

static struct pt_alarms alarms;
static struct pt_alarm_figures now;
static struct pt_sight sight;
static char told[8192];
static struct pt_alarm last;

static void tell(void *context, const struct pt_alarm *alarm)
{
        size_t length = strlen(told);

        (void)context;
        last = *alarm;
        snprintf(told + length, sizeof told - length, "%s%s %s since %d%s%s", length ? "; " : "",
                 pt_alarm_name(alarm->kind), alarm->begins ? "begins" : "ends",
                 (int)(alarm->since / SECOND), *alarm->subject ? " " : "", alarm->subject);
        cr_expect_str_not_empty(alarm->sentence);
}

static void begin(void)
{
        static const struct pt_alarm_settings settings = {
                .no_packets = 60 * SECOND,
                .no_answers = 300 * SECOND,
                .no_syns = 300 * SECOND,
                .interval = 60 * SECOND,
                .least = 100,
                .few = 3,
        };

        pt_alarms_begin(&alarms, &settings, 0);
}

TestSuite(alarm, .init = begin);

static const char *look(int seconds)
{
        told[0] = '\0';
        pt_alarms_look(&alarms, seconds * SECOND, &now, &sight, tell, NULL);
        return told;
}

/* Nothing but what is silent moves on for a while: what was told. */
static const char *pass(int from, int to, bool answers, bool syns)
{
        static char all[8192];

        all[0] = '\0';
        for (int t = from; t <= to; t++) {
                now.packets++;
                now.responses += answers;
                now.queries += answers;
                now.syns += syns;
                look(t);
                if (*told)
                        snprintf(all + strlen(all), sizeof all - strlen(all), "%d: %s\n", t, told);
        }
        return all;
}

Test(alarm, all_is_well)
{
        cr_expect_str_eq(pass(1, 1000, true, true), "");
        cr_expect_eq(pt_alarms_active(&alarms), 0);
}

Test(alarm, no_packets_is_told_when_it_begins_and_when_it_ends)
{
        now.packets = 5;
        now.responses = now.syns = now.queries = 1;
        cr_expect_str_eq(look(10), "");
        cr_expect_str_eq(look(69), "");
        cr_expect_str_eq(look(70), "no_packets begins since 10");
        cr_expect_eq(pt_alarms_active(&alarms), 1);
        cr_expect_str_eq(look(71), "");
        cr_expect_str_eq(look(5000), "", "once; and what cannot come is no cause of its own");
        now.packets++;
        cr_expect_str_eq(look(5001), "no_packets ends since 10");
        cr_expect(strstr(last.sentence, "after 4991 s"), "%s", last.sentence);
        cr_expect_eq(pt_alarms_active(&alarms), 0);
        cr_expect_str_eq(pass(5002, 5300, false, true), "", "its time began at 5001");
        cr_expect_str_eq(pass(5301, 5400, false, true), "5301: no_dns_answers begins since 5001\n");
}

Test(alarm, where_the_links_are_down_that_is_the_reason)
{
        now.links_down = true;
        cr_expect_str_eq(look(1000), "");
        now.links_down = false;
        cr_expect_str_eq(look(1001), "no_packets begins since 0");
}

Test(alarm, no_answers_among_packets)
{
        cr_expect_str_eq(pass(1, 10, true, true), "");
        cr_expect_str_eq(pass(11, 400, false, true), "310: no_dns_answers begins since 10\n");
        cr_expect(strstr(last.sentence, "leaves DNS out"), "%s", last.sentence);
        cr_expect_str_eq(pass(401, 402, true, true), "401: no_dns_answers ends since 10\n");
}

Test(alarm, queries_without_answers_say_so)
{
        pass(1, 10, true, true);
        now.queries++;
        cr_expect_str_eq(pass(11, 400, false, true), "310: no_dns_answers begins since 10\n");
        cr_expect(strstr(last.sentence, "one direction"), "%s", last.sentence);
}

Test(alarm, no_syns_among_packets)
{
        cr_expect_str_eq(pass(1, 300, true, false), "300: no_syns begins since 0\n",
                         "from the start");
        cr_expect_str_eq(pass(301, 301, true, true), "301: no_syns ends since 0\n");
}

Test(alarm, a_silence_of_zero_is_never_too_long)
{
        struct pt_alarm_settings none = alarms.settings;

        none.no_packets = none.no_answers = none.no_syns = 0;
        pt_alarms_set(&alarms, &none);
        cr_expect_str_eq(look(100000), "");
        cr_expect_str_eq(pass(100001, 101000, false, false), "");
}

/* ---- shares ---- */

/* One interval with these; `at` is its end. */
static const char *interval(int at, uint64_t queries, uint64_t responses, uint64_t truncated)
{
        now.packets += queries + responses + 1;
        now.queries += queries;
        now.responses += responses;
        now.messages += queries + responses;
        now.truncated += truncated;
        now.syns++;
        return look(at);
}

static const struct {
        uint64_t queries, responses;
        const char *told;
        const char *why;
} one_way[] = {
        {500, 500, "", "both ways"},
        {0, 99, "", "too few answers to say"},
        {25, 500, "answers_without_queries begins since 120", "25 < 500 / 20 + 1"},
        {0, 99, "", "too few to say: it goes on"},
        {0, 500, "", "told already"},
        {26, 500, "answers_without_queries ends since 120", "one in twenty"},
};

Test(alarm, answers_without_queries)
{
        for (size_t i = 0; i < ROWS(one_way); i++)
                cr_expect_str_eq(
                        interval(60 * ((int)i + 1), one_way[i].queries, one_way[i].responses, 0),
                        one_way[i].told, "%s: %s", one_way[i].why, told);
}

Test(alarm, answers_that_the_capture_cut)
{
        cr_expect_str_eq(interval(60, 500, 500, 10), "", "one in a hundred");
        cr_expect_str_eq(interval(120, 500, 500, 11), "answers_truncated begins since 60");
        cr_expect_eq(last.count, 11);
        cr_expect_str_eq(interval(180, 20, 20, 40), "", "too few");
        cr_expect_str_eq(interval(240, 500, 500, 0), "answers_truncated ends since 60");
}

Test(alarm, shares_are_taken_over_an_interval_and_not_before)
{
        cr_expect_str_eq(interval(59, 0, 500, 0), "");
        cr_expect_str_eq(interval(60, 0, 0, 0), "answers_without_queries begins since 0");
}

Test(alarm, packets_that_the_kernel_dropped)
{
        now.dropped = 1;
        cr_expect_str_eq(interval(60, 50, 50, 0), "packets_dropped begins since 0");
        cr_expect_eq(last.count, 1);
        now.dropped = 7;
        cr_expect_str_eq(interval(120, 50, 50, 0), "");
        cr_expect_str_eq(interval(180, 50, 50, 0), "packets_dropped ends since 0");
}

/* ---- above a resolver ---- */

static const struct {
        unsigned owners, answers; /* clients that are given answers, and how many in all */
        unsigned senders, syns;
        unsigned given; /* of the SYNs, in percent */
        bool above;
        const char *why;
} places[] = {
        {1, 1000, 50, 1000, 0, true, "one resolver, fifty clients behind it"},
        {3, 1000, 50, 1000, 5, true, "three resolvers, which connect too"},
        {4, 1000, 50, 1000, 0, false, "four are not few"},
        {50, 1000, 50, 1000, 80, false, "below the resolver"},
        {1, 1000, 50, 1000, 40, false, "one busy client, the others cached what they need"},
        {1, 1000, 1, 1000, 80, false, "one client in all"},
        {1, 1000, 1, 1000, 0, false, "a router with NAT hides the rest: its verdicts are whole"},
        {1, 99, 50, 1000, 0, false, "too few answers to say"},
        {1, 1000, 50, 99, 0, false, "too few SYNs to say"},
};

static void see(size_t row)
{
        for (unsigned i = 0; i < places[row].answers; i++) {
                struct pt_address client =
                        pt_address_from_ipv4(0x0a000001 + i % places[row].owners);

                pt_sight_answer(&sight, &client);
        }
        for (unsigned i = 0; i < places[row].syns; i++) {
                struct pt_address client =
                        pt_address_from_ipv4(0x0a010001 + i % places[row].senders);

                pt_sight_syn(&sight, &client, i % 100 < places[row].given);
        }
}

Test(alarm, few_own_the_answers_and_others_connect)
{
        for (size_t i = 0; i < ROWS(places); i++) {
                memset(&now, 0, sizeof now);
                begin();
                see(i);
                interval(60, 50, 50, 0);
                cr_expect_str_eq(told, places[i].above ? "above_resolver begins since 0" : "", "%s",
                                 places[i].why);
                cr_expect_eq(sight.answers, 0, "a new interval begins");
                if (!places[i].above)
                        continue;
                cr_expect(strstr(last.sentence, "dns_other_client"), "%s", last.sentence);
                see(3);
                cr_expect_str_eq(interval(120, 50, 50, 0), "above_resolver ends since 0");
        }
}

/* ---- encapsulations ---- */

Test(alarm, an_encapsulation_is_told_by_its_number)
{
        struct pt_alarm_unread rows[] = {
                {"ethertype", "ARP", 5000, 0x0806, true},
                {"ethertype", "802.1AE (MACsec)", 100, 0x88e5, false},
                {"IP protocol", "EtherIP", 99, 97, false},
                {"link type", NULL, 4000, 147, false},
        };

        now.unread = rows;
        now.unread_count = ROWS(rows);
        cr_expect_str_eq(interval(60, 50, 50, 0),
                         "unread_encapsulation begins since 0 ethertype 0x88e5; "
                         "unread_encapsulation begins since 0 link type 147",
                         "%s", told);
        cr_expect_eq(last.count, 4000);
        cr_expect_eq(pt_alarms_active(&alarms), 2);
        rows[2].packets += 99;
        rows[3].packets += 1;
        cr_expect_str_eq(interval(120, 50, 50, 0),
                         "unread_encapsulation ends since 0 ethertype 0x88e5",
                         "of 97 too few in either interval, of 147 at least one");
        cr_expect_eq(pt_alarms_active(&alarms), 1);
}
