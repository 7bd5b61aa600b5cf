/*
 * verdict: a SYN, what its client was given, and the rules -> the best evidence for each rule
 * (design 4.3 to 4.6). Of hosts it changes the client's signature alone, and marks on names while
 * it judges.
 */
#pragma once

#include "memory/history.h"
#include "memory/hosts.h"
#include "wire/logged.h"
#include "wire/packet.h"
#include "rule/rule.h"
#include "memory/twin.h"

/* A TCP SYN, or the first packet of a QUIC connection: as much of it as is kept. */
struct pt_syn {
        int64_t time; /* engine time */
        int64_t wall; /* packet time */
        uint64_t number;
        uint32_t file;
        uint32_t sequence;
        struct pt_address client;
        struct pt_address destination; /* as on the wire */
        struct pt_address key;         /* the destination as hosts looks it up */
        uint16_t client_port;
        uint16_t destination_port;
        uint16_t vlans[PT_PACKET_VLANS];
        uint8_t vlan_count;
        uint8_t tunnel_count;
        struct pt_packet_tunnel tunnels[PT_PACKET_TUNNELS];
        bool ipv6;
        bool quic; /* a contact only: never judged */
        bool has_mac;
        bool has_destination_mac;
        uint8_t client_mac[6];
        uint8_t destination_mac[6];
        uint8_t source;       /* enum pt_logged_source */
        uint8_t lacks;        /* what that does not say: see logged.h */
        uint32_t seen_hash;   /* of what tells one SYN from another (4.2) */
        uint32_t mac_hash;    /* of the client's MAC, if it has one (4.11) */
        uint32_t client_hash; /* of the client, for visibility */
};

/* In order of strength: where severity is equal, the first wins. */
enum pt_verdict {
        PT_DNS_CONFIRMED,
        PT_DNS_OTHER_ADDRESS,
        PT_DNS_OTHER_CLIENT,
        PT_PORT_ONLY,
        PT_VERDICTS,
};

const char *pt_verdict_name(enum pt_verdict verdict);

/* The only severities there are: Elastic's rules map these. */
#define PT_SEVERITY_LOW 21
#define PT_SEVERITY_MEDIUM 47
#define PT_SEVERITY_HIGH 73
#define PT_SEVERITY_CRITICAL 99

struct pt_match {
        const struct pt_rule *rule;
        enum pt_verdict verdict;
        int severity;
        uint32_t resolution; /* the evidence, 0 for port_only */
        uint32_t input;      /* the IPv4 address that the expressions were evaluated over */
        unsigned candidates; /* values that could have matched, the hit included */
        bool contacted;      /* dns_other_address: the name that gave the port was contacted too */
        bool destination_given; /* the client was given the destination itself */
        bool lowered;           /* by its chance: the evidence alone would weigh more */
        bool by_twin;           /* the evidence was given to `twin`, not to the SYN's client */
        struct pt_address twin;
        /*
         * Weaker evidence of the same kind, but asked for (4.8), where the above was not: who
         * forges answers may have swelled the candidates of that until chance leaves less of it.
         */
        struct {
                uint32_t resolution; /* 0 for none */
                uint32_t input;
                unsigned candidates;
                double share;
        } asked;
        double share;  /* of innocent connections that would meet one of the candidates */
        double chance; /* these three are the caller's, from chance.h and history.h */
        double expected_per_day;
        unsigned tries;
};

/* Why a SYN that fits a rule's arithmetic is no match: the nearest first. */
enum pt_near_miss {
        PT_NEAR_ALLOW_LISTED,         /* it is a match, but an allow list has it */
        PT_NEAR_EXPIRED,              /* it fits an answer that no longer counts */
        PT_NEAR_EXCLUDED_DESTINATION, /* private, or excluded by the rule */
        PT_NEAR_EXCLUDED_PORT,        /* inside the rule's range, but excluded */
        PT_NEAR_NO_DNS,               /* an outside client that was never given anything */
        PT_NEAR_OUTSIDE_LIMITS,       /* not one of the rule's ports */
        PT_NEAR_MISSES,
};

const char *pt_near_miss_name(enum pt_near_miss reason);

struct pt_verdict_settings {
        uint32_t yields; /* for how many destinations the rules' ports are remembered: a power of 2
                          */
        int64_t reorder;
        int64_t window;
        int64_t cross_window;
        bool lab;
        struct pt_prefixes home;
};

struct pt_judge; /* rules, hosts, settings, and room for a match of each of PT_RULES */

/* 0, or -ENOMEM. Borrows all of its arguments. */
int pt_judge_new(const struct pt_verdict_settings *settings, const struct pt_rules *rules,
                 struct pt_hosts *hosts, struct pt_history *history, struct pt_counters *counters,
                 struct pt_judge **ret);
struct pt_judge *pt_judge_free(struct pt_judge *judge);
size_t pt_judge_size(uint32_t yields);

/* Other rules and settings from now on: nothing of what was worked out with the old ones is left.
 */
void pt_judge_adopt(struct pt_judge *judge, const struct pt_verdict_settings *settings,
                    const struct pt_rules *rules);

/* Fetch what judging this SYN will touch, ahead of time: steps as of hosts. */
void pt_judge_fetch(struct pt_judge *judge, const struct pt_syn *syn, unsigned step);

struct pt_judgement {
        struct pt_match *matches; /* one for each rule that the SYN meets, the best of it */
        size_t count;
        uint32_t given; /* newest resolution of the destination for this host, or 0 */
        bool eligible;  /* an inside client's, and a port rule admits it */
};

/*
 * Twins (4.11) are judged as if they had sent the SYN; of evidence that is equally good the SYN's
 * own client's comes first, then theirs in order. Given to the host, contacted by it, and inside is
 * what one of its addresses is. The chance stays that of the SYN's own client. NULL for none.
 */
struct pt_judgement pt_judge_syn(struct pt_judge *judge, const struct pt_syn *syn,
                                 const struct pt_twin_list *twins);

/* Order the matches by severity, verdict, chance and rule id (4.6): the best comes first. */
void pt_judgement_sort(struct pt_judgement *judgement);

/*
 * A rule that the SYN would have met but for one reason; false if there is none. Asked only for
 * SYNs without a match, on a path of its own, with what the judgement says was given. `ret` is a
 * match with that rule and evidence.
 */
bool pt_judge_near_miss(struct pt_judge *judge, const struct pt_syn *syn,
                        const struct pt_twin_list *twins, uint32_t given, struct pt_match *ret,
                        enum pt_near_miss *ret_reason);

/* Is it private, or in home_networks? */
bool pt_judge_is_home(const struct pt_judge *judge, const struct pt_address *address);

/* Is the host inside (4.4)? One of its addresses suffices. */
bool pt_judge_inside(const struct pt_judge *judge, const struct pt_address *address,
                     const struct pt_twin_list *twins);
