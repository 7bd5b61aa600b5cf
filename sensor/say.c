#include "say.h"

#include <stdarg.h>
#include <stdio.h>

void pt_say(const char *format, ...)
{
        char line[1280];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(line, sizeof line, format, arguments);
        va_end(arguments);
        for (char *p = line; *p; p++) {
                if ((unsigned char)*p < 0x20 || *p == 0x7f)
                        *p = '?';
        }
        fprintf(stderr, "portent: %s\n", line);
}

void pt_say_fault(const struct pt_rule_error *error)
{
        char place[32] = "";

        if (error->line)
                snprintf(place, sizeof place, ":%u:%u", error->line, error->column);
        pt_say("%s%s%s%s%s%s", error->file, place, *error->file ? ": " : "", error->path,
               *error->path ? ": " : "", error->sentence);
}
