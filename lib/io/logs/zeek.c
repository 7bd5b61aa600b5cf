#include "io/logs/zeek.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/logs/instant.h"

enum field {
        NO_FIELD,
        TS,
        ORIG_H,
        ORIG_P,
        RESP_H,
        RESP_P,
        PROTO,
        TRANS_ID,
        RTT,
        QUERY,
        QCLASS,
        QTYPE,
        RCODE,
        AA,
        TC,
        RD,
        RA,
        ANSWERS,
        TTLS,
        ORIG_BYTES,
        CONN_STATE,
        HISTORY,
        FIELDS,
};

static const char *const names[FIELDS] = {
        [TS] = "ts",
        [ORIG_H] = "id.orig_h",
        [ORIG_P] = "id.orig_p",
        [RESP_H] = "id.resp_h",
        [RESP_P] = "id.resp_p",
        [PROTO] = "proto",
        [TRANS_ID] = "trans_id",
        [RTT] = "rtt",
        [QUERY] = "query",
        [QCLASS] = "qclass",
        [QTYPE] = "qtype",
        [RCODE] = "rcode",
        [AA] = "AA",
        [TC] = "TC",
        [RD] = "RD",
        [RA] = "RA",
        [ANSWERS] = "answers",
        [TTLS] = "TTLs",
        [ORIG_BYTES] = "orig_bytes",
        [CONN_STATE] = "conn_state",
        [HISTORY] = "history",
};

#define LIST 256 /* elements of a list that are looked at */

struct list {
        struct pt_said_text element[LIST];
        size_t count;
};

struct row {
        struct pt_said_text field[FIELDS];
        struct list answers, ttls;
};

/* ---- what a row says ---- */

static bool ends(const struct row *row, struct pt_said *said)
{
        struct pt_logged *l = &said->logged;
        uint64_t client_port, server_port;

        if (!pt_said_address(&row->field[ORIG_H], &l->client) ||
            !pt_said_address(&row->field[RESP_H], &l->server) ||
            !pt_said_number(&row->field[ORIG_P], UINT16_MAX, &client_port) ||
            !pt_said_number(&row->field[RESP_P], UINT16_MAX, &server_port))
                return false;
        l->client_port = (uint16_t)client_port;
        l->server_port = (uint16_t)server_port;
        l->ipv6 = memchr(row->field[ORIG_H].text, ':', row->field[ORIG_H].length);
        return true;
}

static bool begins(const struct row *row, struct pt_said *said)
{
        const struct pt_said_text *ts = &row->field[TS];

        return ts->text && pt_instant_parse(ts->text, ts->length, &said->time);
}

/* An interval of whole seconds; a fraction is cut off. */
static uint32_t ttl_of(const struct pt_said_text *t)
{
        const char *point = t->text ? memchr(t->text, '.', t->length) : NULL;
        struct pt_said_text whole = {t->text, point ? (size_t)(point - t->text) : t->length};
        uint64_t value;

        return pt_said_number(&whole, UINT32_MAX, &value) ? (uint32_t)value : 0;
}

static uint16_t number(const struct row *row, enum field field)
{
        uint64_t value;

        return pt_said_number(&row->field[field], UINT16_MAX, &value) ? (uint16_t)value : 0;
}

static uint16_t flags_of(const struct row *row)
{
        static const struct {
                enum field field;
                uint16_t bit;
        } bits[] = {{AA, PT_DNS_AA}, {TC, PT_DNS_TC}, {RD, PT_DNS_RD}, {RA, PT_DNS_RA}};
        uint16_t flags = PT_DNS_QR | (number(row, RCODE) & 15);

        for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
                if (pt_said_is(&row->field[bits[i].field], "T"))
                        flags |= bits[i].bit;
        return flags;
}

/* Addresses among the answers: what reads like one is taken for one. */
static void put_answers(const struct row *row, struct pt_said *said)
{
        bool ttls = row->ttls.count > 0;

        for (size_t i = 0; i < row->answers.count; i++)
                pt_said_put(said, &row->answers.element[i], 0,
                            i < row->ttls.count ? ttl_of(&row->ttls.element[i]) : 0);
        said->logged.lacks = (uint8_t)(PT_LOGGED_NO_OWNERS | (ttls ? 0 : PT_LOGGED_NO_TTL));
}

static enum pt_said_kind dns(const struct row *row, struct pt_said *said)
{
        const struct pt_said_text *rtt = &row->field[RTT], *query = &row->field[QUERY];
        struct pt_logged *l = &said->logged;
        int64_t took = 0;

        if (l->server_port != PT_DNS_PORT ||
            (row->field[QCLASS].text && number(row, QCLASS) != PT_DNS_IN))
                return PT_SAID_OTHER;
        if (rtt->text && !pt_instant_span(rtt->text, rtt->length, &took))
                return pt_said_bad(said, "rtt is no time");
        if (query->text && pt_logged_name(query->text, query->length, &said->answer.names[0]) < 0)
                return pt_said_bad(said, "query is no name");
        put_answers(row, said);
        if (said->answer.count == 0)
                return PT_SAID_OTHER;
        l->kind = PT_LOGGED_ANSWER;
        l->id = number(row, TRANS_ID);
        l->flags = flags_of(row);
        l->question_type = number(row, QTYPE);
        l->asked = rtt->text; /* it has one if Zeek has seen both */
        said->time += took;
        return PT_SAID_RECORD;
}

/* History has an S for the SYN of who opened it; without a history the state says as much. */
static bool has_syn(const struct row *row)
{
        static const char *const states[] = {"S0", "S1",   "SF",   "REJ",    "S2",
                                             "S3", "RSTO", "RSTR", "RSTOS0", "SH"};
        const struct pt_said_text *history = &row->field[HISTORY];

        if (history->text)
                return memchr(history->text, 'S', history->length);
        for (size_t i = 0; i < sizeof states / sizeof *states; i++)
                if (pt_said_is(&row->field[CONN_STATE], states[i]))
                        return true;
        return false;
}

static bool client_sent(const struct row *row)
{
        const struct pt_said_text *history = &row->field[HISTORY];
        uint64_t octets;

        return pt_said_number(&row->field[ORIG_BYTES], UINT64_MAX, &octets)
                       ? octets > 0
                       : history->text && memchr(history->text, 'D', history->length);
}

static enum pt_said_kind conn(const struct row *row, struct pt_said *said)
{
        bool tcp = pt_said_is(&row->field[PROTO], "tcp");

        if (!row->field[PROTO].text)
                return pt_said_bad(said, "proto is missing");
        if (tcp && has_syn(row)) {
                said->logged.kind = PT_LOGGED_CONNECTION;
                return PT_SAID_RECORD;
        }
        if (!tcp && pt_said_is(&row->field[PROTO], "udp") && said->logged.server_port == 443 &&
            client_sent(row)) {
                said->logged.kind = PT_LOGGED_CONTACT;
                return PT_SAID_RECORD;
        }
        return PT_SAID_OTHER;
}

static enum pt_said_kind say(const struct row *row, bool is_dns, struct pt_said *said)
{
        enum pt_said_kind kind;

        pt_said_begin(said, PT_LOGGED_ZEEK);
        if (!begins(row, said))
                return pt_said_bad(said, "ts is no time");
        if (!ends(row, said))
                return pt_said_bad(said, "id.* are no addresses and ports");
        kind = is_dns ? dns(row, said) : conn(row, said);
        said->logged.wall = said->time;
        return kind;
}

/* ---- columns ---- */

/* The next piece of the line up to a separator; false behind the last. */
static bool next(const char **at, const char *end, char separator, struct pt_said_text *ret)
{
        const char *stop;

        if (!*at)
                return false;
        stop = memchr(*at, separator, (size_t)(end - *at));
        ret->text = *at;
        ret->length = (size_t)((stop ? stop : end) - *at);
        *at = stop ? stop + 1 : NULL;
        return true;
}

static enum field field_of(const struct pt_said_text *name)
{
        for (enum field i = TS; i < FIELDS; i++)
                if (pt_said_is(name, names[i]))
                        return i;
        return NO_FIELD;
}

static bool has(const struct pt_zeek *zeek, enum field field)
{
        return memchr(zeek->field, (int)field, zeek->columns);
}

static bool read_fields(struct pt_zeek *zeek, const char *at, const char *end)
{
        struct pt_said_text name;

        for (zeek->columns = 0; next(&at, end, zeek->separator, &name);) {
                if (zeek->columns == PT_ZEEK_COLUMNS) {
                        zeek->columns = 0;
                        return false;
                }
                zeek->field[zeek->columns++] = (uint8_t)field_of(&name);
        }
        zeek->dns = has(zeek, ORIG_H) && has(zeek, QUERY) && has(zeek, ANSWERS);
        zeek->conn = has(zeek, ORIG_H) && (has(zeek, CONN_STATE) || has(zeek, HISTORY));
        return true;
}

/* "#separator \x09": the only line with a space for it. */
static bool read_separator(struct pt_zeek *zeek, const char *at, const char *end)
{
        char text[5] = "", *rest;
        unsigned long value;

        *zeek = (struct pt_zeek){.set_separator = ',', .unset = "-"};
        if (end - at == 1) {
                zeek->separator = *at;
                return true;
        }
        if (end - at != 4)
                return false;
        memcpy(text, at, 4);
        if (memcmp(text, "\\x", 2) != 0)
                return false;
        value = strtoul(text + 2, &rest, 16);
        if (*rest || value == 0)
                return false;
        zeek->separator = (char)value;
        return true;
}

bool pt_zeek_header(struct pt_zeek *zeek, const char *line, size_t length)
{
        const char *at = line, *end = line + length;
        struct pt_said_text key;

        if (length > 11 && memcmp(line, "#separator ", 11) == 0)
                return read_separator(zeek, line + 11, end);
        if (!zeek->separator)
                return false;
        next(&at, end, zeek->separator, &key);
        if (!at)
                return true; /* a key without a value is nothing that matters here */
        if (pt_said_is(&key, "#fields"))
                return read_fields(zeek, at, end);
        if (pt_said_is(&key, "#set_separator") && end - at == 1)
                zeek->set_separator = *at;
        if (pt_said_is(&key, "#unset_field") && (size_t)(end - at) < sizeof zeek->unset) {
                memcpy(zeek->unset, at, (size_t)(end - at));
                zeek->unset[end - at] = 0;
        }
        return true;
}

static void split(const struct pt_said_text *text, char separator, struct list *ret)
{
        const char *at = text->text;

        ret->count = 0;
        if (!at)
                return;
        while (ret->count < LIST &&
               next(&at, text->text + text->length, separator, &ret->element[ret->count]))
                ret->count++;
}

enum pt_said_kind pt_zeek_line(const struct pt_zeek *zeek, const char *line, size_t length,
                               struct pt_said *said)
{
        const char *at = line;
        struct pt_said_text value;
        size_t column = 0;
        struct row row;

        if (!zeek->dns && !zeek->conn)
                return zeek->columns ? PT_SAID_OTHER
                                     : pt_said_bad(said, "it stands before #fields");
        memset(row.field, 0, sizeof row.field);
        for (; next(&at, line + length, zeek->separator, &value); column++)
                if (column < zeek->columns && !pt_said_is(&value, zeek->unset))
                        row.field[zeek->field[column]] = value;
        if (column != zeek->columns)
                return pt_said_bad(said, column < zeek->columns ? "columns are missing"
                                                                : "there are too many columns");
        split(&row.field[ANSWERS], zeek->set_separator, &row.answers);
        split(&row.field[TTLS], zeek->set_separator, &row.ttls);
        return say(&row, zeek->dns, said);
}

/* ---- JSON ---- */

bool pt_zeek_is(const json_t *object)
{
        return json_object_get(object, "id.orig_h") && json_object_get(object, "ts");
}

#define DIGITS 32

/* Numbers and truth as columns would have them, in `room`. */
static struct pt_said_text text_of(const json_t *value, char room[DIGITS])
{
        if (json_is_string(value))
                return (struct pt_said_text){json_string_value(value), json_string_length(value)};
        if (json_is_boolean(value))
                snprintf(room, DIGITS, "%s", json_is_true(value) ? "T" : "F");
        else if (json_is_integer(value))
                snprintf(room, DIGITS, "%lld", (long long)json_integer_value(value));
        else if (json_is_real(value)) /* Zeek writes microseconds, and a double holds no more */
                snprintf(room, DIGITS, "%.6f", json_real_value(value));
        else
                return (struct pt_said_text){0};
        return (struct pt_said_text){room, strlen(room)};
}

static void list_of(const json_t *array, struct list *ret, char room[LIST][DIGITS])
{
        size_t count = json_array_size(array);

        for (ret->count = 0; ret->count < count && ret->count < LIST; ret->count++)
                ret->element[ret->count] =
                        text_of(json_array_get(array, ret->count), room[ret->count]);
}

enum pt_said_kind pt_zeek_json(const json_t *object, struct pt_said *said)
{
        char rooms[FIELDS][DIGITS], answers[LIST][DIGITS], ttls[LIST][DIGITS];
        struct row row;

        memset(row.field, 0, sizeof row.field);
        for (enum field i = TS; i < FIELDS; i++)
                row.field[i] = text_of(json_object_get(object, names[i]), rooms[i]);
        list_of(json_object_get(object, names[ANSWERS]), &row.answers, answers);
        list_of(json_object_get(object, names[TTLS]), &row.ttls, ttls);
        if (row.field[CONN_STATE].text || row.field[HISTORY].text)
                return say(&row, false, said);
        if (row.field[TRANS_ID].text || row.field[QUERY].text || row.answers.count)
                return say(&row, true, said);
        return PT_SAID_OTHER;
}
