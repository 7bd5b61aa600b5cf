/*
 * pick: what the kernel hands us of TCP beside `filter`, so that the outcome of a connection can be
 * told: as a classic BPF program that is written anew whenever other connections are followed.
 *
 * A SYN is judged some 100 ms after it came, and many a connection is over by then. So all that
 * opens or ends one passes at any time: SYN with ACK, FIN and RST. Between them, octets are known
 * by sequence numbers. All segments pass of connections that are followed.
 *
 * Nothing passes here that `filter` passes (SYNs, DNS, fragments, tunnels, more than four tags), so
 * no packet comes twice; tests/test-pick.c holds the two against each other.
 *
 * Connections are told by a number of 32 bits, made of addresses and ports, the same for both ways.
 * Others that have the same number pass too, and are not looked at.
 */
#pragma once

#include <pcap/pcap.h>

#include "portent.h"

#define PT_PICK_OCTETS 256u /* of a frame: headers, with whatever stands between them */

/*
 * For a link type (LINKTYPE_...), and PT_FOLLOWED_MOST connections at most. 0; -ENOMEM; -ENOTSUP
 * for a link type that no interface has. To be freed with pt_filter_free().
 */
int pt_pick_make(int linktype, const struct pt_followed *list, size_t count,
                 struct bpf_program *ret);
