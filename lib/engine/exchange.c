#include "engine/exchange.h"

#include <string.h>

#include "engine/bearer.h"
#include "engine/expect.h"
#include "engine/tell.h"

#define ASKED_WITHIN (30 * PT_SECOND) /* 4.8 */

static const enum pt_counter dns_counter[PT_DNS_KINDS] = {
        [PT_DNS_SHORT] = PT_COUNT_DNS_SHORT,
        [PT_DNS_OTHER_OPCODE] = PT_COUNT_DNS_OTHER_OPCODE,
        [PT_DNS_BAD_QUESTION] = PT_COUNT_DNS_BAD_QUESTION,
        [PT_DNS_BAD_RECORD] = PT_COUNT_DNS_BAD_RECORD,
};

void pt_exchange_trace(struct pt_engine *engine, enum pt_trace_kind kind,
                       const struct pt_arrival *arrival, const struct pt_asked *asked)
{
        const struct pt_trace trace = {
                .kind = kind,
                .part = arrival->in_parts,
                .frame = &arrival->frame,
                .query_number = asked ? asked->number : 0,
                .query_file = asked ? asked->file : 0,
        };

        /* What a log says has a line, and no frame. */
        if (engine->receiver.trace && arrival->frame.number && !arrival->logged.source)
                engine->receiver.trace(engine->receiver.context, &trace);
}

/* ---- queries (4.8) ---- */

static void take_query(struct pt_engine *engine, const struct pt_arrival *arrival, int64_t time)
{
        const struct pt_message *message = &arrival->message;
        const struct pt_frame *frame = &arrival->frame;
        struct pt_address sender = pt_packet_sender(&arrival->packet);
        const struct pt_query *oldest;
        struct pt_query *query;

        pt_engine_count(engine, PT_COUNT_DNS_QUERIES);
        pt_bearer_sent(engine, arrival, time);
        if (!message->dns.has_question)
                return;
        pt_visibility_query(engine->visibility, &sender, &message->dns.question);
        if (pt_recent_full(&engine->queries)) {
                oldest = pt_recent_oldest(&engine->queries);
                if (oldest->time >= time - ASKED_WITHIN)
                        pt_engine_count(engine, PT_COUNT_QUERIES_EVICTED);
        }
        query = pt_recent_touch(&engine->queries, &message->query);
        query->again = query->seen;
        query->seen = true;
        query->time_before = query->time;
        query->wall_before = query->wall;
        query->number_before = query->number;
        query->file_before = query->file;
        query->time = time;
        query->wall = arrival->wall;
        query->number =
                !arrival->logged.source && frame->number <= UINT32_MAX && frame->file < UINT16_MAX
                        ? (uint32_t)frame->number
                        : 0;
        query->file = (uint16_t)frame->file;
        pt_exchange_trace(engine, PT_TRACE_QUERY, arrival, NULL);
}

/* The query that this answers; false if none was seen within 30 s before it. */
static bool find_query(const struct pt_engine *engine, const struct pt_message *message,
                       int64_t time, struct pt_asked *ret)
{
        const struct pt_query *query;

        if (!message->dns.has_question)
                return false;
        query = pt_recent_find(&engine->queries, &message->query);
        if (!query)
                return false;
        if (query->time <= time && query->time >= time - ASKED_WITHIN)
                *ret = (struct pt_asked){query->wall, query->number, query->file};
        else if (query->again && query->time_before <= time &&
                 query->time_before >= time - ASKED_WITHIN)
                *ret = (struct pt_asked){query->wall_before, query->number_before,
                                         query->file_before};
        else
                return false;
        return true;
}

/* ---- answers ---- */

static void learn(struct pt_engine *engine, const struct pt_arrival *arrival, int64_t time,
                  bool asked)
{
        const struct pt_message *message = &arrival->message;
        struct pt_given given = {
                .client = pt_packet_receiver(&arrival->packet),
                .resolver = arrival->packet.source,
                .time = time,
                .wall = arrival->wall,
                .number = arrival->frame.number,
                .file = arrival->frame.file,
                .id = message->dns.id,
                .flags = message->dns.flags,
                .question_type = message->dns.question_type,
                .asked = asked,
                .source = arrival->logged.source,
                .lacks = arrival->logged.lacks,
                .answer = &message->answer,
                .question_hash = message->question_hash,
        };

        switch (pt_hosts_learn(engine->hosts, &given)) {
        case PT_LEARNED:
                pt_sight_answer(&engine->sight, &given.client);
                pt_visibility_answer(engine->visibility, &given.client, asked, given.wall,
                                     arrival->client_hash);
                engine->counters.value[PT_COUNT_DNS_UNASKED] += !asked;
                break;
        case PT_LEARNED_COPY:
                pt_engine_count(engine, PT_COUNT_DNS_COPIES);
                break;
        case PT_LEARNED_NO_ROOM: /* hosts has counted it */
                break;
        }
        if (engine->settings.expectation_events)
                pt_expect_answer(engine, &given);
}

/* The same octets to the same port within a second: the mirror shows the packet twice (4.7). */
static bool is_copy(struct pt_engine *engine, const struct pt_arrival *arrival, int64_t time)
{
        const struct pt_packet *packet = &arrival->packet;
        uint64_t hash = pt_siphash24(&engine->key, packet->payload, packet->payload_length);
        struct pt_address receiver = pt_packet_receiver(packet);
        struct pt_recent_key key = {0};
        struct pt_told *told;
        bool copy;

        memcpy(key.octets, &receiver, 16);
        memcpy(key.octets + 16, &packet->source, 16);
        memcpy(key.octets + 32, &hash, 8);
        memcpy(key.octets + 40, &packet->destination_port, 2);
        key.octets[42] = packet->protocol;
        pt_recent_hash(&engine->told, &key);
        told = pt_recent_touch(&engine->told, &key);
        copy = told->known && time >= told->time - PT_SECOND && time <= told->time + PT_SECOND;
        if (!copy)
                told->time = time;
        told->known = true;
        return copy;
}

static void take_response(struct pt_engine *engine, const struct pt_arrival *arrival, int64_t time)
{
        const struct pt_message *message = &arrival->message;
        struct pt_asked query;
        bool asked;

        if (message->kind != PT_DNS_OK)
                pt_engine_count(engine, dns_counter[message->kind]);
        engine->counters.value[PT_COUNT_DNS_SKIPPED] += message->answer.skipped;
        if (message->answer.count)
                pt_bearer_received(engine, arrival, time);
        asked = find_query(engine, message, time, &query);
        if (engine->settings.dns_events) {
                if (is_copy(engine, arrival, time)) {
                        pt_engine_count(engine, PT_COUNT_DNS_COPIES);
                        return;
                }
                pt_tell_answer(engine, arrival, asked ? &query.wall : NULL);
        }
        if (!message->answer.count)
                return;
        pt_exchange_trace(engine, PT_TRACE_ANSWER, arrival, asked ? &query : NULL);
        learn(engine, arrival, time, asked);
}

void pt_exchange_message(struct pt_engine *engine, const struct pt_arrival *arrival, int64_t time)
{
        const struct pt_message *message = &arrival->message;

        pt_engine_count(engine, PT_COUNT_DNS_MESSAGES);
        engine->counters.value[PT_COUNT_DNS_CUT] += arrival->packet.payload_cut;
        switch (message->way) {
        case PT_MESSAGE_UNREADABLE:
                pt_engine_count(engine, dns_counter[message->kind]);
                break;
        case PT_MESSAGE_QUERY:
                take_query(engine, arrival, time);
                break;
        case PT_MESSAGE_RESPONSE:
                pt_engine_count(engine, PT_COUNT_DNS_RESPONSES);
                take_response(engine, arrival, time);
                break;
        case PT_MESSAGE_TO_GROUP:
                pt_engine_count(engine, PT_COUNT_DNS_RESPONSES);
                pt_engine_count(engine, PT_COUNT_DNS_TO_GROUP);
                break;
        case PT_MESSAGE_WRONG_WAY:
                pt_engine_count(engine, PT_COUNT_DNS_WRONG_WAY);
                break;
        }
}

/* ---- what a log says ---- */

static void take_logged_answer(struct pt_engine *engine, const struct pt_arrival *arrival,
                               int64_t time)
{
        const struct pt_message *message = &arrival->message;
        struct pt_asked query;
        bool asked = arrival->logged.asked || find_query(engine, message, time, &query);

        pt_engine_count(engine, PT_COUNT_DNS_RESPONSES);
        engine->counters.value[PT_COUNT_DNS_SKIPPED] += message->answer.skipped;
        if (message->way == PT_MESSAGE_TO_GROUP)
                pt_engine_count(engine, PT_COUNT_DNS_TO_GROUP);
        else if (message->answer.count)
                learn(engine, arrival, time, asked);
}

void pt_exchange_logged(struct pt_engine *engine, const struct pt_arrival *arrival, int64_t time)
{
        pt_engine_count(engine, PT_COUNT_DNS_MESSAGES);
        if (arrival->logged.kind == PT_LOGGED_ANSWER)
                take_logged_answer(engine, arrival, time);
        else
                take_query(engine, arrival, time);
}
