/*
 * reload: configuration, rules and allow lists, read anew while the sensor runs: whole, or not at
 * all. What clients were given stays.
 */
#pragma once

#include "portent.h"
#include "health.h"
#include "options.h"

/* Who is changed. `options`, `rules` and `allow` are those in effect. */
struct pt_reload {
        int argc;
        char *const *argv;
        struct pt_options *options;
        struct pt_rules **rules;
        struct pt_allow **allow;
        struct pt_engine *engine;
        struct pt_health *health;
};

/*
 * 0; or a negative errno, with everything as it was. Either way it is in the log and in a state
 * document. What of the configuration cannot change at run time is said, and stays.
 */
int pt_reload(const struct pt_reload *reload);
