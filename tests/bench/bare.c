/* bare: read a capture with libpcap as every program does, and do nothing with the packets. */
#include <pcap/pcap.h>
#include <stdio.h>

static void ignore(u_char *context, const struct pcap_pkthdr *header, const u_char *bytes)
{
        (void)header;
        (void)bytes;
        ++*(unsigned long long *)(void *)context;
}

int main(int argc, char **argv)
{
        char reason[PCAP_ERRBUF_SIZE];
        unsigned long long count = 0;

        pcap_t *pcap = argc == 2 ? pcap_open_offline(argv[1], reason) : NULL;
        if (!pcap || pcap_loop(pcap, -1, ignore, (u_char *)(void *)&count) < 0) {
                fprintf(stderr, "bare: %s\n", pcap ? pcap_geterr(pcap) : reason);
                return 1;
        }
        pcap_close(pcap);
        printf("%llu\n", count);
        return 0;
}
