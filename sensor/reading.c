#include "reading.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "say.h"
#include "signals.h"

#define FRAMES 16 /* that are handed to the engine together, which fetches ahead for them */

static void tell(void *context, enum pt_archive_word word, const char *sentence)
{
        struct pt_reading *reading = context;
        bool talks = reading->options->verbose && !reading->options->quiet;

        switch (word) {
        case PT_ARCHIVE_OPENED:
                if (talks)
                        pt_say("reading %s", sentence);
                break;
        case PT_ARCHIVE_SKIPPED:
                if (talks)
                        pt_say("left out: %s", sentence);
                break;
        case PT_ARCHIVE_REFUSED:
        case PT_ARCHIVE_CUT:
                pt_say_error("%s", sentence);
                reading->troubled = true;
                break;
        }
}

static int open_archive(struct pt_reading *reading)
{
        const struct pt_options *options = reading->options;
        const struct pt_archive_settings settings = {
                .paths = (const char *const *)options->inputs.list,
                .count = options->inputs.count,
                .filter = options->filter,
                .stop = &pt_signals_stop,
                .since = options->since,
                .until = options->until,
                .tell = tell,
                .context = reading,
        };

        return pt_archive_new(&settings, &reading->archive);
}

int pt_reading_run(struct pt_reading *reading)
{
        struct pt_frame frames[FRAMES];
        size_t count;
        int r = open_archive(reading);

        if (r < 0)
                return r;
        while (!pt_signals_stop &&
               pt_archive_several(reading->archive, frames, FRAMES, &count) == PT_ARCHIVE_FRAME)
                pt_engine_packets(reading->engine, frames, count);
        if (pt_reading_nothing(reading))
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
