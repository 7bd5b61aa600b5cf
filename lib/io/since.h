/*
 * since: when something began, by both clocks: people want to know it by the wall clock, which may
 * have been set since, and how long ago it was only the steady one knows.
 */
#pragma once

#include <stdint.h>

struct pt_since {
        int64_t wall;   /* nanoseconds since 1970 */
        int64_t steady; /* CLOCK_MONOTONIC; 0: it has not begun */
};

struct pt_since pt_since_now(void);

/* How long ago, nanoseconds. */
int64_t pt_since_elapsed(struct pt_since since);

/* When, by the wall clock as it is now; 0 if it has not begun. */
int64_t pt_since_wall(struct pt_since since);
