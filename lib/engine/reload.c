/*
 * reload: other rules and settings for an engine that runs.
 *
 * What could fail comes first; then everything changes at once, between two packets. All that was
 * worked out with the old rules is forgotten: results, yields, and the signatures of clients.
 */
#include <errno.h>
#include <stdlib.h>

#include "engine/state.h"
#include "engine/tell.h"

/* The settings in force afterwards. */
static struct pt_settings settled(const struct pt_engine *engine, const struct pt_settings *wanted)
{
        struct pt_settings s = engine->settings;

        s.lab = wanted->lab;
        s.near_misses = wanted->near_misses;
        s.cross_window = wanted->cross_window;
        s.throttle = wanted->throttle;
        s.chance_step = wanted->chance_step;
        s.chance_floor = wanted->chance_floor;
        s.dns_events = wanted->dns_events;
        s.connection_events = wanted->connection_events;
        s.expectation_events = wanted->expectation_events;
        s.expectation_skew = wanted->expectation_skew;
        s.connection_port_low = wanted->connection_port_low;
        s.connection_port_high = wanted->connection_port_high;
        s.home_networks = wanted->home_networks;
        return s;
}

static void tell_gone(void *context, const struct pt_held *held)
{
        pt_tell_held(context, held);
}

int pt_engine_reload(struct pt_engine *engine, const struct pt_settings *settings,
                     const struct pt_rules *rules)
{
        struct pt_settings wanted = settled(engine, settings);
        struct pt_verdict_settings verdict;
        struct pt_prefix *home;
        size_t home_count;
        int r;

        if (!pt_engine_settings_sound(&wanted))
                return -EINVAL;
        r = pt_engine_read_prefixes(wanted.home_networks, &home, &home_count);
        if (r < 0)
                return r;
        pt_hold_adopt(engine->hold, rules, tell_gone, engine);
        pt_hold_set_throttle(engine->hold, wanted.throttle);
        engine->hold_due = pt_hold_due(engine->hold);
        engine->due = INT64_MIN; /* until the next packet looks */
        free(engine->home);
        engine->home = home;
        engine->home_count = home_count;
        engine->settings = wanted;
        engine->rules = rules;
        verdict = pt_engine_verdict_settings(engine);
        pt_judge_adopt(engine->judge, &verdict, rules);
        return 0;
}
