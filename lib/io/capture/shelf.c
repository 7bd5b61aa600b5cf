#include "io/capture/shelf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* With many files open at once, each gets a smaller part of the memory for buffers. */
#define BUFFERS ((size_t)4 << 20)
#define BUFFER_LEAST ((size_t)32 << 10)

void pt_shelf_tell(struct pt_archive *archive, enum pt_archive_word word, const char *sentence)
{
        archive->count.refused += word == PT_ARCHIVE_REFUSED;
        archive->count.cut += word == PT_ARCHIVE_CUT;
        archive->count.skipped += word == PT_ARCHIVE_SKIPPED;
        if (archive->settings.tell)
                archive->settings.tell(archive->settings.context, word, sentence);
}

/* ---- what there is ---- */

static void trouble(void *context, const char *path, int error)
{
        char sentence[384];

        snprintf(sentence, sizeof sentence, "%.200s: %s", path,
                 error == ENODATA ? "a directory without files" : strerror(error));
        pt_shelf_tell(context, PT_ARCHIVE_REFUSED, sentence);
}

static int make_room(struct pt_archive *archive)
{
        /* A file that is replaced becomes another member. */
        size_t room = archive->catalogue.count + archive->member_count + 1;
        struct pt_member **members = realloc(archive->members, room * sizeof(struct pt_member *));
        struct pt_strand **list;

        if (!members)
                return -ENOMEM;
        archive->members = members;
        list = realloc(archive->merge.list, room * sizeof(struct pt_strand *));
        if (!list)
                return -ENOMEM;
        archive->merge.list = list;
        archive->count.files = archive->catalogue.count;
        return 0;
}

int pt_shelf_list(struct pt_archive *archive)
{
        const struct pt_catalogue_walk walk = {trouble, archive, archive->settings.stop};
        int r = 0;

        for (size_t i = 0; r == 0 && i < archive->settings.count; i++) {
                size_t before = archive->catalogue.count;

                r = pt_catalogue_add(&archive->catalogue, archive->settings.paths[i], &walk);
                if (r == 0 && archive->catalogue.count == before && !pt_shelf_stopped(archive) &&
                    !archive->settings.follow)
                        trouble(archive, archive->settings.paths[i], ENODATA);
        }
        return r < 0 ? r : make_room(archive);
}

/* ---- when it begins ---- */

struct pt_replay_settings pt_shelf_reading(const struct pt_archive *archive)
{
        size_t share = BUFFERS / (archive->merge.count + 1);

        return (struct pt_replay_settings){
                .filter = archive->settings.filter,
                .stop = archive->settings.stop,
                .follow = archive->settings.follow,
                .hashed = archive->settings.hashed,
                .idle = archive->settings.idle,
                .since = archive->settings.since,
                .until = archive->settings.until,
                .buffer = share >= PT_REPLAY_BUFFER ? 0
                          : share < BUFFER_LEAST    ? BUFFER_LEAST
                                                    : share,
        };
}

/* What a user named must be a capture; what lies beside captures need not be one. */
void pt_shelf_refuse(struct pt_archive *archive, uint32_t file, int error,
                     const struct pt_replay_fault *fault)
{
        if (pt_shelf_stopped(archive))
                return; /* a wait that was told to end looks like trouble */
        if (error == -EAGAIN)
                archive->catalogue.files[file].looked = false; /* what it is, it will say later */
        else if (error == -ENOMSG && archive->catalogue.files[file].found)
                pt_shelf_tell(archive, PT_ARCHIVE_SKIPPED, fault->sentence);
        else
                pt_shelf_tell(archive, PT_ARCHIVE_REFUSED, fault->sentence);
}

/* A pipe stays open from here on: what was read of it is not there a second time. */
static int look_at_pipe(struct pt_archive *archive, struct pt_member *member, const char *path,
                        struct pt_replay_fault *fault)
{
        struct pt_replay_settings settings = pt_shelf_reading(archive);
        int r = pt_strand_open(&member->strand, path, &settings, member->file, fault);
        enum pt_replay_step step;

        if (r < 0)
                return r;
        member->kept_open = true;
        step = pt_strand_next(&member->strand, fault);
        if (step == PT_REPLAY_FRAME) {
                member->first = member->strand.time;
                return 0;
        }
        if (step == PT_REPLAY_CUT && !pt_shelf_stopped(archive))
                pt_shelf_tell(archive, PT_ARCHIVE_CUT, fault->sentence);
        pt_strand_close(&member->strand);
        return 1;
}

/*
 * Found beside captures, what cannot be one is not opened: a link that leads nowhere, a pipe, a
 * device. Followed, it may be replaced by one. As look_at().
 */
static int look_at_no_file(const struct pt_archive *archive, const char *path,
                           struct pt_replay_fault *fault)
{
        struct stat status;

        snprintf(fault->sentence, sizeof fault->sentence, "%.200s: %s", path,
                 stat(path, &status) < 0 ? "a link that leads nowhere" : "no regular file");
        return archive->settings.follow ? -EAGAIN : -ENOMSG;
}

/* 0; 1 if there is nothing in it; -EAGAIN if there may be later; another negative errno. */
static int look_at(struct pt_archive *archive, struct pt_member *member,
                   struct pt_replay_fault *fault)
{
        const struct pt_catalogue_file *file = &archive->catalogue.files[member->file];
        struct pt_replay_settings settings = pt_shelf_reading(archive);

        if (file->found && !pt_replay_is_file(file->path))
                return look_at_no_file(archive, file->path, fault);
        if (file->found && pt_replay_is_empty(file->path)) {
                snprintf(fault->sentence, sizeof fault->sentence, "%.200s: the file is empty",
                         file->path);
                /* And in /proc, what is called empty may never end. */
                return archive->settings.follow ? -EAGAIN : -ENOMSG;
        }
        if (archive->catalogue.count == 1 && !file->found)
                return 0; /* alone, it begins when it begins */
        if (!pt_replay_is_file(file->path))
                return look_at_pipe(archive, member, file->path, fault);
        return pt_strand_peek(file->path, &settings, &member->first, fault);
}

static int by_beginning(const void *a, const void *b)
{
        const struct pt_member *x = *(struct pt_member *const *)a,
                               *y = *(struct pt_member *const *)b;

        if (x->first != y->first)
                return x->first < y->first ? -1 : 1;
        return x->file < y->file ? -1 : x->file > y->file;
}

/* What is known of a file at its end is kept, if it was asked for. */
static void note_input(struct pt_archive *archive, const struct pt_member *member)
{
        struct pt_archive_input input = {.name = pt_shelf_path(archive, member)};
        struct pt_archive_input *larger;

        if (!archive->settings.hashed || pt_shelf_stopped(archive) ||
            !pt_replay_digest(member->strand.replay, input.digest))
                return;
        larger = realloc(archive->inputs, (archive->input_count + 1) * sizeof *larger);
        if (!larger)
                return;
        input.size = pt_replay_taken(member->strand.replay);
        archive->inputs = larger;
        archive->inputs[archive->input_count++] = input;
}

/* What became of the lines of a log. */
static void note_lines(struct pt_archive *archive, const struct pt_member *member)
{
        struct pt_log_count count;
        char sentence[384];

        if (!pt_replay_log(member->strand.replay, &count))
                return;
        archive->count.lines += count.lines;
        archive->count.other += count.other;
        archive->count.unreadable += count.unreadable;
        if (!count.unreadable)
                return;
        snprintf(sentence, sizeof sentence,
                 "%.200s:%" PRIu64 ": %s (%" PRIu64 " of %" PRIu64 " lines cannot be read)",
                 pt_shelf_path(archive, member), count.first, count.reason, count.unreadable,
                 count.lines);
        pt_shelf_tell(archive, PT_ARCHIVE_UNREADABLE, sentence);
}

void pt_shelf_drop(struct pt_archive *archive, struct pt_member *member)
{
        if (member->strand.replay) {
                note_lines(archive, member);
                note_input(archive, member);
                archive->count.outside += pt_replay_outside(member->strand.replay);
                archive->count.taken += pt_replay_taken(member->strand.replay);
        }
        pt_strand_close(&member->strand);
        member->idle = false;
}

/* A capture without a frame is not opened again, but for this. */
static void note_empty(struct pt_archive *archive, struct pt_member *member)
{
        struct pt_replay_settings settings = pt_shelf_reading(archive);
        struct pt_replay_fault fault;

        if (pt_replay_is_file(pt_shelf_path(archive, member)) &&
            pt_strand_open(&member->strand, pt_shelf_path(archive, member), &settings, member->file,
                           &fault) == 0)
                pt_shelf_drop(archive, member);
}

static int take_in(struct pt_archive *archive, uint32_t file)
{
        struct pt_member *member = calloc(1, sizeof *member);
        struct pt_replay_fault fault;
        int r;

        if (!member)
                return -ENOMEM;
        member->file = file;
        r = look_at(archive, member, &fault);
        if (r == 0) {
                archive->members[archive->member_count++] = member;
                return 0;
        }
        if (r < 0)
                pt_shelf_refuse(archive, file, r, &fault);
        else if (archive->settings.hashed)
                note_empty(archive, member);
        free(member);
        return 0;
}

static void add_sizes(struct pt_archive *archive)
{
        struct stat status;

        archive->count.octets = 0;
        for (size_t i = 0; i < archive->member_count; i++) {
                if (stat(pt_shelf_path(archive, archive->members[i]), &status) < 0 ||
                    !S_ISREG(status.st_mode)) {
                        archive->count.octets = 0;
                        return;
                }
                archive->count.octets += (uint64_t)status.st_size;
        }
}

/* Those that nobody has looked at yet come behind the others, by their beginnings. */
int pt_shelf_look(struct pt_archive *archive)
{
        size_t before = archive->member_count;
        int r = 0;

        for (uint32_t i = 0; r == 0 && i < archive->catalogue.count && !pt_shelf_stopped(archive);
             i++) {
                if (archive->catalogue.files[i].looked)
                        continue;
                archive->catalogue.files[i].looked = true;
                r = take_in(archive, i);
        }
        if (archive->member_count > before + 1)
                qsort(archive->members + before, archive->member_count - before,
                      sizeof(struct pt_member *), by_beginning);
        if (archive->member_count > before)
                add_sizes(archive);
        return r;
}

/* New files in a directory, and those that did not say before what they are. */
int pt_shelf_look_for_more(struct pt_archive *archive)
{
        const struct pt_catalogue_walk walk = {trouble, archive, archive->settings.stop};
        struct stat status;
        int r = 0;

        if (stat(archive->settings.paths[0], &status) == 0 && S_ISDIR(status.st_mode))
                r = pt_catalogue_add(&archive->catalogue, archive->settings.paths[0], &walk);
        if (r == 0)
                r = make_room(archive);
        return r == 0 ? pt_shelf_look(archive) : r;
}
