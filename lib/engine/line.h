/*
 * line: the delay line (design 4.1). A SYN waits here until packet time has passed its own by the
 * reorder time, so that one mirrored before its answer still finds it. SYNs leave in the order of
 * their time, those of one time in the order in which they came.
 */
#pragma once

#include "judge/verdict.h"

#define PT_LINE_PLACES 8192

struct pt_line;

/* 0, or -ENOMEM. */
int pt_line_new(struct pt_line **ret);
struct pt_line *pt_line_free(struct pt_line *line);
size_t pt_line_size(void);

/* Put a SYN in. The line must not be full. */
void pt_line_put(struct pt_line *line, const struct pt_syn *syn);
bool pt_line_full(const struct pt_line *line);

/* The one `place` places from the front, NULL if there are not so many. */
const struct pt_syn *pt_line_peek(const struct pt_line *line, uint32_t place);

/* Take the first one out: valid until the next is put in. NULL if the line is empty. */
const struct pt_syn *pt_line_take(struct pt_line *line);
