#include "memory/victim.h"

#define NEARLY_FULL 256 /* cells: what is learned together is less */

/* Of what was fetched, some may be something else by now: what it says is good for fetching. */
static uint32_t bounded(const struct pt_hosts *hosts, uint32_t link)
{
        return link <= hosts->pool.count ? link : 0;
}

static uint32_t *pair_of(const struct pt_hosts *hosts, const struct resolution_cell *r)
{
        return pair_head(hosts, &client_at(hosts, hosts->victim.client)->address, &r->address);
}

/* The oldest of a pair stands at the end of its chain. */
static void fetch_chain(const struct pt_hosts *hosts, uint32_t link)
{
        const struct resolution_cell *r = resolution_at(hosts, link);

        __builtin_prefetch(resolution_at(hosts, *pair_of(hosts, r)));
}

static void fetch_second(const struct pt_hosts *hosts, uint32_t link)
{
        const struct resolution_cell *r = resolution_at(hosts, link);

        __builtin_prefetch(resolution_at(hosts, resolution_at(hosts, *pair_of(hosts, r))->pair));
}

static void fetch_links(const struct pt_hosts *hosts, uint32_t link)
{
        const struct resolution_cell *r = resolution_at(hosts, link);

        __builtin_prefetch(pair_of(hosts, r));
        __builtin_prefetch(resolution_at(hosts, bounded(hosts, r->same_before)));
        __builtin_prefetch(resolution_at(hosts, bounded(hosts, r->same)));
        __builtin_prefetch(resolution_at(hosts, bounded(hosts, r->sibling)));
}

void pt_victim_fetch(struct pt_hosts *hosts)
{
        const struct answer_cell *a = answer_at(hosts, hosts->victim.answer);
        uint32_t first, second;

        if (pt_pool_free(&hosts->pool) > NEARLY_FULL)
                return;
        switch (hosts->victim.step++) {
        case 0:
                __builtin_prefetch(client_at(hosts, hosts->victim.client));
                return;
        case 1:
                hosts->victim.answer =
                        bounded(hosts, client_at(hosts, hosts->victim.client)->oldest);
                __builtin_prefetch(answer_at(hosts, hosts->victim.answer));
                return;
        case 2:
                __builtin_prefetch(resolution_at(hosts, bounded(hosts, a->first)));
                __builtin_prefetch(pt_pool_at(&hosts->pool, bounded(hosts, a->question)));
                __builtin_prefetch(chain_at(hosts, bounded(hosts, a->chain)));
                return;
        case 3:
                fetch_links(hosts, bounded(hosts, a->first));
                return;
        case 4:
                first = bounded(hosts, a->first);
                fetch_links(hosts, bounded(hosts, resolution_at(hosts, first)->sibling));
                fetch_chain(hosts, first);
                return;
        case 5:
                first = bounded(hosts, a->first);
                second = bounded(hosts, resolution_at(hosts, first)->sibling);
                fetch_second(hosts, first);
                fetch_chain(hosts, second);
                return;
        case 6:
                first = bounded(hosts, a->first);
                fetch_second(hosts, bounded(hosts, resolution_at(hosts, first)->sibling));
                return;
        default:
                return;
        }
}

/* The next victim of the same client has just been touched. */
void pt_victim_next(struct pt_hosts *hosts, uint32_t top)
{
        hosts->victim.step = hosts->victim.client == top ? 1 : 0;
        hosts->victim.client = top;
        pt_victim_fetch(hosts);
        pt_victim_fetch(hosts);
}
