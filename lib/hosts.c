#include "hosts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clients.h"
#include "names.h"

#define COPY_WITHIN INT64_C(1000000000) /* 4.7 */
#define AHEAD 8 /* addresses of an answer that are fetched ahead */

/* Of the budget, one part in fourteen is for heads: as many pairs as cells, half of the others. */
static int hosts_init(struct pt_hosts *hosts)
{
        size_t memory = hosts->settings.memory;
        size_t cells = (memory - memory / 14) / PT_CELL;
        size_t heads = 1024;

        while (heads * 2 <= cells)
                heads *= 2;
        if (pt_pool_init(&hosts->pool, cells * PT_CELL) < 0 ||
            pt_heads_init(&hosts->pairs, heads) < 0 ||
            pt_heads_init(&hosts->addresses, heads / 2) < 0 ||
            pt_heads_init(&hosts->names, heads / 4) < 0 ||
            pt_heads_init(&hosts->clients, heads / 4) < 0)
                return -ENOMEM;
        hosts->class_count = hosts->pool.count / 16 + 2;
        hosts->classes = calloc(hosts->class_count, sizeof *hosts->classes);
        return hosts->classes ? 0 : -ENOMEM;
}

int pt_hosts_new(const struct pt_hosts_settings *settings, struct pt_counters *counters,
                 struct pt_hosts **ret)
{
        struct pt_hosts *hosts = calloc(1, sizeof *hosts);

        if (!hosts)
                return -ENOMEM;
        hosts->settings = *settings;
        hosts->counters = counters;
        if (hosts_init(hosts) < 0) {
                pt_hosts_free(hosts);
                return -ENOMEM;
        }
        *ret = hosts;
        return 0;
}

struct pt_hosts *pt_hosts_free(struct pt_hosts *hosts)
{
        if (!hosts)
                return NULL;
        pt_pool_deinit(&hosts->pool);
        pt_heads_free(&hosts->clients);
        pt_heads_free(&hosts->pairs);
        pt_heads_free(&hosts->addresses);
        pt_heads_free(&hosts->names);
        free(hosts->classes);
        free(hosts);
        return NULL;
}

/* 1 + the place of the NAT64 prefix that the address stands in, or 0. */
static uint8_t embedding(const struct pt_hosts *hosts, const struct pt_address *a)
{
        int place = -1;

        if (!pt_address_is_ipv4(a))
                place = pt_prefixes_find(&hosts->settings.nat64, a);
        return (uint8_t)(place + 1);
}

struct pt_address pt_hosts_canonical(const struct pt_hosts *hosts, const struct pt_address *a)
{
        return embedding(hosts, a) ? pt_address_from_ipv4(pt_address_low32(a)) : *a;
}

static uint32_t *pair_head(const struct pt_hosts *hosts, const struct pt_address *client,
                           const struct pt_address *destination)
{
        struct pt_address key[2] = {*client, *destination};

        return pt_heads_at(&hosts->pairs,
                           pt_siphash13(&hosts->settings.key, key, sizeof key));
}

static uint32_t *address_head(const struct pt_hosts *hosts, const struct pt_address *address)
{
        return pt_heads_at(&hosts->addresses, pt_siphash13(&hosts->settings.key, address->octets,
                                                           sizeof address->octets));
}

/* Does the resolution count for a SYN at this time (4.1, 4.7)? */
static bool counts(const struct pt_hosts *hosts, const struct resolution_cell *r, int64_t time)
{
        int64_t life = hosts->settings.window;
        /* A TTL with the top bit set counts as zero (RFC 2181 section 8). */
        int64_t ttl = r->ttl & 0x80000000U ? 0 : (int64_t)r->ttl * 1000000000;

        if (ttl > life)
                life = ttl;
        if (life > hosts->settings.max_window)
                life = hosts->settings.max_window;
        return r->time <= time + hosts->settings.reorder && time <= r->time + life;
}

/* ---- learning ---- */

/* An answer's addresses under one owner: what becomes one answer cell. */
struct group {
        const struct pt_given *given;
        uint8_t owner;
        const struct pt_dns_address *first;
        uint8_t chain[PT_DNS_NAMES]; /* question first */
        size_t chain_count;
        uint32_t count; /* of addresses */
        uint32_t cells;
};

static void group_measure(struct group *g)
{
        const struct pt_dns_answer *answer = g->given->answer;

        g->chain_count = pt_dns_answer_chain(answer, g->owner, g->chain);
        if (g->chain_count > CHAIN_NAMES + 1) { /* keep the beginning and the owner */
                g->chain[CHAIN_NAMES] = g->chain[g->chain_count - 1];
                g->chain_count = CHAIN_NAMES + 1;
        }
        g->cells = 1 + (g->chain_count > 1);
        for (size_t i = 0; i < g->chain_count; i++)
                g->cells += pt_names_cells(&answer->names[g->chain[i]]);
        for (size_t i = answer->count; i--;) {
                if (answer->addresses[i].owner != g->owner)
                        continue;
                g->first = &answer->addresses[i];
                g->count++;
        }
        g->cells += g->count;
}

/* The group's addresses and TTLs, one by one. */
static bool same_addresses(const struct pt_hosts *hosts, const struct answer_cell *a,
                           const struct group *g)
{
        const struct pt_dns_answer *answer = g->given->answer;
        uint32_t link = a->first;

        for (size_t i = 0; i < answer->count; i++) {
                struct pt_address address;
                const struct resolution_cell *r;

                if (answer->addresses[i].owner != g->owner)
                        continue;
                if (!link)
                        return false;
                r = resolution_at(hosts, link);
                address = pt_hosts_canonical(hosts, &answer->addresses[i].address);
                if (r->ttl != answer->addresses[i].ttl || !pt_address_equal(&r->address, &address))
                        return false;
                link = r->sibling;
        }
        return !link;
}

/*
 * Was this very answer learned within a second (4.7)? If so, its first address was given to this
 * client: it stands among the newest of that pair.
 */
static bool is_copy(const struct pt_hosts *hosts, uint32_t client, const struct group *g)
{
        const struct pt_given *given = g->given;
        struct pt_address address = pt_hosts_canonical(hosts, &g->first->address);
        uint32_t link = *pair_head(hosts, &given->client, &address);

        for (; link; link = resolution_at(hosts, link)->pair) {
                const struct resolution_cell *r = resolution_at(hosts, link);
                const struct answer_cell *a;

                if (r->client != client || !pt_address_equal(&r->address, &address))
                        continue;
                if (r->time < given->time - 2 * COPY_WITHIN) /* at most a second out of order */
                        return false;
                a = answer_at(hosts, r->answer);
                if (r->time >= given->time - COPY_WITHIN && r->time <= given->time + COPY_WITHIN &&
                    a->first == link && a->id == given->id &&
                    a->question_type == given->question_type &&
                    pt_address_equal(&a->resolver, &given->resolver) &&
                    pt_names_is(hosts, a->question, &given->answer->names[0]) &&
                    same_addresses(hosts, a, g))
                        return true;
        }
        return false;
}

/*
 * Newest first is by time, and packets may be up to a second late: a late one goes behind those that
 * are later. Whoever sends many late ones on purpose finds that only a few are put in order. An
 * address that stands twice in an answer keeps the order of the records.
 */
#define LATE_STEPS 64

/* A contact passes on to a newer resolution while the older still counts (4.5). */
static void inherit_contact(const struct pt_hosts *hosts, uint32_t head, struct resolution_cell *r)
{
        for (uint32_t link = head; link; link = resolution_at(hosts, link)->pair) {
                const struct resolution_cell *old = resolution_at(hosts, link);

                if (old->client != r->client || !pt_address_equal(&old->address, &r->address) ||
                    old->contact <= r->contact || !counts(hosts, old, r->time))
                        continue;
                r->contact = old->contact;
                r->flags = (uint8_t)((r->flags & ~RESOLUTION_CONTACTED_AGAIN) |
                                     (old->flags & RESOLUTION_CONTACTED_AGAIN));
        }
}

static void link_pair(struct pt_hosts *hosts, uint32_t *head, uint32_t link)
{
        struct resolution_cell *r = resolution_at(hosts, link);

        inherit_contact(hosts, *head, r);
        for (int steps = 0; steps < LATE_STEPS && *head; steps++) {
                struct resolution_cell *later = resolution_at(hosts, *head);

                if (later->time <= r->time && later->answer != r->answer)
                        break;
                head = &later->pair;
        }
        r->pair = *head;
        *head = link;
}

static void link_same(struct pt_hosts *hosts, uint32_t *head, uint32_t link)
{
        struct resolution_cell *r = resolution_at(hosts, link);

        for (int steps = 0; steps < LATE_STEPS && *head; steps++) {
                struct resolution_cell *later = resolution_at(hosts, *head);

                if (later->time <= r->time)
                        break;
                r->same_before = *head;
                head = &later->same;
        }
        r->same = *head;
        if (r->same)
                resolution_at(hosts, r->same)->same_before = link;
        *head = link;
}

static void sign_given(struct pt_hosts *hosts, const struct client_cell *c,
                       const struct pt_address *a);

static uint32_t resolution_make(struct pt_hosts *hosts, uint32_t client, uint32_t answer,
                                const struct pt_given *given, const struct pt_dns_address *record)
{
        uint32_t link = pt_pool_take(&hosts->pool);
        struct resolution_cell *r = resolution_at(hosts, link);

        r->time = given->time;
        r->contact = PT_NEVER;
        r->address = pt_hosts_canonical(hosts, &record->address);
        r->embedded = embedding(hosts, &record->address);
        r->client = client;
        r->answer = answer;
        r->ttl = record->ttl;
        r->flags = given->asked ? RESOLUTION_ASKED : 0;

        link_pair(hosts, pair_head(hosts, &given->client, &r->address), link);
        link_same(hosts, address_head(hosts, &r->address), link);
        hosts->entries++;
        return link;
}

static void answer_names(struct pt_hosts *hosts, struct answer_cell *a, const struct group *g)
{
        const struct pt_dns_answer *answer = g->given->answer;
        struct chain_cell *chain;

        a->question = pt_names_hold(hosts, &answer->names[0]);
        if (g->chain_count < 2)
                return;
        a->chain = pt_pool_take(&hosts->pool);
        chain = chain_at(hosts, a->chain);
        for (size_t i = 1; i < g->chain_count; i++)
                chain->names[chain->count++] = pt_names_hold(hosts, &answer->names[g->chain[i]]);
}

static void link_answer(struct pt_hosts *hosts, struct client_cell *c, uint32_t link, bool asked)
{
        struct answer_cell *a = answer_at(hosts, link);

        a->older = c->newest;
        for (int steps = 0; steps < LATE_STEPS && a->older; steps++) {
                const struct answer_cell *later = answer_at(hosts, a->older);

                if (later->time <= a->time)
                        break;
                a->newer = a->older;
                a->older = later->older;
        }
        if (a->newer)
                answer_at(hosts, a->newer)->older = link;
        else
                c->newest = link;
        if (a->older)
                answer_at(hosts, a->older)->newer = link;
        else
                c->oldest = link;
        if (!asked && (!c->unasked || a->time < answer_at(hosts, c->unasked)->time))
                c->unasked = link;
}

static uint32_t answer_make(struct pt_hosts *hosts, struct client_cell *c, const struct group *g)
{
        const struct pt_given *given = g->given;
        uint32_t link = pt_pool_take(&hosts->pool);
        struct answer_cell *a = answer_at(hosts, link);

        a->time = given->time;
        a->wall = given->wall;
        a->resolver = given->resolver;
        a->number = given->number <= UINT32_MAX ? (uint32_t)given->number : 0;
        a->file = given->file <= UINT16_MAX ? (uint16_t)given->file : UINT16_MAX;
        a->id = given->id;
        a->flags = given->flags;
        a->question_type = given->question_type;
        answer_names(hosts, a, g);

        link_answer(hosts, c, link, given->asked);
        return link;
}

static void group_store(struct pt_hosts *hosts, uint32_t client, const struct group *g)
{
        const struct pt_dns_answer *answer = g->given->answer;
        struct client_cell *c = client_at(hosts, client);
        uint32_t link, *next;

        hosts->proven_holders += !c->newest && (c->flags & CLIENT_PROVEN);
        link = answer_make(hosts, c, g);
        next = &answer_at(hosts, link)->first;
        for (size_t i = 0; i < answer->count; i++) {
                if (answer->addresses[i].owner != g->owner)
                        continue;
                *next = resolution_make(hosts, client, link, g->given, &answer->addresses[i]);
                sign_given(hosts, c, &resolution_at(hosts, *next)->address);
                next = &resolution_at(hosts, *next)->sibling;
        }
        pt_clients_charge(hosts, client, g->cells, g->given->asked);
}

static enum pt_learned group_learn(struct pt_hosts *hosts, uint32_t client, struct group *g)
{
        const struct pt_given *given = g->given;

        group_measure(g);
        if (is_copy(hosts, client, g))
                return PT_LEARNED_COPY;
        if (!pt_clients_make_room(hosts, client, g->cells, given->asked, given->time)) {
                hosts->counters->value[PT_COUNT_CACHE_REFUSED] += g->count;
                return PT_LEARNED_NO_ROOM;
        }
        group_store(hosts, client, g);
        return PT_LEARNED;
}

/*
 * Nearly all of what learning costs is waiting for memory: the heads and cells of the client, of the
 * question, and of each address. They are asked for all at once, and then the cells behind the heads.
 */
static void fetch_ahead(const struct pt_hosts *hosts, const struct pt_given *given)
{
        const struct pt_dns_answer *answer = given->answer;
        size_t count = answer->count < AHEAD ? answer->count : AHEAD;
        const uint32_t *heads[2 * AHEAD + 2];
        size_t n = 0;

        heads[n++] = pt_heads_at(&hosts->names,
                                 pt_dns_name_hash(&hosts->settings.key, &answer->names[0]));
        heads[n++] = pt_heads_at(&hosts->clients,
                                 pt_siphash13(&hosts->settings.key, given->client.octets, 16));
        __builtin_prefetch(heads[0]);
        __builtin_prefetch(heads[1]);
        for (size_t i = 0; i < count; i++) {
                struct pt_address a = pt_hosts_canonical(hosts, &answer->addresses[i].address);

                heads[n] = pair_head(hosts, &given->client, &a);
                __builtin_prefetch(heads[n++]);
                heads[n] = address_head(hosts, &a);
                __builtin_prefetch(heads[n++]);
        }
        for (size_t i = 0; i < n; i++)
                __builtin_prefetch(pt_pool_at(&hosts->pool, *heads[i]));
}

/* Owners in the order of their first address. */
static size_t owners_of(const struct pt_dns_answer *answer, uint8_t ret[PT_DNS_NAMES])
{
        bool seen[PT_DNS_NAMES] = {false};
        size_t count = 0;

        for (size_t i = 0; i < answer->count; i++) {
                uint8_t owner = answer->addresses[i].owner;

                if (!seen[owner]) {
                        seen[owner] = true;
                        ret[count++] = owner;
                }
        }
        return count;
}

static uint32_t client_for(struct pt_hosts *hosts, const struct pt_given *given)
{
        uint32_t client = pt_clients_find(hosts, &given->client);

        if (!client) {
                pt_clients_make_room(hosts, 0, 1, true, given->time);
                client = pt_clients_make(hosts, &given->client);
        }
        if (!client)
                return 0;
        if (given->asked) {
                client_at(hosts, client)->flags |= CLIENT_SEES_QUERIES;
                pt_clients_prove(hosts, client);
        }
        pt_clients_refresh(hosts, client);
        pt_clients_expire(hosts, client, given->time);
        return client;
}

enum pt_learned pt_hosts_learn(struct pt_hosts *hosts, const struct pt_given *given)
{
        uint8_t owners[PT_DNS_NAMES];
        size_t count = owners_of(given->answer, owners);
        enum pt_learned result = PT_LEARNED_NO_ROOM;
        uint32_t client;

        fetch_ahead(hosts, given);
        client = client_for(hosts, given);
        if (!client)
                hosts->counters->value[PT_COUNT_CACHE_REFUSED] += given->answer->count;
        else
                result = PT_LEARNED_COPY;
        /* The last group first: so that the first is the newest, and the walk has record order. */
        while (client && count--) {
                struct group g = {.given = given, .owner = owners[count]};
                enum pt_learned learned = group_learn(hosts, client, &g);

                if (result == PT_LEARNED_COPY || learned == PT_LEARNED)
                        result = learned;
        }
        return result;
}

void pt_hosts_prove(struct pt_hosts *hosts, const struct pt_address *client)
{
        uint32_t link = pt_clients_find(hosts, client);

        if (link)
                pt_clients_prove(hosts, link);
}

/* ---- looking up ---- */

void pt_hosts_prefetch(const struct pt_hosts *hosts, const struct pt_address *client,
                       const struct pt_address *destination)
{
        __builtin_prefetch(pair_head(hosts, client, destination));
}

void pt_hosts_prefetch_cells(const struct pt_hosts *hosts, const struct pt_address *client,
                             const struct pt_address *destination)
{
        __builtin_prefetch(pt_pool_at(&hosts->pool, *pair_head(hosts, client, destination)));
}

uint32_t pt_hosts_client(const struct pt_hosts *hosts, const struct pt_address *client)
{
        return pt_clients_find(hosts, client);
}

static bool is_pair(const struct pt_hosts *hosts, const struct resolution_cell *r,
                    const struct pt_address *client, const struct pt_address *destination)
{
        return pt_address_equal(&r->address, destination) &&
               pt_address_equal(&client_at(hosts, r->client)->address, client);
}

uint32_t pt_hosts_given(const struct pt_hosts *hosts, const struct pt_address *client,
                        const struct pt_address *destination, int64_t time)
{
        uint32_t link = *pair_head(hosts, client, destination), late = 0;

        for (; link; link = resolution_at(hosts, link)->pair) {
                const struct resolution_cell *r = resolution_at(hosts, link);

                if (!is_pair(hosts, r, client, destination) || !counts(hosts, r, time))
                        continue;
                if (r->time <= time)
                        return link;
                late = late ? late : link;
        }
        return late;
}

bool pt_hosts_is_newest(const struct pt_hosts *hosts, uint32_t resolution, int64_t time)
{
        const struct resolution_cell *of = resolution_at(hosts, resolution);
        const struct pt_address *client = &client_at(hosts, of->client)->address;
        uint32_t link = *pair_head(hosts, client, &of->address);

        for (; link && link != resolution; link = resolution_at(hosts, link)->pair) {
                const struct resolution_cell *r = resolution_at(hosts, link);

                if (is_pair(hosts, r, client, &of->address) && counts(hosts, r, time))
                        return false;
        }
        return true;
}

uint32_t pt_hosts_given_ever(const struct pt_hosts *hosts, const struct pt_address *client,
                             const struct pt_address *destination)
{
        uint32_t link = *pair_head(hosts, client, destination);

        while (link && !is_pair(hosts, resolution_at(hosts, link), client, destination))
                link = resolution_at(hosts, link)->pair;
        return link;
}

uint32_t pt_hosts_given_other(const struct pt_hosts *hosts, const struct pt_address *client,
                              const struct pt_address *destination, int64_t time)
{
        uint32_t link = *address_head(hosts, destination), late = 0;

        for (; link; link = resolution_at(hosts, link)->same) {
                const struct resolution_cell *r = resolution_at(hosts, link);

                if (!pt_address_equal(&r->address, destination) || !counts(hosts, r, time) ||
                    pt_address_equal(&client_at(hosts, r->client)->address, client))
                        continue;
                if (r->time <= time)
                        return link;
                late = late ? late : link;
        }
        return late;
}

struct pt_hosts_walk pt_hosts_walk(const struct pt_hosts *hosts, uint32_t client)
{
        uint32_t answer = client ? client_at(hosts, client)->newest : 0;

        return (struct pt_hosts_walk){
                .answer = answer,
                .resolution = answer ? answer_at(hosts, answer)->first : 0,
        };
}

bool pt_hosts_next(const struct pt_hosts *hosts, struct pt_hosts_walk *walk, int64_t time,
                   int64_t oldest, struct pt_resolution_view *ret)
{
        const struct resolution_cell *r;

        if (!walk->resolution)
                return false;
        r = resolution_at(hosts, walk->resolution);
        if (r->time < oldest)
                return false;
        *ret = (struct pt_resolution_view){
                .link = walk->resolution,
                .address = r->address,
                .time = r->time,
                .counts = counts(hosts, r, time),
        };
        walk->resolution = r->sibling;
        if (!walk->resolution) {
                walk->answer = answer_at(hosts, walk->answer)->older;
                if (walk->answer)
                        walk->resolution = answer_at(hosts, walk->answer)->first;
        }
        return true;
}

struct pt_address pt_hosts_resolved(const struct pt_hosts *hosts, uint32_t resolution)
{
        return resolution_at(hosts, resolution)->address;
}

struct pt_source pt_hosts_source(const struct pt_hosts *hosts, uint32_t resolution)
{
        const struct resolution_cell *r = resolution_at(hosts, resolution);

        return (struct pt_source){
                .client = client_at(hosts, r->client)->address,
                .address = r->address,
                .time = r->time,
        };
}

uint32_t pt_hosts_by_source(const struct pt_hosts *hosts, const struct pt_source *source)
{
        uint32_t link = *pair_head(hosts, &source->client, &source->address);

        for (; link; link = resolution_at(hosts, link)->pair) {
                const struct resolution_cell *r = resolution_at(hosts, link);

                if (r->time == source->time && is_pair(hosts, r, &source->client, &source->address))
                        return link;
        }
        return 0;
}

/* ---- signatures (4.3) ---- */

static struct pt_filter *filter_at(const struct pt_hosts *hosts, uint32_t link)
{
        return pt_pool_at(&hosts->pool, link);
}

struct pt_filter *pt_hosts_filter(struct pt_hosts *hosts, uint32_t client, enum pt_filter_kind kind)
{
        uint32_t *link = &client_at(hosts, client)->signature;

        for (unsigned i = 0;; i++) {
                if (!*link && (*link = pt_pool_take(&hosts->pool)) != 0)
                        pt_clients_charge(hosts, client, 1, true);
                if (!*link)
                        return NULL;
                if (i == kind)
                        return filter_at(hosts, *link);
                link = &filter_at(hosts, *link)->next;
        }
}

void pt_hosts_set_sign(struct pt_hosts *hosts, pt_hosts_sign *sign, void *context)
{
        hosts->sign = sign;
        hosts->sign_context = context;
}

static void sign_given(struct pt_hosts *hosts, const struct client_cell *c,
                       const struct pt_address *a)
{
        struct pt_filter *filters[PT_FILTER_KINDS] = {NULL};
        uint32_t link = c->signature;

        if (!link || !hosts->sign || !pt_address_is_ipv4(a))
                return;
        for (unsigned i = 0; link; i++) {
                struct pt_filter *f = filter_at(hosts, link);

                filters[i] = f->filled ? f : NULL;
                link = f->next;
        }
        hosts->sign(hosts->sign_context, filters, pt_address_low32(a));
}

/* ---- contacts (4.5) ---- */

void pt_hosts_contact(struct pt_hosts *hosts, const struct pt_address *client,
                      const struct pt_address *destination, int64_t time)
{
        uint32_t link = *pair_head(hosts, client, destination);

        for (; link; link = resolution_at(hosts, link)->pair) {
                struct resolution_cell *r = resolution_at(hosts, link);

                if (!is_pair(hosts, r, client, destination) || time <= r->contact ||
                    !counts(hosts, r, time))
                        continue;
                if (r->contact != PT_NEVER && r->contact >= time - hosts->settings.window)
                        r->flags |= RESOLUTION_CONTACTED_AGAIN;
                else
                        r->flags &= (uint8_t)~RESOLUTION_CONTACTED_AGAIN;
                r->contact = time;
        }
}

/*
 * Within the window and strictly before `time`. Contacts are applied in the order of time, so the
 * last one is at `time` at the latest; if it is, what counts is whether there was one before it.
 */
static bool contact_counts(const struct pt_hosts *hosts, const struct resolution_cell *r,
                           int64_t time)
{
        if (r->contact == PT_NEVER || r->contact < time - hosts->settings.window)
                return false;
        if (r->contact < time)
                return true;
        return r->contact == time && (r->flags & RESOLUTION_CONTACTED_AGAIN);
}

void pt_hosts_mark_contacted(struct pt_hosts *hosts, uint32_t client, int64_t time, bool mark)
{
        struct pt_hosts_walk walk = pt_hosts_walk(hosts, client);
        struct pt_resolution_view view;

        while (pt_hosts_next(hosts, &walk, time, PT_NEVER, &view)) {
                const struct resolution_cell *r = resolution_at(hosts, view.link);

                if (view.counts && contact_counts(hosts, r, time))
                        pt_names_mark(hosts, answer_at(hosts, r->answer)->question, mark);
        }
}

bool pt_hosts_marked(const struct pt_hosts *hosts, uint32_t resolution)
{
        return pt_names_marked(hosts,
                               answer_at(hosts, resolution_at(hosts, resolution)->answer)->question);
}

void pt_hosts_gauge(const struct pt_hosts *hosts)
{
        uint64_t *value = hosts->counters->value;

        value[PT_COUNT_CACHE_CLIENTS] = hosts->client_count;
        value[PT_COUNT_CACHE_ENTRIES] = hosts->entries;
        value[PT_COUNT_CACHE_CELLS] = hosts->pool.used;
        value[PT_COUNT_CACHE_CELLS_TOTAL] = hosts->pool.count;
}
