#include "wire/tunnel.h"

#include "wire/link.h"

#define LABELS 16     /* of a stack of MPLS labels */
#define SOURCES 16    /* of GRE's routing field */
#define EXTENSIONS 16 /* of a GTP header */

static void note(struct pt_packet *p, enum pt_tunnel kind, bool has_id, uint32_t id)
{
        pt_packet_count_tunnel(p, kind);
        if (p->tunnel_count == PT_PACKET_TUNNELS)
                return;
        p->tunnels[p->tunnel_count++] = (struct pt_packet_tunnel){
                .id = id,
                .kind = (uint8_t)kind,
                .has_id = has_id,
        };
}

static enum pt_packet_kind ethernet_next(struct pt_decoder *d)
{
        return pt_decoder_next(d, PT_LAYER_LINK, PT_LINK_ETHERNET);
}

/* ---- IP in IP (RFC 2003, 4213, 2473) ---- */

static enum pt_packet_kind ipv4_open(struct pt_decoder *d, struct pt_packet *ret)
{
        note(ret, ret->ipv6 ? PT_TUNNEL_4IN6 : PT_TUNNEL_IPIP, false, 0);
        return pt_decoder_next(d, PT_LAYER_ETHERTYPE, PT_ETHERTYPE_IPV4);
}

static enum pt_packet_kind ipv6_open(struct pt_decoder *d, struct pt_packet *ret)
{
        note(ret, ret->ipv6 ? PT_TUNNEL_6IN6 : PT_TUNNEL_6IN4, false, 0);
        return pt_decoder_next(d, PT_LAYER_ETHERTYPE, PT_ETHERTYPE_IPV6);
}

/* ---- MPLS (RFC 3032), and what its labels do not say: what they stand before ---- */

/* Does an Ethernet frame that carries something usual begin here? */
static bool looks_ethernet(const uint8_t *at, size_t left)
{
        if (left < 15)
                return false;
        switch (pt_be16(at + 12)) {
        case PT_ETHERTYPE_IPV4:
                return at[14] >> 4 == 4;
        case PT_ETHERTYPE_IPV6:
                return at[14] >> 4 == 6;
        case PT_ETHERTYPE_ARP:
        case PT_ETHERTYPE_VLAN:
        case PT_ETHERTYPE_QINQ:
                return true;
        default:
                return false;
        }
}

/* An IPv4 header's own sum (RFC 1071) is sounder than a guess. */
static bool ipv4_sum_fits(const uint8_t *at, size_t left)
{
        size_t length = (size_t)(at[0] & 15) * 4;
        uint32_t sum = 0;

        if (length < 20 || left < length)
                return false;
        for (size_t i = 0; i < length; i += 2)
                sum += pt_be16(at + i);
        while (sum >> 16)
                sum = (sum & 0xffff) + (sum >> 16);
        return sum == 0xffff;
}

static bool ipv6_length_fits(const uint8_t *at, size_t left, uint32_t claimed)
{
        return left >= 40 && pt_be16(at + 4) + 40u <= claimed && claimed < pt_be16(at + 4) + 64u;
}

/*
 * 4 and 6 are IP by custom (RFC 4928), unless a pseudowire without a control word carries a frame
 * to an address that begins so; 0 is a control word (RFC 4385), or such a frame too.
 */
static enum pt_packet_kind unlabelled(struct pt_decoder *d, struct pt_packet *ret)
{
        const uint8_t *at = d->rest.at;
        size_t left = pt_reader_left(&d->rest);
        bool frame = looks_ethernet(at, left);
        unsigned nibble;

        if (left < 1)
                return pt_decoder_lacking(d, 1);
        nibble = at[0] >> 4;
        if (nibble == 4 && (!frame || ipv4_sum_fits(at, left)))
                return pt_decoder_next(d, PT_LAYER_ETHERTYPE, PT_ETHERTYPE_IPV4);
        if (nibble == 6 && (!frame || ipv6_length_fits(at, left, d->claimed)))
                return pt_decoder_next(d, PT_LAYER_ETHERTYPE, PT_ETHERTYPE_IPV6);
        if (nibble == 0 && (!frame || looks_ethernet(at + 4, left - 4))) {
                if (!pt_decoder_take(d, 4))
                        return pt_decoder_lacking(d, 4);
                frame = true;
        }
        if (!frame) /* an associated channel (RFC 5586), or a pseudowire of something else */
                return pt_decoder_unread(ret, PT_PACKET_TUNNEL, PT_LAYER_ETHERTYPE,
                                         PT_ETHERTYPE_MPLS);
        pt_packet_count_tunnel(ret, PT_TUNNEL_PSEUDOWIRE);
        return ethernet_next(d);
}

static enum pt_packet_kind mpls_open(struct pt_decoder *d, struct pt_packet *ret)
{
        for (int i = 0; i < LABELS; i++) {
                const uint8_t *b = pt_decoder_take(d, 4);

                if (!b)
                        return pt_decoder_lacking(d, 4);
                if (i == 0)
                        note(ret, PT_TUNNEL_MPLS, true, pt_be24(b) >> 4);
                if (b[2] & 1) /* the bottom of the stack */
                        return unlabelled(d, ret);
        }
        return PT_PACKET_TOO_DEEP;
}

/* ---- PPPoE (RFC 2516) ---- */

static enum pt_packet_kind pppoe_open(struct pt_decoder *d, struct pt_packet *ret)
{
        const uint8_t *b = pt_decoder_take(d, 6);

        if (!b)
                return pt_decoder_lacking(d, 6);
        if (b[0] != 0x11 || b[1] != 0) /* version and type; code 0 is session data */
                return PT_PACKET_MALFORMED;
        note(ret, PT_TUNNEL_PPPOE, true, pt_be16(b + 2));
        if (pt_be16(b + 4) < d->claimed)
                pt_decoder_claim(d, pt_be16(b + 4));
        return pt_link_open_ppp(d, ret);
}

/* Address and control octets of PPP in GRE may be there or not. */
static enum pt_packet_kind ppp_open(struct pt_decoder *d, struct pt_packet *ret)
{
        pt_packet_count_tunnel(ret, PT_TUNNEL_PPP);
        if (pt_reader_left(&d->rest) >= 2 && pt_be16(d->rest.at) == 0xff03)
                pt_decoder_take(d, 2);
        return pt_link_open_ppp(d, ret);
}

/* ---- GRE (RFC 1701, 2784, 2890), NVGRE (RFC 7637), ERSPAN (draft-foschiano-erspan-03) ---- */

enum {
        GRE_CHECKSUM = 0x8000,
        GRE_ROUTING = 0x4000,
        GRE_KEY = 0x2000,
        GRE_SEQUENCE = 0x1000,
        GRE_VERSION = 0x0007,
};

/* Source routes, up to an empty one (RFC 1701). */
static enum pt_packet_kind gre_routing(struct pt_decoder *d)
{
        for (int i = 0; i < SOURCES; i++) {
                const uint8_t *b = pt_decoder_take(d, 4);

                if (!b)
                        return pt_decoder_lacking(d, 4);
                if (b[3] == 0)
                        return PT_OPENED;
                if (!pt_decoder_take(d, b[3]))
                        return pt_decoder_lacking(d, b[3]);
        }
        return PT_PACKET_TOO_DEEP;
}

/* Only its use tells whether a key names a virtual network: bridged, with a key and no more. */
static void gre_note(struct pt_packet *p, unsigned flags, uint16_t type, uint32_t key)
{
        bool has_key = flags & GRE_KEY;
        unsigned all = GRE_CHECKSUM | GRE_ROUTING | GRE_KEY | GRE_SEQUENCE;

        if (type == PT_ETHERTYPE_BRIDGED && (flags & all) == GRE_KEY)
                note(p, PT_TUNNEL_NVGRE, true, key >> 8);
        else if (type != PT_ETHERTYPE_ERSPAN && type != PT_ETHERTYPE_ERSPAN3)
                note(p, PT_TUNNEL_GRE, has_key, key);
}

static enum pt_packet_kind erspan2_open(struct pt_decoder *d, struct pt_packet *ret)
{
        const uint8_t *b = pt_decoder_take(d, 8);

        if (!b)
                return pt_decoder_lacking(d, 8);
        if (b[0] >> 4 != 1)
                return pt_decoder_unread(ret, PT_PACKET_TUNNEL, PT_LAYER_ETHERTYPE,
                                         PT_ETHERTYPE_ERSPAN);
        note(ret, PT_TUNNEL_ERSPAN2, true, pt_be16(b + 2) & 0x3ff);
        if ((b[2] >> 3 & 3) != 3) /* else the frame has kept its tag */
                pt_packet_note_vlan(ret, pt_be16(b));
        return ethernet_next(d);
}

static enum pt_packet_kind erspan3_open(struct pt_decoder *d, struct pt_packet *ret)
{
        const uint8_t *b = pt_decoder_take(d, 12);
        unsigned type;

        if (!b)
                return pt_decoder_lacking(d, 12);
        type = b[10] >> 2 & 31;
        if (b[0] >> 4 != 2 || (type != 0 && type != 2)) /* an Ethernet frame, an IP packet */
                return pt_decoder_unread(ret, PT_PACKET_TUNNEL, PT_LAYER_ETHERTYPE,
                                         PT_ETHERTYPE_ERSPAN3);
        if (b[11] & 1 && !pt_decoder_take(d, 8)) /* what the platform adds */
                return pt_decoder_lacking(d, 8);
        note(ret, PT_TUNNEL_ERSPAN3, true, pt_be16(b + 2) & 0x3ff);
        pt_packet_note_vlan(ret, pt_be16(b));
        if (type == 0)
                return ethernet_next(d);
        return pt_decoder_next(d, PT_LAYER_LINK, PT_LINK_RAW);
}

static enum pt_packet_kind gre_open(struct pt_decoder *d, struct pt_packet *ret)
{
        const uint8_t *b = pt_decoder_take(d, 4);
        unsigned flags, fields;
        uint16_t type;
        uint32_t key = 0;

        if (!b)
                return pt_decoder_lacking(d, 4);
        flags = pt_be16(b);
        type = pt_be16(b + 2);
        if ((flags & GRE_VERSION) != 0) {
                pt_packet_count_tunnel(ret, PT_TUNNEL_PPTP);
                return pt_decoder_unread(ret, PT_PACKET_TUNNEL, PT_LAYER_PROTOCOL, d->number);
        }
        if (flags & (GRE_CHECKSUM | GRE_ROUTING) && !pt_decoder_take(d, 4))
                return pt_decoder_lacking(d, 4);
        fields = (flags & GRE_KEY ? 4 : 0) + (flags & GRE_SEQUENCE ? 4 : 0);
        b = pt_decoder_take(d, fields);
        if (!b)
                return pt_decoder_lacking(d, fields);
        if (flags & GRE_KEY)
                key = pt_be32(b);
        if (flags & GRE_ROUTING) {
                enum pt_packet_kind kind = gre_routing(d);

                if (kind != PT_OPENED)
                        return kind;
        }
        gre_note(ret, flags, type, key);
        if (type == PT_ETHERTYPE_ERSPAN && !(flags & GRE_SEQUENCE)) { /* type I has no header */
                note(ret, PT_TUNNEL_ERSPAN1, false, 0);
                return ethernet_next(d);
        }
        return pt_decoder_next(d, PT_LAYER_ETHERTYPE, type);
}

static enum pt_packet_kind bridged_open(struct pt_decoder *d, struct pt_packet *ret)
{
        (void)ret;
        return ethernet_next(d);
}

/* ---- by UDP port ---- */

static enum pt_packet_kind vxlan_open(struct pt_decoder *d, struct pt_packet *ret)
{
        const uint8_t *b = pt_decoder_take(d, 8);

        if (!b || !(b[0] & 0x08)) /* the flag that says that there is a VNI */
                return PT_PACKET_UDP;
        note(ret, PT_TUNNEL_VXLAN, true, pt_be24(b + 4));
        return ethernet_next(d);
}

static enum pt_packet_kind geneve_open(struct pt_decoder *d, struct pt_packet *ret)
{
        const uint8_t *b = pt_decoder_take(d, 8);
        uint32_t options;

        if (!b || b[0] >> 6 != 0) /* the version */
                return PT_PACKET_UDP;
        options = (b[0] & 63u) * 4;
        if (!pt_decoder_take(d, options))
                return pt_decoder_lacking(d, options);
        note(ret, PT_TUNNEL_GENEVE, true, pt_be24(b + 4));
        return pt_decoder_next(d, PT_LAYER_ETHERTYPE, pt_be16(b + 2));
}

#define GTP_DATA 255 /* a G-PDU; all else is signalling (3GPP TS 29.281 section 6.1) */

static enum pt_packet_kind gtp_extensions(struct pt_decoder *d, uint8_t next)
{
        for (int i = 0; next != 0; i++) {
                const uint8_t *b = pt_decoder_take(d, 1);
                uint32_t length;

                if (i == EXTENSIONS)
                        return PT_PACKET_TOO_DEEP;
                if (!b)
                        return pt_decoder_lacking(d, 1);
                length = b[0] * 4u;
                if (length == 0)
                        return PT_PACKET_MALFORMED;
                b = pt_decoder_take(d, length - 1);
                if (!b)
                        return pt_decoder_lacking(d, length - 1);
                next = b[length - 2];
        }
        return PT_OPENED;
}

static enum pt_packet_kind gtp_open(struct pt_decoder *d, struct pt_packet *ret)
{
        const uint8_t *b = pt_decoder_take(d, 8), *more;
        enum pt_packet_kind kind;

        if (!b || (b[0] & 0xf0) != 0x30 || b[1] != GTP_DATA) /* version 1, GTP and not GTP' */
                return PT_PACKET_UDP;
        if (pt_be16(b + 2) < d->claimed)
                pt_decoder_claim(d, pt_be16(b + 2));
        if (b[0] & 0x07) { /* extension, sequence number, N-PDU number: all of them or none */
                more = pt_decoder_take(d, 4);
                if (!more)
                        return pt_decoder_lacking(d, 4);
                kind = gtp_extensions(d, b[0] & 0x04 ? more[3] : 0);
                if (kind != PT_OPENED)
                        return kind;
        }
        note(ret, PT_TUNNEL_GTP, true, pt_be32(b + 4));
        if (pt_reader_left(&d->rest) > 0 && d->rest.at[0] >> 4 != 4 && d->rest.at[0] >> 4 != 6)
                return pt_decoder_unread(ret, PT_PACKET_TUNNEL, PT_LAYER_PORT, 2152);
        return pt_decoder_next(d, PT_LAYER_LINK, PT_LINK_RAW);
}

/* An IPv6 packet, behind indications of origin and authentication (RFC 4380 section 5.1.1). */
static enum pt_packet_kind teredo_open(struct pt_decoder *d, struct pt_packet *ret)
{
        const uint8_t *b = pt_decoder_take(d, 2);

        if (!b || (b[0] >> 4 != 6 && pt_be16(b) > 1))
                return PT_PACKET_UDP;
        pt_packet_count_tunnel(ret, PT_TUNNEL_TEREDO);
        return pt_decoder_unread(ret, PT_PACKET_TUNNEL, PT_LAYER_PORT, d->number);
}

/* ---- the table ---- */

static const struct tunnel {
        enum pt_layer layer;
        uint16_t number;
        enum pt_packet_kind (*open)(struct pt_decoder *d, struct pt_packet *ret);
} tunnels[] = {
        {PT_LAYER_ETHERTYPE, PT_ETHERTYPE_MPLS, mpls_open},
        {PT_LAYER_ETHERTYPE, PT_ETHERTYPE_MPLS_MULTICAST, mpls_open},
        {PT_LAYER_ETHERTYPE, PT_ETHERTYPE_PPPOE, pppoe_open},
        {PT_LAYER_ETHERTYPE, PT_ETHERTYPE_PPP, ppp_open},
        {PT_LAYER_ETHERTYPE, PT_ETHERTYPE_BRIDGED, bridged_open},
        {PT_LAYER_ETHERTYPE, PT_ETHERTYPE_ERSPAN, erspan2_open},
        {PT_LAYER_ETHERTYPE, PT_ETHERTYPE_ERSPAN3, erspan3_open},
        {PT_LAYER_PROTOCOL, 4, ipv4_open},
        {PT_LAYER_PROTOCOL, 41, ipv6_open},
        {PT_LAYER_PROTOCOL, 47, gre_open},
        {PT_LAYER_PROTOCOL, 137, mpls_open}, /* RFC 4023 */
        {PT_LAYER_PORT, 2152, gtp_open},
        {PT_LAYER_PORT, 3544, teredo_open},
        {PT_LAYER_PORT, 4789, vxlan_open},
        {PT_LAYER_PORT, 6081, geneve_open},
        {PT_LAYER_PORT, 6635, mpls_open},
        {PT_LAYER_PORT, 8472, vxlan_open},
};

static const struct tunnel *find(enum pt_layer layer, uint16_t number)
{
        for (size_t i = 0; i < sizeof tunnels / sizeof tunnels[0]; i++)
                if (tunnels[i].layer == layer && tunnels[i].number == number)
                        return &tunnels[i];
        return NULL;
}

enum pt_packet_kind pt_tunnel_open(struct pt_decoder *d, struct pt_packet *ret)
{
        enum pt_layer layer = d->layer;
        uint16_t number = d->number;
        const struct tunnel *tunnel = find(layer, number);
        enum pt_packet_kind kind;

        if (!tunnel)
                return pt_decoder_unread(ret,
                                         layer == PT_LAYER_PROTOCOL ? PT_PACKET_OTHER_PROTOCOL
                                                                    : PT_PACKET_OTHER_ETHERTYPE,
                                         layer, number);
        if (ret->depth == PT_PACKET_DEPTH)
                return PT_PACKET_TOO_DEEP;
        kind = tunnel->open(d, ret);
        if (kind != PT_OPENED)
                return kind;
        ret->depth++;
        if (layer != PT_LAYER_ETHERTYPE) { /* the MAC addresses were those of the tunnel's ends */
                ret->has_mac = false;
                ret->has_destination_mac = false;
        }
        return kind;
}

const char *pt_tunnel_name(enum pt_tunnel tunnel)
{
        static const char *const names[PT_TUNNELS] = {
                [PT_TUNNEL_SNAP] = "snap",
                [PT_TUNNEL_PPP] = "ppp",
                [PT_TUNNEL_PPPOE] = "pppoe",
                [PT_TUNNEL_MPLS] = "mpls",
                [PT_TUNNEL_PSEUDOWIRE] = "pseudowire",
                [PT_TUNNEL_IPIP] = "ipip",
                [PT_TUNNEL_4IN6] = "4in6",
                [PT_TUNNEL_6IN4] = "6in4",
                [PT_TUNNEL_6IN6] = "6in6",
                [PT_TUNNEL_GRE] = "gre",
                [PT_TUNNEL_NVGRE] = "nvgre",
                [PT_TUNNEL_ERSPAN1] = "erspan1",
                [PT_TUNNEL_ERSPAN2] = "erspan2",
                [PT_TUNNEL_ERSPAN3] = "erspan3",
                [PT_TUNNEL_VXLAN] = "vxlan",
                [PT_TUNNEL_GENEVE] = "geneve",
                [PT_TUNNEL_GTP] = "gtp",
                [PT_TUNNEL_PPTP] = "pptp",
                [PT_TUNNEL_TEREDO] = "teredo",
        };

        return tunnel < PT_TUNNELS ? names[tunnel] : "unknown";
}
