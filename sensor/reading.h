/*
 * reading: the loop of a replay. Captures go to the engine, what is said of them to the user.
 */
#pragma once

#include "document/ecs.h"
#include "io/capture/archive.h"
#include "health.h"
#include "options.h"
#include "output.h"
#include "progress.h"

struct pt_reading {
        const struct pt_options *options;
        struct pt_engine *engine;
        struct pt_output *output;
        struct pt_health *health;
        struct pt_archive *archive; /* NULL before pt_reading_run() */
        struct pt_progress progress;
        int64_t last;  /* time of the last frame; 0 before the first */
        bool troubled; /* an input could not be read, or was cut */
};

/* Read all inputs, or until a signal. 0, or -ENOMEM. */
int pt_reading_run(struct pt_reading *reading);

/* How an input is called in documents: for struct pt_observer. */
const char *pt_reading_name(void *context, uint32_t file);

/* Was there nothing that could be read? */
bool pt_reading_nothing(const struct pt_reading *reading);

/*
 * The inputs that were read to their ends, with their digests, for the state document; NULL if
 * there is none, or there is no memory for them. Freed by the caller.
 */
struct pt_ecs_input *pt_reading_inputs(const struct pt_reading *reading, size_t *ret_count);

/* Packets that --since and --until left out. */
uint64_t pt_reading_outside(const struct pt_reading *reading);

/* What is to be said of the inputs at the end. */
void pt_reading_last_words(const struct pt_reading *reading);

void pt_reading_end(struct pt_reading *reading);
