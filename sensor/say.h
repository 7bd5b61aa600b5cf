/*
 * say: what the program tells people on standard error. One call is one line, written at once,
 * that begins with "portent: "; control characters from file names and the like are replaced.
 */
#pragma once

#include "../lib/portent.h"

void pt_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What a noun ends with behind this number: "1 rule", "4 rules". */
static inline const char *pt_say_plural(uint64_t number)
{
        return number == 1 ? "" : "s";
}

/* "rules/apt12.json:3:12: limits.ports[2]: a sentence" */
void pt_say_fault(const struct pt_rule_error *error);
