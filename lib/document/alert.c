#include "document/alert.h"

#include "document/identity.h"
#include "document/words.h"

static const char *id_of(const char *action, const char *rule, const struct pt_syn *syn,
                         char ret[PT_IDENTITY_TEXT])
{
        struct pt_identity identity = {
                .action = action,
                .rule = rule,
                .client = syn->client,
                .other = syn->destination,
                .client_port = syn->client_port,
                .other_port = syn->destination_port,
                .number = syn->sequence,
                .wall = syn->wall,
        };

        return pt_identity_text(&identity, ret);
}

static void identify(struct pt_document *doc, json_t *group, const char *action, const char *rule,
                     const struct pt_syn *syn)
{
        char text[PT_IDENTITY_TEXT];

        pt_document_text(doc, group, "id", id_of(action, rule, syn, text));
}

const char *pt_alert_id(const struct pt_event *event, char ret[PT_IDENTITY_TEXT])
{
        if (event->kind == PT_EVENT_ROTATION)
                return id_of(PT_ALERT_ROTATION_ACTION, PT_RULE_ROTATION, event->rotation.syn, ret);
        if (event->kind == PT_EVENT_CAMPAIGN)
                return id_of(PT_ALERT_CAMPAIGN_ACTION, PT_RULE_CAMPAIGN, event->campaign.syn, ret);
        return id_of(PT_ALERT_ACTION, event->alert.match->rule->id, event->alert.syn, ret);
}

/* portent.evidence.*: where the packets are. */
static void evidence_file(struct pt_document *doc, json_t *portent)
{
        const struct pt_observer *observer = doc->observer;
        json_t *group;

        if (!observer || !observer->evidence)
                return;
        group = pt_document_object(doc, portent, "evidence");
        pt_document_text(doc, group, "file", observer->evidence);
        pt_document_integer(doc, group, "packets", observer->evidence_packets);
        pt_document_boolean(doc, group, "complete", observer->evidence_complete);
}

static void severity(struct pt_document *doc, json_t *group, int value)
{
        pt_document_integer(doc, group, "severity", (uint64_t)value);
        pt_document_real(doc, group, "risk_score", value);
}

static void reason(struct pt_document *doc, json_t *group, const struct pt_event *event)
{
        char text[PT_WORDS_REASON];

        pt_document_text(doc, group, "reason", pt_words_reason(event, text));
}

/* Where the SYN was seen: in a packet, or in a line of another program's log. */
static void seen(struct pt_document *doc, json_t *portent, const struct pt_syn *syn)
{
        const struct pt_document_log log = {
                .source = (enum pt_logged_source)syn->source,
                .connection = true,
                .lacks = syn->lacks,
                .line = syn->number,
                .file = syn->file,
        };

        if (syn->source)
                pt_document_log(doc, portent, &log);
        else
                pt_document_packet(doc, portent, syn->number, syn->wall, syn->file);
}

/* source.*, destination.*, network.*. `name`: what DNS called the destination, or NULL. */
static void syn_groups(struct pt_document *doc, const struct pt_event *event,
                       const struct pt_syn *syn, const struct pt_dns_name *name)
{
        struct pt_document_network network = {
                .flow = {pt_address_plain(&syn->client), syn->destination, syn->client_port,
                         syn->destination_port, 6, syn->ipv6},
                .has_ports = true,
                .source_inside = pt_prefixes_contain(&event->home, &syn->client),
                .destination_inside = pt_prefixes_contain(&event->home, &syn->destination) ||
                                      pt_prefixes_contain(&event->home, &syn->key),
                .vlans = syn->vlans,
                .vlan_count = syn->vlan_count,
                .tunnels = syn->tunnels,
                .tunnel_count = syn->tunnel_count,
        };
        json_t *destination;

        pt_document_endpoint(doc, "source", &syn->client, syn->client_port,
                             syn->has_mac ? syn->client_mac : NULL);
        destination =
                pt_document_endpoint(doc, "destination", &syn->destination, syn->destination_port,
                                     syn->has_destination_mac ? syn->destination_mac : NULL);
        if (name)
                pt_document_host(doc, destination, "domain", name);
        pt_document_calculated(doc, destination, &syn->key, syn->destination_port);
        pt_document_network(doc, &network);
}

static void host_names(struct pt_document *doc, json_t *parent, const char *key,
                       const struct pt_dns_name *name, size_t count)
{
        json_t *array;

        if (!count)
                return;
        array = pt_document_array(doc, parent, key);
        for (size_t i = 0; i < count; i++)
                pt_document_append_host(doc, array, &name[i]);
}

/* Where the answer was seen. */
static void answer_seen(struct pt_document *doc, json_t *group, const struct pt_syn *syn,
                        const struct pt_evidence *evidence)
{
        const struct pt_document_log log = {
                .source = evidence->source,
                .lacks = evidence->lacks,
                .line = evidence->number,
                .file = evidence->file,
        };

        if (evidence->source) {
                pt_document_log(doc, group, &log);
                return;
        }
        if (evidence->number)
                pt_document_integer(doc, pt_document_object(doc, group, "packet"), "number",
                                    evidence->number);
        if (evidence->file != syn->file)
                pt_document_file(doc, group, evidence->file);
}

/* portent.dns.*: the answer behind a match, seen from its SYN. */
static void portent_dns(struct pt_document *doc, json_t *portent, const struct pt_syn *syn,
                        const struct pt_evidence *evidence)
{
        int64_t age = pt_words_age(syn, evidence);
        json_t *group = pt_document_object(doc, portent, "dns"), *resolver;

        resolver = pt_document_object(doc, group, "resolver");
        pt_document_ip(doc, resolver, "ip", &evidence->resolver);
        pt_document_integer(doc, resolver, "port", PT_DNS_PORT);
        if (!pt_address_equal(&evidence->client, &syn->client))
                pt_document_ip(doc, pt_document_object(doc, group, "client"), "ip",
                               &evidence->client);
        pt_document_time(doc, group, "answered_at", evidence->wall);
        pt_document_real(doc, group, "seconds_since_answer", (double)age / 1e9);
        if (!(evidence->lacks & PT_LOGGED_NO_TTL)) {
                pt_document_integer(doc, group, "ttl", evidence->ttl);
                pt_document_boolean(doc, group, "ttl_expired",
                                    age > evidence->ttl * INT64_C(1000000000));
        }
        host_names(doc, group, "names", evidence->names, evidence->name_count);
        host_names(doc, group, "chain", evidence->chain, evidence->chain_count);
        pt_document_boolean(doc, group, "asked", evidence->asked);
        answer_seen(doc, group, syn, evidence);
}

/* The client's other address, if that is the one to which the answer went (4.11). */
static void portent_twin(struct pt_document *doc, json_t *portent, const struct pt_match *match)
{
        if (match->by_twin)
                pt_document_ip(doc, pt_document_object(doc, portent, "twin"), "ip", &match->twin);
}

/* The calculation, and the address it began with where that is not the destination. */
static void portent_arithmetic(struct pt_document *doc, json_t *portent, const struct pt_syn *syn,
                               const struct pt_match *match, const struct pt_evidence *evidence)
{
        char text[PT_WORDS_ARITHMETIC];
        const char *from = match->rule->address ? "address_from" : "port_from";

        pt_document_text(doc, portent, "arithmetic", pt_words_arithmetic(match, text));
        if (evidence && !pt_words_about_destination(syn, evidence))
                pt_document_ip(doc, pt_document_object(doc, portent, from), "ip",
                               &evidence->address);
}

static void alert(struct pt_document *doc, const struct pt_event *event, json_t *portent)
{
        const struct pt_match *match = event->alert.match;
        json_t *also;

        pt_document_text(doc, portent, "verdict", pt_verdict_name(match->verdict));
        pt_document_estimate(doc, portent, "chance", match->chance);
        pt_document_integer(doc, portent, "candidates", match->candidates);
        pt_document_integer(doc, portent, "tries", match->tries);
        pt_document_estimate(doc, portent, "expected_per_day", match->expected_per_day);
        if (event->alert.suppressed)
                pt_document_integer(doc, portent, "suppressed_count", event->alert.suppressed);
        if (!event->alert.also_count)
                return;
        also = pt_document_array(doc, portent, "also");
        for (size_t i = 0; i < event->alert.also_count; i++)
                pt_document_append(doc, also, event->alert.also[i]->id);
}

static void near_miss(struct pt_document *doc, const struct pt_event *event, json_t *portent)
{
        const struct pt_allow_entry *allowed = event->alert.allowed;
        json_t *group = pt_document_object(doc, portent, "near_miss");

        pt_document_text(doc, group, "reason", pt_near_miss_name(event->alert.reason));
        if (!allowed)
                return;
        pt_document_text(doc, group, "list", pt_allow_list_name(allowed->list));
        pt_document_text(doc, group, "entry", allowed->text);
}

/* What the match rests on: the arithmetic, the packet, and the answer, if there was one. */
static void grounds(struct pt_document *doc, json_t *portent, const struct pt_syn *syn,
                    const struct pt_match *match, const struct pt_evidence *evidence)
{
        portent_arithmetic(doc, portent, syn, match, evidence);
        portent_twin(doc, portent, match);
        seen(doc, portent, syn);
        if (!evidence)
                return;
        portent_dns(doc, portent, syn, evidence);
        pt_document_evidence(doc, evidence);
}

/* ALERT and NEAR_MISS. A near miss has no severity and is no one's technique. */
void pt_alert_match(struct pt_document *doc, const struct pt_event *event, json_t *group,
                    const char *action)
{
        const struct pt_match *match = event->alert.match;
        const struct pt_evidence *evidence = event->alert.evidence;
        const struct pt_evidence *destination = event->alert.destination;
        const struct pt_syn *syn = event->alert.syn;
        bool is_alert = event->kind == PT_EVENT_ALERT;
        json_t *portent;

        identify(doc, group, action, match->rule->id, syn);
        pt_document_time(doc, group, "start", syn->wall);
        if (is_alert)
                severity(doc, group, match->severity);
        reason(doc, group, event);
        pt_document_text(doc, group, "reference", match->rule->reference);
        pt_document_rule(doc, match->rule);
        if (is_alert)
                pt_document_threat(doc, match->rule);
        syn_groups(doc, event, syn, destination ? &destination->chain[0] : NULL);
        portent = pt_document_object(doc, doc->root, "portent");
        pt_document_text(doc, portent, "next_step", pt_words_next_step(event));
        if (is_alert) {
                alert(doc, event, portent);
                evidence_file(doc, portent);
        } else {
                near_miss(doc, event, portent);
        }
        grounds(doc, portent, syn, match, evidence);
}

/* Neither a rotation nor a campaign is a rule of the set, but they are reported as one. */
static void made_rule(struct pt_document *doc, const char *id, const char *name,
                      const char *description, const struct pt_rule *of)
{
        /* The strings of a rule are its own to free; nobody frees this one. */
        struct pt_rule rule = {
                .id = (char *)id,
                .name = (char *)name,
                .version = (char *)"1",
                .description = (char *)description,
                .category = of->category,
                .ruleset = of->ruleset,
                .reference = of->reference,
        };

        pt_document_rule(doc, &rule);
        pt_document_threat(doc, of);
}

static void portent_rotation(struct pt_document *doc, json_t *portent, const struct pt_event *event)
{
        const struct pt_rotation *rotation = event->rotation.rotation;
        json_t *group = pt_document_object(doc, portent, "rotation"), *ips, *ports;

        host_names(doc, group, "names", event->rotation.names, event->rotation.name_count);
        ips = pt_document_array(doc, group, "ips");
        for (size_t i = 0; i < rotation->match_count; i++)
                pt_document_append_ip(doc, ips, &rotation->matches[i].destination);
        ports = pt_document_array(doc, group, "ports");
        for (size_t i = 0; i < rotation->match_count; i++)
                pt_document_append_integer(doc, ports, rotation->matches[i].port);
        pt_document_integer(doc, group, "count", rotation->count);
        pt_document_estimate(doc, group, "chance", rotation->chance);
}

void pt_alert_rotation(struct pt_document *doc, const struct pt_event *event, json_t *group,
                       const char *action)
{
        const struct pt_match *match = event->rotation.match;
        const struct pt_evidence *evidence = event->rotation.evidence;
        const struct pt_syn *syn = event->rotation.syn;
        bool named = evidence && match->verdict != PT_DNS_OTHER_CLIENT &&
                     pt_words_about_destination(syn, evidence);
        json_t *portent;

        identify(doc, group, action, PT_RULE_ROTATION, syn);
        pt_document_time(doc, group, "start", syn->wall);
        severity(doc, group, PT_SEVERITY_CRITICAL);
        reason(doc, group, event);
        pt_document_text(doc, group, "reference", match->rule->reference);
        made_rule(doc, PT_RULE_ROTATION, PT_ALERT_ROTATION,
                  "A client connects to several networks on several ports, "
                  "each calculated from an address that DNS returned.",
                  match->rule);
        syn_groups(doc, event, syn, named ? &evidence->chain[0] : NULL);
        portent = pt_document_object(doc, doc->root, "portent");
        pt_document_text(doc, portent, "verdict",
                         pt_verdict_name(event->rotation.rotation->verdict));
        pt_document_text(doc, portent, "next_step", pt_words_next_step(event));
        portent_rotation(doc, portent, event);
        evidence_file(doc, portent);
        grounds(doc, portent, syn, match, evidence);
}

/* What all of them have in common: a name, an address, or a rule's id. */
static void campaign_value(struct pt_document *doc, json_t *group, const struct pt_event *event)
{
        switch (event->campaign.found->key) {
        case PT_OUTBREAK_NAME:
                pt_document_host(doc, group, "value", &event->campaign.evidence->chain[0]);
                break;
        case PT_OUTBREAK_DESTINATION:
                pt_document_ip(doc, group, "value", &event->campaign.syn->destination);
                break;
        case PT_OUTBREAK_RULE:
        case PT_OUTBREAK_KEYS:
                pt_document_text(doc, group, "value", event->campaign.match->rule->id);
                break;
        }
}

static void portent_campaign(struct pt_document *doc, json_t *portent, const struct pt_event *event)
{
        const struct pt_outbreak_found *found = event->campaign.found;
        json_t *group = pt_document_object(doc, portent, "campaign"), *clients, *ips, *ports;

        pt_document_text(doc, group, "key", pt_outbreak_key_name(found->key));
        campaign_value(doc, group, event);
        pt_document_integer(doc, group, "count", found->count);
        clients = pt_document_array(doc, group, "clients");
        for (size_t i = 0; i < found->client_count; i++)
                pt_document_append_ip(doc, clients, &found->clients[i]);
        host_names(doc, group, "names", found->names, found->name_count);
        ips = pt_document_array(doc, group, "ips");
        for (size_t i = 0; i < found->destination_count; i++)
                pt_document_append_ip(doc, ips, &found->destinations[i]);
        ports = pt_document_array(doc, group, "ports");
        for (size_t i = 0; i < found->port_count; i++)
                pt_document_append_integer(doc, ports, found->ports[i]);
        pt_document_time(doc, group, "first", found->first_wall);
        pt_document_time(doc, group, "last", found->last_wall);
}

/* About several clients; source.* and the packet are those of the one that was the last to come. */
void pt_alert_campaign(struct pt_document *doc, const struct pt_event *event, json_t *group,
                       const char *action)
{
        const struct pt_match *match = event->campaign.match;
        const struct pt_evidence *evidence = event->campaign.evidence;
        const struct pt_syn *syn = event->campaign.syn;
        bool named =
                match->verdict != PT_DNS_OTHER_CLIENT && pt_words_about_destination(syn, evidence);
        json_t *portent;

        identify(doc, group, action, PT_RULE_CAMPAIGN, syn);
        pt_document_time(doc, group, "start", syn->wall);
        severity(doc, group, event->campaign.found->severity);
        reason(doc, group, event);
        pt_document_text(doc, group, "reference", match->rule->reference);
        made_rule(doc, PT_RULE_CAMPAIGN, PT_ALERT_CAMPAIGN,
                  "Several clients meet a rule within a day and have a name, a destination or the "
                  "rule itself in common.",
                  match->rule);
        syn_groups(doc, event, syn, named ? &evidence->chain[0] : NULL);
        portent = pt_document_object(doc, doc->root, "portent");
        pt_document_text(doc, portent, "verdict", pt_verdict_name(event->campaign.found->verdict));
        pt_document_text(doc, portent, "next_step", pt_words_next_step(event));
        portent_campaign(doc, portent, event);
        evidence_file(doc, portent);
        portent_arithmetic(doc, portent, syn, match, evidence);
        seen(doc, portent, syn);
        portent_dns(doc, portent, syn, evidence);
        pt_document_evidence(doc, evidence);
}

void pt_alert_connection(struct pt_document *doc, const struct pt_event *event, json_t *group,
                         const char *action)
{
        const struct pt_evidence *destination = event->connection.destination;
        const struct pt_syn *syn = event->connection.syn;
        json_t *portent;

        identify(doc, group, action, "", syn);
        pt_document_time(doc, group, "start", syn->wall);
        syn_groups(doc, event, syn, destination ? &destination->chain[0] : NULL);
        portent = pt_document_object(doc, doc->root, "portent");
        seen(doc, portent, syn);
}

/* ---- what became of it ---- */

static void outcome_event(struct pt_document *doc, const struct pt_event *event, json_t *group)
{
        static const char *const outcomes[PT_OUTCOME_STATES] = {
                [PT_OUTCOME_SILENT] = "unknown",
                [PT_OUTCOME_REFUSED] = "failure",
                [PT_OUTCOME_ANSWERED] = "success",
        };
        const struct pt_outcome *outcome = event->outcome;
        int64_t start = outcome->syn.wall, end = outcome->last_wall;

        pt_document_time(doc, group, "start", start);
        if (end >= start) { /* packet time may have stepped back between */
                pt_document_time(doc, group, "end", end);
                pt_document_integer(doc, group, "duration", (uint64_t)(end - start));
        }
        pt_document_text(doc, group, "outcome", outcomes[outcome->state]);
        reason(doc, group, event);
}

/* Of one end; or of both. */
static void outcome_numbers(struct pt_document *doc, const char *key, uint64_t bytes,
                            uint64_t packets)
{
        json_t *group = pt_document_object(doc, doc->root, key);

        pt_document_integer(doc, group, "bytes", bytes);
        pt_document_integer(doc, group, "packets", packets);
}

void pt_alert_outcome(struct pt_document *doc, const struct pt_event *event, json_t *group,
                      const char *action)
{
        const struct pt_outcome *outcome = event->outcome;
        const struct pt_syn *syn = &outcome->syn;
        json_t *portent, *part;
        char id[PT_IDENTITY_TEXT];

        identify(doc, group, action, outcome->rule, syn);
        outcome_event(doc, event, group);
        pt_document_text(doc, pt_document_object(doc, doc->root, "rule"), "id", outcome->rule);
        syn_groups(doc, event, syn, NULL);
        outcome_numbers(doc, "source", outcome->client.bytes, outcome->client.packets);
        outcome_numbers(doc, "destination", outcome->server.bytes, outcome->server.packets);
        outcome_numbers(doc, "network", outcome->client.bytes + outcome->server.bytes,
                        outcome->client.packets + outcome->server.packets);
        portent = pt_document_object(doc, doc->root, "portent");
        pt_document_text(doc, pt_document_object(doc, portent, "alert"), "id",
                         id_of(PT_ALERT_ACTION, outcome->rule, syn, id));
        part = pt_document_object(doc, portent, "outcome");
        pt_document_text(doc, part, "state", pt_outcome_state_name(outcome->state));
        pt_document_text(doc, part, "end", pt_outcome_end_name(outcome->end));
        pt_document_boolean(doc, part, "partial", outcome->partial);
        pt_document_packet(doc, portent, syn->number, syn->wall, syn->file);
}
