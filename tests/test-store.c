#include "io/output/store.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

static void make_folder(void)
{
        snprintf(folder, sizeof folder, "/tmp/test-store-XXXXXX");
        cr_assert_not_null(mkdtemp(folder));
}

static void remove_folder(void)
{
        char command[128];

        snprintf(command, sizeof command, "rm -rf %s", folder);
        cr_expect_eq(system(command), 0);
}

TestSuite(store, .init = make_folder, .fini = remove_folder);

static struct pt_store *open_store(size_t spool_size)
{
        struct pt_store_settings settings = {
                .queue = 1000, .spool = folder, .spool_size = spool_size, .destination = "x"};
        struct pt_store *store = NULL;

        cr_assert_eq(pt_store_open(&settings, &store), 0);
        return store;
}

static int put(struct pt_store *store, unsigned number)
{
        char line[101];

        memset(line, 'x', 99);
        line[snprintf(line, 10, "%06u", number)] = ' ';
        line[99] = '\n';
        return pt_store_put(store, line, 100);
}

/* Take these lines, a few at a time. */
static void expect_lines(struct pt_store *store, unsigned first, unsigned count)
{
        while (count) {
                size_t length;
                const char *bytes = pt_store_front(store, &length);

                cr_assert_geq(length, 100, "line %u is missing", first);
                for (unsigned i = 0; i < 3 && count && length; i++, count--, length -= 100) {
                        cr_assert_eq(strtoul(bytes, NULL, 10), first++);
                        cr_assert_eq(pt_store_take(store, 100), 1);
                        bytes += 100;
                }
        }
}

Test(store, without_a_spool_the_queue_is_all)
{
        struct pt_store *store = open_store(0);

        for (unsigned i = 0; i < 10; i++)
                cr_expect_eq(put(store, i), PT_STORE_TAKEN);
        cr_expect_eq(put(store, 10), PT_STORE_FULL);
        cr_expect_not(pt_store_settle(store));
        cr_expect_eq(pt_store_queued(store), 10);
        expect_lines(store, 0, 10);
        cr_expect_eq(put(store, 11), PT_STORE_TAKEN);
        cr_expect_eq(pt_store_close_down(store), 1);
        cr_expect_eq(pt_store_queued(store) + pt_store_spooled(store), 0);
        pt_store_free(store);
}

/* Each line is counted once, wherever it waits, and comes out where it went in. */
Test(store, what_does_not_fit_the_queue_goes_to_the_spool_with_it)
{
        struct pt_store *store = open_store(64 << 10);
        unsigned in = 0, out = 0;

        for (unsigned round = 1; round <= 12; round++) {
                for (unsigned i = 0; i < 7 * round; i++)
                        cr_assert_eq(put(store, in++), PT_STORE_TAKEN);
                cr_expect_eq(pt_store_queued(store) + pt_store_spooled(store), in - out);
                expect_lines(store, out, 5 * round);
                out += 5 * round;
        }
        expect_lines(store, out, in - out);
        cr_expect_eq(pt_store_queued(store) + pt_store_spooled(store), 0);
        cr_expect_eq(put(store, 1), PT_STORE_TAKEN);
        cr_expect_eq(pt_store_queued(store), 1, "the spool is empty: memory again");
        pt_store_free(store);
}

/* 81 lines on disk, and ten behind them in memory; only then is a line refused, and it is the new.
 */
Test(store, both_are_full)
{
        struct pt_store *store = open_store(8 << 10);
        unsigned count = 0;

        while (put(store, count) == PT_STORE_TAKEN)
                count++;
        cr_expect_eq(count, 91);
        cr_expect_eq(pt_store_spooled(store), 81);
        cr_expect_eq(pt_store_queued(store), 10);
        expect_lines(store, 0, 91);
        cr_expect_eq(pt_store_queued(store) + pt_store_spooled(store), 0);
        pt_store_free(store);
}

/* At the end memory goes to the spool as far as there is room; the rest is said to be lost. */
Test(store, the_end_with_both_full)
{
        struct pt_store *store = open_store(8 << 10);
        unsigned count = 0;

        while (put(store, count) == PT_STORE_TAKEN)
                count++;
        expect_lines(store, 0, 41); /* a segment of 40 lines is gone: room for as many */
        cr_expect_eq(pt_store_close_down(store), 0);
        cr_expect_eq(pt_store_spooled(store), 50);
        pt_store_free(store);

        store = open_store(8 << 10);
        cr_expect_eq(pt_store_inherited(store), 50);
        for (count = 91; put(store, count) == PT_STORE_TAKEN; count++)
                ;
        uint64_t queued = pt_store_queued(store);
        cr_expect_eq(pt_store_close_down(store), queued);
        cr_expect_eq(pt_store_spooled(store), count - 41 - queued);
        pt_store_free(store);
        store = open_store(8 << 10);
        expect_lines(store, 41, (unsigned)(count - 41 - queued));
        pt_store_free(store);
}

/*
 * Whatever is put, taken and settled in which order: lines come out as they went in, each once, and
 * what is in front stays there, as the reader may have had the first part of it.
 */
Test(store, order_holds_with_lines_on_disk_and_in_memory)
{
        struct pt_store *store = open_store(8 << 10);
        unsigned in = 0, out = 0, seed = 1, mixed = 0;

        for (unsigned step = 0; step < 20000; step++) {
                size_t length, again;
                const char *bytes;

                seed = seed * 1103515245 + 12345;
                unsigned chance = seed >> 16 & 15, most = step / 100 % 2 ? step / 200 % 2 : 15;

                for (unsigned i = 0; i < (chance < most ? chance : most); i++)
                        in += put(store, in) == PT_STORE_TAKEN;
                bytes = pt_store_front(store, &length);
                cr_assert(!length == (in == out));
                for (size_t at = 0; at < length; at += 100)
                        cr_assert_eq(strtoul(bytes + at, NULL, 10), out + at / 100);
                if (step % 37 == 0)
                        pt_store_settle(store);
                bytes = pt_store_front(store, &again);
                cr_assert_geq(again, length, "what was in front is not there any more");
                cr_assert(!again || strtoul(bytes, NULL, 10) == out);
                unsigned take = (seed >> 20 & 7) * 100 <= again ? seed >> 20 & 7 : 0;

                expect_lines(store, out, take);
                out += take;
                cr_assert_eq(pt_store_queued(store) + pt_store_spooled(store), in - out);
                mixed += pt_store_queued(store) && pt_store_spooled(store);
        }
        cr_expect_gt(mixed, 1000);
        expect_lines(store, out, in - out);
        pt_store_free(store);
}

Test(store, a_line_longer_than_the_queue)
{
        struct pt_store *store = open_store(64 << 10);
        char line[1001];

        memset(line, 'x', 1000);
        line[1000] = '\n';
        cr_expect_eq(pt_store_put(store, line, 1001), PT_STORE_TOO_BIG);
        cr_expect_eq(pt_store_put(store, line + 1, 1000), PT_STORE_TAKEN);
        pt_store_free(store);
}

Test(store, the_next_run_finds_what_was_left)
{
        struct pt_store *store = open_store(64 << 10);

        for (unsigned i = 0; i < 4; i++)
                put(store, i);
        cr_expect_eq(pt_store_close_down(store), 0);
        cr_expect_eq(pt_store_spooled(store), 4);
        pt_store_free(store);

        store = open_store(64 << 10);
        cr_expect_eq(pt_store_inherited(store), 4);
        cr_expect_eq(pt_store_spooled(store), 4);
        put(store, 4);
        expect_lines(store, 0, 5);
        pt_store_free(store);
}

/* The spool is smaller than the queue: what fits is kept, the rest stays in memory, or is said. */
Test(store, a_spool_that_does_not_hold_the_queue)
{
        struct pt_store *store = open_store(500);

        for (unsigned i = 0; i < 8; i++)
                put(store, i);
        size_t length;

        cr_expect_not(pt_store_settle(store));
        pt_store_front(store, &length);
        cr_expect_eq(length, 800, "a reader may have had a part of the last of them");
        cr_expect_eq(pt_store_queued(store), 3);
        cr_expect_eq(pt_store_spooled(store), 5);
        cr_expect_eq(pt_store_close_down(store), 3);
        cr_expect_eq(pt_store_spooled(store), 5);
        pt_store_free(store);
        store = open_store(500);
        expect_lines(store, 0, 5);
        pt_store_free(store);
}

Test(store, a_spool_that_cannot_be_opened)
{
        struct pt_store_settings settings = {.queue = 1000,
                                             .spool = "/nonexistent/spool",
                                             .spool_size = 1 << 16,
                                             .destination = "x"};
        struct pt_store *store = NULL, *other = NULL;

        cr_expect_eq(pt_store_open(&settings, &store), -ENOENT);
        settings.spool_if_can = true;
        cr_assert_eq(pt_store_open(&settings, &store), 0);
        cr_expect_not(pt_store_has_spool(store));
        cr_expect_eq(pt_store_trouble(store), -ENOENT);
        cr_expect_eq(pt_store_trouble(store), 0);
        pt_store_free(store);

        /* One that another has is another matter. */
        store = open_store(1 << 16);
        settings.spool = folder;
        cr_expect_eq(pt_store_open(&settings, &other), -EWOULDBLOCK);
        pt_store_free(store);
}
