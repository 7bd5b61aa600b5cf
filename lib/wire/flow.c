#include "wire/flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define SILENCE (120 * PT_SECOND) /* RFC 7766 leaves it to the server; most close after seconds */

/* ---- setting up ---- */

static void make_spare(struct pt_flows *flows)
{
        for (uint32_t i = flows->flow_count; i > 0; i--) {
                flows->flow[i].chain = flows->flow_spare;
                flows->flow_spare = i;
        }
        for (uint32_t i = flows->chunk_count; i > 0; i--) {
                flows->chunk_next[i] = (uint16_t)flows->chunk_spare;
                flows->chunk_spare = i;
        }
}

int pt_flows_init(struct pt_flows *flows, size_t memory, const struct pt_hash_key *key,
                  struct pt_counters *counters)
{
        size_t count = memory / 2048;
        size_t fixed = count * (sizeof(struct pt_flow) + 2 * sizeof(uint32_t));
        size_t chunks = (memory - fixed) / (PT_FLOW_CHUNK + sizeof(uint16_t));

        flows->key = *key;
        flows->counters = counters;
        flows->flow_count = (uint32_t)count;
        flows->chunk_count = (uint32_t)(chunks < UINT16_MAX ? chunks : UINT16_MAX);
        flows->flow = calloc(count + 1, sizeof *flows->flow);
        flows->chunks = calloc(flows->chunk_count + 1, PT_FLOW_CHUNK);
        flows->chunk_next = calloc(flows->chunk_count + 1, sizeof *flows->chunk_next);
        if (!flows->flow || !flows->chunks || !flows->chunk_next ||
            pt_heads_init(&flows->heads, count) < 0)
                return -ENOMEM;
        make_spare(flows);
        return 0;
}

void pt_flows_deinit(struct pt_flows *flows)
{
        pt_heads_free(&flows->heads);
        free(flows->chunk_next);
        free(flows->chunks);
        free(flows->flow);
}

/* ---- coming and going ---- */

static uint32_t *head_of(const struct pt_flows *flows, const struct pt_flow_key *key)
{
        return pt_heads_at(&flows->heads, pt_hash_octets(&flows->key, key, sizeof *key));
}

uint32_t pt_flows_find(const struct pt_flows *flows, const struct pt_flow_key *key)
{
        uint32_t link = *head_of(flows, key);

        while (link && memcmp(&flows->flow[link].key, key, sizeof *key) != 0)
                link = flows->flow[link].chain;
        return link;
}

static void list_remove(struct pt_flows *flows, const struct pt_flow *f)
{
        struct pt_flow_list *list = &flows->lists[f->list];

        *(f->older ? &flows->flow[f->older].newer : &list->oldest) = f->newer;
        *(f->newer ? &flows->flow[f->newer].older : &list->newest) = f->older;
}

static void list_append(struct pt_flows *flows, uint32_t link)
{
        struct pt_flow *f = &flows->flow[link];
        struct pt_flow_list *list = &flows->lists[f->list];

        f->older = list->newest;
        f->newer = 0;
        *(f->older ? &flows->flow[f->older].newer : &list->oldest) = link;
        list->newest = link;
}

void pt_flows_rest(struct pt_flows *flows, uint32_t link)
{
        struct pt_flow *f = &flows->flow[link];

        list_remove(flows, f);
        f->list = f->range_count ? PT_FLOW_HOLDING : PT_FLOW_IDLE;
        list_append(flows, link);
}

static void give_chunk(struct pt_flows *flows, uint16_t *chunk)
{
        if (!*chunk)
                return;
        flows->chunk_next[*chunk] = (uint16_t)flows->chunk_spare;
        flows->chunk_spare = *chunk;
        *chunk = 0;
}

/* Nothing is held any more. */
void pt_flow_empty(struct pt_flows *flows, struct pt_flow *f)
{
        for (size_t i = 0; f->range_count && i < PT_FLOW_CHUNKS; i++)
                give_chunk(flows, &f->chunks[i]);
        f->range_count = 0;
        f->start = 0;
}

void pt_flows_forget(struct pt_flows *flows, uint32_t link)
{
        struct pt_flow *f = &flows->flow[link];
        uint32_t *chain = head_of(flows, &f->key);

        pt_flow_empty(flows, f);
        while (*chain != link)
                chain = &flows->flow[*chain].chain;
        *chain = f->chain;
        list_remove(flows, f);
        f->chain = flows->flow_spare;
        flows->flow_spare = link;
        flows->followed--;
}

void pt_flows_forget_counted(struct pt_flows *flows, uint32_t link, enum pt_counter cause)
{
        if (flows->flow[link].range_count)
                pt_flows_count(flows, cause);
        pt_flows_forget(flows, link);
}

/* A few at a time: each segment that is put in pays for two flows that fell silent. */
void pt_flows_expire(struct pt_flows *flows, int64_t now)
{
        for (int i = 0; i < PT_FLOW_LISTS; i++) {
                uint32_t link = flows->lists[i].oldest;

                if (link && flows->flow[link].last < now - SILENCE)
                        pt_flows_forget_counted(flows, link, PT_COUNT_STREAM_UNFINISHED);
        }
}

uint32_t pt_flows_make(struct pt_flows *flows, const struct pt_flow_key *key, uint32_t next,
                       bool sure)
{
        uint32_t *head = head_of(flows, key);
        uint32_t link;

        if (!flows->flow_spare)
                pt_flows_forget_counted(flows,
                                        flows->lists[PT_FLOW_IDLE].oldest
                                                ? flows->lists[PT_FLOW_IDLE].oldest
                                                : flows->lists[PT_FLOW_HOLDING].oldest,
                                        PT_COUNT_STREAM_EVICTED);
        link = flows->flow_spare;
        flows->flow_spare = flows->flow[link].chain;
        flows->flow[link] = (struct pt_flow){
                .key = *key,
                .chain = *head,
                .next = next,
                .sure = sure,
                .fresh = true,
                .list = PT_FLOW_IDLE,
        };
        *head = link;
        list_append(flows, link);
        flows->followed++;
        return link;
}

/* The flow that was silent longest gives its octets for those of another. */
static bool yield(struct pt_flows *flows, uint32_t self)
{
        uint32_t link = flows->lists[PT_FLOW_HOLDING].oldest;

        if (link == self)
                link = flows->flow[link].newer;
        if (!link)
                return false;
        pt_flows_forget_counted(flows, link, PT_COUNT_STREAM_EVICTED);
        return true;
}

/* ---- what a flow holds ---- */

uint32_t pt_flow_front(const struct pt_flow *f)
{
        return f->range_count && f->ranges[0].from == 0 ? f->ranges[0].to : 0;
}

/* The octets at a place, as many as stand in one piece of memory. */
static uint8_t *octets_at(const struct pt_flows *flows, const struct pt_flow *f, uint32_t place,
                          uint32_t *ret_length)
{
        uint32_t at = f->start + place;
        uint16_t chunk = f->chunks[at / PT_FLOW_CHUNK];

        *ret_length = PT_FLOW_CHUNK - at % PT_FLOW_CHUNK;
        return chunk ? flows->chunks + (size_t)chunk * PT_FLOW_CHUNK + at % PT_FLOW_CHUNK : NULL;
}

void pt_flow_copy_out(const struct pt_flows *flows, const struct pt_flow *f, uint32_t place,
                      uint8_t *to, uint32_t length)
{
        while (length) {
                uint32_t piece;
                const uint8_t *from = octets_at(flows, f, place, &piece);

                piece = piece < length ? piece : length;
                memcpy(to, from, piece);
                to += piece;
                place += piece;
                length -= piece;
        }
}

/* Where there is no chunk yet one is taken. False: there is none. */
static bool copy_in(struct pt_flows *flows, uint32_t link, uint32_t place, const uint8_t *from,
                    uint32_t length)
{
        struct pt_flow *f = &flows->flow[link];

        while (length) {
                uint32_t piece;
                uint8_t *to = octets_at(flows, f, place, &piece);

                if (!to) {
                        if (!flows->chunk_spare && !yield(flows, link))
                                return false;
                        f->chunks[(f->start + place) / PT_FLOW_CHUNK] =
                                (uint16_t)flows->chunk_spare;
                        flows->chunk_spare = flows->chunk_next[flows->chunk_spare];
                        continue;
                }
                piece = piece < length ? piece : length;
                memcpy(to, from, piece);
                from += piece;
                place += piece;
                length -= piece;
        }
        return true;
}

static bool differs(const struct pt_flows *flows, const struct pt_flow *f, uint32_t place,
                    const uint8_t *octets, uint32_t length)
{
        while (length) {
                uint32_t piece;
                const uint8_t *held = octets_at(flows, f, place, &piece);

                piece = piece < length ? piece : length;
                if (memcmp(held, octets, piece) != 0)
                        return true;
                octets += piece;
                place += piece;
                length -= piece;
        }
        return false;
}

/* `from` to `to` are there now: ranges that touch become one. False: there would be too many. */
static bool add_range(struct pt_flow *f, uint32_t from, uint32_t to)
{
        struct pt_flow_range *r = f->ranges;
        size_t first = 0, behind;

        while (first < f->range_count && r[first].to < from)
                first++;
        for (behind = first; behind < f->range_count && r[behind].from <= to; behind++) {
                from = r[behind].from < from ? r[behind].from : from;
                to = r[behind].to > to ? r[behind].to : to;
        }
        if (behind == first && f->range_count == PT_FLOW_RANGES)
                return false;
        memmove(r + first + 1, r + behind, (f->range_count - behind) * sizeof *r);
        f->range_count = (uint8_t)(f->range_count + 1 - (behind - first));
        r[first] = (struct pt_flow_range){from, to};
        return true;
}

/* Is there a range that touches these octets, or a place for another one? */
static bool has_place(const struct pt_flow *f, uint32_t from, uint32_t to)
{
        for (size_t i = 0; i < f->range_count; i++)
                if (f->ranges[i].from <= to && f->ranges[i].to >= from)
                        return true;
        return f->range_count < PT_FLOW_RANGES;
}

/* What came first stands: only octets that are not there are copied. False: no room. */
bool pt_flow_store(struct pt_flows *flows, uint32_t link, uint32_t place, const uint8_t *octets,
                   uint32_t length)
{
        struct pt_flow *f = &flows->flow[link];
        uint32_t at = place, end = place + length;
        bool other = false, more = false;

        if (!has_place(f, place, end)) {
                pt_flows_count(flows, PT_COUNT_STREAM_DROPPED);
                return true;
        }
        for (size_t i = 0; i <= f->range_count && at < end; i++) {
                uint32_t from = i < f->range_count ? f->ranges[i].from : end;
                uint32_t to = i < f->range_count ? f->ranges[i].to : end;

                from = from < end ? from : end;
                to = to < end ? to : end;
                if (from > at && !copy_in(flows, link, at, octets + (at - place), from - at))
                        return false;
                more |= from > at;
                at = at > from ? at : from;
                if (to > at)
                        other |= differs(flows, f, at, octets + (at - place), to - at);
                at = at > to ? at : to;
        }
        if (other)
                pt_flows_count(flows, PT_COUNT_STREAM_OVERLAPS);
        else if (!more)
                pt_flows_count(flows, PT_COUNT_STREAM_COPIES);
        return add_range(f, place, end);
}

/* The first octets have been taken. */
void pt_flow_consume(struct pt_flows *flows, struct pt_flow *f, uint32_t length)
{
        uint32_t at = f->start + length, whole = at / PT_FLOW_CHUNK;
        struct pt_flow_range *r = f->ranges;

        f->next += length;
        if (!f->range_count)
                return;
        if (r[0].to == length)
                memmove(r, r + 1, --f->range_count * sizeof *r);
        else
                r[0].from = length;
        for (size_t i = 0; i < f->range_count; i++) {
                r[i].from -= length;
                r[i].to -= length;
        }
        for (size_t i = 0; i < (f->range_count ? whole : PT_FLOW_CHUNKS); i++)
                give_chunk(flows, &f->chunks[i]);
        if (whole) {
                memmove(f->chunks, f->chunks + whole,
                        (PT_FLOW_CHUNKS - whole) * sizeof f->chunks[0]);
                memset(f->chunks + PT_FLOW_CHUNKS - whole, 0, whole * sizeof f->chunks[0]);
        }
        f->start = f->range_count ? (uint16_t)(at % PT_FLOW_CHUNK) : 0;
}
