#include "../sensor/value.h"

#include <criterion/criterion.h>
#include <stdint.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

Test(value, durations)
{
        static const struct {
                const char *text;
                int64_t value;
                const char *shown; /* NULL: refused */
        } rows[] = {
                {"10m", INT64_C(600000000000), "10m"},
                {"50ms", 50000000, "50ms"},
                {"0s", 0, "0s"},
                {"0d", 0, "0s"},
                {"90s", INT64_C(90000000000), "90s"},
                {"60s", INT64_C(60000000000), "1m"},
                {"24h", INT64_C(86400000000000), "1d"},
                {"1500us", 1500000, "1500us"},
                {"7ns", 7, "7ns"},
                {"106751d", INT64_C(9223286400000000000), "106751d"},
                {"106752d", 0, NULL}, /* 2^63 nanoseconds are 106751.99 days */
                {"9223372036854775807ns", INT64_MAX, "9223372036854775807ns"},
                {"9223372036854775808ns", 0, NULL},
                {"", 0, NULL},
                {"10", 0, NULL},
                {"m", 0, NULL},
                {"-1s", 0, NULL},
                {"+1s", 0, NULL},
                {" 1s", 0, NULL},
                {"1 s", 0, NULL},
                {"1s ", 0, NULL},
                {"1.5s", 0, NULL},
                {"1S", 0, NULL},
                {"1w", 0, NULL},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                char text[PT_VALUE_TEXT];
                int64_t value = -7;

                cr_expect_eq(pt_duration_parse(rows[i].text, &value), rows[i].shown != NULL, "%s",
                             rows[i].text);
                cr_expect_eq(value, rows[i].shown ? rows[i].value : -7, "%s", rows[i].text);
                if (rows[i].shown)
                        cr_expect_str_eq(pt_duration_format(value, text), rows[i].shown);
        }
}

Test(value, sizes)
{
        static const struct {
                const char *text;
                int64_t value;
                const char *shown;
        } rows[] = {
                {"64M", INT64_C(67108864), "64M"},
                {"1024K", 1048576, "1M"},
                {"1025K", 1049600, "1025K"},
                {"4096", 4096, "4K"},
                {"4097", 4097, "4097"},
                {"0", 0, "0"},
                {"0G", 0, "0"},
                {"8589934591G", INT64_C(9223372035781033984), "8589934591G"},
                {"8589934592G", 0, NULL},
                {"64m", 0, NULL},
                {"64MB", 0, NULL},
                {"M", 0, NULL},
                {"-1", 0, NULL},
                {"0x10", 0, NULL},
                {"1e6", 0, NULL},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                char text[PT_VALUE_TEXT];
                int64_t value = -7;

                cr_expect_eq(pt_size_parse(rows[i].text, &value), rows[i].shown != NULL, "%s",
                             rows[i].text);
                cr_expect_eq(value, rows[i].shown ? rows[i].value : -7, "%s", rows[i].text);
                if (rows[i].shown)
                        cr_expect_str_eq(pt_size_format(value, text), rows[i].shown);
        }
}

Test(value, ranges_of_ports)
{
        static const struct {
                const char *text;
                bool good;
                uint16_t low, high;
        } rows[] = {
                {"4096-49151", true, 4096, 49151},
                {"443", true, 443, 443},
                {"0-65535", true, 0, 65535},
                {"5-5", true, 5, 5},
                {"6-5", false, 0, 0},
                {"65536", false, 0, 0},
                {"1-65536", false, 0, 0},
                {"-5", false, 0, 0},
                {"5-", false, 0, 0},
                {"5-6-7", false, 0, 0},
                {"", false, 0, 0},
                {"http", false, 0, 0},
                {"5 - 6", false, 0, 0},
                {"99999999999999999999", false, 0, 0},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_ports ports = {1, 2};

                cr_expect_eq(pt_ports_parse(rows[i].text, &ports), rows[i].good, "%s",
                             rows[i].text);
                cr_expect_eq(ports.low, rows[i].good ? rows[i].low : 1, "%s", rows[i].text);
                cr_expect_eq(ports.high, rows[i].good ? rows[i].high : 2, "%s", rows[i].text);
        }
        char text[PT_VALUE_TEXT];
        cr_expect_str_eq(pt_ports_format((struct pt_ports){0, 65535}, text), "0-65535");
}

Test(value, addresses_with_a_port_or_without)
{
        static const struct {
                const char *text, *address; /* NULL: refused */
                uint16_t port;
        } rows[] = {
                {"192.0.2.1", "192.0.2.1", 0},
                {"192.0.2.1:443", "192.0.2.1", 443},
                {"2001:db8::1", "2001:db8::1", 0},
                {"[2001:db8::1]", "2001:db8::1", 0},
                {"[2001:db8::1]:65535", "2001:db8::1", 65535},
                {"2001:db8::1:443", "2001:db8::1:443", 0}, /* as good an address as any */
                {"192.0.2.1:", NULL, 0},
                {"192.0.2.1:0", NULL, 0},
                {"192.0.2.1:65536", NULL, 0},
                {"192.0.2.1:1-2", NULL, 0},
                {"192.0.2.1:http", NULL, 0},
                {"[2001:db8::1]443", NULL, 0},
                {"[2001:db8::1", NULL, 0},
                {"2001:db8::1]:443", NULL, 0},
                {"[]:1", NULL, 0},
                {"", NULL, 0},
                {":1", NULL, 0},
                {"[2001:db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]:1", NULL, 0},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_address address;
                char text[PT_ADDRESS_TEXT];
                uint16_t port = 7;

                cr_assert_eq(pt_endpoint_parse(rows[i].text, &address, &port),
                             rows[i].address != NULL, "%s", rows[i].text);
                if (!rows[i].address)
                        continue;
                cr_expect_str_eq(pt_address_format(&address, text), rows[i].address);
                cr_expect_eq(port, rows[i].port, "%s", rows[i].text);
        }
}

/* By hand: one letter put in, left out, changed, or swapped with the next, is 1. */
Test(value, how_far_a_word_is_from_another)
{
        static const struct {
                const char *a, *b;
                size_t distance;
        } rows[] = {
                {"window", "window", 0}, {"windw", "window", 1},   {"wimdow", "window", 1},
                {"widnow", "window", 1}, {"windoww", "window", 1}, {"WINDOW", "window", 0},
                {"", "abc", 3},          {"kitten", "sitting", 3}, {"ca", "abc", 3},
                {"ab", "ba", 1},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                cr_expect_eq(pt_word_distance(rows[i].a, rows[i].b), rows[i].distance, "%s %s",
                             rows[i].a, rows[i].b);
                cr_expect_eq(pt_word_distance(rows[i].b, rows[i].a), rows[i].distance, "%s %s",
                             rows[i].b, rows[i].a);
        }
        cr_expect_eq(pt_word_distance("01234567890123456789012345678901", "a"), SIZE_MAX);
        cr_expect_eq(pt_word_distance("0123456789012345678901234567890", ""), 31);
}
