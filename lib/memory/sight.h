/*
 * sight: what the sensor sees of the network around it, apart from matches: who is given the DNS
 * answers, and who sends SYNs. Alarms are made of it (alarm.h).
 *
 * All of it is an estimate in a fixed room; nothing here decides about an alert.
 */
#pragma once

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PT_SIGHT_OWNERS 8     /* clients with most answers that are followed */
#define PT_SIGHT_SENDERS 4096 /* bits of the linear counter */

struct pt_sight_owner {
        struct pt_address client;
        uint64_t answers; /* at most what it was given (Misra and Gries 1982) */
};

/* Since pt_sight_begin(). */
struct pt_sight {
        uint64_t answers;
        uint64_t syns;
        uint64_t given; /* SYNs whose client had been given their destination */
        struct pt_sight_owner owners[PT_SIGHT_OWNERS];
        uint64_t senders[PT_SIGHT_SENDERS / 64];
};

/* A new interval: who owns what is counted anew. */
void pt_sight_begin(struct pt_sight *sight);

void pt_sight_answer(struct pt_sight *sight, const struct pt_address *client);
void pt_sight_syn(struct pt_sight *sight, const struct pt_address *client, bool given);

/* The least number of clients that own `percent` of the answers; 0 if it takes more than are
 * followed, or there are no answers. */
unsigned pt_sight_owners(const struct pt_sight *sight, unsigned percent);

/* About how many hosts sent the SYNs (Whang and others 1990: linear counting). */
unsigned pt_sight_senders(const struct pt_sight *sight);
