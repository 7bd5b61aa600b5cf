#include "arena.h"

#include <errno.h>
#include <jansson.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

/* jansson's allocator has no context, so there is one arena in the program. */
static struct {
        char *bytes;
        size_t size;
        size_t used;
} arena;

static void *take(size_t size)
{
        size_t rounded = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
        void *taken;

        if (rounded < size || rounded > arena.size - arena.used)
                return malloc(size);
        taken = arena.bytes + arena.used;
        arena.used += rounded;
        return taken;
}

static void give_back(void *taken)
{
        uintptr_t at = (uintptr_t)taken, begin = (uintptr_t)arena.bytes;

        if (at < begin || at >= begin + arena.size)
                free(taken);
}

int pt_arena_begin(size_t size)
{
        arena.bytes = malloc(size);
        if (!arena.bytes)
                return -ENOMEM;
        arena.size = size;
        arena.used = 0;
        json_set_alloc_funcs(take, give_back);
        return 0;
}

void pt_arena_reset(void)
{
        arena.used = 0;
}

void pt_arena_end(void)
{
        json_set_alloc_funcs(malloc, free);
        free(arena.bytes);
        arena.bytes = NULL;
        arena.size = arena.used = 0;
}
