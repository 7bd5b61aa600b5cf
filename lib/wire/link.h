/*
 * link: what stands before the network header, by link type. All but Ethernet, which is read where
 * it is met most, in packet.
 */
#pragma once

#include "wire/decoder.h"

/* Opens the link header: PT_OPENED, or what kind of packet that makes it. */
enum pt_packet_kind pt_link_open(struct pt_decoder *d, int linktype, struct pt_packet *ret);

/* The same for an 802.3 length field, which has just been read: LLC, and SNAP (IEEE 802). */
enum pt_packet_kind pt_link_open_llc(struct pt_decoder *d, uint16_t length, struct pt_packet *ret);

/* And for a PPP frame without address and control octets (RFC 1661). */
enum pt_packet_kind pt_link_open_ppp(struct pt_decoder *d, struct pt_packet *ret);
