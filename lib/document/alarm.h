/*
 * alarm: what a sensor must not keep to itself: that it sees nothing, or not what it needs.
 *
 * Totals and a time go in, alarms come out, each once when it begins and once when it ends. Silence
 * is looked at with every call; shares are taken over an interval, if there is enough to take them
 * of. There is no clock here: `now` is any time that does not go back.
 */
#pragma once

#include "memory/sight.h"

enum pt_alarm_kind {
        PT_ALARM_NO_PACKETS,
        PT_ALARM_NO_ANSWERS, /* packets, but no DNS answers among them */
        PT_ALARM_NO_SYNS,
        PT_ALARM_ONE_WAY,        /* answers without queries */
        PT_ALARM_ABOVE_RESOLVER, /* few clients own nearly all answers, others send the SYNs */
        PT_ALARM_TRUNCATED,      /* answers that the snapshot length cut */
        PT_ALARM_DROPPED,        /* packets that the kernel dropped for want of room */
        PT_ALARM_UNREAD,         /* an encapsulation; one alarm for each kind and number */
        PT_ALARM_KINDS,
};

/* As documents name it: "no_packets". */
const char *pt_alarm_name(enum pt_alarm_kind kind);

/* Nanoseconds; a silence of 0 is never too long. */
struct pt_alarm_settings {
        int64_t no_packets;
        int64_t no_answers;
        int64_t no_syns;
        int64_t interval;
        uint64_t least; /* packets of a kind that are enough to say something about them */
        unsigned few;   /* clients */
};

#define PT_ALARM_UNREAD_ROWS 32

/* What cannot be read, by its number. Which row it is stays the same. */
struct pt_alarm_unread {
        const char *layer; /* whose number it is, as "ethertype" */
        const char *name;  /* NULL if it has none */
        uint64_t packets;
        unsigned number;
        bool ordinary; /* nobody misses it: never an alarm */
};

/* Totals since the start. */
struct pt_alarm_figures {
        uint64_t packets;
        uint64_t syns;
        uint64_t messages; /* of DNS */
        uint64_t queries;
        uint64_t responses;
        uint64_t truncated; /* messages that the capture cut */
        uint64_t dropped;   /* by the kernel */
        bool links_down;    /* all of them: why there are no packets has been said */
        const struct pt_alarm_unread *unread;
        size_t unread_count; /* at most PT_ALARM_UNREAD_ROWS */
};

struct pt_alarm {
        enum pt_alarm_kind kind;
        bool begins; /* or ends */
        int64_t since;
        uint64_t count;      /* of what the alarm is about, when it begins; 0 if it is nothing */
        char subject[64];    /* which encapsulation; else empty */
        char sentence[1024]; /* for people */
};

struct pt_alarms {
        struct pt_alarm_settings settings;
        struct {
                uint64_t total;
                int64_t changed;
                uint64_t queries; /* by then */
        } silence[PT_ALARM_NO_SYNS + 1];
        struct pt_alarm_figures begin; /* when the interval began */
        int64_t begun;
        bool active[PT_ALARM_KINDS];
        int64_t since[PT_ALARM_KINDS];
        struct {
                uint64_t begin;
                int64_t since;
                bool active;
        } unread[PT_ALARM_UNREAD_ROWS];
};

void pt_alarms_begin(struct pt_alarms *alarms, const struct pt_alarm_settings *settings,
                     int64_t now);

/* Other settings; what has begun goes on. */
void pt_alarms_set(struct pt_alarms *alarms, const struct pt_alarm_settings *settings);

typedef void pt_alarm_tell(void *context, const struct pt_alarm *alarm);

/* Look; when an interval ends, `sight` begins anew. */
void pt_alarms_look(struct pt_alarms *alarms, int64_t now, const struct pt_alarm_figures *figures,
                    struct pt_sight *sight, pt_alarm_tell *tell, void *context);

/* How many have begun and not ended. */
size_t pt_alarms_active(const struct pt_alarms *alarms);
