/*
 * store: where the lines of one destination wait: the first of them on disk (the spool), the last
 * in memory (the queue), and either may have none. So their order is always that in which they
 * came, and each is counted once, as queued or as spooled.
 *
 * A line goes to the spool when the queue is full, when the owner says so, and as long as lines are
 * in the spool and it has room. If it has none, lines wait in the queue again, behind it. Only when
 * both are full is there no room: then the new line is refused, and the old ones stay.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pt_store;

enum pt_store_result {
        PT_STORE_TAKEN,
        PT_STORE_FULL,    /* queue and spool are */
        PT_STORE_TOO_BIG, /* longer than the queue */
};

struct pt_store_settings {
        size_t queue;      /* octets */
        const char *spool; /* a folder for the spools of all destinations, or NULL for none */
        size_t spool_size; /* octets, for this destination; 0 for no spool */
        bool spool_if_can; /* without it if it cannot be opened; but not if another process has it
                            */
        const char *destination;
};

/* 0, or a negative errno: -EWOULDBLOCK if another process has the spool. */
int pt_store_open(const struct pt_store_settings *settings, struct pt_store **ret);

/* What waits in memory is lost. Takes NULL. Returns NULL. */
struct pt_store *pt_store_free(struct pt_store *store);

/* Add a line at the end: enum pt_store_result. */
int pt_store_put(struct pt_store *store, const char *line, size_t length);

/*
 * The first lines that wait: whole ones, which stay where they are until the next call. The next
 * call has the same octets again, less what was taken, and perhaps more behind them.
 */
const char *pt_store_front(struct pt_store *store, size_t *ret_length);

/* Whole lines at the front are not needed any more. Returns how many. */
uint64_t pt_store_take(struct pt_store *store, size_t length);

/* Put what waits in memory into the spool, as much as it takes. False if some is left. */
bool pt_store_settle(struct pt_store *store);

/* The disk of the spool may not answer: nothing is asked of it, as if there were no room. */
void pt_store_hold(struct pt_store *store, bool held);

/* The device that the spool is on, or 0. */
uint64_t pt_store_device(const struct pt_store *store);

/*
 * The end: what waits goes to the spool, which is written through to the disk. Returns how many
 * lines it did not take.
 */
uint64_t pt_store_close_down(struct pt_store *store);

/*
 * Begin to write the spool through to the disk, and do not wait: ask again, until it is synced.
 * `*ret_ended`: what was begun before has ended, well or with pt_store_trouble(). -EINPROGRESS: it
 * has not yet. 0 else.
 */
int pt_store_sync(struct pt_store *store, bool *ret_ended);
bool pt_store_is_synced(const struct pt_store *store);

bool pt_store_has_spool(const struct pt_store *store);
uint64_t pt_store_queued(const struct pt_store *store);
uint64_t pt_store_spooled(const struct pt_store *store);

/* Lines that were found in the spool, from earlier runs; and torn ones cut off there. */
uint64_t pt_store_inherited(const struct pt_store *store);
uint64_t pt_store_torn(const struct pt_store *store);

/* Lines that the spool could not give back. Each call returns those since the last one. */
uint64_t pt_store_unreadable(struct pt_store *store);
uint64_t pt_store_too_long(struct pt_store *store);

/* The last negative errno of the spool, or 0; it is forgotten by this. */
int pt_store_trouble(struct pt_store *store);
