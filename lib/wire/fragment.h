/*
 * fragment: datagrams put together from IP fragments (RFC 791, RFC 8200 section 4.5), in a fixed
 * pool.
 *
 * Overlaps: octets that arrive twice and are the same are fine (mirrors double packets). If they
 * differ, the datagram is dropped with all that is still to come of it, as RFC 5722 says for IPv6
 * and as Linux and Windows do for IPv4 too: no sender means it, and nobody knows what the receiver
 * made of it. Only when nothing had come for a second is it the number that is used again, and the
 * new datagram begins.
 *
 * No source holds more than an eighth of the pool; where there is no room, the oldest goes. Time is
 * packet time: after half a minute the rest is not waited for.
 */
#pragma once

#include "base/counter.h"
#include "base/hash.h"
#include "wire/packet.h"

struct pt_fragments;

/* 0, or -ENOMEM. Takes `memory` octets and a datagram more. Borrows the counters (fragment.*). */
int pt_fragments_new(size_t memory, const struct pt_hash_key *key, struct pt_counters *counters,
                     struct pt_fragments **ret);
struct pt_fragments *pt_fragments_free(struct pt_fragments *fragments);

/* Octets that it takes beyond `memory`. */
size_t pt_fragments_size(void);

/*
 * A fragment (PT_PACKET_FRAGMENT) comes. If it completes its datagram: true, p->protocol is that of
 * the first fragment, and `ret` are the octets, good until the next one comes.
 */
bool pt_fragments_put(struct pt_fragments *fragments, struct pt_packet *p, int64_t time,
                      const uint8_t **ret, uint32_t *ret_length);

/* The end of the input: what waits is lost, and counted. */
void pt_fragments_finish(struct pt_fragments *fragments);

/* Datagrams that wait for more. */
uint32_t pt_fragments_waiting(const struct pt_fragments *fragments);
