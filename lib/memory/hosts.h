/*
 * hosts: what every client was given by DNS (design 4.5, 4.7, 8).
 *
 * A client has answers, newest first; an answer has resolutions, one for each address; names are
 * interned. All of it lives in the cells of one pool. When there is no room, clients that never
 * spoke give way first, then the oldest answer of the client that holds most; a proven client that
 * holds less than its fair share loses nothing.
 *
 * Clients and resolutions are known by links (cell numbers, 0 is none), good until the next learn.
 * An IPv6 address that holds an IPv4 one (NAT64, RFC 6052) is looked up as that IPv4 address.
 */
#pragma once

#include "base/address.h"
#include "base/counter.h"
#include "wire/dns.h"
#include "base/hash.h"
#include "wire/logged.h"
#include "memory/pool.h"

struct pt_hosts_settings {
        size_t memory; /* octets for cells and heads together */
        int64_t reorder;
        int64_t window;
        int64_t max_window;
        struct pt_prefixes nat64; /* /96 prefixes beside ::ffff:0:0/96 */
        struct pt_hash_key key;
};

struct pt_hosts;

/* 0, or -ENOMEM. Borrows the counters. */
int pt_hosts_new(const struct pt_hosts_settings *settings, struct pt_counters *counters,
                 struct pt_hosts **ret);

/* Octets that it takes besides settings->memory. */
size_t pt_hosts_besides(void);
struct pt_hosts *pt_hosts_free(struct pt_hosts *hosts);

/* The address that is looked up: an embedded IPv4 address stands for the one that embeds it. */
struct pt_address pt_hosts_canonical(const struct pt_hosts *hosts, const struct pt_address *a);

/* One DNS answer to one client. */
struct pt_given {
        struct pt_address client;
        struct pt_address resolver;
        int64_t time;    /* engine time */
        int64_t wall;    /* packet time */
        uint64_t number; /* packet in its file, 0 if none */
        uint32_t file;
        uint16_t id;
        uint16_t flags;
        uint16_t question_type;
        bool asked; /* its query was seen (4.8) */
        enum pt_logged_source source;
        uint8_t lacks; /* what that does not say: see logged.h */
        const struct pt_dns_answer *answer;
        uint64_t question_hash; /* pt_dns_name_hash() of its first name, 0 where nobody made it */
};

enum pt_learned {
        PT_LEARNED,
        PT_LEARNED_COPY,    /* the same answer was learned within a second: nothing changed */
        PT_LEARNED_NO_ROOM, /* counted as cache.refused */
};

enum pt_learned pt_hosts_learn(struct pt_hosts *hosts, const struct pt_given *given);

/*
 * Fetch what learning an answer will touch, what a look for a client will, and what judging a SYN
 * will: one link further with each step, from 0. Hints: they change nothing.
 */
#define PT_HOSTS_STEPS 4

void pt_hosts_fetch_learn(const struct pt_hosts *hosts, const struct pt_address *client,
                          const struct pt_dns_answer *answer, uint64_t question_hash,
                          unsigned step);
void pt_hosts_fetch_client(const struct pt_hosts *hosts, const struct pt_address *client,
                           unsigned step);
void pt_hosts_fetch_pair(const struct pt_hosts *hosts, const struct pt_address *client,
                         const struct pt_address *destination, unsigned step);

/* The client spoke (sent a SYN): from now on it is proven, if it is known at all. */
void pt_hosts_prove(struct pt_hosts *hosts, const struct pt_address *client);

/* Has this address ever received DNS (and is it still remembered)? 0 if not. */
uint32_t pt_hosts_client(const struct pt_hosts *hosts, const struct pt_address *client);

/*
 * The newest resolution of the destination that this client was given and that counts at `time`.
 * What was answered before then explains a connection better than what the mirror delivered behind
 * it.
 */
uint32_t pt_hosts_given(const struct pt_hosts *hosts, const struct pt_address *client,
                        const struct pt_address *destination, int64_t time);

/* Was the answer of this resolution asked for (4.8)? Of those that count, was any? */
bool pt_hosts_asked(const struct pt_hosts *hosts, uint32_t resolution);
bool pt_hosts_given_asked(const struct pt_hosts *hosts, const struct pt_address *client,
                          const struct pt_address *destination, int64_t time);

/* Was any answer to this client ever asked for? */
bool pt_hosts_asks(const struct pt_hosts *hosts, uint32_t client);

/* Is no newer resolution of the same client and address counting at `time`? */
bool pt_hosts_is_newest(const struct pt_hosts *hosts, uint32_t resolution, int64_t time);

/* The newest one that another client was given. */
uint32_t pt_hosts_given_other(const struct pt_hosts *hosts, const struct pt_address *client,
                              const struct pt_address *destination, int64_t time);

/* The newest one that this client was given whenever: also one that counts no longer. */
uint32_t pt_hosts_given_ever(const struct pt_hosts *hosts, const struct pt_address *client,
                             const struct pt_address *destination);

/* What a client was given, newest answer first, in record order within an answer. */
struct pt_hosts_walk {
        uint32_t resolution;
        uint32_t older; /* the answer behind its own */
};

struct pt_resolution_view {
        uint32_t link;
        struct pt_address address; /* canonical */
        int64_t time;
        bool counts; /* at the time asked for */
        bool asked;  /* the query of its answer was seen (4.8) */
};

struct pt_hosts_walk pt_hosts_walk(const struct pt_hosts *hosts, uint32_t client);

/* The next one; false at the end, and at the first answer that is older than `oldest`. */
bool pt_hosts_next(const struct pt_hosts *hosts, struct pt_hosts_walk *walk, int64_t time,
                   int64_t oldest, struct pt_resolution_view *ret);

/* The client contacted the destination (4.5). */
void pt_hosts_contact(struct pt_hosts *hosts, const struct pt_address *client,
                      const struct pt_address *destination, int64_t time);

/*
 * Mark every question name that the client contacted strictly before `time`, or take the marks
 * away; and ask whether the question name of a resolution is marked. Between the two nothing is
 * learned. Where the resolution was asked for, what counts is a contact of an address that was
 * asked for too: whoever forges answers can tell any name of an address that the client uses.
 */
void pt_hosts_mark_contacted(struct pt_hosts *hosts, uint32_t client, int64_t time, bool mark);
bool pt_hosts_marked(const struct pt_hosts *hosts, uint32_t resolution);

/*
 * A client's signature: filters over the ports and the addresses that the rules yield for what it
 * was given. The cells are kept here, one for each kind on first use; signature.c fills and reads
 * them. Who is given an IPv4 address and has a signature is signed at once, while all of it is at
 * hand.
 */
enum pt_filter_kind {
        PT_FILTER_PORTS,
        PT_FILTER_ADDRESSES,
        PT_FILTER_KINDS,
};

struct pt_filter {
        int64_t rebuilt; /* when it was filled from nothing, engine time */
        uint32_t next;   /* link of the next kind */
        uint32_t filled; /* under which rules: see pt_hosts_round(); 0 for not at all */
        uint64_t bits[6];
};

/*
 * The rules' number: filters that were filled in another round are not filled. A new round begins
 * when the rules change.
 */
uint32_t pt_hosts_round(const struct pt_hosts *hosts);
void pt_hosts_next_round(struct pt_hosts *hosts);

/* NULL if there is no cell for it. */
struct pt_filter *pt_hosts_filter(struct pt_hosts *hosts, uint32_t client,
                                  enum pt_filter_kind kind);

/* Who signs: called with the filters there are, NULL for a kind that is not filled. */
typedef void pt_hosts_sign(void *context, struct pt_filter *filters[PT_FILTER_KINDS],
                           uint32_t ipv4);

void pt_hosts_set_sign(struct pt_hosts *hosts, pt_hosts_sign *sign, void *context);

/* A resolution and its answer, copied out for people. */
#define PT_EVIDENCE_ADDRESSES 32
#define PT_EVIDENCE_NAMES 8

struct pt_evidence {
        struct pt_address client;  /* who was given it */
        struct pt_address address; /* as it stood in the record */
        struct pt_address key;     /* canonical */
        uint32_t ttl;
        int64_t time; /* of the answer, engine time */
        int64_t wall; /* of the answer, packet time */
        uint64_t number;
        uint32_t file;
        uint16_t id;
        uint16_t flags;
        uint16_t question_type;
        bool asked;
        bool address_mapped;
        bool address_hint; /* of an SVCB or HTTPS record */
        enum pt_logged_source source;
        uint8_t lacks; /* what that does not say: see logged.h; PT_LOGGED_LATE is not kept */
        struct pt_address resolver;
        struct pt_dns_name chain[PT_DNS_NAMES]; /* question first, owner of the address last */
        size_t chain_count;                     /* 1 where question and owner are one */
        bool chain_broken;                      /* the records did not lead from one to the other */
        struct pt_address addresses[PT_EVIDENCE_ADDRESSES]; /* of the same answer and owner */
        uint32_t ttls[PT_EVIDENCE_ADDRESSES];
        bool mapped[PT_EVIDENCE_ADDRESSES]; /* an IPv4 address in an AAAA record */
        bool hint[PT_EVIDENCE_ADDRESSES];
        size_t address_count;
        struct pt_dns_name names[PT_EVIDENCE_NAMES]; /* questions this client was given it for */
        size_t name_count;                           /* newest first, each once */
};

void pt_hosts_evidence(const struct pt_hosts *hosts, uint32_t resolution, struct pt_evidence *ret);

/* The canonical address of a resolution. */
struct pt_address pt_hosts_resolved(const struct pt_hosts *hosts, uint32_t resolution);

/* What names a resolution for longer than its link is good. */
struct pt_source {
        struct pt_address client;
        struct pt_address address; /* canonical */
        int64_t time;
        uint32_t number; /* packet of the answer: times may be equal */
};

struct pt_source pt_hosts_source(const struct pt_hosts *hosts, uint32_t resolution);

/* The resolution that it names, 0 if that is forgotten. */
uint32_t pt_hosts_by_source(const struct pt_hosts *hosts, const struct pt_source *source);

/* Write the gauges (cache.*) into the counters. */
void pt_hosts_gauge(const struct pt_hosts *hosts);
