/*
 * channel: a way out of the program, as its sink sees it: a file, a pipe, a socket. It is given the
 * lines that wait, always from the first that is not known to be delivered, and says how far it
 * got. It never waits: it says what it waits for.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PT_CHANNEL_NEVER INT64_MAX
#define PT_CHANNEL_MS INT64_C(1000000) /* nanoseconds */

/* What has not come back for so long hangs, and is not waited for any more. */
#define PT_CHANNEL_HANGS (200 * PT_CHANNEL_MS)

struct pt_channel;

struct pt_channel_class {
        /* 0: open. -EINPROGRESS: it will be tried on. Another negative errno: not now. */
        int (*open)(struct pt_channel *channel, int64_t now);

        /*
         * Give away what can be: whole lines, perhaps none. The first `*ret_delivered` octets,
         * whole lines, are delivered. 0; -EAGAIN: the reader is behind; -EMSGSIZE: the first line
         * is too long for it; another negative errno: trouble. If `fd` is -1 then, the channel is
         * to be opened again; if `lost` is set, that is of no use.
         */
        int (*push)(struct pt_channel *channel, const char *bytes, size_t length, int64_t now,
                    size_t *ret_delivered);

        /* Open anew. On failure all is as before. -EAGAIN: it is under way, ask again. NULL where
         * that means nothing. */
        int (*reopen)(struct pt_channel *channel);

        /* Let go of the reader; what was given away and not delivered will be given away again. */
        void (*close)(struct pt_channel *channel);

        void (*free)(struct pt_channel *channel);
};

struct pt_channel {
        const struct pt_channel_class *class;
        const char *destination;
        int fd;        /* -1 while not open and nothing to be polled */
        short events;  /* what to poll it for */
        int64_t again; /* when to push or open again, whatever the descriptor does */
        size_t sent; /* octets of the first lines that were given away, not known to be delivered */
        const char *why; /* the last trouble in words, where its errno does not say it; or NULL */
        bool live;
        bool patient;       /* the next call may wait until it hangs: there is no room for lines */
        int64_t asked;      /* since when a call has not come back; 0: none is under way */
        uint64_t device;    /* that a file is on */
        bool regular;       /* a file on a disk */
        bool lost;          /* for ever */
        bool torn;          /* it ends inside a line that will not be finished: close that first */
        uint64_t closed;    /* torn lines that were closed */
        uint64_t resent;    /* lines, or beginnings of lines, that were given away once more */
        int64_t pause_most; /* between two attempts to open, nanoseconds */
};
