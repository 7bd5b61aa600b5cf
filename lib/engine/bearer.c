#include "engine/bearer.h"

static uint32_t hash_of(const struct pt_engine *engine, const struct pt_arrival *arrival,
                        const uint8_t *mac)
{
        return arrival->mac_hash ? arrival->mac_hash : pt_twins_hash(&engine->twins, mac);
}

uint32_t pt_bearer_sent(struct pt_engine *engine, const struct pt_arrival *arrival, int64_t time)
{
        const struct pt_packet *packet = &arrival->packet;
        struct pt_address sender = pt_packet_sender(packet);
        uint32_t hash;

        if (!packet->has_mac)
                return 0;
        hash = hash_of(engine, arrival, packet->source_mac);
        pt_twins_sent(&engine->twins, packet->source_mac, hash, &sender, time);
        return hash;
}

void pt_bearer_received(struct pt_engine *engine, const struct pt_arrival *arrival, int64_t time)
{
        const struct pt_packet *packet = &arrival->packet;
        struct pt_address receiver = pt_packet_receiver(packet);

        if (packet->has_destination_mac)
                pt_twins_received(&engine->twins, packet->destination_mac,
                                  hash_of(engine, arrival, packet->destination_mac), &receiver,
                                  time);
}

void pt_bearer_prove(struct pt_engine *engine, const struct pt_packet *packet, uint32_t mac_hash,
                     int64_t time)
{
        struct pt_address sender = pt_packet_sender(packet);
        struct pt_twin_list twins;

        pt_hosts_prove(engine->hosts, &sender);
        if (!packet->has_mac)
                return;
        pt_twins_find(&engine->twins, packet->source_mac, mac_hash, &sender, time, &twins);
        for (size_t i = 0; i < twins.count; i++)
                pt_hosts_prove(engine->hosts, &twins.addresses[i]);
}
