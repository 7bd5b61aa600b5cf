/*
 * chance: how likely a match is luck (design 5). The only place of that arithmetic.
 *
 * One innocent connection meets a match with the part of all such connections that go to one of the
 * candidate ports (history.h), or for a calculated address with 1 / 2^32 for each candidate.
 */
#pragma once

#include <stdbool.h>

struct pt_chance_settings {
        double step;  /* from this chance on, a match is one severity lower; 1: never */
        double floor; /* and from this on it has the lowest; 1: never */
};

#define PT_CHANCE_STEP 5e-4
#define PT_CHANCE_FLOOR 2e-3

/* Chance that one of this many tries meets it, where each does with `share`. 0..1. */
double pt_chance(double share, unsigned tries);

/* The severity of a match that is luck with this chance: never more, never below 21. */
int pt_chance_severity(const struct pt_chance_settings *settings, int severity, double chance);

/* The base rate of a calculated address: 1 / 2^32 for each address it could be. */
double pt_chance_addresses(unsigned candidates);
