#include "wire/link.h"

/* Linux cooked captures name the sender alone, in up to 8 octets. */
static void cooked_note(struct pt_packet *p, unsigned length, const uint8_t *sender)
{
        p->has_mac = length == sizeof p->source_mac;
        memcpy(p->source_mac, sender, sizeof p->source_mac);
}

static enum pt_packet_kind cooked_open(struct pt_decoder *d, struct pt_packet *ret)
{
        const uint8_t *b = pt_decoder_take(d, 16);

        if (!b)
                return pt_decoder_lacking(d, 16);
        cooked_note(ret, pt_be16(b + 4), b + 6);
        return pt_decoder_next(d, PT_LAYER_ETHERTYPE, pt_be16(b + 14));
}

static enum pt_packet_kind cooked2_open(struct pt_decoder *d, struct pt_packet *ret)
{
        const uint8_t *b = pt_decoder_take(d, 20);

        if (!b)
                return pt_decoder_lacking(d, 20);
        cooked_note(ret, b[11], b + 12);
        return pt_decoder_next(d, PT_LAYER_ETHERTYPE, pt_be16(b));
}

/* The address families that BSD loopback headers hold: each system has its own for IPv6. */
static uint16_t family_ethertype(uint32_t family)
{
        switch (family) {
        case 2:
                return PT_ETHERTYPE_IPV4;
        case 10: /* Linux */
        case 23: /* Windows */
        case 24: /* NetBSD, OpenBSD */
        case 28: /* FreeBSD */
        case 30: /* macOS */
                return PT_ETHERTYPE_IPV6;
        default:
                return PT_ETHERTYPE_NONE;
        }
}

static enum pt_packet_kind loopback_open(struct pt_decoder *d, bool any_order)
{
        const uint8_t *b = pt_decoder_take(d, 4);
        uint16_t type;

        if (!b)
                return pt_decoder_lacking(d, 4);
        type = family_ethertype(pt_be32(b));
        if (type == PT_ETHERTYPE_NONE && any_order)
                type = family_ethertype(__builtin_bswap32(pt_be32(b)));
        return pt_decoder_next(d, PT_LAYER_ETHERTYPE, type);
}

static enum pt_packet_kind raw_open(struct pt_decoder *d)
{
        if (pt_reader_left(&d->rest) < 1)
                return pt_decoder_lacking(d, 1);
        switch (d->rest.at[0] >> 4) {
        case 4:
                return pt_decoder_next(d, PT_LAYER_ETHERTYPE, PT_ETHERTYPE_IPV4);
        case 6:
                return pt_decoder_next(d, PT_LAYER_ETHERTYPE, PT_ETHERTYPE_IPV6);
        default:
                return PT_PACKET_MALFORMED;
        }
}

/* ---- PPP ---- */

enum {
        PPP_IPV4 = 0x0021,
        PPP_IPV6 = 0x0057,
        PPP_MPLS = 0x0281, /* RFC 3032 section 4 */
        PPP_MPLS_MULTICAST = 0x0283,
};

/* The protocol field has one octet where that one is odd (RFC 1661 section 2). */
enum pt_packet_kind pt_link_open_ppp(struct pt_decoder *d, struct pt_packet *ret)
{
        const uint8_t *b = pt_decoder_take(d, 1);
        uint16_t protocol;

        if (!b)
                return pt_decoder_lacking(d, 1);
        protocol = b[0];
        if (!(protocol & 1)) {
                b = pt_decoder_take(d, 1);
                if (!b)
                        return pt_decoder_lacking(d, 1);
                protocol = (uint16_t)(protocol << 8 | b[0]);
        }
        switch (protocol) {
        case PPP_IPV4:
                return pt_decoder_next(d, PT_LAYER_ETHERTYPE, PT_ETHERTYPE_IPV4);
        case PPP_IPV6:
                return pt_decoder_next(d, PT_LAYER_ETHERTYPE, PT_ETHERTYPE_IPV6);
        case PPP_MPLS:
        case PPP_MPLS_MULTICAST:
                return pt_decoder_next(d, PT_LAYER_ETHERTYPE, PT_ETHERTYPE_MPLS);
        default:
                return pt_decoder_unread(ret, PT_PACKET_OTHER_ETHERTYPE, PT_LAYER_PPP, protocol);
        }
}

#define HDLC_ALL_STATIONS 0xff
#define HDLC_UNNUMBERED 0x03
#define CISCO_UNICAST 0x0f
#define CISCO_MULTICAST 0x8f

/* Cisco's HDLC has an ethertype where PPP has its protocol. */
static enum pt_packet_kind cisco_open(struct pt_decoder *d)
{
        const uint8_t *b = pt_decoder_take(d, 4);

        if (!b)
                return pt_decoder_lacking(d, 4);
        return pt_decoder_next(d, PT_LAYER_ETHERTYPE, pt_be16(b + 2));
}

/* Address and control octets (RFC 1662) may have been left out, as both ends agreed. */
static enum pt_packet_kind ppp_open(struct pt_decoder *d, struct pt_packet *ret)
{
        const uint8_t *at = d->rest.at;

        pt_packet_count_tunnel(ret, PT_TUNNEL_PPP);
        if (pt_reader_left(&d->rest) >= 2) {
                if (at[0] == CISCO_UNICAST || at[0] == CISCO_MULTICAST)
                        return cisco_open(d);
                if (at[0] == HDLC_ALL_STATIONS && at[1] == HDLC_UNNUMBERED)
                        pt_decoder_take(d, 2);
        }
        return pt_link_open_ppp(d, ret);
}

/* One octet before it says which way the frame went. */
static enum pt_packet_kind ppp_directed_open(struct pt_decoder *d, struct pt_packet *ret)
{
        if (!pt_decoder_take(d, 1))
                return pt_decoder_lacking(d, 1);
        return ppp_open(d, ret);
}

/* pppd writes the direction over the address octet; the control octet still follows. */
static enum pt_packet_kind pppd_open(struct pt_decoder *d, struct pt_packet *ret)
{
        const uint8_t *at = d->rest.at;

        if (pt_reader_left(&d->rest) < 2)
                return pt_decoder_lacking(d, 2);
        if (at[0] > 1) /* neither direction */
                return ppp_open(d, ret);
        pt_decoder_take(d, at[1] == HDLC_UNNUMBERED ? 2 : 1);
        return ppp_open(d, ret);
}

/* ---- LLC ---- */

#define LLC_LONGEST 1500 /* from 1536 on it is an ethertype (IEEE 802.3 section 3.2.6) */

static bool is_snap(const uint8_t *b)
{
        static const uint8_t plain[6] = {0xaa, 0xaa, 3, 0, 0, 0};
        static const uint8_t bridge[6] = {0xaa, 0xaa, 3, 0, 0, 0xf8}; /* IEEE 802.1H */

        return memcmp(b, plain, sizeof plain) == 0 || memcmp(b, bridge, sizeof bridge) == 0;
}

/* A length beyond what was sent is a lie that costs nothing: what is there is there. */
enum pt_packet_kind pt_link_open_llc(struct pt_decoder *d, uint16_t length, struct pt_packet *ret)
{
        const uint8_t *b;

        if (length > LLC_LONGEST || length < 8 || pt_reader_left(&d->rest) < 8 ||
            !is_snap(d->rest.at))
                return pt_decoder_unread(ret, PT_PACKET_OTHER_ETHERTYPE, PT_LAYER_ETHERTYPE,
                                         PT_ETHERTYPE_NONE);
        if (length < d->claimed)
                pt_decoder_claim(d, length);
        pt_packet_count_tunnel(ret, PT_TUNNEL_SNAP);
        b = pt_decoder_take(d, 8);
        return pt_decoder_next(d, PT_LAYER_ETHERTYPE, pt_be16(b + 6));
}

/* ---- by link type ---- */

enum pt_packet_kind pt_link_open(struct pt_decoder *d, int linktype, struct pt_packet *ret)
{
        ret->has_mac = false;
        ret->has_destination_mac = false;
        switch (linktype) {
        case PT_LINK_RAW:
        case PT_LINK_RAW_BSD:
        case PT_LINK_RAW_OPENBSD:
                return raw_open(d);
        case PT_LINK_IPV4:
                return pt_decoder_next(d, PT_LAYER_ETHERTYPE, PT_ETHERTYPE_IPV4);
        case PT_LINK_IPV6:
                return pt_decoder_next(d, PT_LAYER_ETHERTYPE, PT_ETHERTYPE_IPV6);
        case PT_LINK_NULL:
                return loopback_open(d, true);
        case PT_LINK_LOOP:
                return loopback_open(d, false);
        case PT_LINK_SLL:
                return cooked_open(d, ret);
        case PT_LINK_SLL2:
                return cooked2_open(d, ret);
        case PT_LINK_PPP:
        case PT_LINK_PPP_HDLC:
                return ppp_open(d, ret);
        case PT_LINK_PPP_ETHER:
                return pt_decoder_next(d, PT_LAYER_ETHERTYPE, PT_ETHERTYPE_PPPOE);
        case PT_LINK_PPP_PPPD:
                return pppd_open(d, ret);
        case PT_LINK_PPP_DIRECTED:
                return ppp_directed_open(d, ret);
        case PT_LINK_CISCO_HDLC:
                return cisco_open(d);
        default:
                return pt_decoder_unread(ret, PT_PACKET_OTHER_LINK, PT_LAYER_LINK,
                                         (uint16_t)linktype);
        }
}
