/*
 * Any octets as a rule file: it is refused at a place in the text, with a sentence that a terminal
 * can show; or it is a rule that a set can index.
 */
#include "rule/rule.h"

#include <string.h>

#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char other[] =
        "{\"id\": \"other\", \"name\": \"Other\", \"port\": \"o1 * o2 + o3\","
        " \"limits\": {\"ports\": [\"4096-49151\"], \"exclude_ports\": [8080]}}";

static void check_text(const char *text, size_t room)
{
        MUST(strnlen(text, room) < room);
        for (; *text; text++)
                MUST((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void check_place(const char *text, size_t length, const struct pt_rule_error *error)
{
        const char *line = text, *end = text + length;
        const char *next;

        MUST(error->line >= 1 && error->column >= 1);
        for (unsigned i = 1; i < error->line; i++) {
                line = memchr(line, '\n', (size_t)(end - line));
                MUST(line);
                line++;
        }
        next = line < end ? memchr(line, '\n', (size_t)(end - line)) : NULL;
        MUST(error->column <= (size_t)((next ? next : end) - line) + 1);
}

static void check_index(const struct pt_rules *rules)
{
        for (unsigned port = 0; port < 65536; port++) {
                const struct pt_rule_class *class = pt_rules_for_port(rules, (uint16_t)port);
                size_t found = 0;

                for (size_t i = 0; i < rules->count; i++) {
                        if (!pt_rule_admits_port(rules, rules->list[i], (uint16_t)port))
                                continue;
                        MUST(found < class->count && class->rules[found] == rules->list[i]);
                        found++;
                }
                MUST(found == class->count);
        }
        MUST(pt_rules_for_port(rules, 0)->count == 0);
}

static void check_error(const char *text, size_t length, const struct pt_rule_error *error)
{
        MUST(error->sentence[0]);
        check_text(error->sentence, sizeof error->sentence);
        check_text(error->path, sizeof error->path);
        check_place(text, length, error);
}

static void check_set(const struct pt_rules *rules)
{
        char sentence[256];

        MUST(rules->count == 2);
        check_index(rules);
        for (size_t i = 0; i < rules->count; i++) {
                MUST(rules->list[i]->ports_admitted > 0);
                MUST(rules->list[i]->zone < rules->zone_count);
                pt_rule_check_vectors(rules->list[i], sentence);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct pt_rules_builder *builder;
        struct pt_rules *rules;
        struct pt_rule_error error = {.line = 0};

        MUST(pt_rules_builder_new(&builder) == 0);
        MUST(pt_rules_add(builder, "other.json", other, strlen(other), &error) == 0);
        if (pt_rules_add(builder, "fuzz.json", (const char *)data, size, &error) < 0) {
                check_error((const char *)data, size, &error);
        } else {
                MUST(pt_rules_finish(builder, &rules) == 0);
                check_set(rules);
                pt_rules_free(rules);
        }
        pt_rules_builder_free(builder);
        return 0;
}
