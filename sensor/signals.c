#include "signals.h"

#include <stddef.h>

volatile bool pt_signals_stop;

static volatile bool asked[PT_SIGNALS];
static volatile sig_atomic_t stopped_by;

static void on_signal(int signal)
{
        if (signal == SIGHUP)
                asked[PT_SIGNAL_RELOAD] = true;
        else if (signal == SIGUSR1)
                asked[PT_SIGNAL_STATS] = true;
        else {
                stopped_by = signal;
                pt_signals_stop = true;
        }
}

static void ignore(int signal)
{
        struct sigaction action = {.sa_handler = SIG_IGN};

        sigemptyset(&action.sa_mask);
        sigaction(signal, &action, NULL);
}

void pt_signals_catch(bool live, sigset_t *ret_waiting)
{
        static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
        struct sigaction action = {.sa_handler = on_signal};
        sigset_t set;

        sigemptyset(&action.sa_mask);
        sigemptyset(&set);
        for (size_t i = 0; i < 4; i++) {
                /* A read that waits for a slow input ends by INT and TERM, and by no other. */
                action.sa_flags = i < 2 ? 0 : SA_RESTART;
                sigaction(caught[i], &action, NULL);
                sigaddset(&set, caught[i]);
        }
        ignore(SIGPIPE);
        ignore(SIGXFSZ);
        if (live)
                sigprocmask(SIG_BLOCK, &set, ret_waiting);
        for (size_t i = 0; live && i < 4; i++)
                sigdelset(ret_waiting, caught[i]); /* whatever our parent blocked */
}

bool pt_signals_asked(enum pt_signal signal)
{
        return asked[signal];
}

bool pt_signals_take(enum pt_signal signal)
{
        bool was = asked[signal];

        asked[signal] = false;
        return was;
}

const char *pt_signals_name(void)
{
        return stopped_by == SIGTERM ? "SIGTERM" : stopped_by == SIGINT ? "SIGINT" : NULL;
}
