/*
 * judge: what judging needs at hand. Shared by verdict, cross, calculated, signature and near, and
 * by nobody else.
 */
#pragma once

#include <assert.h>

#include "judge/verdict.h"

/* What a costly rule gave for an address that came lately (Nymaim's rounds take a tenth of a us).
 */
struct pt_result {
        uint32_t rule; /* place + 1; 0 for an empty entry */
        uint32_t ipv4;
        uint32_t result;
        uint32_t has;
};

/*
 * What all port rules together yield for an address that came lately, as a filter: most SYNs go to
 * addresses that others went to, and to a port that no rule yields. It may say yes in vain, never
 * no.
 */
struct pt_yield {
        uint32_t ipv4;
        bool filled;
        uint64_t bits[7]; /* two for each port */
};

#define PT_RESULTS 8192
#define PT_RESULT_COSTLY 16 /* operations from which on a look is cheaper than the sum */

struct pt_judge {
        struct pt_verdict_settings settings;
        const struct pt_rules *rules;
        struct pt_hosts *hosts;
        struct pt_history *history;
        struct pt_counters *counters;
        struct pt_match *matches;  /* room for one of each of PT_RULES */
        uint64_t values[PT_RULES]; /* of formulas, while they are looked at */
        uint32_t hits[PT_RULES];   /* of the class at hand, while it is searched */
        uint64_t seen_ports[1024]; /* a bit per port, cleared after use */
        struct pt_result results[PT_RESULTS];
        struct pt_yield *yields;
        uint32_t yield_mask; /* how many there are, less 1 */
};

static_assert(sizeof(struct pt_yield) == 64, "a line of memory");

/* Packets are a second out of order at most: no answer below this counts for the cross window. */
static inline int64_t pt_judge_cross_oldest(const struct pt_judge *judge, int64_t time)
{
        return time - judge->settings.cross_window - INT64_C(2000000000);
}

static inline struct pt_yield *pt_judge_yield(struct pt_judge *judge, uint32_t ipv4)
{
        return &judge->yields[ipv4 * 0x9e3779b1u >> 12 & judge->yield_mask];
}

/* A port's two bits: the halves of one product, each brought below the number of bits. */
struct pt_yield_places {
        uint32_t first;
        uint32_t second;
};

static inline struct pt_yield_places pt_yield_places(uint16_t port)
{
        const uint64_t bits = 64 * sizeof((struct pt_yield){0}.bits) / sizeof(uint64_t);
        uint64_t product = port * UINT64_C(0x9e3779b97f4a7c15);

        return (struct pt_yield_places){(uint32_t)((product >> 32) * bits >> 32),
                                        (uint32_t)((uint32_t)product * bits >> 32)};
}

static inline bool pt_yield_bit(const struct pt_yield *yield, uint32_t place)
{
        return yield->bits[place >> 6] >> (place & 63) & 1;
}

/* The ports that rules yield for an address, into judge->values. Returns how many. */
size_t pt_judge_ports(struct pt_judge *judge, uint32_t ipv4);

void pt_judge_fill_yield(struct pt_judge *judge, struct pt_yield *yield, uint32_t ipv4);

/* May some port rule yield this port for this address? */
static inline bool pt_judge_may_yield(struct pt_judge *judge, uint32_t ipv4, uint16_t port)
{
        struct pt_yield *y = pt_judge_yield(judge, ipv4);
        struct pt_yield_places at = pt_yield_places(port);

        if (!y->filled || y->ipv4 != ipv4)
                pt_judge_fill_yield(judge, y, ipv4);
        return pt_yield_bit(y, at.first) && pt_yield_bit(y, at.second);
}

/* Which zones contain a destination, asked once for each zone. */
struct pt_zones {
        uint64_t known; /* a bit per zone */
        uint64_t excluded;
};

/* Is the destination one that the rule excludes? In a lab none is. */
static inline bool pt_judge_excludes(const struct pt_judge *judge, struct pt_zones *zones,
                                     const struct pt_rule *rule,
                                     const struct pt_address *destination)
{
        uint64_t bit = UINT64_C(1) << rule->zone;

        if (judge->settings.lab)
                return false;
        if (!(zones->known & bit)) {
                zones->known |= bit;
                if (pt_prefixes_contain(&judge->rules->zones[rule->zone], destination))
                        zones->excluded |= bit;
        }
        return zones->excluded & bit;
}

/* The destination that an address rule gives, or false for none. */
static inline bool pt_judge_result(struct pt_judge *judge, const struct pt_rule *rule,
                                   uint32_t ipv4, uint32_t *ret)
{
        uint32_t place = (ipv4 ^ ipv4 >> 13 ^ rule->place * 2654435761u) % PT_RESULTS;
        struct pt_result *r = &judge->results[place];

        if (pt_formula_cost(rule->address) < PT_RESULT_COSTLY)
                return pt_rule_address(rule, ipv4, ret);
        if (r->rule != rule->place + 1 || r->ipv4 != ipv4) {
                *r = (struct pt_result){.rule = rule->place + 1, .ipv4 = ipv4};
                r->has = pt_rule_address(rule, ipv4, &r->result);
        }
        *ret = r->result;
        return r->has;
}

/* The newest resolution of the SYN's destination that the first twin which has one was given. */
static inline uint32_t pt_judge_given_twin(const struct pt_judge *judge, const struct pt_syn *syn,
                                           const struct pt_twin_list *twins)
{
        uint32_t given = 0;

        for (size_t i = 0; twins && !given && i < twins->count; i++)
                given = pt_hosts_given(judge->hosts, &twins->addresses[i], &syn->key, syn->time);
        return given;
}

/*
 * The SYN at hand, the rules that admit its port, and what its client was given: asked of hosts
 * once for a SYN, and only when a rule needs it.
 */
struct pt_trial {
        struct pt_judge *judge;
        const struct pt_syn *syn;
        const struct pt_twin_list *twins; /* NULL for none */
        const struct pt_rule_class *class;
        uint32_t given; /* the destination, to whichever address of the host */
        const struct pt_address
                *who; /* the address of the host that is looked at: the SYN's first */
        uint32_t given_to_who;
        uint32_t client;   /* `who`, as hosts knows it */
        bool client_known; /* `client` was looked up */
        bool inside;
        bool inside_known;
        bool has_ipv4;
        uint32_t ipv4;
        struct pt_zones zones;
        struct pt_judgement result;
};

static inline uint32_t pt_trial_client(struct pt_trial *t)
{
        if (!t->client_known) {
                t->client = pt_hosts_client(t->judge->hosts, t->who);
                t->client_known = true;
        }
        return t->client;
}

/* Was the host given the destination by an answer that it asked for? */
static inline bool pt_judge_given_asked(const struct pt_trial *t)
{
        const struct pt_hosts *hosts = t->judge->hosts;
        bool asked = t->given &&
                     pt_hosts_given_asked(hosts, &t->syn->client, &t->syn->key, t->syn->time);

        for (size_t i = 0; t->given && t->twins && !asked && i < t->twins->count; i++)
                asked = pt_hosts_given_asked(hosts, &t->twins->addresses[i], &t->syn->key,
                                             t->syn->time);
        return asked;
}

static inline bool pt_trial_inside(struct pt_trial *t)
{
        if (!t->inside_known) {
                t->inside = pt_judge_inside(t->judge, &t->syn->client, t->twins);
                t->inside_known = true;
        }
        return t->inside;
}

/* The better match of one rule: by severity, then by verdict (4.6). */
static inline void pt_match_keep_better(struct pt_match *match, const struct pt_match *other)
{
        if (other->severity > match->severity ||
            (other->severity == match->severity && other->verdict < match->verdict))
                *match = *other;
}

/* Is a twin looked at, not the SYN's own client? */
static inline bool pt_trial_is_twin(const struct pt_trial *t)
{
        return t->who != &t->syn->client;
}

static inline void pt_trial_add(struct pt_trial *t, struct pt_match *match)
{
        struct pt_judgement *j = &t->result;
        size_t at = j->count;

        if (pt_trial_is_twin(t)) {
                match->by_twin = true;
                match->twin = *t->who;
        }
        while (at > 0 && j->matches[at - 1].rule != match->rule)
                at--;
        if (at)
                pt_match_keep_better(&j->matches[at - 1], match);
        else
                j->matches[j->count++] = *match;
}
