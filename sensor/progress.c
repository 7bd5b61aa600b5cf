#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "health.h"

#define SECOND INT64_C(1000000000)
#define AGAIN (SECOND / 5)

void pt_progress_begin(struct pt_progress *progress, bool wanted)
{
        *progress = (struct pt_progress){
                .on = wanted && isatty(STDERR_FILENO),
                .begun = pt_health_clock(),
        };
        progress->due = progress->begun + SECOND; /* what is short needs none */
}

bool pt_progress_is_due(struct pt_progress *progress)
{
        int64_t now;

        if (!progress->on)
                return false;
        now = pt_health_clock();
        if (now < progress->due)
                return false;
        progress->due = now + AGAIN;
        return true;
}

static void format_size(double octets, char *text, size_t size)
{
        static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
        size_t unit = 0;

        for (; octets >= 1024 && unit < 4; unit++)
                octets /= 1024;
        snprintf(text, size, unit ? "%.1f %s" : "%.0f %s", octets, units[unit]);
}

static void format_left(int64_t seconds, char *text, size_t size)
{
        if (seconds < 60)
                snprintf(text, size, "%" PRId64 " s", seconds);
        else if (seconds < 3600)
                snprintf(text, size, "%" PRId64 " min %" PRId64 " s", seconds / 60, seconds % 60);
        else
                snprintf(text, size, "%" PRId64 " h %" PRId64 " min", seconds / 3600,
                         seconds / 60 % 60);
}

const char *pt_progress_format(uint64_t taken, uint64_t total, int64_t elapsed,
                               char ret[PT_PROGRESS_TEXT])
{
        double rate = elapsed > 0 ? (double)taken * SECOND / (double)elapsed : 0;
        char had[16], all[16], speed[16], left[48];

        format_size((double)taken, had, sizeof had);
        format_size(rate, speed, sizeof speed);
        if (total == 0 || taken > total || rate <= 0) {
                snprintf(ret, PT_PROGRESS_TEXT, "%s, %s/s", had, speed);
                return ret;
        }
        format_size((double)total, all, sizeof all);
        format_left((int64_t)((double)(total - taken) / rate + 0.5), left, sizeof left);
        snprintf(ret, PT_PROGRESS_TEXT, "%.0f %%, %s of %s, %s/s, %s left",
                 100.0 * (double)taken / (double)total, had, all, speed, left);
        return ret;
}

void pt_progress_show(struct pt_progress *progress, uint64_t taken, uint64_t total)
{
        char text[PT_PROGRESS_TEXT];

        /* Back to the beginning of the line, and what stood behind it away. */
        fprintf(stderr, "\r%s\033[K",
                pt_progress_format(taken, total, pt_health_clock() - progress->begun, text));
        fflush(stderr);
        progress->shown = true;
}

void pt_progress_clear(struct pt_progress *progress)
{
        if (!progress->shown)
                return;
        fputs("\r\033[K", stderr);
        fflush(stderr);
        progress->shown = false;
}
