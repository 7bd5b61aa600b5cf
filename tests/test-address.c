#include "base/address.h"

#include "page.h"

#include <criterion/criterion.h>
#include <errno.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

static struct pt_address address(const char *text)
{
        struct pt_address a;

        cr_assert_eq(pt_address_parse(text, &a), 0, "%s", text);
        return a;
}

/* RFC 5952 writes the text, RFC 4291 section 2.2 reads it. */
Test(address, text_becomes_octets_and_text_again)
{
        static const struct {
                const char *text;
                const char *octets;
                const char *again; /* NULL: the same */
                const char *reason;
        } rows[] = {
                {"198.51.100.23", "00*10 ffff c6336417", NULL, "held mapped, written as IPv4"},
                {"0.0.0.0", "00*10 ffff 00000000", NULL, "lowest"},
                {"255.255.255.255", "00*10 ffff ffffffff", NULL, "highest"},
                {"::ffff:198.51.100.23", "00*10 ffff c6336417", "198.51.100.23",
                 "a mapped address is the IPv4 address it names"},
                {"::ffff:c633:6417", "00*10 ffff c6336417", "198.51.100.23", "in any notation"},
                {"::", "00*16", NULL, "all zeros"},
                {"::1", "00*15 01", NULL, "loopback"},
                {"2001:DB8::a", "20010db8 00*11 0a", "2001:db8::a", "written in small letters"},
                {"2001:db8:0:0:1:0:0:1", "20010db8 00*4 0001 0000 0000 0001", "2001:db8::1:0:0:1",
                 "the first of two equal runs of zeros is shortened"},
                {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ff*16", NULL, "longest"},
                {"64:ff9b::c633:6417", "0064ff9b 00*8 c6336417", NULL, "NAT64 stays IPv6 here"},
                {"0:0:0:0:0:fffe:102:304", "00*10 fffe 01020304", "::fffe:102:304",
                 "one bit beside mapped"},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                const char *again = rows[i].again ? rows[i].again : rows[i].text;
                struct pt_address a = address(rows[i].text);
                char text[PT_ADDRESS_TEXT];
                uint8_t octets[16];

                cr_assert_eq(hex_read(rows[i].octets, octets, 16), 16);
                cr_expect_arr_eq(a.octets, octets, 16, "%s", rows[i].reason);
                cr_expect_eq(pt_address_format(&a, text), text);
                cr_expect_str_eq(text, again, "%s", rows[i].reason);
        }
}

Test(address, what_is_no_address_is_refused)
{
        static const char *const rows[] = {
                "",
                " ",
                "1",
                "1.2.3",
                "1.2.3.4.5",
                "1.2.3.256",
                "1.2.3.04",
                "1.2.3.4 ",
                " 1.2.3.4",
                "0x1.2.3.4",
                "1.2.3.-4",
                "1..2.3",
                ":",
                ":::",
                "1::2::3",
                "12345::",
                "::g",
                "::1.2.3",
                "1:2:3:4:5",
                "::1%eth0",
                "[::1]",
                "1.2.3.4/32",
                "localhost",
                "1.2.3.4:80",
                "1:2:3:4:5:6:7:8:9",
                "::1.2.3.256",
        };
        struct pt_address untouched = address("192.0.2.1");

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_address a = untouched;

                cr_expect_eq(pt_address_parse(rows[i], &a), -EINVAL, "\"%s\"", rows[i]);
                cr_expect(pt_address_equal(&a, &untouched), "\"%s\"", rows[i]);
        }
}

Test(address, octets_of_both_families_are_taken_as_they_stand)
{
        size_t length;
        const uint8_t *bytes = page_hex("c6336417", &length);
        struct pt_address a = pt_address_from_bytes4(bytes);
        struct pt_address b = pt_address_from_ipv4(0xc6336417);
        struct pt_address expected = address("198.51.100.23");

        cr_expect(pt_address_equal(&a, &expected));
        cr_expect(pt_address_equal(&b, &expected));
        cr_expect(pt_address_is_ipv4(&a));
        cr_expect_eq(pt_address_low32(&a), 0xc6336417);

        a = pt_address_from_bytes16(page_hex("20010db8 00*8 fedcba98", &length));
        expected = address("2001:db8::fedc:ba98");
        cr_expect(pt_address_equal(&a, &expected));
        cr_expect_not(pt_address_is_ipv4(&a));
        cr_expect_eq(pt_address_low32(&a), 0xfedcba98);
}

Test(address, addresses_that_differ_in_one_octet_are_not_equal)
{
        struct pt_address a = address("2001:db8::1");

        for (size_t i = 0; i < sizeof a.octets; i++) {
                struct pt_address b = a;

                b.octets[i] ^= 0x10;
                cr_expect_not(pt_address_equal(&a, &b), "octet %zu", i);
        }
}

Test(address, prefixes_are_read_in_the_family_they_are_written_in)
{
        static const struct {
                const char *text;
                const char *address;
                unsigned bits;
        } rows[] = {
                {"10.0.0.0/8", "10.0.0.0", 104},
                {"0.0.0.0/0", "0.0.0.0", 96},
                {"198.51.100.23/32", "198.51.100.23", 128},
                {"198.51.100.23", "198.51.100.23", 128},
                {"198.51.100.22/31", "198.51.100.22", 127},
                {"fc00::/7", "fc00::", 7},
                {"::/0", "::", 0},
                {"2001:db8::1", "2001:db8::1", 128},
                {"64:ff9b::/96", "64:ff9b::", 96},
                {"::ffff:0:0/96", "0.0.0.0", 96},
                {"::ffff:10.0.0.0/104", "10.0.0.0", 104},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_address expected = address(rows[i].address);
                struct pt_prefix p;

                cr_assert_eq(pt_prefix_parse(rows[i].text, &p), 0, "%s", rows[i].text);
                cr_expect(pt_address_equal(&p.address, &expected), "%s", rows[i].text);
                cr_expect_eq(p.bits, rows[i].bits, "%s", rows[i].text);
        }
}

Test(address, what_is_no_prefix_is_refused)
{
        static const struct {
                const char *text;
                const char *reason;
        } rows[] = {
                {"10.0.0.1/8", "host bits are set: a slip, or a misunderstanding"},
                {"198.51.100.23/31", "the last bit is one"},
                {"fc00::1/7", "host bits"},
                {"fd00::/7", "a bit inside the octet"},
                {"10.0.0.0/33", "longer than an IPv4 address"},
                {"fc00::/129", "longer than an IPv6 address"},
                {"10.0.0.0/", "no length"},
                {"/8", "no address"},
                {"", "nothing"},
                {"10.0.0.0/-8", "a sign"},
                {"10.0.0.0/+8", "a sign"},
                {"10.0.0.0/ 8", "a space"},
                {"10.0.0.0/8 ", "a space behind"},
                {"10.0.0.0/08", "a leading zero: octal to some"},
                {"10.0.0.0/8/8", "two lengths"},
                {"10.0.0.0/0x8", "not decimal"},
                {"10.0.0.0/4294967304", "2^32 + 8"},
                {"10.0.0.0/255.0.0.0", "a mask"},
                {"10/8", "inet_pton(3) wants four octets"},
                {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255.255.255/8", "too long to be one"},
                {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555/8", "by one octet"},
        };
        struct pt_prefix untouched = {.address = address("192.0.2.1"), .bits = 128};

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_prefix p = untouched;

                cr_expect_eq(pt_prefix_parse(rows[i].text, &p), -EINVAL, "\"%s\": %s", rows[i].text,
                             rows[i].reason);
                cr_expect(p.bits == 128 && pt_address_equal(&p.address, &untouched.address));
        }
}

Test(address, a_prefix_contains_from_its_first_to_its_last_address)
{
        static const struct {
                const char *prefix;
                const char *address;
                bool contains;
                const char *reason;
        } rows[] = {
                {"10.0.0.0/8", "10.0.0.0", true, "first"},
                {"10.0.0.0/8", "10.255.255.255", true, "last"},
                {"10.0.0.0/8", "9.255.255.255", false, "one before"},
                {"10.0.0.0/8", "11.0.0.0", false, "one behind"},
                {"172.16.0.0/12", "172.31.255.255", true, "a length inside an octet, last"},
                {"172.16.0.0/12", "172.32.0.0", false, "one behind"},
                {"172.16.0.0/12", "172.15.255.255", false, "one before"},
                {"192.0.2.1", "192.0.2.1", true, "an address alone"},
                {"192.0.2.1", "192.0.2.0", false, "an address alone"},
                {"128.0.0.0/1", "128.0.0.1", true, "one bit"},
                {"128.0.0.0/1", "127.255.255.255", false, "one bit"},
                {"0.0.0.0/0", "203.0.113.9", true, "every IPv4 address"},
                {"0.0.0.0/0", "2001:db8::1", false, "and no IPv6 address"},
                {"::/0", "2001:db8::1", true, "every IPv6 address"},
                {"::/0", "203.0.113.9", false, "and no IPv4 address, though held mapped"},
                {"::/80", "203.0.113.9", false, "the zeros before ffff are not its own"},
                {"fc00::/7", "fdff:ffff::1", true, "ULA"},
                {"fc00::/7", "fe00::", false, "one behind"},
                {"fe80::/10", "febf:ffff::1", true, "link-local, last"},
                {"fe80::/10", "fec0::", false, "one behind"},
                {"64:ff9b::/96", "64:ff9b::c633:6417", true, "NAT64"},
                {"2001:db8::/127", "2001:db8::1", true, "last bit free"},
                {"2001:db8::/127", "2001:db8::2", false, "last bit but one not"},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_address a = address(rows[i].address);
                struct pt_prefix p;

                cr_assert_eq(pt_prefix_parse(rows[i].prefix, &p), 0, "%s", rows[i].prefix);
                cr_expect_eq(pt_prefix_contains(&p, &a), rows[i].contains, "%s in %s: %s",
                             rows[i].address, rows[i].prefix, rows[i].reason);
        }
}

Test(address, the_first_prefix_of_a_list_that_fits_is_found)
{
        struct pt_prefix list[3];
        struct pt_prefixes prefixes = {list, 3};
        struct pt_prefixes none = {NULL, 0};
        struct pt_address a = address("10.1.2.3");
        struct pt_address b = address("10.2.2.3");
        struct pt_address c = address("11.0.0.1");
        struct pt_address d = address("2001:db8::1");

        cr_assert_eq(pt_prefix_parse("2001:db8::/32", &list[0]), 0);
        cr_assert_eq(pt_prefix_parse("10.1.0.0/16", &list[1]), 0);
        cr_assert_eq(pt_prefix_parse("10.0.0.0/8", &list[2]), 0);
        cr_expect_eq(pt_prefixes_find(&prefixes, &d), 0);
        cr_expect_eq(pt_prefixes_find(&prefixes, &a), 1);
        cr_expect_eq(pt_prefixes_find(&prefixes, &b), 2);
        cr_expect_eq(pt_prefixes_find(&prefixes, &c), -1);
        cr_expect(pt_prefixes_contain(&prefixes, &a));
        cr_expect_not(pt_prefixes_contain(&prefixes, &c));
        cr_expect_not(pt_prefixes_contain(&none, &a));
}

/* Private: design section 3. Local: design 4.4. Group: no host that anybody connects to. */
Test(address, addresses_are_sorted_at_the_edges_of_their_networks)
{
        enum {
                PRIVATE = 1,
                LOCAL = 2,
                GROUP = 4,
        };
        static const struct {
                const char *address;
                int is;
                const char *reason;
        } rows[] = {
                {"9.255.255.255", 0, "before 10/8"},
                {"10.0.0.0", PRIVATE | LOCAL, "RFC 1918, first"},
                {"10.255.255.255", PRIVATE | LOCAL, "last"},
                {"11.0.0.0", 0, "behind 10/8"},
                {"126.255.255.255", 0, "before 127/8"},
                {"127.0.0.1", PRIVATE, "loopback is no client of a network"},
                {"127.255.255.255", PRIVATE, "all of 127/8"},
                {"128.0.0.0", 0, "behind 127/8"},
                {"169.253.255.255", 0, "before 169.254/16"},
                {"169.254.0.0", PRIVATE | LOCAL, "RFC 3927, first"},
                {"169.254.255.255", PRIVATE | LOCAL, "last"},
                {"169.255.0.0", 0, "behind"},
                {"172.15.255.255", 0, "before 172.16/12"},
                {"172.16.0.0", PRIVATE | LOCAL, "RFC 1918, first"},
                {"172.31.255.255", PRIVATE | LOCAL, "last"},
                {"172.32.0.0", 0, "behind"},
                {"192.167.255.255", 0, "before 192.168/16"},
                {"192.168.0.0", PRIVATE | LOCAL, "RFC 1918, first"},
                {"192.168.255.255", PRIVATE | LOCAL, "last"},
                {"192.169.0.0", 0, "behind"},
                {"100.64.0.1", 0, "RFC 6598 is not on the query's list, nor among its defaults"},
                {"0.0.0.0", GROUP, "unspecified"},
                {"0.0.0.1", 0, "the rest of 0/8 is only odd"},
                {"223.255.255.255", 0, "before 224/4"},
                {"224.0.0.0", GROUP, "multicast, first"},
                {"239.255.255.255", GROUP, "last"},
                {"240.0.0.0", 0, "reserved"},
                {"255.255.255.254", 0, "before the broadcast"},
                {"255.255.255.255", GROUP, "limited broadcast"},
                {"::", GROUP, "unspecified"},
                {"::1", 0, "loopback"},
                {"fbff:ffff::", 0, "before fc00::/7"},
                {"fc00::", LOCAL, "RFC 4193, first"},
                {"fdff:ffff::1", LOCAL, "the half that is used"},
                {"fe00::", 0, "behind"},
                {"fe7f:ffff::", 0, "before fe80::/10"},
                {"fe80::1", LOCAL, "RFC 4291 section 2.5.6"},
                {"febf:ffff::1", LOCAL, "last"},
                {"fec0::1", 0, "site-local, given up by RFC 3879"},
                {"feff::1", 0, "before ff00::/8"},
                {"ff02::fb", GROUP, "multicast"},
                {"2001:db8::10.0.0.1", 0, "IPv4 octets at the end do not make it private"},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_address a = address(rows[i].address);
                bool private = pt_address_is_ipv4(&a) && pt_ipv4_is_private(pt_address_low32(&a));

                cr_expect_eq(private, !!(rows[i].is & PRIVATE), "%s private: %s", rows[i].address,
                             rows[i].reason);
                cr_expect_eq(pt_address_is_local(&a), !!(rows[i].is & LOCAL), "%s local: %s",
                             rows[i].address, rows[i].reason);
                cr_expect_eq(pt_address_is_group(&a), !!(rows[i].is & GROUP), "%s group: %s",
                             rows[i].address, rows[i].reason);
        }
}

/* Networks that use the same private addresses twice: who it is, is an address and a zone. */
Test(address, an_ipv4_address_in_two_zones_is_two)
{
        const struct pt_zone here = {{0, 10}}, there = {{0, 20}}, everywhere = {{0}};
        struct pt_address a, six, in_here, in_there, back;
        struct pt_prefix ten;
        char text[PT_ADDRESS_TEXT];

        cr_assert_eq(pt_address_parse("10.1.2.3", &a), 0);
        cr_assert_eq(pt_address_parse("fd00::1", &six), 0);
        cr_assert_eq(pt_prefix_parse("10.0.0.0/8", &ten), 0);
        in_here = pt_address_in_zone(&a, &here);
        in_there = pt_address_in_zone(&a, &there);
        cr_expect_not(pt_address_equal(&in_here, &in_there));
        cr_expect_not(pt_address_equal(&in_here, &a));
        back = pt_address_in_zone(&a, &everywhere);
        cr_expect(pt_address_equal(&back, &a));
        back = pt_address_plain(&in_there);
        cr_expect(pt_address_equal(&back, &a));
        back = pt_address_in_zone(&six, &here);
        cr_expect(pt_address_equal(&back, &six), "IPv6 has no zone");
        cr_expect_str_eq(pt_address_format(&in_here, text), "10.1.2.3");
        cr_expect(pt_address_is_local(&in_here));
        cr_expect(pt_prefix_contains(&ten, &in_here));
        cr_expect_not(pt_address_zones_agree(&in_here, &in_there));
        cr_expect_not(pt_address_zones_agree(&in_here, &a), "without a tag is a place too");
        cr_expect(pt_address_zones_agree(&in_here, &in_here));
        cr_expect(pt_address_zones_agree(&in_here, &six));
}

/* RFC 4291 section 4 reserves ::/8; what stands for zones must come from nowhere else. */
Test(address, an_address_that_stands_for_a_zone_is_no_text)
{
        struct pt_address a;

        cr_expect_eq(pt_address_parse("1:a::ffff:10.1.2.3", &a), -EINVAL);
        cr_expect_eq(pt_address_parse("1::", &a), -EINVAL);
        cr_expect_eq(pt_address_parse("0:1::", &a), 0);
        cr_expect_eq(pt_address_parse("100::1", &a), 0);
}
