/*
 * opening: what a file is, found out by its first octets, and whether its frames can be read.
 * Shared by replay and opening, and by nobody else.
 */
#pragma once

#include "io/capture/block.h"
#include "io/capture/classic.h"
#include "io/capture/kind.h"
#include "io/capture/replay.h"
#include "io/capture/sieve.h"

struct pt_replay {
        struct pt_source source;
        enum pt_kind kind;
        struct pt_classic classic;
        struct pt_block block;
        struct pt_log *log;
        struct pt_sieve *filter; /* NULL: all frames pass */
        char name[144];          /* for sentences; a long path keeps its end */
        uint32_t file;
        uint64_t number;
        int64_t since, last; /* frames from one to the other, both included */
        uint64_t outside;
        bool fixed;               /* octets stay where they are: a regular file, not compressed */
        enum pt_replay_step over; /* END or CUT once it is so, else FRAME */
        struct pt_replay_fault fault;
};

/* For sentences: the path, of a long one its end. */
void pt_opening_name(struct pt_replay *replay, const char *path);

void pt_opening_fault(const struct pt_replay *replay, struct pt_replay_fault *fault,
                      uint64_t offset, const char *reason);

/* As pt_replay_open(). */
int pt_opening_all(struct pt_replay *replay, const char *path,
                   const struct pt_replay_settings *settings, struct pt_replay_fault *fault);
