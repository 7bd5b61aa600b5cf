/*
 * strand: one input among several, with its place in time.
 *
 * Its time is that of the frame which comes next, but follows no single foreign one: a frame that
 * is more than an hour ahead of the one before, or more than a second behind it, moves it only if
 * the frame after that agrees, as the engine's clock has it. So one broken time cannot keep the
 * rest of its file back behind all others.
 */
#pragma once

#include "io/capture/replay.h"

#define PT_STRAND_LEAP (INT64_C(3600) * 1000000000) /* ahead */
#define PT_STRAND_BACK INT64_C(1000000000)

struct pt_strand {
        struct pt_replay *replay; /* NULL: it is not open */
        struct pt_frame frame;    /* the next one */
        int64_t time;             /* by which it is ordered */
        /* A frame that was read ahead, to see whether it agrees; `frame` is then a copy. */
        struct pt_frame ahead;
        enum pt_replay_step ahead_step;
        bool looked_ahead;
        bool begun;
        uint8_t *copy;
};

/*
 * The time at which a file begins, without keeping it open. 0; 1 if it holds no frame; -EAGAIN if
 * it is followed and holds none yet; else as pt_replay_open(), with `fault`.
 */
int pt_strand_peek(const char *path, const struct pt_replay_settings *settings, int64_t *ret,
                   struct pt_replay_fault *fault);

/* As pt_replay_open(). The strand is all zeros before. */
int pt_strand_open(struct pt_strand *strand, const char *path,
                   const struct pt_replay_settings *settings, uint32_t file,
                   struct pt_replay_fault *fault);

/* Where it was seen to begin, by which the first frame is judged too. */
void pt_strand_begin(struct pt_strand *strand, int64_t time);

/* Its next frame stands in `frame` and `time` afterwards, if it returns PT_REPLAY_FRAME. */
enum pt_replay_step pt_strand_next(struct pt_strand *strand, struct pt_replay_fault *fault);

/*
 * More frames behind `frame`, as far as they lie in memory and come before `limit`: at most `room`,
 * all valid until the next call, `frame` too. Returns how many.
 */
size_t pt_strand_several(struct pt_strand *strand, int64_t limit, struct pt_frame *ret,
                         size_t room);

/* It may be opened again. */
void pt_strand_close(struct pt_strand *strand);
