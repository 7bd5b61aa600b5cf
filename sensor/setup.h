/*
 * setup: all of a run before its first packet: options, rules, outputs, capture, engine, and then
 * the sandbox, in this order.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "health.h"
#include "options.h"
#include "output.h"
#include "proof.h"
#include "reading.h"
#include "status.h"

struct pt_sensor {
        struct pt_options options;
        struct pt_rules *rules;
        struct pt_allow *allow;
        struct pt_engine *engine;
        struct pt_live *live; /* NULL in replay */
        struct pt_output *output;
        struct pt_proof *proof; /* NULL without --evidence */
        struct pt_health health;
        sigset_t waiting; /* live: the signals that come through while it waits */
        struct pt_observer observer;
        char hostname[256];
        struct pt_reading reading;
        int argc; /* the command line is read again when the rules are */
        char **argv;
        enum pt_status status; /* the worst so far */
        bool stdout_closed;
};

/*
 * PT_STATUS_GO: all is open. Or how the program ends, for what was asked for is done, or something
 * is wrong, which has been said. `sensor` is to be taken down in both cases.
 */
enum pt_status pt_setup(struct pt_sensor *sensor, int argc, char **argv);

/* Says it. */
enum pt_status pt_setup_no_memory(void);
