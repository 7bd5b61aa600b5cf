#include "io/logs/said.h"

#include <string.h>

void pt_said_begin(struct pt_said *said, enum pt_logged_source source)
{
        said->logged = (struct pt_logged){.source = source};
        said->reason = NULL;
        said->answer.names[0] = (struct pt_dns_name){.length = 1};
        said->answer.alias[0] = 0;
        said->answer.alias_ttl[0] = 0;
        said->answer.name_count = 1;
        said->answer.addresses = said->addresses;
        said->answer.capacity = PT_LOGGED_ADDRESSES;
        said->answer.count = 0;
        said->answer.skipped = 0;
}

enum pt_said_kind pt_said_bad(struct pt_said *said, const char *reason)
{
        said->reason = reason;
        return PT_SAID_BAD;
}

bool pt_said_address(const struct pt_said_text *t, struct pt_address *ret)
{
        char text[PT_ADDRESS_TEXT];

        if (!t->text || t->length >= sizeof text || memchr(t->text, 0, t->length))
                return false;
        memcpy(text, t->text, t->length);
        text[t->length] = 0;
        return pt_address_parse(text, ret) == 0;
}

bool pt_said_number(const struct pt_said_text *t, uint64_t most, uint64_t *ret)
{
        uint64_t value = 0;

        if (!t->text || t->length == 0 || t->length > 19)
                return false;
        for (size_t i = 0; i < t->length; i++) {
                if (t->text[i] < '0' || t->text[i] > '9')
                        return false;
                value = value * 10 + (uint64_t)(t->text[i] - '0');
        }
        if (value > most)
                return false;
        *ret = value;
        return true;
}

bool pt_said_orient(struct pt_said *said)
{
        struct pt_logged *l = &said->logged;
        struct pt_address address = l->client;
        uint16_t port = l->client_port;

        if (l->server_port == PT_DNS_PORT)
                return true;
        if (port != PT_DNS_PORT)
                return false;
        l->client = l->server;
        l->client_port = l->server_port;
        l->server = address;
        l->server_port = port;
        return true;
}

uint8_t pt_said_name(struct pt_said *said, const struct pt_said_text *t)
{
        struct pt_dns_answer *answer = &said->answer;
        struct pt_dns_name name;

        if (!t->text || pt_logged_name(t->text, t->length, &name) < 0)
                return 0;
        for (uint8_t i = 0; i < answer->name_count; i++)
                if (pt_dns_name_equal(&answer->names[i], &name))
                        return i;
        if (answer->name_count == PT_DNS_NAMES)
                return 0;
        answer->names[answer->name_count] = name;
        answer->alias[answer->name_count] = 0;
        answer->alias_ttl[answer->name_count] = 0;
        return answer->name_count++;
}

bool pt_said_put(struct pt_said *said, const struct pt_said_text *t, uint8_t owner, uint32_t ttl)
{
        struct pt_dns_answer *answer = &said->answer;
        struct pt_address address;

        if (!pt_said_address(t, &address))
                return false;
        if (answer->count == answer->capacity)
                answer->skipped++;
        else
                answer->addresses[answer->count++] = (struct pt_dns_address){
                        .address = address,
                        .ttl = ttl,
                        .owner = owner,
                        .mapped = memchr(t->text, ':', t->length) && pt_address_is_ipv4(&address),
                };
        return true;
}
