/*
 * words: how the things in an event are said: times, endpoints, arithmetic, DNS numbers, and the
 * sentence that tells why there is an alert. For documents and for lines of text alike.
 */
#pragma once

#include "engine/event.h"

/* Text in a fixed room. What does not fit is cut, and the cut is shown as "...". */
struct pt_words {
        char *text; /* ends with NUL */
        size_t size;
        size_t length;
};

/* Empty text in `size` octets, at least 4. */
struct pt_words pt_words(char *text, size_t size);

__attribute__((format(printf, 2, 3))) void pt_words_say(struct pt_words *words, const char *format,
                                                        ...);

/* A name, at most `limit` characters of it. */
void pt_words_say_name(struct pt_words *words, const struct pt_dns_name *name, size_t limit);

/* "198.51.100.23:10198", "[2001:db8::1]:443" */
void pt_words_say_endpoint(struct pt_words *words, const struct pt_address *address, uint16_t port);

/* UTC with milliseconds: "2026-11-24T04:12:07.318Z". `time`: nanoseconds since 1970, 0 or more. */
#define PT_WORDS_TIME 25
const char *pt_words_time(int64_t time, char ret[PT_WORDS_TIME]);

/* A time that passed, its sign left out: "0.296 ms", "13.2 ms", "214 ms"; from 1 s on "2.113 s". */
#define PT_WORDS_DURATION 32
const char *pt_words_duration(int64_t nanoseconds, char ret[PT_WORDS_DURATION]);

/* "198 * 51 + 100 = 10198"; what a rule with two expressions calculates is joined by "; ". */
#define PT_WORDS_ARITHMETIC ((size_t)2 * (PT_FORMULA_TEXT + 24))
const char *pt_words_arithmetic(const struct pt_match *match, char ret[PT_WORDS_ARITHMETIC]);

/* "A", "TYPE65280" (RFC 3597 section 5); "IN", "CLASS7"; "NXDOMAIN", "RCODE12". */
#define PT_WORDS_DNS 12
const char *pt_words_dns_type(uint16_t type, char ret[PT_WORDS_DNS]);
const char *pt_words_dns_class(uint16_t class, char ret[PT_WORDS_DNS]);
const char *pt_words_dns_code(uint16_t flags, char ret[PT_WORDS_DNS]);

/* What a report of visibility says, in a sentence. */
struct pt_visibility_report;
#define PT_WORDS_VISIBILITY 400
const char *pt_words_visibility(const struct pt_visibility_report *report,
                                char ret[PT_WORDS_VISIBILITY]);

/* "same_address" and so on. */
const char *pt_words_relation(enum pt_relation relation);

/* Nanoseconds from the answer to the SYN: negative by up to the reorder time (design 4.1). */
static inline int64_t pt_words_age(const struct pt_syn *syn, const struct pt_evidence *evidence)
{
        return syn->time - evidence->time;
}

/* Is this evidence about the SYN's own destination? */
static inline bool pt_words_about_destination(const struct pt_syn *syn,
                                              const struct pt_evidence *evidence)
{
        return pt_address_equal(&evidence->key, &syn->key);
}

/*
 * What an analyst does next, in a sentence or two of less than 300 characters: for ALERT, ROTATION
 * and CAMPAIGN, NULL for all else. They name the fields to look at, and are the same for all alerts
 * of a kind.
 */
const char *pt_words_next_step(const struct pt_event *event);

/*
 * One sentence for ALERT, NEAR_MISS, ROTATION, CAMPAIGN and REPEATS: at most 1024 characters, as
 * ECS wants.
 */
#define PT_WORDS_REASON 1025
const char *pt_words_reason(const struct pt_event *event, char ret[PT_WORDS_REASON]);
