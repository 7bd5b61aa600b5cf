#include "explain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define WIDEST 40 /* a longer text does not make its column wider */
#define WIDTH 100 /* of a line, unless a word is longer */

/* One rule and one address. */
struct row {
        const struct pt_rule *rule;
        bool gives; /* the port that was asked for */
        char yields[80];
        char arithmetic[2 * PT_FORMULA_TEXT + 64];
        char fate[320];
};

static void say(char *text, size_t size, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* Append. What does not fit is cut. */
static void say(char *text, size_t size, const char *format, ...)
{
        size_t used = strlen(text);
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text + used, size - used, format, arguments);
        va_end(arguments);
}

/* One more limit that drops it. */
#define DROP(row, ...)                                                                  \
        do {                                                                            \
                say((row)->fate, sizeof(row)->fate, *(row)->fate ? "; " : "dropped: "); \
                say((row)->fate, sizeof(row)->fate, __VA_ARGS__);                       \
        } while (false)

static const char *ipv4_text(uint32_t ipv4, char ret[PT_ADDRESS_TEXT])
{
        struct pt_address address = pt_address_from_ipv4(ipv4);

        return pt_address_format(&address, ret);
}

/* The destination that an address expression gives. */
static void calculate_address(struct row *row, uint32_t ipv4)
{
        char text[PT_ADDRESS_TEXT];
        uint64_t value;

        if (!pt_formula_evaluate(row->rule->address, ipv4, &value)) {
                say(row->yields, sizeof row->yields, "no address");
                DROP(row, "the address expression has no value");
        } else if (value > UINT32_MAX) {
                say(row->yields, sizeof row->yields, "no address");
                DROP(row, "%" PRIu64 " is no IPv4 address", value);
        } else {
                say(row->yields, sizeof row->yields, "%s", ipv4_text((uint32_t)value, text));
        }
}

static void limit_port(struct row *row, uint16_t port)
{
        switch (pt_rule_limit_port(row->rule, port)) {
        case PT_RULE_OUTSIDE:
                DROP(row, "port %u is outside its ports", port);
                break;
        case PT_RULE_EXCLUDED:
                DROP(row, "port %u is one that it excludes", port);
                break;
        case PT_RULE_ADMITTED:
                break;
        }
}

/* The port that a port expression gives. */
static void calculate_port(struct row *row, uint32_t ipv4)
{
        const char *comma = *row->yields ? ", " : "";
        uint64_t value;

        if (!row->rule->port) {
                say(row->yields, sizeof row->yields, "%sany port", comma);
        } else if (!pt_formula_evaluate(row->rule->port, ipv4, &value)) {
                say(row->yields, sizeof row->yields, "%sno port", comma);
                DROP(row, "the port expression has no value");
        } else if (value == 0 || value > UINT16_MAX) {
                say(row->yields, sizeof row->yields, "%sno port", comma);
                DROP(row, "%" PRIu64 " is no port", value);
        } else {
                say(row->yields, sizeof row->yields, "%sport %" PRIu64, comma, value);
                limit_port(row, (uint16_t)value);
        }
}

static bool excludes(const struct pt_rules *rules, const struct pt_rule *rule, uint32_t ipv4)
{
        struct pt_address address = pt_address_from_ipv4(ipv4);

        return pt_prefixes_contain(&rules->zones[rule->zone], &address);
}

/* Where the connection would go to: what was calculated, or the resolved address itself. */
static void limit_destination(struct row *row, const struct pt_rules *rules, uint32_t ipv4,
                              bool lab)
{
        bool port_counts = !row->rule->address && !*row->fate;
        char text[PT_ADDRESS_TEXT];
        uint32_t destination = ipv4;

        if (row->rule->address && !pt_rule_address(row->rule, ipv4, &destination))
                return;
        ipv4_text(destination, text);
        if (row->rule->address && destination == ipv4)
                DROP(row, "it calculates the address itself");
        if (lab)
                return;
        if (row->rule->address && pt_ipv4_is_private(destination))
                DROP(row, "%s is private", text);
        else if (excludes(rules, row->rule, destination))
                DROP(row, "%s is excluded as a destination%s", text,
                     port_counts ? " (but gives a port for others)" : "");
}

/* One expression with its numbers and its result. */
static void describe(struct row *row, const struct pt_formula *formula, uint32_t ipv4, bool address)
{
        char text[PT_FORMULA_TEXT], result[PT_ADDRESS_TEXT];
        uint64_t value;

        if (!formula)
                return;
        say(row->arithmetic, sizeof row->arithmetic, "%s%s = ", *row->arithmetic ? "; " : "",
            pt_formula_describe(formula, ipv4, text));
        if (!pt_formula_evaluate(formula, ipv4, &value))
                say(row->arithmetic, sizeof row->arithmetic, "no value");
        else if (address && value <= UINT32_MAX)
                say(row->arithmetic, sizeof row->arithmetic, "%s",
                    ipv4_text((uint32_t)value, result));
        else
                say(row->arithmetic, sizeof row->arithmetic, "%" PRIu64, value);
}

/* Does it give this port? If not, there is nothing more to be said of it. */
static bool compare_port(struct row *row, uint32_t ipv4, uint16_t port)
{
        uint64_t value;

        if (!row->rule->port) {
                limit_port(row, port);
                return true;
        }
        row->gives = pt_formula_evaluate(row->rule->port, ipv4, &value) && value == port;
        if (!row->gives)
                snprintf(row->fate, sizeof row->fate, "does not give port %u", port);
        return row->gives;
}

static void explain(struct row *row, const struct pt_rules *rules, uint32_t ipv4, uint16_t port,
                    bool lab)
{
        if (row->rule->address)
                calculate_address(row, ipv4);
        calculate_port(row, ipv4);
        if (!port || compare_port(row, ipv4, port))
                limit_destination(row, rules, ipv4, lab);
        describe(row, row->rule->address, ipv4, true);
        describe(row, row->rule->port, ipv4, false);
        if (!*row->fate)
                say(row->fate, sizeof row->fate,
                    row->rule->address ? "would match if the address was not itself given by DNS"
                                       : "would match");
}

static int widest(int width, const char *text)
{
        int length = (int)strlen(text);

        return length > width && length <= WIDEST ? length : width;
}

/* Words of a text, from `column` on, broken at blanks so that lines begin at `indent`. */
static void print_words(FILE *file, const char *text, int column, int indent)
{
        bool first = true;

        while (*text) {
                int length = (int)strcspn(text, " ");

                if (!first && column + 1 + length > WIDTH) {
                        fprintf(file, "\n%*s", indent, "");
                        column = indent;
                } else if (!first) {
                        fputc(' ', file);
                        column++;
                }
                fprintf(file, "%.*s", length, text);
                column += length;
                text += length;
                text += strspn(text, " ");
                first = false;
        }
        fputc('\n', file);
}

/*
 * Rule, what it yields, what becomes of it, in columns as wide as they must be; the arithmetic,
 * which can be long, below.
 */
static void print_rows(FILE *file, const struct row *rows, size_t count)
{
        int id = 0, yields = 0, indent;

        for (size_t i = 0; i < count; i++) {
                id = widest(id, rows[i].rule->id);
                yields = widest(yields, rows[i].yields);
        }
        indent = 2 + id + 2;
        for (size_t i = 0; i < count; i++) {
                fprintf(file, "  %-*s  %-*s  ", id, rows[i].rule->id, yields, rows[i].yields);
                print_words(file, rows[i].fate, indent + yields + 2, indent + yields + 2);
                fprintf(file, "%*s", indent, "");
                print_words(file, rows[i].arithmetic, indent, indent);
        }
}

/* The sum of it: by which rules the port is given, and of which of them a limit drops it. */
static void print_givers(FILE *file, const struct row *rows, size_t count, uint32_t ipv4,
                         uint16_t port)
{
        char text[PT_ADDRESS_TEXT];
        size_t givers = 0;

        ipv4_text(ipv4, text);
        for (size_t i = 0; i < count; i++) {
                if (!rows[i].gives)
                        continue;
                if (!givers++)
                        fprintf(file, "port %u of %s is given by", port, text);
                fprintf(file, "%s %s%s", givers > 1 ? "," : "", rows[i].rule->id,
                        strncmp(rows[i].fate, "dropped", 7) == 0 ? " (dropped)" : "");
        }
        if (givers)
                fputc('\n', file);
        else
                fprintf(file, "no rule gives port %u of %s\n", port, text);
}

/* The IPv4 address that an address is or holds: mapped, or behind a NAT64 prefix (RFC 6052). */
static bool find_ipv4(const struct pt_options *options, const struct pt_address *address,
                      uint32_t *ret)
{
        struct pt_prefix prefix;
        bool found = pt_address_is_ipv4(address);

        for (size_t i = 0; !found && i < options->nat64_prefixes.count; i++)
                found = pt_prefix_parse(options->nat64_prefixes.list[i], &prefix) == 0 &&
                        pt_prefix_contains(&prefix, address);
        if (found)
                *ret = pt_address_low32(address);
        return found;
}

int pt_explain(FILE *file, const struct pt_rules *rules, const struct pt_options *options,
               const char *text)
{
        struct pt_address address;
        struct row *rows;
        uint16_t port;
        uint32_t ipv4;

        if (!pt_endpoint_parse(text, &address, &port) || !find_ipv4(options, &address, &ipv4)) {
                fprintf(file, "%s holds no IPv4 address: no rule calculates with it\n", text);
                return 0;
        }
        rows = calloc(rules->count + 1, sizeof *rows);
        if (!rows)
                return -ENOMEM;
        for (size_t i = 0; i < rules->count; i++) {
                rows[i].rule = rules->list[i];
                explain(&rows[i], rules, ipv4, port, options->lab);
        }
        fprintf(file, "%s: o1 %u, o2 %u, o3 %u, o4 %u\n", text, ipv4 >> 24, ipv4 >> 16 & 255,
                ipv4 >> 8 & 255, ipv4 & 255);
        print_rows(file, rows, rules->count);
        if (port)
                print_givers(file, rows, rules->count, ipv4, port);
        free(rows);
        return 0;
}
