/*
 * arena: the memory that jansson makes documents in, thrown away as a whole after each of them.
 */
#pragma once

#include <stddef.h>

/*
 * From now on jansson takes its memory here; where there is no room, from malloc. What it took
 * before is still freed as before. 0, or -ENOMEM.
 */
int pt_arena_begin(size_t size);

/* Everything that jansson holds is gone. */
void pt_arena_reset(void);

/* jansson takes its memory from malloc again. */
void pt_arena_end(void);
