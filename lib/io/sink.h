/*
 * sink: where lines go. One event is one whole line or nothing: a write that fails half way is
 * taken back, and what an earlier run left torn is closed with a newline when a file is opened.
 *
 * Every line that is handed over is delivered, queued or dropped, and counted as just one of these.
 *
 * What becomes of a destination in trouble:
 *
 *      disk or quota full       waited for; dropped_disk_full if told to stop meanwhile
 *      file size limit (EFBIG)  lost: the file will not grow by waiting; dropped_disk_full
 *      slow reader of a pipe    waited for; dropped_peer_down if told to stop meanwhile
 *      reader gone (EPIPE)      lost; dropped_peer_down
 *      any other error (EIO)    lost; dropped_peer_down
 *
 * A lost destination stays lost: later lines are counted and the first errno is returned. The
 * program must ignore SIGPIPE and SIGXFSZ, which otherwise end it before we can count anything.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pt_sink;

struct pt_sink_stats {
        uint64_t delivered; /* lines */
        uint64_t queued;    /* lines waiting now */
        uint64_t dropped_disk_full;
        uint64_t dropped_peer_down;
        uint64_t dropped_queue_full;
        uint64_t dropped_too_big;
        uint64_t closed_torn; /* a torn last line was closed: one found at the start, or one of ours
                                 that could not be taken back */
};

/*
 * Open a destination: "-" is standard output, all else a file that is appended to (created with
 * mode 0640 less the umask, readable by nobody else). 0, or a negative errno with a `sentence`.
 *
 * A symbolic link is followed. A FIFO must have its reader (-ENXIO); a directory is refused
 * (-EISDIR), and so are the names unix:... and tcp:... (-ENOTSUP): they will mean sockets. A file
 * with such a name is written ./unix:...
 */
int pt_sink_open(const char *destination, struct pt_sink **ret, char sentence[256]);

/*
 * Take one line, ended by a newline. Lines are gathered and written when the buffer is full or
 * flushed. A full disk is waited for (said once each time, through `notice`), as is, silently, a
 * slow reader, until `*stop` is set. 0; or a negative errno when lines were dropped, which are
 * counted.
 */
int pt_sink_write(struct pt_sink *sink, const char *line, size_t length);
int pt_sink_flush(struct pt_sink *sink);

/* Who is told that a destination does not take lines now, and which flag ends the waiting. */
void pt_sink_wait(struct pt_sink *sink, void (*notice)(void *context, const char *sentence),
                  void *context, const volatile bool *stop);

const char *pt_sink_destination(const struct pt_sink *sink);
struct pt_sink_stats pt_sink_stats(const struct pt_sink *sink);
bool pt_sink_is_terminal(const struct pt_sink *sink);

/* Flushes. Takes NULL. Returns NULL. */
struct pt_sink *pt_sink_free(struct pt_sink *sink);
