/*
 * cross: does the port come from another address that the client was given (design 4.3,
 * dns_other_address)? What it was given within cross_window is searched, newest first.
 */
#pragma once

#include "judge/judge.h"

/* One walk for all of the class: does any of its rules yield the port at all? Asked first. */
bool pt_cross_possible(struct pt_trial *trial);

/*
 * Add the match of a rule that yields the port for another address, if there is one. Names that
 * were contacted (4.5) are marked by the caller.
 */
void pt_cross_judge(struct pt_trial *trial, const struct pt_rule *rule);
