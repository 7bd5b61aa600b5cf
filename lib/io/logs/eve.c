#include "io/logs/eve.h"

#include <stdlib.h>
#include <string.h>

#include "io/logs/instant.h"

bool pt_eve_is(const json_t *object)
{
        return json_is_string(json_object_get(object, "event_type")) &&
               json_object_get(object, "timestamp");
}

static struct pt_said_text text_of(const json_t *object, const char *key)
{
        const json_t *value = json_object_get(object, key);

        if (!json_is_string(value))
                return (struct pt_said_text){0};
        return (struct pt_said_text){json_string_value(value), json_string_length(value)};
}

static bool is(const json_t *object, const char *key, const char *word)
{
        struct pt_said_text text = text_of(object, key);

        return pt_said_is(&text, word);
}

static bool number(const json_t *object, const char *key, json_int_t most, json_int_t *ret)
{
        const json_t *value = json_object_get(object, key);

        if (!json_is_integer(value) || json_integer_value(value) < 0 ||
            json_integer_value(value) > most)
                return false;
        *ret = json_integer_value(value);
        return true;
}

static bool time_of(const json_t *object, const char *key, int64_t *ret)
{
        struct pt_said_text text = text_of(object, key);

        return text.text && pt_instant_parse(text.text, text.length, ret);
}

static bool ends(const json_t *object, struct pt_said *said)
{
        struct pt_said_text source = text_of(object, "src_ip"), target = text_of(object, "dest_ip");
        struct pt_logged *l = &said->logged;
        json_int_t client_port, server_port;

        if (!pt_said_address(&source, &l->client) || !pt_said_address(&target, &l->server) ||
            !number(object, "src_port", UINT16_MAX, &client_port) ||
            !number(object, "dest_port", UINT16_MAX, &server_port))
                return false;
        l->client_port = (uint16_t)client_port;
        l->server_port = (uint16_t)server_port;
        l->ipv6 = source.text && memchr(source.text, ':', source.length);
        return true;
}

/* Hexadecimal digits, as "8180"; 0 where there are none. */
static uint16_t hex_of(const json_t *object, const char *key)
{
        struct pt_said_text text = text_of(object, key);

        return text.text ? (uint16_t)strtoul(text.text, NULL, 16) : 0;
}

/* ---- DNS ---- */

static uint16_t type_of(const json_t *record)
{
        struct pt_said_text text = text_of(record, "rrtype");

        return text.text ? pt_logged_type(text.text, text.length) : 0;
}

static uint32_t ttl_of(const json_t *record)
{
        json_int_t ttl;

        return number(record, "ttl", UINT32_MAX, &ttl) ? (uint32_t)ttl : 0;
}

/* The name that was asked for, or, in version 1, the record's. False if it is no name. */
static bool question(const json_t *object, struct pt_said *said)
{
        struct pt_said_text name = text_of(object, "rrname");

        said->logged.question_type = type_of(object);
        return !name.text || pt_logged_name(name.text, name.length, &said->answer.names[0]) == 0;
}

static void put_record(const json_t *record, struct pt_said *said)
{
        struct pt_said_text owner = text_of(record, "rrname"), data = text_of(record, "rdata");
        uint16_t type = type_of(record);
        uint8_t place, target;

        if (type != PT_DNS_A && type != PT_DNS_AAAA && type != PT_DNS_CNAME)
                return;
        place = pt_said_name(said, &owner);
        if (type != PT_DNS_CNAME) {
                said->answer.skipped += !pt_said_put(said, &data, place, ttl_of(record));
                return;
        }
        target = pt_said_name(said, &data);
        if (target == place)
                return;
        said->answer.alias[place] = target;
        said->answer.alias_ttl[place] = ttl_of(record);
}

/* {"A": ["198.51.100.23"], ...}: all of one type together. */
static void put_grouped(const json_t *grouped, struct pt_said *said)
{
        static const char *const types[] = {"A", "AAAA"};

        for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
                const json_t *list = json_object_get(grouped, types[i]);

                for (size_t j = 0; j < json_array_size(list); j++) {
                        const json_t *value = json_array_get(list, j);
                        struct pt_said_text text = {json_string_value(value),
                                                    json_string_length(value)};

                        said->answer.skipped += !pt_said_put(said, &text, 0, 0);
                }
        }
}

static void put_answers(const json_t *dns, struct pt_said *said)
{
        const json_t *answers = json_object_get(dns, "answers");
        const json_t *grouped = json_object_get(dns, "grouped");

        if (json_is_array(answers)) {
                for (size_t i = 0; i < json_array_size(answers); i++)
                        put_record(json_array_get(answers, i), said);
        } else if (json_is_object(grouped)) {
                put_grouped(grouped, said);
                said->logged.lacks = PT_LOGGED_NO_OWNERS | PT_LOGGED_NO_TTL;
        } else if (json_object_get(dns, "rdata")) { /* version 1 */
                put_record(dns, said);
                said->logged.lacks = PT_LOGGED_NO_QUESTION;
        }
}

static enum pt_said_kind dns(const json_t *object, struct pt_said *said)
{
        const json_t *dns = json_object_get(object, "dns"), *asked = dns;
        bool query = is(dns, "type", "query") || is(dns, "type", "request");
        bool answer = is(dns, "type", "answer") || is(dns, "type", "response");
        json_int_t id;

        if (!query && !answer)
                return json_is_object(dns) ? PT_SAID_OTHER : pt_said_bad(said, "dns is missing");
        if (!time_of(object, "timestamp", &said->time))
                return pt_said_bad(said, "timestamp is no time");
        if (!pt_said_orient(said))
                return PT_SAID_OTHER; /* neither end is a port of DNS: mDNS and the like */
        if (json_array_size(json_object_get(dns, "queries")))
                asked = json_array_get(json_object_get(dns, "queries"), 0); /* version 3 */
        if (!question(asked, said))
                return pt_said_bad(said, "rrname is no name");
        if (number(dns, "id", UINT16_MAX, &id))
                said->logged.id = (uint16_t)id;
        said->logged.flags = hex_of(dns, "flags");
        said->logged.kind = query ? PT_LOGGED_QUERY : PT_LOGGED_ANSWER;
        if (query)
                return PT_SAID_RECORD;
        said->logged.flags |= PT_DNS_QR;
        put_answers(dns, said);
        return said->answer.count ? PT_SAID_RECORD : PT_SAID_OTHER;
}

/* ---- flows ---- */

/* Its client's SYN was seen: in the flags of its side, or, where they are not told, in all. */
static bool has_syn(const json_t *object)
{
        const json_t *tcp = json_object_get(object, "tcp");

        if (json_object_get(tcp, "tcp_flags_ts"))
                return hex_of(tcp, "tcp_flags_ts") & 0x02;
        return json_is_true(json_object_get(tcp, "syn"));
}

static enum pt_said_kind flow(const json_t *object, struct pt_said *said)
{
        const json_t *flow = json_object_get(object, "flow");
        json_int_t packets;

        if (!time_of(flow, "start", &said->time))
                return pt_said_bad(said, "flow.start is no time");
        if (is(object, "proto", "TCP") && has_syn(object)) {
                said->logged.kind = PT_LOGGED_CONNECTION;
                return PT_SAID_RECORD;
        }
        if (is(object, "proto", "UDP") && said->logged.server_port == 443 &&
            number(flow, "pkts_toserver", INT64_MAX, &packets) && packets > 0) {
                said->logged.kind = PT_LOGGED_CONTACT;
                return PT_SAID_RECORD;
        }
        return PT_SAID_OTHER;
}

enum pt_said_kind pt_eve_line(const json_t *object, struct pt_said *said)
{
        bool is_dns = is(object, "event_type", "dns"), is_flow = is(object, "event_type", "flow");
        enum pt_said_kind kind;

        pt_said_begin(said, PT_LOGGED_SURICATA);
        if (!is_dns && !is_flow)
                return PT_SAID_OTHER;
        /* Other protocols have no ports. */
        if (!is(object, "proto", "TCP") && !is(object, "proto", "UDP"))
                return json_object_get(object, "proto") ? PT_SAID_OTHER
                                                        : pt_said_bad(said, "proto is missing");
        if (!ends(object, said))
                return pt_said_bad(said, "src_ip and the like are no addresses and ports");
        kind = is_dns ? dns(object, said) : flow(object, said);
        said->logged.wall = said->time;
        return kind;
}
