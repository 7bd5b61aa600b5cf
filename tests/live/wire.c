/*
 * wire: what live tests do to a wire that Python is too slow for, or would have to be trusted with.
 *
 *      wire send IFACE COUNT RATE      SYNs and DNS answers, RATE a second (0: as fast as it goes)
 *      wire take IFACE RING-MIB        a bare libpcap loop: count until nothing came for a second
 *      wire record IFACE FILE          a recording, until SIGINT
 *
 * take and record say "ready" when they listen. Each ends with one line of numbers.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define SECOND INT64_C(1000000000)

static volatile sig_atomic_t stop;

static void on_signal(int signal)
{
        (void)signal;
        stop = 1;
}

static int64_t now(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

static int fail(const char *what)
{
        fprintf(stderr, "wire: %s: %s\n", what, strerror(errno));
        return 1;
}

/* ---- send ---- */

struct frame {
        uint8_t octets[128];
        size_t length;
};

static void put16(uint8_t *at, unsigned value)
{
        at[0] = (uint8_t)(value >> 8);
        at[1] = (uint8_t)value;
}

/* Sums are left 0: nobody on this wire looks at them. */
static uint8_t *begin(struct frame *f, uint8_t protocol, uint32_t from, uint32_t to, size_t payload)
{
        static const uint8_t head[34] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45};
        uint32_t source = htonl(from), destination = htonl(to);

        memset(f, 0, sizeof *f);
        memcpy(f->octets, head, sizeof head);
        put16(f->octets + 16, (unsigned)(20 + payload));
        f->octets[22] = 64;
        f->octets[23] = protocol;
        memcpy(f->octets + 26, &source, 4);
        memcpy(f->octets + 30, &destination, 4);
        f->length = 34 + payload;
        return f->octets + 34;
}

/* To ports that no rule calculates: what is measured is the way of many packets. */
static void make_syn(struct frame *f, uint32_t number)
{
        uint8_t *tcp = begin(f, 6, 0x0a000000 + number % 5000, 0xc6330000 + number % 65000, 20);

        put16(tcp, 1024 + number % 60000);
        put16(tcp + 2, 443);
        memcpy(tcp + 4, &number, 4);
        tcp[12] = 0x50;
        tcp[13] = 2;
}

static void make_answer(struct frame *f, uint32_t number)
{
        static const uint8_t question[] = "\x01"
                                          "a"
                                          "\x07"
                                          "example"
                                          "\0\0\x01\0\x01"
                                          "\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04";
        size_t length = 12 + sizeof question - 1 + 4;
        uint8_t *udp = begin(f, 17, 0x0a090909, 0x0a000000 + number % 5000, 8 + length);
        uint32_t address = htonl(0xc6330000 + number % 65000);

        put16(udp, 53);
        put16(udp + 2, 40000);
        put16(udp + 4, (unsigned)(8 + length));
        put16(udp + 8, number & 0xffff);
        put16(udp + 10, 0x8180);
        put16(udp + 12, 1);
        put16(udp + 14, 1);
        memcpy(udp + 20, question, sizeof question - 1);
        memcpy(udp + 20 + sizeof question - 1, &address, 4);
}

static int open_sender(const char *name)
{
        struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                      .sll_ifindex = (int)if_nametoindex(name)};
        int fd = socket(AF_PACKET, SOCK_RAW, 0), on = 1;

        if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
                return -1;
        setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
        return fd;
}

static int send_all(const char *name, uint32_t count, int64_t rate)
{
        static struct frame frames[BATCH];
        struct mmsghdr messages[BATCH] = {0};
        struct iovec parts[BATCH];
        int fd = open_sender(name);
        int64_t began = now();
        uint32_t sent = 0;

        if (fd < 0)
                return fail(name);
        while (sent < count) {
                unsigned batch = count - sent < BATCH ? count - sent : BATCH;
                int went;

                for (unsigned i = 0; i < batch; i++) {
                        if ((sent + i) % 4)
                                make_syn(&frames[i], sent + i);
                        else
                                make_answer(&frames[i], sent + i);
                        parts[i] = (struct iovec){frames[i].octets, frames[i].length};
                        messages[i].msg_hdr =
                                (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
                }
                while (rate && now() < began + (int64_t)sent * SECOND / rate)
                        ;
                went = sendmmsg(fd, messages, batch, 0);
                if (went < 0 && errno != ENOBUFS && errno != EAGAIN)
                        return fail(name);
                sent += went > 0 ? (uint32_t)went : 0;
        }
        printf("%u %.0f\n", sent, sent * 1e9 / (double)(now() - began));
        return 0;
}

/* ---- take, record ---- */

static pcap_t *listen_to(const char *name, int ring)
{
        char reason[PCAP_ERRBUF_SIZE] = "";
        pcap_t *pcap = pcap_create(name, reason);

        if (!pcap)
                return NULL;
        pcap_set_snaplen(pcap, 262144);
        pcap_set_buffer_size(pcap, ring);
        pcap_set_timeout(pcap, 20);
        pcap_set_promisc(pcap, 1);
        pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
        if (pcap_activate(pcap) < 0 || pcap_setnonblock(pcap, 1, reason) < 0)
                return NULL;
        puts("ready");
        fflush(stdout);
        return pcap;
}

static void count_one(u_char *context, const struct pcap_pkthdr *header, const u_char *bytes)
{
        (void)header;
        (void)bytes;
        ++*(uint64_t *)(void *)context;
}

static void rest(void)
{
        const struct timespec moment = {.tv_nsec = 1000000};

        nanosleep(&moment, NULL);
}

static int take(const char *name, int ring)
{
        pcap_t *pcap = listen_to(name, ring);
        int64_t last = now();
        struct pcap_stat stats;
        uint64_t got = 0;

        if (!pcap)
                return fail(name);
        while (!stop && (got == 0 || now() < last + SECOND)) {
                int r = pcap_dispatch(pcap, -1, count_one, (u_char *)&got);

                if (r > 0)
                        last = now();
                else
                        rest();
        }
        pcap_stats(pcap, &stats);
        printf("%ju %u %u\n", (uintmax_t)got, stats.ps_recv, stats.ps_drop);
        pcap_close(pcap);
        return 0;
}

static int record(const char *name, const char *path)
{
        pcap_t *pcap = listen_to(name, 64 << 20);
        pcap_dumper_t *file = pcap ? pcap_dump_open(pcap, path) : NULL;
        uint64_t got = 0;

        if (!file)
                return fail(name);
        for (;;) {
                int last = stop;
                int r = pcap_dispatch(pcap, -1, pcap_dump, (u_char *)file);

                got += r > 0 ? (uint64_t)r : 0;
                if (r <= 0 && last)
                        break;
                rest();
        }
        pcap_dump_close(file);
        pcap_close(pcap);
        printf("%ju\n", (uintmax_t)got);
        return 0;
}

int main(int argc, char **argv)
{
        const struct sigaction action = {.sa_handler = on_signal};

        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        if (argc == 5 && !strcmp(argv[1], "send"))
                return send_all(argv[2], (uint32_t)strtoul(argv[3], NULL, 10),
                                strtoll(argv[4], NULL, 10));
        if (argc == 4 && !strcmp(argv[1], "take"))
                return take(argv[2], (int)strtol(argv[3], NULL, 10) << 20);
        if (argc == 4 && !strcmp(argv[1], "record"))
                return record(argv[2], argv[3]);
        fputs("usage: wire send IFACE COUNT RATE | take IFACE RING-MIB | record IFACE FILE\n",
              stderr);
        return 1;
}
