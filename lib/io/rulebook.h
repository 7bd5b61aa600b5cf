/*
 * rulebook: files and directories of rules -> one set.
 */
#pragma once

#include <stddef.h>

#include "rule/rule.h"

#define PT_RULEBOOK_FILE ((size_t)1 << 20) /* octets of a file at most */

/*
 * Reads every path in the order given: a file, or of a directory each *.json in order of name but
 * schema.json, which is no rule, and hidden files; ports.json is read by pt_rules_ports(). A
 * directory without a rule is an error. 0; -ENOMEM; -EINVAL with `error` written, line 0 where the
 * fault is not in a text.
 */
int pt_rulebook_load(const char *const *paths, size_t count, struct pt_rules **ret,
                     struct pt_rule_error *error);
