#include "io/capture/kind.h"

#include <criterion/criterion.h>
#include <string.h>

/* Magic numbers as file(1) and Wireshark's wiretap know them. */
Test(kind, a_file_is_what_its_first_octets_say)
{
        static const struct {
                const char *octets;
                size_t length;
                enum pt_kind kind;
                const char *name;
        } rows[] = {
                {"\xd4\xc3\xb2\xa1", 4, PT_KIND_CLASSIC, "pcap"},
                {"\xa1\xb2\xc3\xd4", 4, PT_KIND_CLASSIC, "pcap"},
                {"\x4d\x3c\xb2\xa1", 4, PT_KIND_CLASSIC, "pcap"},
                {"\x34\xcd\xb2\xa1", 4, PT_KIND_CLASSIC, "pcap"},
                {"\x0a\x0d\x0d\x0a", 4, PT_KIND_BLOCK, "pcapng"},
                {"\x1f\x8b\x08", 3, PT_KIND_GZIP, "gzip"},
                {"\x28\xb5\x2f\xfd", 4, PT_KIND_ZSTD, "zstd"},
                {"\xfd"
                 "7zXZ\x00\x00\x04",
                 8, PT_KIND_XZ, "xz"},
                {"\x04\x22\x4d\x18", 4, PT_KIND_PACKED, "lz4"},
                {"BZh91AY&SY", 10, PT_KIND_PACKED, "bzip2"},
                {"PK\x03\x04", 4, PT_KIND_PACKED, "zip"},
                {"snoop\x00\x00\x00\x00\x00\x00\x02", 12, PT_KIND_FOREIGN, "snoop"},
                {"btsnoop\x00\x00\x00\x00\x01", 12, PT_KIND_FOREIGN, "btsnoop"},
                {"GMBU\x00\x02", 6, PT_KIND_FOREIGN, "Network Monitor 2"},
                {"TRSNIFF data    \x1a", 17, PT_KIND_FOREIGN, "Sniffer"},
                /* ERF: 2001-09-09 as 0x3b9aca00 seconds, type 2 (Ethernet), 80 octets, flags 4 */
                {"\x00\x00\x00\x80\x00\xca\x9a\x3b\x02\x04\x00\x50\x00\x00\x00\x3c", 16,
                 PT_KIND_FOREIGN, "ERF"},
                {"\x00\x00\x00\x80\x00\xca\x9a\x3b\x02\x04\x00\x50\x00\x00\x00", 15,
                 PT_KIND_UNKNOWN, NULL},
                {"aaaaaa20\nb\n(ccccc", 16, PT_KIND_UNKNOWN, NULL}, /* words that would fit */
                {"{\"a\": 1}", 8, PT_KIND_LOG, "JSON"},             /* log.h has the last word */
                {"#separator \\x09", 15, PT_KIND_LOG, "Zeek"},
                {"{a: 1}", 6, PT_KIND_UNKNOWN, NULL},
                {"\xd4\xc3\xb2", 3, PT_KIND_UNKNOWN, NULL},
                {"", 0, PT_KIND_UNKNOWN, NULL},
        };

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                const char *name = "unwritten";

                cr_expect_eq(pt_kind_of((const uint8_t *)rows[i].octets, rows[i].length, &name),
                             rows[i].kind, "row %zu", i);
                if (rows[i].name)
                        cr_expect_str_eq(name, rows[i].name);
                else
                        cr_expect_null(name);
        }
}
