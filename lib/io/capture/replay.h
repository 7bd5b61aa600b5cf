/*
 * replay: one capture file, or a log, -> frames. pcap and pcapng, and the logs of log.h, plain or
 * compressed by gzip, zstd or xz, known by their content; standard input.
 *
 * Frames come as the file has them: more bytes than the packet had, times before 1970, whatever.
 * Only a time that nanoseconds in 64 bits cannot hold is set to the nearest that they can.
 */
#pragma once

#include "wire/packet.h"
#include "io/capture/feed.h"
#include "io/logs/log.h"
#include "io/capture/record.h"

#define PT_REPLAY_BUFFER ((size_t)256 << 10)

struct pt_replay;

enum pt_replay_step {
        PT_REPLAY_FRAME, /* one frame */
        PT_REPLAY_END,   /* the input ended where it should */
        PT_REPLAY_LATER, /* nothing more yet: it is followed, and may grow */
        PT_REPLAY_CUT,   /* the input cannot be read further: `fault` says where and why */
};

struct pt_replay_fault {
        uint64_t offset;    /* bytes into the input, where the part that cannot be read begins; of a
                               compressed one, bytes into what comes out of it */
        char sentence[384]; /* file, offset and reason, for people */
};

struct pt_replay_settings {
        const char *filter;        /* a BPF expression, or NULL; borrowed */
        const volatile bool *stop; /* once it is set, no wait goes on; NULL: nobody sets it */
        bool follow;               /* the end of a file is not the end: it may grow */
        size_t buffer;             /* octets of memory for it; 0: PT_REPLAY_BUFFER */
        bool hashed;               /* for pt_replay_digest() */
        struct pt_feed_idle idle;  /* told when a pipe has nothing; of a plain capture */
        int64_t since, until;      /* frames from `since` on and before `until`; 0, 0: all */
};

/*
 * Open a capture. `path` "-" is standard input; `file` is copied into every frame. 0; -ENOMEM;
 * -EINVAL for a bad filter; -ENOMSG for what is no capture; -EBADMSG for one in a format that is
 * not read, cut in its header, or of link types that packet.h does not read; -EAGAIN if it is
 * followed and does not yet say what it is; another negative errno if it cannot be opened or read
 * (-EISDIR for a directory). On error `fault` is written.
 *
 * The start of the file is read here: on a pipe this waits until somebody writes.
 */
int pt_replay_open(const char *path, const struct pt_replay_settings *settings, uint32_t file,
                   struct pt_replay **ret, struct pt_replay_fault *fault);

/*
 * The next frame that the filter passes, valid until the next call. Frames are numbered as the file
 * has them, also those that the filter drops. END and CUT repeat when asked again. A wait for a
 * pipe ends with CUT ("Interrupted system call") when `stop` is set.
 */
enum pt_replay_step pt_replay_next(struct pt_replay *replay, struct pt_frame *ret,
                                   struct pt_replay_fault *fault);

/*
 * Held, what is in memory stays where it is, so that the frames given so far remain valid: what
 * would have to be read comes LATER.
 */
void pt_replay_hold(struct pt_replay *replay, bool held);

/*
 * Many frames that lie in memory, and come in the order that record.h describes: at most `room`,
 * all valid until more is read. It is quick where nothing has to be asked of each frame; where
 * something has (a filter, a time, a log) it says 0, and pt_replay_next() has them all.
 */
size_t pt_replay_ordered(struct pt_replay *replay, struct pt_record_order *order,
                         struct pt_frame *ret, size_t room);

/* It grows no more: what ends it now is an end, or a cut. */
void pt_replay_unfollow(struct pt_replay *replay);

/* What became of the lines of a log. False if it is none. */
bool pt_replay_log(const struct pt_replay *replay, struct pt_log_count *ret);

/* Octets of the file that were read. */
uint64_t pt_replay_taken(const struct pt_replay *replay);

#define PT_REPLAY_DIGEST 65 /* PT_FEED_DIGEST */

/*
 * The SHA-256 of the whole file as it lies there; what was not read of it is read now. False if
 * that fails or is told to stop. No frame comes afterwards.
 */
bool pt_replay_digest(struct pt_replay *replay, char ret[PT_REPLAY_DIGEST]);

/* Frames so far that were before `since`, or not before `until`. */
uint64_t pt_replay_outside(const struct pt_replay *replay);

/* Is this a regular file, that can be opened a second time? */
bool pt_replay_is_file(const char *path);
bool pt_replay_is_empty(const char *path);
/*
 * Several frames: the next one, and those behind it that are in memory already, at most `room`. All
 * are valid until the next call. A step that ends the input comes when no frame is left before it.
 */
enum pt_replay_step pt_replay_several(struct pt_replay *replay, struct pt_frame *ret, size_t room,
                                      size_t *ret_count, struct pt_replay_fault *fault);

/* Takes NULL. Returns NULL. */
struct pt_replay *pt_replay_free(struct pt_replay *replay);

/* Does this filter compile? 0, or -EINVAL with `fault`. */
int pt_replay_check_filter(const char *filter, struct pt_replay_fault *fault);
