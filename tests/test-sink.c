#include "io/output/sink.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- a folder of its own for each test ---------------------------------------------------------
 */

static char folder[64];
static char path[96];

static void make_folder(void)
{
        snprintf(folder, sizeof(folder), "/tmp/test-sink-XXXXXX");
        cr_assert_not_null(mkdtemp(folder));
        snprintf(path, sizeof(path), "%s/lines", folder);
}

static void remove_folder(void)
{
        unlink(path);
        umount2(folder, MNT_DETACH);
        rmdir(folder);
}

TestSuite(sink, .init = make_folder, .fini = remove_folder);

static void write_text(const char *text)
{
        FILE *f = fopen(path, "w");

        cr_assert_not_null(f);
        cr_assert_geq(fputs(text, f), 0);
        cr_assert_eq(fclose(f), 0);
}

/* All of the file; the next call takes the place of the last. */
static const char *text(void)
{
        static char bytes[1 << 20];
        FILE *f = fopen(path, "r");

        cr_assert_not_null(f);
        bytes[fread(bytes, 1, sizeof(bytes) - 1, f)] = '\0';
        fclose(f);
        return bytes;
}

static struct pt_sink *open_with(struct pt_sink_settings settings)
{
        struct pt_sink *sink = NULL;
        char sentence[256] = "";

        cr_assert_eq(pt_sink_open(&settings, &sink, sentence), 0, "%s", sentence);
        return sink;
}

static struct pt_sink *open_sink(const char *destination)
{
        return open_with((struct pt_sink_settings){.destination = destination});
}

/* The errno with which it is refused. */
static int refused(const char *destination, char sentence[256])
{
        struct pt_sink *sink = NULL;
        int r = pt_sink_open(&(struct pt_sink_settings){.destination = destination}, &sink,
                             sentence);

        cr_expect_null(sink);
        return r;
}

static int write_line(struct pt_sink *sink, const char *line)
{
        return pt_sink_write(sink, line, strlen(line));
}

/* A line of `length` octets that says which one it is. */
static const char *numbered(unsigned number, size_t length)
{
        static char line[1 << 18];

        memset(line, 'x', length);
        line[snprintf(line, 16, "%08u", number)] = ' ';
        line[length - 1] = '\n';
        line[length] = '\0';
        return line;
}

/* Are these the numbered lines first, first + 1, ... and nothing else? How many. */
static unsigned count_numbered(const char *bytes, unsigned first, size_t length)
{
        unsigned count = 0;

        while (*bytes) {
                const char *expected = numbered(first + count, length);
                cr_assert_eq(strncmp(bytes, expected, length), 0, "line %u", first + count);
                bytes += length;
                count++;
        }
        return count;
}

/* Nothing is lost without a number. */
static void expect_conserved(const struct pt_sink *sink, uint64_t lines)
{
        struct pt_sink_stats s = pt_sink_stats(sink);

        cr_expect_eq(s.generated, lines);
        cr_expect_eq(
                s.delivered + s.queued + s.spooled + s.dropped_disk_full + s.dropped_peer_down +
                        s.dropped_queue_full + s.dropped_too_big + s.dropped_no_memory,
                lines, "%llu of %llu", (unsigned long long)s.delivered, (unsigned long long)lines);
}

/* --- in good times -----------------------------------------------------------------------------
 */

Test(sink, lines_are_gathered_and_appended)
{
        write_text("from an earlier run\n");
        struct pt_sink *sink = open_sink(path);

        cr_expect_str_eq(pt_sink_destination(sink), path);
        cr_expect_not(pt_sink_is_terminal(sink));
        cr_expect_eq(write_line(sink, "one\n"), 0);
        cr_expect_eq(write_line(sink, "two\n"), 0);
        cr_expect_str_eq(text(), "from an earlier run\n");
        cr_expect_eq(pt_sink_stats(sink).queued, 2);
        cr_expect_eq(pt_sink_flush(sink), 0);
        cr_expect_str_eq(text(), "from an earlier run\none\ntwo\n");
        cr_expect_eq(pt_sink_stats(sink).delivered, 2);
        cr_expect_eq(pt_sink_stats(sink).queued, 0);
        cr_expect_eq(write_line(sink, "three\n"), 0);
        cr_expect_null(pt_sink_free(sink));
        cr_expect_str_eq(text(), "from an earlier run\none\ntwo\nthree\n");
        cr_expect_null(pt_sink_free(NULL));
}

Test(sink, a_new_file_is_nobody_elses)
{
        struct stat status;

        umask(0);
        pt_sink_free(open_sink(path));
        cr_assert_eq(stat(path, &status), 0);
        cr_expect_eq(status.st_mode & 07777, 0640);
}

Test(sink, a_line_longer_than_the_buffer_is_whole)
{
        struct pt_sink *sink = open_sink(path);
        size_t lengths[] = {65535, 65536, 65537, 200000};

        for (size_t i = 0; i < 4; i++) {
                cr_expect_eq(write_line(sink, "before\n"), 0);
                cr_expect_eq(write_line(sink, numbered((unsigned)i, lengths[i])), 0);
                cr_expect_eq(write_line(sink, "after\n"), 0);
        }
        cr_expect_eq(pt_sink_flush(sink), 0);
        expect_conserved(sink, 12);
        cr_expect_eq(pt_sink_stats(sink).delivered, 12);
        pt_sink_free(sink);
        const char *bytes = text();
        for (size_t i = 0; i < 4; i++) {
                cr_expect_eq(strncmp(bytes, "before\n", 7), 0);
                cr_expect_eq(strncmp(bytes + 7, numbered((unsigned)i, lengths[i]), lengths[i]), 0);
                cr_expect_eq(strncmp(bytes + 7 + lengths[i], "after\n", 6), 0);
                bytes += 13 + lengths[i];
        }
}

/* Several programs may append to one file: nobody's line is inside another's. */
Test(sink, two_writers_share_a_file_line_by_line)
{
        enum { LINES = 2000, LENGTH = 700 };

        pt_sink_free(open_sink(path));
        for (int child = 0; child < 2; child++) {
                if (fork() == 0) {
                        struct pt_sink *sink = open_sink(path);
                        char line[LENGTH + 1];

                        memset(line, 'a' + child, LENGTH);
                        line[LENGTH - 1] = '\n';
                        line[LENGTH] = '\0';
                        for (int i = 0; i < LINES; i++)
                                write_line(sink, line);
                        pt_sink_free(sink);
                        _exit(0);
                }
        }
        while (wait(NULL) > 0)
                ;
        struct stat status;
        cr_assert_eq(stat(path, &status), 0);
        cr_expect_eq(status.st_size, 2 * LINES * LENGTH);
        FILE *f = fopen(path, "r");
        char line[LENGTH + 1];
        while (fgets(line, sizeof(line), f)) {
                cr_assert_eq(strlen(line), LENGTH);
                cr_assert_eq(strspn(line, (char[]){line[0], '\0'}), LENGTH - 1);
        }
        fclose(f);
}

/* --- opening -----------------------------------------------------------------------------------
 */

/* An earlier run was killed inside a line: ours must not be glued to it. */
Test(sink, a_torn_last_line_is_closed)
{
        static const struct {
                const char *before, *after;
                uint64_t closed;
        } rows[] = {
                {"", "one\n", 0},
                {"whole\n", "whole\none\n", 0},
                {"whole\n{\"torn", "whole\n{\"torn\none\n", 1},
                {"t", "t\none\n", 1},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                write_text(rows[i].before);
                struct pt_sink *sink = open_sink(path);
                cr_expect_eq(write_line(sink, "one\n"), 0);
                cr_expect_eq(pt_sink_flush(sink), 0);
                cr_expect_eq(pt_sink_stats(sink).closed_torn, rows[i].closed);
                expect_conserved(sink, 1);
                pt_sink_free(sink);
                cr_expect_str_eq(text(), rows[i].after);
        }
}

Test(sink, what_cannot_be_opened_says_why)
{
        struct pt_sink *sink;
        char sentence[256], link[128];

        cr_expect_eq(refused(folder, sentence), -EISDIR);
        cr_expect(strstr(sentence, strerror(EISDIR)), "%s", sentence);
        cr_expect(strstr(sentence, folder), "%s", sentence);

        cr_expect_eq(refused("/nonexistent/lines", sentence), -ENOENT);
        cr_expect(strstr(sentence, strerror(ENOENT)), "%s", sentence);

        cr_assert_eq(mkfifo(path, 0600), 0);
        cr_expect_eq(refused(path, sentence), -ENXIO);
        cr_expect(strstr(sentence, "a FIFO that nobody reads"), "%s", sentence);
        unlink(path);

        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        memcpy(address.sun_path, path, strlen(path) + 1);
        cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        cr_expect_eq(refused(path, sentence), -ENXIO);
        cr_expect(strstr(sentence, "a socket"), "%s", sentence);
        close(fd);
        unlink(path);

        cr_expect_eq(refused("unix:", sentence), -EINVAL);
        cr_expect_eq(refused("tcp:127.0.0.1", sentence), -EINVAL);
        cr_expect(strstr(sentence, "tcp:HOST:PORT is expected"), "%s", sentence);

        snprintf(link, sizeof(link), "%s/link", folder);
        cr_assert_eq(symlink(path, link), 0);
        sink = open_sink(link);
        cr_expect_eq(write_line(sink, "through a link\n"), 0);
        pt_sink_free(sink);
        unlink(link);
        cr_expect_str_eq(text(), "through a link\n");
}

/* --- a full disk -------------------------------------------------------------------------------
 */

/*
 * A file system of 64 KiB in a mount namespace of our own, where the kernel lets us. Stood on
 * `path`'s folder, so that all else is as in the other tests.
 */
static void small_disk(void)
{
        int flags = geteuid() ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS;

        if (unshare(flags) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("tmpfs", folder, "tmpfs", 0, "size=64k") < 0)
                cr_skip("no namespaces here: %s", strerror(errno));
}

struct told {
        unsigned times, recovered;
        char sentence[256];
        const char *more[2]; /* what to do the first time and the second: a new size of the disk */
        bool stop;           /* end the waiting at once, */
        bool stop_later;     /* or after two rounds of it */
        struct stat status;  /* of the file at that moment */
        char last;           /* octet of it */
        volatile bool stopped;
};

static void tell(void *context, const struct pt_notice *notice)
{
        struct told *told = context;

        if (notice->kind != PT_NOTICE_OUTPUT_TROUBLE) {
                told->recovered += notice->kind == PT_NOTICE_OUTPUT_RECOVERED;
                return;
        }

        const char *more = told->times < 2 ? told->more[told->times] : NULL;

        told->times++;
        snprintf(told->sentence, sizeof(told->sentence), "%s: %s", notice->subject,
                 notice->sentence);
        int fd = open(path, O_RDONLY);
        if (fd >= 0) {
                fstat(fd, &told->status);
                if (pread(fd, &told->last, 1, told->status.st_size - 1) != 1)
                        told->last = '?';
                close(fd);
        }
        if (more)
                cr_assert_eq(mount(NULL, folder, NULL, MS_REMOUNT, more), 0);
        if (told->stop_later)
                setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_usec = 250000}, NULL);
        told->stopped = told->stop;
}

static struct pt_sink *open_told(const char *destination, struct told *told,
                                 const volatile bool *stop)
{
        return open_with((struct pt_sink_settings){
                .destination = destination,
                .notify = {tell, told},
                .stop = stop,
        });
}

static volatile bool alarmed;

static void on_alarm(int signal)
{
        (void)signal;
        alarmed = true;
}

/* Design 7: replay waits for a full disk. The file never ends inside a line, and no line is lost.
 */
Test(sink, a_full_disk_is_waited_for)
{
        enum { LINES = 200, LENGTH = 919 };
        struct told told = {.more = {"size=128k", "size=1m"}};

        small_disk();
        struct pt_sink *sink = open_told(path, &told, &told.stopped);
        for (unsigned i = 0; i < LINES; i++)
                cr_assert_eq(write_line(sink, numbered(i, LENGTH)), 0);
        cr_expect_eq(pt_sink_flush(sink), 0);

        cr_expect_eq(told.times, 2, "%u", told.times);
        cr_expect(strstr(told.sentence, path), "%s", told.sentence);
        cr_expect(strstr(told.sentence, strerror(ENOSPC)), "%s", told.sentence);
        cr_expect_gt(told.status.st_size, 0);
        cr_expect_eq(told.status.st_size % LENGTH, 0);
        cr_expect_eq(told.last, '\n');
        cr_expect_eq(pt_sink_stats(sink).delivered, LINES);
        cr_expect_eq(pt_sink_stats(sink).closed_torn, 0);
        expect_conserved(sink, LINES);
        pt_sink_free(sink);
        cr_expect_eq(count_numbered(text(), 0, LENGTH), LINES);
}

/* A burst that is larger than the queue, and a file that takes lines: none is lost. */
Test(sink, a_burst_larger_than_the_queue_goes_to_a_file_that_takes_it)
{
        enum { LINES = 1000, LENGTH = 919 };
        const struct pt_sink_settings settings = {
                .destination = path, .live = true, .queue = 16 << 10};
        char sentence[256];
        struct pt_sink *sink;

        cr_assert_eq(pt_sink_open(&settings, &sink, sentence), 0, "%s", sentence);
        for (unsigned i = 0; i < LINES; i++)
                cr_expect_eq(write_line(sink, numbered(i, LENGTH)), 0, "line %u", i);
        cr_expect_eq(pt_sink_flush(sink), 0);
        cr_expect_eq(pt_sink_stats(sink).delivered, LINES);
        expect_conserved(sink, LINES);
        pt_sink_free(sink);
        cr_expect_eq(count_numbered(text(), 0, LENGTH), LINES);
}

/* A line that nobody could make was meant for the destination: it is counted, the others go on. */
Test(sink, a_line_that_could_not_be_made_is_counted)
{
        struct pt_sink *sink = open_sink(path);

        cr_expect_eq(write_line(sink, "one\n"), 0);
        pt_sink_miss(sink);
        cr_expect_eq(write_line(sink, "three\n"), 0);
        cr_expect_eq(pt_sink_flush(sink), 0);
        cr_expect_eq(pt_sink_stats(sink).dropped_no_memory, 1);
        cr_expect_eq(pt_sink_stats(sink).delivered, 2);
        expect_conserved(sink, 3);
        pt_sink_free(sink);
        cr_expect_str_eq(text(), "one\nthree\n");
}

/* Told to stop meanwhile: what is in the file is whole, what is not is counted. */
Test(sink, a_full_disk_and_a_stop_leave_whole_lines_and_a_count)
{
        enum { LINES = 200, LENGTH = 919 };
        struct told told = {.stop = true};
        int r = 0;

        small_disk();
        struct pt_sink *sink = open_told(path, &told, &told.stopped);
        for (unsigned i = 0; i < LINES; i++)
                r = r < 0 ? (write_line(sink, numbered(i, LENGTH)), r)
                          : write_line(sink, numbered(i, LENGTH));
        cr_expect_eq(r, -ENOSPC);
        cr_expect_eq(pt_sink_flush(sink), -ENOSPC);
        struct pt_sink_stats stats = pt_sink_stats(sink);
        cr_expect_gt(stats.delivered, 0);
        cr_expect_gt(stats.dropped_disk_full, 0);
        expect_conserved(sink, LINES);
        pt_sink_free(sink);
        cr_expect_eq(count_numbered(text(), 0, LENGTH), stats.delivered);
}

/* It is said once, however long it takes. */
Test(sink, a_long_wait_is_said_once)
{
        struct told told = {.stop_later = true};
        struct pt_sink *sink = open_told("/dev/full", &told, &alarmed);

        signal(SIGALRM, on_alarm);
        cr_expect_eq(write_line(sink, "one\n"), 0);
        cr_expect_eq(pt_sink_flush(sink), -ENOSPC);
        cr_expect(alarmed);
        cr_expect_eq(told.times, 1);
        pt_sink_free(sink);
}

/* Another program's lines follow our torn one: it cannot be taken back, so it is closed. */
Test(sink, a_torn_line_that_others_followed_is_closed)
{
        struct rlimit limit = {.rlim_cur = 10, .rlim_max = RLIM_INFINITY};
        int fd, only_grow = FS_APPEND_FL, as_usual = 0;

        /* A file that may only grow (chattr +a), where the file system knows such, stands for it.
         */
        write_text("");
        fd = open(path, O_RDONLY);
        if (ioctl(fd, FS_IOC_SETFLAGS, &only_grow) < 0)
                cr_skip("no append-only files here: %s", strerror(errno));
        signal(SIGXFSZ, SIG_IGN);
        struct pt_sink *sink = open_sink(path);
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        cr_expect_eq(write_line(sink, "0123456789abcdef\n"), 0);
        cr_expect_eq(pt_sink_flush(sink), -EFBIG);
        expect_conserved(sink, 1);
        pt_sink_free(sink);
        ioctl(fd, FS_IOC_SETFLAGS, &as_usual);
        close(fd);
        cr_expect_str_eq(text(), "0123456789");
}

/* A device that is always full: /dev/full is no file that could be cut back. */
Test(sink, dev_full_is_waited_for_until_told_to_stop)
{
        struct told told = {.stop = true};
        struct pt_sink *sink = open_told("/dev/full", &told, &told.stopped);

        cr_expect_eq(write_line(sink, "one\n"), 0);
        cr_expect_eq(write_line(sink, "two\n"), 0);
        cr_expect_eq(pt_sink_flush(sink), -ENOSPC);
        cr_expect_eq(told.times, 1);
        cr_expect_eq(pt_sink_stats(sink).dropped_disk_full, 2);
        expect_conserved(sink, 2);
        pt_sink_free(sink);
}

/* RLIMIT_FSIZE: the file will not grow by waiting. What is in it ends with a whole line. */
Test(sink, a_file_size_limit_loses_the_destination)
{
        struct rlimit limit = {.rlim_cur = 100, .rlim_max = RLIM_INFINITY};
        struct told told = {0};

        signal(SIGXFSZ, SIG_IGN);
        struct pt_sink *sink = open_told(path, &told, &told.stopped);
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        for (unsigned i = 0; i < 5; i++)
                cr_expect_eq(write_line(sink, numbered(i, 30)), 0);
        cr_expect_eq(pt_sink_flush(sink), -EFBIG);
        cr_expect_eq(write_line(sink, numbered(5, 30)), -EFBIG);
        cr_expect_eq(pt_sink_flush(sink), -EFBIG);
        cr_expect_eq(told.times, 0);
        cr_expect_eq(pt_sink_stats(sink).delivered, 3);
        cr_expect_eq(pt_sink_stats(sink).dropped_disk_full, 3);
        expect_conserved(sink, 6);
        limit.rlim_cur = RLIM_INFINITY;
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        pt_sink_free(sink);
        cr_expect_eq(count_numbered(text(), 0, 30), 3);
}

/* --- standard output and pipes -----------------------------------------------------------------
 */

/* A shell's > does not open for appending: cutting back must move the offset too. */
Test(sink, standard_output_in_a_file_is_cut_back_too)
{
        enum { LINES = 200, LENGTH = 919 };
        struct told told = {.more = {"size=1m"}};

        small_disk();
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        cr_assert_eq(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
        close(fd);
        struct pt_sink *sink = open_told("-", &told, &told.stopped);
        for (unsigned i = 0; i < LINES; i++)
                cr_assert_eq(write_line(sink, numbered(i, LENGTH)), 0);
        cr_expect_eq(pt_sink_flush(sink), 0);
        cr_expect_eq(told.times, 1);
        cr_expect_eq(told.last, '\n');
        pt_sink_free(sink);
        cr_expect_eq(count_numbered(text(), 0, LENGTH), LINES);
}

/* `path` as a FIFO; the reading end, which does not block. */
static int make_fifo(void)
{
        cr_assert_eq(mkfifo(path, 0600), 0);
        int fd = open(path, O_RDONLY | O_NONBLOCK);
        cr_assert_geq(fd, 0);
        return fd;
}

/* A pipe made with O_DIRECT keeps writes apart: each must be whole lines, or a part of a long one.
 */
Test(sink, a_pipe_is_given_whole_lines)
{
        enum { LINES = 12, LENGTH = 1000 };
        char got[PIPE_BUF];
        int ends[2];

        cr_assert_eq(pipe2(ends, O_DIRECT), 0);
        cr_assert_eq(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
        struct pt_sink *sink = open_sink("-");
        for (unsigned i = 0; i < LINES; i++)
                cr_expect_eq(write_line(sink, numbered(i, LENGTH)), 0);
        cr_expect_eq(pt_sink_flush(sink), 0);
        for (size_t length = 0; length < LINES * LENGTH;) {
                ssize_t n = read(ends[0], got, sizeof(got));
                cr_assert_gt(n, 0);
                cr_expect_eq(n % LENGTH, 0, "%zd", n);
                length += (size_t)n;
        }
        pt_sink_free(sink);
}

/* A reader that takes a little every few milliseconds gets every line. */
Test(sink, a_slow_reader_is_waited_for)
{
        enum { LINES = 300, LENGTH = 919 };
        static char got[LINES * LENGTH + 1];
        size_t length = 0;
        ssize_t n;
        int fd = make_fifo();

        pid_t writer = fork();
        if (writer == 0) {
                close(fd);
                struct pt_sink *sink = open_sink(path);
                for (unsigned i = 0; i < LINES; i++)
                        write_line(sink, numbered(i, LENGTH));
                int r = pt_sink_flush(sink);
                bool all = pt_sink_stats(sink).delivered == LINES;
                pt_sink_free(sink);
                _exit(r == 0 && all ? 0 : 1);
        }
        poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 5000);
        for (;;) {
                poll(NULL, 0, 1);
                n = read(fd, got + length,
                         1000 < sizeof(got) - 1 - length ? 1000 : sizeof(got) - 1 - length);
                if (n == 0)
                        break;
                if (n > 0)
                        length += (size_t)n;
        }
        int status;
        waitpid(writer, &status, 0);
        cr_expect_eq(status, 0);
        cr_expect_eq(count_numbered(got, 0, LENGTH), LINES);
}

/* A reader that takes nothing, and then a stop: the rest is counted, and we return. */
Test(sink, a_reader_that_takes_nothing_does_not_keep_us, .timeout = 10)
{
        volatile bool stop = true;
        static char got[1 << 20];
        int fd = make_fifo();
        struct pt_sink *sink =
                open_with((struct pt_sink_settings){.destination = path, .stop = &stop});
        unsigned last = 0;
        int r = 0;

        for (; last < 200 && r == 0; last++)
                r = write_line(sink, numbered(last, 9000));
        last--; /* the line that found it out; it waits in the buffer now */
        cr_expect_eq(r, -EAGAIN);
        struct pt_sink_stats stats = pt_sink_stats(sink);
        cr_expect_gt(stats.delivered, 0);
        cr_expect_gt(stats.dropped_peer_down, 0);
        uint64_t lines = stats.delivered + stats.queued + stats.dropped_peer_down;

        /* The reader comes back: the line that was under way is closed, the next one is whole. */
        ssize_t length = read(fd, got, sizeof(got) - 1);
        cr_assert_gt(length, 0);
        cr_expect_eq(write_line(sink, "later\n"), 0);
        cr_expect_eq(pt_sink_flush(sink), 0);
        expect_conserved(sink, lines + 1);
        ssize_t more = read(fd, got + length, sizeof(got) - 1 - (size_t)length);
        cr_assert_gt(more, 0);
        length += more;
        got[length] = '\0';
        cr_expect_str_eq(got + length - 6, "later\n");
        cr_expect_eq(strncmp(got + length - 9006, numbered(last, 9000), 9000), 0);
        cr_expect_eq(got[length - 9007], '\n');
        cr_expect_eq(pt_sink_stats(sink).closed_torn, 1);
        pt_sink_free(sink);
        close(fd);
}

Test(sink, a_reader_that_is_gone_loses_the_destination)
{
        int fd = make_fifo();
        struct pt_sink *sink = open_sink(path);
        char got[16];

        signal(SIGPIPE, SIG_IGN);
        cr_expect_eq(write_line(sink, "one\n"), 0);
        cr_expect_eq(pt_sink_flush(sink), 0);
        cr_expect_eq(read(fd, got, sizeof(got)), 4);
        close(fd);
        cr_expect_eq(write_line(sink, "two\n"), 0);
        cr_expect_eq(pt_sink_flush(sink), -EPIPE);
        cr_expect_eq(write_line(sink, "three\n"), -EPIPE);
        cr_expect_eq(write_line(sink, numbered(4, 100000)), -EPIPE);
        cr_expect_eq(pt_sink_stats(sink).delivered, 1);
        cr_expect_eq(pt_sink_stats(sink).dropped_peer_down, 3);
        expect_conserved(sink, 4);
        pt_sink_free(sink);
}

/* A shell may hand over a standard output that does not block. */
Test(sink, an_output_that_does_not_block_is_waited_for)
{
        enum { LINES = 300, LENGTH = 919 };
        static char got[LINES * LENGTH + 1];
        size_t length = 0;
        ssize_t n;
        int ends[2];

        cr_assert_eq(pipe(ends), 0);
        cr_assert_neq(fcntl(ends[1], F_SETFL, O_NONBLOCK), -1);
        pid_t writer = fork();
        if (writer == 0) {
                close(ends[0]);
                dup2(ends[1], STDOUT_FILENO);
                struct pt_sink *sink = open_sink("-");
                for (unsigned i = 0; i < LINES; i++)
                        write_line(sink, numbered(i, LENGTH));
                int r = pt_sink_flush(sink);
                pt_sink_free(sink);
                _exit(r == 0 ? 0 : 1);
        }
        close(ends[1]);
        poll(NULL, 0, 300); /* longer than one wait of the writer's */
        while ((n = read(ends[0], got + length, sizeof(got) - 1 - length)) > 0)
                length += (size_t)n;
        int status;
        waitpid(writer, &status, 0);
        cr_expect_eq(status, 0);
        cr_expect_eq(count_numbered(got, 0, LENGTH), LINES);
}
