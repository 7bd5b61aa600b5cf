/*
 * Captures -> does the filter for the kernel pass all that the decoder uses? libpcap's interpreter
 * runs it. Says which frames do not; ends with the numbers, and the status 1 if there was one.
 *
 *      filter-passes FILE...
 */
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>

#include "io/live/filter.h"
#include "wire/packet.h"

struct tally {
        uint64_t frames, used, passed, lost, naive;
};

/* libpcap's own numbers for link types, as the filter knows them; -1 for those of no interface. */
static int linktype_of(int dlt)
{
        switch (dlt) {
        case DLT_EN10MB:
                return PT_LINK_ETHERNET;
        case DLT_RAW:
                return PT_LINK_RAW;
        case DLT_LINUX_SLL:
                return PT_LINK_SLL;
        case DLT_LINUX_SLL2:
                return PT_LINK_SLL2;
        default:
                return -1;
        }
}

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

static void hold(const char *path, const struct bpf_program *ours, const struct bpf_program *naive,
                 const struct pt_frame *frame, struct tally *tally)
{
        const struct pcap_pkthdr header = {.caplen = frame->captured, .len = frame->length};
        bool used = is_used(frame);
        bool passed = pcap_offline_filter(ours, &header, frame->bytes) != 0;

        tally->frames++;
        tally->used += used;
        tally->passed += passed;
        tally->naive += used && pcap_offline_filter(naive, &header, frame->bytes) == 0;
        if (used && !passed) {
                tally->lost++;
                printf("%s: frame %" PRIu64 " is used, and does not pass\n", path, frame->number);
        }
}

static void hold_all(const char *path, pcap_t *pcap, struct tally *tally)
{
        int linktype = linktype_of(pcap_datalink(pcap));
        struct bpf_program ours, naive;
        struct pcap_pkthdr *header;
        const u_char *bytes;
        uint64_t number = 0;

        if (linktype < 0 || pt_filter_make(linktype, &ours) < 0)
                return;
        if (pcap_compile(pcap, &naive, "port 53 or tcp[tcpflags] & tcp-syn != 0", 1, 0) == 0) {
                while (pcap_next_ex(pcap, &header, &bytes) == 1) {
                        bool odd = header->caplen > header->len;
                        const struct pt_frame frame = {
                                .bytes = bytes,
                                .captured = odd ? header->len : header->caplen,
                                .length = header->len,
                                .linktype = linktype,
                                .number = ++number,
                        };

                        hold(path, &ours, &naive, &frame, tally);
                }
                pcap_freecode(&naive);
        }
        pt_filter_free(&ours);
}

int main(int argc, char **argv)
{
        struct tally tally = {0};
        char reason[PCAP_ERRBUF_SIZE];

        for (int i = 1; i < argc; i++) {
                pcap_t *pcap = pcap_open_offline(argv[i], reason);

                if (!pcap)
                        continue; /* some are bad as files, which is no matter of the filter */
                hold_all(argv[i], pcap, &tally);
                pcap_close(pcap);
        }
        printf("%" PRIu64 " frames, %" PRIu64 " used, %" PRIu64 " passed, %" PRIu64
               " lost; a filter as people write it loses %" PRIu64 "\n",
               tally.frames, tally.used, tally.passed, tally.lost, tally.naive);
        return tally.lost || tally.used == 0;
}
