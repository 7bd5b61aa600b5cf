#include "memory/recent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"

/*
 * A place in two lists: the chain of its hash, and the circle of all entries by age, which begins
 * and ends at place 0: `older` of it is the youngest, `newer` of it the oldest. The payload
 * follows.
 */
struct entry {
        uint8_t key[PT_RECENT_KEY];
        uint32_t chain; /* of the same hash; or of places given back */
        uint32_t older;
        uint32_t newer;
        uint32_t hash; /* the low part is enough to find the head again */
};

static struct entry *entry_at(const struct pt_recent *recent, uint32_t place)
{
        return (struct entry *)(void *)(recent->entries + place * recent->stride);
}

static size_t stride_for(size_t payload)
{
        return sizeof(struct entry) + ((payload + 7) & ~(size_t)7);
}

/* Two for each entry: who gives way is the last of its chain, and each before it is a cell more. */
static size_t heads_for(uint32_t capacity)
{
        size_t heads = 2;

        while (heads < (size_t)capacity * 2)
                heads *= 2;
        return heads;
}

size_t pt_recent_size(uint32_t capacity, size_t payload)
{
        return ((size_t)capacity + 1) * stride_for(payload) +
               heads_for(capacity) * sizeof(uint32_t);
}

int pt_recent_init(struct pt_recent *recent, uint32_t capacity, size_t payload,
                   const struct pt_hash_key *key)
{
        *recent = (struct pt_recent){
                .stride = stride_for(payload),
                .capacity = capacity,
                .fresh = 1,
                .key = *key,
        };
        recent->entries = pt_pages_take((size_t)capacity + 1, recent->stride);
        if (!recent->entries || pt_heads_init(&recent->heads, heads_for(capacity)) < 0) {
                pt_recent_deinit(recent);
                return -ENOMEM;
        }
        return 0;
}

void pt_recent_deinit(struct pt_recent *recent)
{
        pt_pages_give(recent->entries, (size_t)recent->capacity + 1, recent->stride);
        pt_heads_free(&recent->heads);
        *recent = (struct pt_recent){0};
}

void pt_recent_clear(struct pt_recent *recent)
{
        while (recent->count)
                pt_recent_drop_oldest(recent);
}

void pt_recent_hash(const struct pt_recent *recent, struct pt_recent_key *key)
{
        key->hash = (uint32_t)pt_hash_octets(&recent->key, key->octets, PT_RECENT_KEY);
}

void pt_recent_prefetch_entry(const struct pt_recent *recent, uint32_t hash)
{
        const char *e = (const char *)entry_at(recent, *pt_heads_at(&recent->heads, hash));

        for (size_t i = 0; i < recent->stride && i < 192; i += 64)
                __builtin_prefetch(e + i);
}

const void *pt_recent_guess(const struct pt_recent *recent, uint32_t hash)
{
        return entry_at(recent, *pt_heads_at(&recent->heads, hash)) + 1;
}

/* Written out: a call of memcmp(3) costs more than the six words. */
static inline bool is_key(const struct entry *e, const struct pt_recent_key *key)
{
        uint64_t is[PT_RECENT_KEY / 8], wanted[PT_RECENT_KEY / 8], differing = 0;

        if (e->hash != key->hash)
                return false;
        memcpy(is, e->key, sizeof is);
        memcpy(wanted, key->octets, sizeof wanted);
        for (size_t i = 0; i < PT_RECENT_KEY / 8; i++)
                differing |= is[i] ^ wanted[i];
        return differing == 0;
}

static uint32_t search(const struct pt_recent *recent, const struct pt_recent_key *key)
{
        uint32_t place = *pt_heads_at(&recent->heads, key->hash);

        while (place && !is_key(entry_at(recent, place), key))
                place = entry_at(recent, place)->chain;
        return place;
}

static void unlink_age(struct pt_recent *recent, uint32_t place)
{
        const struct entry *e = entry_at(recent, place);

        entry_at(recent, e->older)->newer = e->newer;
        entry_at(recent, e->newer)->older = e->older;
}

static void link_youngest(struct pt_recent *recent, uint32_t place)
{
        struct entry *all = entry_at(recent, 0), *e = entry_at(recent, place);

        e->older = all->older;
        e->newer = 0;
        entry_at(recent, all->older)->newer = place;
        all->older = place;
}

static void unlink_chain(struct pt_recent *recent, uint32_t place)
{
        uint32_t *link = pt_heads_at(&recent->heads, entry_at(recent, place)->hash);

        while (*link != place)
                link = &entry_at(recent, *link)->chain;
        *link = entry_at(recent, place)->chain;
}

void *pt_recent_find(const struct pt_recent *recent, const struct pt_recent_key *key)
{
        uint32_t place = search(recent, key);

        return place ? entry_at(recent, place) + 1 : NULL;
}

static uint32_t free_place(struct pt_recent *recent)
{
        uint32_t place;

        if (pt_recent_full(recent))
                pt_recent_drop_oldest(recent);
        place = recent->spare;
        if (place)
                recent->spare = entry_at(recent, place)->chain;
        else
                place = recent->fresh++;
        recent->count++;
        return place;
}

static uint32_t add(struct pt_recent *recent, const struct pt_recent_key *key)
{
        uint32_t *head = pt_heads_at(&recent->heads, key->hash);
        uint32_t place = free_place(recent);
        struct entry *e = entry_at(recent, place);

        memset(e, 0, recent->stride);
        memcpy(e->key, key->octets, PT_RECENT_KEY);
        e->hash = key->hash;
        e->chain = *head;
        *head = place;
        return place;
}

void *pt_recent_touch(struct pt_recent *recent, const struct pt_recent_key *key)
{
        uint32_t place = search(recent, key);

        if (place)
                unlink_age(recent, place);
        else
                place = add(recent, key);
        link_youngest(recent, place);
        return entry_at(recent, place) + 1;
}

static uint32_t place_of(const struct pt_recent *recent, const void *payload)
{
        const unsigned char *entry = (const unsigned char *)payload - sizeof(struct entry);

        return (uint32_t)((size_t)(entry - recent->entries) / recent->stride);
}

void pt_recent_renew(struct pt_recent *recent, const void *payload)
{
        uint32_t place = place_of(recent, payload);

        if (entry_at(recent, 0)->older == place)
                return;
        unlink_age(recent, place);
        link_youngest(recent, place);
}

void *pt_recent_oldest(const struct pt_recent *recent)
{
        return recent->count ? entry_at(recent, entry_at(recent, 0)->newer) + 1 : NULL;
}

void *pt_recent_younger(const struct pt_recent *recent, const void *payload)
{
        uint32_t place = entry_at(recent, place_of(recent, payload))->newer;

        return place ? entry_at(recent, place) + 1 : NULL;
}

void *pt_recent_youngest(const struct pt_recent *recent)
{
        return recent->count ? entry_at(recent, entry_at(recent, 0)->older) + 1 : NULL;
}

void *pt_recent_older(const struct pt_recent *recent, const void *payload)
{
        uint32_t place = entry_at(recent, place_of(recent, payload))->older;

        return place ? entry_at(recent, place) + 1 : NULL;
}

static void drop(struct pt_recent *recent, uint32_t place)
{
        unlink_chain(recent, place);
        unlink_age(recent, place);
        entry_at(recent, place)->chain = recent->spare;
        recent->spare = place;
        recent->count--;
}

static void fetch_entry(const struct pt_recent *recent, uint32_t place)
{
        const char *e = (const char *)entry_at(recent, place);

        __builtin_prefetch(e);
        __builtin_prefetch(e + sizeof(struct entry) - 1);
}

/* Where one gives way, soon the next ones will. Each time they are fetched one link further. */
static void fetch_oldest(const struct pt_recent *recent)
{
        uint32_t first = entry_at(recent, 0)->newer;
        uint32_t second = entry_at(recent, first)->newer;

        fetch_entry(recent, *pt_heads_at(&recent->heads, entry_at(recent, first)->hash));
        __builtin_prefetch(pt_heads_at(&recent->heads, entry_at(recent, second)->hash));
        fetch_entry(recent, entry_at(recent, second)->newer);
}

void pt_recent_drop_oldest(struct pt_recent *recent)
{
        drop(recent, entry_at(recent, 0)->newer);
        fetch_oldest(recent);
}

void pt_recent_drop(struct pt_recent *recent, const void *payload)
{
        drop(recent, place_of(recent, payload));
}
