/*
 * portent: the program. It sets up, hands the packets of its inputs to the engine, and takes down.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/io/replay.h"
#include "../lib/rule.h"
#include "arena.h"
#include "check.h"
#include "config.h"
#include "effect.h"
#include "explain.h"
#include "health.h"
#include "interfaces.h"
#include "load.h"
#include "options.h"
#include "output.h"
#include "proof.h"
#include "reading.h"
#include "sandbox.h"
#include "reload.h"
#include "say.h"
#include "selftest.h"
#include "service.h"
#include "signals.h"
#include "watch.h"

enum status {
        STATUS_DONE = 0,
        STATUS_USAGE = 1, /* wrong usage, configuration or rules */
        STATUS_INPUT = 2, /* an input could not be read, or was cut */
        STATUS_START = 3, /* could not start, or lost its capture or an output */
        STATUS_GO = -1,   /* nothing has ended yet */
};

#define HASH_SEED 0x706f7274 /* a constant: documents must not depend on it, nor runs differ */
#define DOCUMENT_MEMORY ((size_t)1 << 20)

struct sensor {
        struct pt_options options;
        struct pt_rules *rules;
        struct pt_allow *allow;
        struct pt_engine *engine;
        struct pt_live *live; /* NULL in replay */
        struct pt_output *output;
        struct pt_proof *proof; /* NULL without --evidence */
        struct pt_health health;
        sigset_t waiting; /* live: the signals that come through while it waits */
        struct pt_observer observer;
        char hostname[256];
        struct pt_reading reading;
        int argc; /* the command line is read again when the rules are */
        char **argv;
        enum status status; /* the worst so far */
        bool stdout_closed;
};

/* ---- set up ---- */

/* Was standard output closed when we began? Then nothing can be written to it. */
static bool keep_standard_descriptors(void)
{
        bool closed = fcntl(STDOUT_FILENO, F_GETFD) < 0;

        /* Where one was closed, the first output file would take its place, and our words with it.
         */
        for (int fd = 0; fd <= 2; fd++) {
                if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_WRONLY : O_RDONLY) < 0)
                        abort();
        }
        return closed;
}

static enum status refuse(const char *sentence)
{
        pt_say_error("%s", sentence);
        return STATUS_USAGE;
}

static enum status no_memory(void)
{
        pt_say_error("%s", strerror(ENOMEM));
        return STATUS_START;
}

static enum status read_options(struct pt_options *options, int argc, char **argv)
{
        struct pt_rule_error error = {0};
        int r = pt_config_options(argc, argv, options, &error);

        if (r == -EINVAL) {
                pt_say_fault(&error);
                return STATUS_USAGE;
        }
        return r < 0 ? no_memory() : STATUS_GO;
}

static enum status print_config(const struct pt_options *options)
{
        if (pt_effect_print(stdout, options) < 0 || fflush(stdout) != 0)
                return STATUS_START;
        return STATUS_DONE;
}

static enum status explain(const struct pt_options *options)
{
        struct pt_rules *rules;
        int r = pt_load_rules(&options->rules, &rules);

        if (r < 0)
                return STATUS_USAGE;
        for (size_t i = 0; r == 0 && i < options->explain.count; i++)
                r = pt_explain(stdout, rules, options, options->explain.list[i]);
        pt_rules_free(rules);
        if (r < 0 || fflush(stdout) != 0)
                return STATUS_START;
        return STATUS_DONE;
}

static enum status test(const struct pt_options *options)
{
        struct pt_settings settings = pt_config_settings(options);
        int r;

        /* Quiet: faults alone, as at each start of the service. */
        if (options->quiet && !freopen("/dev/null", "w", stdout))
                return STATUS_START;
        r = pt_check(options, &settings);
        if (fflush(stdout) != 0)
                return STATUS_START;
        return r < 0 ? STATUS_USAGE : STATUS_DONE;
}

/* What is asked for besides a run. */
static enum status answer(const struct pt_options *options)
{
        if (options->help) {
                pt_options_help(stdout);
                return fflush(stdout) == 0 ? STATUS_DONE : STATUS_START;
        }
        if (options->version)
                return printf("portent %s\n", PT_VERSION) > 0 && fflush(stdout) == 0 ? STATUS_DONE
                                                                                     : STATUS_START;
        if (options->list_interfaces)
                return pt_interfaces_list(stdout) < 0 ? STATUS_START : STATUS_DONE;
        if (options->print_config)
                return print_config(options);
        if (options->explain.count)
                return explain(options);
        if (options->test)
                return test(options);
        return STATUS_GO;
}

/* A file without -r before it looks like a filter expression. */
static enum status check_input(const struct pt_options *options)
{
        struct pt_replay_fault fault;

        if (pt_options_live(options) || options->self_test)
                return pt_check_files(options) < 0 ? STATUS_USAGE : STATUS_GO;
        if (!options->inputs.count && options->filter && access(options->filter, F_OK) == 0)
                return refuse("there is no input: -r is missing before the file (see portent "
                              "--help)");
        if (!options->inputs.count)
                return refuse(
                        "there is no input: -r FILE reads a capture, -i IFACE captures live (see "
                        "portent --help)");
        if (options->filter && pt_replay_check_filter(options->filter, &fault) < 0)
                return refuse(fault.sentence);
        return pt_check_files(options) < 0 ? STATUS_USAGE : STATUS_GO;
}

static const char *interface_name(void *context, uint32_t place)
{
        const struct pt_options *options = context;

        return place < options->interfaces.count ? options->interfaces.list[place] : NULL;
}

static void name_observer(struct sensor *sensor)
{
        const struct pt_options *options = &sensor->options;
        const char *host = NULL;

        if (gethostname(sensor->hostname, sizeof sensor->hostname - 1) == 0 && *sensor->hostname)
                host = sensor->hostname;
        sensor->observer = (struct pt_observer){
                .name = options->observer_name ? options->observer_name : host,
                .hostname = host,
                .version = PT_VERSION,
                .file_context = &sensor->options,
        };
        if (!pt_options_live(options)) {
                sensor->observer.file_name = pt_reading_name;
                sensor->observer.file_context = &sensor->reading;
        } else if (options->interfaces.count > 1) {
                sensor->observer.interface_name = interface_name;
        } else {
                sensor->observer.interface = options->interfaces.list[0];
        }
}

static bool reads_standard_input(const struct pt_options *options)
{
        for (size_t i = 0; i < options->inputs.count; i++) {
                if (strcmp(options->inputs.list[i], "-") == 0)
                        return true;
        }
        return false;
}

/* What is written at the end is looked at now, and not after hours of reading. */
static enum status check_files(const struct sensor *sensor)
{
        const struct pt_options *options = &sensor->options;
        /* Live, the file of metrics may become writable later: that is said, and no reason to end.
         */
        const char *const files[] = {options->stats,
                                     pt_options_live(options) ? NULL : options->metrics};

        for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
                int r = files[i] ? pt_check_file(files[i]) : 0;

                if (r < 0) {
                        pt_say_error("%s: %s", files[i], strerror(-r));
                        return STATUS_START;
                }
        }
        for (size_t i = 0; sensor->stdout_closed && i < options->outputs.count; i++) {
                if (strcmp(options->outputs.list[i], "-") == 0) {
                        pt_say_error("standard output is closed");
                        return STATUS_START;
                }
        }
        return STATUS_GO;
}

static enum status open_output(struct sensor *sensor)
{
        char sentence[PT_OPTION_SENTENCE];
        bool live = pt_options_live(&sensor->options) || sensor->options.self_test;
        struct pt_output_settings settings = {
                .destinations = &sensor->options.outputs,
                .format = sensor->options.format,
                .prompt = live || reads_standard_input(&sensor->options),
                .live = live,
                .notify = {pt_health_notice, &sensor->health},
                .stop = &pt_signals_stop,
                .observer = &sensor->observer,
                .queue = (size_t)sensor->options.queue_size,
                .spool = sensor->options.spool,
                .spool_size = (size_t)sensor->options.spool_size,
                .spool_if_can = pt_option_is_default(&sensor->options, &sensor->options.spool),
                .max_size = (uint64_t)sensor->options.max_size,
        };

        if (check_files(sensor) != STATUS_GO)
                return STATUS_START;
        if (pt_output_open(&settings, &sensor->output, sentence) < 0) {
                pt_say_error("%s", sentence);
                return STATUS_START;
        }
        return STATUS_GO;
}

static enum status open_proof(struct sensor *sensor)
{
        const struct pt_proof_settings settings = {
                .path = sensor->options.evidence,
                .live = pt_options_live(&sensor->options),
                .observer = &sensor->observer,
                .output = sensor->output,
                .notify = {pt_health_notice, &sensor->health},
        };

        if (!settings.path || sensor->options.self_test)
                return STATUS_GO;
        if (pt_proof_open(&settings, &sensor->proof) < 0)
                return STATUS_START;
        sensor->health.proof = sensor->proof;
        return STATUS_GO;
}

static enum status open_capture(struct sensor *sensor)
{
        const struct pt_notify notify = {pt_health_notice, &sensor->health};
        int r;

        if (!pt_options_live(&sensor->options))
                return STATUS_GO;
        r = pt_interfaces_open(&sensor->options, &notify, &sensor->live);
        if (r < 0)
                return r == -EINVAL ? STATUS_USAGE : STATUS_START;
        return STATUS_GO;
}

/* Whoever knew the key could choose names and addresses that all fall into one chain. */
static int choose_hash_key(struct pt_settings *settings)
{
        if (getrandom(settings->hash_key, sizeof settings->hash_key, 0) ==
            sizeof settings->hash_key)
                return 0;
        pt_say_error("there are no random numbers: %s", strerror(errno));
        return -EIO;
}

static enum status make_engine(struct sensor *sensor)
{
        struct pt_settings settings = pt_config_settings(&sensor->options);
        struct pt_receiver receiver = {pt_output_event, sensor->output};
        int r;

        if (sensor->proof)
                receiver = pt_proof_receiver(sensor->proof);
        if (sensor->live && choose_hash_key(&settings) < 0)
                return STATUS_START;
        r = pt_engine_new(&settings, sensor->rules, &receiver, &sensor->engine);

        if (r < 0) {
                pt_say_error("the engine cannot be made: %s", strerror(-r));
                return r == -EINVAL ? STATUS_USAGE : STATUS_START;
        }
        pt_engine_allow(sensor->engine, sensor->allow);
        return STATUS_GO;
}

/* What is there by now; the rest comes as it is made. */
static void prepare_health(struct sensor *sensor)
{
        struct pt_health *health = &sensor->health;

        health->observer = &sensor->observer;
        health->options = &sensor->options;
        health->rules = sensor->rules;
        health->allow = sensor->allow;
        health->filtered = sensor->options.filter != NULL;
        health->near_misses_told = sensor->options.near_misses;
}

static bool needs_network(const struct pt_options *options)
{
        for (size_t i = 0; i < options->outputs.count; i++) {
                if (strncmp(options->outputs.list[i], "tcp:", 4) == 0)
                        return true;
        }
        return false;
}

/* What comes after this may be anybody's: the first frame is read behind it. */
static enum status enter_sandbox(const struct sensor *sensor)
{
        int r;

        if (!sensor->live || sensor->options.no_sandbox)
                return STATUS_GO;
        r = pt_sandbox_drop();
        if (r == 0)
                r = pt_sandbox_enter(needs_network(&sensor->options));
        if (r == 0)
                return STATUS_GO;
        pt_say_error("the sandbox cannot be entered: %s (--no-sandbox does without)", strerror(-r));
        return STATUS_START;
}

/* Whoever follows the documents is told of a start that failed, too. */
static enum status open_all(struct sensor *sensor)
{
        struct pt_health *health = &sensor->health;
        enum status status = open_output(sensor);

        if (status != STATUS_GO)
                return status;
        health->output = sensor->output;
        pt_health_starting(health);
        status = open_proof(sensor);
        if (status == STATUS_GO)
                status = open_capture(sensor);
        health->live = sensor->live;
        if (status == STATUS_GO)
                status = make_engine(sensor);
        health->engine = sensor->engine;
        /* From here on jansson makes nothing but documents, one after the other. */
        if (status == STATUS_GO && pt_arena_begin(DOCUMENT_MEMORY) < 0)
                status = no_memory();
        if (status == STATUS_GO)
                status = enter_sandbox(sensor);
        if (status != STATUS_GO) {
                pt_health_stopped(health, pt_say_last_error(), true);
                pt_output_finish(sensor->output);
        }
        return status;
}

static void say_start(const struct sensor *sensor)
{
        char memory[PT_VALUE_TEXT];

        if (sensor->options.quiet)
                return;
        pt_say("memory budget %s, %zu rule%s", pt_size_format(sensor->options.memory, memory),
               sensor->rules->count, pt_say_plural(sensor->rules->count));
        for (size_t i = 0; sensor->live && i < sensor->options.interfaces.count; i++)
                pt_say("capturing on %s", sensor->options.interfaces.list[i]);
        for (size_t i = 0; sensor->options.verbose && i < sensor->rules->count; i++)
                pt_say("rule %s from %s", sensor->rules->list[i]->id, sensor->rules->list[i]->file);
}

/* Nothing is captured, but outputs are those of a live run: none is waited for. */
static enum status self_test(struct sensor *sensor)
{
        struct pt_settings settings = pt_config_settings(&sensor->options);
        struct pt_selftest test = {
                .settings = &settings,
                .rules = sensor->rules,
                .allow = sensor->allow,
                .now = pt_health_wall(),
                .quiet = sensor->options.quiet,
        };
        enum status status;

        sensor->observer.test = true;
        prepare_health(sensor);
        pt_signals_catch(false, &sensor->waiting);
        status = open_output(sensor);
        if (status != STATUS_GO)
                return status;
        test.output = sensor->output;
        return pt_selftest(&test) ? STATUS_DONE : STATUS_START;
}

static enum status set_up(struct sensor *sensor, int argc, char **argv)
{
        enum status status;

        sensor->stdout_closed = keep_standard_descriptors();
        umask(umask(077) | 027); /* no new file is for others */
        pt_service_begin();
        json_object_seed(HASH_SEED);
        sensor->argc = argc;
        sensor->argv = argv;
        sensor->health.started = pt_health_clock();
        status = read_options(&sensor->options, argc, argv);
        if (status == STATUS_GO)
                status = answer(&sensor->options);
        if (status == STATUS_GO)
                status = check_input(&sensor->options);
        if (status == STATUS_GO && pt_load_rules(&sensor->options.rules, &sensor->rules) < 0)
                status = STATUS_USAGE;
        if (status == STATUS_GO && pt_load_allow(&sensor->options, NULL, &sensor->allow) < 0)
                status = STATUS_USAGE;
        if (status != STATUS_GO)
                return status;
        name_observer(sensor);
        if (sensor->options.self_test)
                return self_test(sensor);
        pt_signals_catch(pt_options_live(&sensor->options), &sensor->waiting);
        prepare_health(sensor);
        status = open_all(sensor);
        if (status == STATUS_GO)
                say_start(sensor);
        return status;
}

/* ---- loop ---- */

static void note(struct sensor *sensor, enum status status)
{
        if (status > sensor->status)
                sensor->status = status;
}

/* Capture is open, all else is prepared: what comes from now on is seen. */
static void tell_ready(const struct sensor *sensor)
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
        struct sensor *sensor = context;
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

static void watch(struct sensor *sensor)
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
                note(sensor, STATUS_START);
        pt_service_stopping();
}

static void replay(struct sensor *sensor)
{
        struct pt_reading *reading = &sensor->reading;

        reading->options = &sensor->options;
        reading->engine = sensor->engine;
        reading->output = sensor->output;
        reading->health = &sensor->health;
        if (pt_reading_run(reading) < 0)
                note(sensor, no_memory());
        if (reading->troubled)
                note(sensor, STATUS_INPUT);
}

static void loop(struct sensor *sensor)
{
        pt_health_running(&sensor->health);
        if (sensor->live)
                watch(sensor);
        else
                replay(sensor);
}

/* ---- take down ---- */

static void write_stats(struct sensor *sensor, const struct pt_health *health)
{
        const char *path = sensor->options.stats;
        int r = path ? pt_health_write(health, path) : 0;

        if (r == 0)
                return;
        pt_say_error("%s: %s", path, strerror(-r));
        note(sensor, STATUS_START);
}

static void write_metrics(struct sensor *sensor, const struct pt_health *health)
{
        const char *path = sensor->live ? NULL : sensor->options.metrics;
        int r = path ? pt_health_metrics(health, path) : 0;

        if (r == 0)
                return;
        pt_say_error("%s: %s", path, strerror(-r));
        note(sensor, STATUS_START);
}

static const char *why_stopped(const struct sensor *sensor)
{
        if (sensor->status != STATUS_DONE)
                return pt_say_last_error();
        return pt_signals_name();
}

static void finish(struct sensor *sensor)
{
        const struct pt_options *options = &sensor->options;
        struct pt_health *health = &sensor->health;
        struct pt_ecs_input *inputs = pt_reading_inputs(&sensor->reading, &health->input_count);

        health->unread = !sensor->live && pt_reading_nothing(&sensor->reading);
        health->outside = pt_reading_outside(&sensor->reading);
        pt_engine_finish(sensor->engine);
        pt_output_flush(sensor->output);
        if (options->log & PT_LOG_STATS && pt_health_tell(health) < 0)
                note(sensor, no_memory());
        pt_health_look_back(health);
        pt_health_report(health);
        health->inputs = inputs;
        pt_health_stopped(health, why_stopped(sensor), sensor->status != STATUS_DONE);
        health->inputs = NULL;
        free(inputs);
        pt_output_finish(sensor->output);
        write_stats(sensor, health);
        write_metrics(sensor, health);
        if (pt_output_lost(sensor->output))
                note(sensor, STATUS_START);
        if (!options->quiet)
                pt_reading_last_words(&sensor->reading);
        if (!options->quiet)
                pt_health_last_words(health, options->verbose);
}

static void take_down(struct sensor *sensor)
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
        struct sensor sensor = {0};
        enum status status = set_up(&sensor, argc, argv);

        if (status == STATUS_GO) {
                loop(&sensor);
                finish(&sensor);
                status = sensor.status;
        }
        take_down(&sensor);
        return status;
}
