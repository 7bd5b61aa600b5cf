/*
 * near: why a SYN that fits a rule's arithmetic is no match. On a path of its own: asked only for
 * SYNs without a match; it touches nothing but signatures and what is remembered of results.
 */
#include "judge/chance.h"
#include "judge/signature.h"

#define NEAR_WALK 12 /* how many of the client's newest resolutions are looked through */

static const char *const near_names[PT_NEAR_MISSES] = {
        [PT_NEAR_ALLOW_LISTED] = "allow_listed",
        [PT_NEAR_EXPIRED] = "expired",
        [PT_NEAR_EXCLUDED_DESTINATION] = "excluded_destination",
        [PT_NEAR_EXCLUDED_PORT] = "excluded_port",
        [PT_NEAR_NO_DNS] = "no_dns",
        [PT_NEAR_OUTSIDE_LIMITS] = "outside_limits",
};

const char *pt_near_miss_name(enum pt_near_miss reason)
{
        return near_names[reason];
}

struct near {
        struct pt_judge *judge;
        const struct pt_syn *syn;
        const struct pt_twin_list *twins;
        uint32_t client;
        uint32_t given;
        bool ports; /* of rules may be what an answer that counts no longer leads to */
        bool addresses;
        bool has_ipv4;
        uint32_t ipv4;
        struct pt_zones zones;
        bool found;
        enum pt_near_miss reason;
        struct pt_match match;
};

static void near_add(struct near *n, const struct pt_rule *rule, enum pt_near_miss reason,
                     uint32_t resolution, uint32_t input)
{
        if (n->found && n->reason <= reason)
                return;
        n->found = true;
        n->reason = reason;
        n->match = (struct pt_match){
                .rule = rule,
                .verdict = resolution ? PT_DNS_CONFIRMED : PT_PORT_ONLY,
                .severity = 0,
                .resolution = resolution,
                .input = input,
                .candidates = 1,
                .destination_given = n->given != 0,
                .share = rule->address ? pt_chance_addresses(1)
                                       : pt_history_share(n->judge->history, rule, &n->syn->client,
                                                          n->syn->destination_port),
        };
}

static bool excluded_destination(struct near *n, const struct pt_rule *rule)
{
        return pt_judge_excludes(n->judge, &n->zones, rule, &n->syn->key);
}

/* What keeps a rule from a match, whatever it calculates? False if nothing does. */
static bool hindered(struct near *n, const struct pt_rule *rule, bool admits_port,
                     enum pt_near_miss *ret)
{
        if (!admits_port)
                *ret = pt_rule_limit_port(rule, n->syn->destination_port) == PT_RULE_EXCLUDED
                               ? PT_NEAR_EXCLUDED_PORT
                               : PT_NEAR_OUTSIDE_LIMITS;
        else if (excluded_destination(n, rule))
                *ret = PT_NEAR_EXCLUDED_DESTINATION;
        else if (!n->given && !pt_judge_inside(n->judge, &n->syn->client, n->twins))
                *ret = PT_NEAR_NO_DNS;
        else
                return false;
        return true;
}

/*
 * The port is the one calculated from the destination: what kept it from being a match? A rule that
 * nothing hinders was evaluated before, and does not fit. Both lists are in order of id.
 */
static void near_direct(struct near *n)
{
        const struct pt_rules *rules = n->judge->rules;
        const struct pt_rule_class *class = pt_rules_for_port(rules, n->syn->destination_port);
        enum pt_near_miss reason;
        size_t admitted = 0;
        uint16_t port;

        for (size_t i = 0; i < rules->count; i++) {
                const struct pt_rule *rule = rules->list[i];
                bool admits = admitted < class->count && class->rules[admitted] == rule;

                admitted += admits;
                if (rule->address || !hindered(n, rule, admits, &reason) ||
                    !pt_rule_port(rule, n->ipv4, &port) || port != n->syn->destination_port)
                        continue;
                near_add(n, rule, reason, n->given, n->ipv4);
        }
}

/* Would this rule lead from a resolved address to the SYN's destination and port? */
static bool leads_there(const struct near *n, const struct pt_rule *rule, uint32_t ipv4)
{
        uint32_t result;
        uint16_t port;

        if (rule->port && (!pt_rule_port(rule, ipv4, &port) || port != n->syn->destination_port))
                return false;
        return !rule->address || (n->has_ipv4 && pt_judge_result(n->judge, rule, ipv4, &result) &&
                                  result == n->ipv4 && result != ipv4);
}

/* One resolution: a port needs a destination that was given, an address one that was not. */
static void near_resolution(struct near *n, const struct pt_rule_class *class,
                            const struct pt_resolution_view *view)
{
        uint32_t ipv4 = pt_address_low32(&view->address);
        bool ports = n->ports && pt_judge_may_yield(n->judge, ipv4, n->syn->destination_port);

        if (!ports && !n->addresses)
                return;
        for (size_t i = 0; i < class->count; i++) {
                const struct pt_rule *rule = class->rules[i];

                if (!(rule->address ? n->addresses : ports) || !leads_there(n, rule, ipv4))
                        continue;
                near_add(n, rule,
                         (rule->address && view->counts) || excluded_destination(n, rule)
                                 ? PT_NEAR_EXCLUDED_DESTINATION
                                 : PT_NEAR_EXPIRED,
                         view->link, ipv4);
        }
}

/* The two-name shape, or a calculated address, by an answer that counts no longer. */
static void near_expired(struct near *n)
{
        const struct pt_rule_class *class =
                pt_rules_for_port(n->judge->rules, n->syn->destination_port);
        struct pt_hosts_walk walk = pt_hosts_walk(n->judge->hosts, n->client);
        struct pt_resolution_view view;

        for (int looked = 0; looked < NEAR_WALK &&
                             pt_hosts_next(n->judge->hosts, &walk, n->syn->time, INT64_MIN, &view);
             looked++)
                if (pt_address_is_ipv4(&view.address))
                        near_resolution(n, class, &view);
}

/*
 * Could near_expired() find a rule's port, or its address? What is cheap to ask comes first: of
 * nearly all SYNs the answer is no.
 */
static bool ports_possible(const struct near *n, const struct pt_rule_class *class)
{
        return class->count > class->with_address &&
               pt_signature_port_fits(n->judge, n->client, n->syn->time,
                                      n->syn->destination_port) &&
               pt_hosts_given_ever(n->judge->hosts, &n->syn->client, &n->syn->key);
}

static bool addresses_possible(const struct near *n, const struct pt_rule_class *class)
{
        return class->with_address && !n->given && n->has_ipv4 &&
               pt_signature_address_fits(n->judge, n->client, n->syn->time, n->ipv4);
}

static bool expired_possible(struct near *n)
{
        const struct pt_rule_class *class =
                pt_rules_for_port(n->judge->rules, n->syn->destination_port);

        if (!class->count)
                return false;
        n->client = pt_hosts_client(n->judge->hosts, &n->syn->client);
        n->ports = n->client && ports_possible(n, class);
        n->addresses = n->client && addresses_possible(n, class);
        return n->ports || n->addresses;
}

bool pt_judge_near_miss(struct pt_judge *judge, const struct pt_syn *syn,
                        const struct pt_twin_list *twins, uint32_t given, struct pt_match *ret,
                        enum pt_near_miss *ret_reason)
{
        struct near n = {
                .judge = judge,
                .syn = syn,
                .twins = twins,
                .given = given,
                .has_ipv4 = pt_address_is_ipv4(&syn->key),
                .ipv4 = pt_address_low32(&syn->key),
        };

        if (syn->destination_port == 0)
                return false;
        if (n.has_ipv4 && pt_judge_may_yield(judge, n.ipv4, syn->destination_port))
                near_direct(&n);
        if (expired_possible(&n))
                near_expired(&n);
        if (!n.found)
                return false;
        *ret = n.match;
        *ret_reason = n.reason;
        return true;
}
