#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "wire/logged.h"

static struct pt_dns_name name_of(const char *text)
{
        struct pt_dns_name name;

        cr_assert_eq(pt_logged_name(text, strlen(text), &name), 0, "%s", text);
        return name;
}

Test(logged, names_are_read_as_logs_write_them)
{
        static const struct {
                const char *text;
                const char *shown; /* as pt_dns_name_format() has it, RFC 1035 section 5.1 */
        } rows[] = {
                {"update.example.net", "update.example.net"},
                {"update.example.net.", "update.example.net"},
                {"", "."},
                {".", "."},
                {"a\\x2eb.example", "a\\046b.example"}, /* a dot in a label */
                {"a\\x00b.example", "a\\000b.example"},
                {"caf\xc3\xa9.example", "caf\\195\\169.example"},
                {"a\\y.example", "a\\092y.example"},
                {"a\\x2", "a\\092x2"},
        };
        char shown[PT_DNS_NAME_TEXT];

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                struct pt_dns_name name = name_of(rows[i].text);

                pt_dns_name_format(&name, shown);
                cr_expect_str_eq(shown, rows[i].shown, "%s: %s", rows[i].text, shown);
        }
}

Test(logged, what_no_message_could_hold_is_no_name)
{
        struct pt_dns_name name;
        char text[300];

        cr_expect_eq(pt_logged_name("a..b", 4, &name), -EINVAL);
        cr_expect_eq(pt_logged_name(".a", 2, &name), -EINVAL);
        cr_expect_eq(pt_logged_name("a..", 3, &name), -EINVAL);
        memset(text, 'a', sizeof text);
        cr_expect_eq(pt_logged_name(text, 63, &name), 0);
        cr_expect_eq(pt_logged_name(text, 64, &name), -EINVAL);
        for (size_t i = 49; i < sizeof text; i += 50)
                text[i] = '.';
        /* 253 characters are 255 octets: RFC 1035 section 2.3.4. */
        cr_expect_eq(pt_logged_name(text, 253, &name), 0);
        cr_expect_eq(name.length, 255);
        cr_expect_eq(pt_logged_name(text, 254, &name), -EINVAL);
}

Test(logged, types_have_the_numbers_of_the_registry)
{
        cr_expect_eq(pt_logged_type("A", 1), 1);
        cr_expect_eq(pt_logged_type("AAAA", 4), 28);
        cr_expect_eq(pt_logged_type("HTTPS", 5), 65);
        cr_expect_eq(pt_logged_type("TYPE65280", 9), 65280);
        cr_expect_eq(pt_logged_type("TYPE65536", 9), 0);
        cr_expect_eq(pt_logged_type("TYPE", 4), 0);
        cr_expect_eq(pt_logged_type("nothing", 7), 0);
}

static struct pt_dns_address room[PT_LOGGED_ADDRESSES];

static size_t write_answer(uint8_t *octets)
{
        static struct pt_dns_address addresses[2];
        struct pt_dns_answer answer = {.name_count = 2, .addresses = addresses, .count = 2};
        struct pt_logged logged = {
                .kind = PT_LOGGED_ANSWER,
                .source = PT_LOGGED_SURICATA,
                .lacks = PT_LOGGED_NO_TTL,
                .asked = true,
                .wall = INT64_C(1764000000123456789),
                .client_port = 51000,
                .server_port = 53,
                .id = 4660,
                .flags = 0x8180,
                .question_type = 1,
        };

        pt_address_parse("10.20.30.40", &logged.client);
        pt_address_parse("2001:db8::1", &logged.server);
        answer.names[0] = name_of("update.example.net");
        answer.names[1] = name_of("alias.example.net");
        answer.alias[0] = 1;
        answer.alias_ttl[0] = 300;
        pt_address_parse("198.51.100.23", &addresses[0].address);
        addresses[0].ttl = 60;
        addresses[0].owner = 1;
        pt_address_parse("2001:db8::23", &addresses[1].address);
        return pt_logged_write(&logged, &answer, octets);
}

Test(logged, what_is_written_is_read)
{
        struct pt_dns_answer answer = {.addresses = room, .capacity = PT_LOGGED_ADDRESSES};
        struct pt_logged logged;
        uint8_t octets[PT_LOGGED_MOST];
        size_t length = write_answer(octets);
        struct pt_address address;

        cr_assert_eq(pt_logged_read(octets, length, &logged, &answer), 0);
        cr_expect_eq(logged.kind, PT_LOGGED_ANSWER);
        cr_expect_eq(logged.source, PT_LOGGED_SURICATA);
        cr_expect_eq(logged.lacks, PT_LOGGED_NO_TTL);
        cr_expect(logged.asked && !logged.ipv6);
        cr_expect_eq(logged.wall, INT64_C(1764000000123456789));
        cr_expect_eq(logged.client_port, 51000);
        cr_expect_eq(logged.server_port, 53);
        cr_expect_eq(logged.id, 4660);
        cr_expect_eq(logged.flags, 0x8180);
        pt_address_parse("2001:db8::1", &address);
        cr_expect(pt_address_equal(&logged.server, &address));
        cr_assert_eq(answer.count, 2);
        cr_expect_eq(answer.addresses[0].ttl, 60);
        cr_expect_eq(answer.addresses[0].owner, 1);
        cr_expect_eq(answer.alias[0], 1);
        cr_expect_eq(answer.alias_ttl[0], 300);
        pt_address_parse("2001:db8::23", &address);
        cr_expect(pt_address_equal(&answer.addresses[1].address, &address));
}

Test(logged, less_than_all_of_it_is_refused)
{
        struct pt_dns_answer answer = {.addresses = room, .capacity = PT_LOGGED_ADDRESSES};
        struct pt_logged logged;
        uint8_t octets[PT_LOGGED_MOST];
        size_t length = write_answer(octets);

        for (size_t i = 0; i < length; i++)
                cr_expect_eq(pt_logged_read(octets, i, &logged, &answer), -EBADMSG, "%zu", i);
        octets[0] = PT_LOGGED_KINDS;
        cr_expect_eq(pt_logged_read(octets, length, &logged, &answer), -EBADMSG);
}

Test(logged, addresses_beyond_the_room_are_counted)
{
        struct pt_dns_answer answer = {.addresses = room, .capacity = 1};
        struct pt_logged logged;
        uint8_t octets[PT_LOGGED_MOST];

        cr_assert_eq(pt_logged_read(octets, write_answer(octets), &logged, &answer), 0);
        cr_expect_eq(answer.count, 1);
        cr_expect_eq(answer.skipped, 1);
}
