#include "judge/calculated.h"

#include "judge/chance.h"
#include "judge/signature.h"

/*
 * A calculated destination must be public, and not itself given to the client (section 3): not by
 * an answer that it asked for, where there is one, or else by any. An answer that nobody asked for
 * takes nothing from what was asked for.
 */
bool pt_calculated_possible(struct pt_trial *t)
{
        const struct pt_hosts *hosts = t->judge->hosts;

        /* Where the client asked for nothing, the search would pass over all that it was given. */
        return t->class->with_address && t->has_ipv4 &&
               !(t->given && pt_hosts_asked(hosts, t->given)) &&
               (t->judge->settings.lab || !pt_ipv4_is_private(t->ipv4)) && pt_trial_client(t) &&
               !(t->given && !pt_hosts_asks(hosts, pt_trial_client(t))) &&
               pt_signature_address_fits(t->judge, pt_trial_client(t), t->syn->time, t->ipv4) &&
               !pt_judge_given_asked(t);
}

static bool port_of(struct pt_judge *judge, const struct pt_rule *rule, uint32_t ipv4,
                    uint16_t *ret)
{
        bool has = pt_rule_port(rule, ipv4, ret);

        judge->counters->value[PT_COUNT_MATCH_NO_VALUE] += !has;
        return has;
}

static bool result_of(struct pt_judge *judge, const struct pt_rule *rule, uint32_t ipv4,
                      uint32_t *ret)
{
        bool has = pt_judge_result(judge, rule, ipv4, ret);

        judge->counters->value[PT_COUNT_MATCH_NO_VALUE] += !has;
        return has;
}

/* Does the rule turn this address into the SYN's destination, and its port where it gives one? */
static bool leads_to_destination(struct pt_trial *t, const struct pt_rule *rule, uint32_t ipv4)
{
        uint32_t result;
        uint16_t port;

        if (!result_of(t->judge, rule, ipv4, &result) || result != t->ipv4 || ipv4 == result)
                return false;
        return !rule->port ||
               (port_of(t->judge, rule, ipv4, &port) && port == t->syn->destination_port);
}

static bool next(const struct pt_trial *t, struct pt_hosts_walk *walk,
                 struct pt_resolution_view *ret)
{
        while (pt_hosts_next(t->judge->hosts, walk, t->syn->time, INT64_MIN, ret))
                if (ret->counts && pt_address_is_ipv4(&ret->address))
                        return true;
        return false;
}

/* The distinct addresses that the search passed: each is counted where it is newest. */
static unsigned count_candidates(struct pt_trial *t, uint32_t hit)
{
        struct pt_hosts_walk walk = pt_hosts_walk(t->judge->hosts, pt_trial_client(t));
        struct pt_resolution_view view = {0};
        unsigned count = 0;

        while (view.link != hit && next(t, &walk, &view))
                count += pt_hosts_is_newest(t->judge->hosts, view.link, t->syn->time);
        return count;
}

#define NOT_WANTED UINT32_MAX /* of a hit: the rule is not looked for */

void pt_calculated_search(struct pt_trial *t)
{
        struct pt_hosts_walk walk = pt_hosts_walk(t->judge->hosts, pt_trial_client(t));
        struct pt_resolution_view view;
        uint32_t *hits = t->judge->hits;
        size_t left = 0;

        for (size_t i = 0; i < t->class->count; i++) {
                const struct pt_rule *rule = t->class->rules[i];
                bool wanted = rule->address &&
                              !pt_judge_excludes(t->judge, &t->zones, rule, &t->syn->key);

                hits[i] = wanted ? 0 : NOT_WANTED;
                left += wanted;
        }
        while (left && next(t, &walk, &view)) {
                if (t->given && !view.asked)
                        continue;
                for (size_t i = 0; i < t->class->count; i++) {
                        if (hits[i] || !leads_to_destination(t, t->class->rules[i],
                                                             pt_address_low32(&view.address)))
                                continue;
                        hits[i] = view.link;
                        left--;
                }
        }
}

void pt_calculated_judge(struct pt_trial *t, const struct pt_rule *rule, uint32_t hit)
{
        struct pt_match match = {
                .rule = rule,
                .verdict = PT_DNS_CONFIRMED,
                .severity = PT_SEVERITY_HIGH,
                .resolution = hit,
        };
        struct pt_address resolved;

        if (!hit || hit == NOT_WANTED)
                return;
        resolved = pt_hosts_resolved(t->judge->hosts, hit);
        match.input = pt_address_low32(&resolved);
        match.candidates = count_candidates(t, hit);
        match.share = pt_chance_addresses(match.candidates);
        pt_trial_add(t, &match);
}
