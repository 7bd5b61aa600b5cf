/*
 * said: what one line of a log says, before it is a frame; and how its words are read. Shared by
 * the readers of zeek and eve.
 */
#pragma once

#include "wire/logged.h"

/* What a line turned out to be. */
enum pt_said_kind {
        PT_SAID_RECORD, /* `time`, `logged` and `answer` hold it */
        PT_SAID_OTHER,  /* sound, but about nothing that is looked for */
        PT_SAID_BAD,    /* it cannot be read: `reason` */
};

struct pt_said {
        int64_t time; /* when it happened, by which it is ordered: logged.wall */
        struct pt_logged logged;
        struct pt_dns_answer answer;
        struct pt_dns_address addresses[PT_LOGGED_ADDRESSES];
        const char *reason; /* a few words */
};

/* Some text; NULL where there is none. */
struct pt_said_text {
        const char *text;
        size_t length;
};

static inline bool pt_said_is(const struct pt_said_text *t, const char *word)
{
        return t->text && t->length == strlen(word) && memcmp(t->text, word, t->length) == 0;
}

/* Begin with nothing said by `source`. */
void pt_said_begin(struct pt_said *said, enum pt_logged_source source);

/* PT_SAID_BAD, with the reason. */
enum pt_said_kind pt_said_bad(struct pt_said *said, const char *reason);

bool pt_said_address(const struct pt_said_text *t, struct pt_address *ret);
bool pt_said_number(const struct pt_said_text *t, uint64_t most, uint64_t *ret);

/* Which end is the client: the other one's port is that of DNS. False if neither is. */
bool pt_said_orient(struct pt_said *said);

/* The place of a name in the answer, put there if it is new; 0 if it is no name, or one too many.
 */
uint8_t pt_said_name(struct pt_said *said, const struct pt_said_text *t);

/* An address of the answer. False if it is none. */
bool pt_said_put(struct pt_said *said, const struct pt_said_text *t, uint8_t owner, uint32_t ttl);
