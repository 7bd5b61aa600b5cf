#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

/* systemd.exec(5): $JOURNAL_STREAM is device:inode of the stream that leads to the journal. */
static bool is_journal(void)
{
        const char *stream = getenv("JOURNAL_STREAM");
        struct stat status;
        char text[64];

        if (!stream || fstat(STDERR_FILENO, &status) < 0)
                return false;
        snprintf(text, sizeof text, "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
        return strcmp(stream, text) == 0;
}

#define LINE 1280

static char last_error[LINE];

/* Asked once, before there is a sandbox. */
static int journal = -1;

__attribute__((format(printf, 2, 0))) static void say(int priority, const char *format,
                                                      va_list arguments)
{
        char line[LINE];

        vsnprintf(line, sizeof line, format, arguments);
        for (char *p = line; *p; p++) {
                if ((unsigned char)*p < 0x20 || *p == 0x7f)
                        *p = '?';
        }
        if (priority == LOG_ERR)
                memcpy(last_error, line, sizeof line);
        if (journal < 0)
                journal = is_journal();
        if (journal)
                fprintf(stderr, "<%d>%s\n", priority, line);
        else
                fprintf(stderr, "portent: %s\n", line);
}

#define SAY(priority)                             \
        do {                                      \
                va_list arguments;                \
                                                  \
                va_start(arguments, format);      \
                say(priority, format, arguments); \
                va_end(arguments);                \
        } while (0)

void pt_say(const char *format, ...)
{
        SAY(LOG_INFO);
}

void pt_say_warning(const char *format, ...)
{
        SAY(LOG_WARNING);
}

void pt_say_error(const char *format, ...)
{
        SAY(LOG_ERR);
}

void pt_say_fault(const struct pt_rule_error *error)
{
        char place[32] = "";

        if (error->line)
                snprintf(place, sizeof place, ":%u:%u", error->line, error->column);
        pt_say_error("%s%s%s%s%s%s", error->file, place, *error->file ? ": " : "", error->path,
                     *error->path ? ": " : "", error->sentence);
}

const char *pt_say_last_error(void)
{
        return last_error;
}
