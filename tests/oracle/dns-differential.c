/*
 * dns-differential: our DNS decoder beside ldns, over messages made from a seed.
 *
 *      dns-differential [MESSAGES [SEED]]
 *
 * Where both accept a message they must see the same addresses under the same owners with the same
 * TTLs. Where only one does, there must be one of the reasons below. 0: no difference without one.
 */
#include "wire/dns.h"

#include "messages.h"

#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>

#define ADDRESSES 256
#define PRIVATE_TYPE 65280 /* RFC 6895: ldns takes its data as it is */

/* Why one accepts what the other does not. */
enum reason {
        NO_DIFFERENCE,
        OTHER_OPCODE,    /* we read standard queries only */
        BEHIND_ANSWERS,  /* we do not read the authority and additional sections */
        OTHER_RECORD,    /* we do not read the data of records that give no address */
        UNREAD_NAME,     /* nor their owners, nor a second question */
        POINTER_TO_0,    /* ldns follows pointers into the header, but not to its first octet */
        LONG_NAME,       /* a name that is not needed, longer than any that could replace it */
        CHANGED_NAME,    /* a name made of octets that this comparison changed */
        POINTER_FORWARD, /* ldns follows pointers anywhere (RFC 9267 section 2 says not to) */
        MANY_POINTERS,   /* and up to 65535 of them */
        CNAME_LENGTH,    /* ldns lets the name in a CNAME end before or behind its record */
        REASONS,
};

static const char *const reason_names[REASONS] = {
        [NO_DIFFERENCE] = "no difference",
        [OTHER_OPCODE] = "only ldns: another opcode",
        [BEHIND_ANSWERS] = "only we: a fault behind the answer section",
        [OTHER_RECORD] = "only we: a fault inside a record that gives no address",
        [UNREAD_NAME] = "only we: a fault in a name that is not needed",
        [POINTER_TO_0] = "only we: a pointer to the first octet of the header",
        [LONG_NAME] = "not compared: a name that is not needed and too long",
        [CHANGED_NAME] = "not compared: a name made of octets that were changed here",
        [POINTER_FORWARD] = "only ldns: a pointer that does not lead backwards",
        [MANY_POINTERS] = "only ldns: more than 127 pointers",
        [CNAME_LENGTH] = "only ldns: a CNAME that does not fill its record",
};

static unsigned long tally[REASONS];
static unsigned long compared; /* addresses */
static unsigned long partly;   /* messages that both give up at the same record */
static unsigned long refused;  /* messages that neither reads */

static unsigned be16_at(const uint8_t *bytes)
{
        return (unsigned)bytes[0] << 8 | bytes[1];
}

static void be16_set(uint8_t *bytes, unsigned value)
{
        bytes[0] = (uint8_t)(value >> 8);
        bytes[1] = (uint8_t)value;
}

static void fail(const struct message *m, const char *what)
{
        printf("%s:\n", what);
        for (size_t i = 0; i < m->length; i++)
                printf("%02x%s", m->bytes[i], i % 32 == 31 ? "\n" : "");
        printf("\n");
        exit(1);
}

static ldns_pkt *ldns_accepts(const struct message *m)
{
        ldns_pkt *pkt = NULL;

        if (ldns_wire2pkt(&pkt, m->bytes, m->length) != LDNS_STATUS_OK)
                return NULL;
        return pkt;
}

static bool ldns_reads_name(const struct message *m, size_t at)
{
        ldns_rdf *name = NULL;
        bool reads = ldns_wire2dname(&name, m->bytes, m->length, &at) == LDNS_STATUS_OK;

        ldns_rdf_deep_free(name);
        return reads;
}

/* Length of a name where it stands, 0 if it has no end. */
static size_t name_octets(const struct message *m, size_t at)
{
        size_t start = at;

        while (at < m->length && m->bytes[at] != 0 && m->bytes[at] < 0xc0)
                at += 1u + m->bytes[at];
        if (at < m->length && m->bytes[at] >= 0xc0)
                at++;
        return at < m->length ? at + 1 - start : 0;
}

/* What a name has that one of the two lets pass. */
static enum reason name_fault(const struct message *m, size_t at)
{
        enum reason reason = NO_DIFFERENCE;
        size_t run = at;
        int pointers = 0;

        while (at < m->length && m->bytes[at] != 0) {
                if (m->bytes[at] < 0xc0) {
                        at += 1u + m->bytes[at];
                        continue;
                }
                if (at + 1 >= m->length)
                        break;
                at = be16_at(m->bytes + at) & 0x3fff;
                if (at >= run)
                        return POINTER_FORWARD;
                if (++pointers > 127)
                        return MANY_POINTERS;
                if (at == 0)
                        reason = POINTER_TO_0;
                run = at;
        }
        return reason;
}

static bool is_read(const struct pt_dns_record *r)
{
        if (r->class != PT_DNS_IN)
                return false;
        return r->type == PT_DNS_CNAME || (r->type == PT_DNS_A && r->length == 4) ||
               (r->type == PT_DNS_AAAA && r->length == 16);
}

/*
 * Data that give no address are not ours to judge: let ldns step over them too. (It would go on
 * where the data end by their own word, and take the first octets of any A record for an address.)
 */
static void hide_unread_data(struct message *m, const struct pt_dns *dns)
{
        struct pt_dns_cursor cursor = {.offset = dns->answers};
        struct pt_dns_record r;

        while (pt_dns_next(dns, &cursor, &r))
                if (!is_read(&r))
                        be16_set(m->bytes + (r.data - dns->message) - 10, PRIVATE_TYPE);
}

/* Make something of the same length that ldns takes for a name. */
static void overwrite_name(struct message *m, size_t at, size_t octets)
{
        while (octets > 2) {
                size_t label = octets - 2 > 63 ? 63 : octets - 2;

                m->bytes[at] = (uint8_t)label;
                memset(m->bytes + at + 1, 'x', label);
                at += 1 + label;
                octets -= 1 + label;
        }
        if (octets ==
            2) /* to the last octet of the header, 0 where no additional record is counted */
                be16_set(m->bytes + at, 0xc000 | 11);
        else
                m->bytes[at] = 0;
}

static void overwrite_unread_name(struct message *m, size_t at)
{
        if (!ldns_reads_name(m, at))
                overwrite_name(m, at, name_octets(m, at));
}

/*
 * ldns on the message without what we do not read: what stands behind `records` answers, then
 * names that are not needed. Returns the last part that had to go.
 */
static enum reason strip(struct message *m, const struct pt_dns *dns, uint16_t records,
                         ldns_pkt **ret)
{
        struct pt_dns_cursor cursor = {.offset = dns->answers};
        struct pt_dns_record r;
        size_t at = 12;

        be16_set(m->bytes + 6, records);
        be16_set(m->bytes + 8, 0);
        be16_set(m->bytes + 10, 0);
        if ((*ret = ldns_accepts(m)))
                return BEHIND_ANSWERS;
        for (unsigned i = 0; i < dns->questions; i++) {
                size_t octets = name_octets(m, at);

                if (i > 0)
                        overwrite_unread_name(m, at);
                at += octets + 4;
        }
        while (cursor.seen < records && pt_dns_next(dns, &cursor, &r))
                if (!is_read(&r))
                        overwrite_unread_name(m, r.owner);
        *ret = ldns_accepts(m);
        return UNREAD_NAME;
}

static bool is_address(const ldns_rr *rr)
{
        ldns_rr_type type = ldns_rr_get_type(rr);

        return ldns_rr_get_class(rr) == LDNS_RR_CLASS_IN &&
               (type == LDNS_RR_TYPE_A || type == LDNS_RR_TYPE_AAAA);
}

static bool same_name(const ldns_rdf *theirs, const struct pt_dns_name *ours)
{
        struct pt_dns_name name = {.length = (uint8_t)ldns_rdf_size(theirs)};

        memcpy(name.wire, ldns_rdf_data(theirs), name.length);
        return pt_dns_name_equal(&name, ours);
}

static bool same_address(const ldns_rr *rr, const struct pt_dns_answer *answer,
                         const struct pt_dns_address *ours)
{
        const ldns_rdf *data = ldns_rr_rdf(rr, 0);
        struct pt_address address = ldns_rdf_size(data) == 4
                                            ? pt_address_from_bytes4(ldns_rdf_data(data))
                                            : pt_address_from_bytes16(ldns_rdf_data(data));

        if (ldns_rr_ttl(rr) != ours->ttl || !pt_address_equal(&address, &ours->address))
                return false;
        /* Past the names that are remembered an owner is given as the question. */
        return same_name(ldns_rr_owner(rr), &answer->names[ours->owner]) ||
               (answer->name_count == PT_DNS_NAMES && ours->owner == 0);
}

static void compare(const struct message *m, const ldns_pkt *pkt, const struct pt_dns *dns,
                    const struct pt_dns_answer *answer)
{
        const ldns_rr_list *list = ldns_pkt_answer(pkt);
        size_t ours = 0;

        if (ldns_pkt_id(pkt) != dns->id)
                fail(m, "another id");
        if (dns->has_question &&
            !same_name(ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_question(pkt), 0)), &dns->question))
                fail(m, "another question");
        for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
                const ldns_rr *rr = ldns_rr_list_rr(list, i);

                if (!is_address(rr))
                        continue;
                if (ours == answer->count || !same_address(rr, answer, &answer->addresses[ours]))
                        fail(m, "ldns sees another address, owner or TTL");
                ours++;
        }
        if (ours != answer->count)
                fail(m, "we see an address more");
        compared += ours;
}

static bool name_differs(const struct message *m, const struct message *other, size_t at)
{
        while (at < m->length && m->bytes[at] != 0) {
                size_t octets = m->bytes[at] < 0xc0 ? 1u + m->bytes[at] : 2;

                if (m->bytes[at] != other->bytes[at])
                        return true;
                if (at + octets > m->length)
                        return false;
                if (memcmp(m->bytes + at, other->bytes + at, octets) != 0)
                        return true;
                at = octets == 2 && m->bytes[at] >= 0xc0 ? be16_at(m->bytes + at) & 0x3fff
                                                         : at + octets;
        }
        return at < m->length && other->bytes[at] != 0;
}

static bool has_long_name(const struct message *m, const struct pt_dns *dns, uint16_t records)
{
        struct pt_dns_cursor cursor = {.offset = dns->answers};
        struct pt_dns_record r;
        size_t at = 12;

        for (unsigned i = 0; i < dns->questions; i++) {
                if (name_octets(m, at) > 255)
                        return true;
                at += name_octets(m, at) + 4;
        }
        while (cursor.seen < records && pt_dns_next(dns, &cursor, &r))
                if (!is_read(&r) && name_octets(m, r.owner) > 255)
                        return true;
        return false;
}

/* What keeps the names that we need from being compared between the message and a changed one. */
static enum reason names_fault(const struct message *m, const struct message *changed,
                               const struct pt_dns *dns, uint16_t records)
{
        struct pt_dns_cursor cursor = {.offset = dns->answers};
        struct pt_dns_record r = {.owner = 12, .type = 0};
        bool read = dns->has_question;

        do {
                size_t names[2] = {r.owner, r.owner};

                if (read && r.type == PT_DNS_CNAME)
                        names[1] = (size_t)(r.data - dns->message);
                for (int i = 0; read && i < 2; i++) {
                        if (name_fault(m, names[i]) == POINTER_TO_0)
                                return POINTER_TO_0;
                        if (name_differs(m, changed, names[i]))
                                return CHANGED_NAME;
                }
        } while (cursor.seen < records && pt_dns_next(dns, &cursor, &r) && (read = is_read(&r), 1));
        return NO_DIFFERENCE;
}

/* How many records can be read before one cannot. */
static uint16_t sound_records(const struct pt_dns *dns, struct pt_dns_answer *answer)
{
        struct pt_dns part = *dns;

        part.records = 1;
        while (pt_dns_answer_read(&part, answer) == PT_DNS_OK)
                part.records++;
        part.records--;
        pt_dns_answer_read(&part, answer);
        return part.records;
}

/* We stop at a record that ldns reads. */
static enum reason record_fault(const struct message *m, const struct pt_dns *dns, uint16_t records)
{
        struct pt_dns_cursor cursor = {.offset = dns->answers};
        struct pt_dns_record r;
        enum reason reason;
        size_t data;

        while (cursor.seen <= records && pt_dns_next(dns, &cursor, &r))
                ;
        if (cursor.failed)
                return REASONS;
        reason = name_fault(m, r.owner);
        if (reason != NO_DIFFERENCE || r.type != PT_DNS_CNAME)
                return reason != NO_DIFFERENCE ? reason : REASONS;
        data = (size_t)(r.data - dns->message);
        if (r.length == 0 || name_octets(m, data) != r.length)
                return CNAME_LENGTH;
        reason = name_fault(m, data);
        return reason != NO_DIFFERENCE ? reason : REASONS;
}

/* We stop where ldns must too, or have a reason; what stands before is compared like the rest. */
static uint16_t check_stop(const struct message *m, const struct message *changed,
                           const struct pt_dns *dns, struct pt_dns_answer *answer)
{
        uint16_t records = sound_records(dns, answer);
        struct message stripped = *changed;
        ldns_pkt *pkt;
        enum reason reason;

        strip(&stripped, dns, (uint16_t)(records + 1), &pkt);
        if (!pkt) {
                partly++;
                return records;
        }
        reason = record_fault(m, dns, records);
        if (names_fault(m, &stripped, dns, (uint16_t)(records + 1)) == CHANGED_NAME)
                reason = CHANGED_NAME;
        if (reason == REASONS)
                fail(m, "ldns reads a record that we do not");
        tally[reason]++;
        ldns_pkt_free(pkt);
        return records;
}

static void check_answers(const struct message *m, const struct pt_dns *dns)
{
        struct pt_dns_address addresses[ADDRESSES];
        struct pt_dns_answer answer = {.addresses = addresses, .capacity = ADDRESSES};
        ldns_pkt *pkt = ldns_accepts(m);
        enum reason reason = pkt ? NO_DIFFERENCE : OTHER_RECORD;
        enum pt_dns_kind kind = pt_dns_answer_read(dns, &answer);
        uint16_t records = dns->records;
        struct message changed = *m;
        enum reason fault;

        ldns_pkt_free(pkt);
        hide_unread_data(&changed, dns);
        if (kind == PT_DNS_BAD_RECORD)
                records = check_stop(m, &changed, dns, &answer);
        pkt = kind == PT_DNS_OK ? ldns_accepts(&changed) : NULL;
        if (!pkt)
                reason = strip(&changed, dns, records, &pkt);
        fault = names_fault(m, &changed, dns, records);
        if (!pkt && fault == NO_DIFFERENCE && has_long_name(m, dns, records))
                fault = LONG_NAME;
        if (!pkt && fault == NO_DIFFERENCE)
                fail(m, "we read a message that ldns does not");
        if (pkt && fault != CHANGED_NAME)
                compare(m, pkt, dns, &answer);
        if (kind == PT_DNS_OK)
                tally[fault != NO_DIFFERENCE ? fault : reason]++;
        ldns_pkt_free(pkt);
}

/* ldns reads what we give up at once: a question, or an opcode. */
static void check_refused(const struct message *m, enum pt_dns_kind kind)
{
        struct message stripped = *m;
        ldns_pkt *pkt = NULL;
        enum reason reason = REASONS;

        if (m->length >= 12) {
                memset(stripped.bytes + 6, 0, 6);
                pkt = ldns_accepts(&stripped);
        }
        if (!pkt) {
                refused++;
                return;
        }
        if (kind == PT_DNS_OTHER_OPCODE)
                reason = ldns_pkt_get_opcode(pkt) != LDNS_PACKET_QUERY ? OTHER_OPCODE : REASONS;
        else if (kind == PT_DNS_BAD_QUESTION)
                reason = name_differs(m, &stripped, 12) ? CHANGED_NAME : name_fault(m, 12);
        if (reason == REASONS || reason == NO_DIFFERENCE)
                fail(m, "ldns reads a message that we do not");
        tally[reason]++;
        ldns_pkt_free(pkt);
}

int main(int argc, char **argv)
{
        unsigned long messages = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
        struct chance chance = {argc > 2 ? strtoull(argv[2], NULL, 10) : 1};

        for (unsigned long i = 0; i < messages; i++) {
                struct message m;
                struct pt_dns dns;
                enum pt_dns_kind kind;

                message_make(&m, &chance);
                kind = pt_dns_parse(m.bytes, m.length, &dns);
                if (kind == PT_DNS_OK)
                        check_answers(&m, &dns);
                else
                        check_refused(&m, kind);
        }
        printf("%lu messages, %lu addresses compared\n", messages, compared);
        printf("%8lu  neither reads\n%8lu  both stop at the same record\n", refused, partly);
        for (int i = 0; i < REASONS; i++)
                printf("%8lu  %s\n", tally[i], reason_names[i]);
        /* Messages that nobody reads would compare nothing. */
        return compared > messages / 2 && tally[NO_DIFFERENCE] > messages / 4 ? 0 : 1;
}
