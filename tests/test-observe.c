#include "bed.h"

#include <criterion/criterion.h>

/* What packets teach: design 4.2, 4.5, 4.7 and 4.8, by packets. */

#define CLIENT "10.0.0.1"
#define A "198.51.100.23" /* apt12: 198 * 51 + 100 = 10198 */
#define B "203.0.113.9"
#define ALERT \
        "alert apt12 dns_confirmed 73 10.0.0.1>198.51.100.23:10198 from 198.51.100.23 a.example"

static struct bed bed;

static void begin(void)
{
        bed_init(&bed);
        bed_begin(&bed);
}

static void end(void)
{
        bed_end(&bed);
}

TestSuite(observe, .init = begin, .fini = end);

/* ---- what is a SYN (4.2) ---- */

static const struct {
        unsigned flags;
        bool syn;
        const char *why;
} flags[] = {
        {0x02, true, "SYN"},
        {0x12, false, "its answer"},
        {0x06, false, "with RST"},
        {0x03, false, "with FIN"},
        {0x10, false, "no SYN"},
        {0x00, false, "no flag at all"},
        {0xc2, true, "with ECE and CWR (RFC 3168)"},
        {0x0a, true, "with PSH"},
        {0x22, true, "with URG"},
        {0xff, false, "with everything"},
};

Test(observe, a_syn_has_syn_set_and_ack_rst_and_fin_clear) /* 4.2 */
{
        for (size_t i = 0; i < ROWS(flags); i++) {
                end();
                begin();
                bed_answer(&bed, 0, CLIENT, "a.example", A);
                bed_tcp(&bed, 1, CLIENT, 40000, A, 10198, 1, flags[i].flags);
                cr_expect_str_eq(bed_finish(&bed), flags[i].syn ? ALERT "\n" : "", "%s",
                                 flags[i].why);
                cr_expect_eq(bed_count(&bed, PT_COUNT_CONNECTION_ATTEMPTS), flags[i].syn);
        }
}

/* ---- copies of a SYN (4.2) ---- */

static const struct {
        double time;
        unsigned client_port;
        const char *destination;
        unsigned port;
        uint32_t sequence;
        bool copy;
        const char *why;
} syns[] = {
        {0, 40000, A, 10198, 7, true, "mirrored twice"},
        {120, 40000, A, 10198, 7, true, "two minutes later"},
        {120.000000001, 40000, A, 10198, 7, false, "more than two minutes later"},
        {1, 40001, A, 10198, 7, false, "from another port"},
        {1, 40000, A, 10199, 7, false, "to another port"},
        {1, 40000, B, 10198, 7, false, "to another address"},
        {1, 40000, A, 10198, 8, false, "another sequence number"},
};

Test(observe, a_syn_seen_again_within_two_minutes_is_the_same) /* 4.2 */
{
        for (size_t i = 0; i < ROWS(syns); i++) {
                end();
                begin();
                bed_tcp(&bed, 0, CLIENT, 40000, A, 10198, 7, PT_TCP_SYN);
                bed_tcp(&bed, syns[i].time, CLIENT, syns[i].client_port, syns[i].destination,
                        syns[i].port, syns[i].sequence, PT_TCP_SYN);
                bed_finish(&bed);
                cr_expect_eq(bed_count(&bed, PT_COUNT_CONNECTION_COPIES), syns[i].copy, "%s",
                             syns[i].why);
        }
}

Test(observe, another_clients_syn_is_no_copy) /* 4.2 */
{
        bed_tcp(&bed, 0, CLIENT, 40000, A, 10198, 7, PT_TCP_SYN);
        bed_tcp(&bed, 0, "10.0.0.2", 40000, A, 10198, 7, PT_TCP_SYN);
        bed_finish(&bed);
        cr_expect_eq(bed_count(&bed, PT_COUNT_CONNECTION_COPIES), 0);
}

/* The two minutes run from the last copy: Linux goes on for more than that. */
Test(observe, every_copy_keeps_the_syn_in_mind) /* 4.2 */
{
        static const double times[] = {0, 1, 3, 7, 15, 31, 63, 127, 240, 360, 480};

        bed_answer(&bed, 0, CLIENT, "a.example", A "/3600");
        for (size_t i = 0; i < ROWS(times); i++)
                bed_tcp(&bed, times[i], CLIENT, 40000, A, 10198, 7, PT_TCP_SYN);
        bed_pass(&bed, 481);
        cr_expect_str_eq(bed_told(&bed), ALERT "\n");
        cr_expect_eq(bed_count(&bed, PT_COUNT_CONNECTION_COPIES), ROWS(times) - 1);
        cr_expect_eq(bed_count(&bed, PT_COUNT_ALERT_SUPPRESSED), 0);
        bed_tcp(&bed, 600.5, CLIENT, 40000, A, 10198, 7, PT_TCP_SYN); /* a new one */
        cr_expect_str_eq(bed_finish(&bed), ALERT "\n");
}

/* A copy is judged no second time, but the client did contact that address. */
Test(observe, a_copy_is_a_contact) /* 4.2, 4.5 */
{
        bed_tcp(&bed, 0, CLIENT, 40000, A, 443, 7, PT_TCP_SYN); /* before the address was given */
        bed_answer(&bed, 10, CLIENT, "port.example", A);
        bed_answer(&bed, 10, CLIENT, "c2.example", B);
        bed_tcp(&bed, 20, CLIENT, 40000, A, 443, 7, PT_TCP_SYN);
        bed_syn(&bed, 30, CLIENT, B, 10198);
        cr_expect_str_eq(bed_finish(&bed), "alert apt12 dns_other_address 47 "
                                           "10.0.0.1>203.0.113.9:10198 from 198.51.100.23 "
                                           "port.example\n");
}

/* ---- contacts (4.5) ---- */

#define SHAPE_73                                                                          \
        "alert apt12 dns_other_address 73 10.0.0.1>203.0.113.9:10198 from 198.51.100.23 " \
        "port.example\n"
#define SHAPE_47                                                                          \
        "alert apt12 dns_other_address 47 10.0.0.1>203.0.113.9:10198 from 198.51.100.23 " \
        "port.example\n"

static const struct {
        unsigned port;
        const char *payload;
        size_t length;
        bool contact;
        const char *why;
} quic[] = {
        {443, BED_QUIC_LONG, 5, true, "a long header: first octet and version"},
        {443, "\x80\0\0\0\0", 5, true, "whatever the other bits (RFC 8999 section 5.1)"},
        {443, "\x43\0\0\0\1", 5, false, "a short header: of a connection that exists"},
        {443, BED_QUIC_LONG, 4, false, "too short to be one"},
        {443, "", 0, false, "empty"},
        {8443, BED_QUIC_LONG, 5, false, "another port"},
};

Test(observe, the_first_packets_of_a_quic_connection_are_a_contact) /* 4.5 */
{
        for (size_t i = 0; i < ROWS(quic); i++) {
                end();
                begin();
                bed_answer(&bed, 0, CLIENT, "port.example", A);
                bed_answer(&bed, 0, CLIENT, "c2.example", B);
                bed_quic(&bed, 1, CLIENT, A, quic[i].port, quic[i].payload, quic[i].length);
                bed_syn(&bed, 2, CLIENT, B, 10198);
                cr_expect_str_eq(bed_finish(&bed), quic[i].contact ? SHAPE_47 : SHAPE_73, "%s",
                                 quic[i].why);
        }
}

/* 4.5 says strictly before: nothing that the SYN itself does makes its own evidence weaker. */
Test(observe, a_syn_does_not_contact_the_name_before_it_is_judged) /* 4.5 */
{
        bed_answer(&bed, 0, CLIENT, "both.example", A " " B);
        bed_syn(&bed, 1, CLIENT, B, 10198);
        bed_pass(&bed, 2);
        cr_expect_str_eq(bed_told(&bed),
                         "alert apt12 dns_other_address 73 10.0.0.1>203.0.113.9:10198 from "
                         "198.51.100.23 both.example\n");
        bed_syn(&bed, 3, CLIENT, "203.0.113.10", 10198); /* not given: 21 */
        bed_answer(&bed, 3, CLIENT, "c3.example", "203.0.113.11");
        bed_syn(&bed, 4, CLIENT, "203.0.113.11", 10198);
        cr_expect_str_eq(bed_finish(&bed),
                         "alert apt12 dns_other_address 21 10.0.0.1>203.0.113.10:10198 from "
                         "198.51.100.23 both.example\n"
                         "alert apt12 dns_other_address 47 10.0.0.1>203.0.113.11:10198 from "
                         "198.51.100.23 both.example\n");
}

Test(observe, contacts_and_syns_are_taken_in_the_order_of_their_time) /* 4.1, 4.5 */
{
        bed_answer(&bed, 0, CLIENT, "port.example", A);
        bed_answer(&bed, 0, CLIENT, "c2.example", B);
        bed_syn(&bed, 1, CLIENT, B, 10198);
        bed_syn(&bed, 0.99, CLIENT, A, 443); /* mirrored later, sent before */
        cr_expect_str_eq(bed_finish(&bed), SHAPE_47);
}

/* ---- answers ---- */

static const struct {
        const char *destination;
        bool learned;
} destinations[] = {
        {"10.0.0.1", true},         {"203.0.113.5", true},      {"224.0.0.251", false},
        {"239.255.255.250", false}, {"255.255.255.255", false}, {"0.0.0.0", false},
};

Test(observe, answers_to_no_single_host_are_counted_and_not_learned) /* 4.8 */
{
        for (size_t i = 0; i < ROWS(destinations); i++) {
                end();
                begin();
                bed_answer(&bed, 0, destinations[i].destination, "a.example", A);
                cr_expect_eq(bed_count(&bed, PT_COUNT_CACHE_CLIENTS), destinations[i].learned, "%s",
                             destinations[i].destination);
                cr_expect_eq(bed_count(&bed, PT_COUNT_DNS_TO_GROUP), !destinations[i].learned);
        }
}

static void message(double seconds, unsigned from_port, unsigned to_port, unsigned header)
{
        struct make m = {.length = 0}, frame = {.length = 0};

        make_message(&m, 7, header, "a.example", PT_DNS_A, A);
        make_udp(&frame, BED_RESOLVER, from_port, CLIENT, to_port, m.octets, m.length);
        bed_send(&bed, seconds, &frame);
}

static const struct {
        unsigned from_port;
        unsigned to_port;
        unsigned header;
        bool learned;
        const char *why;
} messages[] = {
        {53, 33333, 0x8180, true, "a response from port 53"},
        {53, 53, 0x8180, true, "to port 53 too"},
        {5353, 33333, 0x8180, false, "from another port"},
        {33333, 53, 0x8180, false, "a response to port 53: the wrong way"},
        {53, 33333, 0x0180, false, "a query from port 53"},
        {53, 33333, 0x8183, true, "NXDOMAIN with an address: whatever the rcode"},
        {53, 33333, 0x8182, true, "SERVFAIL with an address"},
        {53, 33333, 0x8380, true, "truncated: what stands there counts"},
        {53, 33333, 0xa180, false, "NOTIFY"},
};

Test(observe, responses_from_port_53_are_answers_whatever_their_rcode) /* 4.8 */
{
        for (size_t i = 0; i < ROWS(messages); i++) {
                end();
                begin();
                message(0, messages[i].from_port, messages[i].to_port, messages[i].header);
                cr_expect_eq(bed_count(&bed, PT_COUNT_CACHE_ENTRIES), messages[i].learned, "%s",
                             messages[i].why);
        }
}

Test(observe, an_answer_mirrored_twice_changes_nothing) /* 4.7 */
{
        bed_answer_as(&bed, 0, CLIENT, 33333, BED_RESOLVER, 7, "a.example", A);
        bed_answer_as(&bed, 0.001, CLIENT, 33333, BED_RESOLVER, 7, "a.example", A);
        cr_expect_eq(bed_count(&bed, PT_COUNT_DNS_COPIES), 1);
        cr_expect_eq(bed_count(&bed, PT_COUNT_DNS_ANSWERS), 1);
        cr_expect_eq(bed_count(&bed, PT_COUNT_CACHE_ENTRIES), 1);
}

/* ---- asked (4.8) ---- */

static const struct {
        double time; /* of the query; the answer is at 100 s */
        const char *client;
        unsigned client_port;
        const char *resolver;
        unsigned id;
        const char *question;
        bool asked;
        const char *why;
} queries[] = {
        {100, CLIENT, 33333, BED_RESOLVER, 7, "a.example", true, "at the same time"},
        {70, CLIENT, 33333, BED_RESOLVER, 7, "a.example", true, "30 s before"},
        {69.999999999, CLIENT, 33333, BED_RESOLVER, 7, "a.example", false, "more than that"},
        {99, CLIENT, 33333, BED_RESOLVER, 7, "A.eXAMple", true, "in other case (RFC 4343)"},
        {99, CLIENT, 33334, BED_RESOLVER, 7, "a.example", false, "from another port"},
        {99, CLIENT, 33333, BED_RESOLVER, 8, "a.example", false, "with another id"},
        {99, CLIENT, 33333, BED_RESOLVER, 7, "b.example", false, "for another name"},
        {99, CLIENT, 33333, "192.0.2.54", 7, "a.example", false, "of another resolver"},
        {99, "10.0.0.2", 33333, BED_RESOLVER, 7, "a.example", false, "by another client"},
        {100.1, CLIENT, 33333, BED_RESOLVER, 7, "a.example", false, "afterwards"},
};

Test(observe, an_answer_was_asked_for_when_its_query_was_seen_within_30_seconds) /* 4.8 */
{
        for (size_t i = 0; i < ROWS(queries); i++) {
                end();
                bed_init(&bed);
                bed.settings.dns_events = true;
                bed_begin(&bed);
                bed_query_as(&bed, queries[i].time, queries[i].client, queries[i].client_port,
                             queries[i].resolver, queries[i].id, queries[i].question);
                bed_answer_as(&bed, 100, CLIENT, 33333, BED_RESOLVER, 7, "a.example", A);
                cr_expect_str_eq(bed_told(&bed),
                                 queries[i].asked ? "dns 10.0.0.1 a.example 1 asked\n"
                                                  : "dns 10.0.0.1 a.example 1\n",
                                 "%s", queries[i].why);
                cr_expect_eq(bed_count(&bed, PT_COUNT_DNS_UNASKED), !queries[i].asked);
        }
}

/* The resolver took long, the client asked again, and the mirror showed that before the answer. */
Test(observe, a_query_sent_again_after_the_answer_does_not_hide_the_first) /* 4.8 */
{
        bed_query_as(&bed, 95, CLIENT, 33333, BED_RESOLVER, 7, "a.example");
        bed_query_as(&bed, 100.1, CLIENT, 33333, BED_RESOLVER, 7, "a.example");
        bed_answer_as(&bed, 100, CLIENT, 33333, BED_RESOLVER, 7, "a.example", A);
        cr_expect_eq(bed_count(&bed, PT_COUNT_DNS_UNASKED), 0);
}

Test(observe, evidence_says_whether_it_was_asked_for) /* 4.8 */
{
        bed_ask(&bed, 0, CLIENT, "a.example", A);
        bed_syn(&bed, 1, CLIENT, A, 10198);
        cr_expect_str_eq(bed_finish(&bed), ALERT " asked\n");
}

/* ---- what else a capture holds ---- */

Test(observe, octets_beyond_the_frames_own_length_are_not_read)
{
        struct make m = {.length = 0};
        struct pt_frame frame;

        make_tcp(&m, CLIENT, 40000, A, 10198, 1, PT_TCP_SYN);
        frame = (struct pt_frame){.bytes = m.octets,
                                  .captured = (uint32_t)m.length,
                                  .length = 20,
                                  .linktype = PT_LINK_ETHERNET,
                                  .time = bed_time(0)};
        pt_engine_packet(bed.engine, &frame);
        cr_expect_str_eq(bed_finish(&bed), "");
        cr_expect_eq(bed_count(&bed, PT_COUNT_CAPTURE_ODD_LENGTH), 1);
        cr_expect_eq(bed_count(&bed, PT_COUNT_DECODE_SHORT), 1);
}

Test(observe, dns_over_tcp_is_counted)
{
        struct make segment = {.length = 0}, frame = {.length = 0};

        make_put16(&segment, 53);
        make_put16(&segment, 33333);
        make_put32(&segment, 1);
        make_put32(&segment, 1);
        make_put16(&segment, 5u << 12 | PT_TCP_ACK);
        make_put16(&segment, 64240);
        make_put32(&segment, 0);
        make_put(&segment, "\0\x0c", 2);
        make_ip(&frame, BED_RESOLVER, CLIENT, 6, &segment);
        bed_send(&bed, 0, &frame);
        cr_expect_eq(bed_count(&bed, PT_COUNT_DNS_TCP), 1);
}

/* ---- what alarms are made of ---- */

Test(observe, who_is_given_answers_and_who_sends_syns)
{
        const struct pt_sight *sight = pt_engine_sight(bed.engine);

        bed_answer(&bed, 0, "10.0.0.1", "a.example", "198.51.100.23");
        bed_answer(&bed, 0, "10.0.0.1", "b.example",
                   "=c.example"); /* no address: nothing learned */
        bed_syn(&bed, 1, "10.0.0.1", "198.51.100.23", 443);
        bed_syn(&bed, 1, "10.0.0.2", "198.51.100.23", 443);
        bed_syn(&bed, 1, "192.0.2.77", "198.51.100.23", 443); /* not inside: a scanner, say */
        bed_pass(&bed, 2);
        cr_expect_eq(sight->answers, 1);
        cr_expect_eq(pt_sight_owners(sight, 90), 1);
        cr_expect_eq(sight->syns, 2);
        cr_expect_eq(sight->given, 1);
        cr_expect_eq(pt_sight_senders(sight), 2);
}

/* ---- twins (4.11): make_ethernet() gives 10.0.0.1 and fd00::1 one MAC ---- */

#define TWIN "fd00::1"
#define RESOLVER6 "fd00:53::35"

static void answer_twin(double seconds, const char *question, const char *records)
{
        bed_answer_as(&bed, seconds, TWIN, 33333, RESOLVER6, ++bed.id, question, records);
}

Test(observe, an_answer_to_the_other_address_of_a_host_is_evidence) /* 4.11 */
{
        answer_twin(0, "a.example", A);
        bed_syn(&bed, 1, CLIENT, A, 10198);
        cr_expect_str_eq(bed_finish(&bed), ALERT "\n");
        cr_expect_eq(bed_count(&bed, PT_COUNT_TWIN_MATCHES), 1);
        cr_expect_eq(bed_count(&bed, PT_COUNT_TWIN_HOSTS), 1);
        cr_expect_eq(bed_count(&bed, PT_COUNT_TWIN_ROUTERS), 0);
        cr_expect_eq(bed_count(&bed, PT_COUNT_SYN_PRECEDED), 1);
}

/* A query is as good as a SYN to tell what a MAC carries; the router's MAC has 02:00:00:00:00:01.
 */
Test(observe, behind_a_router_there_are_no_twins) /* 4.11 */
{
        char address[PT_ADDRESS_TEXT];

        for (int i = 1; i <= 7; i++) {
                snprintf(address, sizeof address, "fd00:%d::1", i);
                bed_query_as(&bed, 0, address, 33333, RESOLVER6, 7, "www.example");
        }
        answer_twin(1, "a.example", A);
        bed_syn(&bed, 2, CLIENT, A, 10198); /* the ninth */
        cr_expect_str_eq(bed_finish(&bed), "alert apt12 dns_other_client 47 10.0.0.1>"
                                           "198.51.100.23:10198 from 198.51.100.23 a.example\n");
        cr_expect_eq(bed_count(&bed, PT_COUNT_TWIN_MATCHES), 0);
        cr_expect_eq(bed_count(&bed, PT_COUNT_TWIN_HOSTS), 0);
        cr_expect_eq(bed_count(&bed, PT_COUNT_TWIN_ROUTERS), 1);
}

Test(observe, a_connection_of_one_address_contacts_the_names_of_the_other) /* 4.5, 4.11 */
{
        answer_twin(0, "port.example", A);
        answer_twin(0, "c2.example", B);
        bed_quic(&bed, 1, CLIENT, A, 443, BED_QUIC_LONG, 5);
        bed_syn(&bed, 2, CLIENT, B, 10198); /* 10198 comes from A */
        cr_expect_str_eq(bed_finish(&bed), "alert apt12 dns_other_address 47 10.0.0.1>"
                                           "203.0.113.9:10198 from 198.51.100.23 port.example\n");
}

/*
 * Who never spoke is the first to give way: the twin's SYN speaks for the host (design 8). All of
 * the others have one MAC, so the host's is not forgotten.
 */
Test(observe, a_syn_of_one_address_proves_the_other) /* 4.11 */
{
        char client[PT_ADDRESS_TEXT], name[32];

        answer_twin(0, "a.example", A "/3600");
        bed_syn(&bed, 1, CLIENT, "192.0.2.80", 80);
        for (unsigned i = 0; i < 150000; i++) {
                snprintf(client, sizeof client, "2001:db8:%x:%x::2", i >> 8, i & 255);
                snprintf(name, sizeof name, "n%u.example", i);
                bed_answer_as(&bed, 2 + i * 1e-4, client, 33333, RESOLVER6, 7, name, B);
        }
        cr_expect_gt(bed_count(&bed, PT_COUNT_CACHE_EVICTED_UNPROVEN), 0);
        bed_syn(&bed, 20, CLIENT, A, 10198);
        cr_expect_str_eq(bed_finish(&bed), ALERT "\n");
}

/* ---- frames that somebody may want to keep ---- */

static char traced[1024];

static void take_trace(void *context, const struct pt_trace *trace)
{
        static const char *const kinds[] = {"query", "answer", "syn"};
        size_t length = strlen(traced);

        (void)context;
        snprintf(traced + length, sizeof traced - length, "%s %llu", kinds[trace->kind],
                 (unsigned long long)trace->frame->number);
        length = strlen(traced);
        snprintf(traced + length, sizeof traced - length, trace->query_number ? " of %llu\n" : "\n",
                 (unsigned long long)trace->query_number);
        cr_expect_not(trace->part);
}

Test(observe, frames_that_an_alert_may_rest_on_are_traced)
{
        traced[0] = '\0';
        bed.engine->receiver.trace = take_trace;
        bed_query_as(&bed, 0, CLIENT, 33333, BED_RESOLVER, bed.id + 1, "a.example");
        bed_query_as(&bed, 0.5, CLIENT, 33333, BED_RESOLVER, bed.id + 1,
                     "a.example"); /* once more: the answer belongs to this */
        bed_answer(&bed, 1, CLIENT, "a.example", A);
        bed_answer(&bed, 2, CLIENT, "b.example", B); /* nobody asked */
        bed_tcp(&bed, 3, CLIENT, 40000, A, 10198, 1, 0x12);
        bed_tcp(&bed, 3, CLIENT, 40000, A, 10198, 1, 0x02);
        bed_finish(&bed);
        cr_expect_str_eq(traced, "query 1\nquery 2\nanswer 3 of 2\nanswer 4\nsyn 6\n", "%s",
                         traced);
}
