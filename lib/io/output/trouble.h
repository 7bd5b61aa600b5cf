/*
 * trouble: what a destination has met, so that it is told once when it begins, once when lines are
 * lost of it, and once when it ends, with its span and the number of lost lines.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "io/notice.h"
#include "io/since.h"

struct pt_trouble {
        const char *subject;   /* the destination */
        const char *what;      /* what of it: "spool: "; or "" */
        const char *meanwhile; /* what happens to lines now: "lines wait" */
        struct pt_notify notify;
        int error;             /* positive errno of the present trouble; 0: all is well */
        const char *why;       /* it in other words, or NULL */
        int64_t since;         /* by the monotonic clock */
        int64_t due;           /* when it is to be told; INT64_MAX: it was, or is none */
        struct pt_since began; /* the trouble, or the first loss */
        bool told;             /* of it, so its end is told too */
        bool told_loss;
        uint64_t lost;
        int64_t quiet; /* losses without trouble are told no more often than every 10 s */
};

/* There is trouble, new or still. It is told when it has lasted for `grace`. `error` is positive.
 */
void pt_trouble_meet(struct pt_trouble *trouble, int error, const char *why, int64_t now,
                     int64_t grace);

/* Lines were lost. */
void pt_trouble_lose(struct pt_trouble *trouble, uint64_t lines, int64_t now);

/* All is well. */
void pt_trouble_pass(struct pt_trouble *trouble, int64_t now);

/* Tell something of the same destination. */
void pt_trouble_tell(const struct pt_trouble *trouble, enum pt_notice_kind kind,
                     enum pt_notice_level level, const char *sentence, uint64_t count);
