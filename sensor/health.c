#include "health.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/counter.h"
#include "document/ecs.h"
#include "document/metrics.h"
#include "document/words.h"
#include "replace.h"
#include "say.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* Sums that documents have beside the counters. */
static const struct {
        const char *name;
        const char *help;
        const char *parts[6];
} sums[] = {
        {"decode.errors",
         "Packets that could not be decoded.",
         {"decode.short", "decode.truncated", "decode.malformed", "decode.too_deep"}},
        {"dns.errors",
         "DNS messages that could not be read whole.",
         {"dns.short", "dns.bad_question", "dns.bad_record"}},
};

#define OF_CAPTURE 3 /* numbers at most that only the capture knows */
#define OF_BESIDE 2
#define OF_PROOF 3

/* Room for what a stats document is made of. */
struct gathered {
        struct pt_ecs_number numbers[PT_COUNTS + COUNT(sums) + OF_CAPTURE + OF_BESIDE + OF_PROOF];
        struct pt_ecs_output *outputs;
        struct pt_ecs_stats stats;
};

int64_t pt_health_clock(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

uint64_t pt_health_count(const struct pt_engine *engine, const char *name)
{
        const char *present;
        uint64_t value;

        for (size_t i = 0; pt_engine_counter(engine, i, &present, &value); i++) {
                if (strcmp(present, name) == 0)
                        return value;
        }
        return 0;
}

/* The second number of /proc/self/statm, proc(5): pages. 0 if it cannot be read. */
static uint64_t resident_octets(void)
{
        FILE *file = fopen("/proc/self/statm", "re");
        char line[128], *rest = line;

        if (!file)
                return 0;
        if (!fgets(line, sizeof line, file))
                line[0] = '\0';
        fclose(file);
        strtoull(line, &rest, 10);
        return strtoull(rest, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/*
 * A capture file does not tell what was lost when it was made. An interface may not tell what it
 * lost: then there is no number, for 0 would be a lie.
 */
static size_t gather_capture(struct pt_live *live, struct pt_ecs_number *numbers)
{
        struct pt_live_stats stats = {.interface_known = true};
        size_t count = 0;

        if (live)
                stats = pt_live_stats(live);
        if (live)
                numbers[count++] = (struct pt_ecs_number){
                        "capture.received", stats.packets,
                        "Packets that passed the filter in the kernel, dropped ones included."};
        numbers[count++] = (struct pt_ecs_number){"capture.dropped", stats.dropped,
                                                  "Packets that the kernel dropped."};
        if (stats.interface_known)
                numbers[count++] =
                        (struct pt_ecs_number){"capture.interface_dropped", stats.interface_dropped,
                                               "Packets that the interface dropped."};
        return count;
}

/* Of the second handles, where there are any. */
static size_t gather_beside(struct pt_live *live, struct pt_ecs_number *numbers)
{
        struct pt_live_stats stats;

        if (!live || !pt_live_has_beside(live))
                return 0;
        stats = pt_live_stats_beside(live);
        numbers[0] = (struct pt_ecs_number){"outcome.received", stats.packets,
                                            "Packets that passed the second filter in the kernel, "
                                            "dropped ones included."};
        numbers[1] = (struct pt_ecs_number){"outcome.dropped", stats.dropped,
                                            "Those of them that the kernel dropped."};
        return OF_BESIDE;
}

static size_t gather_proof(const struct pt_proof *proof, struct pt_ecs_number *numbers)
{
        struct pt_proof_stats stats;

        if (!proof)
                return 0;
        stats = pt_proof_stats(proof);
        numbers[0] = (struct pt_ecs_number){"evidence.packets", stats.packets,
                                            "Packets of alerts in the file of --evidence."};
        numbers[1] = (struct pt_ecs_number){"evidence.incomplete", stats.incomplete,
                                            "Alerts of which that file lacks packets."};
        numbers[2] = (struct pt_ecs_number){"evidence.failed", stats.failed,
                                            "Those whose packets could not be written."};
        return OF_PROOF;
}

static size_t gather_numbers(const struct pt_engine *engine, struct pt_ecs_number *numbers)
{
        size_t count = 0;

        while (count < PT_COUNTS &&
               pt_engine_counter(engine, count, &numbers[count].name, &numbers[count].value)) {
                numbers[count].help = pt_counter_description((enum pt_counter)count);
                count++;
        }
        for (size_t i = 0; i < COUNT(sums); i++) {
                uint64_t sum = 0;

                for (size_t j = 0; sums[i].parts[j]; j++)
                        sum += pt_health_count(engine, sums[i].parts[j]);
                numbers[count++] = (struct pt_ecs_number){sums[i].name, sum, sums[i].help};
        }
        return count;
}

static size_t gather_outputs(const struct pt_output *output, struct pt_ecs_output *outputs)
{
        const char *destination;
        struct pt_sink_stats s;
        size_t count = 0;

        for (; pt_output_stats(output, count, &destination, &s); count++)
                outputs[count] = (struct pt_ecs_output){
                        .destination = destination,
                        .generated = s.generated,
                        .inherited = s.inherited,
                        .delivered = s.delivered,
                        .queued = s.queued,
                        .spooled = s.spooled,
                        .disk_full = s.dropped_disk_full,
                        .peer_down = s.dropped_peer_down,
                        .queue_full = s.dropped_queue_full,
                        .too_big = s.dropped_too_big,
                        .no_memory = s.dropped_no_memory,
                        .resent = s.resent,
                        .torn = s.closed_torn,
                };
        return count;
}

/* 0, or -ENOMEM. The outputs in it are to be freed. */
static int gather(const struct pt_health *health, struct gathered *ret)
{
        const char *destination;
        struct pt_sink_stats s;
        size_t count = 0, numbers;

        while (pt_output_stats(health->output, count, &destination, &s))
                count++;
        ret->outputs = calloc(count + 1, sizeof *ret->outputs);
        if (!ret->outputs)
                return -ENOMEM;
        numbers = gather_numbers(health->engine, ret->numbers);
        numbers += gather_capture(health->live, ret->numbers + numbers);
        numbers += gather_beside(health->live, ret->numbers + numbers);
        numbers += gather_proof(health->proof, ret->numbers + numbers);
        ret->stats = (struct pt_ecs_stats){
                .numbers = ret->numbers,
                .number_count = numbers,
                .uptime = pt_health_clock() - health->started,
                .memory = resident_octets(),
                .outputs = ret->outputs,
                .allow = health->allow,
                .output_count = gather_outputs(health->output, ret->outputs),
        };
        return 0;
}

/* ---- the document ---- */

int64_t pt_health_wall(void)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* What is most worth knowing, in one line. */
static void summarize(const struct pt_engine *engine, char *ret, size_t size)
{
        uint64_t packets = pt_health_count(engine, "capture.packets");
        uint64_t answers = pt_health_count(engine, "dns.responses");
        uint64_t syns = pt_health_count(engine, "connection.attempts");
        uint64_t alerts = pt_health_count(engine, "alert.generated");

        snprintf(ret, size,
                 "%" PRIu64 " packet%s, %" PRIu64 " DNS answer%s, %" PRIu64 " SYN%s (%" PRIu64
                 " eligible, %" PRIu64 " of them preceded by an answer), %" PRIu64 " alert%s",
                 packets, pt_say_plural(packets), answers, pt_say_plural(answers), syns,
                 pt_say_plural(syns), pt_health_count(engine, "syn.eligible"),
                 pt_health_count(engine, "syn.preceded_by_answer"), alerts, pt_say_plural(alerts));
}

int pt_health_tell(const struct pt_health *health)
{
        struct gathered gathered;
        char summary[256], time[PT_WORDS_TIME], text[320], *ecs;
        int64_t now = pt_health_wall();
        size_t length;
        int r = gather(health, &gathered);

        if (r < 0)
                return r;
        r = pt_ecs_stats(&gathered.stats, health->observer, now, pt_output_number(health->output),
                         &ecs, &length);
        free(gathered.outputs);
        if (r < 0)
                return r;
        summarize(health->engine, summary, sizeof summary);
        snprintf(text, sizeof text, "%s stats: %s\n", pt_words_time(now, time), summary);
        pt_output_line(health->output, ecs, text);
        free(ecs);
        return 0;
}

/* ---- files ---- */

int pt_health_write(const struct pt_health *health, const char *path)
{
        struct gathered gathered;
        char *text;
        size_t length;
        int r = gather(health, &gathered);

        if (r < 0)
                return r;
        r = pt_ecs_stats_object(&gathered.stats, &text, &length);
        free(gathered.outputs);
        if (r < 0)
                return r;
        r = pt_replace(path, text, length);
        free(text);
        return r;
}

int pt_health_metrics(const struct pt_health *health, const char *path)
{
        struct pt_metrics_alarm alarms[PT_HEALTH_ALARMS];
        struct gathered gathered;
        struct pt_metrics metrics = {
                .stats = &gathered.stats,
                .version = PT_VERSION,
                .started = health->started_wall,
                .alarms = alarms,
                .alarm_count = pt_health_alarms(health, alarms),
        };
        size_t length;
        char *text;
        int r = gather(health, &gathered);

        if (r < 0)
                return r;
        r = pt_metrics_text(&metrics, &text, &length);
        free(gathered.outputs);
        if (r < 0)
                return r;
        r = pt_replace(path, text, length);
        free(text);
        return r;
}
