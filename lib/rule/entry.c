#include "rule/entry.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* The word on the line. */
struct word {
        const char *text;
        size_t length;
        unsigned column;
};

#define SHOWN(word) (int)((word)->length > 60 ? 60 : (word)->length), (word)->text

__attribute__((format(printf, 3, 4))) static bool refuse(struct pt_entry_fault *fault,
                                                         unsigned column, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(fault->sentence, sizeof fault->sentence, format, arguments);
        va_end(arguments);
        fault->column = column;
        for (char *c = fault->sentence; *c; c++) {
                if ((unsigned char)*c < 0x20 || *c == 0x7f)
                        *c = '?';
        }
        return false;
}

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\r';
}

/* The one word of the line, and where it stands. */
static enum pt_entry_line find_word(const char *line, size_t length, struct word *ret,
                                    struct pt_entry_fault *fault)
{
        size_t begin = 0, end, behind;

        while (begin < length && is_blank(line[begin]))
                begin++;
        if (begin == length || line[begin] == '#')
                return PT_ENTRY_NONE;
        for (end = begin; end < length && !is_blank(line[end]);)
                end++;
        for (behind = end; behind < length && is_blank(line[behind]);)
                behind++;
        *ret = (struct word){line + begin, end - begin, (unsigned)begin + 1};
        if (behind < length && line[behind] != '#') {
                refuse(fault, (unsigned)behind + 1,
                       "one entry a line is expected; a comment begins with #");
                return PT_ENTRY_BAD;
        }
        return PT_ENTRY_READ;
}

/* ---- addresses and ports ---- */

static bool read_prefix(const struct word *word, struct pt_prefix *ret,
                        struct pt_entry_fault *fault)
{
        char text[64];

        if (word->length < sizeof text) {
                memcpy(text, word->text, word->length);
                text[word->length] = '\0';
                if (pt_prefix_parse(text, ret) == 0)
                        return true;
        }
        return refuse(fault, word->column,
                      "\"%.*s\" is no address, and no network as 10.0.0.0/8 or fc00::/7 with no "
                      "bits set beyond its length",
                      SHOWN(word));
}

/* Decimal digits from `at` on, up to 65535. Returns where they end; `at` if there are none. */
static size_t read_number(const struct word *word, size_t at, uint32_t *ret)
{
        uint32_t number = 0;

        while (at < word->length && word->text[at] >= '0' && word->text[at] <= '9' &&
               number <= UINT16_MAX)
                number = number * 10 + (uint32_t)(word->text[at++] - '0');
        *ret = number;
        return at;
}

static bool read_ports(const struct word *word, struct pt_entry *ret, struct pt_entry_fault *fault)
{
        uint32_t low, high;
        size_t middle = read_number(word, 0, &low), end = middle;

        high = low;
        if (middle && middle < word->length && word->text[middle] == '-') {
                end = read_number(word, middle + 1, &high);
                middle = end > middle + 1 ? end : 0;
        }
        if (!middle || end != word->length || low > high || high > UINT16_MAX)
                return refuse(fault, word->column,
                              "\"%.*s\" is no port from 0 to 65535, and no range of them as "
                              "5000-5010",
                              SHOWN(word));
        ret->ports.low = (uint16_t)low;
        ret->ports.high = (uint16_t)high;
        return true;
}

/* ---- names ---- */

/* One octet of a label; \DDD as documents have it, and \X. Returns how many characters, 0: bad. */
static size_t read_octet(const char *text, size_t length, uint8_t *ret)
{
        unsigned number = 0;

        if (text[0] != '\\') {
                *ret = (uint8_t)text[0];
                return 1;
        }
        if (length >= 2 && (text[1] < '0' || text[1] > '9')) {
                *ret = (uint8_t)text[1];
                return 2;
        }
        if (length < 4)
                return 0;
        for (int i = 1; i < 4; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return 0;
                number = number * 10 + (unsigned)(text[i] - '0');
        }
        *ret = (uint8_t)number;
        return number <= 255 ? 4 : 0;
}

static uint8_t small(uint8_t octet)
{
        return octet >= 'A' && octet <= 'Z' ? (uint8_t)(octet | 0x20) : octet;
}

/* Text -> labels, RFC 1035 section 5.1. A final dot changes nothing. */
static bool read_labels(const struct word *word, size_t at, struct pt_dns_name *ret,
                        struct pt_entry_fault *fault)
{
        size_t used = 1, label = 0; /* octets written; where the present label's length stands */

        while (at < word->length) {
                size_t characters;
                uint8_t octet;

                if (word->text[at] == '.') {
                        if (used - label == 1)
                                return refuse(fault, word->column + (unsigned)at,
                                              "a label of this name is empty");
                        if (++at == word->length)
                                break;
                        label = used++;
                        continue;
                }
                if ((unsigned char)word->text[at] >= 0x80)
                        return refuse(fault, word->column + (unsigned)at,
                                      "names are written as on the wire: letters outside ASCII "
                                      "as xn--, other octets as \\DDD");
                characters = read_octet(word->text + at, word->length - at, &octet);
                if (!characters)
                        return refuse(fault, word->column + (unsigned)at,
                                      "three digits up to 255 are expected behind \\");
                if (used - label > 63 || used >= 254)
                        return refuse(fault, word->column + (unsigned)at,
                                      "this is too long for a name: 63 octets a label, 255 in all");
                ret->wire[used++] = small(octet);
                ret->wire[label] = (uint8_t)(used - label - 1);
                at += characters;
        }
        ret->wire[used++] = 0;
        ret->length = (uint8_t)used;
        return true;
}

static int read_name(const struct word *word, enum pt_entry_line *ret_line, struct pt_entry *ret,
                     struct pt_entry_fault *fault)
{
        struct pt_dns_name name = {0};
        bool below = word->length >= 2 && memcmp(word->text, "*.", 2) == 0;
        bool sound;

        if (word->text[0] == '.' || word->length == (below ? 2u : 0u) ||
            (word->length == 1 && word->text[0] == '*'))
                sound = refuse(fault, word->column,
                               "a name is expected, or *.name for all names below it; to allow "
                               "both, write both");
        else if (memchr(word->text + (below ? 2 : 0), '*', word->length - (below ? 2 : 0)))
                sound = refuse(fault, word->column,
                               "* may stand only as the first label, as in "
                               "*.example.net");
        else
                sound = read_labels(word, below ? 2 : 0, &name, fault);
        if (!sound) {
                *ret_line = PT_ENTRY_BAD;
                return 0;
        }
        ret->name.below = below;
        ret->name.wire = malloc(1 + (size_t)name.length);
        if (!ret->name.wire)
                return -ENOMEM;
        ret->name.wire[0] = name.length;
        memcpy(ret->name.wire + 1, name.wire, name.length);
        return 0;
}

/* ---- all of it ---- */

int pt_entry_read(enum pt_allow_list list, const char *line, size_t length,
                  enum pt_entry_line *ret_line, struct pt_entry *ret, struct pt_entry_fault *fault)
{
        struct pt_entry entry = {.shown.list = list};
        struct word word;
        int r = 0;

        *ret_line = find_word(line, length, &word, fault);
        if (*ret_line != PT_ENTRY_READ)
                return 0;
        if (memchr(word.text, '\0', word.length)) {
                refuse(fault, word.column, "there is an octet of value 0 in this line");
                *ret_line = PT_ENTRY_BAD;
                return 0;
        }
        if (list == PT_ALLOW_NAMES)
                r = read_name(&word, ret_line, &entry, fault);
        else if (!(list == PT_ALLOW_PORTS ? read_ports(&word, &entry, fault)
                                          : read_prefix(&word, &entry.prefix, fault)))
                *ret_line = PT_ENTRY_BAD;
        if (r < 0 || *ret_line == PT_ENTRY_BAD)
                return r;
        entry.shown.text = strndup(word.text, word.length);
        if (!entry.shown.text) {
                pt_entry_clear(&entry);
                return -ENOMEM;
        }
        *ret = entry;
        return 0;
}

void pt_entry_clear(struct pt_entry *entry)
{
        free((char *)entry->shown.text);
        if (entry->shown.list == PT_ALLOW_NAMES)
                free(entry->name.wire);
}

static int compare_names(const struct pt_entry *a, const struct pt_entry *b)
{
        if (a->name.below != b->name.below)
                return a->name.below ? 1 : -1;
        if (a->name.wire[0] != b->name.wire[0])
                return a->name.wire[0] < b->name.wire[0] ? -1 : 1;
        return memcmp(a->name.wire + 1, b->name.wire + 1, a->name.wire[0]);
}

static int compare_prefixes(const struct pt_entry *a, const struct pt_entry *b)
{
        if (a->prefix.bits != b->prefix.bits)
                return a->prefix.bits < b->prefix.bits ? -1 : 1;
        return memcmp(&a->prefix.address, &b->prefix.address, sizeof a->prefix.address);
}

/* The narrowest range first. */
static int compare_ports(const struct pt_entry *a, const struct pt_entry *b)
{
        int width_a = a->ports.high - a->ports.low, width_b = b->ports.high - b->ports.low;

        return width_a != width_b ? width_a - width_b : a->ports.low - b->ports.low;
}

int pt_entry_compare(const struct pt_entry *a, const struct pt_entry *b)
{
        if (a->shown.list != b->shown.list)
                return a->shown.list < b->shown.list ? -1 : 1;
        switch (a->shown.list) {
        case PT_ALLOW_NAMES:
                return compare_names(a, b);
        case PT_ALLOW_PORTS:
                return compare_ports(a, b);
        default:
                return compare_prefixes(a, b);
        }
}
