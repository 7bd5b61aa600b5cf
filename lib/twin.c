#include "twin.h"

#include <string.h>

/*
 * The addresses that were seen last at a MAC, one more than a host has: if all of them count, it is
 * a router's, whatever was seen before them.
 */
#define PLACES (PT_TWIN_MOST + 1)
#define NEVER INT64_MIN

struct carried {
        uint16_t used; /* a bit per place */
        int64_t seen[PLACES];
        int64_t received[PLACES]; /* when an answer went there last, NEVER if none did */
        struct pt_address addresses[PLACES];
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

/* All but six octets of the key are zero: hashing those six is enough, and costs a third. */
static struct pt_recent_key key_of(const struct pt_twins *twins, const uint8_t mac[PT_TWIN_MAC])
{
        struct pt_recent_key key = {0};

        memcpy(key.octets, mac, PT_TWIN_MAC);
        key.hash = (uint32_t)pt_siphash13(&twins->macs.key, mac, PT_TWIN_MAC);
        return key;
}

void pt_twins_fetch(const struct pt_twins *twins, const uint8_t mac[PT_TWIN_MAC])
{
        pt_recent_prefetch(&twins->macs,
                           (uint32_t)pt_siphash13(&twins->macs.key, mac, PT_TWIN_MAC));
}

static bool is_used(const struct carried *c, unsigned place)
{
        return c->used >> place & 1;
}

static bool counts(const struct pt_twins *twins, const struct carried *c, unsigned place,
                   int64_t time)
{
        return is_used(c, place) && c->seen[place] >= time - twins->window;
}

static unsigned count(const struct pt_twins *twins, const struct carried *c, int64_t time)
{
        unsigned sum = 0;

        for (unsigned i = 0; i < PLACES; i++)
                sum += counts(twins, c, i, time);
        return sum;
}

/* The place of an address; else a free one; else that of the one seen longest ago. */
static unsigned place_of(const struct carried *c, const struct pt_address *address)
{
        unsigned place = 0;

        for (unsigned i = 0; i < PLACES; i++)
                if (is_used(c, i) && pt_address_equal(&c->addresses[i], address))
                        return i;
        for (unsigned i = 0; i < PLACES; i++) {
                if (!is_used(c, i))
                        return i;
                if (c->seen[i] < c->seen[place])
                        place = i;
        }
        return place;
}

/* Packets may be a second late: one that is older than all nine is no news of what was last. */
static void carry(struct carried *c, const struct pt_address *address, int64_t time, bool received)
{
        unsigned place = place_of(c, address);
        bool known = is_used(c, place) && pt_address_equal(&c->addresses[place], address);

        if (!known && is_used(c, place) && c->seen[place] >= time)
                return;
        if (!known) {
                c->addresses[place] = *address;
                c->used |= (uint16_t)(1U << place);
                c->seen[place] = time;
                c->received[place] = NEVER;
        }
        if (received && c->received[place] < time)
                c->received[place] = time;
        if (c->seen[place] < time)
                c->seen[place] = time;
}

/* The table is full: did the MAC that gives way still carry an address? */
static void count_forgotten(const struct pt_twins *twins, int64_t time)
{
        if (count(twins, pt_recent_oldest(&twins->macs), time))
                twins->counters->value[PT_COUNT_TWIN_EVICTED]++;
}

static void note(struct pt_twins *twins, const uint8_t mac[PT_TWIN_MAC],
                 const struct pt_address *address, int64_t time, bool received)
{
        struct pt_recent_key key;

        if (!is_hosts(mac))
                return;
        key = key_of(twins, mac);
        if (pt_recent_full(&twins->macs) && !pt_recent_find(&twins->macs, &key))
                count_forgotten(twins, time);
        carry(pt_recent_touch(&twins->macs, &key), address, time, received);
}

void pt_twins_received(struct pt_twins *twins, const uint8_t mac[PT_TWIN_MAC],
                       const struct pt_address *address, int64_t time)
{
        note(twins, mac, address, time, true);
}

void pt_twins_sent(struct pt_twins *twins, const uint8_t mac[PT_TWIN_MAC],
                   const struct pt_address *address, int64_t time)
{
        note(twins, mac, address, time, false);
}

static void list_add(struct pt_twin_list *list, const struct pt_address *address)
{
        size_t at = list->count++;

        for (; at && memcmp(&list->addresses[at - 1], address, sizeof *address) > 0; at--)
                list->addresses[at] = list->addresses[at - 1];
        list->addresses[at] = *address;
}

void pt_twins_find(const struct pt_twins *twins, const uint8_t mac[PT_TWIN_MAC],
                   const struct pt_address *address, int64_t time, struct pt_twin_list *ret)
{
        struct pt_recent_key key = key_of(twins, mac);
        const struct carried *c = pt_recent_find(&twins->macs, &key);

        ret->count = 0;
        if (!c || count(twins, c, time) > PT_TWIN_MOST)
                return;
        for (unsigned i = 0; i < PLACES; i++)
                if (is_used(c, i) && c->received[i] >= time - twins->window &&
                    !pt_address_equal(&c->addresses[i], address))
                        list_add(ret, &c->addresses[i]);
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
