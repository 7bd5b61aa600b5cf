/*
 * Any octets as an expression: it is refused at a place inside it, or it is bounded, and its own
 * description, which has numbers for the octets, gives the same value when it is read again.
 */
#include "rule/formula.h"

#include <string.h>

#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(const char *text, const struct pt_formula_error *error)
{
        size_t length = strnlen(error->sentence, sizeof error->sentence);

        MUST(error->column >= 1 && error->column <= strlen(text) + 1);
        MUST(length > 0 && length < sizeof error->sentence);
        for (size_t i = 0; i < length; i++)
                MUST(error->sentence[i] >= 0x20 && error->sentence[i] < 0x7f);
}

/* What was calculated from octets is folded from numbers here: both must agree. */
static void check_description(const char *text, bool has, uint64_t value, unsigned cost,
                              uint32_t ipv4)
{
        struct pt_formula *formula;
        struct pt_formula_error error;
        uint64_t again;

        if (strlen(text) >= PT_FORMULA_TEXT - 4)
                return; /* perhaps cut */
        MUST(pt_formula_compile(text, &formula, &error) == 0);
        MUST(pt_formula_evaluate(formula, ~ipv4, &again) == has);
        MUST(!has || again == value);
        MUST(pt_formula_cost(formula) == cost);
        pt_formula_free(formula);
}

static void check_formula(const struct pt_formula *formula, const char *text, uint32_t ipv4)
{
        char description[PT_FORMULA_TEXT];
        uint64_t value, again;
        bool has = pt_formula_evaluate(formula, ipv4, &value);

        MUST(pt_formula_evaluate(formula, ipv4, &again) == has);
        MUST(!has || value == again);
        MUST(pt_formula_describe(formula, ipv4, description) == description);
        MUST(strnlen(description, sizeof description) < sizeof description);
        if (!strstr(text, "addr")) /* which a description shows as an address, no number */
                check_description(description, has, value, pt_formula_cost(formula), ipv4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const uint32_t addresses[] = {0, 0xffffffff, 0xc6336417, 0x00010200, 0x7f000001};
        struct pt_formula *formula;
        struct pt_formula_error error = {.column = 0};
        char text[PT_FORMULA_TEXT * 2] = "";

        memcpy(text, data, size < sizeof text ? size : sizeof text - 1);
        if (pt_formula_compile(text, &formula, &error) < 0) {
                check_error(text, &error);
                return 0;
        }
        MUST(pt_formula_cost(formula) <= PT_FORMULA_OPERATIONS);
        for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
                check_formula(formula, text, addresses[i]);
        pt_formula_free(formula);
        return 0;
}
