#include "io/capture/strand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PEEKED 3
#define PEEK_BUFFER ((size_t)16 << 10)
#define COPY 262144 /* PT_RECORD_FRAME_MOST */

/* ---- where a file begins ---- */

static int compare(const void *a, const void *b)
{
        int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

        return x < y ? -1 : x > y;
}

/*
 * The first time, unless the others agree on a much earlier one: the file would be opened behind
 * all others. One that is too early does no harm: the file is opened early, and its time moves on.
 */
static int64_t beginning(int64_t *times, size_t count)
{
        int64_t first = times[0], middle;

        qsort(times, count, sizeof *times, compare);
        middle = times[count / 2];
        if (count == PEEKED && middle < first - PT_STRAND_LEAP)
                return times[0];
        return first;
}

int pt_strand_peek(const char *path, const struct pt_replay_settings *settings, int64_t *ret,
                   struct pt_replay_fault *fault)
{
        struct pt_replay_settings all = {
                .stop = settings->stop, .follow = settings->follow, .buffer = PEEK_BUFFER};
        struct pt_replay_fault ignored;
        struct pt_replay *replay;
        int64_t times[PEEKED];
        struct pt_frame frame;
        enum pt_replay_step step = PT_REPLAY_FRAME;
        size_t count = 0;
        int r = pt_replay_open(path, &all, 0, &replay, fault);

        if (r < 0)
                return r;
        while (count < PEEKED &&
               (step = pt_replay_next(replay, &frame, &ignored)) == PT_REPLAY_FRAME)
                times[count++] = frame.time;
        pt_replay_free(replay);
        if (count == 0 && step == PT_REPLAY_END)
                return 1;
        if (count == 0 && step == PT_REPLAY_LATER)
                return -EAGAIN;
        /* One that is cut before its first frame is to be opened again, to say so. */
        *ret = count ? beginning(times, count) : INT64_MIN;
        return 0;
}

/* ---- one frame after the other ---- */

int pt_strand_open(struct pt_strand *strand, const char *path,
                   const struct pt_replay_settings *settings, uint32_t file,
                   struct pt_replay_fault *fault)
{
        return pt_replay_open(path, settings, file, &strand->replay, fault);
}

void pt_strand_begin(struct pt_strand *strand, int64_t time)
{
        strand->begun = true;
        strand->time = time;
}

void pt_strand_close(struct pt_strand *strand)
{
        pt_replay_free(strand->replay);
        free(strand->copy);
        *strand = (struct pt_strand){0};
}

static bool leaps_ahead(const struct pt_strand *strand, const struct pt_frame *frame)
{
        return strand->time < INT64_MAX - PT_STRAND_LEAP &&
               frame->time > strand->time + PT_STRAND_LEAP;
}

static bool steps_back(const struct pt_strand *strand, const struct pt_frame *frame)
{
        return strand->time > INT64_MIN + PT_STRAND_BACK &&
               frame->time < strand->time - PT_STRAND_BACK;
}

/* The doubtful frame is kept, for its octets do not outlast the reading of the next one. */
static bool keep(struct pt_strand *strand)
{
        if (!strand->copy)
                strand->copy = malloc(COPY);
        if (!strand->copy || strand->frame.captured > COPY)
                return false;
        memcpy(strand->copy, strand->frame.bytes, strand->frame.captured);
        strand->frame.bytes = strand->copy;
        return true;
}

/* Does the next frame agree that time has moved? At the end there is nothing left to disagree. */
static void resolve(struct pt_strand *strand, struct pt_replay_fault *fault)
{
        bool ahead = leaps_ahead(strand, &strand->frame);
        bool agreed = true;

        if (keep(strand)) {
                strand->ahead_step = pt_replay_next(strand->replay, &strand->ahead, fault);
                strand->looked_ahead = true;
                if (strand->ahead_step == PT_REPLAY_FRAME)
                        agreed = ahead ? leaps_ahead(strand, &strand->ahead)
                                       : steps_back(strand, &strand->ahead);
        }
        if (agreed)
                strand->time = strand->frame.time;
}

static enum pt_replay_step take(struct pt_strand *strand, struct pt_replay_fault *fault)
{
        if (!strand->looked_ahead)
                return pt_replay_next(strand->replay, &strand->frame, fault);
        strand->looked_ahead = false;
        /* END and CUT repeat, with the fault; what was LATER may be there now. */
        if (strand->ahead_step != PT_REPLAY_FRAME)
                return pt_replay_next(strand->replay, &strand->frame, fault);
        strand->frame = strand->ahead;
        return PT_REPLAY_FRAME;
}

enum pt_replay_step pt_strand_next(struct pt_strand *strand, struct pt_replay_fault *fault)
{
        enum pt_replay_step step = take(strand, fault);

        if (step != PT_REPLAY_FRAME)
                return step;
        if (!strand->begun) {
                strand->begun = true;
                strand->time = strand->frame.time;
        } else if (leaps_ahead(strand, &strand->frame) || steps_back(strand, &strand->frame)) {
                resolve(strand, fault);
        } else if (strand->frame.time > strand->time) {
                strand->time = strand->frame.time;
        }
        return step;
}

/* One by one, what has to be asked for singly. */
static size_t single(struct pt_strand *strand, int64_t limit, struct pt_frame *ret, size_t room)
{
        struct pt_replay_fault fault;
        size_t count = 0;

        while (count < room &&
               pt_replay_next(strand->replay, &ret[count], &fault) == PT_REPLAY_FRAME) {
                const struct pt_frame *frame = &ret[count];

                /* One whose turn it is not, or whose time is doubtful, comes by the long way. */
                if (frame->time >= limit || leaps_ahead(strand, frame) ||
                    steps_back(strand, frame)) {
                        strand->ahead = *frame;
                        strand->ahead_step = PT_REPLAY_FRAME;
                        strand->looked_ahead = true;
                        break;
                }
                if (frame->time > strand->time)
                        strand->time = frame->time;
                count++;
        }
        return count;
}

size_t pt_strand_several(struct pt_strand *strand, int64_t limit, struct pt_frame *ret, size_t room)
{
        struct pt_record_order order = {strand->time, PT_STRAND_LEAP, PT_STRAND_BACK, limit};
        size_t count = 0;

        if (strand->looked_ahead)
                return 0;
        pt_replay_hold(strand->replay, true);
        /* Far from either end of time nothing overflows. */
        if (strand->time > 0 && strand->time < INT64_MAX / 2) {
                count = pt_replay_ordered(strand->replay, &order, ret, room);
                strand->time = order.time;
        }
        count += single(strand, limit, ret + count, room - count);
        pt_replay_hold(strand->replay, false);
        return count;
}
