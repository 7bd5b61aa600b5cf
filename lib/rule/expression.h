/*
 * expression: the text of a formula -> a tree, which formula compiles.
 *
 * The arithmetic stands here once, as two tables: the parser folds constants with it, and the
 * evaluator is made of it, so they cannot disagree.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rule/formula.h"

static inline uint64_t pt_swap16(uint64_t a)
{
        return (uint32_t)a << 16 | (uint32_t)a >> 16;
}

static inline uint64_t pt_swap32(uint64_t a)
{
        return __builtin_bswap32((uint32_t)a);
}

static inline uint64_t pt_rotl32(uint64_t a, uint64_t n)
{
        return (uint32_t)a << (n & 31) | (uint32_t)a >> (-n & 31);
}

/* name, value of `a` */
#define PT_UNARY_OPERATIONS(X)  \
        X(NOT, ~a)              \
        X(SWAP16, pt_swap16(a)) \
        X(SWAP32, pt_swap32(a))

/* name, when it has a value, value of `a` and `b` */
#define PT_BINARY_OPERATIONS(X)                   \
        X(OR, true, a | b)                        \
        X(XOR, true, a ^ b)                       \
        X(AND, true, a &b)                        \
        X(SHIFT_LEFT, true, b < 64 ? a << b : 0)  \
        X(SHIFT_RIGHT, true, b < 64 ? a >> b : 0) \
        X(ADD, true, a + b)                       \
        X(SUBTRACT, true, a - b)                  \
        X(MULTIPLY, true, a *b)                   \
        X(DIVIDE, b != 0, a / b)                  \
        X(REMAINDER, b != 0, a % b)               \
        X(ROTL32, true, pt_rotl32(a, b))

enum pt_node_kind {
        PT_NODE_NUMBER, /* value */
        PT_NODE_INPUT,  /* value: 0 to 3 for o1 to o4, 4 for addr */
        PT_NODE_X,      /* of the innermost repeat around it */
        PT_NODE_REPEAT, /* value times: left is the beginning, right the round */
#define X(name, value) PT_NODE_##name,
        PT_UNARY_OPERATIONS(X) /* left */
#undef X
#define X(name, valid, value) PT_NODE_##name,
        PT_BINARY_OPERATIONS(X) /* left, right */
#undef X
};

#define PT_INPUTS 5

struct pt_node {
        enum pt_node_kind kind;
        uint32_t cost; /* operations below and here, as the text has them */
        uint16_t left;
        uint16_t right;
        uint64_t value;
};

/* Every node is paid for by an octet of text of its own. */
struct pt_expression {
        struct pt_node nodes[PT_FORMULA_TEXT];
        size_t count;
        uint16_t root;
};

/* 0; -EINVAL with `error` written. */
int pt_expression_parse(const char *text, struct pt_expression *ret,
                        struct pt_formula_error *error);
