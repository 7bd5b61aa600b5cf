/*
 * bearer: whose MAC carries what (design 4.11), as packets show it.
 */
#pragma once

#include "engine/state.h"

/* The packet's source sent it. Returns the hash of its MAC, 0 if there is none. */
uint32_t pt_bearer_sent(struct pt_engine *engine, const struct pt_arrival *arrival, int64_t time);

/* The packet is an answer for its destination. */
void pt_bearer_received(struct pt_engine *engine, const struct pt_arrival *arrival, int64_t time);

/* Who sends a SYN is proven, and so is the host that it belongs to. */
void pt_bearer_prove(struct pt_engine *engine, const struct pt_packet *packet, uint32_t mac_hash,
                     int64_t time);
