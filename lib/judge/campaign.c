#include "judge/campaign.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory/recent.h"

/* A client's matches, in order of first appearance. */
struct client_matches {
        struct pt_campaign_match matches[PT_CAMPAIGN_MATCHES];
        uint32_t count;
        uint32_t announced; /* the level that was alerted, 0 before the first */
};

struct pt_campaign {
        struct pt_recent recent; /* payload: struct client_matches */
        int64_t window;
        struct pt_counters *counters;
};

int pt_campaign_new(uint32_t capacity, int64_t window, const struct pt_hash_key *key,
                    struct pt_counters *counters, struct pt_campaign **ret)
{
        struct pt_campaign *campaign = calloc(1, sizeof *campaign);

        if (!campaign ||
            pt_recent_init(&campaign->recent, capacity, sizeof(struct client_matches), key) < 0) {
                free(campaign);
                return -ENOMEM;
        }
        campaign->window = window;
        campaign->counters = counters;
        *ret = campaign;
        return 0;
}

struct pt_campaign *pt_campaign_free(struct pt_campaign *campaign)
{
        if (campaign)
                pt_recent_deinit(&campaign->recent);
        free(campaign);
        return NULL;
}

size_t pt_campaign_size(uint32_t capacity)
{
        return pt_recent_size(capacity, sizeof(struct client_matches));
}

/* Addresses of one network count once: an IPv4 /24 shares one calculated port, an IPv6 /48 one
 * site. */
static bool same_network(const struct pt_address *a, const struct pt_address *b)
{
        return memcmp(a->octets, b->octets, pt_address_is_ipv4(a) ? 15 : 6) == 0;
}

static void forget_old(struct client_matches *c, int64_t oldest)
{
        uint32_t kept = 0;

        for (uint32_t i = 0; i < c->count; i++)
                if (c->matches[i].last >= oldest)
                        c->matches[kept++] = c->matches[i];
        c->count = kept;
        if (!kept)
                c->announced = 0;
}

/* The one that was met longest ago gives way, not the one that came first and is met again. */
static void forget_least_recent(struct client_matches *c)
{
        uint32_t oldest = 0;

        for (uint32_t i = 1; i < c->count; i++)
                if (c->matches[i].last < c->matches[oldest].last)
                        oldest = i;
        c->count--;
        memmove(c->matches + oldest, c->matches + oldest + 1,
                (c->count - oldest) * sizeof *c->matches);
}

static void remember(struct client_matches *c, const struct pt_syn *syn,
                     const struct pt_match *match, const struct pt_source *source)
{
        struct pt_campaign_match *m;

        for (uint32_t i = 0; i < c->count; i++) {
                m = &c->matches[i];
                if (m->port != syn->destination_port ||
                    !pt_address_equal(&m->destination, &syn->key))
                        continue;
                m->last = syn->time > m->last ? syn->time : m->last;
                m->chance = match->chance < m->chance ? match->chance : m->chance;
                m->verdict = match->verdict < m->verdict ? match->verdict : m->verdict;
                return;
        }
        if (c->count == PT_CAMPAIGN_MATCHES)
                forget_least_recent(c);
        c->matches[c->count++] = (struct pt_campaign_match){
                .destination = syn->key,
                .source = *source,
                .port = syn->destination_port,
                .verdict = match->verdict,
                .chance = match->chance,
                .first = syn->time,
                .last = syn->time,
        };
}

/* Does the match bring a network, a port, that none before it has? */
static void newness(const struct client_matches *c, uint32_t place, bool *ret_network,
                    bool *ret_port)
{
        *ret_network = *ret_port = true;
        for (uint32_t i = 0; i < place; i++) {
                if (same_network(&c->matches[i].destination, &c->matches[place].destination))
                        *ret_network = false;
                if (c->matches[i].port == c->matches[place].port)
                        *ret_port = false;
        }
}

/*
 * The joint chance is that of matches which are independent of each other: each brings both a
 * network and a port that those counted before it have not.
 */
static void assess(const struct client_matches *c, struct pt_rotation *ret)
{
        unsigned networks = 0, ports = 0;
        bool taken[PT_CAMPAIGN_MATCHES] = {false};

        *ret = (struct pt_rotation){
                .matches = c->matches,
                .match_count = c->count,
                .chance = 1,
                .verdict = PT_PORT_ONLY,
        };
        for (uint32_t i = 0; i < c->count; i++) {
                const struct pt_campaign_match *m = &c->matches[i];
                bool network, port, independent = true;

                newness(c, i, &network, &port);
                networks += network;
                ports += port;
                for (uint32_t j = 0; j < i; j++)
                        if (taken[j] && (c->matches[j].port == m->port ||
                                         same_network(&c->matches[j].destination, &m->destination)))
                                independent = false;
                taken[i] = independent;
                if (independent)
                        ret->chance *= m->chance;
                if (m->verdict < ret->verdict)
                        ret->verdict = m->verdict;
        }
        ret->count = networks < ports ? networks : ports;
}

static unsigned power_of_two_below(unsigned count)
{
        unsigned power = 1;

        while (power * 2 <= count)
                power *= 2;
        return power;
}

static bool has_since(const struct client_matches *c, int64_t oldest)
{
        for (uint32_t i = 0; i < c->count; i++)
                if (c->matches[i].last >= oldest)
                        return true;
        return false;
}

static struct client_matches *matches_of(struct pt_campaign *campaign, const struct pt_syn *syn)
{
        struct pt_recent_key key = {0};

        memcpy(key.octets, &syn->client, sizeof syn->client);
        pt_recent_hash(&campaign->recent, &key);
        if (pt_recent_full(&campaign->recent) && !pt_recent_find(&campaign->recent, &key) &&
            has_since(pt_recent_oldest(&campaign->recent), syn->time - campaign->window))
                campaign->counters->value[PT_COUNT_ROTATION_EVICTED]++;
        return pt_recent_touch(&campaign->recent, &key);
}

bool pt_campaign_add(struct pt_campaign *campaign, const struct pt_syn *syn,
                     const struct pt_match *match, const struct pt_source *source,
                     struct pt_rotation *ret)
{
        struct client_matches *c = matches_of(campaign, syn);
        struct pt_rotation rotation;

        forget_old(c, syn->time - campaign->window);
        remember(c, syn, match, source);
        assess(c, &rotation);
        if (rotation.count < 2 || rotation.count < 2 * c->announced ||
            rotation.chance > PT_CAMPAIGN_CHANCE)
                return false;
        c->announced = power_of_two_below(rotation.count);
        *ret = rotation;
        return true;
}
