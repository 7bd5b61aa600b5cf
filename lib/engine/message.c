#include "engine/message.h"

#include <string.h>

/* What a query and its answer have in common (4.8). */
static struct pt_recent_key query_key(const struct pt_engine *engine,
                                      const struct pt_message *message,
                                      const struct pt_address *client, uint16_t client_port,
                                      const struct pt_address *resolver)
{
        struct pt_recent_key key = {0};

        memcpy(key.octets, client, 16);
        memcpy(key.octets + 16, resolver, 16);
        memcpy(key.octets + 32, &message->question_hash, 8);
        memcpy(key.octets + 40, &client_port, 2);
        memcpy(key.octets + 42, &message->dns.id, 2);
        pt_recent_hash(&engine->queries, &key);
        return key;
}

static enum pt_message_way way_of(const struct pt_message *message, const struct pt_packet *packet)
{
        bool response = message->dns.flags & PT_DNS_QR;

        if (response && packet->source_port == PT_DNS_PORT)
                return pt_address_is_group(&packet->destination) ? PT_MESSAGE_TO_GROUP
                                                                 : PT_MESSAGE_RESPONSE;
        if (!response && packet->destination_port == PT_DNS_PORT)
                return PT_MESSAGE_QUERY;
        return PT_MESSAGE_WRONG_WAY;
}

void pt_message_read(const struct pt_engine *engine, const struct pt_packet *packet,
                     struct pt_message *ret)
{
        struct pt_address client;
        bool has_question;

        ret->answer.count = 0;
        ret->kind = pt_dns_parse(packet->payload, packet->payload_length, &ret->dns);
        if (ret->kind != PT_DNS_OK) {
                ret->way = PT_MESSAGE_UNREADABLE;
                return;
        }
        has_question = ret->dns.has_question;
        ret->question_hash = has_question ? pt_dns_name_hash(&engine->key, &ret->dns.question) : 0;
        ret->way = way_of(ret, packet);
        if (ret->way == PT_MESSAGE_RESPONSE)
                ret->kind = pt_dns_answer_read(&ret->dns, &ret->answer);
        if (has_question && ret->way == PT_MESSAGE_RESPONSE) {
                client = pt_address_in_zone(&packet->destination, &packet->zone);
                ret->query =
                        query_key(engine, ret, &client, packet->destination_port, &packet->source);
        } else if (has_question && ret->way == PT_MESSAGE_QUERY) {
                client = pt_address_in_zone(&packet->source, &packet->zone);
                ret->query =
                        query_key(engine, ret, &client, packet->source_port, &packet->destination);
        }
}

void pt_message_logged(const struct pt_engine *engine, const struct pt_logged *logged,
                       struct pt_message *ret)
{
        ret->kind = PT_DNS_OK;
        ret->way = logged->kind == PT_LOGGED_QUERY        ? PT_MESSAGE_QUERY
                   : pt_address_is_group(&logged->client) ? PT_MESSAGE_TO_GROUP
                                                          : PT_MESSAGE_RESPONSE;
        ret->dns = (struct pt_dns){
                .id = logged->id,
                .flags = logged->flags,
                .has_question = true,
                .question = ret->answer.names[0],
                .question_type = logged->question_type,
                .question_class = PT_DNS_IN,
        };
        ret->question_hash = pt_dns_name_hash(&engine->key, &ret->dns.question);
        ret->query = query_key(engine, ret, &logged->client, logged->client_port, &logged->server);
}
