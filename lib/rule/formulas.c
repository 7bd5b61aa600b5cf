#include "rule/formulas.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rule/machine.h"

/* Formulas that begin alike: `count` of the set from `first` on, all with `shared` instructions. */
struct group {
        size_t first;
        size_t count;
        size_t shared;
        struct instruction *beginning; /* these, and an END; NULL if nothing is shared */
};

struct pt_formulas {
        const struct pt_formula **list; /* those that begin alike stand together */
        struct group *groups;
        size_t count;
        size_t group_count;
};

static bool same_instruction(const struct instruction *a, const struct instruction *b)
{
        return a->operation == b->operation && a->slot == b->slot && a->number == b->number;
}

static int compare_code(const void *a, const void *b)
{
        const struct pt_formula *const *p = a, *const *q = b;
        size_t at = 0;

        while (same_instruction(&(*p)->code[at], &(*q)->code[at])) {
                if ((*p)->code[at].operation == END)
                        return 0;
                at++;
        }
        return memcmp(&(*p)->code[at], &(*q)->code[at], sizeof(struct instruction));
}

/* How many instructions both begin with. What is stored may be stored over by either: no store. */
static size_t shared_beginning(const struct pt_formula *a, const struct pt_formula *b)
{
        size_t count = 0;

        while (same_instruction(&a->code[count], &b->code[count]) &&
               a->code[count].operation != END && a->code[count].operation != STORE)
                count++;
        return count;
}

/* The group that begins at `first`: as many as share with it what the next one does. */
static struct group find_group(const struct pt_formulas *formulas, size_t first)
{
        const struct pt_formula **list = formulas->list + first;
        size_t left = formulas->count - first;
        struct group g = {.first = first, .count = 1};

        if (left > 1)
                g.shared = shared_beginning(list[0], list[1]);
        while (g.shared && g.count < left && shared_beginning(list[0], list[g.count]) >= g.shared)
                g.count++;
        return g;
}

static int group_fill(struct group *g, const struct pt_formula *formula)
{
        if (!g->shared)
                return 0;
        g->beginning = calloc(g->shared + 1, sizeof *g->beginning);
        if (!g->beginning)
                return -ENOMEM;
        memcpy(g->beginning, formula->code, g->shared * sizeof *g->beginning);
        g->beginning[g->shared].operation = END;
        return 0;
}

int pt_formulas_new(const struct pt_formula *const *list, size_t count, struct pt_formulas **ret)
{
        struct pt_formulas *formulas = calloc(1, sizeof *formulas);
        int r = 0;

        if (!formulas)
                return -ENOMEM;
        formulas->count = count;
        formulas->list = calloc(count + 1, sizeof(struct pt_formula *));
        formulas->groups = calloc(count + 1, sizeof *formulas->groups);
        if (!formulas->list || !formulas->groups) {
                pt_formulas_free(formulas);
                return -ENOMEM;
        }
        for (size_t i = 0; i < count; i++)
                formulas->list[i] = list[i];
        qsort(formulas->list, count, sizeof(struct pt_formula *), compare_code);
        for (size_t at = 0; r == 0 && at < count;) {
                struct group *g = &formulas->groups[formulas->group_count++];

                *g = find_group(formulas, at);
                r = group_fill(g, formulas->list[at]);
                at += g->count;
        }
        if (r < 0) {
                pt_formulas_free(formulas);
                return r;
        }
        *ret = formulas;
        return 0;
}

struct pt_formulas *pt_formulas_free(struct pt_formulas *formulas)
{
        if (!formulas)
                return NULL;
        for (size_t i = 0; i < formulas->group_count; i++)
                free(formulas->groups[i].beginning);
        free(formulas->groups);
        free(formulas->list);
        free(formulas);
        return NULL;
}

size_t pt_formulas_evaluate(const struct pt_formulas *formulas, uint32_t ipv4, uint64_t *ret)
{
        uint64_t slots[SLOTS];
        size_t count = 0;

        machine_inputs(slots, ipv4);
        for (size_t i = 0; i < formulas->group_count; i++) {
                const struct group *g = &formulas->groups[i];
                const struct pt_formula **list = formulas->list + g->first;
                uint64_t a = 0;

                if (g->beginning && !machine_run(g->beginning, slots, 0, &a))
                        continue; /* none of them has a value */
                for (size_t j = 0; j < g->count; j++)
                        count += machine_run(list[j]->code + g->shared, slots, a, &ret[count]);
        }
        return count;
}
