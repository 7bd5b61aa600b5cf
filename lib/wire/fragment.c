#include "wire/fragment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "wire/datagram.h"

#define REUSE PT_SECOND /* after such a silence, a number may be used again */
#define LONGEST_IPV4 (PT_DATAGRAM_LONGEST - 20) /* its total length has the header too */

struct pt_fragments {
        struct pt_datagrams pool;
        uint8_t whole[PT_DATAGRAM_LONGEST + 1];
};

static void count(struct pt_fragments *f, enum pt_counter counter)
{
        f->pool.counters->value[counter]++;
}

int pt_fragments_new(size_t memory, const struct pt_hash_key *key, struct pt_counters *counters,
                     struct pt_fragments **ret)
{
        struct pt_fragments *f = calloc(1, sizeof *f);

        if (!f)
                return -ENOMEM;
        if (pt_datagrams_init(&f->pool, memory, key, counters) < 0) {
                pt_fragments_free(f);
                return -ENOMEM;
        }
        *ret = f;
        return 0;
}

struct pt_fragments *pt_fragments_free(struct pt_fragments *f)
{
        if (!f)
                return NULL;
        pt_datagrams_deinit(&f->pool);
        free(f);
        return NULL;
}

size_t pt_fragments_size(void)
{
        return sizeof(struct pt_fragments);
}

static struct pt_datagram_key key_of(const struct pt_packet *p)
{
        return (struct pt_datagram_key){
                .source = p->source,
                .destination = p->destination,
                .id = p->fragment.id,
                .protocol = p->ipv6 ? 0 : p->protocol,
                .ipv6 = p->ipv6,
                .zone = p->zone,
        };
}

/* ---- octets ---- */

enum stored {
        NEW,
        KNOWN, /* all of it was there, and is the same */
        DIFFERS,
        NO_ROOM,
};

/* What is there of these octets must be the same; `ret_known` says whether all of it is there. */
static bool agrees(const struct pt_fragments *f, const struct pt_datagram *d, uint32_t offset,
                   const uint8_t *octets, uint32_t length, bool *ret_known)
{
        *ret_known = true;
        for (uint32_t at = 0; at < length; at += PT_DATAGRAM_UNIT) {
                uint32_t size = length - at < PT_DATAGRAM_UNIT ? length - at : PT_DATAGRAM_UNIT;
                uint32_t place = offset + at;
                const struct pt_datagram_chunk *c =
                        &f->pool.chunks[d->chunks[place / PT_DATAGRAM_CHUNK]];

                if (!d->chunks[place / PT_DATAGRAM_CHUNK] ||
                    !pt_datagram_has(c, place % PT_DATAGRAM_CHUNK / PT_DATAGRAM_UNIT))
                        *ret_known = false;
                else if (memcmp(c->octets + place % PT_DATAGRAM_CHUNK, octets + at, size) != 0)
                        return false;
        }
        return true;
}

/* Does it fit the end that is known, and the end that it says? */
static bool ends_agree(const struct pt_datagram *d, uint32_t end, bool more)
{
        if (more)
                return end <= d->total;
        return d->total > PT_DATAGRAM_LONGEST ? d->end <= end : d->total == end;
}

static enum stored compare(const struct pt_fragments *f, const struct pt_datagram *d,
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
        struct pt_datagram *d = &f->pool.datagrams[link];
        uint32_t length = p->payload_length;

        for (uint32_t at = 0; at < length; at += PT_DATAGRAM_UNIT) {
                uint32_t size = length - at < PT_DATAGRAM_UNIT ? length - at : PT_DATAGRAM_UNIT;
                uint32_t place = p->fragment.offset + at,
                         unit = place % PT_DATAGRAM_CHUNK / PT_DATAGRAM_UNIT;
                struct pt_datagram_chunk *c;

                if (!d->chunks[place / PT_DATAGRAM_CHUNK] &&
                    !pt_datagrams_take_chunk(&f->pool, link, place / PT_DATAGRAM_CHUNK))
                        return NO_ROOM;
                c = &f->pool.chunks[d->chunks[place / PT_DATAGRAM_CHUNK]];
                if (pt_datagram_has(c, unit))
                        continue;
                c->there[unit / 64] |= UINT64_C(1) << (unit % 64);
                memcpy(c->octets + place % PT_DATAGRAM_CHUNK, p->payload + at, size);
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
        uint32_t longest = p->ipv6 ? PT_DATAGRAM_LONGEST : LONGEST_IPV4;

        return p->payload_length > 0 && p->fragment.offset + p->payload_length <= longest &&
               (!p->fragment.more || p->payload_length % PT_DATAGRAM_UNIT == 0);
}

static void spoil(struct pt_fragments *f, struct pt_datagram *d, int64_t time,
                  enum pt_counter cause)
{
        count(f, cause);
        pt_datagrams_empty(&f->pool, d);
        d->state = PT_DATAGRAM_SPOILED;
        d->last = time;
}

/* Is the fragment one of the datagram's that is still wanted? Readies the datagram for it. */
static bool wanted(struct pt_fragments *f, struct pt_datagram *d, const struct pt_packet *p,
                   int64_t time)
{
        bool silent = time > d->last + REUSE;
        enum stored what;

        if (d->state == PT_DATAGRAM_SPOILED) {
                if (silent)
                        pt_datagrams_begin_again(&f->pool, d, time);
                return silent;
        }
        what = compare(f, d, p);
        if (d->state == PT_DATAGRAM_WHOLE) {
                if (what == KNOWN && !silent) {
                        count(f, PT_COUNT_FRAGMENT_COPIES);
                        return false;
                }
                pt_datagrams_begin_again(&f->pool, d, time);
                return true;
        }
        if (what == KNOWN && (p->fragment.more || d->total <= PT_DATAGRAM_LONGEST)) {
                count(f, PT_COUNT_FRAGMENT_COPIES);
                return false;
        }
        if (what != DIFFERS)
                return true;
        if (silent) {
                pt_datagrams_begin_again(&f->pool, d, time);
                return true;
        }
        spoil(f, d, time, PT_COUNT_FRAGMENT_OVERLAPS);
        return false;
}

static void assemble(struct pt_fragments *f, const struct pt_datagram *d)
{
        for (uint32_t at = 0; at < d->total; at += PT_DATAGRAM_CHUNK) {
                uint32_t size =
                        d->total - at < PT_DATAGRAM_CHUNK ? d->total - at : PT_DATAGRAM_CHUNK;

                memcpy(f->whole + at, f->pool.chunks[d->chunks[at / PT_DATAGRAM_CHUNK]].octets,
                       size);
        }
}

bool pt_fragments_put(struct pt_fragments *f, struct pt_packet *p, int64_t time,
                      const uint8_t **ret, uint32_t *ret_length)
{
        struct pt_datagram_key key = key_of(p);
        struct pt_datagram *d;
        uint32_t link;

        pt_datagrams_expire(&f->pool, time);
        if (p->payload_cut || !is_sound(p)) {
                count(f, p->payload_cut ? PT_COUNT_FRAGMENT_CUT : PT_COUNT_FRAGMENT_MALFORMED);
                return false;
        }
        link = pt_datagrams_find(&f->pool, &key);
        if (link && pt_datagrams_is_over(&f->pool.datagrams[link],
                                         time)) { /* its turn to leave had not come */
                pt_datagrams_forget(&f->pool, link, PT_COUNT_FRAGMENT_LOST);
                link = 0;
        }
        if (!link)
                link = pt_datagrams_make(&f->pool, &key, time);
        else if (!wanted(f, &f->pool.datagrams[link], p, time))
                return false;
        d = &f->pool.datagrams[link];
        d->last = time;
        if (store(f, link, p) == NO_ROOM) {
                spoil(f, d, time, PT_COUNT_FRAGMENT_EVICTED);
                return false;
        }
        if (d->held != d->total)
                return false;
        assemble(f, d);
        d->state = PT_DATAGRAM_WHOLE;
        f->pool.waiting--;
        count(f, PT_COUNT_FRAGMENT_DATAGRAMS);
        p->protocol = d->protocol;
        *ret = f->whole;
        *ret_length = d->total;
        return true;
}

void pt_fragments_finish(struct pt_fragments *f)
{
        while (f->pool.list.oldest)
                pt_datagrams_forget(&f->pool, f->pool.list.oldest, PT_COUNT_FRAGMENT_LOST);
}

uint32_t pt_fragments_waiting(const struct pt_fragments *f)
{
        return f->pool.waiting;
}
