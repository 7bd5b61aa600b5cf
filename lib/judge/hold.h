/*
 * hold: the same match again is held back and counted (design 4.10).
 *
 * After an alert the same client, rule, destination and port are held for a while that doubles with
 * each alert that passes, up to 24 h, and are forgotten after 24 h of silence. A higher severity
 * passes at once. What was held back and never told is told when it is forgotten.
 *
 * Matches where DNS says nothing of the destination (port_only, and a port of another address at a
 * destination that was not given) are held by its /24 instead: who sweeps that on the port that it
 * gives makes one finding, and not 254. All of them are LOW. Any other match is held for its own
 * destination, so none waits behind a sweep.
 */
#pragma once

#include "base/address.h"
#include "base/hash.h"
#include "judge/verdict.h"

struct pt_hold;

/* What is remembered of a match that was alerted. */
struct pt_held {
        struct pt_address client;
        struct pt_address destination; /* of the first alert */
        uint16_t destination_port;
        const struct pt_rule *rule;
        enum pt_verdict verdict; /* of the last alert */
        int severity;            /* of the last alert */
        uint64_t pending;        /* matches held back since */
        int64_t until;           /* engine times */
        int64_t length;
        int64_t last;
        int64_t first_wall; /* packet times of the first and last match held back */
        int64_t last_wall;
};

/* 0, or -ENOMEM. `throttle`: the first hold, nanoseconds. Borrows the key. */
int pt_hold_new(uint32_t capacity, int64_t throttle, const struct pt_hash_key *key,
                struct pt_hold **ret);
struct pt_hold *pt_hold_free(struct pt_hold *hold);
size_t pt_hold_size(uint32_t capacity);

/*
 * May this match alert? True with `ret_suppressed` the number held back before it (0 for none), or
 * false if it was held back. Make room first: see pt_hold_full().
 */
bool pt_hold_pass(struct pt_hold *hold, const struct pt_syn *syn, const struct pt_match *match,
                  uint64_t *ret_suppressed);

/* Is there no room for this match, which is not held yet? */
bool pt_hold_full(const struct pt_hold *hold, const struct pt_syn *syn,
                  const struct pt_match *match);

/* The length of a first hold from now on; those that hold already keep theirs. */
void pt_hold_set_throttle(struct pt_hold *hold, int64_t throttle);

/*
 * The rules are other ones from now on: what is held goes on under the rule of the same id. What
 * was held by a rule that is not among them is handed to `gone`, and is forgotten.
 */
void pt_hold_adopt(struct pt_hold *hold, const struct pt_rules *rules,
                   void (*gone)(void *context, const struct pt_held *held), void *context);

enum pt_forget {
        PT_FORGET_SILENT, /* those silent for more than 24 h at `now` */
        PT_FORGET_ROOM,   /* the least recent one, whatever its age */
        PT_FORGET_ALL,    /* the run ends: all of them, least recent first */
};

/* Forget one; true if there was one to forget, `ret` what it was. Call until it is false. */
bool pt_hold_forget(struct pt_hold *hold, int64_t now, enum pt_forget which, struct pt_held *ret);

/* When there is something to forget next: a time that must have passed, INT64_MAX if nothing is
 * held. */
int64_t pt_hold_due(const struct pt_hold *hold);
