/*
 * say: what the program tells people on standard error. One call is one line, written at once,
 * that begins with "portent: "; control characters from file names and the like are replaced.
 *
 * Where standard error is the journal, the line carries its priority as sd-daemon(3) has it, and
 * the journal says who speaks.
 */
#pragma once

#include "portent.h"

/* What happened; what should be looked at; what went wrong. */
void pt_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void pt_say_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void pt_say_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The error that was said last, without its priority; empty if there was none. */
const char *pt_say_last_error(void);

/* What a noun ends with behind this number: "1 rule", "4 rules". */
static inline const char *pt_say_plural(uint64_t number)
{
        return number == 1 ? "" : "s";
}

/* An error: "rules/apt12.json:3:12: limits.ports[2]: a sentence" */
void pt_say_fault(const struct pt_rule_error *error);
