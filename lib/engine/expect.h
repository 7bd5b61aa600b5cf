/*
 * expect: where a client would connect if it calculated, told when it is given an answer (design
 * 6).
 *
 * For a sensor that sees the answers where another one sees the SYNs: what both write is joined
 * where it is collected. There is one expectation for each client, address and rule, and again only
 * when half of the time has passed for which the last one counts.
 */
#pragma once

#include "engine/state.h"

#define PT_EXPECT_MOST 1024 /* of one answer; the rest is counted */
#define PT_EXPECT_FEW 8     /* a client that was lately given more addresses has no exact pairs */
#define PT_EXPECT_PAIRS 64  /* exact pairs told for one answer */

/* An expectation that was told. */
struct pt_expected {
        int64_t again; /* engine time from which on it is told again */
};

/* An answer that hosts has learned. */
void pt_expect_answer(struct pt_engine *engine, const struct pt_given *given);
