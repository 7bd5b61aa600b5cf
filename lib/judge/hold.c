#include "judge/hold.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory/recent.h"

#define HOLD_LONGEST                                                                \
        (24 * INT64_C(3600000000000)) /* a hold, and how long silence is waited for \
                                       */

struct pt_hold {
        struct pt_recent recent; /* payload: struct pt_held */
        int64_t throttle;
};

int pt_hold_new(uint32_t capacity, int64_t throttle, const struct pt_hash_key *key,
                struct pt_hold **ret)
{
        struct pt_hold *hold = calloc(1, sizeof *hold);

        if (!hold || pt_recent_init(&hold->recent, capacity, sizeof(struct pt_held), key) < 0) {
                free(hold);
                return -ENOMEM;
        }
        hold->throttle = throttle;
        *ret = hold;
        return 0;
}

struct pt_hold *pt_hold_free(struct pt_hold *hold)
{
        if (hold)
                pt_recent_deinit(&hold->recent);
        free(hold);
        return NULL;
}

size_t pt_hold_size(uint32_t capacity)
{
        return pt_recent_size(capacity, sizeof(struct pt_held));
}

void pt_hold_set_throttle(struct pt_hold *hold, int64_t throttle)
{
        hold->throttle = throttle;
}

/* By the rule's id, which stays the same when the rules are read again. */
static struct pt_recent_key key_of(const struct pt_hold *hold, const struct pt_syn *syn,
                                   const struct pt_rule *rule)
{
        struct pt_recent_key key = {0};
        uint64_t id = pt_siphash24(&hold->recent.key, rule->id, strlen(rule->id));

        memcpy(key.octets, &syn->client, 16);
        memcpy(key.octets + 16, &syn->destination, 16);
        memcpy(key.octets + 32, &syn->destination_port, 2);
        memcpy(key.octets + 34, &id, 8);
        pt_recent_hash(&hold->recent, &key);
        return key;
}

#define NETWORK 42 /* the octet of a key that says: of a network */

static struct pt_recent_key network_key_of(const struct pt_hold *hold, const struct pt_syn *syn,
                                           const struct pt_rule *rule)
{
        struct pt_recent_key key = key_of(hold, syn, rule);

        memcpy(key.octets + 16, &syn->key, 15); /* of an IPv4 address: its /24 */
        key.octets[31] = 0;
        key.octets[NETWORK] = 1;
        pt_recent_hash(&hold->recent, &key);
        return key;
}

/* Nothing that the client was given says anything of the destination itself. */
static bool is_of_network(const struct pt_syn *syn, const struct pt_match *match)
{
        return pt_address_is_ipv4(&syn->key) &&
               (match->verdict == PT_PORT_ONLY ||
                (match->verdict == PT_DNS_OTHER_ADDRESS && !match->destination_given));
}

/*
 * What the match is held with. Where DNS says nothing of the destination it is that of the network:
 * all its addresses give a port alike, so a sweep of them is one finding. Such a hold is also that
 * of the destination it began with, whatever evidence comes later; any other one of which DNS says
 * something, or once did, is held for itself.
 */
static struct pt_recent_key hold_key(const struct pt_hold *hold, const struct pt_syn *syn,
                                     const struct pt_match *match)
{
        struct pt_recent_key own = key_of(hold, syn, match->rule);
        struct pt_recent_key network = network_key_of(hold, syn, match->rule);
        const struct pt_held *held;

        if (pt_recent_find(&hold->recent, &own))
                return own;
        if (is_of_network(syn, match))
                return network;
        held = pt_recent_find(&hold->recent, &network);
        return held && pt_address_equal(&held->destination, &syn->destination) ? network : own;
}

static void held_begin(struct pt_held *held, const struct pt_syn *syn, const struct pt_match *match,
                       int64_t length)
{
        held->client = syn->client;
        held->destination = syn->destination;
        held->destination_port = syn->destination_port;
        held->rule = match->rule;
        held->length = length;
}

static void held_alerted(struct pt_held *held, const struct pt_syn *syn,
                         const struct pt_match *match, uint64_t *ret_suppressed)
{
        *ret_suppressed = held->pending;
        held->pending = 0;
        held->verdict = match->verdict;
        held->severity = match->severity;
        held->until = syn->time + held->length;
}

bool pt_hold_pass(struct pt_hold *hold, const struct pt_syn *syn, const struct pt_match *match,
                  uint64_t *ret_suppressed)
{
        struct pt_recent_key key = hold_key(hold, syn, match);
        struct pt_held *held = pt_recent_touch(&hold->recent, &key);

        if (!held->rule) {
                held_begin(held, syn, match, hold->throttle);
        } else if (syn->time >= held->until) {
                held->length = held->length < HOLD_LONGEST / 2 ? held->length * 2 : HOLD_LONGEST;
        } else if (match->severity <= held->severity) {
                if (!held->pending++)
                        held->first_wall = syn->wall;
                held->last_wall = syn->wall;
                held->last = syn->time > held->last ? syn->time : held->last;
                return false;
        }
        held->last = syn->time > held->last ? syn->time : held->last;
        held_alerted(held, syn, match, ret_suppressed);
        return true;
}

bool pt_hold_full(const struct pt_hold *hold, const struct pt_syn *syn,
                  const struct pt_match *match)
{
        struct pt_recent_key key = hold_key(hold, syn, match);

        return pt_recent_full(&hold->recent) && !pt_recent_find(&hold->recent, &key);
}

bool pt_hold_forget(struct pt_hold *hold, int64_t now, enum pt_forget which, struct pt_held *ret)
{
        const struct pt_held *oldest = pt_recent_oldest(&hold->recent);

        if (!oldest || (which == PT_FORGET_SILENT && oldest->last >= now - HOLD_LONGEST))
                return false;
        *ret = *oldest;
        pt_recent_drop_oldest(&hold->recent);
        return true;
}

void pt_hold_adopt(struct pt_hold *hold, const struct pt_rules *rules,
                   void (*gone)(void *context, const struct pt_held *held), void *context)
{
        struct pt_held *held = pt_recent_oldest(&hold->recent), *next;

        for (; held; held = next) {
                const struct pt_rule *rule = pt_rules_find(rules, held->rule->id);

                next = pt_recent_younger(&hold->recent, held);
                if (rule) {
                        held->rule = rule;
                        continue;
                }
                gone(context, held);
                pt_recent_drop(&hold->recent, held);
        }
}

int64_t pt_hold_due(const struct pt_hold *hold)
{
        const struct pt_held *oldest = pt_recent_oldest(&hold->recent);

        return oldest ? oldest->last + HOLD_LONGEST : INT64_MAX;
}
