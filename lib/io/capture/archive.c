#include "io/capture/archive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/capture/shelf.h"

/* Followed: so many looks without growth before a file may be over. */
#define QUIET_LOOKS 10

int pt_archive_new(const struct pt_archive_settings *settings, struct pt_archive **ret)
{
        struct pt_archive *archive = calloc(1, sizeof *archive);
        int r;

        if (!archive)
                return -ENOMEM;
        archive->settings = *settings;
        r = pt_shelf_list(archive);
        if (r == 0)
                r = pt_shelf_look(archive);
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
                pt_shelf_drop(archive, archive->members[i]);
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
static bool move_on(struct pt_archive *archive, struct pt_member *member)
{
        struct pt_replay_fault fault;
        enum pt_replay_step step = pt_strand_next(&member->strand, &fault);

        member->idle = step == PT_REPLAY_LATER;
        if (step == PT_REPLAY_FRAME || step == PT_REPLAY_LATER)
                return step == PT_REPLAY_FRAME;
        if (step == PT_REPLAY_CUT && !pt_shelf_stopped(archive))
                pt_shelf_tell(archive, PT_ARCHIVE_CUT, fault.sentence);
        pt_shelf_drop(archive, member);
        return false;
}

/* False if that fails, which is told. */
static bool open_member(struct pt_archive *archive, struct pt_member *member)
{
        const char *path = pt_shelf_path(archive, member);
        struct pt_replay_settings settings = pt_shelf_reading(archive);
        struct pt_replay_fault fault;
        struct stat status = {0};
        int r = 0;

        stat(path, &status);
        member->device = status.st_dev;
        member->inode = status.st_ino;
        if (!member->kept_open)
                r = pt_strand_open(&member->strand, path, &settings, member->file, &fault);
        if (r < 0) {
                pt_shelf_refuse(archive, member->file, r, &fault);
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
        struct pt_member **place = &archive->members[archive->waiting];

        free(*place);
        archive->member_count--;
        memmove(place, place + 1,
                (archive->member_count - archive->waiting) * sizeof(struct pt_member *));
}

/* Those that begin before the next frame of the others does are opened now. */
static void open_due(struct pt_archive *archive)
{
        while (archive->waiting < archive->member_count && !pt_shelf_stopped(archive)) {
                struct pt_member *member = archive->members[archive->waiting];

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
static bool is_replaced(const struct pt_archive *archive, const struct pt_member *member)
{
        struct stat status;

        if (stat(pt_shelf_path(archive, member), &status) < 0)
                return false; /* moved away, perhaps: what it was is still open */
        return status.st_dev != member->device || status.st_ino != member->inode ||
               (uint64_t)status.st_size < pt_replay_taken(member->strand.replay);
}

static bool is_over(const struct pt_archive *archive, const struct pt_member *member)
{
        const struct pt_member *last = archive->members[archive->member_count - 1];

        return member->quiet >= QUIET_LOOKS && member != last && last->first >= member->first;
}

/* One that waits: has it grown? If it is over, what is half there is said to be cut. */
static void look_again(struct pt_archive *archive, struct pt_member *member)
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
        if (!archive->settings.follow || pt_shelf_stopped(archive))
                return PT_ARCHIVE_END;
        look_again_at_all(archive);
        if (archive->merge.count)
                return PT_ARCHIVE_FRAME;
        if (pt_shelf_look_for_more(archive) < 0)
                return PT_ARCHIVE_END;
        open_due(archive);
        if (archive->merge.count)
                return PT_ARCHIVE_FRAME;
        return is_finished(archive) ? PT_ARCHIVE_END : PT_ARCHIVE_LATER;
}

/* ---- the stream ---- */

enum pt_archive_step pt_archive_next(struct pt_archive *archive, struct pt_frame *ret)
{
        struct pt_member *current = archive->current;

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
        archive->current = (struct pt_member *)archive->merge.list[0];
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
                const struct pt_member *member = archive->members[i];

                if (!member->strand.replay)
                        continue;
                count.outside += pt_replay_outside(member->strand.replay);
                count.taken += pt_replay_taken(member->strand.replay);
        }
        return count;
}
