/*
 * ahead: several packets are looked at before the first of them is processed.
 *
 * Nearly all that a packet costs is waiting for memory: what it touches lies at the end of short
 * ways from link to link, and no link is known before the one before it has come. One packet's way
 * cannot be made shorter, but those of several can be gone side by side: one step for each, then
 * the next step for each. Nothing is decided here and nothing changed, so it makes no difference
 * how many packets come together.
 */
#pragma once

#include "engine/state.h"

/*
 * Look at the first of `count` frames, at least one. Those that tell something are decoded, their
 * messages read, and stand in engine->arrivals until the next call; of the others there is
 * engine->glances. Returns how many were looked at.
 */
size_t pt_ahead(struct pt_engine *engine, const struct pt_frame *frames, size_t count);

/* A frame alone, at another place. `arrival` comes with room for addresses. */
void pt_ahead_look(const struct pt_engine *engine, const struct pt_frame *frame,
                   struct pt_arrival *arrival);
