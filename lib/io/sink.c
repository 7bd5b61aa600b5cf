#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_SIZE ((size_t)64 << 10)
#define PAUSE_MS 100

struct pt_sink {
        int fd;
        bool regular; /* a file that can be cut back */
        bool inside;  /* what a pipe was given last ends inside a line */
        bool torn;    /* and that line will not be finished: close it first */
        bool waiting; /* and it has been said */
        int lost;     /* errno of a lost destination, or 0 */
        char *bytes;  /* lines not yet written */
        size_t length;
        size_t size;
        struct pt_sink_stats stats;
        void (*notice)(void *context, const char *sentence);
        void *context;
        const volatile bool *stop;
        char destination[];
};

static uint64_t lines_in(const char *bytes, size_t length)
{
        const char *end = bytes + length;
        uint64_t lines = 0;

        for (const char *p = bytes; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
                lines++;
        return lines;
}

/* How many of these bytes are whole lines. */
static size_t whole_lines(const char *bytes, size_t length)
{
        const char *last = memrchr(bytes, '\n', length);

        return last ? (size_t)(last - bytes) + 1 : 0;
}

/* The first `length` bytes of the buffer are out. */
static void sent(struct pt_sink *sink, size_t length)
{
        if (!length)
                return;
        sink->inside = sink->bytes[length - 1] != '\n';
        sink->stats.delivered += lines_in(sink->bytes, length);
        sink->length -= length;
        memmove(sink->bytes, sink->bytes + length, sink->length);
        sink->waiting = false;
}

static bool is_full(int error)
{
        return error == ENOSPC || error == EDQUOT;
}

/* All lines that wait are given up. */
static int drop(struct pt_sink *sink, int error)
{
        uint64_t lines = lines_in(sink->bytes, sink->length);

        if (is_full(error) || error == EFBIG)
                sink->stats.dropped_disk_full += lines;
        else
                sink->stats.dropped_peer_down += lines;
        sink->length = 0;
        sink->torn = sink->torn || sink->inside;
        sink->inside = false;
        return -error;
}

static int lose(struct pt_sink *sink, int error)
{
        sink->lost = error;
        return drop(sink, error);
}

static void say_waiting(struct pt_sink *sink, int error)
{
        char sentence[256];

        if (sink->waiting || !sink->notice)
                return;
        sink->waiting = true;
        snprintf(sentence, sizeof(sentence), "%.150s: %s: waiting", sink->destination,
                 strerror(error));
        sink->notice(sink->context, sentence);
}

static bool stopped(const struct pt_sink *sink)
{
        return sink->stop && *sink->stop;
}

/* --- files ------------------------------------------------------------------------------------ */

/*
 * Several programs may append to one file. Each write is whole, but who looks at the file's end
 * while another writes sees half of it. So everybody takes his turn, for a moment: whoever may read
 * the file can hold the lock for ever, and is not waited for.
 */
static void take_turn(const struct pt_sink *sink)
{
        for (int i = 0; i < 50 && flock(sink->fd, LOCK_EX | LOCK_NB) < 0; i++) {
                if (errno != EWOULDBLOCK && errno != EINTR)
                        return;
                poll(NULL, 0, 2);
        }
}

static void give_turn(const struct pt_sink *sink)
{
        flock(sink->fd, LOCK_UN);
}

/*
 * A write ended inside a line: cut the file back to the last whole one. `torn` bytes are to go. If
 * somebody else has appended meanwhile, or the file may only grow (chattr +a), the line stays torn,
 * and the next write closes it.
 */
static void take_back(struct pt_sink *sink, size_t torn)
{
        off_t end = lseek(sink->fd, 0, SEEK_CUR);
        off_t whole = end - (off_t)torn;
        struct stat status;

        sink->torn = true;
        if (end < 0 || fstat(sink->fd, &status) < 0 || status.st_size != end)
                return;
        if (ftruncate(sink->fd, whole) < 0)
                return;
        sink->torn = false;
        /* Standard output may be a file that was not opened for appending. */
        lseek(sink->fd, whole, SEEK_SET);
}

static int close_torn(struct pt_sink *sink)
{
        if (!sink->torn)
                return 0;
        if (write(sink->fd, "\n", 1) != 1)
                return errno;
        sink->torn = false;
        sink->stats.closed_torn++;
        return 0;
}

/*
 * One attempt at a file. 0, or the errno of why it went no further. After a short write the rest is
 * tried once more before anything is taken back: only then does the kernel say what is wrong.
 */
static int write_file(struct pt_sink *sink)
{
        size_t done = 0;

        take_turn(sink);
        int error = close_torn(sink);

        while (!error && done < sink->length) {
                ssize_t n = write(sink->fd, sink->bytes + done, sink->length - done);
                if (n >= 0)
                        done += (size_t)n;
                else if (errno != EINTR)
                        error = errno;
        }
        size_t whole = whole_lines(sink->bytes, done);
        if (whole < done)
                take_back(sink, done - whole);
        give_turn(sink);
        sent(sink, whole);
        return error;
}

/* --- pipes, terminals, devices ---------------------------------------------------------------- */

/*
 * One attempt. What poll() calls writable takes PIPE_BUF bytes at once, so nothing blocks where the
 * stop flag is not looked at. Lines of that size arrive whole even if others write there too; of a
 * longer one, what is left goes out the next time.
 */
static int write_stream(struct pt_sink *sink)
{
        struct pollfd ready = {.fd = sink->fd, .events = POLLOUT};
        size_t piece = sink->length < PIPE_BUF ? sink->length : PIPE_BUF;
        size_t whole = whole_lines(sink->bytes, piece);

        int r = poll(&ready, 1, PAUSE_MS);
        if (r <= 0)
                return r < 0 ? errno : EAGAIN;
        r = close_torn(sink);
        if (r)
                return r;
        ssize_t n = write(sink->fd, sink->bytes, whole ? whole : piece);
        if (n < 0)
                return errno;
        sent(sink, (size_t)n);
        return 0;
}

/* --- both ------------------------------------------------------------------------------------- */

int pt_sink_flush(struct pt_sink *sink)
{
        while (sink->length && !sink->lost) {
                int error = sink->regular ? write_file(sink) : write_stream(sink);
                if (!error || error == EINTR)
                        continue;
                if (!is_full(error) && error != EAGAIN)
                        return lose(sink, error);
                if (stopped(sink))
                        return drop(sink, error);
                if (is_full(error)) {
                        say_waiting(sink, error);
                        poll(NULL, 0, PAUSE_MS);
                }
        }
        return -sink->lost;
}

/* 0; or negative: what flush dropped, or -ENOMEM when there is no room all the same. */
static int room_for(struct pt_sink *sink, size_t length)
{
        if (sink->size - sink->length >= length)
                return 0;
        int r = pt_sink_flush(sink);
        if (sink->size >= length)
                return r;
        char *bytes = realloc(sink->bytes, length);
        if (!bytes)
                return -ENOMEM;
        sink->bytes = bytes;
        sink->size = length;
        return r;
}

int pt_sink_write(struct pt_sink *sink, const char *line, size_t length)
{
        int r = room_for(sink, length);

        if (r == -ENOMEM) {
                sink->stats.dropped_too_big++;
                return r;
        }
        memcpy(sink->bytes + sink->length, line, length);
        sink->length += length;
        return sink->lost ? drop(sink, sink->lost) : r;
}

void pt_sink_wait(struct pt_sink *sink, void (*notice)(void *context, const char *sentence),
                  void *context, const volatile bool *stop)
{
        sink->notice = notice;
        sink->context = context;
        sink->stop = stop;
}

const char *pt_sink_destination(const struct pt_sink *sink)
{
        return sink->destination;
}

struct pt_sink_stats pt_sink_stats(const struct pt_sink *sink)
{
        struct pt_sink_stats stats = sink->stats;

        stats.queued = lines_in(sink->bytes, sink->length);
        return stats;
}

bool pt_sink_is_terminal(const struct pt_sink *sink)
{
        return isatty(sink->fd) == 1;
}

/* --- opening ---------------------------------------------------------------------------------- */

/* Does the file end inside a line? If we may not read it, we cannot know. */
static bool ends_torn(const char *path, const struct stat *status)
{
        struct stat same;
        char last = '\n';

        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return false;
        if (!fstat(fd, &same) && same.st_ino == status->st_ino && same.st_dev == status->st_dev &&
            pread(fd, &last, 1, status->st_size - 1) != 1)
                last = '\n';
        close(fd);
        return last != '\n';
}

static const char *open_trouble(const char *path, int error)
{
        struct stat status;

        if (error == ENXIO && !stat(path, &status) && S_ISFIFO(status.st_mode))
                return "a FIFO that nobody reads: start its reader first";
        if (error == ENXIO && !stat(path, &status) && S_ISSOCK(status.st_mode))
                return "a socket, which is not written to as a file";
        return strerror(error);
}

static int open_file(struct pt_sink *sink)
{
        const char *path = sink->destination;

        if (!strncmp(path, "unix:", 5) || !strncmp(path, "tcp:", 4))
                return -ENOTSUP;
        /* O_NONBLOCK: a FIFO without a reader says so instead of waiting here for ever. */
        sink->fd =
                open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
        return sink->fd < 0 ? -errno : 0;
}

/* What an earlier run left torn is closed now; if the disk is full, the first write tries again. */
static void look_at_end(struct pt_sink *sink)
{
        struct stat status;

        take_turn(sink);
        if (!fstat(sink->fd, &status) && status.st_size > 0)
                sink->torn = ends_torn(sink->destination, &status);
        close_torn(sink);
        give_turn(sink);
}

static int open_any(struct pt_sink *sink)
{
        struct stat status;
        bool out = !strcmp(sink->destination, "-");
        int r = 0;

        if (out)
                sink->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
        else
                r = open_file(sink);
        if (r < 0)
                return r;
        if (sink->fd < 0 || fstat(sink->fd, &status) < 0)
                return -errno;
        sink->regular = S_ISREG(status.st_mode);
        if (!out && sink->regular)
                look_at_end(sink);
        sink->size = BUFFER_SIZE;
        sink->bytes = malloc(sink->size);
        return sink->bytes ? 0 : -ENOMEM;
}

int pt_sink_open(const char *destination, struct pt_sink **ret, char sentence[256])
{
        size_t length = strlen(destination) + 1;

        struct pt_sink *sink = calloc(1, sizeof(*sink) + length);
        if (!sink) {
                snprintf(sentence, 256, "%.150s: %s", destination, strerror(ENOMEM));
                return -ENOMEM;
        }
        memcpy(sink->destination, destination, length);
        sink->fd = -1;
        int r = open_any(sink);
        if (r < 0) {
                snprintf(sentence, 256, "%.150s: %s", destination,
                         r == -ENOTSUP ? "sockets are not written to by this version"
                                       : open_trouble(destination, -r));
                pt_sink_free(sink);
                return r;
        }
        *ret = sink;
        return 0;
}

struct pt_sink *pt_sink_free(struct pt_sink *sink)
{
        if (!sink)
                return NULL;
        if (sink->bytes)
                pt_sink_flush(sink);
        if (sink->fd >= 0)
                close(sink->fd);
        free(sink->bytes);
        free(sink);
        return NULL;
}
