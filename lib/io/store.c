#include "store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "queue.h"
#include "spool.h"

struct pt_store {
        struct pt_queue queue;
        struct pt_spool *spool;
        bool on_disk; /* all that waits is in the spool; the queue has copies of the first */
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
        if (r) {
                pt_store_free(store);
                return r;
        }
        if (store->spool)
                store->inherited = pt_spool_lines(store->spool);
        store->on_disk = store->inherited > 0;
        *ret = store;
        return 0;
}

struct pt_store *pt_store_free(struct pt_store *store)
{
        if (!store)
                return NULL;
        pt_spool_free(store->spool);
        pt_queue_clear(&store->queue);
        free(store);
        return NULL;
}

/* Copy the queue to an empty spool: how many octets of it are there then. */
static size_t copy_to_spool(struct pt_store *store)
{
        size_t taken = 0;
        int r;

        if (!store->spool)
                return 0;
        r = pt_spool_put(store->spool, pt_queue_front(&store->queue),
                         pt_queue_length(&store->queue), &taken);
        if (r < 0)
                store->trouble = r;
        return taken;
}

bool pt_store_settle(struct pt_store *store)
{
        if (store->on_disk || !pt_queue_length(&store->queue))
                return store->spool != NULL;
        if (copy_to_spool(store) < pt_queue_length(&store->queue)) {
                /* All or nothing: what is in memory would come before what is on disk. */
                while (store->spool && pt_spool_lines(store->spool))
                        pt_spool_skip(store->spool);
                return false;
        }
        pt_spool_rewind(store->spool);
        pt_queue_take(&store->queue, pt_queue_length(&store->queue));
        store->on_disk = true;
        return true;
}

uint64_t pt_store_close_down(struct pt_store *store)
{
        uint64_t lost = 0;

        if (!store->on_disk && pt_queue_length(&store->queue)) {
                pt_queue_take(&store->queue, copy_to_spool(store));
                lost = pt_queue_take(&store->queue, pt_queue_length(&store->queue));
                store->on_disk = store->spool && pt_spool_lines(store->spool);
        }
        pt_store_sync(store);
        return lost;
}

int pt_store_put(struct pt_store *store, const char *line, size_t length)
{
        size_t taken = 0;
        int r;

        if (length > store->queue.capacity)
                return PT_STORE_TOO_BIG;
        if (!store->on_disk && pt_queue_put(&store->queue, line, length))
                return PT_STORE_TAKEN;
        if (!pt_store_settle(store))
                return PT_STORE_FULL;
        r = pt_spool_put(store->spool, line, length, &taken);
        if (r < 0)
                store->trouble = r;
        return taken == length ? PT_STORE_TAKEN : PT_STORE_FULL;
}

/* Copy more of the spool into memory. */
static void refill(struct pt_store *store)
{
        while (pt_spool_lines(store->spool)) {
                size_t room, length = 0;
                uint64_t too_long = 0;
                char *place = pt_queue_room(&store->queue, &room);
                int r = pt_spool_read(store->spool, place, room, &length, &too_long);

                store->too_long += too_long;
                pt_queue_grow(&store->queue, length);
                if (r < 0 && !pt_queue_length(&store->queue)) {
                        store->trouble = r;
                        store->unreadable += pt_spool_skip(store->spool);
                } else if (r < 0 || (!too_long && !length)) {
                        return;
                }
        }
}

const char *pt_store_front(struct pt_store *store, size_t *ret_length)
{
        if (store->on_disk && pt_queue_length(&store->queue) < store->queue.capacity / 2)
                refill(store);
        if (store->on_disk && !pt_spool_lines(store->spool))
                store->on_disk = false;
        *ret_length = pt_queue_length(&store->queue);
        return pt_queue_front(&store->queue);
}

uint64_t pt_store_take(struct pt_store *store, size_t length)
{
        uint64_t lines = pt_queue_take(&store->queue, length);

        if (store->on_disk) {
                pt_spool_remove(store->spool, length, lines);
                store->on_disk = pt_spool_lines(store->spool) > 0;
        }
        return lines;
}

void pt_store_sync(struct pt_store *store)
{
        int r = store->spool ? pt_spool_sync(store->spool) : 0;

        if (r < 0)
                store->trouble = r;
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
        return store->on_disk ? 0 : store->queue.lines;
}

uint64_t pt_store_spooled(const struct pt_store *store)
{
        return store->on_disk ? pt_spool_lines(store->spool) : 0;
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
