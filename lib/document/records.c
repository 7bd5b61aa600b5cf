/*
 * records: dns.* of a document, from an answer that was kept and from a message.
 */
#include <stdio.h>

#include "document/document.h"
#include "wire/svcb.h"
#include "document/words.h"

static void header(struct pt_document *doc, json_t *group, uint16_t id, uint16_t flags)
{
        static const struct {
                uint16_t bit;
                const char *name;
        } bits[] = {{PT_DNS_AA, "AA"}, {PT_DNS_TC, "TC"}, {PT_DNS_RD, "RD"},
                    {PT_DNS_RA, "RA"}, {PT_DNS_AD, "AD"}, {PT_DNS_CD, "CD"}};
        char text[PT_WORDS_DNS];
        json_t *list = NULL;

        pt_document_text(doc, group, "type", "answer");
        snprintf(text, sizeof text, "%u", id);
        pt_document_text(doc, group, "id", text);
        pt_document_text(doc, group, "op_code", "QUERY"); /* messages of others are not read */
        pt_document_text(doc, group, "response_code", pt_words_dns_code(flags, text));
        for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
                if (!(flags & bits[i].bit))
                        continue;
                if (!list)
                        list = pt_document_array(doc, group, "header_flags");
                pt_document_append(doc, list, bits[i].name);
        }
}

static void question(struct pt_document *doc, json_t *group, const struct pt_dns_name *name,
                     uint16_t type, uint16_t class)
{
        json_t *object = pt_document_object(doc, group, "question");
        char text[PT_WORDS_DNS];

        pt_document_host(doc, object, "name", name);
        if (type) {
                pt_document_text(doc, object, "type", pt_words_dns_type(type, text));
                pt_document_text(doc, object, "class", pt_words_dns_class(class, text));
        }
}

/* One record of dns.answers: name, type, class, and an object to put the rest into. */
static json_t *record(struct pt_document *doc, json_t *answers, const struct pt_dns_name *name,
                      uint16_t type, uint16_t class)
{
        json_t *object = pt_document_append_object(doc, answers);
        char text[PT_WORDS_DNS];

        pt_document_host(doc, object, "name", name);
        pt_document_text(doc, object, "type", pt_words_dns_type(type, text));
        pt_document_text(doc, object, "class", pt_words_dns_class(class, text));
        return object;
}

/* An address as its record has it. */
struct kept {
        const struct pt_address *address;
        bool mapped;
        bool hint;
        uint32_t ttl;
        bool no_ttl; /* a log did not say */
};

/* A hint stood in a record of the type that was asked for, as the parameter that it is shown as. */
static void hint_record(struct pt_document *doc, json_t *answers, const struct pt_dns_name *owner,
                        const struct kept *kept, uint16_t question_type)
{
        uint16_t type = question_type == PT_DNS_SVCB ? PT_DNS_SVCB : PT_DNS_HTTPS;
        json_t *object = record(doc, answers, owner, type, PT_DNS_IN);
        bool ipv4 = pt_address_is_ipv4(kept->address);
        char address[PT_ADDRESS_TEXT], text[PT_ADDRESS_TEXT + sizeof "ipv4hint="];

        pt_document_integer(doc, object, "ttl", kept->ttl);
        snprintf(text, sizeof text, "%s=%s", ipv4 ? "ipv4hint" : "ipv6hint",
                 pt_address_format(kept->address, address));
        pt_document_text(doc, object, "data", text);
}

static void address_record(struct pt_document *doc, json_t *answers,
                           const struct pt_dns_name *owner, const struct kept *kept)
{
        bool a = pt_address_is_ipv4(kept->address) && !kept->mapped;
        json_t *object = record(doc, answers, owner, a ? PT_DNS_A : PT_DNS_AAAA, PT_DNS_IN);

        if (!kept->no_ttl)
                pt_document_integer(doc, object, "ttl", kept->ttl);
        pt_document_ip(doc, object, "data", kept->address);
}

static void kept_record(struct pt_document *doc, json_t *answers,
                        const struct pt_evidence *evidence, const struct kept *kept)
{
        const struct pt_dns_name *owner = &evidence->chain[evidence->chain_count - 1];

        if (kept->hint)
                hint_record(doc, answers, owner, kept, evidence->question_type);
        else
                address_record(doc, answers, owner, kept);
}

/* Is the address of the evidence among those that were kept of its answer? */
static bool is_among(const struct pt_evidence *evidence)
{
        for (size_t i = 0; i < evidence->address_count; i++)
                if (pt_address_equal(&evidence->addresses[i], &evidence->address))
                        return true;
        return false;
}

void pt_document_evidence(struct pt_document *doc, const struct pt_evidence *evidence)
{
        const struct pt_dns_name *owner = &evidence->chain[evidence->chain_count - 1];
        json_t *group = pt_document_object(doc, doc->root, "dns"), *answers, *resolved;
        bool no_ttl = evidence->lacks & PT_LOGGED_NO_TTL;

        header(doc, group, evidence->id, evidence->flags);
        question(doc, group, &evidence->chain[0], evidence->question_type, PT_DNS_IN);
        answers = pt_document_array(doc, group, "answers");
        for (const struct pt_dns_name *name = evidence->chain;
             name < owner && !evidence->chain_broken; name++)
                pt_document_host(doc, record(doc, answers, name, PT_DNS_CNAME, PT_DNS_IN), "data",
                                 name + 1);
        for (size_t i = 0; i < evidence->address_count; i++)
                kept_record(doc, answers, evidence,
                            &(struct kept){&evidence->addresses[i], evidence->mapped[i],
                                           evidence->hint[i], evidence->ttls[i], no_ttl});
        if (!is_among(evidence))
                kept_record(doc, answers, evidence,
                            &(struct kept){&evidence->address, evidence->address_mapped,
                                           evidence->address_hint, evidence->ttl, no_ttl});
        resolved = pt_document_array(doc, group, "resolved_ip");
        for (size_t i = 0; i < evidence->address_count; i++)
                pt_document_append_ip(doc, resolved, &evidence->addresses[i]);
        pt_document_append_ip(doc, resolved, &evidence->address);
}

/* The address that a record of class IN holds; false if it holds none. */
static bool address_of(const struct pt_dns_record *r, struct pt_address *ret)
{
        if (r->class != PT_DNS_IN)
                return false;
        if (r->type == PT_DNS_A && r->length == 4)
                *ret = pt_address_from_bytes4(r->data);
        else if (r->type == PT_DNS_AAAA && r->length == 16)
                *ret = pt_address_from_bytes16(r->data);
        else
                return false;
        return true;
}

/* The address hints of a record: none if it is of a type that has none. */
static struct pt_svcb hints_of(const struct pt_dns_record *r)
{
        bool hinting = (r->type == PT_DNS_HTTPS || r->type == PT_DNS_SVCB) && r->class == PT_DNS_IN;

        return pt_svcb(r->data, hinting ? r->length : 0);
}

static void message_record(struct pt_document *doc, const struct pt_dns *dns,
                           const struct pt_dns_record *r, json_t *answers)
{
        struct pt_dns_name name;
        struct pt_address address;
        json_t *object;

        if (pt_dns_name_read(dns->message, dns->length, r->owner, &name) < 0)
                return;
        object = record(doc, answers, &name, r->type, r->class);
        pt_document_integer(doc, object, "ttl", r->ttl);
        if (address_of(r, &address))
                pt_document_ip(doc, object, "data", &address);
        else if (r->type == PT_DNS_CNAME &&
                 pt_dns_name_read(dns->message, dns->length, (size_t)(r->data - dns->message),
                                  &name) == 0)
                pt_document_host(doc, object, "data", &name);
}

/* The addresses among the first records, each once. */
static void message_addresses(struct pt_document *doc, const struct pt_dns *dns, json_t *group)
{
        struct pt_dns_cursor cursor = {.offset = dns->answers};
        struct pt_dns_record r;
        struct pt_address address;
        json_t *resolved = NULL;

        for (unsigned i = 0; i < PT_DOCUMENT_RECORDS && pt_dns_next(dns, &cursor, &r); i++) {
                struct pt_svcb svcb = hints_of(&r);
                bool has = address_of(&r, &address) || pt_svcb_next(&svcb, &address);

                for (; has; has = pt_svcb_next(&svcb, &address)) {
                        if (!resolved)
                                resolved = pt_document_array(doc, group, "resolved_ip");
                        pt_document_append_ip(doc, resolved, &address);
                }
        }
}

unsigned pt_document_message(struct pt_document *doc, const struct pt_dns *dns)
{
        json_t *group = pt_document_object(doc, doc->root, "dns"), *answers;
        struct pt_dns_cursor cursor = {.offset = dns->answers};
        struct pt_dns_record r;
        unsigned count = 0;

        header(doc, group, dns->id, dns->flags);
        if (dns->has_question)
                question(doc, group, &dns->question, dns->question_type, dns->question_class);
        answers = pt_document_array(doc, group, "answers");
        for (; pt_dns_next(dns, &cursor, &r); count++)
                if (count < PT_DOCUMENT_RECORDS)
                        message_record(doc, dns, &r, answers);
        if (json_array_size(answers) == 0)
                json_object_del(group, "answers");
        message_addresses(doc, dns, group);
        return count;
}
