/*
 * effect: the configuration that is in effect, written as one that can be read again: every key
 * with its value, and in a comment before it where that value comes from.
 */
#pragma once

#include "options.h"

#define PT_EFFECT_HASH 65 /* 64 hexadecimal digits and the final NUL */

/* 0, or -ENOMEM, or -EIO. */
int pt_effect_print(FILE *file, const struct pt_options *options);

/* Have both the same value of an option? */
bool pt_effect_same(const struct pt_options *a, const struct pt_options *b,
                    const struct pt_option *option);

/*
 * The SHA-256 of every key and value, without the comments: two sensors with the same hash do the
 * same, whichever way they were told. 0, or -ENOMEM.
 */
int pt_effect_hash(const struct pt_options *options, char ret[PT_EFFECT_HASH]);
