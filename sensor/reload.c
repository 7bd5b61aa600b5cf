#include "reload.h"

#include <errno.h>
#include <string.h>

#include "rule/rule.h"
#include "arena.h"
#include "config.h"
#include "effect.h"
#include "load.h"
#include "say.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* The keys that take effect; a name ended by a dot is a group. All else shapes what is there. */
static const char *const changing[] = {
        "alarm.", "allow.", "connection_ports", "cross_window", "expectation_skew", "home_networks",
        "lab",    "log",    "near_misses",      "rules",        "stats_interval",   "throttle",
};

/* What was read, until it takes effect. */
struct fresh {
        struct pt_options options;
        struct pt_rules *rules;
        struct pt_allow *allow;
};

static bool can_change(const char *key)
{
        for (size_t i = 0; i < COUNT(changing); i++) {
                size_t length = strlen(changing[i]);

                if (changing[i][length - 1] == '.' ? strncmp(key, changing[i], length) == 0
                                                   : strcmp(key, changing[i]) == 0)
                        return true;
        }
        return false;
}

static int read_options(const struct pt_reload *reload, struct pt_options *ret)
{
        struct pt_rule_error error = {0};
        int r = pt_config_options(reload->argc, reload->argv, ret, &error);

        if (r == -EINVAL)
                pt_say_fault(&error);
        else if (r < 0)
                pt_say_error("%s", strerror(-r));
        return r;
}

/* Everything that can fail; what is wrong has been said. */
static int read_all(const struct pt_reload *reload, struct fresh *fresh)
{
        int r = read_options(reload, &fresh->options);

        if (r == 0)
                r = pt_load_rules(&fresh->options.rules, &fresh->rules);
        if (r == 0)
                r = pt_load_allow(&fresh->options, *reload->allow, &fresh->allow);
        return r;
}

static int change_engine(const struct pt_reload *reload, const struct fresh *fresh)
{
        struct pt_settings settings = pt_config_settings(&fresh->options);
        int r = pt_engine_reload(reload->engine, &settings, fresh->rules);

        if (r < 0)
                pt_say_error("the engine does not take the new rules: %s", strerror(-r));
        else
                pt_engine_allow(reload->engine, fresh->allow);
        return r;
}

/* ---- options ---- */

static size_t size_of(const struct pt_option *option)
{
        static const size_t sizes[PT_OPTION_TYPES] = {
                [PT_OPTION_FLAG] = sizeof(bool),
                [PT_OPTION_TEXT] = sizeof(char *),
                [PT_OPTION_DURATION] = sizeof(int64_t),
                [PT_OPTION_SIZE] = sizeof(int64_t),
                [PT_OPTION_NUMBER] = sizeof(int64_t),
                [PT_OPTION_PORTS] = sizeof(struct pt_ports),
                [PT_OPTION_FORMAT] = sizeof(enum pt_format),
                [PT_OPTION_KINDS] = sizeof(unsigned),
        };

        return sizes[option->type] ? sizes[option->type] : sizeof(struct pt_texts);
}

/* The members change places, so that each is freed with the options that it is in then. */
static void exchange(struct pt_options *a, struct pt_options *b, const struct pt_option *option)
{
        size_t row = (size_t)(option - pt_option_table), size = size_of(option);
        char *one = pt_option_at(a, option), *other = pt_option_at(b, option);
        char kept[sizeof(struct pt_texts)];

        memcpy(kept, one, size);
        memcpy(one, other, size);
        memcpy(other, kept, size);
        a->source[row] = b->source[row];
        a->line[row] = b->line[row];
}

static void change_options(struct pt_options *options, struct pt_options *fresh)
{
        for (size_t i = 0; i < pt_option_count; i++) {
                const struct pt_option *option = &pt_option_table[i];

                if (!option->key)
                        continue;
                if (can_change(option->key))
                        exchange(options, fresh, option);
                else if (!pt_effect_same(options, fresh, option))
                        pt_say_warning("%s cannot change while the sensor runs: it stays as it was "
                                       "until the next start",
                                       option->key);
        }
}

/* ---- all of it ---- */

static void release(struct fresh *fresh)
{
        pt_rules_free(fresh->rules);
        pt_allow_free(fresh->allow);
        pt_options_clear(&fresh->options);
        pt_arena_reset(); /* what was read has left nothing in it that is still used */
}

/* The old ones are freed in place of the new ones. */
static void take_effect(const struct pt_reload *reload, struct fresh *fresh)
{
        struct pt_rules *rules = *reload->rules;
        struct pt_allow *allow = *reload->allow;

        *reload->rules = fresh->rules;
        *reload->allow = fresh->allow;
        fresh->rules = rules;
        fresh->allow = allow;
        reload->health->rules = *reload->rules;
        reload->health->allow = *reload->allow;
        change_options(reload->options, &fresh->options);
        reload->health->near_misses_told = reload->options->near_misses;
}

int pt_reload(const struct pt_reload *reload)
{
        struct fresh fresh = {0};
        int r = read_all(reload, &fresh);

        if (r == 0)
                r = change_engine(reload, &fresh);
        if (r == 0)
                take_effect(reload, &fresh);
        release(&fresh);
        if (r < 0) {
                pt_health_refused(reload->health, pt_say_last_error());
                pt_say_error("the new rules and configuration are refused, the old ones go on");
                return r;
        }
        if (!reload->options->quiet)
                pt_say("%zu rule%s read anew", (*reload->rules)->count,
                       pt_say_plural((*reload->rules)->count));
        pt_health_reloaded(reload->health);
        return 0;
}
