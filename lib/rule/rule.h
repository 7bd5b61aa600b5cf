/*
 * rule: a rule file's text -> formulas, limits and ATT&CK data; a set of rules, indexed by port.
 *
 * A rule is a port expression, an address expression, or both, over a resolved address. Texts are
 * read strictly: an unknown key, a wrong type or a bad expression is refused with line, column and
 * a sentence, and nothing is half loaded. Keys that start with '#' are comments.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "rule/formulas.h"
#include "portent.h" /* the builder, and its errors */

#define PT_RULES 1024     /* rules of one set at most */
#define PT_RULE_ID 64     /* octets of an id at most: [a-z0-9][a-z0-9._-]* */
#define PT_RULE_LINE 1024 /* octets of other strings at most, beyond which ECS keywords are cut */
#define PT_RULE_TEXT 8192 /* octets of a description at most */

/* rule.id of the alerts about rotation (design 4.9), which no rule file may take. */
#define PT_RULE_ROTATION "dns-calculation-rotation"

/* That of the alerts about several clients (outbreak.h), likewise. */
#define PT_RULE_CAMPAIGN "dns-calculation-campaign"

/* A test vector: what the expressions give for an address. -1: no value expected. */
struct pt_rule_vector {
        uint32_t address;
        bool has_port;
        bool has_result;
        int64_t port;   /* value of the port expression, or -1 for none */
        int64_t result; /* value of the address expression, or -1 for none */
};

/* Strings are NULL where the file does not say. Lists end with NULL, and are NULL if empty. */
struct pt_rule {
        char *file; /* that it was read from */
        char *id;
        char *name;
        char *description;
        char *version; /* "1" where the file does not say */
        char *category;
        char *ruleset;
        char *license;
        char *reference;
        char **authors;
        char **references;      /* sources, for people */
        char **false_positives; /* known ones, for people */
        char *tactic_id, *tactic_name, *tactic_reference;
        char *technique_id, *technique_name, *technique_reference;
        char *subtechnique_id, *subtechnique_name, *subtechnique_reference;

        struct pt_formula *port;    /* NULL: any port within the limits */
        struct pt_formula *address; /* NULL: the resolved address itself, or any other (weaker) */
        char *port_text;
        char *address_text;

        struct pt_limit *limits; /* limit.h */
        unsigned place;          /* in its set, which is ordered by id */
        unsigned ports_admitted; /* how many ports the limits let pass */
        unsigned zone;           /* into pt_rules.zones: destinations that are excluded */
        struct pt_rule_vector *vectors;
        size_t vector_count;
        uint8_t digest[32]; /* SHA-256 of its text */
};

struct pt_rules {
        struct pt_rule **list; /* ordered by id */
        size_t count;
        struct pt_prefixes *zones; /* lists of excluded destinations, equal ones shared */
        size_t zone_count;         /* at most 64 */
        uint16_t *class_of_port;   /* 65536 places: ports that admit the same rules share a class */
        struct pt_rule_class *classes;
        size_t class_count;
        struct pt_formulas *ports; /* of all rules that calculate no address */
        size_t port_count;
        struct pt_prior *prior; /* how innocent connections fall on the ports */
};

/* The rules whose limits admit a port, in order of id. */
struct pt_rule_class {
        struct pt_rule **rules;
        size_t count;
        size_t with_address; /* how many of them have an address expression */
};

static inline const struct pt_rule_class *pt_rules_for_port(const struct pt_rules *rules,
                                                            uint16_t port)
{
        return &rules->classes[rules->class_of_port[port]];
}

/*
 * SHA-256 over the rules in order of id, in hexadecimal digits: the same for the same texts,
 * whatever their files are called. Returns `ret`.
 */
#define PT_RULES_HASH 65
const char *pt_rules_hash(const struct pt_rules *rules, char ret[PT_RULES_HASH]);

/* The rule of this id, NULL if there is none. */
const struct pt_rule *pt_rules_find(const struct pt_rules *rules, const char *id);

/* Does the rule's own limit admit this port? */
bool pt_rule_admits_port(const struct pt_rules *rules, const struct pt_rule *rule, uint16_t port);

/* The same with the reason. */
enum pt_rule_limit {
        PT_RULE_ADMITTED,
        PT_RULE_OUTSIDE,  /* not one of "ports" */
        PT_RULE_EXCLUDED, /* one of "exclude_ports" */
};

enum pt_rule_limit pt_rule_limit_port(const struct pt_rule *rule, uint16_t port);

/* One text alone, in no set. 0; -ENOMEM; -EINVAL with `error` written. */
int pt_rule_read(const char *file, const char *text, size_t length, struct pt_rule **ret,
                 struct pt_rule_error *error);

/* Takes NULL. Returns NULL. */
struct pt_rule *pt_rule_free(struct pt_rule *rule);

/* Adds the file's name to an error in its text; a long name is cut in front. */
struct pt_strict_error;
void pt_rule_error_write(struct pt_rule_error *error, const char *file,
                         const struct pt_strict_error *at);

/*
 * Evaluates every test vector of a rule. 0, or the 1-based number of the first one that differs,
 * with a sentence in `sentence`.
 */
size_t pt_rule_check_vectors(const struct pt_rule *rule, char sentence[256]);

/* The destination port that the rule's port expression gives: 1..65535, or false for no port. */
static inline bool pt_rule_port(const struct pt_rule *rule, uint32_t ipv4, uint16_t *ret)
{
        uint64_t value;

        if (!pt_formula_evaluate(rule->port, ipv4, &value) || value == 0 || value > UINT16_MAX)
                return false;
        *ret = (uint16_t)value;
        return true;
}

/* The destination that the rule's address expression gives, or false for none. */
static inline bool pt_rule_address(const struct pt_rule *rule, uint32_t ipv4, uint32_t *ret)
{
        uint64_t value;

        if (!pt_formula_evaluate(rule->address, ipv4, &value) || value > UINT32_MAX)
                return false;
        *ret = (uint32_t)value;
        return true;
}
