/*
 * options: what the user asks for.
 *
 * One table says of each option its name, letter, argument, configuration key, type, default, range
 * and meaning. The command line, --help, --print-config, portent.json(5), the completions of shells
 * and the configuration file are all read or written by it, so they cannot disagree.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "portent.h"
#include "value.h"

#define PT_OPTIONS_MOST 96     /* rows of the table at most */
#define PT_OPTION_SENTENCE 256 /* octets of an error about an option, with the final NUL */

/* A list of texts; `list` ends with NULL, and is NULL if empty. */
struct pt_texts {
        char **list;
        size_t count;
};

enum pt_format {
        PT_FORMAT_AUTO, /* text on a terminal, else ecs */
        PT_FORMAT_ECS,
        PT_FORMAT_TEXT,
};

enum pt_log_kind {
        PT_LOG_ALERT = 1 << 0, /* always */
        PT_LOG_DNS = 1 << 1,
        PT_LOG_CONNECTION = 1 << 2,
        PT_LOG_STATS = 1 << 3,
        PT_LOG_EXPECTATION = 1 << 4,
        PT_LOG_STATE = 1 << 5,
        PT_LOG_VISIBILITY = 1 << 6,
        PT_LOG_OUTCOME = 1 << 7,
};

/* Who set an option last: a later one wins over those before it. */
enum pt_option_source {
        PT_FROM_DEFAULT,
        PT_FROM_FILE,
        PT_FROM_FLAG,
};

struct pt_options {
        struct pt_texts inputs;
        struct pt_texts interfaces;
        struct pt_texts outputs;
        struct pt_texts rules; /* empty: those that belong to the program */
        struct pt_texts explain;
        struct pt_texts allow[PT_ALLOW_LISTS]; /* files, by enum pt_allow_list */
        struct pt_texts home_networks;
        struct pt_texts nat64_prefixes;
        char *config;
        char *stats;
        char *metrics;
        char *evidence;
        char *spool;
        char *observer_name;
        char *filter; /* BPF, the words of it joined; NULL if there is none */
        int64_t memory;
        int64_t ring;
        int64_t snapshot;
        int64_t queue_size;
        int64_t spool_size;
        int64_t max_size;
        int64_t reorder;
        int64_t window;
        int64_t max_window;
        int64_t cross_window;
        int64_t throttle;
        int64_t expectation_skew;
        int64_t stats_interval;
        int64_t alarm_no_packets; /* 0: never an alarm */
        int64_t alarm_no_answers;
        int64_t alarm_no_syns;
        int64_t alarm_interval;
        int64_t alarm_least;
        int64_t alarm_few;
        int64_t since, until; /* nanoseconds since 1970; 0 for none */
        double chance_step;
        double chance_floor;
        struct pt_ports connection_ports;
        enum pt_format format;
        unsigned log; /* of enum pt_log_kind */
        bool follow;
        bool lab;
        bool vlan_clients;
        bool tunnel_clients;
        bool not_promiscuous;
        bool list_interfaces;
        bool no_sandbox;
        bool near_misses;
        bool test;
        bool self_test;
        bool print_config;
        bool quiet;
        bool verbose;
        bool numeric; /* nobody asks */
        bool version;
        bool help;
        uint8_t source[PT_OPTIONS_MOST]; /* enum pt_option_source, by row of the table */
        unsigned line[PT_OPTIONS_MOST];  /* of the file, where that set it last */
};

enum pt_option_type {
        PT_OPTION_FLAG,     /* bool */
        PT_OPTION_TEXT,     /* char * */
        PT_OPTION_DURATION, /* int64_t */
        PT_OPTION_SIZE,     /* int64_t */
        PT_OPTION_NUMBER,   /* int64_t */
        PT_OPTION_FRACTION, /* double, above 0 and up to 1 */
        PT_OPTION_PORTS,    /* struct pt_ports */
        PT_OPTION_MOMENT,   /* int64_t */
        PT_OPTION_FORMAT,   /* enum pt_format */
        PT_OPTION_KINDS,    /* unsigned; several, separated by commas */
        PT_OPTION_LIST,     /* struct pt_texts, and so on: the types from here on are lists */
        PT_OPTION_OUTPUTS,
        PT_OPTION_ADDRESSES,
        PT_OPTION_PREFIXES, /* several, separated by commas */
        PT_OPTION_NAT64,    /* the same, each of 96 bits */
        PT_OPTION_TYPES,
};

enum pt_option_group {
        PT_GROUP_INPUT,
        PT_GROUP_OUTPUT,
        PT_GROUP_RULES,
        PT_GROUP_RUN,
        PT_GROUP_HELP,
        PT_GROUP_FILE, /* has no flag: stands in the configuration file only */
        PT_GROUPS,
};

struct pt_option {
        enum pt_option_group group;
        char letter;          /* 0 if there is none */
        const char *name;     /* of the flag, NULL if there is none */
        const char *argument; /* what stands behind the flag, for people */
        const char *key;      /* in the configuration, dots between the groups; NULL if none */
        enum pt_option_type type;
        size_t offset;       /* in struct pt_options */
        const char *initial; /* the default, as it would be written; NULL for none */
        int64_t low, high;   /* range; of a list in the configuration, how long it is at least */
        const char *help;
};

extern const struct pt_option pt_option_table[];
extern const size_t pt_option_count;

/* Every option as the table has it. 0, or -ENOMEM. */
int pt_options_default(struct pt_options *ret);

/* Has nobody set this member of the options? */
bool pt_option_is_default(const struct pt_options *options, const void *member);

/* Frees what the options hold. */
void pt_options_clear(struct pt_options *options);

/*
 * Set one option from a text. What an earlier source set gives way; within one source, lists grow
 * and all else is replaced. 0; -ENOMEM; -EINVAL with a sentence.
 */
int pt_option_set(struct pt_options *options, const struct pt_option *option,
                  enum pt_option_source source, const char *text,
                  char sentence[PT_OPTION_SENTENCE]);

/* What an earlier source set of a list is forgotten. */
void pt_option_begin(struct pt_options *options, const struct pt_option *option,
                     enum pt_option_source source);

/* Read the command line. 0; -ENOMEM; -EINVAL with a sentence. */
int pt_options_arguments(struct pt_options *options, int argc, char *const *argv,
                         char sentence[PT_OPTION_SENTENCE]);

/* Writes the sentence. Returns -EINVAL. */
int pt_option_refuse(char sentence[PT_OPTION_SENTENCE], const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/* Do the flags agree with each other? 0, or -EINVAL with a sentence. */
int pt_options_check(const struct pt_options *options, char sentence[PT_OPTION_SENTENCE]);

/* Defaults that depend on what else was asked for: live, stats, state and visibility are
 * written. */
void pt_options_settle(struct pt_options *options);

/* Is this a live run? */
bool pt_options_live(const struct pt_options *options);

/* The text of --help. */
void pt_options_help(FILE *file);

static inline bool pt_option_is_list(const struct pt_option *option)
{
        return option->type >= PT_OPTION_KINDS;
}

static inline void *pt_option_at(struct pt_options *options, const struct pt_option *option)
{
        return (char *)options + option->offset;
}

/* Names of formats and of kinds for --log, in the order of their enums; NULL behind the last. */
const char *pt_format_name(enum pt_format format);
const char *pt_log_kind_name(unsigned place);
