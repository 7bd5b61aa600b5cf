#include "judge/outbreak.h"

#include "bed.h"

#include <criterion/criterion.h>

/* Several clients with something in common (issue: one finding, not many). */

static struct pt_outbreak *outbreak;
static struct pt_counters counters;
static struct pt_rule rules[2] = {{.id = (char *)"apt12"}, {.id = (char *)"variant"}};

static void make_outbreak(uint32_t capacity)
{
        static const struct pt_hash_key key = {1, 2};

        cr_assert_eq(pt_outbreak_new(capacity, &key, &counters, &outbreak), 0);
}

static void begin(void)
{
        make_outbreak(256);
}

static void end(void)
{
        cr_expect_null(pt_outbreak_free(outbreak));
        cr_expect_null(pt_outbreak_free(NULL));
}

TestSuite(outbreak, .init = begin, .fini = end);

struct step {
        double time;
        const char *client;
        const char *name;
        const char *destination;
        const struct pt_rule *rule;
        int severity;
        const char *expected; /* "name 2 73", or "" */
        const char *why;
        const char *twin; /* another address of the same host */
};

static const struct pt_outbreak_found *found; /* the last that was told */

static const char *add(const struct step *s)
{
        static char text[64];
        struct pt_syn syn = {
                .time = (int64_t)(s->time * 1e9) + 1000000 * PT_SECOND,
                .wall = (int64_t)(s->time * 1e9) + 5000000 * PT_SECOND,
                .client = make_address(s->client),
                .destination = make_address(s->destination),
                .key = make_address(s->destination),
                .destination_port = 10198,
        };
        struct pt_match match = {.rule = s->rule,
                                 .severity = s->severity,
                                 .verdict = s->severity == PT_SEVERITY_HIGH ? PT_DNS_CONFIRMED
                                                                            : PT_DNS_OTHER_CLIENT};
        struct pt_dns_name name = make_name(s->name);
        struct pt_twin_list twins = {.count = 0};
        const struct pt_outbreak_found *now;

        if (s->twin)
                twins.addresses[twins.count++] = make_address(s->twin);
        now = pt_outbreak_add(outbreak, &syn, &twins, &match, &name);

        if (!now)
                return "";
        found = now;
        snprintf(text, sizeof text, "%s %u %d", pt_outbreak_key_name(now->key), now->count,
                 now->severity);
        return text;
}

static void expect(const struct step *steps, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                const char *is = add(&steps[i]);

                cr_expect_str_eq(is, steps[i].expected, "%zu: \"%s\", but %s", i, is, steps[i].why);
        }
}

#define APT &rules[0]
#define VAR &rules[1]
#define HIGH PT_SEVERITY_HIGH
#define MEDIUM PT_SEVERITY_MEDIUM
#define LOW PT_SEVERITY_LOW
#define D1 "198.51.100.1"
#define D2 "198.51.100.2"
#define D3 "198.51.100.3"
#define D4 "198.51.100.4"

Test(outbreak, two_clients_of_one_name_are_one_finding)
{
        static const struct step steps[] = {
                {0, "10.0.0.1", "a.example", D1, APT, HIGH, "", "one is none"},
                {1, "10.0.0.1", "a.example", D2, VAR, HIGH, "", "the same client again"},
                {2, "10.0.0.2", "A.Example", D3, VAR, HIGH, "name 2 73", "in any letters"},
                {3, "10.0.0.2", "a.example", D3, VAR, HIGH, "", "told already"},
        };

        expect(steps, ROWS(steps));
        cr_expect_eq(found->verdict, PT_DNS_CONFIRMED);
        cr_assert_eq(found->client_count, 2);
        cr_expect_eq(pt_address_low32(&found->clients[0]), 0x0a000002, "the latest first");
        cr_expect_eq(pt_address_low32(&found->clients[1]), 0x0a000001);
        cr_assert_eq(found->name_count, 1);
        cr_assert_eq(found->port_count, 1);
        cr_expect_eq(found->ports[0], 10198);
        cr_assert_eq(found->destination_count, 2, "of their last matches");
        cr_expect_eq(found->first_wall, 5000000 * PT_SECOND);
        cr_expect_eq(found->last_wall, 5000002 * PT_SECOND);
}

Test(outbreak, two_clients_of_one_destination_are_one_finding)
{
        static const struct step steps[] = {
                {0, "10.0.0.1", "a.example", D1, APT, HIGH, "", "one"},
                {1, "10.0.0.2", "b.example", D1, VAR, MEDIUM, "destination 2 73",
                 "the highest of theirs"},
                {2, "10.0.0.3", "c.example", D2, VAR, HIGH, "", "neither name nor destination"},
        };

        expect(steps, ROWS(steps));
        cr_expect_eq(found->name_count, 2);
}

/* And of what it has in common with others, the most telling is told, the rest with it. */
Test(outbreak, a_match_is_one_finding_at_most)
{
        static const struct step steps[] = {
                {0, "10.0.0.1", "a.example", D1, APT, HIGH, "", "one"},
                {1, "10.0.0.2", "a.example", D1, APT, HIGH, "name 2 73", "destination too"},
                {2, "10.0.0.3", "b.example", D1, APT, HIGH, "", "three by destination"},
                {3, "10.0.0.4", "b.example", D1, APT, HIGH, "name 2 73",
                 "four by destination and by rule"},
                {4, "10.0.0.5", "c.example", D1, APT, HIGH, "", "five"},
        };

        expect(steps, ROWS(steps));
}

Test(outbreak, what_a_name_has_told_is_not_told_again)
{
        static const struct step steps[] = {
                {0, "10.0.0.1", "a.example", D2, APT, HIGH, "", "one"},
                {1, "10.0.0.2", "a.example", D1, APT, HIGH, "name 2 73", "two"},
                {2, "10.0.0.1", "a.example", D1, APT, HIGH, "", "two of D1, by a.example both"},
                {3, "10.0.0.3", "b.example", D1, APT, HIGH, "", "three of D1"},
                {4, "10.0.0.4", "c.example", D1, APT, HIGH, "destination 4 73", "by three names"},
        };
        static const struct step rule[] = {
                {100000, "10.0.0.1", "a.example", D1, VAR, HIGH, "", "one"},
                {100001, "10.0.0.2", "b.example", D1, VAR, HIGH, "destination 2 73", "two"},
                {100002, "10.0.0.3", "c.example", D2, VAR, HIGH, "", "three"},
                {100003, "10.0.0.3", "c.example", D1, VAR, HIGH, "", "three of D1 now"},
                {100004, "10.0.0.4", "d.example", D1, VAR, HIGH, "destination 4 73", "and rule 4"},
        };

        expect(steps, ROWS(steps));
        expect(rule, ROWS(rule));
}

Test(outbreak, a_rule_alone_asks_for_four_and_counts_no_weak_match)
{
        static const struct step steps[] = {
                {0, "10.0.0.1", "a.example", D1, APT, HIGH, "", "one"},
                {1, "10.0.0.2", "b.example", D2, APT, HIGH, "", "two"},
                {2, "10.0.0.3", "c.example", D3, APT, LOW, "", "weak"},
                {3, "10.0.0.4", "d.example", D4, APT, MEDIUM, "", "three"},
                {4, "10.0.0.5", "e.example", "198.51.100.5", VAR, HIGH, "", "another rule"},
                {5, "10.0.0.6", "f.example", "198.51.100.6", APT, HIGH, "rule 4 47",
                 "four; only three reach 73"},
        };

        expect(steps, ROWS(steps));
}

Test(outbreak, numbers_are_told_as_they_double)
{
        end();
        make_outbreak(1024);
        for (unsigned i = 1; i <= 200; i++) {
                char client[32], expected[32] = "";
                struct step step = {i, client, "a.example", D1, APT, HIGH, expected, "doubled"};

                snprintf(client, sizeof client, "10.1.0.%u", i);
                if (i > 1 && (i & (i - 1)) == 0)
                        snprintf(expected, sizeof expected, "name %u 73", i);
                expect(&step, 1);
        }
        cr_expect_eq(found->count, 128);
        cr_expect_eq(found->client_count, 64, "so many are listed");
        cr_expect_eq(pt_address_low32(&found->clients[0]), 0x0a010080);
        cr_expect_eq(pt_address_low32(&found->clients[63]), 0x0a010041);
}

/* Room for eight pairs, and for one thing in common. */
Test(outbreak, what_gives_way_is_counted)
{
        static const struct step steps[] = {
                {0, "10.0.0.1", "a.example", D1, APT, LOW, "", "its name gives way to D1"},
                {1, "10.0.0.2", "a.example", D1, APT, LOW, "", "so nobody is with it"},
        };

        end();
        make_outbreak(8);
        expect(steps, 1);
        cr_expect_eq(counters.value[PT_COUNT_OUTBREAK_EVICTED], 1);
        expect(steps + 1, 1);
        cr_expect_eq(counters.value[PT_COUNT_OUTBREAK_EVICTED], 3);
}

Test(outbreak, a_flood_of_clients_takes_no_more_than_the_room)
{
        for (unsigned i = 0; i < 3000; i++) {
                char client[32];
                struct step step = {i * 0.01, client, "a.example", D1, APT, HIGH, "", ""};

                snprintf(client, sizeof client, "10.1.%u.%u", i / 256, i % 256);
                add(&step);
        }
        cr_expect_eq(found->count, 64, "256 pairs are 85 clients with three things in common");
        cr_expect_gt(counters.value[PT_COUNT_OUTBREAK_EVICTED], 8000);
}

Test(outbreak, a_day_is_24_hours_of_silence_of_a_client)
{
        static const struct step steps[] = {
                {0, "10.0.0.1", "a.example", D1, APT, HIGH, "", "one"},
                {86400.000001, "10.0.0.2", "a.example", D1, APT, HIGH, "", "the first is too old"},
                {172800.000001, "10.0.0.3", "a.example", D1, APT, HIGH, "name 2 73",
                 "the second is exactly a day old"},
                {172801, "10.0.0.4", "a.example", D1, APT, HIGH, "", "two of three are left"},
                {300000, "10.0.0.5", "a.example", D1, APT, HIGH, "", "nothing is left"},
                {300001, "10.0.0.6", "a.example", D1, APT, HIGH, "name 2 73", "a new one"},
        };

        expect(steps, ROWS(steps));
}

/* Clients that go on are not new again on the next day: repeats over days stay repeats. */
Test(outbreak, what_goes_on_is_told_once)
{
        for (unsigned hour = 0; hour < 24 * 7; hour++) {
                struct step one = {hour * 3600, "10.0.0.1", "a.example", D1, APT, HIGH, "", ""};
                struct step two = {hour * 3600 + 60,        "10.0.0.2", "a.example", D1, APT, HIGH,
                                   hour ? "" : "name 2 73", "once"};

                expect(&one, 1);
                expect(&two, 1);
        }
        cr_expect_eq(counters.value[PT_COUNT_OUTBREAK_EVICTED], 0);
}

/* ---- by packets ---- */

static struct bed bed;

Test(outbreak, clients_that_are_told_each_are_told_together_too)
{
        bed_init(&bed);
        bed_begin(&bed);
        bed_ask(&bed, 0, "10.0.0.1", "a.example", "198.51.100.23");
        bed_ask(&bed, 0, "10.0.0.2", "a.example", "198.51.100.23");
        bed_syn(&bed, 1, "10.0.0.1", "198.51.100.23", 10198);
        bed_syn(&bed, 2, "10.0.0.2", "198.51.100.23", 10198);
        bed_syn(&bed, 3, "10.0.0.2", "198.51.100.23", 10198);
        cr_expect_str_eq(bed_finish(&bed),
                         "alert apt12 dns_confirmed 73 10.0.0.1>198.51.100.23:10198 from "
                         "198.51.100.23 a.example asked\n"
                         "alert apt12 dns_confirmed 73 10.0.0.2>198.51.100.23:10198 from "
                         "198.51.100.23 a.example asked\n"
                         "campaign name 2 dns_confirmed 73 10.0.0.2,10.0.0.1 names=a.example\n"
                         "repeats apt12 10.0.0.2>198.51.100.23:10198 pending=1\n");
        cr_expect_eq(bed_count(&bed, PT_COUNT_ALERT_GENERATED), 3);
        bed_end(&bed);
}

/* What no answer was seen for has no name in common, and a port alone is no evidence. */
Test(outbreak, without_dns_evidence_there_is_none)
{
        bed_init(&bed);
        bed_begin(&bed);
        for (unsigned i = 1; i <= 5; i++) {
                char client[32];

                snprintf(client, sizeof client, "10.0.0.%u", i);
                bed_syn(&bed, i, client, "198.51.100.23", 10198);
        }
        cr_expect_null(strstr(bed_finish(&bed), "campaign"));
        bed_end(&bed);
}

/* A host with an IPv4 and an IPv6 address is one client, by the address that came first (4.11). */
Test(outbreak, twins_are_one_client)
{
        static const struct step steps[] = {
                {0, "10.0.0.1", "a.example", "198.51.100.1", APT, 73, "", "the first", "fd00::1"},
                {1, "fd00::1", "a.example", "198.51.100.1", APT, 73, "", "it again", "10.0.0.1"},
                {2, "10.0.0.1", "a.example", "198.51.100.1", APT, 73, "", "and again", "fd00::1"},
                {3, "10.0.0.2", "a.example", "198.51.100.1", APT, 73, "name 2 73", "another",
                 "fd00::2"},
        };

        expect(steps, ROWS(steps));
        cr_assert_eq(found->client_count, 2);
}
