/*
 * generate: days of a network of 1 000 clients, and campaigns hidden in it. The same octets for the
 * same arguments.
 *
 *      generate SEED DAYS RARE PRIOR TRUTH     the capture goes to standard output
 *      generate SEED SCANS scans PRIOR TRUTH   only so many scans of all ports of a resolved host
 *
 * RARE multiplies how often clients use services on ports of their own (1: as documented in
 * README.md). PRIOR has 65 536 shares of ports. TRUTH gets a line of JSON for each planted
 * connection, and last one with what reckon.c says.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "traffic.h"

#define CLIENTS 1000
#define SITES 5000
#define SERVICES 300 /* on ports of their own */
#define RESOLVER 0x0a01fa01u
#define FORWARDER 0x0a01fa35u
#define UPSTREAM 0x09090909u
#define NAT 0x0a01fb01u

static uint64_t seed;
static double rare;
static FILE *truth;

/* ---- who there is ---- */

enum sight { SEEN, HIDDEN, FORWARDED }; /* what the sensor sees of a client's DNS */

static uint32_t client_address(unsigned i)
{
        return 0x0a010000u + (i / 200 << 8) + i % 200 + 10;
}

static enum sight client_sight(unsigned i)
{
        return i < 800 ? SEEN : i < 900 ? HIDDEN : FORWARDED;
}

/* A number that depends on its arguments and the seed alone: what the world is made of. */
static uint32_t fixed(uint32_t a, uint32_t b)
{
        uint64_t x = (seed << 1 | 1) * UINT64_C(0x9e3779b97f4a7c15) + ((uint64_t)a << 32 | b);

        x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
        return (uint32_t)(x ^ x >> 31);
}

/* A public unicast address of these 32 bits. */
static uint32_t public(uint32_t bits)
{
        for (;; bits = bits * 1664525 + 1013904223) {
                uint32_t first = bits >> 24;

                if (first > 0 && first < 224 && first != 10 && first != 127 && first != 100 &&
                    bits >> 20 != 0xac1 && bits >> 16 != 0xc0a8 && bits >> 16 != 0xa9fe)
                        return bits;
        }
}

static uint32_t any_public(void)
{
        return public(traffic_below(UINT32_MAX));
}

/* ---- what they do ---- */

static void connect_as(enum reckon_kind of, uint32_t client, uint32_t server, uint16_t port,
                       uint64_t time)
{
        struct event e = {.kind = EVENT_SYN,
                          .of = of,
                          .time = time,
                          .client = client,
                          .server = server,
                          .port = port};

        traffic_add(&e);
}

static void connect_to(uint32_t client, uint32_t server, uint16_t port, uint64_t time)
{
        connect_as(RECKON_INNOCENT, client, server, port, time);
}

/* The client asks for the name; its answer holds `count` of the pool's addresses. Returns one. */
static uint32_t resolve(uint32_t client, enum sight sight, uint32_t name, unsigned count,
                        unsigned pool, uint32_t ttl, uint64_t time)
{
        struct event e = {.kind = EVENT_DNS,
                          .time = time,
                          .client = client,
                          .server = RESOLVER,
                          .name = name,
                          .ttl = ttl,
                          .count = (uint8_t)count};

        for (unsigned i = 0; i < count; i++)
                e.addresses[i] = public(fixed(name, 1000 + traffic_below(pool)));
        if (sight == FORWARDED) {
                e.client = FORWARDER;
                e.server = UPSTREAM;
        }
        if (sight != HIDDEN)
                traffic_add(&e);
        return e.addresses[traffic_below(count)];
}

static uint64_t at(uint64_t minute)
{
        return minute + traffic_below(60000000);
}

/* A name, then a connection to what it gave. */
static void use(uint32_t client, enum sight sight, uint32_t name, unsigned count, unsigned pool,
                uint16_t port, uint64_t time)
{
        uint32_t server = resolve(client, sight, name, count, pool, 300, time);

        connect_to(client, server, port, time + 2000 + traffic_below(60000));
}

static uint32_t zipf(uint32_t count)
{
        return (uint32_t)(pow(count + 1, traffic_part())) - 1;
}

/* A page: its own name, and parts of it from networks that answer with other addresses each time.
 */
static void web(uint32_t client, enum sight sight, uint64_t minute)
{
        uint64_t time = at(minute);
        uint16_t port = traffic_below(200) ? 443 : traffic_below(2) ? 8443 : 8080;

        use(client, sight, zipf(SITES), 1 + traffic_below(3), 4, port, time);
        for (unsigned i = traffic_below(5); i > 0; i--) {
                time += 50000 + traffic_below(400000);
                use(client, sight, 10000 + zipf(300), 4, 200, 443, time);
        }
}

static void push(uint32_t client, enum sight sight, uint64_t minute)
{
        static const uint16_t ports[] = {5223, 5223, 5228, 5228, 5222, 8883};
        uint32_t which = traffic_below(6);

        use(client, sight, 20000 + which * 10 + traffic_below(3), 4, 60, ports[which], at(minute));
}

static void mail(uint32_t client, enum sight sight, uint64_t minute)
{
        static const uint16_t ports[] = {993, 993, 993, 587, 465};

        use(client, sight, 21000 + zipf(30), 2, 6, ports[traffic_below(5)], at(minute));
}

/* Software of its own: updates, licences, telephony, on a port that nothing else has. */
static void own_service(uint32_t client, enum sight sight, uint64_t minute, unsigned which)
{
        uint16_t port = (uint16_t)(1024 + fixed(which, 7) % 64000);

        use(client, sight, 30000 + which, 1 + which % 3, 5, port, at(minute));
}

static void peer(uint32_t client, uint64_t minute)
{
        uint32_t way = traffic_below(100);
        uint16_t port = way < 8    ? (uint16_t)(6881 + traffic_below(9))
                        : way < 12 ? 51413
                                   : (uint16_t)(1024 + traffic_below(64512));

        connect_to(client, any_public(), port, at(minute));
}

static void game(uint32_t client, uint64_t minute)
{
        uint32_t which = traffic_below(2000);
        uint16_t port = which % 4 ? (uint16_t)(27015 + which % 20) : 25565;

        connect_to(client, public(fixed(40000 + which, 1)), port, at(minute));
}

static void live(unsigned i, uint32_t address, uint64_t minute, double day)
{
        enum sight sight = client_sight(i);

        for (unsigned n = traffic_poisson(0.12 * day); n > 0; n--)
                web(address, sight, minute);
        for (unsigned n = traffic_poisson(0.03); n > 0; n--)
                push(address, sight, minute);
        for (unsigned n = traffic_poisson(0.04 * day); n > 0; n--)
                mail(address, sight, minute);
        for (unsigned n = traffic_poisson(0.005 * rare * day); n > 0; n--)
                own_service(address, sight, minute, fixed(i, traffic_below(3)) % SERVICES);
        for (unsigned n = traffic_poisson(i % 50 == 7 ? 6 * day : 0); n > 0; n--)
                peer(address, minute);
        for (unsigned n = traffic_poisson(i % 25 == 3 ? 0.2 * day : 0); n > 0; n--)
                game(address, minute);
}

/* ---- scanners ---- */

/* All ports of a host that was resolved, in a random order, 1 000 a second. */
static void vertical_scan(uint32_t client, uint64_t time)
{
        uint32_t server = resolve(client, SEEN, 50000 + traffic_below(100000), 1, 1, 300, time);
        uint32_t step = traffic_below(32768) * 2 + 1, first = traffic_below(65536);

        for (uint32_t i = 0; i < 65536; i++)
                if ((uint16_t)(first + i * step))
                        connect_as(RECKON_SCAN, client, server, (uint16_t)(first + i * step),
                                   time + 10000 + i * UINT64_C(1000));
}

/* One port of many networks, for an hour. */
static void horizontal_scan(uint32_t client, uint64_t time)
{
        static const uint16_t ports[] = {22, 23, 445, 3389, 8080, 5900, 6379, 9200};
        uint16_t port = ports[traffic_below(8)];
        uint32_t first = any_public() & 0xff000000;

        for (uint32_t i = 0; i < 20000; i++)
                connect_as(RECKON_SCAN, client, public(first + traffic_below(1 << 24)), port,
                           time + i * UINT64_C(180000));
}

/* What comes from the internet is nobody's alert. */
static void outside(uint64_t minute)
{
        static const uint16_t ports[] = {22, 23, 80, 445, 3389, 8080};

        for (unsigned n = traffic_poisson(5); n > 0; n--)
                connect_to(any_public(), client_address(traffic_below(CLIENTS)),
                           traffic_below(4) ? ports[traffic_below(6)]
                                            : (uint16_t)(1 + traffic_below(65535)),
                           at(minute));
}

/* ---- campaigns ---- */

enum kind {
        SCRIPT,
        ROTATION,
        FLUX,
        TWO_NAMES,
        SWAP16,
        NYMAIM,
        CACHE,
        SLOW,
        JITTER,
        TTL_0,
        TTL_DAY,
        BEHIND_NAT,
        DUAL_STACK,
        TCP,
        UNSEEN,
        KINDS
};

static const char *const kind_names[KINDS] = {
        "script",       "rotation",   "fast flux",   "two names",  "swap16",
        "nymaim",       "cache",      "slow beacon", "jitter",     "TTL 0",
        "TTL of a day", "behind NAT", "dual stack",  "DNS by TCP", "DNS unseen"};

static const unsigned beat[KINDS] = {
        [SCRIPT] = 10,  [ROTATION] = 1,    [FLUX] = 5,        [TWO_NAMES] = 15, [SWAP16] = 10,
        [NYMAIM] = 10,  [CACHE] = 10,      [SLOW] = 240,      [JITTER] = 20,    [TTL_0] = 10,
        [TTL_DAY] = 25, [BEHIND_NAT] = 10, [DUAL_STACK] = 10, [TCP] = 10,       [UNSEEN] = 10};

#define CAMPAIGNS (KINDS * 6)

static struct campaign {
        enum kind kind;
        uint32_t client, name, address, port_from;
        uint64_t next;
        unsigned left, beats;
        bool second; /* formula */
} campaigns[CAMPAIGNS];

static uint16_t campaign_port(const struct campaign *c, uint32_t address)
{
        return c->second ? reckon_port(reckon_variant(address), true)
                         : reckon_port(reckon_apt12(address), false);
}

/* An address that gives a port which no rule excludes. */
static uint32_t usable(const struct campaign *c)
{
        uint32_t address = any_public();

        while (!campaign_port(c, address))
                address = any_public();
        return address;
}

static uint32_t swap16(uint32_t a)
{
        return a << 16 | a >> 16;
}

/* Bader's translation of an A record, and back. */
static uint32_t nymaim_answer(uint32_t wanted)
{
        uint32_t v = __builtin_bswap32(wanted);

        for (int i = 0; i < 16; i++) {
                v ^= 0x18482642;
                v += 0x78643587;
                v ^= 0x87568289;
        }
        return __builtin_bswap32(v);
}

static void plan(struct campaign *c, unsigned i, unsigned days)
{
        *c = (struct campaign){.kind = i % KINDS, .second = i / KINDS % 2, .name = 900000 + i};
        c->client = client_address(c->kind == CACHE    ? 900 + traffic_below(100)
                                   : c->kind == UNSEEN ? 800 + traffic_below(100)
                                                       : traffic_below(800));
        if (c->kind == BEHIND_NAT)
                c->client = NAT;
        c->address = usable(c);
        c->port_from = usable(c);
        c->left = 6;
        c->next = BEGIN + traffic_below(days > 1 ? days * 1440 - 1440 : 60) * MINUTE +
                  traffic_below(60) * SECOND;
}

static void answer(const struct campaign *c, uint32_t name, uint32_t address, uint64_t time)
{
        struct event e = {.kind = EVENT_DNS,
                          .time = time,
                          .client = c->client,
                          .server = RESOLVER,
                          .name = name,
                          .ttl = 300,
                          .count = 1,
                          .addresses = {address}};

        e.ttl = c->kind == TTL_0 ? 0 : c->kind == TTL_DAY ? 86400 : 300;
        if (c->kind == TCP)
                e.kind = EVENT_DNS_TCP;
        if (c->kind == DUAL_STACK)
                e.kind = EVENT_DNS_6;
        if (c->kind == CACHE) {
                e.client = FORWARDER;
                e.server = UPSTREAM;
        }
        if (c->kind != UNSEEN)
                traffic_add(&e);
}

static void plant(const struct campaign *c, uint32_t address, uint16_t port, uint64_t time,
                  bool visible)
{
        struct event e = {.kind = EVENT_SYN,
                          .of = RECKON_CAMPAIGN,
                          .time = time,
                          .client = c->client,
                          .server = address,
                          .port = port};

        traffic_add(&e);
        fprintf(truth,
                "{\"kind\": \"%s\", \"campaign\": %u, \"client\": %u, \"address\": %u, "
                "\"port\": %u, \"visible\": %s}\n",
                kind_names[c->kind], c->name, c->client, address, port, visible ? "true" : "false");
}

static void strike(struct campaign *c)
{
        uint64_t time = c->next, wait = 500 + traffic_below(50000);
        bool visible = c->kind != CACHE && c->kind != UNSEEN;
        uint32_t answered = c->address, destination = c->address;
        uint16_t port;

        if (c->kind == ROTATION || c->kind == FLUX)
                destination = answered = usable(c);
        if (c->kind == SWAP16)
                answered = swap16(destination);
        if (c->kind == NYMAIM)
                answered = nymaim_answer(destination);
        port = c->kind == SWAP16 ? (uint16_t)(23789 + c->left)
               : c->kind == NYMAIM
                       ? 80
                       : campaign_port(c, c->kind == TWO_NAMES ? c->port_from : answered);
        if (c->kind == JITTER)
                wait = SECOND + traffic_below(590) * SECOND;
        if (c->kind != TTL_DAY || c->beats == 0)
                answer(c, c->name + (c->kind == ROTATION ? 1000 * c->left : 0), answered, time);
        else
                visible = c->beats * beat[TTL_DAY] < 60;
        if (c->kind == TWO_NAMES)
                answer(c, c->name + 50000, c->port_from, time + 100);
        plant(c, destination, port, time + wait, visible);
        c->beats++;
        c->left--;
        c->next += beat[c->kind] * MINUTE + traffic_below(SECOND);
}

static void strike_due(uint64_t until)
{
        for (size_t i = 0; i < CAMPAIGNS; i++)
                while (campaigns[i].left && campaigns[i].next < until)
                        strike(&campaigns[i]);
}

/* ---- days ---- */

static double daylight(uint64_t time)
{
        double hour = (double)(time % DAY) / (double)HOUR;

        return hour > 7 && hour < 20 ? 0.1 + sin((hour - 7) / 13 * 3.14159265) : 0.1;
}

static void scan_due(uint64_t minute, uint32_t slow_server)
{
        unsigned of_day = (unsigned)(minute % DAY / MINUTE);

        if (of_day == 600)
                vertical_scan(client_address(traffic_below(700)), minute);
        if (of_day == 840)
                horizontal_scan(client_address(traffic_below(700)), minute);
        if (minute % (5 * MINUTE) == 0)
                resolve(client_address(5), SEEN, 60000, 1, 1, 300, minute);
        for (unsigned i = 0; i < 6; i++) /* slow: a port each ten seconds */
                connect_as(RECKON_SCAN, client_address(5), slow_server,
                           (uint16_t)(1 + traffic_below(65535)), minute + (i + 1) * 9 * SECOND);
}

static void scans(unsigned count)
{
        for (unsigned i = 0; i < count; i++) {
                vertical_scan(client_address(i), BEGIN + i * 2 * MINUTE);
                traffic_write(BEGIN + (i + 1) * 2 * MINUTE, stdout);
        }
}

static void network(unsigned days)
{
        for (unsigned i = 0; i < CAMPAIGNS; i++)
                plan(&campaigns[i], i, days);
        for (uint64_t minute = BEGIN; minute < BEGIN + days * DAY; minute += MINUTE) {
                double day = daylight(minute);

                for (unsigned i = 0; i < CLIENTS; i++)
                        live(i, client_address(i), minute, day);
                for (unsigned i = 0; i < 50; i++)
                        live(i * 16, NAT, minute, day);
                scan_due(minute, public(fixed(60000, 1000)));
                outside(minute);
                strike_due(minute + MINUTE);
                traffic_write(minute + MINUTE, stdout);
        }
        traffic_write(UINT64_MAX, stdout);
}

int main(int argc, char **argv)
{
        unsigned count = argc == 6 ? (unsigned)atoi(argv[2]) : 0;
        FILE *prior = argc == 6 ? fopen(argv[4], "r") : NULL;

        truth = argc == 6 ? fopen(argv[5], "w") : NULL;
        if (!prior || !truth || !count || count > CLIENTS) {
                fprintf(stderr, "usage: generate SEED DAYS|SCANS RARE|scans PRIOR TRUTH\n");
                return 1;
        }
        seed = (uint64_t)atoll(argv[1]);
        rare = atof(argv[3]);
        reckon_prior(prior);
        traffic_seed(seed);
        traffic_header(stdout);
        if (strcmp(argv[3], "scans") == 0)
                scans(count);
        else
                network(count);
        fprintf(truth, "{");
        reckon_print(truth);
        fprintf(truth, "}\n");
        return fclose(truth) || fflush(stdout) ? 1 : 0;
}
