#include "rule/formulas.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])
#define MOST 16

/* A set made of texts, and how it is taken away again. */
struct set {
        struct pt_formula *list[MOST];
        struct pt_formulas *formulas;
        size_t count;
};

static void set_make(struct set *set, const char *const *texts)
{
        struct pt_formula_error error;

        for (set->count = 0; set->count < MOST && texts[set->count]; set->count++)
                cr_assert_eq(pt_formula_compile(texts[set->count], &set->list[set->count], &error),
                             0, "%s", texts[set->count]);
        cr_assert_eq(pt_formulas_new((const struct pt_formula *const *)set->list, set->count,
                                     &set->formulas),
                     0);
}

static void set_free(struct set *set)
{
        pt_formulas_free(set->formulas);
        for (size_t i = 0; i < set->count; i++)
                pt_formula_free(set->list[i]);
}

static int compare(const void *a, const void *b)
{
        const uint64_t *p = a, *q = b;

        return (*p > *q) - (*p < *q);
}

static size_t together(const struct set *set, uint32_t ipv4, uint64_t ret[MOST])
{
        size_t count = pt_formulas_evaluate(set->formulas, ipv4, ret);

        qsort(ret, count, sizeof *ret, compare);
        return count;
}

static size_t one_by_one(const struct set *set, uint32_t ipv4, uint64_t ret[MOST])
{
        size_t count = 0;

        for (size_t i = 0; i < set->count; i++)
                count += pt_formula_evaluate(set->list[i], ipv4, &ret[count]);
        qsort(ret, count, sizeof *ret, compare);
        return count;
}

/* 198 * 51 + 100 = 10198; 198 * (51 + 100) = 29898; 10198 + 5; 10198 % 1000. */
Test(formulas, values_by_hand)
{
        static const char *const texts[] = {"o1 * o2 + o3", "o1 * (o2 + o3)", "o1 * o2 + o3 + 5",
                                            "(o1 * o2 + o3) % 1000", NULL};
        uint64_t values[MOST];
        struct set set;

        set_make(&set, texts);
        cr_assert_eq(together(&set, 0xc6336417, values), 4);
        cr_expect_eq(values[0], 198);
        cr_expect_eq(values[1], 10198);
        cr_expect_eq(values[2], 10203);
        cr_expect_eq(values[3], 29898);
        set_free(&set);
}

Test(formulas, together_they_give_what_each_gives_alone)
{
        static const char *const sets[][MOST] = {
                {NULL},
                {"o1", NULL},
                {"o1", "o1", "o1", NULL}, /* alike to the end */
                {"o1 + o2", "o1 + o2 + 1", "o1 + o2 + 2", "o1 - o2", "o1 - o2 * o3", NULL},
                /* no value at the shared beginning, behind it, and before it */
                {"addr / o4 + 1", "addr / o4 + 2", "addr / o4 / o3", "o3 % o4", "7", NULL},
                /* what one stores must not be what another reads */
                {"o1 * ((o2 + 1) * (o3 + 2))", "o1 * ((o2 + 1) * (o3 + 3))",
                 "repeat(3, o1, x * (x + o2))", "repeat(3, o1, x * (x + o3))",
                 "(o2 + 1) * (o3 + 2) - o4", NULL},
                {"swap16(addr) % 65536", "swap16(addr) % 65535", "swap16(addr) / 16",
                 "~swap16(addr)", NULL},
        };
        static const uint32_t addresses[] = {0xc6336417, 0, 0xffffffff, 0x0a000001, 0x14653900};
        uint64_t found[MOST], expected[MOST];

        for (size_t i = 0; i < ROWS(sets); i++) {
                struct set set;

                set_make(&set, sets[i]);
                for (size_t j = 0; j < ROWS(addresses); j++) {
                        size_t count = one_by_one(&set, addresses[j], expected);

                        cr_assert_eq(together(&set, addresses[j], found), count, "set %zu", i);
                        for (size_t k = 0; k < count; k++)
                                cr_expect_eq(found[k], expected[k], "set %zu, address %zu", i, j);
                }
                set_free(&set);
        }
}
