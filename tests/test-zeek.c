#include <criterion/criterion.h>
#include <string.h>

#include "io/logs/zeek.h"

static struct pt_zeek zeek;
static struct pt_said said;

static bool header(const char *line)
{
        return pt_zeek_header(&zeek, line, strlen(line));
}

static enum pt_said_kind line(const char *text)
{
        return pt_zeek_line(&zeek, text, strlen(text), &said);
}

static void columns(const char *fields)
{
        cr_assert(header("#separator \\x09"));
        cr_assert(header("#set_separator\t,"));
        cr_assert(header("#unset_field\t-"));
        cr_assert(header(fields));
}

static void expect_address(const struct pt_address *a, const char *text)
{
        struct pt_address wanted;

        cr_assert_eq(pt_address_parse(text, &wanted), 0);
        cr_expect(pt_address_equal(a, &wanted), "%s", text);
}

#define DNS                                                                                       \
        "#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\ttrans_id\trtt\tquery\tqclass\t" \
        "qtype\trcode\tAA\tTC\tRD\tRA\tanswers\tTTLs"

Test(zeek, an_answer_has_the_time_of_the_query_and_how_long_it_took)
{
        columns(DNS);
        cr_expect(zeek.dns && !zeek.conn);
        cr_assert_eq(
                line("1591367999.305988\t192.168.4.76\t36844\t192.168.4.1\t53\t19671\t0.066852\t"
                     "testmyids.com\t1\t1\t0\tF\tF\tT\tT\talias.example,31.3.245.133,::1\t"
                     "60.000000,3600.000000,7.900000"),
                PT_SAID_RECORD);
        cr_expect_eq(said.time, INT64_C(1591367999372840000));
        cr_expect_eq(said.logged.wall, said.time);
        cr_expect_eq(said.logged.kind, PT_LOGGED_ANSWER);
        cr_expect_eq(said.logged.source, PT_LOGGED_ZEEK);
        cr_expect_eq(said.logged.lacks, PT_LOGGED_NO_OWNERS);
        cr_expect(said.logged.asked && !said.logged.ipv6);
        cr_expect_eq(said.logged.id, 19671);
        cr_expect_eq(said.logged.flags, 0x8180);
        cr_expect_eq(said.logged.question_type, 1);
        expect_address(&said.logged.client, "192.168.4.76");
        expect_address(&said.logged.server, "192.168.4.1");
        cr_assert_eq(said.answer.count, 2);
        expect_address(&said.addresses[0].address, "31.3.245.133");
        cr_expect_eq(said.addresses[0].ttl, 3600);
        cr_expect_eq(said.addresses[1].ttl, 7);
}

Test(zeek, what_is_no_answer_with_an_address_is_passed_over)
{
        static const char *const rows[] = {
                /* no answers; another port; another class; names alone */
                "1.0\t10.0.0.1\t9\t10.0.0.2\t53\t1\t-\ta\t1\t1\t0\tF\tF\tT\tT\t-\t-",
                "1.0\t10.0.0.1\t9\t10.0.0.2\t5353\t1\t-\ta\t1\t1\t0\tF\tF\tT\tT\t192.0.2.1\t1.0",
                "1.0\t10.0.0.1\t9\t10.0.0.2\t53\t1\t-\ta\t3\t1\t0\tF\tF\tT\tT\t192.0.2.1\t1.0",
                "1.0\t10.0.0.1\t9\t10.0.0.2\t53\t1\t-\ta\t1\t1\t0\tF\tF\tT\tT\tb.example\t1.0",
        };

        columns(DNS);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
                cr_expect_eq(line(rows[i]), PT_SAID_OTHER, "%zu", i);
}

Test(zeek, without_ttls_and_rtt_that_is_said)
{
        columns(DNS);
        cr_assert_eq(line("1.0\t2001:db8::9\t9\t2001:db8::1\t53\t1\t-\t-\t-\t-\t-\t-\t-\t-\t-\t192."
                          "0.2.1\t-"),
                     PT_SAID_RECORD);
        cr_expect_eq(said.logged.lacks, PT_LOGGED_NO_OWNERS | PT_LOGGED_NO_TTL);
        cr_expect(!said.logged.asked && said.logged.ipv6);
        cr_expect_eq(said.answer.names[0].length,
                     1); /* the root stands for a name it does not have */
}

#define CONN                                                                                       \
        "#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\torig_bytes\tconn_state\t" \
        "history"

Test(zeek, a_connection_counts_if_its_syn_was_seen)
{
        static const struct {
                const char *end;
                int kind; /* -1: passed over */
        } rows[] = {
                {"tcp\t0\tS0\tS", PT_LOGGED_CONNECTION},
                {"tcp\t0\tSF\tShADadFf", PT_LOGGED_CONNECTION},
                {"tcp\t0\tREJ\tSr", PT_LOGGED_CONNECTION},
                {"tcp\t0\tRSTO\t-", PT_LOGGED_CONNECTION},
                {"tcp\t0\tOTH\t-", -1},
                {"tcp\t0\tSF\thADad", -1},
                {"tcp\t0\tSHR\t-", -1},
                {"udp\t1200\tSF\tDd", PT_LOGGED_CONTACT},
                {"udp\t0\tSHR\td", -1},
                {"udp\t-\tS0\tD", PT_LOGGED_CONTACT},
                {"icmp\t-\tOTH\t-", -1},
        };
        char text[200];

        columns(CONN);
        cr_expect(zeek.conn && !zeek.dns);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                snprintf(text, sizeof text, "1.0\t10.0.0.1\t9\t192.0.2.1\t443\t%s", rows[i].end);
                cr_expect_eq(line(text), rows[i].kind < 0 ? PT_SAID_OTHER : PT_SAID_RECORD, "%s",
                             rows[i].end);
                if (rows[i].kind >= 0)
                        cr_expect_eq((int)said.logged.kind, rows[i].kind, "%s", rows[i].end);
        }
}

Test(zeek, the_header_says_how_the_columns_are_parted)
{
        cr_assert(header("#separator ,"));
        cr_assert(header("#set_separator,;"));
        cr_assert(header("#unset_field,?"));
        cr_assert(header("#fields,ts,id.orig_h,id.orig_p,id.resp_h,id.resp_p,query,answers,rtt"));
        cr_assert_eq(line("1.0,10.0.0.1,9,10.0.0.2,53,a.example,192.0.2.1;192.0.2.2,?"),
                     PT_SAID_RECORD);
        cr_expect_eq(said.answer.count, 2);
        cr_expect(!said.logged.asked);
}

Test(zeek, a_line_before_its_header_cannot_be_read)
{
        zeek = (struct pt_zeek){.separator = '\t'};
        cr_expect_eq(line("1.0\t2"), PT_SAID_BAD);
        cr_expect(!header("#separator \\x00"));
        cr_expect(!header("#separator \\xzz"));
}

static enum pt_said_kind json(const char *text)
{
        json_t *object = json_loads(text, 0, NULL);
        enum pt_said_kind kind;

        cr_assert(object && pt_zeek_is(object), "%s", text);
        kind = pt_zeek_json(object, &said);
        json_decref(object);
        return kind;
}

/* As Zeek's own documentation has it. */
Test(zeek, json_says_the_same)
{
        cr_assert_eq(
                json("{\"ts\":1591367999.305988,\"uid\":\"CMdzit1AMNsmfAIiQc\",\"id.orig_h\":"
                     "\"192.168.4.76\",\"id.orig_p\":36844,\"id.resp_h\":\"192.168.4.1\","
                     "\"id.resp_p\":53,\"proto\":\"udp\",\"trans_id\":19671,\"rtt\":"
                     "0.06685185432434082,\"query\":\"testmyids.com\",\"qclass\":1,\"qtype\":1,"
                     "\"rcode\":0,\"AA\":false,\"TC\":false,\"RD\":true,\"RA\":true,"
                     "\"answers\":[\"31.3.245.133\"],\"TTLs\":[3600.0],\"rejected\":false}"),
                PT_SAID_RECORD);
        cr_expect_eq(said.time, INT64_C(1591367999372840000));
        cr_expect_eq(said.addresses[0].ttl, 3600);
        cr_expect_eq(said.logged.flags, 0x8180);
        cr_assert_eq(json("{\"ts\":\"2020-06-05T14:39:59.305988Z\",\"id.orig_h\":\"fe80::1\","
                          "\"id.orig_p\":1,\"id.resp_h\":\"2001:db8::1\",\"id.resp_p\":443,"
                          "\"proto\":\"tcp\",\"conn_state\":\"S1\",\"history\":\"ShA\"}"),
                     PT_SAID_RECORD);
        cr_expect_eq(said.time, INT64_C(1591367999305988000));
        cr_expect_eq(said.logged.kind, PT_LOGGED_CONNECTION);
        cr_expect(said.logged.ipv6);
        cr_expect_eq(json("{\"ts\":1.0,\"id.orig_h\":\"10.0.0.1\",\"id.orig_p\":1,\"id.resp_h\":"
                          "\"10.0.0.2\",\"id.resp_p\":80,\"method\":\"GET\"}"),
                     PT_SAID_OTHER);
        cr_expect_eq(json("{\"ts\":[],\"id.orig_h\":{},\"query\":\"a\"}"), PT_SAID_BAD);
}
