/*
 * event: what the engine tells its receiver. Everything in it is borrowed until the callback ends.
 */
#pragma once

#include "campaign.h"
#include "dns.h"
#include "hold.h"
#include "hosts.h"
#include "packet.h"
#include "portent.h"
#include "verdict.h"

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
                        enum pt_near_miss reason; /* NEAR_MISS */
                } alert;
                struct {                              /* ROTATION */
                        const struct pt_syn *syn;     /* the SYN that completed it */
                        const struct pt_match *match; /* its match */
                        const struct pt_evidence *evidence;
                        const struct pt_rotation *rotation;
                        const struct pt_dns_name *names; /* of the evidence, distinct */
                        size_t name_count;
                } rotation;
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
        };
};
