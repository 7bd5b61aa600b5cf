#include "archive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue.h"
#include "strand.h"

/* With many files open at once, each gets a smaller part of the memory for buffers. */
#define BUFFERS ((size_t)4 << 20)
#define BUFFER_LEAST ((size_t)32 << 10)

struct member {
        struct pt_strand strand;
        uint32_t file;
        int64_t first;
        bool kept_open; /* a pipe cannot be looked at and opened again */
};

struct pt_archive {
        struct pt_archive_settings settings;
        struct pt_catalogue catalogue;
        struct member *members; /* those that can be read, by their beginnings */
        size_t member_count;
        size_t waiting;       /* of these, the first that is not open yet */
        struct member **open; /* a heap: the one whose frame comes next is at the top */
        size_t open_count;
        struct member *current; /* its frame was given out, and it was not moved on since */
        struct pt_archive_count count;
};

static void tell(struct pt_archive *archive, enum pt_archive_word word, const char *sentence)
{
        archive->count.refused += word == PT_ARCHIVE_REFUSED;
        archive->count.cut += word == PT_ARCHIVE_CUT;
        archive->count.skipped += word == PT_ARCHIVE_SKIPPED;
        if (archive->settings.tell)
                archive->settings.tell(archive->settings.context, word, sentence);
}

static bool stopped(const struct pt_archive *archive)
{
        return archive->settings.stop && *archive->settings.stop;
}

/* ---- what there is, and when it begins ---- */

static void trouble(void *context, const char *path, int error)
{
        char sentence[384];

        snprintf(sentence, sizeof sentence, "%.200s: %s", path,
                 error == ENODATA ? "a directory without files" : strerror(error));
        tell(context, PT_ARCHIVE_REFUSED, sentence);
}

static int list(struct pt_archive *archive)
{
        const struct pt_catalogue_walk walk = {trouble, archive, archive->settings.stop};
        int r = 0;

        for (size_t i = 0; r == 0 && i < archive->settings.count; i++) {
                size_t before = archive->catalogue.count;

                r = pt_catalogue_add(&archive->catalogue, archive->settings.paths[i], &walk);
                if (r == 0 && archive->catalogue.count == before && !stopped(archive))
                        trouble(archive, archive->settings.paths[i], ENODATA);
        }
        archive->count.files = archive->catalogue.count;
        archive->members = calloc(archive->catalogue.count + 1, sizeof *archive->members);
        archive->open = calloc(archive->catalogue.count + 1, sizeof(struct member *));
        return archive->members && archive->open ? r : -ENOMEM;
}

static struct pt_replay_settings reading(const struct pt_archive *archive)
{
        size_t share = BUFFERS / (archive->open_count + 1);

        return (struct pt_replay_settings){
                .filter = archive->settings.filter,
                .stop = archive->settings.stop,
                .since = archive->settings.since,
                .until = archive->settings.until,
                .buffer = share >= PT_REPLAY_BUFFER ? 0
                          : share < BUFFER_LEAST    ? BUFFER_LEAST
                                                    : share,
        };
}

/* What a user named must be a capture; what lies beside captures need not be one. */
static void refuse(struct pt_archive *archive, uint32_t file, int error,
                   const struct pt_replay_fault *fault)
{
        if (stopped(archive))
                return; /* a wait that was told to end looks like trouble */
        if (error == -ENOMSG && archive->catalogue.files[file].found)
                tell(archive, PT_ARCHIVE_SKIPPED, fault->sentence);
        else
                tell(archive, PT_ARCHIVE_REFUSED, fault->sentence);
}

/* A pipe stays open from here on: what was read of it is not there a second time. */
static int look_at_pipe(struct pt_archive *archive, struct member *member, const char *path,
                        struct pt_replay_fault *fault)
{
        struct pt_replay_settings settings = reading(archive);
        int r = pt_strand_open(&member->strand, path, &settings, member->file, fault);

        if (r < 0)
                return r;
        member->kept_open = true;
        switch (pt_strand_next(&member->strand, fault)) {
        case PT_REPLAY_FRAME:
                member->first = member->strand.time;
                return 0;
        case PT_REPLAY_CUT:
                if (!stopped(archive))
                        tell(archive, PT_ARCHIVE_CUT, fault->sentence);
                /* fallthrough */
        default:
                pt_strand_close(&member->strand);
                return 1;
        }
}

static int look_at(struct pt_archive *archive, struct member *member, const char *path,
                   struct pt_replay_fault *fault)
{
        struct pt_replay_settings settings = reading(archive);

        if (archive->catalogue.files[member->file].found && pt_replay_is_empty(path)) {
                snprintf(fault->sentence, sizeof fault->sentence, "%.200s: the file is empty",
                         path);
                return -ENOMSG; /* and in /proc, what is called empty may never end */
        }
        if (archive->catalogue.count == 1)
                return 0; /* alone, it begins when it begins */
        if (!pt_replay_is_file(path))
                return look_at_pipe(archive, member, path, fault);
        return pt_strand_peek(path, &settings, &member->first, fault);
}

static int by_beginning(const void *a, const void *b)
{
        const struct member *x = a, *y = b;

        if (x->first != y->first)
                return x->first < y->first ? -1 : 1;
        return x->file < y->file ? -1 : x->file > y->file;
}

static void look_at_all(struct pt_archive *archive)
{
        for (uint32_t file = 0; file < archive->catalogue.count && !stopped(archive); file++) {
                struct member *member = &archive->members[archive->member_count];
                struct pt_replay_fault fault;
                int r;

                *member = (struct member){.file = file};
                r = look_at(archive, member, archive->catalogue.files[file].path, &fault);
                if (r == 0)
                        archive->member_count++;
                else if (r < 0)
                        refuse(archive, file, r, &fault);
        }
        qsort(archive->members, archive->member_count, sizeof *archive->members, by_beginning);
}

int pt_archive_new(const struct pt_archive_settings *settings, struct pt_archive **ret)
{
        struct pt_archive *archive = calloc(1, sizeof *archive);
        int r;

        if (!archive)
                return -ENOMEM;
        archive->settings = *settings;
        r = list(archive);
        if (r < 0) {
                pt_archive_free(archive);
                return r;
        }
        look_at_all(archive);
        *ret = archive;
        return 0;
}

struct pt_archive *pt_archive_free(struct pt_archive *archive)
{
        if (!archive)
                return NULL;
        for (size_t i = 0; i < archive->member_count; i++)
                pt_strand_close(&archive->members[i].strand);
        free(archive->members);
        free(archive->open);
        pt_catalogue_clear(&archive->catalogue);
        free(archive);
        return NULL;
}

/* ---- the heap of those that are open ---- */

static bool before(const struct member *a, const struct member *b)
{
        if (a->strand.time != b->strand.time)
                return a->strand.time < b->strand.time;
        return a->file < b->file;
}

static void swap(struct member **a, struct member **b)
{
        struct member *kept = *a;

        *a = *b;
        *b = kept;
}

static void sink(struct pt_archive *archive, size_t place)
{
        for (;;) {
                size_t least = place, child = 2 * place + 1;

                for (size_t i = child; i < child + 2 && i < archive->open_count; i++) {
                        if (before(archive->open[i], archive->open[least]))
                                least = i;
                }
                if (least == place)
                        return;
                swap(&archive->open[place], &archive->open[least]);
                place = least;
        }
}

static void push(struct pt_archive *archive, struct member *member)
{
        size_t place = archive->open_count++;

        archive->open[place] = member;
        while (place && before(archive->open[place], archive->open[(place - 1) / 2])) {
                swap(&archive->open[place], &archive->open[(place - 1) / 2]);
                place = (place - 1) / 2;
        }
}

static void pop(struct pt_archive *archive)
{
        archive->open[0] = archive->open[--archive->open_count];
        sink(archive, 0);
}

/* ---- moving on ---- */

static void close_member(struct pt_archive *archive, struct member *member)
{
        archive->count.outside += pt_replay_outside(member->strand.replay);
        pt_strand_close(&member->strand);
}

/* The next frame of a member. False if there is none: it is closed then. */
static bool move_on(struct pt_archive *archive, struct member *member)
{
        struct pt_replay_fault fault;
        enum pt_replay_step step = pt_strand_next(&member->strand, &fault);

        if (step == PT_REPLAY_FRAME)
                return true;
        if (step == PT_REPLAY_CUT && !stopped(archive))
                tell(archive, PT_ARCHIVE_CUT, fault.sentence);
        close_member(archive, member);
        return false;
}

static void open_member(struct pt_archive *archive, struct member *member)
{
        const char *path = archive->catalogue.files[member->file].path;
        struct pt_replay_settings settings = reading(archive);
        struct pt_replay_fault fault;
        int r = 0;

        if (!member->kept_open)
                r = pt_strand_open(&member->strand, path, &settings, member->file, &fault);
        if (r < 0) {
                refuse(archive, member->file, r, &fault);
                return;
        }
        if (!member->kept_open && archive->catalogue.count > 1 && member->first > INT64_MIN)
                pt_strand_begin(&member->strand, member->first);
        if (archive->settings.tell)
                archive->settings.tell(archive->settings.context, PT_ARCHIVE_OPENED, path);
        if (member->kept_open || move_on(archive, member))
                push(archive, member);
}

/* Those that begin before the next frame of the others does are opened now. */
static void open_due(struct pt_archive *archive)
{
        while (archive->waiting < archive->member_count && !stopped(archive) &&
               (archive->open_count == 0 ||
                archive->members[archive->waiting].first <= archive->open[0]->strand.time))
                open_member(archive, &archive->members[archive->waiting++]);
}

enum pt_archive_step pt_archive_next(struct pt_archive *archive, struct pt_frame *ret)
{
        if (archive->current) {
                archive->current = NULL;
                if (!move_on(archive, archive->open[0]))
                        pop(archive);
                else if (archive->open_count > 1)
                        sink(archive, 0);
        }
        if (archive->waiting < archive->member_count)
                open_due(archive);
        if (archive->open_count == 0)
                return PT_ARCHIVE_END;
        archive->current = archive->open[0];
        *ret = archive->current->strand.frame;
        return PT_ARCHIVE_FRAME;
}

enum pt_archive_step pt_archive_several(struct pt_archive *archive, struct pt_frame *ret,
                                        size_t room, size_t *ret_count)
{
        size_t count = 1;

        if (pt_archive_next(archive, ret) != PT_ARCHIVE_FRAME)
                return PT_ARCHIVE_END;
        if (archive->open_count == 1 && archive->waiting == archive->member_count)
                while (count < room && pt_strand_follow(&archive->current->strand))
                        ret[count++] = archive->current->strand.frame;
        *ret_count = count;
        return PT_ARCHIVE_FRAME;
}

const char *pt_archive_name(const struct pt_archive *archive, uint32_t file)
{
        return file < archive->catalogue.count ? archive->catalogue.files[file].path : NULL;
}

struct pt_archive_count pt_archive_count(const struct pt_archive *archive)
{
        struct pt_archive_count count = archive->count;

        for (size_t i = 0; i < archive->open_count; i++)
                count.outside += pt_replay_outside(archive->open[i]->strand.replay);
        return count;
}
