#include "memory/hosts.h"

#include <errno.h>
#include <stdlib.h>

#include "memory/clients.h"

/*
 * A cell and its part of the heads: as many of pairs as cells at most, half as many of addresses, a
 * quarter of names and of clients. The classes take a 256th of the cells.
 */
#define CELL_LEAST (PT_CELL + 1)
#define CELL_MOST (CELL_LEAST + 2 * sizeof(uint32_t))

static int hosts_init(struct pt_hosts *hosts)
{
        size_t memory = hosts->settings.memory;
        size_t heads = 256, cells;

        while (heads * 2 <= memory / CELL_MOST)
                heads *= 2;
        cells = (memory - heads * 2 * sizeof(uint32_t)) / CELL_LEAST;
        if (pt_pool_init(&hosts->pool, cells * PT_CELL) < 0 ||
            pt_heads_init(&hosts->pairs, heads) < 0 ||
            pt_heads_init(&hosts->addresses, heads / 2) < 0 ||
            pt_heads_init(&hosts->names, heads / 4) < 0 ||
            pt_heads_init(&hosts->clients, heads / 4) < 0)
                return -ENOMEM;
        hosts->reserve = hosts->pool.count < 65536 ? 0 : hosts->pool.count / 256;
        hosts->class_count = hosts->pool.count / 16 + 2;
        hosts->classes = calloc(hosts->class_count, sizeof *hosts->classes);
        return hosts->classes ? 0 : -ENOMEM;
}

size_t pt_hosts_besides(void)
{
        return sizeof(struct pt_hosts);
}

int pt_hosts_new(const struct pt_hosts_settings *settings, struct pt_counters *counters,
                 struct pt_hosts **ret)
{
        struct pt_hosts *hosts = calloc(1, sizeof *hosts);

        if (!hosts)
                return -ENOMEM;
        hosts->settings = *settings;
        hosts->counters = counters;
        hosts->round = 1;
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

struct pt_address pt_hosts_canonical(const struct pt_hosts *hosts, const struct pt_address *a)
{
        return embedding(hosts, a) ? pt_address_from_ipv4(pt_address_low32(a)) : *a;
}

void pt_hosts_prove(struct pt_hosts *hosts, const struct pt_address *client)
{
        uint32_t link = pt_clients_find(hosts, client);

        if (link)
                pt_clients_prove(hosts, link);
}

/* ---- looking up ---- */

uint32_t pt_hosts_client(const struct pt_hosts *hosts, const struct pt_address *client)
{
        return pt_clients_find(hosts, client);
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

bool pt_hosts_asked(const struct pt_hosts *hosts, uint32_t resolution)
{
        return resolution_at(hosts, resolution)->flags & RESOLUTION_ASKED;
}

bool pt_hosts_asks(const struct pt_hosts *hosts, uint32_t client)
{
        return client_at(hosts, client)->flags & CLIENT_SEES_QUERIES;
}

bool pt_hosts_given_asked(const struct pt_hosts *hosts, const struct pt_address *client,
                          const struct pt_address *destination, int64_t time)
{
        uint32_t link = *pair_head(hosts, client, destination);

        for (; link; link = resolution_at(hosts, link)->pair) {
                const struct resolution_cell *r = resolution_at(hosts, link);

                if ((r->flags & RESOLUTION_ASKED) && is_pair(hosts, r, client, destination) &&
                    counts(hosts, r, time))
                        return true;
        }
        return false;
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

/* Begin with an answer; the one behind it is on its way meanwhile. */
static struct pt_hosts_walk walk_from(const struct pt_hosts *hosts, uint32_t answer)
{
        const struct answer_cell *a = answer_at(hosts, answer);

        if (!answer)
                return (struct pt_hosts_walk){0};
        __builtin_prefetch(answer_at(hosts, a->older));
        return (struct pt_hosts_walk){.resolution = a->first, .older = a->older};
}

struct pt_hosts_walk pt_hosts_walk(const struct pt_hosts *hosts, uint32_t client)
{
        return walk_from(hosts, client ? client_at(hosts, client)->newest : 0);
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
                .asked = r->flags & RESOLUTION_ASKED,
        };
        __builtin_prefetch(resolution_at(hosts, answer_at(hosts, walk->older)->first));
        walk->resolution = r->sibling;
        if (!walk->resolution)
                *walk = walk_from(hosts, walk->older);
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
                .number = answer_at(hosts, r->answer)->number,
        };
}

uint32_t pt_hosts_by_source(const struct pt_hosts *hosts, const struct pt_source *source)
{
        uint32_t link = *pair_head(hosts, &source->client, &source->address);

        for (; link; link = resolution_at(hosts, link)->pair) {
                const struct resolution_cell *r = resolution_at(hosts, link);

                if (r->time == source->time &&
                    answer_at(hosts, r->answer)->number == source->number &&
                    is_pair(hosts, r, &source->client, &source->address))
                        return link;
        }
        return 0;
}

/* ---- signatures (4.3) ---- */

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

uint32_t pt_hosts_round(const struct pt_hosts *hosts)
{
        return hosts->round;
}

void pt_hosts_next_round(struct pt_hosts *hosts)
{
        if (++hosts->round == 0)
                hosts->round = 1;
}

void pt_hosts_set_sign(struct pt_hosts *hosts, pt_hosts_sign *sign, void *context)
{
        hosts->sign = sign;
        hosts->sign_context = context;
}

void pt_hosts_gauge(const struct pt_hosts *hosts)
{
        uint64_t *value = hosts->counters->value;

        value[PT_COUNT_CACHE_CLIENTS] = hosts->client_count;
        value[PT_COUNT_CACHE_ENTRIES] = hosts->entries;
        value[PT_COUNT_CACHE_CELLS] = hosts->pool.used;
        value[PT_COUNT_CACHE_CELLS_TOTAL] = hosts->pool.count;
}
