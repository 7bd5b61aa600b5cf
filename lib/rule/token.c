#include "rule/token.h"

#include <string.h>

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

bool pt_token_is_word(char c)
{
        return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int digit_value(char c)
{
        if (is_digit(c))
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return 16;
}

/* Reads the digits of `t`, `skip` of which are the prefix. NULL, or why it is no number. */
static const char *read_number(const char *text, struct pt_token *t, size_t skip, unsigned base)
{
        if (skip == t->length)
                return "a number needs digits after its 0x";
        if (base == 10 && t->length > 1 && text[t->at] == '0')
                return "a decimal number does not begin with 0, and octal is not read";
        t->value = 0;
        for (size_t i = skip; i < t->length; i++) {
                unsigned digit = (unsigned)digit_value(text[t->at + i]);

                if (digit >= base)
                        return "a number is decimal, or hexadecimal with 0x in front";
                if (t->value > (UINT64_MAX - digit) / base)
                        return "the number does not fit into 64 bits";
                t->value = t->value * base + digit;
        }
        return NULL;
}

bool pt_token_is(const char *text, const struct pt_token *t, const char *word)
{
        return strlen(word) == t->length && memcmp(text + t->at, word, t->length) == 0;
}

static void read_word(const char *text, struct pt_token *t)
{
        static const struct {
                const char *word;
                enum pt_token_kind kind;
                uint64_t value;
        } words[] = {
                {"o1", PT_TOKEN_INPUT, 0},        {"o2", PT_TOKEN_INPUT, 1},
                {"o3", PT_TOKEN_INPUT, 2},        {"o4", PT_TOKEN_INPUT, 3},
                {"addr", PT_TOKEN_INPUT, 4},      {"x", PT_TOKEN_X, 0},
                {"swap16", PT_TOKEN_FUNCTION, 0}, {"swap32", PT_TOKEN_FUNCTION, 0},
                {"rotl32", PT_TOKEN_FUNCTION, 0}, {"repeat", PT_TOKEN_FUNCTION, 0},
        };

        for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
                if (pt_token_is(text, t, words[i].word)) {
                        t->kind = words[i].kind;
                        t->value = words[i].value;
                        return;
                }
        }
        t->kind = PT_TOKEN_BAD;
}

static void read_symbol(const char *text, struct pt_token *t)
{
        char c = text[t->at];

        t->length = 1;
        t->kind = PT_TOKEN_OPERATOR;
        if (c == '<' || c == '>') {
                if (text[t->at + 1] == c) {
                        t->length = 2;
                } else {
                        t->kind = PT_TOKEN_BAD;
                        t->reason = "there is no comparison here; a shift is << or >>";
                }
        } else if (!strchr("+-*/%&|^~(),", c)) {
                t->kind = PT_TOKEN_BAD;
        }
}

struct pt_token pt_token_read(const char *text, size_t at)
{
        struct pt_token t = {.at = at};
        size_t end = at;

        if (text[at] == '\0')
                return t;
        if (text[at] == ' ' || text[at] == '\t') {
                t.kind = PT_TOKEN_SPACE;
                t.length = strspn(text + at, " \t");
        } else if (pt_token_is_word(text[at])) {
                while (pt_token_is_word(text[end]))
                        end++;
                t.length = end - at;
                if (is_digit(text[at])) {
                        bool hex = text[at] == '0' && (text[at + 1] == 'x' || text[at + 1] == 'X');

                        t.reason = read_number(text, &t, hex ? 2 : 0, hex ? 16 : 10);
                        t.kind = t.reason ? PT_TOKEN_BAD : PT_TOKEN_NUMBER;
                } else {
                        read_word(text, &t);
                }
        } else {
                read_symbol(text, &t);
        }
        return t;
}
