/*
 * victim: who will give way next is fetched ahead.
 *
 * When memory is full, every answer makes another one go, and all that hangs on that one is far
 * away. So it is asked for while other things are done, each time one link further. Nothing is
 * decided here: if another gives way, a few lines of memory came in vain.
 */
#pragma once

#include "memory/cells.h"

/* An answer gave way. `top` is the client whose oldest one is likely the next, or 0. */
void pt_victim_next(struct pt_hosts *hosts, uint32_t top);

/* One link further. */
void pt_victim_fetch(struct pt_hosts *hosts);
