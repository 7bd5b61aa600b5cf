#include "io/capture/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_UP 100   /* milliseconds after which a wait looks at `stop` */
#define LOOKS_IDLE 20 /* such looks, and nobody has written */

int pt_feed_open(struct pt_feed *feed, const char *path)
{
        struct stat status;

        if (strcmp(path, "-") == 0)
                feed->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
        else
                feed->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (feed->fd < 0 || fstat(feed->fd, &status) < 0)
                return -errno;
        if (S_ISDIR(status.st_mode))
                return -EISDIR;
        sha256_init(&feed->hash);
        feed->regular = S_ISREG(status.st_mode);
        feed->size = feed->regular ? (uint64_t)status.st_size : 0;
        return 0;
}

static bool stopped(const struct pt_feed *feed)
{
        return (feed->stop && *feed->stop) || feed->abandoned;
}

/*
 * Wait until a pipe has something to read, or `stop` is set. A signal that comes between a look at
 * `stop` and read() would not be noticed there.
 */
static int await(const struct pt_feed *feed)
{
        struct pollfd poll_fd = {.fd = feed->fd, .events = POLLIN};
        unsigned looks = 0;
        int r;

        do {
                if (stopped(feed))
                        return -EINTR;
                r = poll(&poll_fd, 1, LOOK_UP);
                if (r == 0 && ++looks == LOOKS_IDLE && feed->idle.tell)
                        feed->idle.tell(feed->idle.context);
        } while (r == 0 || (r < 0 && errno == EINTR));
        return r < 0 ? -errno : 0;
}

ssize_t pt_feed_read(struct pt_feed *feed, void *bytes, size_t size)
{
        ssize_t got;

        do {
                int r = feed->regular ? 0 : await(feed);

                if (r < 0)
                        return r;
                got = read(feed->fd, bytes, size);
        } while (got < 0 && (errno == EAGAIN || (errno == EINTR && !stopped(feed))));
        if (got < 0)
                return -errno;
        if (got == 0 && feed->follow && feed->regular)
                return stopped(feed) ? -EINTR : -EAGAIN;
        if (feed->hashed)
                sha256_update(&feed->hash, (size_t)got, bytes);
        feed->taken += (uint64_t)got;
        return got;
}

bool pt_feed_digest(struct pt_feed *feed, char ret[PT_FEED_DIGEST])
{
        static uint8_t rest[1 << 16]; /* what is in it, nobody asks */
        uint8_t digest[SHA256_DIGEST_SIZE];
        ssize_t got;

        do
                got = stopped(feed) ? -EINTR : pt_feed_read(feed, rest, sizeof rest);
        while (got > 0);
        if (got < 0)
                return false;
        sha256_digest(&feed->hash, sizeof digest, digest);
        for (size_t i = 0; i < sizeof digest; i++)
                snprintf(ret + 2 * i, 3, "%02x", digest[i]);
        return true;
}

void pt_feed_close(struct pt_feed *feed)
{
        if (feed->fd >= 0)
                close(feed->fd);
        feed->fd = -1;
}
