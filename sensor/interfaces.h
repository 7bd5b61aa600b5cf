/*
 * interfaces: those that can be captured, and those that the user named.
 */
#pragma once

#include <stdio.h>

#include "io/live/live.h"
#include "options.h"

/* What -D prints, as tcpdump does. 0, or -EIO; it has been said. */
int pt_interfaces_list(FILE *file);

/* Open those of the options. 0, or a negative errno; it has been said. */
int pt_interfaces_open(const struct pt_options *options, const struct pt_notify *notify,
                       struct pt_live **ret);

/* What -T says of them: each one, and whether capturing is permitted. 0, or -EINVAL. */
int pt_interfaces_check(const struct pt_options *options);
