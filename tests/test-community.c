#include "document/community.h"

#include <criterion/criterion.h>

struct row {
        uint8_t protocol;
        const char *source;
        const char *destination;
        uint16_t source_port;
        uint16_t destination_port;
        const char *id;
};

static const char *id_of(const struct row *row, char text[PT_COMMUNITY_TEXT])
{
        struct pt_flow flow = {
                .source_port = row->source_port,
                .destination_port = row->destination_port,
                .protocol = row->protocol,
                .ipv6 = strchr(row->source, ':') != NULL,
        };

        cr_assert_eq(pt_address_parse(row->source, &flow.source), 0);
        cr_assert_eq(pt_address_parse(row->destination, &flow.destination), 0);
        return pt_community_id(&flow, text);
}

/* baseline/baseline_deflt.json of github.com/corelight/community-id-spec: its TCP and UDP rows. */
static const struct row published[] = {
        {6, "2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", 63943, 25,
         "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
        {6, "2607:f8b0:400c:c03::1a", "2001:470:e5bf:dead:4957:2174:e82c:4887", 25, 63943,
         "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
        {6, "128.232.110.120", "66.35.250.204", 34855, 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
        {6, "66.35.250.204", "128.232.110.120", 80, 34855, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
        {17, "192.168.1.52", "8.8.8.8", 54585, 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
        {17, "8.8.8.8", "192.168.1.52", 53, 54585, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
        /* Zeek's own test of community_id_v1() */
        {6, "1.2.3.4", "5.6.7.8", 1122, 3344, "1:wCb3OG7yAFWelaUydu0D+125CLM="},
        {17, "1.2.3.4", "5.6.7.8", 1122, 3344, "1:0Mu9InQx6z4ZiCZM/7HXi2WMhOg="},
};

Test(community, published_values_in_both_directions)
{
        char text[PT_COMMUNITY_TEXT];

        for (size_t i = 0; i < sizeof published / sizeof *published; i++)
                cr_expect_str_eq(id_of(&published[i], text), published[i].id, "row %zu", i);
}

Test(community, ports_decide_where_the_addresses_are_equal)
{
        /* By hashlib.sha1 over 0000 0a000001 0a000001 06 00 0007 0009. */
        static const struct row forward = {6, "10.0.0.1", "10.0.0.1",
                                           7, 9,          "1:yAMmDgGqTzZkcHlvcebDnAjHIEI="};
        static const struct row back = {6, "10.0.0.1", "10.0.0.1",
                                        9, 7,          "1:yAMmDgGqTzZkcHlvcebDnAjHIEI="};
        char text[PT_COMMUNITY_TEXT];

        cr_expect_str_eq(id_of(&forward, text), forward.id);
        cr_expect_str_eq(id_of(&back, text), back.id);
}

/* The packet's own header decides, not the form of the address. */
Test(community, a_mapped_address_in_an_ipv6_header_is_16_octets)
{
        /* By hashlib.sha1 over 0000, ::ffff:1.2.3.4, ::ffff:5.6.7.8, 06 00 0462 0d10. */
        struct pt_flow flow = {
                .source_port = 1122, .destination_port = 3344, .protocol = 6, .ipv6 = true};
        char text[PT_COMMUNITY_TEXT];

        cr_assert_eq(pt_address_parse("::ffff:1.2.3.4", &flow.source), 0);
        cr_assert_eq(pt_address_parse("::ffff:5.6.7.8", &flow.destination), 0);
        cr_expect_str_eq(pt_community_id(&flow, text), "1:kjswHTeq4x3jM5Ivt9H7/BGXhOY=");
}
