#include "memory/pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

int pt_pool_init(struct pt_pool *pool, size_t bytes)
{
        size_t cells = bytes / PT_CELL;
        void *memory;

        if (cells < 2)
                cells = 2;
        if (cells > UINT32_MAX)
                cells = UINT32_MAX;
        /* Cells are met at random: with small pages nearly every one would miss the TLB as well. */
        if (posix_memalign(&memory, HUGE_PAGE, cells * PT_CELL) != 0)
                return -ENOMEM;
        madvise(memory, cells * PT_CELL, MADV_HUGEPAGE);
        memset(memory, 0,
               PT_CELL); /* what is none has no links: who fetches ahead may follow them */
        *pool = (struct pt_pool){.cells = memory, .count = (uint32_t)cells - 1, .fresh = 1};
        return 0;
}

void pt_pool_deinit(struct pt_pool *pool)
{
        free(pool->cells);
        *pool = (struct pt_pool){0};
}

uint32_t pt_pool_take(struct pt_pool *pool)
{
        uint32_t link = pool->spare;
        void *cell;

        if (link) {
                cell = pt_pool_at(pool, link);
                memcpy(&pool->spare, cell, sizeof pool->spare);
        } else if (pool->fresh <= pool->count) {
                link = pool->fresh++;
                cell = pt_pool_at(pool, link);
        } else {
                return 0;
        }
        pool->used++;
        memset(cell, 0, PT_CELL);
        return link;
}

void pt_pool_give(struct pt_pool *pool, uint32_t link)
{
        memcpy(pt_pool_at(pool, link), &pool->spare, sizeof pool->spare);
        pool->spare = link;
        pool->used--;
}
