#include "reading.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "say.h"
#include "signals.h"

#define TOGETHER 256 /* frames handed to the engine: memory answers for all of them at once */

#define FILES_MOST 65536 /* open at once */

#define TURNS 512 /* of the loop between two looks at the progress */

/* Followed: how often it is looked whether there is more, and when what waits is judged. */
#define LOOK_AGAIN 100000000 /* nanoseconds */
#define LOOKS_IDLE 20

static void tell(void *context, enum pt_archive_word word, const char *sentence)
{
        struct pt_reading *reading = context;
        bool talks = reading->options->verbose && !reading->options->quiet;

        pt_progress_clear(&reading->progress);
        switch (word) {
        case PT_ARCHIVE_OPENED:
                if (talks)
                        pt_say("reading %s", sentence);
                break;
        case PT_ARCHIVE_SKIPPED:
                if (talks)
                        pt_say("left out: %s", sentence);
                break;
        case PT_ARCHIVE_UNREADABLE:
                if (!reading->options->quiet)
                        pt_say("%s", sentence);
                break;
        case PT_ARCHIVE_REFUSED:
        case PT_ARCHIVE_CUT:
                pt_say_error("%s", sentence);
                reading->troubled = true;
                break;
        }
}

/*
 * Captures that overlap in time are open at once, and the usual soft limit of 1024 is for programs
 * that use select(2), which this one does not.
 */
static void allow_many_files(void)
{
        struct rlimit limit;
        rlim_t most;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return;
        most = limit.rlim_max < FILES_MOST ? limit.rlim_max : FILES_MOST;
        if (limit.rlim_cur >= most)
                return;
        limit.rlim_cur = most;
        setrlimit(RLIMIT_NOFILE, &limit); /* if it fails, the file that is too many is said */
}

/*
 * Followed, and nothing has come: the lines so far are written. After two seconds the last SYNs are
 * judged too, as if a packet had come a little after the last one: time itself is that of the
 * packets, and the next one may be as old as the writer's buffer.
 */
static void wait_for_more(const struct pt_reading *reading, unsigned looks)
{
        const struct timespec moment = {.tv_nsec = LOOK_AGAIN};

        if (looks == LOOKS_IDLE && reading->last)
                pt_engine_idle(reading->engine, reading->last + reading->options->reorder + 1);
        pt_output_flush(reading->output);
        nanosleep(&moment, NULL);
}

/*
 * The same for a pipe. Where it is one of several inputs, the next frames of the others are known,
 * and may come before what waits is due.
 */
static void idle(void *context)
{
        const struct pt_reading *reading = context;

        if (reading->last && reading->options->inputs.count == 1)
                pt_engine_idle(reading->engine, reading->last + reading->options->reorder + 1);
        pt_output_flush(reading->output);
}

static int open_archive(struct pt_reading *reading)
{
        const struct pt_options *options = reading->options;
        const struct pt_archive_settings settings = {
                .paths = (const char *const *)options->inputs.list,
                .count = options->inputs.count,
                .filter = options->filter,
                .stop = &pt_signals_stop,
                .follow = options->follow,
                .hashed = options->log & PT_LOG_STATE, /* costs more than all the rest */
                .idle = {idle, reading},
                .since = options->since,
                .until = options->until,
                .tell = tell,
                .context = reading,
        };

        return pt_archive_new(&settings, &reading->archive);
}

static void show_progress(struct pt_reading *reading)
{
        struct pt_archive_count count;

        if (!pt_progress_is_due(&reading->progress))
                return;
        count = pt_archive_count(reading->archive);
        pt_progress_show(&reading->progress, count.taken, count.octets);
}

/* Between two turns: outputs are opened anew, and stats written, when that was asked. */
static void obey_signals(struct pt_reading *reading)
{
        if (pt_signals_take(PT_SIGNAL_RELOAD))
                pt_output_reopen(reading->output);
        if (pt_signals_take(PT_SIGNAL_STATS))
                pt_health_stats(reading->health);
}

static void read_all(struct pt_reading *reading)
{
        enum pt_archive_step step = PT_ARCHIVE_FRAME;
        struct pt_frame frames[TOGETHER];
        size_t count = 0;
        unsigned looks = 0, turns = 0;

        while (!pt_signals_stop && step != PT_ARCHIVE_END) {
                obey_signals(reading);
                step = pt_archive_several(reading->archive, frames, TOGETHER, &count);
                if (step == PT_ARCHIVE_FRAME) {
                        pt_engine_packets(reading->engine, frames, count);
                        reading->last = frames[count - 1].time;
                        looks = 0;
                        if (++turns % TURNS == 0)
                                show_progress(reading);
                } else if (step == PT_ARCHIVE_LATER) {
                        wait_for_more(reading, ++looks);
                }
        }
}

static void count_lines(const struct pt_reading *reading)
{
        struct pt_archive_count count = pt_archive_count(reading->archive);

        pt_engine_log_lines(reading->engine, count.lines, count.other, count.unreadable);
}

int pt_reading_run(struct pt_reading *reading)
{
        int r;

        allow_many_files();
        r = open_archive(reading);
        if (r < 0)
                return r;
        /* Lines of alerts and the one of progress would be written over each other. */
        pt_progress_begin(&reading->progress, !reading->options->quiet &&
                                                      !reading->options->follow &&
                                                      !pt_output_on_terminal(reading->output));
        read_all(reading);
        count_lines(reading);
        pt_progress_clear(&reading->progress);
        if (!reading->options->follow && pt_reading_nothing(reading))
                reading->troubled = true;
        return 0;
}

const char *pt_reading_name(void *context, uint32_t file)
{
        const struct pt_reading *reading = context;

        return reading->archive ? pt_archive_name(reading->archive, file) : NULL;
}

bool pt_reading_nothing(const struct pt_reading *reading)
{
        struct pt_archive_count count;

        if (!reading->archive)
                return true;
        count = pt_archive_count(reading->archive);
        return count.refused + count.skipped >= count.files;
}

struct pt_ecs_input *pt_reading_inputs(const struct pt_reading *reading, size_t *ret_count)
{
        const struct pt_archive_input *input;
        struct pt_ecs_input *list;
        size_t count = 0;

        *ret_count = 0;
        while (reading->archive && pt_archive_input(reading->archive, count))
                count++;
        list = count ? calloc(count, sizeof *list) : NULL;
        for (size_t i = 0; list && i < count; i++) {
                input = pt_archive_input(reading->archive, i);
                list[i] = (struct pt_ecs_input){input->name, input->size, input->digest};
        }
        *ret_count = list ? count : 0;
        return list;
}

uint64_t pt_reading_outside(const struct pt_reading *reading)
{
        return reading->archive ? pt_archive_count(reading->archive).outside : 0;
}

void pt_reading_last_words(const struct pt_reading *reading)
{
        struct pt_archive_count count;

        if (!reading->archive)
                return;
        count = pt_archive_count(reading->archive);
        if (count.skipped)
                pt_say("%zu file%s in the directories %s no capture%s, and left out (-v names "
                       "them)",
                       count.skipped, pt_say_plural(count.skipped),
                       count.skipped == 1 ? "is" : "are", pt_say_plural(count.skipped));
        if (reading->options->since || reading->options->until)
                pt_say("%" PRIu64 " packet%s outside --since and --until %s not looked at",
                       count.outside, pt_say_plural(count.outside),
                       count.outside == 1 ? "was" : "were");
}

void pt_reading_end(struct pt_reading *reading)
{
        reading->archive = pt_archive_free(reading->archive);
}
