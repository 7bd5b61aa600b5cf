/*
 * selftest: it passes where an alert gets out, and fails where one does not: each way by itself.
 */
#include "../sensor/selftest.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../sensor/output.h"
#include "make.h"

static char path[] = "/tmp/test-selftest-XXXXXX";
static struct pt_observer observer = {.name = "sensor", .version = "1", .test = true};
static struct pt_settings settings;
static FILE *said;

static void begin(void)
{
        close(mkstemp(path));
        said = tmpfile();
        fflush(stderr);
        dup2(fileno(said), STDERR_FILENO);
        pt_settings_default(&settings);
}

static void end(void)
{
        unlink(path);
}

TestSuite(selftest, .init = begin, .fini = end);

static bool run_test(const char *destination, struct pt_rules *rules, struct pt_allow *allow)
{
        char *list[] = {(char *)(uintptr_t)destination, NULL}, sentence[PT_OPTION_SENTENCE];
        const struct pt_texts destinations = {list, 1};
        const struct pt_output_settings out = {.destinations = &destinations,
                                               .format = PT_FORMAT_ECS,
                                               .observer = &observer,
                                               .live = true};
        struct pt_selftest test = {.settings = &settings,
                                   .rules = rules,
                                   .allow = allow,
                                   .now = INT64_C(1795500000000000000)};
        bool passed;

        cr_assert_eq(pt_output_open(&out, &test.output, sentence), 0, "%s", sentence);
        passed = pt_selftest(&test);
        pt_output_free(test.output);
        return passed;
}

static const char *text_of(FILE *file)
{
        static char text[65536];

        fflush(stderr);
        rewind(file);
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        return text;
}

static unsigned count_in_file(const char *words)
{
        FILE *file = fopen(path, "r");
        unsigned count = 0;

        for (const char *p = text_of(file); (p = strstr(p, words)); p++)
                count++;
        fclose(file);
        return count;
}

/* One alert of a port rule and one of an address rule, both marked. */
Test(selftest, an_alert_of_each_kind_gets_out)
{
        static const char *const texts[] = {APT12, SWAP16};
        struct pt_rules *rules = make_rules(texts, 2);

        cr_expect(run_test(path, rules, NULL));
        cr_expect(strstr(text_of(said), "self-test passed"));
        cr_expect_eq(count_in_file("\"kind\":\"alert\""), 2);
        cr_expect_eq(count_in_file("\"id\":\"apt12\""), 1);
        cr_expect_eq(count_in_file("\"id\":\"swap16\""), 1);
        cr_expect_eq(count_in_file("\"tags\":[\"portent_self_test\""), 2, "they are marked");
        pt_rules_free(rules);
}

/* An output that nobody reads is no output. */
Test(selftest, nobody_takes_it)
{
        static const char *const texts[] = {APT12};
        struct pt_rules *rules = make_rules(texts, 1);

        cr_expect_not(run_test("unix:/nonexistent/reader", rules, NULL));
        cr_expect(strstr(text_of(said), "output unix:/nonexistent/reader: 1 lines "));
        cr_expect(strstr(text_of(said), "self-test failed: see the outputs above"));
        pt_rules_free(rules);
}

Test(selftest, there_are_no_rules)
{
        struct pt_rules *rules = make_rules(NULL, 0);

        cr_expect_not(run_test(path, rules, NULL));
        cr_expect(strstr(text_of(said), "self-test: there are no rules"));
        cr_expect(strstr(text_of(said), "self-test failed: see the rules above"));
        pt_rules_free(rules);
}

/* A list that has everything lets no alert through; one that has some is gone around. */
Test(selftest, an_allow_list)
{
        static const char *const texts[] = {APT12};
        static const struct {
                enum pt_allow_list list;
                const char *text;
                bool passes;
        } rows[] = {
                {PT_ALLOW_CLIENTS, "192.0.2.0/24\n", true},
                {PT_ALLOW_DESTINATIONS, "198.51.100.0/24\n203.0.113.0/24\n", true},
                {PT_ALLOW_PORTS, "4096-49151\n", false},
                {PT_ALLOW_NAMES, "*.invalid\n", false},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_rules *rules = make_rules(texts, 1);
                struct pt_allow_builder *builder;
                struct pt_rule_error error;
                struct pt_allow *allow;

                cr_assert_eq(pt_allow_builder_new(&builder), 0);
                cr_assert_eq(pt_allow_add(builder, rows[i].list, "list", rows[i].text,
                                          strlen(rows[i].text), &error),
                             0);
                cr_assert_eq(pt_allow_finish(builder, NULL, &allow), 0);
                cr_expect_eq(run_test(path, rules, allow), rows[i].passes, "%s: %s", rows[i].text,
                             text_of(said));
                pt_allow_free(allow);
                pt_allow_builder_free(builder);
                pt_rules_free(rules);
        }
        cr_expect(strstr(text_of(said), "is there an allow list that has them?"));
}
