/*
 * fetch: what will be touched is asked for ahead of time, link by link.
 */
#include "memory/cells.h"

#define AHEAD 8 /* addresses of an answer that are fetched ahead */

static void fetch_cell(const struct pt_hosts *hosts, uint32_t link)
{
        __builtin_prefetch(pt_pool_at(&hosts->pool, link));
}

/* What learning for the client touches beside its own cell. */
static void fetch_around(const struct pt_hosts *hosts, const struct client_cell *c)
{
        fetch_cell(hosts, c->newest);
        fetch_cell(hosts, c->oldest);
        fetch_cell(hosts, c->idle_prev);
        fetch_cell(hosts, c->idle_next);
        fetch_cell(hosts, c->signature);
}

void pt_hosts_fetch_client(const struct pt_hosts *hosts, const struct pt_address *client,
                           unsigned step)
{
        const uint32_t *head = client_head(hosts, client);

        if (step == 0)
                __builtin_prefetch(head);
        else if (step == 1)
                fetch_cell(hosts, *head);
}

/* The first steps of a walk through what was given, and the filters. */
static void fetch_given(const struct pt_hosts *hosts, const struct client_cell *c)
{
        fetch_cell(hosts, filter_at(hosts, c->signature)->next);
        fetch_cell(hosts, answer_at(hosts, c->newest)->first);
        fetch_cell(hosts, answer_at(hosts, c->newest)->older);
}

void pt_hosts_fetch_pair(const struct pt_hosts *hosts, const struct pt_address *client,
                         const struct pt_address *destination, unsigned step)
{
        const struct client_cell *c;

        if (step < 2) {
                pt_hosts_fetch_client(hosts, client, step);
                if (step == 0)
                        __builtin_prefetch(pair_head(hosts, client, destination));
                else
                        fetch_cell(hosts, *pair_head(hosts, client, destination));
                return;
        }
        c = client_at(hosts, *client_head(hosts, client));
        if (step == 2) {
                fetch_cell(hosts, c->signature);
                fetch_cell(hosts, c->newest);
                fetch_cell(hosts,
                           resolution_at(hosts, *pair_head(hosts, client, destination))->pair);
        } else {
                fetch_given(hosts, c);
        }
}

static void fetch_heads(const struct pt_hosts *hosts, const struct pt_address *client,
                        const struct pt_dns_answer *answer, unsigned step)
{
        uint64_t owner = address_hash(hosts, client);

        for (size_t i = 0; i < answer->count && i < AHEAD; i++) {
                struct pt_address a = pt_hosts_canonical(hosts, &answer->addresses[i].address);
                uint64_t hash = address_hash(hosts, &a);
                const uint32_t *pair = pt_heads_at(&hosts->pairs, owner ^ hash >> 32);
                const uint32_t *address = pt_heads_at(&hosts->addresses, hash);

                if (step == 0) {
                        __builtin_prefetch(pair);
                        __builtin_prefetch(address);
                } else if (step == 1) {
                        fetch_cell(hosts, *pair);
                        fetch_cell(hosts, *address);
                } else {
                        fetch_cell(hosts, resolution_at(hosts, *pair)->pair);
                }
        }
}

void pt_hosts_fetch_learn(const struct pt_hosts *hosts, const struct pt_address *client,
                          const struct pt_dns_answer *answer, uint64_t question_hash, unsigned step)
{
        const uint32_t *name = pt_heads_at(&hosts->names, question_hash);
        const struct client_cell *c;

        if (step < 2)
                pt_hosts_fetch_client(hosts, client, step);
        if (step < 3)
                fetch_heads(hosts, client, answer, step);
        if (step == 0) {
                __builtin_prefetch(name);
        } else if (step == 1) {
                fetch_cell(hosts, *name);
        } else {
                c = client_at(hosts, *client_head(hosts, client));
                if (step == 2)
                        fetch_around(hosts, c);
                else
                        fetch_cell(hosts, filter_at(hosts, c->signature)->next);
        }
}
