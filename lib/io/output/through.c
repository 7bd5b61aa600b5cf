#include "io/output/through.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/output/aside.h"
#include "io/output/segment.h"

/* The thread's, between begin and finish. */
struct work {
        int folder;
        struct pt_through_round round;
};

struct pt_through {
        struct pt_aside *aside;
        struct work *work;
};

static int sync_segment(int folder, uint64_t number)
{
        /* An error that nobody was told of yet is told to a new descriptor too (fsync(2)). */
        int fd = pt_segment_open(folder, number, O_RDONLY), r = 0;

        if (fd < 0)
                return fd == -ENOENT ? 0 : fd;
        if (fdatasync(fd) < 0)
                r = -errno;
        close(fd);
        return r;
}

static int write_through(void *context)
{
        const struct work *work = context;
        const struct pt_through_round *round = &work->round;
        int r = 0, other = 0;

        for (size_t i = 0; i < round->count; i++) {
                other = sync_segment(work->folder, round->segments[i]);
                r = r ? r : other;
        }
        if (round->has_cursor) {
                other = pt_cursor_save(work->folder, &round->cursor);
                r = r ? r : other;
        }
        if ((round->has_folder || round->has_cursor) && fsync(work->folder) < 0)
                r = r ? r : -errno;
        return r;
}

static void release(void *context)
{
        struct work *work = context;

        close(work->folder);
        free(work);
}

struct pt_through *pt_through_new(int folder)
{
        struct pt_through *through = calloc(1, sizeof(*through));
        struct work *work = calloc(1, sizeof(*work));

        if (work)
                work->folder = fcntl(folder, F_DUPFD_CLOEXEC, 0);
        if (through && work && work->folder >= 0)
                through->aside = pt_aside_new(write_through, release, work);
        if (!through || !through->aside) {
                if (work && work->folder >= 0)
                        close(work->folder);
                free(work);
                free(through);
                return NULL;
        }
        through->work = work;
        return through;
}

struct pt_through *pt_through_free(struct pt_through *through)
{
        if (!through)
                return NULL;
        pt_aside_free(through->aside);
        free(through);
        return NULL;
}

void pt_through_begin(struct pt_through *through, const struct pt_through_round *round)
{
        through->work->round = *round;
        pt_aside_begin(through->aside);
}

bool pt_through_finish(struct pt_through *through, int *ret_result)
{
        return pt_aside_finish(through->aside, ret_result);
}

bool pt_through_is_busy(const struct pt_through *through)
{
        return pt_aside_is_busy(through->aside);
}

void pt_through_wait(struct pt_through *through, int64_t patience)
{
        pt_aside_wait(through->aside, patience);
}
