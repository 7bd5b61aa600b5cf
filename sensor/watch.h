/*
 * watch: the live loop. Interfaces, outputs, signals and timers are waited for in one place, and
 * nothing in it ever waits for one of them alone.
 */
#pragma once

#include <signal.h>

#include "io/live/live.h"
#include "portent.h"
#include "health.h"
#include "output.h"

struct pt_watch {
        struct pt_engine *engine;
        struct pt_live *live;
        struct pt_output *output;
        struct pt_health *health;
        sigset_t waiting;              /* the mask while it waits: signals come through */
        void (*reload)(void *context); /* on HUP; NULL if nothing can be reloaded */
        void *context;
};

/*
 * Capture until pt_signals_stop; then take what was received until then. 0, or a negative errno
 * where the loop itself cannot go on, which has been said.
 */
int pt_watch(const struct pt_watch *watch);
