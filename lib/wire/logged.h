/*
 * logged: what another program's log says of one answer, query or connection, as the octets of a
 * frame. So it goes the way that packets go: merged with others in time, held back while its time
 * is in doubt, judged by the same code. No capture file can hold such a frame: its link type is
 * above the 65535 that fit into one.
 *
 * A log says less than packets do. What is missing is named with it, and stands in alerts.
 */
#pragma once

#include "wire/dns.h"
#include "portent.h"

#define PT_LINK_LOGGED 0x10000

enum pt_logged_kind {
        PT_LOGGED_ANSWER,
        PT_LOGGED_QUERY,
        PT_LOGGED_CONNECTION, /* over TCP; its SYN was seen */
        PT_LOGGED_CONTACT,    /* over UDP to port 443, for the contact test alone */
        PT_LOGGED_KINDS,
};

enum pt_logged_source {
        PT_LOGGED_NOWHERE, /* it is of a packet */
        PT_LOGGED_ZEEK,
        PT_LOGGED_SURICATA,
        PT_LOGGED_SOURCES,
};

/* "zeek", "suricata" */
const char *pt_logged_source_name(enum pt_logged_source source);

/* What the log does not say, as bits; pt_logged_lack_name() has them in this order. */
enum {
        PT_LOGGED_NO_OWNERS = 1,   /* under which names the addresses stand */
        PT_LOGGED_NO_TTL = 2,      /* TTLs */
        PT_LOGGED_NO_QUESTION = 4, /* what was asked for: a record's owner stands for it */
        PT_LOGGED_LATE =
                8, /* it stood too far behind others in the log: judged later than it was */
        PT_LOGGED_LACKS = 4, /* how many there are */
};

/* "owners" for the bit 1 << 0, and so on. */
const char *pt_logged_lack_name(unsigned place);

/*
 * A name as logs write it: labels between dots, octets that are no text as \xNN. 0; -EINVAL if it
 * is too long, or has a label that is.
 */
int pt_logged_name(const char *text, size_t length, struct pt_dns_name *ret);

/* The number of a record type, as "AAAA" or "TYPE65280"; 0 if it is unknown. */
uint16_t pt_logged_type(const char *text, size_t length);

#define PT_LOGGED_ADDRESSES 64 /* of an answer that are kept */

struct pt_logged {
        enum pt_logged_kind kind;
        enum pt_logged_source source;
        uint8_t lacks;
        bool ipv6;
        bool asked; /* the log itself has seen the query of this answer */
        int64_t wall;
        struct pt_address client;
        struct pt_address server; /* the resolver, or the destination */
        uint16_t client_port;
        uint16_t server_port;
        uint16_t id; /* of DNS messages */
        uint16_t flags;
        uint16_t question_type;
};

/* Octets of a frame at most, and of the frame of a connection. */
#define PT_LOGGED_FIXED 64
#define PT_LOGGED_MOST                                                               \
        (PT_LOGGED_FIXED + (size_t)PT_DNS_NAMES * (sizeof(struct pt_dns_name) + 5) + \
         (size_t)PT_LOGGED_ADDRESSES * 22)

/*
 * Write it, with the names and addresses of `answer` if it is an answer (names[0] alone if it is a
 * query). Returns how many octets; `ret` has room for PT_LOGGED_MOST.
 */
size_t pt_logged_write(const struct pt_logged *logged, const struct pt_dns_answer *answer,
                       uint8_t *ret);

/*
 * Read it. `answer` comes with room for addresses, and what does not fit is counted there as
 * skipped. 0, or -EBADMSG.
 */
int pt_logged_read(const uint8_t *bytes, size_t length, struct pt_logged *ret,
                   struct pt_dns_answer *answer);
