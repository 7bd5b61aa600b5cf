#include "io/capture/archive.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/capture/catalogue.h"
#include "io/capture/merge.h"

/* With many files open at once, each gets a smaller part of the memory for buffers. */
#define BUFFERS ((size_t)4 << 20)
#define BUFFER_LEAST ((size_t)32 << 10)

/* Followed: so many looks without growth before a file may be over. */
#define QUIET_LOOKS 10

struct member {
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
        struct member **members; /* those that can be read, by their beginnings */
        size_t member_count;
        size_t waiting;         /* of these, the first that is not open yet */
        struct pt_merge merge;  /* those that have a frame */
        struct member *current; /* its frame was given out, and it was not moved on since */
        struct pt_archive_count count;
        struct pt_archive_input *inputs; /* those that ended, where hashed */
        size_t input_count;
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

static const char *path_of(const struct pt_archive *archive, const struct member *member)
{
        return archive->catalogue.files[member->file].path;
}

/* ---- what there is ---- */

static void trouble(void *context, const char *path, int error)
{
        char sentence[384];

        snprintf(sentence, sizeof sentence, "%.200s: %s", path,
                 error == ENODATA ? "a directory without files" : strerror(error));
        tell(context, PT_ARCHIVE_REFUSED, sentence);
}

static int make_room(struct pt_archive *archive)
{
        /* A file that is replaced becomes another member. */
        size_t room = archive->catalogue.count + archive->member_count + 1;
        struct member **members = realloc(archive->members, room * sizeof(struct member *));
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

static int list(struct pt_archive *archive)
{
        const struct pt_catalogue_walk walk = {trouble, archive, archive->settings.stop};
        int r = 0;

        for (size_t i = 0; r == 0 && i < archive->settings.count; i++) {
                size_t before = archive->catalogue.count;

                r = pt_catalogue_add(&archive->catalogue, archive->settings.paths[i], &walk);
                if (r == 0 && archive->catalogue.count == before && !stopped(archive) &&
                    !archive->settings.follow)
                        trouble(archive, archive->settings.paths[i], ENODATA);
        }
        return r < 0 ? r : make_room(archive);
}

/* ---- when it begins ---- */

static struct pt_replay_settings reading(const struct pt_archive *archive)
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
static void refuse(struct pt_archive *archive, uint32_t file, int error,
                   const struct pt_replay_fault *fault)
{
        if (stopped(archive))
                return; /* a wait that was told to end looks like trouble */
        if (error == -EAGAIN)
                archive->catalogue.files[file].looked = false; /* what it is, it will say later */
        else if (error == -ENOMSG && archive->catalogue.files[file].found)
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
        enum pt_replay_step step;

        if (r < 0)
                return r;
        member->kept_open = true;
        step = pt_strand_next(&member->strand, fault);
        if (step == PT_REPLAY_FRAME) {
                member->first = member->strand.time;
                return 0;
        }
        if (step == PT_REPLAY_CUT && !stopped(archive))
                tell(archive, PT_ARCHIVE_CUT, fault->sentence);
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
static int look_at(struct pt_archive *archive, struct member *member, struct pt_replay_fault *fault)
{
        const struct pt_catalogue_file *file = &archive->catalogue.files[member->file];
        struct pt_replay_settings settings = reading(archive);

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
        const struct member *x = *(struct member *const *)a, *y = *(struct member *const *)b;

        if (x->first != y->first)
                return x->first < y->first ? -1 : 1;
        return x->file < y->file ? -1 : x->file > y->file;
}

/* What is known of a file at its end is kept, if it was asked for. */
static void note_input(struct pt_archive *archive, const struct member *member)
{
        struct pt_archive_input input = {.name = path_of(archive, member)};
        struct pt_archive_input *larger;

        if (!archive->settings.hashed || stopped(archive) ||
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
static void note_lines(struct pt_archive *archive, const struct member *member)
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
                 path_of(archive, member), count.first, count.reason, count.unreadable,
                 count.lines);
        tell(archive, PT_ARCHIVE_UNREADABLE, sentence);
}

static void drop(struct pt_archive *archive, struct member *member)
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
static void note_empty(struct pt_archive *archive, struct member *member)
{
        struct pt_replay_settings settings = reading(archive);
        struct pt_replay_fault fault;

        if (pt_replay_is_file(path_of(archive, member)) &&
            pt_strand_open(&member->strand, path_of(archive, member), &settings, member->file,
                           &fault) == 0)
                drop(archive, member);
}

static int take_in(struct pt_archive *archive, uint32_t file)
{
        struct member *member = calloc(1, sizeof *member);
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
                refuse(archive, file, r, &fault);
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
                if (stat(path_of(archive, archive->members[i]), &status) < 0 ||
                    !S_ISREG(status.st_mode)) {
                        archive->count.octets = 0;
                        return;
                }
                archive->count.octets += (uint64_t)status.st_size;
        }
}

/* Those that nobody has looked at yet come behind the others, by their beginnings. */
static int look_at_all(struct pt_archive *archive)
{
        size_t before = archive->member_count;
        int r = 0;

        for (uint32_t i = 0; r == 0 && i < archive->catalogue.count && !stopped(archive); i++) {
                if (archive->catalogue.files[i].looked)
                        continue;
                archive->catalogue.files[i].looked = true;
                r = take_in(archive, i);
        }
        if (archive->member_count > before + 1)
                qsort(archive->members + before, archive->member_count - before,
                      sizeof(struct member *), by_beginning);
        if (archive->member_count > before)
                add_sizes(archive);
        return r;
}

int pt_archive_new(const struct pt_archive_settings *settings, struct pt_archive **ret)
{
        struct pt_archive *archive = calloc(1, sizeof *archive);
        int r;

        if (!archive)
                return -ENOMEM;
        archive->settings = *settings;
        r = list(archive);
        if (r == 0)
                r = look_at_all(archive);
        if (r < 0) {
                pt_archive_free(archive);
                return r;
        }
        *ret = archive;
        return 0;
}

struct pt_archive *pt_archive_free(struct pt_archive *archive)
{
        if (!archive)
                return NULL;
        archive->settings.hashed = false; /* nobody will ask */
        for (size_t i = 0; i < archive->member_count; i++) {
                drop(archive, archive->members[i]);
                free(archive->members[i]);
        }
        free(archive->members);
        free(archive->merge.list);
        free(archive->inputs);
        pt_catalogue_clear(&archive->catalogue);
        free(archive);
        return NULL;
}

/* ---- moving on ---- */

/* The next frame of a member. False if there is none: it is closed then, or waits. */
static bool move_on(struct pt_archive *archive, struct member *member)
{
        struct pt_replay_fault fault;
        enum pt_replay_step step = pt_strand_next(&member->strand, &fault);

        member->idle = step == PT_REPLAY_LATER;
        if (step == PT_REPLAY_FRAME || step == PT_REPLAY_LATER)
                return step == PT_REPLAY_FRAME;
        if (step == PT_REPLAY_CUT && !stopped(archive))
                tell(archive, PT_ARCHIVE_CUT, fault.sentence);
        drop(archive, member);
        return false;
}

/* False if that fails, which is told. */
static bool open_member(struct pt_archive *archive, struct member *member)
{
        const char *path = path_of(archive, member);
        struct pt_replay_settings settings = reading(archive);
        struct pt_replay_fault fault;
        struct stat status = {0};
        int r = 0;

        stat(path, &status);
        member->device = status.st_dev;
        member->inode = status.st_ino;
        if (!member->kept_open)
                r = pt_strand_open(&member->strand, path, &settings, member->file, &fault);
        if (r < 0) {
                refuse(archive, member->file, r, &fault);
                return false;
        }
        if (!member->kept_open && archive->catalogue.count > 1 && member->first > INT64_MIN)
                pt_strand_begin(&member->strand, member->first);
        if (archive->settings.tell)
                archive->settings.tell(archive->settings.context, PT_ARCHIVE_OPENED, path);
        if (member->kept_open || move_on(archive, member))
                pt_merge_push(&archive->merge, &member->strand);
        return true;
}

static void remove_waiting(struct pt_archive *archive)
{
        struct member **place = &archive->members[archive->waiting];

        free(*place);
        archive->member_count--;
        memmove(place, place + 1,
                (archive->member_count - archive->waiting) * sizeof(struct member *));
}

/* Those that begin before the next frame of the others does are opened now. */
static void open_due(struct pt_archive *archive)
{
        while (archive->waiting < archive->member_count && !stopped(archive)) {
                struct member *member = archive->members[archive->waiting];

                if (archive->merge.count && member->first > archive->merge.list[0]->time)
                        return;
                if (open_member(archive, member))
                        archive->waiting++;
                else
                        remove_waiting(archive);
        }
}

/* ---- following ---- */

/* Another file has the name now, or this one was made shorter. */
static bool is_replaced(const struct pt_archive *archive, const struct member *member)
{
        struct stat status;

        if (stat(path_of(archive, member), &status) < 0)
                return false; /* moved away, perhaps: what it was is still open */
        return status.st_dev != member->device || status.st_ino != member->inode ||
               (uint64_t)status.st_size < pt_replay_taken(member->strand.replay);
}

static bool is_over(const struct pt_archive *archive, const struct member *member)
{
        const struct member *last = archive->members[archive->member_count - 1];

        return member->quiet >= QUIET_LOOKS && member != last && last->first >= member->first;
}

/* One that waits: has it grown? If it is over, what is half there is said to be cut. */
static void look_again(struct pt_archive *archive, struct member *member)
{
        bool replaced;

        if (!move_on(archive, member) && member->idle) {
                member->quiet++;
                replaced = is_replaced(archive, member);
                if (!replaced && !is_over(archive, member))
                        return;
                pt_replay_unfollow(member->strand.replay);
                if (replaced)
                        archive->catalogue.files[member->file].looked = false;
                if (!move_on(archive, member))
                        return;
        }
        if (member->strand.replay) {
                member->quiet = 0;
                pt_merge_push(&archive->merge, &member->strand);
        }
}

static void look_again_at_all(struct pt_archive *archive)
{
        for (size_t i = 0; i < archive->member_count; i++) {
                if (archive->members[i]->idle)
                        look_again(archive, archive->members[i]);
        }
}

/* New files in a directory, and those that did not say before what they are. */
static int look_for_more(struct pt_archive *archive)
{
        const struct pt_catalogue_walk walk = {trouble, archive, archive->settings.stop};
        struct stat status;
        int r = 0;

        if (stat(archive->settings.paths[0], &status) == 0 && S_ISDIR(status.st_mode))
                r = pt_catalogue_add(&archive->catalogue, archive->settings.paths[0], &walk);
        if (r == 0)
                r = make_room(archive);
        return r == 0 ? look_at_all(archive) : r;
}

/* A file that is over. A directory never is. */
static bool is_finished(const struct pt_archive *archive)
{
        for (size_t i = 0; i < archive->member_count; i++) {
                if (archive->members[i]->idle)
                        return false;
        }
        for (size_t i = 0; i < archive->catalogue.count; i++) {
                if (!archive->catalogue.files[i].looked)
                        return false;
        }
        return archive->catalogue.count > 0 && !archive->catalogue.files[0].found;
}

/* There is no frame. Is this the end? */
static enum pt_archive_step wait_for_more(struct pt_archive *archive)
{
        if (!archive->settings.follow || stopped(archive))
                return PT_ARCHIVE_END;
        look_again_at_all(archive);
        if (archive->merge.count)
                return PT_ARCHIVE_FRAME;
        if (look_for_more(archive) < 0)
                return PT_ARCHIVE_END;
        open_due(archive);
        if (archive->merge.count)
                return PT_ARCHIVE_FRAME;
        return is_finished(archive) ? PT_ARCHIVE_END : PT_ARCHIVE_LATER;
}

/* ---- the stream ---- */

enum pt_archive_step pt_archive_next(struct pt_archive *archive, struct pt_frame *ret)
{
        struct member *current = archive->current;

        archive->current = NULL;
        if (current && !move_on(archive, current))
                pt_merge_pop(&archive->merge);
        else if (archive->merge.count > 1)
                pt_merge_again(&archive->merge);
        if (archive->waiting < archive->member_count)
                open_due(archive);
        if (archive->merge.count == 0) {
                enum pt_archive_step step = wait_for_more(archive);

                if (step != PT_ARCHIVE_FRAME)
                        return step;
        }
        archive->current = (struct member *)archive->merge.list[0];
        *ret = archive->current->strand.frame;
        return PT_ARCHIVE_FRAME;
}

/* From when on it is another's turn. */
static int64_t limit_of(const struct pt_archive *archive)
{
        int64_t limit = INT64_MAX;

        for (size_t i = 1; i < archive->merge.count && i < 3; i++) {
                if (archive->merge.list[i]->time < limit)
                        limit = archive->merge.list[i]->time;
        }
        if (archive->waiting < archive->member_count &&
            archive->members[archive->waiting]->first < limit)
                limit = archive->members[archive->waiting]->first;
        return limit;
}

enum pt_archive_step pt_archive_several(struct pt_archive *archive, struct pt_frame *ret,
                                        size_t room, size_t *ret_count)
{
        enum pt_archive_step step = pt_archive_next(archive, ret);
        struct pt_strand *strand;

        if (step != PT_ARCHIVE_FRAME)
                return step;
        strand = &archive->current->strand;
        *ret_count = 1;
        if (strand->time < limit_of(archive))
                *ret_count += pt_strand_several(strand, limit_of(archive), ret + 1, room - 1);
        return PT_ARCHIVE_FRAME;
}

const char *pt_archive_name(const struct pt_archive *archive, uint32_t file)
{
        return file < archive->catalogue.count ? archive->catalogue.files[file].path : NULL;
}

const struct pt_archive_input *pt_archive_input(const struct pt_archive *archive, size_t place)
{
        return place < archive->input_count ? &archive->inputs[place] : NULL;
}

struct pt_archive_count pt_archive_count(const struct pt_archive *archive)
{
        struct pt_archive_count count = archive->count;

        for (size_t i = 0; i < archive->member_count; i++) {
                const struct member *member = archive->members[i];

                if (!member->strand.replay)
                        continue;
                count.outside += pt_replay_outside(member->strand.replay);
                count.taken += pt_replay_taken(member->strand.replay);
        }
        return count;
}
