#include "io/capture/unpack.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "capture.h"
#include "packed.h"

#define LENGTH (4u << 20) /* several rings full */

static uint8_t *plain, *packed;
static size_t length;
static struct pt_feed feed = {.fd = -1};
static volatile bool stop;

static void make(void)
{
        plain = malloc(LENGTH);
        packed = malloc(LENGTH);
        for (size_t i = 0; i < LENGTH; i++)
                plain[i] = (uint8_t)(i % 251 * (i / 65536));
        length = pack(PT_KIND_GZIP, plain, LENGTH, packed, LENGTH);
}

static void clean(void)
{
        pt_feed_close(&feed);
        free(plain);
        free(packed);
}

/* A pipe that holds the packed octets after the first few, and then is closed or not. */
static int open_pipe(size_t first, size_t size, bool close_it)
{
        char name[64];
        int ends[2];

        cr_assert_eq(pipe(ends), 0);
        cr_assert_eq(write(ends[1], packed + first, size - first), (ssize_t)(size - first));
        if (close_it)
                close(ends[1]);
        snprintf(name, sizeof name, "/proc/self/fd/%d", ends[0]);
        feed.stop = &stop;
        cr_assert_eq(pt_feed_open(&feed, name), 0);
        return ends[1];
}

static struct pt_unpack *begin(size_t first)
{
        struct pt_unpack *unpack;

        cr_assert_eq(pt_unpack_new(&feed, PT_KIND_GZIP, packed, first, &unpack), 0);
        return unpack;
}

/* Reads to the end. Returns what ended it. */
static ssize_t read_all(struct pt_unpack *unpack, size_t *ret_count, char *reason)
{
        uint8_t bytes[10007];
        size_t count = 0;
        ssize_t got;

        while ((got = pt_unpack_read(unpack, bytes, sizeof bytes, reason)) > 0) {
                cr_assert_eq(memcmp(bytes, plain + count, (size_t)got), 0, "at %zu", count);
                count += (size_t)got;
        }
        *ret_count = count;
        return got;
}

Test(unpack, a_stream_longer_than_the_ring_comes_whole, .init = make, .fini = clean, .timeout = 60)
{
        char reason[PT_UNPACK_REASON];
        struct pt_unpack *unpack;
        size_t count;

        open_pipe(100, length, true);
        unpack = begin(100);
        cr_expect_eq(read_all(unpack, &count, reason), 0);
        cr_expect_eq(count, LENGTH);
        cr_expect_eq(pt_unpack_read(unpack, reason, 1, reason), 0);
        cr_expect_null(pt_unpack_free(unpack));
}

Test(unpack, a_cut_is_told_after_what_came_before_it, .init = make, .fini = clean, .timeout = 60)
{
        char reason[PT_UNPACK_REASON], place[64];
        struct pt_unpack *unpack;
        size_t count;

        open_pipe(100, length - 1000, true);
        unpack = begin(100);
        cr_expect_eq(read_all(unpack, &count, reason), -EBADMSG);
        cr_expect_gt(count, LENGTH / 2);
        /* The first 100 did not come through the feed here; a source counts them as taken. */
        snprintf(place, sizeof place, "gzip, near byte %zu of the file: the data is cut",
                 length - 1100);
        cr_expect_str_eq(reason, place);
        pt_unpack_free(unpack);
}

/* What a live pipe gave so far is not kept back until a piece is full. */
Test(unpack, a_slow_pipe_gives_what_it_has, .init = make, .fini = clean, .timeout = 60)
{
        char reason[PT_UNPACK_REASON];
        struct pt_unpack *unpack;
        uint8_t byte;

        open_pipe(100, 1000, false);
        unpack = begin(100);
        cr_expect_eq(pt_unpack_read(unpack, &byte, 1, reason), 1);
        pt_unpack_free(unpack); /* and does not wait for the pipe's end */
}

Test(unpack, stop_ends_a_wait, .init = make, .fini = clean, .timeout = 60)
{
        char reason[PT_UNPACK_REASON];
        struct pt_unpack *unpack;
        uint8_t bytes[100000];
        ssize_t got;

        open_pipe(100, 1000, false);
        unpack = begin(100);
        cr_assert_gt(pt_unpack_read(unpack, bytes, sizeof bytes, reason), 0);
        stop = true;
        do
                got = pt_unpack_read(unpack, bytes, sizeof bytes, reason);
        while (got > 0);
        cr_expect_eq(got, -EINTR);
        pt_unpack_free(unpack);
}

/* Closing it while the ring is full must not wait for a reader. */
Test(unpack, it_can_be_left_at_any_time, .init = make, .fini = clean, .timeout = 60)
{
        open_pipe(100, length, true);
        usleep(20000);
        pt_unpack_free(begin(100));
        cr_expect_null(pt_unpack_free(NULL));
}
