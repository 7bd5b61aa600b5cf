#include <stdio.h>
#include <stdlib.h>

#include "events.h"
#include "document/words.h"

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

static const struct pt_observer observer;

static void expect_line(const struct pt_event *event, bool colour, const char *line)
{
        size_t length;
        char *text;

        cr_assert_eq(pt_event_text(event, &observer, colour, &text, &length), 0);
        cr_expect_eq(strlen(text), length);
        cr_expect_str_eq(text, line);
        free(text);
}

/* ---- lines ---- */

#define HEAD "2026-11-24T04:12:07.318Z "
#define WAY "10.20.30.40:51544 -> 198.51.100.23:10198"

Test(text, an_alert)
{
        struct scene *s = scene();

        expect_line(&s->event, false,
                    HEAD "HIGH apt12 dns_confirmed " WAY " update.example.net"
                         " 198 * 51 + 100 = 10198, answered 2.113 s before, asked,"
                         " chance 2.2e-05\n");
        s->also[0] = &s->both;
        s->also[1] = &s->variant;
        s->event.alert.also = s->also;
        s->event.alert.also_count = 2;
        s->event.alert.suppressed = 12;
        s->evidence.asked = false;
        s->evidence.time = SYN_TIME + 12000000;
        expect_line(&s->event, false,
                    HEAD "HIGH apt12 dns_confirmed " WAY " update.example.net"
                         " 198 * 51 + 100 = 10198, answered 12.0 ms after, query not seen,"
                         " chance 2.2e-05, 12 held back before, also both variant\n");
}

Test(text, each_verdict)
{
        struct scene *s = scene();

        scene_other_address(s);
        expect_line(&s->event, false,
                    HEAD "HIGH apt12 dns_other_address 10.20.30.40:51544 -> 203.0.113.7:10198"
                         " cc.example.net from 198.51.100.23 of calc.example.net"
                         " 198 * 51 + 100 = 10198, answered 2.113 s before, asked,"
                         " name not contacted, chance 2.2e-05\n");
        s->match.contacted = true;
        s->match.severity = PT_SEVERITY_MEDIUM;
        expect_line(&s->event, false,
                    HEAD "MEDIUM apt12 dns_other_address 10.20.30.40:51544 -> 203.0.113.7:10198"
                         " cc.example.net from 198.51.100.23 of calc.example.net"
                         " 198 * 51 + 100 = 10198, answered 2.113 s before, asked,"
                         " name contacted, chance 2.2e-05\n");
        s->match.severity = PT_SEVERITY_LOW;
        s->match.destination_given = false;
        s->event.alert.destination = NULL;
        expect_line(&s->event, false,
                    HEAD "LOW apt12 dns_other_address 10.20.30.40:51544 -> 203.0.113.7:10198"
                         " from 198.51.100.23 of calc.example.net"
                         " 198 * 51 + 100 = 10198, answered 2.113 s before, asked,"
                         " chance 2.2e-05\n");

        s = scene();
        scene_other_client(s);
        expect_line(&s->event, false,
                    HEAD "MEDIUM apt12 dns_other_client " WAY " 198 * 51 + 100 = 10198,"
                         " answered 2.113 s before to 10.20.30.99, asked, chance 2.2e-05\n");

        s = scene();
        scene_port_only(s);
        expect_line(&s->event, false,
                    HEAD "LOW apt12 port_only " WAY " 198 * 51 + 100 = 10198, no answer seen,"
                         " chance 2.2e-05\n");
}

Test(text, an_address_rule_and_ipv6)
{
        struct scene *s = scene();

        scene_address_rule(s);
        s->syn.client = address("2001:db8::40");
        s->evidence.client = s->syn.client;
        expect_line(&s->event, false,
                    HEAD "HIGH swap16 dns_confirmed [2001:db8::40]:51544 -> 176.65.132.198:23004"
                         " from 132.198.176.65 of update.example.net"
                         " swap16(132.198.176.65) = 176.65.132.198, answered 2.113 s before,"
                         " asked, chance 2.2e-05\n");
}

Test(text, a_colour_only_where_it_is_wanted)
{
        static const struct {
                int severity;
                const char *word;
        } rows[] = {
                {PT_SEVERITY_LOW, "\x1b[36mLOW\x1b[0m "},
                {PT_SEVERITY_MEDIUM, "\x1b[33mMEDIUM\x1b[0m "},
                {PT_SEVERITY_HIGH, "\x1b[1;31mHIGH\x1b[0m "},
                {PT_SEVERITY_CRITICAL, "\x1b[1;35mCRITICAL\x1b[0m "},
        };
        struct scene *s = scene();
        char line[512];

        scene_port_only(s);
        for (size_t i = 0; i < ROWS(rows); i++) {
                s->match.severity = rows[i].severity;
                snprintf(line, sizeof line,
                         HEAD "%sapt12 port_only " WAY " 198 * 51 + 100 = 10198, no answer seen,"
                              " chance 2.2e-05\n",
                         rows[i].word);
                expect_line(&s->event, true, line);
        }
        scene_connection(s, false);
        expect_line(&s->event, true, HEAD "\x1b[2mCONNECTION\x1b[0m " WAY "\n");
}

Test(text, the_other_kinds)
{
        struct scene *s = scene();

        scene_near_miss(s, PT_NEAR_EXCLUDED_PORT);
        expect_line(&s->event, false,
                    HEAD "NEAR-MISS apt12 excluded_port " WAY " update.example.net"
                         " 198 * 51 + 100 = 10198, answered 2.113 s before, asked\n");
        scene_rotation(s);
        expect_line(&s->event, false,
                    HEAD "CRITICAL dns-calculation-rotation dns_confirmed 10.20.30.40 ->"
                         " 203.0.113.7:113 198.51.100.23:10198 198.51.100.24:10198,"
                         " names one.example.net update.example.net, chance 4.9e-10\n");
        scene_campaign(s, PT_OUTBREAK_NAME);
        expect_line(&s->event, false,
                    HEAD "MEDIUM dns-calculation-campaign dns_other_address 3 clients by name, last"
                         " " WAY ", names update.example.net, clients 10.20.30.40 10.20.30.41"
                         " and 1 more\n");
        scene_repeats(s);
        expect_line(&s->event, false,
                    "2026-11-24T04:13:17.318Z REPEATS apt12 dns_confirmed 10.20.30.40 ->"
                    " 198.51.100.23:10198 7 more since 2026-11-24T04:12:17.318Z\n");
        scene_connection(s, true);
        expect_line(&s->event, false,
                    HEAD "CONNECTION " WAY " update.example.net, answered 2.113 s before,"
                         " asked\n");
        scene_expectation(s);
        expect_line(&s->event, false,
                    "2026-11-24T04:12:06.205Z EXPECTATION apt12 pair 10.20.30.40 -> 203.0.113.9"
                    " port 10198, update.example.net is 198.51.100.23\n");
        ((struct pt_expectation *)s->event.expectation.of)->has_destination = false;
        expect_line(&s->event, false,
                    "2026-11-24T04:12:06.205Z EXPECTATION apt12 pair 10.20.30.40 -> any port 10198,"
                    " update.example.net is 198.51.100.23\n");
}

Test(text, dns)
{
        struct scene *s = scene();
        struct message *m = scene_dns(s, OCTETS(STORY));

        expect_line(&s->event, false,
                    "2026-11-24T04:12:05.205Z DNS 10.20.30.40:53765 <- 192.0.2.53:53"
                    " A update.example.net NOERROR: 198.51.100.23, asked\n");
        m->answer.count = 2;
        m->addresses[1].address = address("2001:db8::1");
        s->event.dns.asked = false;
        expect_line(&s->event, false,
                    "2026-11-24T04:12:05.205Z DNS 10.20.30.40:53765 <- 192.0.2.53:53"
                    " A update.example.net NOERROR: 198.51.100.23 2001:db8::1, query not seen\n");
        scene_dns(s, OCTETS("\0\1\x80\3\0\0\0\0\0\0\0\0"));
        expect_line(&s->event, false,
                    "2026-11-24T04:12:05.205Z DNS 10.20.30.40:53765 <- 192.0.2.53:53"
                    " NXDOMAIN, asked\n");
}

Test(text, more_addresses_than_a_line_shows)
{
        struct scene *s = scene();
        struct message *m = scene_dns(s, OCTETS(STORY));
        static struct pt_dns_address many[70];
        size_t length;
        char *text;

        for (size_t i = 0; i < ROWS(many); i++)
                many[i].address = pt_address_from_ipv4(0xc0000200 + (uint32_t)i);
        m->answer.addresses = many;
        m->answer.count = ROWS(many);
        cr_assert_eq(pt_event_text(&s->event, &observer, false, &text, &length), 0);
        cr_expect(strstr(text, " 192.0.2.63 and 6 more, asked\n"), "%s", text);
        free(text);
}

/* No octet of a name may steer a terminal, and nothing makes a line endless. */
Test(text, names_are_shown_harmless_and_short)
{
        struct scene *s = scene();
        struct pt_dns_name name = {.length = 255};
        size_t length;
        char *text;

        s->destination.chain[0] = NAME("\5\x1b[2J\n\1x");
        expect_line(&s->event, false,
                    HEAD "HIGH apt12 dns_confirmed " WAY " \\027[2J\\010.x"
                         " 198 * 51 + 100 = 10198, answered 2.113 s before, asked,"
                         " chance 2.2e-05\n");

        for (size_t label = 0; label < 4; label++)
                name.wire[64 * label] = label < 3 ? 63 : 61;
        for (size_t i = 0; i < 254; i++)
                if (i % 64)
                        name.wire[i] = 'a';
        s->destination.chain[0] = name; /* 253 characters: whole */
        cr_assert_eq(pt_event_text(&s->event, &observer, false, &text, &length), 0);
        cr_expect(!strstr(text, "..."));
        free(text);
        name.wire[1] = '\0'; /* 256: whole */
        s->destination.chain[0] = name;
        cr_assert_eq(pt_event_text(&s->event, &observer, false, &text, &length), 0);
        cr_expect(!strstr(text, "..."));
        free(text);
        name.wire[2] = '\0'; /* 259: cut to 256 */
        s->destination.chain[0] = name;
        cr_assert_eq(pt_event_text(&s->event, &observer, false, &text, &length), 0);
        cr_assert(strstr(text, "... 198"), "%s", text);
        cr_expect_eq(strstr(text, "... 198") - strstr(text, "\\000"), 256);
        free(text);
}

/* ---- words ---- */

/* Below a second three digits that count, above it milliseconds; rounded by hand, 5 upwards. */
Test(text, durations)
{
        static const struct {
                int64_t duration;
                const char *text;
        } rows[] = {
                {0, "0 ms"},
                {1, "0.000001 ms"},
                {999, "0.000999 ms"},
                {1000, "0.00100 ms"},
                {1004, "0.00100 ms"},
                {1005, "0.00101 ms"},
                {99949, "0.0999 ms"},
                {99950, "0.100 ms"},
                {296000, "0.296 ms"},
                {999499, "0.999 ms"},
                {999500, "1.00 ms"},
                {5000000, "5.00 ms"},
                {9995000, "10.0 ms"},
                {13249999, "13.2 ms"},
                {99950000, "100 ms"},
                {214000000, "214 ms"},
                {999499999, "999 ms"},
                {999500000, "1.000 s"},
                {999999999, "1.000 s"},
                {1000000000, "1.000 s"},
                {2113000000, "2.113 s"},
                {-12000000, "12.0 ms"},
                {INT64_C(3600000400000), "3600.000 s"},
        };
        char text[PT_WORDS_DURATION];

        for (size_t i = 0; i < ROWS(rows); i++)
                cr_expect_str_eq(pt_words_duration(rows[i].duration, text), rows[i].text);
}

/* date -u -d @SECONDS; leap days, the end of a century that is none, the last time there is. */
Test(text, times)
{
        static const struct {
                int64_t time;
                const char *text;
        } rows[] = {
                {0, "1970-01-01T00:00:00.000Z"},
                {999999, "1970-01-01T00:00:00.000Z"},
                {1000000, "1970-01-01T00:00:00.001Z"},
                {INT64_C(86399999999999), "1970-01-01T23:59:59.999Z"},
                {INT64_C(68169600000000000), "1972-02-29T00:00:00.000Z"},
                {INT64_C(68256000000000000), "1972-03-01T00:00:00.000Z"},
                {INT64_C(951782400000000000), "2000-02-29T00:00:00.000Z"},
                {INT64_C(978307199000000000), "2000-12-31T23:59:59.000Z"},
                {INT64_C(2147483648000000000), "2038-01-19T03:14:08.000Z"},
                {INT64_C(4107542399000000000), "2100-02-28T23:59:59.000Z"},
                {INT64_C(4107542400000000000), "2100-03-01T00:00:00.000Z"},
                {INT64_C(4611686018427387903), "2116-02-20T23:53:38.427Z"}, /* 2^62 - 1 */
        };
        char text[PT_WORDS_TIME];

        for (size_t i = 0; i < ROWS(rows); i++)
                cr_expect_str_eq(pt_words_time(rows[i].time, text), rows[i].text);
}

Test(text, words_are_cut_visibly)
{
        char room[8];
        struct pt_words words = pt_words(room, sizeof room);

        pt_words_say(&words, "%s", "1234567");
        cr_expect_str_eq(room, "1234567");
        pt_words_say(&words, "%s", "8");
        cr_expect_str_eq(room, "1234...");
        pt_words_say(&words, "%s", "9");
        cr_expect_str_eq(room, "1234...");
        words = pt_words(room, sizeof room);
        pt_words_say(&words, "%s", "123456789");
        cr_expect_str_eq(room, "1234...");
}

Test(text, dns_numbers)
{
        char text[PT_WORDS_DNS];

        cr_expect_str_eq(pt_words_dns_type(65, text), "HTTPS");
        cr_expect_str_eq(pt_words_dns_type(65535, text), "TYPE65535");
        cr_expect_str_eq(pt_words_dns_class(3, text), "CH");
        cr_expect_str_eq(pt_words_dns_class(65535, text), "CLASS65535");
        cr_expect_str_eq(pt_words_dns_code(0x8185, text), "REFUSED");
        cr_expect_str_eq(pt_words_dns_code(0x818f, text), "RCODE15");
}

/* An expression without a value has no arithmetic to show: never of a match, but no crash either.
 */
Test(text, no_value_no_arithmetic)
{
        struct scene *s = scene();
        char text[PT_WORDS_ARITHMETIC];

        s->apt12.port = formula("1 / (o1 - o1)");
        cr_expect_str_eq(pt_words_arithmetic(&s->match, text), "");
}
