#include "wire/fragment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define WAIT (30 * PT_SECOND) /* as long as Linux waits; RFC 8200 allows a minute */
#define REUSE PT_SECOND       /* after such a silence, a number may be used again */
#define SHARE 8               /* a source may hold one part in so many */

#define UNIT 8 /* offsets count these */
#define CHUNK 1024
#define UNITS (CHUNK / UNIT)
#define CHUNKS 64 /* of the largest datagram */
#define LONGEST 65535
#define LONGEST_IPV4 (LONGEST - 20) /* its total length has the header too */
#define BUCKETS 256

/* A kilobyte of a datagram, and which units of it are there. */
struct chunk {
        uint64_t there[UNITS / 64];
        uint8_t octets[CHUNK];
};

struct key {
        struct pt_address source;
        struct pt_address destination;
        uint32_t id;
        uint8_t protocol; /* IPv6: 0, a fragment's own says nothing (RFC 8200) */
        uint8_t ipv6;
        uint8_t zero[2];
        struct pt_zone zone;
};

enum state {
        WAITING,
        WHOLE,   /* kept to tell copies from the next datagram of the same number */
        SPOILED, /* holds no chunks: all that comes is dropped */
};

/* Two lists: by age, and by age among those of one bucket of sources. 0 is none in all links. */
struct datagram {
        struct key key;
        int64_t begun;
        int64_t last;
        uint32_t total; /* LONGEST + 1 while the last fragment is not there */
        uint32_t end;   /* of what is there */
        uint32_t held;  /* octets */
        uint32_t chain; /* next of the same hash */
        uint32_t older, newer;
        uint32_t bucket_older, bucket_newer;
        uint16_t bucket;
        uint8_t state;
        uint8_t protocol; /* of the first fragment */
        uint16_t chunks[CHUNKS];
};

struct list {
        uint32_t oldest, newest;
};

struct bucket {
        struct list list;
        uint32_t datagrams;
        uint32_t chunks;
};

struct pt_fragments {
        struct pt_hash_key key;
        struct pt_counters *counters;
        struct pt_heads heads;
        struct datagram *datagrams; /* from 1 */
        struct chunk *chunks;       /* from 1 */
        uint32_t datagram_count, datagram_spare;
        uint32_t chunk_count, chunk_spare, chunks_free;
        uint32_t waiting;
        struct list list;
        struct bucket buckets[BUCKETS];
        uint8_t whole[LONGEST + 1];
};

static void count(struct pt_fragments *f, enum pt_counter counter)
{
        f->counters->value[counter]++;
}

/* ---- setting up ---- */

static void make_spare(struct pt_fragments *f)
{
        for (uint32_t i = f->datagram_count; i > 0; i--) {
                f->datagrams[i].chain = f->datagram_spare;
                f->datagram_spare = i;
        }
        for (uint32_t i = f->chunk_count; i > 0; i--) {
                f->chunks[i].there[0] = f->chunk_spare;
                f->chunk_spare = i;
        }
        f->chunks_free = f->chunk_count;
}

int pt_fragments_new(size_t memory, const struct pt_hash_key *key, struct pt_counters *counters,
                     struct pt_fragments **ret)
{
        struct pt_fragments *f = calloc(1, sizeof *f);
        size_t datagrams = memory / 2048;
        size_t fixed = datagrams * (sizeof(struct datagram) + 2 * sizeof(uint32_t));
        size_t chunks = (memory - fixed) / sizeof(struct chunk);

        if (!f)
                return -ENOMEM;
        f->key = *key;
        f->counters = counters;
        f->datagram_count = (uint32_t)datagrams;
        f->chunk_count = (uint32_t)(chunks < UINT16_MAX ? chunks : UINT16_MAX);
        f->datagrams = calloc(datagrams + 1, sizeof *f->datagrams);
        f->chunks = calloc(f->chunk_count + 1, sizeof *f->chunks);
        if (!f->datagrams || !f->chunks || pt_heads_init(&f->heads, datagrams) < 0) {
                pt_fragments_free(f);
                return -ENOMEM;
        }
        make_spare(f);
        *ret = f;
        return 0;
}

struct pt_fragments *pt_fragments_free(struct pt_fragments *f)
{
        if (!f)
                return NULL;
        pt_heads_free(&f->heads);
        free(f->chunks);
        free(f->datagrams);
        free(f);
        return NULL;
}

size_t pt_fragments_size(void)
{
        return sizeof(struct pt_fragments);
}

/* ---- coming and going ---- */

static struct key key_of(const struct pt_packet *p)
{
        return (struct key){
                .source = p->source,
                .destination = p->destination,
                .id = p->fragment.id,
                .protocol = p->ipv6 ? 0 : p->protocol,
                .ipv6 = p->ipv6,
                .zone = p->zone,
        };
}

static uint32_t *head_of(const struct pt_fragments *f, const struct key *key)
{
        return pt_heads_at(&f->heads, pt_siphash13(&f->key, key, sizeof *key));
}

static uint32_t find(const struct pt_fragments *f, const struct key *key)
{
        uint32_t link = *head_of(f, key);

        while (link && memcmp(&f->datagrams[link].key, key, sizeof *key) != 0)
                link = f->datagrams[link].chain;
        return link;
}

static void append(struct pt_fragments *f, uint32_t link)
{
        struct datagram *d = &f->datagrams[link];
        struct bucket *b = &f->buckets[d->bucket];

        d->older = f->list.newest;
        d->bucket_older = b->list.newest;
        *(d->older ? &f->datagrams[d->older].newer : &f->list.oldest) = link;
        *(d->bucket_older ? &f->datagrams[d->bucket_older].bucket_newer : &b->list.oldest) = link;
        d->newer = d->bucket_newer = 0;
        f->list.newest = b->list.newest = link;
        b->datagrams++;
}

static void unlink_lists(struct pt_fragments *f, const struct datagram *d)
{
        struct bucket *b = &f->buckets[d->bucket];

        *(d->older ? &f->datagrams[d->older].newer : &f->list.oldest) = d->newer;
        *(d->newer ? &f->datagrams[d->newer].older : &f->list.newest) = d->older;
        *(d->bucket_older ? &f->datagrams[d->bucket_older].bucket_newer : &b->list.oldest) =
                d->bucket_newer;
        *(d->bucket_newer ? &f->datagrams[d->bucket_newer].bucket_older : &b->list.newest) =
                d->bucket_older;
        b->datagrams--;
}

/* Give the chunks back: nothing of the datagram is there any more. */
static void empty(struct pt_fragments *f, struct datagram *d)
{
        for (size_t i = 0; i < CHUNKS; i++) {
                if (!d->chunks[i])
                        continue;
                f->chunks[d->chunks[i]].there[0] = f->chunk_spare;
                f->chunk_spare = d->chunks[i];
                f->chunks_free++;
                f->buckets[d->bucket].chunks--;
                d->chunks[i] = 0;
        }
        f->waiting -= d->state == WAITING;
        d->total = LONGEST + 1;
        d->end = d->held = 0;
}

static void forget(struct pt_fragments *f, uint32_t link)
{
        struct datagram *d = &f->datagrams[link];
        uint32_t *chain = head_of(f, &d->key);

        empty(f, d);
        while (*chain != link)
                chain = &f->datagrams[*chain].chain;
        *chain = d->chain;
        unlink_lists(f, d);
        d->chain = f->datagram_spare;
        f->datagram_spare = link;
}

static void forget_counted(struct pt_fragments *f, uint32_t link, enum pt_counter cause)
{
        if (f->datagrams[link].state == WAITING)
                count(f, cause);
        forget(f, link);
}

/* A few at a time: each packet that is put in pays for two that leave. */
static void expire(struct pt_fragments *f, int64_t now)
{
        for (int i = 0; i < 2 && f->list.oldest; i++) {
                if (f->datagrams[f->list.oldest].begun >= now - WAIT)
                        return;
                forget_counted(f, f->list.oldest, PT_COUNT_FRAGMENT_LOST);
        }
}

static void begin(struct pt_fragments *f, struct datagram *d, int64_t time)
{
        d->state = WAITING;
        d->begun = d->last = time;
        f->waiting++;
}

/* A datagram for the key, none of which is there yet. */
static uint32_t make(struct pt_fragments *f, const struct key *key, int64_t time)
{
        uint16_t bucket =
                (uint16_t)(pt_siphash13(&f->key, &key->source, sizeof key->source) % BUCKETS);
        const struct bucket *b = &f->buckets[bucket];
        uint32_t *head = head_of(f, key);
        uint32_t link;

        if (b->datagrams >= f->datagram_count / SHARE)
                forget_counted(f, b->list.oldest, PT_COUNT_FRAGMENT_EVICTED);
        else if (!f->datagram_spare)
                forget_counted(f, f->list.oldest, PT_COUNT_FRAGMENT_EVICTED);
        link = f->datagram_spare;
        f->datagram_spare = f->datagrams[link].chain;
        f->datagrams[link] = (struct datagram){
                .key = *key,
                .total = LONGEST + 1,
                .bucket = bucket,
                .chain = *head,
        };
        *head = link;
        append(f, link);
        begin(f, &f->datagrams[link], time);
        return link;
}

/* The oldest gives way for a chunk of this one: of its own sources, or of all. */
static bool yield(struct pt_fragments *f, uint32_t self, bool own)
{
        uint32_t link = own ? f->buckets[f->datagrams[self].bucket].list.oldest : f->list.oldest;

        while (link && (link == self || f->datagrams[link].state == SPOILED))
                link = own ? f->datagrams[link].bucket_newer : f->datagrams[link].newer;
        if (!link)
                return false;
        forget_counted(f, link, PT_COUNT_FRAGMENT_EVICTED);
        return true;
}

static bool take_chunk(struct pt_fragments *f, uint32_t self, size_t place)
{
        struct datagram *d = &f->datagrams[self];
        struct bucket *b = &f->buckets[d->bucket];

        while (b->chunks >= f->chunk_count / SHARE)
                if (!yield(f, self, true))
                        return false;
        while (!f->chunk_spare)
                if (!yield(f, self, false))
                        return false;
        d->chunks[place] = (uint16_t)f->chunk_spare;
        f->chunk_spare = (uint32_t)f->chunks[d->chunks[place]].there[0];
        memset(f->chunks[d->chunks[place]].there, 0, sizeof f->chunks[0].there);
        f->chunks_free--;
        b->chunks++;
        return true;
}

/* ---- octets ---- */

enum stored {
        NEW,
        KNOWN, /* all of it was there, and is the same */
        DIFFERS,
        NO_ROOM,
};

static bool is_there(const struct chunk *c, size_t unit)
{
        return c->there[unit / 64] >> (unit % 64) & 1;
}

/* What is there of these octets must be the same; `ret_known` says whether all of it is there. */
static bool agrees(const struct pt_fragments *f, const struct datagram *d, uint32_t offset,
                   const uint8_t *octets, uint32_t length, bool *ret_known)
{
        *ret_known = true;
        for (uint32_t at = 0; at < length; at += UNIT) {
                uint32_t size = length - at < UNIT ? length - at : UNIT;
                uint32_t place = offset + at;
                const struct chunk *c = &f->chunks[d->chunks[place / CHUNK]];

                if (!d->chunks[place / CHUNK] || !is_there(c, place % CHUNK / UNIT))
                        *ret_known = false;
                else if (memcmp(c->octets + place % CHUNK, octets + at, size) != 0)
                        return false;
        }
        return true;
}

/* Does it fit the end that is known, and the end that it says? */
static bool ends_agree(const struct datagram *d, uint32_t end, bool more)
{
        if (more)
                return end <= d->total;
        return d->total > LONGEST ? d->end <= end : d->total == end;
}

static enum stored compare(const struct pt_fragments *f, const struct datagram *d,
                           const struct pt_packet *p)
{
        uint32_t end = p->fragment.offset + p->payload_length;
        bool known;

        if (!ends_agree(d, end, p->fragment.more) ||
            !agrees(f, d, p->fragment.offset, p->payload, p->payload_length, &known))
                return DIFFERS;
        return known ? KNOWN : NEW;
}

static enum stored store(struct pt_fragments *f, uint32_t link, const struct pt_packet *p)
{
        struct datagram *d = &f->datagrams[link];
        uint32_t length = p->payload_length;

        for (uint32_t at = 0; at < length; at += UNIT) {
                uint32_t size = length - at < UNIT ? length - at : UNIT;
                uint32_t place = p->fragment.offset + at, unit = place % CHUNK / UNIT;
                struct chunk *c;

                if (!d->chunks[place / CHUNK] && !take_chunk(f, link, place / CHUNK))
                        return NO_ROOM;
                c = &f->chunks[d->chunks[place / CHUNK]];
                if (is_there(c, unit))
                        continue;
                c->there[unit / 64] |= UINT64_C(1) << (unit % 64);
                memcpy(c->octets + place % CHUNK, p->payload + at, size);
                d->held += size;
        }
        if (p->fragment.offset + length > d->end)
                d->end = p->fragment.offset + length;
        if (!p->fragment.more)
                d->total = p->fragment.offset + length;
        if (p->fragment.offset == 0)
                d->protocol = p->protocol;
        return NEW;
}

/* ---- a fragment comes ---- */

static bool is_sound(const struct pt_packet *p)
{
        uint32_t longest = p->ipv6 ? LONGEST : LONGEST_IPV4;

        return p->payload_length > 0 && p->fragment.offset + p->payload_length <= longest &&
               (!p->fragment.more || p->payload_length % UNIT == 0);
}

static void spoil(struct pt_fragments *f, struct datagram *d, int64_t time, enum pt_counter cause)
{
        count(f, cause);
        empty(f, d);
        d->state = SPOILED;
        d->last = time;
}

/* The number is used again. */
static void begin_again(struct pt_fragments *f, struct datagram *d, int64_t time)
{
        if (d->state == WAITING)
                count(f, PT_COUNT_FRAGMENT_LOST);
        empty(f, d);
        unlink_lists(f, d);
        append(f, (uint32_t)(d - f->datagrams));
        begin(f, d, time);
}

/* Is the fragment one of the datagram's that is still wanted? Readies the datagram for it. */
static bool wanted(struct pt_fragments *f, struct datagram *d, const struct pt_packet *p,
                   int64_t time)
{
        bool silent = time > d->last + REUSE;
        enum stored what;

        if (d->state == SPOILED) {
                if (silent)
                        begin_again(f, d, time);
                return silent;
        }
        what = compare(f, d, p);
        if (d->state == WHOLE) {
                if (what == KNOWN && !silent) {
                        count(f, PT_COUNT_FRAGMENT_COPIES);
                        return false;
                }
                begin_again(f, d, time);
                return true;
        }
        if (what == KNOWN && (p->fragment.more || d->total <= LONGEST)) {
                count(f, PT_COUNT_FRAGMENT_COPIES);
                return false;
        }
        if (what != DIFFERS)
                return true;
        if (silent) {
                begin_again(f, d, time);
                return true;
        }
        spoil(f, d, time, PT_COUNT_FRAGMENT_OVERLAPS);
        return false;
}

static void assemble(struct pt_fragments *f, const struct datagram *d)
{
        for (uint32_t at = 0; at < d->total; at += CHUNK) {
                uint32_t size = d->total - at < CHUNK ? d->total - at : CHUNK;

                memcpy(f->whole + at, f->chunks[d->chunks[at / CHUNK]].octets, size);
        }
}

bool pt_fragments_put(struct pt_fragments *f, struct pt_packet *p, int64_t time,
                      const uint8_t **ret, uint32_t *ret_length)
{
        struct key key = key_of(p);
        struct datagram *d;
        uint32_t link;

        expire(f, time);
        if (p->payload_cut || !is_sound(p)) {
                count(f, p->payload_cut ? PT_COUNT_FRAGMENT_CUT : PT_COUNT_FRAGMENT_MALFORMED);
                return false;
        }
        link = find(f, &key);
        if (link && f->datagrams[link].begun < time - WAIT) { /* its turn to leave had not come */
                forget_counted(f, link, PT_COUNT_FRAGMENT_LOST);
                link = 0;
        }
        if (!link)
                link = make(f, &key, time);
        else if (!wanted(f, &f->datagrams[link], p, time))
                return false;
        d = &f->datagrams[link];
        d->last = time;
        if (store(f, link, p) == NO_ROOM) {
                spoil(f, d, time, PT_COUNT_FRAGMENT_EVICTED);
                return false;
        }
        if (d->held != d->total)
                return false;
        assemble(f, d);
        d->state = WHOLE;
        f->waiting--;
        count(f, PT_COUNT_FRAGMENT_DATAGRAMS);
        p->protocol = d->protocol;
        *ret = f->whole;
        *ret_length = d->total;
        return true;
}

void pt_fragments_finish(struct pt_fragments *f)
{
        f->counters->value[PT_COUNT_FRAGMENT_LOST] += f->waiting;
        while (f->list.oldest)
                forget(f, f->list.oldest);
}

uint32_t pt_fragments_waiting(const struct pt_fragments *f)
{
        return f->waiting;
}
