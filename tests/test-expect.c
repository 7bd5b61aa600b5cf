#include "bed.h"

#include <criterion/criterion.h>

#include "engine/expect.h"

/* What is expected of answers. The arithmetic stands beside; the second formula is in variant.json.
 */

#define CLIENT "10.0.0.1"
#define A "198.51.100.23"  /* apt12: 198 * 51 + 100 = 10198 */
#define C "52.231.114.183" /* apt12: 52 * 231 + 114 = 12126 */
#define S "132.198.176.65" /* swap16: 176.65.132.198; apt12: 132 * 198 + 176 = 26312 */
#define P "10.100.3.4"     /* apt12: 10 * 100 + 3 = 1003, below the band */
#define Q "10.200.30.4"    /* the same that is private, with a port in the wide rule below */
#define H "240.33.160.9"   /* apt12: 240 * 33 + 160 = 8080, excluded */

#define BAND                                                               \
        "\"limits\":{\"ports\":[\"4096-49151\"],\"exclude_ports\":[8080]," \
        "\"exclude_destinations\":[\"10.0.0.0/8\"]}"

static struct bed bed;

static void begin_with(const char *const *texts, size_t count)
{
        struct pt_rules_builder *builder;
        struct pt_rule_error error;

        cr_assert_eq(pt_rules_builder_new(&builder), 0);
        for (size_t i = 0; i < count; i++)
                cr_assert_eq(pt_rules_add(builder, "t", texts[i], strlen(texts[i]), &error), 0,
                             "%s", error.sentence);
        cr_assert_eq(pt_rules_finish(builder, &bed.rules), 0);
        pt_rules_builder_free(builder);
        bed.settings.expectation_events = true;
        bed_begin(&bed);
}

static void begin(void)
{
        static const char *const rules[] = {
                "{\"id\":\"apt12\",\"name\":\"n\",\"port\":\"o1*o2+o3\"," BAND "}"};

        begin_with(rules, 1);
}

static void setup(void)
{
        bed_init(&bed);
}

static void end(void)
{
        bed_end(&bed);
}

TestSuite(expect, .init = setup, .fini = end);

Test(expect, the_address_itself_and_any_other)
{
        begin();
        bed_ask(&bed, 0, CLIENT, "a.example", A "/60");
        cr_expect_str_eq(bed_told(&bed), "expect apt12 same_address 10.0.0.1>198.51.100.23:10198"
                                         " from 198.51.100.23 a.example 0-600\n"
                                         "expect apt12 other_address 10.0.0.1>*:10198"
                                         " from 198.51.100.23 a.example 0-60\n");
        cr_expect_eq(bed_count(&bed, PT_COUNT_EXPECTATION_TOLD), 2);
}

Test(expect, nothing_unless_asked_for)
{
        begin();
        bed.engine->settings.expectation_events = false;
        bed_ask(&bed, 0, CLIENT, "a.example", A);
        cr_expect_str_eq(bed_told(&bed), "");
}

Test(expect, as_long_as_the_answer_counts)
{
        static const struct {
                const char *records;
                const char *until; /* of same_address: window 600 s, max_window 3600 s (4.7) */
        } rows[] = {{A "/0", " 0-600\n"},
                    {A "/601", " 0-601\n"},
                    {A "/3600", " 0-3600\n"},
                    {A "/4294967295", " 0-3600\n"}};

        for (size_t i = 0; i < ROWS(rows); i++) {
                setup();
                begin();
                bed_ask(&bed, 0, CLIENT, "a.example", rows[i].records);
                cr_expect(strstr(bed_told(&bed), rows[i].until), "%s", rows[i].records);
                if (i + 1 < ROWS(rows))
                        end();
        }
}

Test(expect, what_the_limits_drop_is_not_expected)
{
        begin();
        bed_ask(&bed, 0, CLIENT, "a.example", P " " H " 2001:db8::1");
        cr_expect_str_eq(bed_told(&bed), "");
}

/* APT12's second name may point anywhere: the port counts, the address is no destination. */
Test(expect, a_private_address_gives_a_port_for_other_destinations)
{
        static const char *const rules[] = {"{\"id\":\"low\",\"name\":\"n\",\"port\":\"o1*o2+o3\","
                                            "\"limits\":{\"ports\":[\"1-4095\"],"
                                            "\"exclude_destinations\":[\"10.0.0.0/8\"]}}"};

        begin_with(rules, 1);
        bed_ask(&bed, 0, CLIENT, "a.example", Q); /* 10 * 200 + 30 = 2030 */
        cr_expect_str_eq(bed_told(&bed), "expect low other_address 10.0.0.1>*:2030"
                                         " from 10.200.30.4 a.example 0-60\n");
}

Test(expect, in_a_laboratory_private_destinations_too)
{
        static const char *const rules[] = {"{\"id\":\"low\",\"name\":\"n\",\"port\":\"o1*o2+o3\","
                                            "\"limits\":{\"ports\":[\"1-4095\"],"
                                            "\"exclude_destinations\":[\"10.0.0.0/8\"]}}"};

        bed.settings.lab = true;
        begin_with(rules, 1);
        bed_ask(&bed, 0, CLIENT, "a.example", Q);
        cr_expect(strstr(bed_told(&bed), "same_address 10.0.0.1>10.200.30.4:2030"));
}

Test(expect, two_names_make_exact_pairs)
{
        begin();
        bed_ask(&bed, 0, CLIENT, "a.example", A);
        bed_told(&bed);
        bed_ask(&bed, 10, CLIENT, "c.example", C);
        cr_expect_str_eq(bed_told(&bed), "expect apt12 same_address 10.0.0.1>52.231.114.183:12126"
                                         " from 52.231.114.183 c.example 10-610\n"
                                         "expect apt12 other_address 10.0.0.1>*:12126"
                                         " from 52.231.114.183 c.example 10-70\n"
                                         "expect apt12 pair 10.0.0.1>198.51.100.23:12126"
                                         " from 52.231.114.183 c.example 10-70\n"
                                         "expect apt12 pair 10.0.0.1>52.231.114.183:10198"
                                         " from 198.51.100.23 a.example 10-60\n");
}

Test(expect, no_pair_with_what_was_given_before_the_cross_window)
{
        begin();
        bed_ask(&bed, 0, CLIENT, "a.example", A);
        bed_ask(&bed, 60.001, CLIENT, "c.example", C);
        cr_expect(!strstr(bed_told(&bed), " pair "));
}

Test(expect, no_pairs_for_a_client_with_many_addresses)
{
        /* apt12 of 203.o2.113.9: 203 * o2 + 113 >= 4096 from o2 = 20 on */
        static const char few[] = "203.21.113.9 203.22.113.9 203.23.113.9 203.24.113.9"
                                  " 203.25.113.9 203.26.113.9 203.27.113.9 203.28.113.9";

        begin();
        bed_ask(&bed, 0, CLIENT, "a.example", few);
        bed_told(&bed);
        /* 8 for the address itself, 8 for others, 8 * 7 pairs */
        cr_expect_eq(bed_count(&bed, PT_COUNT_EXPECTATION_TOLD), 8 + 8 + 56);
        bed_ask(&bed, 1, CLIENT, "c.example", C);
        cr_expect(!strstr(bed_told(&bed), " pair "));
        cr_expect_eq(bed_count(&bed, PT_COUNT_EXPECTATION_SKIPPED), 0);
}

Test(expect, pairs_of_one_answer_are_bounded)
{
        static const char *const rules[] = {
                "{\"id\":\"one\",\"name\":\"n\",\"port\":\"o1*o2+o3\"," BAND "}",
                "{\"id\":\"two\",\"name\":\"n\",\"port\":\"o1*o2+o3\"," BAND "}"};

        begin_with(rules, 2);
        bed_ask(&bed, 0, CLIENT, "a.example",
                "203.21.113.9 203.22.113.9 203.23.113.9 203.24.113.9"
                " 203.25.113.9 203.26.113.9 203.27.113.9 203.28.113.9");
        /* two rules: 32 for single addresses, 64 of 112 pairs */
        cr_expect_eq(bed_count(&bed, PT_COUNT_EXPECTATION_TOLD), 32 + PT_EXPECT_PAIRS);
        cr_expect_eq(bed_count(&bed, PT_COUNT_EXPECTATION_SKIPPED), 112 - PT_EXPECT_PAIRS);
}

Test(expect, all_of_one_answer_is_bounded)
{
        static char records[65536];
        size_t length = 0;

        for (unsigned i = 0; i < 1100; i++)
                length += (size_t)snprintf(records + length, sizeof records - length,
                                           "%s203.%u.113.%u", i ? " " : "", 21 + i / 200,
                                           1 + i % 200);
        begin();
        bed_ask(&bed, 0, CLIENT, "a.example", records);
        /* 1100 for the addresses themselves, and 6 elsewhere: they are in six /24s */
        cr_expect_eq(bed_count(&bed, PT_COUNT_EXPECTATION_TOLD), PT_EXPECT_MOST);
        cr_expect_eq(bed_count(&bed, PT_COUNT_EXPECTATION_SKIPPED), 1106 - PT_EXPECT_MOST);
        cr_expect_eq(bed_count(&bed, PT_COUNT_EXPECTATION_REPEATS), 1100 - 6);
        bed_told(&bed);
        /* what was too many is told the next time */
        bed_ask(&bed, 1, CLIENT, "a.example", records);
        cr_expect_eq(bed_count(&bed, PT_COUNT_EXPECTATION_TOLD), 1106);
}

Test(expect, again_when_half_of_its_time_has_passed)
{
        static const struct {
                double seconds;
                const char *told;
        } rows[] = {
                {29.999, ""},
                {30, "expect apt12 other_address 10.0.0.1>*:10198"
                     " from 198.51.100.23 a.example 30-90\n"},
                {59.999, ""},
                {299.999, "expect apt12 other_address 10.0.0.1>*:10198"
                          " from 198.51.100.23 a.example 299.999-359.999\n"},
                {300, "expect apt12 same_address 10.0.0.1>198.51.100.23:10198"
                      " from 198.51.100.23 a.example 300-900\n"},
        };

        begin();
        bed_ask(&bed, 0, CLIENT, "a.example", A);
        bed_told(&bed);
        for (size_t i = 0; i < ROWS(rows); i++) {
                bed_ask(&bed, rows[i].seconds, CLIENT, "a.example", A);
                cr_expect_str_eq(bed_told(&bed), rows[i].told, "at %g", rows[i].seconds);
        }
        cr_expect_eq(bed_count(&bed, PT_COUNT_EXPECTATION_REPEATS), 2 + 1 + 2 + 1 + 1);
}

Test(expect, another_client_has_its_own)
{
        begin();
        bed_ask(&bed, 0, CLIENT, "a.example", A);
        bed_ask(&bed, 1, "10.0.0.2", "a.example", A);
        cr_expect_eq(bed_count(&bed, PT_COUNT_EXPECTATION_TOLD), 4);
}

Test(expect, a_calculated_address_on_any_port)
{
        static const char *const rules[] = {
                "{\"id\":\"swap16\",\"name\":\"n\",\"address\":\"swap16(addr)\","
                "\"limits\":{\"exclude_destinations\":[\"176.66.0.0/16\"]}}"};

        begin_with(rules, 1);
        bed_ask(&bed, 0, CLIENT, "a.example", S);
        cr_expect_str_eq(bed_told(&bed), "expect swap16 calculated_address 10.0.0.1>176.65.132.198"
                                         " from 132.198.176.65 a.example 0-600\n");
        bed_ask(&bed, 1, CLIENT, "a.example", "8.8.8.8");        /* gives itself */
        bed_ask(&bed, 1, CLIENT, "a.example", "9.9.10.1");       /* 10.1.9.9 is private */
        bed_ask(&bed, 1, CLIENT, "a.example", "9.9.176.66");     /* excluded by the rule */
        bed_ask(&bed, 1, CLIENT, "a.example", "176.65.132.198"); /* its result was given */
        cr_expect_str_eq(bed_told(&bed), "");
}

Test(expect, a_calculated_address_with_a_port)
{
        static const char *const rules[] = {"{\"id\":\"both\",\"name\":\"n\",\"address\":\"swap16("
                                            "addr)\",\"port\":\"o1*o2+o3\"," BAND "}"};

        begin_with(rules, 1);
        bed_ask(&bed, 0, CLIENT, "a.example", S);
        cr_expect_str_eq(bed_told(&bed),
                         "expect both calculated_address 10.0.0.1>176.65.132.198:26312"
                         " from 132.198.176.65 a.example 0-600\n");
        bed_ask(&bed, 1, CLIENT, "a.example", P); /* its port is outside the limits */
        cr_expect_str_eq(bed_told(&bed), "");
}

Test(expect, ipv4_inside_ipv6_counts_as_it)
{
        begin();
        bed_ask(&bed, 0, CLIENT, "a.example", "64:ff9b::c633:6417"); /* 198.51.100.23 */
        cr_expect(strstr(bed_told(&bed), "same_address 10.0.0.1>64:ff9b::c633:6417:10198"
                                         " from 198.51.100.23 "));
        bed_ask(&bed, 1, CLIENT, "c.example", C);
        cr_expect(strstr(bed_told(&bed), "pair 10.0.0.1>64:ff9b::c633:6417:12126"
                                         " from 52.231.114.183 "));
}

/* Whoever floods the table makes the sensor repeat itself, and no expectation is lost. */
Test(expect, a_full_table_forgets_the_oldest)
{
        char name[32], record[32];

        begin();
        bed_ask(&bed, 0, CLIENT, "a.example", A);
        for (unsigned i = 0; i < 6000; i++) {
                snprintf(name, sizeof name, "n%u.example", i);
                snprintf(record, sizeof record, "203.%u.%u.9", 21 + i / 200, i % 200);
                bed_ask(&bed, 1 + i * 0.001, CLIENT, name, record);
                bed_told(&bed);
        }
        bed_ask(&bed, 8, CLIENT, "a.example", A);
        cr_expect(strstr(bed_told(&bed), "same_address 10.0.0.1>198.51.100.23:10198"));
}
