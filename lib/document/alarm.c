#include "document/alarm.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SECOND INT64_C(1000000000)
#define NEARLY_ALL 90 /* percent of the answers */

static const char *const names[PT_ALARM_KINDS] = {
        [PT_ALARM_NO_PACKETS] = "no_packets",
        [PT_ALARM_NO_ANSWERS] = "no_dns_answers",
        [PT_ALARM_NO_SYNS] = "no_syns",
        [PT_ALARM_ONE_WAY] = "answers_without_queries",
        [PT_ALARM_ABOVE_RESOLVER] = "above_resolver",
        [PT_ALARM_TRUNCATED] = "answers_truncated",
        [PT_ALARM_DROPPED] = "packets_dropped",
        [PT_ALARM_UNREAD] = "unread_encapsulation",
};

/* What an end has to say; the beginning has numbers. */
static const char *const endings[PT_ALARM_KINDS] = {
        [PT_ALARM_NO_PACKETS] = "packets come in again",
        [PT_ALARM_NO_ANSWERS] = "DNS answers come in again",
        [PT_ALARM_NO_SYNS] = "TCP SYNs come in again",
        [PT_ALARM_ONE_WAY] = "queries are seen again beside the answers",
        [PT_ALARM_ABOVE_RESOLVER] = "the answers go to those who connect again",
        [PT_ALARM_TRUNCATED] = "DNS answers are captured whole again",
        [PT_ALARM_DROPPED] = "the kernel dropped no packet in the last interval",
        [PT_ALARM_UNREAD] = "no such packet came in the last interval",
};

const char *pt_alarm_name(enum pt_alarm_kind kind)
{
        return names[kind];
}

/* One look: what it is made of, and where it is told. */
struct look {
        struct pt_alarms *alarms;
        const struct pt_alarm_figures *figures;
        struct pt_sight *sight;
        int64_t now;
        pt_alarm_tell *tell;
        void *context;
};

__attribute__((format(printf, 2, 3))) static void say(struct pt_alarm *alarm, const char *format,
                                                      ...)
{
        size_t length = strlen(alarm->sentence);
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(alarm->sentence + length, sizeof alarm->sentence - length, format, arguments);
        va_end(arguments);
}

static void tell_end(const struct look *look, enum pt_alarm_kind kind, int64_t since,
                     const char *subject)
{
        struct pt_alarm alarm = {.kind = kind, .since = since};

        snprintf(alarm.subject, sizeof alarm.subject, "%s", subject);
        say(&alarm, "%s, after %" PRId64 " s", endings[kind], (look->now - since) / SECOND);
        look->tell(look->context, &alarm);
}

static struct pt_alarm beginning(enum pt_alarm_kind kind, int64_t since, uint64_t count)
{
        return (struct pt_alarm){.kind = kind, .begins = true, .since = since, .count = count};
}

static void begin(const struct look *look, const struct pt_alarm *alarm)
{
        look->alarms->active[alarm->kind] = true;
        look->alarms->since[alarm->kind] = alarm->since;
        look->tell(look->context, alarm);
}

static void end(const struct look *look, enum pt_alarm_kind kind)
{
        if (!look->alarms->active[kind])
                return;
        look->alarms->active[kind] = false;
        tell_end(look, kind, look->alarms->since[kind], "");
}

/* ---- silence ---- */

static int64_t longest(const struct pt_alarms *alarms, enum pt_alarm_kind kind)
{
        const int64_t settings[] = {
                [PT_ALARM_NO_PACKETS] = alarms->settings.no_packets,
                [PT_ALARM_NO_ANSWERS] = alarms->settings.no_answers,
                [PT_ALARM_NO_SYNS] = alarms->settings.no_syns,
        };

        return settings[kind];
}

static void say_silence(const struct look *look, struct pt_alarm *alarm)
{
        int64_t seconds = (look->now - alarm->since) / SECOND;

        if (alarm->kind == PT_ALARM_NO_PACKETS)
                say(alarm,
                    "no packet for %" PRId64 " s: of what the sensor asks for (DNS, TCP SYNs and "
                    "the like) nothing comes in; look at the mirror session, the cable and the "
                    "interface's name",
                    seconds);
        else if (alarm->kind == PT_ALARM_NO_SYNS)
                say(alarm,
                    "no TCP SYN for %" PRId64 " s, though other packets come in: without the "
                    "beginnings of connections there is nothing to find; the mirror must show "
                    "what clients send",
                    seconds);
        else if (look->figures->queries > look->alarms->silence[PT_ALARM_NO_ANSWERS].queries)
                say(alarm,
                    "no DNS answer for %" PRId64 " s, though queries are seen: the mirror shows "
                    "one direction only, that to the resolver; no verdict can be stronger than "
                    "port_only",
                    seconds);
        else
                say(alarm,
                    "no DNS answer for %" PRId64 " s, though other packets come in: the mirror "
                    "leaves DNS out, or the clients' DNS is encrypted; no verdict can be stronger "
                    "than port_only",
                    seconds);
}

/* A total changed: whatever was silent is so no longer. */
static void heard(const struct look *look, enum pt_alarm_kind kind, uint64_t total)
{
        struct pt_alarms *a = look->alarms;

        a->silence[kind].total = total;
        a->silence[kind].changed = look->now;
        a->silence[kind].queries = look->figures->queries;
        if (kind == PT_ALARM_NO_PACKETS && a->active[kind]) {
                /* Answers and SYNs could not come meanwhile: their time begins now. */
                a->silence[PT_ALARM_NO_ANSWERS].changed = look->now;
                a->silence[PT_ALARM_NO_SYNS].changed = look->now;
        }
        end(look, kind);
}

static void look_at_silence(const struct look *look, enum pt_alarm_kind kind, uint64_t total)
{
        struct pt_alarms *a = look->alarms;
        struct pt_alarm alarm = beginning(kind, a->silence[kind].changed, 0);
        int64_t until = look->now;

        if (total != a->silence[kind].total) {
                heard(look, kind, total);
                return;
        }
        /* Where there are no packets at all, there is one cause, and one alarm. */
        if (kind != PT_ALARM_NO_PACKETS)
                until = a->silence[PT_ALARM_NO_PACKETS].changed;
        else if (look->figures->links_down)
                return;
        if (a->active[kind] || longest(a, kind) == 0 || until - alarm.since < longest(a, kind))
                return;
        say_silence(look, &alarm);
        begin(look, &alarm);
}

/* ---- shares ---- */

/* Begins, goes on or ends. Where there is too little to say, it goes on as it is. */
static void judge(const struct look *look, struct pt_alarm *alarm, bool known, bool bad)
{
        if (!known)
                return;
        if (!bad)
                end(look, alarm->kind);
        else if (!look->alarms->active[alarm->kind])
                begin(look, alarm);
}

/* Some queries are lost, some answers come twice: fewer than one in twenty is another thing. */
static void look_at_queries(const struct look *look)
{
        const struct pt_alarm_figures *was = &look->alarms->begin, *is = look->figures;
        uint64_t answers = is->responses - was->responses, queries = is->queries - was->queries;
        struct pt_alarm alarm = beginning(PT_ALARM_ONE_WAY, look->alarms->begun, answers);

        say(&alarm,
            "%" PRIu64 " DNS answers and %" PRIu64 " queries: the mirror shows one direction only, "
            "that to the clients; no answer can be told from one that was not asked for, so "
            "spoofed ones count too; let it show both directions",
            answers, queries);
        judge(look, &alarm, answers >= look->alarms->settings.least, queries < answers / 20 + 1);
}

static void look_at_truncation(const struct look *look)
{
        const struct pt_alarm_figures *was = &look->alarms->begin, *is = look->figures;
        uint64_t messages = is->messages - was->messages, cut = is->truncated - was->truncated;
        struct pt_alarm alarm = beginning(PT_ALARM_TRUNCATED, look->alarms->begun, cut);

        say(&alarm,
            "%" PRIu64 " of %" PRIu64 " DNS messages were cut by the capture: addresses at their "
            "end are not learned; the snapshot length is too small, or the mirror cuts packets",
            cut, messages);
        judge(look, &alarm, messages >= look->alarms->settings.least, cut > messages / 100);
}

static void look_at_drops(const struct look *look)
{
        const struct pt_alarm_figures *was = &look->alarms->begin, *is = look->figures;
        uint64_t packets = is->packets - was->packets, dropped = is->dropped - was->dropped;
        struct pt_alarm alarm = beginning(PT_ALARM_DROPPED, look->alarms->begun, dropped);

        say(&alarm,
            "the kernel dropped %" PRIu64 " packets, and %" PRIu64 " came in: the sensor was not "
            "fast enough, or its ring is too small for bursts",
            dropped, packets);
        judge(look, &alarm, true, dropped > 0);
}

static unsigned percent(uint64_t part, uint64_t whole)
{
        return whole ? (unsigned)((double)part * 100 / (double)whole + 0.5) : 0;
}

/*
 * Above a resolver, the resolver owns the answers and its clients send the SYNs, none of which was
 * preceded by an answer to its sender. Either alone is normal: one busy client at night; clients
 * that have cached what they need.
 */
static void look_at_owners(const struct look *look)
{
        const struct pt_alarm_settings *settings = &look->alarms->settings;
        const struct pt_sight *s = look->sight;
        struct pt_alarm alarm = beginning(PT_ALARM_ABOVE_RESOLVER, look->alarms->begun, s->answers);
        unsigned owners = pt_sight_owners(s, NEARLY_ALL), senders = pt_sight_senders(s);

        say(&alarm,
            "%u client%s nearly all of %" PRIu64
            " DNS answers, while %u hosts send SYNs, and %u %% "
            "of these had been given their destination: the sensor sits above a resolver; there "
            "dns_confirmed and dns_other_address are impossible for the resolver's clients, the "
            "best is dns_other_client; put the sensor between the clients and the resolver",
            owners, owners == 1 ? " owns" : "s own", s->answers, senders,
            percent(s->given, s->syns));
        judge(look, &alarm, s->answers >= settings->least && s->syns >= settings->least,
              owners && owners <= settings->few && senders > 2 * owners && s->given < s->syns / 10);
}

/* ---- what is not read ---- */

static void look_at_unread(const struct look *look, size_t place)
{
        const struct pt_alarm_unread *u = &look->figures->unread[place];
        uint64_t packets = u->packets - look->alarms->unread[place].begin;
        struct pt_alarm alarm = beginning(PT_ALARM_UNREAD, look->alarms->begun, packets);
        bool active = look->alarms->unread[place].active;

        look->alarms->unread[place].begin = u->packets;
        if (u->ordinary)
                return;
        snprintf(alarm.subject, sizeof alarm.subject, u->number > UINT8_MAX ? "%s 0x%04x" : "%s %u",
                 u->layer, u->number);
        if (!active && packets >= look->alarms->settings.least) {
                look->alarms->unread[place].active = true;
                look->alarms->unread[place].since = alarm.since;
                say(&alarm,
                    "%" PRIu64 " packets of %s, %s, which is not read: DNS and SYNs inside are not "
                    "seen; mirror where it has been taken off",
                    packets, alarm.subject, u->name ? u->name : "which has no name here");
                look->tell(look->context, &alarm);
        } else if (active && packets == 0) {
                look->alarms->unread[place].active = false;
                tell_end(look, PT_ALARM_UNREAD, look->alarms->unread[place].since, alarm.subject);
        }
}

/* ---- all of it ---- */

void pt_alarms_begin(struct pt_alarms *alarms, const struct pt_alarm_settings *settings,
                     int64_t now)
{
        *alarms = (struct pt_alarms){.settings = *settings, .begun = now};
        for (size_t i = 0; i <= PT_ALARM_NO_SYNS; i++)
                alarms->silence[i].changed = now;
}

void pt_alarms_set(struct pt_alarms *alarms, const struct pt_alarm_settings *settings)
{
        alarms->settings = *settings;
}

static void look_at_interval(const struct look *look)
{
        look_at_queries(look);
        look_at_truncation(look);
        look_at_drops(look);
        look_at_owners(look);
        for (size_t i = 0; i < look->figures->unread_count; i++)
                look_at_unread(look, i);
        look->alarms->begin = *look->figures;
        look->alarms->begun = look->now;
        pt_sight_begin(look->sight);
}

void pt_alarms_look(struct pt_alarms *alarms, int64_t now, const struct pt_alarm_figures *figures,
                    struct pt_sight *sight, pt_alarm_tell *tell, void *context)
{
        const struct look look = {alarms, figures, sight, now, tell, context};

        look_at_silence(&look, PT_ALARM_NO_PACKETS, figures->packets);
        look_at_silence(&look, PT_ALARM_NO_ANSWERS, figures->responses);
        look_at_silence(&look, PT_ALARM_NO_SYNS, figures->syns);
        if (now - alarms->begun >= alarms->settings.interval)
                look_at_interval(&look);
}

size_t pt_alarms_active(const struct pt_alarms *alarms)
{
        size_t count = 0;

        for (size_t i = 0; i < PT_ALARM_KINDS; i++)
                count += alarms->active[i];
        for (size_t i = 0; i < PT_ALARM_UNREAD_ROWS; i++)
                count += alarms->unread[i].active;
        return count;
}
