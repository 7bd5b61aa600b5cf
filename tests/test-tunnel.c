#include "wire/tunnel.h"

#include "page.h"

#include <criterion/criterion.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

/* Headers as hex text, outer ones with lengths that are right for what is put inside. */
#define MACS "020000000002 020000000001 "
#define ETH(type) MACS type
#define IPV4(total, protocol) "4500" total "0001000040" protocol "0000 c0000201 c0000202 "
#define IPV6(length, next) "60000000" length next "40 20010db8 00*11 01 20010db8 00*11 02 "
#define UDP(port, length) "c000" port length "0000 "

/* The packet inside: 10.9.9.1 port 54321 to 198.51.100.23 port 53, no payload; 28 octets. */
#define INSIDE "4500001c000100004011 0000 0a090901 c6336417 d431 0035 0008 0000"
/* The same in an Ethernet frame: 42 octets. */
#define FRAME "020000000022 020000000021 0800" INSIDE
/* And over IPv6: 48 octets. */
#define INSIDE6 "60000000 0008 11 40 20010db8 00*11 21 20010db8 00*11 22 d431 0035 0008 0000"

#define L4 "00064040 00064040 00064040 00064040 "
#define NO_ID UINT32_MAX

struct row {
        const char *frame;
        const char *reason;
        const char *types; /* with spaces between */
        uint32_t ids[PT_PACKET_TUNNELS];
        int link;    /* 0: Ethernet */
        uint8_t mac; /* last octet of the sender's, 0 for none */
        uint16_t vlans[PT_PACKET_VLANS];
};

static enum pt_packet_kind decode(const char *hex, int link, struct pt_packet *ret)
{
        size_t length;
        const uint8_t *bytes = page_hex(hex, &length);
        struct pt_frame frame = {
                .bytes = bytes,
                .captured = (uint32_t)length,
                .length = (uint32_t)length,
                .linktype = link ? link : PT_LINK_ETHERNET,
        };

        memset(ret, 0xa5, sizeof *ret);
        return pt_packet_decode(&frame, ret);
}

static const char *types_of(const struct pt_packet *p, char ret[128])
{
        ret[0] = '\0';
        for (int i = 0; i < p->tunnel_count; i++) {
                strcat(ret, i ? " " : "");
                strcat(ret, pt_tunnel_name((enum pt_tunnel)p->tunnels[i].kind));
        }
        return ret;
}

static void expect_inside(const struct row *row, const struct pt_packet *p)
{
        static const uint8_t client4[16] = {[10] = 0xff, [11] = 0xff, 10, 9, 9, 1};
        static const uint8_t client6[16] = {0x20, 1, 0xd, 0xb8, [15] = 0x21};
        char types[128];

        cr_expect_arr_eq(p->source.octets, p->ipv6 ? client6 : client4, 16, "%s: the client",
                         row->reason);
        cr_expect_eq(p->source_port, 54321, "%s", row->reason);
        cr_expect_eq(p->destination_port, 53, "%s", row->reason);
        cr_expect_str_eq(types_of(p, types), row->types, "%s: %s", row->reason, types);
        for (int i = 0; i < p->tunnel_count; i++) {
                cr_expect_eq(p->tunnels[i].has_id, row->ids[i] != NO_ID, "%s", row->reason);
                if (p->tunnels[i].has_id)
                        cr_expect_eq(p->tunnels[i].id, row->ids[i], "%s: id %u", row->reason,
                                     p->tunnels[i].id);
        }
        cr_expect_eq(p->has_mac, row->mac != 0, "%s: MAC", row->reason);
        if (row->mac)
                cr_expect_eq(p->source_mac[5], row->mac, "%s: MAC", row->reason);
        for (int i = 0; i < PT_PACKET_VLANS; i++)
                cr_expect_eq(i < p->vlan_count ? p->vlans[i] : 0, row->vlans[i], "%s: VLAN %d",
                             row->reason, i);
}

/* Numbers in the headers are the ones of the reasons beside them, each in its RFC's place. */
static const struct row rows[] = {
        {ETH("8847") "00064140" INSIDE, "MPLS, label 100", "mpls", {100}, .mac = 1},
        {ETH("8848") "00064140" INSIDE, "MPLS multicast", "mpls", {100}, .mac = 1},
        {ETH("8847") "fffff040 00064140" INSIDE6, "two labels, IPv6", "mpls", {1048575}, .mac = 1},
        {ETH("8847") "00064140 00000000" FRAME, "control word", "mpls", {100}, .mac = 0x21},
        {ETH("8847") "00064140" FRAME, "no control word", "mpls", {100}, .mac = 0x21},
        {ETH("8847") "00064140 460000000022 020000000021 0800" INSIDE,
         "no control word, and an address that begins as IPv4 does",
         "mpls",
         {100},
         .mac = 0x21},
        {ETH("8847") "00064140 620000000022 020000000021 0800" INSIDE,
         "no control word, and an address that begins as IPv6 does",
         "mpls",
         {100},
         .mac = 0x21},
        {ETH("8847") "00064140 120000000022 020000000021 0800" INSIDE,
         "no control word, and an address that begins as a channel does",
         "mpls",
         {100},
         .mac = 0x21},
        {ETH("8864") "1100 0007 001e 0021" INSIDE, "PPPoE session 7", "pppoe", {7}, .mac = 1},
        {ETH("8864") "1100 0007 0032 0057" INSIDE6, "PPPoE, IPv6", "pppoe", {7}, .mac = 1},
        {ETH("8864") "1100 0007 001d 21" INSIDE "00*8",
         "protocol compressed, padding behind",
         "pppoe",
         {7},
         .mac = 1},
        {ETH("8864") "1100 ffff 0022 0281 00064140" INSIDE,
         "MPLS in PPPoE",
         "pppoe mpls",
         {65535, 100},
         .mac = 1},
        {"ff03 0021" INSIDE, "PPP", "", {0}, .link = PT_LINK_PPP},
        {"0021" INSIDE, "PPP, address and control left out", "", {0}, .link = PT_LINK_PPP},
        {"21" INSIDE, "PPP, all compressed", "", {0}, .link = PT_LINK_PPP},
        {"ff03 0057" INSIDE6, "PPP, IPv6", "", {0}, .link = PT_LINK_PPP_HDLC},
        {"0f00 0800" INSIDE, "Cisco HDLC as PPP", "", {0}, .link = PT_LINK_PPP_HDLC},
        {"8f00 0800" INSIDE, "Cisco HDLC", "", {0}, .link = PT_LINK_CISCO_HDLC},
        {"1100 0007 001e 0021" INSIDE, "PPPoE alone", "pppoe", {7}, .link = PT_LINK_PPP_ETHER},
        {"01 03 0021" INSIDE, "pppd, outgoing", "", {0}, .link = PT_LINK_PPP_PPPD},
        {"00 ff03 0021" INSIDE, "PPP with direction", "", {0}, .link = PT_LINK_PPP_DIRECTED},
        {ETH("0024") "aaaa03 000000 0800" INSIDE, "SNAP", "", {0}, .mac = 1},
        {ETH("0024") "aaaa03 0000f8 0800" INSIDE "00*9",
         "SNAP as a bridge has it",
         "",
         {0},
         .mac = 1},
        {ETH("0800") IPV4("0030", "04") INSIDE, "IPv4 in IPv4", "ipip", {NO_ID}},
        {ETH("0800") IPV4("0044", "29") INSIDE6, "IPv6 in IPv4", "6in4", {NO_ID}},
        {ETH("86dd") IPV6("001c", "04") INSIDE, "IPv4 in IPv6", "4in6", {NO_ID}},
        {ETH("86dd") IPV6("0030", "29") INSIDE6, "IPv6 in IPv6", "6in6", {NO_ID}},
        {ETH("86dd") IPV6("0024", "3c") "04 00 0104 00000000" INSIDE,
         "behind an encapsulation limit (RFC 2473)",
         "4in6",
         {NO_ID}},
        {ETH("0800") IPV4("0034", "89") "00064140" INSIDE, "MPLS in IP", "mpls", {100}},
        {ETH("0800") IPV4("0034", "2f") "0000 0800" INSIDE, "GRE", "gre", {NO_ID}},
        {ETH("86dd") IPV6("0020", "2f") "0000 0800" INSIDE, "GRE over IPv6", "gre", {NO_ID}},
        {ETH("0800") IPV4("0038", "2f") "2000 0800 00000042" INSIDE, "GRE, key", "gre", {0x42}},
        {ETH("0800") IPV4("0038", "2f") "1000 0800 00000001" INSIDE,
         "GRE, sequence",
         "gre",
         {NO_ID}},
        {ETH("0800") IPV4("0040", "2f") "b000 0800 12340000 00000042 00000001" INSIDE,
         "GRE, checksum, key and sequence",
         "gre",
         {0x42}},
        {ETH("0800") IPV4("0044", "2f") "4000 0800 00000000 0800 0004 c0000203 0000 0000" INSIDE,
         "GRE, one source route",
         "gre",
         {NO_ID}},
        {ETH("0800") IPV4("0038", "2f") "0000 8847 00064140" INSIDE,
         "MPLS in GRE",
         "gre mpls",
         {NO_ID, 100}},
        {ETH("0800") IPV4("0036", "2f") "0000 880b 0021" INSIDE, "PPP in GRE", "gre", {NO_ID}},
        {ETH("0800") IPV4("0042", "2f") "0000 6558" FRAME,
         "Ethernet in GRE",
         "gre",
         {NO_ID},
         .mac = 0x21},
        {ETH("0800") IPV4("0046", "2f") "2000 6558 00123407" FRAME,
         "NVGRE, network 0x1234",
         "nvgre",
         {0x1234},
         .mac = 0x21},
        {ETH("0800") IPV4("0042", "2f") "0000 88be" FRAME,
         "ERSPAN I",
         "erspan1",
         {NO_ID},
         .mac = 0x21},
        {ETH("0800") IPV4("004e", "2f") "1000 88be 00000001 1064 0805 00000007" FRAME,
         "ERSPAN II, session 5, VLAN 100",
         "erspan2",
         {5},
         .mac = 0x21,
         .vlans = {100}},
        {ETH("0800") IPV4("0052", "2f") "1000 88be 00000001 1064 1805 00000007"
                                        "020000000022 020000000021 8100 00c8 0800" INSIDE,
         "ERSPAN II, the tag kept in the frame",
         "erspan2",
         {5},
         .mac = 0x21,
         .vlans = {200}},
        {ETH("0800") IPV4("0052", "2f") "1000 22eb 00000001 2064 0005 00000000 0000 0000" FRAME,
         "ERSPAN III",
         "erspan3",
         {5},
         .mac = 0x21,
         .vlans = {100}},
        {ETH("0800")
                 IPV4("005a", "2f") "1000 22eb 00000001 2064 0005 00000000 0000 0001 00*8 " FRAME,
         "ERSPAN III, of a platform",
         "erspan3",
         {5},
         .mac = 0x21,
         .vlans = {100}},
        {ETH("0800") IPV4("004c", "2f") "1000 22eb 00000001 2000 0005 00000000 0000 0800" INSIDE,
         "ERSPAN III, IP inside",
         "erspan3",
         {5}},
        {ETH("0800") IPV4("004e", "11") UDP("12b5", "003a") "08000000 00006400" FRAME,
         "VXLAN 100",
         "vxlan",
         {100},
         .mac = 0x21},
        {ETH("0800") IPV4("004e", "11") UDP("2118", "003a") "08000000 00006400" FRAME,
         "VXLAN on the port of Linux",
         "vxlan",
         {100},
         .mac = 0x21},
        {MACS "8100 0005 86dd" IPV6("003e", "11")
                 UDP("12b5",
                     "003e") "88000000 00006400 020000000022 020000000021 8100 00c8 0800" INSIDE,
         "VXLAN in a VLAN, over IPv6, with a policy, a VLAN inside",
         "vxlan",
         {100},
         .mac = 0x21,
         .vlans = {5, 200}},
        {ETH("0800") IPV4("004e", "11") UDP("17c1", "003a") "0000 6558 00006400" FRAME,
         "Geneve 100",
         "geneve",
         {100},
         .mac = 0x21},
        {ETH("0800") IPV4("0048", "11")
                 UDP("17c1", "0034") "0240 0800 00006400 0102 80 01 00000000" INSIDE,
         "Geneve, a critical option, IP inside",
         "geneve",
         {100}},
        {ETH("0800") IPV4("0040", "11") UDP("0868", "002c") "30ff 001c 00000007" INSIDE,
         "GTP-U, endpoint 7",
         "gtp",
         {7}},
        {ETH("0800") IPV4("0044", "11") UDP("0868", "0030") "32ff 0020 00000007 0001 00 00" INSIDE,
         "GTP-U, sequence number",
         "gtp",
         {7}},
        {ETH("0800") IPV4("004c", "11")
                 UDP("0868", "0038") "34ff 0028 00000007 0000 00 85 01 1001 c0 01 0000 00" INSIDE,
         "GTP-U, two extensions (a PDU session container, a UDP port)",
         "gtp",
         {7}},
        {ETH("0800") IPV4("0040", "11") UDP("19eb", "002c") "00064140" INSIDE,
         "MPLS in UDP",
         "mpls",
         {100}},
        {ETH("0800") IPV4("005c", "2f") "0000 0800" IPV4("0044", "04") IPV4("0030", "04") INSIDE
         "00*16",
         "three tunnels, two are told",
         "gre ipip",
         {NO_ID, NO_ID}},
};

Test(tunnel, what_is_inside_counts)
{
        for (const struct row *row = rows; row < rows + ROWS(rows); row++) {
                struct pt_packet p;

                cr_expect_eq(decode(row->frame, row->link, &p), PT_PACKET_UDP, "%s: %s",
                             row->reason, pt_packet_kind_name(decode(row->frame, row->link, &p)));
                if (decode(row->frame, row->link, &p) == PT_PACKET_UDP)
                        expect_inside(row, &p);
        }
}

/* Until its last header is whole, nobody takes what is there for the packet inside. */
Test(tunnel, a_tunnel_cut_at_any_octet_is_not_made_up)
{
        for (const struct row *row = rows; row < rows + ROWS(rows); row++) {
                uint8_t whole[256];
                size_t length = hex_read(row->frame, whole, sizeof whole), end = length;

                /* The inside has no payload: its end is the end, less what pads it. */
                while (end > 4 && memcmp(whole + end - 4, "\0\x08\0\0", 4) != 0)
                        end--;
                for (size_t at = 0; at < end; at++) {
                        struct pt_frame frame = {
                                .bytes = page_place(whole, at),
                                .captured = (uint32_t)at,
                                .length = (uint32_t)length,
                                .linktype = row->link ? row->link : PT_LINK_ETHERNET,
                        };
                        struct pt_packet p;
                        enum pt_packet_kind kind = pt_packet_decode(&frame, &p);

                        cr_expect(kind != PT_PACKET_TCP &&
                                          (kind != PT_PACKET_UDP || p.destination_port != 53),
                                  "%s: %zu octets are %s", row->reason, at,
                                  pt_packet_kind_name(kind));
                        cr_expect_neq(kind, PT_PACKET_SHORT, "%s: %zu octets", row->reason, at);
                }
        }
}

Test(tunnel, what_is_no_tunnel_or_cannot_be_opened_is_told)
{
        static const struct {
                const char *frame;
                enum pt_packet_kind kind;
                const char *reason;
                enum pt_layer layer;
                uint16_t number;
        } others[] = {
                {ETH("88e5") "00*20", PT_PACKET_OTHER_ETHERTYPE, "MACsec", PT_LAYER_ETHERTYPE,
                 0x88e5},
                {ETH("0800") IPV4("0024", "32") "00*16", PT_PACKET_OTHER_PROTOCOL, "ESP",
                 PT_LAYER_PROTOCOL, 50},
                {ETH("8864") "1100 0007 0004 c021 0000", PT_PACKET_OTHER_ETHERTYPE, "LCP",
                 PT_LAYER_PPP, 0xc021},
                {ETH("8864") "1109 0007 0004 0021 0000", PT_PACKET_MALFORMED, "discovery"},
                {ETH("8864") "2100 0007 0004 0021 0000", PT_PACKET_MALFORMED, "PPPoE version 2"},
                {ETH("8847") "00064140 1000 0000", PT_PACKET_TUNNEL, "associated channel",
                 PT_LAYER_ETHERTYPE, 0x8847},
                {ETH("8847") L4 L4 L4 L4 "00064140" INSIDE, PT_PACKET_TOO_DEEP,
                 "no bottom of the stack in 16 labels"},
                {ETH("8847") "00064140", PT_PACKET_SHORT, "a label and nothing"},
                {ETH("0800") IPV4("0020", "2f") "2081 880b 0000 0007", PT_PACKET_TUNNEL, "PPTP",
                 PT_LAYER_PROTOCOL, 47},
                {ETH("0800") IPV4("0018", "2f") "0000 0806", PT_PACKET_OTHER_ETHERTYPE,
                 "ARP in GRE", PT_LAYER_ETHERTYPE, 0x0806},
                {ETH("0800") IPV4("001c", "2f") "4000 0800 00000000", PT_PACKET_MALFORMED,
                 "routing past the end"},
                {ETH("0800") IPV4("0024", "2f") "4000 0800 00000000 0800 0010 01*4",
                 PT_PACKET_MALFORMED, "routes past the end"},
                {ETH("0800") IPV4("0024", "2f") "1000 88be 00000001 1064 0805 00000007",
                 PT_PACKET_MALFORMED, "ERSPAN II, past the end"},
                {ETH("0800") IPV4("004e", "2f") "1000 88be 00000001 3064 0805 00000007" FRAME,
                 PT_PACKET_TUNNEL, "ERSPAN version 3 in the place of II", PT_LAYER_ETHERTYPE,
                 0x88be},
                {ETH("0800")
                         IPV4("0052", "2f") "1000 22eb 00000001 2064 0005 00000000 0000 0400" FRAME,
                 PT_PACKET_TUNNEL, "ERSPAN III of a frame type nobody has", PT_LAYER_ETHERTYPE,
                 0x22eb},
                {ETH("0800") IPV4("004e", "11") UDP("12b5", "003a") "00000000 00006400" FRAME,
                 PT_PACKET_UDP, "VXLAN's port, and no VNI"},
                {ETH("0800") IPV4("0023", "11") UDP("12b5", "000f") "08*7", PT_PACKET_UDP,
                 "VXLAN's port, and seven octets"},
                {ETH("0800") IPV4("0024", "11") UDP("12b5", "0010") "08000000 00006400",
                 PT_PACKET_MALFORMED, "VXLAN, empty"},
                {ETH("0800") IPV4("004e", "11") UDP("17c1", "003a") "4000 6558 00006400" FRAME,
                 PT_PACKET_UDP, "Geneve version 1"},
                {ETH("0800") IPV4("004e", "11") UDP("17c1", "003a") "3f00 6558 00006400" FRAME,
                 PT_PACKET_MALFORMED, "Geneve, options past the end"},
                {ETH("0800") IPV4("0028", "11") UDP("0868", "0014") "3201 0004 00000000 00000000",
                 PT_PACKET_UDP, "GTP, an echo request"},
                {ETH("0800") IPV4("002c", "11")
                         UDP("0868", "0018") "34ff 0008 00000007 0000 00 85 00 000000",
                 PT_PACKET_MALFORMED, "GTP-U, an extension of no length"},
                {ETH("0800") IPV4("004e", "11") UDP("0868", "003a") "30ff 002a 00000007" FRAME,
                 PT_PACKET_TUNNEL, "GTP-U, Ethernet inside", PT_LAYER_PORT, 2152},
                {ETH("0800") IPV4("004c", "11") UDP("0dd8", "0038") INSIDE6, PT_PACKET_TUNNEL,
                 "Teredo", PT_LAYER_PORT, 3544},
                {ETH("0800") IPV4("0020", "11") UDP("0dd8", "000c") "ffff0000", PT_PACKET_UDP,
                 "Teredo's port, and something else"},
                {ETH("0800") IPV4("0014", "04"), PT_PACKET_MALFORMED, "IP in IP, empty"},
                {ETH("0800") IPV4("0030", "29") INSIDE, PT_PACKET_MALFORMED,
                 "IPv4 where IPv6 is said to be"},
        };

        for (size_t i = 0; i < ROWS(others); i++) {
                struct pt_packet p;
                enum pt_packet_kind kind = decode(others[i].frame, 0, &p);

                cr_expect_eq(kind, others[i].kind, "%s: %s", others[i].reason,
                             pt_packet_kind_name(kind));
                if (others[i].number == 0)
                        continue;
                cr_expect_eq(p.unread_layer, others[i].layer, "%s", others[i].reason);
                cr_expect_eq(p.unread, others[i].number, "%s: %#x", others[i].reason, p.unread);
        }
}

/* A resolver may be asked from any port. */
Test(tunnel, an_answer_to_the_port_of_a_tunnel_is_dns)
{
        struct pt_packet p;

        cr_assert_eq(
                decode(ETH("0800") IPV4("004e", "11") "0035 12b5 003a 0000 08000000 00006400" FRAME,
                       0, &p),
                PT_PACKET_UDP);
        cr_expect_eq(p.source_port, 53);
        cr_expect_eq(p.destination_port, 4789);
        cr_expect_eq(p.payload_length, 50);
        cr_expect_eq(p.tunnels_met, 0);
}

/* The zone: both VLANs, and the kind and number of the innermost tunnel that has one. */
Test(tunnel, vlans_and_tunnels_make_a_zone_that_no_others_make)
{
        struct pt_packet p = {.vlan_count = 2, .vlans = {0x123, 0xfff}, .tunnel_count = 2};
        const struct pt_zone none = {{0}};
        struct pt_zone before;

        pt_packet_set_zone(&p, false, false);
        cr_expect_arr_eq(p.zone.octets, none.octets, 8);
        pt_packet_set_zone(&p, true, true);
        cr_expect_arr_eq(p.zone.octets, ((uint8_t[]){0x01, 0x23, 0x0f, 0xff, 0, 0, 0, 0}), 8);
        p.tunnels[0] = (struct pt_packet_tunnel){.id = 1, .kind = PT_TUNNEL_VXLAN, .has_id = true};
        p.tunnels[1] = (struct pt_packet_tunnel){.kind = PT_TUNNEL_IPIP};
        pt_packet_set_zone(&p, false, true);
        cr_expect_arr_eq(p.zone.octets + 4, ((uint8_t[]){0, 0, 0, 1}), 4, "IP in IP has no number");
        before = p.zone;
        p.tunnels[1] = (struct pt_packet_tunnel){.kind = PT_TUNNEL_GENEVE, .has_id = true, .id = 1};
        pt_packet_set_zone(&p, false, true);
        cr_expect_arr_neq(p.zone.octets, before.octets, 8, "a VNI of Geneve is no VNI of VXLAN");
        pt_packet_set_zone(&p, true, true);
        cr_expect_eq(p.zone.octets[1], 0x23);
        cr_expect_eq(p.zone.octets[2] & 0x0f, 0x0f);
}

/* B5: IP in IP in IP; eight are opened. */
Test(tunnel, sixty_four_tunnels_in_each_other_are_too_deep)
{
        uint8_t octets[14 + 64 * 20 + 28];

        for (unsigned depth = 0; depth <= 64; depth++) {
                size_t at = hex_read(ETH("0800"), octets, sizeof octets);
                struct pt_frame frame = {.bytes = octets, .linktype = PT_LINK_ETHERNET};
                struct pt_packet p;

                for (unsigned i = 0; i < depth; i++) {
                        unsigned total = (depth - i) * 20 + 28;

                        hex_read(IPV4("0000", "04"), octets + at, sizeof octets - at);
                        octets[at + 2] = (uint8_t)(total >> 8);
                        octets[at + 3] = (uint8_t)total;
                        at += 20;
                }
                at += hex_read(INSIDE, octets + at, sizeof octets - at);
                frame.bytes = page_place(octets, at);
                frame.captured = frame.length = (uint32_t)at;
                cr_expect_eq(pt_packet_decode(&frame, &p),
                             depth <= PT_PACKET_DEPTH ? PT_PACKET_UDP : PT_PACKET_TOO_DEEP, "%u",
                             depth);
        }
}

Test(tunnel, every_tunnel_has_a_name_of_its_own)
{
        for (int t = 0; t < PT_TUNNELS; t++)
                for (int other = 0; other < t; other++)
                        cr_expect_str_neq(pt_tunnel_name((enum pt_tunnel)t),
                                          pt_tunnel_name((enum pt_tunnel)other));
        cr_expect_str_eq(pt_tunnel_name(PT_TUNNELS), "unknown");
}
