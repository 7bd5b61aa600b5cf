/*
 * portent: the program. It sets up, hands the packets of its inputs to the engine, and takes down.
 */
#include <stdlib.h>
#include <string.h>

#include "io/live/live.h"
#include "rule/rule.h"
#include "arena.h"
#include "reload.h"
#include "say.h"
#include "service.h"
#include "setup.h"
#include "signals.h"
#include "watch.h"

/* ---- loop ---- */

static void note(struct pt_sensor *sensor, enum pt_status status)
{
        if (status > sensor->status)
                sensor->status = status;
}

/* Capture is open, all else is prepared: what comes from now on is seen. */
static void tell_ready(const struct pt_sensor *sensor)
{
        const struct pt_texts *interfaces = &sensor->options.interfaces;
        char status[256] = "";
        size_t used = 0;

        for (size_t i = 0; i < interfaces->count && used < sizeof status; i++)
                used += (size_t)snprintf(status + used, sizeof status - used, "%s%s",
                                         i ? ", " : "watching ", interfaces->list[i]);
        pt_service_ready(status);
}

static void reload(void *context)
{
        struct pt_sensor *sensor = context;
        const struct pt_reload reload = {
                .argc = sensor->argc,
                .argv = sensor->argv,
                .options = &sensor->options,
                .rules = &sensor->rules,
                .allow = &sensor->allow,
                .engine = sensor->engine,
                .health = &sensor->health,
        };

        pt_reload(&reload);
}

static void watch(struct pt_sensor *sensor)
{
        const struct pt_watch watch = {
                .engine = sensor->engine,
                .live = sensor->live,
                .output = sensor->output,
                .health = &sensor->health,
                .waiting = sensor->waiting,
                .reload = reload,
                .context = sensor,
        };

        tell_ready(sensor);
        if (pt_watch(&watch) < 0)
                note(sensor, PT_STATUS_START);
        pt_service_stopping();
}

static void replay(struct pt_sensor *sensor)
{
        struct pt_reading *reading = &sensor->reading;

        reading->options = &sensor->options;
        reading->engine = sensor->engine;
        reading->output = sensor->output;
        reading->health = &sensor->health;
        if (pt_reading_run(reading) < 0)
                note(sensor, pt_setup_no_memory());
        if (reading->troubled)
                note(sensor, PT_STATUS_INPUT);
}

static void loop(struct pt_sensor *sensor)
{
        pt_health_running(&sensor->health);
        if (sensor->live)
                watch(sensor);
        else
                replay(sensor);
}

/* ---- take down ---- */

static void write_stats(struct pt_sensor *sensor, const struct pt_health *health)
{
        const char *path = sensor->options.stats;
        int r = path ? pt_health_write(health, path) : 0;

        if (r == 0)
                return;
        pt_say_error("%s: %s", path, strerror(-r));
        note(sensor, PT_STATUS_START);
}

static void write_metrics(struct pt_sensor *sensor, const struct pt_health *health)
{
        const char *path = sensor->live ? NULL : sensor->options.metrics;
        int r = path ? pt_health_metrics(health, path) : 0;

        if (r == 0)
                return;
        pt_say_error("%s: %s", path, strerror(-r));
        note(sensor, PT_STATUS_START);
}

static const char *why_stopped(const struct pt_sensor *sensor)
{
        if (sensor->status != PT_STATUS_DONE)
                return pt_say_last_error();
        return pt_signals_name();
}

static void finish(struct pt_sensor *sensor)
{
        const struct pt_options *options = &sensor->options;
        struct pt_health *health = &sensor->health;
        struct pt_ecs_input *inputs = pt_reading_inputs(&sensor->reading, &health->input_count);

        health->unread = !sensor->live && pt_reading_nothing(&sensor->reading);
        health->outside = pt_reading_outside(&sensor->reading);
        pt_engine_finish(sensor->engine);
        pt_output_flush(sensor->output);
        if (options->log & PT_LOG_STATS && pt_health_tell(health) < 0)
                pt_output_missed(sensor->output, "a stats document");
        pt_health_look_back(health);
        pt_health_report(health);
        health->inputs = inputs;
        pt_health_stopped(health, why_stopped(sensor), sensor->status != PT_STATUS_DONE);
        health->inputs = NULL;
        free(inputs);
        pt_output_finish(sensor->output);
        write_stats(sensor, health);
        write_metrics(sensor, health);
        if (pt_output_lost(sensor->output))
                note(sensor, PT_STATUS_START);
        if (!options->quiet)
                pt_reading_last_words(&sensor->reading);
        if (options->quiet)
                pt_health_last_word(health);
        else
                pt_health_last_words(health, options->verbose);
}

static void take_down(struct pt_sensor *sensor)
{
        pt_service_end();
        pt_live_free(sensor->live);
        pt_reading_end(&sensor->reading);
        pt_engine_free(sensor->engine);
        pt_proof_free(sensor->proof);
        pt_output_free(sensor->output);
        pt_rules_free(sensor->rules);
        pt_allow_free(sensor->allow);
        pt_arena_end();
        pt_options_clear(&sensor->options);
}

int main(int argc, char **argv)
{
        struct pt_sensor sensor = {0};
        enum pt_status status = pt_setup(&sensor, argc, argv);

        if (status == PT_STATUS_GO) {
                loop(&sensor);
                finish(&sensor);
                status = sensor.status;
        }
        take_down(&sensor);
        return status;
}
