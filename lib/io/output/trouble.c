#include "io/output/trouble.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SECOND INT64_C(1000000000)
#define QUIET (10 * SECOND)

void pt_trouble_tell(const struct pt_trouble *trouble, enum pt_notice_kind kind,
                     enum pt_notice_level level, const char *sentence, uint64_t count)
{
        struct pt_notice notice = {
                .kind = kind,
                .level = level,
                .subject = trouble->subject,
                .sentence = sentence,
                .since = pt_since_wall(trouble->began),
                .count = count,
        };

        if (trouble->notify.tell)
                trouble->notify.tell(trouble->notify.context, &notice);
}

static void begin(struct pt_trouble *trouble)
{
        if (!trouble->began.steady)
                trouble->began = pt_since_now();
}

void pt_trouble_meet(struct pt_trouble *trouble, int error, const char *why, int64_t now,
                     int64_t grace)
{
        char sentence[256];

        if (!trouble->error) {
                begin(trouble);
                trouble->since = now;
                trouble->due = now + grace;
        }
        trouble->error = error;
        trouble->why = why;
        if (trouble->told || now < trouble->due)
                return;
        trouble->told = true;
        trouble->due = INT64_MAX;
        snprintf(sentence, sizeof(sentence), "%s%s: %s", trouble->what, why ? why : strerror(error),
                 trouble->meanwhile);
        pt_trouble_tell(trouble, PT_NOTICE_OUTPUT_TROUBLE, PT_NOTICE_WARNING, sentence, 0);
}

void pt_trouble_lose(struct pt_trouble *trouble, uint64_t lines, int64_t now)
{
        char sentence[256];
        const char *why = trouble->why;

        (void)now;
        if (!lines)
                return;
        begin(trouble);
        trouble->lost += lines;
        if (trouble->told_loss || !trouble->error)
                return;
        trouble->told = trouble->told_loss = true;
        trouble->due = INT64_MAX;
        snprintf(sentence, sizeof(sentence), "%s%s: no more can wait, lines are lost now",
                 trouble->what, why ? why : strerror(trouble->error));
        pt_trouble_tell(trouble, PT_NOTICE_OUTPUT_TROUBLE, PT_NOTICE_ERROR, sentence,
                        trouble->lost);
}

static void tell_end(struct pt_trouble *trouble)
{
        double seconds = (double)pt_since_elapsed(trouble->began) / (double)SECOND;
        char sentence[256];
        int n = 0;

        if (trouble->told)
                n = snprintf(sentence, sizeof(sentence), "%sall is well again after %.1f s; ",
                             trouble->what, seconds);
        snprintf(sentence + n, sizeof(sentence) - (size_t)n,
                 trouble->lost ? "%" PRIu64 " line%s lost" : "nothing was lost", trouble->lost,
                 trouble->lost == 1 ? " was" : "s were");
        pt_trouble_tell(trouble, PT_NOTICE_OUTPUT_RECOVERED,
                        trouble->lost ? PT_NOTICE_WARNING : PT_NOTICE_INFO, sentence,
                        trouble->lost);
}

void pt_trouble_pass(struct pt_trouble *trouble, int64_t now)
{
        trouble->error = 0;
        trouble->due = INT64_MAX;
        if (!trouble->began.steady)
                return;
        if (trouble->lost && !trouble->told && now < trouble->quiet)
                return;
        if (trouble->told || trouble->lost)
                tell_end(trouble);
        if (trouble->lost)
                trouble->quiet = now + QUIET;
        trouble->told = trouble->told_loss = false;
        trouble->lost = 0;
        trouble->began = (struct pt_since){0};
}
