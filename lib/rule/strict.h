/*
 * strict: a JSON text that people wrote (a rule, a configuration), read strictly.
 *
 * Syntax is jansson's. jansson gives positions of syntax errors only, so whoever reads the values
 * notes the way down to the present one, and what is refused there is found again by a second walk
 * over the text. Members are counted, not named, on that way: jansson keeps their order, and a
 * second member of one name is refused. Keys that start with '#' are comments. A mark of UTF-8 at
 * the head (RFC 8259 section 8.1) is passed over, and columns begin behind it.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>

#define PT_STRICT_DEPTH 8

/* Where the text is wrong, and a sentence about it. */
struct pt_strict_error {
        unsigned line;   /* 1-based */
        unsigned column; /* 1-based, in octets */
        char path[128];  /* as limits.ports[2]; empty for a syntax error */
        char sentence[256];
};

struct pt_strict {
        const char *text;
        size_t length;
        struct pt_strict_step {
                const char *key; /* NULL in an array */
                size_t place;
        } way[PT_STRICT_DEPTH];
        size_t depth;
        struct pt_strict_error *error;
};

/* One key of an object: what reads its value, and where into. */
struct pt_strict_key {
        const char *name;
        int (*read)(struct pt_strict *s, json_t *value, void *into);
        size_t offset;
};

/* Makes `s` ready to read `text`, which it borrows. 0; -ENOMEM; -EINVAL with `error` written. */
int pt_strict_parse(struct pt_strict *s, const char *text, size_t length,
                    struct pt_strict_error *error, json_t **ret);

/*
 * Reads every member of an object with the key of its name, into `into` plus the key's offset.
 * What is no object, or has a key of another name, is refused. 0, or what a reader returned.
 */
int pt_strict_object(struct pt_strict *s, json_t *object, const struct pt_strict_key *keys,
                     size_t count, void *into);

/* Reads every element of an array; `read` finds the element's place with pt_strict_place(). */
int pt_strict_array(struct pt_strict *s, json_t *array,
                    int (*read)(struct pt_strict *s, json_t *value, void *into), void *into);

/* The way to a member or an element that is read out of turn, and back. */
void pt_strict_enter_key(struct pt_strict *s, json_t *object, const char *key);
void pt_strict_enter_element(struct pt_strict *s, size_t place);
void pt_strict_leave(struct pt_strict *s);

/* The line (1-based) that the present value begins in. */
unsigned pt_strict_line(const struct pt_strict *s);

/* The place of the present element in its array. */
static inline size_t pt_strict_place(const struct pt_strict *s)
{
        return s->way[s->depth - 1].place;
}

/* Writes the error at the present value. Returns -EINVAL. */
int pt_strict_refuse(struct pt_strict *s, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/* The same, at an octet (0-based) of the present value, which is a string. */
int pt_strict_refuse_octet(struct pt_strict *s, size_t octet, const char *sentence);
