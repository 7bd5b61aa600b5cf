/*
 * history: on which ports innocent connections go out, and how much each client tried (design 5).
 *
 * For every port it holds a count of distinct destination networks (an IPv4 /24, an IPv6 /48) that
 * inside clients connected to on it. A network counts once a day, a client brings at most two to a
 * port and 256 to all, and counts fade by half a day by day. Both bounds stand at every moment, not
 * from midnight to midnight. So what one client does moves no port by more than two of the 10 000
 * observations that the prior is worth, and pt_history_share() leaves even these out: it takes
 * several hosts that work together to make a port look usual, five for each 10 observations.
 *
 * Beside it stands what each client tried within the window (tries.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/counter.h"
#include "base/hash.h"
#include "rule/rule.h"

#define PT_HISTORY_SETS 8           /* sets of ports that are told apart */
#define PT_HISTORY_PRIOR 10000.0    /* observations that the prior is worth */
#define PT_HISTORY_PER_PORT 2.0     /* that a client brings to one port */
#define PT_HISTORY_PER_CLIENT 256.0 /* and to all */

struct pt_history;

/* How much is remembered: clients, networks of ports, and parts of clients in ports. */
struct pt_history_room {
        uint32_t clients;
        uint32_t networks;
        uint32_t parts;
};

size_t pt_history_size(const struct pt_history_room *room);

/* 0, or -ENOMEM. Borrows rules, key and counters. */
int pt_history_new(const struct pt_history_room *room, int64_t window, const struct pt_rules *rules,
                   const struct pt_hash_key *key, struct pt_counters *counters,
                   struct pt_history **ret);
struct pt_history *pt_history_free(struct pt_history *history);

/* Other rules: what was seen of ports stays, tries begin anew. */
void pt_history_adopt(struct pt_history *history, const struct pt_rules *rules);

/*
 * The ports that a rule admits, as one bit; rules that admit the same ports share it. Beyond seven
 * different sets, the last bit stands for all others together.
 */
uint8_t pt_history_set(const struct pt_history *history, const struct pt_rule *rule);

/* Engine time has come so far: once an hour everything fades. */
void pt_history_move_on(struct pt_history *history, int64_t time);

/* A SYN of an inside client that rules could have met. */
struct pt_try {
        struct pt_address client;
        struct pt_address destination;
        uint16_t port;
        uint8_t sets;  /* pt_history_set() of these rules */
        bool given;    /* the client was given the destination by DNS */
        bool outbound; /* the destination is outside */
        int64_t time;  /* engine time */
};

void pt_history_add(struct pt_history *history, const struct pt_try *try);

/*
 * Fetch what this will touch, ahead of time: steps as of hosts. `eligible`: some rule that
 * calculates a port admits this one.
 */
void pt_history_fetch(const struct pt_history *history, const struct pt_address *client,
                      const struct pt_address *destination, uint16_t port, bool eligible,
                      unsigned step);

/*
 * The part of innocent connections to ports that the rule admits which go to this one, as far as
 * clients other than this one show: at least 1 / (ports admitted).
 */
double pt_history_share(struct pt_history *history, const struct pt_rule *rule,
                        const struct pt_address *client, uint16_t port);

/* Distinct pairs on ports that the rule admits which the client tried within the window. */
unsigned pt_history_tries(struct pt_history *history, const struct pt_rule *rule,
                          const struct pt_address *client, int64_t time);

/* How many such pairs all clients together try in a day: those given by DNS, or the others. */
double pt_history_per_day(const struct pt_history *history, const struct pt_rule *rule, bool given);
