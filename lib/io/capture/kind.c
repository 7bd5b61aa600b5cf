#include "io/capture/kind.h"

#include <stdbool.h>
#include <string.h>

static const struct magic {
        const char *octets;
        uint8_t length;
        enum pt_kind kind;
        const char *name;
} magics[] = {
        {"\xa1\xb2\xc3\xd4", 4, PT_KIND_CLASSIC, "pcap"},
        {"\xd4\xc3\xb2\xa1", 4, PT_KIND_CLASSIC, "pcap"},
        {"\xa1\xb2\x3c\x4d", 4, PT_KIND_CLASSIC, "pcap"}, /* nanoseconds */
        {"\x4d\x3c\xb2\xa1", 4, PT_KIND_CLASSIC, "pcap"},
        {"\xa1\xb2\xcd\x34", 4, PT_KIND_CLASSIC, "pcap"}, /* Kuznetsov's variant */
        {"\x34\xcd\xb2\xa1", 4, PT_KIND_CLASSIC, "pcap"},
        {"\x0a\x0d\x0d\x0a", 4, PT_KIND_BLOCK, "pcapng"},
        {"#separator ", 11, PT_KIND_LOG, "Zeek"},
        {"{\"", 2, PT_KIND_LOG, "JSON"},
        {"{ \"", 3, PT_KIND_LOG, "JSON"},
        {"\x1f\x8b", 2, PT_KIND_GZIP, "gzip"},
        {"\x28\xb5\x2f\xfd", 4, PT_KIND_ZSTD, "zstd"},
        {"\xfd"
         "7zXZ\x00",
         6, PT_KIND_XZ, "xz"},
        {"\x04\x22\x4d\x18", 4, PT_KIND_PACKED, "lz4"},
        {"BZh", 3, PT_KIND_PACKED, "bzip2"},
        {"\x1f\x9d", 2, PT_KIND_PACKED, "compress"},
        {"PK\x03\x04", 4, PT_KIND_PACKED, "zip"},
        {"7z\xbc\xaf\x27\x1c", 6, PT_KIND_PACKED, "7-Zip"},
        {"snoop\x00\x00\x00", 8, PT_KIND_FOREIGN, "snoop"},
        {"btsnoop\x00", 8, PT_KIND_FOREIGN, "btsnoop"},
        {"GMBU", 4, PT_KIND_FOREIGN, "Network Monitor 2"},
        {"RTSS", 4, PT_KIND_FOREIGN, "Network Monitor 1"},
        {"TRSNIFF data    ", 16, PT_KIND_FOREIGN, "Sniffer"},
        {"XCP\x00", 4, PT_KIND_FOREIGN, "NetXRay"},
        {"\x7fver", 4, PT_KIND_FOREIGN, "EtherPeek"},
        {"\x05VNF", 4, PT_KIND_FOREIGN, "Visual Networks"},
        {"iptrace ", 8, PT_KIND_FOREIGN, "iptrace"},
        {"\x54\x52\x00\x64\x00", 5, PT_KIND_FOREIGN, "nettl"},
};

/*
 * ERF has no magic. A record begins with the fraction and the seconds of its time, little endian,
 * then its type and, in big endian, its length with this header of 16 octets.
 */
static bool is_erf(const uint8_t *bytes, size_t length)
{
        uint32_t seconds, type, record;
        size_t text = 0;

        if (length < 16)
                return false;
        for (size_t i = 0; i < 16; i++)
                text += (bytes[i] >= ' ' && bytes[i] < 0x7f) || bytes[i] == '\n';
        if (text == 16)
                return false; /* words, whatever numbers they would make */
        seconds = (uint32_t)bytes[7] << 24 | (uint32_t)bytes[6] << 16 | (uint32_t)bytes[5] << 8 |
                  bytes[4];
        type = bytes[8] & 0x7fu;
        record = (uint32_t)bytes[10] << 8 | bytes[11];
        return seconds >= 0x30000000 && seconds < 0xf0000000 && type >= 1 && type <= 27 &&
               bytes[8] < 0x80 && record >= 20 && record % 8 == 0;
}

enum pt_kind pt_kind_of(const uint8_t *bytes, size_t length, const char **ret_name)
{
        for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
                const struct magic *magic = &magics[i];

                if (length >= magic->length && memcmp(bytes, magic->octets, magic->length) == 0) {
                        *ret_name = magic->name;
                        return magic->kind;
                }
        }
        if (is_erf(bytes, length)) {
                *ret_name = "ERF";
                return PT_KIND_FOREIGN;
        }
        *ret_name = NULL;
        return PT_KIND_UNKNOWN;
}
