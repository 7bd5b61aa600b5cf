#include "setter.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "io/output/sink.h"
#include "moment.h"

static const char *const formats[] = {"auto", "ecs", "text"};
static const char *const kinds[] = {"alert",       "dns",   "connection", "stats",
                                    "expectation", "state", "visibility", "outcome"};

#define COUNT(list) (sizeof(list) / sizeof *(list))

const char *pt_format_name(enum pt_format format)
{
        return formats[format];
}

const char *pt_log_kind_name(unsigned place)
{
        return place < COUNT(kinds) ? kinds[place] : NULL;
}

static int add(struct pt_texts *texts, const char *text)
{
        char **list = realloc(texts->list, (texts->count + 2) * sizeof *list);

        if (!list)
                return -ENOMEM;
        texts->list = list;
        list[texts->count] = strdup(text);
        if (!list[texts->count])
                return -ENOMEM;
        list[++texts->count] = NULL;
        return 0;
}

void pt_setter_clear(struct pt_texts *texts)
{
        for (size_t i = 0; i < texts->count; i++)
                free(texts->list[i]);
        free(texts->list);
        *texts = (struct pt_texts){0};
}

static int set_flag(const struct pt_option *option, void *into, const char *text, char *sentence)
{
        (void)option;
        (void)sentence;
        *(bool *)into = strcmp(text, "false") != 0;
        return 0;
}

static int set_text(const struct pt_option *option, void *into, const char *text, char *sentence)
{
        char **member = into, *copy;

        (void)option;
        if (!*text)
                return pt_option_refuse(sentence, "an empty text means nothing here");
        copy = strdup(text);
        if (!copy)
                return -ENOMEM;
        free(*member);
        *member = copy;
        return 0;
}

static int set_duration(const struct pt_option *option, void *into, const char *text,
                        char *sentence)
{
        char low[PT_VALUE_TEXT], high[PT_VALUE_TEXT];
        int64_t duration;

        if (!pt_duration_parse(text, &duration))
                return pt_option_refuse(sentence,
                                        "\"%.60s\" is no duration: a whole number and one of ns us "
                                        "ms s m h d is expected, as 10m",
                                        text);
        if (duration < option->low || duration > option->high)
                return pt_option_refuse(sentence, "%.60s is out of range: %s to %s", text,
                                        pt_duration_format(option->low, low),
                                        pt_duration_format(option->high, high));
        *(int64_t *)into = duration;
        return 0;
}

static int set_size(const struct pt_option *option, void *into, const char *text, char *sentence)
{
        char low[PT_VALUE_TEXT], high[PT_VALUE_TEXT];
        int64_t size;

        if (!pt_size_parse(text, &size))
                return pt_option_refuse(
                        sentence,
                        "\"%.60s\" is no size: a whole number of octets, or of K, M "
                        "or G, is expected, as 64M",
                        text);
        if (size < option->low || size > option->high)
                return pt_option_refuse(sentence, "%.60s is out of range: %s to %s", text,
                                        pt_size_format(option->low, low),
                                        pt_size_format(option->high, high));
        *(int64_t *)into = size;
        return 0;
}

static int set_number(const struct pt_option *option, void *into, const char *text, char *sentence)
{
        char *end;
        long long number;

        errno = 0;
        number = strtoll(text, &end, 10);
        if (!isdigit((unsigned char)*text) || *end || errno)
                return pt_option_refuse(sentence, "\"%.60s\" is no whole number", text);
        if (number < option->low || number > option->high)
                return pt_option_refuse(sentence, "%.60s is out of range: %" PRId64 " to %" PRId64,
                                        text, option->low, option->high);
        *(int64_t *)into = number;
        return 0;
}

static int set_fraction(const struct pt_option *option, void *into, const char *text,
                        char *sentence)
{
        char *end;
        double value = strtod(text, &end);

        (void)option;
        if (end == text || *end || !(value > 0 && value <= 1))
                return pt_option_refuse(
                        sentence, "\"%.60s\" is no number above 0 and up to 1, as 0.0005", text);
        *(double *)into = value;
        return 0;
}

static int set_ports(const struct pt_option *option, void *into, const char *text, char *sentence)
{
        (void)option;
        if (!pt_ports_parse(text, into))
                return pt_option_refuse(
                        sentence,
                        "\"%.60s\" is no range of ports: two numbers from 0 to 65535 "
                        "are expected, the lower one first, as 4096-49151",
                        text);
        return 0;
}

static int set_moment(const struct pt_option *option, void *into, const char *text, char *sentence)
{
        int64_t moment;

        (void)option;
        if (!pt_moment_parse(text, &moment))
                return pt_option_refuse(sentence,
                                        "\"%.60s\" is no time: as 2026-11-24T19:57:03Z or "
                                        "2026-11-24T20:57:03+01:00 is expected, or seconds since "
                                        "1970",
                                        text);
        *(int64_t *)into = moment ? moment : 1; /* 0 is none */
        return 0;
}

static int set_format(const struct pt_option *option, void *into, const char *text, char *sentence)
{
        (void)option;
        for (size_t i = 0; i < COUNT(formats); i++) {
                if (strcmp(text, formats[i]) != 0)
                        continue;
                *(enum pt_format *)into = (enum pt_format)i;
                return 0;
        }
        return pt_option_refuse(sentence, "\"%.60s\" is no format: there are ecs, text and auto",
                                text);
}

/* The next of several texts separated by commas, blanks around it left out. */
static bool next_part(const char **at, char *ret, size_t size)
{
        const char *begin = *at, *end;

        if (!begin)
                return false;
        end = strchrnul(begin, ',');
        *at = *end ? end + 1 : NULL;
        begin += strspn(begin, " ");
        while (end > begin && end[-1] == ' ')
                end--;
        snprintf(ret, size, "%.*s", (int)(end - begin), begin);
        return true;
}

static int set_kind(unsigned *kinds_set, const char *text, char *sentence)
{
        for (size_t i = 0; i < COUNT(kinds); i++) {
                if (strcmp(text, kinds[i]) != 0)
                        continue;
                *kinds_set |= 1u << i;
                return 0;
        }
        return pt_option_refuse(
                sentence,
                "\"%.60s\" is no kind of document: there are alert, dns, connection, "
                "stats, expectation, state, visibility and outcome",
                text);
}

static int set_kinds(const struct pt_option *option, void *into, const char *text, char *sentence)
{
        char part[64];
        int r = 0;

        (void)option;
        while (r == 0 && next_part(&text, part, sizeof part))
                r = set_kind(into, part, sentence);
        return r;
}

static int add_text(const struct pt_option *option, void *into, const char *text, char *sentence)
{
        (void)option;
        if (!*text)
                return pt_option_refuse(sentence, "an empty text means nothing here");
        return add(into, text);
}

static int add_output(const struct pt_option *option, void *into, const char *text, char *sentence)
{
        const struct pt_texts *outputs = into;

        for (size_t i = 0; i < outputs->count; i++) {
                if (strcmp(outputs->list[i], text) == 0)
                        return pt_option_refuse(sentence, "%.200s is given twice", text);
        }
        if (pt_sink_check(text, sentence) < 0)
                return -EINVAL;
        return add_text(option, into, text, sentence);
}

static int add_address(const struct pt_option *option, void *into, const char *text, char *sentence)
{
        struct pt_address address;
        uint16_t port;

        (void)option;
        if (!pt_endpoint_parse(text, &address, &port))
                return pt_option_refuse(sentence, "\"%.60s\" is no IP address%s", text,
                                        strchr(text, ':') ? ", nor one with a port behind it" : "");
        return add(into, text);
}

static int add_prefixes(const struct pt_option *option, void *into, const char *text,
                        char *sentence)
{
        struct pt_prefix prefix;
        char part[64];
        int r = 0;

        while (r == 0 && next_part(&text, part, sizeof part)) {
                if (pt_prefix_parse(part, &prefix) < 0)
                        return pt_option_refuse(
                                sentence,
                                "\"%.60s\" is no network as 10.0.0.0/8 or fc00::/7, "
                                "with no bits set beyond its length",
                                part);
                if (option->type == PT_OPTION_NAT64 &&
                    (prefix.bits != 96 || pt_address_is_ipv4(&prefix.address)))
                        return pt_option_refuse(sentence,
                                                "\"%.60s\" is no IPv6 network of 96 bits, as "
                                                "64:ff9b::/96",
                                                part);
                r = add(into, part);
        }
        return r;
}

static int (*const setters[PT_OPTION_TYPES])(const struct pt_option *, void *, const char *,
                                             char *) = {
        [PT_OPTION_FLAG] = set_flag,         [PT_OPTION_TEXT] = set_text,
        [PT_OPTION_DURATION] = set_duration, [PT_OPTION_SIZE] = set_size,
        [PT_OPTION_NUMBER] = set_number,     [PT_OPTION_MOMENT] = set_moment,
        [PT_OPTION_FRACTION] = set_fraction, [PT_OPTION_PORTS] = set_ports,
        [PT_OPTION_FORMAT] = set_format,     [PT_OPTION_KINDS] = set_kinds,
        [PT_OPTION_LIST] = add_text,         [PT_OPTION_OUTPUTS] = add_output,
        [PT_OPTION_ADDRESSES] = add_address, [PT_OPTION_PREFIXES] = add_prefixes,
        [PT_OPTION_NAT64] = add_prefixes,
};

int pt_setter_set(const struct pt_option *option, void *into, const char *text,
                  char sentence[PT_OPTION_SENTENCE])
{
        return setters[option->type](option, into, text, sentence);
}
