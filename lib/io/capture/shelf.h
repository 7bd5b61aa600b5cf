/*
 * shelf: the inputs of an archive as they stand there: which they are, what each begins with, and
 * what is known of it at its end. A part of archive, which makes one stream of them.
 */
#pragma once

#include <sys/types.h>

#include "io/capture/archive.h"
#include "io/capture/catalogue.h"
#include "io/capture/merge.h"

struct pt_member {
        struct pt_strand strand; /* first, so that a strand is its member */
        uint32_t file;
        int64_t first;
        bool kept_open; /* a pipe cannot be looked at and opened again */
        bool idle;      /* followed: it waits for more */
        unsigned quiet; /* looks in which it had not grown */
        dev_t device;   /* what its path was when it was opened */
        ino_t inode;
};

struct pt_archive {
        struct pt_archive_settings settings;
        struct pt_catalogue catalogue;
        struct pt_member **members; /* those that can be read, by their beginnings */
        size_t member_count;
        size_t waiting;            /* of these, the first that is not open yet */
        struct pt_merge merge;     /* those that have a frame */
        struct pt_member *current; /* its frame was given out, and it was not moved on since */
        struct pt_archive_count count;
        struct pt_archive_input *inputs; /* those that ended, where hashed */
        size_t input_count;
};

/* Say something of an input, and count it. */
void pt_shelf_tell(struct pt_archive *archive, enum pt_archive_word word, const char *sentence);

static inline bool pt_shelf_stopped(const struct pt_archive *archive)
{
        return archive->settings.stop && *archive->settings.stop;
}

static inline const char *pt_shelf_path(const struct pt_archive *archive,
                                        const struct pt_member *member)
{
        return archive->catalogue.files[member->file].path;
}

/* How an input is read when it is opened now. */
struct pt_replay_settings pt_shelf_reading(const struct pt_archive *archive);

/* Every path of the settings, and what the directories among them hold. 0, or -ENOMEM. */
int pt_shelf_list(struct pt_archive *archive);

/*
 * Look at those that nobody has looked at yet: what can be read becomes a member, behind the
 * others, by its beginning. 0, or -ENOMEM.
 */
int pt_shelf_look(struct pt_archive *archive);

/* New files in a directory, and those that did not say before what they are. 0, or -ENOMEM. */
int pt_shelf_look_for_more(struct pt_archive *archive);

/* Tell why an input cannot be read, if that is worth telling. */
void pt_shelf_refuse(struct pt_archive *archive, uint32_t file, int error,
                     const struct pt_replay_fault *fault);

/* Close it, and note what is known of it. */
void pt_shelf_drop(struct pt_archive *archive, struct pt_member *member);
