#include "io/output/aside.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define STACK_SIZE ((size_t)64 << 10)
#define SECOND INT64_C(1000000000)

struct pt_aside {
        pt_aside_work work;
        void (*release)(void *context);
        void *context;
        bool busy;     /* the owner's: begun, and its result not taken */
        bool threaded; /* the owner's: there is a thread */
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        pthread_t thread;
        bool asked, done, ended; /* under the mutex, as are the rest */
        bool abandoned;          /* the thread frees all */
        int result;
};

static void destroy(struct pt_aside *aside)
{
        aside->release(aside->context);
        pthread_mutex_destroy(&aside->mutex);
        pthread_cond_destroy(&aside->changed);
        free(aside);
}

/* One piece. The mutex is held before and after, not meanwhile. */
static void work(struct pt_aside *aside)
{
        int result;

        aside->asked = false;
        pthread_mutex_unlock(&aside->mutex);
        result = aside->work(aside->context);
        pthread_mutex_lock(&aside->mutex);
        aside->result = result;
        aside->done = true;
        pthread_cond_broadcast(&aside->changed);
}

static void *run(void *context)
{
        struct pt_aside *aside = context;
        bool abandoned;

        pthread_mutex_lock(&aside->mutex);
        while (!aside->ended) {
                if (aside->asked)
                        work(aside);
                else
                        pthread_cond_wait(&aside->changed, &aside->mutex);
        }
        abandoned = aside->abandoned;
        pthread_mutex_unlock(&aside->mutex);
        if (abandoned)
                destroy(aside);
        return NULL;
}

static bool start_thread(struct pt_aside *aside)
{
        sigset_t all, before;
        pthread_attr_t attributes;
        int r;

        if (pthread_attr_init(&attributes))
                return false;
        sigfillset(&all);
        pthread_attr_setstacksize(&attributes, STACK_SIZE);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(&aside->thread, &attributes, run, aside);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        pthread_attr_destroy(&attributes);
        return r == 0;
}

struct pt_aside *pt_aside_new(pt_aside_work what, void (*release)(void *context), void *context)
{
        struct pt_aside *aside = calloc(1, sizeof(*aside));
        pthread_condattr_t attributes;

        if (!aside)
                return NULL;
        aside->work = what;
        aside->release = release;
        aside->context = context;
        pthread_mutex_init(&aside->mutex, NULL);
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&aside->changed, &attributes);
        pthread_condattr_destroy(&attributes);
        return aside;
}

struct pt_aside *pt_aside_free(struct pt_aside *aside)
{
        if (!aside)
                return NULL;
        pthread_t thread = aside->thread;
        bool threaded = aside->threaded, abandoned;

        pthread_mutex_lock(&aside->mutex);
        abandoned = aside->abandoned = aside->busy && !aside->done;
        aside->ended = true;
        pthread_cond_broadcast(&aside->changed);
        pthread_mutex_unlock(&aside->mutex);
        if (abandoned) {
                pthread_detach(thread); /* from here on all is its own */
                return NULL;
        }
        if (threaded)
                pthread_join(thread, NULL);
        destroy(aside);
        return NULL;
}

void pt_aside_begin(struct pt_aside *aside)
{
        aside->busy = true;
        if (!aside->threaded)
                aside->threaded = start_thread(aside);
        pthread_mutex_lock(&aside->mutex);
        aside->done = false;
        if (aside->threaded) {
                aside->asked = true;
                pthread_cond_broadcast(&aside->changed);
        } else {
                work(aside);
        }
        pthread_mutex_unlock(&aside->mutex);
}

bool pt_aside_finish(struct pt_aside *aside, int *ret_result)
{
        bool done;

        if (!aside->busy)
                return false;
        pthread_mutex_lock(&aside->mutex);
        done = aside->done;
        if (done)
                *ret_result = aside->result;
        pthread_mutex_unlock(&aside->mutex);
        aside->busy = !done;
        return done;
}

bool pt_aside_is_busy(const struct pt_aside *aside)
{
        return aside->busy;
}

void pt_aside_wait(struct pt_aside *aside, int64_t patience)
{
        struct timespec end;
        int64_t nanoseconds;

        clock_gettime(CLOCK_MONOTONIC, &end);
        nanoseconds = end.tv_nsec + patience;
        end.tv_sec += (time_t)(nanoseconds / SECOND);
        end.tv_nsec = (long)(nanoseconds % SECOND);
        pthread_mutex_lock(&aside->mutex);
        while (aside->busy && !aside->done &&
               pthread_cond_timedwait(&aside->changed, &aside->mutex, &end) != ETIMEDOUT)
                ;
        pthread_mutex_unlock(&aside->mutex);
}
