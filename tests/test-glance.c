#include "wire/glance.h"

#include "page.h"

#include <criterion/criterion.h>

#define MACS "020000000002 020000000001 "
#define IPV4(total, protocol) " 4500" total "0001 4000 40" protocol "0000 0a000001 c6336417 "
#define IPV6(length, next) " 60000000" length next "40 20010db8 00*11 01 20010db8 00*11 02 "
#define TCP(from, to, offset, flags) from to "01020304 00000000" offset flags "ffff 0000 0000 "
#define UDP(from, to, length) from to length "0000 "
#define PLAIN TCP("c001", "01bb", "50", "10")

static struct pt_frame frame_of(const uint8_t *bytes, size_t captured, uint32_t missing)
{
        return (struct pt_frame){
                .bytes = bytes,
                .captured = (uint32_t)captured,
                .length = (uint32_t)captured + missing,
                .linktype = PT_LINK_ETHERNET,
        };
}

static uint8_t glance(const struct pt_frame *frame)
{
        uint8_t ret;

        pt_glance(frame, 1, &ret);
        return ret;
}

static const struct row {
        const char *frame;
        enum pt_glance glance;
        const char *reason;
} rows[] = {
        {MACS "0800" IPV4("0028", "06") PLAIN, PT_GLANCE_TCP, "an ACK"},
        {MACS "0800" IPV4("05dc", "06") PLAIN "00*9", PT_GLANCE_TCP, "data, cut by the capture"},
        {MACS "0800" IPV4("0028", "06") PLAIN "00*6", PT_GLANCE_TCP, "padded"},
        {MACS "8100 0064 0800" IPV4("0028", "06") PLAIN, PT_GLANCE_TCP, "behind a tag"},
        {MACS "86dd" IPV6("0014", "06") PLAIN, PT_GLANCE_TCP, "IPv6"},
        {MACS "8100 0064 86dd" IPV6("0014", "06") PLAIN, PT_GLANCE_TCP, "IPv6 behind a tag"},
        {MACS "0800" IPV4("0028", "06") TCP("01bb", "c001", "50", "12"), PT_GLANCE_TCP, "SYN-ACK"},
        {MACS "0800" IPV4("0028", "06") TCP("01bb", "c001", "50", "06"), PT_GLANCE_TCP, "SYN, RST"},
        {MACS "0800" IPV4("001c", "11") UDP("c001", "1388", "0008"), PT_GLANCE_UDP, "UDP"},
        {MACS "0800" IPV4("001c", "11") UDP("01bb", "c001", "0008"), PT_GLANCE_UDP, "QUIC, back"},
        {MACS "0800" IPV4("001c", "11") UDP("12b5", "c001", "0008"), PT_GLANCE_UDP,
         "a tunnel is known by where it goes"},

        {MACS "0800" IPV4("0028", "06") TCP("c001", "01bb", "50", "02"), 0, "a SYN"},
        {MACS "0800" IPV4("0028", "06") TCP("c001", "01bb", "50", "c2"), 0, "a SYN with ECN"},
        {MACS "0800" IPV4("0028", "06") TCP("c001", "0035", "50", "10"), 0, "DNS over TCP"},
        {MACS "0800" IPV4("0028", "06") TCP("0035", "c001", "50", "10"), 0, "and back"},
        {MACS "0800" IPV4("0028", "06") TCP("c001", "01bb", "40", "10"), 0, "no such header"},
        {MACS "0800" IPV4("0028", "06") TCP("c001", "01bb", "60", "10"), 0, "options beyond IP"},
        {MACS "0800" IPV4("0027", "06") PLAIN, 0, "TCP beyond IP"},
        {MACS "0800" IPV4("0000", "06") PLAIN, 0, "segmentation offload"},
        {MACS "0800" IPV4("0028", "06") "c001 01bb 01020304 00000000 5010 ffff 0000", 0, "cut"},
        {MACS "0800" IPV4("001c", "11") UDP("c001", "01bb", "0008"), 0, "QUIC may be a contact"},
        {MACS "0800" IPV4("001c", "11") UDP("c001", "0035", "0008"), 0, "DNS"},
        {MACS "0800" IPV4("001c", "11") UDP("0035", "c001", "0008"), 0, "and back"},
        {MACS "0800" IPV4("001c", "11") UDP("c001", "12b5", "0008"), 0, "VXLAN"},
        {MACS "0800" IPV4("001c", "11") UDP("c001", "1388", "0007"), 0, "no such length"},
        {MACS "0800" IPV4("001b", "11") UDP("c001", "1388", "0008"), 0, "UDP beyond IP"},
        {MACS "0800" IPV4("0028", "01") PLAIN, 0, "ICMP"},
        {MACS "0800 4600 002c 0001 4000 40 06 0000 0a000001 c6336417 01010101" PLAIN, 0, "options"},
        {MACS "0800 4500 0028 0001 2000 40 06 0000 0a000001 c6336417" PLAIN, 0, "first fragment"},
        {MACS "0800 4500 0028 0001 0001 40 06 0000 0a000001 c6336417" PLAIN, 0, "a later one"},
        {MACS "86dd" IPV6("0000", "06") PLAIN, 0, "a jumbogram"},
        {MACS "86dd" IPV6("001c", "3c") "0600 00*6" PLAIN, 0, "an extension header"},
        {MACS "0806 00*40", 0, "ARP"},
        {MACS "8100 0064 8100 0065 0800" IPV4("0028", "06") PLAIN, 0, "two tags"},
        {MACS "0800", 0, "nothing"},
};

Test(glance, says_of_each_frame_whether_it_needs_a_closer_look)
{
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                size_t length;
                const uint8_t *bytes = page_hex(rows[i].frame, &length);
                struct pt_frame frame = frame_of(bytes, length, 0);

                cr_expect_eq(glance(&frame), rows[i].glance, "%s", rows[i].reason);
        }
}

Test(glance, a_frame_of_another_kind_or_with_a_doubtful_time_needs_one)
{
        size_t length;
        const uint8_t *bytes = page_hex(rows[0].frame, &length);
        struct pt_frame sound = frame_of(bytes, length, 0), frame = sound;

        frame.linktype = PT_LINK_SLL;
        cr_expect_eq(glance(&frame), PT_GLANCE_CLOSER);
        frame = sound;
        frame.length = frame.captured - 1;
        cr_expect_eq(glance(&frame), PT_GLANCE_CLOSER, "more captured than was sent");
        frame = sound;
        frame.time = -1;
        cr_expect_eq(glance(&frame), PT_GLANCE_CLOSER);
        frame.time = INT64_MAX;
        cr_expect_eq(glance(&frame), PT_GLANCE_CLOSER);
        frame.time = 0;
        frame.odd_time = true;
        cr_expect_eq(glance(&frame), PT_GLANCE_CLOSER);
}

static uint32_t next_random(void)
{
        static uint64_t state = 0x9e3779b97f4a7c15;

        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        return (uint32_t)(state >> 33);
}

/* What the decoder says of it, and what would be done with that. */
static void expect_agreement(const struct pt_frame *frame, enum pt_glance said)
{
        struct pt_packet p;
        enum pt_packet_kind kind = pt_packet_decode(frame, &p);
        uint8_t flags = p.tcp_flags & (PT_TCP_SYN | PT_TCP_ACK | PT_TCP_RST | PT_TCP_FIN);

        cr_assert_eq(kind, said == PT_GLANCE_TCP ? PT_PACKET_TCP : PT_PACKET_UDP);
        cr_assert_eq(p.tunnels_met, 0);
        cr_assert(p.source_port != 53 && p.destination_port != 53);
        cr_assert(kind == PT_PACKET_TCP ? flags != PT_TCP_SYN : p.destination_port != 443);
}

/* Every frame above with octets changed and its end cut off: the decoder has the last word. */
Test(glance, the_decoder_never_disagrees)
{
        size_t told = 0;

        for (unsigned round = 0; round < 400000; round++) {
                const struct row *row = &rows[next_random() % (sizeof rows / sizeof *rows)];
                uint8_t octets[256];
                size_t length;
                const uint8_t *bytes = page_hex(row->frame, &length);
                struct pt_frame frame;
                uint8_t said;

                memcpy(octets, bytes, length);
                for (unsigned i = next_random() % 4; i; i--)
                        octets[12 + next_random() % (length - 12)] =
                                (uint8_t)(next_random() % 2 ? next_random() : next_random() % 8);
                length -= next_random() % 4 ? 0 : next_random() % (length - 12);
                frame = frame_of(page_place(octets, length), length, next_random() % 3 * 20);
                said = glance(&frame);
                if (said == PT_GLANCE_CLOSER)
                        continue;
                told++;
                expect_agreement(&frame, said);
        }
        cr_expect_gt(told, 50000);
}
