#include "watch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "say.h"
#include "service.h"
#include "signals.h"

#define SECOND INT64_C(1000000000)

/* Frames between two looks at outputs and signals: some milliseconds of work. */
#define BATCH 4096

/* At the end: what was received before the signal may still be on its way through the ring. */
#define LAST_FRAMES (2 * PT_LIVE_LAG)
#define LAST_AT_MOST SECOND

#define OBEY_EVERY (SECOND / 5)

/* The filter that follows connections is changed no more often; and tried again after a second. */
#define FOLLOW_EVERY (5 * SECOND / 1000)

/* Descriptors that outputs may wait for beside those of the capture. */
#define OUTPUT_ROOM 64

struct round {
        struct pollfd *fds;
        size_t room;
        int64_t due;                /* when to come back at the latest, CLOCK_MONOTONIC */
        int64_t obeyed[PT_SIGNALS]; /* when a signal was obeyed last */
        uint64_t follows;           /* what the filter was made for */
        int64_t follow_due;         /* not before this is it changed */
        struct pt_followed followed[PT_FOLLOWED_MOST];
};

static int64_t wall_clock(void)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

static void come_back_by(struct round *round, int64_t due)
{
        if (due < round->due)
                round->due = due;
}

static void hand_over(const struct pt_watch *watch, const struct pt_frame *frame)
{
        if (pt_live_is_beside(watch->live))
                pt_engine_beside(watch->engine, frame);
        else
                pt_engine_packet(watch->engine, frame);
}

/* Take what there is, up to a batch. True if nothing is left. */
static bool take_frames(const struct pt_watch *watch)
{
        struct pt_frame frame;

        for (int i = 0; i < BATCH; i++) {
                if (!pt_live_next(watch->live, &frame))
                        return true;
                hand_over(watch, &frame);
        }
        return false;
}

/*
 * Frames, then the time that passed without any. The clock is read before the frames are taken: a
 * frame that arrives meanwhile must not be later than a time in which there was none.
 */
static void capture(const struct pt_watch *watch, struct round *round, int64_t now)
{
        int64_t wall = wall_clock();
        bool waits;

        if (!take_frames(watch)) {
                come_back_by(round, now);
                return;
        }
        waits = pt_engine_idle(watch->engine, wall - PT_LIVE_LAG);
        if (waits || pt_live_waits(watch->live))
                come_back_by(round, now + PT_LIVE_TICK);
}

/* The connections that are followed have changed: so must the filter of the second handles. */
static void follow(const struct pt_watch *watch, struct round *round, int64_t now)
{
        uint64_t follows = pt_engine_follows(watch->engine);
        size_t count;
        int r;

        if (follows == round->follows)
                return;
        if (now < round->follow_due) {
                come_back_by(round, round->follow_due);
                return;
        }
        count = pt_engine_followed(watch->engine, round->followed, PT_FOLLOWED_MOST);
        r = pt_live_follow(watch->live, round->followed, count);
        if (r == 0)
                round->follows = follows;
        else if (round->follow_due == 0)
                pt_say_warning("connections of alerts cannot be followed: %s", strerror(-r));
        round->follow_due = now + (r == 0 ? FOLLOW_EVERY : SECOND);
}

/* A thousand signals a second are obeyed five times: packets come first. */
static bool is_asked(struct round *round, enum pt_signal signal, int64_t now)
{
        if (!pt_signals_asked(signal))
                return false;
        if (now < round->obeyed[signal] + OBEY_EVERY) {
                come_back_by(round, round->obeyed[signal] + OBEY_EVERY);
                return false;
        }
        round->obeyed[signal] = now;
        return pt_signals_take(signal);
}

static void obey_signals(const struct pt_watch *watch, struct round *round, int64_t now)
{
        if (is_asked(round, PT_SIGNAL_RELOAD, now)) {
                pt_service_reloading();
                pt_output_reopen(watch->output);
                if (watch->reload)
                        watch->reload(watch->context);
                pt_service_ready(NULL);
        }
        if (is_asked(round, PT_SIGNAL_STATS, now))
                pt_health_stats(watch->health);
}

static void serve(const struct pt_watch *watch, struct round *round)
{
        int64_t now = pt_health_clock();

        round->due = INT64_MAX;
        come_back_by(round, pt_live_serve(watch->live, now));
        obey_signals(watch, round, now);
        capture(watch, round, now);
        follow(watch, round, now);
        come_back_by(round, pt_health_tick(watch->health, now));
        pt_output_serve(watch->output);
        /* Only now: a round that hangs above feeds no watchdog. */
        pt_service_turn(now);
        if (pt_service_patience() < INT64_MAX - now)
                come_back_by(round, now + pt_service_patience());
}

/* Until the next thing that is due; an output says it in milliseconds, -1 for nothing. */
static struct timespec time_left(const struct round *round, int output)
{
        int64_t left = round->due - pt_health_clock();

        if (output >= 0 && output * (SECOND / 1000) < left)
                left = output * (SECOND / 1000);
        if (left < 0)
                left = 0;
        return (struct timespec){left / SECOND, left % SECOND};
}

/*
 * 0, or a negative errno. ppoll() lets no signal in where a descriptor is ready at once: in a flood
 * that would be never, so it is asked once more, for signals alone.
 */
static int wait_for_more(const struct pt_watch *watch, const struct round *round)
{
        size_t captures = pt_live_poll(watch->live, round->fds), outputs;
        static const struct timespec at_once;
        struct timespec timeout;
        int output = -1, ready;

        outputs = pt_output_poll(watch->output, round->fds + captures, round->room - captures,
                                 &output);
        timeout = time_left(round, output);
        ready = ppoll(round->fds, captures + outputs, &timeout, &watch->waiting);
        if (ready > 0)
                ready = ppoll(NULL, 0, &at_once, &watch->waiting);
        return ready < 0 && errno != EINTR ? -errno : 0;
}

/* What was received before we were told to stop. True if nothing more of it will come. */
static bool take_frames_until(const struct pt_watch *watch, int64_t told, int64_t end)
{
        struct pt_frame frame;

        while (pt_health_clock() < end) {
                for (int i = 0; i < BATCH; i++) {
                        if (!pt_live_next(watch->live, &frame))
                                return false;
                        /* Much later: it came before the clock was set back. */
                        if (frame.time > told && frame.time < told + 2 * LAST_AT_MOST)
                                return true;
                        hand_over(watch, &frame);
                }
        }
        pt_say_warning("the end does not wait for what still stands in the ring: it is not judged");
        return true;
}

/* What was received before we were told to stop is judged too; what comes after is not. */
static void take_last_frames(const struct pt_watch *watch)
{
        struct timespec moment = {.tv_nsec = PT_LIVE_TICK};
        int64_t told = wall_clock(), began = pt_health_clock();

        while (!take_frames_until(watch, told, began + LAST_AT_MOST) &&
               pt_health_clock() - began < LAST_FRAMES)
                nanosleep(&moment, NULL);
}

int pt_watch(const struct pt_watch *watch)
{
        struct round round = {0};
        int r = 0;

        round.room = pt_live_descriptors(watch->live) + OUTPUT_ROOM;
        round.fds = calloc(round.room, sizeof *round.fds);
        if (!round.fds) {
                pt_say_error("%s", strerror(ENOMEM));
                return -ENOMEM;
        }
        while (r == 0 && !pt_signals_stop) {
                serve(watch, &round);
                r = wait_for_more(watch, &round);
        }
        if (r < 0)
                pt_say_error("waiting for packets failed: %s", strerror(-r));
        take_last_frames(watch);
        free(round.fds);
        return r;
}
