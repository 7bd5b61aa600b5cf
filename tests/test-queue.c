#include "io/output/queue.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct pt_queue queue;

static void make(void)
{
        cr_assert_eq(pt_queue_init(&queue, 64), 0);
}

static void clear(void)
{
        pt_queue_clear(&queue);
}

TestSuite(queue, .init = make, .fini = clear);

static bool put(const char *line)
{
        return pt_queue_put(&queue, line, strlen(line));
}

static void expect_front(const char *text)
{
        cr_expect_eq(pt_queue_length(&queue), strlen(text));
        cr_expect_eq(memcmp(pt_queue_front(&queue), text, strlen(text)), 0, "%.*s",
                     (int)pt_queue_length(&queue), pt_queue_front(&queue));
}

Test(queue, first_in_first_out)
{
        cr_expect(put("one\n") && put("two\n") && put("three\n"));
        cr_expect_eq(queue.lines, 3);
        expect_front("one\ntwo\nthree\n");
        cr_expect_eq(pt_queue_take(&queue, 4), 1);
        cr_expect_eq(pt_queue_take(&queue, 0), 0);
        expect_front("two\nthree\n");
        cr_expect_eq(pt_queue_take(&queue, 10), 2);
        expect_front("");
        cr_expect_eq(queue.lines, 0);
        cr_expect_eq(queue.head, 0, "an empty queue begins at its first page again");
}

Test(queue, what_does_not_fit_is_refused_as_a_whole)
{
        char line[64];

        memset(line, 'x', sizeof line);
        line[63] = '\n';
        cr_expect(put("a\n"));
        cr_expect_not(pt_queue_put(&queue, line, 64));
        cr_expect(pt_queue_put(&queue, line + 2, 62)); /* 64 octets in all */
        cr_expect_not(put("\n"));
        cr_expect_eq(queue.lines, 2);
        pt_queue_take(&queue, 64);
        cr_expect(pt_queue_put(&queue, line, 64));
}

/* Its memory is used again and again, and what waits stays in one piece. */
Test(queue, a_thousand_lines_pass_through_it)
{
        unsigned first = 0;
        char line[16];

        for (unsigned i = 0; i < 1000; i++) {
                snprintf(line, sizeof line, "%08u\n", i);
                cr_assert(put(line));
                if (queue.lines < 6)
                        continue;
                snprintf(line, sizeof line, "%08u\n", first++);
                cr_assert_eq(memcmp(pt_queue_front(&queue), line, 9), 0);
                cr_assert_eq(pt_queue_take(&queue, 9), 1);
        }
        cr_expect_eq(queue.lines, 5);
}

Test(queue, lines_are_what_ends_with_a_newline)
{
        cr_expect_eq(pt_queue_count("a\nb\nc", 5), 2);
        cr_expect_eq(pt_queue_whole("a\nb\nc", 5), 4);
        cr_expect_eq(pt_queue_whole("abc", 3), 0);
        cr_expect_eq(pt_queue_whole("", 0), 0);
        cr_expect_eq(pt_queue_count("\n\n", 2), 2);
}
