#include "document/alert.h"
#include "document/document.h"
#include "document/identity.h"
#include "document/words.h"

/* What is the same in all documents of a kind. Lists end with NULL. */
struct kind {
        const char *dataset;
        const char *kind;
        const char *action;
        const char *categories[3];
        const char *types[4];
};

static const struct kind kinds[] = {
        [PT_EVENT_ALERT] = {"portent.alert",
                            "alert",
                            PT_ALERT_ACTION,
                            {"network", "intrusion_detection"},
                            {"connection", "start", "info"}},
        [PT_EVENT_ROTATION] = {"portent.alert",
                               "alert",
                               PT_ALERT_ROTATION_ACTION,
                               {"network", "intrusion_detection"},
                               {"connection", "start", "info"}},
        [PT_EVENT_CAMPAIGN] = {"portent.alert",
                               "alert",
                               PT_ALERT_CAMPAIGN_ACTION,
                               {"network", "intrusion_detection"},
                               {"connection", "start", "info"}},
        /* Not of type connection: it is about many, and has no packet of its own. */
        [PT_EVENT_REPEATS] = {"portent.alert",
                              "event",
                              "dns_calculation_repeats",
                              {"network", "intrusion_detection"},
                              {"info"}},
        [PT_EVENT_NEAR_MISS] = {"portent.alert",
                                "event",
                                "dns_calculation_near_miss",
                                {"network", "intrusion_detection"},
                                {"connection", "start", "info"}},
        [PT_EVENT_DNS] = {"portent.dns",
                          "event",
                          "dns_answer",
                          {"network"},
                          {"connection", "protocol", "info"}},
        [PT_EVENT_CONNECTION] = {"portent.connection",
                                 "event",
                                 "connection_attempted",
                                 {"network"},
                                 {"connection", "start"}},
        /* Refers to the alert by portent.alert.id, and to the flow by network.community_id. */
        [PT_EVENT_OUTCOME] = {"portent.alert",
                              "event",
                              PT_ALERT_OUTCOME_ACTION,
                              {"network"},
                              {"connection", "info"}},
        /* No connection happened: its ends stand nowhere that a search for connections looks. */
        [PT_EVENT_EXPECTATION] = {"portent.expectation",
                                  "enrichment",
                                  "dns_calculation_expected",
                                  {"network"},
                                  {"info"}},
};

static void list(struct pt_document *doc, json_t *parent, const char *key, const char *const *texts)
{
        json_t *array = pt_document_array(doc, parent, key);

        for (; *texts; texts++)
                pt_document_append(doc, array, *texts);
}

/* event.* as far as it is the same for all events. */
static json_t *event_group(struct pt_document *doc, const struct kind *kind, int64_t created,
                           uint64_t sequence)
{
        json_t *group = pt_document_object(doc, doc->root, "event");

        pt_document_text(doc, group, "kind", kind->kind);
        list(doc, group, "category", kind->categories);
        list(doc, group, "type", kind->types);
        pt_document_text(doc, group, "module", "portent");
        pt_document_text(doc, group, "dataset", kind->dataset);
        pt_document_text(doc, group, "provider", "portent");
        pt_document_text(doc, group, "action", kind->action);
        pt_document_time(doc, group, "created", created);
        pt_document_integer(doc, group, "sequence", sequence);
        return group;
}

static void repeats_event(struct pt_document *doc, const struct pt_event *event, json_t *group,
                          const char *action)
{
        const struct pt_held *held = event->repeats;
        struct pt_identity identity = {
                .action = action,
                .rule = held->rule->id,
                .client = held->client,
                .other = held->destination,
                .other_port = held->destination_port,
                .wall = held->last_wall,
        };
        char id[PT_IDENTITY_TEXT], reason[PT_WORDS_REASON];

        pt_document_text(doc, group, "id", pt_identity_text(&identity, id));
        if (held->first_wall <= held->last_wall) { /* packet time may have stepped back between */
                pt_document_time(doc, group, "start", held->first_wall);
                pt_document_integer(doc, group, "duration",
                                    (uint64_t)(held->last_wall - held->first_wall));
        }
        pt_document_time(doc, group, "end", held->last_wall);
        pt_document_text(doc, group, "reason", pt_words_reason(event, reason));
        pt_document_text(doc, group, "reference", held->rule->reference);
}

/* What was held back after an alert: about many SYNs, so without a packet or a source port. */
static void build_repeats(struct pt_document *doc, const struct pt_event *event, json_t *group,
                          const char *action)
{
        const struct pt_held *held = event->repeats;
        const struct pt_address client = pt_address_plain(&held->client);
        struct pt_document_network network = {
                .flow = {.protocol = 6, .ipv6 = !pt_address_is_ipv4(&client)},
                .source_inside = pt_prefixes_contain(&event->home, &held->client),
                .destination_inside = pt_prefixes_contain(&event->home, &held->destination),
        };
        json_t *destination, *portent;

        repeats_event(doc, event, group, action);
        pt_document_rule(doc, held->rule);
        pt_document_threat(doc, held->rule);
        pt_document_endpoint(doc, "source", &held->client, -1, NULL);
        destination = pt_document_endpoint(doc, "destination", &held->destination,
                                           held->destination_port, NULL);
        pt_document_calculated(doc, destination, &held->destination, held->destination_port);
        pt_document_network(doc, &network);
        portent = pt_document_object(doc, doc->root, "portent");
        pt_document_text(doc, portent, "verdict", pt_verdict_name(held->verdict));
        pt_document_integer(doc, portent, "suppressed_count", held->pending);
}

/* event.*: the exchange began with the query, if that was seen, and ends with the answer. */
static void dns_event(struct pt_document *doc, const struct pt_event *event, json_t *group,
                      const char *action)
{
        int64_t end = event->dns.frame->time, start = event->dns.asked_wall;
        bool success = PT_DNS_RCODE(event->dns.dns->flags) == 0;
        const struct pt_packet *packet = event->dns.packet;
        struct pt_identity identity = {
                .action = action,
                .rule = "",
                .client = pt_address_in_zone(&packet->destination, &packet->zone),
                .other = packet->source,
                .client_port = packet->destination_port,
                .other_port = packet->source_port,
                .number = event->dns.dns->id,
                .wall = end,
        };
        char id[PT_IDENTITY_TEXT];

        pt_document_text(doc, group, "id", pt_identity_text(&identity, id));
        if (event->dns.asked && start <= end) {
                pt_document_time(doc, group, "start", start);
                pt_document_integer(doc, group, "duration", (uint64_t)(end - start));
        }
        pt_document_time(doc, group, "end", end);
        pt_document_text(doc, group, "outcome", success ? "success" : "failure");
}

/* source.*, client.*: who asked; destination.*, server.*: the resolver. As in Packetbeat. */
static void dns_endpoints(struct pt_document *doc, const struct pt_event *event)
{
        const struct pt_packet *p = event->dns.packet;
        struct pt_document_network network = {
                .flow = {p->source, p->destination, p->source_port, p->destination_port,
                         p->protocol, p->ipv6},
                .has_ports = true,
                .source_inside = pt_prefixes_contain(&event->home, &p->destination),
                .destination_inside = pt_prefixes_contain(&event->home, &p->source),
                .protocol = "dns",
                .vlans = p->vlans,
                .vlan_count = p->vlan_count,
                .tunnels = p->tunnels,
                .tunnel_count = p->tunnel_count,
        };

        pt_document_endpoint(doc, "source", &p->destination, p->destination_port,
                             p->has_destination_mac ? p->destination_mac : NULL);
        pt_document_endpoint(doc, "destination", &p->source, p->source_port,
                             p->has_mac ? p->source_mac : NULL);
        pt_document_endpoint(doc, "client", &p->destination, p->destination_port, NULL);
        pt_document_endpoint(doc, "server", &p->source, p->source_port, NULL);
        pt_document_network(doc, &network);
}

static void build_dns(struct pt_document *doc, const struct pt_event *event, json_t *group,
                      const char *action)
{
        const struct pt_frame *frame = event->dns.frame;
        json_t *portent, *dns;
        unsigned records;

        dns_event(doc, event, group, action);
        dns_endpoints(doc, event);
        records = pt_document_message(doc, event->dns.dns);
        portent = pt_document_object(doc, doc->root, "portent");
        dns = pt_document_object(doc, portent, "dns");
        pt_document_boolean(doc, dns, "asked", event->dns.asked);
        if (records > PT_DOCUMENT_RECORDS)
                pt_document_integer(doc, dns, "records", records);
        pt_document_packet(doc, portent, frame->number, frame->time, frame->file);
}

static void expectation_event(struct pt_document *doc, const struct pt_expectation *e,
                              int64_t start, json_t *group, const char *action)
{
        struct pt_identity identity = {
                .action = action,
                .rule = e->rule->id,
                .client = e->client,
                .other = e->has_destination ? e->destination : e->address,
                .client_port = (uint16_t)e->relation,
                .other_port = e->port,
                .number = pt_address_low32(&e->address),
                .wall = e->from,
        };
        char id[PT_IDENTITY_TEXT];

        pt_document_text(doc, group, "id", pt_identity_text(&identity, id));
        pt_document_time(doc, group, "start", start);
        if (e->until >= start) /* packet time may have stepped back between two answers */
                pt_document_time(doc, group, "end", e->until);
}

static void expectation_dns(struct pt_document *doc, const struct pt_expectation *e)
{
        json_t *dns = pt_document_object(doc, doc->root, "dns"), *question;
        char text[PT_WORDS_DNS];

        pt_document_text(doc, dns, "type", "answer");
        question = pt_document_object(doc, dns, "question");
        pt_document_host(doc, question, "name", e->question);
        if (e->question_type)
                pt_document_text(doc, question, "type", pt_words_dns_type(e->question_type, text));
        pt_document_append_ip(doc, pt_document_array(doc, dns, "resolved_ip"), &e->address);
}

/* Small on purpose: there is one for each client, address and rule. */
static void build_expectation(struct pt_document *doc, const struct pt_event *event, json_t *group,
                              const char *action)
{
        const struct pt_expectation *e = event->expectation.of;
        json_t *rule, *portent, *part;

        expectation_event(doc, e, e->from - event->expectation.skew, group, action);
        rule = pt_document_object(doc, doc->root, "rule");
        pt_document_text(doc, rule, "id", e->rule->id);
        pt_document_text(doc, rule, "name", e->rule->name);
        pt_document_endpoint(doc, "source", &e->client, -1, NULL);
        expectation_dns(doc, e);
        portent = pt_document_object(doc, doc->root, "portent");
        part = pt_document_object(doc, portent, "expected");
        pt_document_text(doc, part, "relation", pt_words_relation(e->relation));
        if (e->has_destination)
                pt_document_ip(doc, part, "ip", &e->destination);
        if (e->port)
                pt_document_integer(doc, part, "port", e->port);
        part = pt_document_object(doc, portent, "dns");
        pt_document_ip(doc, pt_document_object(doc, part, "resolver"), "ip", &e->resolver);
        pt_document_time(doc, part, "answered_at", e->wall);
        pt_document_integer(doc, part, "ttl", e->ttl);
        pt_document_boolean(doc, part, "asked", e->asked);
}

static int64_t time_of(const struct pt_event *event)
{
        switch (event->kind) {
        case PT_EVENT_ROTATION:
                return event->rotation.syn->wall;
        case PT_EVENT_CAMPAIGN:
                return event->campaign.syn->wall;
        case PT_EVENT_REPEATS:
                return event->repeats->last_wall;
        case PT_EVENT_DNS:
                return event->dns.frame->time;
        case PT_EVENT_CONNECTION:
                return event->connection.syn->wall;
        case PT_EVENT_OUTCOME:
                return event->outcome->last_wall;
        case PT_EVENT_EXPECTATION:
                return event->expectation.of->from - event->expectation.skew;
        case PT_EVENT_ALERT:
        case PT_EVENT_NEAR_MISS:
                break;
        }
        return event->alert.syn->wall;
}

/* message: the rule's name, the same for all of its alerts. */
static const char *message_of(const struct pt_event *event)
{
        const struct pt_rule *rule;

        if (event->kind == PT_EVENT_DNS || event->kind == PT_EVENT_CONNECTION ||
            event->kind == PT_EVENT_EXPECTATION || event->kind == PT_EVENT_OUTCOME)
                return NULL;
        if (event->kind == PT_EVENT_ROTATION)
                return PT_ALERT_ROTATION;
        if (event->kind == PT_EVENT_CAMPAIGN)
                return PT_ALERT_CAMPAIGN;
        rule = event->kind == PT_EVENT_REPEATS ? event->repeats->rule : event->alert.match->rule;
        return rule->name ? rule->name : rule->id;
}

int pt_event_ecs(const struct pt_event *event, const struct pt_observer *observer, int64_t created,
                 uint64_t sequence, char **ret, size_t *ret_length)
{
        static void (*const build[])(struct pt_document *, const struct pt_event *, json_t *group,
                                     const char *action) = {
                [PT_EVENT_ALERT] = pt_alert_match,
                [PT_EVENT_ROTATION] = pt_alert_rotation,
                [PT_EVENT_CAMPAIGN] = pt_alert_campaign,
                [PT_EVENT_REPEATS] = build_repeats,
                [PT_EVENT_NEAR_MISS] = pt_alert_match,
                [PT_EVENT_DNS] = build_dns,
                [PT_EVENT_CONNECTION] = pt_alert_connection,
                [PT_EVENT_EXPECTATION] = build_expectation,
                [PT_EVENT_OUTCOME] = pt_alert_outcome,
        };
        const struct kind *kind = &kinds[event->kind];
        struct pt_document doc = pt_document(observer, time_of(event), "logs", kind->dataset);
        json_t *group;

        pt_document_text(&doc, doc.root, "message", message_of(event));
        group = event_group(&doc, kind, created, sequence);
        build[event->kind](&doc, event, group, kind->action);
        pt_document_observer(&doc);
        pt_document_related(&doc);
        return pt_document_write(&doc, ret, ret_length);
}
