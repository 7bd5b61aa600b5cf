#include "io/output/socket.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/output/peer.h"
#include "io/output/queue.h"
#include "io/output/resolve.h"

#define MS PT_CHANNEL_MS
#define FLIGHT ((size_t)256 << 10) /* octets given away that the reader has not taken */
#define LOOK_FIRST (1 * MS)        /* after how long it is looked whether he has */
#define LOOK_MOST (100 * MS)
#define RESOLVE_PAUSE (20 * MS)
#define CONNECT_MOST (10000 * MS)
#define UNIX_PAUSE_MOST (2000 * MS)
#define TCP_PAUSE_MOST (30000 * MS)
#define SILENCE_MOST_MS 30000U

struct socket {
        struct pt_channel channel;
        bool tcp, datagram;
        bool connecting;
        bool shut;       /* the reader will say nothing more */
        int64_t started; /* connecting */
        int64_t look;    /* the present pause before looking again */
        size_t taken; /* of `sent`: known to be with the reader, in a line that is not finished */
        struct pt_resolve *resolve;
        const struct addrinfo *address; /* which one is tried */
        char host[256], service[32];
};

static struct socket *socket_of(struct pt_channel *channel)
{
        return (struct socket *)channel;
}

/* --- connecting ------------------------------------------------------------------------------- */

static void close_channel(struct pt_channel *channel)
{
        struct socket *s = socket_of(channel);

        if (channel->fd >= 0)
                close(channel->fd);
        channel->fd = -1;
        channel->sent = 0;
        channel->events = 0;
        channel->again = PT_CHANNEL_NEVER;
        s->taken = 0;
        s->connecting = s->shut = false;
        s->look = LOOK_FIRST;
}

static int connect_unix(struct socket *s, int type)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        const char *path = s->channel.destination + 5;
        int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return -errno;
        memcpy(address.sun_path, path, strlen(path) + 1);
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
                int error = errno;

                close(fd);
                return -error;
        }
        s->channel.fd = fd;
        s->datagram = type == SOCK_DGRAM;
        return 0;
}

static int open_unix(struct pt_channel *channel, int64_t now)
{
        struct socket *s = socket_of(channel);
        int r = connect_unix(s, SOCK_STREAM);

        (void)now;
        if (r == -EPROTOTYPE)
                r = connect_unix(s, SOCK_DGRAM);
        channel->why = r == -EAGAIN ? "its reader accepts no connection" : NULL;
        return r == -EAGAIN ? -EBUSY : r;
}

/* Not knowing that the other side is gone would be for ever, without these. */
static void bound_silence(int fd)
{
        const struct {
                int level, name, value;
        } rows[] = {
                {IPPROTO_TCP, TCP_USER_TIMEOUT, SILENCE_MOST_MS},
                {SOL_SOCKET, SO_KEEPALIVE, 1},
                {IPPROTO_TCP, TCP_KEEPIDLE, 15},
                {IPPROTO_TCP, TCP_KEEPINTVL, 5},
                {IPPROTO_TCP, TCP_KEEPCNT, 3},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                setsockopt(fd, rows[i].level, rows[i].name, &rows[i].value, sizeof(int));
}

static int connect_tcp(struct socket *s, int64_t now)
{
        const struct addrinfo *a = s->address;
        int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return -errno;
        bound_silence(fd);
        if (connect(fd, a->ai_addr, a->ai_addrlen) < 0 && errno != EINPROGRESS) {
                int error = errno;

                close(fd);
                return -error;
        }
        s->channel.fd = fd;
        s->channel.events = POLLOUT;
        s->channel.again = now + CONNECT_MOST;
        s->connecting = true;
        s->started = now;
        return 0;
}

/*
 * Where nobody listens on a port of this machine that the kernel also gives to those who connect,
 * an attempt in many ends at itself (RFC 9293 3.5, simultaneous open).
 */
static bool is_connected_to_itself(int fd)
{
        struct sockaddr_storage own = {0}, other = {0};
        socklen_t own_size = sizeof(own), other_size = sizeof(other);

        return getsockname(fd, (struct sockaddr *)&own, &own_size) == 0 &&
               getpeername(fd, (struct sockaddr *)&other, &other_size) == 0 &&
               own_size == other_size && memcmp(&own, &other, own_size) == 0;
}

/* Has the attempt come to an end? -EINPROGRESS; 0; or why it failed. */
static int check_attempt(struct socket *s, int64_t now)
{
        struct pollfd ready = {.fd = s->channel.fd, .events = POLLOUT};
        socklen_t size = sizeof(int);
        int error = 0;

        if (poll(&ready, 1, 0) <= 0)
                return now - s->started < CONNECT_MOST ? -EINPROGRESS : -ETIMEDOUT;
        if (getsockopt(s->channel.fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
                error = errno;
        if (!error && is_connected_to_itself(s->channel.fd))
                error = ECONNREFUSED;
        return -error;
}

/* Begin with the next address, until one can be begun with. -EINPROGRESS, or why none can. */
static int try_addresses(struct socket *s, int64_t now, int r)
{
        while (s->address) {
                r = connect_tcp(s, now);
                if (!r)
                        return -EINPROGRESS;
                s->address = s->address->ai_next;
        }
        s->resolve = pt_resolve_free(s->resolve);
        return r;
}

static int open_tcp(struct pt_channel *channel, int64_t now)
{
        struct socket *s = socket_of(channel);
        int r = 0;

        channel->why = NULL;
        if (s->connecting) {
                r = check_attempt(s, now);
                if (r == -EINPROGRESS)
                        return r;
                s->connecting = false;
                if (!r) {
                        channel->events = 0;
                        channel->again = PT_CHANNEL_NEVER;
                        s->resolve = pt_resolve_free(s->resolve);
                        return 0;
                }
                close_channel(channel);
                s->address = s->address->ai_next;
                return try_addresses(s, now, r);
        }
        if (!s->resolve)
                r = pt_resolve_start(s->host, s->service, &s->resolve);
        if (!r)
                r = pt_resolve_result(s->resolve, &s->address, &channel->why);
        channel->again = r == -EINPROGRESS ? now + RESOLVE_PAUSE : PT_CHANNEL_NEVER;
        if (!r)
                return try_addresses(s, now, -EHOSTUNREACH);
        if (r != -EINPROGRESS)
                s->resolve = pt_resolve_free(s->resolve);
        return r;
}

/* --- giving away ------------------------------------------------------------------------------ */

static ssize_t give(int fd, const char *bytes, size_t length)
{
        ssize_t n;

        do
                n = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : n;
}

/* 0: as much as may be under way is; or why no more is. */
static int give_stream(struct socket *s, const char *bytes, size_t length)
{
        struct pt_channel *channel = &s->channel;

        while (channel->sent < length && channel->sent - s->taken < FLIGHT) {
                size_t piece = length - channel->sent;
                size_t room = FLIGHT - (channel->sent - s->taken);
                ssize_t n = give(channel->fd, bytes + channel->sent, piece < room ? piece : room);

                if (n < 0)
                        return (int)n;
                channel->sent += (size_t)n;
        }
        return 0;
}

static int give_datagrams(struct socket *s, const char *bytes, size_t length, size_t *ret_delivered)
{
        size_t done = 0;
        int r = 0;

        while (!r && done < length) {
                size_t line = (size_t)((const char *)memchr(bytes + done, '\n', length - done) -
                                       (bytes + done)) +
                              1;
                ssize_t n = give(s->channel.fd, bytes + done, line);

                if (n < 0)
                        r = (int)n;
                else
                        done += line;
        }
        *ret_delivered = done;
        return r;
}

/* --- what became of it ------------------------------------------------------------------------ */

/*
 * How much of what was sent is with the reader: octets. On TCP, SIOCOUTQ is what is not
 * acknowledged; on a Unix socket it is memory, and only its zero says something about lines.
 */
static size_t count_taken(const struct socket *s)
{
        int waiting = 0;

        if (ioctl(s->channel.fd, SIOCOUTQ, &waiting) < 0)
                return s->taken;
        if (!waiting)
                return s->channel.sent;
        if (!s->tcp || (size_t)waiting > s->channel.sent)
                return s->taken;
        return s->channel.sent - (size_t)waiting;
}

/* What a reader has to say is of no interest, but must not fill our side of the connection. */
static int drain(struct socket *s)
{
        char bytes[4096];
        ssize_t n;

        for (int i = 0; i < 16; i++) {
                n = recv(s->channel.fd, bytes, sizeof(bytes), MSG_DONTWAIT);
                if (n == 0)
                        s->shut = true; /* it may go on reading all the same */
                if (n < 0 && errno != EAGAIN && errno != EINTR)
                        return -errno; /* which the kernel tells once */
                if (n <= 0)
                        return 0;
        }
        return 0;
}

/* Is the reader there? 0, or a negative errno: -ECONNRESET if he left something unread. */
static int look_for_reader(struct socket *s)
{
        struct pollfd ready = {.fd = s->channel.fd, .events = s->shut ? 0 : POLLIN};
        socklen_t size = sizeof(int);
        int error = 0;

        if (poll(&ready, 1, 0) <= 0)
                return 0;
        if (!(ready.revents & (POLLHUP | POLLERR)))
                return drain(s);
        if (getsockopt(s->channel.fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error)
                return -error;
        return -EPIPE;
}

/* The connection is at its end; what was under way goes to the next one. */
static int lose_reader(struct socket *s, const char *bytes, int r)
{
        struct pt_channel *channel = &s->channel;
        size_t whole = pt_queue_whole(bytes, channel->sent);

        channel->resent += pt_queue_count(bytes, whole) + (whole < channel->sent);
        close_channel(channel);
        return r;
}

static bool is_passing(int r)
{
        return r == -EAGAIN || r == -ENOBUFS || r == -ENOMEM;
}

static int push_datagrams(struct socket *s, const char *bytes, size_t length, int64_t now,
                          size_t *ret_delivered)
{
        int r = give_datagrams(s, bytes, length, ret_delivered);

        s->channel.events = r == -EAGAIN ? POLLOUT : 0;
        s->channel.again = is_passing(r) ? now + LOOK_MOST : PT_CHANNEL_NEVER;
        if (!r || r == -EMSGSIZE || is_passing(r))
                return r == -EMSGSIZE ? r : (r ? -EAGAIN : 0);
        return lose_reader(s, bytes, r);
}

/* When to look again: soon while lines go away, ever later while they do not. */
static void plan(struct socket *s, size_t length, int r, int64_t now, bool progress)
{
        struct pt_channel *channel = &s->channel;

        s->look = progress ? LOOK_FIRST : (2 * s->look < LOOK_MOST ? 2 * s->look : LOOK_MOST);
        channel->again =
                channel->sent > s->taken || is_passing(r) ? now + s->look : PT_CHANNEL_NEVER;
        channel->events = s->shut ? 0 : POLLIN;
        /* POLLOUT comes early, when a quarter is free; it is the end of the queue that counts. */
        if (channel->sent < length && s->tcp && r == -EAGAIN)
                channel->events |= POLLOUT;
}

static int push_stream(struct socket *s, const char *bytes, size_t length, int64_t now,
                       size_t *ret_delivered)
{
        struct pt_channel *channel = &s->channel;
        size_t before = channel->sent, taken_before = s->taken, taken, whole;
        int r = give_stream(s, bytes, length), gone;

        taken = count_taken(s);
        /* Looked for after the queue was: one that ends is told of before its queue is emptied. */
        gone = look_for_reader(s);
        if (r < 0 && !is_passing(r) && (!gone || r == -ECONNRESET))
                gone = r;
        if (gone == -EPIPE && !s->tcp) {
                /* He ended in peace. Had he left anything, we would be told so now at the latest.
                 */
                taken = count_taken(s);
                gone = look_for_reader(s);
        }
        if (gone == 0 || gone == -EPIPE || s->tcp)
                s->taken = taken;
        whole = pt_queue_whole(bytes, s->taken);
        *ret_delivered = whole;
        channel->sent -= whole;
        s->taken -= whole;
        if (gone)
                return lose_reader(s, bytes + whole, gone);
        plan(s, length - whole, r, now, channel->sent + whole > before || taken > taken_before);
        return channel->sent < length - whole || channel->sent > s->taken ? -EAGAIN : 0;
}

static int push(struct pt_channel *channel, const char *bytes, size_t length, int64_t now,
                size_t *ret_delivered)
{
        struct socket *s = socket_of(channel);

        *ret_delivered = 0;
        channel->why = NULL;
        if (s->datagram)
                return push_datagrams(s, bytes, length, now, ret_delivered);
        return push_stream(s, bytes, length, now, ret_delivered);
}

static void free_channel(struct pt_channel *channel)
{
        struct socket *s = socket_of(channel);

        close_channel(channel);
        pt_resolve_free(s->resolve);
        free(s);
}

int pt_socket_new(const char *destination, struct pt_channel **ret)
{
        static const struct pt_channel_class unix_class = {open_unix, push, NULL, close_channel,
                                                           free_channel};
        static const struct pt_channel_class tcp_class = {open_tcp, push, NULL, close_channel,
                                                          free_channel};
        struct socket *s = calloc(1, sizeof(*s));

        if (!s)
                return -ENOMEM;
        s->tcp = !strncmp(destination, "tcp:", 4);
        s->look = LOOK_FIRST;
        s->channel = (struct pt_channel){
                .class = s->tcp ? &tcp_class : &unix_class,
                .destination = destination,
                .fd = -1,
                .again = PT_CHANNEL_NEVER,
                .live = true, /* it is waited for by who wants to */
                .pause_most = s->tcp ? TCP_PAUSE_MOST : UNIX_PAUSE_MOST,
        };
        if (s->tcp)
                pt_peer_split(destination + 4, s->host, sizeof(s->host), s->service,
                              sizeof(s->service));
        *ret = &s->channel;
        return 0;
}
