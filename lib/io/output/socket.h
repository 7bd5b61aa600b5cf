/*
 * socket: lines to a reader that listens on a Unix socket (unix:PATH) or on TCP (tcp:HOST:PORT,
 * tcp:[ADDRESS]:PORT).
 *
 * A stream has no acknowledgement, so the kernel is asked (SIOCOUTQ) and lines are kept until then:
 *
 *      unix stream  A line is delivered when the reader has read it: the kernel has nothing more in
 *                   its queue, and the reader was still there afterwards. Of a reader that ends and
 *                   leaves something unread, all that was in the queue together is given to the
 *                   next, so some lines may arrive twice (event.id tells).
 *      tcp          A line is delivered when the other machine's kernel has acknowledged it. What a
 *                   reader that dies there has not read from its kernel is lost, and nothing on
 *                   this side can know it.
 *      datagrams    Where the Unix socket is one of datagrams, a line is one datagram, delivered
 *                   when the kernel has taken it. One that is too long for it is told (-EMSGSIZE).
 *
 * A connection whose data nobody acknowledges, or whose other side nobody answers for, ends after
 * 30 s (TCP_USER_TIMEOUT, keep-alive); an attempt to connect after 10 s. Names are looked up anew
 * for each attempt, in a thread.
 */
#pragma once

#include "io/output/channel.h"

/* 0, or a negative errno. Nothing is connected yet. Borrows the destination. */
int pt_socket_new(const char *destination, struct pt_channel **ret);
