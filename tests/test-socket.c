#include "io/output/socket.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

static char folder[64], path[96], destination[128];
static struct pt_channel *channel;
static int listener = -1, reader = -1;

static void make(void)
{
        snprintf(folder, sizeof folder, "/tmp/test-socket-XXXXXX");
        cr_assert_not_null(mkdtemp(folder));
        snprintf(path, sizeof path, "%s/reader", folder);
        snprintf(destination, sizeof destination, "unix:%s", path);
}

static void clear(void)
{
        if (channel)
                channel->class->free(channel);
        unlink(path);
        rmdir(folder);
}

TestSuite(socket, .init = make, .fini = clear, .timeout = 30);

static void listen_unix(int type)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        memcpy(address.sun_path, path, strlen(path) + 1);
        listener = socket(AF_UNIX, type, 0);
        cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
        if (type == SOCK_STREAM)
                cr_assert_eq(listen(listener, 4), 0);
}

static void open_channel(void)
{
        if (!channel)
                cr_assert_eq(pt_socket_new(destination, &channel), 0);
        int r;
        while ((r = channel->class->open(channel, 0)) == -EINPROGRESS)
                poll(NULL, 0, 1);
        cr_assert_eq(r, 0);
}

static void connect_both(void)
{
        open_channel();
        reader = accept(listener, NULL, NULL);
        cr_assert_geq(reader, 0);
}

static int push(const char *lines, size_t *ret_delivered)
{
        *ret_delivered = 0;
        return channel->class->push(channel, lines, strlen(lines), 0, ret_delivered);
}

static void expect_read(const char *text)
{
        char got[256] = "";

        cr_expect_eq(recv(reader, got, sizeof got - 1, 0), (ssize_t)strlen(text));
        cr_expect_str_eq(got, text);
}

/* Not when the kernel has it, but when the reader has read it. */
Test(socket, a_line_is_delivered_when_it_has_been_read)
{
        size_t delivered;

        listen_unix(SOCK_STREAM);
        connect_both();
        cr_expect_eq(push("one\ntwo\n", &delivered), -EAGAIN);
        cr_expect_eq(delivered, 0);
        cr_expect_eq(channel->sent, 8);
        expect_read("one\ntwo\n");
        cr_expect_eq(push("one\ntwo\n", &delivered), 0);
        cr_expect_eq(delivered, 8);
        cr_expect_eq(channel->sent, 0);
        cr_expect_eq(channel->again, PT_CHANNEL_NEVER);
}

Test(socket, a_reader_that_read_all_and_ended_was_delivered_to)
{
        size_t delivered;

        listen_unix(SOCK_STREAM);
        connect_both();
        push("one\ntwo\n", &delivered);
        expect_read("one\ntwo\n");
        close(reader);
        cr_expect_eq(push("one\ntwo\n", &delivered), -EPIPE);
        cr_expect_eq(delivered, 8);
        cr_expect_eq(channel->resent, 0);
        cr_expect_eq(channel->fd, -1);
}

/* The kernel throws away what he left, and its queue is empty then too. */
Test(socket, a_reader_that_left_something_was_not)
{
        size_t delivered;
        char octet;

        listen_unix(SOCK_STREAM);
        connect_both();
        push("one\ntwo\n", &delivered);
        cr_expect_eq(read(reader, &octet, 1), 1);
        close(reader);
        cr_expect_eq(push("one\ntwo\n", &delivered), -ECONNRESET);
        cr_expect_eq(delivered, 0);
        cr_expect_eq(channel->resent, 2);
        connect_both();
        cr_expect_eq(push("one\ntwo\n", &delivered), -EAGAIN);
        expect_read("one\ntwo\n");
}

/* It says that it will write nothing: many readers do, and read on. */
Test(socket, a_reader_that_only_reads_is_kept)
{
        size_t delivered;

        listen_unix(SOCK_STREAM);
        connect_both();
        shutdown(reader, SHUT_WR);
        cr_expect_eq(push("one\n", &delivered), -EAGAIN);
        expect_read("one\n");
        cr_expect_eq(push("one\n", &delivered), 0);
        cr_expect_eq(delivered, 4);
        cr_expect_eq(channel->events, 0, "its end of stream would wake us for ever");
}

Test(socket, what_a_reader_says_is_thrown_away)
{
        size_t delivered;

        listen_unix(SOCK_STREAM);
        connect_both();
        cr_assert_eq(write(reader, "hello\n", 6), 6);
        cr_expect_eq(push("", &delivered), 0);
        cr_expect_eq(poll(&(struct pollfd){.fd = channel->fd, .events = POLLIN}, 1, 0), 0);
}

/* More than the kernel takes: a reader that takes all of it gets all of it, in order. */
Test(socket, a_megabyte_goes_through)
{
        enum { LINE = 1000, LINES = 1000 };
        static char lines[LINE * LINES], got[LINE * LINES];
        size_t done = 0, have = 0, delivered;

        for (size_t i = 0; i < LINES; i++) {
                memset(lines + i * LINE, 'a' + (int)(i % 26), LINE - 1);
                lines[i * LINE + LINE - 1] = '\n';
        }
        listen_unix(SOCK_STREAM);
        connect_both();
        while (done < sizeof lines) {
                ssize_t n;

                delivered = 0;
                int r = channel->class->push(channel, lines + done, sizeof lines - done, 0,
                                             &delivered);
                cr_assert(r == 0 || r == -EAGAIN, "%d", r);
                cr_assert_eq(delivered % LINE, 0);
                done += delivered;
                cr_assert_leq(done, have, "nothing is delivered that was not read");
                n = recv(reader, got + have, sizeof got - have < 30000 ? sizeof got - have : 30000,
                         MSG_DONTWAIT);
                if (n > 0)
                        have += (size_t)n;
        }
        cr_expect_eq(memcmp(lines, got, sizeof lines), 0);
}

Test(socket, nobody_listens)
{
        cr_assert_eq(pt_socket_new(destination, &channel), 0);
        cr_expect_eq(channel->class->open(channel, 0), -ENOENT);
        listen_unix(SOCK_STREAM);
        close(listener);
        cr_expect_eq(channel->class->open(channel, 0), -ECONNREFUSED);
}

Test(socket, a_datagram_is_a_line)
{
        static char big[400000];
        size_t delivered;

        listen_unix(SOCK_DGRAM);
        open_channel();
        reader = listener;
        cr_expect_eq(push("one\ntwo\n", &delivered), 0);
        cr_expect_eq(delivered, 8);
        expect_read("one\n");
        expect_read("two\n");
        memset(big, 'x', sizeof big - 2);
        big[sizeof big - 2] = '\n';
        cr_expect_eq(push(big, &delivered), -EMSGSIZE);
        cr_expect_eq(delivered, 0);
        /* A reader that takes none: the kernel keeps a few. */
        int r = 0, count = 0;
        while (r == 0 && count++ < 10000)
                r = push("three\n", &delivered);
        cr_expect_eq(r, -EAGAIN);
        cr_expect_eq(channel->events, POLLOUT);
        close(listener);
        cr_expect_eq(push("four\n", &delivered), -ECONNREFUSED);
        cr_expect_eq(channel->fd, -1);
}

/* --- TCP ---------------------------------------------------------------------------------------
 */

static void listen_tcp(void)
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof address;

        listener = socket(AF_INET, SOCK_STREAM, 0);
        cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
        cr_assert_eq(listen(listener, 4), 0);
        cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
        snprintf(destination, sizeof destination, "tcp:127.0.0.1:%u", ntohs(address.sin_port));
}

/* The other kernel's acknowledgement is all that can be known. */
Test(socket, on_tcp_a_line_is_delivered_when_it_is_acknowledged)
{
        size_t delivered, all = 0;

        listen_tcp();
        connect_both();
        for (int i = 0; i < 1000 && all < 8; i++) {
                push(all ? "" : "one\ntwo\n", &delivered);
                all += delivered;
                poll(NULL, 0, 1);
        }
        cr_expect_eq(all, 8);
        expect_read("one\ntwo\n");
}

Test(socket, on_tcp_a_reset_is_told)
{
        struct linger at_once = {1, 0};
        size_t delivered;
        int r = 0;

        listen_tcp();
        connect_both();
        setsockopt(reader, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(reader);
        for (int i = 0; i < 1000 && (r == 0 || r == -EAGAIN); i++) {
                r = push("one\n", &delivered);
                cr_expect_eq(delivered, 0);
                poll(NULL, 0, 1);
        }
        cr_expect(r == -ECONNRESET || r == -EPIPE, "%d", r);
        cr_expect_eq(channel->fd, -1);
}

Test(socket, on_tcp_nobody_listens)
{
        int r;

        listen_tcp();
        close(listener);
        cr_assert_eq(pt_socket_new(destination, &channel), 0);
        while ((r = channel->class->open(channel, 0)) == -EINPROGRESS)
                poll(NULL, 0, 1);
        cr_expect_eq(r, -ECONNREFUSED);
}

/* 192.0.2.0/24 is nobody's (RFC 5737): where it is not refused at once, it is given up. */
Test(socket, an_attempt_does_not_last_for_ever)
{
        int r;

        snprintf(destination, sizeof destination, "tcp:192.0.2.1:5044");
        cr_assert_eq(pt_socket_new(destination, &channel), 0);
        r = channel->class->open(channel, 0);
        if (r == -EINPROGRESS)
                r = channel->class->open(channel, 5 * SECOND);
        if (r == -EINPROGRESS)
                r = channel->class->open(channel, 11 * SECOND);
        cr_expect(r < 0 && r != -EINPROGRESS, "%d", r);
        cr_expect_eq(channel->fd, -1);
}
