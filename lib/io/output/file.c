#include "io/output/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/output/pipe.h"
#include "io/output/queue.h"

#define PIECE ((size_t)1 << 20)
#define PAUSE_MOST (1000 * PT_CHANNEL_MS)

struct file {
        struct pt_channel channel;
        uint64_t max_size;
        bool out;     /* standard output: cannot be opened again */
        bool no_path; /* what the path leads to has no name: do not look whether it was deleted */
        bool no_turn; /* rotation failed: do not try for each line */
};

static struct file *file_of(struct pt_channel *channel)
{
        return (struct file *)channel;
}

/* --- turns and locks -------------------------------------------------------------------------- */

/*
 * Several programs may append to one file. Each write is whole, but who looks at the file's end
 * while another writes sees half of it. So everybody takes his turn, for a moment: whoever may read
 * the file can hold the lock for ever, and is not waited for.
 */
static bool take_turn(int fd)
{
        for (int i = 0; i < 50; i++) {
                if (flock(fd, LOCK_EX | LOCK_NB) == 0)
                        return true;
                if (errno != EWOULDBLOCK && errno != EINTR)
                        return true; /* no locks here: nothing to hold others off with */
                poll(NULL, 0, 2);
        }
        return false;
}

static void give_turn(const struct pt_channel *channel, int fd)
{
        if (!channel->live)
                flock(fd, LOCK_UN);
}

/* --- writing to a file ------------------------------------------------------------------------ */

/*
 * A write ended inside a line: cut the file back to the last whole one. `torn` octets are to go. If
 * somebody else has appended meanwhile, or the file may only grow (chattr +a), the line stays torn,
 * and the next write closes it.
 */
static void take_back(struct pt_channel *channel, size_t torn)
{
        off_t end = lseek(channel->fd, 0, SEEK_CUR);
        off_t whole = end - (off_t)torn;
        struct stat status;

        channel->torn = true;
        if (end < 0 || fstat(channel->fd, &status) < 0 || status.st_size != end)
                return;
        if (ftruncate(channel->fd, whole) < 0)
                return;
        channel->torn = false;
        /* Standard output may be a file that was not opened for appending. */
        lseek(channel->fd, whole, SEEK_SET);
}

static int close_torn(struct pt_channel *channel)
{
        if (!channel->torn)
                return 0;
        if (write(channel->fd, "\n", 1) != 1)
                return -errno;
        channel->torn = false;
        channel->closed++;
        return 0;
}

/* After a short write the rest is tried once more before anything is taken back: only then does the
 * kernel say what is wrong. */
static int write_lines(struct pt_channel *channel, const char *bytes, size_t length, size_t *ret)
{
        size_t done = 0;

        if (!channel->live)
                take_turn(channel->fd);
        int r = close_torn(channel);
        while (!r && done < length) {
                ssize_t n = write(channel->fd, bytes + done, length - done);
                if (n >= 0)
                        done += (size_t)n;
                else if (errno != EINTR)
                        r = -errno;
        }
        size_t whole = pt_queue_whole(bytes, done);
        if (whole < done)
                take_back(channel, done - whole);
        give_turn(channel, channel->fd);
        *ret = whole;
        return r;
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

const char *pt_file_trouble(const char *path, int error)
{
        struct stat status;
        bool known = !stat(path, &status);

        if (error == ENXIO && known && S_ISFIFO(status.st_mode))
                return "a FIFO that nobody reads: start its reader first";
        if (error == ENXIO && known && S_ISSOCK(status.st_mode))
                return "a socket, which is not written to as a file";
        if (error == EWOULDBLOCK)
                return "another sensor writes there";
        return strerror(error);
}

static int open_path(const struct pt_channel *channel, struct stat *ret_status)
{
        /* O_NONBLOCK: a FIFO without a reader says so instead of waiting here for ever. */
        int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
        int fd = open(channel->destination, flags, 0640);

        if (fd < 0)
                return -errno;
        if (fstat(fd, ret_status) < 0 ||
            (channel->live && S_ISREG(ret_status->st_mode) && !take_turn(fd))) {
                int error = errno;

                close(fd);
                return -error;
        }
        return fd;
}

/*
 * Standard output is shared with whoever started us, who may have it block. A description of our
 * own does not; where there can be none (a socket), poll() must do.
 */
static int open_standard(const struct pt_channel *channel, struct stat *ret_status)
{
        char path[32];
        int fd = -1;

        if (fstat(STDOUT_FILENO, ret_status) < 0)
                return -errno;
        snprintf(path, sizeof(path), "/proc/self/fd/%d", STDOUT_FILENO);
        if (channel->live && (S_ISFIFO(ret_status->st_mode) || S_ISCHR(ret_status->st_mode)))
                fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
        return fd < 0 ? -errno : fd;
}

/* What an earlier run left torn is closed now; if the disk is full, the first write tries again. */
static void look_at_end(struct pt_channel *channel)
{
        struct stat status;

        channel->torn = false;
        if (!channel->regular || file_of(channel)->out)
                return;
        if (!channel->live)
                take_turn(channel->fd);
        /* Not before: somebody may have been writing. */
        if (!fstat(channel->fd, &status) && status.st_size > 0)
                channel->torn = ends_torn(channel->destination, &status);
        close_torn(channel);
        give_turn(channel, channel->fd);
}

/* Is it the file that is open already? Nobody renamed it, and we are the one who holds its lock. */
static bool is_open(const struct pt_channel *channel)
{
        struct stat ours, there;

        return channel->fd >= 0 && !fstat(channel->fd, &ours) &&
               !stat(channel->destination, &there) && S_ISREG(ours.st_mode) &&
               ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

static int reopen(struct pt_channel *channel)
{
        struct file *file = file_of(channel);
        struct stat status = {0};
        int fd;

        if (file->out ? channel->fd >= 0 : is_open(channel))
                return 0;
        fd = file->out ? open_standard(channel, &status) : open_path(channel, &status);
        if (fd < 0)
                return fd;
        if (channel->fd >= 0)
                close(channel->fd);
        channel->fd = fd;
        channel->regular = S_ISREG(status.st_mode);
        channel->sent = 0;
        channel->events = 0;
        file->no_turn = false;
        file->no_path = file->out || status.st_nlink == 0;
        look_at_end(channel);
        return 0;
}

static int open_channel(struct pt_channel *channel, int64_t now)
{
        int r = reopen(channel);

        (void)now;
        channel->why = r ? pt_file_trouble(channel->destination, -r) : NULL;
        return r;
}

static void close_channel(struct pt_channel *channel)
{
        if (channel->fd >= 0)
                close(channel->fd);
        channel->fd = -1;
        channel->sent = 0;
}

/* --- a bound on the size, and files that go away ---------------------------------------------- */

/* Rename FILE to FILE.1, and begin a new one. Links are followed first. */
static int rotate(struct pt_channel *channel)
{
        char *real = realpath(channel->destination, NULL), *older = NULL;
        int r = 0;

        if (!real || asprintf(&older, "%s.1", real) < 0 || rename(real, older) < 0)
                r = -errno;
        free(older);
        free(real);
        return r ? r : reopen(channel);
}

/* How many octets may be written before the file is to be renamed. */
static size_t room_in_file(const struct file *file, const struct stat *status)
{
        uint64_t size = (uint64_t)status->st_size;

        if (!file->max_size || file->no_path || file->no_turn || !size)
                return PIECE;
        if (size >= file->max_size)
                return 0;
        return file->max_size - size < PIECE ? (size_t)(file->max_size - size) : PIECE;
}

/* The file was deleted: nobody would find lines there. */
static int make_again(struct pt_channel *channel)
{
        int r = reopen(channel);

        channel->why = r ? "it was deleted, and cannot be made again" : NULL;
        return r ? r : -EINTR;
}

/* -EINTR: there is another file now, and it is to be tried again. */
static int push_file(struct pt_channel *channel, const char *bytes, size_t length, size_t *ret)
{
        struct file *file = file_of(channel);
        struct stat status = {0};
        size_t room, piece, done = 0;

        if (fstat(channel->fd, &status) < 0)
                return -errno;
        if (!status.st_nlink && !file->no_path)
                return make_again(channel);
        room = room_in_file(file, &status);
        piece = pt_queue_whole(bytes, length < room ? length : room);
        if (!piece && room < PIECE) {
                int r = rotate(channel);

                file->no_turn = r < 0; /* it grows on, until it is opened anew */
                channel->why = r < 0 ? "it cannot be renamed, and grows on" : NULL;
                return r < 0 && channel->live ? r : -EINTR;
        }
        if (!piece)
                piece = (size_t)((const char *)memchr(bytes, '\n', length) - bytes) + 1;
        int r = write_lines(channel, bytes, piece, &done);
        if (done && !file->no_path && !fstat(channel->fd, &status) && !status.st_nlink)
                return make_again(channel); /* meanwhile: these lines are written once more */
        *ret = done;
        return r;
}

static int push(struct pt_channel *channel, const char *bytes, size_t length, int64_t now,
                size_t *ret_delivered)
{
        bool out = file_of(channel)->out;
        int r = 0;

        (void)now;
        *ret_delivered = 0;
        channel->why = NULL;
        if (!channel->regular)
                r = pt_pipe_push(channel, bytes, length, ret_delivered);
        for (int i = 0; channel->regular && length && i < 3; i++) {
                r = push_file(channel, bytes, length, ret_delivered);
                if (r != -EINTR)
                        break;
        }
        if (r == 0 || r == -EINTR || r == -EAGAIN || r == -ENOSPC || r == -EDQUOT)
                return r;
        if (!channel->live || (out && !channel->regular)) {
                channel->lost = true;
        } else if (!channel->regular) {
                channel->resent += channel->sent > 0;
                close_channel(channel);
        }
        return r;
}

static void free_channel(struct pt_channel *channel)
{
        close_channel(channel);
        free(channel);
}

int pt_file_new(const struct pt_file_settings *settings, struct pt_channel **ret)
{
        static const struct pt_channel_class class = {open_channel, push, reopen, close_channel,
                                                      free_channel};
        struct file *file = calloc(1, sizeof(*file));

        if (!file)
                return -ENOMEM;
        file->max_size = settings->max_size;
        file->out = !strcmp(settings->destination, "-");
        file->channel = (struct pt_channel){
                .class = &class,
                .destination = settings->destination,
                .fd = -1,
                .again = PT_CHANNEL_NEVER,
                .live = settings->live,
                .pause_most = PAUSE_MOST,
        };
        *ret = &file->channel;
        return 0;
}
