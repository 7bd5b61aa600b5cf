/*
 * twin: which addresses belong to one host (design 4.11). With dual stack a DNS answer often goes
 * to the client's IPv6 address, and the SYN leaves from its IPv4 address, or the other way round.
 *
 * Two addresses are twins when one MAC received an answer for the one and sends the SYN of the
 * other, and that MAC carries at most eight addresses: behind a router's there are more, and they
 * say nothing about each other. A MAC carries an address that an answer through it went to, or that
 * sent a SYN, a QUIC packet or a DNS query from it, within the last max_window. The MAC alone is
 * the key: of VLANs nothing is asked, for a host is one host in all of them.
 *
 * The table is bounded; when there is no room, the MAC that was seen longest ago gives way,
 * counted.
 */
#pragma once

#include "base/address.h"
#include "base/counter.h"
#include "memory/recent.h"

#define PT_TWIN_MAC 6  /* octets */
#define PT_TWIN_MOST 8 /* addresses of a host; a MAC with more is a router's */

struct pt_twins {
        struct pt_recent macs; /* payload: what a MAC carries */
        int64_t window;        /* an address that was not seen for so long is forgotten */
        struct pt_counters *counters;
};

/* 0, or -ENOMEM. Borrows the counters. */
int pt_twins_init(struct pt_twins *twins, uint32_t capacity, int64_t window,
                  const struct pt_hash_key *key, struct pt_counters *counters);
void pt_twins_deinit(struct pt_twins *twins);

/* Octets that pt_twins_init() takes. */
size_t pt_twins_size(uint32_t capacity);

/* Other addresses of a host, in order of their octets (IPv4 counts as ::ffff:0:0/96). */
struct pt_twin_list {
        size_t count;
        struct pt_address addresses[PT_TWIN_MOST];
};

/* Of a MAC, made once for all that is asked about it. */
uint32_t pt_twins_hash(const struct pt_twins *twins, const uint8_t mac[PT_TWIN_MAC]);

/* Fetch what looking a MAC up will touch: one link further with each step, from 0 to 1. */
void pt_twins_fetch(const struct pt_twins *twins, uint32_t hash, unsigned step);

/*
 * An answer for this address went to the MAC, or the address sent something from it. MACs of groups
 * and the one of all zeros (the loopback device's) belong to no host.
 */
void pt_twins_received(struct pt_twins *twins, const uint8_t mac[PT_TWIN_MAC], uint32_t hash,
                       const struct pt_address *address, int64_t time);
void pt_twins_sent(struct pt_twins *twins, const uint8_t mac[PT_TWIN_MAC], uint32_t hash,
                   const struct pt_address *address, int64_t time);

/* The twins of an address that sends from this MAC at `time`. */
void pt_twins_find(const struct pt_twins *twins, const uint8_t mac[PT_TWIN_MAC], uint32_t hash,
                   const struct pt_address *address, int64_t time, struct pt_twin_list *ret);

/* Write the gauges (twin.*) into the counters, as of `time`. */
void pt_twins_gauge(const struct pt_twins *twins, int64_t time);
