#include "memory/twin.h"

#include <string.h>

/*
 * The addresses that were seen last at a MAC, one more than a host has: if all of them count, it is
 * a router's, whatever was seen before them.
 */
#define PLACES (PT_TWIN_MOST + 1)
#define NEVER INT64_MIN

struct carried {
        int64_t touched; /* when it became the youngest of the table */
        uint32_t count;  /* of places in use: they fill up, and are used again */
        struct place {
                struct pt_address address;
                int64_t seen;
                int64_t received; /* when an answer went there last, NEVER if none did */
        } places[PLACES];
};

int pt_twins_init(struct pt_twins *twins, uint32_t capacity, int64_t window,
                  const struct pt_hash_key *key, struct pt_counters *counters)
{
        twins->window = window;
        twins->counters = counters;
        return pt_recent_init(&twins->macs, capacity, sizeof(struct carried), key);
}

void pt_twins_deinit(struct pt_twins *twins)
{
        pt_recent_deinit(&twins->macs);
}

size_t pt_twins_size(uint32_t capacity)
{
        return pt_recent_size(capacity, sizeof(struct carried));
}

static bool is_hosts(const uint8_t mac[PT_TWIN_MAC])
{
        static const uint8_t none[PT_TWIN_MAC];

        return !(mac[0] & 1) && memcmp(mac, none, sizeof none) != 0;
}

uint32_t pt_twins_hash(const struct pt_twins *twins, const uint8_t mac[PT_TWIN_MAC])
{
        return (uint32_t)pt_hash_octets(&twins->macs.key, mac, PT_TWIN_MAC);
}

/* All but six octets of the key are zero: hashing those six is enough. */
static struct pt_recent_key key_of(const uint8_t mac[PT_TWIN_MAC], uint32_t hash)
{
        struct pt_recent_key key = {.hash = hash};

        memcpy(key.octets, mac, PT_TWIN_MAC);
        return key;
}

void pt_twins_fetch(const struct pt_twins *twins, uint32_t hash, unsigned step)
{
        if (step == 0)
                pt_recent_prefetch(&twins->macs, hash);
        else if (step == 1)
                pt_recent_prefetch_entry(&twins->macs, hash);
}

/* How many of its addresses count. */
static unsigned count(const struct pt_twins *twins, const struct carried *c, int64_t time)
{
        unsigned sum = 0;

        for (uint32_t i = 0; i < c->count; i++)
                sum += c->places[i].seen >= time - twins->window;
        return sum;
}

/* The place of an address; else a free one; else that of the one seen longest ago. */
static struct place *place_of(struct carried *c, const struct pt_address *address)
{
        struct place *oldest = c->places;

        for (uint32_t i = 0; i < c->count; i++) {
                if (pt_address_equal(&c->places[i].address, address))
                        return &c->places[i];
                if (c->places[i].seen < oldest->seen)
                        oldest = &c->places[i];
        }
        return c->count < PLACES ? &c->places[c->count] : oldest;
}

/* Packets may be a second late: one that is older than all nine is no news of what was last. */
static void carry(struct carried *c, const struct pt_address *address, int64_t time, bool received)
{
        struct place *place = place_of(c, address);

        if (place == &c->places[c->count]) {
                *place = (struct place){*address, time, NEVER};
                c->count++;
        } else if (!pt_address_equal(&place->address, address)) {
                if (place->seen >= time)
                        return;
                *place = (struct place){*address, time, NEVER};
        }
        if (received && place->received < time)
                place->received = time;
        if (place->seen < time)
                place->seen = time;
}

/* The table is full: did the MAC that gives way still carry an address? */
static void count_forgotten(const struct pt_twins *twins, int64_t time)
{
        if (count(twins, pt_recent_oldest(&twins->macs), time))
                twins->counters->value[PT_COUNT_TWIN_EVICTED]++;
}

static void note(struct pt_twins *twins, const uint8_t mac[PT_TWIN_MAC], uint32_t hash,
                 const struct pt_address *address, int64_t time, bool received)
{
        struct pt_recent_key key;
        struct carried *c;

        if (!is_hosts(mac))
                return;
        key = key_of(mac, hash);
        c = pt_recent_find(&twins->macs, &key);
        if (!c && pt_recent_full(&twins->macs))
                count_forgotten(twins, time);
        /* To make it the youngest costs two cache misses: once in a while is exact enough. */
        if (!c || c->touched < time - twins->window / 64) {
                c = pt_recent_touch(&twins->macs, &key);
                c->touched = time;
        }
        carry(c, address, time, received);
}

void pt_twins_received(struct pt_twins *twins, const uint8_t mac[PT_TWIN_MAC], uint32_t hash,
                       const struct pt_address *address, int64_t time)
{
        note(twins, mac, hash, address, time, true);
}

void pt_twins_sent(struct pt_twins *twins, const uint8_t mac[PT_TWIN_MAC], uint32_t hash,
                   const struct pt_address *address, int64_t time)
{
        note(twins, mac, hash, address, time, false);
}

static void list_add(struct pt_twin_list *list, const struct pt_address *address)
{
        size_t at = list->count++;

        for (; at && memcmp(&list->addresses[at - 1], address, sizeof *address) > 0; at--)
                list->addresses[at] = list->addresses[at - 1];
        list->addresses[at] = *address;
}

void pt_twins_find(const struct pt_twins *twins, const uint8_t mac[PT_TWIN_MAC], uint32_t hash,
                   const struct pt_address *address, int64_t time, struct pt_twin_list *ret)
{
        struct pt_recent_key key = key_of(mac, hash);
        const struct carried *c = pt_recent_find(&twins->macs, &key);

        ret->count = 0;
        if (!c || count(twins, c, time) > PT_TWIN_MOST)
                return;
        for (uint32_t i = 0; i < c->count; i++)
                if (c->places[i].received >= time - twins->window &&
                    !pt_address_equal(&c->places[i].address, address) &&
                    pt_address_zones_agree(&c->places[i].address, address))
                        list_add(ret, &c->places[i].address);
}

void pt_twins_gauge(const struct pt_twins *twins, int64_t time)
{
        uint64_t *value = twins->counters->value;
        const struct carried *c = pt_recent_oldest(&twins->macs);

        value[PT_COUNT_TWIN_MACS] = value[PT_COUNT_TWIN_HOSTS] = value[PT_COUNT_TWIN_ROUTERS] = 0;
        for (; c; c = pt_recent_younger(&twins->macs, c)) {
                unsigned addresses = count(twins, c, time);

                value[PT_COUNT_TWIN_MACS] += addresses > 0;
                value[PT_COUNT_TWIN_HOSTS] += addresses > 1 && addresses <= PT_TWIN_MOST;
                value[PT_COUNT_TWIN_ROUTERS] += addresses > PT_TWIN_MOST;
        }
}
