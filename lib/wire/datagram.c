#include "wire/datagram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define WAIT (30 * PT_SECOND) /* as long as Linux waits; RFC 8200 allows a minute */
#define SHARE 8               /* a source may hold one part in so many */

static void count(struct pt_datagrams *pool, enum pt_counter counter)
{
        pool->counters->value[counter]++;
}

/* ---- setting up ---- */

static void make_spare(struct pt_datagrams *pool)
{
        for (uint32_t i = pool->datagram_count; i > 0; i--) {
                pool->datagrams[i].chain = pool->datagram_spare;
                pool->datagram_spare = i;
        }
        for (uint32_t i = pool->chunk_count; i > 0; i--) {
                pool->chunks[i].there[0] = pool->chunk_spare;
                pool->chunk_spare = i;
        }
        pool->chunks_free = pool->chunk_count;
}

int pt_datagrams_init(struct pt_datagrams *pool, size_t memory, const struct pt_hash_key *key,
                      struct pt_counters *counters)
{
        size_t datagrams = memory / 2048;
        size_t fixed = datagrams * (sizeof(struct pt_datagram) + 2 * sizeof(uint32_t));
        size_t chunks = (memory - fixed) / sizeof(struct pt_datagram_chunk);

        pool->key = *key;
        pool->counters = counters;
        pool->datagram_count = (uint32_t)datagrams;
        pool->chunk_count = (uint32_t)(chunks < UINT16_MAX ? chunks : UINT16_MAX);
        pool->datagrams = calloc(datagrams + 1, sizeof *pool->datagrams);
        pool->chunks = calloc(pool->chunk_count + 1, sizeof *pool->chunks);
        if (!pool->datagrams || !pool->chunks || pt_heads_init(&pool->heads, datagrams) < 0)
                return -ENOMEM;
        make_spare(pool);
        return 0;
}

void pt_datagrams_deinit(struct pt_datagrams *pool)
{
        pt_heads_free(&pool->heads);
        free(pool->chunks);
        free(pool->datagrams);
}

/* ---- coming and going ---- */

static uint32_t *head_of(const struct pt_datagrams *pool, const struct pt_datagram_key *key)
{
        return pt_heads_at(&pool->heads, pt_hash_octets(&pool->key, key, sizeof *key));
}

uint32_t pt_datagrams_find(const struct pt_datagrams *pool, const struct pt_datagram_key *key)
{
        uint32_t link = *head_of(pool, key);

        while (link && memcmp(&pool->datagrams[link].key, key, sizeof *key) != 0)
                link = pool->datagrams[link].chain;
        return link;
}

static void append(struct pt_datagrams *pool, uint32_t link)
{
        struct pt_datagram *d = &pool->datagrams[link];
        struct pt_datagram_bucket *b = &pool->buckets[d->bucket];

        d->older = pool->list.newest;
        d->bucket_older = b->list.newest;
        *(d->older ? &pool->datagrams[d->older].newer : &pool->list.oldest) = link;
        *(d->bucket_older ? &pool->datagrams[d->bucket_older].bucket_newer : &b->list.oldest) =
                link;
        d->newer = d->bucket_newer = 0;
        pool->list.newest = b->list.newest = link;
        b->datagrams++;
}

static void unlink_lists(struct pt_datagrams *pool, const struct pt_datagram *d)
{
        struct pt_datagram_bucket *b = &pool->buckets[d->bucket];

        *(d->older ? &pool->datagrams[d->older].newer : &pool->list.oldest) = d->newer;
        *(d->newer ? &pool->datagrams[d->newer].older : &pool->list.newest) = d->older;
        *(d->bucket_older ? &pool->datagrams[d->bucket_older].bucket_newer : &b->list.oldest) =
                d->bucket_newer;
        *(d->bucket_newer ? &pool->datagrams[d->bucket_newer].bucket_older : &b->list.newest) =
                d->bucket_older;
        b->datagrams--;
}

void pt_datagrams_empty(struct pt_datagrams *pool, struct pt_datagram *d)
{
        for (size_t i = 0; i < PT_DATAGRAM_CHUNKS; i++) {
                if (!d->chunks[i])
                        continue;
                pool->chunks[d->chunks[i]].there[0] = pool->chunk_spare;
                pool->chunk_spare = d->chunks[i];
                pool->chunks_free++;
                pool->buckets[d->bucket].chunks--;
                d->chunks[i] = 0;
        }
        pool->waiting -= d->state == PT_DATAGRAM_WAITING;
        d->total = PT_DATAGRAM_LONGEST + 1;
        d->end = d->held = 0;
}

static void forget(struct pt_datagrams *pool, uint32_t link)
{
        struct pt_datagram *d = &pool->datagrams[link];
        uint32_t *chain = head_of(pool, &d->key);

        pt_datagrams_empty(pool, d);
        while (*chain != link)
                chain = &pool->datagrams[*chain].chain;
        *chain = d->chain;
        unlink_lists(pool, d);
        d->chain = pool->datagram_spare;
        pool->datagram_spare = link;
}

void pt_datagrams_forget(struct pt_datagrams *pool, uint32_t link, enum pt_counter cause)
{
        if (pool->datagrams[link].state == PT_DATAGRAM_WAITING)
                count(pool, cause);
        forget(pool, link);
}

bool pt_datagrams_is_over(const struct pt_datagram *d, int64_t now)
{
        return d->begun < now - WAIT;
}

/* A few at a time: each packet that is put in pays for two that leave. */
void pt_datagrams_expire(struct pt_datagrams *pool, int64_t now)
{
        for (int i = 0; i < 2 && pool->list.oldest; i++) {
                if (!pt_datagrams_is_over(&pool->datagrams[pool->list.oldest], now))
                        return;
                pt_datagrams_forget(pool, pool->list.oldest, PT_COUNT_FRAGMENT_LOST);
        }
}

static void begin(struct pt_datagrams *pool, struct pt_datagram *d, int64_t time)
{
        d->state = PT_DATAGRAM_WAITING;
        d->begun = d->last = time;
        pool->waiting++;
}

/* A datagram for the key, none of which is there yet. */
uint32_t pt_datagrams_make(struct pt_datagrams *pool, const struct pt_datagram_key *key,
                           int64_t time)
{
        uint16_t bucket = (uint16_t)(pt_hash_octets(&pool->key, &key->source, sizeof key->source) %
                                     PT_DATAGRAM_BUCKETS);
        const struct pt_datagram_bucket *b = &pool->buckets[bucket];
        uint32_t *head = head_of(pool, key);
        uint32_t link;

        if (b->datagrams >= pool->datagram_count / SHARE)
                pt_datagrams_forget(pool, b->list.oldest, PT_COUNT_FRAGMENT_EVICTED);
        else if (!pool->datagram_spare)
                pt_datagrams_forget(pool, pool->list.oldest, PT_COUNT_FRAGMENT_EVICTED);
        link = pool->datagram_spare;
        pool->datagram_spare = pool->datagrams[link].chain;
        pool->datagrams[link] = (struct pt_datagram){
                .key = *key,
                .total = PT_DATAGRAM_LONGEST + 1,
                .bucket = bucket,
                .chain = *head,
        };
        *head = link;
        append(pool, link);
        begin(pool, &pool->datagrams[link], time);
        return link;
}

/* The oldest gives way for a chunk of this one: of its own sources, or of all. */
static bool yield(struct pt_datagrams *pool, uint32_t self, bool own)
{
        uint32_t link =
                own ? pool->buckets[pool->datagrams[self].bucket].list.oldest : pool->list.oldest;

        while (link && (link == self || pool->datagrams[link].state == PT_DATAGRAM_SPOILED))
                link = own ? pool->datagrams[link].bucket_newer : pool->datagrams[link].newer;
        if (!link)
                return false;
        pt_datagrams_forget(pool, link, PT_COUNT_FRAGMENT_EVICTED);
        return true;
}

bool pt_datagrams_take_chunk(struct pt_datagrams *pool, uint32_t self, size_t place)
{
        struct pt_datagram *d = &pool->datagrams[self];
        struct pt_datagram_bucket *b = &pool->buckets[d->bucket];

        while (b->chunks >= pool->chunk_count / SHARE)
                if (!yield(pool, self, true))
                        return false;
        while (!pool->chunk_spare)
                if (!yield(pool, self, false))
                        return false;
        d->chunks[place] = (uint16_t)pool->chunk_spare;
        pool->chunk_spare = (uint32_t)pool->chunks[d->chunks[place]].there[0];
        memset(pool->chunks[d->chunks[place]].there, 0, sizeof pool->chunks[0].there);
        pool->chunks_free--;
        b->chunks++;
        return true;
}

void pt_datagrams_begin_again(struct pt_datagrams *pool, struct pt_datagram *d, int64_t time)
{
        if (d->state == PT_DATAGRAM_WAITING)
                count(pool, PT_COUNT_FRAGMENT_LOST);
        pt_datagrams_empty(pool, d);
        unlink_lists(pool, d);
        append(pool, (uint32_t)(d - pool->datagrams));
        begin(pool, d, time);
}
