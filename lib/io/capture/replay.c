#include "io/capture/replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/capture/opening.h"

int pt_replay_open(const char *path, const struct pt_replay_settings *settings, uint32_t file,
                   struct pt_replay **ret, struct pt_replay_fault *fault)
{
        struct pt_replay *replay = calloc(1, sizeof(*replay));
        int r;

        if (!replay) {
                fault->offset = 0;
                snprintf(fault->sentence, sizeof(fault->sentence), "%.140s: %s", path,
                         strerror(ENOMEM));
                return -ENOMEM;
        }
        replay->file = file;
        replay->since = settings->since ? settings->since : INT64_MIN;
        replay->last = settings->until ? settings->until - 1 : INT64_MAX;
        pt_opening_name(replay, path);
        r = pt_opening_all(replay, path, settings, fault);
        replay->fixed = replay->source.feed.regular && !replay->source.unpack &&
                        !settings->follow; /* what is followed may be gone when it is wanted */
        if (r < 0) {
                pt_replay_free(replay);
                return r;
        }
        *ret = replay;
        return 0;
}

struct pt_replay *pt_replay_free(struct pt_replay *replay)
{
        if (!replay)
                return NULL;
        pt_sieve_free(replay->filter);
        pt_log_free(replay->log);
        pt_block_close(&replay->block);
        pt_source_close(&replay->source);
        free(replay);
        return NULL;
}

/* --- reading ---------------------------------------------------------------------------------- */

static enum pt_replay_step cut(struct pt_replay *replay, uint64_t offset, const char *reason)
{
        pt_opening_fault(replay, &replay->fault, offset, reason);
        replay->over = PT_REPLAY_CUT;
        return PT_REPLAY_CUT;
}

/* The filter passes it: FRAME. It does not: LATER. It means nothing for this link type: CUT. */
static enum pt_replay_step filter(struct pt_replay *replay, const struct pt_frame *frame,
                                  uint64_t offset)
{
        char reason[PT_SIEVE_REASON], text[PT_SIEVE_REASON + 16];
        int r;

        if (!replay->filter)
                return PT_REPLAY_FRAME;
        r = pt_sieve_passes(replay->filter, frame, reason);
        if (r >= 0)
                return r ? PT_REPLAY_FRAME : PT_REPLAY_LATER;
        snprintf(text, sizeof text, "filter: %s", r == -ENOMEM ? strerror(ENOMEM) : reason);
        return cut(replay, offset, text);
}

static enum pt_replay_step finish(struct pt_replay *replay, enum pt_record record,
                                  const struct pt_record_fault *found)
{
        if (record == PT_RECORD_LATER)
                return PT_REPLAY_LATER;
        if (record == PT_RECORD_FAULT)
                return cut(replay, found->offset, found->reason);
        replay->over = PT_REPLAY_END;
        return PT_REPLAY_END;
}

/* One frame, whatever the filter says of it. */
static inline enum pt_record next(struct pt_replay *replay, struct pt_frame *ret,
                                  struct pt_record_fault *found)
{
        if (replay->kind == PT_KIND_CLASSIC)
                return pt_classic_next(&replay->classic, &replay->source, ret, found);
        if (replay->log)
                return pt_log_next(replay->log, &replay->source, ret, found);
        return pt_block_next(&replay->block, &replay->source, ret, found);
}

enum pt_replay_step pt_replay_next(struct pt_replay *replay, struct pt_frame *ret,
                                   struct pt_replay_fault *fault)
{
        enum pt_replay_step step = replay->over;
        struct pt_record_fault found;

        while (step == PT_REPLAY_FRAME) {
                uint64_t offset = pt_source_offset(&replay->source);
                enum pt_record record = next(replay, ret, &found);

                if (record != PT_RECORD_FRAME) {
                        step = finish(replay, record, &found);
                        break;
                }
                replay->number++;
                if (!replay->log) /* that of its line */
                        ret->number = replay->number;
                ret->file = replay->file;
                ret->offset = replay->fixed ? replay->source.offset -
                                                      (uint64_t)(replay->source.end - ret->bytes)
                                            : 0;
                if (ret->time < replay->since || ret->time > replay->last) {
                        replay->outside++;
                        continue;
                }
                step = filter(replay, ret, offset);
                if (step == PT_REPLAY_FRAME)
                        return step;
                if (step == PT_REPLAY_LATER)
                        step = PT_REPLAY_FRAME;
        }
        if (step == PT_REPLAY_CUT)
                *fault = replay->fault;
        return step;
}

size_t pt_replay_ordered(struct pt_replay *replay, struct pt_record_order *order,
                         struct pt_frame *ret, size_t room)
{
        uint64_t before = replay->source.offset - (uint64_t)pt_source_left(&replay->source);
        const uint8_t *from = replay->source.at;
        size_t count;

        if (replay->kind != PT_KIND_CLASSIC || replay->filter || replay->over != PT_REPLAY_FRAME ||
            replay->since != INT64_MIN || replay->last != INT64_MAX)
                return 0;
        count = pt_classic_several(&replay->classic, &replay->source, order, ret, room);
        for (size_t i = 0; i < count; i++) {
                ret[i].number = ++replay->number;
                ret[i].file = replay->file;
                ret[i].offset = replay->fixed ? before + (uint64_t)(ret[i].bytes - from) : 0;
        }
        return count;
}

void pt_replay_hold(struct pt_replay *replay, bool held)
{
        replay->source.held = held;
}

void pt_replay_unfollow(struct pt_replay *replay)
{
        replay->source.feed.follow = false;
}

bool pt_replay_digest(struct pt_replay *replay, char ret[PT_REPLAY_DIGEST])
{
        return pt_source_digest(&replay->source, ret);
}

bool pt_replay_log(const struct pt_replay *replay, struct pt_log_count *ret)
{
        if (replay->log)
                *ret = pt_log_count(replay->log);
        return replay->log != NULL;
}

uint64_t pt_replay_taken(const struct pt_replay *replay)
{
        return replay->source.feed.taken;
}

uint64_t pt_replay_outside(const struct pt_replay *replay)
{
        return replay->outside;
}

bool pt_replay_is_file(const char *path)
{
        struct stat status;

        return strcmp(path, "-") != 0 && stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

bool pt_replay_is_empty(const char *path)
{
        struct stat status;

        return stat(path, &status) == 0 && status.st_size == 0;
}

enum pt_replay_step pt_replay_several(struct pt_replay *replay, struct pt_frame *ret, size_t room,
                                      size_t *ret_count, struct pt_replay_fault *fault)
{
        enum pt_replay_step step = pt_replay_next(replay, ret, fault);
        size_t count = 1;

        if (step != PT_REPLAY_FRAME)
                return step;
        replay->source.held = true;
        while (count < room && pt_replay_next(replay, &ret[count], fault) == PT_REPLAY_FRAME)
                count++;
        replay->source.held = false;
        *ret_count = count;
        return PT_REPLAY_FRAME;
}

int pt_replay_check_filter(const char *filter, struct pt_replay_fault *fault)
{
        char reason[PT_SIEVE_REASON];
        int r = pt_sieve_check(filter, reason);

        if (r == -EINVAL) {
                fault->offset = 0;
                snprintf(fault->sentence, sizeof(fault->sentence), "filter: %s", reason);
        }
        return r;
}
