#include "../sensor/config.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])
#define BAD "tests/bad/config" /* tests run in the checkout */

static struct pt_options read_good(const char *text)
{
        struct pt_rule_error error = {0};
        struct pt_options o;

        cr_assert_eq(pt_options_default(&o), 0);
        cr_assert_eq(pt_config_read("good", text, strlen(text), &o, &error), 0, "%u:%u: %s: %s",
                     error.line, error.column, error.path, error.sentence);
        return o;
}

Test(config, every_key_reaches_its_option)
{
        struct pt_options o = read_good("{\"memory\": \"128M\", \"reorder\": \"20ms\","
                                        " \"window\": \"5m\", \"max_window\": \"2h\","
                                        " \"cross_window\": \"30s\", \"throttle\": \"90s\","
                                        " \"home_networks\": [\"192.0.2.0/24\", \"2001:db8::/32\"],"
                                        " \"nat64_prefixes\": [], \"lab\": true,"
                                        " \"near_misses\": true, \"log\": [\"dns\", \"stats\"],"
                                        " \"format\": \"text\", \"outputs\": [\"x\", \"-\"],"
                                        " \"rules\": [\"r\"], \"connection_ports\": \"1-1023\","
                                        " \"observer\": {\"name\": \"dmz\"}}");

        cr_expect_eq(o.memory, 134217728);
        cr_expect_eq(o.reorder, 20000000);
        cr_expect_eq(o.window, 300000000000);
        cr_expect_eq(o.max_window, 7200000000000);
        cr_expect_eq(o.cross_window, 30000000000);
        cr_expect_eq(o.throttle, 90000000000);
        cr_expect_eq(o.home_networks.count, 2);
        cr_expect_str_eq(o.home_networks.list[1], "2001:db8::/32");
        cr_expect_eq(o.nat64_prefixes.count, 0);
        cr_expect(o.lab);
        cr_expect(o.near_misses);
        cr_expect_eq(o.log, PT_LOG_ALERT | PT_LOG_DNS | PT_LOG_STATS);
        cr_expect_eq(o.format, PT_FORMAT_TEXT);
        cr_expect_eq(o.outputs.count, 2);
        cr_expect_str_eq(o.outputs.list[0], "x");
        cr_expect_eq(o.rules.count, 1);
        cr_expect_str_eq(o.rules.list[0], "r");
        cr_expect_eq(o.connection_ports.low, 1);
        cr_expect_eq(o.connection_ports.high, 1023);
        cr_expect_str_eq(o.observer_name, "dmz");
        pt_options_clear(&o);
}

Test(config, keys_that_start_with_a_hash_are_comments_in_every_object)
{
        struct pt_options o = read_good("{\"#\": 1, \"# why\": {\"lab\": true},\n"
                                        " \"observer\": {\"# who\": [], \"name\": \"a\"}}\n");

        cr_expect_not(o.lab);
        cr_expect_str_eq(o.observer_name, "a");
        pt_options_clear(&o);
}

Test(config, what_the_file_does_not_say_stays_as_it_was)
{
        struct pt_options o = read_good("{}");

        cr_expect_eq(o.window, 600000000000);
        cr_expect_eq(o.outputs.count, 1);
        pt_options_clear(&o);
}

Test(config, a_size_may_be_a_number_of_octets)
{
        struct pt_options o = read_good("{\"memory\": 8388608}");

        cr_expect_eq(o.memory, 8388608);
        pt_options_clear(&o);
}

static char *read_file(const char *name, const char *ending, size_t *ret_length)
{
        char path[512], *text;
        FILE *file;

        snprintf(path, sizeof path, "%s/%s%s", BAD, name, ending);
        file = fopen(path, "r");
        cr_assert_not_null(file, "%s", path);
        text = calloc(1, 65536);
        *ret_length = fread(text, 1, 65535, file);
        fclose(file);
        return text;
}

/* Each bad configuration is a file, with the place and sentence that it deserves beside it. */
static void expect_refused(const char *name)
{
        struct pt_rule_error error = {0};
        struct pt_options o;
        char said[1024];
        size_t length, expected_length;
        char *text = read_file(name, ".json", &length);
        char *expected = read_file(name, ".expected", &expected_length);

        cr_assert_eq(pt_options_default(&o), 0);
        cr_expect_eq(pt_config_read("x.json", text, length, &o, &error), -EINVAL, "%s", name);
        snprintf(said, sizeof said, "%u:%u: %s%s%s\n", error.line, error.column, error.path,
                 *error.path ? ": " : "", error.sentence);
        cr_expect_str_eq(said, expected, "%s: %s instead of %s", name, said, expected);
        cr_expect_str_eq(error.file, "x.json");
        pt_options_clear(&o);
        free(text);
        free(expected);
}

Test(config, bad_files_are_refused_with_place_and_sentence)
{
        DIR *folder = opendir(BAD);
        struct dirent *entry;
        size_t count = 0;

        cr_assert_not_null(folder);
        while ((entry = readdir(folder))) {
                char *dot = strstr(entry->d_name, ".json");

                if (!dot)
                        continue;
                *dot = '\0';
                expect_refused(entry->d_name);
                count++;
        }
        closedir(folder);
        cr_expect_geq(count, 30);
}

/* ---- the file and the flags ---- */

static char *write_file(const char *text)
{
        char *path = strdup("/tmp/test-config-XXXXXX");
        int fd = mkstemp(path);
        FILE *file = fdopen(fd, "w");

        cr_assert_not_null(file);
        fputs(text, file);
        fclose(file);
        return path;
}

static int read_words(int argc, const char *const *words, struct pt_options *ret,
                      struct pt_rule_error *error)
{
        char *argv[16] = {NULL};
        int r;

        for (int i = 0; i < argc; i++)
                argv[i] = strdup(words[i]);
        r = pt_config_options(argc, argv, ret, error);
        for (int i = 0; i < argc; i++)
                free(argv[i]);
        return r;
}

Test(config, a_flag_wins_over_the_file_wherever_it_stands)
{
        char *path = write_file("{\"memory\": \"32M\", \"outputs\": [\"a\", \"b\"],\n"
                                " \"log\": [\"dns\"], \"lab\": true, \"window\": \"1m\"}");
        const char *words[] = {"portent", "--memory", "16M",   "-c",    path,
                               "-o",      "c",        "--log", "stats", "-rx"};
        struct pt_rule_error error = {0};
        struct pt_options o;

        cr_assert_eq(read_words(ROWS(words), words, &o, &error), 0, "%s", error.sentence);
        cr_expect_eq(o.memory, 16 << 20);
        cr_expect_eq(o.outputs.count, 1);
        cr_expect_str_eq(o.outputs.list[0], "c");
        cr_expect_eq(o.log, PT_LOG_ALERT | PT_LOG_STATS);
        cr_expect(o.lab);
        cr_expect_eq(o.window, 60000000000);
        cr_expect_eq(o.inputs.count, 1); /* the flags were read twice, and count once */
        cr_expect_str_eq(o.config, path);
        pt_options_clear(&o);
        unlink(path);
        free(path);
}

Test(config, a_fault_in_the_file_says_the_file)
{
        char *path = write_file("{\n  \"memory\": \"1M\"\n}");
        const char *words[] = {"portent", "-c", path, "--memory", "16M"};
        struct pt_rule_error error = {0};
        struct pt_options o;

        cr_assert_eq(read_words(ROWS(words), words, &o, &error), -EINVAL);
        cr_expect_str_eq(error.file, path);
        cr_expect_eq(error.line, 2);
        cr_expect_eq(error.column, 13);
        cr_expect_str_eq(error.path, "memory");
        cr_expect_str_eq(error.sentence, "1M is out of range: 8M to 64G");
        pt_options_clear(&o);
        unlink(path);
        free(path);
}

/* No answer counts longer than max_window. The fault is the key's that the file has. */
Test(config, keys_that_contradict_each_other_are_refused)
{
        static const struct {
                const char *text;
                unsigned line, column;
                const char *path, *sentence;
        } rows[] = {
                {"{\"window\": \"2h\"}", 1, 12, "window",
                 "2h is longer than max_window, which is 1h"},
                {"{\"max_window\": \"5m\"}", 1, 16, "max_window",
                 "5m is shorter than window, which is 10m"},
                {"{\"window\": \"1s\",\n \"max_window\": \"30s\"}", 2, 16, "max_window",
                 "30s is shorter than cross_window, which is 1m"},
                {"{\"max_window\": \"30m\",\n \"lab\": true,\n \"cross_window\": \"31m\"}", 3, 18,
                 "cross_window", "31m is longer than max_window, which is 30m"},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_rule_error error = {0};
                struct pt_options o;

                cr_assert_eq(pt_options_default(&o), 0);
                cr_expect_eq(pt_config_read("x", rows[i].text, strlen(rows[i].text), &o, &error),
                             -EINVAL, "%s", rows[i].text);
                cr_expect_eq(error.line, rows[i].line, "%s: %u", rows[i].text, error.line);
                cr_expect_eq(error.column, rows[i].column, "%s: %u", rows[i].text, error.column);
                cr_expect_str_eq(error.path, rows[i].path);
                cr_expect_str_eq(error.sentence, rows[i].sentence);
                pt_options_clear(&o);
        }
        /* The longest that there is, and all of them alike. */
        {
                struct pt_options o = read_good("{\"window\": \"1d\", \"cross_window\": \"24h\","
                                                " \"max_window\": \"1d\"}");

                pt_options_clear(&o);
        }
}

/* A key that is nearly one of the others, by hand: letters put in, left out, changed, swapped. */
Test(config, the_nearest_key_is_named_if_one_is_near)
{
        static const struct {
                const char *text, *sentence;
        } rows[] = {
                {"{\"wndow\": 1}", "this key is unknown; did you mean window?"},
                {"{\"windows\": 1}", "this key is unknown; did you mean window?"},
                {"{\"wimdow\": 1}", "this key is unknown; did you mean window?"},
                {"{\"widnow\": 1}", "this key is unknown; did you mean window?"},
                {"{\"WINDOW\": 1}", "this key is unknown; did you mean window?"},
                {"{\"max-window\": 1}", "this key is unknown; did you mean max_window?"},
                {"{\"home-network\": 1}", "this key is unknown; did you mean home_networks?"},
                {"{\"outptus\": 1}", "this key is unknown; did you mean outputs?"},
                {"{\"observer\": {\"nmae\": 1}}", "this key is unknown; did you mean name?"},
                {"{\"observer\": {\"window\": 1}}", "this key is unknown (see portent --help)"},
                {"{\"observer.name\": 1}", "this key is unknown; a dot stands for an object: "
                                           "{\"observer\": {\"name\": ...}}"},
                {"{\"luck\": {}}", "this key is unknown (see portent --help)"},
                {"{\"\": 1}", "this key is unknown (see portent --help)"},
                {"{\"x\": 1}", "this key is unknown (see portent --help)"},
                {"{\"rules-of-a-length-that-no-key-has-and-none-will-have-tomorrow\": 1}",
                 "this key is unknown (see portent --help)"},
                /* first the keys, then what they hold */
                {"{\"window\": 7, \"rulse\": 1}", "this key is unknown; did you mean rules?"},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_rule_error error = {0};
                struct pt_options o;

                cr_assert_eq(pt_options_default(&o), 0);
                cr_expect_eq(pt_config_read("x", rows[i].text, strlen(rows[i].text), &o, &error),
                             -EINVAL, "%s", rows[i].text);
                cr_expect_str_eq(error.sentence, rows[i].sentence, "%s: %s", rows[i].text,
                                 error.sentence);
                pt_options_clear(&o);
        }
}

Test(config, a_file_that_cannot_be_read_is_refused_with_the_reason)
{
        static const struct {
                const char *file, *sentence;
        } rows[] = {
                {"/nonexistent/x.json", "No such file or directory"},
                {"/", "Is a directory"},
                {"/dev/zero", "this is too long for a configuration"},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_rule_error error = {0};
                struct pt_options o;

                cr_assert_eq(pt_options_default(&o), 0);
                cr_expect_eq(pt_config_load(rows[i].file, &o, &error), -EINVAL);
                cr_expect_str_eq(error.file, rows[i].file);
                cr_expect_eq(error.line, 0);
                cr_expect_str_eq(error.sentence, rows[i].sentence);
                pt_options_clear(&o);
        }
}

/* ---- the engine's side ---- */

static void expect_same_list(const char *const *a, const char *const *b)
{
        size_t i = 0;

        for (; a[i] && b[i]; i++)
                cr_expect_str_eq(a[i], b[i]);
        cr_expect(!a[i] && !b[i]);
}

/* The table's defaults and the library's are written down twice: they must say the same. */
Test(config, defaults_of_the_program_are_those_of_the_library)
{
        struct pt_settings library, program;
        struct pt_options o;

        cr_assert_eq(pt_options_default(&o), 0);
        pt_settings_default(&library);
        program = pt_config_settings(&o);
        cr_expect_eq(program.memory, library.memory);
        cr_expect_eq(program.reorder, library.reorder);
        cr_expect_eq(program.window, library.window);
        cr_expect_eq(program.max_window, library.max_window);
        cr_expect_eq(program.cross_window, library.cross_window);
        cr_expect_eq(program.throttle, library.throttle);
        cr_expect_eq(program.lab, library.lab);
        cr_expect_eq(program.near_misses, library.near_misses);
        cr_expect_eq(program.dns_events, library.dns_events);
        cr_expect_eq(program.connection_events, library.connection_events);
        cr_expect_eq(program.expectation_events, library.expectation_events);
        cr_expect_eq(program.expectation_skew, library.expectation_skew);
        cr_expect_eq(program.connection_port_low, library.connection_port_low);
        cr_expect_eq(program.connection_port_high, library.connection_port_high);
        expect_same_list(program.home_networks, library.home_networks);
        expect_same_list(program.nat64_prefixes, library.nat64_prefixes);
        pt_options_clear(&o);
}

static int try_engine(const struct pt_options *options)
{
        static const struct pt_receiver nobody;
        struct pt_settings settings = pt_config_settings(options);
        struct pt_rules_builder *builder;
        struct pt_engine *engine = NULL;
        struct pt_rules *rules;
        int r;

        cr_assert_eq(pt_rules_builder_new(&builder), 0);
        cr_assert_eq(pt_rules_finish(builder, &rules), 0);
        pt_rules_builder_free(builder);
        r = pt_engine_new(&settings, rules, &nobody, &engine);
        pt_engine_free(engine);
        pt_rules_free(rules);
        return r;
}

/* These the engine never sees. */
static bool is_ours(const char *key)
{
        return strcmp(key, "stats_interval") == 0 || strncmp(key, "alarm.", 6) == 0;
}

/* What the table lets pass, the engine takes; what it refuses, the engine would refuse too. */
Test(config, the_ranges_of_the_program_are_those_of_the_library)
{
        for (size_t i = 0; i < pt_option_count; i++) {
                const struct pt_option *option = &pt_option_table[i];
                struct pt_options o = read_good("{\"memory\": \"8M\", \"max_window\": \"1d\"}");
                int64_t *value = (int64_t *)pt_option_at(&o, option);

                if (option->type == PT_OPTION_FRACTION) {
                        double *fraction = (double *)pt_option_at(&o, option);

                        *fraction = 1;
                        cr_expect_eq(try_engine(&o), 0, "%s", option->key);
                        *fraction = 0;
                        cr_expect_eq(try_engine(&o), -EINVAL, "%s", option->key);
                }
                if (option->type == PT_OPTION_DURATION && !is_ours(option->key)) {
                        bool longest = option->offset == offsetof(struct pt_options, max_window);

                        if (longest)
                                o.window = o.cross_window = 1; /* else not shorter than it */
                        *value = option->low;
                        cr_expect_eq(try_engine(&o), 0, "%s", option->key);
                        *value = option->low - 1;
                        cr_expect_eq(try_engine(&o), -EINVAL, "%s", option->key);
                        *value = option->high;
                        cr_expect_eq(try_engine(&o), 0, "%s", option->key);
                        *value = option->high + 1;
                        cr_expect_eq(try_engine(&o), -EINVAL, "%s", option->key);
                }
                pt_options_clear(&o);
        }
}

Test(config, lists_that_are_empty_reach_the_engine_as_empty)
{
        struct pt_options o = read_good("{\"home_networks\": [], \"nat64_prefixes\": []}");
        struct pt_settings settings = pt_config_settings(&o);

        cr_assert_not_null(settings.home_networks);
        cr_expect_null(settings.home_networks[0]);
        cr_assert_not_null(settings.nat64_prefixes);
        cr_expect_null(settings.nat64_prefixes[0]);
        pt_options_clear(&o);
}
