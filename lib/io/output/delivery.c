#include "io/output/delivery.h"

#include <errno.h>
#include <string.h>

#define SERVE_MOST ((size_t)1 << 20)  /* octets given away in one call, so that capture goes on */
#define STEADY (5000 * PT_CHANNEL_MS) /* a reader that stays so long has the first pause again */
#define SYNC_PAUSE (1000 * PT_CHANNEL_MS)
#define REOPEN_PAUSE (1000 * PT_CHANNEL_MS)

/* --- what is lost ----------------------------------------------------------------------------- */

static bool is_full(int error)
{
        return error == -ENOSPC || error == -EDQUOT || error == -EFBIG;
}

uint64_t *pt_delivery_cause(struct pt_sink *sink)
{
        bool takes = sink->live && sink->open && !sink->lost;

        if (sink->channel->regular && takes && (!sink->error || sink->error == -EAGAIN))
                return &sink->queue_full;
        if (sink->channel->regular || is_full(sink->error))
                return &sink->disk_full;
        return takes ? &sink->queue_full : &sink->peer_down;
}

void pt_delivery_drop(struct pt_sink *sink, uint64_t *counter, uint64_t lines, int64_t now)
{
        *counter += lines;
        if (sink->live) /* replay drops only at its end, and says so there */
                pt_trouble_lose(&sink->trouble, lines, now);
}

/* --- opening and giving away ------------------------------------------------------------------ */

static int64_t grace(const struct pt_sink *sink)
{
        return sink->live && !sink->channel->regular ? PT_SINK_GRACE : 0;
}

void pt_delivery_meet(struct pt_sink *sink, int r, int64_t now)
{
        sink->error = r;
        pt_trouble_meet(&sink->trouble, -r, sink->channel->why, now, grace(sink));
        sink->retry = now + sink->pause;
        sink->pause *= 2;
        if (sink->pause > sink->channel->pause_most)
                sink->pause = sink->channel->pause_most;
}

static void be_well(struct pt_sink *sink, int64_t now)
{
        sink->error = 0;
        sink->pause = PT_SINK_PAUSE;
        sink->retry = 0;
        pt_trouble_pass(&sink->trouble, now);
}

void pt_delivery_tell_torn(struct pt_sink *sink)
{
        uint64_t closed = sink->channel->closed + pt_store_torn(sink->store);

        if (closed > sink->closed)
                pt_trouble_tell(&sink->reopen_trouble, PT_NOTICE_OUTPUT_TORN, PT_NOTICE_WARNING,
                                "a torn last line was closed", closed - sink->closed);
        sink->closed = closed;
}

void pt_delivery_open(struct pt_sink *sink, int64_t now)
{
        int r = sink->channel->class->open(sink->channel, now);

        if (r && r != -EINPROGRESS) {
                pt_delivery_meet(sink, r, now);
                return;
        }
        sink->retry = 0;
        if (r)
                return;
        sink->open = true;
        sink->opened = now;
        sink->error = 0;
        pt_delivery_tell_torn(sink);
}

/* A reader that is behind is trouble only if it takes nothing for a while. */
static void be_slow(struct pt_sink *sink, int64_t now)
{
        sink->error = -EAGAIN;
        if (sink->live)
                pt_trouble_meet(&sink->trouble, EAGAIN,
                                sink->channel->why ? sink->channel->why
                                                   : "its reader takes nothing",
                                now, PT_SINK_SLOW_GRACE);
}

/* What came of one push, whose lines are booked. True if it is to be gone on. */
static bool judge(struct pt_sink *sink, int r, int64_t now)
{
        const struct pt_channel *channel = sink->channel;

        if (r == 0) {
                if (pt_sink_is_done(sink) &&
                    (now - sink->opened >= PT_SINK_GRACE || !sink->trouble.error))
                        be_well(sink, now);
                return true;
        }
        if (r == -EAGAIN) {
                be_slow(sink, now);
                return false;
        }
        if (r == -EINTR)
                return false;
        if (channel->lost) {
                sink->error = sink->lost = r;
                return false;
        }
        if (channel->fd < 0) {
                sink->open = false;
                if (now - sink->opened >= STEADY)
                        sink->pause = PT_SINK_PAUSE;
        }
        pt_delivery_meet(sink, r, now);
        return false;
}

/* The first line is none that this reader takes. */
static void drop_first(struct pt_sink *sink, int64_t now)
{
        size_t length;
        const char *bytes = pt_store_front(sink->store, &length);
        const char *end = memchr(bytes, '\n', length);

        pt_delivery_drop(sink, &sink->too_big,
                         pt_store_take(sink->store, (size_t)(end - bytes) + 1), now);
}

void pt_delivery_give(struct pt_sink *sink, int64_t now)
{
        size_t length, delivered, budget = SERVE_MOST;
        int r;

        do {
                const char *bytes = pt_store_front(sink->store, &length);

                pt_delivery_drop(sink, &sink->disk_full, pt_store_unreadable(sink->store), now);
                pt_delivery_drop(sink, &sink->too_big, pt_store_too_long(sink->store), now);
                r = sink->channel->class->push(sink->channel, bytes, length, now, &delivered);
                sink->delivered += pt_store_take(sink->store, delivered);
                if (delivered)
                        sink->progress = now;
                if (r == 0 || r == -EAGAIN)
                        sink->retry = 0;
                if (delivered && !sink->retry)
                        be_well(sink, now);
                budget -= delivered < budget ? delivered : budget;
                if (r == -EMSGSIZE) {
                        drop_first(sink, now);
                        r = 0;
                        delivered = 1;
                }
        } while (judge(sink, r, now) && delivered && !pt_sink_is_done(sink) && budget);
        sink->more = !budget;
        pt_delivery_tell_torn(sink);
}

void pt_delivery_reopen(struct pt_sink *sink, int64_t now)
{
        int r = sink->channel->class->reopen(sink->channel);

        if (r == -EAGAIN) {
                sink->reopen = sink->channel->again;
                return;
        }
        if (r) {
                pt_trouble_meet(&sink->reopen_trouble, -r, NULL, now, 0);
                sink->reopen = now + REOPEN_PAUSE;
                return;
        }
        sink->reopening = false;
        sink->retry = 0; /* a new file may take what the old one did not */
        pt_trouble_pass(&sink->reopen_trouble, now);
        pt_delivery_tell_torn(sink);
}

/* --- the spool -------------------------------------------------------------------------------- */

static bool is_stuck(const struct pt_sink *sink, int64_t now)
{
        return !sink->open || now - sink->progress >= PT_SINK_MEMORY_MOST ||
               (sink->error && sink->error != -EAGAIN);
}

/* About once a second what the spool has taken is written through, aside: nobody waits for it. */
static void write_through(struct pt_sink *sink, int64_t now)
{
        bool ended = false;
        int r = 0, trouble;

        if (!pt_store_is_synced(sink->store) && now >= sink->sync) {
                r = pt_store_sync(sink->store, &ended);
                sink->sync = now + SYNC_PAUSE;
        }
        trouble = pt_store_trouble(sink->store);
        if (trouble)
                pt_trouble_meet(&sink->spool_trouble, -trouble, NULL, now, 0);
        else if (r)
                pt_trouble_meet(&sink->spool_trouble, ETIMEDOUT, "the disk does not answer", now,
                                PT_SINK_SLOW_GRACE);
        else if (ended)
                pt_trouble_pass(&sink->spool_trouble, now);
}

/* Its file has not come back from a call, and the spool is on the same device. */
static bool may_hang_too(const struct pt_sink *sink)
{
        const struct pt_channel *channel = sink->channel;

        return channel->asked && channel->device == pt_store_device(sink->store);
}

void pt_delivery_keep(struct pt_sink *sink, int64_t now)
{
        pt_store_hold(sink->store, may_hang_too(sink));
        if (pt_sink_is_done(sink))
                sink->progress = now;
        else if (pt_store_queued(sink->store) && is_stuck(sink, now) && now >= sink->settle &&
                 !pt_store_settle(sink->store))
                sink->settle = now + SYNC_PAUSE;
        write_through(sink, now);
}
