/*
 * outbreak: one finding, not many: several clients with the same name, destination or rule within a
 * day. (`campaign` is about several matches of one client.)
 *
 * It sees every match with DNS evidence, those too that are held back as repeats: so a client that
 * goes on is not new again every day. Nothing is silenced by it: the alerts of the clients stand
 * beside.
 */
#pragma once

#include "base/address.h"
#include "wire/dns.h"
#include "base/hash.h"
#include "memory/twin.h"
#include "judge/verdict.h"

#define PT_OUTBREAK_WITHIN (24 * INT64_C(3600000000000)) /* engine time, nanoseconds */
#define PT_OUTBREAK_LISTED 64 /* clients, names, addresses and ports that are listed */

/* What its clients have in common, the most telling first. */
enum pt_outbreak_key {
        PT_OUTBREAK_NAME,        /* the question whose answer is the evidence, in any letters */
        PT_OUTBREAK_DESTINATION, /* the address that was connected to */
        PT_OUTBREAK_RULE,        /* the rule, by matches of severity 47 and above */
        PT_OUTBREAK_KEYS,
};

/* "name", "destination", "rule" */
const char *pt_outbreak_key_name(enum pt_outbreak_key key);

struct pt_outbreak_found {
        enum pt_outbreak_key key;
        unsigned count;          /* distinct clients within a day */
        int severity;            /* the highest of theirs; of a rule, one that four of them reach */
        enum pt_verdict verdict; /* the best of theirs */
        int64_t first_wall;      /* packet times of their first and last match */
        int64_t last_wall;
        /* Of the clients that were seen last, the latest first; names as far as remembered. */
        struct pt_address clients[PT_OUTBREAK_LISTED];
        size_t client_count;
        struct pt_address destinations[PT_OUTBREAK_LISTED];
        size_t destination_count;
        uint16_t ports[PT_OUTBREAK_LISTED];
        size_t port_count;
        struct pt_dns_name names[PT_OUTBREAK_LISTED];
        size_t name_count;
};

struct pt_outbreak;

/*
 * 0, or -ENOMEM. At most `capacity` pairs of a client and what it has in common with others are
 * remembered, and an eighth as many such things. Borrows key and counters.
 */
int pt_outbreak_new(uint32_t capacity, const struct pt_hash_key *key, struct pt_counters *counters,
                    struct pt_outbreak **ret);
struct pt_outbreak *pt_outbreak_free(struct pt_outbreak *outbreak);
size_t pt_outbreak_size(uint32_t capacity);

/*
 * Add a match with DNS evidence, and the question of that. A client whose twin (4.11) is known
 * already is that one; NULL for no twins. The finding if a number of clients is reached that is
 * worth one: 2, 4, 8, ... with the same name or destination, 4, 8, 16, ... with the same rule; NULL
 * if none is. Where one match reaches several, the most telling is told and the others count as
 * told; nor is a destination told whose clients all came by one name, or a rule whose clients have
 * one name or one destination. Valid until the next call.
 */
const struct pt_outbreak_found *pt_outbreak_add(struct pt_outbreak *outbreak,
                                                const struct pt_syn *syn,
                                                const struct pt_twin_list *twins,
                                                const struct pt_match *match,
                                                const struct pt_dns_name *question);
