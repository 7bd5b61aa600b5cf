/*
 * cells: how clients, answers, resolutions and names are laid out in the pool's 64-octet cells.
 * Shared by names, clients, hosts, learn, contact and evidence, and by nobody else.
 */
#pragma once

#include <assert.h>

#include "memory/hosts.h"

/* A client: 1 cell, and 1 or 2 for the filters of its signature on first use. */
struct client_cell {
        struct pt_address address;
        uint32_t chain;  /* next client of the same hash */
        uint32_t newest; /* answers, by time */
        uint32_t oldest;
        uint32_t charge; /* cells it is charged with: shared names count in full */
        uint32_t charge_unasked;
        uint32_t unasked; /* no answer older than this one was not asked for; 0 if all were */
        uint32_t signature;
        uint32_t idle_prev; /* all clients, the one longest without an answer first */
        uint32_t idle_next;
        uint32_t order_prev; /* unproven: all of them, longest without an answer first; */
        uint32_t order_next; /* proven: those with the same charge */
        uint8_t flags;
        int8_t lag; /* proven: charge less the class it is linked in */
};

enum {
        CLIENT_PROVEN = 1,       /* a query or a SYN of it was seen */
        CLIENT_SEES_QUERIES = 2, /* the mirror shows this client's queries */
};

/* An answer: 1 cell, and 1 for its chain if the addresses stand under another name. */
struct answer_cell {
        int64_t time;
        int64_t wall;
        struct pt_address resolver;
        uint32_t newer;
        uint32_t older;
        uint32_t first;    /* resolutions, in record order */
        uint32_t question; /* name */
        uint32_t chain;    /* chain cell, 0 where the question owns the addresses itself */
        uint32_t number;   /* packet in its file, 0 if none or past 32 bits */
        uint16_t file;
        uint16_t id;
        uint16_t flags;
        uint16_t question_type;
};

#define CHAIN_NAMES 15

/* The names after the question, the owner of the addresses last. */
struct chain_cell {
        uint32_t names[CHAIN_NAMES];
        uint16_t count;
        bool broken; /* the CNAME records did not lead from the question to the owner */
};

/* One address of an answer. */
struct resolution_cell {
        int64_t time;              /* of its answer */
        int64_t contact;           /* last contact to it (4.5), PT_NEVER if none */
        struct pt_address address; /* canonical */
        uint32_t client;
        uint32_t answer;
        uint32_t pair;        /* next of the same hash of (client, address), newest first */
        uint32_t same;        /* next of the same hash of address, newest first */
        uint32_t same_before; /* the one before it in that chain, 0 for the head */
        uint32_t sibling;     /* next of the same answer */
        uint32_t ttl;
        uint8_t embedded; /* 1 + place of the NAT64 prefix it stood in, 0 if as it is */
        uint8_t flags;
        uint16_t repeats; /* how often the client had been given the address before, about */
};

enum {
        RESOLUTION_ASKED = 1,
        RESOLUTION_CONTACTED_AGAIN = 2, /* a contact before the last one, within the window of it */
        RESOLUTION_MAPPED = 4,          /* an IPv4 address that stood in an AAAA record */
        RESOLUTION_HINT = 8,            /* of an SVCB or HTTPS record */
        RESOLUTION_SOURCE = 0x30,       /* enum pt_logged_source, from bit 4 on */
        RESOLUTION_NO_TTL = 0x40,
        RESOLUTION_NO_QUESTION = 0x80,
};

#define PT_NEVER INT64_MIN

/* A name: 1 to 5 cells. */
#define NAME_FIRST 40
#define NAME_MORE 60

struct name_cell {
        uint64_t folded; /* hash that ignores case */
        uint32_t chain;
        uint32_t uses;
        uint32_t more;
        uint8_t marks; /* see pt_names_mark() */
        uint8_t length;
        uint8_t octets[NAME_FIRST];
};

struct name_more_cell {
        uint32_t more;
        uint8_t octets[NAME_MORE];
};

static_assert(sizeof(struct client_cell) <= PT_CELL, "a client is one cell");
static_assert(sizeof(struct answer_cell) <= PT_CELL, "an answer is one cell");
static_assert(sizeof(struct chain_cell) <= PT_CELL, "a chain is one cell");
static_assert(sizeof(struct resolution_cell) <= PT_CELL, "a resolution is one cell");
static_assert(sizeof(struct name_cell) <= PT_CELL, "a name begins with one cell");
static_assert(sizeof(struct name_more_cell) <= PT_CELL, "and goes on by cells");
static_assert(sizeof(struct pt_filter) <= PT_CELL, "a filter is one cell");

struct pt_hosts {
        struct pt_hosts_settings settings;
        struct pt_counters *counters;
        pt_hosts_sign *sign;
        void *sign_context;
        uint32_t round; /* of the rules, from 1 */
        struct pt_pool pool;
        struct pt_heads clients;
        struct pt_heads pairs;
        struct pt_heads addresses;
        struct pt_heads names;

        struct {
                uint32_t client;
                uint32_t answer;
                unsigned step;
        } victim; /* who will give way next, as far as it was fetched: see victim.h */

        uint32_t reserve;  /* cells that answers leave to the filters of signatures */
        uint32_t *classes; /* proven clients by charge; the last class holds all above */
        uint32_t class_count;
        uint32_t class_top; /* no class above this one has a client */
        uint32_t idle_first, idle_last;
        uint32_t unproven_first, unproven_last;
        uint32_t client_count;
        uint32_t proven_holders; /* proven clients that hold any answer */
        uint64_t entries;        /* resolutions */
};

static inline struct client_cell *client_at(const struct pt_hosts *hosts, uint32_t link)
{
        return pt_pool_at(&hosts->pool, link);
}

static inline struct answer_cell *answer_at(const struct pt_hosts *hosts, uint32_t link)
{
        return pt_pool_at(&hosts->pool, link);
}

static inline struct resolution_cell *resolution_at(const struct pt_hosts *hosts, uint32_t link)
{
        return pt_pool_at(&hosts->pool, link);
}

static inline struct chain_cell *chain_at(const struct pt_hosts *hosts, uint32_t link)
{
        return pt_pool_at(&hosts->pool, link);
}

static inline struct pt_filter *filter_at(const struct pt_hosts *hosts, uint32_t link)
{
        return pt_pool_at(&hosts->pool, link);
}

/* ---- keys and heads ---- */

/* 1 + the place of the NAT64 prefix that the address stands in, or 0. */
static inline uint8_t embedding(const struct pt_hosts *hosts, const struct pt_address *a)
{
        int place = -1;

        if (!pt_address_is_ipv4(a))
                place = pt_prefixes_find(&hosts->settings.nat64, a);
        return (uint8_t)(place + 1);
}

static inline uint64_t address_hash(const struct pt_hosts *hosts, const struct pt_address *address)
{
        return pt_hash_octets(&hosts->settings.key, address->octets, sizeof address->octets);
}

/*
 * The halves of one hash are two hashes that know nothing of each other. The exclusive or of the
 * one of the client and the other of the address spreads pairs as evenly as a hash of both would
 * (tabulation hashing: Patrascu and Thorup, 2011), and who does not know the key can aim at
 * nothing.
 */
static inline uint32_t *pair_head(const struct pt_hosts *hosts, const struct pt_address *client,
                                  const struct pt_address *address)
{
        return pt_heads_at(&hosts->pairs,
                           address_hash(hosts, client) ^ address_hash(hosts, address) >> 32);
}

static inline uint32_t *address_head(const struct pt_hosts *hosts, const struct pt_address *address)
{
        return pt_heads_at(&hosts->addresses, address_hash(hosts, address));
}

static inline uint32_t *client_head(const struct pt_hosts *hosts, const struct pt_address *address)
{
        return pt_heads_at(&hosts->clients, address_hash(hosts, address));
}

static inline bool is_pair(const struct pt_hosts *hosts, const struct resolution_cell *r,
                           const struct pt_address *client, const struct pt_address *address)
{
        return pt_address_equal(&r->address, address) &&
               pt_address_equal(&client_at(hosts, r->client)->address, client);
}

/* Does the resolution count for a SYN at this time (4.1, 4.7)? */
static inline bool counts(const struct pt_hosts *hosts, const struct resolution_cell *r,
                          int64_t time)
{
        int64_t life = hosts->settings.window;
        /* A TTL with the top bit set counts as zero (RFC 2181 section 8). */
        int64_t ttl = r->ttl & 0x80000000U ? 0 : (int64_t)r->ttl * 1000000000;

        if (ttl > life)
                life = ttl;
        if (life > hosts->settings.max_window)
                life = hosts->settings.max_window;
        return r->time <= time + hosts->settings.reorder && time <= r->time + life;
}
