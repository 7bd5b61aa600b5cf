#include "observe.h"

#include <assert.h>
#include <string.h>

#include "expect.h"
#include "message.h"
#include "tell.h"

#define ASKED_WITHIN (30 * PT_SECOND) /* 4.8 */
#define QUIC_PORT 443
#define QUIC_LEAST 5   /* a long header: first octet and version (RFC 8999 section 5.1) */
#define QUIC_LONG 0x80 /* its first bit */

static const enum pt_counter packet_counter[PT_PACKET_KINDS] = {
        [PT_PACKET_UDP] = PT_COUNT_DECODE_UDP,
        [PT_PACKET_TCP] = PT_COUNT_DECODE_TCP,
        [PT_PACKET_OTHER_LINK] = PT_COUNT_DECODE_OTHER_LINK,
        [PT_PACKET_OTHER_ETHERTYPE] = PT_COUNT_DECODE_OTHER_ETHERTYPE,
        [PT_PACKET_OTHER_PROTOCOL] = PT_COUNT_DECODE_OTHER_PROTOCOL,
        [PT_PACKET_TUNNEL] = PT_COUNT_DECODE_TUNNELS,
        [PT_PACKET_FRAGMENT] = PT_COUNT_DECODE_FRAGMENTS,
        [PT_PACKET_SHORT] = PT_COUNT_DECODE_SHORT,
        [PT_PACKET_TRUNCATED] = PT_COUNT_DECODE_TRUNCATED,
        [PT_PACKET_MALFORMED] = PT_COUNT_DECODE_MALFORMED,
        [PT_PACKET_TOO_DEEP] = PT_COUNT_DECODE_TOO_DEEP,
};

static const enum pt_counter dns_counter[PT_DNS_KINDS] = {
        [PT_DNS_SHORT] = PT_COUNT_DNS_SHORT,
        [PT_DNS_OTHER_OPCODE] = PT_COUNT_DNS_OTHER_OPCODE,
        [PT_DNS_BAD_QUESTION] = PT_COUNT_DNS_BAD_QUESTION,
        [PT_DNS_BAD_RECORD] = PT_COUNT_DNS_BAD_RECORD,
};

/* ---- whose MAC carries what (4.11) ---- */

static uint32_t hash_of(const struct pt_engine *engine, const struct pt_arrival *arrival,
                        const uint8_t *mac)
{
        return arrival->mac_hash ? arrival->mac_hash : pt_twins_hash(&engine->twins, mac);
}

/* Returns the hash of the MAC, 0 if there is none. */
static uint32_t remember_sender(struct pt_engine *engine, const struct pt_arrival *arrival,
                                int64_t time)
{
        const struct pt_packet *packet = &arrival->packet;
        uint32_t hash;

        if (!packet->has_mac)
                return 0;
        hash = hash_of(engine, arrival, packet->source_mac);
        pt_twins_sent(&engine->twins, packet->source_mac, hash, &packet->source, time);
        return hash;
}

static void remember_receiver(struct pt_engine *engine, const struct pt_arrival *arrival,
                              int64_t time)
{
        const struct pt_packet *packet = &arrival->packet;

        if (packet->has_destination_mac)
                pt_twins_received(&engine->twins, packet->destination_mac,
                                  hash_of(engine, arrival, packet->destination_mac),
                                  &packet->destination, time);
}

/* Who sends a SYN is proven, and so is the host that it belongs to. */
static void prove(struct pt_engine *engine, const struct pt_packet *packet, uint32_t mac_hash,
                  int64_t time)
{
        struct pt_twin_list twins;

        pt_hosts_prove(engine->hosts, &packet->source);
        if (!packet->has_mac)
                return;
        pt_twins_find(&engine->twins, packet->source_mac, mac_hash, &packet->source, time, &twins);
        for (size_t i = 0; i < twins.count; i++)
                pt_hosts_prove(engine->hosts, &twins.addresses[i]);
}

/* The query that an answer belongs to. */
struct asked {
        int64_t wall; /* packet time */
        uint32_t number;
        uint16_t file;
};

/* ---- frames that somebody may want to keep ---- */

static void trace(struct pt_engine *engine, enum pt_trace_kind kind,
                  const struct pt_arrival *arrival, const struct asked *asked)
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

static void observe_query(struct pt_engine *engine, const struct pt_arrival *arrival, int64_t time)
{
        const struct pt_message *message = &arrival->message;
        const struct pt_frame *frame = &arrival->frame;
        const struct pt_query *oldest;
        struct pt_query *query;

        pt_engine_count(engine, PT_COUNT_DNS_QUERIES);
        remember_sender(engine, arrival, time);
        if (!message->dns.has_question)
                return;
        pt_visibility_query(engine->visibility, &arrival->packet.source, &message->dns.question);
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
        trace(engine, PT_TRACE_QUERY, arrival, NULL);
}

/* The query that this answers; false if none was seen within 30 s before it. */
static bool find_query(const struct pt_engine *engine, const struct pt_message *message,
                       int64_t time, struct asked *ret)
{
        const struct pt_query *query;

        if (!message->dns.has_question)
                return false;
        query = pt_recent_find(&engine->queries, &message->query);
        if (!query)
                return false;
        if (query->time <= time && query->time >= time - ASKED_WITHIN)
                *ret = (struct asked){query->wall, query->number, query->file};
        else if (query->again && query->time_before <= time &&
                 query->time_before >= time - ASKED_WITHIN)
                *ret = (struct asked){query->wall_before, query->number_before, query->file_before};
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
                .client = arrival->packet.destination,
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
        uint64_t hash = pt_siphash13(&engine->key, packet->payload, packet->payload_length);
        struct pt_recent_key key = {0};
        struct pt_told *told;
        bool copy;

        memcpy(key.octets, &packet->destination, 16);
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

static void observe_response(struct pt_engine *engine, const struct pt_arrival *arrival,
                             int64_t time)
{
        const struct pt_message *message = &arrival->message;
        struct asked query;
        bool asked;

        if (message->kind != PT_DNS_OK)
                pt_engine_count(engine, dns_counter[message->kind]);
        engine->counters.value[PT_COUNT_DNS_SKIPPED] += message->answer.skipped;
        if (message->answer.count)
                remember_receiver(engine, arrival, time);
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
        trace(engine, PT_TRACE_ANSWER, arrival, asked ? &query : NULL);
        learn(engine, arrival, time, asked);
}

static void observe_dns(struct pt_engine *engine, const struct pt_arrival *arrival, int64_t time)
{
        const struct pt_message *message = &arrival->message;

        pt_engine_count(engine, PT_COUNT_DNS_MESSAGES);
        engine->counters.value[PT_COUNT_DNS_CUT] += arrival->packet.payload_cut;
        switch (message->way) {
        case PT_MESSAGE_UNREADABLE:
                pt_engine_count(engine, dns_counter[message->kind]);
                break;
        case PT_MESSAGE_QUERY:
                observe_query(engine, arrival, time);
                break;
        case PT_MESSAGE_RESPONSE:
                pt_engine_count(engine, PT_COUNT_DNS_RESPONSES);
                observe_response(engine, arrival, time);
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

/* ---- SYNs, and QUIC for the contact test (4.5) ---- */

static struct pt_syn syn_of(const struct pt_engine *engine, const struct pt_arrival *arrival,
                            int64_t time)
{
        const struct pt_packet *packet = &arrival->packet;
        struct pt_syn syn = {
                .time = time,
                .wall = arrival->wall,
                .number = arrival->frame.number,
                .file = arrival->frame.file,
                .sequence = packet->tcp_sequence,
                .client = packet->source,
                .destination = packet->destination,
                .key = pt_hosts_canonical(engine->hosts, &packet->destination),
                .client_port = packet->source_port,
                .destination_port = packet->destination_port,
                .vlan_count = packet->vlan_count,
                .tunnel_count = packet->tunnel_count,
                .ipv6 = packet->ipv6,
                .has_mac = packet->has_mac,
                .has_destination_mac = packet->has_destination_mac,
                .source = (uint8_t)arrival->logged.source,
                .lacks = arrival->logged.source ? arrival->logged.lacks : 0,
        };

        memcpy(syn.vlans, packet->vlans, sizeof syn.vlans);
        memcpy(syn.tunnels, packet->tunnels, packet->tunnel_count * sizeof syn.tunnels[0]);
        memcpy(syn.client_mac, packet->source_mac, sizeof syn.client_mac);
        memcpy(syn.destination_mac, packet->destination_mac, sizeof syn.destination_mac);
        return syn;
}

static void into_line(struct pt_engine *engine, const struct pt_arrival *arrival, int64_t time,
                      bool quic)
{
        struct pt_syn syn = syn_of(engine, arrival, time);

        syn.mac_hash = remember_sender(engine, arrival, time);
        if (!quic)
                prove(engine, &arrival->packet, syn.mac_hash, time);
        syn.client_hash = pt_visibility_hash(engine->visibility, &syn.client);
        syn.quic = quic;
        if (pt_line_full(engine->line)) {
                pt_engine_count(engine, PT_COUNT_CONNECTION_EARLY);
                pt_tell_syn(engine, pt_line_take(engine->line));
        }
        if (!quic) {
                syn.seen_hash = pt_tell_hash(engine, &syn);
                trace(engine, PT_TRACE_SYN, arrival, NULL);
        }
        pt_line_put(engine->line, &syn);
}

/* ---- packets made of others ---- */

/* What is made of several packets stands where no packet is looked at ahead. */
static struct pt_arrival *made_of(struct pt_engine *engine, const struct pt_arrival *last)
{
        struct pt_arrival *made = &engine->arrivals[PT_ARRIVALS + 1];

        if (made != last) {
                made->frame = last->frame;
                made->packet = last->packet;
                made->kind = last->kind;
                made->wall = last->wall;
                made->logged.source = last->logged.source;
        }
        made->has_message = false;
        made->mac_hash = 0;
        made->client_hash = 0;
        made->message.answer.addresses = engine->addresses + (size_t)2 * PT_MESSAGE_ADDRESSES;
        made->message.answer.capacity = PT_MESSAGE_ADDRESSES;
        return made;
}

/* Is all of a message in this one segment? Then it was not copied together. */
static bool lies_in(const struct pt_packet *packet, const struct pt_stream_message *message)
{
        uintptr_t from = (uintptr_t)packet->payload, at = (uintptr_t)message->octets;

        return at >= from && at - from < packet->payload_length;
}

/* Each message that a segment completes is taken as one in a datagram would be. */
static void observe_segment(struct pt_engine *engine, const struct pt_arrival *arrival,
                            int64_t time)
{
        struct pt_stream_message message;
        struct pt_arrival *made;

        engine->counters.value[PT_COUNT_DNS_TCP] += arrival->packet.payload_length > 0;
        pt_streams_put(engine->streams, &arrival->packet, time);
        while (pt_streams_next(engine->streams, &message)) {
                made = made_of(engine, arrival);
                made->packet.payload = message.octets;
                made->packet.payload_length = message.length;
                made->packet.payload_cut = message.cut;
                made->has_message = true;
                made->in_parts = !lies_in(&arrival->packet, &message);
                pt_message_read(engine, &made->packet, &made->message);
                observe_dns(engine, made, time);
        }
}

static void observe_tcp(struct pt_engine *engine, const struct pt_arrival *arrival, int64_t time)
{
        const struct pt_packet *packet = &arrival->packet;
        uint8_t flags = packet->tcp_flags & (PT_TCP_SYN | PT_TCP_ACK | PT_TCP_RST | PT_TCP_FIN);

        if (engine->outcomes)
                pt_outcomes_packet(engine->outcomes, packet, arrival->frame.time);
        if (flags == PT_TCP_SYN) {
                pt_engine_count(engine, PT_COUNT_CONNECTION_ATTEMPTS);
                into_line(engine, arrival, time, false);
        }
        if (pt_message_is(packet) && (flags & ~PT_TCP_ACK || packet->payload_length))
                observe_segment(engine, arrival, time);
}

static void observe_udp(struct pt_engine *engine, const struct pt_arrival *arrival, int64_t time)
{
        const struct pt_packet *packet = &arrival->packet;

        if (arrival->has_message) {
                observe_dns(engine, arrival, time);
        } else if (packet->destination_port == QUIC_PORT && packet->payload_length >= QUIC_LEAST &&
                   packet->payload[0] & QUIC_LONG) {
                pt_engine_count(engine, PT_COUNT_CONNECTION_QUIC);
                into_line(engine, arrival, time, true);
        }
}

/* Tunnels are rare: what was met is counted bit by bit. */
static void count_tunnels(struct pt_engine *engine, uint32_t met)
{
        static_assert(PT_COUNT_TUNNEL_TEREDO - PT_COUNT_TUNNEL_SNAP + 1 == PT_TUNNELS,
                      "a counter for each kind of tunnel, in the same order");

        for (; met; met &= met - 1)
                engine->counters.value[PT_COUNT_TUNNEL_SNAP + __builtin_ctz(met)]++;
}

/* A fragment may complete a datagram that holds another: the packet's depth bounds how often. */
static const struct pt_arrival *put_together(struct pt_engine *engine,
                                             const struct pt_arrival *arrival, int64_t time)
{
        struct pt_arrival *whole = made_of(engine, arrival);
        const uint8_t *datagram;
        uint32_t length;

        while (whole->kind == PT_PACKET_FRAGMENT &&
               pt_fragments_put(engine->fragments, &whole->packet, time, &datagram, &length))
                whole->kind = pt_packet_resume(&whole->packet, datagram, length);
        whole->in_parts = true;
        whole->has_message = whole->kind == PT_PACKET_UDP && pt_message_is(&whole->packet);
        if (whole->has_message)
                pt_message_read(engine, &whole->packet, &whole->message);
        return whole;
}

/* ---- what a log says ---- */

static void observe_logged_answer(struct pt_engine *engine, const struct pt_arrival *arrival,
                                  int64_t time)
{
        const struct pt_message *message = &arrival->message;
        struct asked query;
        bool asked = arrival->logged.asked || find_query(engine, message, time, &query);

        pt_engine_count(engine, PT_COUNT_DNS_RESPONSES);
        engine->counters.value[PT_COUNT_DNS_SKIPPED] += message->answer.skipped;
        if (message->way == PT_MESSAGE_TO_GROUP)
                pt_engine_count(engine, PT_COUNT_DNS_TO_GROUP);
        else if (message->answer.count)
                learn(engine, arrival, time, asked);
}

static void observe_logged(struct pt_engine *engine, const struct pt_arrival *arrival, int64_t time)
{
        engine->counters.value[PT_COUNT_DNS_MESSAGES] += arrival->has_message;
        switch (arrival->logged.kind) {
        case PT_LOGGED_ANSWER:
                observe_logged_answer(engine, arrival, time);
                break;
        case PT_LOGGED_QUERY:
                observe_query(engine, arrival, time);
                break;
        case PT_LOGGED_CONNECTION:
                pt_engine_count(engine, PT_COUNT_CONNECTION_ATTEMPTS);
                into_line(engine, arrival, time, false);
                break;
        case PT_LOGGED_CONTACT:
                pt_engine_count(engine, PT_COUNT_CONNECTION_QUIC);
                into_line(engine, arrival, time, true);
                break;
        case PT_LOGGED_KINDS:
                break;
        }
}

static bool has_number(enum pt_packet_kind kind)
{
        return kind == PT_PACKET_OTHER_LINK || kind == PT_PACKET_OTHER_ETHERTYPE ||
               kind == PT_PACKET_OTHER_PROTOCOL || kind == PT_PACKET_TUNNEL;
}

void pt_observe(struct pt_engine *engine, const struct pt_arrival *arrival, int64_t time)
{
        const struct pt_packet *packet;

        if (arrival->logged.source) {
                observe_logged(engine, arrival, time);
                return;
        }
        if (arrival->kind == PT_PACKET_FRAGMENT)
                arrival = put_together(engine, arrival, time);
        packet = &arrival->packet;
        pt_engine_count(engine, packet_counter[arrival->kind]);
        if (packet->tunnels_met)
                count_tunnels(engine, packet->tunnels_met);
        if (arrival->kind == PT_PACKET_TCP)
                observe_tcp(engine, arrival, time);
        else if (arrival->kind == PT_PACKET_UDP)
                observe_udp(engine, arrival, time);
        else if (has_number(arrival->kind))
                pt_unread_count(&engine->unread, packet->unread_layer, packet->unread);
}
