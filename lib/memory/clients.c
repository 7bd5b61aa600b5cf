#include "memory/clients.h"

#include "memory/names.h"
#include "memory/victim.h"

/* Packets may be a second late, and a SYN waits: an answer may count that much longer. */
static int64_t may_count_for(const struct pt_hosts *hosts)
{
        return hosts->settings.max_window + hosts->settings.reorder + INT64_C(2000000000);
}

uint32_t pt_clients_find(const struct pt_hosts *hosts, const struct pt_address *address)
{
        uint32_t link = *client_head(hosts, address);

        while (link && !pt_address_equal(&client_at(hosts, link)->address, address))
                link = client_at(hosts, link)->chain;
        return link;
}

/* ---- two lists: all clients by idleness; and unproven ones, or those of one charge ---- */

static void idle_append(struct pt_hosts *hosts, uint32_t link)
{
        struct client_cell *c = client_at(hosts, link);

        c->idle_prev = hosts->idle_last;
        c->idle_next = 0;
        if (hosts->idle_last)
                client_at(hosts, hosts->idle_last)->idle_next = link;
        else
                hosts->idle_first = link;
        hosts->idle_last = link;
}

static void idle_remove(struct pt_hosts *hosts, const struct client_cell *c)
{
        if (c->idle_prev)
                client_at(hosts, c->idle_prev)->idle_next = c->idle_next;
        else
                hosts->idle_first = c->idle_next;
        if (c->idle_next)
                client_at(hosts, c->idle_next)->idle_prev = c->idle_prev;
        else
                hosts->idle_last = c->idle_prev;
}

/*
 * To move a client between lists costs four cache misses, so it stays in its class while its charge
 * is near. Who is about to give way is looked at closely: see greediest().
 */
#define CLASS_SLACK 8

/* The class that it is linked in. */
static uint32_t class_of(const struct pt_hosts *hosts, const struct client_cell *c)
{
        uint32_t class = (uint32_t)((int64_t)c->charge - c->lag);

        return class < hosts->class_count ? class : hosts->class_count - 1;
}

static void order_add(struct pt_hosts *hosts, uint32_t link)
{
        struct client_cell *c = client_at(hosts, link);
        uint32_t class;

        if (!(c->flags & CLIENT_PROVEN)) {
                c->order_prev = hosts->unproven_last;
                c->order_next = 0;
                if (hosts->unproven_last)
                        client_at(hosts, hosts->unproven_last)->order_next = link;
                else
                        hosts->unproven_first = link;
                hosts->unproven_last = link;
                return;
        }
        c->lag = 0;
        class = class_of(hosts, c);
        c->order_prev = 0;
        c->order_next = hosts->classes[class];
        if (c->order_next)
                client_at(hosts, c->order_next)->order_prev = link;
        hosts->classes[class] = link;
        if (class > hosts->class_top)
                hosts->class_top = class;
}

static void order_remove(struct pt_hosts *hosts, const struct client_cell *c)
{
        bool proven = c->flags & CLIENT_PROVEN;

        if (c->order_prev)
                client_at(hosts, c->order_prev)->order_next = c->order_next;
        else if (proven)
                hosts->classes[class_of(hosts, c)] = c->order_next;
        else
                hosts->unproven_first = c->order_next;
        if (c->order_next)
                client_at(hosts, c->order_next)->order_prev = c->order_prev;
        else if (!proven)
                hosts->unproven_last = c->order_prev;
}

/* ---- coming and going ---- */

uint32_t pt_clients_make(struct pt_hosts *hosts, const struct pt_address *address)
{
        uint32_t link = pt_clients_find(hosts, address);
        struct client_cell *c;
        uint32_t *head;

        if (link)
                return link;
        link = pt_pool_take(&hosts->pool);
        if (!link)
                return 0;
        head = client_head(hosts, address);
        c = client_at(hosts, link);
        c->address = *address;
        c->charge = 1;
        c->chain = *head;
        *head = link;
        idle_append(hosts, link);
        order_add(hosts, link);
        hosts->client_count++;
        return link;
}

void pt_clients_refresh(struct pt_hosts *hosts, uint32_t link, int64_t now)
{
        struct client_cell *c = client_at(hosts, link);

        /* To the second is exact enough for who was idle longest, and spares busy clients the move.
         */
        if (c->newest && answer_at(hosts, c->newest)->time > now - INT64_C(1000000000))
                return;
        idle_remove(hosts, c);
        idle_append(hosts, link);
        if (!(c->flags & CLIENT_PROVEN)) {
                order_remove(hosts, c);
                order_add(hosts, link);
        }
}

void pt_clients_prove(struct pt_hosts *hosts, uint32_t link)
{
        struct client_cell *c = client_at(hosts, link);

        if (c->flags & CLIENT_PROVEN)
                return;
        order_remove(hosts, c);
        c->flags |= CLIENT_PROVEN;
        order_add(hosts, link);
        hosts->proven_holders += c->newest != 0;
}

static void charge_move(struct pt_hosts *hosts, uint32_t link, uint32_t charge)
{
        struct client_cell *c = client_at(hosts, link);
        int64_t lag = (int64_t)c->lag + charge - c->charge;
        bool near = lag >= -CLASS_SLACK && lag <= CLASS_SLACK;

        if (!(c->flags & CLIENT_PROVEN)) {
                c->charge = charge;
                return;
        }
        if (!near)
                order_remove(hosts, c);
        c->charge = charge;
        if (near)
                c->lag = (int8_t)lag;
        else
                order_add(hosts, link);
}

void pt_clients_charge(struct pt_hosts *hosts, uint32_t link, uint32_t cells, bool asked)
{
        struct client_cell *c = client_at(hosts, link);

        charge_move(hosts, link, c->charge + cells);
        if (!asked)
                c->charge_unasked += cells;
}

void pt_clients_forget(struct pt_hosts *hosts, uint32_t link)
{
        struct client_cell *c = client_at(hosts, link);
        uint32_t *chain = client_head(hosts, &c->address);

        while (*chain != link)
                chain = &client_at(hosts, *chain)->chain;
        *chain = c->chain;
        idle_remove(hosts, c);
        order_remove(hosts, c);
        for (uint32_t filter = c->signature; filter;) {
                uint32_t next = ((struct pt_filter *)pt_pool_at(&hosts->pool, filter))->next;

                pt_pool_give(&hosts->pool, filter);
                filter = next;
        }
        pt_pool_give(&hosts->pool, link);
        hosts->client_count--;
}

/* ---- dropping an answer ---- */

static void resolution_unlink(struct pt_hosts *hosts, const struct client_cell *c, uint32_t link)
{
        struct resolution_cell *r = resolution_at(hosts, link);
        uint32_t *chain = pair_head(hosts, &c->address, &r->address);

        while (*chain != link)
                chain = &resolution_at(hosts, *chain)->pair;
        *chain = r->pair;
        if (r->same_before)
                resolution_at(hosts, r->same_before)->same = r->same;
        else
                *address_head(hosts, &r->address) = r->same;
        if (r->same)
                resolution_at(hosts, r->same)->same_before = r->same_before;
}

static void answer_unlink(struct pt_hosts *hosts, struct client_cell *c,
                          const struct answer_cell *a)
{
        if (a->newer)
                answer_at(hosts, a->newer)->older = a->older;
        else
                c->newest = a->older;
        if (a->older)
                answer_at(hosts, a->older)->newer = a->newer;
        else
                c->oldest = a->newer;
        if (c->unasked && answer_at(hosts, c->unasked) == a)
                c->unasked = a->newer;
        if (!c->newest && (c->flags & CLIENT_PROVEN))
                hosts->proven_holders--;
}

/* Give the names back. Returns the cells that they were charged with. */
static uint32_t answer_release_names(struct pt_hosts *hosts, const struct answer_cell *a)
{
        uint32_t cells = pt_names_cells_of(hosts, a->question);

        pt_names_release(hosts, a->question);
        if (a->chain) {
                const struct chain_cell *chain = chain_at(hosts, a->chain);

                for (uint32_t i = 0; i < chain->count; i++) {
                        cells += pt_names_cells_of(hosts, chain->names[i]);
                        pt_names_release(hosts, chain->names[i]);
                }
                pt_pool_give(&hosts->pool, a->chain);
                cells++;
        }
        return cells;
}

/* Ask for the heads of all chains at once: waiting for them one by one is what dropping costs. */
static void fetch_chains(const struct pt_hosts *hosts, const struct client_cell *c,
                         const struct answer_cell *a)
{
        __builtin_prefetch(pt_pool_at(&hosts->pool, a->question));
        for (uint32_t link = a->first; link;) {
                const struct resolution_cell *r = resolution_at(hosts, link);

                __builtin_prefetch(pair_head(hosts, &c->address, &r->address));
                __builtin_prefetch(pt_pool_at(&hosts->pool, r->same_before));
                __builtin_prefetch(pt_pool_at(&hosts->pool, r->same));
                link = r->sibling;
        }
}

uint32_t pt_clients_drop_answer(struct pt_hosts *hosts, uint32_t answer)
{
        struct answer_cell *a = answer_at(hosts, answer);
        uint32_t client = resolution_at(hosts, a->first)->client;
        bool asked = resolution_at(hosts, a->first)->flags & RESOLUTION_ASKED;
        struct client_cell *c = client_at(hosts, client);
        uint32_t cells = 1, count = 0;

        fetch_chains(hosts, c, a);
        for (uint32_t link = a->first; link; count++) {
                uint32_t next = resolution_at(hosts, link)->sibling;

                resolution_unlink(hosts, c, link);
                pt_pool_give(&hosts->pool, link);
                link = next;
        }
        answer_unlink(hosts, c, a);
        cells += count + answer_release_names(hosts, a);
        pt_pool_give(&hosts->pool, answer);
        charge_move(hosts, client, c->charge - cells);
        if (!asked)
                c->charge_unasked -= cells;
        hosts->entries -= count;
        return count;
}

static bool answer_expired(const struct pt_hosts *hosts, uint32_t answer, int64_t now)
{
        return !answer || answer_at(hosts, answer)->time < now - may_count_for(hosts);
}

void pt_clients_expire(struct pt_hosts *hosts, uint32_t link, int64_t now)
{
        struct client_cell *c = client_at(hosts, link);

        /* While there is room, matches of the last window can still name their answers (4.9). */
        now -= hosts->settings.window;
        for (int i = 0; i < 8 && c->oldest && answer_expired(hosts, c->oldest, now); i++)
                hosts->counters->value[PT_COUNT_CACHE_EXPIRED] +=
                        pt_clients_drop_answer(hosts, c->oldest);
}

/* ---- who gives way ---- */

uint32_t pt_clients_top(struct pt_hosts *hosts)
{
        while (hosts->class_top && !hosts->classes[hosts->class_top])
                hosts->class_top--;
        return hosts->classes[hosts->class_top];
}

uint32_t pt_clients_share(const struct pt_hosts *hosts)
{
        return hosts->pool.count / (hosts->proven_holders ? hosts->proven_holders : 1);
}

static void evict(struct pt_hosts *hosts, uint32_t answer, enum pt_counter cause)
{
        uint32_t count = pt_clients_drop_answer(hosts, answer);

        hosts->counters->value[PT_COUNT_CACHE_EVICTED] += count;
        hosts->counters->value[cause] += count;
        pt_victim_next(hosts, pt_clients_top(hosts));
}

/* A client all of whose answers are too old to count gives up one, or goes. */
static bool yield_idle(struct pt_hosts *hosts, uint32_t self, int64_t now)
{
        uint32_t link = hosts->idle_first;
        struct client_cell *c;

        if (!link || link == self)
                return false;
        c = client_at(hosts, link);
        if (!answer_expired(hosts, c->newest, now))
                return false;
        if (c->oldest)
                hosts->counters->value[PT_COUNT_CACHE_EXPIRED] +=
                        pt_clients_drop_answer(hosts, c->oldest);
        else
                pt_clients_forget(hosts, link);
        return true;
}

/* The client that never spoke, and was longest without an answer. */
static bool yield_unproven(struct pt_hosts *hosts, uint32_t self)
{
        uint32_t link = hosts->unproven_first;
        struct client_cell *c;

        if (!link || link == self)
                return false;
        c = client_at(hosts, link);
        if (c->oldest)
                evict(hosts, c->oldest, PT_COUNT_CACHE_EVICTED_UNPROVEN);
        if (!c->oldest)
                pt_clients_forget(hosts, link);
        return true;
}

/*
 * The client that is charged with most. One whose class is not exact, and that holds less than a
 * fair share, is put where it belongs first. The last class is not of one charge: it is looked
 * through.
 */
static uint32_t greediest(struct pt_hosts *hosts)
{
        uint32_t best = pt_clients_top(hosts), share = pt_clients_share(hosts);

        while (best && client_at(hosts, best)->charge < share && client_at(hosts, best)->lag) {
                order_remove(hosts, client_at(hosts, best));
                order_add(hosts, best);
                best = pt_clients_top(hosts);
        }
        if (hosts->class_top != hosts->class_count - 1)
                return best;
        for (uint32_t link = best; link; link = client_at(hosts, link)->order_next)
                if (client_at(hosts, link)->charge > client_at(hosts, best)->charge)
                        best = link;
        return best;
}

/*
 * The oldest answer of the client that holds most. All cells are charged to somebody, so when only
 * proven clients are left the largest holding is no less than the mean: a fair share.
 */
static bool yield_greedy(struct pt_hosts *hosts, uint32_t self)
{
        uint32_t link = greediest(hosts);

        if (!link || !client_at(hosts, link)->oldest)
                return false;
        evict(hosts, client_at(hosts, link)->oldest, PT_COUNT_CACHE_EVICTED_GREEDY);
        /* Who holds nothing any more must not raise the share of the others. */
        if (link != self && !client_at(hosts, link)->oldest)
                pt_clients_forget(hosts, link);
        return true;
}

/* A client that never spoke gives way to itself before anybody who did. */
static bool yield_own(struct pt_hosts *hosts, uint32_t self)
{
        const struct client_cell *c = client_at(hosts, self);

        if (!self || !c->oldest || (c->flags & CLIENT_PROVEN))
                return false;
        evict(hosts, c->oldest, PT_COUNT_CACHE_EVICTED_UNPROVEN);
        return true;
}

/*
 * The oldest answer that the client did not ask for. What is stepped over here is not stepped over
 * again: the client remembers where to go on.
 */
static bool yield_unasked(struct pt_hosts *hosts, uint32_t self)
{
        struct client_cell *c = client_at(hosts, self);

        while (c->unasked &&
               resolution_at(hosts, answer_at(hosts, c->unasked)->first)->flags & RESOLUTION_ASKED)
                c->unasked = answer_at(hosts, c->unasked)->newer;
        if (!c->unasked)
                return false;
        evict(hosts, c->unasked, PT_COUNT_CACHE_EVICTED_UNASKED);
        return true;
}

/*
 * Where the mirror shows the client's queries, what it did not ask for lives in an eighth of its
 * share and pushes out nothing else: anybody can send such answers.
 */
static bool room_unasked(struct pt_hosts *hosts, uint32_t self, uint32_t cells, int64_t now)
{
        struct client_cell *c = client_at(hosts, self);
        uint32_t most = pt_clients_share(hosts) / 8;

        if (cells > most)
                return false;
        while (c->charge_unasked + cells > most)
                if (!yield_unasked(hosts, self))
                        return false;
        while (pt_pool_free(&hosts->pool) < cells)
                if (!yield_idle(hosts, self, now) && !yield_unasked(hosts, self))
                        return false;
        return true;
}

bool pt_clients_make_room(struct pt_hosts *hosts, uint32_t self, uint32_t cells, bool asked,
                          int64_t now)
{
        if (self && !asked && (client_at(hosts, self)->flags & CLIENT_SEES_QUERIES))
                return room_unasked(hosts, self, cells, now);
        if (cells > hosts->pool.count) /* nobody is robbed for what can't fit */
                return false;
        while (pt_pool_free(&hosts->pool) < cells + hosts->reserve)
                if (!yield_idle(hosts, self, now) && !yield_unproven(hosts, self) &&
                    !yield_own(hosts, self) && !yield_greedy(hosts, self))
                        return false;
        return true;
}
