/*
 * lists: allow lists read from files.
 */
#pragma once

#include "portent.h"

#define PT_LISTS_FILE ((size_t)16 << 20) /* octets of one file at most */

/*
 * The lines of a file, into the builder. 0; -ENOMEM; -EINVAL with `error` written, also where the
 * file cannot be read.
 */
int pt_lists_read(struct pt_allow_builder *builder, enum pt_allow_list list, const char *path,
                  struct pt_rule_error *error);
