/*
 * through: what a spool has written, written through to the disk: one round at a time, aside, so
 * that a disk that takes seconds, or does not answer at all, holds up nobody but the thread that
 * asks it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/output/cursor.h"

#define PT_THROUGH_MOST 16 /* segments in one round */

struct pt_through;

/* What a round is to write, in this order. */
struct pt_through_round {
        uint64_t segments[PT_THROUGH_MOST]; /* one that is gone by then is not needed any more */
        size_t count;
        bool has_cursor, has_folder;
        struct pt_cursor cursor;
};

/* NULL without memory or another descriptor of the folder. */
struct pt_through *pt_through_new(int folder);

/* Takes NULL. Returns NULL. */
struct pt_through *pt_through_free(struct pt_through *through);

/* Only if not busy. */
void pt_through_begin(struct pt_through *through, const struct pt_through_round *round);

/* Has the round ended? True once; and 0, or the first negative errno. */
bool pt_through_finish(struct pt_through *through, int *ret_result);
bool pt_through_is_busy(const struct pt_through *through);

/* Wait for its end, at most so many nanoseconds. */
void pt_through_wait(struct pt_through *through, int64_t patience);
