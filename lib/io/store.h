/*
 * store: where the lines of one destination wait. Either all are in memory (the queue), or all are
 * on disk (the spool) and memory holds a copy of the first ones: so their order is always that in
 * which they came, and each is counted once, as queued or as spooled.
 *
 * Lines go to the spool when the queue is full, and when the owner says so. They go back to memory
 * when all of the spool has been delivered.
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

/* The first lines that wait: whole ones, which stay where they are until the next call. */
const char *pt_store_front(struct pt_store *store, size_t *ret_length);

/* Whole lines at the front are not needed any more. Returns how many. */
uint64_t pt_store_take(struct pt_store *store, size_t length);

/* Put all that waits into the spool. False if that cannot be done, or not with all. */
bool pt_store_settle(struct pt_store *store);

/*
 * The end: what waits goes to the spool, which is written through to the disk. Returns how many
 * lines it did not take.
 */
uint64_t pt_store_close_down(struct pt_store *store);

/* Write the spool through to the disk. */
void pt_store_sync(struct pt_store *store);
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
