/*
 * feed: the octets of a file as they lie there, in order, counted. Below everything that knows what
 * they mean.
 */
#pragma once

#include <nettle/sha2.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Who is told when a pipe has had nothing to read for two seconds: once in each such wait. */
struct pt_feed_idle {
        void (*tell)(void *context); /* NULL: nobody */
        void *context;
};

struct pt_feed {
        int fd;
        bool regular;              /* a file with a size; else a pipe, a socket, a terminal */
        bool follow;               /* its end is not the end: it grows */
        const volatile bool *stop; /* set by somebody: no wait goes on. NULL: nobody does */
        struct pt_feed_idle idle;  /* told by the thread that reads */
        _Atomic bool abandoned;    /* nobody wants more: a wait in another thread ends */
        bool hashed;               /* all that is read goes into `hash` */
        struct sha256_ctx hash;
        uint64_t size;          /* when it was opened; 0 if it has none */
        _Atomic uint64_t taken; /* octets read so far; may be looked at from another thread */
};

/*
 * `path` "-" is standard input. `stop`, `follow`, `idle` and `hashed` are set by the caller before.
 * 0, or a negative errno (-EISDIR for a directory); pt_feed_close() afterwards in any case.
 */
int pt_feed_open(struct pt_feed *feed, const char *path);

/*
 * The next octets, at most `size`. Above 0: how many; 0: the end; -EAGAIN: the end of what there is
 * so far of a file that grows; -EINTR: `stop` was set; another negative errno.
 */
ssize_t pt_feed_read(struct pt_feed *feed, void *bytes, size_t size);

#define PT_FEED_DIGEST (2 * SHA256_DIGEST_SIZE + 1) /* octets of its text, with the final NUL */

/*
 * The SHA-256 of the whole file, of a hashed feed: what was not read is read now. False where that
 * fails, or `stop` is set. Nothing can be read afterwards.
 */
bool pt_feed_digest(struct pt_feed *feed, char ret[PT_FEED_DIGEST]);

void pt_feed_close(struct pt_feed *feed);
