/*
 * load: the rules that this run uses, read and tried on their own test vectors.
 */
#pragma once

#include "portent.h"
#include "options.h"

/*
 * Where the rules are read from when nobody says: the source tree's while the program lies in the
 * folder it was built in, else the installed ones.
 */
const char *pt_load_folder(void);

/*
 * The allow lists; NULL if there is none. Counts of entries that stand in `before` too go on. 0, or
 * a negative errno; what is wrong has then been said.
 */
int pt_load_allow(const struct pt_options *options, const struct pt_allow *before,
                  struct pt_allow **ret);

/* 0, or a negative errno; what is wrong has then been said. */
int pt_load_rules(const struct pt_texts *paths, struct pt_rules **ret);
