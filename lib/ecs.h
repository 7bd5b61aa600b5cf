/*
 * ecs: what the sensor counted -> a document. The documents about events are in portent.h.
 */
#pragma once

#include "portent.h"

/* One counter or gauge, named as in documents: "capture.packets". */
struct pt_ecs_number {
        const char *name;
        uint64_t value;
};

/* One destination of documents, and what became of those that were meant for it. */
struct pt_ecs_output {
        const char *destination;
        uint64_t generated, inherited;
        uint64_t delivered;
        uint64_t queued;
        uint64_t spooled;
        uint64_t disk_full; /* lost, by cause */
        uint64_t peer_down;
        uint64_t queue_full;
        uint64_t too_big;
        uint64_t resent; /* given away once more */
        uint64_t torn;   /* torn lines that were closed */
};

struct pt_ecs_stats {
        const struct pt_ecs_number *numbers; /* no name in it twice, nor below another one */
        size_t number_count;
        int64_t uptime;  /* nanoseconds since the start */
        uint64_t memory; /* resident, in octets; 0 if unknown */
        const struct pt_ecs_output *outputs;
        size_t output_count;
};

/* The document, as pt_event_ecs() writes one. 0, or -ENOMEM. */
PT_MUST_CHECK int pt_ecs_stats(const struct pt_ecs_stats *stats, const struct pt_observer *observer,
                               int64_t created, uint64_t sequence, char **ret, size_t *ret_length);

/* {"portent": {"stats": ...}} alone: the same object, for a file of its own. 0, or -ENOMEM. */
PT_MUST_CHECK int pt_ecs_stats_object(const struct pt_ecs_stats *stats, char **ret,
                                      size_t *ret_length);
