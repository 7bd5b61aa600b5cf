#include "wire/packet.h"

#include "wire/link.h"
#include "wire/tunnel.h"

/*
 * Ethernet, IPv4 and TCP or UDP are read in one straight function. What is rarer stands apart and
 * takes the decoder by value, so that the straight way can keep its own in registers.
 */
#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define APART __attribute__((noinline))

/* Bounds on what one frame may stack. Real networks stay at two tags and four headers. */
#define VLAN_TAGS 8
#define EXTENSION_HEADERS 16

#define DNS_PORT 53
#define ETHERTYPE_LEAST 1536 /* below it is a length (IEEE 802.3 section 3.2.6) */

enum {
        PROTOCOL_HOP_BY_HOP = 0,
        PROTOCOL_TCP = 6,
        PROTOCOL_UDP = 17,
        PROTOCOL_ROUTING = 43,
        PROTOCOL_FRAGMENT = 44,
        PROTOCOL_AH = 51,
        PROTOCOL_DESTINATION = 60,
        PROTOCOL_MOBILITY = 135,
        PROTOCOL_HIP = 139,
        PROTOCOL_SHIM6 = 140,
};

/* Tunnels in tunnels come back here: ret->depth bounds how often. */
static enum pt_packet_kind inside_decode(struct pt_decoder d, struct pt_packet *ret);

static inline enum pt_packet_kind udp_decode(struct pt_decoder *d, struct pt_packet *ret)
{
        uint32_t segment = d->claimed;
        const uint8_t *b = pt_decoder_take(d, 8);
        uint32_t length, left;

        if (!b)
                return pt_decoder_lacking(d, 8);
        length = pt_be16(b + 4);
        if (length == 0 && d->jumbogram) /* RFC 2675 section 4 */
                length = segment;
        if (length < 8)
                return PT_PACKET_MALFORMED;
        length -= 8;
        left = (uint32_t)pt_reader_left(&d->rest);
        ret->source_port = pt_be16(b);
        ret->destination_port = pt_be16(b + 2);
        ret->protocol = PROTOCOL_UDP;
        ret->tcp_flags = 0;
        ret->tcp_sequence = 0;
        ret->tcp_octets = 0;
        ret->payload = d->rest.at;
        ret->payload_length = length < left ? length : left;
        ret->payload_cut = length > left;
        /* A resolver may answer to any port: what it sends is DNS all the same. */
        if (pt_tunnel_port(ret->destination_port) && ret->source_port != DNS_PORT) {
                pt_decoder_claim(d, length);
                pt_decoder_next(d, PT_LAYER_PORT, ret->destination_port);
                return inside_decode(*d, ret);
        }
        return PT_PACKET_UDP;
}

static inline enum pt_packet_kind tcp_decode(struct pt_decoder *d, struct pt_packet *ret)
{
        const uint8_t *b = pt_decoder_take(d, 20);
        uint32_t options, left;

        if (!b)
                return pt_decoder_lacking(d, 20);
        options = (uint32_t)(b[12] >> 4) * 4 - 20;
        if (options > d->claimed) /* also where the offset is below 5, and the difference wraps */
                return PT_PACKET_MALFORMED;
        left = (uint32_t)pt_reader_left(&d->rest);
        ret->source_port = pt_be16(b);
        ret->destination_port = pt_be16(b + 2);
        ret->protocol = PROTOCOL_TCP;
        ret->tcp_flags = b[13];
        ret->tcp_sequence = pt_be32(b + 4);
        ret->tcp_octets = d->claimed - options;
        ret->payload_cut = d->claimed > left;
        /* Options are not read: a capture that cuts them (tcpdump -s 68) still shows the SYN. */
        if (options > left)
                options = left;
        ret->payload = d->rest.at + options;
        ret->payload_length = left - options;
        return PT_PACKET_TCP;
}

static inline enum pt_packet_kind transport_decode(struct pt_decoder *d, uint8_t protocol,
                                                   struct pt_packet *ret)
{
        if (LIKELY(protocol == PROTOCOL_TCP))
                return tcp_decode(d, ret);
        if (LIKELY(protocol == PROTOCOL_UDP))
                return udp_decode(d, ret);
        pt_decoder_next(d, PT_LAYER_PROTOCOL, protocol);
        return inside_decode(*d, ret);
}

/* Length of the extension header that begins with `b`, by its own field; 0 if it is none. */
static uint32_t extension_length(uint8_t protocol, const uint8_t *b)
{
        switch (protocol) {
        case PROTOCOL_HOP_BY_HOP:
        case PROTOCOL_ROUTING:
        case PROTOCOL_DESTINATION:
        case PROTOCOL_MOBILITY:
        case PROTOCOL_HIP:
        case PROTOCOL_SHIM6:
                return (b[1] + 1u) * 8; /* RFC 8200 section 4, RFC 7045 section 4 */
        case PROTOCOL_AH:
                return (b[1] + 2u) * 4; /* RFC 4302 section 2.2 */
        case PROTOCOL_FRAGMENT:
                return 8;
        default:
                return 0;
        }
}

static bool is_extension(uint8_t protocol)
{
        static const uint8_t none[2];

        return extension_length(protocol, none) != 0;
}

/* What is left is a fragment's: the octets are shown, nothing is read of them. */
static APART enum pt_packet_kind fragment_decode(struct pt_decoder d, uint8_t protocol, uint32_t id,
                                                 unsigned units, bool more, struct pt_packet *ret)
{
        uint32_t left = (uint32_t)pt_reader_left(&d.rest);

        ret->protocol = protocol;
        ret->fragment = (struct pt_packet_fragment){
                .id = id,
                .offset = (uint16_t)(units * 8),
                .more = more,
        };
        ret->payload = d.rest.at;
        ret->payload_length = left;
        ret->payload_cut = d.claimed > left;
        return PT_PACKET_FRAGMENT;
}

/* Steps over extension headers (RFC 8200 section 4) to the protocol that they carry. */
static APART enum pt_packet_kind extensions_decode(struct pt_decoder d, uint8_t protocol,
                                                   struct pt_packet *ret)
{
        for (int i = 0; i < EXTENSION_HEADERS; i++) {
                const uint8_t *b = pt_decoder_take(&d, 8);
                uint32_t length;

                if (!b)
                        return pt_decoder_lacking(&d, 8);
                /* Offset or more-fragments bit; without both it is atomic (RFC 6946). */
                if (protocol == PROTOCOL_FRAGMENT && pt_be16(b + 2) & 0xfff9)
                        return fragment_decode(d, b[0], pt_be32(b + 4), pt_be16(b + 2) >> 3,
                                               pt_be16(b + 2) & 1, ret);
                length = extension_length(protocol, b);
                if (length > 8 && !pt_decoder_take(&d, length - 8))
                        return pt_decoder_lacking(&d, length - 8);
                protocol = b[0];
                if (!is_extension(protocol))
                        return transport_decode(&d, protocol, ret);
        }
        return PT_PACKET_TOO_DEEP;
}

static inline enum pt_packet_kind ipv4_decode(struct pt_decoder *d, struct pt_packet *ret)
{
        uint32_t on_wire = d->claimed;
        const uint8_t *b = pt_decoder_take(d, 20);
        uint32_t header, total;

        if (!b)
                return pt_decoder_lacking(d, 20);
        header = (uint32_t)(b[0] & 15) * 4;
        if (b[0] >> 4 != 4 || header < 20)
                return PT_PACKET_MALFORMED;
        total = pt_be16(b + 2);
        if (total == 0) /* segmentation offload: the card was to fill it in */
                total = on_wire;
        if (total < header)
                return PT_PACKET_MALFORMED;
        pt_decoder_claim(d, total - 20);
        if (header > 20 && !pt_decoder_take(d, header - 20))
                return pt_decoder_lacking(d, header - 20);
        ret->ipv6 = false;
        ret->source = pt_address_from_bytes4(b + 12);
        ret->destination = pt_address_from_bytes4(b + 16);
        if (!LIKELY(!(pt_be16(b + 6) & 0x3fff)))
                return fragment_decode(*d, b[9], pt_be16(b + 4), pt_be16(b + 6) & 0x1fff,
                                       pt_be16(b + 6) & 0x2000, ret);
        if (b[9] == PROTOCOL_AH)
                return extensions_decode(*d, PROTOCOL_AH, ret);
        return transport_decode(d, b[9], ret);
}

static inline enum pt_packet_kind ipv6_decode(struct pt_decoder *d, struct pt_packet *ret)
{
        const uint8_t *b = pt_decoder_take(d, 40);
        uint32_t length;

        if (!b)
                return pt_decoder_lacking(d, 40);
        if (b[0] >> 4 != 6)
                return PT_PACKET_MALFORMED;
        length = pt_be16(b + 4);
        d->jumbogram = length == 0;
        if (length > 0)
                pt_decoder_claim(d, length);
        ret->ipv6 = true;
        ret->source = pt_address_from_bytes16(b + 8);
        ret->destination = pt_address_from_bytes16(b + 24);
        if (UNLIKELY(pt_address_is_reserved(&ret->source) ||
                     pt_address_is_reserved(&ret->destination)))
                return PT_PACKET_MALFORMED;
        if (LIKELY(!is_extension(b[6])))
                return transport_decode(d, b[6], ret);
        return extensions_decode(*d, b[6], ret);
}

static inline bool is_vlan(uint16_t type)
{
        return type == PT_ETHERTYPE_VLAN || type == PT_ETHERTYPE_QINQ ||
               type == PT_ETHERTYPE_QINQ_OLD;
}

/* What follows a link header, by its ethertype. */
static APART enum pt_packet_kind network_decode(struct pt_decoder d, uint16_t type,
                                                struct pt_packet *ret)
{
        for (int tags = 0; is_vlan(type); tags++) {
                const uint8_t *b;

                if (tags == VLAN_TAGS)
                        return PT_PACKET_TOO_DEEP;
                b = pt_decoder_take(&d, 4);
                if (!b)
                        return pt_decoder_lacking(&d, 4);
                pt_packet_note_vlan(ret, pt_be16(b));
                type = pt_be16(b + 2);
        }
        if (type < ETHERTYPE_LEAST) {
                enum pt_packet_kind kind = pt_link_open_llc(&d, type, ret);

                if (kind != PT_OPENED)
                        return kind;
                type = d.number;
        }
        switch (type) {
        case PT_ETHERTYPE_IPV4:
                return ipv4_decode(&d, ret);
        case PT_ETHERTYPE_IPV6:
                return ipv6_decode(&d, ret);
        default:
                pt_decoder_next(&d, PT_LAYER_ETHERTYPE, type);
                return inside_decode(d, ret);
        }
}

static inline enum pt_packet_kind ethernet_decode(struct pt_decoder *d, struct pt_packet *ret)
{
        const uint8_t *b = pt_decoder_take(d, 14);
        uint16_t type;

        if (!b)
                return pt_decoder_lacking(d, 14);
        ret->has_mac = true;
        ret->has_destination_mac = true;
        memcpy(ret->destination_mac, b, sizeof ret->destination_mac);
        memcpy(ret->source_mac, b + 6, sizeof ret->source_mac);
        type = pt_be16(b + 12);
        if (LIKELY(type == PT_ETHERTYPE_IPV4))
                return ipv4_decode(d, ret);
        return network_decode(*d, type, ret);
}

static APART enum pt_packet_kind other_link_decode(struct pt_decoder d, int linktype,
                                                   struct pt_packet *ret)
{
        enum pt_packet_kind kind;

        if (linktype == PT_LINK_ETHERNET)
                return ethernet_decode(&d, ret);
        kind = pt_link_open(&d, linktype, ret);
        return kind == PT_OPENED ? network_decode(d, d.number, ret) : kind;
}

static APART enum pt_packet_kind inside_decode(struct pt_decoder d, struct pt_packet *ret)
{
        enum pt_packet_kind kind = pt_tunnel_open(&d, ret);

        if (kind != PT_OPENED)
                return kind;
        if (d.layer == PT_LAYER_LINK)
                return other_link_decode(d, d.number, ret);
        return network_decode(d, d.number, ret);
}

__attribute__((hot)) enum pt_packet_kind pt_packet_decode(const struct pt_frame *frame,
                                                          struct pt_packet *ret)
{
        /* Some files claim to hold more of a frame than there was of it. */
        bool cut = frame->captured < frame->length;
        uint32_t captured = cut ? frame->captured : frame->length;
        struct pt_decoder d = {
                .rest = pt_reader(frame->bytes, captured),
                .claimed = frame->length,
                .beyond_claim = PT_PACKET_SHORT,
                .cut = cut,
        };

        ret->zone = (struct pt_zone){{0}};
        ret->vlan_count = 0;
        ret->tunnel_count = 0;
        ret->tunnels_met = 0;
        ret->depth = 0;
        if (!LIKELY(frame->linktype == PT_LINK_ETHERNET))
                return other_link_decode(d, frame->linktype, ret);
        return ethernet_decode(&d, ret);
}

void pt_packet_set_zone(struct pt_packet *p, bool vlans, bool tunnels)
{
        const struct pt_packet_tunnel *tunnel = NULL;
        uint8_t *at = p->zone.octets;

        p->zone = (struct pt_zone){{0}};
        for (size_t i = 0; vlans && i < p->vlan_count; i++) {
                at[2 * i] = (uint8_t)(p->vlans[i] >> 8);
                at[2 * i + 1] = (uint8_t)p->vlans[i];
        }
        for (int i = 0; tunnels && i < p->tunnel_count; i++)
                if (p->tunnels[i].has_id)
                        tunnel = &p->tunnels[i];
        if (!tunnel)
                return;
        /* A VLAN has 12 bits: the kind of tunnel stands in the upper four of both. */
        at[0] |= (uint8_t)((tunnel->kind + 1) & 0xf0);
        at[2] |= (uint8_t)((tunnel->kind + 1) << 4);
        for (int i = 0; i < 4; i++)
                at[4 + i] = (uint8_t)(tunnel->id >> (24 - 8 * i));
}

enum pt_packet_kind pt_packet_resume(struct pt_packet *p, const uint8_t *datagram, uint32_t length)
{
        struct pt_decoder d = {
                .rest = pt_reader(datagram, length),
                .claimed = length,
                .beyond_claim = PT_PACKET_MALFORMED,
        };

        if (p->depth == PT_PACKET_DEPTH)
                return PT_PACKET_TOO_DEEP;
        p->depth++;
        if (is_extension(p->protocol))
                return extensions_decode(d, p->protocol, p);
        return transport_decode(&d, p->protocol, p);
}

const char *pt_packet_kind_name(enum pt_packet_kind kind)
{
        static const char *const names[PT_PACKET_KINDS] = {
                [PT_PACKET_UDP] = "udp",
                [PT_PACKET_TCP] = "tcp",
                [PT_PACKET_OTHER_LINK] = "other_link",
                [PT_PACKET_OTHER_ETHERTYPE] = "other_ethertype",
                [PT_PACKET_OTHER_PROTOCOL] = "other_protocol",
                [PT_PACKET_TUNNEL] = "tunnel",
                [PT_PACKET_FRAGMENT] = "fragment",
                [PT_PACKET_SHORT] = "short",
                [PT_PACKET_TRUNCATED] = "truncated",
                [PT_PACKET_MALFORMED] = "malformed",
                [PT_PACKET_TOO_DEEP] = "too_deep",
        };

        return kind < PT_PACKET_KINDS ? names[kind] : "unknown";
}
