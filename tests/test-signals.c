#include "../sensor/signals.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

static const struct timespec at_once;

/* A signal sent before the wait ends the wait, and is seen afterwards. */
Test(signals, live_they_come_through_while_it_waits_and_nowhere_else)
{
        sigset_t waiting;

        pt_signals_catch(true, &waiting);
        kill(getpid(), SIGHUP);
        kill(getpid(), SIGUSR1);
        kill(getpid(), SIGTERM);
        cr_expect(!pt_signals_take(PT_SIGNAL_RELOAD), "not before the wait");
        cr_expect(!pt_signals_stop);
        cr_assert_eq(ppoll(NULL, 0, &at_once, &waiting), -1);
        cr_expect_eq(errno, EINTR);
        cr_expect(pt_signals_take(PT_SIGNAL_RELOAD));
        cr_expect(pt_signals_take(PT_SIGNAL_STATS));
        cr_expect(pt_signals_stop);
}

Test(signals, what_was_asked_is_taken_once)
{
        sigset_t waiting;

        pt_signals_catch(true, &waiting);
        for (int i = 0; i < 1000; i++)
                kill(getpid(), SIGHUP);
        ppoll(NULL, 0, &at_once, &waiting);
        cr_expect(pt_signals_take(PT_SIGNAL_RELOAD));
        cr_expect(!pt_signals_take(PT_SIGNAL_RELOAD));
        cr_expect(!pt_signals_take(PT_SIGNAL_STATS));
}

Test(signals, a_parent_that_blocked_them_does_not_make_it_deaf)
{
        sigset_t set, waiting;

        sigfillset(&set);
        sigprocmask(SIG_SETMASK, &set, NULL);
        pt_signals_catch(true, &waiting);
        kill(getpid(), SIGTERM);
        ppoll(NULL, 0, &at_once, &waiting);
        cr_expect(pt_signals_stop);
}

Test(signals, in_replay_they_end_the_run_at_any_moment)
{
        sigset_t waiting;

        pt_signals_catch(false, &waiting);
        kill(getpid(), SIGINT);
        cr_expect(pt_signals_stop);
        kill(getpid(), SIGPIPE);
        kill(getpid(), SIGXFSZ);
}

/* What a replay found is not lost to logrotate. */
Test(signals, in_replay_a_reload_ends_nothing)
{
        sigset_t waiting;

        pt_signals_catch(false, &waiting);
        kill(getpid(), SIGHUP);
        cr_expect(pt_signals_take(PT_SIGNAL_RELOAD));
        cr_expect(!pt_signals_stop);
}
