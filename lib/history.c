#include "history.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "limit.h"
#include "prior.h"
#include "recent.h"

#define PORTS 65536
#define CELLS 512
#define PERIODS 16     /* of a window: how finely the age of a try is known */
#define AGES 256       /* periods that a cell's age can tell apart */
#define DAY_HOURS 24.0 /* after which half of a count has faded */

/* The ports that some rules admit. */
struct set {
        const struct pt_limit *limits;
        double prior;  /* of them together */
        double weight; /* observations on them, faded */
};

/* What is known of a client. */
struct client {
        int64_t period; /* of its last try */
        int64_t hour;   /* to which `brought` has faded */
        double brought; /* observations, to all ports */
        struct {
                uint8_t period; /* of the last try that fell here, modulo 256 */
                uint8_t sets;   /* which it was on; 0 for none */
        } cells[CELLS];
};

/* What a client brought to one port. */
struct part {
        int64_t hour;
        double weight;
};

struct pt_history {
        const struct pt_rules *rules;
        struct pt_counters *counters;
        int64_t period; /* length, ns */
        int64_t hour;   /* to which all weights have faded */
        int64_t begun;
        int64_t now;
        bool started;
        float weight[PORTS];              /* observations, faded */
        double rates[PT_HISTORY_SETS][2]; /* new tries, faded: not given, given */
        struct set sets[PT_RULES];
        size_t set_count;
        uint16_t set_of_rule[PT_RULES]; /* place in sets[] */
        struct pt_recent clients;       /* payload: struct client */
        struct pt_recent networks;      /* payload: int64_t, when it was counted */
        struct pt_recent parts;         /* payload: struct part */
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

static void add_up(const struct pt_history *h, struct set *set)
{
        set->prior = set->weight = 0;
        for (unsigned port = 1; port < PORTS; port++) {
                if (!pt_limit_admit(set->limits, (uint16_t)port))
                        continue;
                set->prior += h->rules->prior->share[port];
                set->weight += h->weight[port];
        }
}

void pt_history_adopt(struct pt_history *h, const struct pt_rules *rules)
{
        h->rules = rules;
        h->set_count = 0;
        for (size_t i = 0; i < rules->count; i++) {
                size_t place = find_set(h, rules->list[i]->limits);

                h->set_of_rule[i] = (uint16_t)place;
                if (place < h->set_count)
                        continue;
                h->sets[place] = (struct set){.limits = rules->list[i]->limits};
                add_up(h, &h->sets[place]);
                h->set_count++;
        }
        pt_recent_clear(&h->clients);
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
        return sizeof(struct pt_history) + pt_recent_size(room->clients, sizeof(struct client)) +
               pt_recent_size(room->networks, sizeof(int64_t)) +
               pt_recent_size(room->parts, sizeof(struct part));
}

int pt_history_new(const struct pt_history_room *room, int64_t window, const struct pt_rules *rules,
                   const struct pt_hash_key *key, struct pt_counters *counters,
                   struct pt_history **ret)
{
        struct pt_history *h = calloc(1, sizeof *h);

        if (!h)
                return -ENOMEM;
        h->counters = counters;
        h->period = window / PERIODS + 1;
        if (pt_recent_init(&h->clients, room->clients, sizeof(struct client), key) < 0 ||
            pt_recent_init(&h->networks, room->networks, sizeof(int64_t), key) < 0 ||
            pt_recent_init(&h->parts, room->parts, sizeof(struct part), key) < 0) {
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
        pt_recent_deinit(&h->parts);
        pt_recent_deinit(&h->networks);
        pt_recent_deinit(&h->clients);
        free(h);
        return NULL;
}

/* ---- time ---- */

static double faded(double weight, int64_t hours)
{
        return hours ? weight * pow(0.5, (double)hours / DAY_HOURS) : weight;
}

void pt_history_move_on(struct pt_history *h, int64_t time)
{
        int64_t hours = time / PT_HOUR - h->hour;

        if (!h->started) {
                h->started = true;
                h->begun = time;
                h->hour = time / PT_HOUR;
        } else if (hours > 0) {
                for (unsigned port = 0; port < PORTS; port++)
                        h->weight[port] = (float)faded(h->weight[port], hours);
                for (size_t i = 0; i < h->set_count; i++)
                        h->sets[i].weight = faded(h->sets[i].weight, hours);
                for (size_t i = 0; i < PT_HISTORY_SETS; i++) {
                        h->rates[i][0] = faded(h->rates[i][0], hours);
                        h->rates[i][1] = faded(h->rates[i][1], hours);
                }
                h->hour += hours;
        }
        if (time > h->now)
                h->now = time;
}

/* Something that still counts gives way for lack of room. */
static void count_evicted(struct pt_history *h, bool counts)
{
        h->counters->value[PT_COUNT_HISTORY_EVICTED] += counts;
}

/* ---- tries of a client ---- */

static struct pt_recent_key client_key(const struct pt_history *h, const struct pt_address *client)
{
        struct pt_recent_key key = {0};

        memcpy(key.octets, client, 16);
        pt_recent_hash(&h->clients, &key);
        return key;
}

/* A client that comes back after longer than ages can tell apart is a new one. */
static void forget_old_tries(struct client *c, int64_t period)
{
        int64_t passed = period - c->period;

        if (passed > AGES - 2 * PERIODS) {
                memset(c->cells, 0, sizeof c->cells);
        } else if (passed > 0) {
                for (size_t i = 0; i < CELLS; i++)
                        if ((uint8_t)(period - c->cells[i].period) > PERIODS)
                                c->cells[i].sets = 0;
        }
        if (passed > 0)
                c->period = period;
}

static size_t cell_of(const struct pt_address *destination, uint16_t port)
{
        uint64_t a, b;

        memcpy(&a, destination->octets, 8);
        memcpy(&b, destination->octets + 8, 8);
        a = (a ^ port) * UINT64_C(0x9e3779b97f4a7c15);
        b = (b ^ a ^ a >> 32) * UINT64_C(0xbf58476d1ce4e5b9);
        return (b ^ b >> 29) * UINT64_C(0x94d049bb133111eb) >> 55;
}

/* Notes the try. Returns the sets on which nothing had fallen into its cell. */
static uint8_t note_try(struct client *c, const struct pt_try *try, int64_t period)
{
        size_t cell = cell_of(&try->destination, try->port);
        uint8_t before = c->cells[cell].sets;

        c->cells[cell].sets = before | try->sets;
        c->cells[cell].period = (uint8_t)period;
        return try->sets & (uint8_t)~before;
}

static void count_rates(struct pt_history *h, uint8_t fresh, bool given)
{
        for (size_t i = 0; i < PT_HISTORY_SETS; i++)
                h->rates[i][given] += fresh >> i & 1;
}

unsigned pt_history_tries(struct pt_history *h, const struct pt_rule *rule,
                          const struct pt_address *client, int64_t time)
{
        struct pt_recent_key key = client_key(h, client);
        struct client *c = pt_recent_find(&h->clients, &key);
        uint8_t set = pt_history_set(h, rule);
        unsigned empty = 0;

        if (!c)
                return 1;
        forget_old_tries(c, time / h->period);
        for (size_t i = 0; i < CELLS; i++)
                empty += !(c->cells[i].sets & set);
        if (empty == CELLS)
                return 1;
        return empty ? (unsigned)(0.5 - CELLS * log((double)empty / CELLS)) : PT_HISTORY_TRIES;
}

double pt_history_per_day(const struct pt_history *h, const struct pt_rule *rule, bool given)
{
        double hours = (double)(h->now - h->begun) / (double)PT_HOUR;
        double seen = 1 - pow(0.5, (hours > 1 ? hours : 1) / DAY_HOURS); /* of a whole past */

        return h->rates[bit_of(h, rule)][given] * log(2) / seen;
}

/* ---- ports ---- */

static struct pt_recent_key part_key(const struct pt_history *h, const struct pt_address *client,
                                     uint16_t port)
{
        struct pt_recent_key key = {0};

        memcpy(key.octets, client, 16);
        memcpy(key.octets + 16, &port, 2);
        pt_recent_hash(&h->parts, &key);
        return key;
}

static struct pt_recent_key network_key(const struct pt_history *h, const struct pt_try *try)
{
        struct pt_recent_key key = {0};

        memcpy(key.octets, &try->destination, pt_address_is_ipv4(&try->destination) ? 15 : 6);
        memcpy(key.octets + 16, &try->port, 2);
        pt_recent_hash(&h->networks, &key);
        return key;
}

static double own_part(struct pt_history *h, const struct pt_address *client, uint16_t port)
{
        struct pt_recent_key key = part_key(h, client, port);
        const struct part *part = pt_recent_find(&h->parts, &key);

        return part ? faded(part->weight, h->hour - part->hour) : 0;
}

/* May the client bring one more? It is written down then. */
static bool bring(struct pt_history *h, struct client *c, const struct pt_try *try)
{
        double own = own_part(h, &try->client, try->port);
        struct pt_recent_key key = part_key(h, &try->client, try->port);
        struct part *part;

        c->brought = faded(c->brought, h->hour - c->hour);
        c->hour = h->hour;
        if (own + 1 > PT_HISTORY_PER_PORT || c->brought + 1 > PT_HISTORY_PER_CLIENT)
                return false;
        part = pt_recent_oldest(&h->parts);
        if (own <= 0 && pt_recent_full(&h->parts))
                count_evicted(h, h->hour - part->hour < 24);
        part = pt_recent_touch(&h->parts, &key);
        *part = (struct part){.hour = h->hour, .weight = own + 1};
        c->brought += 1;
        return true;
}

/* A network counts on a port once a day, for the client that came first. */
static void note_network(struct pt_history *h, struct client *c, const struct pt_try *try)
{
        struct pt_recent_key key = network_key(h, try);
        int64_t *counted = pt_recent_find(&h->networks, &key);

        if ((counted && try->time - *counted < 24 * PT_HOUR) || !bring(h, c, try))
                return;
        if (!counted && pt_recent_full(&h->networks)) {
                counted = pt_recent_oldest(&h->networks);
                count_evicted(h, try->time - *counted < 24 * PT_HOUR);
        }
        counted = pt_recent_touch(&h->networks, &key);
        *counted = try->time;
        h->weight[try->port] += 1;
        for (size_t i = 0; i < h->set_count; i++)
                h->sets[i].weight += pt_limit_admit(h->sets[i].limits, try->port);
}

static struct client *touch_client(struct pt_history *h, const struct pt_try *try, int64_t period)
{
        struct pt_recent_key key = client_key(h, &try->client);
        const struct client *oldest;

        if (pt_recent_full(&h->clients) && !pt_recent_find(&h->clients, &key)) {
                oldest = pt_recent_oldest(&h->clients);
                count_evicted(h, period - oldest->period <= PERIODS);
        }
        return pt_recent_touch(&h->clients, &key);
}

void pt_history_add(struct pt_history *h, const struct pt_try *try)
{
        int64_t period = try->time / h->period;
        struct client *c;
        uint8_t fresh;

        pt_history_move_on(h, try->time);
        c = touch_client(h, try, period);
        forget_old_tries(c, period);
        fresh = note_try(c, try, period);
        if (!fresh)
                return;
        count_rates(h, fresh, try->given);
        if (try->outbound)
                note_network(h, c, try);
}

double pt_history_share(struct pt_history *h, const struct pt_rule *rule,
                        const struct pt_address *client, uint16_t port)
{
        const struct set *set = &h->sets[h->set_of_rule[rule->place]];
        double others = (double)h->weight[port] - own_part(h, client, port) - PT_HISTORY_PER_PORT;
        double least = 1.0 / rule->ports_admitted, share;

        if (set->prior <= 0)
                return least;
        share = PT_HISTORY_PRIOR * h->rules->prior->share[port] / set->prior;
        share = (share + (others > 0 ? others : 0)) / (PT_HISTORY_PRIOR + set->weight);
        return share > least ? share : least;
}
