#include "io/capture/record.h"

#include <stdarg.h>
#include <stdio.h>

enum pt_record pt_record_refuse(const struct pt_source *source, struct pt_record_fault *fault,
                                const char *format, ...)
{
        va_list list;

        fault->offset = pt_source_offset(source);
        fault->error = 0;
        va_start(list, format);
        vsnprintf(fault->reason, sizeof fault->reason, format, list);
        va_end(list);
        return PT_RECORD_FAULT;
}

enum pt_record pt_record_lack(const struct pt_source *source, struct pt_record_fault *fault,
                              const char *what, size_t wanted)
{
        switch (source->state) {
        case PT_SOURCE_LATER:
                return PT_RECORD_LATER;
        case PT_SOURCE_FAILED:
                pt_record_refuse(source, fault, "%s", source->reason);
                fault->error = source->error;
                return PT_RECORD_FAULT;
        default:
                if (pt_source_left(source) == 0)
                        return PT_RECORD_END;
                return pt_record_refuse(source, fault,
                                        "truncated: of the %zu octets of %s there are %zu", wanted,
                                        what, pt_source_left(source));
        }
}
