#include "setup.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rule/rule.h"
#include "answer.h"
#include "arena.h"
#include "check.h"
#include "config.h"
#include "interfaces.h"
#include "load.h"
#include "sandbox.h"
#include "say.h"
#include "selftest.h"
#include "service.h"
#include "signals.h"

#define HASH_SEED 0x706f7274 /* a constant: documents must not depend on it, nor runs differ */
#define DOCUMENT_MEMORY ((size_t)1 << 20)

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

enum pt_status pt_setup_no_memory(void)
{
        pt_say_error("%s", strerror(ENOMEM));
        return PT_STATUS_START;
}

static enum pt_status read_options(struct pt_options *options, int argc, char **argv)
{
        struct pt_rule_error error = {0};
        int r = pt_config_options(argc, argv, options, &error);

        if (r == -EINVAL) {
                pt_say_fault(&error);
                return PT_STATUS_USAGE;
        }
        return r < 0 ? pt_setup_no_memory() : PT_STATUS_GO;
}

static const char *interface_name(void *context, uint32_t place)
{
        const struct pt_options *options = context;

        return place < options->interfaces.count ? options->interfaces.list[place] : NULL;
}

static void name_observer(struct pt_sensor *sensor)
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
static enum pt_status check_files(const struct pt_sensor *sensor)
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
                        return PT_STATUS_START;
                }
        }
        for (size_t i = 0; sensor->stdout_closed && i < options->outputs.count; i++) {
                if (strcmp(options->outputs.list[i], "-") == 0) {
                        pt_say_error("standard output is closed");
                        return PT_STATUS_START;
                }
        }
        return PT_STATUS_GO;
}

static enum pt_status open_output(struct pt_sensor *sensor)
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

        if (check_files(sensor) != PT_STATUS_GO)
                return PT_STATUS_START;
        if (pt_output_open(&settings, &sensor->output, sentence) < 0) {
                pt_say_error("%s", sentence);
                return PT_STATUS_START;
        }
        return PT_STATUS_GO;
}

static enum pt_status open_proof(struct pt_sensor *sensor)
{
        const struct pt_proof_settings settings = {
                .path = sensor->options.evidence,
                .live = pt_options_live(&sensor->options),
                .observer = &sensor->observer,
                .output = sensor->output,
                .notify = {pt_health_notice, &sensor->health},
        };

        if (!settings.path || sensor->options.self_test)
                return PT_STATUS_GO;
        if (pt_proof_open(&settings, &sensor->proof) < 0)
                return PT_STATUS_START;
        sensor->health.proof = sensor->proof;
        return PT_STATUS_GO;
}

static enum pt_status open_capture(struct pt_sensor *sensor)
{
        const struct pt_notify notify = {pt_health_notice, &sensor->health};
        int r;

        if (!pt_options_live(&sensor->options))
                return PT_STATUS_GO;
        r = pt_interfaces_open(&sensor->options, &notify, &sensor->live);
        if (r < 0)
                return r == -EINVAL ? PT_STATUS_USAGE : PT_STATUS_START;
        return PT_STATUS_GO;
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

static enum pt_status make_engine(struct pt_sensor *sensor)
{
        struct pt_settings settings = pt_config_settings(&sensor->options);
        struct pt_receiver receiver = {pt_output_event, sensor->output};
        int r;

        if (sensor->proof)
                receiver = pt_proof_receiver(sensor->proof);
        if (sensor->live && choose_hash_key(&settings) < 0)
                return PT_STATUS_START;
        r = pt_engine_new(&settings, sensor->rules, &receiver, &sensor->engine);

        if (r < 0) {
                pt_say_error("the engine cannot be made: %s", strerror(-r));
                return r == -EINVAL ? PT_STATUS_USAGE : PT_STATUS_START;
        }
        pt_engine_allow(sensor->engine, sensor->allow);
        return PT_STATUS_GO;
}

/* What is there by now; the rest comes as it is made. */
static void prepare_health(struct pt_sensor *sensor)
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
static enum pt_status enter_sandbox(const struct pt_sensor *sensor)
{
        int r;

        if (!sensor->live || sensor->options.no_sandbox)
                return PT_STATUS_GO;
        r = pt_sandbox_drop();
        if (r == 0)
                r = pt_sandbox_enter(needs_network(&sensor->options));
        if (r == 0)
                return PT_STATUS_GO;
        pt_say_error("the sandbox cannot be entered: %s (--no-sandbox does without)", strerror(-r));
        return PT_STATUS_START;
}

/* Whoever follows the documents is told of a start that failed, too. */
static enum pt_status open_all(struct pt_sensor *sensor)
{
        struct pt_health *health = &sensor->health;
        enum pt_status status = open_output(sensor);

        if (status != PT_STATUS_GO)
                return status;
        health->output = sensor->output;
        pt_health_starting(health);
        status = open_proof(sensor);
        if (status == PT_STATUS_GO)
                status = open_capture(sensor);
        health->live = sensor->live;
        if (status == PT_STATUS_GO)
                status = make_engine(sensor);
        health->engine = sensor->engine;
        /* From here on jansson makes nothing but documents, one after the other. */
        if (status == PT_STATUS_GO && pt_arena_begin(DOCUMENT_MEMORY) < 0)
                status = pt_setup_no_memory();
        if (status == PT_STATUS_GO)
                status = enter_sandbox(sensor);
        /* Threads made from here on have no more privilege than this one. */
        if (status == PT_STATUS_GO && sensor->live && pt_output_write_aside(sensor->output) < 0)
                status = pt_setup_no_memory();
        if (status != PT_STATUS_GO) {
                pt_health_stopped(health, pt_say_last_error(), true);
                pt_output_finish(sensor->output);
        }
        return status;
}

static void say_start(const struct pt_sensor *sensor)
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
static enum pt_status self_test(struct pt_sensor *sensor)
{
        struct pt_settings settings = pt_config_settings(&sensor->options);
        struct pt_selftest test = {
                .settings = &settings,
                .rules = sensor->rules,
                .allow = sensor->allow,
                .now = pt_health_wall(),
                .quiet = sensor->options.quiet,
        };
        enum pt_status status;

        sensor->observer.test = true;
        prepare_health(sensor);
        pt_signals_catch(false, &sensor->waiting);
        status = open_output(sensor);
        if (status != PT_STATUS_GO)
                return status;
        test.output = sensor->output;
        return pt_selftest(&test) ? PT_STATUS_DONE : PT_STATUS_START;
}

enum pt_status pt_setup(struct pt_sensor *sensor, int argc, char **argv)
{
        enum pt_status status;

        sensor->stdout_closed = keep_standard_descriptors();
        umask(umask(077) | 027); /* no new file is for others */
        pt_service_begin();
        json_object_seed(HASH_SEED);
        sensor->argc = argc;
        sensor->argv = argv;
        sensor->health.started = pt_health_clock();
        status = read_options(&sensor->options, argc, argv);
        if (status == PT_STATUS_GO)
                status = pt_answer(&sensor->options);
        if (status == PT_STATUS_GO)
                status = pt_answer_check(&sensor->options);
        if (status == PT_STATUS_GO && pt_load_rules(&sensor->options.rules, &sensor->rules) < 0)
                status = PT_STATUS_USAGE;
        if (status == PT_STATUS_GO && pt_load_allow(&sensor->options, NULL, &sensor->allow) < 0)
                status = PT_STATUS_USAGE;
        if (status != PT_STATUS_GO)
                return status;
        name_observer(sensor);
        if (sensor->options.self_test)
                return self_test(sensor);
        pt_signals_catch(pt_options_live(&sensor->options), &sensor->waiting);
        prepare_health(sensor);
        status = open_all(sensor);
        if (status == PT_STATUS_GO)
                say_start(sensor);
        return status;
}
