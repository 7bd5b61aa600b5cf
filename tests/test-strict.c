#include "rule/strict.h"

#include "page.h"

#include <criterion/criterion.h>
#include <errno.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

static int refuse_word(struct pt_strict *s, json_t *value, void *into)
{
        size_t *octet = into;

        if (!json_is_string(value) || strcmp(json_string_value(value), "wrong") != 0)
                return 0;
        return *octet ? pt_strict_refuse_octet(s, *octet, "said so")
                      : pt_strict_refuse(s, "said so: %d", 7);
}

static int read_list(struct pt_strict *s, json_t *value, void *into)
{
        return pt_strict_array(s, value, refuse_word, into);
}

static int read_inner(struct pt_strict *s, json_t *value, void *into)
{
        static const struct pt_strict_key keys[] = {
                {"word", refuse_word, 0}, {"list", read_list, 0}, {"inner", read_inner, 0}};

        return pt_strict_object(s, value, keys, ROWS(keys), into);
}

/* Reads a text in which the word "wrong" is wrong, and ends right before an unreadable page. */
static int read_text(const char *text, size_t octet, struct pt_strict_error *error)
{
        size_t length = strlen(text);
        const char *placed = (const char *)page_place(text, length);
        struct pt_strict s;
        json_t *json;
        int r;

        memset(error, 0, sizeof *error);
        r = pt_strict_parse(&s, placed, length, error, &json);
        if (r < 0)
                return r;
        r = read_inner(&s, json, &octet);
        cr_expect_eq(s.depth, 0);
        json_decref(json);
        return r;
}

/* Columns as a person counts them. */
Test(strict, a_second_walk_finds_the_place)
{
        static const struct {
                const char *text;
                unsigned line;
                unsigned column;
                const char *path;
                const char *why;
        } rows[] = {
                {"{\"word\":\"wrong\"}", 1, 9, "word", "no blanks"},
                {"{\"word\": \"wrong\"}", 1, 10, "word", "one"},
                {"{\n\n\t\"word\"\r\n:\n  \"wrong\"\n}", 5, 3, "word", "blanks everywhere"},
                {"{\"list\": [\"wrong\"]}", 1, 11, "list[0]", ""},
                {"{\"list\": [1, [\"wrong\", 2], {\"word\": \"wrong\"},\n \"wrong\"]}", 2, 2,
                 "list[3]", "values of any shape are passed"},
                {"{\"list\": [\"a]b,\\\"\", \"\\\\\", \"wrong\"]}", 1, 27, "list[2]",
                 "brackets, commas and quotes inside strings are letters"},
                {"{\"list\": [], \"#\": {}, \"word\": \"wrong\"}", 1, 31, "word",
                 "empty containers and comments count as members"},
                {"{\"#\": [\"wrong\", {\"no key\": 1}], \"#b\": 2, \"word\": \"wrong\"}", 1, 50,
                 "word", "comments are not read, but passed"},
                {"{\"inner\": {\"inner\": {\"list\": [null, true, -1.5e3, \"wrong\"]}}}", 1, 51,
                 "inner.inner.list[3]", ""},
                {"{\"a\\u0062\": 1}", 1, 2, "ab", "an unknown key is shown where it begins"},
                {"{\"list\": {}}", 1, 10, "list", "no list"},
                {"{\"inner\": []}", 1, 11, "inner", "no object"},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_strict_error e;

                cr_expect_eq(read_text(rows[i].text, 0, &e), -EINVAL, "%s", rows[i].text);
                cr_expect_eq(e.line, rows[i].line, "%s: line %u", rows[i].text, e.line);
                cr_expect_eq(e.column, rows[i].column, "%s: column %u", rows[i].text, e.column);
                cr_expect_str_eq(e.path, rows[i].path, "%s: %s", rows[i].text, rows[i].why);
        }
}

/* "wrong" in some spellings; its octets w r o n g are 0 to 4. */
Test(strict, a_place_inside_a_string_sees_through_escapes)
{
        static const struct {
                const char *text;
                size_t octet;
                unsigned column;
        } rows[] = {
                {"{\"word\":\"wrong\"}", 1, 11},
                {"{\"word\":\"wrong\"}", 4, 14},
                {"{\"word\":\"wrong\"}", 5, 15}, /* the quote behind it */
                {"{\"word\":\"wrong\"}", 99, 15},
                {"{\"word\":\"\\u0077rong\"}", 1, 16},
                {"{\"word\":\"\\u0077\\u0072ong\"}", 1, 16},
                {"{\"word\":\"\\u0077\\u0072\\u006F\\u006e\\u0067\"}", 3, 28},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_strict_error e;

                cr_expect_eq(read_text(rows[i].text, rows[i].octet, &e), -EINVAL);
                cr_expect_eq(e.line, 1);
                cr_expect_eq(e.column, rows[i].column, "%s: %u", rows[i].text, e.column);
                cr_expect_str_eq(e.sentence, "said so");
        }
}

static int refuse_octet(struct pt_strict *s, json_t *value, void *into)
{
        (void)value;
        return pt_strict_refuse_octet(s, *(size_t *)into, "here");
}

/* Escapes for one, two, three and four octets of UTF-8, each before an X. */
Test(strict, a_place_inside_a_string_counts_octets_of_utf_8)
{
        static const struct pt_strict_key keys[] = {{"k", refuse_octet, 0}};
        static const struct {
                const char *string;
                size_t octet; /* of the X */
                unsigned column;
        } rows[] = {
                {"\\n\\\"\\/X", 3, 13},     {"\\u007fX", 1, 13}, {"\\u0080X", 2, 13},
                {"\\u07FFX", 2, 13},        {"\\u0800X", 3, 13}, {"\\uffffX", 3, 13},
                {"\\uD83D\\uDE00X", 4, 19}, {"\xc3\x97X", 2, 9}, {"\xf0\x9f\x98\x80X", 4, 11},
                {"\\ud83d\\ude00", 3, 7}, /* inside the pair: its beginning */
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_strict_error e = {0};
                struct pt_strict s;
                size_t octet = rows[i].octet;
                char text[64];
                json_t *json;

                snprintf(text, sizeof text, "{\"k\":\"%s\"}", rows[i].string);
                cr_assert_eq(pt_strict_parse(&s, text, strlen(text), &e, &json), 0, "%s", text);
                cr_expect_eq(pt_strict_object(&s, json, keys, 1, &octet), -EINVAL);
                cr_expect_eq(e.column, rows[i].column, "%s: %u", text, e.column);
                json_decref(json);
        }
}

Test(strict, a_good_text_is_read)
{
        struct pt_strict_error e;

        cr_expect_eq(
                read_text("{\"#\": 1, \"list\": [\"right\", 2], \"inner\": {\"word\": 3}}", 0, &e),
                0);
        cr_expect_eq(read_text("{}", 0, &e), 0);
        cr_expect_eq(e.line, 0);
}

/* What has been read is left again, so a fault found later is found at its own place. */
Test(strict, a_value_can_be_refused_out_of_turn)
{
        static const char text[] = "{\"a\": 1,\n \"b\": [0, {\"c\": 2, \"d\": 3}]}";
        struct pt_strict_error e = {0};
        struct pt_strict s;
        json_t *json;

        cr_assert_eq(pt_strict_parse(&s, text, strlen(text), &e, &json), 0);
        pt_strict_enter_key(&s, json, "b");
        pt_strict_enter_element(&s, 1);
        pt_strict_enter_key(&s, json_array_get(json_object_get(json, "b"), 1), "d");
        cr_expect_eq(pt_strict_refuse(&s, "no"), -EINVAL);
        cr_expect_eq(e.line, 2);
        cr_expect_eq(e.column, 25);
        cr_expect_str_eq(e.path, "b[1].d");
        pt_strict_leave(&s);
        cr_expect_eq(pt_strict_refuse(&s, "no"), -EINVAL);
        cr_expect_eq(e.column, 11);
        cr_expect_str_eq(e.path, "b[1]");
        json_decref(json);
}

/* Editors on Windows write a mark of UTF-8 there, which nobody sees. Anywhere else it is none. */
Test(strict, a_mark_at_the_head_is_passed_over)
{
        struct pt_strict_error e;

        cr_expect_eq(read_text("\xef\xbb\xbf{\"list\": []}", 0, &e), 0);
        cr_expect_eq(read_text("\xef\xbb\xbf{\"list\": [], \"what\": 1}", 0, &e), -EINVAL);
        cr_expect(e.line == 1 && e.column == 14, "%u %u", e.line, e.column);
        cr_expect_eq(read_text("\xef\xbb\xbf{]", 0, &e), -EINVAL);
        cr_expect(e.line == 1 && e.column == 2, "%u %u", e.line, e.column);
        cr_expect_eq(read_text("\xef\xbb\xbf", 0, &e), -EINVAL);
        cr_expect_eq(read_text("\xef\xbb{}", 0, &e), -EINVAL);
        cr_expect_eq(read_text("{\xef\xbb\xbf}", 0, &e), -EINVAL);
        cr_expect_eq(read_text("\xef\xbb\xbf\xef\xbb\xbf{}", 0, &e), -EINVAL);
}

/* Nobody's terminal takes orders from a rule file. */
Test(strict, errors_have_no_control_characters)
{
        struct pt_strict_error e;

        cr_expect_eq(read_text("{\"\\u001b[2J\\n\\u007f\": 1}", 0, &e), -EINVAL);
        cr_expect_str_eq(e.sentence,
                         "the key \"?[2J??\" is unknown here; there are word list inner");
        cr_expect_str_eq(e.path, "?[2J??");
        cr_expect_eq(read_text("\x1b[2J", 0, &e), -EINVAL);
        cr_expect_str_eq(e.sentence, "this is no JSON: '[' or '{' expected near '?'");
}

Test(strict, a_long_way_is_cut)
{
        struct pt_strict_error e;
        char key[201] = "", text[256];

        memset(key, 'k', 200);
        snprintf(text, sizeof text, "{\"%s\": 1}", key);
        cr_expect_eq(read_text(text, 0, &e), -EINVAL);
        cr_expect_eq(strlen(e.path), sizeof e.path - 1);
}
