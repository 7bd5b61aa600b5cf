/*
 * bed: an engine with rules, packets by the sentence, and what it told as lines of text:
 *
 *      alert apt12 dns_confirmed 73 10.0.0.1>198.51.100.23:10198 from 198.51.100.23 a.example
 *      (asked) (also=variant) (suppressed=2)
 *      rotation 2 dns_confirmed 10.0.0.1 matches=2 names=a.example,b.example
 *      campaign name 2 dns_confirmed 73 10.0.0.2,10.0.0.1 names=a.example
 *      repeats apt12 10.0.0.1>198.51.100.23:10198 pending=3
 *      near expired apt12 10.0.0.1>198.51.100.23:10198
 *      dns 10.0.0.1 a.example 1 (asked)
 *      connection 10.0.0.1>198.51.100.23:10198 (given)
 *      expect apt12 pair 10.0.0.1>192.0.2.1:10198 from 198.51.100.23 a.example 0-60
 *
 * Times are seconds after BED_START.
 */
#pragma once

#include <stdarg.h>

#include "engine/state.h"
#include "make.h"
#include "document/words.h"

#define BED_START (INT64_C(1700000000) * PT_SECOND)
#define BED_RESOLVER "192.0.2.53"

struct bed {
        struct pt_settings settings; /* set before bed_begin() */
        struct pt_rules *rules;
        struct pt_engine *engine;
        char told[1 << 16];
        size_t length;
        size_t events;
        uint32_t snapshot; /* octets kept of a frame; 0: all */
        bool beside;       /* frames are handed to pt_engine_beside() */
        uint64_t number;   /* of the last packet */
        int64_t last_time; /* and its time */
        uint16_t id;
        uint16_t client_port;
        uint32_t sequence;
        struct pt_match match; /* of the last alert */
        struct pt_syn syn;
        double joint; /* chance of the last rotation */
};

static inline void bed_say(struct bed *bed, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

static inline void bed_say(struct bed *bed, const char *format, ...)
{
        size_t room = sizeof bed->told - bed->length;
        va_list arguments;
        int length;

        va_start(arguments, format);
        length = vsnprintf(bed->told + bed->length, room, format, arguments);
        va_end(arguments);
        if (length > 0)
                bed->length += (size_t)length < room ? (size_t)length : room - 1;
}

static inline void bed_say_name(struct bed *bed, const struct pt_dns_name *name)
{
        char text[PT_DNS_NAME_TEXT];

        pt_dns_name_format(name, text);
        bed_say(bed, "%s", text);
}

static inline void bed_say_way(struct bed *bed, const struct pt_address *client,
                               const struct pt_address *destination, unsigned port)
{
        char from[PT_ADDRESS_TEXT], to[PT_ADDRESS_TEXT];

        bed_say(bed, " %s>%s:%u", pt_address_format(client, from),
                pt_address_format(destination, to), port);
}

static inline void bed_alert(struct bed *bed, const struct pt_event *event)
{
        const struct pt_syn *syn = event->alert.syn;
        const struct pt_evidence *evidence = event->alert.evidence;
        char address[PT_ADDRESS_TEXT];

        bed_say_way(bed, &syn->client, &syn->destination, syn->destination_port);
        if (evidence) {
                bed_say(bed, " from %s ", pt_address_format(&evidence->address, address));
                bed_say_name(bed, &evidence->chain[0]);
                bed_say(bed, evidence->asked ? " asked" : "");
        }
        for (size_t i = 0; i < event->alert.also_count; i++)
                bed_say(bed, "%s%s", i ? "," : " also=", event->alert.also[i]->id);
        if (event->alert.suppressed)
                bed_say(bed, " suppressed=%llu", (unsigned long long)event->alert.suppressed);
        bed->match = *event->alert.match;
        bed->syn = *syn;
}

static inline void bed_rotation(struct bed *bed, const struct pt_event *event)
{
        const struct pt_rotation *rotation = event->rotation.rotation;
        char client[PT_ADDRESS_TEXT];

        bed_say(bed, "rotation %u %s %s matches=%zu", rotation->count,
                pt_verdict_name(rotation->verdict),
                pt_address_format(&event->rotation.syn->client, client), rotation->match_count);
        for (size_t i = 0; i < event->rotation.name_count; i++) {
                bed_say(bed, i ? "," : " names=");
                bed_say_name(bed, &event->rotation.names[i]);
        }
        bed->joint = rotation->chance;
}

static inline void bed_campaign(struct bed *bed, const struct pt_event *event)
{
        const struct pt_outbreak_found *found = event->campaign.found;
        char client[PT_ADDRESS_TEXT];

        bed_say(bed, "campaign %s %u %s %d", pt_outbreak_key_name(found->key), found->count,
                pt_verdict_name(found->verdict), found->severity);
        for (size_t i = 0; i < found->client_count; i++)
                bed_say(bed, "%s%s", i ? "," : " ", pt_address_format(&found->clients[i], client));
        for (size_t i = 0; i < found->name_count; i++) {
                bed_say(bed, i ? "," : " names=");
                bed_say_name(bed, &found->names[i]);
        }
}

static inline void bed_expectation(struct bed *bed, const struct pt_expectation *e)
{
        char text[PT_ADDRESS_TEXT];

        bed_say(bed, "expect %s %s %s", e->rule->id, pt_words_relation(e->relation),
                pt_address_format(&e->client, text));
        bed_say(bed, ">%s", e->has_destination ? pt_address_format(&e->destination, text) : "*");
        if (e->port)
                bed_say(bed, ":%u", e->port);
        bed_say(bed, " from %s ", pt_address_format(&e->address, text));
        bed_say_name(bed, e->question);
        bed_say(bed, " %g-%g", (double)(e->from - BED_START) / 1e9,
                (double)(e->until - BED_START) / 1e9);
}

static inline void bed_event(void *context, const struct pt_event *event)
{
        struct bed *bed = context;
        char client[PT_ADDRESS_TEXT];

        bed->events++;
        switch (event->kind) {
        case PT_EVENT_ALERT:
                bed_say(bed, "alert %s %s %d", event->alert.match->rule->id,
                        pt_verdict_name(event->alert.match->verdict), event->alert.match->severity);
                bed_alert(bed, event);
                break;
        case PT_EVENT_NEAR_MISS:
                bed_say(bed, "near %s %s", pt_near_miss_name(event->alert.reason),
                        event->alert.match->rule->id);
                bed_alert(bed, event);
                break;
        case PT_EVENT_ROTATION:
                bed_rotation(bed, event);
                break;
        case PT_EVENT_CAMPAIGN:
                bed_campaign(bed, event);
                break;
        case PT_EVENT_REPEATS:
                bed_say(bed, "repeats %s", event->repeats->rule->id);
                bed_say_way(bed, &event->repeats->client, &event->repeats->destination,
                            event->repeats->destination_port);
                bed_say(bed, " pending=%llu", (unsigned long long)event->repeats->pending);
                break;
        case PT_EVENT_DNS:
                pt_address_format(&event->dns.packet->destination, client);
                bed_say(bed, "dns %s ", client);
                bed_say_name(bed, &event->dns.answer->names[0]);
                bed_say(bed, " %zu%s", event->dns.answer->count, event->dns.asked ? " asked" : "");
                break;
        case PT_EVENT_CONNECTION:
                bed_say(bed, "connection");
                bed_say_way(bed, &event->connection.syn->client,
                            &event->connection.syn->destination,
                            event->connection.syn->destination_port);
                bed_say(bed, event->connection.destination ? " given" : "");
                break;
        case PT_EVENT_OUTCOME:
                bed_say(bed, "outcome %s", event->outcome->rule);
                bed_say_way(bed, &event->outcome->syn.client, &event->outcome->syn.destination,
                            event->outcome->syn.destination_port);
                bed_say(bed, " %s %s %llu/%llu %llu/%llu%s",
                        pt_outcome_state_name(event->outcome->state),
                        pt_outcome_end_name(event->outcome->end),
                        (unsigned long long)event->outcome->client.bytes,
                        (unsigned long long)event->outcome->client.packets,
                        (unsigned long long)event->outcome->server.bytes,
                        (unsigned long long)event->outcome->server.packets,
                        event->outcome->partial ? " partial" : "");
                break;
        case PT_EVENT_EXPECTATION:
                bed_expectation(bed, event->expectation.of);
                break;
        }
        bed_say(bed, "\n");
}

/* Defaults: a small budget, the three usual rules. */
static inline void bed_init(struct bed *bed)
{
        memset(bed, 0, sizeof *bed);
        pt_settings_default(&bed->settings);
        bed->settings.memory = PT_MEMORY_LEAST;
        bed->client_port = 40000;
}

static inline void bed_begin(struct bed *bed)
{
        struct pt_receiver receiver = {bed_event, bed};

        if (!bed->rules)
                bed->rules = make_usual_rules();
        if (pt_engine_new(&bed->settings, bed->rules, &receiver, &bed->engine) < 0)
                abort();
}

static inline void bed_end(struct bed *bed)
{
        bed->engine = pt_engine_free(bed->engine);
        bed->rules = pt_rules_free(bed->rules);
}

/* What was told since the last call. */
static inline const char *bed_told(struct bed *bed)
{
        bed->told[bed->length] = '\0';
        bed->length = 0;
        return bed->told;
}

/* What was told until the input ended. */
static inline const char *bed_finish(struct bed *bed)
{
        pt_engine_finish(bed->engine);
        return bed_told(bed);
}

static inline uint64_t bed_count(const struct bed *bed, enum pt_counter counter)
{
        const char *name;
        uint64_t value;

        if (!pt_engine_counter(bed->engine, 0, &name, &value) ||
            !pt_engine_counter(bed->engine, counter, &name, &value))
                abort();
        return value;
}

/* ---- packets ---- */

static inline int64_t bed_time(double seconds)
{
        return BED_START + (int64_t)(seconds * 1e9 + (seconds < 0 ? -0.5 : 0.5));
}

static inline void bed_frame_at(struct bed *bed, int64_t time, const void *octets, size_t length,
                                int linktype)
{
        struct pt_frame frame = {
                .bytes = octets,
                .captured = (uint32_t)length,
                .length = (uint32_t)length,
                .linktype = linktype,
                .time = time,
                .number = ++bed->number,
        };

        if (bed->snapshot && frame.captured > bed->snapshot)
                frame.captured = bed->snapshot;
        bed->last_time = time;
        if (bed->beside)
                pt_engine_beside(bed->engine, &frame);
        else
                pt_engine_packet(bed->engine, &frame);
}

static inline void bed_send(struct bed *bed, double seconds, const struct make *frame)
{
        bed_frame_at(bed, bed_time(seconds), frame->octets, frame->length, PT_LINK_ETHERNET);
}

/* A packet about nothing, which only moves time. */
static inline void bed_pass(struct bed *bed, double seconds)
{
        struct make frame = {.length = 0};

        make_udp(&frame, "10.9.9.9", 9999, "10.9.9.8", 9999, "", 0);
        bed_send(bed, seconds, &frame);
}

static inline void bed_query_as(struct bed *bed, double seconds, const char *client,
                                unsigned client_port, const char *resolver, unsigned id,
                                const char *question)
{
        struct make message = {.length = 0}, frame = {.length = 0};

        make_message(&message, id, 0x0100, question, PT_DNS_A, "");
        make_udp(&frame, client, client_port, resolver, 53, message.octets, message.length);
        bed_send(bed, seconds, &frame);
}

static inline void bed_answer_as(struct bed *bed, double seconds, const char *client,
                                 unsigned client_port, const char *resolver, unsigned id,
                                 const char *question, const char *records)
{
        struct make message = {.length = 0}, frame = {.length = 0};

        make_message(&message, id, 0x8180, question, PT_DNS_A, records);
        make_udp(&frame, resolver, 53, client, client_port, message.octets, message.length);
        bed_send(bed, seconds, &frame);
}

/* An answer whose query was not seen. */
static inline void bed_answer(struct bed *bed, double seconds, const char *client,
                              const char *question, const char *records)
{
        bed_answer_as(bed, seconds, client, 33333, BED_RESOLVER, ++bed->id, question, records);
}

/* A query and its answer, at the same time. */
static inline void bed_ask(struct bed *bed, double seconds, const char *client,
                           const char *question, const char *records)
{
        bed_query_as(bed, seconds, client, 33333, BED_RESOLVER, ++bed->id, question);
        bed_answer_as(bed, seconds, client, 33333, BED_RESOLVER, bed->id, question, records);
}

static inline void bed_tcp(struct bed *bed, double seconds, const char *client,
                           unsigned client_port, const char *destination, unsigned port,
                           uint32_t sequence, unsigned flags)
{
        struct make frame = {.length = 0};

        make_tcp(&frame, client, client_port, destination, port, sequence, flags);
        bed_send(bed, seconds, &frame);
}

/* A SYN that is no copy of another. */
static inline void bed_syn(struct bed *bed, double seconds, const char *client,
                           const char *destination, unsigned port)
{
        bed->client_port = bed->client_port == 65535 ? 1025 : (uint16_t)(bed->client_port + 1);
        bed_tcp(bed, seconds, client, bed->client_port, destination, port, ++bed->sequence,
                PT_TCP_SYN);
}

static inline void bed_quic(struct bed *bed, double seconds, const char *client,
                            const char *destination, unsigned port, const char *payload,
                            size_t length)
{
        struct make frame = {.length = 0};

        make_udp(&frame, client, 50000, destination, port, payload, length);
        bed_send(bed, seconds, &frame);
}

#define BED_QUIC_LONG "\xc3\0\0\0\1" /* an Initial of version 1 (RFC 9000 section 17.2.2) */
