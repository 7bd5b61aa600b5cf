/*
 * The kernel's filter beside the decoder: whatever the decoder uses must pass. That is held for
 * frames made by hand, for every capture of pcaps/, for the corpus of fuzz-frame, and for these
 * with octets changed at random. pcap_offline_filter() is the interpreter, which is not ours.
 */
#include "io/live/filter.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "kernel.h"

static struct bpf_program ours[ROWS(links)];

static void make_filters(void)
{
        for (size_t i = 0; i < ROWS(links); i++)
                cr_assert_eq(pt_filter_make(links[i], &ours[i]), 0);
}

static void free_filters(void)
{
        for (size_t i = 0; i < ROWS(links); i++)
                pt_filter_free(&ours[i]);
}

TestSuite(filter, .init = make_filters, .fini = free_filters);

/* What the engine takes anything from (observe.c). */
static bool is_used(const struct pt_frame *frame)
{
        struct pt_packet p;

        switch (pt_packet_decode(frame, &p)) {
        case PT_PACKET_FRAGMENT:
                return true;
        case PT_PACKET_TCP:
                return p.source_port == 53 || p.destination_port == 53 ||
                       (p.tcp_flags & 0x17) == PT_TCP_SYN;
        case PT_PACKET_UDP:
                return p.source_port == 53 || p.destination_port == 53 ||
                       (p.destination_port == 443 && p.payload_length >= 5 && p.payload[0] & 0x80);
        default:
                return false;
        }
}

/* ---- frames made by hand ---- */

/* Around an Ethernet frame of each kind: none to six tags, of each type. */
static void expect(const struct make *frame, bool expected, const char *what)
{
        static const unsigned types[] = {0x8100, 0x88a8, 0x9100};

        for (unsigned outer = 0; outer < ROWS(types); outer++) {
                struct make m = *frame;

                for (int tags = 0; tags <= 6; tags++) {
                        bool passed = passes(&ours[0], m.octets, m.length);

                        cr_expect_eq(passed, expected || tags > 4, "%s, %d tags of 0x%x", what,
                                     tags, types[outer]);
                        tag(&m, types[(outer + (unsigned)tags) % 3]);
                }
        }
}

/* The same packet behind the other link headers. */
static void expect_elsewhere(const struct make *frame, bool expected, const char *what)
{
        struct make sll = {.length = 0}, sll2 = {.length = 0};
        const uint8_t *packet = frame->octets + 14;
        size_t length = frame->length - 14;
        size_t place = frame->octets[12] == 8 ? 4 : 5; /* IPv4 or IPv6 */

        make_put(&sll, (uint8_t[14]){0}, 14);
        make_put(&sll, frame->octets + 12, frame->length - 12);
        make_put(&sll2, frame->octets + 12, 2);
        make_put(&sll2, (uint8_t[18]){0}, 18);
        make_put(&sll2, packet, length);
        cr_expect_eq(passes(&ours[1], sll.octets, sll.length), expected, "SLL: %s", what);
        cr_expect_eq(passes(&ours[2], sll2.octets, sll2.length), expected, "SLL2: %s", what);
        cr_expect_eq(passes(&ours[3], packet, length), expected, "raw: %s", what);
        cr_expect_eq(passes(&ours[place], packet, length), expected, "IP: %s", what);
}

static void expect_ip(const struct make *frame, bool expected, const char *what)
{
        expect(frame, expected, what);
        expect_elsewhere(frame, expected, what);
}

Test(filter, what_is_looked_for_passes_and_the_rest_does_not)
{
        static const struct {
                const char *from, *to;
        } ways[] = {{CLIENT, SERVER}, {SIX, SERVER_SIX}};
        struct make m;

        for (size_t i = 0; i < ROWS(ways); i++) {
                const char *from = ways[i].from, *to = ways[i].to;

                udp(&m, from, 40000, to, 53, 0), expect_ip(&m, true, "a query");
                udp(&m, to, 53, from, 40000, 0), expect_ip(&m, true, "an answer");
                udp(&m, to, 53, from, 443, 0), expect_ip(&m, true, "an answer to port 443");
                udp(&m, from, 40000, to, 443, 0xc3), expect_ip(&m, true, "a long header");
                udp(&m, from, 40000, to, 443, 0x43), expect_ip(&m, false, "a short header");
                udp(&m, to, 443, from, 40000, 0xc3), expect_ip(&m, false, "QUIC to the client");
                udp(&m, from, 40000, to, 5353, 0), expect_ip(&m, false, "another port");
                udp(&m, from, 40000, to, 4789, 8), expect_ip(&m, true, "VXLAN");
                udp(&m, from, 40000, to, 6081, 0), expect_ip(&m, true, "Geneve");
                udp(&m, from, 2152, to, 2152, 0x30), expect_ip(&m, true, "GTP-U");
                tcp(&m, from, 40000, to, 10198, PT_TCP_SYN), expect_ip(&m, true, "a SYN");
                tcp(&m, from, 40000, to, 10198, 0xc2), expect_ip(&m, true, "a SYN with ECN");
                tcp(&m, to, 10198, from, 40000, 0x12), expect_ip(&m, false, "a SYN with ACK");
                tcp(&m, from, 40000, to, 10198, 0x10), expect_ip(&m, false, "an ACK");
                tcp(&m, from, 40000, to, 10198, 0x18), expect_ip(&m, false, "data");
                tcp(&m, from, 40000, to, 10198, 0x04), expect_ip(&m, false, "a RST");
                tcp(&m, from, 40000, to, 10198, 0x03), expect_ip(&m, false, "SYN and FIN");
                tcp(&m, from, 40000, to, 53, 0x18), expect_ip(&m, true, "DNS over TCP");
                tcp(&m, to, 53, from, 40000, 0x18), expect_ip(&m, true, "its answer");
                protocol(&m, from, to, 4, 0x45), expect_ip(&m, true, "IPv4 inside");
                protocol(&m, from, to, 41, 0x60), expect_ip(&m, true, "IPv6 inside");
                protocol(&m, from, to, 47, 0), expect_ip(&m, true, "GRE");
                protocol(&m, from, to, 50, 0), expect_ip(&m, true, "ESP: unread, and counted");
                protocol(&m, from, to, 58, 128), expect_ip(&m, false, "ICMPv6");
                protocol(&m, from, to, 89, 2), expect_ip(&m, false, "OSPF");
        }
        protocol(&m, CLIENT, SERVER, 1, 8), expect_ip(&m, false, "ICMP");
        protocol(&m, SIX, "ff02::16", 0, 58), expect_ip(&m, false, "a multicast listener");
        protocol(&m, SIX, SERVER_SIX, 0, 17), expect_ip(&m, true, "hop-by-hop options");
        protocol(&m, SIX, SERVER_SIX, 44, 17), expect_ip(&m, true, "a fragment");
}

Test(filter, other_ethertypes_pass_unless_every_network_has_them)
{
        static const struct {
                unsigned type, first;
                bool passes;
                const char *what;
        } rows[] = {
                {0x0806, 1, false, "ARP"},       {0x88cc, 1, false, "LLDP"},
                {0x888e, 1, false, "EAPOL"},     {0x8847, 0, true, "MPLS"},
                {0x8864, 0x1100, true, "PPPoE"}, {0x8863, 0x1109, false, "PPPoE discovery"},
                {0x88e5, 0, true, "802.1AE"},    {0x894f, 0, true, "NSH"},
                {0x1234, 0, true, "who knows"},  {38, 0x4242, false, "spanning tree"},
                {46, 0xaaaa, true, "SNAP"},      {0x05dc, 0xfefe, false, "IS-IS"},
        };
        struct make m;

        for (size_t i = 0; i < ROWS(rows); i++) {
                ethertype(&m, rows[i].type, rows[i].first);
                expect(&m, rows[i].passes, rows[i].what);
        }
}

Test(filter, options_and_extension_headers_hide_nothing)
{
        static const uint8_t headers[] = {0, 43, 60, 135, 139, 140, 51};
        struct make m;

        for (size_t words = 1; words <= 10; words++) {
                tcp(&m, CLIENT, 40000, SERVER, 10198, PT_TCP_SYN), option(&m, words);
                expect_ip(&m, true, "a SYN behind options");
                tcp(&m, CLIENT, 40000, SERVER, 10198, 0x10), option(&m, words);
                expect_ip(&m, false, "an ACK behind options");
                udp(&m, SERVER, 53, CLIENT, 40000, 0), option(&m, words);
                expect_ip(&m, true, "an answer behind options");
        }
        for (size_t i = 0; i < ROWS(headers); i++) {
                udp(&m, SERVER_SIX, 53, SIX, 40000, 0), extend(&m, headers[i]);
                expect_ip(&m, true, "an answer behind an extension header");
                tcp(&m, SIX, 40000, SERVER_SIX, 10198, PT_TCP_SYN), extend(&m, 60);
                extend(&m, headers[i]);
                expect_ip(&m, true, "a SYN behind two");
        }
}

Test(filter, fragments_pass)
{
        static const uint8_t offsets[][2] = {{0x20, 0}, {0, 1}, {0x1f, 0xff}, {0x20, 1}};
        struct make m;

        for (size_t i = 0; i < ROWS(offsets); i++) {
                udp(&m, CLIENT, 5, SERVER, 5, 0);
                memcpy(m.octets + 20, offsets[i], 2);
                expect_ip(&m, true, "a fragment");
        }
        udp(&m, CLIENT, 5, SERVER, 5, 0);
        m.octets[20] = 0x40; /* may not be fragmented */
        expect_ip(&m, false, "none");
}

/* ---- what the decoder uses passes, whatever it is ---- */

struct tally {
        size_t frames, used, passed, missed_naive;
};

static void hold(size_t link, const uint8_t *octets, size_t length, struct tally *tally)
{
        const struct pt_frame frame = {
                .bytes = octets,
                .captured = (uint32_t)length,
                .length = (uint32_t)length,
                .linktype = links[link],
        };
        bool passed = passes(&ours[link], octets, length);
        bool used = is_used(&frame);

        tally->frames++;
        tally->used += used;
        tally->passed += passed;
        cr_assert(passed || !used, "a frame of link type %d is used, and does not pass",
                  links[link]);
}

static void hold_capture(const char *path, void *context)
{
        struct tally *tally = context;
        char reason[PCAP_ERRBUF_SIZE];
        pcap_t *pcap = pcap_open_offline(path, reason);
        struct bpf_program naive;
        struct pcap_pkthdr *header;
        const u_char *octets;

        cr_assert_not_null(pcap, "%s", reason);
        cr_assert_eq(pcap_datalink(pcap), DLT_EN10MB);
        cr_assert_eq(pcap_compile(pcap, &naive, "port 53 or tcp[tcpflags] & tcp-syn != 0", 1, 0),
                     0);
        while (pcap_next_ex(pcap, &header, &octets) == 1) {
                size_t used = tally->used;

                hold(0, octets, header->caplen, tally);
                if (tally->used > used && pcap_offline_filter(&naive, header, octets) == 0)
                        tally->missed_naive++;
        }
        pcap_freecode(&naive);
        pcap_close(pcap);
}

Test(filter, every_capture_loses_nothing)
{
        struct tally tally = {0};

        cr_assert_geq(each_file("pcaps", ".pcap", hold_capture, &tally), 20);
        cr_assert_gt(tally.used, 100);
        /* Hand arithmetic is no use here; that a filter as people write it loses some is. */
        cr_expect_gt(tally.missed_naive, 0, "the tagged capture is what a naive filter misses");
        printf("%zu frames, %zu used, %zu passed, %zu missed by a naive filter\n", tally.frames,
               tally.used, tally.passed, tally.missed_naive);
}

/* Every octet of a frame is what another one might have; most changes hit headers. */
static void hold_changed(const uint8_t *octets, size_t length, struct tally *tally)
{
        static const uint8_t usual[] = {0x08, 0x00, 0x86, 0xdd, 0x81, 0x88, 0xa8, 0x45, 0x60, 0x4f,
                                        6,    17,   44,   60,   0x02, 0x35, 0xff, 0x11, 0x01, 0x2f};
        static unsigned random = 12345;
        uint8_t changed[2048];

        if (length > sizeof changed)
                length = sizeof changed;
        for (int turn = 0; turn < 4000; turn++) {
                memcpy(changed, octets, length);
                for (int i = turn % 4; i >= 0; i--) {
                        random = random * 1103515245u + 12345u;
                        size_t at = (random >> 16) % (length < 96 ? length : 96);
                        random = random * 1103515245u + 12345u;
                        unsigned value = random >> 16;
                        changed[at] = value & 0x100 ? usual[value % ROWS(usual)] : (uint8_t)value;
                }
                for (size_t link = 0; link < ROWS(links); link++)
                        hold(link, changed, turn % 8 ? length : (random >> 8) % length, tally);
        }
}

static void hold_seed(const char *path, void *context)
{
        struct tally *tally = context;
        FILE *file = fopen(path, "r");
        uint8_t octets[4096];
        size_t length;

        cr_assert_not_null(file, "%s", path);
        length = fread(octets, 1, sizeof octets, file);
        fclose(file);
        if (length > 4) /* three say what link it is, see fuzz-frame.c */
                hold_changed(octets + 3, length - 3, tally);
}

Test(filter, whatever_is_used_passes)
{
        struct tally tally = {0};
        struct make m;

        cr_assert_geq(each_file("tests/fuzz/corpus/frame", "", hold_seed, &tally), 30);
        udp(&m, CLIENT, 40000, SERVER, 53, 0), hold_changed(m.octets, m.length, &tally);
        tcp(&m, CLIENT, 40000, SERVER, 10198, PT_TCP_SYN), tag(&m, 0x8100), tag(&m, 0x88a8);
        hold_changed(m.octets, m.length, &tally);
        udp(&m, SIX, 40000, SERVER_SIX, 443, 0xc0), extend(&m, 60), extend(&m, 0);
        hold_changed(m.octets, m.length, &tally);
        cr_expect_gt(tally.used, 10000, "or this test says little");
        cr_expect_lt(tally.passed, tally.frames);
        printf("%zu frames, %zu used, %zu passed\n", tally.frames, tally.used, tally.passed);
}

/* ---- together with what the user wants ---- */

Test(filter, with_an_expression_both_must_hold)
{
        static const struct {
                const char *expression;
                bool query, syn, ack;
        } rows[] = {
                {"udp", true, false, false},
                {"host " SERVER, true, true, false},
                {"not host " SERVER, false, false, false},
                {"net 10.0.0.0/8 and tcp", false, true, false},
                {"", true, true, false},
                {"port 10198 or port 53", true, true, false},
        };
        pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 262144);
        struct make query, syn, ack;

        udp(&query, CLIENT, 40000, SERVER, 53, 0);
        tcp(&syn, CLIENT, 40000, SERVER, 10198, PT_TCP_SYN);
        tcp(&ack, CLIENT, 40000, SERVER, 10198, PT_TCP_ACK);
        for (size_t i = 0; i < ROWS(rows); i++) {
                struct bpf_program users, both;

                cr_assert_eq(pcap_compile(pcap, &users, rows[i].expression, 1, 0), 0);
                cr_assert_eq(pt_filter_join(&users, &ours[0], &both), 0);
                cr_expect_eq(bpf_validate(both.bf_insns, (int)both.bf_len), 1);
                cr_expect_eq(passes(&both, query.octets, query.length), rows[i].query, "%s",
                             rows[i].expression);
                cr_expect_eq(passes(&both, syn.octets, syn.length), rows[i].syn, "%s",
                             rows[i].expression);
                cr_expect_eq(passes(&both, ack.octets, ack.length), rows[i].ack, "%s",
                             rows[i].expression);
                pcap_freecode(&users);
                pt_filter_free(&both);
        }
        pcap_close(pcap);
}

Test(filter, a_program_that_returns_what_it_calculates_is_refused)
{
        struct bpf_insn end = {.code = BPF_RET | BPF_A};
        const struct bpf_program odd = {1, &end};
        struct bpf_program both;

        cr_expect_eq(pt_filter_join(&odd, &ours[0], &both), -EINVAL);
}

Test(filter, every_program_is_valid)
{
        struct bpf_program program;

        for (size_t i = 0; i < ROWS(links); i++)
                cr_expect_eq(bpf_validate(ours[i].bf_insns, (int)ours[i].bf_len), 1, "%d",
                             links[i]);
        cr_expect_eq(pt_filter_make(9999, &program), -ENOTSUP);
}
