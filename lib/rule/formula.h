/*
 * formula: a rule's expression over a resolved IPv4 address, compiled and evaluated.
 *
 *      o1 o2 o3 o4      octets of the address, o1 first
 *      addr             the address as a 32-bit number, o1 highest
 *      198 0x1f         numbers
 *      + - * / % & | ^ ~ << >> ( )      as in C, on unsigned 64-bit numbers (no sign: write 0 - v)
 *      swap16(v)        exchange the halves of a 32-bit value
 *      swap32(v)        reverse its octets
 *      rotl32(v, n)     rotate it left by n modulo 32
 *      repeat(n, v, e)  n times x = e, beginning with x = v; e may use x; n is a number, at least 1
 *
 * Precedence is C's. The functions on 32-bit values take the low 32 bits. A shift by 64 or more
 * gives 0. Division by zero has no value. A number is decimal, or hexadecimal after 0x. Cost is
 * bounded when the text is read: at most 1024 operations, those inside repeat counted as often as
 * they run, and a round as one at least. Parentheses, functions and ~ nest at most 64 deep.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PT_FORMULA_OPERATIONS 1024
#define PT_FORMULA_TEXT \
        1024 /* longest expression in octets, and longest description with its NUL */

struct pt_formula;

/* Where a text written by people is wrong, and a sentence about it. The first error stays. */
struct pt_formula_error {
        size_t column; /* 1-based, in octets */
        char sentence[160];
};

/* 0; -ENOMEM; -EINVAL with `error` written. */
int pt_formula_compile(const char *text, struct pt_formula **ret, struct pt_formula_error *error);

/* Takes NULL. Returns NULL. */
struct pt_formula *pt_formula_free(struct pt_formula *formula);

/* The value for an address (o1 highest). False where the expression has no value. Never allocates.
 */
bool pt_formula_evaluate(const struct pt_formula *formula, uint32_t ipv4, uint64_t *ret);

/* Operations one evaluation costs at most. */
unsigned pt_formula_cost(const struct pt_formula *formula);

/*
 * The expression with its numbers, as people write it down: "198 * 51 + 100" for "o1 * o2 + o3",
 * "swap16(132.198.176.65)" for "swap16(addr)". Returns `ret`, cut where it would not fit.
 */
const char *pt_formula_describe(const struct pt_formula *formula, uint32_t ipv4,
                                char ret[PT_FORMULA_TEXT]);
