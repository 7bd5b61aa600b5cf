/*
 * tunnel: what stands between a network header and the packet inside. One table names all of them:
 * by ethertype, by IP protocol, by UDP port.
 */
#pragma once

#include "wire/decoder.h"

/*
 * Opens the tunnel that d->layer and d->number name: PT_OPENED with what follows in `d`, or what
 * kind of packet that makes it. PT_PACKET_UDP: the port is a tunnel's, what stands there is none,
 * and nothing was changed.
 */
enum pt_packet_kind pt_tunnel_open(struct pt_decoder *d, struct pt_packet *ret);

/* May a datagram to this port be a tunnel? Few are asked more than this. */
static inline bool pt_tunnel_port(uint16_t port)
{
        switch (port) {
        case 2152: /* GTP-U */
        case 3544: /* Teredo, RFC 4380 */
        case 4789: /* VXLAN, RFC 7348 */
        case 6081: /* Geneve, RFC 8926 */
        case 6635: /* MPLS, RFC 7510 */
        case 8472: /* VXLAN before that was assigned, and Linux by default */
                return true;
        default:
                return false;
        }
}
