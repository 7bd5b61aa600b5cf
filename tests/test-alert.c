#include "documents.h"
#include "document/words.h"

/* What an alert with a chance of 1 / 45045 and one try says last (design 5). */
#define LUCK "; by luck 1 of 45045 innocent clients had matched by now (1 try)"

static void expect_reason(const struct pt_event *event, const char *sentence)
{
        json_t *root = document(event);

        cr_expect_str_eq(json_string_value(at(root, "event.reason")), sentence);
        json_decref(root);
}

#define ATTACK_JSON                                                            \
        "{'framework': 'MITRE ATT&CK',"                                        \
        " 'tactic': {'id': ['TA0011'], 'name': ['Command and Control'],"       \
        "  'reference': ['https://attack.mitre.org/tactics/TA0011/']},"        \
        " 'technique': {'id': ['T1568'], 'name': ['Dynamic Resolution'],"      \
        "  'reference': ['https://attack.mitre.org/techniques/T1568/'],"       \
        "  'subtechnique': {'id': ['T1568.003'], 'name': ['DNS Calculation']," \
        "   'reference': ['https://attack.mitre.org/techniques/T1568/003/']}}}"

/* The whole document, field for field. 10198 = 198 * 51 + 100; chance: 1 / 45045. */
#define NEXT                                                                                  \
        "Find on source.ip the process that had source.port at @timestamp; "                  \
        "network.community_id joins other records of the connection. Look for other clients " \
        "that asked for dns.question.name, then block it and destination.ip."

Test(alert, the_whole_alert)
{
        struct scene *s = scene();
        json_t *root = document(&s->event);
        json_t *wanted = json(
                "{'@timestamp': '2026-11-24T04:12:07.318Z', 'ecs': {'version': '9.4.0'},"
                " 'data_stream': {'type': 'logs', 'dataset': 'portent.alert',"
                "  'namespace': 'default'},"
                " 'message': 'port = o1 * o2 + o3',"
                " 'event': {'kind': 'alert', 'category': ['network', 'intrusion_detection'],"
                "  'type': ['connection', 'start', 'info'], 'module': 'portent',"
                "  'dataset': 'portent.alert', 'provider': 'portent',"
                "  'action': 'dns_calculation_port_match',"
                "  'created': '2026-11-24T06:00:00.123Z', 'sequence': 1042,"
                "  'id': 'c8e00af7dc4908fdf88092dbbb18ab07',"
                "  'start': '2026-11-24T04:12:07.318Z', 'severity': 73, 'risk_score': 73.0,"
                "  'reason': '10.20.30.40 resolved update.example.net to 198.51.100.23 and 2.113 s"
                " later connected to 198.51.100.23:10198; 198 * 51 + 100 = 10198" LUCK "',"
                "  'reference': 'https://attack.mitre.org/techniques/T1568/003/'},"
                " 'rule': {'id': 'apt12', 'name': 'port = o1 * o2 + o3',"
                "  'category': 'Command and Control', 'ruleset': 'portent-builtin',"
                "  'version': '1', 'author': ['portent'],"
                "  'description': 'A client connects to a calculated port.',"
                "  'license': 'Apache-2.0',"
                "  'reference': 'https://attack.mitre.org/techniques/T1568/003/'},"
                " 'threat': " ATTACK_JSON ","
                " 'source': {'address': '10.20.30.40', 'ip': '10.20.30.40', 'port': 51544},"
                " 'destination': {'address': '198.51.100.23', 'ip': '198.51.100.23',"
                "  'port': 10198, 'domain': 'update.example.net',"
                "  'calculated_port_apt12': 10198, 'calculated_port_variant': 29898,"
                "  'calculated_port_match': ['apt12']},"
                " 'network': {'type': 'ipv4', 'transport': 'tcp', 'iana_number': '6',"
                "  'direction': 'outbound', 'community_id': '1:Bs2wftI3UF0RzxnOfQ+ganHLcMI='},"
                " 'portent': {'verdict': 'dns_confirmed', 'chance': 2.220002e-05, 'candidates': 1,"
                "  'tries': 1, 'expected_per_day': 0.25,"
                "  'arithmetic': '198 * 51 + 100 = 10198',"
                "  'packet': {'number': 48213, 'time': '1795493527.318000000'},"
                "  'pcap': {'file': 'span.pcap'},"
                "  'dns': {'resolver': {'ip': '192.0.2.53', 'port': 53},"
                "   'answered_at': '2026-11-24T04:12:05.205Z', 'seconds_since_answer': 2.113,"
                "   'ttl': 60, 'ttl_expired': false, 'names': ['update.example.net'],"
                "   'chain': ['update.example.net', 'edge.example.org'], 'asked': true,"
                "   'packet': {'number': 48190}},"
                "  'next_step': '" NEXT "'},"
                " 'dns': {'type': 'answer', 'id': '26187', 'op_code': 'QUERY',"
                "  'response_code': 'NOERROR', 'header_flags': ['RD', 'RA'],"
                "  'question': {'name': 'update.example.net', 'type': 'A', 'class': 'IN'},"
                "  'answers': [{'name': 'update.example.net', 'type': 'CNAME', 'class': 'IN',"
                "    'data': 'edge.example.org'},"
                "   {'name': 'edge.example.org', 'type': 'A', 'class': 'IN', 'ttl': 60,"
                "    'data': '198.51.100.23'}],"
                "  'resolved_ip': ['198.51.100.23']},"
                " 'observer': {'name': 'sensor-dmz-01', 'hostname': 'sensor-dmz-01',"
                "  'type': 'ids', 'vendor': 'portent', 'product': 'portent', 'version': '1.0.0',"
                "  'ingress': {'interface': {'name': 'eth1'}}},"
                " 'related': {'ip': ['10.20.30.40', '198.51.100.23', '192.0.2.53'],"
                "  'hosts': ['update.example.net', 'edge.example.org', 'sensor-dmz-01']}}");
        const char *key;
        json_t *value;

        json_object_foreach(wanted, key, value) if (!json_equal(json_object_get(root, key), value))
                cr_expect_fail("%s: %s", key,
                               json_dumps(json_object_get(root, key), JSON_ENCODE_ANY));
        cr_expect(json_equal(root, wanted));
        json_decref(root);
        json_decref(wanted);
}

Test(alert, a_number_is_written_as_short_as_it_is)
{
        struct scene *s = scene();
        size_t length;
        char *text;

        cr_assert_eq(pt_event_ecs(&s->event, &observer, CREATED, 1, &text, &length), 0);
        cr_expect(strstr(text, "\"chance\":2.220002e-5,"), "%s", text);
        cr_expect(strstr(text, "\"seconds_since_answer\":2.113,"), "%s", text);
        cr_expect(strstr(text, "\"risk_score\":73.0,"), "%s", text);
        free(text);
}

/* What the published query sees: no DNS at all. 203.0.113.7: 203 * (0 + 113) = 22939. */
Test(alert, an_alert_without_an_answer)
{
        struct scene *s = scene();
        json_t *root;

        scene_port_only(s);
        s->syn = syn_to("203.0.113.7", 22939);
        s->syn.client = address("10.20.30.41");
        s->syn.client_port = 40112;
        s->match.rule = &s->variant;
        s->match.input = 0xcb007107;
        root = document(&s->event);
        EXPECT(root, {"event.severity", "21"}, {"event.risk_score", "21.0"},
               {"event.reason", "'10.20.30.41 connected to 203.0.113.7:22939;"
                                " 203 * (0 + 113) = 22939;"
                                " no DNS answer with this address was seen" LUCK "'"},
               {"rule.id", "'variant'"}, {"destination.domain", NULL},
               {"destination.calculated_port_apt12", "113"},
               {"destination.calculated_port_variant", "22939"},
               {"destination.calculated_port_match", "['variant']"},
               {"network.community_id", "'1:/F0nXEOXdJIBzSvVOaZaOARhvXQ='"},
               {"portent.verdict", "'port_only'"}, {"portent.dns", NULL}, {"dns", NULL},
               {"portent.port_from", NULL}, {"related.ip", "['10.20.30.41', '203.0.113.7']"},
               {"related.hosts", "['sensor-dmz-01']"});
        json_decref(root);
}

/* Design 4.3, row dns_other_address: 73, 47 and 21. */
Test(alert, a_port_from_another_address)
{
        struct scene *s = scene();
        json_t *root;

        scene_other_address(s);
        root = document(&s->event);
        EXPECT(root,
               {"event.reason",
                "'10.20.30.40 resolved calc.example.net to 198.51.100.23 and 2.113 s later"
                " connected to 203.0.113.7:10198, which it was given for cc.example.net;"
                " the port comes from the other address; 198 * 51 + 100 = 10198;"
                " the name that gave it was not contacted" LUCK "'"},
               {"destination.domain", "'cc.example.net'"},
               {"destination.calculated_port_apt12", "113"}, /* 203 * 0 + 113 */
               {"destination.calculated_port_match", NULL},
               {"dns.question.name", "'calc.example.net'"},
               {"dns.answers", "[{'name': 'calc.example.net', 'type': 'A', 'class': 'IN',"
                               "  'ttl': 60, 'data': '198.51.100.23'}]"},
               {"portent.port_from.ip", "'198.51.100.23'"}, {"portent.address_from", NULL},
               {"portent.candidates", "3"}, {"portent.dns.chain", "['calc.example.net']"},
               {"related.ip", "['10.20.30.40', '203.0.113.7', '198.51.100.23', '192.0.2.53']"},
               {"related.hosts", "['cc.example.net', 'calc.example.net', 'sensor-dmz-01']"});
        json_decref(root);

        s->match.contacted = true;
        expect_reason(&s->event,
                      "10.20.30.40 resolved calc.example.net to 198.51.100.23 and 2.113 s later"
                      " connected to 203.0.113.7:10198, which it was given for cc.example.net;"
                      " the port comes from the other address; 198 * 51 + 100 = 10198;"
                      " the name that gave it was contacted too" LUCK);

        s->match.contacted = false;
        s->match.destination_given = false;
        s->event.alert.destination = NULL;
        expect_reason(&s->event,
                      "10.20.30.40 resolved calc.example.net to 198.51.100.23 and 2.113 s later"
                      " connected to 203.0.113.7:10198, which no answer gave it;"
                      " the port comes from the other address; 198 * 51 + 100 = 10198" LUCK);

        s->match.destination_given = true;
        expect_reason(&s->event,
                      "10.20.30.40 resolved calc.example.net to 198.51.100.23 and 2.113 s later"
                      " connected to 203.0.113.7:10198, which it was given too;"
                      " the port comes from the other address; 198 * 51 + 100 = 10198;"
                      " the name that gave it was not contacted" LUCK);
}

Test(alert, an_answer_that_another_client_was_given)
{
        struct scene *s = scene();
        json_t *root;

        scene_other_client(s);
        root = document(&s->event);
        EXPECT(root,
               {"event.reason", "'10.20.30.40 connected to 198.51.100.23:10198;"
                                " 198 * 51 + 100 = 10198; another client, 10.20.30.99 resolved"
                                " update.example.net to 198.51.100.23, 2.113 s before" LUCK "'"},
               {"event.severity", "47"}, {"destination.domain", NULL},
               {"portent.dns.client.ip", "'10.20.30.99'"}, {"portent.port_from", NULL},
               {"related.ip", "['10.20.30.40', '198.51.100.23', '192.0.2.53', '10.20.30.99']"});
        json_decref(root);

        s->evidence.time = SYN_TIME + 20000000;
        expect_reason(&s->event, "10.20.30.40 connected to 198.51.100.23:10198;"
                                 " 198 * 51 + 100 = 10198; another client, 10.20.30.99 resolved"
                                 " update.example.net to 198.51.100.23, 20.0 ms after" LUCK);
}

Test(alert, an_answer_that_went_to_another_address_of_the_host) /* 4.11 */
{
        struct scene *s = scene();
        json_t *root;

        s->match.by_twin = true;
        s->match.twin = s->evidence.client = address("fd00::40");
        root = document(&s->event);
        EXPECT(root,
               {"event.reason", "'fd00::40 resolved update.example.net to 198.51.100.23 and 2.113 s"
                                " later the same host, as 10.20.30.40, connected to"
                                " 198.51.100.23:10198; 198 * 51 + 100 = 10198" LUCK "'"},
               {"portent.twin", "{'ip': 'fd00::40'}"}, {"portent.dns.client.ip", "'fd00::40'"},
               {"destination.domain", "'update.example.net'"}, {"source.ip", "'10.20.30.40'"},
               {"related.ip", "['10.20.30.40', '198.51.100.23', 'fd00::40', '192.0.2.53']"});
        json_decref(root);

        s->evidence.time = SYN_TIME + 20000000;
        expect_reason(&s->event, "fd00::40 resolved update.example.net to 198.51.100.23, 20.0 ms"
                                 " after the same host, as 10.20.30.40, connected to"
                                 " 198.51.100.23:10198; 198 * 51 + 100 = 10198" LUCK);
}

/* 132.198.176.65 with its halves exchanged is 176.65.132.198. */
Test(alert, an_address_rule)
{
        struct scene *s = scene();
        json_t *root;

        scene_address_rule(s);
        root = document(&s->event);
        EXPECT(root,
               {"event.reason",
                "'10.20.30.40 resolved update.example.net to 132.198.176.65 and 2.113 s later"
                " connected to 176.65.132.198:23004; swap16(132.198.176.65) = 176.65.132.198" LUCK
                "'"},
               {"event.action", "'dns_calculation_port_match'"},
               {"portent.arithmetic", "'swap16(132.198.176.65) = 176.65.132.198'"},
               {"portent.address_from.ip", "'132.198.176.65'"}, {"portent.port_from", NULL},
               {"destination.domain", NULL},
               {"destination.calculated_port_apt12", "11572"}, /* 176 * 65 + 132 */
               {"destination.calculated_port_match", NULL});
        json_decref(root);

        s->match.rule = &s->both; /* 132 * 198 + 176 = 26312 */
        s->syn.destination_port = 26312;
        root = document(&s->event);
        EXPECT(root,
               {"portent.arithmetic", "'132 * 198 + 176 = 26312;"
                                      " swap16(132.198.176.65) = 176.65.132.198'"},
               {"portent.address_from.ip", "'132.198.176.65'"});
        json_decref(root);
}

Test(alert, other_rules_and_what_was_held_back)
{
        struct scene *s = scene();
        json_t *root;

        s->also[0] = &s->both;
        s->also[1] = &s->variant;
        s->event.alert.also = s->also;
        s->event.alert.also_count = 2;
        s->event.alert.suppressed = 12;
        root = document(&s->event);
        EXPECT(root, {"portent.also", "['both', 'variant']"}, {"portent.suppressed_count", "12"});
        json_decref(root);
}

/* The mirror delivered the answer after the SYN (4.1): the sign stays. */
Test(alert, an_answer_that_came_late)
{
        struct scene *s = scene();
        json_t *root;

        s->evidence.time = SYN_TIME + 12000000;
        s->evidence.wall = SYN_TIME + 12000000;
        s->evidence.asked = false;
        root = document(&s->event);
        EXPECT(root, {"portent.dns.seconds_since_answer", "-0.012"},
               {"portent.dns.answered_at", "'2026-11-24T04:12:07.330Z'"},
               {"portent.dns.ttl_expired", "false"}, {"portent.dns.asked", "false"},
               {"event.reason",
                "'10.20.30.40 was given 198.51.100.23 for update.example.net (no query seen),"
                " 12.0 ms after it connected to 198.51.100.23:10198; 198 * 51 + 100 = 10198" LUCK
                "'"});
        json_decref(root);
}

Test(alert, a_ttl_has_run_out_after_it_and_not_at_its_end)
{
        struct scene *s = scene();
        json_t *root;

        s->evidence.time = SYN_TIME - INT64_C(60000000000);
        root = document(&s->event);
        EXPECT(root, {"portent.dns.ttl_expired", "false"},
               {"portent.dns.seconds_since_answer", "60.0"});
        json_decref(root);
        s->evidence.time--;
        root = document(&s->event);
        EXPECT(root, {"portent.dns.ttl_expired", "true"},
               {"portent.dns.seconds_since_answer", "60.000000001"});
        json_decref(root);
}

Test(alert, an_answer_in_another_file_without_packet_numbers)
{
        struct scene *s = scene();
        json_t *root;

        s->syn.file = 1;
        s->syn.number = 0;
        s->evidence.number = 0;
        root = document(&s->event);
        EXPECT(root, {"portent.pcap.file", "'span2.pcap'"}, {"portent.packet.number", NULL},
               {"portent.dns.pcap.file", "'span.pcap'"}, {"portent.dns.packet", NULL});
        json_decref(root);
}

Test(alert, tags_and_macs)
{
        struct scene *s = scene();
        json_t *root;

        s->syn.vlans[0] = 120;
        s->syn.vlan_count = 1;
        s->syn.has_mac = true;
        memcpy(s->syn.client_mac, "\x02\x00\x5e\xab\xcd\xef", 6);
        root = document(&s->event);
        EXPECT(root, {"network.vlan", "{'id': '120'}"}, {"network.inner", NULL},
               {"source.mac", "'02-00-5E-AB-CD-EF'"}, {"destination.mac", NULL});
        json_decref(root);

        s->syn.vlans[1] = 4094;
        s->syn.vlan_count = 2;
        s->syn.has_destination_mac = true;
        root = document(&s->event);
        EXPECT(root, {"network.vlan.id", "'120'"}, {"network.inner", "{'vlan': {'id': '4094'}}"},
               {"destination.mac", "'00-00-00-00-00-00'"});
        json_decref(root);
}

/* 64:ff9b::c633:6417 is 198.51.100.23 behind NAT64 (RFC 6052). */
Test(alert, an_ipv4_address_inside_an_ipv6_one)
{
        struct scene *s = scene();
        json_t *root;

        s->syn.client = address("2001:db8::40");
        s->syn.destination = address("64:ff9b::c633:6417");
        s->syn.ipv6 = true;
        s->evidence.client = s->syn.client;
        s->evidence.address = s->syn.destination;
        s->evidence.key = s->syn.key;
        s->evidence.addresses[0] = s->syn.destination;
        s->evidence.question_type = PT_DNS_AAAA;
        root = document(&s->event);
        EXPECT(root, {"network.type", "'ipv6'"}, {"network.direction", "'external'"},
               {"network.community_id", "'1:nTZfgY+aE3ieE522z7bvdOQL62A='"},
               {"destination.ip", "'64:ff9b::c633:6417'"},
               {"destination.calculated_port_apt12", "10198"}, {"portent.port_from", NULL},
               {"dns.answers.1.type", "'AAAA'"}, {"dns.resolved_ip", "['64:ff9b::c633:6417']"},
               {"portent.arithmetic", "'198 * 51 + 100 = 10198'"});
        cr_expect_str_eq(strstr(json_string_value(at(root, "event.reason")), "connected"),
                         "connected to [64:ff9b::c633:6417]:10198; 198 * 51 + 100 = 10198" LUCK);
        json_decref(root);
}

/* 255 * 1 + 0 = 255 * (1 + 0) = 255 */
Test(alert, both_formulas_of_the_published_query_may_fit)
{
        struct scene *s = scene();
        json_t *root;

        scene_connection(s, false);
        s->syn = syn_to("255.1.0.9", 255);
        root = document(&s->event);
        EXPECT(root, {"destination.calculated_port_match", "['apt12', 'variant']"});
        json_decref(root);
        /* 255 * (255 + 255) = 130050: no port, but a number */
        s->syn = syn_to("255.255.255.9", 64514); /* 130050 - 65536 */
        root = document(&s->event);
        EXPECT(root, {"destination.calculated_port_apt12", "65280"},
               {"destination.calculated_port_variant", "130050"},
               {"destination.calculated_port_match", NULL});
        json_decref(root);
}

Test(alert, a_direction_is_of_both_ends)
{
        static const struct {
                const char *client;
                const char *destination;
                const char *direction;
        } rows[] = {
                {"10.0.0.1", "192.0.2.1", "'outbound'"},
                {"10.0.0.1", "10.255.0.1", "'internal'"},
                {"192.0.2.1", "10.0.0.1", "'inbound'"},
                {"192.0.2.1", "198.51.100.1", "'external'"},
        };
        struct scene *s = scene();
        json_t *root;

        scene_connection(s, false);
        for (size_t i = 0; i < ROWS(rows); i++) {
                s->syn = syn_to(rows[i].destination, 443);
                s->syn.client = address(rows[i].client);
                root = document(&s->event);
                EXPECT(root, {"network.direction", rows[i].direction});
                json_decref(root);
        }
        /* private addresses are inside beside whatever home_networks says, as for verdicts (4.4) */
        s->event.home = (struct pt_prefixes){0};
        for (size_t i = 0; i < ROWS(rows); i++) {
                s->syn = syn_to(rows[i].destination, 443);
                s->syn.client = address(rows[i].client);
                root = document(&s->event);
                EXPECT(root, {"network.direction", rows[i].direction});
                json_decref(root);
        }
        s->syn = syn_to("fe80::1", 443);
        s->syn.client = address("fd00::1");
        root = document(&s->event);
        EXPECT(root, {"network.direction", "'internal'"});
        json_decref(root);
        scene_repeats(s); /* which has no SYN */
        s->event.home = (struct pt_prefixes){0};
        root = document(&s->event);
        EXPECT(root, {"network.direction", "'outbound'"});
        json_decref(root);
        s = scene();
        scene_connection(s, false);
        /* a private address behind NAT64 is inside */
        s->syn = syn_to("64:ff9b::a00:1", 443);
        s->syn.key = address("10.0.0.1");
        root = document(&s->event);
        EXPECT(root, {"network.direction", "'internal'"});
        json_decref(root);
}

Test(alert, what_a_rule_does_not_say_is_left_out)
{
        struct scene *s = scene();
        struct pt_rule bare = {.id = (char *)"bare", .port = s->apt12.port};
        json_t *root;

        s->match.rule = &bare;
        root = document(&s->event);
        EXPECT(root, {"rule", "{'id': 'bare'}"}, {"threat", NULL}, {"message", "'bare'"},
               {"event.reference", NULL});
        json_decref(root);

        bare.name = (char *)"Bare";
        bare.authors = (char *[]){NULL};
        bare.technique_id = (char *)"T1568";
        root = document(&s->event);
        EXPECT(root, {"rule", "{'id': 'bare', 'name': 'Bare'}"}, {"message", "'Bare'"},
               {"threat", "{'framework': 'MITRE ATT&CK', 'technique': {'id': ['T1568']}}"});
        json_decref(root);
}

/* ---- near misses, rotation, connections ---- */

Test(alert, near_misses_and_their_reasons)
{
        static const struct {
                enum pt_near_miss reason;
                const char *name;
                const char *end;
        } rows[] = {
                {PT_NEAR_EXCLUDED_PORT, "'excluded_port'", "the rule excludes port 10198"},
                {PT_NEAR_EXCLUDED_DESTINATION, "'excluded_destination'",
                 "the rule excludes this destination"},
                {PT_NEAR_OUTSIDE_LIMITS, "'outside_limits'",
                 "port 10198 is outside the rule's limits"},
                {PT_NEAR_EXPIRED, "'expired'", "the answer no longer counted"},
                {PT_NEAR_NO_DNS, "'no_dns'",
                 "the client is outside and was never given a DNS answer"},
        };
        struct scene *s = scene();

        for (size_t i = 0; i < ROWS(rows); i++) {
                json_t *root;
                char text[256];

                scene_near_miss(s, rows[i].reason);
                if (rows[i].reason == PT_NEAR_NO_DNS)
                        s->event.alert.evidence = NULL;
                root = document(&s->event);
                EXPECT(root, {"event.kind", "'event'"}, {"portent.near_miss.reason", rows[i].name},
                       {"event.action", "'dns_calculation_near_miss'"},
                       {"data_stream.dataset", "'portent.alert'"}, {"event.severity", NULL},
                       {"event.risk_score", NULL}, {"threat", NULL}, {"portent.verdict", NULL},
                       {"rule.id", "'apt12'"}, {"event.id", "'d2fea5dbf001c4f3c539e48077d87d1d'"},
                       {"destination.calculated_port_match", "['apt12']"});
                snprintf(text, sizeof text, "%s; no match, because %s",
                         s->event.alert.evidence
                                 ? "10.20.30.40 resolved update.example.net to 198.51.100.23 and"
                                   " 2.113 s later connected to 198.51.100.23:10198;"
                                   " 198 * 51 + 100 = 10198"
                                 : "10.20.30.40 connected to 198.51.100.23:10198;"
                                   " 198 * 51 + 100 = 10198",
                         rows[i].end);
                cr_expect_str_eq(json_string_value(at(root, "event.reason")), text);
                json_decref(root);
        }
}

Test(alert, a_rotation)
{
        struct scene *s = scene();
        json_t *root;

        scene_rotation(s);
        root = document(&s->event);
        EXPECT(root, {"event.kind", "'alert'"}, {"event.action", "'dns_calculation_rotation'"},
               {"event.id", "'28d043414568572d6207efe1e57fc69a'"}, {"event.severity", "99"},
               {"event.risk_score", "99.0"},
               {"event.reason",
                "'10.20.30.40 connected to 3 calculated destinations, on 2 or more different"
                " networks and ports; joint chance 4.9e-10; the last was 198.51.100.23:10198;"
                " 198 * 51 + 100 = 10198'"},
               {"rule.id", "'dns-calculation-rotation'"}, {"threat", ATTACK_JSON},
               {"message", "'DNS Calculation: several calculated destinations of one client'"},
               {"portent.verdict", "'dns_confirmed'"},
               {"portent.rotation", "{'names': ['one.example.net', 'update.example.net'],"
                                    " 'ips': ['203.0.113.7', '198.51.100.23', '198.51.100.24'],"
                                    " 'ports': [113, 10198], 'count': 2, 'chance': 4.93e-10}"},
               {"destination.domain", "'update.example.net'"}, {"dns.id", "'26187'"},
               {"related.ip", "['10.20.30.40', '198.51.100.23', '203.0.113.7', '198.51.100.24',"
                              " '192.0.2.53']"});
        json_decref(root);

        /* what another client was given is not the destination's name for this one */
        s->match.verdict = PT_DNS_OTHER_CLIENT;
        s->evidence.client = address("10.20.30.99");
        s->event.rotation.name_count = 0;
        root = document(&s->event);
        EXPECT(root, {"destination.domain", NULL}, {"portent.rotation.names", NULL});
        json_decref(root);

        s->event.rotation.evidence = NULL;
        root = document(&s->event);
        EXPECT(root, {"dns", NULL}, {"portent.dns", NULL});
        json_decref(root);
}

Test(alert, a_campaign)
{
        static const struct {
                enum pt_outbreak_key key;
                const char *fields;
                const char *reason;
        } rows[] = {
                {PT_OUTBREAK_NAME, "'key': 'name', 'value': 'update.example.net'",
                 "name update.example.net"},
                {PT_OUTBREAK_DESTINATION, "'key': 'destination', 'value': '198.51.100.23'",
                 "destination 198.51.100.23"},
                {PT_OUTBREAK_RULE, "'key': 'rule', 'value': 'apt12'", "rule apt12"},
        };

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                struct scene *s = scene();
                char group[512], reason[512];
                json_t *root;

                scene_campaign(s, rows[i].key);
                root = document(&s->event);
                snprintf(group, sizeof group,
                         "{%s, 'count': 3, 'clients': ['10.20.30.40', '10.20.30.41'],"
                         " 'names': ['update.example.net'], 'ips': ['198.51.100.23'],"
                         " 'ports': [10198, 10199], 'first': '2026-11-24T04:12:05.205Z',"
                         " 'last': '2026-11-24T04:12:07.318Z'}",
                         rows[i].fields);
                snprintf(reason, sizeof reason,
                         "'3 clients have the %s in common within a day; the last was 10.20.30.40,"
                         " which connected to 198.51.100.23:10198; 198 * 51 + 100 = 10198'",
                         rows[i].reason);
                EXPECT(root, {"event.kind", "'alert'"},
                       {"event.action", "'dns_calculation_campaign'"}, {"event.severity", "47"},
                       {"@timestamp", "'2026-11-24T04:12:07.318Z'"}, {"event.reason", reason},
                       {"rule.id", "'dns-calculation-campaign'"}, {"threat", ATTACK_JSON},
                       {"message", "'DNS Calculation: several clients with something in common'"},
                       {"portent.verdict", "'dns_other_address'"}, {"portent.campaign", group},
                       {"destination.domain", "'update.example.net'"},
                       {"dns.question.name", "'update.example.net'"},
                       {"related.ip", "['10.20.30.40', '198.51.100.23', '10.20.30.41',"
                                      " '192.0.2.53']"});
                json_decref(root);
        }
}

/* Issue: "each finding says what an analyst does next", shortly, and with fields that are there. */
Test(alert, a_finding_says_what_to_do_next)
{
        static const struct {
                enum pt_verdict verdict;
                const char *field; /* that it names */
                const char *other; /* that it must not name: the document has none */
        } rows[] = {
                {PT_DNS_CONFIRMED, "dns.question.name", "portent.dns.client.ip"},
                {PT_DNS_OTHER_ADDRESS, "dns.question.name", "portent.dns.client.ip"},
                {PT_DNS_OTHER_CLIENT, "portent.dns.client.ip", "dns.question.name"},
                {PT_PORT_ONLY, "destination.ip", "dns.question.name"},
        };
        struct scene *s = scene();
        json_t *root;

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                const char *text;

                s->match.verdict = rows[i].verdict;
                text = pt_words_next_step(&s->event);
                cr_expect_lt(strlen(text), 300, "%zu characters", strlen(text));
                cr_expect(strstr(text, rows[i].field), "%s", text);
                cr_expect_null(strstr(text, rows[i].other), "%s", text);
                cr_expect(strstr(text, "source.port at @timestamp"), "%s", text);
                cr_expect(strstr(text, "network.community_id"), "%s", text);
                root = document(&s->event);
                cr_expect_str_eq(json_string_value(at(root, "portent.next_step")), text);
                json_decref(root);
        }
        scene_rotation(s);
        cr_expect(strstr(pt_words_next_step(&s->event), "portent.rotation.names"));
        cr_expect_lt(strlen(pt_words_next_step(&s->event)), 300);
        scene_campaign(s, PT_OUTBREAK_RULE);
        cr_expect(strstr(pt_words_next_step(&s->event), "portent.campaign.clients"));
        cr_expect_lt(strlen(pt_words_next_step(&s->event)), 300);
        scene_connection(s, true);
        cr_expect_null(pt_words_next_step(&s->event));
        s = scene();
        scene_near_miss(s, PT_NEAR_EXPIRED);
        root = document(&s->event);
        EXPECT(root, {"portent.next_step", NULL});
        json_decref(root);
}

Test(alert, a_connection)
{
        struct scene *s = scene();
        json_t *root;

        scene_connection(s, true);
        root = document(&s->event);
        EXPECT(root, {"event.kind", "'event'"}, {"event.action", "'connection_attempted'"},
               {"event.category", "['network']"}, {"event.type", "['connection', 'start']"},
               {"event.id", "'e42462fa6b1c498133915f41f01ace64'"},
               {"data_stream.dataset", "'portent.connection'"},
               {"destination.domain", "'update.example.net'"}, {"message", NULL}, {"rule", NULL},
               {"destination.calculated_port_match", "['apt12']"}, {"event.reason", NULL},
               {"portent", "{'packet': {'number': 48213, 'time': '1795493527.318000000'},"
                           " 'pcap': {'file': 'span.pcap'}}"},
               {"related.hosts", "['update.example.net', 'sensor-dmz-01']"});
        json_decref(root);

        scene_connection(s, false);
        s->syn = syn_to("2001:db8::443", 443);
        s->syn.ipv6 = true;
        root = document(&s->event);
        EXPECT(root, {"destination", "{'address': '2001:db8::443', 'ip': '2001:db8::443',"
                                     " 'port': 443}"});
        json_decref(root);
}

/* It refers to its alert by that one's event.id, and has one of its own. */
Test(alert, an_outcome_names_its_alert)
{
        struct scene *s = scene();
        struct pt_outcome outcome = {
                .syn = s->syn,
                .rule = "apt12",
                .state = PT_OUTCOME_ANSWERED,
                .end = PT_OUTCOME_CLOSED,
                .client = {300, 5},
                .server = {2000, 4},
                .last_wall = s->syn.wall + INT64_C(2100000000),
        };
        json_t *root = document(&s->event);
        char alert[64];

        snprintf(alert, sizeof alert, "'%s'", json_string_value(at(root, "event.id")));
        json_decref(root);
        s->event.kind = PT_EVENT_OUTCOME;
        memset(&s->event.alert, 0, sizeof s->event.alert);
        s->event.outcome = &outcome;
        root = document(&s->event);
        cr_expect_str_neq(json_string_value(at(root, "event.id")), alert);
        EXPECT(root, {"portent.alert.id", alert}, {"event.kind", "'event'"},
               {"event.action", "'connection_outcome'"}, {"event.category", "['network']"},
               {"event.type", "['connection', 'info']"}, {"event.outcome", "'success'"},
               {"event.duration", "2100000000"}, {"event.severity", NULL}, {"message", NULL},
               {"threat", NULL}, {"rule", "{'id': 'apt12'}"}, {"source.bytes", "300"},
               {"source.packets", "5"}, {"destination.bytes", "2000"}, {"destination.packets", "4"},
               {"network.bytes", "2300"}, {"network.packets", "9"},
               {"portent.outcome", "{'state': 'answered', 'end': 'closed', 'partial': false}"},
               {"event.reason",
                "'the connection of 10.20.30.40 to 198.51.100.23:10198 was answered:"
                " 300 octets sent, 2000 received, closed after 2.100 s'"});
        json_decref(root);
        outcome.state = PT_OUTCOME_SILENT;
        outcome.end = PT_OUTCOME_TIMEOUT;
        outcome.last_wall = s->syn.wall - 1; /* packet time stepped back */
        root = document(&s->event);
        EXPECT(root, {"event.outcome", "'unknown'"}, {"event.duration", NULL}, {"event.end", NULL});
        json_decref(root);
}
