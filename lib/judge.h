/*
 * judge: what judging needs at hand. Shared by verdict, signature and near, and by nobody else.
 */
#pragma once

#include "verdict.h"

struct pt_judge {
        struct pt_verdict_settings settings;
        const struct pt_rules *rules;
        struct pt_hosts *hosts;
        struct pt_counters *counters;
        struct pt_match *matches;  /* room for one per rule */
        uint64_t seen_ports[1024]; /* a bit per port, cleared after use */
};

/* Packets are a second out of order at most: no answer below this counts for the cross window. */
static inline int64_t pt_judge_cross_oldest(const struct pt_judge *judge, int64_t time)
{
        return time - judge->settings.cross_window - INT64_C(2000000000);
}
