/*
 * identity: what makes an event this one and no other -> event.id.
 *
 * No number of a file or of a packet goes in, so that a second run over the same packets, or
 * another sensor that sees them, says the same.
 */
#pragma once

#include "base/address.h"

#define PT_IDENTITY_TEXT 33

struct pt_identity {
        const char *action;
        const char *rule; /* "" if there is none */
        struct pt_address client;
        struct pt_address other;
        uint16_t client_port;
        uint16_t other_port;
        uint32_t number; /* TCP sequence number, or DNS id */
        int64_t wall;    /* packet time */
};

/* 32 hexadecimal digits. Returns `ret`. */
const char *pt_identity_text(const struct pt_identity *identity, char ret[PT_IDENTITY_TEXT]);
