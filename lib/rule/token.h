/*
 * token: the words, numbers and signs of an expression.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pt_token_kind {
        PT_TOKEN_END,
        PT_TOKEN_SPACE, /* blanks before the next token */
        PT_TOKEN_NUMBER,
        PT_TOKEN_INPUT, /* value: 0 to 3 for o1 to o4, 4 for addr */
        PT_TOKEN_X,
        PT_TOKEN_FUNCTION,
        PT_TOKEN_OPERATOR,
        PT_TOKEN_BAD,
};

struct pt_token {
        enum pt_token_kind kind;
        size_t at; /* offset in the text */
        size_t length;
        uint64_t value;     /* of a number or an input */
        const char *reason; /* why it is bad */
};

/* The token at `at`, blanks being one too. */
struct pt_token pt_token_read(const char *text, size_t at);

/* Does it read so? */
bool pt_token_is(const char *text, const struct pt_token *t, const char *word);

/* Is it a letter, a digit or a '_', which words and numbers are made of? */
bool pt_token_is_word(char c);
