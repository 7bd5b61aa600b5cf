/*
 * answer: what the program is asked for besides a run.
 */
#pragma once

#include "options.h"
#include "status.h"

/* --help, --explain, -T and the like. PT_STATUS_GO if none of them was asked for. */
enum pt_status pt_answer(const struct pt_options *options);

/* Is there an input, and a filter that can be, and is no file to be written that is read too? */
enum pt_status pt_answer_check(const struct pt_options *options);
