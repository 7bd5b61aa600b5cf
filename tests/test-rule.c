#include "rule/rule.h"

#include "rule/limit.h"
#include "tree.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])
#define IPV4(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))

static char *read_file(const char *path, size_t *ret_length)
{
        FILE *file = fopen(path, "rb");
        char *text = malloc(1 << 20);

        cr_assert(file && text, "%s", path);
        *ret_length = fread(text, 1, 1 << 20, file);
        fclose(file);
        return text;
}

static struct pt_rules_builder *new_builder(void)
{
        struct pt_rules_builder *builder = NULL;

        cr_assert_eq(pt_rules_builder_new(&builder), 0);
        return builder;
}

static int add(struct pt_rules_builder *builder, const char *file, const char *text,
               struct pt_rule_error *error)
{
        memset(error, 0, sizeof *error);
        return pt_rules_add(builder, file, text, strlen(text), error);
}

static struct pt_rule *read_rule(const char *text)
{
        struct pt_rule_error error;
        struct pt_rule *rule = NULL;

        cr_assert_eq(pt_rule_read("a.json", text, strlen(text), &rule, &error), 0, "%u:%u: %s",
                     error.line, error.column, error.sentence);
        return rule;
}

/* All keys, with comments at every level. */
static const char full[] =
        "{\"#\": \"a comment\", \"id\": \"my.rule-1_x\", \"name\": \"My rule\", \"#x\": [{}],"
        "\"description\": \"One line.\\nAnother.\", \"version\": \"7\","
        "\"author\": [\"A\", \"B \\u00e9\"], \"category\": \"Command and Control\","
        "\"ruleset\": \"mine\", \"license\": \"Apache-2.0\", \"reference\": "
        "\"https://example.org/\","
        "\"references\": [\"a report\"], \"false_positives\": [\"luck\", \"more luck\"],"
        "\"port\": \"o1 + 1024\", \"address\": \"swap16(addr)\","
        "\"limits\": {\"#\": 1, \"ports\": [\"1024-2047\"], \"exclude_ports\": [2000],"
        "             \"exclude_destinations\": [\"10.0.0.0/8\"]},"
        "\"threat\": {\"#\": 1,"
        "  \"tactic\": {\"#\": 1, \"id\": \"TA0011\", \"name\": \"C2\", \"reference\": "
        "\"https://a/\"},"
        "  \"technique\": {\"id\": \"T1568\", \"name\": \"DR\", \"reference\": \"http://b/\"},"
        "  \"subtechnique\": {\"id\": \"T1568.003\", \"name\": \"DC\", \"reference\": "
        "\"http://c/\"}},"
        "\"vectors\": [{\"#\": 1, \"address\": \"9.8.7.6\", \"port\": 1033, \"result\": "
        "\"7.6.9.8\"},"
        "              {\"address\": \"0.0.0.0\", \"port\": 1024}]}";

Test(rule, every_key_is_kept)
{
        struct pt_rule *rule = read_rule(full);

        cr_expect_str_eq(rule->file, "a.json");
        cr_expect_str_eq(rule->id, "my.rule-1_x");
        cr_expect_str_eq(rule->name, "My rule");
        cr_expect_str_eq(rule->description, "One line.\nAnother.");
        cr_expect_str_eq(rule->version, "7");
        cr_expect_str_eq(rule->authors[0], "A");
        cr_expect_str_eq(rule->authors[1], "B \xc3\xa9");
        cr_expect_null(rule->authors[2]);
        cr_expect_str_eq(rule->category, "Command and Control");
        cr_expect_str_eq(rule->ruleset, "mine");
        cr_expect_str_eq(rule->license, "Apache-2.0");
        cr_expect_str_eq(rule->reference, "https://example.org/");
        cr_expect_str_eq(rule->references[0], "a report");
        cr_expect_null(rule->references[1]);
        cr_expect_str_eq(rule->false_positives[1], "more luck");
        cr_expect_null(rule->false_positives[2]);
        cr_expect_str_eq(rule->port_text, "o1 + 1024");
        cr_expect_str_eq(rule->address_text, "swap16(addr)");
        cr_expect_str_eq(rule->tactic_id, "TA0011");
        cr_expect_str_eq(rule->tactic_name, "C2");
        cr_expect_str_eq(rule->tactic_reference, "https://a/");
        cr_expect_str_eq(rule->technique_id, "T1568");
        cr_expect_str_eq(rule->technique_name, "DR");
        cr_expect_str_eq(rule->technique_reference, "http://b/");
        cr_expect_str_eq(rule->subtechnique_id, "T1568.003");
        cr_expect_str_eq(rule->subtechnique_name, "DC");
        cr_expect_str_eq(rule->subtechnique_reference, "http://c/");
        cr_expect_eq(rule->ports_admitted, 1023);
        cr_expect_eq(rule->vector_count, 2);
        cr_expect_eq(rule->vectors[0].address, IPV4(9, 8, 7, 6));
        cr_expect(rule->vectors[0].has_port && rule->vectors[0].has_result);
        cr_expect_eq(rule->vectors[0].port, 1033);
        cr_expect_eq(rule->vectors[0].result, IPV4(7, 6, 9, 8));
        cr_expect(rule->vectors[1].has_port && !rule->vectors[1].has_result);
        pt_rule_free(rule);
}

Test(rule, what_the_file_does_not_say_is_absent)
{
        struct pt_rule *rule =
                read_rule("{\"id\":\"0\",\"name\":\"n\",\"port\":\"o1\","
                          "\"author\":[],\"vectors\":[],\"threat\":{},\"limits\":{}}");

        cr_expect_str_eq(rule->version, "1");
        cr_expect_null(rule->description);
        cr_expect_null(rule->authors);
        cr_expect_null(rule->references);
        cr_expect_null(rule->category);
        cr_expect_null(rule->tactic_id);
        cr_expect_null(rule->address);
        cr_expect_null(rule->address_text);
        cr_expect_not_null(rule->port);
        cr_expect_eq(rule->vector_count, 0);
        cr_expect_eq(rule->ports_admitted, 65535, "all but 0");
        pt_rule_free(rule);
        cr_expect_null(pt_rule_free(NULL));
}

Test(rule, limits_say_why)
{
        struct pt_rule *rule = read_rule(full);

        cr_expect_eq(pt_rule_limit_port(rule, 1024), PT_RULE_ADMITTED);
        cr_expect_eq(pt_rule_limit_port(rule, 2047), PT_RULE_ADMITTED);
        cr_expect_eq(pt_rule_limit_port(rule, 2000), PT_RULE_EXCLUDED);
        cr_expect_eq(pt_rule_limit_port(rule, 2048), PT_RULE_OUTSIDE);
        cr_expect_eq(pt_rule_limit_port(rule, 0), PT_RULE_OUTSIDE);
        pt_rule_free(rule);
}

/* Design section 3: a result above 65535 is no port, 0 is none, and no value is no match. */
Test(rule, a_result_out_of_range_is_none)
{
        static const struct {
                const char *text;
                bool has_port, has_address;
                uint16_t port;
                uint32_t address;
        } rows[] = {
                {"65535", true, true, 65535, 65535},
                {"65536", false, true, 0, 65536},
                {"0", false, true, 0, 0},
                {"1", true, true, 1, 1},
                {"0xffffffff", false, true, 0, 0xffffffff},
                {"0x100000000", false, false, 0, 0},
                {"0x100000001", false, false, 0, 0},
                {"1 / 0", false, false, 0, 0},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                char text[128];
                struct pt_rule *rule;
                uint16_t port = 0;
                uint32_t address = 0;

                snprintf(text, sizeof text,
                         "{\"id\":\"a\",\"name\":\"n\",\"port\":\"%s\",\"address\":\"%s\"}",
                         rows[i].text, rows[i].text);
                rule = read_rule(text);
                cr_expect_eq(pt_rule_port(rule, 1, &port), rows[i].has_port, "%s", rows[i].text);
                cr_expect_eq(port, rows[i].port, "%s", rows[i].text);
                cr_expect_eq(pt_rule_address(rule, 1, &address), rows[i].has_address);
                cr_expect_eq(address, rows[i].address, "%s", rows[i].text);
                pt_rule_free(rule);
        }
}

Test(rule, vectors_are_checked)
{
        static const struct {
                const char *rest; /* of a rule with port o1 * o2 / o3 and address addr << o4 */
                size_t number;
                const char *sentence;
        } rows[] = {
                {"{\"address\":\"10.6.5.0\",\"port\":12,\"result\":\"10.6.5.0\"}", 0, ""},
                {"{\"address\":\"10.6.0.0\",\"port\":null}", 0, ""},
                {"{\"address\":\"255.255.1.0\",\"port\":65025}", 0, ""},
                {"{\"address\":\"1.1.1.8\",\"result\":null}", 0, ""},
                {"{\"address\":\"0.0.0.1\",\"result\":\"0.0.0.2\"}", 0, ""},
                {"{\"address\":\"10.6.5.0\",\"port\":13}", 1,
                 "the port expression gives 12 for 10.6.5.0, and the vector says 13"},
                {"{\"address\":\"10.6.5.0\",\"port\":null}", 1,
                 "the port expression gives 12 for 10.6.5.0, and the vector says no value"},
                {"{\"address\":\"10.6.0.0\",\"port\":0}", 1,
                 "the port expression gives no value for 10.6.0.0, and the vector says 0"},
                {"{\"address\":\"10.6.5.0\",\"port\":12},"
                 "{\"address\":\"10.6.5.0\",\"result\":\"10.6.5.1\"}",
                 2,
                 "the address expression gives 10.6.5.0 for 10.6.5.0, and the vector says "
                 "10.6.5.1"},
                {"{\"address\":\"1.1.1.8\",\"result\":\"1.1.8.0\"}", 1,
                 "the address expression gives no value for 1.1.1.8, and the vector says 1.1.8.0"},
                {"{\"address\":\"0.0.0.1\",\"result\":null}", 1,
                 "the address expression gives 0.0.0.2 for 0.0.0.1, and the vector says no value"},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                char text[512], sentence[256] = "";
                struct pt_rule *rule;

                snprintf(text, sizeof text,
                         "{\"id\":\"a\",\"name\":\"n\",\"port\":\"o1 * o2 / o3\","
                         "\"address\":\"addr << o4\",\"vectors\":[%s]}",
                         rows[i].rest);
                rule = read_rule(text);
                cr_expect_eq(pt_rule_check_vectors(rule, sentence), rows[i].number, "%s",
                             rows[i].rest);
                cr_expect_str_eq(sentence, rows[i].sentence);
                pt_rule_free(rule);
        }
}

/* Each bad rule has a file NAME.expected beside it: "line:column: sentence". */
static void expect_refusal(const char *folder, const char *name)
{
        struct pt_rules_builder *builder = new_builder();
        struct pt_rule_error error;
        char path[4352], got[400];
        char *text, *expected;
        size_t length, expected_length;

        snprintf(path, sizeof path, "%s/%s", folder, name);
        text = read_file(path, &length);
        snprintf(path + strlen(path) - strlen(".json"), 16, ".expected");
        expected = read_file(path, &expected_length);

        cr_expect_eq(pt_rules_add(builder, name, text, length, &error), -EINVAL, "%s", name);
        snprintf(got, sizeof got, "%u:%u: %s\n", error.line, error.column, error.sentence);
        cr_expect(strlen(got) == expected_length && memcmp(got, expected, expected_length) == 0,
                  "%s: %s is expected, but there is %s", name, expected, got);
        cr_expect_str_eq(error.file, name);
        free(text);
        free(expected);
        pt_rules_builder_free(builder);
}

Test(rule, every_bad_rule_is_refused_with_its_sentence)
{
        char folder[4096];
        DIR *directory = opendir(tree_path("tests/bad/rules", folder));
        struct dirent *entry;
        unsigned count = 0;

        cr_assert_not_null(directory, "%s", folder);
        while ((entry = readdir(directory))) {
                const char *dot = strrchr(entry->d_name, '.');

                if (!dot || strcmp(dot, ".json") != 0)
                        continue;
                expect_refusal(folder, entry->d_name);
                count++;
        }
        closedir(directory);
        cr_expect_geq(count, 100);
}

Test(rule, errors_carry_path_and_file)
{
        struct pt_rules_builder *builder = new_builder();
        struct pt_rule_error error;
        char long_name[400];

        memset(long_name, 'd', sizeof long_name);
        snprintf(long_name + 380, 20, "/rule.json");
        cr_expect_eq(add(builder, long_name,
                         "{\"id\":\"a\",\"name\":\"n\",\"port\":\"o1\",\n"
                         "\"limits\":{\"ports\":[1,2,0]}}",
                         &error),
                     -EINVAL);
        cr_expect_str_eq(error.path, "limits.ports[2]");
        cr_expect_eq(strlen(error.file), 255);
        cr_expect_eq(strncmp(error.file, "...ddd", 6), 0);
        cr_expect_str_eq(error.file + 255 - strlen("/rule.json"), "/rule.json");
        pt_rules_builder_free(builder);
}

static const char *plain(char text[256], const char *id, const char *rest)
{
        snprintf(text, 256, "{\"id\":\"%s\",\"name\":\"n\",\"port\":\"o1\"%s}", id, rest);
        return text;
}

static struct pt_rules *finish(struct pt_rules_builder *builder)
{
        struct pt_rules *rules = NULL;

        cr_assert_eq(pt_rules_finish(builder, &rules), 0);
        return rules;
}

Test(rule, a_set_is_ordered_by_id)
{
        static const char *const ids[] = {"b", "a.b", "10", "a-b", "a", "9", "ab"};
        static const char *const ordered[] = {"10", "9", "a", "a-b", "a.b", "ab", "b"};
        struct pt_rules_builder *builder = new_builder();
        struct pt_rule_error error;
        struct pt_rules *rules;
        char text[256];

        for (size_t i = 0; i < ROWS(ids); i++)
                cr_assert_eq(add(builder, "f", plain(text, ids[i], ""), &error), 0);
        rules = finish(builder);
        cr_assert_eq(rules->count, ROWS(ordered));
        for (size_t i = 0; i < ROWS(ordered); i++) {
                cr_expect_str_eq(rules->list[i]->id, ordered[i]);
                cr_expect_eq(rules->list[i]->place, i);
        }
        pt_rules_free(rules);
        pt_rules_builder_free(builder);
}

/*
 * By hand: { printf %s "$a" | sha256sum | xxd -r -p; printf %s "$b" | sha256sum | xxd -r -p; } |
 * sha256sum
 */
#define HASH_OF_A_AND_B "a6ea6d7221d83898e773d997cef12e2d26e3ad80ec844896a100c3b7c570c732"

Test(rule, the_hash_of_a_set_is_that_of_its_texts_in_order_of_id)
{
        static const char *const texts[] = {
                "{\"id\": \"a\", \"name\": \"a\", \"port\": \"o1 * 256\"}",
                "{\"id\": \"b\", \"name\": \"b\", \"port\": \"o2 * 256\"}",
                "{\"id\": \"b\", \"name\": \"b\", \"port\": \"o3 * 256\"}",
        };
        static const struct {
                size_t first, second;
                bool same;
        } rows[] = {{0, 1, true}, {1, 0, true}, {0, 2, false}};

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_rules_builder *builder = new_builder();
                struct pt_rule_error error;
                struct pt_rules *rules;
                char hash[PT_RULES_HASH];

                cr_assert_eq(add(builder, i ? "x" : "y", texts[rows[i].first], &error), 0);
                cr_assert_eq(add(builder, "z", texts[rows[i].second], &error), 0);
                rules = finish(builder);
                cr_expect_eq(strcmp(pt_rules_hash(rules, hash), HASH_OF_A_AND_B) == 0, rows[i].same,
                             "%zu: %s", i, hash);
                cr_expect_str_eq(pt_rules_find(rules, "b")->id, "b");
                cr_expect_null(pt_rules_find(rules, "c"));
                pt_rules_free(rules);
                pt_rules_builder_free(builder);
        }
}

Test(rule, two_rules_of_one_id_are_refused_and_the_first_stays)
{
        struct pt_rules_builder *builder = new_builder();
        struct pt_rule_error error;
        struct pt_rules *rules;
        char text[256];

        cr_expect_eq(add(builder, "one.json", plain(text, "a", ""), &error), 0);
        cr_expect_eq(add(builder, "two.json", plain(text, "a", ""), &error), -EINVAL);
        cr_expect_str_eq(error.file, "two.json");
        cr_expect_str_eq(error.sentence, "the rule of one.json has this id too");
        cr_expect_str_eq(error.path, "id");
        cr_expect_eq(error.line, 1);
        cr_expect_eq(error.column, 7);
        cr_expect_eq(add(builder, "three.json", plain(text, "B", ""), &error), -EINVAL);
        cr_expect_eq(add(builder, "four.json", plain(text, "b", ""), &error), 0);
        rules = finish(builder);
        cr_expect_eq(rules->count, 2);
        cr_expect_str_eq(rules->list[0]->file, "one.json");
        cr_expect_str_eq(rules->list[1]->file, "four.json");
        pt_rules_free(rules);
        pt_rules_builder_free(builder);
}

Test(rule, a_builder_is_empty_after_it_finished)
{
        struct pt_rules_builder *builder = new_builder();
        struct pt_rule_error error;
        struct pt_rules *rules;
        char text[256];

        cr_expect_eq(add(builder, "f",
                         plain(text, "a", ",\"limits\":{\"exclude_destinations\":[\"::1\"]}"),
                         &error),
                     0);
        rules = finish(builder);
        cr_expect_eq(rules->count, 1);
        cr_expect_null(pt_rules_free(rules));
        cr_expect_eq(add(builder, "f", plain(text, "a", ""), &error), 0, "the id is free again");
        rules = finish(builder);
        cr_expect_eq(rules->count, 1);
        cr_expect_eq(rules->zone_count, 1, "and nothing is left of the zones before");
        cr_expect_eq(rules->zones[0].count, 0);
        cr_expect_null(pt_rules_free(rules));
        cr_expect_null(pt_rules_builder_free(builder));
        cr_expect_null(pt_rules_builder_free(NULL));
        cr_expect_null(pt_rules_free(NULL));
}

Test(rule, an_empty_set_admits_nothing)
{
        struct pt_rules_builder *builder = new_builder();
        struct pt_rules *rules = finish(builder);

        cr_expect_eq(rules->count, 0);
        for (unsigned port = 0; port < 65536; port++)
                cr_expect_eq(pt_rules_for_port(rules, (uint16_t)port)->count, 0);
        pt_rules_free(rules);
        pt_rules_builder_free(builder);
}

Test(rule, a_set_holds_1024_rules)
{
        struct pt_rules_builder *builder = new_builder();
        struct pt_rule_error error;
        struct pt_rules *rules;
        char text[256], id[16];

        for (unsigned i = 0; i < PT_RULES; i++) {
                snprintf(id, sizeof id, "r%u", i);
                cr_assert_eq(add(builder, "f", plain(text, id, ""), &error), 0);
        }
        cr_expect_eq(add(builder, "f", plain(text, "last", ""), &error), -EINVAL);
        cr_expect_str_eq(error.sentence, "this is one rule more than the 1024 that a set can hold");
        rules = finish(builder);
        cr_expect_eq(rules->count, PT_RULES);
        cr_expect_eq(pt_rules_for_port(rules, 1)->count, PT_RULES);
        cr_expect_eq(rules->class_count, 2, "port 0 and the rest");
        pt_rules_free(rules);
        pt_rules_builder_free(builder);
}

Test(rule, equal_lists_of_destinations_share_a_zone_and_there_are_64)
{
        struct pt_rules_builder *builder = new_builder();
        struct pt_rule_error error;
        struct pt_rules *rules;
        char text[256], id[16], rest[128];

        for (unsigned i = 0; i < 128; i++) {
                snprintf(id, sizeof id, "r%03u", i);
                snprintf(rest, sizeof rest,
                         ",\"limits\":{\"exclude_destinations\":[\"192.0.2.%u\"]}", i % 64);
                cr_assert_eq(add(builder, "f", plain(text, id, rest), &error), 0);
        }
        cr_expect_eq(add(builder, "f", plain(text, "none", ""), &error), -EINVAL);
        cr_expect_eq(add(builder, "f",
                         plain(text, "one-more",
                               ",\n\"limits\":{\"exclude_destinations\":[\"192.0.2.64\"]}"),
                         &error),
                     -EINVAL);
        cr_expect_str_eq(error.sentence, "the rules of a set have at most 64 different lists of "
                                         "excluded destinations");
        cr_expect_str_eq(error.path, "limits");
        cr_expect_eq(error.line, 2);
        cr_expect_eq(error.column, 10);
        rules = finish(builder);
        cr_expect_eq(rules->zone_count, 64);
        for (unsigned i = 0; i < 128; i++) {
                const struct pt_prefixes *zone = &rules->zones[rules->list[i]->zone];
                struct pt_address in = pt_address_from_ipv4(IPV4(192, 0, 2, i % 64));
                struct pt_address out = pt_address_from_ipv4(IPV4(192, 0, 2, i % 64 + 1));

                cr_expect_eq(zone->count, 1);
                cr_expect(pt_prefixes_contain(zone, &in));
                cr_expect_not(pt_prefixes_contain(zone, &out));
        }
        pt_rules_free(rules);
        pt_rules_builder_free(builder);
}

/* A rule's ports as the test writes them, port by port, and as text. */
struct drawn {
        bool admits[65536];
        bool has_address;
        char text[2048];
};

static void draw(struct drawn *d, unsigned number, unsigned *random)
{
        size_t used;

        memset(d, 0, sizeof *d);
        d->has_address = number % 3 == 0;
        used = (size_t)snprintf(d->text, sizeof d->text,
                                "{\"id\":\"r%03u\",\"name\":\"n\",\"%s\":\"o1\",\"limits\":{",
                                number, d->has_address ? "address" : "port");
        for (unsigned part = 0; part < 2; part++) {
                used += (size_t)snprintf(d->text + used, sizeof d->text - used, "%s\"%s\":[",
                                         part ? "]," : "", part ? "exclude_ports" : "ports");
                for (unsigned i = 0; i < 5; i++) {
                        unsigned first, last;

                        *random = *random * 1664525 + 1013904223;
                        first = (*random >> 16) % 65535 + 1;
                        *random = *random * 1664525 + 1013904223;
                        last = first + (*random >> 16) % (part ? 16 : 8192);
                        last = last > 65535 ? 65535 : last;
                        used += (size_t)snprintf(d->text + used, sizeof d->text - used,
                                                 "%s\"%u-%u\"", i ? "," : "", first, last);
                        for (unsigned port = first; port <= last; port++)
                                d->admits[port] = !part;
                }
        }
        snprintf(d->text + used, sizeof d->text - used, "]}}");
}

/* Every port of 100 rules with random limits, against limits kept port by port. */
Test(rule, the_index_has_the_rules_of_every_port)
{
        enum { COUNT = 100 };
        struct pt_rules_builder *builder = new_builder();
        struct drawn *drawn = calloc(COUNT, sizeof *drawn);
        struct pt_rule_error error;
        struct pt_rules *rules;
        unsigned random = 1;

        cr_assert_not_null(drawn);
        for (unsigned i = 0; i < COUNT; i++) {
                draw(&drawn[i], i, &random);
                cr_assert_eq(add(builder, "f", drawn[i].text, &error), 0, "%s", error.sentence);
        }
        rules = finish(builder);
        for (unsigned port = 0; port < 65536; port++) {
                const struct pt_rule_class *class = pt_rules_for_port(rules, (uint16_t)port);
                size_t count = 0, with_address = 0;

                for (unsigned i = 0; i < COUNT; i++) {
                        const struct pt_rule *rule = rules->list[i];

                        if (pt_rule_admits_port(rules, rule, (uint16_t)port) !=
                            drawn[i].admits[port])
                                cr_assert_fail("rule %u and port %u", i, port);
                        if (!drawn[i].admits[port])
                                continue;
                        if (count >= class->count || class->rules[count] != rule)
                                cr_assert_fail("rule %u is missing for port %u", i, port);
                        count++;
                        with_address += drawn[i].has_address;
                }
                cr_assert_eq(class->count, count, "port %u", port);
                cr_assert_eq(class->with_address, with_address, "port %u", port);
        }
        cr_expect_gt(rules->class_count, 500, "there is something to tell apart");
        pt_rules_free(rules);
        pt_rules_builder_free(builder);
        free(drawn);
}

/* As many classes as there can be: sixteen rules, each with the ports that have one bit set. */
Test(rule, every_port_may_be_a_class_of_its_own)
{
        struct pt_rules_builder *builder = new_builder();
        struct pt_rule_error error;
        struct pt_rules *rules;

        for (unsigned bit = 0; bit < 16; bit++) {
                unsigned run = 1u << bit;
                size_t length;
                char *text;
                FILE *file = open_memstream(&text, &length);

                cr_assert_not_null(file);
                fprintf(file,
                        "{\"id\":\"bit%02u\",\"name\":\"n\",\"port\":\"o1\","
                        "\"limits\":{\"ports\":[%u",
                        bit, run);
                for (unsigned first = run; first < 65536; first += 2 * run)
                        fprintf(file, ",\"%u-%u\"", first, first + run - 1);
                fprintf(file, "]}}");
                fclose(file);
                cr_assert_eq(add(builder, "f", text, &error), 0, "%s", error.sentence);
                free(text);
        }
        rules = finish(builder);
        cr_expect_eq(rules->class_count, 65536);
        for (unsigned port = 0; port < 65536; port++)
                cr_assert_eq(pt_rules_for_port(rules, (uint16_t)port)->count,
                             (size_t)__builtin_popcount(port), "port %u", port);
        pt_rules_free(rules);
        pt_rules_builder_free(builder);
}

/* Issue and design section 3: what is shipped, with its limits, and every vector right. */
Test(rule, the_shipped_rules_keep_their_word)
{
        static const struct {
                const char *id;
                unsigned ports;
                size_t vectors; /* at least */
                bool has_port, has_address;
                size_t destinations;
        } rows[] = {
                {"apt12", 45045, 5, true, false, 8},
                {"nymaim", 65535, 4, false, true, 0},
                {"swap16", 65535, 6, false, true, 0},
                {"variant", 45045, 3, true, false, 8},
        };
        struct pt_rules_builder *builder = new_builder();
        struct pt_rules *rules;

        for (size_t i = 0; i < ROWS(rows); i++) {
                char name[64], path[4096];
                struct pt_rule_error error;
                size_t length;
                char *text;

                snprintf(name, sizeof name, "rules/%s.json", rows[i].id);
                text = read_file(tree_path(name, path), &length);
                cr_assert_eq(pt_rules_add(builder, path, text, length, &error), 0, "%s",
                             error.sentence);
                free(text);
        }
        rules = finish(builder);
        for (size_t i = 0; i < ROWS(rows); i++) {
                const struct pt_rule *rule = rules->list[i];
                char sentence[256] = "";

                cr_expect_str_eq(rule->id, rows[i].id);
                cr_expect_eq(rule->ports_admitted, rows[i].ports);
                cr_expect_geq(rule->vector_count, rows[i].vectors);
                cr_expect_eq(pt_rule_check_vectors(rule, sentence), 0, "%s", sentence);
                cr_expect_eq(!!rule->port, rows[i].has_port);
                cr_expect_eq(!!rule->address, rows[i].has_address);
                cr_expect_eq(rules->zones[rule->zone].count, rows[i].destinations);
                cr_expect(rule->description && rule->references && rule->false_positives);
                cr_expect_str_eq(rule->subtechnique_id, "T1568.003");
        }
        pt_rules_free(rules);
        pt_rules_builder_free(builder);
}
