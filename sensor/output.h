/*
 * output: everything that is written, to every destination: each event is a line in the form that a
 * destination wants, made once for each form.
 */
#pragma once

#include <poll.h>

#include "io/notice.h"
#include "io/output/sink.h"
#include "portent.h"
#include "options.h"

struct pt_output;

struct pt_output_settings {
        const struct pt_texts *destinations;
        enum pt_format format;
        bool prompt;         /* do not let an alert wait for the next lines */
        volatile bool *stop; /* ends the waiting for a destination that takes nothing; set
                                when there is none left that takes anything */
        const struct pt_observer *observer;
        struct pt_notify notify; /* who is told of trouble, of its end and of what was lost; if
                                    nobody is, it is said on standard error */
        bool live;               /* nothing is waited for: see pt_output_serve() */
        size_t queue;            /* octets in memory for each destination, 0 for a default */
        const char *spool;       /* the folder of spools, live; NULL for none */
        size_t spool_size;       /* octets of it for each destination; 0 for none */
        bool spool_if_can;       /* start also if that folder cannot be used */
        uint64_t max_size;       /* of a file, 0 for no bound */
};

/* 0, or a negative errno with a sentence. Borrows what the settings point to. */
int pt_output_open(const struct pt_output_settings *settings, struct pt_output **ret,
                   char sentence[PT_OPTION_SENTENCE]);

/* Live: from now on files are written to by threads of their own. 0, or -ENOMEM. */
int pt_output_write_aside(struct pt_output *output);

/* A receiver of events: `output` is a struct pt_output. */
void pt_output_event(void *output, const struct pt_event *event);

/* A line that is no event: `ecs` goes where documents go, `text` where people read. */
void pt_output_line(struct pt_output *output, const char *ecs, const char *text);

/* There was no memory for `what`, a line: it is lost, counted for each destination, and said. */
void pt_output_missed(struct pt_output *output, const char *what);

/* The number of the next line, which it is then. */
uint64_t pt_output_number(struct pt_output *output);

/* Write what has been gathered. Live, as far as that goes without waiting. */
void pt_output_flush(struct pt_output *output);

/*
 * Live: what the outputs wait for. Up to `room` descriptors are put into `polls`; returns how many.
 * `*timeout` (milliseconds, -1 for ever) is made shorter if an output has to do something before.
 */
size_t pt_output_poll(struct pt_output *output, struct pollfd *polls, size_t room, int *timeout);

/* Live: do all that can be done now without waiting. To be called before each poll(). Cheap. */
void pt_output_serve(struct pt_output *output);

/*
 * Open all files anew, for HUP: what was written before is in the old ones, what follows will be in
 * the new ones. Where that fails, the old one goes on, which is told, and it is tried again.
 */
void pt_output_reopen(struct pt_output *output);

/*
 * The end. Live, half a second is given to readers that are there, and what waits then goes to the
 * spool; what has none is counted as dropped. After this nothing waits in memory.
 */
void pt_output_finish(struct pt_output *output);

/* Do lines of it go to a terminal? */
bool pt_output_on_terminal(const struct pt_output *output);

/* Did a destination stop taking lines? (It was said when it did.) */
bool pt_output_lost(const struct pt_output *output);

/* What became of the lines of one destination; false behind the last. */
bool pt_output_stats(const struct pt_output *output, size_t place, const char **ret_destination,
                     struct pt_sink_stats *ret);

/* Flushes. Takes NULL. Returns NULL. */
struct pt_output *pt_output_free(struct pt_output *output);
