/*
 * judge: what judging needs at hand. Shared by verdict, signature and near, and by nobody else.
 */
#pragma once

#include "verdict.h"

/* What a costly rule gave for an address that came lately (Nymaim's rounds take a tenth of a us). */
struct pt_result {
        uint32_t rule; /* place + 1; 0 for an empty entry */
        uint32_t ipv4;
        uint32_t result;
        uint32_t has;
};

#define PT_RESULTS 8192
#define PT_RESULT_COSTLY 16 /* operations from which on a look is cheaper than the sum */

struct pt_judge {
        struct pt_verdict_settings settings;
        const struct pt_rules *rules;
        struct pt_hosts *hosts;
        struct pt_counters *counters;
        struct pt_match *matches;  /* room for one per rule */
        uint64_t seen_ports[1024]; /* a bit per port, cleared after use */
        struct pt_result results[PT_RESULTS];
};

/* Packets are a second out of order at most: no answer below this counts for the cross window. */
static inline int64_t pt_judge_cross_oldest(const struct pt_judge *judge, int64_t time)
{
        return time - judge->settings.cross_window - INT64_C(2000000000);
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
