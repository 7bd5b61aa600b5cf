#include "rule/limit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void add_range(uint64_t ports[PT_LIMIT_WORDS], unsigned first, unsigned last)
{
        for (unsigned port = first; port <= last; port++)
                ports[port / 64] |= UINT64_C(1) << port % 64;
}

struct pt_limit *pt_limit_new(void)
{
        struct pt_limit *limits = calloc(1, sizeof *limits);

        if (limits) {
                memset(limits->ports, 0xff, sizeof limits->ports);
                limits->ports[0] &= ~UINT64_C(1);
        }
        return limits;
}

struct pt_limit *pt_limit_free(struct pt_limit *limits)
{
        if (limits)
                free(limits->excluded);
        free(limits);
        return NULL;
}

/* "4096" of "4096-49151". Returns what stands behind it, or NULL. */
static const char *parse_port(const char *text, unsigned *ret)
{
        unsigned port = 0;

        if (*text == '0')
                return NULL;
        for (; *text >= '0' && *text <= '9' && port <= UINT16_MAX; text++)
                port = port * 10 + (unsigned)(*text - '0');
        if (port < 1 || port > UINT16_MAX)
                return NULL;
        *ret = port;
        return text;
}

static bool parse_range(const char *text, unsigned *ret_first, unsigned *ret_last)
{
        text = parse_port(text, ret_first);
        if (!text)
                return false;
        *ret_last = *ret_first;
        if (*text == '-')
                text = parse_port(text + 1, ret_last);
        return text && *text == '\0';
}

/* 80, "80" or "4096-49151". */
static int read_range(struct pt_strict *s, json_t *value, void *into)
{
        unsigned first = 0, last = 0;

        if (json_is_integer(value)) {
                json_int_t port = json_integer_value(value);

                first = last = port >= 1 && port <= UINT16_MAX ? (unsigned)port : 0;
        } else if (json_is_string(value) && !parse_range(json_string_value(value), &first, &last)) {
                first = 0;
        }
        if (first == 0)
                return pt_strict_refuse(
                        s,
                        "a port from 1 to 65535, or a range as \"4096-49151\", is expected here");
        if (first > last)
                return pt_strict_refuse(s, "this range of ports begins behind its end");
        add_range(into, first, last);
        return 0;
}

static int read_ports(struct pt_strict *s, json_t *value, void *into)
{
        memset(into, 0, sizeof(uint64_t[PT_LIMIT_WORDS]));
        return pt_strict_array(s, value, read_range, into);
}

static int read_prefix(struct pt_strict *s, json_t *value, void *into)
{
        struct pt_limit *limits = into;

        if (!json_is_string(value) ||
            pt_prefix_parse(json_string_value(value), &limits->excluded[limits->excluded_count]) <
                    0)
                return pt_strict_refuse(s, "an address or a network as \"10.0.0.0/8\" is expected "
                                           "here, with no bits set beyond its length");
        limits->excluded_count++;
        return 0;
}

static int compare_prefixes(const void *a, const void *b)
{
        const struct pt_prefix *p = a, *q = b;
        int r = memcmp(&p->address, &q->address, sizeof p->address);

        return r ? r : p->bits - q->bits;
}

static void drop_twins(struct pt_limit *limits)
{
        size_t kept = 0;

        for (size_t i = 0; i < limits->excluded_count; i++) {
                if (kept == 0 ||
                    compare_prefixes(&limits->excluded[kept - 1], &limits->excluded[i]) != 0)
                        limits->excluded[kept++] = limits->excluded[i];
        }
        limits->excluded_count = kept;
}

static int read_excluded(struct pt_strict *s, json_t *value, void *into)
{
        struct pt_limit *limits = into;
        int r;

        limits->excluded = calloc(json_array_size(value) + 1, sizeof *limits->excluded);
        if (!limits->excluded)
                return -ENOMEM;
        r = pt_strict_array(s, value, read_prefix, limits);
        if (r < 0)
                return r;
        qsort(limits->excluded, limits->excluded_count, sizeof *limits->excluded, compare_prefixes);
        drop_twins(limits);
        return 0;
}

int pt_limit_read(struct pt_strict *s, json_t *value, struct pt_limit *limits)
{
        static const struct pt_strict_key keys[] = {
                {"ports", read_ports, offsetof(struct pt_limit, ports)},
                {"exclude_ports", read_ports, offsetof(struct pt_limit, except)},
                {"exclude_destinations", read_excluded, 0},
        };
        int r = pt_strict_object(s, value, keys, sizeof keys / sizeof *keys, limits);

        if (r == 0 && pt_limit_count(limits) == 0)
                r = pt_strict_refuse(s, "these limits leave no port");
        return r;
}

unsigned pt_limit_count(const struct pt_limit *limits)
{
        unsigned count = 0;

        for (size_t i = 0; i < PT_LIMIT_WORDS; i++)
                count += (unsigned)__builtin_popcountll(limits->ports[i] & ~limits->except[i]);
        return count;
}

bool pt_limit_same_excluded(const struct pt_limit *a, const struct pt_limit *b)
{
        if (a->excluded_count != b->excluded_count)
                return false;
        for (size_t i = 0; i < a->excluded_count; i++) {
                if (compare_prefixes(&a->excluded[i], &b->excluded[i]) != 0)
                        return false;
        }
        return true;
}
