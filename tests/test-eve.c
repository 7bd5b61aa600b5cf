#include <criterion/criterion.h>
#include <string.h>

#include "io/logs/eve.h"

static struct pt_said said;

static enum pt_said_kind line(const char *text)
{
        json_t *object = json_loads(text, 0, NULL);
        enum pt_said_kind kind;

        cr_assert(object && pt_eve_is(object), "%s", text);
        kind = pt_eve_line(object, &said);
        json_decref(object);
        return kind;
}

#define ENDS                                                                                    \
        "{\"timestamp\":\"2020-03-05T02:49:15.651291+0000\",\"event_type\":\"dns\",\"src_ip\":" \
        "\"172.31.8.201\",\"src_port\":47035,\"dest_ip\":\"172.31.0.2\",\"dest_port\":53,"      \
        "\"proto\":\"UDP\",\"dns\":"

static void expect_address(const struct pt_address *a, const char *text)
{
        struct pt_address wanted;

        cr_assert_eq(pt_address_parse(text, &wanted), 0);
        cr_expect(pt_address_equal(a, &wanted), "%s", text);
}

static void expect_name(size_t place, const char *text)
{
        char shown[PT_DNS_NAME_TEXT];

        pt_dns_name_format(&said.answer.names[place], shown);
        cr_expect_str_eq(shown, text);
}

Test(eve, queries_of_all_versions)
{
        static const char *const lines[] = {
                ENDS
                "{\"type\":\"query\",\"id\":23632,\"rrname\":\"www.example\",\"rrtype\":\"AAAA\"}}",
                ENDS "{\"version\":2,\"type\":\"query\",\"id\":23632,\"rrname\":\"www.example\","
                     "\"rrtype\":\"AAAA\",\"tx_id\":0,\"opcode\":0}}",
                ENDS "{\"version\":3,\"type\":\"request\",\"id\":23632,\"queries\":[{\"rrname\":"
                     "\"www.example\",\"rrtype\":\"AAAA\"}]}}",
        };

        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
                cr_assert_eq(line(lines[i]), PT_SAID_RECORD, "%zu", i);
                cr_expect_eq(said.logged.kind, PT_LOGGED_QUERY);
                cr_expect_eq(said.logged.id, 23632);
                cr_expect_eq(said.logged.question_type, 28);
                cr_expect_eq(said.time, INT64_C(1583376555651291000));
                expect_name(0, "www.example");
                expect_address(&said.logged.client, "172.31.8.201");
        }
}

#define RECORDS                                                                                \
        "\"answers\":[{\"rrname\":\"www.example\",\"rrtype\":\"CNAME\",\"ttl\":300,\"rdata\":" \
        "\"cdn.example\"},{\"rrname\":\"cdn.example\",\"rrtype\":\"A\",\"ttl\":60,\"rdata\":"  \
        "\"198.51.100.23\"}]"

Test(eve, answers_with_their_records_keep_the_way_of_names)
{
        static const char *const lines[] = {
                ENDS "{\"version\":2,\"type\":\"answer\",\"id\":7,\"flags\":\"8180\",\"rrname\":"
                     "\"www.example\",\"rrtype\":\"A\"," RECORDS "}}",
                ENDS
                "{\"version\":3,\"type\":\"response\",\"id\":7,\"flags\":\"8180\",\"queries\":["
                "{\"rrname\":\"www.example\",\"rrtype\":\"A\"}]," RECORDS "}}",
        };

        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
                cr_assert_eq(line(lines[i]), PT_SAID_RECORD, "%zu", i);
                cr_expect_eq(said.logged.kind, PT_LOGGED_ANSWER);
                cr_expect_eq(said.logged.flags, 0x8180);
                cr_expect_eq(said.logged.lacks, 0);
                cr_assert_eq(said.answer.count, 1);
                cr_expect_eq(said.addresses[0].ttl, 60);
                cr_expect_eq(said.addresses[0].owner, 1);
                cr_expect_eq(said.answer.alias[0], 1);
                expect_name(0, "www.example");
                expect_name(1, "cdn.example");
        }
}

Test(eve, grouped_answers_have_neither_owners_nor_ttls)
{
        cr_assert_eq(line(ENDS
                          "{\"version\":2,\"type\":\"answer\",\"rrname\":\"a.example\","
                          "\"rrtype\":\"A\",\"grouped\":{\"A\":[\"192.0.2.1\",5,\"192.0.2.2\"],"
                          "\"TXT\":[\"192.0.2.3\"]}}}"),
                     PT_SAID_RECORD);
        cr_expect_eq(said.answer.count, 2);
        cr_expect_eq(said.answer.skipped, 1);
        cr_expect_eq(said.logged.lacks, PT_LOGGED_NO_OWNERS | PT_LOGGED_NO_TTL);
        cr_expect_eq(said.logged.flags, 0x8000);
}

Test(eve, version_1_has_a_record_and_no_question)
{
        cr_assert_eq(line(ENDS "{\"type\":\"answer\",\"id\":16000,\"rcode\":\"NOERROR\",\"rrname\":"
                               "\"twitter.com\",\"rrtype\":\"A\",\"ttl\":8,\"rdata\":"
                               "\"199.59.148.82\"}}"),
                     PT_SAID_RECORD);
        cr_expect_eq(said.logged.lacks, PT_LOGGED_NO_QUESTION);
        cr_expect_eq(said.addresses[0].ttl, 8);
        expect_name(0, "twitter.com");
}

Test(eve, the_end_with_port_53_is_the_resolver)
{
        cr_assert_eq(
                line("{\"timestamp\":\"2020-03-05T02:49:15Z\",\"event_type\":\"dns\",\"src_ip\":"
                     "\"172.31.0.2\",\"src_port\":53,\"dest_ip\":\"172.31.8.201\",\"dest_port\":"
                     "47035,\"proto\":\"UDP\",\"dns\":{\"version\":2,\"type\":\"answer\","
                     "\"rrname\":\"a\",\"answers\":[{\"rrname\":\"a\",\"rrtype\":\"A\",\"ttl\":1,"
                     "\"rdata\":\"192.0.2.1\"}]}}"),
                PT_SAID_RECORD);
        expect_address(&said.logged.client, "172.31.8.201");
        expect_address(&said.logged.server, "172.31.0.2");
        cr_expect_eq(said.logged.client_port, 47035);
}

#define FLOW(proto, port, flow, tcp)                                                             \
        "{\"timestamp\":\"2020-03-05T02:49:17.000632+0000\",\"event_type\":\"flow\",\"src_ip\":" \
        "\"45.141.86.128\",\"src_port\":59315,\"dest_ip\":\"172.31.8.201\",\"dest_port\":" port  \
        ",\"proto\":\"" proto "\",\"flow\":{\"start\":\"2020-03-05T02:48:11.360131+0000\"" flow  \
        "}" tcp "}"

Test(eve, a_flow_counts_if_its_clients_syn_was_seen)
{
        static const struct {
                const char *text;
                int kind; /* -1: passed over */
        } rows[] = {
                {FLOW("TCP", "22", "", ",\"tcp\":{\"tcp_flags\":\"db\",\"tcp_flags_ts\":\"db\"}"),
                 PT_LOGGED_CONNECTION},
                {FLOW("TCP", "22", "", ",\"tcp\":{\"tcp_flags_ts\":\"02\",\"syn\":true}"),
                 PT_LOGGED_CONNECTION},
                {FLOW("TCP", "22", "", ",\"tcp\":{\"tcp_flags_ts\":\"18\",\"syn\":true}"), -1},
                {FLOW("TCP", "22", "", ",\"tcp\":{\"syn\":true}"), PT_LOGGED_CONNECTION},
                {FLOW("TCP", "22", "", ""), -1},
                {FLOW("UDP", "443", ",\"pkts_toserver\":2", ""), PT_LOGGED_CONTACT},
                {FLOW("UDP", "443", ",\"pkts_toserver\":0", ""), -1},
                {FLOW("UDP", "444", ",\"pkts_toserver\":2", ""), -1},
                {FLOW("ICMP", "0", "", ""), -1},
        };

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                cr_expect_eq(line(rows[i].text), rows[i].kind < 0 ? PT_SAID_OTHER : PT_SAID_RECORD,
                             "%zu", i);
                if (rows[i].kind < 0)
                        continue;
                cr_expect_eq((int)said.logged.kind, rows[i].kind, "%zu", i);
                cr_expect_eq(said.time, INT64_C(1583376491360131000));
                expect_address(&said.logged.client, "45.141.86.128");
        }
}

Test(eve, other_events_are_passed_over)
{
        cr_expect_eq(line("{\"timestamp\":\"x\",\"event_type\":\"alert\"}"), PT_SAID_OTHER);
        cr_expect_eq(line("{\"timestamp\":\"x\",\"event_type\":\"flow\"}"), PT_SAID_BAD);
        cr_expect_eq(line(ENDS "{\"version\":2,\"type\":\"answer\",\"rrname\":\"a\",\"rcode\":"
                               "\"NXDOMAIN\"}}"),
                     PT_SAID_OTHER);
}
