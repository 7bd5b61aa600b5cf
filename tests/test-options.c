#include "../sensor/options.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])
#define WORDS 8

/* ---- value ---- */

Test(value, a_duration_is_a_whole_number_and_a_unit)
{
        static const struct {
                const char *text;
                int64_t nanoseconds; /* -1: refused */
                const char *again;   /* how it is shown, NULL: as it was written */
        } rows[] = {
                {"1ns", 1, NULL},
                {"7us", 7000, NULL},
                {"50ms", 50000000, NULL},
                {"60s", 60000000000, "1m"},
                {"90s", 90000000000, NULL},
                {"10m", 600000000000, NULL},
                {"24h", 86400000000000, "1d"},
                {"2d", 172800000000000, NULL},
                {"0m", 0, "0s"},
                {"106751d", 9223286400000000000, NULL},
                {"106752d", -1, NULL}, /* beyond 2^63 - 1 */
                {"9223372036854775808ns", -1, NULL},
                {"99999999999999999999s", -1, NULL},
                {"10", -1, NULL},
                {"m", -1, NULL},
                {"", -1, NULL},
                {"-1s", -1, NULL},
                {"+1s", -1, NULL},
                {" 1s", -1, NULL},
                {"1 s", -1, NULL},
                {"1s ", -1, NULL},
                {"1.5h", -1, NULL},
                {"1h30m", -1, NULL},
                {"1M", -1, NULL},
                {"0x10s", -1, NULL},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                char text[PT_VALUE_TEXT];
                int64_t duration = -1;

                cr_expect_eq(pt_duration_parse(rows[i].text, &duration), rows[i].nanoseconds >= 0,
                             "%s", rows[i].text);
                cr_expect_eq(duration, rows[i].nanoseconds, "%s", rows[i].text);
                if (duration >= 0)
                        cr_expect_str_eq(pt_duration_format(duration, text),
                                         rows[i].again ? rows[i].again : rows[i].text);
        }
}

Test(value, a_size_counts_in_powers_of_1024)
{
        static const struct {
                const char *text;
                int64_t octets; /* -1: refused */
                const char *again;
        } rows[] = {
                {"64M", 67108864, NULL},
                {"1G", 1073741824, NULL},
                {"1024M", 1073741824, "1G"},
                {"3K", 3072, NULL},
                {"67108865", 67108865, NULL},
                {"0", 0, NULL},
                {"8589934591G", 9223372035781033984, NULL},
                {"8589934592G", -1, NULL}, /* 2^63 */
                {"64m", -1, NULL},
                {"64MB", -1, NULL},
                {"M", -1, NULL},
                {"", -1, NULL},
                {"-64M", -1, NULL},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                char text[PT_VALUE_TEXT];
                int64_t size = -1;

                cr_expect_eq(pt_size_parse(rows[i].text, &size), rows[i].octets >= 0, "%s",
                             rows[i].text);
                cr_expect_eq(size, rows[i].octets, "%s", rows[i].text);
                if (size >= 0)
                        cr_expect_str_eq(pt_size_format(size, text),
                                         rows[i].again ? rows[i].again : rows[i].text);
        }
}

Test(value, a_range_of_ports_begins_before_its_end)
{
        static const struct {
                const char *text;
                bool good;
                uint16_t low, high;
        } rows[] = {
                {"4096-49151", true, 4096, 49151},
                {"0-65535", true, 0, 65535},
                {"443", true, 443, 443},
                {"443-443", true, 443, 443},
                {"2-1", false, 0, 0},
                {"1-65536", false, 0, 0},
                {"65536", false, 0, 0},
                {"1-", false, 0, 0},
                {"-1", false, 0, 0},
                {"1-2-3", false, 0, 0},
                {"1, 2", false, 0, 0},
                {"", false, 0, 0},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_ports ports = {0};

                cr_expect_eq(pt_ports_parse(rows[i].text, &ports), rows[i].good, "%s",
                             rows[i].text);
                cr_expect_eq(ports.low, rows[i].low, "%s", rows[i].text);
                cr_expect_eq(ports.high, rows[i].high, "%s", rows[i].text);
        }
}

/* ---- the table ---- */

Test(options, every_row_of_the_table_is_whole)
{
        for (size_t i = 0; i < pt_option_count; i++) {
                const struct pt_option *option = &pt_option_table[i];

                cr_expect(option->name || option->key, "row %zu", i);
                cr_expect(option->help && *option->help, "row %zu", i);
                cr_expect_lt(option->type, PT_OPTION_TYPES, "row %zu", i);
                cr_expect_eq(!option->name, option->group == PT_GROUP_FILE, "row %zu", i);
                if (option->name)
                        cr_expect_eq(!option->argument, option->type == PT_OPTION_FLAG, "row %zu",
                                     i);
        }
}

Test(options, no_name_letter_or_key_stands_twice)
{
        for (size_t i = 0; i < pt_option_count; i++) {
                const struct pt_option *a = &pt_option_table[i];

                for (size_t j = 0; j < i; j++) {
                        const struct pt_option *b = &pt_option_table[j];

                        cr_expect(!a->letter || a->letter != b->letter, "-%c", a->letter);
                        cr_expect(!a->name || !b->name || strcmp(a->name, b->name), "%s", a->name);
                        cr_expect(!a->key || !b->key || strcmp(a->key, b->key), "%s", a->key);
                        cr_expect_neq(a->offset, b->offset, "rows %zu and %zu", i, j);
                }
        }
}

/* The help is for people with terminals of 80 columns, and leaves out nothing. */
Test(options, help_shows_every_row_in_80_columns)
{
        char *text, *save, *copy;
        size_t length;
        FILE *file = open_memstream(&text, &length);

        cr_assert_not_null(file);
        pt_options_help(file);
        fclose(file);
        for (size_t i = 0; i < pt_option_count; i++) {
                const struct pt_option *option = &pt_option_table[i];
                char wanted[64];

                snprintf(wanted, sizeof wanted, option->name ? "--%s" : "  %s",
                         option->name ? option->name : option->key);
                cr_expect(strstr(text, wanted), "%s", wanted);
        }
        copy = strdup(text);
        for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                cr_expect_leq(strlen(line), 80, "%s", line);
        free(copy);
        free(text);
}

/* ---- defaults ---- */

Test(options, defaults_are_those_of_the_design)
{
        struct pt_options o;

        cr_assert_eq(pt_options_default(&o), 0);
        cr_expect_eq(o.reorder, 50000000);         /* 4.1 */
        cr_expect_eq(o.window, 600000000000);      /* 4.7 */
        cr_expect_eq(o.max_window, 3600000000000); /* 4.7 */
        cr_expect_eq(o.cross_window, 60000000000); /* 4.3 */
        cr_expect_eq(o.throttle, 300000000000);    /* 4.10 */
        cr_expect_eq(o.memory, 64 << 20);          /* 8 */
        cr_expect_eq(o.outputs.count, 1);          /* 7 */
        cr_expect_eq(o.queue_size, 4 << 20);
        cr_expect_eq(o.spool_size, 64 << 20);
        cr_expect_eq(o.max_size, 0);
        cr_expect_str_eq(o.spool, "/var/lib/portent/spool");
        cr_expect(pt_option_is_default(&o, &o.spool));
        cr_expect_str_eq(o.outputs.list[0], "-");
        cr_expect_null(o.outputs.list[1]);
        cr_expect_eq(o.home_networks.count, 6); /* 4.4: RFC 1918, link-local, ULA */
        cr_expect_str_eq(o.home_networks.list[0], "10.0.0.0/8");
        cr_expect_str_eq(o.home_networks.list[5], "fe80::/10");
        cr_expect_eq(o.nat64_prefixes.count, 1);
        cr_expect_eq(o.log, PT_LOG_ALERT);
        cr_expect_eq(o.format, PT_FORMAT_AUTO);
        cr_expect(!o.lab && !o.near_misses && !o.quiet && !o.verbose && !o.filter && !o.config);
        pt_options_clear(&o);
}

/* --help shows the default as the table has it, --print-config the value: alike (60s is 1m). */
Test(options, defaults_are_written_as_they_are_shown)
{
        for (size_t i = 0; i < pt_option_count; i++) {
                const struct pt_option *option = &pt_option_table[i];
                char text[PT_VALUE_TEXT];
                struct pt_ports ports;
                int64_t value;

                if (option->type == PT_OPTION_DURATION) {
                        cr_assert(pt_duration_parse(option->initial, &value));
                        cr_expect_str_eq(option->initial, pt_duration_format(value, text));
                } else if (option->type == PT_OPTION_SIZE) {
                        cr_assert(pt_size_parse(option->initial, &value));
                        cr_expect_str_eq(option->initial, pt_size_format(value, text));
                } else if (option->type == PT_OPTION_PORTS) {
                        cr_assert(pt_ports_parse(option->initial, &ports));
                        cr_expect_str_eq(option->initial, pt_ports_format(ports, text));
                }
        }
}

/* ---- the command line ---- */

/* Reads up to WORDS words behind the name of the program. */
static int read_words(const char *const *words, struct pt_options *ret,
                      char sentence[PT_OPTION_SENTENCE])
{
        char *argv[WORDS + 2] = {strdup("portent")};
        int argc = 1, r;

        cr_assert_eq(pt_options_default(ret), 0);
        for (; argc <= WORDS && words[argc - 1]; argc++)
                argv[argc] = strdup(words[argc - 1]);
        r = pt_options_arguments(ret, argc, argv, sentence);
        if (r == 0)
                r = pt_options_check(ret, sentence);
        for (int i = 0; i < argc; i++)
                free(argv[i]);
        return r;
}

Test(options, lists_keep_their_order_and_replace_the_default)
{
        static const char *const words[] = {"-o", "b", "-r", "one", "--output=a", "-rtwo", NULL};
        char sentence[PT_OPTION_SENTENCE];
        struct pt_options o;

        cr_assert_eq(read_words(words, &o, sentence), 0);
        cr_expect_eq(o.outputs.count, 2);
        cr_expect_str_eq(o.outputs.list[0], "b");
        cr_expect_str_eq(o.outputs.list[1], "a");
        cr_expect_eq(o.inputs.count, 2);
        cr_expect_str_eq(o.inputs.list[0], "one");
        cr_expect_str_eq(o.inputs.list[1], "two");
        pt_options_clear(&o);
}

Test(options, words_that_are_no_flags_are_the_filter)
{
        static const char *const words[] = {"-r", "x", "tcp", "port 80", "-q", "or", "udp", NULL};
        static const char *const behind[] = {"-r", "x", "--", "-q", NULL};
        char sentence[PT_OPTION_SENTENCE];
        struct pt_options o;

        cr_assert_eq(read_words(words, &o, sentence), 0);
        cr_expect_str_eq(o.filter, "tcp port 80 or udp");
        cr_expect(o.quiet);
        pt_options_clear(&o);
        cr_assert_eq(read_words(behind, &o, sentence), 0);
        cr_expect_str_eq(o.filter, "-q");
        cr_expect_not(o.quiet);
        pt_options_clear(&o);
}

/* tcpdump -nn: accepted, given once or twice or with others behind one hyphen. */
Test(options, the_flag_n_of_tcpdump_changes_nothing)
{
        static const char *const words[] = {"-nn", "-n", "-qnr", "x", "tcp", NULL};
        char sentence[PT_OPTION_SENTENCE];
        struct pt_options o;

        cr_assert_eq(read_words(words, &o, sentence), 0, "%s", sentence);
        cr_expect_str_eq(o.inputs.list[0], "x");
        cr_expect_str_eq(o.filter, "tcp");
        cr_expect(o.quiet);
        pt_options_clear(&o);
}

Test(options, kinds_are_gathered_and_alert_is_always_among_them)
{
        static const char *const words[] = {"--log", "dns, stats", "--log",
                                            "connection,expectation", NULL};
        static const char *const one[] = {"--log", "dns", NULL};
        char sentence[PT_OPTION_SENTENCE];
        struct pt_options o;

        cr_assert_eq(read_words(words, &o, sentence), 0);
        cr_expect_eq(o.log, PT_LOG_ALERT | PT_LOG_DNS | PT_LOG_STATS | PT_LOG_CONNECTION |
                                    PT_LOG_EXPECTATION);
        pt_options_clear(&o);
        cr_assert_eq(read_words(one, &o, sentence), 0);
        cr_expect_eq(o.log, PT_LOG_ALERT | PT_LOG_DNS);
        pt_options_clear(&o);
}

Test(options, home_networks_are_separated_by_commas_or_given_one_by_one)
{
        static const char *const words[] = {"--home-network", "192.0.2.0/24,2001:db8::/32",
                                            "--home-network", "10.0.0.0/8", NULL};
        char sentence[PT_OPTION_SENTENCE];
        struct pt_options o;

        cr_assert_eq(read_words(words, &o, sentence), 0);
        cr_assert_eq(o.home_networks.count, 3);
        cr_expect_str_eq(o.home_networks.list[1], "2001:db8::/32");
        cr_expect_str_eq(o.home_networks.list[2], "10.0.0.0/8");
        pt_options_clear(&o);
}

Test(options, wrong_words_get_a_sentence)
{
        static const struct {
                const char *words[WORDS];
                const char *sentence;
        } rows[] = {
                {{"--nonsense"}, "there is no option --nonsense (see portent --help)"},
                {{"--co", "x"}, /* config, connection-ports */
                 "--co is short for more than one option (see portent --help)"},
                {{"--window=5m"},
                 "there is no option --window=5m: window is a key of the configuration file"},
                {{"-i", "eth0", "-i", "eth0"}, "interface eth0 is given twice"},
                {{"-Z"}, "there is no option -Z (see portent --help)"},
                {{"-qZ"}, "there is no option -Z (see portent --help)"},
                {{"-r"}, "--read wants FILE|DIR behind it (see portent --help)"},
                {{"--memory"}, "--memory wants SIZE behind it (see portent --help)"},
                {{"--lab=yes"}, "--lab takes nothing behind it (see portent --help)"},
                {{"-r", ""}, "--read: an empty text means nothing here"},
                {{"-c", ""}, "--config: an empty text means nothing here"},
                {{"-r", "-", "-r", "-"},
                 "standard input is given twice, and can be read only once"},
                {{"-o", "x", "-o", "x"}, "--output: x is given twice"},
                {{"-o", "-", "-o", "-"}, "--output: - is given twice"},
                {{"-o", "tcp:localhost"},
                 "--output: tcp:localhost: tcp:HOST:PORT is expected, as "
                 "tcp:logs.example.net:5044, "
                 "or tcp:[2001:db8::1]:5044"},
                {{"-o", "unix:"}, "--output: unix:: a path is missing, as unix:/run/reader"},
                {{"--queue-size", "1K"}, "--queue-size: 1K is out of range: 64K to 1G"},
                {{"--memory", "7M"}, "--memory: 7M is out of range: 8M to 64G"},
                {{"--memory", "65G"}, "--memory: 65G is out of range: 8M to 64G"},
                {{"--memory", "64MB"},
                 "--memory: \"64MB\" is no size: a whole number of octets, or of K, M or G, is "
                 "expected, as 64M"},
                {{"--format", "xml"},
                 "--format: \"xml\" is no format: there are ecs, text and auto"},
                {{"--log", "alerts"},
                 "--log: \"alerts\" is no kind of document: there are alert, dns, connection, "
                 "stats, expectation, state, visibility and outcome"},
                {{"--log", ""},
                 "--log: \"\" is no kind of document: there are alert, dns, connection, stats, "
                 "expectation, state, visibility and outcome"},
                {{"--connection-ports", "9-8"},
                 "--connection-ports: \"9-8\" is no range of ports: two numbers from 0 to 65535 "
                 "are expected, the lower one first, as 4096-49151"},
                {{"--home-network", "10.0.0.1/8"},
                 "--home-network: \"10.0.0.1/8\" is no network as 10.0.0.0/8 or fc00::/7, with no "
                 "bits set beyond its length"},
                {{"--explain", "198.51.100"}, "--explain: \"198.51.100\" is no IP address"},
                {{"--explain", "198.051.100.23"}, "--explain: \"198.051.100.23\" is no IP address"},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                char sentence[PT_OPTION_SENTENCE] = "";
                struct pt_options o;

                cr_expect_eq(read_words(rows[i].words, &o, sentence), -EINVAL, "row %zu", i);
                cr_expect_str_eq(sentence, rows[i].sentence);
                pt_options_clear(&o);
        }
}

/* ---- who wins ---- */

static const struct pt_option *find(const char *key)
{
        for (size_t i = 0; i < pt_option_count; i++) {
                if (pt_option_table[i].key && strcmp(pt_option_table[i].key, key) == 0)
                        return &pt_option_table[i];
        }
        cr_assert_fail("no key %s", key);
        return NULL;
}

Test(options, a_list_of_a_later_source_replaces_the_earlier_one)
{
        char sentence[PT_OPTION_SENTENCE];
        struct pt_options o;

        cr_assert_eq(pt_options_default(&o), 0);
        cr_assert_eq(pt_option_set(&o, find("outputs"), PT_FROM_FILE, "a", sentence), 0);
        cr_assert_eq(pt_option_set(&o, find("outputs"), PT_FROM_FILE, "b", sentence), 0);
        cr_expect_eq(o.outputs.count, 2);
        /* What the file had is no second of the same now. */
        cr_assert_eq(pt_option_set(&o, find("outputs"), PT_FROM_FLAG, "a", sentence), 0);
        cr_expect_eq(o.outputs.count, 1);
        cr_expect_str_eq(o.outputs.list[0], "a");
        cr_assert_eq(pt_option_set(&o, find("log"), PT_FROM_FILE, "dns", sentence), 0);
        cr_assert_eq(pt_option_set(&o, find("log"), PT_FROM_FLAG, "stats", sentence), 0);
        cr_expect_eq(o.log, PT_LOG_ALERT | PT_LOG_STATS);
        pt_options_clear(&o);
}

Test(options, an_error_leaves_the_value_alone)
{
        char sentence[PT_OPTION_SENTENCE];
        struct pt_options o;

        cr_assert_eq(pt_options_default(&o), 0);
        cr_expect_eq(pt_option_set(&o, find("window"), PT_FROM_FILE, "25h", sentence), -EINVAL);
        cr_expect_str_eq(sentence, "25h is out of range: 1ns to 1d");
        cr_expect_eq(o.window, 600000000000);
        pt_options_clear(&o);
}
