#include "judge/cross.h"

#include <string.h>

#include "judge/signature.h"

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

/*
 * The distinct ports that the search passed, up to and with the hit: 4.3, and section 5. Behind a
 * hit that was asked for only what was asked for counts: answers that nobody asked for, however
 * many, make it no likelier that an innocent client meets it. Where the mirror shows no queries,
 * nothing was asked for, and all counts.
 */
static void count_candidates(struct pt_trial *t, struct pt_match *match, bool asked)
{
        const struct pt_rule *rule = match->rule;
        struct pt_judge *judge = t->judge;
        struct pt_hosts_walk walk = pt_hosts_walk(judge->hosts, pt_trial_client(t));
        struct pt_resolution_view view = {0};
        uint16_t port;

        while (view.link != match->resolution && next(t, &walk, &view)) {
                if ((asked && !view.asked) ||
                    !pt_rule_port(rule, pt_address_low32(&view.address), &port) ||
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

/* Hits of a rule, newest first: the first whose name was not contacted, or the first, or 0. */
struct hit {
        uint32_t resolution;
        bool contacted;
};

static void take(const struct pt_trial *t, struct hit *hit, uint32_t link)
{
        bool contacted = pt_hosts_marked(t->judge->hosts, link);

        if (!hit->resolution || (hit->contacted && !contacted))
                *hit = (struct hit){link, contacted};
}

/* Of all that the client was given, and of what it asked for. */
static void search(struct pt_trial *t, const struct pt_rule *rule, struct hit *ret_any,
                   struct hit *ret_asked)
{
        struct pt_hosts_walk walk = pt_hosts_walk(t->judge->hosts, pt_trial_client(t));
        struct pt_resolution_view view;
        uint16_t port;

        while ((!ret_asked->resolution || ret_asked->contacted) && next(t, &walk, &view)) {
                if (!pt_rule_port(rule, pt_address_low32(&view.address), &port) ||
                    port != t->syn->destination_port)
                        continue;
                take(t, ret_any, view.link);
                if (view.asked)
                        take(t, ret_asked, view.link);
        }
}

static void rest_on(struct pt_trial *t, struct pt_match *match, const struct hit *hit, bool asked)
{
        struct pt_address resolved = pt_hosts_resolved(t->judge->hosts, hit->resolution);

        match->resolution = hit->resolution;
        match->contacted = hit->contacted;
        match->severity = !t->given        ? PT_SEVERITY_LOW
                          : hit->contacted ? PT_SEVERITY_MEDIUM
                                           : PT_SEVERITY_HIGH;
        match->input = pt_address_low32(&resolved);
        match->candidates = 0;
        match->share = 0;
        count_candidates(t, match, asked);
}

/*
 * What was asked for comes first. Only where its name was contacted, and there is a hit whose name
 * was not, does the match rest on that one; should chance leave less of it, the other is at hand.
 */
void pt_cross_judge(struct pt_trial *t, const struct pt_rule *rule)
{
        struct pt_match match = {.rule = rule, .verdict = PT_DNS_OTHER_ADDRESS};
        struct hit any = {0}, asked = {0};

        search(t, rule, &any, &asked);
        if (!any.resolution)
                return;
        match.destination_given = t->given != 0;
        if (asked.resolution)
                rest_on(t, &match, &asked, true);
        if (asked.resolution && (!t->given || asked.contacted == any.contacted)) {
                pt_trial_add(t, &match);
                return;
        }
        if (asked.resolution) {
                match.asked.resolution = match.resolution;
                match.asked.input = match.input;
                match.asked.candidates = match.candidates;
                match.asked.share = match.share;
        }
        rest_on(t, &match, &any, false);
        pt_trial_add(t, &match);
}
