#include "base/clock.h"

int64_t pt_clock_settle(struct pt_clock *clock, const int64_t *next, enum pt_clock_step *ret_step)
{
        enum pt_clock_step step = clock->waiting;

        clock->waiting = PT_CLOCK_HERE;
        if (next && pt_clock_place(clock, *next) != step) {
                *ret_step = PT_CLOCK_HERE;
                return clock->now;
        }
        if (step == PT_CLOCK_AHEAD) {
                int64_t time = clock->waiting_time + clock->offset;
                int64_t latest = clock->now + PT_CLOCK_STRIDE;

                clock->now = pt_clock_bounded(time < latest ? time : latest);
        }
        clock->offset = clock->now - clock->waiting_time;
        *ret_step = step;
        return clock->now;
}

void pt_clock_idle(struct pt_clock *clock, int64_t packet_time)
{
        int64_t time;

        if (!clock->started || clock->waiting != PT_CLOCK_HERE ||
            pt_clock_place(clock, packet_time) != PT_CLOCK_HERE)
                return;
        time = pt_clock_bounded(packet_time + clock->offset);
        if (time > clock->now)
                clock->now = time;
}
