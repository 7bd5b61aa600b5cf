/*
 * beside: packets that serve outcomes alone, of connections that are followed behind the kernel's
 * filter. They come a way of their own, beside that of all others.
 */
#include <string.h>

#include "engine/state.h"

/* SYNs came as all others do, and would count twice. */
static bool is_syn(const struct pt_packet *packet)
{
        const unsigned flags = PT_TCP_SYN | PT_TCP_ACK | PT_TCP_RST | PT_TCP_FIN;

        return (packet->tcp_flags & flags) == PT_TCP_SYN;
}

void pt_engine_beside(struct pt_engine *engine, const struct pt_frame *frame)
{
        struct pt_frame sound = *frame;
        struct pt_packet packet;

        engine->counters.value[PT_COUNT_OUTCOME_PACKETS]++;
        if (!engine->outcomes)
                return;
        if (sound.captured > sound.length)
                sound.captured = sound.length;
        if (pt_packet_decode(&sound, &packet) != PT_PACKET_TCP || is_syn(&packet))
                return;
        pt_outcomes_packet(engine->outcomes, &packet, sound.time);
        engine->due = INT64_MIN; /* one may have come to its end */
}

size_t pt_engine_followed(const struct pt_engine *engine, struct pt_followed *ret, size_t room)
{
        const struct pt_syn *syns[PT_FOLLOWED_MOST];
        size_t count;

        if (!engine->outcomes)
                return 0;
        count = pt_outcomes_followed(engine->outcomes, syns,
                                     room < PT_FOLLOWED_MOST ? room : PT_FOLLOWED_MOST);
        for (size_t i = 0; i < count; i++) {
                const struct pt_address client = pt_address_plain(&syns[i]->client);

                memcpy(ret[i].client, client.octets, sizeof ret[i].client);
                memcpy(ret[i].server, syns[i]->destination.octets, sizeof ret[i].server);
                ret[i].client_port = syns[i]->client_port;
                ret[i].server_port = syns[i]->destination_port;
        }
        return count;
}

uint64_t pt_engine_follows(const struct pt_engine *engine)
{
        return engine->outcomes ? pt_outcomes_changes(engine->outcomes) : 0;
}
