/*
 * vector: the "vectors" of a rule file: what its expressions give for addresses that are known.
 */
#pragma once

#include "rule/rule.h"
#include "rule/strict.h"

/* Reads the list into a rule. 0; -ENOMEM; -EINVAL with the error of `s` written. */
int pt_vector_read_list(struct pt_strict *s, json_t *value, void *rule);

/*
 * A vector can only check an expression that there is, wherever in the file that stands. `json` is
 * the whole rule. 0; -EINVAL with the error of `s` written.
 */
int pt_vector_check_keys(struct pt_strict *s, json_t *json, const struct pt_rule *rule);
