/*
 * observe: what one packet teaches. A query is remembered, an answer learned at once, a SYN put
 * into the line.
 */
#pragma once

#include "engine/state.h"

/* One packet at its engine time. */
void pt_observe(struct pt_engine *engine, const struct pt_arrival *arrival, int64_t time);
