/*
 * fetch: what will be touched is asked for ahead of time, link by link.
 */
#include "cells.h"

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

void pt_hosts_fetch_pair(const struct pt_hosts *hosts, const struct pt_address *client,
                         const struct pt_address *destination, unsigned step)
{
        const uint32_t *pair = pair_head(hosts, client, destination);

        pt_hosts_fetch_client(hosts, client, step);
        if (step == 0)
                __builtin_prefetch(pair);
        else if (step == 1)
                fetch_cell(hosts, *pair);
        else
                fetch_cell(hosts, client_at(hosts, *client_head(hosts, client))->signature);
}

static void fetch_heads(const struct pt_hosts *hosts, const struct pt_address *client,
                        const struct pt_dns_answer *answer, unsigned step)
{
        for (size_t i = 0; i < answer->count && i < AHEAD; i++) {
                struct pt_address a = pt_hosts_canonical(hosts, &answer->addresses[i].address);
                const uint32_t *pair = pair_head(hosts, client, &a);
                const uint32_t *address = address_head(hosts, &a);

                if (step == 0) {
                        __builtin_prefetch(pair);
                        __builtin_prefetch(address);
                } else {
                        fetch_cell(hosts, *pair);
                        fetch_cell(hosts, *address);
                }
        }
}

void pt_hosts_fetch_learn(const struct pt_hosts *hosts, const struct pt_address *client,
                          const struct pt_dns_answer *answer, uint64_t question_hash, unsigned step)
{
        const uint32_t *name = pt_heads_at(&hosts->names, question_hash);

        pt_hosts_fetch_client(hosts, client, step);
        if (step == 0)
                __builtin_prefetch(name);
        else if (step == 1)
                fetch_cell(hosts, *name);
        if (step < 2)
                fetch_heads(hosts, client, answer, step);
        else
                fetch_around(hosts, client_at(hosts, *client_head(hosts, client)));
}
