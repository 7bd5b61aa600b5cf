/*
 * metrics: what was counted -> the text that Prometheus reads (text exposition format 0.0.4), as
 * node_exporter's textfile collector takes it.
 */
#pragma once

#include "document/ecs.h"

/* A state of alarm, and whether it holds now. */
struct pt_metrics_alarm {
        const char *name;
        uint64_t active; /* how many of this name */
};

struct pt_metrics {
        const struct pt_ecs_stats *stats;
        const char *version;
        int64_t started; /* wall clock, nanoseconds since 1970 */
        const struct pt_metrics_alarm *alarms;
        size_t alarm_count;
};

/* The caller frees `*ret`. 0, or -ENOMEM. */
PT_MUST_CHECK int pt_metrics_text(const struct pt_metrics *metrics, char **ret, size_t *ret_length);
