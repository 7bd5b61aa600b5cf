/*
 * moment: a point in time as people write it.
 *
 * RFC 3339, as 2026-11-24T19:57:03Z, with a fraction or an offset (+01:00) or not; a blank or a
 * small t or z does as well; a date alone is its midnight in UTC. Or seconds since 1970, as
 * 1795550223, with a fraction or not. Never local time: the same words mean the same on every
 * machine.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds since 1970. False for anything else, and for what lies before 1970 or after 2262. */
bool pt_moment_parse(const char *text, int64_t *ret);
