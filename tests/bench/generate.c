/*
 * generate: captures for the benchmark, the same octets for the same arguments.
 *
 *      generate mixed COUNT    what a span port shows: 3 % DNS, 5 000 clients, 15 % IPv6, some VLAN
 * tags, TCP data of two sizes, handshakes with addresses that DNS gave generate worst COUNT    DNS
 * answers and SYNs only generate syns COUNT     each client is given a few addresses; then only
 * SYNs, to ports that the shipped rules admit
 *
 * to standard output, as pcap with microseconds.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS 5000
#define DOMAINS 20000
#define GIVEN 8 /* addresses remembered for a client */

struct frame {
        uint8_t at[1600];
        size_t length;
};

struct client {
        uint32_t given[GIVEN]; /* numbers of servers */
        unsigned count;
};

static struct client clients[CLIENTS];
static uint64_t state = 0x9e3779b97f4a7c15;
static uint64_t now = UINT64_C(1750000000000000); /* microseconds */
static uint32_t gap;                              /* between packets, on average */

/* xorshift64*: the tests must not depend on a C library's rand(). */
static uint32_t random_below(uint32_t bound)
{
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        return (uint32_t)((state * 0x2545f4914f6cdd1d >> 32) * bound >> 32);
}

static void put(struct frame *f, const void *bytes, size_t length)
{
        memcpy(f->at + f->length, bytes, length);
        f->length += length;
}

static void put8(struct frame *f, uint32_t value)
{
        f->at[f->length++] = (uint8_t)value;
}

static void put16(struct frame *f, uint32_t value)
{
        put8(f, value >> 8);
        put8(f, value);
}

static void put32(struct frame *f, uint32_t value)
{
        put16(f, value >> 16);
        put16(f, value);
}

static void emit(const struct frame *f)
{
        uint32_t header[4] = {(uint32_t)(now / 1000000), (uint32_t)(now % 1000000),
                              (uint32_t)f->length, (uint32_t)f->length};

        fwrite(header, sizeof(header), 1, stdout);
        fwrite(f->at, f->length, 1, stdout);
        now += gap / 2 + random_below(gap);
}

/* --- who there is ------------------------------------------------------------------------------
 */

/* Every seventh client has IPv6 too, and prefers it. */
static bool has_ipv6(uint32_t client)
{
        return client % 7 == 0;
}

static bool has_vlan(uint32_t client)
{
        return client % 11 == 0;
}

/* A server's public address: spread over the whole of IPv4, without the ranges that are none. */
static uint32_t server4(uint32_t server)
{
        uint32_t address = (server + 1) * 2654435761u;

        return (address & 0x00ffffff) | (20 + (address >> 24) % 80) << 24;
}

static void put_client(struct frame *f, uint32_t client, bool ipv6)
{
        if (ipv6) {
                put32(f, 0xfd000000);
                put32(f, 1);
                put32(f, 0);
                put32(f, client);
        } else {
                put32(f, 0x0a000000 + client);
        }
}

static void put_server(struct frame *f, uint32_t server, bool ipv6)
{
        if (ipv6) {
                put32(f, 0x2a000000 + server % 1000);
                put32(f, 0);
                put32(f, 0);
                put32(f, server);
        } else {
                put32(f, server4(server));
        }
}

/* The resolver is a server with a number of its own. */
#define RESOLVER UINT32_MAX

static void put_peer(struct frame *f, uint32_t server, bool ipv6)
{
        if (server != RESOLVER)
                put_server(f, server, ipv6);
        else if (ipv6)
                put_client(f, 0xffff, true);
        else
                put32(f, 0x0aff00fe);
}

/* --- frames ------------------------------------------------------------------------------------
 */

/* Ethernet and IP, from the client or to it. */
static void begin(struct frame *f, uint32_t client, uint32_t server, bool ipv6, bool outward,
                  uint8_t protocol, size_t payload)
{
        f->length = 0;
        put(f, outward ? "\x02\x00\x00\x00\xff\xff" : "\x02\x00\x00\x00", outward ? 6 : 4);
        if (!outward)
                put16(f, client);
        put(f, outward ? "\x02\x00\x00\x00" : "\x02\x00\x00\x00\xff\xff", outward ? 4 : 6);
        if (outward)
                put16(f, client);
        if (has_vlan(client)) {
                put16(f, 0x8100);
                put16(f, 100 + client % 16);
        }
        if (ipv6) {
                put16(f, 0x86dd);
                put32(f, 0x60000000);
                put16(f, (uint32_t)payload);
                put8(f, protocol);
                put8(f, 64);
        } else {
                put16(f, 0x0800);
                put16(f, 0x4500);
                put16(f, (uint32_t)payload + 20);
                put32(f, 0x00004000);
                put8(f, 64);
                put8(f, protocol);
                put16(f, 0);
        }
        if (outward)
                put_client(f, client, ipv6);
        put_peer(f, server, ipv6);
        if (!outward)
                put_client(f, client, ipv6);
}

static void tcp(uint32_t client, uint32_t server, bool ipv6, bool outward, uint16_t own_port,
                uint16_t port, uint8_t flags, size_t payload)
{
        struct frame f;

        begin(&f, client, server, ipv6, outward, 6, 20 + payload);
        put16(&f, outward ? own_port : port);
        put16(&f, outward ? port : own_port);
        put32(&f, random_below(UINT32_MAX));
        put32(&f, flags & 0x10 ? 1 : 0);
        put8(&f, 0x50);
        put8(&f, flags);
        put16(&f, 65535);
        put32(&f, 0);
        memset(f.at + f.length, 0x5a, payload);
        f.length += payload;
        emit(&f);
}

static void udp(struct frame *f, uint32_t client, uint32_t server, bool ipv6, bool outward,
                uint16_t own_port, uint16_t port, size_t payload)
{
        begin(f, client, server, ipv6, outward, 17, 8 + payload);
        put16(f, outward ? own_port : port);
        put16(f, outward ? port : own_port);
        put16(f, (uint32_t)payload + 8);
        put16(f, 0);
}

/* hostNNNNN.example.com: 23 octets on the wire. */
static void put_name(struct frame *f, uint32_t domain)
{
        char label[16];

        snprintf(label, sizeof(label), "host%05u", domain);
        put8(f, 9);
        put(f, label, 9);
        put(f,
            "\7"
            "example"
            "\3"
            "com",
            13);
}

#define NAME 23

static void query(uint32_t client, uint32_t domain, uint16_t id, uint16_t port, bool ipv6)
{
        struct frame f;

        udp(&f, client, RESOLVER, ipv6, true, port, 53, 12 + NAME + 4);
        put16(&f, id);
        put16(&f, 0x0100);
        put32(&f, 0x00010000);
        put32(&f, 0);
        put_name(&f, domain);
        put16(&f, ipv6 ? 28 : 1);
        put16(&f, 1);
        emit(&f);
}

/* An answer of one to four addresses, in half of all cases behind a CNAME. The client keeps them.
 */
static void answer(uint32_t client, uint32_t domain, uint16_t id, uint16_t port, bool ipv6)
{
        struct frame f;
        unsigned addresses = 1 + domain % 4, alias = domain & 4 ? 1 : 0;
        size_t address = ipv6 ? 16 : 4;

        udp(&f, client, RESOLVER, ipv6, false, port, 53,
            12 + NAME + 4 + alias * (12 + 6) + addresses * (12 + address));
        put16(&f, id);
        put16(&f, 0x8180);
        put32(&f, 0x00010000 + addresses + alias);
        put32(&f, 0);
        put_name(&f, domain);
        put16(&f, ipv6 ? 28 : 1);
        put16(&f, 1);
        if (alias) { /* to cdn. and the question name without its first label */
                put16(&f, 0xc00c);
                put32(&f, 0x00050001);
                put32(&f, 300);
                put16(&f, 6);
                put(&f,
                    "\3"
                    "cdn"
                    "\xc0\x16",
                    6);
        }
        for (unsigned i = 0; i < addresses; i++) {
                uint32_t server = domain * 4 + i;

                put16(&f, alias ? 0xc000 + 12 + NAME + 4 + 12 : 0xc00c);
                put32(&f, (ipv6 ? 0x001c0001 : 0x00010001));
                put32(&f, 300);
                put16(&f, (uint32_t)address);
                put_server(&f, server, ipv6);
                clients[client].given[clients[client].count++ % GIVEN] = server;
        }
        emit(&f);
}

static uint32_t a_given_server(uint32_t client)
{
        unsigned count = clients[client].count < GIVEN ? clients[client].count : GIVEN;

        return count ? clients[client].given[random_below(count)] : random_below(DOMAINS * 4);
}

static uint16_t client_port(void)
{
        return (uint16_t)(49152 + random_below(16384));
}

/* Names are asked for as unevenly as people do: low numbers far more often. */
static uint32_t a_domain(void)
{
        return (uint32_t)((uint64_t)random_below(DOMAINS) * random_below(DOMAINS) / DOMAINS);
}

/* --- captures ----------------------------------------------------------------------------------
 */

/* One or two packets. Of a thousand: 15 lookups (30 packets), 10 handshakes (20), 40 QUIC, the rest
 * TCP. */
static unsigned mixed(void)
{
        uint32_t client = random_below(CLIENTS), what = random_below(975);
        uint32_t server = a_given_server(client);
        bool ipv6 = has_ipv6(client);
        struct frame f;

        if (what < 15) {
                uint32_t domain = a_domain();
                uint16_t id = (uint16_t)random_below(65536), port = client_port();

                query(client, domain, id, port, ipv6);
                answer(client, domain, id, port, ipv6);
                return 2;
        }
        if (what < 25) {
                uint16_t own_port = client_port();
                uint16_t port = random_below(20) ? 443 : (uint16_t)(4096 + random_below(45056));

                tcp(client, server, ipv6, true, own_port, port, 0x02, 0);
                tcp(client, server, ipv6, false, own_port, port, 0x12, 0);
                return 2;
        }
        if (what < 65) {
                udp(&f, client, server, ipv6, false, client_port(), 443, 1200);
                memset(f.at + f.length, 0x40, 1200);
                f.length += 1200;
                emit(&f);
        } else if (random_below(100) < 49) {
                tcp(client, server, ipv6, false, client_port(), 443, 0x10, 1440);
        } else {
                tcp(client, server, ipv6, true, client_port(), 443, 0x10, 0);
        }
        return 1;
}

static unsigned worst(void)
{
        uint32_t client = random_below(CLIENTS);
        bool ipv6 = has_ipv6(client);

        if (random_below(2)) {
                answer(client, a_domain(), (uint16_t)random_below(65536), client_port(), ipv6);
        } else {
                uint16_t port = random_below(10) < 7 ? 443 : (uint16_t)(4096 + random_below(45056));
                tcp(client, a_given_server(client), ipv6, true, client_port(), port, 0x02, 0);
        }
        return 1;
}

static unsigned syns(void)
{
        static uint32_t answered;
        uint32_t client = random_below(CLIENTS);

        if (answered < 2 * CLIENTS) {
                client = answered++ % CLIENTS;
                answer(client, a_domain(), 1, client_port(), false);
        } else {
                tcp(client, a_given_server(client), false, true, client_port(),
                    (uint16_t)(4096 + random_below(45056)), 0x02, 0);
        }
        return 1;
}

static const struct {
        const char *name;
        unsigned (*step)(void);
        uint32_t gap;
} kinds[] = {
        {"mixed", mixed, 100}, /* 200 s, 60 Mbit/s */
        {"worst", worst, 500}, /* 1 000 s: each client is given an answer every ten seconds */
        {"syns", syns, 100},
};

int main(int argc, char **argv)
{
        uint32_t header[6] = {0xa1b2c3d4, 4 << 16 | 2, 0, 0, 262144, 1};
        static char buffer[1 << 20];

        for (size_t i = 0; argc == 3 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
                if (strcmp(argv[1], kinds[i].name) != 0)
                        continue;
                gap = kinds[i].gap;
                setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
                fwrite(header, sizeof(header), 1, stdout);
                for (unsigned long count = strtoul(argv[2], NULL, 10), made = 0; made < count;)
                        made += kinds[i].step();
                return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
        }
        fprintf(stderr, "usage: generate mixed|worst|syns COUNT > FILE\n");
        return 1;
}
