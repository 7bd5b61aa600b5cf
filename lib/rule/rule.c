#include "rule/rule.h"

#include <errno.h>
#include <stdio.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

#include "rule/limit.h"
#include "rule/strict.h"
#include "rule/vector.h"

static int keep_string(json_t *value, void *into)
{
        char **place = into;

        *place = strdup(json_string_value(value));
        return *place ? 0 : -ENOMEM;
}

static bool has_control(const char *text, const char *except)
{
        for (; *text; text++) {
                unsigned char c = (unsigned char)*text;

                if ((c < 0x20 || c == 0x7f) && !strchr(except, c))
                        return true;
        }
        return false;
}

/* Names and the like become ECS keywords and words of one-line alerts. */
static int read_line(struct pt_strict *s, json_t *value, void *into)
{
        if (!json_is_string(value))
                return pt_strict_refuse(s, "a string is expected here");
        if (json_string_length(value) == 0)
                return pt_strict_refuse(s, "this string is empty");
        if (json_string_length(value) > PT_RULE_LINE)
                return pt_strict_refuse(s, "this string is longer than %d octets", PT_RULE_LINE);
        if (has_control(json_string_value(value), ""))
                return pt_strict_refuse(s, "this string has a control character in it");
        return keep_string(value, into);
}

static int read_text(struct pt_strict *s, json_t *value, void *into)
{
        if (!json_is_string(value))
                return pt_strict_refuse(s, "a string is expected here");
        if (json_string_length(value) == 0)
                return pt_strict_refuse(s, "this string is empty");
        if (json_string_length(value) > PT_RULE_TEXT)
                return pt_strict_refuse(s, "this string is longer than %d octets", PT_RULE_TEXT);
        if (has_control(json_string_value(value), "\n\t"))
                return pt_strict_refuse(s, "this string has a control character in it");
        return keep_string(value, into);
}

static bool is_id(const char *text)
{
        static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
        size_t length = strlen(text);

        return length >= 1 && length <= PT_RULE_ID && !strchr("._-", text[0]) &&
               strspn(text, letters) == length;
}

static int read_id(struct pt_strict *s, json_t *value, void *into)
{
        if (!json_is_string(value) || !is_id(json_string_value(value)))
                return pt_strict_refuse(s,
                                        "an id is 1 to %d of a-z 0-9 . _ - and begins with a "
                                        "letter or a digit",
                                        PT_RULE_ID);
        if (strcmp(json_string_value(value), PT_RULE_ROTATION) == 0)
                return pt_strict_refuse(s, "this id belongs to the alerts about rotation");
        if (strcmp(json_string_value(value), PT_RULE_CAMPAIGN) == 0)
                return pt_strict_refuse(s, "this id belongs to the alerts about campaigns");
        return keep_string(value, into);
}

static int read_link(struct pt_strict *s, json_t *value, void *into)
{
        const char *text = json_string_value(value);

        if (text && strncmp(text, "https://", 8) != 0 && strncmp(text, "http://", 7) != 0)
                return pt_strict_refuse(s, "a reference begins with https:// or http://");
        return read_line(s, value, into);
}

static int read_list_line(struct pt_strict *s, json_t *value, void *into)
{
        char **list = into;

        return read_line(s, value, &list[pt_strict_place(s)]);
}

static int read_list(struct pt_strict *s, json_t *value, void *into)
{
        char ***list = into;
        size_t count = json_array_size(value);

        if (count == 0 && json_is_array(value))
                return 0;
        *list = calloc(count + 1, sizeof **list);
        if (!*list)
                return -ENOMEM;
        return pt_strict_array(s, value, read_list_line, *list);
}

static int read_formula(struct pt_strict *s, json_t *value, struct pt_formula **formula,
                        char **text)
{
        struct pt_formula_error error;
        int r;

        if (!json_is_string(value))
                return pt_strict_refuse(s, "an expression, which is a string, is expected here");
        r = pt_formula_compile(json_string_value(value), formula, &error);
        if (r == -EINVAL)
                return pt_strict_refuse_octet(s, error.column - 1, error.sentence);
        return r < 0 ? r : keep_string(value, text);
}

static int read_port(struct pt_strict *s, json_t *value, void *into)
{
        struct pt_rule *rule = into;

        return read_formula(s, value, &rule->port, &rule->port_text);
}

static int read_address(struct pt_strict *s, json_t *value, void *into)
{
        struct pt_rule *rule = into;

        return read_formula(s, value, &rule->address, &rule->address_text);
}

static int read_limits(struct pt_strict *s, json_t *value, void *into)
{
        struct pt_rule *rule = into;

        return pt_limit_read(s, value, rule->limits);
}

/* A level of ATT&CK: its keys, then the two without which it says nothing. */
#define LEVEL(level)                                                                            \
        static int read_##level(struct pt_strict *s, json_t *value, void *into)                 \
        {                                                                                       \
                static const struct pt_strict_key keys[] = {                                    \
                        {"id", read_line, offsetof(struct pt_rule, level##_id)},                \
                        {"name", read_line, offsetof(struct pt_rule, level##_name)},            \
                        {"reference", read_link, offsetof(struct pt_rule, level##_reference)},  \
                };                                                                              \
                struct pt_rule *rule = into;                                                    \
                int r = pt_strict_object(s, value, keys, sizeof keys / sizeof *keys, rule);     \
                                                                                                \
                if (r == 0 && !(rule->level##_id && rule->level##_name))                        \
                        r = pt_strict_refuse(s, "a %s needs an \"id\" and a \"name\"", #level); \
                return r;                                                                       \
        }

LEVEL(tactic)
LEVEL(technique)
LEVEL(subtechnique)

static int read_threat(struct pt_strict *s, json_t *value, void *into)
{
        static const struct pt_strict_key keys[] = {
                {"tactic", read_tactic, 0},
                {"technique", read_technique, 0},
                {"subtechnique", read_subtechnique, 0},
        };
        struct pt_rule *rule = into;
        int r = pt_strict_object(s, value, keys, sizeof keys / sizeof *keys, rule);

        if (r == 0 && rule->subtechnique_id && !rule->technique_id)
                r = pt_strict_refuse(s, "a subtechnique needs its \"technique\" beside it");
        return r;
}

static int read_rule(struct pt_strict *s, json_t *json, struct pt_rule *rule)
{
        static const struct pt_strict_key keys[] = {
                {"id", read_id, offsetof(struct pt_rule, id)},
                {"name", read_line, offsetof(struct pt_rule, name)},
                {"description", read_text, offsetof(struct pt_rule, description)},
                {"version", read_line, offsetof(struct pt_rule, version)},
                {"author", read_list, offsetof(struct pt_rule, authors)},
                {"category", read_line, offsetof(struct pt_rule, category)},
                {"ruleset", read_line, offsetof(struct pt_rule, ruleset)},
                {"license", read_line, offsetof(struct pt_rule, license)},
                {"reference", read_link, offsetof(struct pt_rule, reference)},
                {"references", read_list, offsetof(struct pt_rule, references)},
                {"false_positives", read_list, offsetof(struct pt_rule, false_positives)},
                {"port", read_port, 0},
                {"address", read_address, 0},
                {"limits", read_limits, 0},
                {"threat", read_threat, 0},
                {"vectors", pt_vector_read_list, 0},
        };
        int r = pt_strict_object(s, json, keys, sizeof keys / sizeof *keys, rule);

        if (r < 0)
                return r;
        if (!rule->id || !rule->name)
                return pt_strict_refuse(s, "a rule needs an \"id\" and a \"name\"");
        if (!rule->port && !rule->address)
                return pt_strict_refuse(s, "a rule needs a \"port\" expression, an \"address\" "
                                           "expression or both");
        if (!rule->version && !(rule->version = strdup("1")))
                return -ENOMEM;
        rule->ports_admitted = pt_limit_count(rule->limits);
        return pt_vector_check_keys(s, json, rule);
}

void pt_rule_error_write(struct pt_rule_error *error, const char *file,
                         const struct pt_strict_error *at)
{
        size_t length = strlen(file), room = sizeof error->file - 1;

        if (length <= room)
                snprintf(error->file, sizeof error->file, "%s", file);
        else
                snprintf(error->file, sizeof error->file, "...%s", file + length - room + 3);
        error->line = at->line;
        error->column = at->column;
        snprintf(error->path, sizeof error->path, "%s", at->path);
        snprintf(error->sentence, sizeof error->sentence, "%s", at->sentence);
}

static int read_json(const char *text, size_t length, struct pt_rule *rule,
                     struct pt_strict_error *at)
{
        struct pt_strict s;
        json_t *json;
        int r = pt_strict_parse(&s, text, length, at, &json);

        if (r < 0)
                return r;
        r = read_rule(&s, json, rule);
        json_decref(json);
        return r;
}

static void digest(const char *text, size_t length, uint8_t ret[SHA256_DIGEST_SIZE])
{
        struct sha256_ctx sha;

        sha256_init(&sha);
        sha256_update(&sha, length, (const uint8_t *)text);
        sha256_digest(&sha, SHA256_DIGEST_SIZE, ret);
}

int pt_rule_read(const char *file, const char *text, size_t length, struct pt_rule **ret,
                 struct pt_rule_error *error)
{
        struct pt_strict_error at = {0};
        struct pt_rule *rule = calloc(1, sizeof *rule);
        int r = -ENOMEM;

        if (rule && (rule->file = strdup(file)) && (rule->limits = pt_limit_new()))
                r = read_json(text, length, rule, &at);
        if (r < 0) {
                pt_rule_free(rule);
                if (r == -EINVAL)
                        pt_rule_error_write(error, file, &at);
                return r;
        }
        digest(text, length, rule->digest);
        *ret = rule;
        return 0;
}

static void free_list(char **list)
{
        for (char **line = list; line && *line; line++)
                free(*line);
        free(list);
}

struct pt_rule *pt_rule_free(struct pt_rule *rule)
{
        if (!rule)
                return NULL;
        char *strings[] = {
                rule->file,
                rule->id,
                rule->name,
                rule->description,
                rule->version,
                rule->category,
                rule->ruleset,
                rule->license,
                rule->reference,
                rule->tactic_id,
                rule->tactic_name,
                rule->tactic_reference,
                rule->technique_id,
                rule->technique_name,
                rule->technique_reference,
                rule->subtechnique_id,
                rule->subtechnique_name,
                rule->subtechnique_reference,
                rule->port_text,
                rule->address_text,
        };

        for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
                free(strings[i]);
        free_list(rule->authors);
        free_list(rule->references);
        free_list(rule->false_positives);
        pt_formula_free(rule->port);
        pt_formula_free(rule->address);
        pt_limit_free(rule->limits);
        free(rule->vectors);
        free(rule);
        return NULL;
}

enum pt_rule_limit pt_rule_limit_port(const struct pt_rule *rule, uint16_t port)
{
        if (pt_limit_has(rule->limits->except, port))
                return PT_RULE_EXCLUDED;
        return pt_limit_has(rule->limits->ports, port) ? PT_RULE_ADMITTED : PT_RULE_OUTSIDE;
}

bool pt_rule_admits_port(const struct pt_rules *rules, const struct pt_rule *rule, uint16_t port)
{
        (void)rules;
        return pt_limit_admit(rule->limits, port);
}
