#include "io/output/scribe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "io/output/aside.h"
#include "io/output/queue.h"

#define PIECE ((size_t)256 << 10) /* octets for one call, but a longer line is one too */
#define PATIENCE (20 * PT_CHANNEL_MS)
#define SHORT PT_CHANNEL_MS /* of one that did not come back in time the last time */
#define ASK_LEAST (5 * PT_CHANNEL_MS)
#define ASK_MOST (160 * PT_CHANNEL_MS)

enum task {
        OPEN,
        PUSH,
        REOPEN,
        TASKS,
};

/* The thread's, between begin and finish. */
struct work {
        struct pt_channel *file;
        char *destination; /* its own: the sink may be gone before the thread */
        enum task task;
        int64_t now;
        char *bytes;
        size_t length, room, delivered;
};

struct scribe {
        struct pt_channel channel;
        struct pt_aside *aside;
        struct work *work;
        bool slow;     /* the last call did not come back in time */
        int64_t pause; /* until it is asked the next time */
        /* What came of calls, until who made them asks. */
        bool done[TASKS];
        int result[TASKS];
        size_t delivered; /* of the last push */
};

static struct scribe *scribe_of(struct pt_channel *channel)
{
        return (struct scribe *)channel;
}

/* --- the thread ------------------------------------------------------------------------------- */

static void note_device(struct pt_channel *file)
{
        struct stat status;

        if (file->fd >= 0 && !fstat(file->fd, &status))
                file->device = status.st_dev;
}

static int do_work(void *context)
{
        struct work *work = context;
        struct pt_channel *file = work->file;
        int r = 0;

        if (work->task == OPEN)
                r = file->class->open(file, work->now);
        else if (work->task == REOPEN)
                r = file->class->reopen(file);
        else
                r = file->class->push(file, work->bytes, work->length, work->now, &work->delivered);
        note_device(file);
        return r;
}

static void release(void *context)
{
        struct work *work = context;

        work->file->class->free(work->file);
        free(work->destination);
        free(work->bytes);
        free(work);
}

/* --- its owner -------------------------------------------------------------------------------- */

/* What the sink may know of the file; while the thread has it, it knows what was. */
static void show(struct scribe *scribe)
{
        const struct pt_channel *file = scribe->work->file;
        struct pt_channel *channel = &scribe->channel;

        channel->fd = file->fd;
        channel->events = file->events;
        channel->again = file->again;
        channel->sent = file->sent;
        channel->why = file->why;
        channel->regular = file->regular;
        channel->lost = file->lost;
        channel->torn = file->torn;
        channel->closed = file->closed;
        channel->resent = file->resent;
        channel->device = file->device;
        channel->asked = 0;
}

static int64_t patience(const struct scribe *scribe, int64_t now)
{
        int64_t left = scribe->channel.asked + PT_CHANNEL_HANGS - now;

        if (scribe->channel.patient)
                return left > 0 ? left : 0;
        return scribe->slow ? SHORT : PATIENCE;
}

/* Has what was begun come back? Then its result is kept for who asked for it. */
static bool is_back(struct scribe *scribe)
{
        enum task task = scribe->work->task;

        if (!pt_aside_finish(scribe->aside, &scribe->result[task]))
                return !pt_aside_is_busy(scribe->aside);
        scribe->done[task] = true;
        if (task == PUSH)
                scribe->delivered = scribe->work->delivered;
        show(scribe);
        return true;
}

/* It was waited for, or, if `wait` is false, only looked at. */
static bool comes_back(struct scribe *scribe, bool wait, int64_t now)
{
        struct pt_channel *channel = &scribe->channel;

        if (wait)
                pt_aside_wait(scribe->aside, patience(scribe, now));
        if (is_back(scribe)) {
                scribe->slow = scribe->slow && !wait;
                scribe->pause = ASK_LEAST;
                channel->patient = false;
                return true;
        }
        scribe->slow = true;
        channel->fd = -1; /* the thread may close it */
        channel->again = now + scribe->pause;
        channel->why = now - channel->asked >= PT_CHANNEL_HANGS ? "the disk does not answer" : NULL;
        scribe->pause = scribe->pause * 2 < ASK_MOST ? scribe->pause * 2 : ASK_MOST;
        return false;
}

static void begin(struct scribe *scribe, enum task task, int64_t now)
{
        scribe->work->task = task;
        scribe->work->now = now;
        scribe->work->delivered = 0;
        scribe->channel.asked = now;
        pt_aside_begin(scribe->aside);
}

static int64_t present(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The result of a task, begun now if it is not under way; `later` if it does not come back. */
static int ask(struct scribe *scribe, enum task task, int later)
{
        bool busy = pt_aside_is_busy(scribe->aside);

        if (busy && !comes_back(scribe, scribe->channel.patient, present()))
                return later;
        if (!scribe->done[task]) {
                begin(scribe, task, present());
                if (!comes_back(scribe, true, scribe->channel.asked))
                        return later;
        }
        scribe->done[task] = false;
        return scribe->result[task];
}

static int open_channel(struct pt_channel *channel, int64_t now)
{
        (void)now;
        return ask(scribe_of(channel), OPEN, -EINPROGRESS);
}

static int reopen(struct pt_channel *channel)
{
        return ask(scribe_of(channel), REOPEN, -EAGAIN);
}

/* Whole lines for the thread. False without memory. */
static bool copy_lines(struct work *work, const char *bytes, size_t length)
{
        size_t piece = pt_queue_whole(bytes, length < PIECE ? length : PIECE);
        char *more;

        if (!piece)
                piece = (size_t)((const char *)memchr(bytes, '\n', length) - bytes) + 1;
        if (piece > work->room) {
                more = realloc(work->bytes, piece > PIECE ? piece : PIECE);
                if (!more)
                        return false;
                work->bytes = more;
                work->room = piece > PIECE ? piece : PIECE;
        }
        memcpy(work->bytes, bytes, piece);
        work->length = piece;
        return true;
}

/*
 * What was written stands first among what waits, wherever that is kept by now. If it does not (the
 * spool could not be read, and gave it up), it was counted already, and is not ours to take.
 */
static size_t still_there(const struct scribe *scribe, const char *bytes, size_t length)
{
        size_t same = scribe->delivered < length ? scribe->delivered : length;

        same = pt_queue_whole(bytes, same);
        return memcmp(scribe->work->bytes, bytes, same) == 0 ? same : 0;
}

static int push(struct pt_channel *channel, const char *bytes, size_t length, int64_t now,
                size_t *ret_delivered)
{
        struct scribe *scribe = scribe_of(channel);
        struct work *work = scribe->work;
        int r;

        *ret_delivered = 0;
        if (pt_aside_is_busy(scribe->aside) && !comes_back(scribe, channel->patient, present()))
                return -EAGAIN;
        if (!scribe->done[PUSH] && !channel->regular) {
                r = work->file->class->push(work->file, bytes, length, now, ret_delivered);
                show(scribe);
                return r;
        }
        if (!scribe->done[PUSH] && !length)
                return 0;
        if (!scribe->done[PUSH] && !copy_lines(work, bytes, length))
                return -ENOMEM;
        r = ask(scribe, PUSH, -EAGAIN);
        if (scribe->delivered) /* none, if it has not come back */
                *ret_delivered = still_there(scribe, bytes, length);
        scribe->delivered = 0;
        return r;
}

static void close_channel(struct pt_channel *channel)
{
        struct scribe *scribe = scribe_of(channel);

        if (!is_back(scribe))
                return;
        scribe->work->file->class->close(scribe->work->file);
        show(scribe);
}

static void free_channel(struct pt_channel *channel)
{
        pt_aside_free(scribe_of(channel)->aside);
        free(channel);
}

int pt_scribe_new(struct pt_channel *file, struct pt_channel **ret)
{
        static const struct pt_channel_class class = {open_channel, push, reopen, close_channel,
                                                      free_channel};
        struct scribe *scribe = calloc(1, sizeof(*scribe));
        struct work *work = calloc(1, sizeof(*work));

        if (work)
                work->destination = strdup(file->destination);
        if (scribe && work && work->destination)
                scribe->aside = pt_aside_new(do_work, release, work);
        if (!scribe || !scribe->aside) {
                if (work)
                        free(work->destination);
                free(work);
                free(scribe);
                return -ENOMEM;
        }
        scribe->channel = *file;
        scribe->channel.class = &class;
        scribe->work = work;
        scribe->pause = ASK_LEAST;
        file->destination = work->destination;
        work->file = file;
        note_device(file);
        show(scribe);
        *ret = &scribe->channel;
        return 0;
}
