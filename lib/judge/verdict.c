#include "judge/verdict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "judge/calculated.h"
#include "judge/cross.h"
#include "judge/judge.h"
#include "base/pages.h"
#include "judge/signature.h"

static const char *const verdict_names[PT_VERDICTS] = {
        [PT_DNS_CONFIRMED] = "dns_confirmed",
        [PT_DNS_OTHER_ADDRESS] = "dns_other_address",
        [PT_DNS_OTHER_CLIENT] = "dns_other_client",
        [PT_PORT_ONLY] = "port_only",
};

const char *pt_verdict_name(enum pt_verdict verdict)
{
        return verdict_names[verdict];
}

int pt_judge_new(const struct pt_verdict_settings *settings, const struct pt_rules *rules,
                 struct pt_hosts *hosts, struct pt_history *history, struct pt_counters *counters,
                 struct pt_judge **ret)
{
        struct pt_judge *judge = calloc(1, sizeof *judge);

        if (!judge)
                return -ENOMEM;
        judge->settings = *settings;
        judge->rules = rules;
        judge->hosts = hosts;
        judge->history = history;
        judge->counters = counters;
        judge->matches = calloc(PT_RULES, sizeof *judge->matches);
        judge->yields = pt_pages_take(settings->yields, sizeof *judge->yields);
        judge->yield_mask = settings->yields - 1;
        if (!judge->matches || !judge->yields) {
                pt_judge_free(judge);
                return -ENOMEM;
        }
        pt_hosts_set_sign(hosts, pt_signature_sign, judge);
        *ret = judge;
        return 0;
}

struct pt_judge *pt_judge_free(struct pt_judge *judge)
{
        if (judge) {
                free(judge->matches);
                pt_pages_give(judge->yields, judge->yield_mask + 1, sizeof *judge->yields);
        }
        free(judge);
        return NULL;
}

size_t pt_judge_size(uint32_t yields)
{
        return sizeof(struct pt_judge) + PT_RULES * sizeof(struct pt_match) +
               yields * sizeof(struct pt_yield);
}

void pt_judge_adopt(struct pt_judge *judge, const struct pt_verdict_settings *settings,
                    const struct pt_rules *rules)
{
        judge->settings = *settings;
        judge->rules = rules;
        pt_history_adopt(judge->history, rules);
        memset(judge->results, 0, sizeof judge->results);
        memset(judge->yields, 0, (judge->yield_mask + 1) * sizeof *judge->yields);
        pt_hosts_next_round(judge->hosts);
}

bool pt_judge_is_home(const struct pt_judge *judge, const struct pt_address *address)
{
        return pt_address_is_local(address) || pt_prefixes_contain(&judge->settings.home, address);
}

void pt_judge_fetch(struct pt_judge *judge, const struct pt_syn *syn, unsigned step)
{
        const struct pt_rule_class *class = pt_rules_for_port(judge->rules, syn->destination_port);

        if (step == 0)
                __builtin_prefetch(pt_judge_yield(judge, pt_address_low32(&syn->key)));
        pt_hosts_fetch_pair(judge->hosts, &syn->client, &syn->key, step);
        if (class->count && step > 0 && (step == 1 || class->count > class->with_address))
                pt_history_fetch(judge->history, &syn->client, &syn->key, syn->destination_port,
                                 class->count > class->with_address, step);
}

bool pt_judge_inside(const struct pt_judge *judge, const struct pt_address *address,
                     const struct pt_twin_list *twins)
{
        bool inside = pt_judge_is_home(judge, address) || pt_hosts_client(judge->hosts, address);

        for (size_t i = 0; twins && !inside && i < twins->count; i++)
                inside = pt_judge_inside(judge, &twins->addresses[i], NULL);
        return inside;
}

/* ---- the destination itself ---- */

size_t pt_judge_ports(struct pt_judge *judge, uint32_t ipv4)
{
        size_t values = pt_formulas_evaluate(judge->rules->ports, ipv4, judge->values), count = 0;

        for (size_t i = 0; i < values; i++) {
                uint64_t value = judge->values[i];

                judge->values[count] = value;
                count += value != 0 && value <= UINT16_MAX;
        }
        return count;
}

void pt_judge_fill_yield(struct pt_judge *judge, struct pt_yield *yield, uint32_t ipv4)
{
        size_t count = pt_judge_ports(judge, ipv4);

        *yield = (struct pt_yield){.ipv4 = ipv4, .filled = true};
        judge->counters->value[PT_COUNT_MATCH_NO_VALUE] += judge->rules->port_count - count;
        for (size_t i = 0; i < count; i++) {
                struct pt_yield_places at = pt_yield_places((uint16_t)judge->values[i]);

                yield->bits[at.first >> 6] |= UINT64_C(1) << (at.first & 63);
                yield->bits[at.second >> 6] |= UINT64_C(1) << (at.second & 63);
        }
}

static void judge_direct(struct pt_trial *t, const struct pt_rule *rule)
{
        struct pt_match match = {
                .rule = rule,
                .input = t->ipv4,
                .candidates = 1,
                .destination_given = t->given != 0,
        };
        uint16_t port;

        if (!pt_rule_port(rule, t->ipv4, &port) || port != t->syn->destination_port)
                return;
        match.share = pt_history_share(t->judge->history, rule, &t->syn->client, port);
        if (t->given_to_who) {
                match.verdict = PT_DNS_CONFIRMED;
                match.severity = PT_SEVERITY_HIGH;
                match.resolution = t->given_to_who;
        } else if (pt_trial_is_twin(t) || !pt_trial_inside(t)) {
                return;
        } else {
                match.resolution = pt_hosts_given_other(t->judge->hosts, &t->syn->client,
                                                        &t->syn->key, t->syn->time);
                match.verdict = match.resolution ? PT_DNS_OTHER_CLIENT : PT_PORT_ONLY;
                match.severity = match.resolution ? PT_SEVERITY_MEDIUM : PT_SEVERITY_LOW;
        }
        pt_trial_add(t, &match);
}

/* ---- all of it ---- */

/* The sets of ports of the rules in the class that the destination does not keep out. */
static uint8_t applying_sets(struct pt_trial *t, bool *ret_eligible)
{
        uint8_t sets = 0;

        *ret_eligible = false;
        for (size_t i = 0; i < t->class->count; i++) {
                const struct pt_rule *rule = t->class->rules[i];

                if (pt_judge_excludes(t->judge, &t->zones, rule, &t->syn->key))
                        continue;
                sets |= pt_history_set(t->judge->history, rule);
                *ret_eligible |= !rule->address;
        }
        return sets;
}

/*
 * The SYN is judged, and counts as a try from now on. The history of ports is about connections to
 * the outside that port rules could have met.
 */
static void remember_try(struct pt_trial *t)
{
        const struct pt_address *to = &t->syn->key;
        bool eligible;
        uint8_t sets = applying_sets(t, &eligible);

        if (!sets || !pt_trial_inside(t))
                return;
        t->result.eligible = eligible;
        t->judge->counters->value[PT_COUNT_SYN_ELIGIBLE] += eligible;
        t->judge->counters->value[PT_COUNT_SYN_PRECEDED] += eligible && t->given;
        pt_history_add(t->judge->history,
                       &(struct pt_try){
                               .client = t->syn->client,
                               .destination = *to,
                               .port = t->syn->destination_port,
                               .sets = sets,
                               .given = t->given != 0,
                               .outbound = eligible && !pt_address_is_local(to) &&
                                           !pt_prefixes_contain(&t->judge->settings.home, to),
                               .time = t->syn->time,
                       });
}

/* All that may match, one after the other, in order of rule id. */
static void judge_all(struct pt_trial *t, bool calculated, bool cross, bool direct)
{
        for (size_t i = 0; i < t->class->count; i++) {
                const struct pt_rule *rule = t->class->rules[i];

                if (rule->address && calculated)
                        pt_calculated_judge(t, rule, t->judge->hits[i]);
                if (rule->address || pt_judge_excludes(t->judge, &t->zones, rule, &t->syn->key))
                        continue;
                if (direct)
                        judge_direct(t, rule);
                if (cross)
                        pt_cross_judge(t, rule);
        }
}

/* The names that the host contacted, whichever of its addresses did. */
static void mark_contacted(struct pt_trial *t, bool mark)
{
        struct pt_hosts *hosts = t->judge->hosts;
        int64_t time = t->syn->time;

        pt_hosts_mark_contacted(hosts, pt_hosts_client(hosts, &t->syn->client), time, mark);
        for (size_t i = 0; t->twins && i < t->twins->count; i++)
                pt_hosts_mark_contacted(hosts, pt_hosts_client(hosts, &t->twins->addresses[i]),
                                        time, mark);
}

static void judge_rules(struct pt_trial *t)
{
        bool calculated = pt_calculated_possible(t);
        bool ports = t->class->count > t->class->with_address;
        bool cross = ports && pt_trial_client(t) &&
                     pt_signature_port_fits(t->judge, pt_trial_client(t), t->syn->time,
                                            t->syn->destination_port) &&
                     pt_cross_possible(t);
        bool direct = ports && t->has_ipv4 &&
                      pt_judge_may_yield(t->judge, t->ipv4, t->syn->destination_port);

        if (!calculated && !cross && !direct)
                return;
        if (calculated)
                pt_calculated_search(t);
        if (cross && t->given)
                mark_contacted(t, true);
        judge_all(t, calculated, cross, direct);
        if (cross && t->given)
                mark_contacted(t, false);
}

/* The twins one after the other, as if each had sent the SYN. */
static void judge_twins(struct pt_trial *t)
{
        struct pt_hosts *hosts = t->judge->hosts;

        for (size_t i = 0; t->twins && i < t->twins->count; i++) {
                t->who = &t->twins->addresses[i];
                t->client = pt_hosts_client(hosts, t->who);
                t->client_known = true;
                if (!t->client)
                        continue;
                t->given_to_who = pt_hosts_given(hosts, t->who, &t->syn->key, t->syn->time);
                judge_rules(t);
        }
}

static struct pt_trial trial_of(struct pt_judge *judge, const struct pt_syn *syn,
                                const struct pt_twin_list *twins)
{
        uint32_t own = pt_hosts_given(judge->hosts, &syn->client, &syn->key, syn->time);

        return (struct pt_trial){
                .judge = judge,
                .syn = syn,
                .twins = twins,
                .who = &syn->client,
                .class = pt_rules_for_port(judge->rules, syn->destination_port),
                .given = own ? own : pt_judge_given_twin(judge, syn, twins),
                .given_to_who = own,
                .has_ipv4 = pt_address_is_ipv4(&syn->key),
                .ipv4 = pt_address_low32(&syn->key),
                .result = {.matches = judge->matches},
        };
}

struct pt_judgement pt_judge_syn(struct pt_judge *judge, const struct pt_syn *syn,
                                 const struct pt_twin_list *twins)
{
        struct pt_trial t = trial_of(judge, syn, twins);

        pt_history_move_on(judge->history, syn->time);
        if (t.class->count) {
                judge_rules(&t);
                judge_twins(&t);
                remember_try(&t);
        }
        t.result.given = t.given;
        return t.result;
}

/* Does `a` come before `b` (4.6)? */
static bool better(const struct pt_match *a, const struct pt_match *b)
{
        if (a->severity != b->severity)
                return a->severity > b->severity;
        if (a->verdict != b->verdict)
                return a->verdict < b->verdict;
        if (a->chance < b->chance || a->chance > b->chance)
                return a->chance < b->chance;
        return strcmp(a->rule->id, b->rule->id) < 0;
}

/* They come in order of id, so this finds them nearly sorted. qsort(3) may allocate. */
void pt_judgement_sort(struct pt_judgement *judgement)
{
        struct pt_match *m = judgement->matches;

        for (size_t i = 1; i < judgement->count; i++) {
                struct pt_match match = m[i];
                size_t at = i;

                for (; at > 0 && better(&match, &m[at - 1]); at--)
                        m[at] = m[at - 1];
                m[at] = match;
        }
}
