/*
 * health: what this run saw and did, and how it fares: in stats and state documents, in the files
 * of
 * --stats and --metrics, in the log, and in the last words on standard error, which also say why
 * when nothing was found (design 6).
 *
 * health.c has the counters, standing.c what holds now, pulse.c the states and alarms, farewell.c
 * the last words.
 */
#pragma once

#include "document/alarm.h"
#include "document/ecs.h"
#include "io/live/live.h"
#include "io/notice.h"
#include "document/metrics.h"
#include "portent.h"
#include "memory/visibility.h"
#include "effect.h"
#include "options.h"
#include "output.h"
#include "proof.h"

#define PT_HEALTH_NOTICES 64  /* that wait to become documents */
#define PT_HEALTH_TROUBLES 64 /* links and destinations that are in trouble at once */
#define PT_HEALTH_ALARMS 16   /* names at most */

/* What a capture or an output said, kept until it is told. */
struct pt_health_notice {
        enum pt_notice_kind kind;
        enum pt_notice_level level;
        int64_t since;
        uint64_t count;
        char subject[256];
        char sentence[256];
};

struct pt_health_trouble {
        enum pt_notice_kind kind; /* that began it; PT_NOTICE_KINDS for a free place */
        char subject[256];
};

/* The caller fills in what is above the line, and changes it when it changes. */
struct pt_health {
        struct pt_engine *engine;
        struct pt_live *live; /* NULL in replay */
        struct pt_output *output;
        const struct pt_proof *proof; /* NULL: no packets are kept */
        const struct pt_observer *observer;
        const struct pt_options *options;
        const struct pt_rules *rules;
        const struct pt_allow *allow;      /* the lists in effect, NULL for none */
        const struct pt_ecs_input *inputs; /* replay: told when it stops */
        size_t input_count;
        int64_t started;  /* by CLOCK_MONOTONIC, nanoseconds */
        uint64_t outside; /* packets that --since and --until left out */
        bool filtered;    /* there is a filter expression */
        bool unread;      /* no input could be opened: there is nothing to explain */
        bool near_misses_told;
        /* ---- */
        int64_t started_wall;
        char config_hash[PT_EFFECT_HASH];
        struct pt_health_notice notices[PT_HEALTH_NOTICES];
        size_t notice_count;
        uint64_t notices_lost;
        struct pt_health_trouble troubles[PT_HEALTH_TROUBLES];
        struct pt_alarms alarms;
        bool running;
        bool metrics_failed; /* and it has been said */
        int64_t look_due;    /* CLOCK_MONOTONIC */
        int64_t stats_due;
        int64_t report_due;
        struct pt_visibility_report seen; /* at the end; its lists no longer count */
};

/* The run begins; capture is open and the packets come; it ends, by a signal's name or NULL. */
void pt_health_starting(struct pt_health *health);
void pt_health_running(struct pt_health *health);
void pt_health_stopped(struct pt_health *health, const char *reason, bool failed);

/* Rules and configuration were read anew; or refused, with what was wrong. */
void pt_health_reloaded(struct pt_health *health);
void pt_health_refused(struct pt_health *health, const char *error);

/* Live, at each round: what is due is told. Returns when to come back, CLOCK_MONOTONIC. */
int64_t pt_health_tick(struct pt_health *health, int64_t now);

/*
 * A capture or an output has something to say; `health` is a struct pt_health. It is in the log at
 * once, and becomes a document at the next tick: an output that is at work takes no line.
 */
void pt_health_notice(void *health, const struct pt_notice *notice);

/* What holds now, by name. Returns how many names there are. */
size_t pt_health_alarms(const struct pt_health *health,
                        struct pt_metrics_alarm ret[PT_HEALTH_ALARMS]);

/* The present of CLOCK_MONOTONIC, and the wall clock since 1970, nanoseconds. */
int64_t pt_health_clock(void);
int64_t pt_health_wall(void);

/* A counter of the engine by its name, 0 if there is none. */
uint64_t pt_health_count(const struct pt_engine *engine, const char *name);

/* Stats now, asked for by a signal: a document, and the file of metrics. */
void pt_health_stats(struct pt_health *health);

/* One stats document to every output, at the wall clock's time. 0, or -ENOMEM. */
int pt_health_tell(const struct pt_health *health);

/* The end: what the last words say of visibility is kept, for a report begins a new period. */
void pt_health_look_back(struct pt_health *health);

/* What could be seen until now, as one document, if it was asked for; a new period begins. */
void pt_health_report(struct pt_health *health);

/*
 * The same object into a file, which is replaced as a whole; "-" is standard output. 0, or a
 * negative errno.
 */
int pt_health_write(const struct pt_health *health, const char *path);

/* The same numbers as Prometheus reads them, into a file that is replaced as a whole. */
int pt_health_metrics(const struct pt_health *health, const char *path);

/*
 * `verbose`: every counter too. If quiet, there is one: that what was asked for left nothing in
 * which anything could be found, for silence would mean that nothing is there.
 */
void pt_health_last_word(const struct pt_health *health);
void pt_health_last_words(const struct pt_health *health, bool verbose);
