#include "rule/limit.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

static struct pt_limit *read_limit(const char *text)
{
        struct pt_limit *limit = pt_limit_new();
        struct pt_strict_error error;
        struct pt_strict s;
        json_t *json;

        cr_assert_not_null(limit);
        cr_assert_eq(pt_strict_parse(&s, text, strlen(text), &error, &json), 0, "%s", text);
        cr_assert_eq(pt_limit_read(&s, json, limit), 0, "%s: %s", text, error.sentence);
        json_decref(json);
        return limit;
}

Test(limit, admits_the_ports_that_it_says)
{
        static const struct {
                const char *text;
                unsigned count;
                uint16_t admitted[4];
                uint16_t refused[4]; /* 0 is refused always, so it pads */
        } rows[] = {
                {"{}", 65535, {1, 80, 32768, 65535}, {0}},
                {"{\"ports\": [80]}", 1, {80, 80, 80, 80}, {79, 81, 1, 65535}},
                {"{\"ports\": [\"80\"]}", 1, {80, 80, 80, 80}, {79, 81, 1, 65535}},
                {"{\"ports\": [\"80-80\"]}", 1, {80, 80, 80, 80}, {79, 81, 1, 65535}},
                {"{\"ports\": [1, \"65535\"]}", 2, {1, 65535, 1, 1}, {2, 65534, 0, 0}},
                {"{\"ports\": [\"1-65535\"]}", 65535, {1, 64, 65, 65535}, {0}},
                {"{\"ports\": [\"63-64\", \"127-129\"]}",
                 5,
                 {63, 64, 127, 129},
                 {62, 65, 126, 130}},
                /* overlapping ones count once */
                {"{\"ports\": [\"10-20\", \"15-25\", 12]}", 16, {10, 20, 21, 25}, {9, 26, 0, 0}},
                /* the published query's: 45056 less the eleven */
                {"{\"ports\": [\"4096-49151\"], \"exclude_ports\": [8080, 8443, 8000, 8888, 9090, "
                 "9200, 9300, 9418, 27017, 27018, 28017]}",
                 45045,
                 {4096, 49151, 8081, 27019},
                 {4095, 49152, 8080, 28017}},
                /* exclusions stand wherever they are written, and outside the ports too */
                {"{\"exclude_ports\": [\"1-1023\", 5], \"ports\": [\"1000-2000\"]}",
                 977,
                 {1024, 1025, 1999, 2000},
                 {999, 1000, 1023, 2001}},
                {"{\"exclude_ports\": []}", 65535, {1, 2, 3, 4}, {0}},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_limit *limit = read_limit(rows[i].text);

                cr_expect_eq(pt_limit_count(limit), rows[i].count, "%s: %u", rows[i].text,
                             pt_limit_count(limit));
                for (size_t k = 0; k < 4; k++) {
                        cr_expect(pt_limit_admit(limit, rows[i].admitted[k]), "%s", rows[i].text);
                        cr_expect_not(pt_limit_admit(limit, rows[i].refused[k]), "%s",
                                      rows[i].text);
                }
                pt_limit_free(limit);
        }
}

static bool same(const char *a, const char *b)
{
        struct pt_limit *p = read_limit(a), *q = read_limit(b);
        bool r = pt_limit_same_excluded(p, q);

        pt_limit_free(p);
        pt_limit_free(q);
        return r;
}

/* Lists that exclude the same, written in any order, are one zone for a set of rules. */
Test(limit, lists_of_destinations_are_the_same_in_any_order)
{
        static const char *const all[] = {
                "{}",
                "{\"exclude_destinations\": [\"10.0.0.0/8\"]}",
                "{\"exclude_destinations\": [\"10.0.0.0/9\"]}",
                "{\"exclude_destinations\": [\"10.0.0.0/8\", \"fc00::/7\"]}",
                "{\"exclude_destinations\": [\"10.0.0.0/8\", \"fc00::/7\", \"192.0.2.1\"]}",
        };

        cr_expect(same("{\"exclude_destinations\": []}", all[0]));
        cr_expect(same("{\"exclude_destinations\": [\"fc00::/7\", \"10.0.0.0/8\"]}", all[3]));
        cr_expect(same("{\"exclude_destinations\": [\"10.0.0.0/8\", \"fc00::/7\", \"10.0.0.0/8\"]}",
                       all[3]));
        cr_expect(same("{\"exclude_destinations\": [\"192.0.2.1/32\", \"FC00::/7\", "
                       "\"10.0.0.0/8\"], \"ports\": [80]}",
                       all[4]));
        for (size_t i = 0; i < ROWS(all); i++) {
                for (size_t k = 0; k < ROWS(all); k++)
                        cr_expect_eq(same(all[i], all[k]), i == k, "%s and %s", all[i], all[k]);
        }
}

Test(limit, freeing_takes_nothing)
{
        cr_expect_null(pt_limit_free(NULL));
}
