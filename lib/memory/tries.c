#include "memory/tries.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/pages.h"

#define AGES 256 /* periods that a cell's age can tell apart */

static_assert(offsetof(struct pt_tries_client, cells) == 64, "one line of memory");

static size_t heads_for(uint32_t capacity)
{
        size_t heads = 2;

        while (heads < (size_t)capacity * 2)
                heads *= 2;
        return heads;
}

size_t pt_tries_size(uint32_t capacity)
{
        return ((size_t)capacity + 1) * sizeof(struct pt_tries_client) +
               heads_for(capacity) * sizeof(uint32_t);
}

int pt_tries_init(struct pt_tries *tries, uint32_t capacity, const struct pt_hash_key *key)
{
        *tries = (struct pt_tries){.capacity = capacity, .key = *key};
        tries->clients = pt_pages_take((size_t)capacity + 1, sizeof *tries->clients);
        if (!tries->clients || pt_heads_init(&tries->heads, heads_for(capacity)) < 0) {
                pt_tries_deinit(tries);
                return -ENOMEM;
        }
        return 0;
}

void pt_tries_deinit(struct pt_tries *tries)
{
        pt_pages_give(tries->clients, (size_t)tries->capacity + 1, sizeof *tries->clients);
        pt_heads_free(&tries->heads);
        *tries = (struct pt_tries){0};
}

void pt_tries_clear(struct pt_tries *tries)
{
        for (uint32_t place = 1; place <= tries->count; place++)
                memset(tries->clients[place].cells, 0, sizeof tries->clients->cells);
}

/* ---- the table ---- */

static inline uint32_t *head_of(const struct pt_tries *tries, const struct pt_address *address)
{
        uint64_t a, b;

        memcpy(&a, address->octets, 8);
        memcpy(&b, address->octets + 8, 8);
        return pt_heads_at(&tries->heads, pt_hash_mix(&tries->key, a, b));
}

static inline bool is(const struct pt_tries_client *client, const struct pt_address *address)
{
        return memcmp(&client->address, address, sizeof *address) == 0;
}

static inline struct pt_tries_client *find(const struct pt_tries *tries, uint32_t place,
                                           const struct pt_address *address)
{
        while (place && !is(&tries->clients[place], address))
                place = tries->clients[place].chain;
        return place ? &tries->clients[place] : NULL;
}

struct pt_tries_client *pt_tries_find(const struct pt_tries *tries,
                                      const struct pt_address *address)
{
        return find(tries, *head_of(tries, address), address);
}

static void unlink_age(struct pt_tries *tries, const struct pt_tries_client *client)
{
        tries->clients[client->older].newer = client->newer;
        tries->clients[client->newer].older = client->older;
}

static void link_youngest(struct pt_tries *tries, struct pt_tries_client *client)
{
        struct pt_tries_client *all = tries->clients;
        uint32_t place = (uint32_t)(client - all);

        client->older = all->older;
        client->newer = 0;
        tries->clients[all->older].newer = place;
        all->older = place;
}

static const struct pt_tries_client *oldest(const struct pt_tries *tries)
{
        return &tries->clients[tries->clients->newer];
}

static bool is_full(const struct pt_tries *tries)
{
        return tries->count == tries->capacity;
}

/* The oldest leaves. Returns its place. */
static uint32_t drop_oldest(struct pt_tries *tries)
{
        uint32_t place = tries->clients->newer;
        const struct pt_tries_client *client = &tries->clients[place];
        uint32_t *link = head_of(tries, &client->address);

        while (*link != place)
                link = &tries->clients[*link].chain;
        *link = client->chain;
        unlink_age(tries, client);
        return place;
}

static struct pt_tries_client *add(struct pt_tries *tries, const struct pt_address *address)
{
        uint32_t place = is_full(tries) ? drop_oldest(tries) : ++tries->count;
        uint32_t *head = head_of(tries, address);
        struct pt_tries_client *client = &tries->clients[place];

        *client = (struct pt_tries_client){
                .address = *address,
                .chain = *head,
                .serial = ++tries->serial,
        };
        *head = place;
        link_youngest(tries, client);
        return client;
}

/* The clients' order of age is that of the periods of their last tries: it is enough to know. */
struct pt_tries_client *pt_tries_touch(struct pt_tries *tries, const struct pt_address *address,
                                       int64_t period, bool *ret_evicted)
{
        struct pt_tries_client *client = pt_tries_find(tries, address);

        *ret_evicted = false;
        if (!client) {
                *ret_evicted = is_full(tries) && period - oldest(tries)->period <= PT_TRIES_PERIODS;
                client = add(tries, address);
                client->period = client->swept = period;
        } else if (client->period != period) {
                unlink_age(tries, client);
                link_youngest(tries, client);
                pt_tries_come(client, period);
        }
        return client;
}

/* ---- cells ---- */

/* Ages are differences modulo 256: what is too old to count goes before it looks young again. */
static void sweep(struct pt_tries_client *client, int64_t period)
{
        for (size_t i = 0; i < PT_TRIES_CELLS; i++)
                if ((uint8_t)(period - client->cells[i].period) > PT_TRIES_PERIODS)
                        client->cells[i].sets = 0;
        client->swept = period;
}

/* Cells that no longer count stay, for as long as no age could be taken for a younger one. */
void pt_tries_come(struct pt_tries_client *client, int64_t period)
{
        if (period - client->swept > AGES / 2 && period - client->period > PT_TRIES_PERIODS) {
                memset(client->cells, 0, sizeof client->cells);
                client->swept = period;
        } else if (period - client->swept > AGES / 2) {
                sweep(client, period);
        }
        if (period > client->period)
                client->period = period;
}

/* The sets that what fell into the cell within the window was on. */
static inline uint8_t sets_in(const struct pt_tries_client *client, size_t cell, int64_t period)
{
        bool counts = (uint8_t)(period - client->cells[cell].period) <= PT_TRIES_PERIODS;

        return counts ? client->cells[cell].sets : 0;
}

static inline size_t cell_of(const struct pt_address *destination, uint16_t port)
{
        uint64_t a, b;

        memcpy(&a, destination->octets, 8);
        memcpy(&b, destination->octets + 8, 8);
        a = (a ^ port) * UINT64_C(0x9e3779b97f4a7c15);
        b = (b ^ a ^ a >> 32) * UINT64_C(0xbf58476d1ce4e5b9);
        return (b ^ b >> 29) * UINT64_C(0x94d049bb133111eb) >> 55;
}

uint8_t pt_tries_note(struct pt_tries_client *client, const struct pt_address *destination,
                      uint16_t port, uint8_t sets, int64_t period)
{
        size_t cell = cell_of(destination, port);
        uint8_t before = sets_in(client, cell, client->period);

        client->cells[cell].sets = before | sets;
        client->cells[cell].period = (uint8_t)period;
        return sets & (uint8_t)~before;
}

unsigned pt_tries_count(const struct pt_tries_client *client, uint8_t set)
{
        unsigned empty = 0;

        for (size_t i = 0; i < PT_TRIES_CELLS; i++)
                empty += !(sets_in(client, i, client->period) & set);
        if (empty == PT_TRIES_CELLS)
                return 1;
        return empty ? (unsigned)(0.5 - PT_TRIES_CELLS * log((double)empty / PT_TRIES_CELLS))
                     : PT_TRIES_MOST;
}

/* ---- ahead of time ---- */

void pt_tries_fetch(const struct pt_tries *tries, const struct pt_address *address,
                    const struct pt_address *destination, uint16_t port)
{
        const struct pt_tries_client *client = &tries->clients[*head_of(tries, address)];

        __builtin_prefetch(client);
        __builtin_prefetch(&client->cells[cell_of(destination, port)]);
}

const struct pt_tries_client *pt_tries_guess(const struct pt_tries *tries,
                                             const struct pt_address *address,
                                             const struct pt_address *destination, uint16_t port,
                                             int64_t period)
{
        const struct pt_tries_client *client = &tries->clients[*head_of(tries, address)];

        return sets_in(client, cell_of(destination, port), period) ? NULL : client;
}
