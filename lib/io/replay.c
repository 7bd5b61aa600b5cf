#include "replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "block.h"
#include "classic.h"
#include "sieve.h"
#include "kind.h"
#include "medium.h"

struct pt_replay {
        struct pt_source source;
        enum pt_kind kind;
        struct pt_classic classic;
        struct pt_block block;
        struct pt_log *log;
        struct pt_sieve *filter; /* NULL: all frames pass */
        char name[144];          /* for sentences; a long path keeps its end */
        uint32_t file;
        uint64_t number;
        int64_t since, last; /* frames from one to the other, both included */
        uint64_t outside;
        bool fixed;               /* octets stay where they are: a regular file, not compressed */
        enum pt_replay_step over; /* END or CUT once it is so, else FRAME */
        struct pt_replay_fault fault;
};

static void name_set(struct pt_replay *replay, const char *path)
{
        size_t length = strlen(path);

        if (!strcmp(path, "-"))
                snprintf(replay->name, sizeof(replay->name), "standard input");
        else if (length < sizeof(replay->name))
                memcpy(replay->name, path, length + 1);
        else
                snprintf(replay->name, sizeof(replay->name), "...%s",
                         path + length - (sizeof(replay->name) - 4));
}

static void fault_set(const struct pt_replay *replay, struct pt_replay_fault *fault,
                      uint64_t offset, const char *reason)
{
        fault->offset = offset;
        snprintf(fault->sentence, sizeof(fault->sentence), "%s: byte %" PRIu64 "%s: %.*s",
                 replay->name, offset, replay->source.unpack ? " decompressed" : "",
                 PT_RECORD_REASON, reason);
}

/* What could not be opened has no offset to tell. */
static int refuse(const struct pt_replay *replay, struct pt_replay_fault *fault, int error,
                  const char *reason)
{
        fault->offset = 0;
        snprintf(fault->sentence, sizeof(fault->sentence), "%s: %.*s", replay->name,
                 PT_RECORD_REASON, reason);
        return error;
}

/* --- opening ---------------------------------------------------------------------------------- */

static int open_source(struct pt_replay *replay, const char *path,
                       const struct pt_replay_settings *settings, struct pt_replay_fault *fault)
{
        struct pt_source_settings source = {
                .stop = settings->stop,
                .follow = settings->follow,
                .hashed = settings->hashed,
                .idle = settings->idle,
                .buffer = settings->buffer,
        };
        int r = pt_source_open(&replay->source, path, &source);

        if (r == -EISDIR)
                return refuse(replay, fault, r, "a directory: name the captures in it one by one");
        return r < 0 ? refuse(replay, fault, r, strerror(-r)) : 0;
}

/* Why a file cannot be read at all, by what it is. */
static int refuse_kind(struct pt_replay *replay, const char *what, struct pt_replay_fault *fault)
{
        size_t left = pt_source_left(&replay->source);
        char text[PT_RECORD_REASON];

        if (replay->kind == PT_KIND_PACKED)
                snprintf(text, sizeof text,
                         "compressed with %s, which is not read: decompress it first", what);
        else if (replay->kind == PT_KIND_FOREIGN)
                snprintf(text, sizeof text,
                         "a capture of the format %s, which is not read: editcap(1) converts it",
                         what);
        else if (pt_codec_knows(replay->kind))
                snprintf(text, sizeof text, "compressed twice, with %s inside: decompress it first",
                         what);
        else if (left < 4)
                snprintf(text, sizeof text, "cut inside the file header (%zu bytes)", left);
        else
                snprintf(text, sizeof text, "%s",
                         what && replay->kind == PT_KIND_UNKNOWN ? what
                                                                 : "neither pcap nor pcapng");
        fault_set(replay, fault, 0, text);
        return replay->kind == PT_KIND_UNKNOWN ? -ENOMSG : -EBADMSG;
}

/* What the first octets say. Few of them are no fault as long as they say it. */
static int look(struct pt_replay *replay, const char **ret_what, struct pt_replay_fault *fault)
{
        struct pt_source *source = &replay->source;

        if (!pt_source_want(source, PT_KIND_OCTETS)) {
                if (source->state == PT_SOURCE_FAILED && pt_source_left(source) == 0) {
                        fault_set(replay, fault, pt_source_offset(source), source->reason);
                        return -source->error;
                }
                if (source->state == PT_SOURCE_LATER)
                        return refuse(replay, fault, -EAGAIN, "no file header yet");
                if (pt_source_left(source) == 0) {
                        fault_set(replay, fault, 0,
                                  source->unpack ? "there is nothing in it" : "the file is empty");
                        return -ENOMSG;
                }
        }
        replay->kind = pt_kind_of(source->at, pt_source_left(source), ret_what);
        return 0;
}

static int unpack(struct pt_replay *replay, struct pt_replay_fault *fault)
{
        int r;

        if (replay->source.feed.follow)
                return refuse(replay, fault, -EBADMSG, "a compressed file cannot be followed");
        r = pt_source_unpack(&replay->source, replay->kind);
        return r < 0 ? refuse(replay, fault, r, strerror(-r)) : 0;
}

static int open_log(struct pt_replay *replay, struct pt_replay_fault *fault)
{
        const char *what;
        int r;

        if (replay->source.feed.follow)
                return refuse(replay, fault, -EBADMSG, "a log cannot be followed");
        /* Records wait in it to be sorted: those given out are not all that came. */
        replay->source.feed.idle = (struct pt_feed_idle){0};
        r = pt_log_open(&replay->source, &replay->log, &what);
        if (r != -ENOMSG)
                return r < 0 ? refuse(replay, fault, r, strerror(-r)) : 0;
        replay->kind = PT_KIND_UNKNOWN;
        return refuse_kind(replay, what, fault);
}

static int recognise(struct pt_replay *replay, struct pt_replay_fault *fault)
{
        const char *what = NULL;
        int r = look(replay, &what, fault);

        if (r == 0 && pt_codec_knows(replay->kind)) {
                r = unpack(replay, fault);
                if (r == 0)
                        r = look(replay, &what, fault);
        }
        if (r < 0 || replay->kind == PT_KIND_CLASSIC || replay->kind == PT_KIND_BLOCK)
                return r;
        if (replay->kind == PT_KIND_LOG)
                return open_log(replay, fault);
        return refuse_kind(replay, what, fault);
}

static int refuse_link(struct pt_replay *replay, int linktype, uint64_t offset,
                       struct pt_replay_fault *fault)
{
        const char *name = pt_medium_name(linktype);
        char text[PT_RECORD_REASON];

        snprintf(text, sizeof(text), "link type %d%s%s%s is not read", linktype, name ? " (" : "",
                 name ? name : "", name ? ")" : "");
        fault_set(replay, fault, offset, text);
        return -EBADMSG;
}

/*
 * A capture of something else must not look like one in which nothing was found. In pcapng, frames
 * of one interface may be read where those of another are not; these are counted by the engine.
 */
static int check_links(struct pt_replay *replay, struct pt_replay_fault *fault)
{
        const struct pt_block *block = &replay->block;

        if (replay->kind == PT_KIND_CLASSIC)
                return pt_medium_is_read(replay->classic.linktype)
                               ? 0
                               : refuse_link(replay, replay->classic.linktype, 20, fault);
        for (size_t i = 0; i < block->count; i++) {
                if (pt_medium_is_read(block->interfaces[i].linktype))
                        return 0;
        }
        return block->count ? refuse_link(replay, block->interfaces[0].linktype, 0, fault) : 0;
}

static int open_records(struct pt_replay *replay, struct pt_replay_fault *fault)
{
        struct pt_record_fault found = {0};
        enum pt_record r;

        if (replay->log)
                return 0;
        if (replay->kind == PT_KIND_CLASSIC)
                r = pt_classic_open(&replay->classic, &replay->source, &found);
        else
                r = pt_block_open(&replay->block, &replay->source, &found);
        if (r == PT_RECORD_LATER)
                return refuse(replay, fault, -EAGAIN, "no file header yet");
        if (r != PT_RECORD_FRAME) {
                fault_set(replay, fault, found.offset, found.reason);
                return found.error ? -found.error : -EBADMSG;
        }
        return check_links(replay, fault);
}

static int refuse_filter(const struct pt_replay *replay, const char *reason, int error,
                         struct pt_replay_fault *fault)
{
        fault->offset = 0;
        snprintf(fault->sentence, sizeof(fault->sentence), "%s: filter: %.*s", replay->name,
                 PT_SIEVE_REASON, error == -ENOMEM ? strerror(ENOMEM) : reason);
        return error;
}

/* Whether the filter fits the links that are known by now is said before any frame is read. */
static int open_filter(struct pt_replay *replay, const char *expression,
                       struct pt_replay_fault *fault)
{
        bool classic = replay->kind == PT_KIND_CLASSIC;
        size_t links = classic ? 1 : replay->block.count;
        char reason[PT_SIEVE_REASON];
        int r;

        if (!expression || !*expression)
                return 0;
        if (replay->log)
                return refuse(replay, fault, -EINVAL,
                              "a filter expression is about packets, and a log has none");
        r = pt_sieve_new(expression, &replay->filter);
        for (size_t i = 0; r >= 0 && i < links; i++) {
                struct pt_frame none = {
                        .bytes = (const uint8_t *)"",
                        .linktype = classic ? replay->classic.linktype
                                            : replay->block.interfaces[i].linktype,
                };

                r = pt_sieve_passes(replay->filter, &none, reason);
        }
        return r < 0 ? refuse_filter(replay, reason, r, fault) : 0;
}

static int open_all(struct pt_replay *replay, const char *path,
                    const struct pt_replay_settings *settings, struct pt_replay_fault *fault)
{
        int r = open_source(replay, path, settings, fault);

        if (r == 0)
                r = recognise(replay, fault);
        if (r == 0)
                r = open_records(replay, fault);
        if (r == 0)
                r = open_filter(replay, settings->filter, fault);
        return r;
}

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
        name_set(replay, path);
        r = open_all(replay, path, settings, fault);
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
        fault_set(replay, &replay->fault, offset, reason);
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
