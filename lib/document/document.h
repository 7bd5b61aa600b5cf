/*
 * document: the parts that ECS documents are built of, one function for each group of fields.
 *
 * A document remembers that memory ran out, like the reader of bytes: build straight down, and ask
 * once, at pt_document_write(). What is unknown is left out: no null, no "", no empty list.
 */
#pragma once

#include <jansson.h>

#include "document/community.h"
#include "engine/event.h"

#define PT_DOCUMENT_ECS "9.4.0"

struct pt_document {
        json_t *root;
        json_t *ips;   /* related.ip: every address in the document, each once */
        json_t *hosts; /* related.hosts: every host name */
        const struct pt_observer *observer;
        bool failed; /* memory ran out */
};

/* Begin with nothing. */
struct pt_document pt_document_empty(void);

/* Begin with @timestamp, ecs.version and data_stream.*. */
struct pt_document pt_document(const struct pt_observer *observer, int64_t time, const char *type,
                               const char *dataset);

/* One line of JSON. Frees the document. 0, or -ENOMEM. */
int pt_document_write(struct pt_document *doc, char **ret, size_t *ret_length);

/* Values. A parent or text that is NULL is left out, an empty text too. */
json_t *pt_document_object(struct pt_document *doc, json_t *parent, const char *key);
json_t *pt_document_array(struct pt_document *doc, json_t *parent, const char *key);
void pt_document_text(struct pt_document *doc, json_t *parent, const char *key, const char *text);
void pt_document_integer(struct pt_document *doc, json_t *parent, const char *key, uint64_t value);
void pt_document_real(struct pt_document *doc, json_t *parent, const char *key, double value);
void pt_document_estimate(struct pt_document *doc, json_t *parent, const char *key, double value);
void pt_document_boolean(struct pt_document *doc, json_t *parent, const char *key, bool value);
void pt_document_time(struct pt_document *doc, json_t *parent, const char *key, int64_t time);

/* The same, and related.* holds them too. */
void pt_document_ip(struct pt_document *doc, json_t *parent, const char *key,
                    const struct pt_address *address);
void pt_document_host(struct pt_document *doc, json_t *parent, const char *key,
                      const struct pt_dns_name *name);

json_t *pt_document_append_object(struct pt_document *doc, json_t *array);

/* Append to a list what is not there yet. */
void pt_document_append(struct pt_document *doc, json_t *array, const char *text);
void pt_document_append_integer(struct pt_document *doc, json_t *array, json_int_t value);
void pt_document_append_ip(struct pt_document *doc, json_t *array,
                           const struct pt_address *address);
void pt_document_append_host(struct pt_document *doc, json_t *array,
                             const struct pt_dns_name *name);

/* source.*, destination.*, client.*, server.*. Port -1 and MAC NULL: unknown. */
json_t *pt_document_endpoint(struct pt_document *doc, const char *key,
                             const struct pt_address *address, int port, const uint8_t mac[6]);

/*
 * destination.calculated_port_*: the two formulas of the published query, whatever rules are
 * loaded. `key` is the destination as hosts looks it up; nothing is written unless it is an IPv4
 * address.
 */
void pt_document_calculated(struct pt_document *doc, json_t *destination,
                            const struct pt_address *key, uint16_t port);

/* rule.*, and threat.*: what the rule's file says (never threat.group: a formula is no one's). */
void pt_document_rule(struct pt_document *doc, const struct pt_rule *rule);
void pt_document_threat(struct pt_document *doc, const struct pt_rule *rule);

/* network.*, portent.tunnel.*. Without a flow's ports (`has_ports`) there is no community id. */
struct pt_document_network {
        struct pt_flow flow;
        bool has_ports;
        bool source_inside;
        bool destination_inside;
        const char *protocol; /* NULL, or as "dns" */
        const uint16_t *vlans;
        size_t vlan_count;
        const struct pt_packet_tunnel *tunnels;
        size_t tunnel_count;
};
void pt_document_network(struct pt_document *doc, const struct pt_document_network *network);

/* dns.* of an answer that was kept, and of a message. Returns how many records the latter has. */
void pt_document_evidence(struct pt_document *doc, const struct pt_evidence *evidence);
#define PT_DOCUMENT_RECORDS 64 /* that are written of one message */
unsigned pt_document_message(struct pt_document *doc, const struct pt_dns *dns);

/* observer.*, and related.*: the last of all. */
void pt_document_observer(struct pt_document *doc);
void pt_document_related(struct pt_document *doc);

/* portent.packet.*, portent.pcap.file. */
void pt_document_packet(struct pt_document *doc, json_t *portent, uint64_t number, int64_t time,
                        uint32_t file);
void pt_document_file(struct pt_document *doc, json_t *parent, uint32_t file);

/* PARENT.log.*: the line of another program's log, and what that does not say. */
struct pt_document_log {
        enum pt_logged_source source;
        bool connection; /* else an answer */
        uint8_t lacks;
        uint64_t line;
        uint32_t file;
};
void pt_document_log(struct pt_document *doc, json_t *parent, const struct pt_document_log *log);
