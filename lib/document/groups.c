/*
 * groups: the groups of fields that most documents have: rule, threat, source, destination,
 * network, observer, related, packet.
 */
#include <stdio.h>

#include "document/document.h"

json_t *pt_document_endpoint(struct pt_document *doc, const char *key,
                             const struct pt_address *address, int port, const uint8_t mac[6])
{
        json_t *endpoint = pt_document_object(doc, doc->root, key);
        char text[PT_ADDRESS_TEXT];

        pt_document_text(doc, endpoint, "address", pt_address_format(address, text));
        pt_document_ip(doc, endpoint, "ip", address);
        if (port >= 0)
                pt_document_integer(doc, endpoint, "port", (uint64_t)port);
        if (mac) {
                /* RFC 7042 section 2.1, as ECS wants it */
                snprintf(text, sizeof text, "%02X-%02X-%02X-%02X-%02X-%02X", mac[0], mac[1], mac[2],
                         mac[3], mac[4], mac[5]);
                pt_document_text(doc, endpoint, "mac", text);
        }
        return endpoint;
}

void pt_document_calculated(struct pt_document *doc, json_t *destination,
                            const struct pt_address *key, uint16_t port)
{
        const uint8_t *o = key->octets + 12;
        unsigned apt12 = (unsigned)o[0] * o[1] + o[2];
        unsigned variant = (unsigned)o[0] * ((unsigned)o[1] + o[2]);
        json_t *match;

        if (!pt_address_is_ipv4(key))
                return;
        pt_document_integer(doc, destination, "calculated_port_apt12", apt12);
        pt_document_integer(doc, destination, "calculated_port_variant", variant);
        if (port != apt12 && port != variant)
                return;
        match = pt_document_array(doc, destination, "calculated_port_match");
        if (port == apt12)
                pt_document_append(doc, match, "apt12");
        if (port == variant)
                pt_document_append(doc, match, "variant");
}

void pt_document_rule(struct pt_document *doc, const struct pt_rule *rule)
{
        json_t *group = pt_document_object(doc, doc->root, "rule");

        pt_document_text(doc, group, "id", rule->id);
        pt_document_text(doc, group, "name", rule->name);
        pt_document_text(doc, group, "category", rule->category);
        pt_document_text(doc, group, "ruleset", rule->ruleset);
        pt_document_text(doc, group, "version", rule->version);
        if (rule->authors && rule->authors[0]) {
                json_t *authors = pt_document_array(doc, group, "author");

                for (char **author = rule->authors; *author; author++)
                        pt_document_append(doc, authors, *author);
        }
        pt_document_text(doc, group, "description", rule->description);
        pt_document_text(doc, group, "license", rule->license);
        pt_document_text(doc, group, "reference", rule->reference);
}

/* ECS has id, name and reference of tactics and techniques as lists. */
static void one_of_list(struct pt_document *doc, json_t *parent, const char *key, const char *text)
{
        if (text && text[0])
                pt_document_append(doc, pt_document_array(doc, parent, key), text);
}

static json_t *threat_level(struct pt_document *doc, json_t *parent, const char *key,
                            const char *id, const char *name, const char *reference)
{
        json_t *level;

        if (!id && !name && !reference)
                return NULL;
        level = pt_document_object(doc, parent, key);
        one_of_list(doc, level, "id", id);
        one_of_list(doc, level, "name", name);
        one_of_list(doc, level, "reference", reference);
        return level;
}

void pt_document_threat(struct pt_document *doc, const struct pt_rule *rule)
{
        json_t *threat, *technique;

        if (!rule->tactic_id && !rule->technique_id)
                return;
        threat = pt_document_object(doc, doc->root, "threat");
        pt_document_text(doc, threat, "framework", "MITRE ATT&CK");
        threat_level(doc, threat, "tactic", rule->tactic_id, rule->tactic_name,
                     rule->tactic_reference);
        technique = threat_level(doc, threat, "technique", rule->technique_id, rule->technique_name,
                                 rule->technique_reference);
        if (technique)
                threat_level(doc, technique, "subtechnique", rule->subtechnique_id,
                             rule->subtechnique_name, rule->subtechnique_reference);
}

static void network_vlans(struct pt_document *doc, json_t *group,
                          const struct pt_document_network *network)
{
        char text[8];

        if (network->vlan_count < 1)
                return;
        snprintf(text, sizeof text, "%u", network->vlans[0]);
        pt_document_text(doc, pt_document_object(doc, group, "vlan"), "id", text);
        if (network->vlan_count < 2)
                return;
        snprintf(text, sizeof text, "%u", network->vlans[1]);
        group = pt_document_object(doc, group, "inner");
        pt_document_text(doc, pt_document_object(doc, group, "vlan"), "id", text);
}

static void network_tunnels(struct pt_document *doc, const struct pt_document_network *network)
{
        json_t *group, *types, *ids = NULL;

        if (!network->tunnel_count)
                return;
        group = pt_document_object(doc, pt_document_object(doc, doc->root, "portent"), "tunnel");
        types = pt_document_array(doc, group, "type");
        for (size_t i = 0; i < network->tunnel_count; i++) {
                const struct pt_packet_tunnel *tunnel = &network->tunnels[i];

                pt_document_append(doc, types, pt_tunnel_name((enum pt_tunnel)tunnel->kind));
                if (!tunnel->has_id)
                        continue;
                ids = ids ? ids : pt_document_array(doc, group, "id");
                pt_document_append_integer(doc, ids, tunnel->id);
        }
}

/*
 * Inside as the verdicts mean it (4.4): private and link-local addresses are, whatever
 * home_networks says. The document already has the addresses of both ends.
 */
static bool is_local(const struct pt_document *doc, const char *end)
{
        const char *ip = json_string_value(json_object_get(json_object_get(doc->root, end), "ip"));
        struct pt_address address;

        return ip && pt_address_parse(ip, &address) == 0 && pt_address_is_local(&address);
}

void pt_document_network(struct pt_document *doc, const struct pt_document_network *network)
{
        bool source = network->source_inside || is_local(doc, "source");
        bool destination = network->destination_inside || is_local(doc, "destination");
        static const char *const directions[2][2] = {
                {"external", "inbound"},
                {"outbound", "internal"},
        };
        json_t *group = pt_document_object(doc, doc->root, "network");
        bool tcp = network->flow.protocol == 6;
        char text[PT_COMMUNITY_TEXT];

        pt_document_text(doc, group, "type", network->flow.ipv6 ? "ipv6" : "ipv4");
        pt_document_text(doc, group, "transport", tcp ? "tcp" : "udp");
        pt_document_text(doc, group, "iana_number", tcp ? "6" : "17");
        pt_document_text(doc, group, "protocol", network->protocol);
        pt_document_text(doc, group, "direction", directions[source][destination]);
        if (network->has_ports)
                pt_document_text(doc, group, "community_id", pt_community_id(&network->flow, text));
        network_vlans(doc, group, network);
        network_tunnels(doc, network);
}

static void observer_interface(struct pt_document *doc, const char *name)
{
        json_t *group = pt_document_object(doc, doc->root, "observer");
        json_t *ingress;

        if (!name || !name[0])
                return;
        ingress = pt_document_object(doc, group, "ingress");
        pt_document_text(doc, pt_document_object(doc, ingress, "interface"), "name", name);
}

void pt_document_observer(struct pt_document *doc)
{
        const struct pt_observer *observer = doc->observer;
        json_t *group = pt_document_object(doc, doc->root, "observer");

        pt_document_text(doc, group, "name", observer->name);
        pt_document_text(doc, group, "hostname", observer->hostname);
        pt_document_text(doc, group, "type", "ids");
        pt_document_text(doc, group, "vendor", "portent");
        pt_document_text(doc, group, "product", "portent");
        pt_document_text(doc, group, "version", observer->version);
        observer_interface(doc, observer->interface);
        if (observer->hostname && observer->hostname[0])
                pt_document_append(doc, doc->hosts, observer->hostname);
}

void pt_document_related(struct pt_document *doc)
{
        json_t *related;

        if (json_array_size(doc->ips) == 0 && json_array_size(doc->hosts) == 0)
                return;
        related = pt_document_object(doc, doc->root, "related");
        if (json_array_size(doc->ips) > 0 && json_object_set(related, "ip", doc->ips) < 0)
                doc->failed = true;
        if (json_array_size(doc->hosts) > 0 && json_object_set(related, "hosts", doc->hosts) < 0)
                doc->failed = true;
}

void pt_document_file(struct pt_document *doc, json_t *parent, uint32_t file)
{
        const struct pt_observer *observer = doc->observer;
        const char *name;

        if (!observer->file_name)
                return;
        name = observer->file_name(observer->file_context, file);
        if (name && name[0])
                pt_document_text(doc, pt_document_object(doc, parent, "pcap"), "file", name);
}

void pt_document_log(struct pt_document *doc, json_t *parent, const struct pt_document_log *log)
{
        const struct pt_observer *observer = doc->observer;
        const char *flows = log->source == PT_LOGGED_ZEEK ? "conn" : "flow";
        json_t *group = pt_document_object(doc, parent, "log"), *lacks = NULL;

        pt_document_text(doc, group, "source", pt_logged_source_name(log->source));
        pt_document_text(doc, group, "type", log->connection ? flows : "dns");
        if (observer->file_name)
                pt_document_text(doc, group, "file",
                                 observer->file_name(observer->file_context, log->file));
        pt_document_integer(doc, group, "line", log->line);
        if (!log->lacks && !log->connection)
                return;
        lacks = pt_document_array(doc, group, "lacks");
        if (log->connection)
                pt_document_append(doc, lacks, "unfinished");
        for (unsigned i = 0; i < PT_LOGGED_LACKS; i++)
                if (log->lacks >> i & 1)
                        pt_document_append(doc, lacks, pt_logged_lack_name(i));
}

void pt_document_packet(struct pt_document *doc, json_t *portent, uint64_t number, int64_t time,
                        uint32_t file)
{
        json_t *packet = pt_document_object(doc, portent, "packet");
        char text[32];

        if (number)
                pt_document_integer(doc, packet, "number", number);
        snprintf(text, sizeof text, "%lld.%09lld", (long long)(time / 1000000000),
                 (long long)(time % 1000000000));
        pt_document_text(doc, packet, "time", text);
        if (doc->observer->interface_name)
                observer_interface(
                        doc, doc->observer->interface_name(doc->observer->file_context, file));
        pt_document_file(doc, portent, file);
}
