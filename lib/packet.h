/*
 * packet: a frame as it was captured -> a view of its innermost addresses and transport.
 *
 * The view borrows the frame's bytes. Nothing past the captured length is ever read, and nothing
 * past the length that the IP header claims is taken for payload (Ethernet trailers may hold
 * whatever they like). Tunnels, fragments and DNS over TCP are named, not read.
 */
#pragma once

#include "address.h"
#include "portent.h"

/* Link types, numbered as in the pcap file format's registry (LINKTYPE_...). */
enum pt_linktype {
        PT_LINK_NULL = 0,
        PT_LINK_ETHERNET = 1,
        PT_LINK_RAW_BSD = 12,     /* DLT_RAW of most systems */
        PT_LINK_RAW_OPENBSD = 14, /* DLT_RAW of OpenBSD */
        PT_LINK_RAW = 101,
        PT_LINK_LOOP = 108,
        PT_LINK_SLL = 113,
        PT_LINK_IPV4 = 228,
        PT_LINK_IPV6 = 229,
        PT_LINK_SLL2 = 276,
};

/* What a frame turned out to be: one of these per frame, each counted by its own name. */
enum pt_packet_kind {
        PT_PACKET_UDP,
        PT_PACKET_TCP,
        PT_PACKET_OTHER_LINK,      /* a link type that is not read */
        PT_PACKET_OTHER_ETHERTYPE, /* ARP and the like; 802.3 length fields */
        PT_PACKET_OTHER_PROTOCOL,  /* IP with neither UDP nor TCP: ICMP, ESP, no next header */
        PT_PACKET_TUNNEL,          /* GRE, IP in IP, MPLS, PPPoE: another packet inside, not read */
        PT_PACKET_FRAGMENT,        /* IPv4 or IPv6 fragment (an atomic one, RFC 6946, is not) */
        PT_PACKET_SHORT,           /* the frame ends before a header does, as sent */
        PT_PACKET_TRUNCATED,       /* the same, because the capture cut it (captured < length) */
        PT_PACKET_MALFORMED,       /* a header contradicts itself */
        PT_PACKET_TOO_DEEP,        /* more tags or extension headers than anybody sends */
        PT_PACKET_KINDS,
};

/* The counter's name, as "other_link". */
const char *pt_packet_kind_name(enum pt_packet_kind kind);

#define PT_PACKET_VLANS 2 /* tags that are remembered; up to 8 are read */

/* TCP flags (RFC 9293 section 3.1). */
#define PT_TCP_FIN 0x01
#define PT_TCP_SYN 0x02
#define PT_TCP_RST 0x04
#define PT_TCP_ACK 0x10

struct pt_packet {
        struct pt_address source;
        struct pt_address destination;
        uint16_t source_port;
        uint16_t destination_port;
        uint8_t protocol; /* 6 or 17 */
        bool ipv6;        /* the header's own version: a mapped address does not tell */
        uint8_t tcp_flags;
        uint32_t tcp_sequence;
        bool has_mac; /* Ethernet; `source_mac` alone for cooked captures */
        bool has_destination_mac;
        uint8_t source_mac[6];
        uint8_t destination_mac[6];
        uint16_t vlans[PT_PACKET_VLANS]; /* outermost first; VID 0 (priority tag) is left out */
        uint8_t vlan_count;
        const uint8_t *payload; /* of UDP or TCP: what the capture holds of it */
        uint32_t payload_length;
        bool payload_cut; /* the capture, or the IP length, holds less than the headers claim */
};

/*
 * Decode one frame. Returns PT_PACKET_UDP or PT_PACKET_TCP with the view in `ret`, else the kind
 * (`ret` is then undefined). Checksums are not verified: offload makes wrong ones normal. TCP
 * options are not read, so a capture that cuts them off (tcpdump -s 68) still shows its SYNs.
 */
enum pt_packet_kind pt_packet_decode(const struct pt_frame *frame, struct pt_packet *ret);
