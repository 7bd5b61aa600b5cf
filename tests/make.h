/*
 * make: addresses, names, DNS messages, frames and rules for tests, from text as people write it.
 *
 * The records of an answer are words. "198.51.100.23" is an A or AAAA record of the present owner,
 * with the TTL behind a slash if it is not 60; "=cdn.example" a CNAME record from the present
 * owner, and the owner from there on; "@edge.example" another owner. The first owner is the
 * question.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "wire/dns.h"
#include "wire/packet.h"
#include "rule/rule.h"

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

struct make {
        uint8_t octets[65536];
        size_t length;
};

static inline void make_fail(const char *what, const char *text)
{
        fprintf(stderr, "make: %s: %s\n", what, text);
        abort();
}

static inline void make_put(struct make *m, const void *octets, size_t length)
{
        if (length > sizeof m->octets - m->length)
                make_fail("no room", "for so many octets");
        if (length)
                memcpy(m->octets + m->length, octets, length);
        m->length += length;
}

static inline void make_put16(struct make *m, unsigned value)
{
        make_put(m, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static inline void make_put32(struct make *m, uint32_t value)
{
        make_put16(m, value >> 16);
        make_put16(m, value & 0xffff);
}

static inline struct pt_address make_address(const char *text)
{
        struct pt_address address;

        if (pt_address_parse(text, &address) < 0)
                make_fail("no address", text);
        return address;
}

/* The text of an IPv4 address, o1 highest. Good until the eighth call after. */
static inline const char *make_ipv4(uint32_t ipv4)
{
        static char texts[8][PT_ADDRESS_TEXT];
        static unsigned turn;
        struct pt_address address = pt_address_from_ipv4(ipv4);

        return pt_address_format(&address, texts[turn++ % 8]);
}

static inline struct pt_dns_name make_name(const char *text)
{
        struct pt_dns_name name = {.length = 0};

        while (*text && strcmp(text, ".") != 0) {
                size_t label = strcspn(text, ".");

                if (label == 0 || label > 63 || name.length + label > 253)
                        make_fail("no name", text);
                name.wire[name.length++] = (uint8_t)label;
                memcpy(name.wire + name.length, text, label);
                name.length = (uint8_t)(name.length + label);
                text += label + (text[label] == '.');
        }
        name.wire[name.length++] = 0;
        return name;
}

/* A name of this many octets in wire form, up to 255, different for each number. */
static inline const char *make_long_name(size_t length, unsigned number, char ret[256])
{
        size_t at = (size_t)snprintf(ret, 256, "n%u", number);

        if (at + 2 > length || at > 63)
                make_fail("no name so short", ret);
        /* Two octets beyond the text: the first label's length, and the root. */
        for (size_t label = at; at + 2 < length; label++) {
                if (label >= 50 && at + 3 < length) {
                        ret[at++] = '.';
                        label = 0;
                }
                ret[at++] = 'x';
        }
        ret[at] = '\0';
        return ret;
}

/* ---- records ---- */

struct make_word {
        char kind; /* 'A' address, '=' alias, '@' owner */
        char text[256];
        struct pt_address address;
        uint32_t ttl;
};

static inline bool make_word(const char **records, struct make_word *ret)
{
        size_t length;
        char *slash;

        *records += strspn(*records, " ");
        length = strcspn(*records, " ");
        if (length == 0)
                return false;
        if (length >= sizeof ret->text)
                make_fail("word too long", *records);
        memcpy(ret->text, *records, length);
        ret->text[length] = '\0';
        *records += length;
        ret->kind = ret->text[0];
        if (ret->kind == '=' || ret->kind == '@') {
                memmove(ret->text, ret->text + 1, length);
                return true;
        }
        ret->kind = 'A';
        ret->ttl = 60;
        slash = strchr(ret->text, '/');
        if (slash) {
                *slash = '\0';
                ret->ttl = (uint32_t)strtoul(slash + 1, NULL, 10);
        }
        ret->address = make_address(ret->text);
        return true;
}

static inline void make_record(struct make *m, const char *owner, unsigned type, uint32_t ttl,
                               const void *data, size_t length)
{
        struct pt_dns_name name = make_name(owner);

        make_put(m, name.wire, name.length);
        make_put16(m, type);
        make_put16(m, PT_DNS_IN);
        make_put32(m, ttl);
        make_put16(m, (unsigned)length);
        make_put(m, data, length);
}

static inline unsigned make_records(struct make *m, const char *question, const char *records)
{
        char owner[256];
        struct make_word word;
        unsigned count = 0;

        snprintf(owner, sizeof owner, "%s", question);
        while (make_word(&records, &word)) {
                if (word.kind == 'A') {
                        bool four = pt_address_is_ipv4(&word.address);

                        make_record(m, owner, four ? PT_DNS_A : PT_DNS_AAAA, word.ttl,
                                    word.address.octets + (four ? 12 : 0), four ? 4 : 16);
                        count++;
                        continue;
                }
                if (word.kind == '=') {
                        struct pt_dns_name target = make_name(word.text);

                        make_record(m, owner, PT_DNS_CNAME, 60, target.wire, target.length);
                        count++;
                }
                snprintf(owner, sizeof owner, "%s", word.text);
        }
        return count;
}

/* ---- DNS messages ---- */

static inline void make_message(struct make *m, unsigned id, unsigned flags, const char *question,
                                unsigned type, const char *records)
{
        struct pt_dns_name name = make_name(question);
        size_t counts;
        unsigned answers;

        make_put16(m, id);
        make_put16(m, flags);
        make_put16(m, 1);
        counts = m->length;
        make_put16(m, 0);
        make_put32(m, 0);
        make_put(m, name.wire, name.length);
        make_put16(m, type);
        make_put16(m, PT_DNS_IN);
        answers = make_records(m, question, records);
        m->octets[counts] = (uint8_t)(answers >> 8);
        m->octets[counts + 1] = (uint8_t)answers;
}

/* ---- frames ---- */

static inline void make_ethernet(struct make *m, const struct pt_address *source,
                                 const struct pt_address *destination, bool four)
{
        static const uint8_t local[3] = {0x02, 0, 0};

        make_put(m, local, 3);
        make_put(m, destination->octets + 13, 3);
        make_put(m, local, 3);
        make_put(m, source->octets + 13, 3);
        make_put16(m, four ? 0x0800 : 0x86dd);
}

static inline void make_ip(struct make *m, const char *from, const char *to, unsigned protocol,
                           const struct make *payload)
{
        struct pt_address source = make_address(from), destination = make_address(to);
        bool four = pt_address_is_ipv4(&source);

        make_ethernet(m, &source, &destination, four);
        if (four) {
                make_put16(m, 0x4500);
                make_put16(m, (unsigned)(20 + payload->length));
                make_put32(m, 0x4000);
                make_put16(m, 64u << 8 | protocol);
                make_put16(m, 0);
        } else {
                make_put32(m, 0x60000000);
                make_put16(m, (unsigned)payload->length);
                make_put16(m, protocol << 8 | 64);
        }
        make_put(m, source.octets + (four ? 12 : 0), four ? 4 : 16);
        make_put(m, destination.octets + (four ? 12 : 0), four ? 4 : 16);
        make_put(m, payload->octets, payload->length);
}

static inline void make_udp(struct make *m, const char *from, unsigned from_port, const char *to,
                            unsigned to_port, const void *payload, size_t length)
{
        struct make datagram = {.length = 0};

        make_put16(&datagram, from_port);
        make_put16(&datagram, to_port);
        make_put16(&datagram, (unsigned)(8 + length));
        make_put16(&datagram, 0);
        make_put(&datagram, payload, length);
        make_ip(m, from, to, 17, &datagram);
}

static inline void make_tcp(struct make *m, const char *from, unsigned from_port, const char *to,
                            unsigned to_port, uint32_t sequence, unsigned flags)
{
        struct make segment = {.length = 0};

        make_put16(&segment, from_port);
        make_put16(&segment, to_port);
        make_put32(&segment, sequence);
        make_put32(&segment, 0);
        make_put16(&segment, 5u << 12 | flags);
        make_put16(&segment, 64240);
        make_put32(&segment, 0);
        make_ip(m, from, to, 6, &segment);
}

/* ---- rules ---- */

#define RULE_PRIVATE                                                                         \
        "\"exclude_destinations\": [\"10.0.0.0/8\", \"172.16.0.0/12\", \"192.168.0.0/16\", " \
        "\"127.0.0.0/8\", \"169.254.0.0/16\"]"

/* The limits of the published query: 45 045 ports (design 3). */
#define RULE_PUBLISHED                                                                           \
        "\"limits\": {\"ports\": [\"4096-49151\"], \"exclude_ports\": [8080, 8443, 8000, 8888, " \
        "9090, 9200, 9300, 9418, 27017, 27018, 28017], " RULE_PRIVATE "}"

#define RULE(id, keys) "{\"id\": \"" id "\", \"name\": \"the rule " id "\", " keys "}"

#define APT12 RULE("apt12", "\"port\": \"o1 * o2 + o3\", " RULE_PUBLISHED)
#define VARIANT RULE("variant", "\"port\": \"o1 * (o2 + o3)\", " RULE_PUBLISHED)
#define SWAP16 RULE("swap16", "\"address\": \"swap16(addr)\", \"limits\": {" RULE_PRIVATE "}")

static inline struct pt_rules *make_rules(const char *const texts[], size_t count)
{
        struct pt_rules_builder *builder;
        struct pt_rule_error error;
        struct pt_rules *rules;

        if (pt_rules_builder_new(&builder) < 0)
                abort();
        for (size_t i = 0; i < count; i++)
                if (pt_rules_add(builder, "make", texts[i], strlen(texts[i]), &error) < 0)
                        make_fail(error.sentence, texts[i]);
        if (pt_rules_finish(builder, &rules) < 0)
                abort();
        pt_rules_builder_free(builder);
        return rules;
}

static inline struct pt_rules *make_usual_rules(void)
{
        static const char *const usual[] = {APT12, VARIANT, SWAP16};

        return make_rules(usual, ROWS(usual));
}
