#include "rule/allow.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

static void add(struct pt_allow_builder *builder, enum pt_allow_list list, const char *file,
                const char *text)
{
        struct pt_rule_error error = {0};

        cr_assert_eq(pt_allow_add(builder, list, file, text, strlen(text), &error), 0,
                     "%s:%u:%u %s", error.file, error.line, error.column, error.sentence);
}

/* A set of up to one text for each list; NULL for none. */
static struct pt_allow *make(const char *const texts[PT_ALLOW_LISTS], const struct pt_allow *before)
{
        struct pt_allow_builder *builder;
        struct pt_allow *allow;

        cr_assert_eq(pt_allow_builder_new(&builder), 0);
        for (unsigned list = 0; list < PT_ALLOW_LISTS; list++)
                if (texts[list])
                        add(builder, (enum pt_allow_list)list, "list", texts[list]);
        cr_assert_eq(pt_allow_finish(builder, before, &allow), 0);
        pt_allow_builder_free(builder);
        return allow;
}

static struct pt_address address(const char *text)
{
        struct pt_address a;

        cr_assert_eq(pt_address_parse(text, &a), 0, "%s", text);
        return a;
}

static const char *who(const struct pt_allow *allow, const char *client, const char *destination,
                       uint16_t port)
{
        struct pt_address c = address(client), d = address(destination);
        struct pt_allow_entry *entry = pt_allow_connection(allow, &c, &d, &d, port);

        return entry ? entry->text : "-";
}

/* "www.example.net" as on the wire. */
static struct pt_dns_name name(const char *text)
{
        struct pt_dns_name n = {0};

        while (*text) {
                size_t length = strcspn(text, ".");

                n.wire[n.length++] = (uint8_t)length;
                memcpy(n.wire + n.length, text, length);
                n.length = (uint8_t)(n.length + length);
                text += length + (text[length] == '.');
        }
        n.wire[n.length++] = 0;
        return n;
}

static const char *named(const struct pt_allow *allow, const char *text)
{
        struct pt_dns_name n = name(text);
        struct pt_allow_entry *entry = pt_allow_name(allow, &n);

        return entry ? entry->text : "-";
}

Test(allow, the_longest_network_has_an_address)
{
        const char *const texts[PT_ALLOW_LISTS] = {
                [PT_ALLOW_CLIENTS] = "10.0.0.0/8\n10.1.0.0/16 # branch\n10.1.2.3\n"
                                     "2001:db8::/33\n::/0\n"};
        struct pt_allow *allow = make(texts, NULL);

        cr_expect_str_eq(who(allow, "10.1.2.3", "192.0.2.1", 1), "10.1.2.3");
        cr_expect_str_eq(who(allow, "10.1.2.4", "192.0.2.1", 1), "10.1.0.0/16");
        cr_expect_str_eq(who(allow, "10.255.2.3", "192.0.2.1", 1), "10.0.0.0/8");
        cr_expect_str_eq(who(allow, "2001:db8:7fff::1", "192.0.2.1", 1), "2001:db8::/33");
        cr_expect_str_eq(who(allow, "2001:db8:8000::1", "192.0.2.1", 1), "::/0");
        cr_expect_str_eq(who(allow, "11.0.0.1", "10.1.2.3", 1), "-", "::/0 is IPv6 only");
        pt_allow_free(allow);
}

Test(allow, every_ipv4_address_is_0_of_0)
{
        const char *const texts[PT_ALLOW_LISTS] = {[PT_ALLOW_DESTINATIONS] = "0.0.0.0/0"};
        struct pt_allow *allow = make(texts, NULL);

        cr_expect_str_eq(who(allow, "10.0.0.1", "192.0.2.1", 1), "0.0.0.0/0");
        cr_expect_str_eq(who(allow, "192.0.2.1", "2001:db8::1", 1), "-");
        pt_allow_free(allow);
}

/* 64:ff9b::198.51.100.23 is looked up as 198.51.100.23: either way to write it is meant. */
Test(allow, a_destination_behind_nat64_is_found_by_both_addresses)
{
        const char *const texts[PT_ALLOW_LISTS] = {[PT_ALLOW_DESTINATIONS] =
                                                           "198.51.100.23\n64:ff9b::c000:0201"};
        struct pt_allow *allow = make(texts, NULL);
        struct pt_address client = address("10.0.0.1"), wire = address("64:ff9b::198.51.100.23");
        struct pt_address key = address("198.51.100.23");

        cr_expect_not_null(pt_allow_connection(allow, &client, &wire, &key, 1));
        wire = address("64:ff9b::192.0.2.1");
        key = address("192.0.2.1");
        cr_expect_not_null(pt_allow_connection(allow, &client, &wire, &key, 1));
        pt_allow_free(allow);
}

/* x is x alone, *.x is what is below it: as in certificates and zone files. */
Test(allow, names_are_themselves_or_all_below)
{
        const char *const texts[PT_ALLOW_LISTS] = {[PT_ALLOW_NAMES] =
                                                           "example.net\n*.cdn.example.org\n*.com"};
        struct pt_allow *allow = make(texts, NULL);

        cr_expect_str_eq(named(allow, "example.net"), "example.net");
        cr_expect_str_eq(named(allow, "EXAMPLE.net"), "example.net");
        cr_expect_str_eq(named(allow, "www.example.net"), "-");
        cr_expect_str_eq(named(allow, "badexample.net"), "-");
        cr_expect_str_eq(named(allow, "cdn.example.org"), "-");
        cr_expect_str_eq(named(allow, "a.cdn.example.org"), "*.cdn.example.org");
        cr_expect_str_eq(named(allow, "a.b.CDN.example.org"), "*.cdn.example.org");
        cr_expect_str_eq(named(allow, "acdn.example.org"), "-");
        cr_expect_str_eq(named(allow, "x.y.com"), "*.com");
        cr_expect_str_eq(named(allow, "com"), "-");
        cr_expect_str_eq(named(allow, ""), "-", "the root");
        pt_allow_free(allow);
}

Test(allow, the_narrowest_range_has_a_port)
{
        const char *const texts[PT_ALLOW_LISTS] = {
                [PT_ALLOW_PORTS] = "5000-5020\n5010\n0-65535\n5015-5030\n65535"};
        struct pt_allow *allow = make(texts, NULL);

        cr_expect_str_eq(who(allow, "10.0.0.1", "192.0.2.1", 5010), "5010");
        cr_expect_str_eq(who(allow, "10.0.0.1", "192.0.2.1", 5009), "5000-5020");
        cr_expect_str_eq(who(allow, "10.0.0.1", "192.0.2.1", 5016), "5015-5030");
        cr_expect_str_eq(who(allow, "10.0.0.1", "192.0.2.1", 5030), "5015-5030");
        cr_expect_str_eq(who(allow, "10.0.0.1", "192.0.2.1", 5031), "0-65535");
        cr_expect_str_eq(who(allow, "10.0.0.1", "192.0.2.1", 0), "0-65535");
        cr_expect_str_eq(who(allow, "10.0.0.1", "192.0.2.1", 65535), "65535");
        pt_allow_free(allow);
}

Test(allow, lists_do_not_mix_and_none_allows_nothing)
{
        const char *const texts[PT_ALLOW_LISTS] = {
                [PT_ALLOW_CLIENTS] = "192.0.2.1", [PT_ALLOW_DESTINATIONS] = "192.0.2.2"};
        struct pt_allow *allow = make(texts, NULL);

        cr_expect_str_eq(who(allow, "192.0.2.2", "192.0.2.1", 1), "-");
        cr_expect_str_eq(who(NULL, "192.0.2.2", "192.0.2.1", 1), "-");
        cr_expect_str_eq(named(allow, "example.net"), "-");
        cr_expect_str_eq(named(NULL, "example.net"), "-");
        pt_allow_free(allow);
}

Test(allow, the_first_of_two_equal_lines_is_the_entry)
{
        struct pt_allow_builder *builder;
        struct pt_allow_entry entry;
        struct pt_allow *allow;

        cr_assert_eq(pt_allow_builder_new(&builder), 0);
        add(builder, PT_ALLOW_NAMES, "b", "\n\nExample.net\nexample.net");
        add(builder, PT_ALLOW_NAMES, "a",
            "\xef\xbb\xbf"
            "example.net.\n");
        cr_assert_eq(pt_allow_finish(builder, NULL, &allow), 0);
        pt_allow_builder_free(builder);
        cr_assert(pt_allow_entry(allow, 0, &entry));
        cr_expect_str_eq(entry.file, "b");
        cr_expect_eq(entry.line, 3);
        cr_expect_not(pt_allow_entry(allow, 1, &entry));
        pt_allow_free(allow);
}

Test(allow, a_bad_line_leaves_the_builder_as_it_was)
{
        static const char bad[] = "192.0.2.1\n\n  nonsense\n192.0.2.2\n";
        struct pt_rule_error error = {0};
        struct pt_allow_builder *builder;
        struct pt_allow_entry entry;
        struct pt_allow *allow;

        cr_assert_eq(pt_allow_builder_new(&builder), 0);
        add(builder, PT_ALLOW_CLIENTS, "good", "198.51.100.1");
        cr_assert_eq(pt_allow_add(builder, PT_ALLOW_CLIENTS, "bad", bad, strlen(bad), &error),
                     -EINVAL);
        cr_expect_str_eq(error.file, "bad");
        cr_expect_eq(error.line, 3);
        cr_expect_eq(error.column, 3);
        cr_assert_eq(pt_allow_finish(builder, NULL, &allow), 0);
        pt_allow_builder_free(builder);
        cr_assert(pt_allow_entry(allow, 0, &entry));
        cr_expect_str_eq(entry.text, "198.51.100.1");
        cr_expect_not(pt_allow_entry(allow, 1, &entry));
        pt_allow_free(allow);
}

Test(allow, counts_go_on_in_the_next_set)
{
        const char *const texts[PT_ALLOW_LISTS] = {
                [PT_ALLOW_CLIENTS] = "10.0.0.1\n10.0.0.2", [PT_ALLOW_NAMES] = "a\n*.a"};
        const char *const later[PT_ALLOW_LISTS] = {
                [PT_ALLOW_CLIENTS] = "10.0.0.0\n10.0.0.2", [PT_ALLOW_NAMES] = "*.a\nb"};
        struct pt_allow *before = make(texts, NULL), *after;
        struct pt_address two = address("10.0.0.2"), other = address("192.0.2.1");
        struct pt_dns_name below = name("x.a");
        struct pt_allow_entry most[2];
        size_t used, entries;

        pt_allow_connection(before, &two, &other, &other, 1)->matches = 7;
        pt_allow_name(before, &below)->matches = 3;
        after = make(later, before);
        pt_allow_free(before);
        cr_assert_eq(pt_allow_most(after, most, 2, &used, &entries), 2);
        cr_expect_eq(used, 2);
        cr_expect_eq(entries, 4);
        cr_expect_str_eq(most[0].text, "10.0.0.2");
        cr_expect_eq(most[0].matches, 7);
        cr_expect_str_eq(most[1].text, "*.a");
        pt_allow_free(after);
}

Test(allow, the_busiest_come_first_and_no_more_than_there_is_room_for)
{
        const char *const texts[PT_ALLOW_LISTS] = {[PT_ALLOW_PORTS] = "1\n2\n3\n4\n5"};
        struct pt_allow *allow = make(texts, NULL);
        struct pt_address a = address("192.0.2.1");
        static const uint64_t matches[] = {0, 5, 2, 9, 0, 5};
        struct pt_allow_entry most[3];
        size_t used, entries;

        for (uint16_t port = 1; port <= 5; port++)
                pt_allow_connection(allow, &a, &a, &a, port)->matches = matches[port];
        cr_assert_eq(pt_allow_most(allow, most, 3, &used, &entries), 3);
        cr_expect_eq(used, 4);
        cr_expect_str_eq(most[0].text, "3");
        cr_expect_str_eq(most[1].text, "1");
        cr_expect_str_eq(most[2].text, "5");
        pt_allow_free(allow);
}

Test(allow, a_hundred_thousand_entries_are_found)
{
        struct pt_allow *allow;
        char *text, line[64];
        size_t length;
        FILE *file = open_memstream(&text, &length);
        const char *texts[PT_ALLOW_LISTS] = {NULL};

        for (unsigned i = 0; i < 100000; i++)
                fprintf(file, "h%u.example.net\n", (i * 7919u) % 100000u);
        fclose(file);
        texts[PT_ALLOW_NAMES] = text;
        allow = make(texts, NULL);
        for (unsigned i = 0; i < 100000; i++) {
                snprintf(line, sizeof line, "h%u.example.net", i);
                cr_assert_str_eq(named(allow, line), line);
        }
        cr_expect_str_eq(named(allow, "h100000.example.net"), "-");
        pt_allow_free(allow);
        free(text);
}
