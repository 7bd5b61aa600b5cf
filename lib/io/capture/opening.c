#include "io/capture/opening.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "io/capture/medium.h"

void pt_opening_name(struct pt_replay *replay, const char *path)
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

void pt_opening_fault(const struct pt_replay *replay, struct pt_replay_fault *fault,
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
        pt_opening_fault(replay, fault, 0, text);
        return replay->kind == PT_KIND_UNKNOWN ? -ENOMSG : -EBADMSG;
}

/* What the first octets say. Few of them are no fault as long as they say it. */
static int look(struct pt_replay *replay, const char **ret_what, struct pt_replay_fault *fault)
{
        struct pt_source *source = &replay->source;

        if (!pt_source_want(source, PT_KIND_OCTETS)) {
                if (source->state == PT_SOURCE_FAILED && pt_source_left(source) == 0) {
                        pt_opening_fault(replay, fault, pt_source_offset(source), source->reason);
                        return -source->error;
                }
                if (source->state == PT_SOURCE_LATER)
                        return refuse(replay, fault, -EAGAIN, "no file header yet");
                if (pt_source_left(source) == 0) {
                        pt_opening_fault(replay, fault, 0,
                                         source->unpack ? "there is nothing in it"
                                                        : "the file is empty");
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
        pt_opening_fault(replay, fault, offset, text);
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
                pt_opening_fault(replay, fault, found.offset, found.reason);
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

int pt_opening_all(struct pt_replay *replay, const char *path,
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
