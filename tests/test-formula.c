#include "rule/formula.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])
#define IPV4(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))

static struct pt_formula *compile(const char *text)
{
        struct pt_formula *formula = NULL;
        struct pt_formula_error error;

        cr_assert_eq(pt_formula_compile(text, &formula, &error), 0, "%s", text);
        return formula;
}

/* Every value by hand; UINT64_MAX and the like spelled out. The address is 198.51.100.23. */
Test(formula, gives_the_value_that_a_person_calculates)
{
        static const struct {
                const char *text;
                uint64_t value;
                const char *why;
        } rows[] = {
                {"o1", 198, "first octet"},
                {"o2", 51, "second"},
                {"o3", 100, "third"},
                {"o4", 23, "fourth"},
                {"addr", 3325256727, "198 * 2^24 + 51 * 2^16 + 100 * 2^8 + 23"},
                {"addr", 0xc6336417, "the same in hexadecimal"},
                {"0", 0, "a number alone"},
                {"18446744073709551615", 0xffffffffffffffff, "the largest number"},
                {"0xffffffffffffffff", 0xffffffffffffffff, "in hexadecimal"},
                {"0Xff", 255, "an upper-case X"},
                {"0xAbC", 2748, "digits of either case"},
                {"o1 * o2 + o3", 10198, "10098 + 100"},
                {"o1*(o2+o3)", 29898, "198 * 151"},
                {"\to1\t*o2 +  o3 ", 10198, "blanks anywhere"},
                {"o3 + o1 * o2", 10198, "* before +"},
                {"o1 - o2 - o3", 47, "- from the left"},
                {"o1 - (o2 - o3)", 247, "198 + 49"},
                {"o2 - o1", 0xffffffffffffff6d, "wraps: -147"},
                {"o3 / o4", 4, "whole numbers"},
                {"o3 % o4", 8, "100 - 92"},
                {"o1 / o4 / 2", 4, "/ from the left: 8 / 2"},
                {"o1 / (o4 / 2)", 18, "198 / 11"},
                {"o1 % o3 % 9", 8, "98 % 9"},
                {"100 / o4 * 10", 40, "/ and * from the left"},
                {"o1 & 0x0f", 6, "0xc6"},
                {"o1 | 0x0f", 0xcf, ""},
                {"o1 ^ 0xff", 0x39, ""},
                {"~o1", 0xffffffffffffff39, "64 bits"},
                {"~o1 & 0xff", 0x39, "~ before &"},
                {"~~o1", 198, ""},
                {"o1 | 1 ^ 3 & 2", 199, "& before ^ before |: 198 | (1 ^ 2)"},
                {"o4 | o4 ^ o4", 23, "^ before |; the other way 0"},
                {"o4 ^ o4 & 0", 23, "& before ^; the other way 0"},
                {"1 << 2 & 4", 4, "<< before &; the other way 1"},
                {"o3 & 3 << 1", 4, "<< before & from the right; the other way 0"},
                {"1 << 1 + 1", 4, "+ before <<; the other way 3"},
                {"o2 - 1 << 1", 100, "(51 - 1) << 1"},
                {"o3 >> 2", 25, ""},
                {"o3 >> 2 << 2 >> 1", 50, "shifts from the left"},
                {"o1 << 63", 0, "198 is even"},
                {"o2 << 63", 0x8000000000000000, "51 is odd"},
                {"o2 << 64", 0, "a shift by 64 or more gives 0"},
                {"o2 >> 64", 0, ""},
                {"o2 << addr", 0, ""},
                {"1 << o2", 0x8000000000000, "2^51"},
                {"addr >> 24", 198, ""},
                {"addr * addr", 11057332300458752529u, "3325256727^2, which 64 bits just hold"},
                {"addr * addr * o1", 12635994793105910054u, "and this wraps modulo 2^64"},
                {"0xffffffffffffffff + o2", 50, "wraps"},
                {"swap16(addr)", 0x6417c633, "C.D.A.B"},
                {"swap16(0x1122334455667788)", 0x77885566, "the low 32 bits"},
                {"swap32(addr)", 0x176433c6, "D.C.B.A"},
                {"swap32(0x1122334455667788)", 0x88776655, "the low 32 bits"},
                {"rotl32(addr, 8)", 0x336417c6, "B.C.D.A"},
                {"rotl32(addr, 0)", 0xc6336417, "rotating by nothing"},
                {"rotl32(addr, 32)", 0xc6336417, "modulo 32"},
                {"rotl32(addr, 33)", 0x8c66c82f, "by 1: the top bit comes in below"},
                {"rotl32(0x1122334455667788, 4)", 0x56677885, "the low 32 bits"},
                {"rotl32(addr, o4 + 1)", 0x17c63364, "by 24: D.A.B.C"},
                {"repeat(3, o1, x + 1)", 201, ""},
                {"repeat(1, o1, x)", 198, ""},
                {"repeat(1024, o1, x)", 198, "rounds that do nothing"},
                {"repeat(1000, 0, x + 1)", 1000, ""},
                {"repeat(3, o1, o2)", 51, "x need not be used"},
                {"repeat(3, 2, x * x)", 256, "2, 4, 16, 256"},
                {"repeat(2, o4, o3 - x)", 23, "100 - (100 - 23)"},
                {"repeat(3, o4, o3 - x)", 77, ""},
                {"repeat(3, 1, (x << 1) - (x >> 1))", 5, "1, 2, 3, 6 - 1"},
                {"repeat(2, 1, repeat(2, x + 1, x * 2))", 36, "(1+1)*4 = 8; (8+1)*4"},
                {"repeat(2, 1, x + repeat(2, 3, x * x))", 163, "1 + 81, then 82 + 81"},
                {"repeat(2, 1, repeat(2, 3, x + x) + x)", 25, "x after a repeat: 12+1, 12+13"},
                {"repeat(2, repeat(2, 1, x + 5), x * 2)", 44, "one as the beginning of another"},
                {"repeat(0x2, 1, x + 1)", 3, "its number may be hexadecimal"},
                {"(((o1)))", 198, ""},
                {"(o1 - o2) * (o3 - o4) - (o1 + o2) / (o3 - o4)", 11316, "147 * 77 - 249 / 77"},
                {"(o1 - o2) / (o4 - (o3 / (o4 - 3)))", 8, "147 / (23 - 100 / 20)"},
                {"2 * 3 + o1 * (10 - 4)", 1194, "constants are folded"},
                {"1 - 2 + o1", 197, "folded below zero"},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_formula *formula = compile(rows[i].text);
                uint64_t value = 0;

                cr_expect(pt_formula_evaluate(formula, IPV4(198, 51, 100, 23), &value), "%s",
                          rows[i].text);
                cr_expect_eq(value, rows[i].value, "%s: %llu (%s)", rows[i].text,
                             (unsigned long long)value, rows[i].why);
                pt_formula_free(formula);
        }
}

/* Design section 3: no value (division by zero) is no match, never an error. */
Test(formula, has_no_value_where_it_divides_by_zero)
{
        static const char *const rows[] = {
                "1 / 0",       "1 % 0",         "o1 / o2",
                "o1 % o2",     "o1 / (o2 * 5)", "0 / o2",
                "5 + 1 / o2",  "(1 / o2) + 5",  "repeat(3, 1, 1 / (x - 1))",
                "0 * (1 / 0)", "0 & 1 / o2",    "repeat(2, 1 / o2, 7)",
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_formula *formula = compile(rows[i]);
                uint64_t value = 4711;

                cr_expect_not(pt_formula_evaluate(formula, IPV4(198, 0, 100, 23), &value), "%s",
                              rows[i]);
                cr_expect_eq(value, 4711, "%s: what was given is not written", rows[i]);
                pt_formula_free(formula);
        }
}

/* MITRE's APT12 formula, and the published variant, over addresses worked out by hand. */
Test(formula, calculates_ports)
{
        static const struct {
                uint32_t address;
                uint64_t apt12;
                uint64_t variant;
        } rows[] = {
                {IPV4(51, 145, 123, 29), 7518, 13668},     {IPV4(52, 231, 114, 183), 12126, 17940},
                {IPV4(20, 101, 57, 9), 2077, 3160},        {IPV4(207, 46, 130, 100), 9652, 36432},
                {IPV4(40, 76, 58, 209), 3098, 5360},       {IPV4(203, 113, 250, 1), 23189, 73689},
                {IPV4(198, 51, 100, 23), 10198, 29898},    {IPV4(192, 0, 80, 250), 80, 15360},
                {IPV4(255, 255, 255, 255), 65280, 130050}, {IPV4(0, 0, 0, 0), 0, 0},
        };
        struct pt_formula *apt12 = compile("o1 * o2 + o3");
        struct pt_formula *variant = compile("o1 * (o2 + o3)");

        for (size_t i = 0; i < ROWS(rows); i++) {
                uint64_t value = 1;

                cr_expect(pt_formula_evaluate(apt12, rows[i].address, &value));
                cr_expect_eq(value, rows[i].apt12, "row %zu", i);
                cr_expect(pt_formula_evaluate(variant, rows[i].address, &value));
                cr_expect_eq(value, rows[i].variant, "row %zu", i);
        }
        pt_formula_free(apt12);
        pt_formula_free(variant);
}

/* Published vectors: Nokia Deepfield on Potassium and Drifter; J. Bader on Nymaim. */
Test(formula, calculates_addresses)
{
        static const char swap16[] = "swap16(addr)";
        static const char nymaim[] = "swap32(repeat(16, swap32(addr), ((x ^ 0x87568289) - "
                                     "0x78643587 & 0xffffffff) ^ 0x18482642))";
        static const struct {
                const char *text;
                uint32_t address;
                uint32_t result;
        } rows[] = {
                {swap16, IPV4(253, 229, 172, 232), IPV4(172, 232, 253, 229)},
                {swap16, IPV4(132, 198, 176, 65), IPV4(176, 65, 132, 198)},
                {swap16, IPV4(8, 8, 8, 8), IPV4(8, 8, 8, 8)},
                {nymaim, IPV4(127, 33, 12, 14), IPV4(127, 0, 0, 0)},
                {nymaim, IPV4(127, 33, 12, 15), IPV4(127, 0, 0, 1)},
                {nymaim, IPV4(192, 202, 176, 55), IPV4(192, 42, 116, 41)},
                {nymaim, IPV4(126, 56, 117, 50), IPV4(190, 43, 116, 42)},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_formula *formula = compile(rows[i].text);
                uint64_t value = 0;

                cr_expect(pt_formula_evaluate(formula, rows[i].address, &value));
                cr_expect_eq(value, rows[i].result, "%s row %zu", rows[i].text, i);
                pt_formula_free(formula);
        }
}

Test(formula, describes_itself_with_numbers)
{
        static const struct {
                const char *text;
                const char *description;
        } rows[] = {
                {"o1 * o2 + o3", "198 * 51 + 100"},
                {"o1*(o2+o3)", "198*(51+100)"},
                {"swap16(addr)", "swap16(198.51.100.23)"},
                {" o4  +\t0x10 ", " 23  +\t0x10 "},
                {"repeat(2, o1, x + o2)", "repeat(2, 198, x + 51)"},
                {"~o1<<2", "~198<<2"},
                {"1 / 0", "1 / 0"},
                {"0x00000000000000000000000000000000000f + o1",
                 "0x00000000000000000000000000000000000f + 198"}, /* as long as it is */
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_formula *formula = compile(rows[i].text);
                char text[PT_FORMULA_TEXT];

                cr_expect_str_eq(pt_formula_describe(formula, IPV4(198, 51, 100, 23), text),
                                 rows[i].description);
                pt_formula_free(formula);
        }
}

/* 127 times "addr+" and "addr": 639 octets of text, and one of 1023 would need 15 for each. */
Test(formula, cuts_a_description_that_does_not_fit)
{
        char text[PT_FORMULA_TEXT] = "", description[PT_FORMULA_TEXT];
        struct pt_formula *formula;

        for (size_t i = 0; i < 127; i++)
                strcat(text, "addr+");
        strcat(text, "addr");
        formula = compile(text);
        pt_formula_describe(formula, IPV4(255, 255, 255, 255), description);
        cr_expect_eq(strlen(description), 63 * 16 + 15, "63 whole terms and one without its sign");
        cr_expect_str_eq(description + 62 * 16, "255.255.255.255+255.255.255.255");
        pt_formula_free(formula);
}

/*
 * The most slots that a text of 1024 octets can ask for: 337 operands ~x, of which every one but
 * the first waits for what stands left of it. n operands of v give v - (n - 1) * v, which for
 * v = ~1 = -2 is 2 * (n - 2) = 670.
 */
Test(formula, has_a_slot_for_all_that_can_wait)
{
        char text[PT_FORMULA_TEXT + 1] = "repeat(1,1,~x";
        struct pt_formula *formula;
        uint64_t value = 0;
        unsigned operands = 1;

        for (; strlen(text) + 4 <= PT_FORMULA_TEXT; operands++)
                strcat(text, "-~x");
        strcat(text, ")");
        cr_assert_eq(operands, 337);
        formula = compile(text);
        cr_expect(pt_formula_evaluate(formula, 0, &value));
        cr_expect_eq(value, 670);
        pt_formula_free(formula);
}

Test(formula, cost_counts_rounds_as_often_as_they_run)
{
        static const struct {
                const char *text;
                unsigned cost;
        } rows[] = {
                {"o1", 0},
                {"o1 * o2 + o3", 2},
                {"1 + 2", 1}, /* as the text has it, though it is folded */
                {"swap32(repeat(16, swap32(addr), ((x ^ 1) - 2 & 3) ^ 4))", 66},
                {"repeat(10, o1, x)", 10},
                {"repeat(10, o1, repeat(10, x + 1, x * 2) + 1)", 120},
                {"repeat(1024, o1, x + 1)", 1024},
                {"repeat(32, o1, repeat(32, x, x + 1))", 1024},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_formula *formula = compile(rows[i].text);

                cr_expect_eq(pt_formula_cost(formula), rows[i].cost, "%s", rows[i].text);
                pt_formula_free(formula);
        }
}

Test(formula, a_refused_text_writes_the_error_only)
{
        struct pt_formula *formula = (struct pt_formula *)&formula;
        struct pt_formula_error error = {0};

        cr_expect_eq(pt_formula_compile("o1 +", &formula, &error), -EINVAL);
        cr_expect_eq((void *)formula, (void *)&formula);
        cr_expect_eq(error.column, 5);
        cr_expect_str_eq(error.sentence, "the expression ends where a value is expected");
        cr_expect_null(pt_formula_free(NULL));
}
