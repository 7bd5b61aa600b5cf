#include "clock.h"

static enum pt_clock_step clock_place(const struct pt_clock *clock, int64_t packet_time)
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
static int64_t clock_bounded(int64_t time)
{
        return time < PT_CLOCK_LATEST ? time : PT_CLOCK_LATEST;
}

enum pt_clock_step pt_clock_read(struct pt_clock *clock, int64_t packet_time, int64_t *ret)
{
        enum pt_clock_step step;
        int64_t time;

        if (!clock->started) {
                clock->started = true;
                clock->now = packet_time;
        }
        step = clock_place(clock, packet_time);
        if (step != PT_CLOCK_HERE) {
                clock->waiting = step;
                clock->waiting_time = packet_time;
                return step;
        }
        time = clock_bounded(packet_time + clock->offset);
        if (time > clock->now)
                clock->now = time;
        *ret = time;
        return PT_CLOCK_HERE;
}

int64_t pt_clock_settle(struct pt_clock *clock, const int64_t *next, enum pt_clock_step *ret_step)
{
        enum pt_clock_step step = clock->waiting;

        clock->waiting = PT_CLOCK_HERE;
        if (next && clock_place(clock, *next) != step) {
                *ret_step = PT_CLOCK_HERE;
                return clock->now;
        }
        if (step == PT_CLOCK_AHEAD) {
                int64_t time = clock->waiting_time + clock->offset;
                int64_t latest = clock->now + PT_CLOCK_STRIDE;

                clock->now = clock_bounded(time < latest ? time : latest);
        }
        clock->offset = clock->now - clock->waiting_time;
        *ret_step = step;
        return clock->now;
}

void pt_clock_idle(struct pt_clock *clock, int64_t packet_time)
{
        int64_t time;

        if (!clock->started || clock->waiting != PT_CLOCK_HERE ||
            clock_place(clock, packet_time) != PT_CLOCK_HERE)
                return;
        time = clock_bounded(packet_time + clock->offset);
        if (time > clock->now)
                clock->now = time;
}
