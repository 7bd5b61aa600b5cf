/*
 * outcome: what becomes of a connection after its alert: answered, refused or silent, and how much
 * went each way.
 *
 * A SYN is judged some time after it came, and its answer is often there before. So every SYN is
 * watched from the start, in a pool from which the oldest go again; one that becomes an alert is
 * followed for PT_OUTCOME_TIME, in a pool of its own, in which none gives way.
 *
 * Octets are those of the payload that TCP's sequence numbers went on by: what is sent twice counts
 * once, and what the capture cut off or lost in the middle counts too.
 */
#pragma once

#include "judge/verdict.h"

#define PT_OUTCOME_TIME (INT64_C(60) * 1000000000)

enum pt_outcome_state {
        PT_OUTCOME_SILENT,   /* nothing came back */
        PT_OUTCOME_REFUSED,  /* resets came back, and nothing else */
        PT_OUTCOME_ANSWERED, /* anything else came back */
        PT_OUTCOME_STATES,
};

enum pt_outcome_end {
        PT_OUTCOME_OPEN,         /* not yet */
        PT_OUTCOME_CLOSED,       /* both sides sent a FIN */
        PT_OUTCOME_RESET,        /* one sent a reset, and it was no refusal */
        PT_OUTCOME_REPLACED,     /* another connection began with the same ports */
        PT_OUTCOME_TIMEOUT,      /* it was followed for as long as any is */
        PT_OUTCOME_END_OF_INPUT, /* nothing more could be seen */
        PT_OUTCOME_ENDS,
};

/* As documents name them, as "answered" and "end_of_input". */
const char *pt_outcome_state_name(enum pt_outcome_state state);
const char *pt_outcome_end_name(enum pt_outcome_end end);

struct pt_outcome_side {
        uint64_t bytes;   /* of payload */
        uint64_t packets; /* that were seen */
};

struct pt_outcome {
        struct pt_syn syn;
        char rule[PT_RULE_ID + 1]; /* of the alert */
        enum pt_outcome_state state;
        enum pt_outcome_end end;
        struct pt_outcome_side client, server;
        bool partial;      /* a part was not seen, in which there may have been more octets */
        int64_t last_wall; /* packet time of the last packet */
};

struct pt_outcomes;

struct pt_outcomes_room {
        uint32_t watched;  /* SYNs that may become alerts */
        uint32_t followed; /* connections of alerts */
};

/*
 * 0, or -ENOMEM. Borrows the key. `late`: of most connections only SYN, FIN and RST are seen until
 * they are followed; octets of before are known when something comes after them.
 */
int pt_outcomes_new(const struct pt_outcomes_room *room, bool late, const struct pt_hash_key *key,
                    struct pt_outcomes **ret);
struct pt_outcomes *pt_outcomes_free(struct pt_outcomes *outcomes);
size_t pt_outcomes_size(const struct pt_outcomes_room *room);

/* A TCP packet: a SYN is watched from here on; others belong to one that is, or to none. */
void pt_outcomes_packet(struct pt_outcomes *outcomes, const struct pt_packet *packet, int64_t wall);

/* The SYN became an alert of this rule. False if there is no room to follow it. */
bool pt_outcomes_follow(struct pt_outcomes *outcomes, const struct pt_syn *syn, const char *rule);

/* Those that are followed, `room` of them at most: how many they are. */
size_t pt_outcomes_followed(const struct pt_outcomes *outcomes, const struct pt_syn **ret,
                            size_t room);

/* How often that has changed. */
uint64_t pt_outcomes_changes(const struct pt_outcomes *outcomes);

/*
 * One that has come to its end, or was followed long enough by `now`, engine time; true with what
 * became of it: it is forgotten. `over`: the input ended, so all of them.
 */
bool pt_outcomes_next(struct pt_outcomes *outcomes, int64_t now, bool over, struct pt_outcome *ret);

/* When pt_outcomes_next() may have one, if no packet makes it earlier; INT64_MIN: now. */
int64_t pt_outcomes_due(const struct pt_outcomes *outcomes);
