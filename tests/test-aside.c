#include "io/output/aside.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

struct job {
        sem_t begun, go;
        pthread_t thread;
        int done;
        sem_t *released;
};

static int work(void *context)
{
        struct job *job = context;

        job->thread = pthread_self();
        sem_post(&job->begun);
        sem_wait(&job->go);
        return -++job->done;
}

static void release(void *context)
{
        struct job *job = context;

        sem_post(job->released);
}

static struct pt_aside *begin(struct job *job, sem_t *released)
{
        struct pt_aside *aside;

        sem_init(&job->begun, 0, 0);
        sem_init(&job->go, 0, 0);
        sem_init(released, 0, 0);
        job->released = released;
        aside = pt_aside_new(work, release, job);
        cr_assert_not_null(aside);
        cr_expect_not(pt_aside_is_busy(aside));
        return aside;
}

static int finish(struct pt_aside *aside)
{
        int result = 1;

        pt_aside_wait(aside, INT64_C(60000000000));
        cr_expect(pt_aside_is_busy(aside));
        cr_expect(pt_aside_finish(aside, &result));
        cr_expect_not(pt_aside_is_busy(aside));
        cr_expect_not(pt_aside_finish(aside, &result), "it is told once");
        return result;
}

Test(aside, nobody_waits_for_work_that_takes_long)
{
        struct job job = {0};
        sem_t released;
        struct pt_aside *aside = begin(&job, &released);
        pthread_t first;
        int result = 1;

        pt_aside_begin(aside);
        sem_wait(&job.begun);
        pt_aside_wait(aside, 1000000);
        cr_expect_not(pt_aside_finish(aside, &result));
        cr_expect_eq(result, 1);
        cr_expect(pt_aside_is_busy(aside));
        sem_post(&job.go);
        cr_expect_eq(finish(aside), -1);
        first = job.thread;
        cr_expect_not(pthread_equal(first, pthread_self()));

        sem_post(&job.go);
        pt_aside_begin(aside);
        cr_expect_eq(finish(aside), -2);
        cr_expect(pthread_equal(first, job.thread), "the thread stays");
        pt_aside_free(aside);
        cr_expect_eq(sem_trywait(&released), 0);
}

/* Its owner goes on, and what the thread needs is there until it comes back. */
Test(aside, work_that_does_not_come_back_is_left_to_itself)
{
        struct job job = {0};
        sem_t released;
        struct pt_aside *aside = begin(&job, &released);

        pt_aside_begin(aside);
        sem_wait(&job.begun);
        pt_aside_free(aside);
        cr_expect_neq(sem_trywait(&released), 0);
        sem_post(&job.go);
        cr_expect_eq(sem_wait(&released), 0);
        cr_expect_eq(job.done, 1);
}

Test(aside, never_begun)
{
        struct job job = {0};
        sem_t released;

        pt_aside_free(begin(&job, &released));
        cr_expect_eq(sem_trywait(&released), 0);
        cr_expect_null(pt_aside_free(NULL));
}

/* RLIMIT_NPROC, or TasksMax=: it is done at once, by whoever asks. As root there is no such limit.
 */
Test(aside, no_thread_can_be_made)
{
        struct rlimit limit = {0};
        struct job job = {0};
        sem_t released;
        struct pt_aside *aside = begin(&job, &released);

        if (geteuid() == 0)
                cr_assert_eq(setuid(65534), 0);
        cr_assert_eq(setrlimit(RLIMIT_NPROC, &limit), 0);
        sem_post(&job.go);
        pt_aside_begin(aside);
        cr_expect_eq(finish(aside), -1);
        cr_expect(pthread_equal(job.thread, pthread_self()));
        pt_aside_free(aside);
}

static volatile sig_atomic_t caught;
static pthread_t catcher;

static void on_signal(int signal)
{
        (void)signal;
        catcher = pthread_self();
        caught = 1;
}

Test(aside, signals_are_not_for_it)
{
        struct job job = {0};
        sem_t released;
        struct pt_aside *aside = begin(&job, &released);
        sigset_t mask, before;

        signal(SIGUSR1, on_signal);
        pt_aside_begin(aside);
        sem_wait(&job.begun);
        sigemptyset(&mask);
        sigaddset(&mask, SIGUSR1);
        pthread_sigmask(SIG_BLOCK, &mask, &before);
        kill(getpid(), SIGUSR1);
        usleep(20000);
        cr_expect_not(caught);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        cr_expect(caught && pthread_equal(catcher, pthread_self()));
        sem_post(&job.go);
        finish(aside);
        pt_aside_free(aside);
}
