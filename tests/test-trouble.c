#include "io/output/trouble.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SECOND INT64_C(1000000000)

/* What was told, one line each. */
static char told[4096];
static struct pt_notice last;

static void tell(void *context, const struct pt_notice *notice)
{
        static const char *const kinds[] = {
                [PT_NOTICE_OUTPUT_TROUBLE] = "trouble",
                [PT_NOTICE_OUTPUT_RECOVERED] = "recovered",
                [PT_NOTICE_OUTPUT_TORN] = "torn",
        };
        size_t used = strlen(told);

        (void)context;
        last = *notice;
        snprintf(told + used, sizeof told - used, "%s %s: %s\n", kinds[notice->kind],
                 notice->subject, notice->sentence);
}

static struct pt_trouble make(void)
{
        told[0] = '\0';
        return (struct pt_trouble){.subject = "log",
                                   .what = "",
                                   .meanwhile = "lines wait",
                                   .notify = {tell, NULL},
                                   .due = INT64_MAX};
}

Test(trouble, it_is_told_once_when_it_has_lasted)
{
        struct pt_trouble trouble = make();

        pt_trouble_meet(&trouble, ENOSPC, NULL, 10 * SECOND, SECOND);
        cr_expect_str_eq(told, "");
        cr_expect_eq(trouble.due, 11 * SECOND);
        pt_trouble_meet(&trouble, ENOSPC, NULL, 11 * SECOND - 1, SECOND);
        cr_expect_str_eq(told, "");
        pt_trouble_meet(&trouble, ENOSPC, NULL, 11 * SECOND, SECOND);
        pt_trouble_meet(&trouble, ENOSPC, NULL, 99 * SECOND, SECOND);
        cr_expect_str_eq(told, "trouble log: No space left on device: lines wait\n");
        cr_expect_gt(last.since, INT64_C(1700000000) * SECOND);
}

Test(trouble, what_ends_before_it_is_told_is_not_told)
{
        struct pt_trouble trouble = make();

        pt_trouble_meet(&trouble, EPIPE, NULL, 1, SECOND);
        pt_trouble_pass(&trouble, 2);
        pt_trouble_pass(&trouble, 3);
        cr_expect_str_eq(told, "");
        cr_expect_eq(trouble.due, INT64_MAX);
}

Test(trouble, its_end_says_what_was_lost)
{
        struct pt_trouble trouble = make();

        pt_trouble_meet(&trouble, EPIPE, "nobody listens", 1, 0);
        pt_trouble_lose(&trouble, 3, 2);
        pt_trouble_lose(&trouble, 4, 3);
        cr_expect_eq(last.level, PT_NOTICE_ERROR);
        int64_t since = last.since;
        pt_trouble_pass(&trouble, 4);
        cr_expect_str_eq(told, "trouble log: nobody listens: lines wait\n"
                               "trouble log: nobody listens: no more can wait, lines are lost now\n"
                               "recovered log: all is well again after 0.0 s; 7 lines were lost\n");
        cr_expect_eq(last.count, 7);
        cr_expect_eq(last.since, since);
        pt_trouble_pass(&trouble, 5);
        cr_expect_eq(trouble.lost, 0);
}

Test(trouble, nothing_lost_is_said_too)
{
        struct pt_trouble trouble = make();

        pt_trouble_meet(&trouble, EPIPE, NULL, 1, 0);
        told[0] = '\0';
        pt_trouble_pass(&trouble, 4);
        cr_expect_str_eq(told, "recovered log: all is well again after 0.0 s; nothing was lost\n");
        cr_expect_eq(last.count, 0);
        cr_expect_eq(last.level, PT_NOTICE_INFO);
}

/* Lines too long among others that arrive: told, but not for each. */
Test(trouble, losses_without_trouble_are_told_now_and_then)
{
        struct pt_trouble trouble = make();

        for (int64_t now = 0; now < 25; now++) {
                pt_trouble_lose(&trouble, 1, now * SECOND);
                pt_trouble_pass(&trouble, now * SECOND);
        }
        cr_expect_str_eq(told, "recovered log: 1 line was lost\n"
                               "recovered log: 10 lines were lost\n"
                               "recovered log: 10 lines were lost\n");
        cr_expect_eq(trouble.lost, 4);
}

Test(trouble, nobody_need_be_told)
{
        struct pt_trouble trouble = make();

        trouble.notify.tell = NULL;
        pt_trouble_meet(&trouble, EPIPE, NULL, 1, 0);
        pt_trouble_lose(&trouble, 1, 2);
        pt_trouble_pass(&trouble, 3);
        cr_expect_str_eq(told, "");
}
