#include "wire/packet.h"

#include "page.h"

#include <criterion/criterion.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

/* Frames as hex text, put together from headers. */
#define MACS "020000000002 020000000001 " /* destination, source */
#define ETH_IPV4 MACS "0800 "
#define ETH_IPV6 MACS "86dd "
#define IPV4_LONG(vihl, total, fragment, protocol) \
        " " vihl "00" total "0001" fragment "40" protocol "0000 0a000001 c6336417 "
#define IPV4(total, protocol) IPV4_LONG("45", total, "0000", protocol)
#define IPV6(length, next) " 60000000" length next "40 20010db8 00*11 01 20010db8 00*11 02 "
#define UDP(length) " d431 0035" length "0000 "
#define TCP_LONG(offset, flags) " c001 0815 01020304 00000000" offset flags "ffff 0000 0000 "
#define TCP TCP_LONG("50", "02")

/* The shortest whole frames: no payload. */
#define UDP4 ETH_IPV4 IPV4("001c", "11") UDP("0008")
#define TCP4 ETH_IPV4 IPV4("0028", "06") TCP

struct row {
        const char *frame;
        enum pt_packet_kind kind;
        const char *reason;
        uint32_t payload; /* octets of UDP or TCP payload */
        bool cut;         /* payload_cut */
        uint32_t missing; /* octets that were on the wire and are not captured */
        int link;         /* 0: Ethernet */
};

/* Stands for PT_LINK_NULL in a row, where 0 is Ethernet. */
#define BSD_NULL 1000

static struct pt_frame frame_of(const uint8_t *bytes, size_t captured, size_t length, int link)
{
        if (link == 0)
                link = PT_LINK_ETHERNET;
        else if (link == BSD_NULL)
                link = PT_LINK_NULL;
        return (struct pt_frame){
                .bytes = bytes,
                .captured = (uint32_t)captured,
                .length = (uint32_t)length,
                .linktype = link,
        };
}

static enum pt_packet_kind decode(const char *hex, uint32_t missing, int link,
                                  struct pt_packet *ret)
{
        size_t length;
        const uint8_t *bytes = page_hex(hex, &length);
        struct pt_frame frame = frame_of(bytes, length, length + missing, link);

        memset(ret, 0xa5, sizeof *ret); /* nothing is taken for clean */
        return pt_packet_decode(&frame, ret);
}

static void expect_rows(const struct row *rows, size_t count)
{
        for (const struct row *row = rows; row < rows + count; row++) {
                struct pt_packet p;
                enum pt_packet_kind kind = decode(row->frame, row->missing, row->link, &p);

                cr_expect_eq(kind, row->kind, "%s: is %s, not %s", row->reason,
                             pt_packet_kind_name(kind), pt_packet_kind_name(row->kind));
                if (kind != row->kind || (kind != PT_PACKET_UDP && kind != PT_PACKET_TCP))
                        continue;
                cr_expect_eq(p.payload_length, row->payload, "%s: %u octets, not %u", row->reason,
                             p.payload_length, row->payload);
                cr_expect_eq(p.payload_cut, row->cut, "%s: cut", row->reason);
        }
}

static bool address_is(const struct pt_address *a, const char *text)
{
        struct pt_address expected;

        cr_assert_eq(pt_address_parse(text, &expected), 0);
        return pt_address_equal(a, &expected);
}

Test(packet, a_udp_packet_is_seen_whole)
{
        static const uint8_t source_mac[] = {2, 0, 0, 0, 0, 1};
        static const uint8_t destination_mac[] = {2, 0, 0, 0, 0, 2};
        struct pt_packet p;

        cr_assert_eq(decode(ETH_IPV4 IPV4("001f", "11") UDP("000b") "61 62 63", 0, 0, &p),
                     PT_PACKET_UDP);
        cr_expect(address_is(&p.source, "10.0.0.1"));
        cr_expect(address_is(&p.destination, "198.51.100.23"));
        cr_expect_eq(p.source_port, 54321);
        cr_expect_eq(p.destination_port, 53);
        cr_expect_eq(p.protocol, 17);
        cr_expect_not(p.ipv6);
        cr_expect(p.has_mac);
        cr_expect(p.has_destination_mac);
        cr_expect_arr_eq(p.source_mac, source_mac, 6);
        cr_expect_arr_eq(p.destination_mac, destination_mac, 6);
        cr_expect_eq(p.vlan_count, 0);
        cr_expect_eq(p.tcp_flags, 0);
        cr_expect_eq(p.tcp_sequence, 0);
        cr_expect_eq(p.payload_length, 3);
        cr_expect_arr_eq(p.payload, "abc", 3);
        cr_expect_not(p.payload_cut);
}

Test(packet, a_tcp_packet_is_seen_whole)
{
        struct pt_packet p;

        cr_assert_eq(
                decode(ETH_IPV6 IPV6("001a", "06") TCP_LONG("60", "02") "020405b4 78 79", 0, 0, &p),
                PT_PACKET_TCP);
        cr_expect(address_is(&p.source, "2001:db8::1"));
        cr_expect(address_is(&p.destination, "2001:db8::2"));
        cr_expect_eq(p.source_port, 49153);
        cr_expect_eq(p.destination_port, 2069);
        cr_expect_eq(p.protocol, 6);
        cr_expect(p.ipv6);
        cr_expect_eq(p.tcp_flags, PT_TCP_SYN);
        cr_expect_eq(p.tcp_sequence, 0x01020304);
        cr_expect_eq(p.payload_length, 2);
        cr_expect_arr_eq(p.payload, "xy", 2);
}

/* The header's version, not the address, says what the packet was: a translator may send these. */
Test(packet, a_mapped_address_in_an_ipv6_header_is_the_ipv4_address)
{
        struct pt_packet p;

        cr_assert_eq(decode(ETH_IPV6
                            "60000000 0008 11 40 20010db8 00*11 01 00*10 ffff c6336417" UDP("0008"),
                            0, 0, &p),
                     PT_PACKET_UDP);
        cr_expect(address_is(&p.destination, "198.51.100.23"));
        cr_expect(p.ipv6);
}

Test(packet, every_tcp_flag_is_passed_on)
{
        static const struct {
                const char *frame;
                uint8_t flags;
        } rows[] = {
                {ETH_IPV4 IPV4("0028", "06") TCP_LONG("50", "03"), PT_TCP_SYN | PT_TCP_FIN},
                {ETH_IPV4 IPV4("0028", "06") TCP_LONG("50", "06"), PT_TCP_SYN | PT_TCP_RST},
                {ETH_IPV4 IPV4("0028", "06") TCP_LONG("50", "12"), PT_TCP_SYN | PT_TCP_ACK},
                {ETH_IPV4 IPV4("0028", "06") TCP_LONG("50", "c2"), 0xc2 /* SYN that offers ECN */},
                {ETH_IPV4 IPV4("0028", "06") TCP_LONG("5f", "02"), 0x02 /* reserved bits */},
                {ETH_IPV4 IPV4("0028", "06") TCP_LONG("50", "00"), 0},
                {ETH_IPV4 IPV4("0028", "06") TCP_LONG("50", "ff"), 0xff},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_packet p;

                cr_assert_eq(decode(rows[i].frame, 0, 0, &p), PT_PACKET_TCP);
                cr_expect_eq(p.tcp_flags, rows[i].flags, "row %zu", i);
        }
}

Test(packet, what_is_no_ip_is_told_by_its_ethertype)
{
        static const struct row rows[] = {
                {"", PT_PACKET_SHORT, .reason = "no octet at all"},
                {MACS, PT_PACKET_SHORT, .reason = "no ethertype"},
                {"02*13", PT_PACKET_SHORT, .reason = "half an ethertype"},
                {"02*13", PT_PACKET_TRUNCATED, .reason = "half, cut by the capture", .missing = 50},
                {"02*13", PT_PACKET_TRUNCATED, .reason = "a header's last octet cut", .missing = 1},
                {MACS "8100 0064 08", PT_PACKET_TRUNCATED, .reason = "a tag's last octet cut",
                 .missing = 1},
                {MACS "0800", PT_PACKET_SHORT, .reason = "a header and nothing behind it"},
                {MACS "0806 00*28", PT_PACKET_OTHER_ETHERTYPE, .reason = "ARP"},
                {MACS "88cc", PT_PACKET_OTHER_ETHERTYPE, .reason = "LLDP, nothing behind it"},
                {MACS "0000", PT_PACKET_OTHER_ETHERTYPE, .reason = "802.3, length 0"},
                {MACS "0026 424203 00*35", PT_PACKET_OTHER_ETHERTYPE,
                 .reason = "802.3: a spanning tree"},
                {MACS "05dc aaaa03 000000 0800" IPV4("001c", "11") UDP("0008"), PT_PACKET_UDP,
                 .reason = "802.3 with SNAP, its length lies"},
                {MACS "0023 aaaa03 000000 0800" IPV4("001c", "11") UDP("0008"), PT_PACKET_SHORT,
                 .reason = "the same with an octet too few"},
                {MACS "0007 aaaa03 000000 0800" IPV4("001c", "11") UDP("0008"),
                 PT_PACKET_OTHER_ETHERTYPE, .reason = "no room for SNAP in its length"},
                {MACS "05dd aaaa03 000000 0800" IPV4("001c", "11") UDP("0008"),
                 PT_PACKET_OTHER_ETHERTYPE, .reason = "longer than 802.3 allows"},
                {MACS "0024 aaaa03 00000c 0800" IPV4("001c", "11") UDP("0008"),
                 PT_PACKET_OTHER_ETHERTYPE, .reason = "SNAP of Cisco"},
                {MACS "05ff", PT_PACKET_OTHER_ETHERTYPE, .reason = "neither a length nor a type"},
                {MACS "8848", PT_PACKET_SHORT, .reason = "MPLS, nothing behind it"},
                {MACS "8863", PT_PACKET_OTHER_ETHERTYPE, .reason = "PPPoE discovery"},
                {UDP4, PT_PACKET_UDP, .reason = "the canary"},
        };

        expect_rows(rows, ROWS(rows));
}

#define TAG(vid) "8100" vid

Test(packet, vlan_tags_are_read_up_to_eight)
{
        static const struct {
                const char *frame;
                enum pt_packet_kind kind;
                uint8_t count;
                uint16_t vlans[PT_PACKET_VLANS];
                const char *reason;
        } rows[] = {
                {MACS TAG("0064") "0800" IPV4("001c", "11") UDP("0008"),
                 PT_PACKET_UDP,
                 1,
                 {100},
                 "802.1Q"},
                {MACS TAG("a064") "86dd" IPV6("0008", "11") UDP("0008"),
                 PT_PACKET_UDP,
                 1,
                 {100},
                 "priority bits are no part of the number"},
                {MACS TAG("0fff") "0800" IPV4("0028", "06") TCP,
                 PT_PACKET_TCP,
                 1,
                 {4095},
                 "highest number"},
                {MACS TAG("e000") "0800" IPV4("001c", "11") UDP("0008"),
                 PT_PACKET_UDP,
                 0,
                 {0},
                 "a priority tag names no VLAN"},
                {MACS "88a8 0064" TAG("00c8") "0800" IPV4("001c", "11") UDP("0008"),
                 PT_PACKET_UDP,
                 2,
                 {100, 200},
                 "802.1ad: the outer one first"},
                {MACS "9100 0064" TAG("00c8") "0800" IPV4("001c", "11") UDP("0008"),
                 PT_PACKET_UDP,
                 2,
                 {100, 200},
                 "stacked before 802.1ad"},
                {MACS TAG("0000") TAG("00c8") "0800" IPV4("001c", "11") UDP("0008"),
                 PT_PACKET_UDP,
                 1,
                 {200},
                 "a priority tag outside"},
                {MACS TAG("0001") TAG("0002") TAG("0003") "0800" IPV4("001c", "11") UDP("0008"),
                 PT_PACKET_UDP,
                 2,
                 {1, 2},
                 "the two outermost are remembered"},
                {MACS TAG("0001") TAG("0002") TAG("0003") TAG("0004") TAG("0005") TAG("0006")
                         TAG("0007") TAG("0008") "0800" IPV4("001c", "11") UDP("0008"),
                 PT_PACKET_UDP,
                 2,
                 {1, 2},
                 "eight"},
                {MACS TAG("0001") TAG("0002") TAG("0003") TAG("0004") TAG("0005") TAG("0006")
                         TAG("0007") TAG("0008") TAG("0009") "0800" IPV4("001c", "11") UDP("0008"),
                 PT_PACKET_TOO_DEEP,
                 0,
                 {0},
                 "nine"},
                {MACS TAG("0001") "0806 00*28", PT_PACKET_OTHER_ETHERTYPE, 0, {0}, "tagged ARP"},
                {MACS TAG("0001") "8847", PT_PACKET_SHORT, 0, {0}, "tagged MPLS"},
                {MACS TAG("0001") "0026 424203", PT_PACKET_OTHER_ETHERTYPE, 0, {0}, "tagged 802.3"},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_packet p;
                enum pt_packet_kind kind = decode(rows[i].frame, 0, 0, &p);

                cr_expect_eq(kind, rows[i].kind, "%s", rows[i].reason);
                if (kind != PT_PACKET_UDP && kind != PT_PACKET_TCP)
                        continue;
                cr_expect_eq(p.vlan_count, rows[i].count, "%s", rows[i].reason);
                for (int v = 0; v < rows[i].count; v++)
                        cr_expect_eq(p.vlans[v], rows[i].vlans[v], "%s", rows[i].reason);
                cr_expect(p.has_mac, "%s", rows[i].reason);
        }
}

#define DATAGRAM4 IPV4("001c", "11") UDP("0008")
#define DATAGRAM6 IPV6("0008", "11") UDP("0008")
#define COOKED "0000 0001 0006 020000000001 0000 "
#define COOKED2(protocol) protocol "0000 00000002 0001 00 06 020000000001 0000 "

Test(packet, every_link_type_leads_to_ip)
{
        static const struct row rows[] = {
                {"00", PT_PACKET_MALFORMED, .reason = "raw, one octet, version 0",
                 .link = PT_LINK_RAW},
                {"", PT_PACKET_TRUNCATED, .reason = "raw, an only octet cut", .link = PT_LINK_RAW,
                 .missing = 1},
                {"020000", PT_PACKET_TRUNCATED, .reason = "null, last octet cut", .link = BSD_NULL,
                 .missing = 1},
                {COOKED "08", PT_PACKET_TRUNCATED, .reason = "cooked, last octet cut",
                 .link = PT_LINK_SLL, .missing = 1},
                {"0800 0000 00000002 0001 00 06 020000000001 00", PT_PACKET_TRUNCATED,
                 .reason = "cooked 2, last octet cut", .link = PT_LINK_SLL2, .missing = 1},
                {DATAGRAM4, PT_PACKET_UDP, .reason = "raw IP", .link = PT_LINK_RAW},
                {DATAGRAM6, PT_PACKET_UDP, .reason = "raw IP tells by version",
                 .link = PT_LINK_RAW},
                {DATAGRAM4, PT_PACKET_UDP, .reason = "BSD's number", .link = PT_LINK_RAW_BSD},
                {DATAGRAM4, PT_PACKET_UDP, .reason = "OpenBSD's number",
                 .link = PT_LINK_RAW_OPENBSD},
                {"00*40", PT_PACKET_MALFORMED, .reason = "raw, version 0", .link = PT_LINK_RAW},
                {"55*40", PT_PACKET_MALFORMED, .reason = "raw, version 5", .link = PT_LINK_RAW},
                {"", PT_PACKET_SHORT, .reason = "raw, nothing", .link = PT_LINK_RAW},
                {"", PT_PACKET_TRUNCATED, .reason = "raw, all cut", .link = PT_LINK_RAW,
                 .missing = 28},
                {"45", PT_PACKET_SHORT, .reason = "raw, an octet", .link = PT_LINK_RAW},
                {DATAGRAM4, PT_PACKET_UDP, .reason = "IPv4 alone", .link = PT_LINK_IPV4},
                {DATAGRAM6, PT_PACKET_MALFORMED, .reason = "IPv6 as IPv4", .link = PT_LINK_IPV4},
                {DATAGRAM6, PT_PACKET_UDP, .reason = "IPv6 alone", .link = PT_LINK_IPV6},
                {DATAGRAM4 "00*12", PT_PACKET_MALFORMED, .reason = "IPv4 as IPv6",
                 .link = PT_LINK_IPV6},
                {"02000000" DATAGRAM4, PT_PACKET_UDP, .reason = "null, little-endian",
                 .link = BSD_NULL},
                {"00000002" DATAGRAM4, PT_PACKET_UDP, .reason = "null, big-endian",
                 .link = BSD_NULL},
                {"1e000000" DATAGRAM6, PT_PACKET_UDP, .reason = "null, macOS", .link = BSD_NULL},
                {"1c000000" DATAGRAM6, PT_PACKET_UDP, .reason = "null, FreeBSD", .link = BSD_NULL},
                {"18000000" DATAGRAM6, PT_PACKET_UDP, .reason = "null, NetBSD", .link = BSD_NULL},
                {"17000000" DATAGRAM6, PT_PACKET_UDP, .reason = "null, Windows", .link = BSD_NULL},
                {"0a000000" DATAGRAM6, PT_PACKET_UDP, .reason = "null, Linux", .link = BSD_NULL},
                {"0000001e" DATAGRAM6, PT_PACKET_UDP, .reason = "null, swapped", .link = BSD_NULL},
                {"07000000" DATAGRAM4, PT_PACKET_OTHER_ETHERTYPE, .reason = "null, OSI",
                 .link = BSD_NULL},
                {"02000002" DATAGRAM4, PT_PACKET_OTHER_ETHERTYPE, .reason = "null, neither order",
                 .link = BSD_NULL},
                {"020000", PT_PACKET_SHORT, .reason = "null, three octets", .link = BSD_NULL},
                {"00000002" DATAGRAM4, PT_PACKET_UDP, .reason = "loop", .link = PT_LINK_LOOP},
                {"00000018" DATAGRAM6, PT_PACKET_UDP, .reason = "loop, IPv6", .link = PT_LINK_LOOP},
                {"02000000" DATAGRAM4, PT_PACKET_OTHER_ETHERTYPE, .reason = "loop is big-endian",
                 .link = PT_LINK_LOOP},
                {"00", PT_PACKET_SHORT, .reason = "loop, an octet", .link = PT_LINK_LOOP},
                {COOKED "0800" DATAGRAM4, PT_PACKET_UDP, .reason = "cooked", .link = PT_LINK_SLL},
                {COOKED "86dd" DATAGRAM6, PT_PACKET_UDP, .reason = "cooked, IPv6",
                 .link = PT_LINK_SLL},
                {COOKED "8100 0064 0800" DATAGRAM4, PT_PACKET_UDP, .reason = "cooked, tagged",
                 .link = PT_LINK_SLL},
                {COOKED "0004 424203", PT_PACKET_OTHER_ETHERTYPE, .reason = "cooked 802.2",
                 .link = PT_LINK_SLL},
                {COOKED "08", PT_PACKET_SHORT, .reason = "cooked, 15 octets", .link = PT_LINK_SLL},
                {COOKED2("0800") DATAGRAM4, PT_PACKET_UDP, .reason = "cooked 2",
                 .link = PT_LINK_SLL2},
                {COOKED2("86dd") DATAGRAM6, PT_PACKET_UDP, .reason = "cooked 2, IPv6",
                 .link = PT_LINK_SLL2},
                {COOKED2("0806") "00*28", PT_PACKET_OTHER_ETHERTYPE, .reason = "cooked 2, ARP",
                 .link = PT_LINK_SLL2},
                {"0800 0000 00000002 0001 00 06 020000000001 00", PT_PACKET_SHORT,
                 .reason = "cooked 2, 19 octets", .link = PT_LINK_SLL2},
                {UDP4, PT_PACKET_OTHER_LINK, .reason = "a link type that nobody has", .link = 9999},
                {UDP4, PT_PACKET_OTHER_LINK, .reason = "802.11", .link = 105},
                {UDP4, PT_PACKET_OTHER_LINK, .reason = "no link type", .link = -1},
                {"", PT_PACKET_OTHER_LINK, .reason = "and nothing in it", .link = 9999},
        };

        expect_rows(rows, ROWS(rows));
}

Test(packet, cooked_captures_name_the_sender_where_it_has_a_mac)
{
        static const struct {
                int link;
                const char *frame;
                bool has_mac;
                const char *reason;
        } rows[] = {
                {PT_LINK_SLL, COOKED "0800" DATAGRAM4, true, "six octets"},
                {PT_LINK_SLL, "0000 0200 0000 00*8 0800" DATAGRAM4, false, "no address"},
                {PT_LINK_SLL, "0000 0020 0008 0102030405060708 0800" DATAGRAM4, false, "eight"},
                {PT_LINK_SLL, "0000 0020 0106 020000000001 0000 0800" DATAGRAM4, false,
                 "the length has two octets"},
                {PT_LINK_SLL2, COOKED2("0800") DATAGRAM4, true, "six octets"},
                {PT_LINK_SLL2, "0800 0000 00000002 0200 00 00 00*8" DATAGRAM4, false, "none"},
                {PT_LINK_RAW, DATAGRAM4, false, "raw IP has none"},
                {BSD_NULL, "02000000" DATAGRAM4, false, "nor has loopback"},
        };
        static const uint8_t mac[] = {2, 0, 0, 0, 0, 1};

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_packet p;

                memset(&p, 0xff, sizeof p);
                cr_assert_eq(decode(rows[i].frame, 0, rows[i].link, &p), PT_PACKET_UDP, "%s",
                             rows[i].reason);
                cr_expect_eq(p.has_mac, rows[i].has_mac, "%s", rows[i].reason);
                cr_expect_not(p.has_destination_mac, "%s", rows[i].reason);
                if (rows[i].has_mac)
                        cr_expect_arr_eq(p.source_mac, mac, 6, "%s", rows[i].reason);
        }
}

#define OPTIONS4 IPV4_LONG("46", "0020", "0000", "11")

Test(packet, ipv4_headers_are_held_to_their_word)
{
        static const struct row rows[] = {
                {ETH_IPV4 IPV4_LONG("46", "0018", "0000", "11") "010101", PT_PACKET_SHORT,
                 .reason = "the packet is its header, the last octet of it not there"},
                {ETH_IPV4 IPV4_LONG("46", "0018", "0000", "11") "010101", PT_PACKET_TRUNCATED,
                 .reason = "the same, cut", .missing = 1},
                {MACS "0800 45 00*18", PT_PACKET_SHORT, .reason = "19 of 20 octets"},
                {MACS "0800 45 00*18", PT_PACKET_TRUNCATED, .reason = "the same, cut",
                 .missing = 1},
                {ETH_IPV4 IPV4_LONG("05", "001c", "0000", "11") UDP("0008"), PT_PACKET_MALFORMED,
                 .reason = "version 0"},
                {ETH_IPV4 IPV4_LONG("55", "001c", "0000", "11") UDP("0008"), PT_PACKET_MALFORMED,
                 .reason = "version 5"},
                {ETH_IPV4 IPV4_LONG("65", "001c", "0000", "11") UDP("0008"), PT_PACKET_MALFORMED,
                 .reason = "version 6 under the ethertype of 4"},
                {ETH_IPV4 IPV4_LONG("f5", "001c", "0000", "11") UDP("0008"), PT_PACKET_MALFORMED,
                 .reason = "version 15"},
                {ETH_IPV4 IPV4_LONG("40", "001c", "0000", "11") UDP("0008"), PT_PACKET_MALFORMED,
                 .reason = "header length 0"},
                {ETH_IPV4 IPV4_LONG("44", "001c", "0000", "11") UDP("0008"), PT_PACKET_MALFORMED,
                 .reason = "header length 16"},
                {ETH_IPV4 OPTIONS4 "01010101" UDP("0008"), PT_PACKET_UDP, .reason = "an option"},
                {ETH_IPV4 OPTIONS4 "00000000" UDP("0008"), PT_PACKET_UDP,
                 .reason = "an option, length 0"},
                {ETH_IPV4 OPTIONS4 "44ff0101" UDP("0008"), PT_PACKET_UDP,
                 .reason = "an option past the header: options are stepped over, not read"},
                {ETH_IPV4 IPV4_LONG("4f", "0044", "0000", "11") "94*40" UDP("0008"), PT_PACKET_UDP,
                 .reason = "40 octets of options"},
                {ETH_IPV4 IPV4_LONG("4f", "003b", "0000", "11") "94*39", PT_PACKET_MALFORMED,
                 .reason = "options past the total length"},
                {ETH_IPV4 IPV4_LONG("4f", "0044", "0000", "11") "94*39", PT_PACKET_SHORT,
                 .reason = "options past the frame"},
                {ETH_IPV4 IPV4_LONG("4f", "0044", "0000", "11") "94*39", PT_PACKET_TRUNCATED,
                 .reason = "options past the capture", .missing = 9},
                {ETH_IPV4 IPV4("0013", "11") UDP("0008"), PT_PACKET_MALFORMED,
                 .reason = "total length below the header"},
                {ETH_IPV4 IPV4("0014", "11") UDP("0008"), PT_PACKET_MALFORMED,
                 .reason = "total length leaves no UDP header: what follows is a trailer"},
                {ETH_IPV4 IPV4("001b", "11") UDP("0008"), PT_PACKET_MALFORMED,
                 .reason = "total length leaves 7 octets of it"},
                {ETH_IPV4 IPV4("0027", "06") TCP, PT_PACKET_MALFORMED,
                 .reason = "or 19 of a TCP header"},
                {ETH_IPV4 IPV4("0000", "06") TCP "61*100", PT_PACKET_TCP,
                 .reason = "total length 0: segmentation offload, all that is there",
                 .payload = 100},
                {ETH_IPV4 IPV4("0000", "06") TCP "61*100", PT_PACKET_TCP,
                 .reason = "the same, cut by the capture", .payload = 100, .cut = true,
                 .missing = 900},
                {ETH_IPV4 IPV4("0000", "06") "c001 0815", PT_PACKET_TRUNCATED,
                 .reason = "the same, cut inside the TCP header", .missing = 900},
                {ETH_IPV4 IPV4("ffff", "11") UDP("0008"), PT_PACKET_UDP,
                 .reason = "total length 65535"},
                {ETH_IPV4 IPV4("ffff", "06") TCP, PT_PACKET_TCP,
                 .reason = "65535, and 20 are there", .cut = true},
                {ETH_IPV4 IPV4("001f", "11") UDP("000b") "616263 00*15", PT_PACKET_UDP,
                 .reason = "padding to the shortest frame is not payload", .payload = 3},
                {UDP4 "001234 0035d431 0008 0000", PT_PACKET_UDP,
                 .reason = "a trailer that looks like a header is none"},
                {TCP4 "00*6", PT_PACKET_TCP, .reason = "padding behind a SYN is not data"},
                {ETH_IPV4 IPV4_LONG("45", "001c", "4000", "11") UDP("0008"), PT_PACKET_UDP,
                 .reason = "don't fragment"},
                {ETH_IPV4 IPV4_LONG("45", "001c", "8000", "11") UDP("0008"), PT_PACKET_UDP,
                 .reason = "the reserved bit (RFC 3514) changes nothing"},
                {ETH_IPV4 IPV4_LONG("45", "001c", "2000", "11") UDP("0008"), PT_PACKET_FRAGMENT,
                 .reason = "first fragment"},
                {ETH_IPV4 IPV4_LONG("45", "001c", "0001", "11") UDP("0008"), PT_PACKET_FRAGMENT,
                 .reason = "last fragment, lowest offset"},
                {ETH_IPV4 IPV4_LONG("45", "001c", "1fff", "11") UDP("0008"), PT_PACKET_FRAGMENT,
                 .reason = "last fragment, highest offset"},
                {ETH_IPV4 IPV4_LONG("45", "001c", "2001", "2f") UDP("0008"), PT_PACKET_FRAGMENT,
                 .reason = "a fragment of a tunnel is a fragment"},
                {ETH_IPV4 IPV4("001c", "01") "08 00 0000 0001 0001", PT_PACKET_OTHER_PROTOCOL,
                 .reason = "ICMP"},
                {ETH_IPV4 IPV4("0014", "32"), PT_PACKET_OTHER_PROTOCOL, .reason = "ESP, empty"},
                {ETH_IPV4 IPV4("0014", "ff"), PT_PACKET_OTHER_PROTOCOL, .reason = "protocol 255"},
                {ETH_IPV4 IPV4("0014", "00"), PT_PACKET_OTHER_PROTOCOL,
                 .reason = "0 is an extension header in IPv6 only"},
                {ETH_IPV4 IPV4("0014", "3c"), PT_PACKET_OTHER_PROTOCOL, .reason = "so is 60"},
                {ETH_IPV4 IPV4("0014", "04"), PT_PACKET_MALFORMED, .reason = "IP in IP, empty"},
                {ETH_IPV4 IPV4("0014", "29"), PT_PACKET_MALFORMED, .reason = "IPv6 in IPv4"},
                {ETH_IPV4 IPV4("0014", "2f"), PT_PACKET_MALFORMED, .reason = "GRE"},
                {ETH_IPV4 IPV4("0014", "89"), PT_PACKET_MALFORMED, .reason = "MPLS in IP"},
                {ETH_IPV4 IPV4("0034", "33") "11 04 0000 00000001 00000001 00*12" UDP("0008"),
                 PT_PACKET_UDP, .reason = "an authentication header hides nothing"},
                {TCP4, PT_PACKET_TCP, .reason = "the canary"},
        };

        expect_rows(rows, ROWS(rows));
}

#define PAD(next) " " next "00 0104 00000000 " /* an options header of 8 octets: PadN */

Test(packet, ipv6_headers_are_held_to_their_word)
{
        static const struct row rows[] = {
                {ETH_IPV6 IPV6("0001", "11") UDP("0008"), PT_PACKET_MALFORMED,
                 .reason = "length 1"},
                {MACS "86dd 60 00*38", PT_PACKET_SHORT, .reason = "39 of 40 octets"},
                {MACS "86dd 60 00*38", PT_PACKET_TRUNCATED, .reason = "the same, cut",
                 .missing = 1},
                {ETH_IPV6 "40*40" UDP("0008"), PT_PACKET_MALFORMED, .reason = "version 4"},
                {ETH_IPV6 "00*40" UDP("0008"), PT_PACKET_MALFORMED, .reason = "version 0"},
                {ETH_IPV6 IPV6("000b", "11") UDP("000b") "616263 00*20", PT_PACKET_UDP,
                 .reason = "a trailer is not payload", .payload = 3},
                {ETH_IPV6 IPV6("0100", "11") UDP("0100") "61*100", PT_PACKET_UDP,
                 .reason = "longer than what is there", .payload = 100, .cut = true},
                {ETH_IPV6 IPV6("0007", "11") UDP("0008"), PT_PACKET_MALFORMED,
                 .reason = "length leaves 7 octets of a UDP header"},
                {ETH_IPV6 IPV6("0000", "3b"), PT_PACKET_OTHER_PROTOCOL,
                 .reason = "nothing, and says so"},
                {ETH_IPV6 IPV6("0000", "11") UDP("0000") "61*9", PT_PACKET_UDP,
                 .reason = "length 0 without a jumbo option: all that is there", .payload = 9},
                {ETH_IPV6 IPV6("0000", "00") "11 00 c204 00010010" UDP("0000") "61*9",
                 PT_PACKET_UDP, .reason = "jumbogram (RFC 2675), cut by the capture", .payload = 9,
                 .cut = true, .missing = 65535},
                {ETH_IPV6 IPV6("0000", "06") TCP "61*9", PT_PACKET_TCP, .reason = "length 0, TCP",
                 .payload = 9},
                {ETH_IPV6 IPV6("0000", "11") UDP("0007"), PT_PACKET_MALFORMED,
                 .reason = "a UDP length of 7 is wrong in a jumbogram too"},
                {ETH_IPV6 IPV6("0008", "01"), PT_PACKET_OTHER_PROTOCOL, .reason = "protocol 1"},
                {ETH_IPV6 IPV6("0008", "3a") "87*8", PT_PACKET_OTHER_PROTOCOL, .reason = "ICMPv6"},
                {ETH_IPV6 IPV6("0008", "32") "00*8", PT_PACKET_OTHER_PROTOCOL, .reason = "ESP"},
                {ETH_IPV6 IPV6("0008", "3b") "00*8", PT_PACKET_OTHER_PROTOCOL,
                 .reason = "no next header, and data all the same"},
                {ETH_IPV6 IPV6("0008", "fd") "00*8", PT_PACKET_OTHER_PROTOCOL,
                 .reason = "experimental"},
                {ETH_IPV6 IPV6("0000", "04"), PT_PACKET_SHORT, .reason = "IPv4 in IPv6, empty"},
                {ETH_IPV6 IPV6("0000", "29"), PT_PACKET_SHORT, .reason = "IPv6 in IPv6, empty"},
                {ETH_IPV6 IPV6("0000", "2f"), PT_PACKET_SHORT, .reason = "GRE, empty"},
                {ETH_IPV6 IPV6("0000", "89"), PT_PACKET_SHORT, .reason = "MPLS in IP, empty"},
        };

        expect_rows(rows, ROWS(rows));
}

#define PADS4 PAD("3c") PAD("3c") PAD("3c") PAD("3c")

Test(packet, extension_headers_are_stepped_over_up_to_sixteen)
{
        static const struct row rows[] = {
                {ETH_IPV6 IPV6("0008", "3c") "3b 00 0104 000000", PT_PACKET_SHORT,
                 .reason = "the last octet of the only one not there"},
                {ETH_IPV6 IPV6("0008", "3c") "3b 00 0104 000000", PT_PACKET_TRUNCATED,
                 .reason = "the same, cut", .missing = 1},
                {ETH_IPV6 IPV6("0017", "3c") "3b 02 0104 00*20 ", PT_PACKET_MALFORMED,
                 .reason = "a longer one, its last octet past the packet"},
                {ETH_IPV6 IPV6("0018", "3c") "3b 02 0104 00*19 ", PT_PACKET_TRUNCATED,
                 .reason = "a longer one, its last octet cut", .missing = 1},
                {ETH_IPV6 IPV6("0010", "00") PAD("11") UDP("0008"), PT_PACKET_UDP,
                 .reason = "hop by hop"},
                {ETH_IPV6 IPV6("0010", "2b") PAD("11") UDP("0008"), PT_PACKET_UDP,
                 .reason = "routing"},
                {ETH_IPV6 IPV6("0010", "3c") PAD("11") UDP("0008"), PT_PACKET_UDP,
                 .reason = "destination"},
                {ETH_IPV6 IPV6("0010", "87") PAD("11") UDP("0008"), PT_PACKET_UDP,
                 .reason = "mobility"},
                {ETH_IPV6 IPV6("0010", "8b") PAD("11") UDP("0008"), PT_PACKET_UDP, .reason = "HIP"},
                {ETH_IPV6 IPV6("0010", "8c") PAD("11") UDP("0008"), PT_PACKET_UDP,
                 .reason = "shim6"},
                {ETH_IPV6 IPV6("0020", "2b") "06 02 00 00 00*20 "
                                             "00*8",
                 PT_PACKET_MALFORMED, .reason = "routing type 0, 24 octets, and 8 of a TCP header"},
                {ETH_IPV6 IPV6("0020", "33") "11 04 0000 00000001 00000001 00*12" UDP("0008"),
                 PT_PACKET_UDP, .reason = "authentication counts in units of four, less two"},
                {ETH_IPV6 IPV6("0010", "33") "11 00 0000 00000001" UDP("0008"), PT_PACKET_UDP,
                 .reason = "the shortest authentication header that its field can say"},
                {ETH_IPV6 IPV6("0010", "2c") "11 00 0000 00000001" UDP("0008"), PT_PACKET_UDP,
                 .reason = "an atomic fragment (RFC 6946) is whole"},
                {ETH_IPV6 IPV6("0010", "2c") "11 ff 0006 00000001" UDP("0008"), PT_PACKET_UDP,
                 .reason = "reserved octet and bits do not matter"},
                {ETH_IPV6 IPV6("0010", "2c") "11 00 0001 00000001" UDP("0008"), PT_PACKET_FRAGMENT,
                 .reason = "first fragment"},
                {ETH_IPV6 IPV6("0010", "2c") "11 00 0008 00000001" UDP("0008"), PT_PACKET_FRAGMENT,
                 .reason = "last fragment"},
                {ETH_IPV6 IPV6("0018", "00") PAD("2c") "11 00 fff8 00000001" UDP("0008"),
                 PT_PACKET_FRAGMENT, .reason = "a fragment behind another header"},
                {ETH_IPV6 IPV6("0020", "3c") PAD("00") PAD("3c") PAD("11") UDP("0008"),
                 PT_PACKET_UDP, .reason = "twice, and hop by hop out of its place"},
                {ETH_IPV6 IPV6("0010", "3c") PAD("3a") "80*8", PT_PACKET_OTHER_PROTOCOL,
                 .reason = "ICMPv6"},
                {ETH_IPV6 IPV6("0008", "3c") PAD("3b"), PT_PACKET_OTHER_PROTOCOL,
                 .reason = "nothing"},
                {ETH_IPV6 IPV6("0008", "3c") PAD("29"), PT_PACKET_MALFORMED,
                 .reason = "IPv6 in IPv6"},
                {ETH_IPV6 IPV6("0010", "3c") "11 00 01ff 00000000" UDP("0008"), PT_PACKET_UDP,
                 .reason = "an option past its header"},
                {ETH_IPV6 IPV6("0010", "3c") "11 02 0104 00000000" UDP("0008"), PT_PACKET_MALFORMED,
                 .reason = "24 octets, and the packet has 16"},
                {ETH_IPV6 IPV6("0020", "3c") "11 02 0104 00000000" UDP("0008"), PT_PACKET_SHORT,
                 .reason = "24 octets, and the frame has 16"},
                {ETH_IPV6 IPV6("0020", "3c") "11 02 0104 00000000" UDP("0008"), PT_PACKET_TRUNCATED,
                 .reason = "24 octets, and the capture has 16", .missing = 16},
                {ETH_IPV6 IPV6("0808", "3c") "11 ff 0104 00*2044" UDP("0008"), PT_PACKET_UDP,
                 .reason = "the longest"},
                {ETH_IPV6 IPV6("0007", "3c") "11 00 0104 000000", PT_PACKET_MALFORMED,
                 .reason = "seven octets are no header"},
                {ETH_IPV6 IPV6("0088", "3c") PADS4 PADS4 PADS4 PAD("3c") PAD("3c") PAD("3c")
                         PAD("11") UDP("0008"),
                 PT_PACKET_UDP, .reason = "sixteen"},
                {ETH_IPV6 IPV6("0090", "3c") PADS4 PADS4 PADS4 PADS4 PAD("11") UDP("0008"),
                 PT_PACKET_TOO_DEEP, .reason = "seventeen"},
                {ETH_IPV6 IPV6("0088", "2c") "2c*128" UDP("0008"), PT_PACKET_FRAGMENT,
                 .reason = "a header that names itself"},
                {ETH_IPV6 IPV6("00d0", "3c") "3c00*4", PT_PACKET_SHORT,
                 .reason = "three octets of one"},
        };

        expect_rows(rows, ROWS(rows));
}

Test(packet, udp_lengths_are_held_to_their_word)
{
        static const struct row rows[] = {
                {ETH_IPV4 IPV4("001c", "11") "d431 0035", PT_PACKET_SHORT,
                 .reason = "half a header"},
                {ETH_IPV4 IPV4("001c", "11") "d431 0035", PT_PACKET_TRUNCATED,
                 .reason = "the same, cut", .missing = 4},
                {ETH_IPV4 IPV4("001c", "11") UDP("0000"), PT_PACKET_MALFORMED,
                 .reason = "length 0 outside a jumbogram"},
                {ETH_IPV4 IPV4("001c", "11") UDP("0007"), PT_PACKET_MALFORMED,
                 .reason = "length 7"},
                {ETH_IPV6 IPV6("0008", "11") UDP("0000"), PT_PACKET_MALFORMED,
                 .reason = "length 0 where IPv6 gives one"},
                {ETH_IPV4 IPV4("001c", "11") UDP("0008"), PT_PACKET_UDP, .reason = "no payload"},
                {ETH_IPV4 IPV4("0024", "11") UDP("000b") "61*8", PT_PACKET_UDP,
                 .reason = "shorter than the IP payload: the rest is not ours", .payload = 3},
                {ETH_IPV4 IPV4("0024", "11") UDP("0011") "61*8", PT_PACKET_UDP,
                 .reason = "longer than the IP payload: what is there", .payload = 8, .cut = true},
                {ETH_IPV4 IPV4("0024", "11") UDP("ffff") "61*8", PT_PACKET_UDP, .reason = "longest",
                 .payload = 8, .cut = true},
                {ETH_IPV4 IPV4("0024", "11") UDP("0011") "61*9", PT_PACKET_UDP,
                 .reason =
                         "longer than the IP payload, and the frame has it: padding is not payload",
                 .payload = 8, .cut = true},
                {ETH_IPV4 IPV4("0024", "11") UDP("0010") "61*5", PT_PACKET_UDP,
                 .reason = "the capture ends inside", .payload = 5, .cut = true, .missing = 3},
                {ETH_IPV4 IPV4("0024", "11") UDP("000b") "61*5", PT_PACKET_UDP,
                 .reason = "the capture ends behind the payload", .payload = 3, .missing = 3},
        };

        expect_rows(rows, ROWS(rows));
}

Test(packet, tcp_offsets_are_held_to_their_word)
{
        static const struct row rows[] = {
                {ETH_IPV4 IPV4("0028", "06") "c001 0815 01*15", PT_PACKET_SHORT,
                 .reason = "19 octets"},
                {ETH_IPV4 IPV4("0028", "06") "c001 0815 01*15", PT_PACKET_TRUNCATED,
                 .reason = "cut", .missing = 1},
                {ETH_IPV4 IPV4("0028", "06") TCP_LONG("00", "02"), PT_PACKET_MALFORMED,
                 .reason = "offset 0"},
                {ETH_IPV4 IPV4("0028", "06") TCP_LONG("40", "02"), PT_PACKET_MALFORMED,
                 .reason = "offset 4"},
                {ETH_IPV4 IPV4("0028", "06") TCP_LONG("60", "02"), PT_PACKET_MALFORMED,
                 .reason = "options past the segment"},
                {ETH_IPV4 IPV4("0028", "06") TCP_LONG("60", "02") "00000000", PT_PACKET_MALFORMED,
                 .reason = "the same, with padding in their place"},
                {ETH_IPV4 IPV4("003b", "06") TCP_LONG("a0", "02") "01*19", PT_PACKET_MALFORMED,
                 .reason = "one octet of the options past the segment"},
                {ETH_IPV4 IPV4("003c", "06") TCP_LONG("a0", "02") "01*20", PT_PACKET_TCP,
                 .reason = "a SYN as Linux sends it"},
                {ETH_IPV4 IPV4("003c", "06") TCP_LONG("a0", "02") "01*14", PT_PACKET_TCP,
                 .reason = "its options cut by the capture (68 octets of it): they are not read",
                 .payload = 0, .cut = true, .missing = 6},
                {ETH_IPV4 IPV4("003c", "06") TCP_LONG("a0", "02"), PT_PACKET_TCP,
                 .reason = "all options cut", .cut = true, .missing = 20},
                {ETH_IPV4 IPV4("0064", "06") TCP_LONG("f0", "02") "02*40 61*20", PT_PACKET_TCP,
                 .reason = "40 octets of options, whatever stands in them", .payload = 20},
                {ETH_IPV4 IPV4("002a", "06") TCP "6162 00*4", PT_PACKET_TCP,
                 .reason = "a SYN with data", .payload = 2},
                {ETH_IPV4 IPV4("0030", "06") TCP "6162", PT_PACKET_TCP,
                 .reason = "the frame ends inside", .payload = 2, .cut = true},
                {ETH_IPV4 IPV4("0030", "06") TCP "6162", PT_PACKET_TCP,
                 .reason = "the capture ends inside", .payload = 2, .cut = true, .missing = 6},
        };

        expect_rows(rows, ROWS(rows));
}

/* Every whole frame here, cut at every octet: by the sender, and by the capture. */
Test(packet, a_frame_cut_at_any_octet_is_read_as_far_as_it_goes)
{
        static const struct {
                const char *frame;
                enum pt_packet_kind kind;
                size_t headers; /* octets up to the end of the last header that is needed */
                int link;
        } rows[] = {
                {ETH_IPV4 IPV4("001f", "11") UDP("000b") "616263", PT_PACKET_UDP, .headers = 42},
                {ETH_IPV4 IPV4("003e", "06") TCP_LONG("a0", "02") "01*20 6162", PT_PACKET_TCP,
                 .headers = 54},
                {ETH_IPV4 IPV4_LONG("4f", "0047", "0000", "11") "01*40" UDP("000b") "616263",
                 PT_PACKET_UDP, .headers = 82},
                {ETH_IPV6 IPV6("000b", "11") UDP("000b") "616263", PT_PACKET_UDP, .headers = 62},
                {ETH_IPV6 IPV6("003b", "00") PAD("2b") "3c 02 0000 00*20 "
                                                       "2c 00 00*6 "
                                                       "11 00 0000 00000001" UDP("000b") "616263",
                 PT_PACKET_UDP, .headers = 110},
                {ETH_IPV6 IPV6("0038", "33") "06 04 0000 00000001 00000001 00*12" TCP "61*12",
                 PT_PACKET_TCP, .headers = 98},
                {MACS "88a8 0064" TAG("00c8") "0800" IPV4("001f", "11") UDP("000b") "616263",
                 PT_PACKET_UDP, .headers = 50},
                {COOKED "0800" IPV4("001f", "11") UDP("000b") "616263", PT_PACKET_UDP,
                 .headers = 44, .link = PT_LINK_SLL},
                {COOKED2("0800") IPV4("001f", "11") UDP("000b") "616263", PT_PACKET_UDP,
                 .headers = 48, .link = PT_LINK_SLL2},
                {"02000000" IPV4("001f", "11") UDP("000b") "616263", PT_PACKET_UDP, .headers = 32,
                 .link = BSD_NULL},
                {IPV4("001f", "11") UDP("000b") "616263", PT_PACKET_UDP, .headers = 28,
                 .link = PT_LINK_RAW},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                uint8_t whole[256];
                size_t length = hex_read(rows[i].frame, whole, sizeof whole);

                for (size_t at = 0; at <= length; at++) {
                        const uint8_t *bytes = page_place(whole, at);
                        struct pt_frame sent = frame_of(bytes, at, at, rows[i].link);
                        struct pt_frame captured = frame_of(bytes, at, length, rows[i].link);
                        bool enough = at >= rows[i].headers;
                        struct pt_packet p;

                        cr_expect_eq(pt_packet_decode(&sent, &p),
                                     enough ? rows[i].kind : PT_PACKET_SHORT,
                                     "frame %zu sent with %zu octets", i, at);
                        cr_expect_eq(pt_packet_decode(&captured, &p),
                                     enough ? rows[i].kind : PT_PACKET_TRUNCATED,
                                     "frame %zu captured with %zu octets", i, at);
                        if (!enough)
                                continue;
                        cr_expect_eq(p.payload_cut, at < length, "frame %zu, %zu octets", i, at);
                        cr_expect_eq(p.payload + p.payload_length, bytes + at,
                                     "frame %zu, %zu octets", i, at);
                }
        }
}

/* A2: some writers of captures get it wrong. What was not on the wire is not the packet's. */
Test(packet, a_frame_that_claims_more_captured_than_sent_is_taken_at_the_lesser)
{
        size_t length;
        const uint8_t *bytes = page_hex(ETH_IPV4 IPV4("001f", "11") UDP("000b") "616263", &length);
        struct pt_frame frame = frame_of(bytes, length, 43, PT_LINK_ETHERNET);
        struct pt_packet p;

        cr_assert_eq(pt_packet_decode(&frame, &p), PT_PACKET_UDP);
        cr_expect_eq(p.payload_length, 1);
        cr_expect(p.payload_cut);
        frame.length = 41;
        cr_expect_eq(pt_packet_decode(&frame, &p), PT_PACKET_SHORT);
        frame.length = 0;
        cr_expect_eq(pt_packet_decode(&frame, &p), PT_PACKET_SHORT);
}

/* F8: receive offload hands up more than an IP header can say. */
Test(packet, a_merged_segment_longer_than_64_kib_is_read)
{
        struct pt_packet p;

        cr_assert_eq(decode(ETH_IPV4 IPV4("0000", "06") TCP "61*100000", 0, 0, &p), PT_PACKET_TCP);
        cr_expect_eq(p.payload_length, 100000);
        cr_expect_not(p.payload_cut);
}

Test(packet, every_kind_has_a_name_of_its_own)
{
        for (int k = 0; k < PT_PACKET_KINDS; k++) {
                const char *name = pt_packet_kind_name((enum pt_packet_kind)k);

                cr_assert_str_neq(name, "unknown", "%d", k);
                for (int other = 0; other < k; other++)
                        cr_expect_str_neq(pt_packet_kind_name((enum pt_packet_kind)other), name);
        }
        cr_expect_str_eq(pt_packet_kind_name(PT_PACKET_KINDS), "unknown");
}
