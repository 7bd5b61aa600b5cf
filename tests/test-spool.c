#include "io/output/spool.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

/* --- a folder of its own for each test --- */

static char folder[64];

static void make_folder(void)
{
        snprintf(folder, sizeof folder, "/tmp/test-spool-XXXXXX");
        cr_assert_not_null(mkdtemp(folder));
}

static void remove_folder(void)
{
        char command[128];

        snprintf(command, sizeof command, "rm -rf %s", folder);
        cr_expect_eq(system(command), 0);
}

TestSuite(spool, .init = make_folder, .fini = remove_folder);

static struct pt_spool *open_spool(size_t size)
{
        struct pt_spool *spool = NULL;

        cr_assert_eq(pt_spool_open(folder, "unix:/run/reader", size, &spool), 0);
        return spool;
}

/* A line of 100 octets with a number in it. */
static const char *line(unsigned number)
{
        static char text[101];

        memset(text, 'x', 99);
        text[snprintf(text, 10, "%06u", number)] = ' ';
        text[99] = '\n';
        return text;
}

static int put(struct pt_spool *spool, unsigned number)
{
        size_t taken;
        int r = pt_spool_put(spool, line(number), 100, &taken);

        cr_expect_eq(taken, r == PT_SPOOL_TAKEN ? 100 : 0);
        return r;
}

/* Read and remove so many; they are these and the following. */
static void expect_lines(struct pt_spool *spool, unsigned first, unsigned count)
{
        char bytes[1000];
        size_t length;
        uint64_t too_long;

        while (count) {
                size_t room = count < 10 ? 100 * count : sizeof bytes;

                cr_assert_eq(pt_spool_read(spool, bytes, room, &length, &too_long), 0);
                cr_assert_eq(too_long, 0);
                cr_assert_gt(length, 0);
                cr_assert_eq(length % 100, 0);
                for (size_t at = 0; at < length; at += 100, count--)
                        cr_assert_eq(memcmp(bytes + at, line(first++), 100), 0, "%.6s, not %u",
                                     bytes + at, first - 1);
                pt_spool_remove(spool, length, length / 100);
        }
}

/* The path of the only segment there is, or of the cursor. */
static const char *path_of(const char *name)
{
        static char path[256];

        snprintf(path, sizeof path, "%s/unix:%%2Frun%%2Freader/%s", folder, name);
        return path;
}

static void append(const char *name, const char *bytes, size_t length)
{
        FILE *file = fopen(path_of(name), "a");

        cr_assert_not_null(file);
        cr_assert_eq(fwrite(bytes, 1, length, file), length);
        fclose(file);
}

/* --- in and out --- */

Test(spool, first_in_first_out_over_many_segments)
{
        struct pt_spool *spool = open_spool(64 << 10); /* segments of 8 KiB: 81 lines */

        for (unsigned i = 0; i < 600; i++)
                cr_assert_eq(put(spool, i), PT_SPOOL_TAKEN);
        cr_expect_eq(pt_spool_lines(spool), 600);
        expect_lines(spool, 0, 300);
        for (unsigned i = 600; i < 800; i++)
                cr_assert_eq(put(spool, i), PT_SPOOL_TAKEN);
        expect_lines(spool, 300, 500);
        cr_expect_eq(pt_spool_lines(spool), 0);
        pt_spool_free(spool);
}

Test(spool, its_size_is_a_bound_and_room_comes_back)
{
        struct pt_spool *spool = open_spool(32 << 10); /* 327 lines, 4 KiB a segment: 40 */
        unsigned count = 0;

        while (put(spool, count) == PT_SPOOL_TAKEN)
                count++;
        cr_expect_eq(count, 327);
        cr_expect_eq(put(spool, count), PT_SPOOL_FULL);
        expect_lines(spool, 0, 40); /* a whole segment is gone */
        for (unsigned i = 0; i < 40; i++)
                cr_assert_eq(put(spool, count + i), PT_SPOOL_TAKEN);
        cr_expect_eq(put(spool, count + 40), PT_SPOOL_FULL);
        expect_lines(spool, 40, 327);
        pt_spool_free(spool);
}

Test(spool, lines_are_read_again_after_a_rewind)
{
        struct pt_spool *spool = open_spool(64 << 10);
        char bytes[1000];
        size_t length;
        uint64_t too_long;

        for (unsigned i = 0; i < 20; i++)
                put(spool, i);
        cr_assert_eq(pt_spool_read(spool, bytes, 1000, &length, &too_long), 0);
        pt_spool_remove(spool, 300, 3);
        pt_spool_rewind(spool);
        expect_lines(spool, 3, 17);
        pt_spool_free(spool);
}

/* Someone has made the queue smaller since: a line that fits nowhere must not block the others. */
Test(spool, a_line_too_long_to_be_read_is_counted_and_passed)
{
        struct pt_spool *spool = open_spool(64 << 10);
        static char text[20001];
        char bytes[1000];
        size_t length, taken;
        uint64_t too_long;

        memset(text, 'y', 20000);
        text[19999] = '\n';
        put(spool, 0);
        cr_assert_eq(pt_spool_put(spool, text, 20000, &taken), PT_SPOOL_TAKEN);
        put(spool, 1);
        expect_lines(spool, 0, 1);
        cr_assert_eq(pt_spool_read(spool, bytes, 1000, &length, &too_long), 0);
        cr_expect_eq(length, 0);
        cr_expect_eq(too_long, 1);
        cr_expect_eq(pt_spool_lines(spool), 1);
        expect_lines(spool, 1, 1);
        pt_spool_free(spool);
}

/* --- over the end of the process --- */

Test(spool, what_waits_is_there_after_a_restart)
{
        struct pt_spool *spool = open_spool(64 << 10);

        for (unsigned i = 0; i < 200; i++)
                put(spool, i);
        expect_lines(spool, 0, 130);
        cr_expect_not(pt_spool_is_synced(spool));
        cr_expect_eq(pt_spool_finish(spool), 0);
        cr_expect(pt_spool_is_synced(spool));
        pt_spool_free(spool);

        spool = open_spool(64 << 10);
        cr_expect_eq(pt_spool_lines(spool), 70);
        cr_expect_eq(pt_spool_torn(spool), 0);
        put(spool, 200);
        expect_lines(spool, 130, 71);
        pt_spool_free(spool);

        spool = open_spool(64 << 10);
        cr_expect_eq(pt_spool_lines(spool), 0);
        pt_spool_free(spool);
}

/* Killed: nobody has synced anything. What was removed since the last sync may come twice. */
Test(spool, a_kill_loses_nothing)
{
        pid_t child = fork();
        int status;

        if (child == 0) {
                struct pt_spool *spool = open_spool(64 << 10);

                for (unsigned i = 0; i < 150; i++)
                        put(spool, i);
                expect_lines(spool, 0, 10);
                kill(getpid(), SIGKILL);
        }
        waitpid(child, &status, 0);
        cr_assert(WIFSIGNALED(status));
        struct pt_spool *spool = open_spool(64 << 10);
        cr_expect_eq(pt_spool_lines(spool), 150);
        expect_lines(spool, 0, 150);
        pt_spool_free(spool);
}

Test(spool, a_torn_end_is_cut_off_and_counted)
{
        static const struct {
                const char *bytes;
                size_t length;
        } rows[] = {
                {"{\"torn", 6},
                {"\0\0\0\0\0\0\0\0", 8}, /* after a power failure */
                {"{\"to\0\0\0\0\n\0\0", 11},
        };

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                struct pt_spool *spool = open_spool(64 << 10);
                char name[32];

                put(spool, 1);
                put(spool, 2);
                pt_spool_free(spool);
                snprintf(name, sizeof name, "%016zx.ndjson", i + 1);
                append(name, rows[i].bytes, rows[i].length);
                spool = open_spool(64 << 10);
                cr_expect_eq(pt_spool_torn(spool), 1);
                cr_expect_eq(pt_spool_lines(spool), 2);
                put(spool, 3);
                expect_lines(spool, 1, 3);
                pt_spool_free(spool);
                unlink(path_of("cursor"));
        }
}

/* A cursor that means nothing: rather twice than not at all. */
Test(spool, a_broken_cursor_delivers_all_again)
{
        static const char *const cursors[] = {"", "rubbish\n", "0000000000000001 55\n",
                                              "0000000000000001 999999\n",
                                              "00000000000000ff 100\n"};

        for (size_t i = 0; i < sizeof cursors / sizeof *cursors; i++) {
                struct pt_spool *spool = open_spool(64 << 10);

                for (unsigned j = 0; j < 5; j++)
                        put(spool, j);
                expect_lines(spool, 0, 2);
                pt_spool_free(spool);
                unlink(path_of("cursor"));
                append("cursor", cursors[i], strlen(cursors[i]));
                spool = open_spool(64 << 10);
                cr_expect_eq(pt_spool_lines(spool), 5, "%s", cursors[i]);
                expect_lines(spool, 0, 5);
                pt_spool_free(spool);
                unlink(path_of("cursor")); /* so that numbers begin with 1 again */
        }
}

Test(spool, it_is_one_process_own)
{
        struct pt_spool *spool = open_spool(64 << 10), *other = NULL;

        cr_expect_eq(pt_spool_open(folder, "unix:/run/reader", 1 << 16, &other), -EWOULDBLOCK);
        cr_expect_null(other);
        cr_expect_eq(pt_spool_open(folder, "unix:/run/other", 1 << 16, &other), 0);
        pt_spool_free(other);
        pt_spool_free(spool);
        spool = open_spool(64 << 10);
        pt_spool_free(spool);
}

Test(spool, nobody_else_reads_it)
{
        struct stat status;

        umask(0);
        struct pt_spool *spool = open_spool(64 << 10);
        put(spool, 1);
        pt_spool_finish(spool);
        pt_spool_free(spool);
        cr_assert_eq(stat(path_of(""), &status), 0);
        cr_expect_eq(status.st_mode & 0777, 0700);
        cr_assert_eq(stat(path_of("0000000000000001.ndjson"), &status), 0);
        cr_expect_eq(status.st_mode & 0777, 0600);
}

/* RLIMIT_FSIZE stands for a full disk: a line that was half written is taken back. */
Test(spool, a_line_half_written_is_taken_back)
{
        struct rlimit limit = {.rlim_cur = 250, .rlim_max = RLIM_INFINITY};
        struct pt_spool *spool = open_spool(64 << 10);

        signal(SIGXFSZ, SIG_IGN);
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        cr_expect_eq(put(spool, 0), PT_SPOOL_TAKEN);
        cr_expect_eq(put(spool, 1), PT_SPOOL_TAKEN);
        cr_expect_eq(put(spool, 2), -EFBIG);
        cr_expect_eq(pt_spool_lines(spool), 2);
        limit.rlim_cur = RLIM_INFINITY;
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        cr_expect_eq(put(spool, 2), PT_SPOOL_TAKEN);
        expect_lines(spool, 0, 3);
        pt_spool_free(spool);
}

/* Somebody has cut a segment under us: what is gone is counted, what follows is delivered. */
Test(spool, a_segment_that_cannot_be_read_is_given_up)
{
        struct pt_spool *spool = open_spool(32 << 10);
        char bytes[1000];
        size_t length;
        uint64_t too_long;

        for (unsigned i = 0; i < 60; i++)
                put(spool, i);
        cr_assert_eq(truncate(path_of("0000000000000001.ndjson"), 0), 0);
        cr_expect_eq(pt_spool_read(spool, bytes, 1000, &length, &too_long), -EIO);
        cr_expect_eq(pt_spool_skip(spool), 40);
        expect_lines(spool, 40, 20);
        pt_spool_free(spool);
}

Test(spool, names_of_folders_are_of_any_destination)
{
        static char destination[5000];
        struct pt_spool *spool, *other;

        memset(destination, 'a', sizeof destination - 1);
        cr_assert_eq(pt_spool_open(folder, destination, 1 << 16, &spool), 0);
        destination[4990] = 'b';
        cr_assert_eq(pt_spool_open(folder, destination, 1 << 16, &other), 0);
        pt_spool_free(other);
        pt_spool_free(spool);
        cr_assert_eq(pt_spool_open(folder, "../../x", 1 << 16, &spool), 0);
        pt_spool_free(spool);
        cr_expect_eq(pt_spool_open("/nonexistent/spool", "x", 1 << 16, &spool), -ENOENT);
}
