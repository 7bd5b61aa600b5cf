#include "documents.h"

Test(ecs, repeats)
{
        struct scene *s = scene();
        json_t *root;

        scene_repeats(s);
        root = document(&s->event);
        EXPECT(root, {"@timestamp", "'2026-11-24T04:13:17.318Z'"}, {"event.kind", "'event'"},
               {"event.action", "'dns_calculation_repeats'"}, {"event.type", "['info']"},
               {"event.id", "'a21ac8d45fa8b52ecbf815e95d190d62'"},
               {"event.start", "'2026-11-24T04:12:17.318Z'"},
               {"event.end", "'2026-11-24T04:13:17.318Z'"}, {"event.duration", "60000000000"},
               {"event.reason", "'10.20.30.40 connected to 198.51.100.23:10198 7 more times between"
                                " 2026-11-24T04:12:17.318Z and 2026-11-24T04:13:17.318Z,"
                                " held back after the alert'"},
               {"source", "{'address': '10.20.30.40', 'ip': '10.20.30.40'}"},
               {"destination.calculated_port_match", "['apt12']"},
               {"network", "{'type': 'ipv4', 'transport': 'tcp', 'iana_number': '6',"
                           " 'direction': 'outbound'}"},
               {"portent", "{'verdict': 'dns_confirmed', 'suppressed_count': 7}"});
        json_decref(root);

        /* packet time stepped back between the first and the last */
        s->held.pending = 1;
        s->held.first_wall = s->held.last_wall + 1;
        root = document(&s->event);
        EXPECT(root, {"event.start", NULL}, {"event.duration", NULL},
               {"event.end", "'2026-11-24T04:13:17.318Z'"});
        cr_expect(strstr(json_string_value(at(root, "event.reason")), " 1 more time between "));
        json_decref(root);
}

Test(ecs, a_dns_answer)
{
        struct scene *s = scene();
        json_t *root;

        scene_dns(s, OCTETS(STORY));
        root = document(&s->event);
        EXPECT(root, {"@timestamp", "'2026-11-24T04:12:05.205Z'"},
               {"data_stream.dataset", "'portent.dns'"}, {"event.action", "'dns_answer'"},
               {"event.type", "['connection', 'protocol', 'info']"},
               {"event.id", "'bab70b13af55d89838bda824dcf8c1e5'"},
               {"event.start", "'2026-11-24T04:12:05.182Z'"},
               {"event.end", "'2026-11-24T04:12:05.205Z'"}, {"event.duration", "23000000"},
               {"event.outcome", "'success'"},
               {"source", "{'address': '10.20.30.40', 'ip': '10.20.30.40', 'port': 53765,"
                          " 'mac': '02-00-5E-AB-CD-EF'}"},
               {"destination", "{'address': '192.0.2.53', 'ip': '192.0.2.53', 'port': 53,"
                               " 'mac': '02-00-00-00-00-53'}"},
               {"client", "{'address': '10.20.30.40', 'ip': '10.20.30.40', 'port': 53765}"},
               {"server", "{'address': '192.0.2.53', 'ip': '192.0.2.53', 'port': 53}"},
               {"network", "{'type': 'ipv4', 'transport': 'udp', 'iana_number': '17',"
                           " 'protocol': 'dns', 'direction': 'outbound',"
                           " 'community_id': '1:5nA+zIzfB5CnMZbSSNgFcjpON1I='}"},
               {"dns", "{'type': 'answer', 'id': '26187', 'op_code': 'QUERY',"
                       " 'response_code': 'NOERROR', 'header_flags': ['RD', 'RA'],"
                       " 'question': {'name': 'update.example.net', 'type': 'A',"
                       "  'class': 'IN'},"
                       " 'answers': [{'name': 'update.example.net', 'type': 'CNAME',"
                       "   'class': 'IN', 'ttl': 300, 'data': 'edge.example.org'},"
                       "  {'name': 'edge.example.org', 'type': 'A', 'class': 'IN',"
                       "   'ttl': 60, 'data': '198.51.100.23'}],"
                       " 'resolved_ip': ['198.51.100.23']}"},
               {"portent", "{'dns': {'asked': true},"
                           " 'packet': {'number': 48190, 'time': '1795493525.205000000'},"
                           " 'pcap': {'file': 'span.pcap'}}"},
               {"related.ip", "['10.20.30.40', '192.0.2.53', '198.51.100.23']"},
               {"related.hosts", "['update.example.net', 'edge.example.org', 'sensor-dmz-01']"});
        json_decref(root);
}

Test(ecs, a_dns_answer_that_was_not_asked_for_and_has_nothing)
{
        struct scene *s = scene();
        struct message *m;
        json_t *root;

        /* NXDOMAIN, no question, no answer */
        m = scene_dns(s, OCTETS("\0\1\x80\3\0\0\0\0\0\0\0\0"));
        s->event.dns.asked = false;
        root = document(&s->event);
        EXPECT(root, {"event.outcome", "'failure'"}, {"event.start", NULL},
               {"event.duration", NULL}, {"event.end", "'2026-11-24T04:12:05.205Z'"},
               {"dns", "{'type': 'answer', 'id': '1', 'op_code': 'QUERY',"
                       " 'response_code': 'NXDOMAIN'}"},
               {"portent.dns", "{'asked': false}"});
        json_decref(root);

        /* its query was seen later, by the packets' own clocks */
        s->event.dns.asked = true;
        s->event.dns.asked_wall = m->frame.time + 1;
        root = document(&s->event);
        EXPECT(root, {"event.start", NULL}, {"event.duration", NULL});
        json_decref(root);
}

/* ---- event.id ---- */

/* The ids above are of an own SipHash in another language; here: whatever differs, the id does. */
Test(ecs, an_id_is_of_what_the_packets_say)
{
        struct scene *s = scene();
        char ids[9][64];
        size_t count = 0;

#define TAKE(change)                                                                       \
        do {                                                                               \
                json_t *root;                                                              \
                change;                                                                    \
                root = document(&s->event);                                                \
                snprintf(ids[count++], 64, "%s", json_string_value(at(root, "event.id"))); \
                json_decref(root);                                                         \
        } while (0)
        TAKE(s->syn.number++; s->syn.file++; s->evidence.number++);
        cr_expect_str_eq(ids[0], "c8e00af7dc4908fdf88092dbbb18ab07", "not of numbers and files");
        TAKE(s->match.rule = &s->variant);
        TAKE(s->syn.client = address("10.20.30.41"));
        TAKE(s->syn.destination = address("198.51.100.24"));
        TAKE(s->syn.client_port++);
        TAKE(s->syn.destination_port++);
        TAKE(s->syn.sequence++);
        TAKE(s->syn.wall++);
        TAKE(scene_near_miss(s, PT_NEAR_EXPIRED));
        for (size_t i = 0; i < count; i++)
                for (size_t j = 0; j < i; j++)
                        cr_expect_str_neq(ids[i], ids[j], "%zu and %zu", i, j);
}

Test(ecs, an_expectation)
{
        struct scene *s = scene();
        json_t *root;

        scene_expectation(s);
        root = document(&s->event);
        /* it begins a second after the answer, less two seconds of skew */
        EXPECT(root, {"@timestamp", "'2026-11-24T04:12:04.205Z'"},
               {"data_stream.dataset", "'portent.expectation'"}, {"message", NULL},
               {"event.kind", "'enrichment'"}, {"event.category", "['network']"},
               {"event.type", "['info']"}, {"event.action", "'dns_calculation_expected'"},
               {"event.start", "'2026-11-24T04:12:04.205Z'"},
               {"event.end", "'2026-11-24T04:13:05.205Z'"}, {"rule.id", "'apt12'"},
               {"source", "{'address': '10.20.30.40', 'ip': '10.20.30.40'}"}, {"destination", NULL},
               {"network", NULL},
               {"dns", "{'type': 'answer', 'question': {'name': 'update.example.net', 'type': 'A'},"
                       " 'resolved_ip': ['198.51.100.23']}"},
               {"portent", "{'expected': {'relation': 'pair', 'ip': '203.0.113.9', 'port': 10198},"
                           " 'dns': {'resolver': {'ip': '192.0.2.53'},"
                           "  'answered_at': '2026-11-24T04:12:05.205Z', 'ttl': 60,"
                           "  'asked': true}}"},
               {"related.ip", "['10.20.30.40', '198.51.100.23', '203.0.113.9', '192.0.2.53']"});
        json_decref(root);
}

Test(ecs, expectations_that_differ_in_one_thing_have_ids_of_their_own)
{
        struct scene *s = scene();
        struct pt_expectation *e;
        char ids[7][33];

        for (size_t i = 0; i < ROWS(ids); i++) {
                json_t *root;

                scene_expectation(s);
                e = (struct pt_expectation *)s->event.expectation.of;
                e->relation = i == 1 ? PT_EXPECT_CALCULATED_ADDRESS : e->relation;
                e->client = i == 2 ? address("10.20.30.41") : e->client;
                e->address = i == 3 ? address("198.51.100.24") : e->address;
                e->destination = i == 4 ? address("203.0.113.10") : e->destination;
                e->port = i == 5 ? 10199 : e->port;
                e->from += i == 6;
                root = document(&s->event);
                snprintf(ids[i], sizeof ids[i], "%s", json_string_value(at(root, "event.id")));
                for (size_t j = 0; j < i; j++)
                        cr_expect_str_neq(ids[i], ids[j], "%zu and %zu", i, j);
                json_decref(root);
        }
}
