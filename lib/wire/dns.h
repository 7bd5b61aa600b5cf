/*
 * dns: a DNS message (RFC 1035) -> a view of its question and its answer section.
 */
#pragma once

#include "base/address.h"
#include "wire/name.h"

#define PT_DNS_PORT 53

/* Record types and classes that matter here (RFC 1035, 3596, 6672). */
#define PT_DNS_A 1
#define PT_DNS_CNAME 5
#define PT_DNS_AAAA 28
#define PT_DNS_DNAME 39
#define PT_DNS_SVCB 64 /* RFC 9460 */
#define PT_DNS_HTTPS 65
#define PT_DNS_IN 1

/* Flags of the header's second word (RFC 1035 section 4.1.1, RFC 4035 section 3). */
#define PT_DNS_QR 0x8000
#define PT_DNS_OPCODE(flags) (((flags) >> 11) & 15)
#define PT_DNS_AA 0x0400
#define PT_DNS_TC 0x0200
#define PT_DNS_RD 0x0100
#define PT_DNS_RA 0x0080
#define PT_DNS_AD 0x0020
#define PT_DNS_CD 0x0010
#define PT_DNS_RCODE(flags) ((flags)&15)

/* What a message turned out to be. Sound records before a fault are still used. */
enum pt_dns_kind {
        PT_DNS_OK,
        PT_DNS_SHORT,        /* fewer than 12 octets */
        PT_DNS_OTHER_OPCODE, /* not a standard query or its answer */
        PT_DNS_BAD_QUESTION, /* the question section cannot be read: nothing after it can either */
        PT_DNS_BAD_RECORD,   /* the answer section ends in a record that cannot be read */
        PT_DNS_KINDS,
};

const char *pt_dns_kind_name(enum pt_dns_kind kind);

/* Header and first question. Counts are what the message claims, nothing is sized by them. */
struct pt_dns {
        const uint8_t *message;
        size_t length;
        uint16_t id;
        uint16_t flags;
        uint16_t questions;
        uint16_t records; /* claimed number of records in the answer section */
        bool has_question;
        struct pt_dns_name question;
        uint16_t question_type;
        uint16_t question_class;
        size_t answers; /* offset of the answer section */
};

/* Read header and question section: OK, SHORT, OTHER_OPCODE or BAD_QUESTION. */
enum pt_dns_kind pt_dns_parse(const uint8_t *message, size_t length, struct pt_dns *ret);

/* A record of the answer section, its owner name and data still compressed in the message. */
struct pt_dns_record {
        size_t owner; /* offset of the owner name */
        uint16_t type;
        uint16_t class;
        uint32_t ttl;
        const uint8_t *data;
        uint16_t length;
};

/* Walks the answer section. Begin with {.offset = dns->answers}. */
struct pt_dns_cursor {
        size_t offset;
        uint16_t seen;
        bool failed; /* the record at `offset` cannot be read */
};

/* The next record: true with `ret` written; false at the end, or with cursor->failed. */
bool pt_dns_next(const struct pt_dns *dns, struct pt_dns_cursor *cursor, struct pt_dns_record *ret);

/* The addresses of an answer, with the names they stand under. */
#define PT_DNS_NAMES 18 /* question, and owners and targets of CNAME chains, per answer */

struct pt_dns_address {
        struct pt_address address;
        uint32_t ttl;
        uint8_t owner; /* into names[] of the answer */
        bool mapped;   /* an IPv4 address that stood in an AAAA record (::ffff:0:0/96) */
        bool hint;     /* of an SVCB or HTTPS record, not a record of its own */
};

struct pt_dns_answer {
        struct pt_dns_name names[PT_DNS_NAMES]; /* names[0] is the question */
        uint8_t alias[PT_DNS_NAMES];            /* CNAME target of each name, 0 if none */
        uint32_t alias_ttl[PT_DNS_NAMES];
        uint8_t name_count;
        struct pt_dns_address *addresses; /* the caller's, room for `capacity` */
        size_t capacity;
        size_t count;
        uint32_t skipped; /* address records and hints of a wrong length or class, or past capacity
                           */
};

/*
 * Collect every A and AAAA record of class IN of the answer section, and the address hints of its
 * SVCB and HTTPS records, in message order, whatever the order of the CNAME records. A hint's owner
 * is the target of its record. A name past PT_DNS_NAMES is recorded as the question's, and so is
 * one that is not known yet when 64 have been read through pointers: honest messages have far
 * fewer. A message without a question takes the first address record's owner for it. OK, or
 * BAD_RECORD: what stood before the bad record is in `answer`.
 */
enum pt_dns_kind pt_dns_answer_read(const struct pt_dns *dns, struct pt_dns_answer *answer);

/*
 * The way from the question to `owner`, along CNAME records: places in names[], question and owner
 * included. If the chain does not lead there it is {0, owner}. Returns how many were written.
 */
size_t pt_dns_answer_chain(const struct pt_dns_answer *answer, uint8_t owner,
                           uint8_t ret[PT_DNS_NAMES]);
