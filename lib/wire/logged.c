#include "wire/logged.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

const char *pt_logged_source_name(enum pt_logged_source source)
{
        static const char *const names[PT_LOGGED_SOURCES] = {
                [PT_LOGGED_NOWHERE] = "",
                [PT_LOGGED_ZEEK] = "zeek",
                [PT_LOGGED_SURICATA] = "suricata",
        };

        return source < PT_LOGGED_SOURCES ? names[source] : "";
}

const char *pt_logged_lack_name(unsigned place)
{
        static const char *const names[PT_LOGGED_LACKS] = {"owners", "ttls", "question", "order"};

        return place < PT_LOGGED_LACKS ? names[place] : "";
}

/* ---- names and types ---- */

static int hex(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
                return (c | 0x20) - 'a' + 10;
        return -1;
}

/* One octet of a name, escaped or not; returns how many characters it took. */
static size_t octet(const char *text, size_t length, uint8_t *ret)
{
        if (length >= 4 && text[0] == '\\' && text[1] == 'x' && hex(text[2]) >= 0 &&
            hex(text[3]) >= 0) {
                *ret = (uint8_t)(hex(text[2]) << 4 | hex(text[3]));
                return 4;
        }
        *ret = (uint8_t)text[0];
        return 1;
}

int pt_logged_name(const char *text, size_t length, struct pt_dns_name *ret)
{
        struct pt_dns_name name = {.length = 1};
        uint8_t label = 0; /* where the length of the present label stands */

        if (length && text[length - 1] == '.')
                length--; /* the root itself, or a name that ends with it */
        while (length) {
                size_t taken = 1;
                uint8_t value = 0;

                if (*text != '.')
                        taken = octet(text, length, &value);
                if (*text == '.' || name.length == 254 || name.wire[label] == 63) {
                        /* An empty label, or one too many, or a name too long for its end. */
                        if (*text != '.' || name.wire[label] == 0 || name.length == 254)
                                return -EINVAL;
                        label = name.length++;
                        name.wire[label] = 0;
                } else {
                        name.wire[name.length++] = value;
                        name.wire[label]++;
                }
                text += taken;
                length -= taken;
        }
        if (name.length > 1) {
                if (name.wire[label] == 0)
                        return -EINVAL;
                name.wire[name.length++] = 0;
        }
        *ret = name;
        return 0;
}

uint16_t pt_logged_type(const char *text, size_t length)
{
        static const struct {
                const char *text;
                uint16_t number;
        } types[] = {{"A", PT_DNS_A},
                     {"AAAA", PT_DNS_AAAA},
                     {"CNAME", PT_DNS_CNAME},
                     {"HTTPS", PT_DNS_HTTPS},
                     {"SVCB", PT_DNS_SVCB},
                     {"ANY", 255},
                     {"NS", 2},
                     {"SOA", 6},
                     {"PTR", 12},
                     {"MX", 15},
                     {"TXT", 16},
                     {"SRV", 33},
                     {"DNAME", PT_DNS_DNAME}};
        unsigned number = 0;

        for (size_t i = 0; i < sizeof types / sizeof *types; i++)
                if (strlen(types[i].text) == length && memcmp(types[i].text, text, length) == 0)
                        return types[i].number;
        if (length < 5 || length > 9 || memcmp(text, "TYPE", 4) != 0)
                return 0;
        for (size_t i = 4; i < length; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return 0;
                number = number * 10 + (unsigned)(text[i] - '0');
        }
        return number <= UINT16_MAX ? (uint16_t)number : 0;
}

/* ---- writing ---- */

static void put(uint8_t **at, const void *bytes, size_t length)
{
        memcpy(*at, bytes, length);
        *at += length;
}

static void put8(uint8_t **at, unsigned value)
{
        *(*at)++ = (uint8_t)value;
}

static void put16(uint8_t **at, unsigned value)
{
        put8(at, value >> 8);
        put8(at, value);
}

static void put32(uint8_t **at, uint32_t value)
{
        put16(at, value >> 16);
        put16(at, value & 0xffff);
}

static void put_name(uint8_t **at, const struct pt_dns_name *name)
{
        put8(at, name->length);
        put(at, name->wire, name->length);
}

static void put_answer(uint8_t **at, const struct pt_dns_answer *answer)
{
        size_t count = answer->count < PT_LOGGED_ADDRESSES ? answer->count : PT_LOGGED_ADDRESSES;

        put8(at, answer->name_count);
        for (uint8_t i = 0; i < answer->name_count; i++) {
                put_name(at, &answer->names[i]);
                put8(at, answer->alias[i]);
                put32(at, answer->alias_ttl[i]);
        }
        put32(at, answer->skipped + (uint32_t)(answer->count - count));
        put8(at, (unsigned)count);
        for (size_t i = 0; i < count; i++) {
                const struct pt_dns_address *address = &answer->addresses[i];

                put(at, &address->address, sizeof address->address);
                put32(at, address->ttl);
                put8(at, address->owner);
                put8(at, address->mapped);
        }
}

size_t pt_logged_write(const struct pt_logged *logged, const struct pt_dns_answer *answer,
                       uint8_t *ret)
{
        uint8_t *at = ret;

        put8(&at, logged->kind);
        put8(&at, logged->source);
        put8(&at, logged->lacks);
        put8(&at, (unsigned)logged->ipv6 | (unsigned)logged->asked << 1);
        put32(&at, (uint32_t)((uint64_t)logged->wall >> 32));
        put32(&at, (uint32_t)logged->wall);
        put(&at, &logged->client, sizeof logged->client);
        put(&at, &logged->server, sizeof logged->server);
        put16(&at, logged->client_port);
        put16(&at, logged->server_port);
        put16(&at, logged->id);
        put16(&at, logged->flags);
        put16(&at, logged->question_type);
        if (logged->kind == PT_LOGGED_QUERY)
                put_name(&at, &answer->names[0]);
        else if (logged->kind == PT_LOGGED_ANSWER)
                put_answer(&at, answer);
        return (size_t)(at - ret);
}

/* ---- reading ---- */

static void take(struct pt_reader *r, void *ret, size_t length)
{
        const uint8_t *bytes = pt_reader_take(r, length);

        if (bytes)
                memcpy(ret, bytes, length);
}

static void take_name(struct pt_reader *r, struct pt_dns_name *ret)
{
        ret->length = pt_reader_u8(r);
        if (ret->length == 0)
                r->failed = true;
        take(r, ret->wire, ret->length);
}

static void take_addresses(struct pt_reader *r, struct pt_dns_answer *answer)
{
        uint8_t count = pt_reader_u8(r);

        for (uint8_t i = 0; i < count && !r->failed; i++) {
                struct pt_dns_address address = {0};

                take(r, &address.address, sizeof address.address);
                address.ttl = pt_reader_be32(r);
                address.owner = pt_reader_u8(r);
                address.mapped = pt_reader_u8(r);
                if (r->failed || address.owner >= answer->name_count) {
                        r->failed = true;
                        return;
                }
                if (answer->count < answer->capacity)
                        answer->addresses[answer->count++] = address;
                else
                        answer->skipped++;
        }
}

static void take_answer(struct pt_reader *r, struct pt_dns_answer *answer)
{
        answer->name_count = pt_reader_u8(r);
        if (answer->name_count == 0 || answer->name_count > PT_DNS_NAMES) {
                r->failed = true;
                return;
        }
        for (uint8_t i = 0; i < answer->name_count && !r->failed; i++) {
                take_name(r, &answer->names[i]);
                answer->alias[i] = pt_reader_u8(r);
                answer->alias_ttl[i] = pt_reader_be32(r);
                if (answer->alias[i] >= answer->name_count)
                        r->failed = true;
        }
        answer->skipped = pt_reader_be32(r);
        take_addresses(r, answer);
}

int pt_logged_read(const uint8_t *bytes, size_t length, struct pt_logged *ret,
                   struct pt_dns_answer *answer)
{
        struct pt_reader r = pt_reader(bytes, length);
        struct pt_logged logged = {0};
        uint8_t bits;
        uint64_t high;

        answer->count = 0;
        answer->skipped = 0;
        answer->name_count = 0;
        logged.kind = (enum pt_logged_kind)pt_reader_u8(&r);
        logged.source = (enum pt_logged_source)pt_reader_u8(&r);
        logged.lacks = pt_reader_u8(&r);
        bits = pt_reader_u8(&r);
        logged.ipv6 = bits & 1;
        logged.asked = bits & 2;
        high = (uint64_t)pt_reader_be32(&r) << 32;
        logged.wall = (int64_t)(high | pt_reader_be32(&r));
        take(&r, &logged.client, sizeof logged.client);
        take(&r, &logged.server, sizeof logged.server);
        logged.client_port = pt_reader_be16(&r);
        logged.server_port = pt_reader_be16(&r);
        logged.id = pt_reader_be16(&r);
        logged.flags = pt_reader_be16(&r);
        logged.question_type = pt_reader_be16(&r);
        if (logged.kind == PT_LOGGED_QUERY)
                take_name(&r, &answer->names[0]);
        else if (logged.kind == PT_LOGGED_ANSWER)
                take_answer(&r, answer);
        if (r.failed || logged.kind >= PT_LOGGED_KINDS || logged.source >= PT_LOGGED_SOURCES ||
            logged.wall < 0) {
                answer->count = 0;
                return -EBADMSG;
        }
        *ret = logged;
        return 0;
}
