/*
 * ecs: what the sensor counted, and how it fares -> documents. Those about events are in portent.h.
 */
#pragma once

#include "portent.h"

/* One counter or gauge, named as in documents: "capture.packets". */
struct pt_ecs_number {
        const char *name;
        uint64_t value;
        const char *help; /* what it counts; of a gauge it ends with "(gauge)." */
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
        uint64_t no_memory;
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
        const struct pt_allow *allow; /* NULL if nothing is allow-listed */
};

/* The document, as pt_event_ecs() writes one. 0, or -ENOMEM. */
PT_MUST_CHECK int pt_ecs_stats(const struct pt_ecs_stats *stats, const struct pt_observer *observer,
                               int64_t created, uint64_t sequence, char **ret, size_t *ret_length);

/* {"portent": {"stats": ...}} alone: the same object, for a file of its own. 0, or -ENOMEM. */
PT_MUST_CHECK int pt_ecs_stats_object(const struct pt_ecs_stats *stats, char **ret,
                                      size_t *ret_length);

/* ---- visibility documents ---- */

struct pt_visibility;

/* What the sensor could see in the period until now. 0, or -ENOMEM. */
PT_MUST_CHECK int pt_ecs_visibility(const struct pt_visibility *visibility,
                                    const struct pt_observer *observer, int64_t created,
                                    uint64_t sequence, char **ret, size_t *ret_length);

/* ---- state documents ---- */

enum pt_ecs_phase {
        PT_ECS_STARTING,
        PT_ECS_RUNNING,
        PT_ECS_DEGRADED, /* running, with something amiss */
        PT_ECS_STOPPING,
};

/* "running" */
const char *pt_ecs_phase_name(enum pt_ecs_phase phase);

/* Something amiss, by a name that is always the same: "no_packets", "link_down". */
struct pt_ecs_alarm {
        const char *name;
        bool active;         /* it began; else it ended */
        const char *subject; /* interface, destination, encapsulation; NULL for none */
        uint64_t count;      /* packets or documents that it is about; 0 for none */
};

/* A capture file that was read to its end. */
struct pt_ecs_input {
        const char *name;
        uint64_t size;      /* octets */
        const char *sha256; /* 64 hexadecimal digits; NULL if unknown */
};

/* Strings are NULL, and `since` is 0, where there is nothing to say. */
struct pt_ecs_state {
        const char *action; /* "sensor_started" */
        const char *type;   /* "start", "end", "change" or "info" */
        const char *level;  /* "info", "warning" or "error" */
        const char *outcome;
        const char *message;
        const char *reason;
        const char *error;
        enum pt_ecs_phase phase;
        int64_t since; /* wall clock, nanoseconds since 1970: when what this is about began */
        long process;  /* its number */
        const char *interface;   /* where it differs from the observer's */
        const char *config_hash; /* SHA-256 in hexadecimal digits */
        const char *rules_hash;
        size_t rules; /* how many; 0: it is not said */
        const struct pt_ecs_alarm *alarm;
        const struct pt_ecs_input *inputs;
        size_t input_count;
};

PT_MUST_CHECK int pt_ecs_state(const struct pt_ecs_state *state, const struct pt_observer *observer,
                               int64_t created, uint64_t sequence, char **ret, size_t *ret_length);
