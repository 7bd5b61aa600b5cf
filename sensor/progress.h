/*
 * progress: how far a replay has come, on a terminal: octets read of the files as they lie there,
 * how fast, and how long it may still take. One line, written over itself a few times a second.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PT_PROGRESS_TEXT 128

struct pt_progress {
        bool on;
        bool shown;    /* a line stands on the terminal */
        int64_t begun; /* CLOCK_MONOTONIC, nanoseconds */
        int64_t due;   /* when to write it again */
};

/* Nothing is shown unless standard error is a terminal, and it is `wanted`. */
void pt_progress_begin(struct pt_progress *progress, bool wanted);

/* Is it time to call pt_progress_show()? Cheap, but not for every packet. */
bool pt_progress_is_due(struct pt_progress *progress);

/* `total` 0: unknown. */
void pt_progress_show(struct pt_progress *progress, uint64_t taken, uint64_t total);

/* Before anything else is said. */
void pt_progress_clear(struct pt_progress *progress);

/* What is shown: "42 %, 512.0 MiB of 1.2 GiB, 830.0 MiB/s, 1 min 3 s left". */
const char *pt_progress_format(uint64_t taken, uint64_t total, int64_t elapsed,
                               char ret[PT_PROGRESS_TEXT]);
