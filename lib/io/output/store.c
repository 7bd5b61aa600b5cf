#include "io/output/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/output/queue.h"
#include "io/output/spool.h"

struct pt_store {
        struct pt_queue queue;  /* the last lines */
        struct pt_spool *spool; /* those before them, or NULL */
        /* Copies of the first lines: those of the spool, and the first of the queue behind them.
         * Only while there are lines in the spool. */
        struct pt_queue front;
        size_t copied; /* octets of the queue that are in it */
        bool held;
        int trouble;
        uint64_t inherited, unreadable, too_long;
};

int pt_store_open(const struct pt_store_settings *settings, struct pt_store **ret)
{
        struct pt_store *store = calloc(1, sizeof(*store));
        int r = store ? pt_queue_init(&store->queue, settings->queue) : -ENOMEM;

        if (!r && settings->spool && settings->spool_size) {
                r = pt_spool_open(settings->spool, settings->destination, settings->spool_size,
                                  &store->spool);
                if (r && r != -EWOULDBLOCK && settings->spool_if_can) {
                        store->trouble = r;
                        r = 0;
                }
        }
        if (!r && store->spool)
                r = pt_queue_init(&store->front, settings->queue);
        if (r) {
                pt_store_free(store);
                return r;
        }
        if (store->spool)
                store->inherited = pt_spool_lines(store->spool);
        *ret = store;
        return 0;
}

struct pt_store *pt_store_free(struct pt_store *store)
{
        if (!store)
                return NULL;
        pt_spool_free(store->spool);
        pt_queue_clear(&store->queue);
        pt_queue_clear(&store->front);
        free(store);
        return NULL;
}

static bool is_spooling(const struct pt_store *store)
{
        return store->spool && pt_spool_lines(store->spool);
}

bool pt_store_settle(struct pt_store *store)
{
        struct pt_queue *queue = &store->queue;
        size_t taken = 0, known;
        int r;

        if (!store->spool || store->held)
                return false;
        if (!pt_queue_length(queue))
                return true;
        r = pt_spool_put(store->spool, pt_queue_front(queue), pt_queue_length(queue), &taken);
        if (r < 0)
                store->trouble = r;
        pt_queue_take(queue, taken);
        /* What is in front already is not to be read a second time. */
        known = taken < store->copied ? taken : store->copied;
        pt_spool_pass(store->spool, known);
        store->copied -= known;
        return !pt_queue_length(queue);
}

uint64_t pt_store_close_down(struct pt_store *store)
{
        uint64_t lost;

        pt_store_settle(store);
        lost = pt_queue_take(&store->queue, pt_queue_length(&store->queue));
        store->copied = 0;
        pt_queue_take(&store->front, pt_queue_length(&store->front));
        if (store->spool && !store->held) {
                pt_spool_rewind(store->spool);
                pt_spool_finish(store->spool);
        }
        return lost;
}

void pt_store_hold(struct pt_store *store, bool held)
{
        store->held = held;
}

uint64_t pt_store_device(const struct pt_store *store)
{
        return store->spool ? pt_spool_device(store->spool) : 0;
}

int pt_store_put(struct pt_store *store, const char *line, size_t length)
{
        size_t taken = 0;
        bool behind = pt_queue_length(&store->queue) || !is_spooling(store);
        int r;

        if (length > store->queue.capacity)
                return PT_STORE_TOO_BIG;
        if (behind && pt_queue_put(&store->queue, line, length))
                return PT_STORE_TAKEN;
        if (pt_store_settle(store)) {
                r = pt_spool_put(store->spool, line, length, &taken);
                if (r < 0)
                        store->trouble = r;
                if (taken == length)
                        return PT_STORE_TAKEN;
        }
        return pt_queue_put(&store->queue, line, length) ? PT_STORE_TAKEN : PT_STORE_FULL;
}

/* Copy the queue's first lines behind those of the spool, which are all there. */
static void follow(struct pt_store *store)
{
        const char *rest = pt_queue_front(&store->queue) + store->copied;
        size_t left = pt_queue_length(&store->queue) - store->copied, room;
        char *place = pt_queue_room(&store->front, &room);
        size_t length = pt_queue_whole(rest, left < room ? left : room);

        memcpy(place, rest, length);
        pt_queue_grow(&store->front, length);
        store->copied += length;
}

/* Copy more of the spool into memory. */
static void refill(struct pt_store *store)
{
        while (pt_spool_lines(store->spool)) {
                size_t room, length = 0;
                uint64_t too_long = 0;
                char *place = pt_queue_room(&store->front, &room);
                int r = pt_spool_read(store->spool, place, room, &length, &too_long);

                store->too_long += too_long;
                pt_queue_grow(&store->front, length);
                if (r < 0 && !pt_queue_length(&store->front)) {
                        store->trouble = r;
                        store->unreadable += pt_spool_skip(store->spool);
                } else if (r < 0) {
                        return;
                } else if (!too_long && !length) {
                        if (pt_spool_is_read(store->spool))
                                follow(store);
                        return;
                }
        }
}

const char *pt_store_front(struct pt_store *store, size_t *ret_length)
{
        if (is_spooling(store) && !store->held &&
            pt_queue_length(&store->front) < store->front.capacity / 2)
                refill(store);
        if (is_spooling(store)) {
                *ret_length = pt_queue_length(&store->front);
                return pt_queue_front(&store->front);
        }
        *ret_length = pt_queue_length(&store->queue);
        return pt_queue_front(&store->queue);
}

uint64_t pt_store_take(struct pt_store *store, size_t length)
{
        size_t spooled = 0;
        uint64_t lines = 0;

        if (is_spooling(store)) {
                size_t first = pt_queue_length(&store->front) - store->copied;

                spooled = length < first ? length : first;
                lines = pt_queue_take(&store->front, spooled);
                pt_spool_remove(store->spool, spooled, lines);
                pt_queue_take(&store->front, length - spooled);
        }
        lines += pt_queue_take(&store->queue, length - spooled);
        if (!is_spooling(store)) { /* the queue is all there is */
                pt_queue_take(&store->front, pt_queue_length(&store->front));
                store->copied = 0;
        }
        return lines;
}

int pt_store_sync(struct pt_store *store, bool *ret_ended)
{
        int r = 0;

        *ret_ended = false;
        if (store->spool && !store->held)
                r = pt_spool_sync(store->spool, ret_ended);
        if (r && r != -EINPROGRESS)
                store->trouble = r;
        return r == -EINPROGRESS ? r : 0;
}

bool pt_store_is_synced(const struct pt_store *store)
{
        return !store->spool || pt_spool_is_synced(store->spool);
}

bool pt_store_has_spool(const struct pt_store *store)
{
        return store->spool != NULL;
}

uint64_t pt_store_queued(const struct pt_store *store)
{
        return store->queue.lines;
}

uint64_t pt_store_spooled(const struct pt_store *store)
{
        return store->spool ? pt_spool_lines(store->spool) : 0;
}

uint64_t pt_store_inherited(const struct pt_store *store)
{
        return store->inherited;
}

uint64_t pt_store_torn(const struct pt_store *store)
{
        return store->spool ? pt_spool_torn(store->spool) : 0;
}

static uint64_t tell_once(uint64_t *number)
{
        uint64_t present = *number;

        *number = 0;
        return present;
}

uint64_t pt_store_unreadable(struct pt_store *store)
{
        return tell_once(&store->unreadable);
}

uint64_t pt_store_too_long(struct pt_store *store)
{
        return tell_once(&store->too_long);
}

int pt_store_trouble(struct pt_store *store)
{
        int trouble = store->trouble;

        store->trouble = 0;
        return trouble;
}
