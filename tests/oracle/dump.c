/*
 * dump: what the decoders see in a capture, as lines of tab-separated text, for a comparison with
 * what others see.
 *
 *      dump frame FILE   number, kind; of UDP and TCP: source, destination, ports, flags, sequence,
 *                        payload octets, "cut" if there should be more, MAC, VLANs with commas
 * between dump dns FILE     number, kind, id, question, type, skipped, then one field per address:
 *                        owner, TTL and address with spaces between (no name holds a space)
 */
#include "wire/dns.h"
#include "wire/packet.h"

#include <pcap/pcap.h>
#include <stdio.h>

#define ADDRESSES 4096

static void dump_link(const struct pt_packet *p)
{
        const uint8_t *m = p->source_mac;

        if (p->has_mac)
                printf("\t%02x:%02x:%02x:%02x:%02x:%02x\t", m[0], m[1], m[2], m[3], m[4], m[5]);
        else
                printf("\t\t");
        for (int i = 0; i < p->vlan_count; i++)
                printf("%s%u", i > 0 ? "," : "", p->vlans[i]);
}

static void dump_frame(const struct pt_frame *frame)
{
        char source[PT_ADDRESS_TEXT], destination[PT_ADDRESS_TEXT];
        struct pt_packet p;
        enum pt_packet_kind kind = pt_packet_decode(frame, &p);

        printf("%llu\t%s", (unsigned long long)frame->number, pt_packet_kind_name(kind));
        if (kind == PT_PACKET_UDP || kind == PT_PACKET_TCP) {
                printf("\t%s\t%s\t%u\t%u\t%u\t%u\t%u\t%s", pt_address_format(&p.source, source),
                       pt_address_format(&p.destination, destination), p.source_port,
                       p.destination_port, p.tcp_flags, p.tcp_sequence, p.payload_length,
                       p.payload_cut ? "cut" : "");
                dump_link(&p);
        }
        printf("\n");
}

static void dump_answer(const struct pt_dns *dns)
{
        static struct pt_dns_address addresses[ADDRESSES];
        struct pt_dns_answer answer = {.addresses = addresses, .capacity = ADDRESSES};
        enum pt_dns_kind kind = pt_dns_answer_read(dns, &answer);
        char name[PT_DNS_NAME_TEXT];

        printf("%s\t%u\t", pt_dns_kind_name(kind), dns->id);
        if (dns->has_question && pt_dns_name_format(&dns->question, name))
                printf("%s\t%u", name, dns->question_type);
        else
                printf("\t0");
        printf("\t%u", answer.skipped);
        for (size_t i = 0; i < answer.count; i++) {
                const struct pt_dns_address *a = &addresses[i];
                char address[PT_ADDRESS_TEXT];

                pt_dns_name_format(&answer.names[a->owner], name);
                printf("\t%s %u %s", name, a->ttl, pt_address_format(&a->address, address));
        }
}

static void dump_dns(const struct pt_frame *frame)
{
        struct pt_packet p;
        struct pt_dns dns = {.question = {.length = 1}};
        enum pt_dns_kind kind;

        printf("%llu\t", (unsigned long long)frame->number);
        if (pt_packet_decode(frame, &p) != PT_PACKET_UDP) {
                printf("no_udp\n");
                return;
        }
        kind = pt_dns_parse(p.payload, p.payload_length, &dns);
        if (kind == PT_DNS_OK)
                dump_answer(&dns);
        else
                printf("%s", pt_dns_kind_name(kind));
        printf("\n");
}

int main(int argc, char **argv)
{
        char error[PCAP_ERRBUF_SIZE];
        struct pcap_pkthdr *header;
        const u_char *bytes;
        uint64_t number = 1;
        pcap_t *pcap;
        int r;

        if (argc != 3 || (strcmp(argv[1], "frame") != 0 && strcmp(argv[1], "dns") != 0)) {
                fprintf(stderr, "usage: dump frame|dns FILE\n");
                return 1;
        }
        pcap = pcap_open_offline(argv[2], error);
        if (!pcap) {
                fprintf(stderr, "%s\n", error);
                return 2;
        }
        for (; (r = pcap_next_ex(pcap, &header, &bytes)) == 1; number++) {
                struct pt_frame frame = {
                        .bytes = bytes,
                        .captured = header->caplen,
                        .length = header->len,
                        .linktype = pcap_datalink(pcap),
                        .number = number,
                };

                if (strcmp(argv[1], "frame") == 0)
                        dump_frame(&frame);
                else
                        dump_dns(&frame);
        }
        pcap_close(pcap);
        return r == PCAP_ERROR_BREAK ? 0 : 2;
}
