/*
 * intake: the way of a packet into the engine. Time moves on, what is due leaves, and then the
 * packet is observed; one whose time is in doubt waits for the next.
 */
#include <string.h>

#include "engine/ahead.h"
#include "engine/observe.h"
#include "engine/tell.h"

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
