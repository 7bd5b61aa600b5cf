#include "document/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GAUGE "(gauge)."

/* Text that grows. Once memory ran out it stays as it is. */
struct text {
        char *at;
        size_t length;
        size_t room;
        bool failed;
};

static bool make_room(struct text *t, size_t needed)
{
        size_t room = t->room ? t->room : 4096;
        char *bigger;

        while (room - t->length < needed)
                room *= 2;
        if (room == t->room)
                return true;
        bigger = realloc(t->at, room);
        if (!bigger) {
                t->failed = true;
                return false;
        }
        t->at = bigger;
        t->room = room;
        return true;
}

__attribute__((format(printf, 2, 3))) static void say(struct text *t, const char *format, ...)
{
        va_list arguments;
        int length;

        va_start(arguments, format);
        length = vsnprintf(NULL, 0, format, arguments);
        va_end(arguments);
        if (t->failed || length < 0 || !make_room(t, (size_t)length + 1))
                return;
        va_start(arguments, format);
        vsnprintf(t->at + t->length, t->room - t->length, format, arguments);
        va_end(arguments);
        t->length += (size_t)length;
}

static bool ends_with(const char *text, const char *end)
{
        size_t length = strlen(text), tail = strlen(end);

        return length >= tail && strcmp(text + length - tail, end) == 0;
}

/*
 * "capture.packets" -> "portent_capture_packets_total". A gauge must not end so:
 * "cache.cells_total" is how many there are, "portent_cache_cells_capacity".
 */
static void name_of(const struct pt_ecs_number *number, bool gauge, char *ret, size_t size)
{
        bool total = ends_with(number->name, "_total");
        size_t stem = strlen(number->name) - (gauge && total ? strlen("_total") : 0);

        snprintf(ret, size, "portent_%.*s%s", (int)stem, number->name,
                 gauge && total ? "_capacity"
                 : gauge        ? ""
                                : "_total");
        for (char *p = ret; *p; p++) {
                if (*p == '.')
                        *p = '_';
        }
}

static void head(struct text *t, const char *name, const char *help, const char *type)
{
        say(t, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void numbers(struct text *t, const struct pt_ecs_stats *stats)
{
        for (size_t i = 0; i < stats->number_count; i++) {
                const struct pt_ecs_number *number = &stats->numbers[i];
                const char *help = number->help ? number->help : number->name;
                bool gauge = ends_with(help, GAUGE);
                char name[128];

                name_of(number, gauge, name, sizeof name);
                head(t, name, help, gauge ? "gauge" : "counter");
                say(t, "%s %" PRIu64 "\n", name, number->value);
        }
}

/* A label's value: backslash, quote and line feed are written with a backslash. */
static void say_label(struct text *t, const char *label, const char *value)
{
        say(t, "%s=\"", label);
        for (; *value; value++) {
                if (*value == '\n')
                        say(t, "\\n");
                else if (*value == '\\' || *value == '"')
                        say(t, "\\%c", *value);
                else
                        say(t, "%c", *value);
        }
        say(t, "\"");
}

static void output_number(struct text *t, const char *name, const struct pt_ecs_output *output,
                          const char *cause, uint64_t value)
{
        say(t, "%s{", name);
        say_label(t, "destination", output->destination);
        if (cause) {
                say(t, ",");
                say_label(t, "cause", cause);
        }
        say(t, "} %" PRIu64 "\n", value);
}

static void outputs(struct text *t, const struct pt_ecs_stats *stats)
{
        static const struct {
                const char *name, *help, *type;
                size_t offset;
        } rows[] = {
                {"portent_output_generated_total", "Documents made for the output.", "counter",
                 offsetof(struct pt_ecs_output, generated)},
                {"portent_output_inherited_total", "Documents that an earlier run left.", "counter",
                 offsetof(struct pt_ecs_output, inherited)},
                {"portent_output_delivered_total", "Documents delivered.", "counter",
                 offsetof(struct pt_ecs_output, delivered)},
                {"portent_output_queued", "Documents that wait in memory.", "gauge",
                 offsetof(struct pt_ecs_output, queued)},
                {"portent_output_spooled", "Documents that wait on disk.", "gauge",
                 offsetof(struct pt_ecs_output, spooled)},
                {"portent_output_resent_total", "Documents given away once more.", "counter",
                 offsetof(struct pt_ecs_output, resent)},
                {"portent_output_torn_total", "Torn lines that were closed.", "counter",
                 offsetof(struct pt_ecs_output, torn)},
        };
        const struct pt_ecs_output *o, *end = stats->outputs + stats->output_count;

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                head(t, rows[i].name, rows[i].help, rows[i].type);
                for (o = stats->outputs; o < end; o++)
                        output_number(t, rows[i].name, o, NULL,
                                      *(const uint64_t *)(const void *)((const char *)o +
                                                                        rows[i].offset));
        }
        head(t, "portent_output_dropped_total", "Documents lost, by cause.", "counter");
        for (o = stats->outputs; o < end; o++) {
                output_number(t, "portent_output_dropped_total", o, "disk_full", o->disk_full);
                output_number(t, "portent_output_dropped_total", o, "peer_down", o->peer_down);
                output_number(t, "portent_output_dropped_total", o, "queue_full", o->queue_full);
                output_number(t, "portent_output_dropped_total", o, "too_big", o->too_big);
                output_number(t, "portent_output_dropped_total", o, "no_memory", o->no_memory);
        }
}

static void sensor(struct text *t, const struct pt_metrics *metrics)
{
        head(t, "portent_build_info", "Always 1; the label says which version runs.", "gauge");
        say(t, "portent_build_info{");
        say_label(t, "version", metrics->version);
        say(t, "} 1\n");
        head(t, "portent_start_time_seconds", "When the sensor started, seconds since 1970.",
             "gauge");
        say(t, "portent_start_time_seconds %" PRId64 ".%03" PRId64 "\n",
            metrics->started / 1000000000, metrics->started / 1000000 % 1000);
        if (metrics->stats->memory) {
                head(t, "portent_memory_bytes", "Resident memory.", "gauge");
                say(t, "portent_memory_bytes %" PRIu64 "\n", metrics->stats->memory);
        }
        if (!metrics->alarm_count)
                return;
        head(t, "portent_alarm_active", "How many alarms of this name hold now.", "gauge");
        for (size_t i = 0; i < metrics->alarm_count; i++) {
                say(t, "portent_alarm_active{");
                say_label(t, "alarm", metrics->alarms[i].name);
                say(t, "} %" PRIu64 "\n", metrics->alarms[i].active);
        }
}

int pt_metrics_text(const struct pt_metrics *metrics, char **ret, size_t *ret_length)
{
        struct text t = {0};

        sensor(&t, metrics);
        numbers(&t, metrics->stats);
        if (metrics->stats->output_count)
                outputs(&t, metrics->stats);
        if (t.failed) {
                free(t.at);
                return -ENOMEM;
        }
        *ret = t.at;
        *ret_length = t.length;
        return 0;
}
