/*
 * learn: one DNS answer is copied into cells (design 4.7).
 */
#include "memory/clients.h"
#include "memory/names.h"
#include "memory/victim.h"

#define COPY_WITHIN INT64_C(1000000000) /* 4.7 */
#define REPEATS 1024                    /* resolutions of one client and address that are kept */
#define AHEAD 8 /* addresses of an answer that are looked after one by one */

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
 * Newest first is by time, and packets may be up to a second late: a late one goes behind those
 * that are later. Whoever sends many late ones on purpose finds that only a few are put in order.
 * An address that stands twice in an answer keeps the order of the records.
 */
#define LATE_STEPS 64

/*
 * A contact passes on to a newer resolution while the older still counts (4.5). The newest that
 * counts has the latest contact: contacts mark all that count, and it inherited from those before
 * it.
 */
static void inherit_contact(const struct pt_hosts *hosts, uint32_t head, struct resolution_cell *r)
{
        for (uint32_t link = head; link; link = resolution_at(hosts, link)->pair) {
                const struct resolution_cell *old = resolution_at(hosts, link);

                if (old->client != r->client || !pt_address_equal(&old->address, &r->address) ||
                    !counts(hosts, old, r->time))
                        continue;
                r->contact = old->contact;
                r->flags |= old->flags & RESOLUTION_CONTACTED_AGAIN;
                return;
        }
}

static void count_repeat(const struct pt_hosts *hosts, uint32_t link, struct resolution_cell *r)
{
        for (; link; link = resolution_at(hosts, link)->pair) {
                const struct resolution_cell *old = resolution_at(hosts, link);

                if (old->client != r->client || !pt_address_equal(&old->address, &r->address))
                        continue;
                r->repeats = old->repeats < UINT16_MAX ? old->repeats + 1 : UINT16_MAX;
                return;
        }
}

static void link_pair(struct pt_hosts *hosts, uint32_t *head, uint32_t link)
{
        struct resolution_cell *r = resolution_at(hosts, link);

        inherit_contact(hosts, *head, r);
        count_repeat(hosts, *head, r);
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
                       const struct pt_address *a)
{
        struct pt_filter *filters[PT_FILTER_KINDS] = {NULL};
        uint32_t link = c->signature;

        if (!link || !hosts->sign || !pt_address_is_ipv4(a))
                return;
        for (unsigned i = 0; link; i++) {
                struct pt_filter *f = filter_at(hosts, link);

                filters[i] = f->filled == hosts->round ? f : NULL;
                link = f->next;
        }
        hosts->sign(hosts->sign_context, filters, pt_address_low32(a));
}

/* `place` says which of the answer's addresses it is. */
static uint32_t resolution_make(struct pt_hosts *hosts, uint32_t client, uint32_t answer,
                                const struct pt_given *given, size_t place)
{
        const struct pt_dns_address *record = &given->answer->addresses[place];
        uint32_t link = pt_pool_take(&hosts->pool);
        struct resolution_cell *r = resolution_at(hosts, link);

        r->time = given->time;
        r->contact = PT_NEVER;
        r->address = pt_hosts_canonical(hosts, &record->address);
        r->embedded = embedding(hosts, &record->address);
        r->client = client;
        r->answer = answer;
        r->ttl = record->ttl;
        r->flags = (uint8_t)((given->asked ? RESOLUTION_ASKED : 0) |
                             (record->mapped ? RESOLUTION_MAPPED : 0) |
                             (record->hint ? RESOLUTION_HINT : 0) | (unsigned)given->source << 4 |
                             (given->lacks & PT_LOGGED_NO_TTL ? RESOLUTION_NO_TTL : 0) |
                             (given->lacks & PT_LOGGED_NO_QUESTION ? RESOLUTION_NO_QUESTION : 0));

        link_pair(hosts, pair_head(hosts, &given->client, &r->address), link);
        link_same(hosts, address_head(hosts, &r->address), link);
        hosts->entries++;
        return link;
}

static void answer_names(struct pt_hosts *hosts, struct answer_cell *a, const struct group *g)
{
        const struct pt_dns_answer *answer = g->given->answer;
        struct chain_cell *chain;

        a->question = pt_names_hold(hosts, &answer->names[0], g->given->question_hash);
        if (g->chain_count < 2)
                return;
        a->chain = pt_pool_take(&hosts->pool);
        chain = chain_at(hosts, a->chain);
        for (size_t i = 1; i < g->chain_count; i++) {
                chain->names[chain->count++] = pt_names_hold(hosts, &answer->names[g->chain[i]], 0);
                chain->broken |= answer->alias[g->chain[i - 1]] != g->chain[i];
        }
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
                *next = resolution_make(hosts, client, link, g->given, i);
                sign_given(hosts, c, &resolution_at(hosts, *next)->address);
                next = &resolution_at(hosts, *next)->sibling;
        }
        pt_clients_charge(hosts, client, g->cells, g->given->asked);
        hosts->counters->value[PT_COUNT_DNS_ANSWERS] += g->count;
}

/*
 * A client that asks for the same name all day long is given the same address again and again, and
 * what walks those repeats must not become slow: of very many, the oldest goes, and of those that
 * nobody asked for first.
 */
static void bound_repeats(struct pt_hosts *hosts, uint32_t client, const struct pt_address *address)
{
        const struct pt_address *owner = &client_at(hosts, client)->address;
        uint32_t link = *pair_head(hosts, owner, address), first = 0, last = 0, last_unasked = 0;
        uint32_t dropped;
        uint16_t count = 0;

        for (; link; link = resolution_at(hosts, link)->pair) {
                const struct resolution_cell *r = resolution_at(hosts, link);

                if (r->client != client || !pt_address_equal(&r->address, address))
                        continue;
                if (!first && r->repeats < REPEATS - 1)
                        return;
                first = first ? first : link;
                last = link;
                if (!(r->flags & RESOLUTION_ASKED))
                        last_unasked = link;
                count++;
        }
        if (!first)
                return;
        resolution_at(hosts, first)->repeats = (uint16_t)(count - 1);
        if (count < REPEATS)
                return;
        resolution_at(hosts, first)->repeats--;
        dropped = pt_clients_drop_answer(
                hosts, resolution_at(hosts, last_unasked ? last_unasked : last)->answer);
        hosts->counters->value[PT_COUNT_CACHE_EVICTED] += dropped;
        hosts->counters->value[PT_COUNT_CACHE_EVICTED_REPEATS] += dropped;
}

static enum pt_learned group_learn(struct pt_hosts *hosts, uint32_t client, struct group *g)
{
        const struct pt_given *given = g->given;

        group_measure(g);
        pt_victim_fetch(hosts);
        if (is_copy(hosts, client, g))
                return PT_LEARNED_COPY;
        pt_victim_fetch(hosts);
        if (!pt_clients_make_room(hosts, client, g->cells, given->asked, given->time)) {
                hosts->counters->value[PT_COUNT_CACHE_REFUSED] += g->count;
                return PT_LEARNED_NO_ROOM;
        }
        for (size_t i = 0; i < given->answer->count && i < AHEAD; i++) {
                struct pt_address address =
                        pt_hosts_canonical(hosts, &given->answer->addresses[i].address);

                pt_victim_fetch(hosts);
                bound_repeats(hosts, client, &address);
        }
        group_store(hosts, client, g);
        return PT_LEARNED;
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
        pt_clients_refresh(hosts, client, given->time);
        pt_clients_expire(hosts, client, given->time);
        return client;
}

enum pt_learned pt_hosts_learn(struct pt_hosts *hosts, const struct pt_given *given)
{
        uint8_t owners[PT_DNS_NAMES];
        size_t count = owners_of(given->answer, owners);
        enum pt_learned result = PT_LEARNED_NO_ROOM;
        uint32_t client;

        pt_victim_fetch(hosts);
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
