/*
 * signals: what the operator or the system asks of a running program. A handler sets a flag and
 * nothing else; the loops look.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>

enum pt_signal {
        PT_SIGNAL_RELOAD, /* HUP */
        PT_SIGNAL_STATS,  /* USR1 */
        PT_SIGNALS,
};

/* Set by INT and TERM, and by whoever finds that there is nothing left to do. */
extern volatile bool pt_signals_stop;

/*
 * Catch INT, TERM, HUP and USR1, and be deaf to a reader that went away and to a file that may not
 * grow: both are lost outputs, and no reason to end. `live`: all four come through only inside a
 * ppoll() with the mask that is returned, so that none is missed between the look at its flag and
 * the wait.
 */
void pt_signals_catch(bool live, sigset_t *ret_waiting);

/* Was it asked since it was taken last? */
bool pt_signals_asked(enum pt_signal signal);
bool pt_signals_take(enum pt_signal signal);

/* Which signal set pt_signals_stop: "SIGTERM"; NULL if it was none. */
const char *pt_signals_name(void);
