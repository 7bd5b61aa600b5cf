#include "rule/entry.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

static enum pt_entry_line read_line(enum pt_allow_list list, const char *line, size_t length,
                                    struct pt_entry *ret, struct pt_entry_fault *fault)
{
        enum pt_entry_line kind;

        cr_assert_eq(pt_entry_read(list, line, length, &kind, ret, fault), 0);
        return kind;
}

Test(entry, blanks_and_comments_are_no_entries)
{
        static const char *const lines[] = {"", " \t\r", "# 10.0.0.1", "  #x", "\r"};
        struct pt_entry_fault fault;
        struct pt_entry entry;

        for (size_t i = 0; i < ROWS(lines); i++)
                cr_expect_eq(
                        read_line(PT_ALLOW_CLIENTS, lines[i], strlen(lines[i]), &entry, &fault),
                        PT_ENTRY_NONE, "%s", lines[i]);
}

Test(entry, a_comment_may_follow)
{
        struct pt_entry_fault fault;
        struct pt_entry entry;

        cr_assert_eq(
                read_line(PT_ALLOW_CLIENTS, "\t192.0.2.7  # the scanner\r", 26, &entry, &fault),
                PT_ENTRY_READ);
        cr_expect_str_eq(entry.shown.text, "192.0.2.7");
        cr_expect_eq(entry.prefix.bits, 128);
        pt_entry_clear(&entry);
}

Test(entry, names_become_labels_in_small_letters)
{
        static const struct {
                const char *line;
                bool below;
                const char *wire;
                size_t length;
        } rows[] = {
                {"Example.NET", false,
                 "\7"
                 "example"
                 "\3"
                 "net",
                 13},
                {"example.net.", false,
                 "\7"
                 "example"
                 "\3"
                 "net",
                 13},
                {"*.x", true,
                 "\1"
                 "x",
                 3},
                {"_sip._tcp.x", false,
                 "\4"
                 "_sip"
                 "\4"
                 "_tcp"
                 "\1"
                 "x",
                 13},
                /* as documents write a dot inside a label, a space, and octet 255 */
                {"a\\.b\\032\\255", false,
                 "\5"
                 "a.b \xff",
                 7},
        };
        struct pt_entry_fault fault;
        struct pt_entry entry;

        for (size_t i = 0; i < ROWS(rows); i++) {
                cr_assert_eq(read_line(PT_ALLOW_NAMES, rows[i].line, strlen(rows[i].line), &entry,
                                       &fault),
                             PT_ENTRY_READ, "%s", rows[i].line);
                cr_expect_eq(entry.name.below, rows[i].below);
                cr_expect_eq(entry.name.wire[0], rows[i].length, "%s", rows[i].line);
                cr_expect_eq(memcmp(entry.name.wire + 1, rows[i].wire, rows[i].length), 0, "%s",
                             rows[i].line);
                pt_entry_clear(&entry);
        }
}

/* RFC 1035 section 2.3.4: 63 octets a label, 255 a name. */
Test(entry, a_name_may_be_as_long_as_dns_has_it)
{
        struct pt_entry_fault fault;
        struct pt_entry entry;
        char line[512] = "";

        for (int i = 0; i < 3; i++) {
                memset(line + strlen(line), 'a', 63);
                strcat(line, ".");
        }
        memset(line + 3 * 64, 'b', 61); /* 3 * 64 + 62 + 1 is 255 */
        cr_assert_eq(read_line(PT_ALLOW_NAMES, line, strlen(line), &entry, &fault), PT_ENTRY_READ);
        cr_expect_eq(entry.name.wire[0], 255);
        pt_entry_clear(&entry);
        strcat(line, "b");
        cr_assert_eq(read_line(PT_ALLOW_NAMES, line, strlen(line), &entry, &fault), PT_ENTRY_BAD);
        cr_expect_eq(fault.column, 254);
        memset(line, 'a', 64);
        line[64] = '\0';
        cr_assert_eq(read_line(PT_ALLOW_NAMES, line, strlen(line), &entry, &fault), PT_ENTRY_BAD);
        cr_expect_eq(fault.column, 64);
}

Test(entry, ports_are_one_or_a_range)
{
        static const struct {
                const char *line;
                unsigned low, high;
        } rows[] = {{"0", 0, 0}, {"65535", 65535, 65535}, {"5000-5010", 5000, 5010}};
        struct pt_entry_fault fault;
        struct pt_entry entry;

        for (size_t i = 0; i < ROWS(rows); i++) {
                cr_assert_eq(read_line(PT_ALLOW_PORTS, rows[i].line, strlen(rows[i].line), &entry,
                                       &fault),
                             PT_ENTRY_READ, "%s", rows[i].line);
                cr_expect_eq(entry.ports.low, rows[i].low);
                cr_expect_eq(entry.ports.high, rows[i].high);
                pt_entry_clear(&entry);
        }
}

/* Each with the column that it deserves; the words are read by people, so a few stand here. */
Test(entry, what_is_no_entry_is_refused_with_its_column)
{
        static const struct {
                enum pt_allow_list list;
                const char *line;
                unsigned column;
                const char *says;
        } rows[] = {
                {PT_ALLOW_CLIENTS, "10.0.0.1/8", 1, "no bits set beyond"},
                {PT_ALLOW_CLIENTS, "  10.0.0.256", 3, "\"10.0.0.256\" is no address"},
                {PT_ALLOW_CLIENTS, "10.0.0.1 10.0.0.2", 10, "one entry a line"},
                {PT_ALLOW_CLIENTS, "host.example", 1, "no address"},
                {PT_ALLOW_DESTINATIONS, "10.0.0.1,10.0.0.2", 1, "no address"},
                {PT_ALLOW_DESTINATIONS, "10.0.0.1#x", 1, "no address"},
                {PT_ALLOW_NAMES, ".example.net", 1, "to allow both, write both"},
                {PT_ALLOW_NAMES, "*", 1, "*.name"},
                {PT_ALLOW_NAMES, "*.", 1, "*.name"},
                {PT_ALLOW_NAMES, "*.*.net", 1, "only as the first label"},
                {PT_ALLOW_NAMES, "cdn*.net", 1, "only as the first label"},
                {PT_ALLOW_NAMES, "a..b", 3, "empty"},
                {PT_ALLOW_NAMES,
                 "b\xc3\xbc"
                 "cher.example",
                 2, "xn--"},
                {PT_ALLOW_NAMES, "a\\25", 2, "three digits"},
                {PT_ALLOW_NAMES, "a\\256", 2, "up to 255"},
                {PT_ALLOW_NAMES, "a\\", 2, "three digits"},
                {PT_ALLOW_PORTS, "65536", 1, "no port"},
                {PT_ALLOW_PORTS, "-1", 1, "no port"},
                {PT_ALLOW_PORTS, "5-", 1, "no port"},
                {PT_ALLOW_PORTS, "6-5", 1, "no port"},
                {PT_ALLOW_PORTS, "1-2-3", 1, "no port"},
                {PT_ALLOW_PORTS, "99999999999999999999", 1, "no port"},
                {PT_ALLOW_PORTS, "http", 1, "no port"},
        };
        struct pt_entry_fault fault;
        struct pt_entry entry;

        for (size_t i = 0; i < ROWS(rows); i++) {
                cr_assert_eq(
                        read_line(rows[i].list, rows[i].line, strlen(rows[i].line), &entry, &fault),
                        PT_ENTRY_BAD, "%s", rows[i].line);
                cr_expect_eq(fault.column, rows[i].column, "%s: column %u", rows[i].line,
                             fault.column);
                cr_expect(strstr(fault.sentence, rows[i].says), "%s: %s", rows[i].line,
                          fault.sentence);
        }
}

Test(entry, an_octet_of_value_0_is_refused)
{
        struct pt_entry_fault fault;
        struct pt_entry entry;

        cr_expect_eq(read_line(PT_ALLOW_NAMES, "a\0b", 3, &entry, &fault), PT_ENTRY_BAD);
}
