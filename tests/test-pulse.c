/*
 * pulse: what the sensor says of itself, read back from the file that it is written to.
 */
#include "../sensor/health.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "make.h"
#include "rule/rule.h"

static char path[] = "/tmp/test-pulse-XXXXXX";
static struct pt_options options;
static struct pt_observer observer = {.name = "sensor", .version = "1"};
static struct pt_health health;
static struct pt_rules *rules;
static FILE *said;
static const int somebody;

static void ignore(void *context, const struct pt_event *event)
{
        (void)context;
        (void)event;
}

/* A sensor with one output, a file, and nothing to capture: what is due by time never is. */
static void begin(void)
{
        static char *list[] = {path, NULL};
        static const struct pt_texts destinations = {list, 1};
        static char one[] = "eth1", other[] = "eth2", *wires[] = {one, other, NULL};
        struct pt_output_settings settings = {
                .destinations = &destinations, .format = PT_FORMAT_ECS, .observer = &observer};
        const struct pt_receiver receiver = {.event = ignore};
        struct pt_settings engine;
        char sentence[PT_OPTION_SENTENCE];

        close(mkstemp(path));
        said = tmpfile();
        fflush(stderr);
        dup2(fileno(said), STDERR_FILENO);
        cr_assert_eq(pt_options_default(&options), 0);
        options.log |= PT_LOG_STATE;
        options.interfaces = (struct pt_texts){wires, 2};
        cr_assert_eq(pt_output_open(&settings, &health.output, sentence), 0);
        rules = make_usual_rules();
        pt_settings_default(&engine);
        cr_assert_eq(pt_engine_new(&engine, rules, &receiver, &health.engine), 0);
        health.options = &options;
        health.observer = &observer;
        health.rules = rules;
        health.live = (struct pt_live *)&somebody; /* looked at by nothing that is called here */
        health.look_due = INT64_MAX;
}

static void end(void)
{
        options.interfaces = (struct pt_texts){0};
        options.metrics = NULL;
        pt_output_free(health.output);
        pt_engine_free(health.engine);
        pt_rules_free(rules);
        pt_options_clear(&options);
        unlink(path);
}

TestSuite(pulse, .init = begin, .fini = end);

static void notice(enum pt_notice_kind kind, enum pt_notice_level level, const char *subject,
                   const char *sentence)
{
        const struct pt_notice notice = {
                .kind = kind, .level = level, .subject = subject, .sentence = sentence};

        pt_health_notice(&health, &notice);
}

static void tick(void)
{
        health.look_due = health.stats_due = health.report_due = INT64_MAX;
        pt_health_tick(&health, 1);
}

/* Of every document so far "action phase", a line each. */
static const char *told(void)
{
        static char text[32768];
        FILE *file;
        char *line = NULL;
        size_t room = 0, used = 0;

        pt_output_flush(health.output);
        file = fopen(path, "r");
        cr_assert_not_null(file);
        text[0] = '\0';
        while (getline(&line, &room, file) > 0) {
                json_t *document = json_loads(line, 0, NULL);
                const char *action = NULL, *state = NULL;

                cr_assert_eq(json_unpack(document, "{s:{s:s}, s:{s:s}}", "event", "action", &action,
                                         "portent", "state", &state),
                             0, "%s", line);
                used += (size_t)snprintf(text + used, sizeof text - used, "%s %s\n", action, state);
                json_decref(document);
        }
        free(line);
        fclose(file);
        return text;
}

/* How often these words were said on standard error. */
static unsigned count_said(const char *words)
{
        static char text[65536];
        unsigned count = 0;

        fflush(stderr);
        rewind(said);
        text[fread(text, 1, sizeof text - 1, said)] = '\0';
        for (const char *p = text; (p = strstr(p, words)); p++)
                count++;
        return count;
}

static uint64_t held(const char *name)
{
        struct pt_metrics_alarm alarms[PT_HEALTH_ALARMS];
        size_t count = pt_health_alarms(&health, alarms);

        for (size_t i = 0; i < count; i++) {
                if (strcmp(alarms[i].name, name) == 0)
                        return alarms[i].active;
        }
        return UINT64_MAX;
}

Test(pulse, from_the_start_to_the_end)
{
        pt_health_starting(&health);
        pt_health_running(&health);
        pt_health_reloaded(&health);
        pt_health_refused(&health, "x.json:1:2: no");
        health.live = NULL; /* no file of metrics at the end */
        pt_health_stopped(&health, "SIGTERM", false);
        cr_expect_str_eq(told(), "sensor_state starting\n"
                                 "sensor_started running\n"
                                 "sensor_reloaded running\n"
                                 "sensor_reload_refused running\n"
                                 "sensor_stopped stopping\n");
}

Test(pulse, without_state_documents_nothing_is_written)
{
        options.log = PT_LOG_ALERT;
        pt_health_starting(&health);
        pt_health_running(&health);
        notice(PT_NOTICE_LINK_DOWN, PT_NOTICE_WARNING, "eth1", "the link is down");
        tick();
        cr_expect_str_eq(told(), "");
        cr_expect_eq(count_said("eth1: the link is down"), 1);
}

/* It is degraded until the last of its troubles is over; that of one link is not another's. */
Test(pulse, degraded_until_all_is_well)
{
        pt_health_running(&health);
        notice(PT_NOTICE_LINK_DOWN, PT_NOTICE_WARNING, "eth1", "the link is down");
        cr_expect_str_eq(told(), "sensor_started running\n", "it is told with the next round");
        tick();
        notice(PT_NOTICE_OUTPUT_TROUBLE, PT_NOTICE_WARNING, "log", "no space: lines wait");
        notice(PT_NOTICE_LINK_DOWN, PT_NOTICE_WARNING, "eth2", "the link is down");
        tick();
        cr_expect_eq(held("link_down"), 2);
        cr_expect_eq(held("output_failed"), 1);
        notice(PT_NOTICE_LINK_UP, PT_NOTICE_INFO, "eth1", "the link is up again");
        notice(PT_NOTICE_OUTPUT_RECOVERED, PT_NOTICE_INFO, "log", "all is well again");
        tick();
        cr_expect_eq(held("link_down"), 1);
        cr_expect_eq(held("output_failed"), 0);
        notice(PT_NOTICE_LINK_UP, PT_NOTICE_INFO, "eth2", "the link is up again");
        tick();
        cr_expect_str_eq(told(), "sensor_started running\n"
                                 "link_down degraded\n"
                                 "output_failed degraded\n"
                                 "link_down degraded\n"
                                 "link_up degraded\n"
                                 "output_recovered degraded\n"
                                 "link_up running\n");
        cr_expect_eq(held("link_down"), 0);
}

/* Told twice it is one trouble; and an end without a beginning ends nothing. */
Test(pulse, a_trouble_is_counted_once)
{
        pt_health_running(&health);
        notice(PT_NOTICE_OUTPUT_TROUBLE, PT_NOTICE_WARNING, "log", "lines wait");
        notice(PT_NOTICE_OUTPUT_TROUBLE, PT_NOTICE_ERROR, "log", "lines are lost now");
        notice(PT_NOTICE_OUTPUT_RECOVERED, PT_NOTICE_INFO, "other", "all is well again");
        notice(PT_NOTICE_OUTPUT_TORN, PT_NOTICE_WARNING, "log", "a torn last line was closed");
        tick();
        cr_expect_eq(held("output_failed"), 1);
        cr_expect_eq(held("output_torn"), UINT64_MAX, "it begins nothing");
        notice(PT_NOTICE_OUTPUT_RECOVERED, PT_NOTICE_INFO, "log", "all is well again");
        tick();
        cr_expect_eq(held("output_failed"), 0);
}

/* More at once than there is room for: the log has all, and says that documents are missing. */
Test(pulse, too_many_notices_at_once)
{
        unsigned lines = 0;

        for (unsigned i = 0; i < PT_HEALTH_NOTICES + 3; i++)
                notice(PT_NOTICE_OUTPUT_TORN, PT_NOTICE_WARNING, "log", "closed");
        tick();
        for (const char *p = told(); (p = strchr(p, '\n')); p++)
                lines++;
        cr_expect_eq(lines, PT_HEALTH_NOTICES);
        cr_expect_eq(count_said("log: closed"), PT_HEALTH_NOTICES + 3);
        cr_expect_eq(count_said("3 of the lines above did not become state documents"), 1);
        tick();
        cr_expect_eq(count_said("did not become state documents"), 1);
}

Test(pulse, in_replay_nothing_holds)
{
        struct pt_metrics_alarm alarms[PT_HEALTH_ALARMS];

        health.live = NULL;
        cr_expect_eq(pt_health_alarms(&health, alarms), 0);
}

/* A file of metrics that cannot be written is told once, and again only after it could. */
Test(pulse, metrics_that_cannot_be_written)
{
        char folder[] = "/tmp/test-pulse-XXXXXX", file[64];

        cr_assert_not_null(mkdtemp(folder));
        snprintf(file, sizeof file, "%s/metrics.prom", folder);
        rmdir(folder);
        health.live = NULL;
        options.metrics = file;
        pt_health_stats(&health);
        pt_health_stats(&health);
        cr_expect_eq(count_said("metrics.prom: No such file or directory"), 1);
        cr_assert_eq(mkdir(folder, 0700), 0);
        pt_health_stats(&health);
        cr_expect_eq(access(file, F_OK), 0);
        unlink(file);
        rmdir(folder);
        pt_health_stats(&health);
        cr_expect_eq(count_said("metrics.prom: No such file or directory"), 2);
}
