#include "rule/expression.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rule/token.h"

#define NESTING 64 /* bounds the parser's recursion */
#define FAILED (-1)

struct parser {
        const char *text;
        struct pt_token token; /* the next one */
        struct pt_expression *tree;
        struct pt_formula_error *error;
        unsigned nesting;
        unsigned repeats; /* around the present place */
};

__attribute__((format(printf, 3, 4))) static int refuse(struct parser *p, size_t at,
                                                        const char *format, ...)
{
        va_list arguments;

        p->error->column = at + 1;
        va_start(arguments, format);
        vsnprintf(p->error->sentence, sizeof p->error->sentence, format, arguments);
        va_end(arguments);
        return FAILED;
}

static void advance(struct parser *p)
{
        p->token = pt_token_read(p->text, p->token.at + p->token.length);
        if (p->token.kind == PT_TOKEN_SPACE)
                p->token = pt_token_read(p->text, p->token.at + p->token.length);
}

static bool next_is(const struct parser *p, const char *symbol)
{
        return p->token.kind == PT_TOKEN_OPERATOR && pt_token_is(p->text, &p->token, symbol);
}

/* The next token is not what the grammar wants here. */
static int refuse_token(struct parser *p, const char *wanted)
{
        const struct pt_token *t = &p->token;
        const char *at = p->text + t->at;

        if (t->kind == PT_TOKEN_END)
                return refuse(p, t->at, "the expression ends where %s is expected", wanted);
        if (t->reason)
                return refuse(p, t->at, "%s", t->reason);
        if (t->kind == PT_TOKEN_BAD && pt_token_is_word(*at))
                return refuse(p, t->at,
                              "the name '%.*s' is unknown; there are o1 o2 o3 o4 addr x swap16 "
                              "swap32 rotl32 repeat",
                              t->length < 32 ? (int)t->length : 32, at);
        if (t->kind == PT_TOKEN_BAD && (*at < 0x21 || *at > 0x7e))
                return refuse(p, t->at, "the octet 0x%02x stands for nothing here",
                              (unsigned char)*at);
        if (t->kind == PT_TOKEN_BAD)
                return refuse(p, t->at, "the character '%c' stands for nothing here", *at);
        return refuse(p, t->at, "%s is expected here, not '%.*s'", wanted,
                      t->length < 32 ? (int)t->length : 32, at);
}

static int expect(struct parser *p, const char *symbol)
{
        char wanted[8];

        if (!next_is(p, symbol)) {
                snprintf(wanted, sizeof wanted, "'%s'", symbol);
                return refuse_token(p, wanted);
        }
        advance(p);
        return 0;
}

static bool is_number(const struct pt_expression *tree, int node)
{
        return tree->nodes[node].kind == PT_NODE_NUMBER;
}

static bool apply(enum pt_node_kind kind, uint64_t a, uint64_t b, uint64_t *ret)
{
        switch (kind) {
#define X(name, calculation)        \
        case PT_NODE_##name:        \
                *ret = calculation; \
                return true;
                PT_UNARY_OPERATIONS(X)
#undef X
#define X(name, valid, calculation)   \
        case PT_NODE_##name:          \
                if (!(valid))         \
                        return false; \
                *ret = calculation;   \
                return true;
                PT_BINARY_OPERATIONS(X)
#undef X
        default:
                return false;
        }
}

static int add_node(struct parser *p, struct pt_node node)
{
        p->tree->nodes[p->tree->count] = node;
        return (int)p->tree->count++;
}

static int add_leaf(struct parser *p, enum pt_node_kind kind)
{
        int node = add_node(p, (struct pt_node){.kind = kind, .value = p->token.value});

        advance(p);
        return node;
}

/* The operation at offset `at`. Of constants, it becomes its value, where it has one. */
static int add_operation(struct parser *p, size_t at, struct pt_node node, uint64_t cost)
{
        const struct pt_expression *tree = p->tree;

        if (cost > PT_FORMULA_OPERATIONS)
                return refuse(p, at, "up to here the expression costs more than %d operations",
                              PT_FORMULA_OPERATIONS);
        node.cost = (uint32_t)cost;
        if (node.kind != PT_NODE_REPEAT && is_number(tree, node.left) &&
            is_number(tree, node.right) &&
            apply(node.kind, tree->nodes[node.left].value, tree->nodes[node.right].value,
                  &node.value))
                node.kind = PT_NODE_NUMBER;
        return add_node(p, node);
}

static int add_unary(struct parser *p, size_t at, enum pt_node_kind kind, int a)
{
        uint16_t place = (uint16_t)a;

        return add_operation(p, at, (struct pt_node){.kind = kind, .left = place, .right = place},
                             UINT64_C(1) + p->tree->nodes[a].cost);
}

static int add_binary(struct parser *p, size_t at, enum pt_node_kind kind, int a, int b)
{
        return add_operation(
                p, at, (struct pt_node){.kind = kind, .left = (uint16_t)a, .right = (uint16_t)b},
                UINT64_C(1) + p->tree->nodes[a].cost + p->tree->nodes[b].cost);
}

static int parse_expression(struct parser *p);

/* repeat(n, v, e), after its '('. Only in e is there an x, and it is this repeat's own. */
static int parse_repeat(struct parser *p, size_t at)
{
        uint64_t times = p->token.value, round;
        int value, body;

        if (p->token.kind != PT_TOKEN_NUMBER || times < 1 || times > PT_FORMULA_OPERATIONS)
                return refuse(p, p->token.at, "repeat's first argument is a number from 1 to %d",
                              PT_FORMULA_OPERATIONS);
        advance(p);
        if (expect(p, ",") < 0 || (value = parse_expression(p)) < 0 || expect(p, ",") < 0)
                return FAILED;
        p->repeats++;
        body = parse_expression(p);
        p->repeats--;
        if (body < 0)
                return FAILED;
        round = p->tree->nodes[body].cost;
        return add_operation(p, at,
                             (struct pt_node){.kind = PT_NODE_REPEAT,
                                              .left = (uint16_t)value,
                                              .right = (uint16_t)body,
                                              .value = times},
                             p->tree->nodes[value].cost + times * (round > 0 ? round : 1));
}

static int parse_function(struct parser *p)
{
        struct pt_token name = p->token;
        int a, b;

        advance(p);
        if (expect(p, "(") < 0)
                return FAILED;
        if (pt_token_is(p->text, &name, "repeat")) {
                a = parse_repeat(p, name.at);
        } else if ((a = parse_expression(p)) < 0) {
                return FAILED;
        } else if (pt_token_is(p->text, &name, "rotl32")) {
                if (expect(p, ",") < 0 || (b = parse_expression(p)) < 0)
                        return FAILED;
                a = add_binary(p, name.at, PT_NODE_ROTL32, a, b);
        } else {
                a = add_unary(
                        p, name.at,
                        pt_token_is(p->text, &name, "swap16") ? PT_NODE_SWAP16 : PT_NODE_SWAP32, a);
        }
        return a < 0 || expect(p, ")") < 0 ? FAILED : a;
}

static int parse_operand(struct parser *p);

static int parse_nested(struct parser *p)
{
        size_t at = p->token.at;
        int a;

        if (p->token.kind == PT_TOKEN_FUNCTION)
                return parse_function(p);
        if (next_is(p, "(")) {
                advance(p);
                a = parse_expression(p);
                return a < 0 || expect(p, ")") < 0 ? FAILED : a;
        }
        if (next_is(p, "~")) {
                advance(p);
                a = parse_operand(p);
                return a < 0 ? FAILED : add_unary(p, at, PT_NODE_NOT, a);
        }
        return refuse_token(p, "a value");
}

static int parse_operand(struct parser *p)
{
        int a;

        if (p->token.kind == PT_TOKEN_NUMBER)
                return add_leaf(p, PT_NODE_NUMBER);
        if (p->token.kind == PT_TOKEN_INPUT)
                return add_leaf(p, PT_NODE_INPUT);
        if (p->token.kind == PT_TOKEN_X && p->repeats > 0)
                return add_leaf(p, PT_NODE_X);
        if (p->token.kind == PT_TOKEN_X)
                return refuse(p, p->token.at,
                              "x has a meaning only in the third argument of repeat");
        if (p->nesting == NESTING)
                return refuse(p, p->token.at, "the expression is nested more than %d deep",
                              NESTING);
        p->nesting++;
        a = parse_nested(p);
        p->nesting--;
        return a;
}

static const struct operator
{
        const char *symbol;
        enum pt_node_kind kind;
        int precedence; /* C's: a higher one binds tighter */
}
operators[] = {
        {"|", PT_NODE_OR, 1},          {"^", PT_NODE_XOR, 2},          {"&", PT_NODE_AND, 3},
        {"<<", PT_NODE_SHIFT_LEFT, 4}, {">>", PT_NODE_SHIFT_RIGHT, 4}, {"+", PT_NODE_ADD, 5},
        {"-", PT_NODE_SUBTRACT, 5},    {"*", PT_NODE_MULTIPLY, 6},     {"/", PT_NODE_DIVIDE, 6},
        {"%", PT_NODE_REMAINDER, 6},
};

static const struct operator* next_operator(const struct parser *p, int precedence)
{
        for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
                if (next_is(p, operators[i].symbol))
                        return operators[i].precedence >= precedence ? &operators[i] : NULL;
        }
        return NULL;
}

/* Operators of at least this precedence. It calls itself at most once per precedence. */
static int parse_operators(struct parser *p, int precedence)
{
        const struct operator* o;
        int a = parse_operand(p);

        while (a >= 0 && (o = next_operator(p, precedence))) {
                size_t at = p->token.at;
                int b;

                advance(p);
                b = parse_operators(p, o->precedence + 1);
                if (b < 0)
                        return FAILED;
                a = add_binary(p, at, o->kind, a, b);
        }
        return a;
}

static int parse_expression(struct parser *p)
{
        return parse_operators(p, 1);
}

int pt_expression_parse(const char *text, struct pt_expression *ret, struct pt_formula_error *error)
{
        struct parser p = {.text = text, .tree = ret, .error = error};
        int root;

        ret->count = 0;
        if (strnlen(text, PT_FORMULA_TEXT + 1) > PT_FORMULA_TEXT) {
                refuse(&p, PT_FORMULA_TEXT, "the expression is longer than %d octets",
                       PT_FORMULA_TEXT);
                return -EINVAL;
        }
        advance(&p);
        root = p.token.kind == PT_TOKEN_END ? refuse(&p, p.token.at, "the expression is empty")
                                            : parse_expression(&p);
        if (root >= 0 && p.token.kind != PT_TOKEN_END)
                root = refuse_token(&p, "an operator");
        if (root < 0)
                return -EINVAL;
        ret->root = (uint16_t)root;
        return 0;
}
