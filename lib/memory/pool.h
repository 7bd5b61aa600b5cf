/*
 * pool: all that is remembered of the traffic lives in cells of 64 octets, one cache line each,
 * taken once from a stated budget. Links between cells are 32-bit numbers; 0 is none.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PT_CELL 64

struct pt_pool {
        unsigned char *cells; /* cell 0 is never given out */
        uint32_t count;       /* cells that can be given out */
        uint32_t used;
        uint32_t fresh; /* cells from here on were never given out */
        uint32_t spare; /* list of those given back */
};

/* 0, or -ENOMEM. `bytes` is what the cells may take. */
int pt_pool_init(struct pt_pool *pool, size_t bytes);
void pt_pool_deinit(struct pt_pool *pool);

/* A cleared cell, or 0 when there is none. */
uint32_t pt_pool_take(struct pt_pool *pool);
void pt_pool_give(struct pt_pool *pool, uint32_t link);

static inline uint32_t pt_pool_free(const struct pt_pool *pool)
{
        return pool->count - pool->used;
}

static inline void *pt_pool_at(const struct pt_pool *pool, uint32_t link)
{
        return pool->cells + (size_t)link * PT_CELL;
}
