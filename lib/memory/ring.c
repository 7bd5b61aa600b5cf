#include "memory/ring.h"

#include <errno.h>

#include "base/pages.h"

static uint32_t places(uint32_t capacity)
{
        uint32_t count = 1;

        while (count < capacity && count < UINT32_C(1) << 30)
                count *= 2;
        return count;
}

size_t pt_ring_size(uint32_t capacity)
{
        return places(capacity) * (sizeof(struct pt_ring_entry) + 2 * sizeof(uint32_t));
}

int pt_ring_init(struct pt_ring *ring, uint32_t capacity, const struct pt_hash_key *key)
{
        uint32_t count = places(capacity);

        *ring = (struct pt_ring){.mask = count - 1, .number = count + 1, .hash_key = *key};
        ring->entries = pt_pages_take(count, sizeof *ring->entries);
        if (!ring->entries || pt_heads_init(&ring->heads, 2 * (size_t)count) < 0) {
                pt_ring_deinit(ring);
                return -ENOMEM;
        }
        return 0;
}

void pt_ring_deinit(struct pt_ring *ring)
{
        pt_pages_give(ring->entries, (size_t)ring->mask + 1, sizeof *ring->entries);
        pt_heads_free(&ring->heads);
        *ring = (struct pt_ring){0};
}

static uint32_t *head_of(const struct pt_ring *ring, uint64_t key)
{
        return pt_heads_at(&ring->heads, pt_hash_mix(&ring->hash_key, key, 0));
}

/* How many were written since, it included. Numbers may come round, ages do not. */
static uint32_t age(const struct pt_ring *ring, uint32_t number)
{
        return ring->number - number;
}

/*
 * Is it still there, and older than the one that led to it? A head that nobody has written holds 0,
 * which is too old from the start; should it be young once, what it leads to has another key.
 */
static bool leads(const struct pt_ring *ring, uint32_t number, uint32_t younger)
{
        return age(ring, number) > younger && age(ring, number) <= ring->mask + 1;
}

struct pt_ring_entry *pt_ring_find(const struct pt_ring *ring, uint64_t key)
{
        uint32_t number = *head_of(ring, key), younger = 0;

        while (leads(ring, number, younger)) {
                struct pt_ring_entry *e = &ring->entries[number & ring->mask];

                if (e->key == key)
                        return e;
                younger = age(ring, number);
                number = e->older;
        }
        return NULL;
}

const struct pt_ring_entry *pt_ring_oldest(const struct pt_ring *ring)
{
        return ring->count > ring->mask ? &ring->entries[ring->number & ring->mask] : NULL;
}

struct pt_ring_entry *pt_ring_add(struct pt_ring *ring, uint64_t key)
{
        uint32_t *head = head_of(ring, key), place = ring->number & ring->mask;

        ring->entries[place] = (struct pt_ring_entry){.key = key, .older = *head};
        *head = ring->number++;
        ring->count += ring->count <= ring->mask;
        return &ring->entries[place];
}

void pt_ring_fetch(const struct pt_ring *ring, uint64_t key, unsigned step)
{
        const uint32_t *head = head_of(ring, key);

        if (step == 0)
                __builtin_prefetch(head);
        else
                __builtin_prefetch(&ring->entries[*head & ring->mask]);
}
