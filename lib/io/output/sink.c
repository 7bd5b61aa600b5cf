#include "io/output/sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io/output/delivery.h"
#include "io/output/file.h"
#include "io/output/peer.h"
#include "io/output/queue.h"
#include "io/output/scribe.h"
#include "io/output/socket.h"

#define MS PT_CHANNEL_MS
#define NEVER PT_CHANNEL_NEVER
#define GATHER ((size_t)64 << 10) /* octets of lines that replay writes together */
#define WAIT_MS 100               /* how often a wait looks at the stop flag */

int64_t pt_sink_clock(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

bool pt_sink_is_done(const struct pt_sink *sink)
{
        return !pt_store_queued(sink->store) && !pt_store_spooled(sink->store);
}

bool pt_sink_is_busy(const struct pt_sink *sink)
{
        return sink->open && !sink->lost && !pt_sink_is_done(sink) &&
               (!sink->error || sink->error == -EAGAIN);
}

/* --- what is lost ----------------------------------------------------------------------------- */

/* Replay: all that waits is given up. */
static int drop_all(struct pt_sink *sink, int64_t now)
{
        size_t length;

        pt_store_front(sink->store, &length);
        pt_delivery_drop(sink, pt_delivery_cause(sink), pt_store_take(sink->store, length), now);
        sink->waiting = 0;
        if (sink->channel->sent) {
                sink->channel->sent = 0;
                sink->channel->torn = true;
        }
        return sink->error ? sink->error : -EAGAIN;
}

/* --- serving ---------------------------------------------------------------------------------- */

/* Trouble that lasts is told; but not of a reader that has just come back. */
static void tell_late(struct pt_sink *sink, int64_t now)
{
        if (sink->open && !sink->error)
                sink->trouble.due = now + PT_SINK_GRACE;
        else
                pt_trouble_meet(&sink->trouble, sink->trouble.error, sink->trouble.why, now, 0);
}

void pt_sink_serve(struct pt_sink *sink, int64_t now)
{
        sink->served = now;
        if (sink->lost)
                return;
        if (!sink->open && now >= sink->retry)
                pt_delivery_open(sink, now);
        if (sink->open && now >= sink->retry)
                pt_delivery_give(sink, now);
        if (sink->reopening && sink->open && now >= sink->reopen) {
                pt_delivery_reopen(sink, now);
                if (now >= sink->retry)
                        pt_delivery_give(sink, now);
        }
        if (now >= sink->trouble.due)
                tell_late(sink, now);
        if (!sink->live)
                return;
        sink->waiting = 0;
        pt_delivery_keep(sink, now);
}

void pt_sink_reopen(struct pt_sink *sink, int64_t now)
{
        sink->reopening = sink->channel->class->reopen != NULL;
        sink->reopen = now;
        pt_sink_serve(sink, now);
}

/* --- waiting ---------------------------------------------------------------------------------- */

static int64_t sooner(int64_t a, int64_t b)
{
        return a < b ? a : b;
}

static int64_t next_time(const struct pt_sink *sink)
{
        int64_t again = sooner(sink->channel->again, sink->trouble.due);

        if (sink->retry)
                again = sooner(again, sink->retry);
        if (sink->reopening && sink->open)
                again = sooner(again, sink->reopen);
        if (sink->more)
                again = sink->served;
        if (!sink->live)
                return again;
        if (!pt_store_is_synced(sink->store))
                again = sooner(again, sink->sync);
        if (pt_store_queued(sink->store) && pt_store_has_spool(sink->store)) {
                int64_t due = sink->progress + PT_SINK_MEMORY_MOST;

                again = sooner(again, due > sink->settle ? due : sink->settle);
        }
        return again;
}

bool pt_sink_poll(const struct pt_sink *sink, struct pollfd *ret, int64_t *ret_again)
{
        const struct pt_channel *channel = sink->channel;

        *ret_again = sink->lost ? NEVER : next_time(sink);
        if (sink->lost || channel->fd < 0 || channel->regular)
                return false;
        if (sink->retry && sink->served < sink->retry)
                return false; /* it would only say once more what is known */
        *ret = (struct pollfd){.fd = channel->fd, .events = channel->events};
        return true;
}

static void wait_for(const struct pt_sink *sink)
{
        struct pollfd ready;
        int64_t again, pause;
        bool some = pt_sink_poll(sink, &ready, &again);

        pause = again == NEVER ? WAIT_MS : (again - pt_sink_clock() + MS - 1) / MS;
        if (pause > WAIT_MS)
                pause = WAIT_MS;
        poll(&ready, some ? 1 : 0, pause < 0 ? 0 : (int)pause);
}

static bool stopped(const struct pt_sink *sink)
{
        return sink->stop && *sink->stop;
}

int pt_sink_flush(struct pt_sink *sink)
{
        for (;;) {
                int64_t now = pt_sink_clock();

                pt_sink_serve(sink, now);
                if (sink->lost)
                        return drop_all(sink, now);
                if (sink->live || pt_sink_is_done(sink))
                        break;
                if (stopped(sink))
                        return drop_all(sink, now);
                wait_for(sink);
        }
        sink->waiting = 0;
        return 0;
}

/* --- lines ------------------------------------------------------------------------------------ */

/* Live: a burst must not go to the spool only because nobody has served us meanwhile. */
static int make_room(struct pt_sink *sink, size_t length)
{
        if (sink->lost || sink->waiting + length <= GATHER)
                return 0;
        if (!sink->live)
                return pt_sink_flush(sink);
        int64_t now = pt_sink_clock();
        if (now - sink->served >= MS)
                pt_sink_serve(sink, now);
        return 0;
}

/* There is no room. Live, what takes lines gets a chance to take these, so that a burst loses none.
 */
static int make_more_room(struct pt_sink *sink)
{
        if (!sink->live)
                return pt_sink_flush(sink);
        int64_t now = pt_sink_clock();
        sink->channel->patient = sink->error == -EAGAIN && sink->channel->asked &&
                                 now - sink->channel->asked < PT_CHANNEL_HANGS;
        if (!sink->error || sink->channel->patient)
                pt_sink_serve(sink, now);
        sink->channel->patient = false;
        return 0;
}

int pt_sink_write(struct pt_sink *sink, const char *line, size_t length)
{
        int r = make_room(sink, length), result;

        sink->generated++;
        if (sink->lost) {
                pt_delivery_drop(sink, pt_delivery_cause(sink), 1, 0);
                return sink->lost;
        }
        result = pt_store_put(sink->store, line, length);
        if (result == PT_STORE_FULL) {
                r = make_more_room(sink);
                result = pt_store_put(sink->store, line, length);
        }
        sink->waiting += length;
        if (result == PT_STORE_TAKEN)
                return r;
        pt_delivery_drop(
                sink, result == PT_STORE_TOO_BIG ? &sink->too_big : pt_delivery_cause(sink), 1, 0);
        return result == PT_STORE_TOO_BIG ? -EMSGSIZE : -ENOBUFS;
}

void pt_sink_miss(struct pt_sink *sink)
{
        sink->generated++;
        pt_delivery_drop(sink, &sink->no_memory, 1, 0);
}

/* --- opening and closing ---------------------------------------------------------------------- */

int pt_sink_check(const char *destination, char sentence[256])
{
        int r = pt_peer_check(destination, sentence);

        return r < 0 ? r : 0;
}

/* Does the start wait for better times? What a person has to mend is told at once. */
static bool may_wait(const struct pt_sink *sink, int r, bool is_socket)
{
        static const int passing[] = {ENOSPC, EDQUOT, EIO, EMFILE, ENFILE, ENOMEM};

        if (is_socket)
                return true;
        for (size_t i = 0; sink->live && i < sizeof(passing) / sizeof(passing[0]); i++) {
                if (r == -passing[i])
                        return true;
        }
        return sink->live && r == -ENXIO && sink->channel->why &&
               strstr(sink->channel->why, "FIFO");
}

/* A destination that means the same wherever it is said: the name of its spool. NULL: no memory. */
static char *full_name(const char *destination)
{
        const char *path = strncmp(destination, "unix:", 5) ? destination : destination + 5;
        char *folder = NULL, *name = NULL;

        if (path[0] == '/' || !strncmp(path, "tcp:", 4))
                return strdup(destination);
        folder = getcwd(NULL, 0);
        if (!folder ||
            asprintf(&name, "%.*s%s/%s", (int)(path - destination), destination, folder, path) < 0)
                name = NULL;
        free(folder);
        return name;
}

static int open_store(struct pt_sink *sink, const struct pt_sink_settings *settings)
{
        char *name = full_name(sink->destination);
        bool spools = settings->live && strcmp(settings->destination, "-") != 0;
        const struct pt_store_settings store = {
                .queue = settings->queue ? settings->queue : PT_SINK_QUEUE,
                .spool = spools ? settings->spool : NULL,
                .spool_size = settings->spool_size,
                .spool_if_can = settings->spool_if_can,
                .destination = name,
        };
        int r = name ? pt_store_open(&store, &sink->store) : -ENOMEM;

        free(name);
        return r;
}

static int open_channel(struct pt_sink *sink, const struct pt_sink_settings *settings,
                        char sentence[256])
{
        const struct pt_file_settings file = {
                .destination = sink->destination,
                .live = settings->live,
                .max_size = settings->max_size,
        };
        int r = pt_peer_check(sink->destination, sentence);

        if (r < 0)
                return r;
        bool is_socket = r == 0;
        sink->is_file = !is_socket;
        r = is_socket ? pt_socket_new(sink->destination, &sink->channel)
                      : pt_file_new(&file, &sink->channel);
        if (r < 0 || !sink->channel) {
                snprintf(sentence, 256, "%.150s: %s", sink->destination, strerror(-r));
                return r;
        }
        int64_t now = pt_sink_clock();
        sink->progress = now;
        r = sink->channel->class->open(sink->channel, now);
        if (r == 0) {
                sink->open = true;
                sink->opened = now;
        } else if (r != -EINPROGRESS && !may_wait(sink, r, is_socket)) {
                snprintf(sentence, 256, "%.150s: %s", sink->destination,
                         sink->channel->why ? sink->channel->why : strerror(-r));
                return r;
        } else if (r != -EINPROGRESS) {
                pt_delivery_meet(sink, r, now);
        }
        return 0;
}

static void name_troubles(struct pt_sink *sink, const struct pt_sink_settings *settings)
{
        struct pt_trouble trouble = {
                .subject = sink->destination,
                .what = "",
                .meanwhile = settings->live ? "lines wait" : "waiting",
                .notify = settings->notify,
                .due = INT64_MAX,
        };

        sink->trouble = trouble;
        trouble.what = "spool: ";
        trouble.meanwhile = "what does not fit the queue may be lost";
        sink->spool_trouble = trouble;
        trouble.what = "it cannot be opened anew: ";
        trouble.meanwhile = "the old one goes on, and it is tried again";
        sink->reopen_trouble = trouble;
}

int pt_sink_open(const struct pt_sink_settings *settings, struct pt_sink **ret, char sentence[256])
{
        size_t length = strlen(settings->destination) + 1;
        struct pt_sink *sink = calloc(1, sizeof(*sink) + length);
        int r = -ENOMEM;

        snprintf(sentence, 256, "%.150s: %s", settings->destination, strerror(ENOMEM));
        if (!sink)
                return r;
        memcpy(sink->destination, settings->destination, length);
        sink->live = settings->live;
        sink->stop = settings->stop;
        sink->pause = PT_SINK_PAUSE;
        name_troubles(sink, settings);
        r = open_channel(sink, settings, sentence);
        if (!r) {
                r = open_store(sink, settings);
                if (r == -EWOULDBLOCK)
                        snprintf(sentence, 256, "%.120s: another sensor has its spool in %.80s",
                                 settings->destination, settings->spool);
                else if (r)
                        snprintf(sentence, 256, "%.100s: spool in %.80s: %.60s",
                                 settings->destination, settings->spool, strerror(-r));
        }
        if (r) {
                pt_sink_free(sink);
                return r;
        }
        pt_delivery_tell_torn(sink);
        *ret = sink;
        return 0;
}

int pt_sink_write_aside(struct pt_sink *sink)
{
        return sink->is_file ? pt_scribe_new(sink->channel, &sink->channel) : 0;
}

void pt_sink_close_down(struct pt_sink *sink)
{
        int64_t now = pt_sink_clock();

        if (sink->lost)
                drop_all(sink, now);
        else
                pt_delivery_drop(sink, pt_delivery_cause(sink), pt_store_close_down(sink->store),
                                 now);
}

struct pt_sink *pt_sink_free(struct pt_sink *sink)
{
        if (!sink)
                return NULL;
        if (sink->store && sink->channel) {
                if (sink->live)
                        pt_sink_close_down(sink);
                else
                        pt_sink_flush(sink);
        }
        pt_store_free(sink->store);
        if (sink->channel)
                sink->channel->class->free(sink->channel);
        free(sink);
        return NULL;
}

/* --- accounts --------------------------------------------------------------------------------- */

struct pt_sink_stats pt_sink_stats(const struct pt_sink *sink)
{
        return (struct pt_sink_stats){
                .generated = sink->generated,
                .inherited = pt_store_inherited(sink->store),
                .delivered = sink->delivered,
                .queued = pt_store_queued(sink->store),
                .spooled = pt_store_spooled(sink->store),
                .dropped_disk_full = sink->disk_full,
                .dropped_peer_down = sink->peer_down,
                .dropped_queue_full = sink->queue_full,
                .dropped_too_big = sink->too_big,
                .dropped_no_memory = sink->no_memory,
                .resent = sink->channel->resent,
                .closed_torn = sink->channel->closed + pt_store_torn(sink->store),
        };
}

const char *pt_sink_destination(const struct pt_sink *sink)
{
        return sink->destination;
}

bool pt_sink_is_terminal(const struct pt_sink *sink)
{
        return sink->channel->fd >= 0 && !sink->channel->regular && isatty(sink->channel->fd) == 1;
}

int pt_sink_lost(const struct pt_sink *sink)
{
        return sink->lost;
}
