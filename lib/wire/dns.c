#include "wire/dns.h"

#include <errno.h>

#include "base/bytes.h"
#include "wire/svcb.h"

#define HEADER 12

/*
 * Names that are decoded through pointers, per answer section. An honest message refers to the
 * PT_DNS_NAMES names of a chain from fewer places; without the bound 64 KiB of records, each with
 * its own long chain of pointers, would cost milliseconds (CVE-2024-8508).
 */
#define COMPRESSED_NAMES 64

const char *pt_dns_kind_name(enum pt_dns_kind kind)
{
        static const char *const names[PT_DNS_KINDS] = {
                [PT_DNS_OK] = "ok",
                [PT_DNS_SHORT] = "short",
                [PT_DNS_OTHER_OPCODE] = "other_opcode",
                [PT_DNS_BAD_QUESTION] = "bad_question",
                [PT_DNS_BAD_RECORD] = "bad_record",
        };

        return kind < PT_DNS_KINDS ? names[kind] : "unknown";
}

static inline uint16_t be16(const uint8_t *b)
{
        return (uint16_t)(b[0] << 8 | b[1]);
}

enum pt_dns_kind pt_dns_parse(const uint8_t *message, size_t length, struct pt_dns *ret)
{
        struct pt_reader r = pt_reader(message, length);
        const uint8_t *header = pt_reader_take(&r, HEADER);
        const uint8_t *question = NULL;
        unsigned questions;

        if (!header)
                return PT_DNS_SHORT;
        if (PT_DNS_OPCODE(be16(header + 2)) != 0)
                return PT_DNS_OTHER_OPCODE;
        questions = be16(header + 4);
        for (unsigned i = 0; i < questions; i++) {
                const uint8_t *b;

                pt_dns_name_skip(&r);
                b = pt_reader_take(&r, 4);
                if (!b)
                        return PT_DNS_BAD_QUESTION;
                if (i == 0)
                        question = b;
        }
        if (question && pt_dns_name_read(message, length, HEADER, &ret->question) < 0)
                return PT_DNS_BAD_QUESTION;
        ret->message = message;
        ret->length = length;
        ret->id = be16(header);
        ret->flags = be16(header + 2);
        ret->questions = be16(header + 4);
        ret->records = be16(header + 6);
        ret->has_question = question != NULL;
        ret->question_type = question ? be16(question) : 0;
        ret->question_class = question ? be16(question + 2) : 0;
        ret->answers = (size_t)(r.at - message);
        return PT_DNS_OK;
}

bool pt_dns_next(const struct pt_dns *dns, struct pt_dns_cursor *cursor, struct pt_dns_record *ret)
{
        struct pt_reader r = pt_dns_reader_at(dns->message, dns->length, cursor->offset);
        const uint8_t *b, *data;

        if (cursor->failed || cursor->seen == dns->records)
                return false;
        pt_dns_name_skip(&r);
        b = pt_reader_take(&r, 10);
        data = b ? pt_reader_take(&r, be16(b + 8)) : NULL;
        if (!data) {
                cursor->failed = true;
                return false;
        }
        *ret = (struct pt_dns_record){
                .owner = cursor->offset,
                .type = be16(b),
                .class = be16(b + 2),
                .ttl = (uint32_t)be16(b + 4) << 16 | be16(b + 6),
                .data = data,
                .length = be16(b + 8),
        };
        cursor->offset = (size_t)(r.at - dns->message);
        cursor->seen++;
        return true;
}

#define NO_PLACE PT_DNS_NAMES /* the name is past what an answer remembers */
#define NOWHERE SIZE_MAX      /* no offset of the message */

/* The names of an answer while it is read, and where in the message each was last found. */
struct names {
        const struct pt_dns *dns;
        struct pt_dns_answer *answer;
        unsigned count; /* name_count of the answer */
        size_t at[PT_DNS_NAMES];
        unsigned compressed; /* names decoded so far that took a pointer */
};

/* Where a name's text begins: names that are one and the same pointer share it. */
static size_t name_at(const struct pt_dns *dns, size_t offset)
{
        struct pt_reader r = pt_dns_reader_at(dns->message, dns->length, offset);
        uint16_t word = pt_reader_be16(&r);
        size_t target = word & 0x3fff;

        return word >= 0xc000 && target < offset ? target : offset;
}

static inline unsigned names_add(struct names *names, const struct pt_dns_name *name, size_t at)
{
        struct pt_dns_answer *answer = names->answer;
        unsigned place = names->count;

        if (place == PT_DNS_NAMES)
                return NO_PLACE;
        pt_dns_name_copy(&answer->names[place], name);
        answer->alias[place] = 0;
        answer->alias_ttl[place] = 0;
        names->at[place] = at;
        names->count = place + 1;
        answer->name_count = (uint8_t)names->count;
        return place;
}

/* The place of a name that is not at an offset seen before. 0, or -EBADMSG. */
static int names_decode(struct names *names, size_t offset, unsigned *ret)
{
        const struct pt_dns *dns = names->dns;
        size_t at = name_at(dns, offset);
        struct pt_dns_name name;
        unsigned jumps;

        if (pt_dns_name_decode(dns->message, dns->length, offset, &name, &jumps) < 0)
                return -EBADMSG;
        if (jumps > 0)
                names->compressed++;
        for (unsigned i = 0; i < names->count; i++) {
                if (pt_dns_name_equal(&names->answer->names[i], &name)) {
                        names->at[i] = at;
                        *ret = i;
                        return 0;
                }
        }
        *ret = names_add(names, &name, at);
        return 0;
}

/* The place of the name at an offset, added if it is new; NO_PLACE past the bounds. */
static int names_find(struct names *names, size_t offset, unsigned *ret)
{
        size_t at = name_at(names->dns, offset);

        for (unsigned i = 0; i < names->count; i++) {
                if (names->at[i] == at) {
                        *ret = i;
                        return 0;
                }
        }
        if (names->compressed < COMPRESSED_NAMES)
                return names_decode(names, offset, ret);
        *ret = NO_PLACE;
        return 0;
}

/* The first CNAME of a name counts (RFC 1034 section 3.6.2 allows only one). 0, or -EBADMSG. */
static int alias_read(struct names *names, const struct pt_dns_record *record)
{
        struct pt_dns_answer *answer = names->answer;
        struct pt_reader r = pt_reader(record->data, record->length);
        unsigned owner, target;

        pt_dns_name_skip(&r);
        if (r.failed || pt_reader_left(&r) > 0)
                return -EBADMSG;
        if (names_find(names, record->owner, &owner) < 0 ||
            names_find(names, (size_t)(record->data - names->dns->message), &target) < 0)
                return -EBADMSG;
        if (owner == NO_PLACE || target == NO_PLACE || answer->alias[owner] != 0)
                return 0;
        answer->alias[owner] = (uint8_t)target;
        answer->alias_ttl[owner] = record->ttl;
        return 0;
}

static bool is_address(const struct pt_dns_record *record)
{
        return record->type == PT_DNS_A || record->type == PT_DNS_AAAA;
}

/* An address record that can be used: class IN, as long as an address of its family, not reserved.
 */
static bool is_sound_address(const struct pt_dns_record *record)
{
        return is_address(record) && record->class == PT_DNS_IN &&
               record->length == (record->type == PT_DNS_A ? 4 : 16) &&
               (record->type == PT_DNS_A || record->data[0] != 0 || record->data[1] != 1);
}

static int address_read(struct names *names, const struct pt_dns_record *record)
{
        struct pt_dns_answer *answer = names->answer;
        struct pt_dns_address *address;
        unsigned owner;

        if (!is_sound_address(record) || answer->count == answer->capacity) {
                answer->skipped++;
                return 0;
        }
        if (names_find(names, record->owner, &owner) < 0)
                return -EBADMSG;
        address = &answer->addresses[answer->count++];
        address->owner = owner == NO_PLACE ? 0 : (uint8_t)owner;
        address->ttl = record->ttl;
        address->address = record->type == PT_DNS_A ? pt_address_from_bytes4(record->data)
                                                    : pt_address_from_bytes16(record->data);
        address->mapped = record->type == PT_DNS_AAAA && pt_address_is_ipv4(&address->address);
        address->hint = false;
        return 0;
}

static bool is_hinting(const struct pt_dns_record *record)
{
        return (record->type == PT_DNS_HTTPS || record->type == PT_DNS_SVCB) &&
               record->class == PT_DNS_IN;
}

static void hint_add(struct pt_dns_answer *answer, const struct pt_address *hint, unsigned owner,
                     uint32_t ttl)
{
        struct pt_dns_address *address;

        if (answer->count == answer->capacity || pt_address_is_reserved(hint)) {
                answer->skipped++;
                return;
        }
        address = &answer->addresses[answer->count++];
        address->address = *hint;
        address->ttl = ttl;
        address->owner = owner == NO_PLACE ? 0 : (uint8_t)owner;
        address->mapped = false;
        address->hint = true;
}

/* What cannot be read of such a record is skipped: clients do without it, and ask for addresses. */
static int hints_read(struct names *names, const struct pt_dns_record *record)
{
        struct pt_svcb svcb = pt_svcb(record->data, record->length);
        size_t target = (size_t)(record->data - names->dns->message) + PT_SVCB_TARGET;
        struct pt_address hint;
        unsigned owner = 0;
        bool found = false;

        while (pt_svcb_next(&svcb, &hint)) {
                if (!found && names_find(names, svcb.own_name ? record->owner : target, &owner) < 0)
                        return -EBADMSG;
                found = true;
                hint_add(names->answer, &hint, owner, record->ttl);
        }
        names->answer->skipped += svcb.failed;
        return 0;
}

/* Without a question the owner of the first address stands for it. */
static bool first_owner(const struct pt_dns *dns, size_t *ret)
{
        struct pt_dns_cursor cursor = {.offset = dns->answers};
        struct pt_dns_record record;

        while (pt_dns_next(dns, &cursor, &record)) {
                if (is_sound_address(&record)) {
                        *ret = record.owner;
                        return true;
                }
        }
        return false;
}

static void names_begin(struct names *names, const struct pt_dns *dns, struct pt_dns_answer *answer)
{
        static const struct pt_dns_name root = {.length = 1};
        struct pt_dns_name name;
        size_t offset;

        names->dns = dns;
        names->answer = answer;
        names->count = 0;
        names->compressed = 0;
        if (dns->has_question)
                names_add(names, &dns->question, name_at(dns, HEADER));
        else if (first_owner(dns, &offset) &&
                 pt_dns_name_read(dns->message, dns->length, offset, &name) == 0)
                names_add(names, &name, name_at(dns, offset));
        else
                names_add(names, &root, NOWHERE);
}

enum pt_dns_kind pt_dns_answer_read(const struct pt_dns *dns, struct pt_dns_answer *answer)
{
        struct names names;
        struct pt_dns_cursor cursor = {.offset = dns->answers};
        struct pt_dns_record record;

        answer->count = 0;
        answer->skipped = 0;
        names_begin(&names, dns, answer);
        while (pt_dns_next(dns, &cursor, &record)) {
                int r = 0;

                if (is_address(&record))
                        r = address_read(&names, &record);
                else if (record.type == PT_DNS_CNAME && record.class == PT_DNS_IN)
                        r = alias_read(&names, &record);
                else if (is_hinting(&record))
                        r = hints_read(&names, &record);
                if (r < 0)
                        return PT_DNS_BAD_RECORD;
        }
        return cursor.failed ? PT_DNS_BAD_RECORD : PT_DNS_OK;
}

size_t pt_dns_answer_chain(const struct pt_dns_answer *answer, uint8_t owner,
                           uint8_t ret[PT_DNS_NAMES])
{
        size_t count = 1;

        /* A chain that runs in circles meets the owner within name_count steps or never. */
        ret[0] = 0;
        while (ret[count - 1] != owner && count < answer->name_count) {
                uint8_t target = answer->alias[ret[count - 1]];

                if (target == 0)
                        break;
                ret[count++] = target;
        }
        if (ret[count - 1] == owner)
                return count;
        ret[1] = owner;
        return 2;
}
