#include "memory/hosts.h"

#include "given.h"

#include <criterion/criterion.h>

/* What people are shown of a resolution and its answer. */

#define CLIENT "10.0.0.1"
#define A "198.51.100.23"

static struct given_hosts g;
static struct pt_evidence evidence;

static void make_hosts(void)
{
        given_init(&g, 1 << 18);
}

static void free_hosts(void)
{
        pt_hosts_free(g.hosts);
}

TestSuite(evidence, .init = make_hosts, .fini = free_hosts);

static void look(double seconds, const char *address)
{
        uint32_t link = given(&g, seconds, CLIENT, address);

        cr_assert(link);
        pt_hosts_evidence(g.hosts, link, &evidence);
}

static const char *address_text(const struct pt_address *address)
{
        static char text[PT_ADDRESS_TEXT];

        return pt_address_format(address, text);
}

static const char *names_text(const struct pt_dns_name *names, size_t count)
{
        static char text[8192];
        char name[PT_DNS_NAME_TEXT];

        text[0] = '\0';
        for (size_t i = 0; i < count; i++) {
                pt_dns_name_format(&names[i], name);
                snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "",
                         name);
        }
        return text;
}

static const char *addresses_text(void)
{
        static char text[4096];

        text[0] = '\0';
        for (size_t i = 0; i < evidence.address_count; i++)
                snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s/%u", i ? " " : "",
                         address_text(&evidence.addresses[i]), evidence.ttls[i]);
        return text;
}

Test(evidence, all_that_was_said_about_the_answer_comes_back)
{
        struct pt_given given = given_to(&g, 10, CLIENT, true);

        given.wall = 12345;
        given.number = 77;
        given.file = 3;
        given.id = 0xbeef;
        given_full(&g, &given, "www.example", A "/300");
        look(11, A);
        cr_expect_str_eq(address_text(&evidence.client), CLIENT);
        cr_expect_str_eq(address_text(&evidence.address), A);
        cr_expect_str_eq(address_text(&evidence.resolver), "192.0.2.53");
        cr_expect_eq(evidence.ttl, 300);
        cr_expect_eq(evidence.time, at(10));
        cr_expect_eq(evidence.wall, 12345);
        cr_expect_eq(evidence.number, 77);
        cr_expect_eq(evidence.file, 3);
        cr_expect_eq(evidence.id, 0xbeef);
        cr_expect_eq(evidence.flags, 0x8180);
        cr_expect_eq(evidence.question_type, PT_DNS_A);
        cr_expect(evidence.asked);
        cr_expect_str_eq(names_text(evidence.chain, evidence.chain_count), "www.example");
        cr_expect_str_eq(addresses_text(), A "/300");
}

Test(evidence, the_chain_leads_from_the_question_to_the_owner)
{
        give(&g, 0, CLIENT, "www.example", "=cdn.example =edge.example " A " 203.0.113.9/5");
        look(1, A);
        cr_expect_str_eq(names_text(evidence.chain, evidence.chain_count),
                         "www.example cdn.example edge.example");
        cr_expect_str_eq(addresses_text(), A "/60 203.0.113.9/5");
        cr_expect_not(evidence.asked);
}

Test(evidence, addresses_of_another_owner_are_not_of_this_resolution)
{
        give(&g, 0, CLIENT, "www.example", A " =cdn.example 203.0.113.9");
        look(1, A);
        cr_expect_str_eq(addresses_text(), A "/60");
        cr_expect_eq(evidence.chain_count, 1);
        look(1, "203.0.113.9");
        cr_expect_str_eq(addresses_text(), "203.0.113.9/60");
        cr_expect_str_eq(names_text(evidence.chain, evidence.chain_count),
                         "www.example cdn.example");
}

/* 17 names after the question: the first 14 of them and the owner are kept. */
/* What the records do not say is not told as CNAME records. */
Test(evidence, a_chain_that_the_records_do_not_make_is_broken)
{
        give(&g, 0, CLIENT, "a.example", "=cdn.example " A);
        look(1, A);
        cr_expect_not(evidence.chain_broken);
        give(&g, 2, CLIENT, "a.example", "@other.example 192.0.2.1");
        look(3, "192.0.2.1");
        cr_expect(evidence.chain_broken);
        cr_expect_str_eq(names_text(evidence.chain, evidence.chain_count),
                         "a.example other.example");
}

Test(evidence, a_chain_that_is_too_long_keeps_its_beginning_and_the_owner)
{
        char records[512] = "";

        for (int i = 1; i <= 17; i++)
                snprintf(records + strlen(records), sizeof records - strlen(records), "=n%d ", i);
        strcat(records, A);
        give(&g, 0, CLIENT, "n0", records);
        look(1, A);
        cr_expect_str_eq(names_text(evidence.chain, evidence.chain_count),
                         "n0 n1 n2 n3 n4 n5 n6 n7 n8 n9 n10 n11 n12 n13 n14 n17");
}

Test(evidence, the_names_that_gave_the_address_are_shown_newest_first_and_once)
{
        give(&g, 0, CLIENT, "a.example", A);
        give(&g, 1, CLIENT, "b.example", A);
        give(&g, 2, "10.0.0.2", "other.example", A);
        give(&g, 3, CLIENT, "A.EXAMPLE", A);
        give(&g, 4, CLIENT, "c.example", "203.0.113.9");
        look(5, A);
        cr_expect_str_eq(names_text(evidence.names, evidence.name_count), "A.EXAMPLE b.example");
}

Test(evidence, no_more_is_shown_than_there_is_room_for)
{
        char records[2048] = "", question[32];

        for (int i = 0; i < 100; i++)
                snprintf(records + strlen(records), sizeof records - strlen(records),
                         "198.51.100.%d ", i);
        for (int i = 0; i < 20; i++) {
                snprintf(question, sizeof question, "n%d.example", i);
                give(&g, i, CLIENT, question, records);
        }
        look(30, A);
        cr_expect_eq(evidence.address_count, PT_EVIDENCE_ADDRESSES);
        cr_expect_eq(evidence.name_count, PT_EVIDENCE_NAMES);
        cr_expect_str_eq(names_text(evidence.names, 2), "n19.example n18.example");
}

/* Design 3: the arithmetic takes the IPv4 address; people are shown what the record said. */
Test(evidence, an_embedded_address_is_shown_as_it_stood_in_the_record)
{
        give(&g, 0, CLIENT, "a.example", "64:ff9b::198.51.100.23 2001:db8::1");
        look(1, A);
        cr_expect_str_eq(address_text(&evidence.address), "64:ff9b::c633:6417");
        cr_expect_str_eq(addresses_text(), "64:ff9b::c633:6417/60 2001:db8::1/60");
}

Test(evidence, the_longest_name_and_the_root_come_back)
{
        char text[256];

        give(&g, 0, CLIENT, make_long_name(255, 1, text), A);
        look(1, A);
        cr_expect_str_eq(names_text(evidence.chain, 1), text);
        give(&g, 2, CLIENT, ".", A);
        look(3, A);
        cr_expect_str_eq(names_text(evidence.chain, 1), ".");
}
