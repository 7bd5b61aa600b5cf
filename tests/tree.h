/*
 * tree: where the checkout is, for tests that read files of it: here, or where this file was
 * compiled from.
 */
#pragma once

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The path of a file of the checkout. Returns `ret`. */
static inline const char *tree_path(const char *path, char ret[4096])
{
        const char *slash = strrchr(__FILE__, '/');

        snprintf(ret, 4096, "%s", path);
        if (access(ret, F_OK) < 0 && slash)
                snprintf(ret, 4096, "%.*s/../%s", (int)(slash - __FILE__), __FILE__, path);
        return ret;
}
