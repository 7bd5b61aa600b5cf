/*
 * message: a DNS message, in a datagram or out of a stream, read as far as it can be without
 * knowing what came before.
 */
#pragma once

#include "wire/packet.h"
#include "memory/recent.h"
#include "engine/state.h"

/* Is this to or from the port of DNS? */
static inline bool pt_message_is(const struct pt_packet *packet)
{
        return packet->source_port == PT_DNS_PORT || packet->destination_port == PT_DNS_PORT;
}

/*
 * Read the datagram's payload, which the message borrows. `ret` comes with room for addresses, and
 * keeps it.
 */
void pt_message_read(const struct pt_engine *engine, const struct pt_packet *packet,
                     struct pt_message *ret);

/* The same for what a log says: `ret` has its names and addresses already. */
void pt_message_logged(const struct pt_engine *engine, const struct pt_logged *logged,
                       struct pt_message *ret);
