/*
 * chance: how likely a match is luck (design 5). The only place of that arithmetic.
 *
 * An innocent connection to a port that the rule admits hits one given value with the base rate
 * 1 / (ports admitted); one to an address, with 1 / 2^32 for each address that is live.
 */
#pragma once

#include "rule.h"

/* Chance that one try meets one of `candidates` values of this rule. 0..1. */
double pt_chance(const struct pt_rule *rule, unsigned candidates);
