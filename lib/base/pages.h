/*
 * pages: memory for large tables that are met at random. With small pages nearly every look would
 * miss the TLB as well as the cache; in a virtual machine that makes it half as slow again.
 */
#pragma once

#include <stddef.h>

/* `count` things of `size` octets, all zero, or NULL. What is never touched takes no memory. */
void *pt_pages_take(size_t count, size_t size);

/* And back, with the same two numbers; nothing where `at` is NULL. */
void pt_pages_give(void *at, size_t count, size_t size);
