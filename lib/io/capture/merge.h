/* merge: of several strands, the one whose frame comes next. */
#pragma once

#include "io/capture/strand.h"

/* A heap: list[0] comes first. Of frames of one moment, that of the lower file. */
struct pt_merge {
        struct pt_strand **list; /* room for all, the owner's */
        size_t count;
};

void pt_merge_push(struct pt_merge *merge, struct pt_strand *strand);

/* The first has another frame now. */
void pt_merge_again(struct pt_merge *merge);

/* The first has no frame. */
void pt_merge_pop(struct pt_merge *merge);
