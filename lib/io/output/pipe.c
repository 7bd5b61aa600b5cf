#include "io/output/pipe.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/output/queue.h"

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

/*
 * What poll() calls writable takes PIPE_BUF octets at once, so nothing blocks, although a standard
 * output that is shared with others is not ours to be made non-blocking.
 */
static int write_piece(struct pt_channel *channel, const char *bytes, size_t length)
{
        struct pollfd ready = {.fd = channel->fd, .events = POLLOUT};
        size_t piece = length < PIPE_BUF ? length : PIPE_BUF;
        size_t whole = pt_queue_whole(bytes, piece);
        ssize_t n;
        int r;

        do
                r = poll(&ready, 1, 0);
        while (r < 0 && errno == EINTR);
        if (r <= 0)
                return r < 0 ? -errno : -EAGAIN;
        r = close_torn(channel);
        if (r)
                return r;
        do
                n = write(channel->fd, bytes, whole ? whole : piece);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : (int)n;
}

/* Has the reader gone? It can be seen before there is anything to write. */
static int look_for_reader(const struct pt_channel *channel)
{
        struct pollfd ready = {.fd = channel->fd, .events = 0};

        return poll(&ready, 1, 0) == 1 && ready.revents & POLLERR ? -EPIPE : 0;
}

int pt_pipe_push(struct pt_channel *channel, const char *bytes, size_t length,
                 size_t *ret_delivered)
{
        size_t done = channel->sent, whole;
        int r = 0;

        while (r >= 0 && done < length) {
                r = write_piece(channel, bytes + done, length - done);
                if (r > 0)
                        done += (size_t)r;
        }
        if (!length)
                r = look_for_reader(channel);
        whole = pt_queue_whole(bytes, done);
        channel->sent = done - whole;
        channel->events = r == -EAGAIN ? POLLOUT : 0;
        *ret_delivered = whole;
        return r < 0 ? r : 0;
}
