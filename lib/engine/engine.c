/*
 * engine: packets in, events out. It owns the parts and orders them; every decision stands in one
 * of them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "judge/chance.h"
#include "engine/expect.h"
#include "engine/plan.h"

static const char *const home_default[] = {
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10",
        NULL,
};

static const char *const nat64_default[] = {"64:ff9b::/96", NULL};

void pt_settings_default(struct pt_settings *settings)
{
        *settings = (struct pt_settings){
                .memory = (size_t)64 << 20,
                .reorder = PT_SECOND / 20,
                .window = 600 * PT_SECOND,
                .max_window = PT_HOUR,
                .cross_window = 60 * PT_SECOND,
                .throttle = 300 * PT_SECOND,
                .expectation_skew = PT_SECOND / 20,
                .chance_step = PT_CHANCE_STEP,
                .chance_floor = PT_CHANCE_FLOOR,
                .connection_port_low = 1,
                .connection_port_high = UINT16_MAX,
                .home_networks = home_default,
                .nat64_prefixes = nat64_default,
                .hash_key = {UINT64_C(0x706f7274656e7400), UINT64_C(0x7265706c61790000)},
        };
}

enum pt_event_kind pt_event_kind(const struct pt_event *event)
{
        return event->kind;
}

/* ---- setting up ---- */

bool pt_engine_settings_sound(const struct pt_settings *s)
{
        return s->reorder >= 0 && s->reorder <= PT_SECOND && s->window > 0 &&
               s->window <= s->max_window && s->max_window <= 24 * PT_HOUR && s->cross_window > 0 &&
               s->cross_window <= s->max_window && s->throttle > 0 && s->throttle <= 24 * PT_HOUR &&
               s->expectation_skew >= 0 && s->expectation_skew <= 10 * PT_SECOND &&
               s->chance_step > 0 && s->chance_floor > 0;
}

int pt_engine_read_prefixes(const char *const *texts, struct pt_prefix **ret, size_t *ret_count)
{
        struct pt_prefix *list;
        size_t count = 0;

        while (texts && texts[count])
                count++;
        list = calloc(count + 1, sizeof *list);
        if (!list)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++)
                if (pt_prefix_parse(texts[i], &list[i]) < 0) {
                        free(list);
                        return -EINVAL;
                }
        *ret = list;
        *ret_count = count;
        return 0;
}

static int read_settings(struct pt_engine *engine)
{
        int r = pt_engine_read_prefixes(engine->settings.home_networks, &engine->home,
                                        &engine->home_count);

        if (r == 0)
                r = pt_engine_read_prefixes(engine->settings.nat64_prefixes, &engine->nat64,
                                            &engine->nat64_count);
        for (size_t i = 0; r == 0 && i < engine->nat64_count; i++)
                if (engine->nat64[i].bits != 96)
                        r = -EINVAL;
        return r;
}

static int make_hosts(struct pt_engine *engine, const struct pt_plan *plan)
{
        struct pt_hosts_settings hosts = {
                .memory = plan->hosts,
                .reorder = engine->settings.reorder,
                .window = engine->settings.window,
                .max_window = engine->settings.max_window,
                .nat64 = {engine->nat64, engine->nat64_count},
                .key = engine->key,
        };

        return pt_hosts_new(&hosts, &engine->counters, &engine->hosts);
}

struct pt_verdict_settings pt_engine_verdict_settings(const struct pt_engine *engine)
{
        return (struct pt_verdict_settings){
                .reorder = engine->settings.reorder,
                .window = engine->settings.window,
                .cross_window = engine->settings.cross_window,
                .lab = engine->settings.lab,
                .home = {engine->home, engine->home_count},
        };
}

static int make_judge(struct pt_engine *engine, const struct pt_plan *plan)
{
        struct pt_verdict_settings verdict = pt_engine_verdict_settings(engine);

        verdict.yields = plan->yields;
        return pt_judge_new(&verdict, engine->rules, engine->hosts, engine->history,
                            &engine->counters, &engine->judge);
}

static int make_rooms(struct pt_engine *engine)
{
        engine->waiting_bytes = malloc(PT_FRAME_KEPT);
        engine->arrivals = calloc(PT_ARRIVALS + 2, sizeof *engine->arrivals);
        engine->addresses = calloc(PT_PLAN_ADDRESSES, sizeof *engine->addresses);
        engine->also = calloc(PT_RULES, sizeof(void *)); /* rules may be reloaded */
        engine->names = calloc(PT_CAMPAIGN_MATCHES, sizeof *engine->names);
        if (!engine->waiting_bytes || !engine->arrivals || !engine->addresses || !engine->also ||
            !engine->names)
                return -ENOMEM;
        return 0;
}

static int make_tables(struct pt_engine *engine, const struct pt_plan *plan)
{
        const struct pt_hash_key *key = &engine->key;
        int r;

        r = pt_twins_init(&engine->twins, plan->twins, engine->settings.max_window, key,
                          &engine->counters);
        if (r == 0)
                r = pt_recent_init(&engine->queries, plan->queries, sizeof(struct pt_query), key);
        if (r == 0)
                r = pt_recent_init(&engine->syns, plan->syns, sizeof(struct pt_seen), key);
        if (r == 0)
                r = pt_recent_init(&engine->expected, plan->expected, sizeof(struct pt_expected),
                                   key);
        if (r == 0)
                r = pt_recent_init(&engine->told, plan->told, sizeof(struct pt_told), key);
        if (r == 0)
                r = pt_fragments_new(plan->fragments, key, &engine->counters, &engine->fragments);
        if (r == 0)
                r = pt_streams_new(plan->streams, key, &engine->counters, &engine->streams);
        if (r == 0)
                r = pt_hold_new(plan->held, engine->settings.throttle, key, &engine->hold);
        if (r == 0)
                r = pt_history_new(&plan->history, engine->settings.window, engine->rules, key,
                                   &engine->counters, &engine->history);
        if (r == 0 && engine->settings.outcome_events)
                r = pt_outcomes_new(&plan->outcomes, engine->settings.outcome_beside, key,
                                    &engine->outcomes);
        if (r == 0)
                r = pt_campaign_new(plan->campaigns, engine->settings.window, key,
                                    &engine->counters, &engine->campaign);
        if (r == 0)
                r = pt_visibility_new(plan->seen_clients, key, &engine->counters,
                                      &engine->visibility);
        if (r == 0)
                r = pt_outbreak_new(plan->outbreaks, key, &engine->counters, &engine->outbreak);
        return r;
}

static int make_parts(struct pt_engine *engine, const struct pt_plan *plan)
{
        int r = read_settings(engine);

        if (r == 0)
                r = make_rooms(engine);
        if (r == 0)
                r = make_hosts(engine, plan);
        if (r == 0)
                r = make_tables(engine, plan);
        if (r == 0)
                r = pt_line_new(&engine->line);
        if (r == 0)
                r = make_judge(engine, plan);
        return r;
}

int pt_engine_new(const struct pt_settings *settings, const struct pt_rules *rules,
                  const struct pt_receiver *receiver, struct pt_engine **ret)
{
        struct pt_engine *engine;
        struct pt_plan plan;
        int r = pt_plan_memory(settings, &plan);

        if (r < 0)
                return r;
        if (!pt_engine_settings_sound(settings))
                return -EINVAL;
        engine = calloc(1, sizeof *engine);
        if (!engine)
                return -ENOMEM;
        engine->settings = *settings;
        engine->receiver = *receiver;
        engine->rules = rules;
        engine->key = (struct pt_hash_key){settings->hash_key[0], settings->hash_key[1]};
        engine->clock.leap = settings->max_window;
        engine->hold_due = INT64_MAX;
        engine->due = INT64_MIN;
        r = make_parts(engine, &plan);
        if (r < 0) {
                pt_engine_free(engine);
                return r;
        }
        *ret = engine;
        return 0;
}

void pt_engine_allow(struct pt_engine *engine, struct pt_allow *allow)
{
        engine->allow = allow;
}

struct pt_engine *pt_engine_free(struct pt_engine *engine)
{
        if (!engine)
                return NULL;
        pt_visibility_free(engine->visibility);
        pt_outbreak_free(engine->outbreak);
        pt_outcomes_free(engine->outcomes);
        pt_campaign_free(engine->campaign);
        pt_hold_free(engine->hold);
        pt_judge_free(engine->judge);
        pt_history_free(engine->history);
        pt_line_free(engine->line);
        pt_recent_deinit(&engine->expected);
        pt_recent_deinit(&engine->told);
        pt_recent_deinit(&engine->syns);
        pt_recent_deinit(&engine->queries);
        pt_twins_deinit(&engine->twins);
        pt_streams_free(engine->streams);
        pt_fragments_free(engine->fragments);
        pt_hosts_free(engine->hosts);
        free(engine->names);
        free(engine->also);
        free(engine->addresses);
        free(engine->arrivals);
        free(engine->waiting_bytes);
        free(engine->nat64);
        free(engine->home);
        free(engine);
        return NULL;
}

void pt_engine_log_lines(struct pt_engine *engine, uint64_t lines, uint64_t other,
                         uint64_t unreadable)
{
        engine->counters.value[PT_COUNT_LOG_LINES] = lines;
        engine->counters.value[PT_COUNT_LOG_OTHER] = other;
        engine->counters.value[PT_COUNT_LOG_UNREADABLE] = unreadable;
}

struct pt_sight *pt_engine_sight(struct pt_engine *engine)
{
        return &engine->sight;
}

struct pt_visibility *pt_engine_visibility(struct pt_engine *engine)
{
        return engine->visibility;
}

bool pt_engine_counter(const struct pt_engine *engine, size_t place, const char **ret_name,
                       uint64_t *ret_value)
{
        if (place >= PT_COUNTS)
                return false;
        if (place == PT_COUNT_CACHE_CLIENTS || place == PT_COUNT_CACHE_ENTRIES ||
            place == PT_COUNT_CACHE_CELLS || place == PT_COUNT_CACHE_CELLS_TOTAL)
                pt_hosts_gauge(engine->hosts); /* gauges are taken when somebody looks */
        if (place == PT_COUNT_TWIN_MACS || place == PT_COUNT_TWIN_HOSTS ||
            place == PT_COUNT_TWIN_ROUTERS)
                pt_twins_gauge(&engine->twins, engine->clock.now);
        *ret_name = pt_counter_name((enum pt_counter)place);
        *ret_value = engine->counters.value[place];
        if (place == PT_COUNT_CONNECTION_TRACKED)
                *ret_value = engine->syns.count;
        else if (place == PT_COUNT_FRAGMENT_WAITING)
                *ret_value = pt_fragments_waiting(engine->fragments);
        else if (place == PT_COUNT_STREAM_FOLLOWED)
                *ret_value = pt_streams_followed(engine->streams);
        return true;
}

bool pt_engine_unread(const struct pt_engine *engine, size_t place, struct pt_engine_unread *ret)
{
        const struct pt_unread_row *row;

        if (place >= engine->unread.count)
                return false;
        row = &engine->unread.rows[place];
        *ret = (struct pt_engine_unread){
                .layer = pt_unread_layer_name(row->layer),
                .number = row->number,
                .name = pt_unread_name(row->layer, row->number),
                .ordinary = pt_unread_is_ordinary(row->layer, row->number),
                .packets = row->packets,
        };
        return true;
}
