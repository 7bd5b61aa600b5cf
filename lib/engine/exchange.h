/*
 * exchange: queries, and the answers to them (design 4.8).
 */
#pragma once

#include "engine/state.h"

/* The query that an answer belongs to. */
struct pt_asked {
        int64_t wall; /* packet time */
        uint32_t number;
        uint16_t file;
};

/* A message was read: it is remembered, or learned. */
void pt_exchange_message(struct pt_engine *engine, const struct pt_arrival *arrival, int64_t time);

/* The same for what a log says of a query or an answer. */
void pt_exchange_logged(struct pt_engine *engine, const struct pt_arrival *arrival, int64_t time);

/* Somebody may want to keep the frame. `asked` is NULL but for an answer whose query was seen. */
void pt_exchange_trace(struct pt_engine *engine, enum pt_trace_kind kind,
                       const struct pt_arrival *arrival, const struct pt_asked *asked);
