#include "io/since.h"

#include <time.h>

#define SECOND INT64_C(1000000000)

static int64_t read_clock(clockid_t clock)
{
        struct timespec now;

        clock_gettime(clock, &now);
        return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

struct pt_since pt_since_now(void)
{
        return (struct pt_since){read_clock(CLOCK_REALTIME), read_clock(CLOCK_MONOTONIC)};
}

int64_t pt_since_elapsed(struct pt_since since)
{
        return read_clock(CLOCK_MONOTONIC) - since.steady;
}

/* A clock that was not set, or by less than a second, said it right the first time. */
int64_t pt_since_wall(struct pt_since since)
{
        int64_t wall = read_clock(CLOCK_REALTIME) - pt_since_elapsed(since);
        int64_t set = wall - since.wall;

        if (!since.steady)
                return 0;
        return set > -SECOND && set < SECOND ? since.wall : wall;
}
