/*
 * engine: packets in, events out. It owns the parts and orders them; every decision stands in one of
 * them. Shared by engine, observe and tell; the rest of the world has portent.h.
 */
#pragma once

#include "campaign.h"
#include "clock.h"
#include "counter.h"
#include "event.h"
#include "hold.h"
#include "hosts.h"
#include "line.h"
#include "portent.h"
#include "recent.h"
#include "verdict.h"

#define PT_FRAME_KEPT 262144u /* octets kept of a packet whose time is in doubt */

struct pt_engine {
        struct pt_settings settings;
        struct pt_receiver receiver;
        const struct pt_rules *rules;
        struct pt_hash_key key;
        struct pt_prefix *home;
        size_t home_count;
        struct pt_prefix *nat64;
        size_t nat64_count;

        struct pt_clock clock;
        struct pt_frame waiting; /* the packet whose time is in doubt; its octets are kept */
        uint8_t *waiting_bytes;

        struct pt_hosts *hosts;
        struct pt_recent queries; /* payload: struct pt_query */
        struct pt_recent syns;    /* payload: int64_t, engine time of the last copy */
        struct pt_line *line;
        struct pt_judge *judge;
        struct pt_hold *hold;
        struct pt_campaign *campaign;
        int64_t hold_due; /* when the hold has something to forget next */

        struct pt_dns dns; /* the message at hand */
        uint64_t question_hash;
        struct pt_dns_answer answer;
        struct pt_evidence evidence;
        struct pt_evidence destination;
        const struct pt_rule **also;
        struct pt_dns_name *names; /* of a rotation */

        struct pt_counters counters;
};

/* Engine and packet time of a query, and of the same query when it was sent before. */
struct pt_query {
        int64_t time;
        int64_t wall;
        int64_t time_before;
        int64_t wall_before;
        bool again;
};

static inline void pt_engine_count(struct pt_engine *engine, enum pt_counter counter)
{
        engine->counters.value[counter]++;
}

/* observe: one decoded packet at its engine time: what it teaches, or a SYN into the line. */
void pt_observe(struct pt_engine *engine, const struct pt_frame *frame, int64_t time);

/* tell: a SYN that leaves the line is judged, and what comes of it is told. */
void pt_tell_syn(struct pt_engine *engine, const struct pt_syn *syn);

/* The hash by which the table of SYNs knows it. */
uint32_t pt_tell_hash(const struct pt_engine *engine, const struct pt_syn *syn);

/* Repeats that are forgotten now are told. */
void pt_tell_repeats(struct pt_engine *engine, enum pt_forget which);

void pt_tell_answer(struct pt_engine *engine, const struct pt_frame *frame,
                    const struct pt_packet *packet, const int64_t *asked_wall);
