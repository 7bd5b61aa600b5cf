/*
 * community: Community ID version 1 of a flow, seed 0: "1:" and the base64 of a SHA-1 over its
 * addresses, protocol and ports, the smaller endpoint first, so that both directions share one.
 */
#pragma once

#include "base/address.h"

#define PT_COMMUNITY_TEXT 31 /* "1:", 28 characters, NUL */

struct pt_flow {
        struct pt_address source;
        struct pt_address destination;
        uint16_t source_port;
        uint16_t destination_port;
        uint8_t protocol;
        bool ipv6; /* of the packet's own header: it tells ::ffff:a.b.c.d from a.b.c.d */
};

/* Returns `ret`. */
const char *pt_community_id(const struct pt_flow *flow, char ret[PT_COMMUNITY_TEXT]);
