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
 */
#pragma once

#include "replay.h"

struct pt_archive;

enum pt_archive_word {
        PT_ARCHIVE_OPENED,  /* a file is read from here on */
        PT_ARCHIVE_REFUSED, /* it cannot be opened, or is no capture */
        PT_ARCHIVE_CUT,     /* it cannot be read further */
        PT_ARCHIVE_SKIPPED, /* what was found in a directory and is no capture */
};

struct pt_archive_settings {
        const char *const *paths; /* files, directories, "-"; borrowed */
        size_t count;
        const char *filter;        /* a BPF expression, or NULL */
        const volatile bool *stop; /* as in replay.h */
        int64_t since, until;      /* frames from `since` on and before `until`; 0, 0: all */
        /* Told once each; the sentence names the file. */
        void (*tell)(void *context, enum pt_archive_word word, const char *sentence);
        void *context;
};

enum pt_archive_step {
        PT_ARCHIVE_FRAME,
        PT_ARCHIVE_END,
};

/* Lists the files and looks at them. 0, or -ENOMEM. The settings are copied. */
int pt_archive_new(const struct pt_archive_settings *settings, struct pt_archive **ret);

/* Takes NULL. Returns NULL. */
struct pt_archive *pt_archive_free(struct pt_archive *archive);

/* The next frame, valid until the next call. Its `file` is a number for pt_archive_name(). */
enum pt_archive_step pt_archive_next(struct pt_archive *archive, struct pt_frame *ret);

/*
 * Several frames, at most `room`: the next one, and where nothing can come between, those behind it
 * that are in memory already. All are valid until the next call.
 */
enum pt_archive_step pt_archive_several(struct pt_archive *archive, struct pt_frame *ret,
                                        size_t room, size_t *ret_count);

/* The path of an input; NULL behind the last. */
const char *pt_archive_name(const struct pt_archive *archive, uint32_t file);

struct pt_archive_count {
        size_t files;     /* in all */
        size_t refused;   /* of these */
        size_t cut;       /* and of these */
        size_t skipped;   /* found in a directory, no captures */
        uint64_t outside; /* frames before `since`, or not before `until` */
};

struct pt_archive_count pt_archive_count(const struct pt_archive *archive);
