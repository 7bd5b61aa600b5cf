/*
 * Octets as packets with times, through the whole pipeline: decoders, engine, documents. Whatever
 * came before, what is remembered must be sound, and a client that resolves and connects at the end
 * must still be found.
 *
 * The first octet says which settings are on. Each packet begins with an octet:
 *
 *      bits 0-2  link type, by the list below
 *      bits 3-4  time since the packet before: 0 none; 1 an octet of milliseconds; 2 two octets of
 *                seconds; 3 its time itself, eight octets of nanoseconds
 *      bit 5     the capture cut it
 *      bit 7     a packet made here of five octets: what, client, address, port (two octets);
 *                else two octets of length, and the frame
 */
#include "engine/state.h"

#include "../make.h"
#include "../sound.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int linktypes[8] = {
        PT_LINK_ETHERNET, PT_LINK_RAW,  PT_LINK_SLL,  PT_LINK_SLL2,
        PT_LINK_NULL,     PT_LINK_LOOP, PT_LINK_IPV4, PT_LINK_IPV6,
};

struct input {
        const uint8_t *data;
        size_t left;
};

static uint64_t take(struct input *input, int octets)
{
        uint64_t value = 0;

        while (octets--) {
                value = value << 8 | (input->left ? *input->data : 0);
                input->data += input->left > 0;
                input->left -= input->left > 0;
        }
        return value;
}

/* ---- what comes out ---- */

struct watch {
        struct pt_address canary;
        unsigned found;
        uint64_t lines;
};

static void check_line(const char *line, size_t length)
{
        MUST(length > 1 && line[length - 1] == '\n');
        MUST(!memchr(line, '\n', length - 1));
}

static void check_match(const struct pt_match *m)
{
        MUST(m->rule && m->candidates >= 1);
        MUST(m->chance > 0 && m->chance <= 1);
        MUST((m->verdict == PT_PORT_ONLY) == !m->resolution);
}

static void on_event(void *context, const struct pt_event *event)
{
        static const struct pt_observer observer = {.name = "portent", .version = "0"};
        struct watch *watch = context;
        size_t length;
        char *line;

        if (event->kind == PT_EVENT_ALERT) {
                int severity = event->alert.match->severity;

                check_match(event->alert.match);
                MUST(severity == 21 || severity == 47 || severity == 73);
                MUST(!event->alert.evidence == (event->alert.match->verdict == PT_PORT_ONLY));
                watch->found += event->alert.match->verdict == PT_DNS_CONFIRMED &&
                                pt_address_equal(&event->alert.syn->client, &watch->canary);
        }
        MUST(pt_event_ecs(event, &observer, 0, ++watch->lines, &line, &length) == 0);
        check_line(line, length);
        free(line);
        MUST(pt_event_text(event, &observer, false, &line, &length) == 0);
        check_line(line, length);
        free(line);
}

/* ---- what goes in ---- */

static void send(struct pt_engine *engine, int64_t time, int linktype, const uint8_t *octets,
                 size_t length, bool cut)
{
        struct pt_frame frame = {
                .bytes = octets,
                .captured = (uint32_t)length,
                .length = (uint32_t)length + (cut ? 1000 : 0),
                .linktype = linktype,
                .time = time,
                .number = 1,
        };

        pt_engine_packet(engine, &frame);
}

static void send_dns(struct pt_engine *engine, int64_t time, const char *client, bool answer,
                     const char *question, const char *records)
{
        struct make m = {.length = 0}, frame = {.length = 0};

        make_message(&m, 7, answer ? 0x8180 : 0x0100, question, PT_DNS_A, answer ? records : "");
        if (answer)
                make_udp(&frame, "192.0.2.53", 53, client, 33333, m.octets, m.length);
        else
                make_udp(&frame, client, 33333, "192.0.2.53", 53, m.octets, m.length);
        send(engine, time, PT_LINK_ETHERNET, frame.octets, frame.length, false);
}

static void send_syn(struct pt_engine *engine, int64_t time, const char *client,
                     const char *destination, unsigned port)
{
        static uint32_t sequence;
        struct make frame = {.length = 0};

        make_tcp(&frame, client, 40000, destination, port, ++sequence, PT_TCP_SYN);
        send(engine, time, PT_LINK_ETHERNET, frame.octets, frame.length, false);
}

static void send_made(struct pt_engine *engine, struct input *input, int64_t time)
{
        static const char *const clients[4] = {"10.0.0.1", "10.0.0.2", "192.0.2.77", "203.0.113.5"};
        static const char *const addresses[8] = {
                "198.51.100.23", "203.0.113.9", "52.231.114.183", "100.23.198.51",
                "198.51.100.24", "192.168.1.1", "80.101.0.1",     "51.145.123.29",
        };
        static const char *const names[4] = {"a.example", "A.Example", "b.example", "."};
        unsigned what = (unsigned)take(input, 1), client = (unsigned)take(input, 1);
        const char *from = clients[client & 3], *name = names[client >> 2 & 3];
        const char *address = addresses[take(input, 1) & 7];
        unsigned port = (unsigned)take(input, 2);
        struct make frame = {.length = 0};

        if (what % 4 == 0)
                send_dns(engine, time, from, false, name, "");
        else if (what % 4 == 1)
                send_dns(engine, time, from, true, name, address);
        else if (what % 4 == 2)
                send_syn(engine, time, from, address, port);
        else {
                make_udp(&frame, from, 50000, address, 443, "\xc3\0\0\0\1", 5);
                send(engine, time, PT_LINK_ETHERNET, frame.octets, frame.length, false);
        }
}

/* Far beyond what the engine takes for a time, so that adding to it cannot overflow. */
static int64_t bounded(int64_t time)
{
        static const int64_t limit = INT64_MAX / 2 + INT64_MAX / 4;

        return time > limit ? limit : time < -limit ? -limit : time;
}

static int64_t next_time(struct input *input, unsigned head, int64_t time)
{
        switch (head >> 3 & 3) {
        case 1:
                return bounded(bounded(time) + (int64_t)take(input, 1) * 1000000);
        case 2:
                return bounded(bounded(time) + (int64_t)take(input, 2) * PT_SECOND);
        case 3:
                return (int64_t)take(input, 8);
        default:
                return time;
        }
}

static void send_all(struct pt_engine *engine, struct input *input)
{
        int64_t time = INT64_C(1700000000) * PT_SECOND;

        while (input->left) {
                unsigned head = (unsigned)take(input, 1);
                size_t length;

                time = next_time(input, head, time);
                if (head & 0x80) {
                        send_made(engine, input, time);
                        continue;
                }
                length = (size_t)take(input, 2);
                if (length > input->left)
                        length = input->left;
                send(engine, time, linktypes[head & 7], input->data, length, head & 0x20);
                input->data += length;
                input->left -= length;
        }
}

/* 198 * 51 + 100 = 10198. The time is what the engine takes for the present. */
static void send_canary(struct pt_engine *engine)
{
        int64_t time = engine->clock.now - engine->clock.offset;

        send_dns(engine, time, "10.202.202.1", false, "canary.example", "");
        send_dns(engine, time, "10.202.202.1", true, "canary.example", "198.51.100.23");
        send_syn(engine, time, "10.202.202.1", "198.51.100.23", 10198);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct pt_rules
                *rules; /* for all inputs: reading them costs more than most of these */
        struct watch watch = {.canary = make_address("10.202.202.1")};
        struct pt_receiver receiver = {on_event, &watch};
        struct input input = {data, size};
        unsigned flags = (unsigned)take(&input, 1);
        struct pt_settings settings;
        struct pt_engine *engine;

        if (!rules)
                rules = make_usual_rules();
        pt_settings_default(&settings);
        settings.memory = PT_MEMORY_LEAST;
        settings.lab = flags & 1;
        settings.near_misses = flags & 2;
        settings.dns_events = flags & 4;
        settings.connection_events = flags & 8;
        settings.outcome_events = flags & 8;
        settings.expectation_events = flags & 16;
        MUST(pt_engine_new(&settings, rules, &receiver, &engine) == 0);
        send_all(engine, &input);
        send_canary(engine);
        pt_engine_finish(engine);
        MUST(watch.found == 1);
        sound_hosts(engine->hosts);
        pt_engine_free(engine);
        return 0;
}
