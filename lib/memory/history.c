#include "memory/history.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/pages.h"
#include "rule/limit.h"
#include "rule/prior.h"
#include "memory/ring.h"
#include "memory/tries.h"

#define PORTS 65536
#define DAY_HOURS 24.0 /* after which half of a count has faded */
#define FADES 256      /* so many hours of fading are worked out once */

/* What is known of a port: one look finds it all. */
#define PORT_SETS 32

struct port {
        float weight;  /* observations, faded */
        uint32_t sets; /* a bit for each of the first sets that hold it */
};

/* The ports that some rules admit. */
struct set {
        const struct pt_limit *limits;
        double prior;  /* of them together */
        double weight; /* observations on them, faded */
};

struct pt_history {
        const struct pt_rules *rules;
        struct pt_counters *counters;
        struct pt_hash_key key;
        int64_t period;       /* length, ns */
        int64_t period_begun; /* the one at hand, */
        int64_t period_number;
        int64_t hour; /* to which all weights have faded */
        int64_t hour_ends;
        int64_t begun;
        int64_t now;
        bool started;
        double fades[FADES];
        struct port ports[PORTS];
        double rates[PT_HISTORY_SETS][2]; /* new tries, faded: not given, given */
        struct set sets[PT_RULES];
        size_t set_count;
        uint16_t set_of_rule[PT_RULES]; /* place in sets[] */
        struct pt_tries tries;
        struct pt_ring networks; /* when they were counted on a port */
        struct pt_ring parts;    /* what a client brought to a port, and to which hour */
};

/* ---- sets of ports ---- */

static bool same_ports(const struct pt_limit *a, const struct pt_limit *b)
{
        for (size_t w = 0; w < PT_LIMIT_WORDS; w++)
                if ((a->ports[w] & ~a->except[w]) != (b->ports[w] & ~b->except[w]))
                        return false;
        return true;
}

static size_t find_set(const struct pt_history *h, const struct pt_limit *limits)
{
        size_t place = 0;

        while (place < h->set_count && !same_ports(h->sets[place].limits, limits))
                place++;
        return place;
}

static void add_up(struct pt_history *h, size_t place)
{
        struct set *set = &h->sets[place];

        for (unsigned port = 1; port < PORTS; port++) {
                if (!pt_limit_admit(set->limits, (uint16_t)port))
                        continue;
                set->prior += h->rules->prior->share[port];
                set->weight += (double)h->ports[port].weight;
                if (place < PORT_SETS)
                        h->ports[port].sets |= UINT32_C(1) << place;
        }
}

void pt_history_adopt(struct pt_history *h, const struct pt_rules *rules)
{
        h->rules = rules;
        h->set_count = 0;
        for (unsigned port = 0; port < PORTS; port++)
                h->ports[port].sets = 0;
        for (size_t i = 0; i < rules->count; i++) {
                size_t place = find_set(h, rules->list[i]->limits);

                h->set_of_rule[i] = (uint16_t)place;
                if (place < h->set_count)
                        continue;
                h->sets[place] = (struct set){.limits = rules->list[i]->limits};
                add_up(h, place);
                h->set_count++;
        }
        pt_tries_clear(&h->tries);
        memset(h->rates, 0, sizeof h->rates);
        h->begun = h->now;
}

static size_t bit_of(const struct pt_history *h, const struct pt_rule *rule)
{
        size_t place = h->set_of_rule[rule->place];

        return place < PT_HISTORY_SETS ? place : PT_HISTORY_SETS - 1;
}

uint8_t pt_history_set(const struct pt_history *h, const struct pt_rule *rule)
{
        return (uint8_t)(1u << bit_of(h, rule));
}

/* ---- setting up ---- */

size_t pt_history_size(const struct pt_history_room *room)
{
        return sizeof(struct pt_history) + pt_tries_size(room->clients) +
               pt_ring_size(room->networks) + pt_ring_size(room->parts);
}

int pt_history_new(const struct pt_history_room *room, int64_t window, const struct pt_rules *rules,
                   const struct pt_hash_key *key, struct pt_counters *counters,
                   struct pt_history **ret)
{
        struct pt_history *h = pt_pages_take(1, sizeof *h);

        if (!h)
                return -ENOMEM;
        h->counters = counters;
        h->key = *key;
        h->period = window / PT_TRIES_PERIODS + 1;
        for (int hours = 0; hours < FADES; hours++)
                h->fades[hours] = pow(0.5, hours / DAY_HOURS);
        if (pt_tries_init(&h->tries, room->clients, key) < 0 ||
            pt_ring_init(&h->networks, room->networks, key) < 0 ||
            pt_ring_init(&h->parts, room->parts, key) < 0) {
                pt_history_free(h);
                return -ENOMEM;
        }
        pt_history_adopt(h, rules);
        *ret = h;
        return 0;
}

struct pt_history *pt_history_free(struct pt_history *h)
{
        if (!h)
                return NULL;
        pt_ring_deinit(&h->parts);
        pt_ring_deinit(&h->networks);
        pt_tries_deinit(&h->tries);
        pt_pages_give(h, 1, sizeof *h);
        return NULL;
}

/* ---- time ---- */

static double faded(const struct pt_history *h, double weight, int64_t hours)
{
        return weight * (hours >= 0 && hours < FADES ? h->fades[hours]
                                                     : pow(0.5, (double)hours / DAY_HOURS));
}

static void fade(struct pt_history *h, int64_t hours)
{
        for (unsigned port = 0; port < PORTS; port++)
                h->ports[port].weight = (float)faded(h, h->ports[port].weight, hours);
        for (size_t i = 0; i < h->set_count; i++)
                h->sets[i].weight = faded(h, h->sets[i].weight, hours);
        for (size_t i = 0; i < PT_HISTORY_SETS; i++) {
                h->rates[i][0] = faded(h, h->rates[i][0], hours);
                h->rates[i][1] = faded(h, h->rates[i][1], hours);
        }
}

void pt_history_move_on(struct pt_history *h, int64_t time)
{
        if (!h->started) {
                h->started = true;
                h->begun = time;
                h->hour = time / PT_HOUR;
                h->hour_ends = (h->hour + 1) * PT_HOUR;
        } else if (time >= h->hour_ends) {
                fade(h, time / PT_HOUR - h->hour);
                h->hour = time / PT_HOUR;
                h->hour_ends = (h->hour + 1) * PT_HOUR;
        }
        if (time > h->now)
                h->now = time;
}

/* Which period a time falls into. Nearly always it is that of the time before. */
static int64_t period_of(struct pt_history *h, int64_t time)
{
        if (time < h->period_begun || time - h->period_begun >= h->period) {
                h->period_number = time / h->period;
                h->period_begun = h->period_number * h->period;
        }
        return h->period_number;
}

/* Something that still counts gives way for lack of room. */
static void count_evicted(struct pt_history *h, bool counts)
{
        h->counters->value[PT_COUNT_HISTORY_EVICTED] += counts;
}

/* ---- tries of a client ---- */

static void count_rates(struct pt_history *h, unsigned fresh, bool given)
{
        for (size_t i = 0; fresh; i++, fresh >>= 1)
                h->rates[i][given] += fresh & 1;
}

unsigned pt_history_tries(struct pt_history *h, const struct pt_rule *rule,
                          const struct pt_address *client, int64_t time)
{
        struct pt_tries_client *c = pt_tries_find(&h->tries, client);

        if (!c)
                return 1;
        pt_tries_come(c, period_of(h, time));
        return pt_tries_count(c, pt_history_set(h, rule));
}

double pt_history_per_day(const struct pt_history *h, const struct pt_rule *rule, bool given)
{
        double hours = (double)(h->now - h->begun) / (double)PT_HOUR;
        double seen = 1 - pow(0.5, (hours > 1 ? hours : 1) / DAY_HOURS); /* of a whole past */

        return h->rates[bit_of(h, rule)][given] * log(2) / seen;
}

/* ---- ports ---- */

static uint64_t part_key(const struct pt_tries_client *c, uint16_t port)
{
        return (uint64_t)c->serial << 16 | port;
}

/* 48 bits of an IPv6 network, or 24 of an IPv4 one behind 24 that no such network begins with. */
static uint64_t network_key(const struct pt_address *destination, uint16_t port)
{
        const uint8_t *o = destination->octets;
        uint64_t high = (uint64_t)o[0] << 16 | (uint64_t)o[1] << 8 | o[2];
        uint64_t low = (uint64_t)o[3] << 16 | (uint64_t)o[4] << 8 | o[5];

        if (pt_address_is_ipv4(destination)) {
                high = 0xffffff; /* multicast: no SYN goes there */
                low = pt_address_low32(destination) >> 8;
        }
        return high << 40 | low << 16 | port;
}

static double weight_of(const struct pt_history *h, const struct pt_ring_entry *part)
{
        return part ? faded(h, part->weight, h->hour - part->time) : 0;
}

static double own_part(const struct pt_history *h, const struct pt_address *client, uint16_t port)
{
        const struct pt_tries_client *c = pt_tries_find(&h->tries, client);

        return c ? weight_of(h, pt_ring_find(&h->parts, part_key(c, port))) : 0;
}

static bool brought_all(const struct pt_history *h, const struct pt_tries_client *c)
{
        return faded(h, c->brought, h->hour - c->hour) + 1 > PT_HISTORY_PER_CLIENT;
}

/* May the client bring one more? It is written down then. */
static bool bring(struct pt_history *h, struct pt_tries_client *c, const struct pt_try *try)
{
        struct pt_ring_entry *part = pt_ring_find(&h->parts, part_key(c, try->port));
        const struct pt_ring_entry *oldest;
        double own = weight_of(h, part);

        if (own + 1 > PT_HISTORY_PER_PORT)
                return false;
        if (!part) {
                oldest = pt_ring_oldest(&h->parts);
                count_evicted(h, oldest && h->hour - oldest->time < 24);
                part = pt_ring_add(&h->parts, part_key(c, try->port));
        }
        part->time = h->hour;
        part->weight = own + 1;
        c->brought = faded(h, c->brought, h->hour - c->hour) + 1;
        c->hour = h->hour;
        return true;
}

static void observed(struct pt_history *h, uint16_t port)
{
        struct port *of = &h->ports[port];

        of->weight += 1;
        for (size_t i = 0; i < h->set_count && i < PORT_SETS; i++)
                h->sets[i].weight += of->sets >> i & 1;
        for (size_t i = PORT_SETS; i < h->set_count; i++)
                h->sets[i].weight += pt_limit_admit(h->sets[i].limits, port);
}

/* A network counts on a port once a day, for the client that came first. */
static void note_network(struct pt_history *h, struct pt_tries_client *c, const struct pt_try *try)
{
        uint64_t key = network_key(&try->destination, try->port);
        struct pt_ring_entry *counted;
        const struct pt_ring_entry *oldest;

        if (brought_all(h, c))
                return;
        counted = pt_ring_find(&h->networks, key);
        if ((counted && try->time - counted->time < 24 * PT_HOUR) || !bring(h, c, try))
                return;
        if (!counted) {
                oldest = pt_ring_oldest(&h->networks);
                count_evicted(h, oldest && try->time - oldest->time < 24 * PT_HOUR);
                counted = pt_ring_add(&h->networks, key);
        }
        counted->time = try->time;
        observed(h, try->port);
}

void pt_history_add(struct pt_history *h, const struct pt_try *try)
{
        int64_t period = period_of(h, try->time);
        struct pt_tries_client *c;
        uint8_t fresh;
        bool evicted;

        pt_history_move_on(h, try->time);
        c = pt_tries_touch(&h->tries, &try->client, period, &evicted);
        count_evicted(h, evicted);
        fresh = pt_tries_note(c, &try->destination, try->port, try->sets, period);
        if (!fresh)
                return;
        count_rates(h, fresh, try->given);
        if (try->outbound)
                note_network(h, c, try);
}

/*
 * Most tries are old ones: what only a new one touches is fetched for those that look new. The
 * heads of clients are few enough to be near.
 */
void pt_history_fetch(const struct pt_history *h, const struct pt_address *client,
                      const struct pt_address *destination, uint16_t port, bool eligible,
                      unsigned step)
{
        const struct pt_tries_client *c;

        if (step == 1)
                pt_tries_fetch(&h->tries, client, destination, port);
        if (step < 2 || !eligible)
                return;
        c = pt_tries_guess(&h->tries, client, destination, port, h->period_number);
        if (!c)
                return;
        if (step == 2)
                __builtin_prefetch(&h->ports[port]);
        pt_ring_fetch(&h->networks, network_key(destination, port), step - 2);
        pt_ring_fetch(&h->parts, part_key(c, port), step - 2);
}

double pt_history_share(struct pt_history *h, const struct pt_rule *rule,
                        const struct pt_address *client, uint16_t port)
{
        const struct set *set = &h->sets[h->set_of_rule[rule->place]];
        double others =
                (double)h->ports[port].weight - own_part(h, client, port) - PT_HISTORY_PER_PORT;
        double least = 1.0 / rule->ports_admitted, share;

        if (set->prior <= 0)
                return least;
        share = PT_HISTORY_PRIOR * h->rules->prior->share[port] / set->prior;
        share = (share + (others > 0 ? others : 0)) / (PT_HISTORY_PRIOR + set->weight);
        return share > least ? share : least;
}
