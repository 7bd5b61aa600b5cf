/*
 * tell: a SYN that leaves the line is judged, and what comes of it goes to the receiver. Verdict,
 * chance, campaign and hold decide; this orders them.
 */
#pragma once

#include "engine/state.h"

void pt_tell_syn(struct pt_engine *engine, const struct pt_syn *syn);

/* The hash by which the table of SYNs knows it. */
uint32_t pt_tell_hash(const struct pt_engine *engine, const struct pt_syn *syn);

/* What was held back by one match and never told, if that is any. */
void pt_tell_held(struct pt_engine *engine, const struct pt_held *held);

/* The same for all that is forgotten now. */
void pt_tell_repeats(struct pt_engine *engine, enum pt_forget which);

/* A DNS response; `asked_wall` is the packet time of its query, NULL if none was seen. */
void pt_tell_answer(struct pt_engine *engine, const struct pt_arrival *arrival,
                    const int64_t *asked_wall);

/* What became of connections that have ended by now, or at the end of the input of all. */
void pt_tell_outcomes(struct pt_engine *engine, bool over);

void pt_tell_expectation(struct pt_engine *engine, const struct pt_expectation *expectation);
