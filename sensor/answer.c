#include "answer.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "io/capture/replay.h"
#include "rule/rule.h"
#include "check.h"
#include "config.h"
#include "effect.h"
#include "explain.h"
#include "interfaces.h"
#include "load.h"
#include "say.h"

static enum pt_status refuse(const char *sentence)
{
        pt_say_error("%s", sentence);
        return PT_STATUS_USAGE;
}

static enum pt_status print_config(const struct pt_options *options)
{
        if (pt_effect_print(stdout, options) < 0 || fflush(stdout) != 0)
                return PT_STATUS_START;
        return PT_STATUS_DONE;
}

static enum pt_status explain(const struct pt_options *options)
{
        struct pt_rules *rules;
        int r = pt_load_rules(&options->rules, &rules);

        if (r < 0)
                return PT_STATUS_USAGE;
        for (size_t i = 0; r == 0 && i < options->explain.count; i++)
                r = pt_explain(stdout, rules, options, options->explain.list[i]);
        pt_rules_free(rules);
        if (r < 0 || fflush(stdout) != 0)
                return PT_STATUS_START;
        return PT_STATUS_DONE;
}

static enum pt_status test(const struct pt_options *options)
{
        struct pt_settings settings = pt_config_settings(options);
        int r;

        /* Quiet: faults alone, as at each start of the service. */
        if (options->quiet && !freopen("/dev/null", "w", stdout))
                return PT_STATUS_START;
        r = pt_check(options, &settings);
        if (fflush(stdout) != 0)
                return PT_STATUS_START;
        return r < 0 ? PT_STATUS_USAGE : PT_STATUS_DONE;
}

/* What is asked for besides a run. */
enum pt_status pt_answer(const struct pt_options *options)
{
        if (options->help) {
                pt_options_help(stdout);
                return fflush(stdout) == 0 ? PT_STATUS_DONE : PT_STATUS_START;
        }
        if (options->version)
                return printf("portent %s\n", PT_VERSION) > 0 && fflush(stdout) == 0
                               ? PT_STATUS_DONE
                               : PT_STATUS_START;
        if (options->list_interfaces)
                return pt_interfaces_list(stdout) < 0 ? PT_STATUS_START : PT_STATUS_DONE;
        if (options->print_config)
                return print_config(options);
        if (options->explain.count)
                return explain(options);
        if (options->test)
                return test(options);
        return PT_STATUS_GO;
}

/* A file without -r before it looks like a filter expression. */
enum pt_status pt_answer_check(const struct pt_options *options)
{
        struct pt_replay_fault fault;

        if (pt_options_live(options) || options->self_test)
                return pt_check_files(options) < 0 ? PT_STATUS_USAGE : PT_STATUS_GO;
        if (!options->inputs.count && options->filter && access(options->filter, F_OK) == 0)
                return refuse("there is no input: -r is missing before the file (see portent "
                              "--help)");
        if (!options->inputs.count)
                return refuse(
                        "there is no input: -r FILE reads a capture, -i IFACE captures live (see "
                        "portent --help)");
        if (options->filter && pt_replay_check_filter(options->filter, &fault) < 0)
                return refuse(fault.sentence);
        return pt_check_files(options) < 0 ? PT_STATUS_USAGE : PT_STATUS_GO;
}
