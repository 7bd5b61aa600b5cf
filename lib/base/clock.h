/*
 * clock: packet time -> engine time (design 4.12).
 *
 * Engine time never goes back. A packet up to a second behind keeps its own time. A packet further
 * behind, or ahead by more than `leap`, waits until the next one says whether the capture's time
 * has really changed: if that is just as far off, a new epoch begins that goes on from where the
 * engine stood (a step back), or time moves (a jump ahead). If not, the packet that waited is given
 * the present, and nothing else happens. So one packet with a foreign time changes nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PT_SECOND INT64_C(1000000000)
#define PT_HOUR (3600 * PT_SECOND)

/* Packet times are kept within 0..this, so that no arithmetic on them can overflow (year 2116). */
#define PT_CLOCK_LATEST ((INT64_C(1) << 62) - 1)

/* A jump ahead moves engine time by at most this: longer than anything is remembered. */
#define PT_CLOCK_STRIDE (96 * PT_HOUR)

enum pt_clock_step {
        PT_CLOCK_HERE,
        PT_CLOCK_BACK,
        PT_CLOCK_AHEAD,
};

struct pt_clock {
        int64_t now;    /* engine time */
        int64_t offset; /* engine time = packet time + offset */
        int64_t leap;   /* a jump ahead of more than this is doubted */
        bool started;
        enum pt_clock_step waiting; /* kind of the packet that waits, or HERE */
        int64_t waiting_time;       /* its packet time */
};

static inline enum pt_clock_step pt_clock_place(const struct pt_clock *clock, int64_t packet_time)
{
        int64_t time = packet_time + clock->offset;

        if (time < clock->now - PT_SECOND)
                return PT_CLOCK_BACK;
        if (time > clock->now + clock->leap)
                return PT_CLOCK_AHEAD;
        return PT_CLOCK_HERE;
}

/*
 * Engine time only ever grows by strides, so thousands of epochs must be made up before it reaches
 * the latest time there is. There it stands still: nothing expires, and nothing overflows.
 */
static inline int64_t pt_clock_bounded(int64_t time)
{
        return time < PT_CLOCK_LATEST ? time : PT_CLOCK_LATEST;
}

/*
 * The engine time of a packet. HERE: `ret` is written. Else the packet must wait: the caller keeps
 * it and calls pt_clock_settle() with the next one before this is called again.
 */
static inline enum pt_clock_step pt_clock_read(struct pt_clock *clock, int64_t packet_time,
                                               int64_t *ret)
{
        enum pt_clock_step step;
        int64_t time;

        if (!clock->started) {
                clock->started = true;
                clock->now = packet_time;
        }
        step = pt_clock_place(clock, packet_time);
        if (step != PT_CLOCK_HERE) {
                clock->waiting = step;
                clock->waiting_time = packet_time;
                return step;
        }
        time = pt_clock_bounded(packet_time + clock->offset);
        if (time > clock->now)
                clock->now = time;
        *ret = time;
        return PT_CLOCK_HERE;
}

/*
 * Decide about the packet that waits, knowing the next packet's time, or NULL at the end of the
 * input. Returns its engine time; `ret_step` says what it was: BACK (a new epoch), AHEAD (a jump),
 * or HERE (a foreign time, nothing changed).
 */
int64_t pt_clock_settle(struct pt_clock *clock, const int64_t *next, enum pt_clock_step *ret_step);

/*
 * Time passes without a packet: engine time moves on to `packet_time`, if that is neither back nor
 * a jump ahead, and no packet waits. What it means otherwise, only a packet can tell.
 */
void pt_clock_idle(struct pt_clock *clock, int64_t packet_time);
