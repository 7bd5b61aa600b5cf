/*
 * archive: several inputs -> one stream of frames in packet time, whatever their order. Files that
 * overlap in time are merged; of files of one moment the one named first comes first. A file is
 * opened when the stream reaches its beginning and closed at its end, so that thousands of files
 * that follow one another need one descriptor at a time.
 *
 * To know their beginnings, every file is looked at before the first frame comes. One input alone
 * is read as it is.
 *
 * A file that cannot be read does not stop the others.
 *
 * Followed, a file goes on when it grows: a record that is half there is waited for. One that was
 * replaced by another of its name, or made shorter, is ended and read from its new beginning. In a
 * directory new files are looked for; one that has not grown for a second ends when there is a
 * later one, as tcpdump -C and -G and dumpcap -b write them. Of several that grow at once, frames
 * come as they are written, and their order is no better than that.
 */
#pragma once

#include "io/capture/replay.h"

struct pt_archive;

enum pt_archive_word {
        PT_ARCHIVE_OPENED,     /* a file is read from here on */
        PT_ARCHIVE_REFUSED,    /* it cannot be opened, or is no capture */
        PT_ARCHIVE_CUT,        /* it cannot be read further */
        PT_ARCHIVE_SKIPPED,    /* what was found in a directory and is no capture */
        PT_ARCHIVE_UNREADABLE, /* a log had lines that cannot be read: the first of them */
};

struct pt_archive_settings {
        const char *const *paths; /* files, directories, "-"; borrowed */
        size_t count;
        const char *filter;        /* a BPF expression, or NULL */
        const volatile bool *stop; /* as in replay.h */
        bool follow; /* of one path: a file that grows, or a directory where new ones appear */
        bool hashed; /* for pt_archive_input() */
        struct pt_feed_idle idle; /* as in replay.h; all frames given out so far were taken */
        int64_t since, until;     /* frames from `since` on and before `until`; 0, 0: all */
        /* Told once each; the sentence names the file. */
        void (*tell)(void *context, enum pt_archive_word word, const char *sentence);
        void *context;
};

enum pt_archive_step {
        PT_ARCHIVE_FRAME,
        PT_ARCHIVE_LATER, /* nothing more yet: ask again in a tenth of a second or so */
        PT_ARCHIVE_END,
};

/* Lists the files and looks at them. 0, or -ENOMEM. The settings are copied. */
int pt_archive_new(const struct pt_archive_settings *settings, struct pt_archive **ret);

/* Takes NULL. Returns NULL. */
struct pt_archive *pt_archive_free(struct pt_archive *archive);

/* The next frame, valid until the next call. Its `file` is a number for pt_archive_name(). */
enum pt_archive_step pt_archive_next(struct pt_archive *archive, struct pt_frame *ret);

/*
 * Several frames: the next one, and those behind it that are in memory already, at most `room`. All
 * are valid until the next call.
 */
enum pt_archive_step pt_archive_several(struct pt_archive *archive, struct pt_frame *ret,
                                        size_t room, size_t *ret_count);

/* The path of an input; NULL behind the last. */
const char *pt_archive_name(const struct pt_archive *archive, uint32_t file);

struct pt_archive_input {
        const char *name;
        uint64_t size; /* octets read of it: all */
        char digest[PT_REPLAY_DIGEST];
};

/*
 * A file that was read to its end, and its SHA-256, if `hashed` asked for it: of the file as it
 * lies there. The `place`-th of them, in the order in which they ended; NULL behind the last.
 */
const struct pt_archive_input *pt_archive_input(const struct pt_archive *archive, size_t place);

struct pt_archive_count {
        size_t files;        /* in all */
        size_t refused;      /* of these */
        size_t cut;          /* and of these */
        size_t skipped;      /* found in a directory, no captures */
        uint64_t taken;      /* octets read of files, as they lie there */
        uint64_t octets;     /* how many there are in all; 0 if a pipe is among them */
        uint64_t lines;      /* of logs */
        uint64_t other;      /* of these, those about nothing that is looked for */
        uint64_t unreadable; /* and of these */
        uint64_t outside;    /* frames before `since`, or not before `until` */
};

struct pt_archive_count pt_archive_count(const struct pt_archive *archive);
