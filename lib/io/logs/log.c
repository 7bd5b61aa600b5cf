#include "io/logs/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/logs/eve.h"
#include "io/logs/window.h"
#include "io/logs/zeek.h"

#define LOOKED_LINES 32 /* that may be broken at the beginning, before it is no log */
#define LOOKED_OCTETS ((size_t)128 << 10)

struct pt_log {
        struct pt_log_count count;
        struct pt_zeek zeek;
        struct pt_window window;
        struct pt_window_record given; /* the one that the last frame borrows */
        struct pt_said said;
        int64_t latest; /* time of the last record that was given */
        bool skipping;  /* in the middle of a line that is too long */
};

/* ---- one line ---- */

static void unreadable(struct pt_log *log, const char *reason)
{
        if (log->count.unreadable++)
                return;
        log->count.first = log->count.lines;
        log->count.reason = reason;
}

static enum pt_said_kind read_json(const char *line, size_t length, struct pt_said *said)
{
        json_t *object = json_loadb(line, length, 0, NULL);
        enum pt_said_kind kind;

        if (!object)
                return pt_said_bad(said, "no JSON object");
        if (pt_eve_is(object))
                kind = pt_eve_line(object, said);
        else if (pt_zeek_is(object))
                kind = pt_zeek_json(object, said);
        else
                kind = pt_said_bad(said, "no line of Zeek or Suricata");
        json_decref(object);
        return kind;
}

static enum pt_said_kind read_line(struct pt_log *log, const char *line, size_t length)
{
        struct pt_said *said = &log->said;

        if (length && line[length - 1] == '\r')
                length--;
        if (length == 0)
                return PT_SAID_OTHER;
        if (memchr(line, 0, length))
                return pt_said_bad(said, "it holds a NUL octet");
        if (line[0] == '{')
                return read_json(line, length, said);
        if (line[0] == '#')
                return pt_zeek_header(&log->zeek, line, length)
                               ? PT_SAID_OTHER
                               : pt_said_bad(said, "no header of Zeek's");
        if (!log->zeek.separator)
                return pt_said_bad(said, "neither JSON nor columns with a header");
        return pt_zeek_line(&log->zeek, line, length, said);
}

static int keep(struct pt_log *log)
{
        uint8_t octets[PT_LOGGED_MOST];
        struct pt_window_record record = {
                .time = log->said.time,
                .number = log->count.lines,
                .octets = octets,
        };

        record.length = (uint32_t)pt_logged_write(&log->said.logged, &log->said.answer, octets);
        return pt_window_put(&log->window, &record);
}

static int take_line(struct pt_log *log, const char *line, size_t length)
{
        log->count.lines++;
        switch (read_line(log, line, length)) {
        case PT_SAID_RECORD:
                return keep(log);
        case PT_SAID_OTHER:
                log->count.other++;
                break;
        case PT_SAID_BAD:
                unreadable(log, log->said.reason);
                break;
        }
        return 0;
}

/* ---- lines out of the source ---- */

/* The end of the line at `at`, reading on as far as need be; NULL if it does not end in memory. */
static const uint8_t *end_of_line(struct pt_source *source)
{
        size_t seen = 0, left;
        const uint8_t *end = NULL;

        while (!end && seen <= PT_LOG_LINE) {
                left = pt_source_left(source);
                if (left > seen)
                        end = memchr(source->at + seen, '\n', left - seen);
                seen = left;
                if (!end && !pt_source_want(source, left < source->capacity ? left + 1 : 2 * left))
                        return memchr(source->at + seen, '\n', pt_source_left(source) - seen);
        }
        return end;
}

static void skip_piece(struct pt_log *log, struct pt_source *source)
{
        if (!log->skipping) {
                log->count.lines++;
                unreadable(log, "it is longer than a mebibyte");
        }
        log->skipping = true;
        source->at = source->end;
}

/* One line, or a piece of one that is too long. FRAME if there was one; else why not. */
static enum pt_record next_line(struct pt_log *log, struct pt_source *source)
{
        const uint8_t *end = end_of_line(source), *at = source->at;
        size_t length;
        bool rest;

        if (!end && pt_source_left(source) > PT_LOG_LINE) {
                skip_piece(log, source);
                return PT_RECORD_FRAME;
        }
        if (!end && source->state == PT_SOURCE_LATER)
                return PT_RECORD_LATER;
        if (!end && pt_source_left(source) == 0)
                return source->state == PT_SOURCE_FAILED ? PT_RECORD_FAULT : PT_RECORD_END;
        length = end ? (size_t)(end - at) : pt_source_left(source);
        source->at += length + (end ? 1 : 0);
        rest = log->skipping;
        log->skipping = false;
        if (rest)
                return PT_RECORD_FRAME; /* the end of the line that is too long */
        if (length > PT_LOG_LINE) {
                log->count.lines++;
                unreadable(log, "it is longer than a mebibyte");
                return PT_RECORD_FRAME;
        }
        return take_line(log, (const char *)at, length) < 0 ? PT_RECORD_FAULT : PT_RECORD_FRAME;
}

/* ---- what it is ---- */

static bool is_sign(const char *line, size_t length)
{
        json_t *object;
        bool is;

        if (length > 11 && memcmp(line, "#separator ", 11) == 0)
                return true;
        if (!length || line[0] != '{')
                return false;
        object = json_loadb(line, length, 0, NULL);
        is = object && (pt_eve_is(object) || pt_zeek_is(object));
        json_decref(object);
        return is;
}

/* Zeek writes logs of many kinds: one whose columns are other ones is none of ours. */
static bool has_columns(const char *at, const char *end, const char **ret_words)
{
        struct pt_zeek zeek = {0};

        for (const char *stop; at < end && *at == '#'; at = stop + 1) {
                stop = memchr(at, '\n', (size_t)(end - at));
                if (!stop)
                        break;
                if (!pt_zeek_header(&zeek, at, (size_t)(stop - at)))
                        return false;
        }
        if (!zeek.dns && !zeek.conn)
                *ret_words = "a log of Zeek's, but neither dns.log nor conn.log";
        return zeek.dns || zeek.conn;
}

static bool is_log(struct pt_source *source, const char **ret_words)
{
        const char *at, *end, *stop;

        pt_source_want(source, source->capacity < LOOKED_OCTETS ? source->capacity : LOOKED_OCTETS);
        at = (const char *)source->at;
        end = (const char *)source->end;
        if (*at == '#')
                return has_columns(at, end, ret_words);
        for (int i = 0; i < LOOKED_LINES && at < end; i++, at = stop + 1) {
                stop = memchr(at, '\n', (size_t)(end - at));
                stop = stop ? stop : end;
                if (is_sign(at, (size_t)(stop - at)))
                        return true;
        }
        return false;
}

int pt_log_open(struct pt_source *source, struct pt_log **ret, const char **ret_words)
{
        struct pt_log *log;

        *ret_words = "neither pcap nor pcapng, nor a log of Zeek's or Suricata's";
        if (!is_log(source, ret_words))
                return -ENOMSG;
        log = calloc(1, sizeof *log);
        if (!log)
                return -ENOMEM;
        log->latest = INT64_MIN;
        *ret = log;
        return 0;
}

struct pt_log *pt_log_free(struct pt_log *log)
{
        if (!log)
                return NULL;
        pt_window_clear(&log->window);
        free(log->given.octets);
        free(log);
        return NULL;
}

/* ---- frames ---- */

#define LACKS_AT 2 /* where logged.c has them */

static bool give(struct pt_log *log, struct pt_frame *ret)
{
        struct pt_window_record *given = &log->given;

        free(given->octets);
        given->octets = NULL;
        if (!pt_window_take(&log->window, given))
                return false;
        if (given->time < log->latest) {
                given->time = log->latest;
                given->octets[LACKS_AT] |= PT_LOGGED_LATE;
        }
        log->latest = given->time;
        *ret = (struct pt_frame){
                .bytes = given->octets,
                .captured = given->length,
                .length = given->length,
                .linktype = PT_LINK_LOGGED,
                .time = given->time,
                .number = given->number,
        };
        return true;
}

enum pt_record pt_log_next(struct pt_log *log, struct pt_source *source, struct pt_frame *ret,
                           struct pt_record_fault *fault)
{
        enum pt_record record = PT_RECORD_FRAME;

        if (source->held)
                return PT_RECORD_LATER;
        while (record == PT_RECORD_FRAME && !pt_window_full(&log->window))
                record = next_line(log, source);
        if (record == PT_RECORD_LATER || give(log, ret))
                return record == PT_RECORD_LATER ? record : PT_RECORD_FRAME;
        if (record != PT_RECORD_FAULT)
                return PT_RECORD_END;
        if (source->state == PT_SOURCE_FAILED)
                return pt_record_refuse(source, fault, "%s", source->reason);
        pt_record_refuse(source, fault, "%s", strerror(ENOMEM));
        fault->error = ENOMEM;
        return PT_RECORD_FAULT;
}

struct pt_log_count pt_log_count(const struct pt_log *log)
{
        return log->count;
}
