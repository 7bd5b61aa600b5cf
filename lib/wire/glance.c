#include "wire/glance.h"

#include "base/clock.h"
#include "wire/decoder.h"
#include "wire/tunnel.h"

#define DNS_PORT 53
#define QUIC_PORT 443
#define ETHERNET 14
#define TAGGED 18
#define TCP 6
#define UDP 17
#define TCP_LEAST 20
#define UDP_LEAST 8

static bool is_sound(const struct pt_frame *frame)
{
        return frame->linktype == PT_LINK_ETHERNET && frame->captured <= frame->length &&
               !frame->odd_time && frame->time >= 0 && frame->time <= PT_CLOCK_LATEST;
}

/* `b` has the ports and the flags, `claimed` is how long IP says the segment is. */
static inline enum pt_glance tcp_glance(const uint8_t *b, uint32_t claimed)
{
        uint32_t header = (uint32_t)(b[12] >> 4) * 4;
        uint8_t flags = b[13] & (PT_TCP_SYN | PT_TCP_ACK | PT_TCP_RST | PT_TCP_FIN);

        if (header < TCP_LEAST || header > claimed || flags == PT_TCP_SYN ||
            pt_be16(b) == DNS_PORT || pt_be16(b + 2) == DNS_PORT)
                return PT_GLANCE_CLOSER;
        return PT_GLANCE_TCP;
}

static inline enum pt_glance udp_glance(const uint8_t *b, uint32_t claimed)
{
        uint16_t to = pt_be16(b + 2);

        if (claimed < UDP_LEAST || pt_be16(b + 4) < UDP_LEAST || to == QUIC_PORT ||
            to == DNS_PORT || pt_be16(b) == DNS_PORT || pt_tunnel_port(to))
                return PT_GLANCE_CLOSER;
        return PT_GLANCE_UDP;
}

/* `captured` octets at `b`, of which `ip` are the IP header. */
static inline enum pt_glance transport_glance(const uint8_t *b, uint32_t captured, uint32_t ip,
                                              uint8_t protocol, uint32_t claimed)
{
        if (protocol == TCP && captured >= ip + TCP_LEAST)
                return tcp_glance(b + ip, claimed);
        if (protocol == UDP && captured >= ip + UDP_LEAST)
                return udp_glance(b + ip, claimed);
        return PT_GLANCE_CLOSER;
}

/* Without options: those are rare. A total length of 0 is offload's, and a longer header a lie. */
static inline enum pt_glance ipv4_glance(const uint8_t *b, uint32_t captured)
{
        uint32_t total;

        if (captured < 20 || b[0] != 0x45 || pt_be16(b + 6) & 0x3fff)
                return PT_GLANCE_CLOSER;
        total = pt_be16(b + 2);
        if (total < 20)
                return PT_GLANCE_CLOSER;
        return transport_glance(b, captured, 20, b[9], total - 20);
}

static inline enum pt_glance ipv6_glance(const uint8_t *b, uint32_t captured)
{
        /* Addresses of 0001::/16 are malformed: see pt_address_is_reserved(). */
        if (captured < 40 || b[0] >> 4 != 6 || pt_be16(b + 8) == 1 || pt_be16(b + 24) == 1)
                return PT_GLANCE_CLOSER;
        return transport_glance(b, captured, 40, b[6], pt_be16(b + 4));
}

static inline enum pt_glance ethernet_glance(const uint8_t *b, uint32_t captured)
{
        uint32_t header = ETHERNET;
        uint16_t type;

        if (captured < TAGGED)
                return PT_GLANCE_CLOSER;
        type = pt_be16(b + 12);
        if (type == PT_ETHERTYPE_VLAN) {
                header = TAGGED;
                type = pt_be16(b + 16);
        }
        if (type == PT_ETHERTYPE_IPV4)
                return ipv4_glance(b + header, captured - header);
        if (type == PT_ETHERTYPE_IPV6)
                return ipv6_glance(b + header, captured - header);
        return PT_GLANCE_CLOSER;
}

__attribute__((hot)) void pt_glance(const struct pt_frame *frames, size_t count, uint8_t *ret)
{
        for (size_t i = 0; i < count; i++)
                ret[i] = is_sound(&frames[i])
                                 ? (uint8_t)ethernet_glance(frames[i].bytes, frames[i].captured)
                                 : PT_GLANCE_CLOSER;
}
