/*
 * near: why a SYN that fits a rule's arithmetic is no match. On a path of its own: asked only for
 * SYNs without a match, and it changes nothing.
 */
#include "judge.h"

#define NEAR_WALK 64 /* how many of the client's newest resolutions are looked through */

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

/* The port is the one calculated from the destination: what kept it from being a match? */
static void near_direct(struct near *n, const struct pt_rule *rule, enum pt_rule_limit limit)
{
        enum pt_near_miss reason = PT_NEAR_NO_DNS;
        uint16_t port;

        if (!n->has_ipv4 || !pt_rule_port(rule, n->ipv4, &port) ||
            port != n->syn->destination_port)
                return;
        if (limit == PT_RULE_OUTSIDE)
                reason = PT_NEAR_OUTSIDE_LIMITS;
        else if (limit == PT_RULE_EXCLUDED)
                reason = PT_NEAR_EXCLUDED_PORT;
        else if (excluded_destination(n, rule))
                reason = PT_NEAR_EXCLUDED_DESTINATION;
        near_add(n, rule, reason, n->given, n->ipv4);
}

/* The two-name shape, or a calculated address, by an answer that counts no longer. */
static void near_expired(struct near *n, const struct pt_rule *rule)
{
        struct pt_hosts_walk walk = pt_hosts_walk(n->judge->hosts, n->client);
        struct pt_resolution_view view;
        uint32_t result;
        uint16_t port;

        for (int looked = 0; looked < NEAR_WALK &&
                             pt_hosts_next(n->judge->hosts, &walk, n->syn->time, INT64_MIN, &view);
             looked++) {
                uint32_t ipv4 = pt_address_low32(&view.address);

                if (!pt_address_is_ipv4(&view.address) ||
                    (rule->port && (!pt_rule_port(rule, ipv4, &port) ||
                                    port != n->syn->destination_port)) ||
                    (rule->address && (!n->has_ipv4 || !pt_rule_address(rule, ipv4, &result) ||
                                       result != n->ipv4 || result == ipv4)))
                        continue;
                if (rule->address && view.counts)
                        near_add(n, rule, PT_NEAR_EXCLUDED_DESTINATION, view.link, ipv4);
                else if (!excluded_destination(n, rule))
                        near_add(n, rule, PT_NEAR_EXPIRED, view.link, ipv4);
                return;
        }
}

static void near_rule(struct near *n, const struct pt_rule *rule)
{
        enum pt_rule_limit limit = pt_rule_limit_port(rule, n->syn->destination_port);

        if (!rule->address)
                near_direct(n, rule, limit);
        /* Calculated addresses that were given themselves are ordinary connections. */
        if (limit == PT_RULE_ADMITTED && n->client && (!rule->address == !!n->given))
                near_expired(n, rule);
}

bool pt_judge_near_miss(struct pt_judge *judge, const struct pt_syn *syn, struct pt_match *ret,
                        enum pt_near_miss *ret_reason)
{
        struct near n = {
                .judge = judge,
                .syn = syn,
                .client = pt_hosts_client(judge->hosts, &syn->client),
                .given = pt_hosts_given(judge->hosts, &syn->client, &syn->key, syn->time),
                .has_ipv4 = pt_address_is_ipv4(&syn->key),
                .ipv4 = pt_address_low32(&syn->key),
        };

        if (syn->destination_port == 0)
                return false;
        for (size_t i = 0; i < judge->rules->count; i++)
                near_rule(&n, judge->rules->list[i]);
        if (!n.found)
                return false;
        *ret = n.match;
        *ret_reason = n.reason;
        return true;
}
