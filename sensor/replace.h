/*
 * replace: a file gets a new text as a whole: whoever reads it sees the old one or the new one.
 */
#pragma once

#include <stddef.h>

/*
 * "-" is standard output; what is no regular file (a FIFO, a device) is written to. A link stays,
 * what it leads to is replaced. 0, or a negative errno.
 */
int pt_replace(const char *path, const char *text, size_t length);
