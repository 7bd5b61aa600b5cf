#include "value.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct unit {
        const char *name;
        int64_t value;
};

/* Largest first: what is shown takes the first one that divides it. */
static const struct unit durations[] = {
        {"d", INT64_C(86400000000000)},
        {"h", INT64_C(3600000000000)},
        {"m", INT64_C(60000000000)},
        {"s", INT64_C(1000000000)},
        {"ms", 1000000},
        {"us", 1000},
        {"ns", 1},
};

static const struct unit sizes[] = {
        {"G", INT64_C(1) << 30},
        {"M", 1 << 20},
        {"K", 1 << 10},
        {"", 1},
};

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* Decimal digits without a sign. Returns what stands behind them, or NULL. */
static const char *parse_number(const char *text, int64_t *ret)
{
        int64_t number = 0;

        if (*text < '0' || *text > '9')
                return NULL;
        for (; *text >= '0' && *text <= '9'; text++) {
                if (__builtin_mul_overflow(number, 10, &number) ||
                    __builtin_add_overflow(number, *text - '0', &number))
                        return NULL;
        }
        *ret = number;
        return text;
}

static bool parse(const char *text, const struct unit *units, size_t count, int64_t *ret)
{
        int64_t number = 0, value;
        const char *rest = parse_number(text, &number);

        for (size_t i = 0; rest && i < count; i++) {
                if (strcmp(rest, units[i].name) != 0)
                        continue;
                if (__builtin_mul_overflow(number, units[i].value, &value))
                        return false;
                *ret = value;
                return true;
        }
        return false;
}

static const char *format(int64_t value, const struct unit *units, size_t count, const char *zero,
                          char ret[PT_VALUE_TEXT])
{
        if (value == 0) {
                snprintf(ret, PT_VALUE_TEXT, "%s", zero);
                return ret;
        }
        for (size_t i = 0; i < count; i++) {
                if (value % units[i].value != 0)
                        continue;
                snprintf(ret, PT_VALUE_TEXT, "%" PRId64 "%s", value / units[i].value,
                         units[i].name);
                break;
        }
        return ret;
}

bool pt_duration_parse(const char *text, int64_t *ret)
{
        return parse(text, durations, COUNT(durations), ret);
}

const char *pt_duration_format(int64_t duration, char ret[PT_VALUE_TEXT])
{
        return format(duration, durations, COUNT(durations), "0s", ret);
}

bool pt_size_parse(const char *text, int64_t *ret)
{
        return parse(text, sizes, COUNT(sizes), ret);
}

const char *pt_size_format(int64_t size, char ret[PT_VALUE_TEXT])
{
        return format(size, sizes, COUNT(sizes), "0", ret);
}

bool pt_ports_parse(const char *text, struct pt_ports *ret)
{
        int64_t low = 0, high;

        text = parse_number(text, &low);
        high = low;
        if (text && *text == '-')
                text = parse_number(text + 1, &high);
        if (!text || *text || low > high || high > UINT16_MAX)
                return false;
        *ret = (struct pt_ports){(uint16_t)low, (uint16_t)high};
        return true;
}

const char *pt_ports_format(struct pt_ports ports, char ret[PT_VALUE_TEXT])
{
        snprintf(ret, PT_VALUE_TEXT, "%u-%u", ports.low, ports.high);
        return ret;
}

bool pt_endpoint_parse(const char *text, struct pt_address *ret, uint16_t *ret_port)
{
        const char *colon = strchr(text, ':'), *end = text + strlen(text), *rest = end;
        struct pt_ports port = {0, 0};
        struct pt_address address;
        char part[PT_ADDRESS_TEXT];

        if (text[0] == '[') {
                end = strchr(text++, ']');
                rest = end ? end + 1 : "]";
        } else if (colon && colon == strrchr(text, ':')) { /* the only one: behind IPv4 */
                rest = end = colon;
        }
        if (!end || (size_t)(end - text) >= sizeof part)
                return false;
        if (*rest && (*rest != ':' || !pt_ports_parse(rest + 1, &port) || port.low != port.high ||
                      !port.low))
                return false;
        snprintf(part, sizeof part, "%.*s", (int)(end - text), text);
        if (pt_address_parse(part, &address) < 0)
                return false;
        *ret = address;
        *ret_port = port.low;
        return true;
}

static size_t least(size_t a, size_t b)
{
        return a < b ? a : b;
}

static bool same_letter(char a, char b)
{
        return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* The restricted Damerau-Levenshtein distance: d[i][j] is that of the first i and j letters. */
size_t pt_word_distance(const char *a, const char *b)
{
        size_t m = strlen(a), n = strlen(b), d[PT_VALUE_TEXT][PT_VALUE_TEXT];

        if (m >= PT_VALUE_TEXT || n >= PT_VALUE_TEXT)
                return SIZE_MAX;
        for (size_t i = 0; i <= m; i++)
                d[i][0] = i;
        for (size_t j = 0; j <= n; j++)
                d[0][j] = j;
        for (size_t i = 1; i <= m; i++) {
                for (size_t j = 1; j <= n; j++) {
                        d[i][j] = least(d[i - 1][j], d[i][j - 1]) + 1;
                        d[i][j] =
                                least(d[i][j], d[i - 1][j - 1] + !same_letter(a[i - 1], b[j - 1]));
                        if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
                            same_letter(a[i - 2], b[j - 1]))
                                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
                }
        }
        return d[m][n];
}
