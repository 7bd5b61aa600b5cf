#include "base/pages.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define WATCHED
#endif

#define PAGE ((size_t)4096)
#define HUGE_PAGE ((size_t)2 << 20)

/* Smaller tables have a few pages of their own, which the TLB can hold. */
static bool is_large(size_t count, size_t size)
{
#if defined(WATCHED)
        return false; /* so that what is written beyond its end is seen */
#endif
        return size && count >= HUGE_PAGE / 4 / size;
}

static size_t rounded(size_t count, size_t size)
{
        return (count * size + PAGE - 1) & ~(PAGE - 1);
}

/*
 * malloc(3) would hand out memory that others have used, in small pages already, and clear it. What
 * is mapped lies side by side, so that huge pages fit in. They are advice only: without them it is
 * as before.
 */
void *pt_pages_take(size_t count, size_t size)
{
        void *at;

        if (!is_large(count, size))
                return calloc(count, size);
        if (count > (PTRDIFF_MAX - PAGE) / size)
                return NULL;
        at = mmap(NULL, rounded(count, size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                  -1, 0);
        if (at == MAP_FAILED)
                return NULL;
        madvise(at, rounded(count, size), MADV_HUGEPAGE);
        return at;
}

void pt_pages_give(void *at, size_t count, size_t size)
{
        if (!is_large(count, size))
                free(at);
        else if (at)
                munmap(at, rounded(count, size));
}
