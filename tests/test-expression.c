#include "rule/expression.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

static struct pt_expression tree;

#define VALUE "the expression ends where a value is expected"

/* A person gets the column, in octets, and a sentence. */
Test(expression, a_fault_is_told_with_its_place)
{
        static const struct {
                const char *text;
                size_t column;
                const char *sentence;
        } rows[] = {
                {"", 1, "the expression is empty"},
                {"  ", 3, "the expression is empty"},
                {"o1 +", 5, VALUE},
                {"o1 + ", 6, VALUE},
                {"~", 2, VALUE},
                {"(", 2, VALUE},
                {"swap16(", 8, VALUE},
                {"(o1", 4, "the expression ends where ')' is expected"},
                {"swap16", 7, "the expression ends where '(' is expected"},
                {"rotl32(o1", 10, "the expression ends where ',' is expected"},
                {"rotl32(o1, 2", 13, "the expression ends where ')' is expected"},
                {"repeat(2, 1, x", 15, "the expression ends where ')' is expected"},
                {"o1 o2", 4, "an operator is expected here, not 'o2'"},
                {"o1)", 3, "an operator is expected here, not ')'"},
                {"o1, o2", 3, "an operator is expected here, not ','"},
                {"o1 (o2)", 4, "an operator is expected here, not '('"},
                {"3 4", 3, "an operator is expected here, not '4'"},
                {"o1 ~ o2", 4, "an operator is expected here, not '~'"},
                {"()", 2, "a value is expected here, not ')'"},
                {"o1 + * o2", 6, "a value is expected here, not '*'"},
                {"o1 ** o2", 5, "a value is expected here, not '*'"},
                {"-o1", 1, "a value is expected here, not '-'"},
                {"o1 << << 2", 7, "a value is expected here, not '<<'"},
                {"swap16(o1, o2)", 10, "')' is expected here, not ','"},
                {"rotl32(o1)", 10, "',' is expected here, not ')'"},
                {"swap16 o1", 8, "'(' is expected here, not 'o1'"},
                {"o5", 1,
                 "the name 'o5' is unknown; there are o1 o2 o3 o4 addr x swap16 swap32 rotl32 "
                 "repeat"},
                {"O1", 1,
                 "the name 'O1' is unknown; there are o1 o2 o3 o4 addr x swap16 swap32 rotl32 "
                 "repeat"},
                {"o1 + a_name_of_more_than_thirty_two_octets", 6,
                 "the name 'a_name_of_more_than_thirty_two_o' is unknown; there are o1 o2 o3 o4 "
                 "addr x swap16 swap32 rotl32 repeat"},
                {"x", 1, "x has a meaning only in the third argument of repeat"},
                {"repeat(2, x, 1)", 11, "x has a meaning only in the third argument of repeat"},
                {"repeat(2, 1, x) + x", 19, "x has a meaning only in the third argument of repeat"},
                {"repeat(0, 1, x)", 8, "repeat's first argument is a number from 1 to 1024"},
                {"repeat(1025, 1, x)", 8, "repeat's first argument is a number from 1 to 1024"},
                {"repeat(o1, 1, x)", 8, "repeat's first argument is a number from 1 to 1024"},
                {"repeat(1 + 1, 1, x)", 10, "',' is expected here, not '+'"},
                {"repeat()", 8, "repeat's first argument is a number from 1 to 1024"},
                {"08", 1, "a decimal number does not begin with 0, and octal is not read"},
                {"0x", 1, "a number needs digits after its 0x"},
                {"0xfg", 1, "a number is decimal, or hexadecimal with 0x in front"},
                {"12a", 1, "a number is decimal, or hexadecimal with 0x in front"},
                {"o1 + 12u", 6, "a number is decimal, or hexadecimal with 0x in front"},
                {"18446744073709551616", 1, "the number does not fit into 64 bits"},
                {"0x10000000000000000", 1, "the number does not fit into 64 bits"},
                {"99999999999999999999999", 1, "the number does not fit into 64 bits"},
                {"o1 < o2", 4, "there is no comparison here; a shift is << or >>"},
                {"o1 >= o2", 4, "there is no comparison here; a shift is << or >>"},
                {"o1 == o2", 4, "the character '=' stands for nothing here"},
                {"o1 $ o2", 4, "the character '$' stands for nothing here"},
                {"o1.o2", 3, "the character '.' stands for nothing here"},
                {"o1\n", 3, "the octet 0x0a stands for nothing here"},
                {"\x7f", 1, "the octet 0x7f stands for nothing here"},
                {"o1 \xc3\x97 o2", 4, "the octet 0xc3 stands for nothing here"},
                {"repeat(1024, 0, x + 1) + 1", 24,
                 "up to here the expression costs more than 1024 operations"},
                {"1 + repeat(513, 0, x + 1 + 1)", 5,
                 "up to here the expression costs more than 1024 operations"},
                {"repeat(2, 1, repeat(1024, x, x))", 1,
                 "up to here the expression costs more than 1024 operations"},
                {"repeat(1024,1,repeat(1024,1,repeat(1024,1,repeat(1024,1,x))))", 29,
                 "up to here the expression costs more than 1024 operations"},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_formula_error error = {0};

                cr_expect_eq(pt_expression_parse(rows[i].text, &tree, &error), -EINVAL, "%s",
                             rows[i].text);
                cr_expect_eq(error.column, rows[i].column, "%s: column %zu", rows[i].text,
                             error.column);
                cr_expect_str_eq(error.sentence, rows[i].sentence, "%s: %s", rows[i].text,
                                 error.sentence);
        }
}

/* `depth` times `open`, then o1, then as many of `close`. */
static int parse_nested(const char *open, size_t depth, const char *close,
                        struct pt_formula_error *error)
{
        char text[PT_FORMULA_TEXT + 1] = "";

        for (size_t i = 0; i < depth; i++)
                strcat(text, open);
        strcat(text, "o1");
        for (size_t i = 0; i < depth; i++)
                strcat(text, close);
        return pt_expression_parse(text, &tree, error);
}

Test(expression, nests_64_deep_and_no_deeper)
{
        static const struct {
                const char *open;
                const char *close;
                size_t column; /* of the 65th */
        } rows[] = {
                {"(", ")", 65},
                {"~", "", 65},
                {"swap16(", ")", 449},
                {"1-(", ")", 195},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_formula_error error = {0};

                cr_expect_eq(parse_nested(rows[i].open, 64, rows[i].close, &error), 0);
                cr_expect_eq(parse_nested(rows[i].open, 65, rows[i].close, &error), -EINVAL);
                cr_expect_eq(error.column, rows[i].column, "%s: %zu", rows[i].open, error.column);
                cr_expect_str_eq(error.sentence, "the expression is nested more than 64 deep");
        }
}

Test(expression, is_at_most_1024_octets_long)
{
        char text[PT_FORMULA_TEXT + 2];
        struct pt_formula_error error = {0};

        /* As many nodes as a text can have: every octet makes one. */
        for (size_t i = 0; i < PT_FORMULA_TEXT; i++)
                text[i] = i % 2 ? '+' : '1';
        text[PT_FORMULA_TEXT - 1] = '1';
        text[PT_FORMULA_TEXT] = '\0';
        cr_expect_eq(pt_expression_parse(text, &tree, &error), 0);
        cr_expect_eq(tree.count, 1023, "one number has two digits");

        memset(text, ' ', sizeof text);
        text[0] = '1';
        text[PT_FORMULA_TEXT + 1] = '\0';
        cr_expect_eq(pt_expression_parse(text, &tree, &error), -EINVAL);
        cr_expect_eq(error.column, 1025);
        cr_expect_str_eq(error.sentence, "the expression is longer than 1024 octets");
}
