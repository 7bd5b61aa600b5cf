/*
 * glance: most packets are neither DNS nor the beginning of a connection, and of them nothing is
 * kept but a count. A few octets at fixed places show it, so they are never decoded.
 *
 * What a glance says, pt_packet_decode() would say too, with nothing in it that anybody looks at:
 * TCP or UDP in IP in Ethernet, with at most one VLAN tag, whole as far as headers go, no fragment
 * and no tunnel, not to or from the port of DNS; no SYN without ACK, RST and FIN; and not to UDP
 * port 443, where a contact may be (design 4.5). All else needs a closer look.
 */
#pragma once

#include "wire/packet.h"

enum pt_glance {
        PT_GLANCE_CLOSER,
        PT_GLANCE_UDP,
        PT_GLANCE_TCP,
};

/* Of each of `count` frames one octet, enum pt_glance. Frames with a doubtful time need a closer
 * look too. */
void pt_glance(const struct pt_frame *frames, size_t count, uint8_t *ret);
