/*
 * state: the engine's parts. Shared by engine, observe and tell; the rest of the world has
 * portent.h.
 */
#pragma once

#include "rule/allow.h"
#include "judge/campaign.h"
#include "base/clock.h"
#include "base/counter.h"
#include "engine/event.h"
#include "wire/fragment.h"
#include "wire/glance.h"
#include "memory/history.h"
#include "judge/hold.h"
#include "memory/hosts.h"
#include "engine/line.h"
#include "wire/logged.h"
#include "judge/outbreak.h"
#include "judge/outcome.h"
#include "portent.h"
#include "memory/recent.h"
#include "memory/sight.h"
#include "wire/stream.h"
#include "memory/twin.h"
#include "wire/unread.h"
#include "judge/verdict.h"
#include "memory/visibility.h"

#define PT_FRAME_KEPT 262144u     /* octets kept of a packet whose time is in doubt */
#define PT_MESSAGE_ADDRESSES 4096 /* a message over UDP holds no more records of 16 octets */
#define PT_ARRIVALS 16            /* packets that are decoded together: see ahead.h */
#define PT_GLANCES 256            /* packets that are glanced at together */

enum pt_message_way {
        PT_MESSAGE_UNREADABLE, /* `kind` says why */
        PT_MESSAGE_QUERY,
        PT_MESSAGE_RESPONSE,
        PT_MESSAGE_TO_GROUP,  /* a response to no single host */
        PT_MESSAGE_WRONG_WAY, /* a query from port 53, or a response to it */
};

/* A DNS message: see message.h. */
struct pt_message {
        enum pt_message_way way;
        enum pt_dns_kind kind;
        struct pt_dns dns;
        uint64_t question_hash;      /* 0 without a question */
        struct pt_recent_key query;  /* of a query or a response with a question */
        struct pt_dns_answer answer; /* of a response; else it has no address */
};

/* A packet, as much of it as can be known before it is processed. */
struct pt_arrival {
        struct pt_frame frame;
        bool odd_length; /* more octets were captured than the packet had */
        bool has_message;
        bool in_parts; /* made of several frames, of which this is the last */
        enum pt_packet_kind kind;
        uint32_t mac_hash;       /* of the MAC that is the client's, 0 if nobody asked yet */
        uint32_t client_hash;    /* of a response: of its client, for visibility */
        int64_t wall;            /* packet time; of a log's record, what the log says */
        struct pt_logged logged; /* of a record of a log, else its source is PT_LOGGED_NOWHERE */
        struct pt_packet packet;
        struct pt_message message;
};

struct pt_engine {
        struct pt_settings settings;
        struct pt_receiver receiver;
        const struct pt_rules *rules;
        struct pt_allow *allow; /* NULL: nothing is allow-listed */
        struct pt_hash_key key;
        struct pt_prefix *home;
        size_t home_count;
        struct pt_prefix *nat64;
        size_t nat64_count;

        struct pt_clock clock;
        struct pt_frame waiting; /* the packet whose time is in doubt; its octets are kept */
        uint8_t *waiting_bytes;

        struct pt_fragments *fragments;
        struct pt_streams *streams;
        struct pt_hosts *hosts;
        struct pt_twins twins;
        struct pt_recent queries;  /* payload: struct pt_query */
        struct pt_recent syns;     /* payload: struct pt_seen */
        struct pt_recent told;     /* responses that were told, payload: struct pt_told */
        struct pt_recent expected; /* payload: struct pt_expected */
        struct pt_line *line;
        struct pt_history *history;
        struct pt_judge *judge;
        struct pt_hold *hold;
        struct pt_campaign *campaign;
        struct pt_outbreak *outbreak;
        struct pt_outcomes *outcomes; /* NULL: no connection is followed */
        int64_t hold_due;             /* when the hold has something to forget next */

        int64_t due; /* nothing leaves the line, the hold or the outcomes up to this time */

        uint8_t glances[PT_GLANCES];      /* enum pt_glance: those that need it are in arrivals */
        struct pt_arrival *arrivals;      /* PT_ARRIVALS, the one that waited, one made of others */
        struct pt_dns_address *addresses; /* of their messages */
        struct pt_evidence evidence;
        struct pt_evidence destination;
        const struct pt_rule **also;
        struct pt_dns_name *names; /* of a rotation */

        struct pt_sight sight;
        struct pt_visibility *visibility;
        struct pt_unread unread;
        struct pt_counters counters;
};

/* Engine and packet time of a query, and of the same query when it was sent before. */
struct pt_query {
        int64_t time;
        int64_t wall;
        int64_t time_before;
        int64_t wall_before;
        uint32_t number; /* of their frames, 0 if it has none or is past 32 bits */
        uint32_t number_before;
        uint16_t file;
        uint16_t file_before;
        bool seen;
        bool again;
};

/* A response that was told as a DNS event. */
struct pt_told {
        int64_t time; /* engine time of its first copy */
        bool known;
};

/* A SYN that was judged. */
struct pt_seen {
        int64_t time; /* engine time of its last copy */
};

/* What alarms are made of; whoever makes them begins its intervals. */
struct pt_sight *pt_engine_sight(struct pt_engine *engine);

/* What the sensor could see; whoever reports it begins its periods. */
struct pt_visibility *pt_engine_visibility(struct pt_engine *engine);

/* Shared by making an engine and changing one: see engine.c. */
bool pt_engine_settings_sound(const struct pt_settings *settings);
int pt_engine_read_prefixes(const char *const *texts, struct pt_prefix **ret, size_t *ret_count);
struct pt_verdict_settings pt_engine_verdict_settings(const struct pt_engine *engine);

/* Where VLANs or tunnels are part of who a client is: once its packet is decoded. */
static inline void pt_engine_set_zone(const struct pt_engine *engine, struct pt_arrival *arrival)
{
        bool vlans = engine->settings.vlan_clients, tunnels = engine->settings.tunnel_clients;

        if ((vlans || tunnels) &&
            (arrival->kind == PT_PACKET_UDP || arrival->kind == PT_PACKET_TCP ||
             arrival->kind == PT_PACKET_FRAGMENT))
                pt_packet_set_zone(&arrival->packet, vlans, tunnels);
}

static inline void pt_engine_count(struct pt_engine *engine, enum pt_counter counter)
{
        engine->counters.value[counter]++;
}
