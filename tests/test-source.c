#include "io/capture/source.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

#include "capture.h"

/* Octet n of the stream is n, in 7 bits. */
static void put_stream(struct bytes *b, size_t length)
{
        for (size_t i = 0; i < length; i++)
                b->at[i] = (uint8_t)(i & 0x7f);
        b->length = length;
}

static struct pt_source open_source(const char *path, size_t buffer)
{
        struct pt_source_settings settings = {.buffer = buffer};
        struct pt_source source;

        cr_assert_eq(pt_source_open(&source, path, &settings), 0);
        return source;
}

/* Pieces of every length from a buffer that holds a few of them. */
Test(source, octets_come_in_order_whatever_is_asked_for)
{
        static struct bytes b;
        size_t place = 0;

        put_stream(&b, 100000);
        struct pt_source source = open_source(as_file(&b), 512);
        for (size_t piece = 1; place < b.length; piece = piece % 300 + 1) {
                bool there = pt_source_want(&source, piece);

                cr_assert_eq(there, b.length - place >= piece);
                if (!there)
                        piece = pt_source_left(&source);
                cr_assert_eq(pt_source_offset(&source), place);
                for (size_t i = 0; i < piece; i++)
                        cr_assert_eq(source.at[i], (place + i) & 0x7f);
                source.at += piece;
                place += piece;
        }
        cr_expect_eq(place, b.length);
        cr_expect(!pt_source_want(&source, 1));
        cr_expect_eq(source.state, PT_SOURCE_END);
        cr_expect_eq(source.feed.taken, b.length);
        cr_expect_eq(source.feed.size, b.length);
        pt_source_close(&source);
}

/* A block of pcapng may be larger than the buffer. */
Test(source, the_buffer_grows_to_what_is_wanted_at_once)
{
        static struct bytes b;

        put_stream(&b, 100000);
        struct pt_source source = open_source(as_file(&b), 512);
        cr_assert(pt_source_want(&source, 100));
        source.at += 100;
        cr_assert(pt_source_want(&source, 90000));
        cr_expect_eq(source.at[0], 100);
        cr_expect_eq(source.at[89999], 90099 & 0x7f);
        cr_expect_eq(pt_source_offset(&source), 100);
        cr_expect(!pt_source_want(&source, 99901));
        cr_expect(pt_source_want(&source, 99900));
        pt_source_close(&source);
}

Test(source, what_is_no_file_is_refused)
{
        struct pt_source_settings settings = {0};
        struct pt_source source;

        cr_expect_eq(pt_source_open(&source, "/nonexistent", &settings), -ENOENT);
        pt_source_close(&source);
        cr_expect_eq(pt_source_open(&source, "/tmp", &settings), -EISDIR);
        pt_source_close(&source);
}

Test(source, a_failing_read_is_told_from_an_end)
{
        struct pt_source source = open_source("/proc/self/mem", 0); /* page 0 is not there */

        cr_expect(!pt_source_want(&source, 1));
        cr_expect_eq(source.state, PT_SOURCE_FAILED);
        cr_expect_eq(source.error, EIO);
        cr_expect_str_eq(source.reason, strerror(EIO));
        pt_source_close(&source);
}

/* --follow: the end of a file is not the end. */
Test(source, a_file_that_grows_is_read_on)
{
        static struct bytes b;
        struct pt_source_settings settings = {.follow = true};
        struct pt_source source;
        const char *path;
        int fd;

        put_stream(&b, 10);
        path = as_file(&b);
        cr_assert_eq(pt_source_open(&source, path, &settings), 0);
        cr_assert(pt_source_want(&source, 10));
        cr_expect(!pt_source_want(&source, 11));
        cr_expect_eq(source.state, PT_SOURCE_LATER);
        cr_expect(!pt_source_want(&source, 11));

        fd = open(path, O_WRONLY | O_APPEND);
        cr_assert_eq(write(fd, "\x0a\x0b", 2), 2);
        close(fd);
        cr_expect(pt_source_want(&source, 12));
        cr_expect_eq(source.at[11], 11);
        cr_expect_eq(pt_source_offset(&source), 0);
        pt_source_close(&source);
}

/* Nothing else would wake a read of a pipe to which nobody writes. */
Test(source, a_wait_for_a_pipe_ends_when_it_is_told_to, .timeout = 30)
{
        static volatile bool stop;
        struct pt_source_settings settings = {.stop = &stop};
        struct pt_source source;
        char name[64];
        int ends[2];

        cr_assert_eq(pipe(ends), 0);
        cr_assert_eq(write(ends[1], "abc", 3), 3);
        snprintf(name, sizeof name, "/proc/self/fd/%d", ends[0]);
        cr_assert_eq(pt_source_open(&source, name, &settings), 0);
        cr_assert(pt_source_want(&source, 3));
        stop = true;
        cr_expect(!pt_source_want(&source, 4));
        cr_expect_eq(source.state, PT_SOURCE_FAILED);
        cr_expect_eq(source.error, EINTR);
        cr_expect_eq(pt_source_left(&source), 3);
        pt_source_close(&source);
}
