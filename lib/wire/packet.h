/*
 * packet: a frame as it was captured -> a view of its innermost addresses and transport.
 *
 * The view borrows the frame's bytes. Nothing past the captured length is ever read, and nothing
 * past the length that the IP header claims is taken for payload (Ethernet trailers may hold
 * whatever they like). Tunnels are opened, up to PT_PACKET_DEPTH of them, and noted. An IP fragment
 * is shown as it is; put together by others it is handed back to pt_packet_resume().
 */
#pragma once

#include "base/address.h"
#include "portent.h"

/* Link types, numbered as in the pcap file format's registry (LINKTYPE_...). */
enum pt_linktype {
        PT_LINK_NULL = 0,
        PT_LINK_ETHERNET = 1,
        PT_LINK_PPP = 9,
        PT_LINK_RAW_BSD = 12,     /* DLT_RAW of most systems */
        PT_LINK_RAW_OPENBSD = 14, /* DLT_RAW of OpenBSD */
        PT_LINK_PPP_HDLC = 50,    /* or Cisco's */
        PT_LINK_PPP_ETHER = 51,   /* PPPoE without Ethernet */
        PT_LINK_RAW = 101,
        PT_LINK_CISCO_HDLC = 104,
        PT_LINK_LOOP = 108,
        PT_LINK_SLL = 113,
        PT_LINK_PPP_PPPD = 166,
        PT_LINK_PPP_DIRECTED = 204,
        PT_LINK_IPV4 = 228,
        PT_LINK_IPV6 = 229,
        PT_LINK_SLL2 = 276,
};

/* What a frame turned out to be: one of these per frame, each counted by its own name. */
enum pt_packet_kind {
        PT_PACKET_UDP,
        PT_PACKET_TCP,
        PT_PACKET_OTHER_LINK,      /* a link type that is not read */
        PT_PACKET_OTHER_ETHERTYPE, /* ARP and the like; 802.3 length fields without SNAP */
        PT_PACKET_OTHER_PROTOCOL,  /* IP with neither UDP nor TCP: ICMP, ESP, no next header */
        PT_PACKET_TUNNEL,          /* a tunnel whose inside is not read: PPTP, Teredo */
        PT_PACKET_FRAGMENT,        /* IPv4 or IPv6 fragment (an atomic one, RFC 6946, is not) */
        PT_PACKET_SHORT,           /* the frame ends before a header does, as sent */
        PT_PACKET_TRUNCATED,       /* the same, because the capture cut it (captured < length) */
        PT_PACKET_MALFORMED,       /* a header contradicts itself */
        PT_PACKET_TOO_DEEP,        /* more tags, tunnels or extension headers than anybody sends */
        PT_PACKET_KINDS,
};

/* The counter's name, as "other_link". */
const char *pt_packet_kind_name(enum pt_packet_kind kind);

/* What a frame may be wrapped in: each has its own counter, tunnel.NAME. */
enum pt_tunnel {
        PT_TUNNEL_SNAP,
        PT_TUNNEL_PPP, /* link types of it, and in GRE */
        PT_TUNNEL_PPPOE,
        PT_TUNNEL_MPLS,
        PT_TUNNEL_PSEUDOWIRE, /* Ethernet in MPLS, with or without a control word */
        PT_TUNNEL_IPIP,       /* IPv4 in IPv4 */
        PT_TUNNEL_4IN6,
        PT_TUNNEL_6IN4,
        PT_TUNNEL_6IN6,
        PT_TUNNEL_GRE,
        PT_TUNNEL_NVGRE,
        PT_TUNNEL_ERSPAN1,
        PT_TUNNEL_ERSPAN2,
        PT_TUNNEL_ERSPAN3,
        PT_TUNNEL_VXLAN,
        PT_TUNNEL_GENEVE,
        PT_TUNNEL_GTP,
        PT_TUNNEL_PPTP,   /* GRE version 1: counted, not read */
        PT_TUNNEL_TEREDO, /* counted, not read */
        PT_TUNNELS,
};

/* As documents name it, as "vxlan". */
const char *pt_tunnel_name(enum pt_tunnel tunnel);

/* Whose number says what could not be read. */
enum pt_layer {
        PT_LAYER_LINK,      /* link types */
        PT_LAYER_ETHERTYPE, /* ethertypes, and 802.3 length fields */
        PT_LAYER_PPP,       /* PPP protocols */
        PT_LAYER_PROTOCOL,  /* IP protocols */
        PT_LAYER_PORT,      /* UDP ports of tunnels */
        PT_LAYERS,
};

#define PT_PACKET_VLANS 2   /* tags that are remembered; up to 8 are read at a time */
#define PT_PACKET_TUNNELS 2 /* tunnels that are remembered */
#define PT_PACKET_DEPTH 8   /* tunnels, and datagrams put together from fragments, in each other */

/* TCP flags (RFC 9293 section 3.1). */
#define PT_TCP_FIN 0x01
#define PT_TCP_SYN 0x02
#define PT_TCP_RST 0x04
#define PT_TCP_ACK 0x10
#define PT_TCP_URG 0x20

/* A tunnel with its number: VNI, session, label, key; 0 where it has none. */
struct pt_packet_tunnel {
        uint32_t id;
        uint8_t kind; /* enum pt_tunnel */
        bool has_id;
};

/* An IP fragment: its octets are the payload. */
struct pt_packet_fragment {
        uint32_t id;
        uint16_t offset; /* of the payload in its datagram, octets */
        bool more;
};

struct pt_packet {
        struct pt_address source;
        struct pt_address destination;
        uint16_t source_port;
        uint16_t destination_port;
        uint8_t protocol; /* 6 or 17; of a fragment, what its header says */
        bool ipv6;        /* the header's own version: a mapped address does not tell */
        uint8_t tcp_flags;
        uint8_t depth; /* tunnels opened on the way, and datagrams put together */
        uint32_t tcp_sequence;
        uint32_t tcp_octets; /* of payload, as the headers claim; 0 for UDP */
        bool has_mac; /* of the innermost Ethernet frame; `source_mac` alone for cooked captures */
        bool has_destination_mac;
        uint8_t source_mac[6];
        uint8_t destination_mac[6];
        uint16_t vlans[PT_PACKET_VLANS]; /* outermost first; VID 0 (priority tag) is left out */
        uint8_t vlan_count;
        uint8_t tunnel_count;
        struct pt_zone zone;  /* all zero unless pt_packet_set_zone() says otherwise */
        uint32_t tunnels_met; /* a bit for each enum pt_tunnel, whatever the packet's kind */
        struct pt_packet_tunnel tunnels[PT_PACKET_TUNNELS]; /* outermost first; not SNAP and PPP */
        const uint8_t *payload; /* of UDP, TCP or a fragment: what the capture holds of it */
        uint32_t payload_length;
        bool payload_cut; /* the capture, or the IP length, holds less than the headers claim */
        struct pt_packet_fragment fragment; /* of PT_PACKET_FRAGMENT */
        enum pt_layer unread_layer;         /* of the OTHER kinds and PT_PACKET_TUNNEL */
        uint16_t unread;                    /* the number that says what it is */
};

/*
 * Decode one frame. Returns PT_PACKET_UDP, PT_PACKET_TCP or PT_PACKET_FRAGMENT with the view in
 * `ret`, else the kind: of `ret` then only `tunnels_met` holds, and what is unread where that is
 * meant. Checksums are not verified: offload makes wrong ones normal. TCP options are not read, so
 * a capture that cuts them off (tcpdump -s 68) still shows its SYNs.
 */
enum pt_packet_kind pt_packet_decode(const struct pt_frame *frame, struct pt_packet *ret);

/*
 * Let the packet's VLANs, its tunnels, or both be its zone: as far as they are remembered, and of
 * tunnels the innermost with a number.
 */
void pt_packet_set_zone(struct pt_packet *p, bool vlans, bool tunnels);

/* Who sent a packet, and who it is for: an address, in the packet's zone. */
static inline struct pt_address pt_packet_sender(const struct pt_packet *p)
{
        return pt_address_in_zone(&p->source, &p->zone);
}

static inline struct pt_address pt_packet_receiver(const struct pt_packet *p)
{
        return pt_address_in_zone(&p->destination, &p->zone);
}

/*
 * Go on with the datagram that the fragment `p` completed: `p` has its addresses, the protocol of
 * its first fragment, and how deep that stood.
 */
enum pt_packet_kind pt_packet_resume(struct pt_packet *p, const uint8_t *datagram, uint32_t length);
