/* Any octets as a frame of any link type. The first three say which, and how much was cut off. */
#include "wire/packet.h"

#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int links[] = {
        PT_LINK_ETHERNET,
        PT_LINK_RAW,
        PT_LINK_SLL,
        PT_LINK_SLL2,
        PT_LINK_NULL,
        PT_LINK_LOOP,
        PT_LINK_IPV4,
        PT_LINK_IPV6,
        PT_LINK_RAW_BSD,
        PT_LINK_RAW_OPENBSD,
        9999,
        PT_LINK_PPP,
        PT_LINK_PPP_HDLC,
        PT_LINK_PPP_ETHER,
        PT_LINK_PPP_PPPD,
        PT_LINK_PPP_DIRECTED,
        PT_LINK_CISCO_HDLC,
};

/* The octets are the frame's, the ends are addresses, what was noted on the way is in bounds. */
static void check_view(const struct pt_frame *frame, const struct pt_packet *p)
{
        MUST(p->payload >= frame->bytes);
        MUST(p->payload + p->payload_length <= frame->bytes + frame->captured);
        MUST(p->vlan_count <= PT_PACKET_VLANS);
        for (int i = 0; i < p->vlan_count; i++)
                MUST(p->vlans[i] > 0 && p->vlans[i] < 4096);
        MUST(p->depth <= PT_PACKET_DEPTH && p->tunnel_count <= PT_PACKET_TUNNELS);
        for (int i = 0; i < p->tunnel_count; i++)
                MUST(p->tunnels_met >> p->tunnels[i].kind & 1);
        MUST(p->has_mac || !p->has_destination_mac);
        MUST(p->ipv6 || (pt_address_is_ipv4(&p->source) && pt_address_is_ipv4(&p->destination)));
}

static void check(const struct pt_frame *frame, const struct pt_packet *p, enum pt_packet_kind kind)
{
        MUST(p->protocol == (kind == PT_PACKET_TCP ? 6 : 17));
        MUST(kind == PT_PACKET_TCP || (p->tcp_flags == 0 && p->tcp_sequence == 0));
        check_view(frame, p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct pt_frame frame;
        struct pt_packet p;
        enum pt_packet_kind kind;

        if (size < 3)
                return 0;
        frame = (struct pt_frame){
                .bytes = data + 3,
                .captured = (uint32_t)size - 3,
                .length = (uint32_t)size - 3 + (uint32_t)(data[1] << 8 | data[2]),
                .linktype = links[data[0] % (sizeof links / sizeof links[0])],
        };
        kind = pt_packet_decode(&frame, &p);
        MUST(kind < PT_PACKET_KINDS);
        MUST(kind != PT_PACKET_TRUNCATED || frame.captured < frame.length);
        MUST(p.tunnels_met < UINT32_C(1) << PT_TUNNELS);
        if (kind == PT_PACKET_UDP || kind == PT_PACKET_TCP)
                check(&frame, &p, kind);
        else if (kind == PT_PACKET_FRAGMENT)
                check_view(&frame, &p);
        return 0;
}
