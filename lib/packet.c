#include "packet.h"

#include "bytes.h"

/*
 * Ethernet, IPv4 and TCP or UDP are read in one straight function. What is rarer stands apart and
 * takes the decoder by value, so that the straight way can keep its own in registers.
 */
#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define APART __attribute__((noinline))

/* Bounds on what one frame may stack. Real networks stay at two tags and four headers. */
#define VLAN_TAGS 8
#define EXTENSION_HEADERS 16

enum {
        ETHERTYPE_NONE = 0, /* no ethertype says what follows */
        ETHERTYPE_IPV4 = 0x0800,
        ETHERTYPE_VLAN = 0x8100, /* IEEE 802.1Q */
        ETHERTYPE_IPV6 = 0x86dd,
        ETHERTYPE_MPLS = 0x8847, /* RFC 5332 */
        ETHERTYPE_MPLS_MULTICAST = 0x8848,
        ETHERTYPE_PPPOE_DISCOVERY = 0x8863, /* RFC 2516 */
        ETHERTYPE_PPPOE_SESSION = 0x8864,
        ETHERTYPE_QINQ = 0x88a8,     /* IEEE 802.1ad */
        ETHERTYPE_QINQ_OLD = 0x9100, /* stacked tags before 802.1ad */
};

enum {
        PROTOCOL_HOP_BY_HOP = 0,
        PROTOCOL_IPIP = 4,
        PROTOCOL_TCP = 6,
        PROTOCOL_UDP = 17,
        PROTOCOL_IPV6 = 41,
        PROTOCOL_ROUTING = 43,
        PROTOCOL_FRAGMENT = 44,
        PROTOCOL_GRE = 47,
        PROTOCOL_AH = 51,
        PROTOCOL_DESTINATION = 60,
        PROTOCOL_MOBILITY = 135,
        PROTOCOL_MPLS = 137,
        PROTOCOL_HIP = 139,
        PROTOCOL_SHIM6 = 140,
};

/*
 * Where decoding stands. `rest` ends where the capture does, or the IP length if that is earlier;
 * `claimed` is how many octets the headers say are left, which may be more.
 */
struct decoder {
        struct pt_reader rest;
        uint32_t claimed;
        enum pt_packet_kind beyond_claim; /* what a header is that does not fit into `claimed` */
        bool cut;                         /* the capture holds less than the wire */
        bool jumbogram;                   /* IPv6 payload length 0 */
};

static inline uint16_t be16(const uint8_t *b)
{
        return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t be32(const uint8_t *b)
{
        return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Why `needed` octets of a header are not there. */
static inline enum pt_packet_kind lacking(const struct decoder *d, uint32_t needed)
{
        if (needed > d->claimed)
                return d->beyond_claim;
        return d->cut ? PT_PACKET_TRUNCATED : PT_PACKET_SHORT;
}

/* The next `length` octets of a header, or NULL. */
static inline const uint8_t *header_take(struct decoder *d, uint32_t length)
{
        const uint8_t *b = pt_reader_take(&d->rest, length);

        if (b)
                d->claimed -= length;
        return b;
}

/* The lower layer's length field ends the payload: what the frame holds behind it is padding. */
static inline void claim(struct decoder *d, uint32_t length)
{
        d->claimed = length;
        d->beyond_claim = PT_PACKET_MALFORMED;
        if (pt_reader_left(&d->rest) > length)
                d->rest = pt_reader(d->rest.at, length);
}

static inline enum pt_packet_kind udp_decode(struct decoder *d, struct pt_packet *ret)
{
        uint32_t segment = d->claimed;
        const uint8_t *b = header_take(d, 8);
        uint32_t length, left;

        if (!b)
                return lacking(d, 8);
        length = be16(b + 4);
        if (length == 0 && d->jumbogram) /* RFC 2675 section 4 */
                length = segment;
        if (length < 8)
                return PT_PACKET_MALFORMED;
        length -= 8;
        left = (uint32_t)pt_reader_left(&d->rest);
        ret->source_port = be16(b);
        ret->destination_port = be16(b + 2);
        ret->protocol = PROTOCOL_UDP;
        ret->tcp_flags = 0;
        ret->tcp_sequence = 0;
        ret->payload = d->rest.at;
        ret->payload_length = length < left ? length : left;
        ret->payload_cut = length > left;
        return PT_PACKET_UDP;
}

static inline enum pt_packet_kind tcp_decode(struct decoder *d, struct pt_packet *ret)
{
        const uint8_t *b = header_take(d, 20);
        uint32_t options, left;

        if (!b)
                return lacking(d, 20);
        options = (uint32_t)(b[12] >> 4) * 4 - 20;
        if (options > d->claimed) /* also where the offset is below 5, and the difference wraps */
                return PT_PACKET_MALFORMED;
        left = (uint32_t)pt_reader_left(&d->rest);
        ret->source_port = be16(b);
        ret->destination_port = be16(b + 2);
        ret->protocol = PROTOCOL_TCP;
        ret->tcp_flags = b[13];
        ret->tcp_sequence = be32(b + 4);
        ret->payload_cut = d->claimed > left;
        /* Options are not read: a capture that cuts them (tcpdump -s 68) still shows the SYN. */
        if (options > left)
                options = left;
        ret->payload = d->rest.at + options;
        ret->payload_length = left - options;
        return PT_PACKET_TCP;
}

static inline enum pt_packet_kind transport_decode(struct decoder *d, uint8_t protocol,
                                                   struct pt_packet *ret)
{
        if (LIKELY(protocol == PROTOCOL_TCP))
                return tcp_decode(d, ret);
        if (LIKELY(protocol == PROTOCOL_UDP))
                return udp_decode(d, ret);
        switch (protocol) {
        case PROTOCOL_IPIP:
        case PROTOCOL_IPV6:
        case PROTOCOL_GRE:
        case PROTOCOL_MPLS:
                return PT_PACKET_TUNNEL;
        default:
                return PT_PACKET_OTHER_PROTOCOL;
        }
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

/* Steps over extension headers (RFC 8200 section 4) to the protocol that they carry. */
static APART enum pt_packet_kind extensions_decode(struct decoder d, uint8_t protocol,
                                                   struct pt_packet *ret)
{
        for (int i = 0; i < EXTENSION_HEADERS; i++) {
                const uint8_t *b = header_take(&d, 8);
                uint32_t length;

                if (!b)
                        return lacking(&d, 8);
                /* Offset or more-fragments bit; without both it is atomic (RFC 6946). */
                if (protocol == PROTOCOL_FRAGMENT && be16(b + 2) & 0xfff9)
                        return PT_PACKET_FRAGMENT;
                length = extension_length(protocol, b);
                if (length > 8 && !header_take(&d, length - 8))
                        return lacking(&d, length - 8);
                protocol = b[0];
                if (!is_extension(protocol))
                        return transport_decode(&d, protocol, ret);
        }
        return PT_PACKET_TOO_DEEP;
}

static inline enum pt_packet_kind ipv4_decode(struct decoder *d, struct pt_packet *ret)
{
        uint32_t on_wire = d->claimed;
        const uint8_t *b = header_take(d, 20);
        uint32_t header, total;

        if (!b)
                return lacking(d, 20);
        header = (uint32_t)(b[0] & 15) * 4;
        if (b[0] >> 4 != 4 || header < 20)
                return PT_PACKET_MALFORMED;
        total = be16(b + 2);
        if (total == 0) /* segmentation offload: the card was to fill it in */
                total = on_wire;
        if (total < header)
                return PT_PACKET_MALFORMED;
        claim(d, total - 20);
        if (header > 20 && !header_take(d, header - 20))
                return lacking(d, header - 20);
        if (be16(b + 6) & 0x3fff)
                return PT_PACKET_FRAGMENT;
        ret->ipv6 = false;
        ret->source = pt_address_from_bytes4(b + 12);
        ret->destination = pt_address_from_bytes4(b + 16);
        if (b[9] == PROTOCOL_AH)
                return extensions_decode(*d, PROTOCOL_AH, ret);
        return transport_decode(d, b[9], ret);
}

static inline enum pt_packet_kind ipv6_decode(struct decoder *d, struct pt_packet *ret)
{
        const uint8_t *b = header_take(d, 40);
        uint32_t length;

        if (!b)
                return lacking(d, 40);
        if (b[0] >> 4 != 6)
                return PT_PACKET_MALFORMED;
        length = be16(b + 4);
        d->jumbogram = length == 0;
        if (length > 0)
                claim(d, length);
        ret->ipv6 = true;
        ret->source = pt_address_from_bytes16(b + 8);
        ret->destination = pt_address_from_bytes16(b + 24);
        if (LIKELY(!is_extension(b[6])))
                return transport_decode(d, b[6], ret);
        return extensions_decode(*d, b[6], ret);
}

static inline bool is_vlan(uint16_t type)
{
        return type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ || type == ETHERTYPE_QINQ_OLD;
}

static void vlan_note(struct pt_packet *p, uint16_t tci)
{
        uint16_t vid = tci & 0x0fff;

        if (vid != 0 && p->vlan_count < PT_PACKET_VLANS)
                p->vlans[p->vlan_count++] = vid;
}

/* What follows a link header, by its ethertype. */
static APART enum pt_packet_kind network_decode(struct decoder d, uint16_t type,
                                                struct pt_packet *ret)
{
        for (int tags = 0; is_vlan(type); tags++) {
                const uint8_t *b;

                if (tags == VLAN_TAGS)
                        return PT_PACKET_TOO_DEEP;
                b = header_take(&d, 4);
                if (!b)
                        return lacking(&d, 4);
                vlan_note(ret, be16(b));
                type = be16(b + 2);
        }
        switch (type) {
        case ETHERTYPE_IPV4:
                return ipv4_decode(&d, ret);
        case ETHERTYPE_IPV6:
                return ipv6_decode(&d, ret);
        case ETHERTYPE_MPLS:
        case ETHERTYPE_MPLS_MULTICAST:
        case ETHERTYPE_PPPOE_DISCOVERY:
        case ETHERTYPE_PPPOE_SESSION:
                return PT_PACKET_TUNNEL;
        default:
                return PT_PACKET_OTHER_ETHERTYPE;
        }
}

/* Linux cooked captures name the sender alone, in up to 8 octets. */
static void cooked_note(struct pt_packet *p, unsigned length, const uint8_t *sender)
{
        p->has_mac = length == sizeof p->source_mac;
        memcpy(p->source_mac, sender, sizeof p->source_mac);
}

static enum pt_packet_kind cooked_decode(struct decoder *d, struct pt_packet *ret)
{
        const uint8_t *b = header_take(d, 16);

        if (!b)
                return lacking(d, 16);
        cooked_note(ret, be16(b + 4), b + 6);
        return network_decode(*d, be16(b + 14), ret);
}

static enum pt_packet_kind cooked2_decode(struct decoder *d, struct pt_packet *ret)
{
        const uint8_t *b = header_take(d, 20);

        if (!b)
                return lacking(d, 20);
        cooked_note(ret, b[11], b + 12);
        return network_decode(*d, be16(b), ret);
}

/* The address families that BSD loopback headers hold: each system has its own for IPv6. */
static uint16_t family_ethertype(uint32_t family)
{
        switch (family) {
        case 2:
                return ETHERTYPE_IPV4;
        case 10: /* Linux */
        case 23: /* Windows */
        case 24: /* NetBSD, OpenBSD */
        case 28: /* FreeBSD */
        case 30: /* macOS */
                return ETHERTYPE_IPV6;
        default:
                return ETHERTYPE_NONE;
        }
}

static enum pt_packet_kind loopback_decode(struct decoder *d, bool any_order, struct pt_packet *ret)
{
        const uint8_t *b = header_take(d, 4);
        uint16_t type;

        if (!b)
                return lacking(d, 4);
        type = family_ethertype(be32(b));
        if (type == ETHERTYPE_NONE && any_order)
                type = family_ethertype(__builtin_bswap32(be32(b)));
        return network_decode(*d, type, ret);
}

static enum pt_packet_kind raw_decode(struct decoder *d, struct pt_packet *ret)
{
        if (pt_reader_left(&d->rest) < 1)
                return lacking(d, 1);
        switch (d->rest.at[0] >> 4) {
        case 4:
                return network_decode(*d, ETHERTYPE_IPV4, ret);
        case 6:
                return network_decode(*d, ETHERTYPE_IPV6, ret);
        default:
                return PT_PACKET_MALFORMED;
        }
}

static APART enum pt_packet_kind other_link_decode(struct decoder d, int linktype,
                                                   struct pt_packet *ret)
{
        ret->has_mac = false;
        ret->has_destination_mac = false;
        switch (linktype) {
        case PT_LINK_RAW:
        case PT_LINK_RAW_BSD:
        case PT_LINK_RAW_OPENBSD:
                return raw_decode(&d, ret);
        case PT_LINK_IPV4:
                return network_decode(d, ETHERTYPE_IPV4, ret);
        case PT_LINK_IPV6:
                return network_decode(d, ETHERTYPE_IPV6, ret);
        case PT_LINK_NULL:
                return loopback_decode(&d, true, ret);
        case PT_LINK_LOOP:
                return loopback_decode(&d, false, ret);
        case PT_LINK_SLL:
                return cooked_decode(&d, ret);
        case PT_LINK_SLL2:
                return cooked2_decode(&d, ret);
        default:
                return PT_PACKET_OTHER_LINK;
        }
}

__attribute__((hot)) enum pt_packet_kind pt_packet_decode(const struct pt_frame *frame,
                                                          struct pt_packet *ret)
{
        /* Some files claim to hold more of a frame than there was of it. */
        bool cut = frame->captured < frame->length;
        uint32_t captured = cut ? frame->captured : frame->length;
        struct decoder d = {
                .rest = pt_reader(frame->bytes, captured),
                .claimed = frame->length,
                .beyond_claim = PT_PACKET_SHORT,
                .cut = cut,
        };
        const uint8_t *b;
        uint16_t type;

        ret->vlan_count = 0;
        if (!LIKELY(frame->linktype == PT_LINK_ETHERNET))
                return other_link_decode(d, frame->linktype, ret);
        b = header_take(&d, 14);
        if (!b)
                return lacking(&d, 14);
        ret->has_mac = true;
        ret->has_destination_mac = true;
        memcpy(ret->destination_mac, b, sizeof ret->destination_mac);
        memcpy(ret->source_mac, b + 6, sizeof ret->source_mac);
        type = be16(b + 12);
        if (LIKELY(type == ETHERTYPE_IPV4))
                return ipv4_decode(&d, ret);
        return network_decode(d, type, ret);
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
