#include "io/output/scribe.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MS PT_CHANNEL_MS

/* A file that comes back from a call when it is let go. */
struct slow {
        struct pt_channel channel;
        atomic_bool hangs;
        sem_t begun, go;
        char got[256];
        int opened, result;
        size_t most; /* octets that it takes at once */
};

static sem_t freed;
static struct slow slow;

static void pass(void)
{
        if (!atomic_load(&slow.hangs))
                return;
        sem_post(&slow.begun);
        sem_wait(&slow.go);
}

static int slow_open(struct pt_channel *channel, int64_t now)
{
        (void)now;
        pass();
        slow.opened++;
        channel->fd = 0;
        channel->regular = true;
        return slow.result;
}

static int slow_reopen(struct pt_channel *channel)
{
        return slow_open(channel, 0);
}

static int slow_push(struct pt_channel *channel, const char *bytes, size_t length, int64_t now,
                     size_t *ret_delivered)
{
        (void)now;
        pass();
        *ret_delivered = length < slow.most ? length : slow.most;
        strncat(slow.got, bytes, *ret_delivered);
        channel->torn = slow.result != 0;
        return slow.result;
}

static void slow_close(struct pt_channel *channel)
{
        channel->fd = -1;
}

static void slow_free(struct pt_channel *channel)
{
        (void)channel;
        sem_post(&freed);
}

static const struct pt_channel_class class = {slow_open, slow_push, slow_reopen, slow_close,
                                              slow_free};
static struct pt_channel *channel;

static void begin(void)
{
        memset(&slow, 0, sizeof(slow));
        sem_init(&slow.begun, 0, 0);
        sem_init(&slow.go, 0, 0);
        sem_init(&freed, 0, 0);
        slow.most = SIZE_MAX;
        slow.channel = (struct pt_channel){
                .class = &class, .destination = "slow", .regular = true, .live = true};
        cr_assert_eq(pt_scribe_new(&slow.channel, &channel), 0);
}

static void end(void)
{
        channel->class->free(channel);
}

TestSuite(scribe, .init = begin, .fini = end, .timeout = 60);

static int push(const char *lines, size_t *ret)
{
        *ret = 99;
        return channel->class->push(channel, lines, strlen(lines), 0, ret);
}

/* Under load even what is quick may not be back in time. */
static int push_on(const char *lines, size_t *ret)
{
        const struct timespec moment = {.tv_nsec = MS};
        int r;

        while ((r = push(lines, ret)) == -EAGAIN && channel->asked)
                nanosleep(&moment, NULL);
        return r;
}

static int reopen_on(void)
{
        const struct timespec moment = {.tv_nsec = MS};
        int r;

        while ((r = channel->class->reopen(channel)) == -EAGAIN)
                nanosleep(&moment, NULL);
        return r;
}

static void hang(void)
{
        atomic_store(&slow.hangs, true);
}

/* The call that hangs comes back, and so do all others. */
static void let_go(void)
{
        sem_wait(&slow.begun);
        atomic_store(&slow.hangs, false);
        sem_post(&slow.go);
}

Test(scribe, what_is_quick_is_as_if_there_were_no_thread)
{
        size_t done;

        cr_expect_eq(push_on("one\ntwo\n", &done), 0);
        cr_expect_eq(done, 8);
        cr_expect_str_eq(slow.got, "one\ntwo\n");
        cr_expect_eq(channel->asked, 0);
        cr_expect_eq(push_on("", &done), 0, "nothing is nothing to do");
        cr_expect_eq(done, 0);
}

Test(scribe, trouble_is_passed_on_with_what_was_delivered_before_it)
{
        size_t done;

        slow.most = 4;
        slow.result = -ENOSPC;
        cr_expect_eq(push_on("one\ntwo\n", &done), -ENOSPC);
        cr_expect_eq(done, 4);
        cr_expect(channel->torn, "and what the sink may know of it");
}

Test(scribe, what_hangs_holds_up_nobody_and_is_delivered_once)
{
        size_t done;

        hang();
        cr_expect_eq(push("one\n", &done), -EAGAIN);
        cr_expect_eq(done, 0);
        cr_expect_gt(channel->asked, 0);
        cr_expect_eq(channel->fd, -1, "nobody is to wait for what the thread may close");
        cr_expect_eq(push("one\ntwo\n", &done), -EAGAIN, "more lines wait behind");
        let_go();
        cr_expect_eq(push_on("one\ntwo\n", &done), 0);
        cr_expect_eq(done, 4, "the line that was under way, and no other");
        cr_expect_eq(push_on("two\n", &done), 0);
        cr_expect_eq(done, 4);
        cr_expect_str_eq(slow.got, "one\ntwo\n");
}

Test(scribe, what_was_given_up_meanwhile_is_not_taken_again)
{
        size_t done;

        hang();
        cr_expect_eq(push("one\n", &done), -EAGAIN);
        let_go();
        cr_expect_eq(push_on("two\n", &done), 0);
        cr_expect_eq(done, 0, "other lines stand there now");
}

Test(scribe, opening_anew_waits_for_what_is_under_way_and_loses_no_result)
{
        size_t done;

        hang();
        cr_expect_eq(push("one\n", &done), -EAGAIN);
        cr_expect_eq(channel->class->reopen(channel), -EAGAIN);
        cr_expect_eq(slow.opened, 0);
        let_go();
        cr_expect_eq(reopen_on(), 0);
        cr_expect_eq(slow.opened, 1);
        cr_expect_eq(push_on("one\n", &done), 0);
        cr_expect_eq(done, 4);
        cr_expect_str_eq(slow.got, "one\n", "the result of the first time");
}

Test(scribe, an_opening_that_hangs_is_under_way)
{
        size_t done;

        hang();
        cr_expect_eq(channel->class->open(channel, 0), -EINPROGRESS);
        cr_expect_eq(push("one\n", &done), -EAGAIN);
        let_go();
        while (channel->class->open(channel, 0) == -EINPROGRESS)
                ;
        cr_expect_eq(slow.opened, 1);
        cr_expect_eq(channel->fd, 0);
}

Test(scribe, an_end_before_it_comes_back_waits_for_nobody)
{
        size_t done;

        hang();
        cr_expect_eq(push("one\n", &done), -EAGAIN);
        sem_wait(&slow.begun);
        channel->class->free(channel);
        cr_expect_neq(sem_trywait(&freed), 0, "the thread has it still");
        sem_post(&slow.go);
        cr_expect_eq(sem_wait(&freed), 0, "and frees it when it is back");
        atomic_store(&slow.hangs, false);
        slow.channel.destination = "slow";
        cr_assert_eq(pt_scribe_new(&slow.channel, &channel), 0);
}
