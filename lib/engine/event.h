/*
 * event: what the engine tells its receiver. Everything in it is borrowed until the callback ends.
 */
#pragma once

#include "rule/allow.h"
#include "judge/campaign.h"
#include "wire/dns.h"
#include "judge/hold.h"
#include "memory/hosts.h"
#include "judge/outbreak.h"
#include "judge/outcome.h"
#include "wire/packet.h"
#include "portent.h"
#include "judge/verdict.h"

/* How an expected connection relates to the address that it is calculated from. */
enum pt_relation {
        PT_EXPECT_SAME_ADDRESS,       /* goes there, on its port */
        PT_EXPECT_OTHER_ADDRESS,      /* goes anywhere, on its port */
        PT_EXPECT_PAIR,               /* goes to another one that was given, on its port */
        PT_EXPECT_CALCULATED_ADDRESS, /* goes to an address that is calculated */
        PT_EXPECT_RELATIONS,
};

/* Where a client would connect if it used a rule: see expect.h. */
struct pt_expectation {
        enum pt_relation relation;
        const struct pt_rule *rule;
        struct pt_address client;
        struct pt_address resolver;
        struct pt_address address; /* in the answer: what is calculated from, an IPv4 one */
        bool has_destination;
        struct pt_address destination; /* as a SYN to it would have it */
        uint16_t port;                 /* 0 for any */
        const struct pt_dns_name *question;
        uint16_t question_type;
        bool asked;
        uint32_t ttl;
        int64_t wall; /* packet time of the answer */
        int64_t from; /* from when to when it counts */
        int64_t until;
};

struct pt_event {
        enum pt_event_kind kind;
        struct pt_prefixes home; /* for network.direction */
        union {
                struct { /* ALERT; NEAR_MISS (no also, no suppressed) */
                        const struct pt_syn *syn;
                        const struct pt_match *match;
                        const struct pt_evidence *evidence;    /* NULL for port_only */
                        const struct pt_evidence *destination; /* the destination's own newest
                                                                  resolution for this client, NULL
                                                                  if it was not given */
                        const struct pt_rule *const
                                *also; /* other rules it meets, in order of id */
                        size_t also_count;
                        uint64_t suppressed;
                        enum pt_near_miss reason;             /* NEAR_MISS */
                        const struct pt_allow_entry *allowed; /* by whom, if it is allow-listed */
                } alert;
                struct {                              /* ROTATION */
                        const struct pt_syn *syn;     /* the SYN that completed it */
                        const struct pt_match *match; /* its match */
                        const struct pt_evidence *evidence;
                        const struct pt_rotation *rotation;
                        const struct pt_dns_name *names; /* of the evidence, distinct */
                        size_t name_count;
                } rotation;
                struct {                              /* CAMPAIGN */
                        const struct pt_syn *syn;     /* the SYN that brought the last client */
                        const struct pt_match *match; /* its match */
                        const struct pt_evidence *evidence;
                        const struct pt_outbreak_found *found;
                } campaign;
                const struct pt_held *repeats; /* REPEATS */
                struct {                       /* DNS: a response */
                        const struct pt_packet *packet;
                        const struct pt_frame *frame;
                        const struct pt_dns *dns;
                        const struct pt_dns_answer *answer;
                        bool asked;
                        int64_t asked_wall; /* packet time of the query, if asked */
                } dns;
                struct { /* CONNECTION: a SYN */
                        const struct pt_syn *syn;
                        const struct pt_evidence *destination; /* NULL if it was not given */
                } connection;
                struct { /* EXPECTATION */
                        const struct pt_expectation *of;
                        int64_t skew; /* how far clocks may differ: it begins so much earlier */
                } expectation;
                const struct pt_outcome *outcome; /* OUTCOME: of a connection that was an alert */
        };
};
