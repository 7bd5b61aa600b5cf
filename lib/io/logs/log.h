/*
 * log: the lines of another program's log -> frames of logged.h, in the order of time. Zeek's
 * dns.log and conn.log, with columns or as JSON, and Suricata's EVE are told apart by their lines.
 *
 * A record that stands further behind than the window sorts is handed over with the time of the one
 * before it, and says so: its alert may be weaker than its evidence was.
 */
#pragma once

#include "io/capture/record.h"

#define PT_LOG_LINE ((size_t)1 << 20) /* octets; a longer line cannot be read */

struct pt_log;

/* What became of the lines so far. */
struct pt_log_count {
        uint64_t lines;
        uint64_t other; /* sound, but about nothing that is looked for */
        uint64_t unreadable;
        uint64_t first;     /* the first that could not be read, counted from 1 */
        const char *reason; /* and why */
};

/*
 * Is this a log that is read? 0 with `ret`; -ENOMSG if it is not, with a few words; -ENOMEM. The
 * source stands where it stood.
 */
int pt_log_open(struct pt_source *source, struct pt_log **ret, const char **ret_words);

/* Takes NULL. Returns NULL. */
struct pt_log *pt_log_free(struct pt_log *log);

/*
 * The next record, as a frame that is valid until the next call; its number is that of its line. A
 * fault comes when all that was read before it has been given.
 */
enum pt_record pt_log_next(struct pt_log *log, struct pt_source *source, struct pt_frame *ret,
                           struct pt_record_fault *fault);

struct pt_log_count pt_log_count(const struct pt_log *log);
