/*
 * machine: what formulas are compiled to. Shared by formula and formulas, and by nobody else.
 */
#pragma once

#include "rule/expression.h"

/*
 * The machine: one accumulator `a` and numbered slots. Every operation works on `a`; the second
 * operand of a binary one is a slot or a number in the instruction. Rounds of repeat are written
 * out, so the code runs straight down and cannot loop.
 */
enum operation {
        END,
        LOAD_SLOT,
        LOAD_NUMBER,
        STORE,
#define X(name, value) name,
        PT_UNARY_OPERATIONS(X)
#undef X
#define X(name, valid, value) name##_SLOT, name##_NUMBER,
                PT_BINARY_OPERATIONS(X)
#undef X
};

/*
 * The first five slots are the inputs. Beyond these a slot is held by the x of a repeat around the
 * present place, or by the right operand of an operation whose left one is being calculated. Each
 * of those has at least three octets of text of its own, as -~x has.
 */
#define SLOTS (PT_INPUTS + PT_FORMULA_TEXT / 3)

struct instruction {
        uint32_t operation;
        uint32_t slot;
        uint64_t number;
};

struct pt_formula {
        char *text;
        unsigned cost;
        struct instruction code[];
};

/* Goes on from the value `a`, which is that of the code before. */
static inline bool machine_run(const struct instruction *in, uint64_t *slots, uint64_t a,
                               uint64_t *ret)
{
        uint64_t b;

        for (;; in++) {
                switch ((enum operation)in->operation) {
                case END:
                        *ret = a;
                        return true;
                case LOAD_SLOT:
                        a = slots[in->slot];
                        break;
                case LOAD_NUMBER:
                        a = in->number;
                        break;
                case STORE:
                        slots[in->slot] = a;
                        break;
#define X(name, value)     \
        case name:         \
                a = value; \
                break;
                        PT_UNARY_OPERATIONS(X)
#undef X
#define X(name, valid, value)         \
        case name##_SLOT:             \
                b = slots[in->slot];  \
                if (!(valid))         \
                        return false; \
                a = value;            \
                break;                \
        case name##_NUMBER:           \
                b = in->number;       \
                if (!(valid))         \
                        return false; \
                a = value;            \
                break;
                        PT_BINARY_OPERATIONS(X)
#undef X
                }
        }
}

static inline void machine_inputs(uint64_t *slots, uint32_t ipv4)
{
        slots[0] = ipv4 >> 24;
        slots[1] = ipv4 >> 16 & 0xff;
        slots[2] = ipv4 >> 8 & 0xff;
        slots[3] = ipv4 & 0xff;
        slots[4] = ipv4;
}
