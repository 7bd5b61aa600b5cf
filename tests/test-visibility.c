#include "memory/visibility.h"

#include "bed.h"

#include <criterion/criterion.h>

static struct pt_visibility *visibility;
static struct pt_counters counters;
static struct pt_visibility_report report;

static void begin(void)
{
        static const struct pt_hash_key key = {1, 2};

        cr_assert_eq(pt_visibility_new(64, &key, &counters, &visibility), 0);
        pt_visibility_begin(visibility);
}

static void end(void)
{
        cr_expect_null(pt_visibility_free(visibility));
        cr_expect_null(pt_visibility_free(NULL));
}

TestSuite(visibility, .init = begin, .fini = end);

static void syn(const char *client, const char *destination, uint16_t port, bool given,
                bool eligible)
{
        struct pt_address from = make_address(client), to = make_address(destination);

        pt_visibility_syn(visibility, &(struct pt_visibility_syn){.client = &from,
                                                                  .destination = &to,
                                                                  .port = port,
                                                                  .given = given,
                                                                  .eligible = eligible,
                                                                  .wall = 1000});
}

static void answer(const char *client, bool asked, int64_t wall)
{
        struct pt_address to = make_address(client);

        pt_visibility_answer(visibility, &to, asked, wall, 0);
}

static uint32_t low(const struct pt_visibility_client *c)
{
        return pt_address_low32(&c->client);
}

Test(visibility, the_sums_and_who_is_worst)
{
        answer("10.0.0.1", true, 900);
        answer("10.0.0.2", false, 2000);
        for (unsigned i = 0; i < 5; i++)
                syn("10.0.0.1", "198.51.100.1", 5000, true, true);
        syn("10.0.0.1", "198.51.100.2", 5000, false, true);
        syn("10.0.0.2", "198.51.100.2", 5000, false, true);
        syn("10.0.0.2", "198.51.100.3", 5000, false, true);
        syn("10.0.0.2", "198.51.100.3", 443, true, false);
        syn("10.0.0.3", "198.51.100.3", 443, false, false);
        pt_visibility_report(visibility, &report);
        cr_expect_eq(report.clients, 3);
        cr_expect_eq(report.sum.syns, 10);
        cr_expect_eq(report.sum.given, 6);
        cr_expect_eq(report.sum.eligible, 8);
        cr_expect_eq(report.sum.preceded, 5);
        cr_expect_eq(report.sum.answers, 2);
        cr_expect_eq(report.sum.unasked, 1);
        cr_expect_eq(report.from, 900);
        cr_expect_eq(report.until, 2000);
        cr_assert_eq(report.worst.count, 2);
        cr_expect_eq(low(report.worst.clients[0]), 0x0a000002, "two of its two");
        cr_expect_eq(low(report.worst.clients[1]), 0x0a000001, "one of its six");
        cr_expect_eq(report.silent, 1);
        cr_assert_eq(report.never.count, 1);
        cr_expect_eq(low(report.never.clients[0]), 0x0a000003, "no answer, and it sends SYNs");
        cr_expect_eq(report.encrypted, 0);
}

/* What is listed of many, in which order, by count and then by address. */
Test(visibility, the_ten_worst_are_listed)
{
        for (unsigned i = 1; i <= 20; i++) {
                char client[32];

                snprintf(client, sizeof client, "10.0.0.%u", i);
                for (unsigned k = 0; k < (i + 1) / 2; k++)
                        syn(client, "198.51.100.1", 5000, false, true);
        }
        pt_visibility_report(visibility, &report);
        cr_assert_eq(report.worst.count, 10);
        for (unsigned i = 0; i < 10; i++)
                cr_expect_eq(low(report.worst.clients[i]), 0x0a000000 + 19 - i + 2 * (i % 2), "%u",
                             i);
        cr_expect_eq(report.silent, 20);
        cr_expect_eq(report.never.count, 10);
}

Test(visibility, encrypted_resolvers_by_port_and_by_address)
{
        static const struct {
                const char *destination;
                uint16_t port;
                uint64_t dot, doh;
                const char *why;
        } rows[] = {
                {"192.0.2.1", 853, 1, 0, "DNS over TLS, whoever answers (RFC 7858)"},
                {"2001:db8::1", 853, 1, 0, "the same"},
                {"8.8.8.8", 853, 1, 0, "once"},
                {"8.8.8.8", 443, 0, 1, "dns.google"},
                {"9.9.9.9", 443, 0, 1, "dns.quad9.net"},
                {"1.1.1.1", 443, 0, 1, "one.one.one.one"},
                {"2606:4700:4700::1111", 443, 0, 1, "the same"},
                {"2620:fe::fe", 443, 0, 1, "dns.quad9.net"},
                {"2001:4860:4860::8844", 443, 0, 1, "dns.google"},
                {"8.8.8.8", 53, 0, 0, "in the clear"},
                {"8.8.8.9", 443, 0, 0, "no resolver"},
                {"192.0.2.1", 443, 0, 0, "any server"},
                {"2606:4700:4700::1112", 443, 0, 0, "none of these"},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                pt_visibility_begin(visibility);
                syn("10.0.0.1", rows[i].destination, rows[i].port, false, false);
                pt_visibility_report(visibility, &report);
                cr_expect_eq(report.sum.dot, rows[i].dot, "%zu: %s", i, rows[i].why);
                cr_expect_eq(report.sum.doh, rows[i].doh, "%zu: %s", i, rows[i].why);
                cr_expect_eq(report.encrypted, rows[i].dot + rows[i].doh);
                cr_expect_eq(report.hidden.count, report.encrypted);
        }
}

/* 4.11: with dual stack the answers go to the twin, and the destination was given all the same. */
Test(visibility, who_is_given_by_its_twin_is_not_silent)
{
        syn("10.0.0.1", "198.51.100.1", 443, true, false);
        pt_visibility_report(visibility, &report);
        cr_expect_eq(report.silent, 0);
        cr_expect_eq(report.never.count, 0);
}

/* HTTP/3: a long header to such a resolver is DoH, any other is nothing that counts here. */
Test(visibility, quic)
{
        struct pt_address client = make_address("10.0.0.1"), google = make_address("8.8.4.4"),
                          other = make_address("192.0.2.1");
        struct pt_visibility_syn quic = {&client, &google, 443, true, true, false, 5};

        pt_visibility_syn(visibility, &quic);
        quic.destination = &other;
        pt_visibility_syn(visibility, &quic);
        pt_visibility_report(visibility, &report);
        cr_expect_eq(report.sum.doh, 1);
        cr_expect_eq(report.sum.syns, 0);
        cr_expect_eq(report.sum.given, 0);
        cr_expect_eq(report.silent, 0, "it sent no SYN");
}

Test(visibility, encrypted_resolvers_by_name)
{
        static const struct {
                const char *name;
                bool is;
        } rows[] = {
                {"dns.google", true},
                {"DNS.Google", true},
                {"cloudflare-dns.com", true},
                {"mozilla.cloudflare-dns.com", true},
                {"one.one.one.one", true},
                {"dns.quad9.net", true},
                {"doh.opendns.com", true},
                {"abc123.dns.nextdns.io", true},
                {"dns.adguard-dns.com", true},
                {"doh.familyshield.opendns.com", true},
                {"doh.cleanbrowsing.org", true},
                {"mask-h2.icloud.com", true},
                {"google", false},
                {"www.google.com", false},
                {"notdns.google", false},
                {"dns.google.example", false},
                {"mycloudflare-dns.com", false},
                {"opendns.com", false},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_address client = make_address("10.0.0.1");
                struct pt_dns_name name = make_name(rows[i].name);

                pt_visibility_begin(visibility);
                pt_visibility_query(visibility, &client, &name);
                pt_visibility_report(visibility, &report);
                cr_expect_eq(report.sum.names, rows[i].is, "%s", rows[i].name);
                cr_expect_eq(report.encrypted, rows[i].is, "%s", rows[i].name);
        }
}

/* The table holds 64: what gives way is counted, and the sums stay what they are. */
Test(visibility, the_sums_are_exact_whoever_gives_way)
{
        for (unsigned i = 0; i < 200; i++) {
                char client[32];

                snprintf(client, sizeof client, "10.0.0.%u", i);
                syn(client, "198.51.100.1", 5000, false, true);
        }
        pt_visibility_report(visibility, &report);
        cr_expect_eq(report.sum.eligible, 200);
        cr_expect_eq(report.clients, 64);
        cr_expect_eq(report.forgotten, 136);
}

Test(visibility, a_period_counts_anew)
{
        syn("10.0.0.1", "198.51.100.1", 5000, false, true);
        counters.value[PT_COUNT_HOLD_EVICTED] = 7;
        cr_expect_eq(pt_visibility_since(visibility, PT_COUNT_HOLD_EVICTED), 7);
        pt_visibility_begin(visibility);
        cr_expect_eq(pt_visibility_since(visibility, PT_COUNT_HOLD_EVICTED), 0);
        pt_visibility_report(visibility, &report);
        cr_expect_eq(report.clients + report.sum.syns + report.forgotten, 0);
        cr_expect_eq(report.until, 0);
}

/* ---- by packets ---- */

static struct bed bed;

Test(visibility, what_the_engine_shows_it)
{
        struct pt_visibility *of;

        bed_init(&bed);
        bed_begin(&bed);
        of = pt_engine_visibility(bed.engine);
        bed_ask(&bed, 0, "10.0.0.1", "a.example", "198.51.100.23");
        bed_answer(&bed, 0, "10.0.0.1", "b.example", "198.51.100.24");
        bed_ask(&bed, 0, "10.0.0.3", "dns.google", "8.8.8.8");
        bed_syn(&bed, 1, "10.0.0.1", "198.51.100.23", 5000); /* preceded */
        bed_syn(&bed, 1, "10.0.0.1", "198.51.100.99", 5000); /* not */
        bed_tcp(&bed, 2, "10.0.0.2", 40000, "198.51.100.99", 5000, 1, PT_TCP_SYN);
        bed_tcp(&bed, 3, "10.0.0.2", 40000, "198.51.100.99", 5000, 1, PT_TCP_SYN); /* a copy */
        bed_syn(&bed, 4, "10.0.0.2", "192.0.2.7", 853);
        bed_syn(&bed, 5, "203.0.113.1", "198.51.100.7", 5000); /* not inside */
        bed_quic(&bed, 6, "10.0.0.3", "8.8.8.8", 443, BED_QUIC_LONG, 5);
        bed_finish(&bed);
        pt_visibility_report(of, &report);
        cr_expect_eq(report.clients, 3);
        cr_expect_eq(report.sum.syns, 4);
        cr_expect_eq(report.sum.eligible, bed_count(&bed, PT_COUNT_SYN_ELIGIBLE));
        cr_expect_eq(report.sum.preceded, bed_count(&bed, PT_COUNT_SYN_PRECEDED));
        cr_expect_eq(report.sum.eligible, 3);
        cr_expect_eq(report.sum.preceded, 1);
        cr_expect_eq(report.sum.answers, 3);
        cr_expect_eq(report.sum.unasked, 1);
        cr_expect_eq(report.sum.dot, 1);
        cr_expect_eq(report.sum.doh, 1);
        cr_expect_eq(report.sum.names, 1);
        cr_expect_eq(report.silent, 1);
        cr_expect_eq(report.encrypted, 2);
        cr_expect_eq(report.from, BED_START);
        cr_expect_eq(report.until, bed_time(6));
        bed_end(&bed);
}
