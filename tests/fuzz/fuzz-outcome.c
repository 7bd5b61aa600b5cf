/*
 * Four connections that become alerts, their packets in any order, some of them lost, late, sent
 * twice, or hidden as the kernel's filter hides them; and what is told of them. Every alert that is
 * followed is told once. Where all packets tell one truth, what is told is never more than was
 * sent; and where both sides closed, it is all of it, or is said to be a part. The packets behind
 * an alert, kept and written to a file, are those that were sent.
 *
 * The first octet says how: 1, hidden until the alert, as live; 2, the capture cut all frames. Then
 * a step is three octets: connection and what happens; how much of it; and what becomes of that.
 */
#include <pcap/pcap.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/state.h"
#include "io/capture/album.h"
#include "io/capture/exhibit.h"

#include "../make.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CLIENT "10.0.0.1"
#define PORT 10198 /* 198 * 51 + 100 */
#define SHORT 80   /* octets of a frame that was cut */
#define FRAMES 4096
#define KEPT 128

enum { LIVE = 1, CUT = 2 };

enum what {
        SYN,
        SYN_ACK,
        CLIENT_DATA,
        SERVER_DATA,
        CLIENT_FIN,
        SERVER_FIN,
        CLIENT_RST,
        SERVER_RST,
        GARBAGE,
        TIME,
        WHATS,
};

enum fate { LOST = 1, TWICE = 2, AGAIN = 4 /* from where the last one began */ };

/* What was sent, whoever saw it. */
struct truth {
        uint32_t first[2]; /* sequence numbers of the SYNs */
        uint64_t sent[2];
        uint64_t before[2]; /* without the last piece */
        bool fin[2];
        bool begun, doubtful;
        unsigned alerts, outcomes;
};

struct story {
        struct pt_engine *engine;
        struct pt_album *album;
        struct pt_exhibit *exhibit;
        unsigned how;
        int64_t time;
        uint64_t number;
        struct truth truth[4];
        struct {
                uint8_t octets[KEPT];
                uint32_t captured;
        } frames[FRAMES];
        uint64_t written[4]; /* numbers, in order */
        size_t written_count;
};

/* ---- what comes out ---- */

static void check_frame(const struct story *s, uint64_t number, const struct pt_frame *frame)
{
        uint32_t length = s->frames[number % FRAMES].captured;

        MUST(frame->captured == length);
        MUST(memcmp(frame->bytes, s->frames[number % FRAMES].octets,
                    length < KEPT ? length : KEPT) == 0);
}

static void on_alert(struct story *s, const struct pt_event *event)
{
        const struct pt_syn *syn = event->alert.syn;
        struct pt_album_frame kept;

        MUST(syn->client_port - 40000u < 4);
        s->truth[syn->client_port - 40000].alerts++;
        if (s->number - syn->number >= FRAMES || s->written_count == 4)
                return;
        MUST(pt_album_find(s->album, syn->file, syn->number, &kept));
        check_frame(s, syn->number, &kept.frame);
        MUST(pt_exhibit_put(s->exhibit, &kept.frame, "s0", NULL, "its SYN") == 0);
        MUST(pt_exhibit_write(s->exhibit) == 0);
        s->written[s->written_count++] = syn->number;
}

static void on_outcome(struct story *s, const struct pt_outcome *o)
{
        struct truth *truth = &s->truth[o->syn.client_port - 40000];

        MUST(o->state < PT_OUTCOME_STATES && o->end != PT_OUTCOME_OPEN && o->end < PT_OUTCOME_ENDS);
        MUST(++truth->outcomes <= truth->alerts);
        MUST(o->state != PT_OUTCOME_SILENT || o->server.packets == 0);
        MUST(o->state == PT_OUTCOME_ANSWERED || (!o->server.bytes && !o->partial));
        MUST(o->client.packets >= 1 && o->last_wall >= o->syn.wall);
        if (truth->doubtful)
                return;
        MUST(o->client.bytes <= truth->sent[0] && o->server.bytes <= truth->sent[1]);
        if (o->end == PT_OUTCOME_CLOSED && !o->partial)
                MUST(o->client.bytes == truth->sent[0] && o->server.bytes == truth->sent[1]);
}

static void on_event(void *context, const struct pt_event *event)
{
        if (event->kind == PT_EVENT_ALERT)
                on_alert(context, event);
        else if (event->kind == PT_EVENT_OUTCOME)
                on_outcome(context, event->outcome);
}

static void on_trace(void *context, const struct pt_trace *trace)
{
        struct story *s = context;

        pt_album_put(s->album, trace);
}

/* ---- what goes in ---- */

static void hand_over(struct story *s, const struct make *m, bool beside)
{
        struct pt_frame frame = {
                .bytes = m->octets,
                .captured = (uint32_t)m->length,
                .length = (uint32_t)m->length,
                .linktype = PT_LINK_ETHERNET,
                .time = s->time,
                .number = ++s->number,
        };

        if (s->how & CUT && frame.captured > SHORT)
                frame.captured = SHORT;
        s->frames[s->number % FRAMES].captured = frame.captured;
        memcpy(s->frames[s->number % FRAMES].octets, m->octets, KEPT);
        if (beside)
                pt_engine_beside(s->engine, &frame);
        else
                pt_engine_packet(s->engine, &frame);
}

static bool is_followed(const struct story *s, unsigned which)
{
        struct pt_followed list[8];
        size_t count = pt_engine_followed(s->engine, list, 8);

        for (size_t i = 0; i < count; i++) {
                if (list[i].client_port == 40000 + which)
                        return true;
        }
        return false;
}

/* As two filters would have it. */
static void put_on_wire(struct story *s, unsigned which, bool client, uint32_t sequence,
                        unsigned flags, size_t length)
{
        static const char *const servers[4] = {"198.51.100.1", "198.51.100.2", "198.51.100.3",
                                               "198.51.100.4"};
        static const uint8_t octets[4096];
        struct make segment, frame;
        bool opens = (flags & 0x17) == PT_TCP_SYN;

        segment.length = frame.length = 0;
        make_put16(&segment, client ? 40000 + which : PORT);
        make_put16(&segment, client ? PORT : 40000 + which);
        make_put32(&segment, sequence);
        make_put32(&segment, 0);
        make_put16(&segment, 5u << 12 | flags);
        make_put32(&segment, 64240u << 16);
        make_put16(&segment, 0);
        make_put(&segment, octets, length);
        make_ip(&frame, client ? CLIENT : servers[which], client ? servers[which] : CLIENT, 6,
                &segment);
        if (!(s->how & LIVE) || opens)
                hand_over(s, &frame, false);
        else if (flags & 7 || is_followed(s, which))
                hand_over(s, &frame, true);
}

/* A piece of what a side has to say, behind all that it said; none behind its end. */
static void say(struct story *s, unsigned which, unsigned side, unsigned flags, size_t length,
                unsigned fate)
{
        struct truth *t = &s->truth[which];
        uint64_t from = t->sent[side];

        if (fate & AGAIN || t->fin[side]) {
                from = t->before[side];
                length = (size_t)(t->sent[side] - from);
                flags = t->fin[side] ? flags : flags & ~(unsigned)PT_TCP_FIN;
        } else {
                t->before[side] = from;
                t->sent[side] += length;
                t->fin[side] = flags & PT_TCP_FIN;
        }
        for (unsigned i = fate & LOST ? 1 : 0; i <= (fate & TWICE ? 1u : 0u); i++)
                put_on_wire(s, which, side == 0, t->first[side] + 1 + (uint32_t)from, flags,
                            length);
}

static void open_it(struct story *s, unsigned which, unsigned fate)
{
        struct truth *t = &s->truth[which];

        t->begun = true;
        if (!(fate & LOST))
                put_on_wire(s, which, true, t->first[0], PT_TCP_SYN, 0);
}

static void step(struct story *s, const uint8_t *data)
{
        unsigned which = data[0] & 3, fate = data[2] & 7;
        size_t length = (size_t)16 * data[1];

        s->time += (data[2] >> 3) * PT_SECOND / 1000;
        switch (data[0] >> 2 & 15) {
        case SYN:
                open_it(s, which, fate);
                break;
        case SYN_ACK:
                if (!(fate & LOST))
                        put_on_wire(s, which, false, s->truth[which].first[1], 0x12, 0);
                break;
        case CLIENT_DATA:
        case SERVER_DATA:
                say(s, which, (data[0] >> 2 & 15) == SERVER_DATA, 0x18, length, fate);
                break;
        case CLIENT_FIN:
        case SERVER_FIN:
                say(s, which, (data[0] >> 2 & 15) == SERVER_FIN, 0x11, length, fate);
                break;
        case CLIENT_RST:
        case SERVER_RST:
                put_on_wire(s, which, (data[0] >> 2 & 15) == CLIENT_RST, 0, 0x14, 0);
                break;
        case GARBAGE:
                s->truth[which].doubtful = true;
                put_on_wire(s, which, fate & TWICE, (uint32_t)data[1] << 24 | data[2], data[1],
                            data[2]);
                break;
        case TIME:
                s->time += data[1] * PT_SECOND / 4;
                pt_engine_idle(s->engine, s->time);
                break;
        default:
                break;
        }
}

static void answer(struct story *s)
{
        struct make message = {.length = 0}, frame = {.length = 0};

        make_message(&message, 7, 0x8180, "a.example", PT_DNS_A,
                     "198.51.100.1/3600 198.51.100.2/3600 198.51.100.3/3600 198.51.100.4/3600");
        make_udp(&frame, "10.9.9.9", 53, CLIENT, 33333, message.octets, message.length);
        hand_over(s, &frame, false);
}

/* ---- the file ---- */

/* libpcap reads it, not we. */
static void check_file(const struct story *s, const char *path)
{
        char reason[PCAP_ERRBUF_SIZE] = "";
        pcap_t *pcap = pcap_open_offline(path, reason);
        struct pcap_pkthdr *header;
        const u_char *octets;
        size_t count = 0;

        MUST(pcap || s->written_count == 0); /* a file without an interface is none for libpcap */
        for (; pcap && pcap_next_ex(pcap, &header, &octets) == 1; count++) {
                const struct pt_frame frame = {.bytes = octets, .captured = header->caplen};

                MUST(count < s->written_count);
                check_frame(s, s->written[count], &frame);
        }
        MUST(count == s->written_count);
        if (pcap)
                pcap_close(pcap);
}

static void tell_story(struct story *s, const uint8_t *data, size_t size)
{
        answer(s);
        for (; size >= 3 && s->number < FRAMES / 2; data += 3, size -= 3)
                step(s, data);
        pt_engine_finish(s->engine);
        for (size_t i = 0; i < 4; i++)
                MUST(s->truth[i].outcomes == s->truth[i].alerts);
        MUST(s->engine->counters.value[PT_COUNT_OUTCOME_FULL] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const uint32_t firsts[4][2] = {
                {1000, 5000}, {UINT32_MAX - 100, UINT32_MAX}, {0x7ffffff0, 0}, {0, 0x80000000}};
        static struct pt_rules *rules;
        static struct story s;
        static char path[64];
        char sentence[256];
        const struct pt_receiver receiver = {on_event, &s, on_trace};
        struct pt_settings settings;

        if (!rules)
                rules = make_usual_rules();
        memset(&s, 0, sizeof s);
        for (size_t i = 0; i < 4; i++)
                memcpy(s.truth[i].first, firsts[i], sizeof firsts[i]);
        s.how = size ? data[0] : 0;
        s.time = INT64_C(1700000000) * PT_SECOND;
        pt_settings_default(&settings);
        settings.memory = PT_MEMORY_LEAST;
        settings.outcome_events = true;
        settings.outcome_beside = s.how & LIVE;
        snprintf(path, sizeof path, "/tmp/portent-fuzz-outcome-%d.pcapng", (int)getpid());
        unlink(path);
        MUST(pt_engine_new(&settings, rules, &receiver, &s.engine) == 0);
        MUST(pt_album_new(PT_ALBUM_LEAST, &s.album) == 0);
        MUST(pt_exhibit_open(path, "0", &s.exhibit, sentence) == 0);
        tell_story(&s, data + (size > 0), size - (size > 0));
        pt_exhibit_free(s.exhibit);
        check_file(&s, path);
        unlink(path);
        pt_album_free(s.album);
        pt_engine_free(s.engine);
        return 0;
}
