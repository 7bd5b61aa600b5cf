#include "../sensor/effect.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../sensor/config.h"

static struct pt_options read_good(const char *text)
{
        struct pt_rule_error error = {0};
        struct pt_options o;

        cr_assert_eq(pt_options_default(&o), 0);
        cr_assert_eq(pt_config_read("good", text, strlen(text), &o, &error), 0, "%u:%u: %s: %s",
                     error.line, error.column, error.path, error.sentence);
        return o;
}

static char *print(const struct pt_options *options)
{
        char *text;
        size_t length;
        FILE *file = open_memstream(&text, &length);

        cr_assert_eq(pt_effect_print(file, options), 0);
        fclose(file);
        return text;
}

static const char whole[] = "{\"window\": \"90s\", \"log\": [\"stats\"],\n"
                            " \"home_networks\": [],\n\n \"rules\": [\"a\\\"\\u00e9\"],"
                            " \"observer\": {\n\"name\": \"dmz\"}}";

Test(effect, what_is_printed_is_a_configuration_of_the_same_effect)
{
        struct pt_options o = read_good(whole);
        char before[PT_EFFECT_HASH], after[PT_EFFECT_HASH];
        char *text = print(&o);

        cr_assert_eq(pt_effect_hash(&o, before), 0);
        pt_options_clear(&o);
        o = read_good(text);
        cr_expect_eq(o.window, 90000000000);
        cr_expect_eq(o.home_networks.count, 0);
        cr_expect_str_eq(o.rules.list[0], "a\"\xc3\xa9");
        cr_expect_str_eq(o.observer_name, "dmz");
        cr_assert_eq(pt_effect_hash(&o, after), 0);
        cr_expect_str_eq(before, after);
        pt_options_clear(&o);
        free(text);
}

Test(effect, each_value_says_where_it_comes_from)
{
        struct pt_options o = read_good(whole);
        char program[] = "portent", flag[] = "--memory=32M";
        char *const argv[] = {program, flag, NULL};
        char sentence[PT_OPTION_SENTENCE];
        char *text;

        o.config = strdup("x.json");
        cr_assert_eq(pt_options_arguments(&o, 2, argv, sentence), 0);
        text = print(&o);
        cr_expect(strstr(text, "\"# window\": \"x.json:1\",\n        \"window\": \"90s\","));
        cr_expect(strstr(text, "\"# home_networks\": \"x.json:2\""));
        cr_expect(strstr(text, "\"# rules\": \"x.json:4\""));
        cr_expect(strstr(text, "\"# name\": \"x.json:5\",\n                \"name\": \"dmz\""));
        cr_expect(strstr(text, "\"# memory\": \"--memory\",\n        \"memory\": \"32M\","));
        cr_expect(strstr(text, "\"# throttle\": \"default\","));
        pt_options_clear(&o);
        free(text);
}

Test(effect, the_hash_is_that_of_the_values)
{
        struct pt_options plain = read_good("{}");
        struct pt_options same = read_good("{\"#\": 1,\n\"window\": \"600s\"}");
        struct pt_options other = read_good("{\"window\": \"601s\"}");
        char a[PT_EFFECT_HASH], b[PT_EFFECT_HASH], c[PT_EFFECT_HASH];

        cr_assert_eq(pt_effect_hash(&plain, a), 0);
        cr_assert_eq(pt_effect_hash(&same, b), 0);
        cr_assert_eq(pt_effect_hash(&other, c), 0);
        cr_expect_str_eq(a, b);
        cr_expect_str_neq(a, c);
        pt_options_clear(&plain);
        pt_options_clear(&same);
        pt_options_clear(&other);
}
