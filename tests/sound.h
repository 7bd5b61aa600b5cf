/*
 * sound: is every link of hosts where it belongs? Walks all that is remembered, from every side,
 * and stops the test at the first thing that does not fit. Nothing here trusts a count: all are
 * taken again.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "memory/cells.h"
#include "fuzz/must.h"
#include "memory/names.h"

struct sound {
        const struct pt_hosts *hosts;
        uint8_t *cells; /* what each cell was found to be */
        uint32_t *uses; /* of each name, by link */
        uint32_t used;
        uint32_t clients;
        uint32_t holders;
        uint64_t entries;
};

enum sound_kind {
        SOUND_FREE,
        SOUND_CLIENT,
        SOUND_SIGNATURE,
        SOUND_ANSWER,
        SOUND_CHAIN,
        SOUND_RESOLUTION,
        SOUND_NAME,
        SOUND_MORE,
};

static inline void sound_take(struct sound *s, uint32_t link, enum sound_kind kind)
{
        MUST(link > 0 && link <= s->hosts->pool.count);
        MUST(s->cells[link] == SOUND_FREE); /* nothing is two things, or in a list twice */
        s->cells[link] = (uint8_t)kind;
        s->used++;
}

static inline uint32_t sound_use(struct sound *s, uint32_t name)
{
        MUST(name > 0 && name <= s->hosts->pool.count);
        s->uses[name]++;
        return pt_names_cells_of(s->hosts, name);
}

static inline uint32_t sound_names(struct sound *s, const struct answer_cell *a)
{
        uint32_t cells = sound_use(s, a->question);

        if (!a->chain)
                return cells;
        sound_take(s, a->chain, SOUND_CHAIN);
        MUST(chain_at(s->hosts, a->chain)->count >= 1);
        MUST(chain_at(s->hosts, a->chain)->count <= CHAIN_NAMES);
        for (uint32_t i = 0; i < chain_at(s->hosts, a->chain)->count; i++)
                cells += sound_use(s, chain_at(s->hosts, a->chain)->names[i]);
        return cells + 1;
}

/* Returns the cells it is charged with. */
static inline uint32_t sound_answer(struct sound *s, uint32_t client, uint32_t link,
                                    bool *ret_asked)
{
        const struct answer_cell *a = answer_at(s->hosts, link);
        uint32_t cells = 1;

        sound_take(s, link, SOUND_ANSWER);
        MUST(a->first);
        *ret_asked = resolution_at(s->hosts, a->first)->flags & RESOLUTION_ASKED;
        for (uint32_t r = a->first; r; r = resolution_at(s->hosts, r)->sibling) {
                const struct resolution_cell *cell = resolution_at(s->hosts, r);

                sound_take(s, r, SOUND_RESOLUTION);
                MUST(cell->client == client && cell->answer == link && cell->time == a->time);
                MUST(*ret_asked == !!(cell->flags & RESOLUTION_ASKED));
                cells++;
                s->entries++;
        }
        return cells + sound_names(s, a);
}

static inline void sound_client(struct sound *s, uint32_t link)
{
        const struct client_cell *c = client_at(s->hosts, link);
        uint32_t charge = 1, unasked = 0, newer = 0;

        sound_take(s, link, SOUND_CLIENT);
        for (uint32_t f = c->signature; f;) {
                const struct pt_filter *filter = pt_pool_at(&s->hosts->pool, f);

                sound_take(s, f, SOUND_SIGNATURE);
                charge++;
                f = filter->next;
        }
        MUST(!c->newest == !c->oldest);
        for (uint32_t a = c->newest; a; a = answer_at(s->hosts, a)->older) {
                bool asked;
                uint32_t cells = sound_answer(s, link, a, &asked);

                MUST(answer_at(s->hosts, a)->newer == newer);
                charge += cells;
                unasked += asked ? 0 : cells;
                newer = a;
        }
        MUST(newer == c->oldest);
        MUST(c->charge == charge && c->charge_unasked == unasked);
        s->clients++;
        s->holders += c->newest && (c->flags & CLIENT_PROVEN);
}

static inline void sound_idle_list(struct sound *s)
{
        const struct pt_hosts *hosts = s->hosts;
        uint32_t before = 0;

        for (uint32_t c = hosts->idle_first; c; c = client_at(hosts, c)->idle_next) {
                MUST(client_at(hosts, c)->idle_prev == before);
                sound_client(s, c);
                before = c;
        }
        MUST(hosts->idle_last == before);
        MUST(hosts->client_count == s->clients);
        MUST(hosts->proven_holders == s->holders);
        MUST(hosts->entries == s->entries);
}

/* Returns how many there are. */
static inline uint32_t sound_order_list(struct sound *s, uint32_t first, uint32_t *ret_last)
{
        uint32_t count = 0;

        *ret_last = 0;
        for (uint32_t c = first; c; c = client_at(s->hosts, c)->order_next) {
                MUST(s->cells[c] == SOUND_CLIENT);
                MUST(client_at(s->hosts, c)->order_prev == *ret_last);
                MUST(++count <= s->clients);
                *ret_last = c;
        }
        return count;
}

static inline void sound_orders(struct sound *s)
{
        const struct pt_hosts *hosts = s->hosts;
        uint32_t last, count = sound_order_list(s, hosts->unproven_first, &last);

        MUST(last == hosts->unproven_last);
        for (uint32_t c = hosts->unproven_first; c; c = client_at(hosts, c)->order_next)
                MUST(!(client_at(hosts, c)->flags & CLIENT_PROVEN));
        for (uint32_t class = 0; class < hosts->class_count; class ++) {
                MUST(!hosts->classes[class] || class <= hosts->class_top);
                count += sound_order_list(s, hosts->classes[class], &last);
                for (uint32_t c = hosts->classes[class]; c; c = client_at(hosts, c)->order_next) {
                        int lag = client_at(hosts, c)->lag;
                        uint32_t linked = (uint32_t)((int64_t)client_at(hosts, c)->charge - lag);

                        MUST(client_at(hosts, c)->flags & CLIENT_PROVEN);
                        MUST(lag >= -8 && lag <= 8); /* near enough to who holds most */
                        MUST(linked == class ||
                             (class == hosts->class_count - 1 && linked >= class));
                }
        }
        MUST(count == s->clients); /* each in one of them */
}

static inline uint32_t *sound_pair_head(const struct pt_hosts *hosts,
                                        const struct resolution_cell *r)
{
        const struct pt_hash_key *key = &hosts->settings.key;
        uint64_t client = pt_hash_octets(key, &client_at(hosts, r->client)->address, 16);
        uint64_t address = pt_hash_octets(key, &r->address, 16);

        return pt_heads_at(&hosts->pairs, client ^ address >> 32);
}

static inline uint32_t *sound_head(const struct pt_hosts *hosts, const struct pt_heads *heads,
                                   const struct pt_address *address)
{
        return pt_heads_at(heads, pt_hash_octets(&hosts->settings.key, address, sizeof *address));
}

static inline void sound_resolution_chains(const struct sound *s)
{
        const struct pt_hosts *hosts = s->hosts;
        uint64_t count = 0;

        for (uint64_t head = 0; head <= hosts->pairs.mask; head++)
                for (uint32_t r = hosts->pairs.link[head]; r; r = resolution_at(hosts, r)->pair) {
                        MUST(s->cells[r] == SOUND_RESOLUTION);
                        MUST(sound_pair_head(hosts, resolution_at(hosts, r)) ==
                             hosts->pairs.link + head);
                        MUST(++count <= s->entries);
                }
        MUST(count == s->entries);
        count = 0;
        for (uint64_t head = 0; head <= hosts->addresses.mask; head++) {
                uint32_t before = 0;

                for (uint32_t r = hosts->addresses.link[head]; r;
                     r = resolution_at(hosts, r)->same) {
                        MUST(s->cells[r] == SOUND_RESOLUTION);
                        MUST(resolution_at(hosts, r)->same_before == before);
                        MUST(sound_head(hosts, &hosts->addresses,
                                        &resolution_at(hosts, r)->address) ==
                             hosts->addresses.link + head);
                        MUST(++count <= s->entries);
                        before = r;
                }
        }
        MUST(count == s->entries);
}

static inline void sound_client_chains(const struct sound *s)
{
        const struct pt_hosts *hosts = s->hosts;
        uint32_t count = 0;

        for (uint64_t head = 0; head <= hosts->clients.mask; head++)
                for (uint32_t c = hosts->clients.link[head]; c; c = client_at(hosts, c)->chain) {
                        MUST(s->cells[c] == SOUND_CLIENT);
                        MUST(sound_head(hosts, &hosts->clients, &client_at(hosts, c)->address) ==
                             hosts->clients.link + head);
                        MUST(++count <= s->clients);
                }
        MUST(count == s->clients);
}

static inline void sound_name_chains(struct sound *s)
{
        const struct pt_hosts *hosts = s->hosts;

        for (uint64_t head = 0; head <= hosts->names.mask; head++)
                for (uint32_t link = hosts->names.link[head]; link;) {
                        const struct name_cell *n = pt_pool_at(&hosts->pool, link);
                        uint32_t more = n->more, cells = 1;

                        sound_take(s, link, SOUND_NAME);
                        MUST((n->folded & hosts->names.mask) == head);
                        MUST(n->uses == s->uses[link] && n->uses > 0);
                        for (; more; cells++) {
                                const struct name_more_cell *m = pt_pool_at(&hosts->pool, more);

                                sound_take(s, more, SOUND_MORE);
                                more = m->more;
                        }
                        MUST(cells == pt_names_cells_of(hosts, link));
                        link = n->chain;
                }
        for (uint32_t link = 1; link <= hosts->pool.count; link++)
                MUST(!s->uses[link] || s->cells[link] == SOUND_NAME);
}

static inline void sound_spare_cells(struct sound *s)
{
        const struct pt_pool *pool = &s->hosts->pool;
        uint32_t link = pool->spare, spare = 0;

        while (link) {
                MUST(link < pool->fresh && s->cells[link] == SOUND_FREE);
                MUST(++spare <= pool->count);
                memcpy(&link, pt_pool_at(pool, link), sizeof link);
        }
        MUST(s->used + spare == pool->fresh - 1); /* no cell is lost */
        MUST(s->used == pool->used);
}

static inline void sound_hosts(const struct pt_hosts *hosts)
{
        struct sound s = {.hosts = hosts};

        s.cells = calloc((size_t)hosts->pool.count + 1, sizeof *s.cells);
        s.uses = calloc((size_t)hosts->pool.count + 1, sizeof *s.uses);
        MUST(s.cells && s.uses);
        sound_idle_list(&s);
        sound_orders(&s);
        sound_resolution_chains(&s);
        sound_client_chains(&s);
        sound_name_chains(&s);
        sound_spare_cells(&s);
        free(s.cells);
        free(s.uses);
}
