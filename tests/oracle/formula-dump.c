/*
 * Reads lines "expression TAB address-as-a-number" and answers each with one: the value or "none",
 * the cost, and the description, between tabs; or "refused", the column and the sentence.
 */
#include "rule/formula.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void answer(const char *text, uint32_t address)
{
        struct pt_formula *formula;
        struct pt_formula_error error;
        char description[PT_FORMULA_TEXT];
        uint64_t value;

        if (pt_formula_compile(text, &formula, &error) < 0) {
                printf("refused\t%zu\t%s\n", error.column, error.sentence);
                return;
        }
        if (pt_formula_evaluate(formula, address, &value))
                printf("%" PRIu64, value);
        else
                printf("none");
        printf("\t%u\t%s\n", pt_formula_cost(formula),
               pt_formula_describe(formula, address, description));
        pt_formula_free(formula);
}

int main(void)
{
        static char line[PT_FORMULA_TEXT * 2];

        while (fgets(line, sizeof line, stdin)) {
                char *tab = strchr(line, '\t');

                if (!tab)
                        return 1;
                *tab = '\0';
                answer(line, (uint32_t)strtoul(tab + 1, NULL, 10));
        }
        return 0;
}
