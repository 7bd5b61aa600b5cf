/*
 * aside: work that may take long, or for ever, done by a thread of its own, so that nobody else
 * waits for it. One piece at a time. The thread is made with the first piece and stays; signals are
 * not for it. It is made by the caller's thread as that is then, so it has no more privilege, and
 * the same filter of system calls.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pt_aside;

/* What is done; its result is any number. It must not touch what others use meanwhile. */
typedef int (*pt_aside_work)(void *context);

/* NULL if there is no memory. `release` frees the context, when nobody works with it any more. */
struct pt_aside *pt_aside_new(pt_aside_work work, void (*release)(void *context), void *context);

/*
 * End the thread. One that does not come back from its work is left to itself, and frees all of
 * this when it does. Takes NULL. Returns NULL.
 */
struct pt_aside *pt_aside_free(struct pt_aside *aside);

/*
 * Begin. Where no thread can be made, it is done at once, by the caller. Only if not busy, and what
 * came of the last piece has been asked for.
 */
void pt_aside_begin(struct pt_aside *aside);

/* Has it ended since it was begun? True once for each piece. */
bool pt_aside_finish(struct pt_aside *aside, int *ret_result);

/* Begun, and not asked for with pt_aside_finish() since it ended. */
bool pt_aside_is_busy(const struct pt_aside *aside);

/* Wait until it has ended, at most so many nanoseconds. */
void pt_aside_wait(struct pt_aside *aside, int64_t patience);
