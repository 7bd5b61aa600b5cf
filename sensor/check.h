/*
 * check: what -T does: try everything that a run would begin with, and change nothing.
 */
#pragma once

#include "portent.h"
#include "options.h"

/* Can this file be written, or made? It is left alone. 0, or a negative errno. */
int pt_check_file(const char *path);

/* Is every file that is written one of its own? 0; -EINVAL, and it has been said. */
int pt_check_files(const struct pt_options *options);

/* One line on standard output for each thing that is sound; what is not is said. 0, or -EINVAL. */
int pt_check(const struct pt_options *options, const struct pt_settings *settings);
