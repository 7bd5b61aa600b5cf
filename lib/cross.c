#include "cross.h"

#include <string.h>

#include "signature.h"

/* The next address that counts for the cross search. */
static bool next(const struct pt_trial *t, struct pt_hosts_walk *walk,
                 struct pt_resolution_view *ret)
{
        while (pt_hosts_next(t->judge->hosts, walk, t->syn->time,
                             pt_judge_cross_oldest(t->judge, t->syn->time), ret))
                if (ret->counts && pt_address_is_ipv4(&ret->address) &&
                    ret->time >= t->syn->time - t->judge->settings.cross_window &&
                    !pt_address_equal(&ret->address, &t->syn->key))
                        return true;
        return false;
}

/* The distinct ports that the search passed, up to and with the hit: 4.3, and section 5. */
static void count_candidates(struct pt_trial *t, struct pt_match *match)
{
        const struct pt_rule *rule = match->rule;
        struct pt_judge *judge = t->judge;
        struct pt_hosts_walk walk = pt_hosts_walk(judge->hosts, pt_trial_client(t));
        struct pt_resolution_view view = {0};
        uint16_t port;

        while (view.link != match->resolution && next(t, &walk, &view)) {
                if (!pt_rule_port(rule, pt_address_low32(&view.address), &port) ||
                    !pt_rule_admits_port(judge->rules, rule, port) ||
                    judge->seen_ports[port >> 6] >> (port & 63) & 1)
                        continue;
                judge->seen_ports[port >> 6] |= UINT64_C(1) << (port & 63);
                match->candidates++;
                match->share += pt_history_share(judge->history, rule, &t->syn->client, port);
        }
        memset(judge->seen_ports, 0, sizeof judge->seen_ports);
}

bool pt_cross_possible(struct pt_trial *t)
{
        struct pt_hosts_walk walk = pt_hosts_walk(t->judge->hosts, pt_trial_client(t));
        struct pt_resolution_view view;
        uint16_t port;

        while (next(t, &walk, &view)) {
                uint32_t ipv4 = pt_address_low32(&view.address);

                if (!pt_judge_may_yield(t->judge, ipv4, t->syn->destination_port))
                        continue;
                for (size_t i = 0; i < t->class->count; i++)
                        if (!t->class->rules[i]->address &&
                            pt_rule_port(t->class->rules[i], ipv4, &port) &&
                            port == t->syn->destination_port)
                                return true;
        }
        return false;
}

/* The first hit whose name was not contacted (its mark is not set), or the first, or 0. */
static uint32_t search(struct pt_trial *t, const struct pt_rule *rule, bool *ret_contacted)
{
        struct pt_hosts_walk walk = pt_hosts_walk(t->judge->hosts, pt_trial_client(t));
        struct pt_resolution_view view;
        uint32_t first = 0;
        uint16_t port;

        while (next(t, &walk, &view)) {
                if (!pt_rule_port(rule, pt_address_low32(&view.address), &port) ||
                    port != t->syn->destination_port)
                        continue;
                *ret_contacted = pt_hosts_marked(t->judge->hosts, view.link);
                if (!*ret_contacted)
                        return view.link;
                first = first ? first : view.link;
        }
        return first;
}

void pt_cross_judge(struct pt_trial *t, const struct pt_rule *rule)
{
        struct pt_hosts *hosts = t->judge->hosts;
        struct pt_match match = {.rule = rule, .verdict = PT_DNS_OTHER_ADDRESS};
        struct pt_address resolved;

        match.resolution = search(t, rule, &match.contacted);
        if (!match.resolution)
                return;
        match.destination_given = t->given != 0;
        match.severity = !t->given         ? PT_SEVERITY_LOW
                         : match.contacted ? PT_SEVERITY_MEDIUM
                                           : PT_SEVERITY_HIGH;
        resolved = pt_hosts_resolved(hosts, match.resolution);
        match.input = pt_address_low32(&resolved);
        count_candidates(t, &match);
        pt_trial_add(t, &match);
}
