/*
 * decoder: where the decoding of a frame stands. Shared by packet, link and tunnel, and by nobody
 * else.
 *
 * A header is opened: it is stepped over, and `layer` and `number` say what stands behind it.
 */
#pragma once

#include "base/bytes.h"
#include "wire/packet.h"

/* Not a kind of packet: the header was opened, what follows is still to be read. */
#define PT_OPENED PT_PACKET_KINDS

enum {
        PT_ETHERTYPE_NONE = 0, /* no ethertype says what follows */
        PT_ETHERTYPE_IPV4 = 0x0800,
        PT_ETHERTYPE_ARP = 0x0806,
        PT_ETHERTYPE_ERSPAN3 = 0x22eb,
        PT_ETHERTYPE_BRIDGED = 0x6558, /* an Ethernet frame, in GRE and Geneve (RFC 7637) */
        PT_ETHERTYPE_VLAN = 0x8100,    /* IEEE 802.1Q */
        PT_ETHERTYPE_IPV6 = 0x86dd,
        PT_ETHERTYPE_PPP = 0x880b,
        PT_ETHERTYPE_MPLS = 0x8847, /* RFC 5332 */
        PT_ETHERTYPE_MPLS_MULTICAST = 0x8848,
        PT_ETHERTYPE_PPPOE = 0x8864, /* RFC 2516 */
        PT_ETHERTYPE_QINQ = 0x88a8,  /* IEEE 802.1ad */
        PT_ETHERTYPE_ERSPAN = 0x88be,
        PT_ETHERTYPE_QINQ_OLD = 0x9100, /* stacked tags before 802.1ad */
};

/*
 * `rest` ends where the capture does, or the lower length field if that is earlier; `claimed` is
 * how many octets the headers say are left, which may be more.
 */
struct pt_decoder {
        struct pt_reader rest;
        uint32_t claimed;
        enum pt_packet_kind beyond_claim; /* what a header is that does not fit into `claimed` */
        bool cut;                         /* the capture holds less than the wire */
        bool jumbogram;                   /* IPv6 payload length 0 */
        uint16_t number;                  /* of what stands next */
        enum pt_layer layer;
};

static inline uint16_t pt_be16(const uint8_t *b)
{
        return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t pt_be24(const uint8_t *b)
{
        return (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2];
}

static inline uint32_t pt_be32(const uint8_t *b)
{
        return (uint32_t)b[0] << 24 | pt_be24(b + 1);
}

/* Why `needed` octets of a header are not there. */
static inline enum pt_packet_kind pt_decoder_lacking(const struct pt_decoder *d, uint32_t needed)
{
        if (needed > d->claimed)
                return d->beyond_claim;
        return d->cut ? PT_PACKET_TRUNCATED : PT_PACKET_SHORT;
}

/* The next `length` octets of a header, or NULL. */
static inline const uint8_t *pt_decoder_take(struct pt_decoder *d, uint32_t length)
{
        const uint8_t *b = pt_reader_take(&d->rest, length);

        if (b)
                d->claimed -= length;
        return b;
}

/* The lower layer's length field ends the payload: what the frame holds behind it is padding. */
static inline void pt_decoder_claim(struct pt_decoder *d, uint32_t length)
{
        d->claimed = length;
        d->beyond_claim = PT_PACKET_MALFORMED;
        if (pt_reader_left(&d->rest) > length)
                d->rest = pt_reader(d->rest.at, length);
}

/* What stands next. */
static inline enum pt_packet_kind pt_decoder_next(struct pt_decoder *d, enum pt_layer layer,
                                                  uint16_t number)
{
        d->layer = layer;
        d->number = number;
        return PT_OPENED;
}

/* A packet that is not read, and the number that says what it is. */
static inline enum pt_packet_kind pt_decoder_unread(struct pt_packet *p, enum pt_packet_kind kind,
                                                    enum pt_layer layer, uint16_t number)
{
        p->unread_layer = layer;
        p->unread = number;
        return kind;
}

/* VID 0 (a priority tag) names no VLAN. */
static inline void pt_packet_note_vlan(struct pt_packet *p, uint16_t tci)
{
        uint16_t vid = tci & 0x0fff;

        if (vid != 0 && p->vlan_count < PT_PACKET_VLANS)
                p->vlans[p->vlan_count++] = vid;
}

static inline void pt_packet_count_tunnel(struct pt_packet *p, enum pt_tunnel tunnel)
{
        p->tunnels_met |= UINT32_C(1) << tunnel;
}
