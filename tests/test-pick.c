/*
 * The second filter beside the first one and beside the decoder: no frame passes both, and of TCP
 * none passes neither that opens or ends a connection, or belongs to one that is followed.
 */
#include "io/live/pick.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "base/address.h"
#include "io/live/filter.h"
#include "io/live/program.h"
#include "kernel.h"

#define PORT 10198

static struct bpf_program first[ROWS(links)], none[ROWS(links)];

static void make_filters(void)
{
        for (size_t i = 0; i < ROWS(links); i++) {
                cr_assert_eq(pt_filter_make(links[i], &first[i]), 0);
                cr_assert_eq(pt_pick_make(links[i], NULL, 0, &none[i]), 0);
        }
}

static void free_filters(void)
{
        for (size_t i = 0; i < ROWS(links); i++) {
                pt_filter_free(&first[i]);
                pt_filter_free(&none[i]);
        }
}

TestSuite(pick, .init = make_filters, .fini = free_filters);

static struct pt_followed connection(const char *client, unsigned client_port, const char *server,
                                     unsigned server_port)
{
        struct pt_followed c = {.client_port = (uint16_t)client_port,
                                .server_port = (uint16_t)server_port};
        struct pt_address address;

        cr_assert_eq(pt_address_parse(client, &address), 0);
        memcpy(c.client, address.octets, 16);
        cr_assert_eq(pt_address_parse(server, &address), 0);
        memcpy(c.server, address.octets, 16);
        return c;
}

/* ---- by hand ---- */

/* Behind each link header, and with none to six tags: more than four pass the first filter. */
static void expect(const struct bpf_program *programs, const struct make *frame, bool expected,
                   const char *what)
{
        struct make sll = {.length = 0}, sll2 = {.length = 0}, m = *frame;
        const uint8_t *packet = frame->octets + 14;
        size_t length = frame->length - 14;
        size_t place = frame->octets[12] == 8 ? 4 : 5; /* IPv4 or IPv6 */

        for (int tags = 0; tags <= 6; tags++) {
                cr_expect_eq(passes(&programs[0], m.octets, m.length), expected && tags <= 4,
                             "%s, %d tags", what, tags);
                tag(&m, tags % 2 ? 0x88a8 : 0x8100);
        }
        make_put(&sll, (uint8_t[14]){0}, 14);
        make_put(&sll, frame->octets + 12, frame->length - 12);
        make_put(&sll2, frame->octets + 12, 2);
        make_put(&sll2, (uint8_t[18]){0}, 18);
        make_put(&sll2, packet, length);
        cr_expect_eq(passes(&programs[1], sll.octets, sll.length), expected, "SLL: %s", what);
        cr_expect_eq(passes(&programs[2], sll2.octets, sll2.length), expected, "SLL2: %s", what);
        cr_expect_eq(passes(&programs[3], packet, length), expected, "raw: %s", what);
        cr_expect_eq(passes(&programs[place], packet, length), expected, "IP: %s", what);
}

static const struct {
        const char *client, *server;
} pairs[] = {{CLIENT, SERVER}, {SIX, SERVER_SIX}, {"2001:db8::77", "64:ff9b::c633:6417"}};

Test(pick, what_opens_and_ends_a_connection_passes_at_any_time)
{
        static const struct {
                unsigned flags;
                bool passes;
                const char *what;
        } rows[] = {
                {0x02, false, "a SYN, which the first filter passes"},
                {0xc2, false, "a SYN with ECN"},
                {0x12, true, "a SYN with ACK"},
                {0x04, true, "a RST"},
                {0x14, true, "a RST with ACK"},
                {0x11, true, "a FIN"},
                {0x19, true, "a FIN with data"},
                {0x03, true, "SYN and FIN"},
                {0x10, false, "an ACK"},
                {0x18, false, "data"},
                {0x00, false, "no flag at all"},
        };
        struct make m;

        for (size_t i = 0; i < 2; i++) {
                for (size_t j = 0; j < ROWS(rows); j++) {
                        tcp(&m, pairs[i].client, 40000, pairs[i].server, PORT, rows[j].flags);
                        expect(none, &m, rows[j].passes, rows[j].what);
                        tcp(&m, pairs[i].server, PORT, pairs[i].client, 40000, rows[j].flags);
                        expect(none, &m, rows[j].passes, rows[j].what);
                }
                tcp(&m, pairs[i].client, 40000, pairs[i].server, 53, 0x12);
                expect(none, &m, false, "DNS, which the first filter passes");
                tcp(&m, pairs[i].server, 53, pairs[i].client, 40000, 0x11);
                expect(none, &m, false, "and its answer");
                udp(&m, pairs[i].client, 40000, pairs[i].server, PORT, 0x12);
                expect(none, &m, false, "UDP");
        }
        tcp(&m, CLIENT, 40000, SERVER, PORT, 0x12);
        m.octets[20] = 0x20;
        expect(none, &m, false, "a fragment, which the first filter passes");
}

Test(pick, of_those_followed_all_passes_both_ways)
{
        struct bpf_program one[ROWS(links)];
        struct make m;

        for (size_t i = 0; i < ROWS(pairs); i++) {
                const char *client = pairs[i].client, *server = pairs[i].server;
                struct pt_followed c = connection(client, 40000, server, PORT);

                for (size_t j = 0; j < ROWS(links); j++)
                        cr_assert_eq(pt_pick_make(links[j], &c, 1, &one[j]), 0);
                tcp(&m, client, 40000, server, PORT, 0x10), expect(one, &m, true, "an ACK");
                tcp(&m, server, PORT, client, 40000, 0x18), expect(one, &m, true, "data");
                tcp(&m, client, 40000, server, PORT, 0x02), expect(one, &m, false, "a SYN");
                tcp(&m, client, 40001, server, PORT, 0x10), expect(one, &m, false, "another port");
                tcp(&m, client, 40000, server, PORT + 1, 0x10);
                expect(one, &m, false, "another port of the server");
                for (size_t j = 0; j < ROWS(links); j++)
                        pt_filter_free(&one[j]);
        }
}

/* ---- many ---- */

static unsigned next(unsigned *random)
{
        *random = *random * 1103515245u + 12345u;
        return *random >> 8;
}

static struct pt_followed any_connection(unsigned *random)
{
        char client[20], server[20];

        snprintf(client, sizeof client, "10.%u.%u.%u", next(random) & 255, next(random) & 255,
                 next(random) & 255);
        snprintf(server, sizeof server, "%u.%u.%u.%u", 11 + next(random) % 200, next(random) & 255,
                 next(random) & 255, next(random) & 255);
        return connection(client, 1024 + next(random) % 60000, server, 4096 + next(random) % 40000);
}

static bool passes_both_ways(const struct bpf_program *program, const struct pt_followed *c)
{
        char client[PT_ADDRESS_TEXT], server[PT_ADDRESS_TEXT];
        struct pt_address address;
        struct make m;
        bool out, in;

        memcpy(address.octets, c->client, 16);
        pt_address_format(&address, client);
        memcpy(address.octets, c->server, 16);
        pt_address_format(&address, server);
        tcp(&m, client, c->client_port, server, c->server_port, 0x10);
        out = passes(program, m.octets, m.length);
        tcp(&m, server, c->server_port, client, c->client_port, 0x18);
        in = passes(program, m.octets, m.length);
        cr_expect_eq(in, out);
        return in && out;
}

Test(pick, as_many_as_are_ever_followed)
{
        static const size_t counts[] = {0, 1, 7, 8, 9, 16, 17, 100, 511, PT_FOLLOWED_MOST};
        static struct pt_followed list[PT_FOLLOWED_MOST + 1];
        struct bpf_program program;
        unsigned random = 7;

        for (size_t i = 0; i <= PT_FOLLOWED_MOST; i++)
                list[i] = any_connection(&random);
        for (size_t i = 0; i < ROWS(counts); i++) {
                cr_assert_eq(pt_pick_make(PT_LINK_ETHERNET, list, counts[i], &program), 0);
                cr_expect_eq(bpf_validate(program.bf_insns, (int)program.bf_len), 1);
                cr_expect_lt(program.bf_len, 1200u, "the kernel takes 4096, and a user's before");
                for (size_t j = 0; j < PT_FOLLOWED_MOST; j++)
                        cr_expect_eq(passes_both_ways(&program, &list[j]), j < counts[i],
                                     "%zu of %zu", j, counts[i]);
                pt_filter_free(&program);
        }
        cr_assert_eq(pt_pick_make(PT_LINK_ETHERNET, list, PT_FOLLOWED_MOST + 1, &program), 0);
        cr_expect_not(passes_both_ways(&program, &list[PT_FOLLOWED_MOST]));
        pt_filter_free(&program);
        cr_expect_eq(pt_pick_make(9999, list, 1, &program), -ENOTSUP);
}

/* ---- beside the first one ---- */

struct tally {
        size_t frames, tcp, second;
};

static struct pt_followed connection_of(const struct pt_packet *p)
{
        struct pt_followed c = {.client_port = p->source_port, .server_port = p->destination_port};

        memcpy(c.client, p->source.octets, 16);
        memcpy(c.server, p->destination.octets, 16);
        return c;
}

static void hold(size_t link, const uint8_t *octets, size_t length, struct tally *tally)
{
        const struct pt_frame frame = {.bytes = octets,
                                       .captured = (uint32_t)length,
                                       .length = (uint32_t)length,
                                       .linktype = links[link]};
        bool one = passes(&first[link], octets, length);
        bool other = passes(&none[link], octets, length);
        struct bpf_program its;
        struct pt_followed c;
        struct pt_packet p;

        tally->frames++;
        cr_assert(!one || !other, "a frame of link type %d passes both", links[link]);
        if (pt_packet_decode(&frame, &p) != PT_PACKET_TCP)
                return;
        tally->tcp++;
        tally->second += other;
        cr_assert(one || other || !(p.tcp_flags & 7), "FIN, SYN or RST pass neither");
        c = connection_of(&p);
        cr_assert_eq(pt_pick_make(links[link], &c, 1, &its), 0);
        other = passes(&its, octets, length);
        pt_filter_free(&its);
        cr_assert(one != other, "a frame of what is followed passes %s of them",
                  one ? "both" : "neither");
}

static void hold_capture(const char *path, void *context)
{
        char reason[PCAP_ERRBUF_SIZE];
        pcap_t *pcap = pcap_open_offline(path, reason);
        struct pcap_pkthdr *header;
        const u_char *octets;

        cr_assert_not_null(pcap, "%s", reason);
        while (pcap_next_ex(pcap, &header, &octets) == 1)
                hold(0, octets, header->caplen, context);
        pcap_close(pcap);
}

Test(pick, every_packet_of_a_capture_passes_one)
{
        struct tally tally = {0};

        cr_assert_geq(each_file("pcaps", ".pcap", hold_capture, &tally), 20);
        cr_expect_gt(tally.second, 10);
        cr_expect_gt(tally.tcp, 50);
}

/* Most changes hit headers. */
static void hold_changed(const uint8_t *octets, size_t length, struct tally *tally)
{
        static const uint8_t usual[] = {0x08, 0x00, 0x86, 0xdd, 0x81, 0x88, 0xa8, 0x45, 0x60, 0x4f,
                                        6,    17,   44,   60,   0x02, 0x35, 0x10, 0x11, 0x12, 0x14};
        static unsigned random = 4711;
        uint8_t changed[2048];

        if (length > sizeof changed)
                length = sizeof changed;
        for (int turn = 0; turn < 1000; turn++) {
                memcpy(changed, octets, length);
                for (int i = turn % 4; i >= 0; i--) {
                        size_t at = next(&random) % (length < 96 ? length : 96);
                        unsigned value = next(&random);

                        changed[at] = value & 0x100 ? usual[value % ROWS(usual)] : (uint8_t)value;
                }
                for (size_t link = 0; link < ROWS(links); link++)
                        hold(link, changed, turn % 8 ? length : next(&random) % length, tally);
        }
}

static void hold_seed(const char *path, void *context)
{
        FILE *file = fopen(path, "r");
        uint8_t octets[4096];
        size_t length;

        cr_assert_not_null(file, "%s", path);
        length = fread(octets, 1, sizeof octets, file);
        fclose(file);
        if (length > 4) /* three say what link it is, see fuzz-frame.c */
                hold_changed(octets + 3, length - 3, context);
}

Test(pick, no_packet_passes_both_and_none_that_matters_neither)
{
        struct tally tally = {0};
        struct make m;

        cr_assert_geq(each_file("tests/fuzz/corpus/frame", "", hold_seed, &tally), 30);
        for (size_t i = 0; i < 2; i++) {
                for (size_t words = 0; words <= 2; words++) {
                        tcp(&m, pairs[i].client, 40000, pairs[i].server, PORT, 0x12);
                        for (size_t j = 0; j < words; j++)
                                i ? extend(&m, j ? 60 : 0) : option(&m, 1);
                        hold_changed(m.octets, m.length, &tally);
                        tag(&m, 0x8100), hold_changed(m.octets, m.length, &tally);
                }
        }
        cr_expect_gt(tally.tcp, 10000, "or this test says little");
        cr_expect_gt(tally.second, 5000);
        printf("%zu frames, %zu of TCP, %zu for the second\n", tally.frames, tally.tcp,
               tally.second);
}

/* ---- together with what the user wants, and without a link header ---- */

Test(pick, without_a_link_header_it_asks_the_kernel)
{
        struct bpf_program program;
        struct make m, packet = {.length = 0};
        pcap_t *pcap = pcap_open_dead(DLT_LINUX_SLL, 262144);

        cr_assert_eq(pt_pick_make(PT_LINK_SLL, NULL, 0, &program), 0);
        cr_assert_eq(pt_program_cook(&program, PT_LINK_SLL), 0);
        for (u_int i = 0; i < program.bf_len; i++) { /* what the kernel would say of IPv4 */
                struct bpf_insn *insn = &program.bf_insns[i];

                cr_expect(BPF_CLASS(insn->code) != BPF_LD || BPF_MODE(insn->code) != BPF_ABS ||
                          insn->k == 0xfffff000u);
                if (insn->code == (BPF_LD | BPF_H | BPF_ABS))
                        *insn = (struct bpf_insn){.code = BPF_LD | BPF_IMM, .k = 0x0800};
        }
        tcp(&m, CLIENT, 40000, SERVER, PORT, 0x12);
        make_put(&packet, m.octets + 14, m.length - 14);
        cr_expect(passes(&program, packet.octets, packet.length));
        packet.octets[33] = 0x10;
        cr_expect_not(passes(&program, packet.octets, packet.length));
        pt_filter_free(&program);
        /* The address of the sender stands in no packet. */
        cr_assert_eq(pcap_compile(pcap, &program, "link[6] = 2", 1, 0), 0);
        cr_expect_eq(pt_program_cook(&program, PT_LINK_SLL), -EINVAL);
        cr_expect_eq(pt_program_cook(&program, PT_LINK_ETHERNET), 0);
        pcap_freecode(&program);
        pcap_close(pcap);
}
