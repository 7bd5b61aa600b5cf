#include "traffic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- luck: xorshift64*, so that no C library decides ---- */

static uint64_t state;

void traffic_seed(uint64_t seed)
{
        state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
        for (int i = 0; i < 16; i++)
                traffic_below(2);
}

uint32_t traffic_below(uint32_t bound)
{
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        return (uint32_t)((state * 0x2545f4914f6cdd1d >> 32) * bound >> 32);
}

double traffic_part(void)
{
        return (traffic_below(UINT32_MAX) + 0.5) / 4294967296.0;
}

unsigned traffic_poisson(double rate)
{
        double limit = exp(-rate), product = traffic_part();
        unsigned count = 0;

        for (; product > limit; product *= traffic_part())
                count++;
        return count;
}

/* ---- events ---- */

static struct event *events;
static size_t count, room;

void traffic_add(const struct event *event)
{
        if (count == room) {
                room = room ? room * 2 : 4096;
                events = realloc(events, room * sizeof *events);
                if (!events)
                        abort();
        }
        events[count++] = *event;
}

/* ---- frames ---- */

struct frame {
        uint8_t at[512];
        size_t length;
};

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

static void emit(const struct frame *f, uint64_t time, FILE *file)
{
        uint32_t header[4] = {(uint32_t)(time / SECOND), (uint32_t)(time % SECOND),
                              (uint32_t)f->length, (uint32_t)f->length};

        fwrite(header, sizeof header, 1, file);
        fwrite(f->at, f->length, 1, file);
}

void traffic_header(FILE *file)
{
        const uint32_t header[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1};

        fwrite(header, sizeof header, 1, file);
}

/* Every host has a MAC of its own; the rest is behind the router. */
static void put_mac(struct frame *f, uint32_t address)
{
        put16(f, 0x0200);
        put32(f, address >> 24 == 10 ? address : 1);
}

static void put_ethernet(struct frame *f, uint32_t from, uint32_t to, bool six)
{
        f->length = 0;
        put_mac(f, to);
        put_mac(f, from);
        put16(f, six ? 0x86dd : 0x0800);
}

static void put_ip(struct frame *f, uint32_t from, uint32_t to, uint32_t protocol, uint32_t length)
{
        uint32_t sum = 0x4500 + 20 + length + 0x4000 + (64u << 8 | protocol) + (from >> 16) +
                       (from & 0xffff) + (to >> 16) + (to & 0xffff);

        put_ethernet(f, from, to, false);
        put16(f, 0x4500);
        put16(f, 20 + length);
        put32(f, 0x4000);
        put16(f, 64u << 8 | protocol);
        sum = (sum & 0xffff) + (sum >> 16);
        put16(f, ~((sum & 0xffff) + (sum >> 16)));
        put32(f, from);
        put32(f, to);
}

/* fd00::10.1.2.3 */
static void put_ip6(struct frame *f, uint32_t from, uint32_t to, uint32_t length)
{
        put_ethernet(f, from, to, true);
        put32(f, 6u << 28);
        put16(f, length);
        put16(f, 17u << 8 | 64);
        for (int i = 0; i < 2; i++) {
                put32(f, 0xfd000000);
                put32(f, 0);
                put32(f, 0);
                put32(f, i ? to : from);
        }
}

static void put_tcp(struct frame *f, uint32_t ports, uint32_t sequence, uint32_t ack, uint8_t flags)
{
        put32(f, ports);
        put32(f, sequence);
        put32(f, ack);
        put16(f, 5u << 12 | flags);
        put16(f, 64240);
        put32(f, 0);
}

#define TCP_SYN 0x02
#define TCP_ACK 0x10
#define TCP_PUSH 0x18

static void write_syn(const struct event *e, FILE *file)
{
        struct frame f;

        put_ip(&f, e->client, e->server, 6, 20);
        put_tcp(&f, (20000 + traffic_below(40000)) << 16 | e->port, traffic_below(UINT32_MAX), 0,
                TCP_SYN);
        emit(&f, e->time, file);
        if (e->client >> 24 == 10)
                reckon_syn(e->client, e->server, e->port, e->time, e->of);
}

/* "n123456.example.net" */
static void put_question(struct frame *f, uint32_t name)
{
        char label[8];

        snprintf(label, sizeof label, "n%06u", name % 1000000);
        put8(f, 7);
        for (int i = 0; i < 7; i++)
                put8(f, (uint8_t)label[i]);
        for (const char *p = "\7example\3net"; *p; p++)
                put8(f, (uint8_t)*p);
        put8(f, 0);
        put16(f, 1);
        put16(f, 1);
}

static void put_dns(struct frame *f, const struct event *e, uint32_t id, bool answer)
{
        put16(f, id);
        put16(f, answer ? 0x8180 : 0x0100);
        put16(f, 1);
        put16(f, answer ? e->count : 0);
        put32(f, 0);
        put_question(f, e->name);
        for (unsigned i = 0; answer && i < e->count; i++) {
                put16(f, 0xc00c);
                put32(f, 0x00010001);
                put32(f, e->ttl);
                put16(f, 4);
                put32(f, e->addresses[i]);
        }
}

static uint32_t dns_length(const struct event *e, bool answer)
{
        return 12 + 25 + (answer ? e->count * 16u : 0);
}

static void write_udp(const struct event *e, FILE *file)
{
        uint32_t id = traffic_below(65536), port = 20000 + traffic_below(40000);

        for (int answer = 0; answer < 2; answer++) {
                uint32_t length = 8 + dns_length(e, answer);
                uint32_t from = answer ? e->server : e->client, to = answer ? e->client : e->server;
                struct frame f;

                if (e->kind == EVENT_DNS_6)
                        put_ip6(&f, from, to, length);
                else
                        put_ip(&f, from, to, 17, length);
                put32(&f, answer ? 53u << 16 | port : port << 16 | 53);
                put16(&f, length);
                put16(&f, 0);
                put_dns(&f, e, id, answer);
                emit(&f, e->time, file);
        }
}

static void write_tcp(const struct event *e, FILE *file)
{
        uint32_t id = traffic_below(65536), port = 20000 + traffic_below(40000);
        uint32_t up = port << 16 | 53, down = 53u << 16 | port;
        uint32_t asked = dns_length(e, false), answered = dns_length(e, true);
        struct frame f;

        put_ip(&f, e->client, e->server, 6, 20);
        put_tcp(&f, up, 1000, 0, TCP_SYN);
        emit(&f, e->time, file);
        put_ip(&f, e->server, e->client, 6, 20);
        put_tcp(&f, down, 5000, 1001, TCP_SYN | TCP_ACK);
        emit(&f, e->time, file);
        put_ip(&f, e->client, e->server, 6, 20 + 2 + asked);
        put_tcp(&f, up, 1001, 5001, TCP_PUSH);
        put16(&f, asked);
        put_dns(&f, e, id, false);
        emit(&f, e->time, file);
        put_ip(&f, e->server, e->client, 6, 20 + 2 + answered);
        put_tcp(&f, down, 5001, 1001 + 2 + asked, TCP_PUSH);
        put16(&f, answered);
        put_dns(&f, e, id, true);
        emit(&f, e->time, file);
}

static void write_event(const struct event *e, FILE *file)
{
        if (e->kind == EVENT_SYN) {
                write_syn(e, file);
                return;
        }
        if (e->kind == EVENT_DNS_TCP)
                write_tcp(e, file);
        else
                write_udp(e, file);
        for (unsigned i = 0; i < e->count && e->kind != EVENT_DNS_6; i++)
                reckon_given(e->client, e->addresses[i], e->time);
}

static int by_time(const void *a, const void *b)
{
        const struct event *x = *(const struct event *const *)a;
        const struct event *y = *(const struct event *const *)b;

        if (x->time != y->time)
                return x->time < y->time ? -1 : 1;
        return x < y ? -1 : x > y;
}

void traffic_write(uint64_t until, FILE *file)
{
        const struct event **order = malloc((count + 1) * sizeof(void *));
        size_t due = 0, kept = 0;

        if (!order)
                abort();
        for (size_t i = 0; i < count; i++)
                if (events[i].time < until)
                        order[due++] = &events[i];
        qsort(order, due, sizeof *order, by_time);
        for (size_t i = 0; i < due; i++)
                write_event(order[i], file);
        for (size_t i = 0; i < count; i++)
                if (events[i].time >= until)
                        events[kept++] = events[i];
        count = kept;
        free(order);
}
