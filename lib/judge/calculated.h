/*
 * calculated: is the destination what an address rule makes of an address that the client was given
 * (design 4.3, and section 3 for what such a destination may be)?
 */
#pragma once

#include "judge/judge.h"

/* May the class hold a rule that leads to the destination? Asked first. */
bool pt_calculated_possible(struct pt_trial *trial);

/* One walk for all address rules of the class: the newest resolution that each meets, into
 * judge->hits at the rule's place in the class. */
void pt_calculated_search(struct pt_trial *trial);

/* Add the match of a rule, if the search has a hit for it. */
void pt_calculated_judge(struct pt_trial *trial, const struct pt_rule *rule, uint32_t hit);
