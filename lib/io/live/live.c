#include "io/live/live.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/live/tap.h"

#define SECOND INT64_C(1000000000)
#define LOOK_EVERY SECOND
#define COUNT_EVERY (10 * SECOND) /* the kernel's counters have 32 bits */

/* How long a frame waits for an earlier one on another interface: some gathering times (tap.c). */
#define SORT (INT64_C(45) * 1000000)

struct pt_live {
        struct pt_carrier *carrier;
        int64_t look_due;
        int64_t count_due;
        struct pt_tap *taken; /* whose frame was handed out last */
        const char *const *names;
        size_t count;  /* of interfaces */
        size_t opened; /* of taps: one for each interface, then one beside each, if asked */
        struct pt_tap *taps[];
};

int pt_live_open(const struct pt_live_settings *settings, struct pt_live **ret, char sentence[256])
{
        struct pt_live *live;
        size_t wanted;
        int r = 0;

        snprintf(sentence, 256, "%s", strerror(ENOMEM));
        live = calloc(1, sizeof *live + 2 * settings->count * sizeof(void *));
        if (!live)
                return -ENOMEM;
        live->names = settings->interfaces;
        r = pt_carrier_new(&live->carrier);
        if (r < 0)
                snprintf(sentence, 256, "interfaces cannot be watched: %s", strerror(-r));
        live->count = settings->count;
        wanted = settings->beside ? 2 * live->count : live->count;
        for (; r == 0 && live->opened < wanted; live->opened += r == 0)
                r = pt_tap_open(settings, (uint32_t)(live->opened % live->count),
                                live->opened >= live->count, live->carrier,
                                &live->taps[live->opened], sentence);
        if (r < 0) {
                pt_live_free(live);
                return r;
        }
        *ret = live;
        return 0;
}

struct pt_live *pt_live_free(struct pt_live *live)
{
        if (!live)
                return NULL;
        for (size_t i = 0; i < live->opened; i++)
                pt_tap_free(live->taps[i]);
        pt_carrier_free(live->carrier);
        free(live);
        return NULL;
}

size_t pt_live_descriptors(const struct pt_live *live)
{
        return live->opened + 1;
}

size_t pt_live_poll(const struct pt_live *live, struct pollfd *ret)
{
        size_t count = 0;

        for (size_t i = 0; i < live->opened; i++)
                ret[count++] = (struct pollfd){pt_tap_descriptor(live->taps[i]), POLLIN, 0};
        ret[count++] = (struct pollfd){pt_carrier_descriptor(live->carrier), POLLIN, 0};
        return count;
}

int64_t pt_live_serve(struct pt_live *live, int64_t now)
{
        bool look = now >= live->look_due || pt_carrier_changed(live->carrier);

        for (size_t i = 0; !look && i < live->opened; i++)
                look = pt_tap_failed(live->taps[i]);
        for (size_t i = 0; look && i < live->opened; i++)
                pt_tap_look(live->taps[i], live->carrier, now);
        if (look)
                live->look_due = now + LOOK_EVERY;
        if (now >= live->count_due) {
                pt_live_stats(live);
                pt_live_stats_beside(live);
                live->count_due = now + COUNT_EVERY;
        }
        return live->look_due;
}

/* ---- frames of several interfaces ---- */

static int64_t wall_clock(void)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

/* Can no interface hold a frame that is earlier? A clock that was set says nothing. */
static bool is_due(int64_t time)
{
        int64_t age = wall_clock() - time;

        return age < 0 || age >= SORT;
}

bool pt_live_next(struct pt_live *live, struct pt_frame *ret)
{
        struct pt_tap *first = NULL;
        bool all = true;
        int64_t time = 0;

        if (live->taken)
                pt_tap_take(live->taken);
        live->taken = NULL;
        for (size_t i = 0; i < live->opened; i++) {
                const struct pt_frame *frame = pt_tap_peek(live->taps[i]);

                all = all && (frame || !pt_tap_is_up(live->taps[i]));
                if (!frame || (first && frame->time >= time))
                        continue;
                first = live->taps[i];
                time = frame->time;
        }
        if (!first || (!all && !is_due(time)))
                return false;
        *ret = *pt_tap_peek(first);
        live->taken = first;
        return true;
}

bool pt_live_is_beside(const struct pt_live *live)
{
        for (size_t i = live->count; i < live->opened; i++) {
                if (live->taps[i] == live->taken)
                        return true;
        }
        return false;
}

int pt_live_follow(struct pt_live *live, const struct pt_followed *list, size_t count)
{
        int first = 0;

        for (size_t i = live->count; i < live->opened; i++) {
                int r = pt_tap_follow(live->taps[i], list, count);

                first = first ? first : r;
        }
        return first;
}

bool pt_live_waits(const struct pt_live *live)
{
        for (size_t i = 0; i < live->opened; i++) {
                if (live->taps[i] != live->taken && pt_tap_holds(live->taps[i]))
                        return true;
        }
        return false;
}

const char *pt_live_name(const struct pt_live *live, uint32_t place)
{
        return place < live->count ? live->names[place] : NULL;
}

/* ---- counters ---- */

struct pt_live_stats pt_live_stats_of(struct pt_live *live, uint32_t place)
{
        return pt_tap_stats(live->taps[place]);
}

static struct pt_live_stats sum_of(struct pt_live *live, size_t from, size_t to)
{
        struct pt_live_stats sum = {.interface_known = from < to};

        for (size_t i = from; i < to; i++) {
                struct pt_live_stats one = pt_tap_stats(live->taps[i]);

                sum.packets += one.packets;
                sum.dropped += one.dropped;
                sum.interface_dropped += one.interface_dropped;
                sum.interface_known &= one.interface_known;
        }
        return sum;
}

struct pt_live_stats pt_live_stats(struct pt_live *live)
{
        return sum_of(live, 0, live->count);
}

bool pt_live_has_beside(const struct pt_live *live)
{
        return live->opened > live->count;
}

struct pt_live_stats pt_live_stats_beside(struct pt_live *live)
{
        return sum_of(live, live->count, live->opened);
}
