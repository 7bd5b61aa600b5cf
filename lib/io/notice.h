/*
 * notice: what a capture or an output has to say about itself, each change once: the program makes
 * of it a line of its log and a state document. Strings are borrowed until the callback returns.
 */
#pragma once

#include <stdint.h>

enum pt_notice_kind {
        PT_NOTICE_LINK_DOWN,        /* an interface has no carrier, or was set down */
        PT_NOTICE_LINK_UP,          /* and has one again */
        PT_NOTICE_CAPTURE_LOST,     /* an interface vanished or was renamed: it is awaited */
        PT_NOTICE_CAPTURE_RESUMED,  /* it is there again */
        PT_NOTICE_OUTPUT_TROUBLE,   /* a destination does not take lines */
        PT_NOTICE_OUTPUT_RECOVERED, /* it does again; `count` lines were lost meanwhile */
        PT_NOTICE_OUTPUT_TORN,      /* a torn last line was closed */
        PT_NOTICE_KINDS,
};

enum pt_notice_level {
        PT_NOTICE_INFO,
        PT_NOTICE_WARNING,
        PT_NOTICE_ERROR,
};

struct pt_notice {
        enum pt_notice_kind kind;
        enum pt_notice_level level;
        const char *subject;  /* the interface or destination */
        const char *sentence; /* for people, without the subject; no final dot */
        int64_t since;        /* wall clock, nanoseconds since 1970, when it began; 0 unknown */
        uint64_t count;       /* packets or lines lost in that time */
};

/* Who is told. `tell` may be NULL: then nobody is. */
struct pt_notify {
        void (*tell)(void *context, const struct pt_notice *notice);
        void *context;
};
