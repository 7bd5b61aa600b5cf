#include "rule/rule.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rule/limit.h"
#include "rule/prior.h"
#include "rule/strict.h"

#define ZONES 64

struct pt_rules_builder {
        struct pt_rule *list[PT_RULES];
        size_t count;
        const struct pt_limit *zones[ZONES]; /* of the first rule that has each */
        size_t zone_count;
        struct pt_prior *prior; /* NULL: none was given */
};

int pt_rules_builder_new(struct pt_rules_builder **ret)
{
        struct pt_rules_builder *builder = calloc(1, sizeof *builder);

        if (!builder)
                return -ENOMEM;
        *ret = builder;
        return 0;
}

static void free_rules(struct pt_rule **list, size_t count)
{
        for (size_t i = 0; i < count; i++)
                pt_rule_free(list[i]);
}

struct pt_rules_builder *pt_rules_builder_free(struct pt_rules_builder *builder)
{
        if (builder) {
                free_rules(builder->list, builder->count);
                free(builder->prior);
        }
        free(builder);
        return NULL;
}

/* Refuses a rule that could be read, at one of its keys, or at its beginning. */
static int refuse(const char *file, const char *text, size_t length, const char *key,
                  const char *sentence, struct pt_rule_error *error)
{
        struct pt_strict_error at = {0};
        struct pt_strict s;
        json_t *json;
        int r = pt_strict_parse(&s, text, length, &at, &json);

        if (r < 0)
                return -ENOMEM; /* the same text was parsed before */
        pt_strict_enter_key(&s, json, key);
        pt_strict_refuse(&s, "%s", sentence);
        pt_rule_error_write(error, file, &at);
        json_decref(json);
        return -EINVAL;
}

static size_t find_zone(const struct pt_rules_builder *builder, const struct pt_limit *limits)
{
        size_t zone = 0;

        while (zone < builder->zone_count && !pt_limit_same_excluded(builder->zones[zone], limits))
                zone++;
        return zone;
}

/* Why the set cannot take the rule: NULL, or a sentence about the key. */
static const char *find_obstacle(const struct pt_rules_builder *builder, const struct pt_rule *rule,
                                 const char **ret_key, char sentence[256])
{
        *ret_key = "id";
        for (size_t i = 0; i < builder->count; i++) {
                if (strcmp(builder->list[i]->id, rule->id) != 0)
                        continue;
                snprintf(sentence, 256, "the rule of %.160s has this id too",
                         builder->list[i]->file);
                return sentence;
        }
        if (builder->count == PT_RULES) {
                snprintf(sentence, 256, "this is one rule more than the %d that a set can hold",
                         PT_RULES);
                return sentence;
        }
        *ret_key = "limits";
        if (find_zone(builder, rule->limits) == ZONES) {
                snprintf(sentence, 256,
                         "the rules of a set have at most %d different lists of excluded "
                         "destinations",
                         ZONES);
                return sentence;
        }
        return NULL;
}

int pt_rules_add(struct pt_rules_builder *builder, const char *file, const char *text,
                 size_t length, struct pt_rule_error *error)
{
        char sentence[256];
        struct pt_rule *rule;
        const char *key;
        int r = pt_rule_read(file, text, length, &rule, error);

        if (r < 0)
                return r;
        if (find_obstacle(builder, rule, &key, sentence)) {
                pt_rule_free(rule);
                return refuse(file, text, length, key, sentence, error);
        }
        rule->zone = (unsigned)find_zone(builder, rule->limits);
        if (rule->zone == builder->zone_count)
                builder->zones[builder->zone_count++] = rule->limits;
        builder->list[builder->count++] = rule;
        return 0;
}

int pt_rules_ports(struct pt_rules_builder *builder, const char *file, const char *text,
                   size_t length, struct pt_rule_error *error)
{
        struct pt_prior *prior;
        int r = pt_prior_read(file, text, length, &prior, error);

        if (r < 0)
                return r;
        free(builder->prior);
        builder->prior = prior;
        return 0;
}

static int compare_ids(const void *a, const void *b)
{
        const struct pt_rule *const *p = a, *const *q = b;

        return strcmp((*p)->id, (*q)->id);
}

/*
 * The index. Ports fall into runs between those where a rule begins or ceases to admit. The rules
 * of a run are a row of bits, one for each; runs with equal rows share a class.
 */
struct runs {
        uint16_t first[65536]; /* port of each run */
        uint32_t order[65536]; /* the runs, those with equal rows together */
        size_t count;
        size_t words; /* of a row */
        uint64_t *rows;
};

static void find_runs(struct runs *runs, const struct pt_rules *rules)
{
        uint64_t begins[PT_LIMIT_WORDS] = {1};

        for (size_t i = 0; i < rules->count; i++) {
                const struct pt_limit *limits = rules->list[i]->limits;
                uint64_t before = 0;

                for (size_t w = 0; w < PT_LIMIT_WORDS; w++) {
                        uint64_t admitted = limits->ports[w] & ~limits->except[w];

                        begins[w] |= admitted ^ (admitted << 1 | before >> 63);
                        before = admitted;
                }
        }
        for (unsigned port = 0; port < 65536; port++) {
                if (pt_limit_has(begins, (uint16_t)port))
                        runs->first[runs->count++] = (uint16_t)port;
        }
}

static int fill_rows(struct runs *runs, const struct pt_rules *rules)
{
        runs->words = rules->count / 64 + 1;
        runs->rows = calloc(runs->count * runs->words, sizeof *runs->rows);
        if (!runs->rows)
                return -ENOMEM;
        for (size_t i = 0; i < rules->count; i++) {
                for (size_t run = 0; run < runs->count; run++) {
                        if (pt_limit_admit(rules->list[i]->limits, runs->first[run]))
                                runs->rows[run * runs->words + i / 64] |= UINT64_C(1) << i % 64;
                }
        }
        return 0;
}

static int compare_rows(const void *a, const void *b, void *context)
{
        const uint32_t *p = a, *q = b;
        const struct runs *runs = context;
        size_t size = runs->words * sizeof *runs->rows;

        return memcmp(&runs->rows[*p * runs->words], &runs->rows[*q * runs->words], size);
}

/* The rules of a run, in order of id. */
static int fill_class(struct pt_rule_class *class, const struct pt_rules *rules,
                      const uint64_t *row, size_t words)
{
        size_t count = 0;

        for (size_t w = 0; w < words; w++)
                count += (size_t)__builtin_popcountll(row[w]);
        class->rules = calloc(count + 1, sizeof(struct pt_rule *));
        if (!class->rules)
                return -ENOMEM;
        for (size_t i = 0; i < rules->count; i++) {
                struct pt_rule *rule = rules->list[i];

                if (!(row[i / 64] >> i % 64 & 1))
                        continue;
                class->rules[class->count++] = rule;
                class->with_address += rule->address != NULL;
        }
        return 0;
}

static void set_class(struct pt_rules *rules, const struct runs *runs, size_t run, size_t class)
{
        unsigned end = run + 1 < runs->count ? runs->first[run + 1] : 65536;

        for (unsigned port = runs->first[run]; port < end; port++)
                rules->class_of_port[port] = (uint16_t) class;
}

static int make_classes(struct pt_rules *rules, struct runs *runs)
{
        const size_t words = runs->words;

        rules->class_of_port = calloc(65536, sizeof *rules->class_of_port);
        rules->classes = calloc(runs->count, sizeof *rules->classes);
        if (!rules->class_of_port || !rules->classes)
                return -ENOMEM;
        for (uint32_t run = 0; run < runs->count; run++)
                runs->order[run] = run;
        qsort_r(runs->order, runs->count, sizeof *runs->order, compare_rows, runs);
        for (size_t i = 0; i < runs->count; i++) {
                const uint64_t *row = &runs->rows[runs->order[i] * words];

                if (i == 0 || memcmp(row, &runs->rows[runs->order[i - 1] * words],
                                     words * sizeof *row) != 0) {
                        if (fill_class(&rules->classes[rules->class_count++], rules, row, words) <
                            0)
                                return -ENOMEM;
                }
                set_class(rules, runs, runs->order[i], rules->class_count - 1);
        }
        return 0;
}

static int make_index(struct pt_rules *rules)
{
        struct runs *runs = calloc(1, sizeof *runs);
        int r;

        if (!runs)
                return -ENOMEM;
        find_runs(runs, rules);
        r = fill_rows(runs, rules);
        if (r == 0)
                r = make_classes(rules, runs);
        free(runs->rows);
        free(runs);
        return r;
}

/* The expressions of all rules that calculate a port alone. */
static int make_ports(struct pt_rules *rules)
{
        const struct pt_formula **list = calloc(rules->count + 1, sizeof(struct pt_formula *));
        int r;

        if (!list)
                return -ENOMEM;
        for (size_t i = 0; i < rules->count; i++)
                if (!rules->list[i]->address)
                        list[rules->port_count++] = rules->list[i]->port;
        r = pt_formulas_new(list, rules->port_count, &rules->ports);
        free(list);
        return r;
}

/* The rules move from the builder to the set, whatever comes of it. */
static void take_rules(struct pt_rules *rules, struct pt_rules_builder *builder)
{
        qsort(builder->list, builder->count, sizeof(struct pt_rule *), compare_ids);
        memcpy(rules->list, builder->list, builder->count * sizeof(struct pt_rule *));
        for (size_t i = 0; i < builder->count; i++)
                rules->list[i]->place = (unsigned)i;
        rules->count = builder->count;
        /* The lists of destinations stay with their rules. */
        for (size_t i = 0; i < builder->zone_count; i++)
                rules->zones[i] = (struct pt_prefixes){builder->zones[i]->excluded,
                                                       builder->zones[i]->excluded_count};
        rules->zone_count = builder->zone_count;
        rules->prior = builder->prior;
        builder->prior = NULL;
}

static int make_prior(struct pt_rules *rules)
{
        return rules->prior ? 0 : pt_prior_uniform(&rules->prior);
}

int pt_rules_finish(struct pt_rules_builder *builder, struct pt_rules **ret)
{
        struct pt_rules *rules = calloc(1, sizeof *rules);
        bool room = rules && (rules->list = calloc(builder->count + 1, sizeof(struct pt_rule *))) &&
                    (rules->zones = calloc(builder->zone_count + 1, sizeof *rules->zones));

        if (room)
                take_rules(rules, builder);
        else
                free_rules(builder->list, builder->count);
        builder->count = builder->zone_count = 0;
        if (!room || make_prior(rules) < 0 || make_index(rules) < 0 || make_ports(rules) < 0) {
                pt_rules_free(rules);
                return -ENOMEM;
        }
        *ret = rules;
        return 0;
}

static int compare_id(const void *id, const void *element)
{
        const struct pt_rule *const *rule = element;

        return strcmp(id, (*rule)->id);
}

const char *pt_rules_hash(const struct pt_rules *rules, char ret[PT_RULES_HASH])
{
        uint8_t digest[SHA256_DIGEST_SIZE];
        struct sha256_ctx sha;

        sha256_init(&sha);
        for (size_t i = 0; i < rules->count; i++)
                sha256_update(&sha, sizeof rules->list[i]->digest, rules->list[i]->digest);
        sha256_digest(&sha, sizeof digest, digest);
        for (size_t i = 0; i < sizeof digest; i++)
                snprintf(ret + 2 * i, 3, "%02x", digest[i]);
        return ret;
}

const struct pt_rule *pt_rules_find(const struct pt_rules *rules, const char *id)
{
        struct pt_rule **found =
                bsearch(id, rules->list, rules->count, sizeof(struct pt_rule *), compare_id);

        return found ? *found : NULL;
}

struct pt_rules *pt_rules_free(struct pt_rules *rules)
{
        if (!rules)
                return NULL;
        pt_formulas_free(rules->ports);
        free_rules(rules->list, rules->count);
        for (size_t i = 0; i < rules->class_count; i++)
                free(rules->classes[i].rules);
        free(rules->list);
        free(rules->zones);
        free(rules->class_of_port);
        free(rules->classes);
        free(rules->prior);
        free(rules);
        return NULL;
}
