/*
 * portent: find clients that calculate a port or an address from a DNS answer (ATT&CK T1568.003).
 *
 * Packets go in, events come out: make rules, make an engine with them, hand it every packet in
 * order, and take what it has to say in one callback. The library prints nothing, reads no clock,
 * opens no file, and allocates nothing per packet: all memory is taken when the engine is made.
 *
 * Return values: 0; a negative errno when we or the machine are in trouble.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PT_PUBLIC __attribute__((visibility("default")))
#define PT_MUST_CHECK __attribute__((warn_unused_result))

/* A frame as a capture holds it. */
struct pt_frame {
        const uint8_t *bytes;
        uint32_t captured; /* octets at `bytes` */
        uint32_t length;   /* octets on the wire */
        int linktype;      /* LINKTYPE_... number of the pcap file format; 1 is Ethernet */
        uint32_t file;     /* which input: the caller's own number */
        int64_t time;      /* packet time, nanoseconds since 1970 */
        uint64_t number;   /* 1-based in its file, 0 if there is none */
        uint64_t offset;   /* where its octets stand in a file that can be read again; 0: nowhere */
        bool odd_time;     /* the fraction of a second was out of range: `time` is the sum */
};

/* Rules: texts in, one set out. Errors made by people carry a place and a sentence. */
struct pt_rules;
struct pt_rules_builder;

struct pt_rule_error {
        char file[256];
        unsigned line;   /* 1-based; 0 when no place in a text is meant */
        unsigned column; /* 1-based, in octets */
        char path[128];  /* as limits.ports[2]; empty for a syntax error */
        char sentence[256];
};

PT_PUBLIC int pt_rules_builder_new(struct pt_rules_builder **ret);
PT_PUBLIC struct pt_rules_builder *pt_rules_builder_free(struct pt_rules_builder *builder);

/* 0; -ENOMEM; -EINVAL with `error` written and the builder unchanged. */
PT_PUBLIC int pt_rules_add(struct pt_rules_builder *builder, const char *file, const char *text,
                           size_t length, struct pt_rule_error *error);

/*
 * How innocent connections fall on the ports, for the chance that a match is luck: the text of a
 * ports.json. Without one every port is alike; a second one replaces the first. As pt_rules_add().
 */
PT_PUBLIC int pt_rules_ports(struct pt_rules_builder *builder, const char *file, const char *text,
                             size_t length, struct pt_rule_error *error);

/* 0, or -ENOMEM. The builder is empty afterwards. */
PT_PUBLIC int pt_rules_finish(struct pt_rules_builder *builder, struct pt_rules **ret);
PT_PUBLIC struct pt_rules *pt_rules_free(struct pt_rules *rules);

/*
 * Allow lists: connections that are known and wanted. A match that an entry allows is no alert; it
 * is counted as near_miss.allow_listed, and by its entry. A text holds one entry a line: an address
 * or a network; a name, or *.name for all below it; a port, or a range of ports.
 */
struct pt_allow;
struct pt_allow_builder;

enum pt_allow_list {
        PT_ALLOW_CLIENTS,
        PT_ALLOW_DESTINATIONS,
        PT_ALLOW_NAMES, /* of the destination: the question, and the CNAME targets on the way */
        PT_ALLOW_PORTS, /* of the destination */
        PT_ALLOW_LISTS,
};

struct pt_allow_entry {
        const char *text; /* as it was written */
        const char *file;
        uint64_t matches; /* that it allowed */
        enum pt_allow_list list;
        unsigned line;
};

PT_PUBLIC int pt_allow_builder_new(struct pt_allow_builder **ret);
PT_PUBLIC struct pt_allow_builder *pt_allow_builder_free(struct pt_allow_builder *builder);

/* 0; -ENOMEM; -EINVAL with `error` written. On failure nothing of the text is in the builder. */
PT_PUBLIC int pt_allow_add(struct pt_allow_builder *builder, enum pt_allow_list list,
                           const char *file, const char *text, size_t length,
                           struct pt_rule_error *error);

/*
 * The set; counts of entries that stand in `before` too (NULL for none) go on. 0, or -ENOMEM. The
 * builder is empty afterwards.
 */
PT_PUBLIC int pt_allow_finish(struct pt_allow_builder *builder, const struct pt_allow *before,
                              struct pt_allow **ret);
PT_PUBLIC struct pt_allow *pt_allow_free(struct pt_allow *allow);

/* Every entry, in an order of its own; false behind the last. `allow` may be NULL. */
PT_PUBLIC bool pt_allow_entry(const struct pt_allow *allow, size_t place,
                              struct pt_allow_entry *ret);

/*
 * What the engine is told once; its strings are needed until pt_engine_new() returns. Times in
 * nanoseconds: reorder at most 1 s, window and cross_window at most max_window, that and throttle
 * at most 24 h, expectation_skew at most 10 s. pt_settings_default() fills all of it.
 */
struct pt_settings {
        size_t memory;        /* budget in octets; at least PT_MEMORY_LEAST */
        int64_t reorder;      /* how long a SYN waits for its answer */
        int64_t window;       /* how long an answer counts at least */
        int64_t max_window;   /* and at most, whatever its TTL */
        int64_t cross_window; /* how long its addresses give ports for other destinations */
        int64_t throttle;     /* how long a repeated match is held back at first */
        double chance_step;  /* luck as likely as this makes a match one severity lower; 1: never */
        double chance_floor; /* and as likely as this gives it the lowest; 1: never */
        bool lab;            /* private destinations count too */
        bool near_misses;    /* evaluate and report near misses */
        bool dns_events;
        bool connection_events;
        bool expectation_events;
        bool vlan_clients;        /* one IPv4 address in two VLANs is two clients */
        bool tunnel_clients;      /* and so it is behind two numbers of a tunnel */
        bool outcome_events;      /* follow the connections of alerts; takes part of the memory */
        bool outcome_beside;      /* by packets that pt_engine_beside() is handed */
        int64_t expectation_skew; /* how much earlier than the answer they begin to count */
        uint16_t connection_port_low, connection_port_high; /* which SYNs connection events tell */
        const char *const *home_networks;                   /* prefixes, ended by NULL */
        const char *const *nat64_prefixes;                  /* /96 prefixes, ended by NULL */
        uint64_t hash_key[2]; /* constant for replay, random for live */
};

#define PT_MEMORY_LEAST ((size_t)8 << 20)

PT_PUBLIC void pt_settings_default(struct pt_settings *settings);

/* What comes out. An event and all that it shows are valid until the callback returns. */
struct pt_event;

enum pt_event_kind {
        PT_EVENT_ALERT,
        PT_EVENT_ROTATION,
        PT_EVENT_CAMPAIGN,
        PT_EVENT_REPEATS,
        PT_EVENT_NEAR_MISS,
        PT_EVENT_DNS,
        PT_EVENT_CONNECTION,
        PT_EVENT_EXPECTATION,
        PT_EVENT_OUTCOME,
};

/* A frame that an alert may rest on later. */
enum pt_trace_kind {
        PT_TRACE_QUERY,  /* it completed a DNS query */
        PT_TRACE_ANSWER, /* it completed a DNS answer with addresses */
        PT_TRACE_SYN,
};

struct pt_trace {
        enum pt_trace_kind kind;
        bool part; /* the last one of several in which the message came */
        const struct pt_frame *frame;
        uint64_t query_number; /* of an answer: the frame with its query; 0 if none was seen */
        uint32_t query_file;
};

struct pt_receiver {
        void (*event)(void *context, const struct pt_event *event);
        void *context;
        void (*trace)(void *context, const struct pt_trace *trace); /* NULL: nobody keeps frames */
};

PT_PUBLIC enum pt_event_kind pt_event_kind(const struct pt_event *event);

struct pt_engine;

/*
 * 0; -ENOMEM; -EINVAL for settings out of range, for less memory than the fixed parts and the rules
 * leave room beside, and for what is no prefix. The rules must outlive the engine. The receiver
 * must not call the engine.
 */
PT_PUBLIC PT_MUST_CHECK int pt_engine_new(const struct pt_settings *settings,
                                          const struct pt_rules *rules,
                                          const struct pt_receiver *receiver,
                                          struct pt_engine **ret);

/*
 * Other rules, and those settings that shape no memory, from the next judgement on: lab,
 * near_misses, cross_window, throttle, expectation_skew, home_networks and which events are told.
 * The other settings are not looked at: they stay as they were. What clients were given goes on,
 * and so does what is held back by rules that still have the same id; of what the others held back
 * the number is told. Takes no more memory than the engine has. 0, and the old rules are needed no
 * longer; -ENOMEM or -EINVAL, and nothing has changed.
 */
PT_PUBLIC PT_MUST_CHECK int pt_engine_reload(struct pt_engine *engine,
                                             const struct pt_settings *settings,
                                             const struct pt_rules *rules);

/* These lists from the next judgement on, NULL for none; they are needed until others are given. */
PT_PUBLIC void pt_engine_allow(struct pt_engine *engine, struct pt_allow *allow);

PT_PUBLIC void pt_engine_packet(struct pt_engine *engine, const struct pt_frame *frame);

/*
 * Live, with outcome_beside: a filter in front of pt_engine_packet() hides what follows a SYN, and
 * another source brings it. Such a packet serves the outcomes and nothing else: it is counted as
 * outcome.packets, moves no time, and gives no alert. It comes in the order of packet time among
 * the others, and may be any packet: those that are not needed change nothing.
 */
PT_PUBLIC void pt_engine_beside(struct pt_engine *engine, const struct pt_frame *frame);

/* A connection that is followed. IPv4 addresses stand as ::ffff:a.b.c.d. */
struct pt_followed {
        uint8_t client[16], server[16];
        uint16_t client_port, server_port;
};

#define PT_FOLLOWED_MOST 512

/* All that are followed now, at most `room` of them: how many they are. */
PT_PUBLIC size_t pt_engine_followed(const struct pt_engine *engine, struct pt_followed *ret,
                                    size_t room);

/* A number that is another one whenever these are others. */
PT_PUBLIC uint64_t pt_engine_follows(const struct pt_engine *engine);

/* What became of the lines of logs that were read for this engine, so far: for its counters. */
PT_PUBLIC void pt_engine_log_lines(struct pt_engine *engine, uint64_t lines, uint64_t other,
                                   uint64_t unreadable);

/*
 * Live: no packet came until `time`, which is packet time, and a little before now: whatever was
 * captured until then must have been handed in. What has waited long enough is judged. True while
 * something still waits, and this should be called again soon.
 */
PT_PUBLIC bool pt_engine_idle(struct pt_engine *engine, int64_t time);

/*
 * Several packets in order, as if each had been handed over alone. While one is looked at, memory
 * brings what the next ones need: sixteen together cost much less than one after the other. All
 * frames are valid until this returns.
 */
PT_PUBLIC void pt_engine_packets(struct pt_engine *engine, const struct pt_frame *frames,
                                 size_t count);

/* The end of the input: all that waits is judged, all that is held back is told. Nothing may
 * follow. */
PT_PUBLIC void pt_engine_finish(struct pt_engine *engine);
PT_PUBLIC struct pt_engine *pt_engine_free(struct pt_engine *engine);

/* Who the documents say is speaking. Strings are borrowed; NULL where unknown. */
struct pt_observer {
        const char *name;      /* the sensor */
        const char *hostname;  /* the machine */
        const char *version;   /* of the program */
        const char *interface; /* where it captures, if that is one; NULL in replay */
        const char *(*interface_name)(void *context, uint32_t file); /* of several, which; NULL if
                                                                        there are none */
        const char *(*file_name)(void *context, uint32_t file); /* NULL if there are no files */
        void *file_context;
        bool test; /* what is told was made up: documents get the tag portent_self_test */
        const char *evidence;      /* the file with the packets of alerts; NULL: there is none */
        unsigned evidence_packets; /* how many of this alert's it holds */
        bool evidence_complete;    /* and whether that is all of them */
};

/*
 * One line of NDJSON, ECS 9.4.0, ended by "\n". `created` is the wall clock in nanoseconds since
 * 1970, `sequence` counts the lines. The caller frees `*ret`. 0, or -ENOMEM.
 */
PT_PUBLIC PT_MUST_CHECK int pt_event_ecs(const struct pt_event *event,
                                         const struct pt_observer *observer, int64_t created,
                                         uint64_t sequence, char **ret, size_t *ret_length);

/* One readable line, ended by "\n". The caller frees `*ret`. 0, or -ENOMEM. */
PT_PUBLIC PT_MUST_CHECK int pt_event_text(const struct pt_event *event,
                                          const struct pt_observer *observer, bool colour,
                                          char **ret, size_t *ret_length);

/* What was seen and done, by name: "capture.packets" is 1 and so on. False after the last. */
PT_PUBLIC bool pt_engine_counter(const struct pt_engine *engine, size_t place,
                                 const char **ret_name, uint64_t *ret_value);

/* What could not be read, by the number that says what it is: a row for each. */
struct pt_engine_unread {
        const char *layer; /* whose number it is, as "ethertype" */
        unsigned number;
        const char *name; /* as "802.1AE (MACsec)"; NULL if it has none here */
        bool ordinary;    /* every network has it, and no client's packet is inside: ARP, ICMP */
        uint64_t packets;
};

/* False after the last. Rows stay where they are while the engine lives. */
PT_PUBLIC bool pt_engine_unread(const struct pt_engine *engine, size_t place,
                                struct pt_engine_unread *ret);

#ifdef __cplusplus
}
#endif
