#include "engine/ahead.h"

#include <string.h>

#include "engine/message.h"

#define LINE_FETCHES                                                                \
        10 /* with more SYNs than that in the line, it fetches what they will touch \
            */

/* Captures hold what they hold: times out of range, and more octets than were sent. */
static struct pt_frame sanitised(const struct pt_frame *frame)
{
        struct pt_frame sound = *frame;

        if (sound.time < 0 || sound.time > PT_CLOCK_LATEST) {
                sound.time = sound.time < 0 ? 0 : PT_CLOCK_LATEST;
                sound.odd_time = true;
        }
        if (sound.captured > sound.length)
                sound.captured = sound.length;
        return sound;
}

/* Whose packet it is, hashed once for all that is asked about it. */
static void hash_client(const struct pt_engine *engine, struct pt_arrival *arrival)
{
        const struct pt_packet *packet = &arrival->packet;
        bool response = arrival->has_message && arrival->message.way == PT_MESSAGE_RESPONSE;
        struct pt_address client;
        bool sent = arrival->has_message
                            ? arrival->message.way == PT_MESSAGE_QUERY
                            : arrival->kind == PT_PACKET_TCP && packet->tcp_flags & PT_TCP_SYN;

        if (sent && packet->has_mac)
                arrival->mac_hash = pt_twins_hash(&engine->twins, packet->source_mac);
        else if (response && packet->has_destination_mac)
                arrival->mac_hash = pt_twins_hash(&engine->twins, packet->destination_mac);
        if (response) {
                client = pt_packet_receiver(packet);
                arrival->client_hash = pt_visibility_hash(engine->visibility, &client);
        }
}

/*
 * What a log says stands where a packet would have it: an answer goes from the resolver to the
 * client, all else the other way.
 */
static void look_at_logged(const struct pt_engine *engine, struct pt_arrival *arrival)
{
        struct pt_logged *logged = &arrival->logged;
        bool answer;

        arrival->packet = (struct pt_packet){0};
        arrival->kind = PT_PACKET_MALFORMED;
        arrival->has_message = false;
        if (pt_logged_read(arrival->frame.bytes, arrival->frame.captured, logged,
                           &arrival->message.answer) < 0)
                return;
        answer = logged->kind == PT_LOGGED_ANSWER;
        arrival->wall = logged->wall;
        arrival->packet.source = answer ? logged->server : logged->client;
        arrival->packet.destination = answer ? logged->client : logged->server;
        arrival->packet.source_port = answer ? logged->server_port : logged->client_port;
        arrival->packet.destination_port = answer ? logged->client_port : logged->server_port;
        arrival->packet.ipv6 = logged->ipv6;
        arrival->packet.tcp_flags = logged->kind == PT_LOGGED_CONNECTION ? PT_TCP_SYN : 0;
        arrival->kind = logged->kind == PT_LOGGED_CONNECTION ? PT_PACKET_TCP : PT_PACKET_UDP;
        arrival->has_message = answer || logged->kind == PT_LOGGED_QUERY;
        if (arrival->has_message)
                pt_message_logged(engine, logged, &arrival->message);
}

void pt_ahead_look(const struct pt_engine *engine, const struct pt_frame *frame,
                   struct pt_arrival *arrival)
{
        arrival->frame = sanitised(frame);
        arrival->in_parts = false;
        arrival->mac_hash = 0;
        arrival->client_hash = 0;
        arrival->odd_length = frame->captured > frame->length;
        arrival->wall = arrival->frame.time;
        arrival->logged.source = PT_LOGGED_NOWHERE;
        arrival->logged.lacks = 0;
        if (frame->linktype == PT_LINK_LOGGED) {
                look_at_logged(engine, arrival);
                return;
        }
        arrival->kind = pt_packet_decode(&arrival->frame, &arrival->packet);
        pt_engine_set_zone(engine, arrival);
        arrival->has_message = arrival->kind == PT_PACKET_UDP && pt_message_is(&arrival->packet);
        if (arrival->has_message)
                pt_message_read(engine, &arrival->packet, &arrival->message);
        hash_client(engine, arrival);
}

static void fetch_message(struct pt_engine *engine, const struct pt_arrival *arrival, unsigned step)
{
        const struct pt_message *message = &arrival->message;
        struct pt_address client;

        if (arrival->mac_hash)
                pt_twins_fetch(&engine->twins, arrival->mac_hash, step);
        if (message->way == PT_MESSAGE_RESPONSE)
                pt_visibility_fetch(engine->visibility, arrival->client_hash, step);
        if (step == 0 && message->dns.has_question)
                pt_recent_prefetch(&engine->queries, message->query.hash);
        if (message->answer.count) {
                client = pt_packet_receiver(&arrival->packet);
                pt_hosts_fetch_learn(engine->hosts, &client, &message->answer,
                                     message->question_hash, step);
        }
}

static void fetch(struct pt_engine *engine, const struct pt_arrival *arrival, unsigned step)
{
        const struct pt_rule_class *class;
        struct pt_address client;

        if (arrival->has_message && arrival->message.way != PT_MESSAGE_UNREADABLE)
                fetch_message(engine, arrival, step);
        else if (arrival->kind == PT_PACKET_TCP && arrival->packet.tcp_flags & PT_TCP_SYN) {
                client = pt_packet_sender(&arrival->packet);
                pt_hosts_fetch_client(engine->hosts, &client, step);
                if (arrival->mac_hash)
                        pt_twins_fetch(&engine->twins, arrival->mac_hash, step);
                class = pt_rules_for_port(engine->rules, arrival->packet.destination_port);
                if (class->count && !pt_line_peek(engine->line, LINE_FETCHES))
                        pt_history_fetch(engine->history, &arrival->packet.source,
                                         &arrival->packet.destination,
                                         arrival->packet.destination_port,
                                         class->count > class->with_address, step);
        }
}

/* The next frame, with what room is left. False if its message filled that: it may want more. */
static bool look_next(struct pt_engine *engine, const struct pt_frame *frame,
                      struct pt_arrival *arrival, size_t *used)
{
        struct pt_dns_answer *answer = &arrival->message.answer;

        answer->addresses = engine->addresses + *used;
        answer->capacity = PT_MESSAGE_ADDRESSES - *used;
        pt_ahead_look(engine, frame, arrival);
        if (arrival->has_message && *used && answer->count == answer->capacity)
                return false;
        *used += arrival->has_message ? answer->count : 0;
        return true;
}

/*
 * Outcomes follow every segment of a connection, so none is seen well enough by a glance. Returns
 * how many were glanced at: few at a time, for where many tell something most would be in vain.
 */
static size_t glance(struct pt_engine *engine, const struct pt_frame *frames, size_t from,
                     size_t count)
{
        count = count - from < PT_ARRIVALS ? count - from : PT_ARRIVALS;
        if (engine->outcomes)
                memset(engine->glances + from, PT_GLANCE_CLOSER, count);
        else
                pt_glance(frames + from, count, engine->glances + from);
        return count;
}

size_t pt_ahead(struct pt_engine *engine, const struct pt_frame *frames, size_t count)
{
        size_t seen = 0, glanced = 0, decoded = 0, used = 0;

        if (count > PT_GLANCES)
                count = PT_GLANCES;
        for (; seen < count; seen++) {
                if (seen == glanced)
                        glanced += glance(engine, frames, glanced, count);
                if (engine->glances[seen] != PT_GLANCE_CLOSER)
                        continue;
                if (decoded == PT_ARRIVALS ||
                    !look_next(engine, &frames[seen], &engine->arrivals[decoded], &used))
                        break;
                decoded++;
        }
        for (unsigned step = 0; step < PT_HOSTS_STEPS; step++)
                for (size_t i = 0; i < decoded; i++)
                        fetch(engine, &engine->arrivals[i], step);
        return seen;
}
