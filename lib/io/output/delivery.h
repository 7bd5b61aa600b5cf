/*
 * delivery: of one destination, what is given away and what is lost: the part of a sink that deals
 * with its channel. All that is known of the destination stands here, for its sink and for nobody
 * else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/output/channel.h"
#include "io/output/sink.h"
#include "io/output/store.h"
#include "io/output/trouble.h"

#define PT_SINK_GRACE (1000 * PT_CHANNEL_MS) /* a reader may go and come again without a word */
#define PT_SINK_SLOW_GRACE (5000 * PT_CHANNEL_MS)
#define PT_SINK_MEMORY_MOST                                                  \
        (1000 * PT_CHANNEL_MS) /* lines wait in memory so long, then on disk \
                                */
#define PT_SINK_PAUSE \
        (100 * PT_CHANNEL_MS) /* before a second attempt; doubled for each one after */

struct pt_sink {
        struct pt_channel *channel;
        struct pt_store *store;
        const volatile bool *stop;
        bool live;
        bool is_file;
        bool open;
        bool reopening;
        int lost;         /* negative errno of a lost destination, or 0 */
        int error;        /* negative errno of the last attempt, or 0 */
        size_t waiting;   /* octets written since the last flush, in replay */
        int64_t opened;   /* when */
        int64_t pause;    /* before the next attempt */
        int64_t retry;    /* when to open, or to push again after trouble */
        int64_t reopen;   /* when to try to open anew */
        int64_t progress; /* when a line was last delivered, or none waited */
        int64_t served;
        int64_t sync;   /* when the spool may be written through again */
        int64_t settle; /* and when the queue may be put there, after it could not */
        bool more;      /* a call ended before all that could be done was */
        uint64_t generated, delivered;
        uint64_t disk_full, peer_down, queue_full, too_big, no_memory;
        uint64_t closed; /* torn lines that were told of */
        struct pt_trouble trouble, spool_trouble, reopen_trouble;
        char destination[];
};

/* Lines are lost, and counted there. */
void pt_delivery_drop(struct pt_sink *sink, uint64_t *counter, uint64_t lines, int64_t now);

/* What keeps lines from being delivered: the counter of those that are lost by it. */
uint64_t *pt_delivery_cause(struct pt_sink *sink);

/* There is trouble: a negative errno. The next attempt has to wait. */
void pt_delivery_meet(struct pt_sink *sink, int r, int64_t now);

/* Torn lines were closed: it is told of those that were not yet. */
void pt_delivery_tell_torn(struct pt_sink *sink);

/* Try to open; give away what can be; try to open anew. */
void pt_delivery_open(struct pt_sink *sink, int64_t now);
void pt_delivery_give(struct pt_sink *sink, int64_t now);
void pt_delivery_reopen(struct pt_sink *sink, int64_t now);

/* Live: what waits for long goes to the spool, and the spool is written through to the disk. */
void pt_delivery_keep(struct pt_sink *sink, int64_t now);
