/*
 * engine: packets in, events out. It owns the parts and orders them; every decision stands in one
 * of them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ahead.h"
#include "chance.h"
#include "expect.h"
#include "observe.h"
#include "state.h"
#include "tell.h"

/* Of the messages looked at together, of the one whose time was in doubt, of one made of others. */
#define ADDRESSES ((size_t)3 * PT_MESSAGE_ADDRESSES)

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

/* What the fixed parts take; the rest of the budget is for hosts. */
struct plan {
        uint32_t twins;
        uint32_t queries;
        uint32_t syns;
        uint32_t expected;
        uint32_t told;
        uint32_t held;
        uint32_t campaigns;
        uint32_t outbreaks;
        uint32_t seen_clients;
        uint32_t yields;
        size_t fragments;
        size_t streams;
        struct pt_history_room history;
        struct pt_outcomes_room outcomes;
        size_t hosts;
};

static int plan_memory(const struct pt_settings *settings, struct plan *ret)
{
        struct plan plan = {.twins = 8192,
                            .queries = 32768,
                            .syns = 16384,
                            .expected = 8192,
                            .told = 4096,
                            .held = 4096,
                            .campaigns = 256,
                            .outbreaks = 8192,
                            .seen_clients = 4096,
                            .yields = 16384,
                            .outcomes = {.watched = PT_LINE_PLACES, .followed = 512},
                            .history = {.clients = 2048, .networks = 16384, .parts = 16384}};
        size_t memory = settings->memory, fixed;

        if (memory < PT_MEMORY_LEAST)
                return -EINVAL;
        /* A small budget shrinks these in step with the cells. */
        for (size_t full = (size_t)64 << 20; memory < full && plan.held > 512; full /= 2) {
                plan.twins /= 2;
                plan.queries /= 2;
                plan.syns /= 2;
                plan.expected /= 2;
                plan.told /= 2;
                plan.held /= 2;
                plan.campaigns /= 2;
                plan.outbreaks /= 2;
                plan.seen_clients /= 2;
                plan.yields /= 2;
                plan.outcomes.watched /= 2;
                plan.outcomes.followed /= 2;
                plan.history.clients /= 2;
                plan.history.networks /= 2;
                plan.history.parts /= 2;
        }
        plan.fragments = memory / 32;
        plan.streams = memory / 16;
        fixed = plan.fragments + pt_fragments_size() + plan.streams + pt_streams_size() +
                sizeof(struct pt_engine) + pt_line_size() + PT_FRAME_KEPT +
                ADDRESSES * sizeof(struct pt_dns_address) +
                (PT_ARRIVALS + 2) * sizeof(struct pt_arrival) + pt_twins_size(plan.twins) +
                pt_recent_size(plan.queries, sizeof(struct pt_query)) +
                pt_recent_size(plan.syns, sizeof(struct pt_seen)) +
                pt_recent_size(plan.expected, sizeof(struct pt_expected)) +
                pt_recent_size(plan.told, sizeof(struct pt_told)) + pt_hold_size(plan.held) +
                pt_campaign_size(plan.campaigns) + pt_outbreak_size(plan.outbreaks) +
                pt_visibility_size(plan.seen_clients) + pt_history_size(&plan.history) +
                pt_judge_size(plan.yields) + PT_RULES * sizeof(void *) +
                PT_CAMPAIGN_MATCHES * sizeof(struct pt_dns_name);
        if (settings->outcome_events)
                fixed += pt_outcomes_size(&plan.outcomes);
        if (memory < fixed + memory / 4) /* hosts must have some of it */
                return -EINVAL;
        plan.hosts = memory - fixed;
        *ret = plan;
        return 0;
}

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

static int make_hosts(struct pt_engine *engine, const struct plan *plan)
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

static int make_judge(struct pt_engine *engine, const struct plan *plan)
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
        engine->addresses = calloc(ADDRESSES, sizeof *engine->addresses);
        engine->also = calloc(PT_RULES, sizeof(void *)); /* rules may be reloaded */
        engine->names = calloc(PT_CAMPAIGN_MATCHES, sizeof *engine->names);
        if (!engine->waiting_bytes || !engine->arrivals || !engine->addresses || !engine->also ||
            !engine->names)
                return -ENOMEM;
        return 0;
}

static int make_tables(struct pt_engine *engine, const struct plan *plan)
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
                r = pt_outcomes_new(&plan->outcomes, key, &engine->outcomes);
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

static int make_parts(struct pt_engine *engine, const struct plan *plan)
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
        struct plan plan;
        int r = plan_memory(settings, &plan);

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

/* ---- the way of a packet ---- */

/*
 * The wait in the line hides memory latency: what the next but some will touch is fetched now, one
 * step further for each that is nearer.
 */
static void fetch_ahead(struct pt_engine *engine)
{
        static const uint32_t places[PT_HOSTS_STEPS] = {16, 11, 7, 3};

        for (unsigned step = 0; step < PT_HOSTS_STEPS; step++) {
                const struct pt_syn *syn = pt_line_peek(engine->line, places[step]);

                if (!syn)
                        continue;
                if (step == 0)
                        pt_recent_prefetch(&engine->syns, syn->seen_hash);
                else if (step == 1)
                        pt_recent_prefetch_entry(&engine->syns, syn->seen_hash);
                pt_visibility_fetch(engine->visibility, syn->client_hash, step);
                pt_twins_fetch(&engine->twins, syn->mac_hash, step);
                pt_judge_fetch(engine->judge, syn, step);
        }
}

/* When something is due next. */
static int64_t next_due(const struct pt_engine *engine)
{
        const struct pt_syn *syn = pt_line_peek(engine->line, 0);
        int64_t due = engine->hold_due;

        if (syn && syn->time + engine->settings.reorder < due)
                due = syn->time + engine->settings.reorder;
        if (engine->outcomes && pt_outcomes_due(engine->outcomes) < due)
                due = pt_outcomes_due(engine->outcomes);
        return due;
}

/* SYNs whose time has come leave the line before the next packet is learned (4.1). */
static void advance(struct pt_engine *engine)
{
        const struct pt_syn *syn;

        while ((syn = pt_line_peek(engine->line, 0)) &&
               syn->time + engine->settings.reorder < engine->clock.now) {
                fetch_ahead(engine);
                pt_tell_syn(engine, pt_line_take(engine->line));
        }
        if (engine->clock.now > engine->hold_due)
                pt_tell_repeats(engine, PT_FORGET_SILENT);
        if (engine->outcomes && pt_outcomes_due(engine->outcomes) < engine->clock.now)
                pt_tell_outcomes(engine, false);
        engine->due = next_due(engine);
}

static void process(struct pt_engine *engine, const struct pt_arrival *arrival, int64_t time)
{
        advance(engine);
        pt_observe(engine, arrival, time);
        engine->due = INT64_MIN; /* it may have put something in */
}

static void process_waiting(struct pt_engine *engine, int64_t time)
{
        struct pt_arrival *arrival = &engine->arrivals[PT_ARRIVALS];

        arrival->message.answer.addresses = engine->addresses + PT_MESSAGE_ADDRESSES;
        arrival->message.answer.capacity = PT_MESSAGE_ADDRESSES;
        pt_ahead_look(engine, &engine->waiting, arrival);
        process(engine, arrival, time);
}

/* The packet that waited is processed first, with the time that it turned out to have. */
static void settle(struct pt_engine *engine, const int64_t *next)
{
        enum pt_clock_step step;
        int64_t time = pt_clock_settle(&engine->clock, next, &step);

        if (step == PT_CLOCK_BACK)
                pt_engine_count(engine, PT_COUNT_CLOCK_EPOCHS);
        else if (step == PT_CLOCK_AHEAD)
                pt_engine_count(engine, PT_COUNT_CLOCK_JUMPS);
        else
                pt_engine_count(engine, PT_COUNT_CLOCK_FOREIGN);
        process_waiting(engine, time);
}

static void keep_waiting(struct pt_engine *engine, const struct pt_frame *frame)
{
        engine->waiting = *frame;
        if (engine->waiting.captured > PT_FRAME_KEPT)
                engine->waiting.captured = PT_FRAME_KEPT;
        engine->waiting.bytes = engine->waiting_bytes;
        if (engine->waiting.captured)
                memcpy(engine->waiting_bytes, frame->bytes, engine->waiting.captured);
}

static void take(struct pt_engine *engine, const struct pt_arrival *arrival)
{
        const struct pt_frame *frame = &arrival->frame;
        int64_t time;

        if (frame->linktype == PT_LINK_LOGGED) {
                engine->counters.value[PT_COUNT_LOG_RECORDS]++;
                engine->counters.value[PT_COUNT_LOG_LATE] +=
                        (arrival->logged.lacks & PT_LOGGED_LATE) != 0;
        } else {
                engine->counters.value[PT_COUNT_CAPTURE_PACKETS]++;
                engine->counters.value[PT_COUNT_CAPTURE_BYTES] += frame->length;
        }
        engine->counters.value[PT_COUNT_CAPTURE_ODD_TIME] += frame->odd_time;
        engine->counters.value[PT_COUNT_CAPTURE_ODD_LENGTH] += arrival->odd_length;
        if (engine->clock.waiting != PT_CLOCK_HERE)
                settle(engine, &frame->time);
        if (pt_clock_read(&engine->clock, frame->time, &time) == PT_CLOCK_HERE)
                process(engine, arrival, time);
        else
                keep_waiting(engine, frame);
}

/* As take(), for one of which a glance has shown all that there is to know. */
static inline void take_plain(struct pt_engine *engine, const struct pt_frame *frame,
                              enum pt_glance glance)
{
        int64_t time;

        engine->counters.value[PT_COUNT_CAPTURE_PACKETS]++;
        engine->counters.value[PT_COUNT_CAPTURE_BYTES] += frame->length;
        if (engine->clock.waiting != PT_CLOCK_HERE)
                settle(engine, &frame->time);
        if (pt_clock_read(&engine->clock, frame->time, &time) != PT_CLOCK_HERE) {
                keep_waiting(engine, frame);
                return;
        }
        if (engine->clock.now > engine->due)
                advance(engine);
        pt_engine_count(engine,
                        glance == PT_GLANCE_TCP ? PT_COUNT_DECODE_TCP : PT_COUNT_DECODE_UDP);
}

void pt_engine_packets(struct pt_engine *engine, const struct pt_frame *frames, size_t count)
{
        while (count) {
                size_t seen = pt_ahead(engine, frames, count);
                const struct pt_arrival *next = engine->arrivals;

                for (size_t i = 0; i < seen; i++) {
                        if (engine->glances[i] != PT_GLANCE_CLOSER)
                                take_plain(engine, &frames[i], engine->glances[i]);
                        else
                                take(engine, next++);
                }
                frames += seen;
                count -= seen;
        }
}

void pt_engine_packet(struct pt_engine *engine, const struct pt_frame *frame)
{
        pt_engine_packets(engine, frame, 1);
}

void pt_engine_log_lines(struct pt_engine *engine, uint64_t lines, uint64_t other,
                         uint64_t unreadable)
{
        engine->counters.value[PT_COUNT_LOG_LINES] = lines;
        engine->counters.value[PT_COUNT_LOG_OTHER] = other;
        engine->counters.value[PT_COUNT_LOG_UNREADABLE] = unreadable;
}

/*
 * A packet whose time is in doubt waits for a witness. If none comes, the time that the next one
 * would have had by now is as good.
 */
bool pt_engine_idle(struct pt_engine *engine, int64_t time)
{
        if (time < 0 || time > PT_CLOCK_LATEST)
                time = time < 0 ? 0 : PT_CLOCK_LATEST;
        if (engine->clock.waiting != PT_CLOCK_HERE)
                settle(engine, &time);
        pt_clock_idle(&engine->clock, time);
        advance(engine);
        return pt_line_peek(engine->line, 0) != NULL;
}

void pt_engine_finish(struct pt_engine *engine)
{
        const struct pt_syn *syn;

        if (engine->clock.waiting != PT_CLOCK_HERE)
                settle(engine, NULL);
        while ((syn = pt_line_take(engine->line)))
                pt_tell_syn(engine, syn);
        pt_fragments_finish(engine->fragments);
        pt_streams_finish(engine->streams);
        pt_tell_repeats(engine, PT_FORGET_ALL);
        if (engine->outcomes)
                pt_tell_outcomes(engine, true);
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
