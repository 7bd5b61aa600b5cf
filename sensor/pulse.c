/*
 * pulse: how the sensor fares. Each change is one line in the log and one state document, and what
 * goes on stands in the metrics.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/counter.h"
#include "rule/rule.h"
#include "engine/state.h"
#include "document/words.h"
#include "health.h"
#include "say.h"
#include "standing.h"

#define SECOND INT64_C(1000000000)
#define DAY (86400 * SECOND)
#define COUNT(list) (sizeof(list) / sizeof *(list))

static const char *const levels[] = {
        [PT_NOTICE_INFO] = "info",
        [PT_NOTICE_WARNING] = "warning",
        [PT_NOTICE_ERROR] = "error",
};

/* ---- documents ---- */

static void tell_state(struct pt_health *health, struct pt_ecs_state *state)
{
        int64_t now = pt_health_wall();
        char time[PT_WORDS_TIME], text[1536], *ecs;
        size_t length;
        bool more;

        if (!(health->options->log & PT_LOG_STATE))
                return;
        state->process = getpid();
        if (pt_ecs_state(state, health->observer, now, pt_output_number(health->output), &ecs,
                         &length) < 0) {
                pt_output_missed(health->output, "a state document");
                return;
        }
        /* The signal that stopped it stands in the message already. */
        more = state->reason && !strstr(state->message, state->reason);
        snprintf(text, sizeof text, "%s sensor %s: %s%s%s\n", pt_words_time(now, time),
                 pt_ecs_phase_name(state->phase), state->message, more ? ": " : "",
                 more ? state->reason : "");
        pt_output_line(health->output, ecs, text);
        pt_output_flush(health->output);
        free(ecs);
}

/* "eth1, eth2", or the captures that are read. */
static void say_inputs(const struct pt_health *health, char *ret, size_t size)
{
        const struct pt_texts *list =
                health->live ? &health->options->interfaces : &health->options->inputs;
        size_t used = (size_t)snprintf(ret, size, health->live ? "capturing on " : "reading ");

        for (size_t i = 0; i < list->count && used < size; i++)
                used += (size_t)snprintf(ret + used, size - used, "%s%s", i ? ", " : "",
                                         list->list[i]);
}

/* What a document says about the configuration and the rules in effect. */
static void add_hashes(struct pt_health *health, struct pt_ecs_state *state,
                       char rules_hash[PT_RULES_HASH])
{
        if (pt_effect_hash(health->options, health->config_hash) == 0)
                state->config_hash = health->config_hash;
        state->rules_hash = pt_rules_hash(health->rules, rules_hash);
        state->rules = health->rules->count;
}

void pt_health_starting(struct pt_health *health)
{
        struct pt_ecs_state state = {
                .action = "sensor_state",
                .type = "info",
                .level = "info",
                .message = "Sensor is starting",
                .phase = PT_ECS_STARTING,
        };

        health->started_wall = pt_health_wall();
        tell_state(health, &state);
}

static struct pt_alarm_settings alarm_settings(const struct pt_options *options)
{
        return (struct pt_alarm_settings){
                .no_packets = options->alarm_no_packets,
                .no_answers = options->alarm_no_answers,
                .no_syns = options->alarm_no_syns,
                .interval = options->alarm_interval,
                .least = (uint64_t)options->alarm_least,
                .few = (unsigned)options->alarm_few,
        };
}

void pt_health_running(struct pt_health *health)
{
        const struct pt_alarm_settings settings = alarm_settings(health->options);
        char rules_hash[PT_RULES_HASH], inputs[512], message[640];
        struct pt_ecs_state state = {
                .action = "sensor_started",
                .type = "start",
                .level = "info",
                .outcome = "success",
                .message = message,
        };
        int64_t now = pt_health_clock();

        health->running = true;
        pt_alarms_begin(&health->alarms, &settings, now);
        pt_sight_begin(pt_engine_sight(health->engine));
        pt_visibility_begin(pt_engine_visibility(health->engine));
        health->stats_due = now + health->options->stats_interval;
        health->report_due = now + DAY;
        say_inputs(health, inputs, sizeof inputs);
        snprintf(message, sizeof message, "Sensor started, %s", inputs);
        state.phase = pt_standing_phase(health);
        add_hashes(health, &state, rules_hash);
        tell_state(health, &state);
}

void pt_health_reloaded(struct pt_health *health)
{
        const struct pt_alarm_settings settings = alarm_settings(health->options);
        char rules_hash[PT_RULES_HASH], message[128];
        struct pt_ecs_state state = {
                .action = "sensor_reloaded",
                .type = "change",
                .level = "info",
                .outcome = "success",
                .message = message,
                .phase = pt_standing_phase(health),
        };

        pt_alarms_set(&health->alarms, &settings);
        snprintf(message, sizeof message, "Sensor goes on with %zu rule%s read anew",
                 health->rules->count, pt_say_plural(health->rules->count));
        add_hashes(health, &state, rules_hash);
        tell_state(health, &state);
}

void pt_health_refused(struct pt_health *health, const char *error)
{
        struct pt_ecs_state state = {
                .action = "sensor_reload_refused",
                .type = "change",
                .level = "error",
                .outcome = "failure",
                .message = "Sensor goes on with the rules and the configuration it has: the new "
                           "ones were refused",
                .error = error,
                .phase = pt_standing_phase(health),
        };

        tell_state(health, &state);
}

/* ---- notices ---- */

static void say_at(enum pt_notice_level level, const char *subject, const char *sentence)
{
        const char *colon = *subject ? ": " : "";

        if (level == PT_NOTICE_INFO)
                pt_say("%s%s%s", subject, colon, sentence);
        else if (level == PT_NOTICE_WARNING)
                pt_say_warning("%s%s%s", subject, colon, sentence);
        else
                pt_say_error("%s%s%s", subject, colon, sentence);
}

void pt_health_notice(void *context, const struct pt_notice *notice)
{
        struct pt_health *health = context;
        struct pt_health_notice *kept;

        say_at(notice->level, notice->subject, notice->sentence);
        if (health->notice_count == PT_HEALTH_NOTICES) {
                health->notices_lost++;
                return;
        }
        kept = &health->notices[health->notice_count++];
        *kept = (struct pt_health_notice){
                .kind = notice->kind,
                .level = notice->level,
                .since = notice->since,
                .count = notice->count,
        };
        snprintf(kept->subject, sizeof kept->subject, "%s", notice->subject);
        snprintf(kept->sentence, sizeof kept->sentence, "%s", notice->sentence);
}

static bool is_about_capture(enum pt_notice_kind kind)
{
        return kind == PT_NOTICE_LINK_DOWN || kind == PT_NOTICE_LINK_UP ||
               kind == PT_NOTICE_CAPTURE_LOST || kind == PT_NOTICE_CAPTURE_RESUMED;
}

static void tell_notice(struct pt_health *health, const struct pt_health_notice *notice)
{
        char message[640];
        const struct pt_ecs_alarm alarm = {
                .name = pt_standing_notices[notice->kind].alarm,
                .active = pt_standing_notices[notice->kind].begins,
                .subject = notice->subject,
                .count = notice->count,
        };
        struct pt_ecs_state state = {
                .action = pt_standing_notices[notice->kind].action,
                .type = "change",
                .level = levels[notice->level],
                .outcome = pt_standing_notices[notice->kind].outcome,
                .message = message,
                .reason = notice->sentence,
                .since = notice->since,
                .alarm = &alarm,
                .interface = is_about_capture(notice->kind) ? notice->subject : NULL,
        };

        pt_standing_remember(health, notice);
        state.phase = pt_standing_phase(health);
        snprintf(message, sizeof message, "%s: %s", notice->subject, notice->sentence);
        tell_state(health, &state);
}

/* Each document may give an output reason for a new notice: that one is for the next round. */
static void tell_notices(struct pt_health *health)
{
        size_t count = health->notice_count;
        uint64_t lost = health->notices_lost;

        for (size_t i = 0; i < count; i++)
                tell_notice(health, &health->notices[i]);
        health->notice_count -= count;
        memmove(health->notices, health->notices + count,
                health->notice_count * sizeof *health->notices);
        health->notices_lost = 0;
        if (lost)
                pt_say_warning("%" PRIu64 " of the lines above did not become state documents: "
                               "there were too many at once",
                               lost);
}

/* ---- alarms ---- */

static void tell_alarm(void *context, const struct pt_alarm *alarm)
{
        struct pt_health *health = context;
        const struct pt_ecs_alarm told = {
                .name = pt_alarm_name(alarm->kind),
                .active = alarm->begins,
                .subject = alarm->subject,
                .count = alarm->count,
        };
        char message[128];
        struct pt_ecs_state state = {
                .action = alarm->begins ? "alarm_raised" : "alarm_cleared",
                .type = "change",
                .level = alarm->begins ? "warning" : "info",
                .message = message,
                .reason = alarm->sentence,
                .phase = pt_standing_phase(health),
                .since = pt_health_wall() - (pt_health_clock() - alarm->since),
                .alarm = &told,
        };

        say_at(alarm->begins ? PT_NOTICE_WARNING : PT_NOTICE_INFO, told.name, alarm->sentence);
        snprintf(message, sizeof message, "%s: %s%s%s",
                 alarm->begins ? "Alarm raised" : "Alarm cleared", told.name,
                 *alarm->subject ? " of " : "", alarm->subject);
        tell_state(health, &state);
}

static uint64_t count_of(const struct pt_engine *engine, enum pt_counter counter)
{
        const char *name;
        uint64_t value = 0;

        pt_engine_counter(engine, counter, &name, &value);
        return value;
}

static size_t gather_unread(const struct pt_engine *engine,
                            struct pt_alarm_unread rows[PT_ALARM_UNREAD_ROWS])
{
        struct pt_engine_unread u;
        size_t count = 0;

        for (; count < PT_ALARM_UNREAD_ROWS && pt_engine_unread(engine, count, &u); count++)
                rows[count] =
                        (struct pt_alarm_unread){u.layer, u.name, u.packets, u.number, u.ordinary};
        return count;
}

static void look(struct pt_health *health, int64_t now)
{
        const struct pt_engine *engine = health->engine;
        struct pt_alarm_unread rows[PT_ALARM_UNREAD_ROWS];
        struct pt_alarm_figures figures = {
                .packets = count_of(engine, PT_COUNT_CAPTURE_PACKETS),
                .syns = count_of(engine, PT_COUNT_CONNECTION_ATTEMPTS),
                .messages = count_of(engine, PT_COUNT_DNS_MESSAGES),
                .queries = count_of(engine, PT_COUNT_DNS_QUERIES),
                .responses = count_of(engine, PT_COUNT_DNS_RESPONSES),
                .truncated = count_of(engine, PT_COUNT_DNS_CUT),
                .dropped = pt_live_stats(health->live).dropped,
                .links_down = pt_standing_troubles(health, PT_NOTICE_LINK_DOWN) +
                                      pt_standing_troubles(health, PT_NOTICE_CAPTURE_LOST) >=
                              health->options->interfaces.count,
                .unread = rows,
                .unread_count = gather_unread(engine, rows),
        };

        pt_alarms_look(&health->alarms, now, &figures, pt_engine_sight(health->engine), tell_alarm,
                       health);
}

/* ---- what comes round ---- */

/* Said once, until it works again: the next try is in a minute. */
static void write_metrics(struct pt_health *health)
{
        const char *path = health->options->metrics;
        int r = path ? pt_health_metrics(health, path) : 0;

        if (r < 0 && !health->metrics_failed)
                pt_say_error("%s: %s", path, strerror(-r));
        health->metrics_failed = r < 0;
}

void pt_health_stats(struct pt_health *health)
{
        if (pt_health_tell(health) < 0)
                pt_output_missed(health->output, "a stats document");
        write_metrics(health);
}

void pt_health_look_back(struct pt_health *health)
{
        pt_visibility_report(pt_engine_visibility(health->engine), &health->seen);
}

void pt_health_report(struct pt_health *health)
{
        struct pt_visibility *visibility = pt_engine_visibility(health->engine);
        char time[PT_WORDS_TIME], sentence[PT_WORDS_VISIBILITY], text[512], *ecs;
        int64_t now = pt_health_wall();
        struct pt_visibility_report report;
        size_t length;

        if (!(health->options->log & PT_LOG_VISIBILITY))
                return;
        pt_visibility_report(visibility, &report);
        if (pt_ecs_visibility(visibility, health->observer, now, pt_output_number(health->output),
                              &ecs, &length) < 0) {
                pt_output_missed(health->output, "a report of visibility");
                return;
        }
        snprintf(text, sizeof text, "%s visibility: %s\n", pt_words_time(now, time),
                 pt_words_visibility(&report, sentence));
        pt_output_line(health->output, ecs, text);
        free(ecs);
        pt_visibility_begin(visibility);
}

int64_t pt_health_tick(struct pt_health *health, int64_t now)
{
        tell_notices(health);
        if (now >= health->look_due) {
                look(health, now);
                if (!health->look_due)
                        write_metrics(health); /* there is a file from the start */
                health->look_due = now + SECOND;
        }
        if (now >= health->stats_due) {
                if (health->options->log & PT_LOG_STATS)
                        pt_health_stats(health);
                else
                        write_metrics(health);
                health->stats_due = now + health->options->stats_interval;
        }
        if (now >= health->report_due) {
                pt_health_report(health);
                health->report_due = now + DAY;
        }
        if (health->notice_count)
                return now;
        return health->look_due < health->stats_due ? health->look_due : health->stats_due;
}

void pt_health_stopped(struct pt_health *health, const char *reason, bool failed)
{
        char message[320], rules_hash[PT_RULES_HASH];
        struct pt_ecs_state state = {
                .action = "sensor_stopped",
                .type = "end",
                .level = failed ? "error" : "info",
                .outcome = failed ? "failure" : "success",
                .message = message,
                .reason = reason,
                .phase = PT_ECS_STOPPING,
                .inputs = health->inputs,
                .input_count = health->input_count,
        };

        snprintf(message, sizeof message, "Sensor stopped%s%s", reason && !failed ? " by " : "",
                 reason && !failed ? reason : "");
        if (health->running)
                tell_notices(health);
        if (health->running && health->live)
                write_metrics(health);
        if (health->input_count) /* by what they were judged stands beside them */
                add_hashes(health, &state, rules_hash);
        tell_state(health, &state);
}
