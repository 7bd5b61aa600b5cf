/*
 * setter: what a text means for an option of each type, and what is refused, with a sentence.
 */
#pragma once

#include "options.h"

/*
 * Set the member of an option from a text: lists grow, all else is replaced. 0; -ENOMEM; -EINVAL
 * with a sentence.
 */
int pt_setter_set(const struct pt_option *option, void *into, const char *text,
                  char sentence[PT_OPTION_SENTENCE]);

void pt_setter_clear(struct pt_texts *texts);
