#include "output.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arena.h"
#include "say.h"

#define MILLISECOND INT64_C(1000000)
#define FAREWELL (500 * MILLISECOND) /* for readers, at the end */

enum form {
        FORM_ECS,
        FORM_TEXT,
        FORM_COLOUR,
        FORMS,
};

struct place {
        struct pt_sink *sink;
        enum form form;
        bool terminal;
        bool lost;
};

#define KEPT_MOST 16

struct kept {
        struct pt_notice notice;
        char sentence[256];
};

struct pt_output {
        struct pt_notify notify;
        struct kept kept[KEPT_MOST]; /* not told yet */
        size_t kept_count;
        bool telling;
        const struct pt_observer *observer;
        bool prompt;
        bool live;
        bool failed; /* no memory for a line */
        volatile bool *stop;
        uint64_t sequence;
        size_t lost; /* of the places */
        size_t count;
        struct place places[];
};

/* One event in the forms that were asked for. */
struct lines {
        char *text[FORMS];
        size_t length[FORMS];
};

/* ---- what outputs have to say ---- */

/* Replay: at once, for it may be waiting. */
static void say(void *context, const struct pt_notice *notice)
{
        (void)context;
        pt_say("%s: %s", notice->subject, notice->sentence);
}

/*
 * Live, what is told may become a document, that is a line for the very output that is telling: it
 * is kept until that has done its work. Where there is no room for it, it is said at least.
 */
static void keep(void *context, const struct pt_notice *notice)
{
        struct pt_output *output = context;
        struct kept *kept = &output->kept[output->kept_count];

        if (output->kept_count == KEPT_MOST) {
                say(NULL, notice);
                return;
        }
        kept->notice = *notice; /* the subject is the output's own text, and stays */
        snprintf(kept->sentence, sizeof kept->sentence, "%s", notice->sentence);
        output->kept_count++;
}

static void tell_kept(struct pt_output *output)
{
        if (output->telling)
                return;
        output->telling = true;
        for (size_t i = 0; i < output->kept_count; i++) {
                output->kept[i].notice.sentence = output->kept[i].sentence;
                output->notify.tell(output->notify.context, &output->kept[i].notice);
        }
        output->kept_count = 0;
        output->telling = false;
}

/* no-color.org: a variable that is there and not empty. */
static bool wants_colour(void)
{
        const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");

        return !(no && *no) && terminal && strcmp(terminal, "dumb") != 0;
}

static enum form choose_form(enum pt_format format, bool terminal)
{
        if (format == PT_FORMAT_ECS || (format == PT_FORMAT_AUTO && !terminal))
                return FORM_ECS;
        return terminal && wants_colour() ? FORM_COLOUR : FORM_TEXT;
}

static int open_place(struct pt_output *output, const struct pt_output_settings *settings,
                      const char *destination, char sentence[PT_OPTION_SENTENCE])
{
        struct place *place = &output->places[output->count];
        const struct pt_sink_settings sink = {
                .destination = destination,
                .live = settings->live,
                .queue = settings->queue,
                .spool = settings->spool,
                .spool_size = settings->spool_size,
                .spool_if_can = settings->spool_if_can,
                .max_size = settings->max_size,
                .notify = {settings->live ? keep : say, output},
                .stop = settings->stop,
        };
        int r = pt_sink_open(&sink, &place->sink, sentence);

        if (r < 0)
                return r;
        place->terminal = pt_sink_is_terminal(place->sink);
        place->form = choose_form(settings->format, place->terminal);
        output->count++;
        return 0;
}

int pt_output_open(const struct pt_output_settings *settings, struct pt_output **ret,
                   char sentence[PT_OPTION_SENTENCE])
{
        size_t count = settings->destinations->count;
        struct pt_output *output = calloc(1, sizeof *output + count * sizeof *output->places);

        snprintf(sentence, PT_OPTION_SENTENCE, "%s", strerror(ENOMEM));
        if (!output)
                return -ENOMEM;
        output->observer = settings->observer;
        output->prompt = settings->prompt;
        output->live = settings->live;
        output->notify = settings->notify.tell ? settings->notify : (struct pt_notify){say, NULL};
        output->stop = settings->stop;
        for (size_t i = 0; i < count; i++) {
                int r = open_place(output, settings, settings->destinations->list[i], sentence);

                if (r < 0) {
                        pt_output_free(output);
                        return r;
                }
        }
        *ret = output;
        return 0;
}

int pt_output_write_aside(struct pt_output *output)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < output->count; i++)
                r = pt_sink_write_aside(output->places[i].sink);
        return r;
}

/*
 * Has the destination gone for good? Then it is said, once. `r` is what writing to it said: in
 * replay a line that was dropped is as bad.
 */
static void look_for_loss(struct pt_output *output, struct place *place, int r)
{
        if (output->live)
                r = pt_sink_lost(place->sink);
        if (r >= 0 || place->lost)
                return;
        place->lost = true;
        if (++output->lost == output->count)
                *output->stop = true;
        pt_say("%s: %s: nothing more is written there", pt_sink_destination(place->sink),
               strerror(-r));
}

static int64_t wall_clock(void)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int make_line(struct pt_output *output, const struct pt_event *event, enum form form,
                     struct lines *lines)
{
        char **text = &lines->text[form];
        size_t *length = &lines->length[form];

        if (*text)
                return 0;
        if (form == FORM_ECS)
                return pt_event_ecs(event, output->observer, wall_clock(), output->sequence, text,
                                    length);
        return pt_event_text(event, output->observer, form == FORM_COLOUR, text, length);
}

static bool is_alert(const struct pt_event *event)
{
        enum pt_event_kind kind = pt_event_kind(event);

        return kind == PT_EVENT_ALERT || kind == PT_EVENT_ROTATION || kind == PT_EVENT_CAMPAIGN ||
               kind == PT_EVENT_REPEATS;
}

static void write_event(struct pt_output *output, struct place *place, const struct pt_event *event,
                        struct lines *lines)
{
        int r;

        if (make_line(output, event, place->form, lines) < 0) {
                if (!output->failed)
                        pt_say_error("there is no memory for a line of output: it is lost");
                output->failed = true;
                pt_sink_miss(place->sink);
                return;
        }
        r = pt_sink_write(place->sink, lines->text[place->form], lines->length[place->form]);
        if (r == 0 && !output->live && (place->terminal || (output->prompt && is_alert(event))))
                r = pt_sink_flush(place->sink);
        look_for_loss(output, place, r);
}

void pt_output_event(void *context, const struct pt_event *event)
{
        struct pt_output *output = context;
        struct lines lines = {0};

        output->sequence++;
        for (size_t i = 0; i < output->count; i++)
                write_event(output, &output->places[i], event, &lines);
        for (size_t i = 0; i < FORMS; i++)
                free(lines.text[i]);
        pt_arena_reset();
        tell_kept(output);
}

void pt_output_line(struct pt_output *output, const char *ecs, const char *text)
{
        for (size_t i = 0; i < output->count; i++) {
                struct place *place = &output->places[i];
                const char *line = place->form == FORM_ECS ? ecs : text;

                /* A lost one counts what it does not take. */
                look_for_loss(output, place, pt_sink_write(place->sink, line, strlen(line)));
        }
}

void pt_output_missed(struct pt_output *output, const char *what)
{
        pt_say_error("there is no memory for %s", what);
        output->failed = true;
        for (size_t i = 0; i < output->count; i++)
                pt_sink_miss(output->places[i].sink);
}

uint64_t pt_output_number(struct pt_output *output)
{
        return ++output->sequence;
}

void pt_output_flush(struct pt_output *output)
{
        for (size_t i = 0; i < output->count; i++) {
                if (output->places[i].lost)
                        continue;
                look_for_loss(output, &output->places[i], pt_sink_flush(output->places[i].sink));
        }
}

size_t pt_output_poll(struct pt_output *output, struct pollfd *polls, size_t room, int *timeout)
{
        int64_t soonest = INT64_MAX, again;
        size_t used = 0;

        for (size_t i = 0; i < output->count; i++) {
                struct pollfd wanted;

                if (pt_sink_poll(output->places[i].sink, &wanted, &again) && used < room)
                        polls[used++] = wanted;
                if (again < soonest)
                        soonest = again;
        }
        if (soonest == INT64_MAX)
                return used;
        soonest = (soonest - pt_sink_clock() + MILLISECOND - 1) / MILLISECOND;
        if (soonest < 0)
                soonest = 0;
        if (*timeout < 0 || soonest < *timeout)
                *timeout = soonest < INT_MAX ? (int)soonest : INT_MAX;
        return used;
}

void pt_output_serve(struct pt_output *output)
{
        int64_t now = pt_sink_clock();

        for (size_t i = 0; i < output->count; i++) {
                if (output->places[i].lost)
                        continue;
                pt_sink_serve(output->places[i].sink, now);
                look_for_loss(output, &output->places[i], 0);
        }
        tell_kept(output);
}

void pt_output_reopen(struct pt_output *output)
{
        int64_t now = pt_sink_clock();

        for (size_t i = 0; i < output->count; i++)
                pt_sink_reopen(output->places[i].sink, now);
        tell_kept(output);
}

/* Give readers that are there the time to take what waits. */
static void deliver_rest(struct pt_output *output)
{
        int64_t end = pt_sink_clock() + FAREWELL, now;

        while ((now = pt_sink_clock()) < end) {
                struct pollfd polls[16];
                int timeout = (int)((end - now) / MILLISECOND) + 1;
                bool waits = false;

                pt_output_serve(output);
                for (size_t i = 0; i < output->count; i++)
                        waits = waits || (!output->places[i].lost &&
                                          pt_sink_is_busy(output->places[i].sink));
                if (!waits)
                        return;
                poll(polls, (nfds_t)pt_output_poll(output, polls, 16, &timeout), timeout);
        }
}

void pt_output_finish(struct pt_output *output)
{
        if (!output->live) {
                pt_output_flush(output);
                return;
        }
        deliver_rest(output);
        for (size_t i = 0; i < output->count; i++)
                pt_sink_close_down(output->places[i].sink);
}

bool pt_output_on_terminal(const struct pt_output *output)
{
        for (size_t i = 0; i < output->count; i++) {
                if (output->places[i].terminal)
                        return true;
        }
        return false;
}

bool pt_output_lost(const struct pt_output *output)
{
        return output->failed || output->lost > 0;
}

bool pt_output_stats(const struct pt_output *output, size_t place, const char **ret_destination,
                     struct pt_sink_stats *ret)
{
        if (place >= output->count)
                return false;
        *ret_destination = pt_sink_destination(output->places[place].sink);
        *ret = pt_sink_stats(output->places[place].sink);
        return true;
}

struct pt_output *pt_output_free(struct pt_output *output)
{
        for (size_t i = 0; output && i < output->count; i++)
                pt_sink_free(output->places[i].sink);
        free(output);
        return NULL;
}
