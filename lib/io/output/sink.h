/*
 * sink: one destination of lines: a way out (file, pipe, socket), where lines wait for it, and the
 * account of every line. One event is one whole line or nothing.
 *
 * Every line that is handed over is delivered, queued, spooled or dropped, and counted as just one
 * of these: generated + inherited = delivered + queued + spooled + the five kinds of dropped.
 *
 * Live, nothing is ever waited for: lines wait in a bounded queue in memory. Those that their
 * reader has not taken after a second, or that have no reader at all, go to the bounded spool on
 * disk, as does the queue when it is full; and when the spool is full they wait in the queue again.
 * A new line that fits in neither is dropped, and counted by what kept the lines before it:
 *
 *      dropped_disk_full   a file that takes nothing: no space, a quota, a limit, an error; or
 *                          a spool that could not be read again
 *      dropped_peer_down   a reader that is not there
 *      dropped_queue_full  a reader, or a file, that takes lines and is too slow for them,
 *                          or whose disk does not answer
 *      dropped_too_big     a line longer than the queue, or than a datagram
 *      dropped_no_memory   a line that could not be made: see pt_sink_miss()
 *
 * In replay a line is waited with until `*stop` is set: then what waits is dropped, by the same
 * causes, a slow reader being one that is not there. Only what waiting does not help loses the
 * destination: later lines are counted and the first errno is returned. That is a reader gone from
 * standard output or a FIFO (EPIPE), a file size limit (EFBIG), and any error of a file but a full
 * disk or quota.
 *
 * The program must ignore SIGPIPE and SIGXFSZ, which otherwise end it before we can count anything.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/notice.h"

#define PT_SINK_QUEUE ((size_t)4 << 20) /* octets of a queue where nothing else is said */

struct pt_sink;

struct pt_sink_settings {
        const char *destination; /* "-" is standard output; unix:PATH; tcp:HOST:PORT; all else a
                                    file, also ./unix:... */
        bool live;
        size_t queue;      /* octets; 0 is PT_SINK_QUEUE */
        const char *spool; /* folder of all spools, or NULL; live, and not for "-" */
        size_t spool_size; /* octets for this destination; 0: no spool */
        bool spool_if_can; /* go without a spool that cannot be opened, and tell it */
        uint64_t max_size; /* of a file: see file.h */
        struct pt_notify notify;
        const volatile bool *stop; /* ends the waiting in replay; may be NULL */
};

struct pt_sink_stats {
        uint64_t generated; /* lines that were handed over */
        uint64_t inherited; /* lines of earlier runs, found in the spool */
        uint64_t delivered;
        uint64_t queued;  /* waiting now, in memory */
        uint64_t spooled; /* waiting now, on disk */
        uint64_t dropped_disk_full;
        uint64_t dropped_peer_down;
        uint64_t dropped_queue_full;
        uint64_t dropped_too_big;
        uint64_t dropped_no_memory;
        uint64_t resent; /* lines that had been given to a reader that was lost: maybe doubles */
        uint64_t closed_torn; /* a torn last line was closed: one found at the start, or one of ours
                                 that could not be taken back; or cut off in the spool */
};

/*
 * 0, or a negative errno with a `sentence`. Borrows what the settings point to.
 *
 * A new file has mode 0640 less the umask. A symbolic link is followed. A directory is refused
 * (-EISDIR), a file or spool that another live sensor has (-EWOULDBLOCK), and in replay a FIFO
 * without a reader (-ENXIO). A reader of a socket need not be there yet, nor live one of a FIFO,
 * nor space on the disk.
 */
int pt_sink_open(const struct pt_sink_settings *settings, struct pt_sink **ret, char sentence[256]);

/* Can the destination be one at all? 0, or -EINVAL with a sentence. */
int pt_sink_check(const char *destination, char sentence[256]);

/*
 * Take one line, ended by a newline. It waits until it is flushed or served, in replay also until
 * 64 KiB have gathered. 0; or a negative errno when lines were dropped, which are counted.
 */
int pt_sink_write(struct pt_sink *sink, const char *line, size_t length);

/* A line was meant for it, and there was no memory to make it: it is lost, and counted. */
void pt_sink_miss(struct pt_sink *sink);

/* Replay: write what waits, and wait for it. Live: serve. */
int pt_sink_flush(struct pt_sink *sink);

/* --- live --------------------------------------------------------------------------------------
 */

/* The present of CLOCK_MONOTONIC, nanoseconds, which `now` is. */
int64_t pt_sink_clock(void);

/*
 * From now on a file is written to by a thread, so that a disk that does not answer holds up nobody
 * (see scribe.h). 0, or -ENOMEM, and all is as before. The thread has the privilege that the caller
 * has when it first serves.
 */
int pt_sink_write_aside(struct pt_sink *sink);

/* Do all that can be done without waiting. */
void pt_sink_serve(struct pt_sink *sink, int64_t now);

/* What to wait for: a descriptor (false if none), and the time to serve at the latest. */
bool pt_sink_poll(const struct pt_sink *sink, struct pollfd *ret, int64_t *ret_again);

/*
 * Open a file anew. All that waits is written to the old one first, if that takes it. If it cannot
 * be opened the old one goes on, which is told, and it is tried each second.
 */
void pt_sink_reopen(struct pt_sink *sink, int64_t now);

/* The end: what waits goes to the spool, or is dropped. Lines can not be written afterwards. */
void pt_sink_close_down(struct pt_sink *sink);

/* --- both --------------------------------------------------------------------------------------
 */

/* Does nothing wait that has not been delivered? And if so, is there a reader that may take it? */
bool pt_sink_is_done(const struct pt_sink *sink);
bool pt_sink_is_busy(const struct pt_sink *sink);
const char *pt_sink_destination(const struct pt_sink *sink);
struct pt_sink_stats pt_sink_stats(const struct pt_sink *sink);
bool pt_sink_is_terminal(const struct pt_sink *sink);

/* The errno of a lost destination, negative, or 0. */
int pt_sink_lost(const struct pt_sink *sink);

/* In replay, flushes. Live, closes down. Takes NULL. Returns NULL. */
struct pt_sink *pt_sink_free(struct pt_sink *sink);
