/*
 * near: why a SYN that fits a rule's arithmetic is no match. On a path of its own: asked only for
 * SYNs without a match, and it changes nothing.
 */
#include "signature.h"

#define NEAR_WALK 12 /* how many of the client's newest resolutions are looked through */

static const char *const near_names[PT_NEAR_MISSES] = {
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
        uint32_t client;
        uint32_t given;
        bool given_ever; /* the destination, though it may count no longer */
        bool has_ipv4;
        uint32_t ipv4;
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
        };
}

static bool excluded_destination(const struct near *n, const struct pt_rule *rule)
{
        return !n->judge->settings.lab &&
               pt_prefixes_contain(&n->judge->rules->zones[rule->zone], &n->syn->key);
}

/* What keeps this rule from a match, whatever it calculates? False if nothing does. */
static bool hindered(const struct near *n, const struct pt_rule *rule, enum pt_near_miss *ret)
{
        enum pt_rule_limit limit = pt_rule_limit_port(rule, n->syn->destination_port);

        if (limit == PT_RULE_OUTSIDE)
                *ret = PT_NEAR_OUTSIDE_LIMITS;
        else if (limit == PT_RULE_EXCLUDED)
                *ret = PT_NEAR_EXCLUDED_PORT;
        else if (excluded_destination(n, rule))
                *ret = PT_NEAR_EXCLUDED_DESTINATION;
        else if (!n->given && !pt_judge_inside(n->judge, &n->syn->client))
                *ret = PT_NEAR_NO_DNS;
        else
                return false; /* then it was evaluated before, and does not fit */
        return true;
}

/* The port is the one calculated from the destination: what kept it from being a match? */
static void near_direct(struct near *n, const struct pt_rule *rule)
{
        enum pt_near_miss reason;
        uint16_t port;

        if (hindered(n, rule, &reason) && pt_rule_port(rule, n->ipv4, &port) &&
            port == n->syn->destination_port)
                near_add(n, rule, reason, n->given, n->ipv4);
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

/* The two-name shape, or a calculated address, by an answer that counts no longer. */
static void near_expired(struct near *n)
{
        const struct pt_rule_class *class =
                pt_rules_for_port(n->judge->rules, n->syn->destination_port);
        struct pt_hosts_walk walk = pt_hosts_walk(n->judge->hosts, n->client);
        struct pt_resolution_view view;

        for (int looked = 0; looked < NEAR_WALK &&
                             pt_hosts_next(n->judge->hosts, &walk, n->syn->time, INT64_MIN, &view);
             looked++) {
                if (!pt_address_is_ipv4(&view.address))
                        continue;
                for (size_t i = 0; i < class->count; i++) {
                        const struct pt_rule *rule = class->rules[i];

                        /* A port needs a destination that was given, an address one that was not. */
                        if ((rule->address ? n->given != 0 : !n->given_ever) ||
                            !leads_there(n, rule, pt_address_low32(&view.address)))
                                continue;
                        near_add(n, rule,
                                 (rule->address && view.counts) || excluded_destination(n, rule)
                                         ? PT_NEAR_EXCLUDED_DESTINATION
                                         : PT_NEAR_EXPIRED,
                                 view.link, pt_address_low32(&view.address));
                }
        }
}

/* Is there a rule that near_expired() could find? */
static bool expired_possible(struct near *n)
{
        const struct pt_rule_class *class =
                pt_rules_for_port(n->judge->rules, n->syn->destination_port);

        if (!n->client)
                return false;
        if (n->given_ever && class->count > class->with_address &&
            pt_signature_port_fits(n->judge, n->client, n->syn->time, n->syn->destination_port))
                return true;
        return class->with_address && !n->given && n->has_ipv4 &&
               pt_signature_address_fits(n->judge, n->client, n->syn->time, n->ipv4);
}

bool pt_judge_near_miss(struct pt_judge *judge, const struct pt_syn *syn, struct pt_match *ret,
                        enum pt_near_miss *ret_reason)
{
        struct near n = {
                .judge = judge,
                .syn = syn,
                .client = pt_hosts_client(judge->hosts, &syn->client),
                .given = pt_hosts_given(judge->hosts, &syn->client, &syn->key, syn->time),
                .given_ever = pt_hosts_given_ever(judge->hosts, &syn->client, &syn->key) != 0,
                .has_ipv4 = pt_address_is_ipv4(&syn->key),
                .ipv4 = pt_address_low32(&syn->key),
        };

        if (syn->destination_port == 0)
                return false;
        for (size_t i = 0; n.has_ipv4 && i < judge->rules->count; i++)
                if (!judge->rules->list[i]->address)
                        near_direct(&n, judge->rules->list[i]);
        if (expired_possible(&n))
                near_expired(&n);
        if (!n.found)
                return false;
        *ret = n.match;
        *ret_reason = n.reason;
        return true;
}
