/*
 * formulas: a set of formulas that are evaluated over one address together. What several of them
 * begin with alike ("o1 * o2 + o3", and then each something else) is calculated once.
 */
#pragma once

#include "rule/formula.h"

struct pt_formulas;

/* 0, or -ENOMEM. Borrows the formulas of the list. */
int pt_formulas_new(const struct pt_formula *const *list, size_t count, struct pt_formulas **ret);

/* Takes NULL. Returns NULL. */
struct pt_formulas *pt_formulas_free(struct pt_formulas *formulas);

/*
 * The values for an address, of those that have one, in an order of the set's own. Returns how many
 * were written; there must be room for all of the set.
 */
size_t pt_formulas_evaluate(const struct pt_formulas *formulas, uint32_t ipv4, uint64_t *ret);
