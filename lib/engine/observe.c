#include "engine/observe.h"

#include <assert.h>
#include <string.h>

#include "engine/bearer.h"
#include "engine/exchange.h"
#include "engine/message.h"
#include "engine/tell.h"

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
                .client = pt_packet_sender(packet),
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

        syn.mac_hash = pt_bearer_sent(engine, arrival, time);
        if (!quic)
                pt_bearer_prove(engine, &arrival->packet, syn.mac_hash, time);
        syn.client_hash = pt_visibility_hash(engine->visibility, &syn.client);
        syn.quic = quic;
        if (pt_line_full(engine->line)) {
                pt_engine_count(engine, PT_COUNT_CONNECTION_EARLY);
                pt_tell_syn(engine, pt_line_take(engine->line));
        }
        if (!quic) {
                syn.seen_hash = pt_tell_hash(engine, &syn);
                pt_exchange_trace(engine, PT_TRACE_SYN, arrival, NULL);
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
                pt_exchange_message(engine, made, time);
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
                pt_exchange_message(engine, arrival, time);
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
               pt_fragments_put(engine->fragments, &whole->packet, time, &datagram, &length)) {
                whole->kind = pt_packet_resume(&whole->packet, datagram, length);
                pt_engine_set_zone(engine, whole);
        }
        whole->in_parts = true;
        whole->has_message = whole->kind == PT_PACKET_UDP && pt_message_is(&whole->packet);
        if (whole->has_message)
                pt_message_read(engine, &whole->packet, &whole->message);
        return whole;
}

/* ---- what a log says ---- */

static void observe_logged(struct pt_engine *engine, const struct pt_arrival *arrival, int64_t time)
{
        switch (arrival->logged.kind) {
        case PT_LOGGED_ANSWER:
        case PT_LOGGED_QUERY:
                pt_exchange_logged(engine, arrival, time);
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
