/*
 * health: what this run saw and did: in a stats document, in the file of --stats, and in the last
 * words on standard error, which also say why when nothing was found (design 6).
 */
#pragma once

#include "../lib/io/live.h"
#include "../lib/io/notice.h"
#include "../lib/portent.h"
#include "output.h"

struct pt_health {
        const struct pt_engine *engine;
        struct pt_live *live; /* NULL in replay */
        struct pt_output *output;
        const struct pt_observer *observer;
        const struct pt_allow *allow; /* the lists in effect, NULL for none */
        int64_t started;              /* by CLOCK_MONOTONIC, nanoseconds */
        bool filtered;                /* there is a filter expression */
        bool unread;                  /* no input could be opened: there is nothing to explain */
        bool near_misses_told;
        bool stats;  /* live: a stats document is due from time to time */
        int64_t due; /* when, CLOCK_MONOTONIC; 0 for at once */
};

/* Live, now and then: what is due is told. Returns when to come back, CLOCK_MONOTONIC. */
int64_t pt_health_tick(struct pt_health *health, int64_t now);

/* A change of a capture or an output is told; `health` is a struct pt_health. */
void pt_health_notice(void *health, const struct pt_notice *notice);

/* The present of CLOCK_MONOTONIC, nanoseconds. */
int64_t pt_health_clock(void);

/* A counter of the engine by its name, 0 if there is none. */
uint64_t pt_health_count(const struct pt_engine *engine, const char *name);

/* One stats document to every output, at the wall clock's time. 0, or -ENOMEM. */
int pt_health_tell(const struct pt_health *health);

/*
 * The same object into a file, which is replaced as a whole; "-" is standard output. 0, or a
 * negative errno.
 */
int pt_health_write(const struct pt_health *health, const char *path);

/* `verbose`: every counter too. */
void pt_health_last_words(const struct pt_health *health, bool verbose);
