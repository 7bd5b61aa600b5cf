/* The command line, read into the options. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

#define LONG_ONLY 256 /* what getopt_long returns for a row: LONG_ONLY + its place */

/* What getopt_long wants, made from the table. */
struct flags {
        char letters[2 * PT_OPTIONS_MOST + 2];
        struct option longs[PT_OPTIONS_MOST + 1];
};

static struct flags make_flags(void)
{
        struct flags flags = {.letters = ":"}; /* a missing argument is told from an unknown flag */
        size_t used = 1, longs = 0;

        for (size_t i = 0; i < pt_option_count; i++) {
                const struct pt_option *option = &pt_option_table[i];

                if (option->letter) {
                        flags.letters[used++] = option->letter;
                        if (option->argument)
                                flags.letters[used++] = ':';
                }
                if (option->name)
                        flags.longs[longs++] = (struct option){
                                option->name, option->argument ? required_argument : no_argument,
                                NULL, LONG_ONLY + (int)i};
        }
        return flags;
}

static const struct pt_option *find(int value)
{
        if (value >= LONG_ONLY)
                return &pt_option_table[value - LONG_ONLY];
        for (size_t i = 0; value && i < pt_option_count; i++) {
                if (pt_option_table[i].letter == value)
                        return &pt_option_table[i];
        }
        return NULL;
}

/* No flag, or a beginning of several: which of the two, and is it a key? */
static int refuse_word(const char *word, char *sentence)
{
        const char *name = word + strspn(word, "-");
        size_t length = strcspn(name, "=");
        bool is_key = false;
        unsigned meant = 0;

        for (size_t i = 0; i < pt_option_count; i++) {
                const struct pt_option *option = &pt_option_table[i];

                meant += option->name && strncmp(option->name, name, length) == 0;
                is_key |= option->key && strlen(option->key) == length &&
                          strncmp(option->key, name, length) == 0;
        }
        if (meant > 1)
                return pt_option_refuse(
                        sentence, "%.200s is short for more than one option (see portent --help)",
                        word);
        if (is_key)
                return pt_option_refuse(sentence,
                                        "there is no option %.200s: %.*s is a key of the "
                                        "configuration file",
                                        word, (int)length, name);
        return pt_option_refuse(sentence, "there is no option %.200s (see portent --help)", word);
}

/* getopt_long returned '?' or ':': it keeps the value of the flag, if it knows it, in optopt. */
static int refuse_flag(int result, char *const *argv, char *sentence)
{
        const struct pt_option *option = find(optopt);

        if (option && result == ':')
                return pt_option_refuse(sentence, "--%s wants %s behind it (see portent --help)",
                                        option->name, option->argument);
        if (option)
                return pt_option_refuse(sentence,
                                        "--%s takes nothing behind it (see portent --help)",
                                        option->name);
        if (optopt)
                return pt_option_refuse(sentence, "there is no option -%c (see portent --help)",
                                        optopt);
        return refuse_word(argv[optind - 1], sentence);
}

static int set(struct pt_options *options, const struct pt_option *option, char *sentence)
{
        char reason[PT_OPTION_SENTENCE];
        int r = pt_option_set(options, option, PT_FROM_FLAG, optarg ? optarg : "true", reason);

        if (r == -EINVAL)
                return pt_option_refuse(sentence, "--%s: %.*s", option->name,
                                        PT_OPTION_SENTENCE - 32, reason);
        return r;
}

/* The words that are no flags are a BPF expression, joined as tcpdump(8) does it. */
static int join_filter(struct pt_options *options, int argc, char *const *argv)
{
        size_t length = 0;
        char *filter;
        FILE *joined;

        if (optind == argc)
                return 0;
        joined = open_memstream(&filter, &length);
        if (!joined)
                return -ENOMEM;
        for (int i = optind; i < argc; i++)
                fprintf(joined, "%s%s", i > optind ? " " : "", argv[i]);
        if (fclose(joined) != 0)
                return -ENOMEM;
        free(options->filter);
        options->filter = filter;
        return 0;
}

int pt_options_arguments(struct pt_options *options, int argc, char *const *argv,
                         char sentence[PT_OPTION_SENTENCE])
{
        struct flags flags = make_flags();
        int result;

        opterr = 0;
        optind = 0; /* glibc: start anew, for the command line is read twice */
        while ((result = getopt_long(argc, argv, flags.letters, flags.longs, NULL)) != -1) {
                const struct pt_option *option = find(result);
                int r;

                if (result == '?' || result == ':')
                        return refuse_flag(result, argv, sentence);
                r = set(options, option, sentence);
                if (r < 0)
                        return r;
        }
        return join_filter(options, argc, argv);
}

static enum pt_option_source source_of(const struct pt_options *options, size_t offset)
{
        for (size_t i = 0; i < pt_option_count; i++) {
                if (pt_option_table[i].offset == offset)
                        return options->source[i];
        }
        return PT_FROM_DEFAULT;
}

bool pt_options_live(const struct pt_options *options)
{
        return options->interfaces.count && !options->inputs.count;
}

/* A capture to be read wins over the interfaces of the configuration, as a flag does. */
static int check_source(const struct pt_options *options, char *sentence)
{
        if (options->inputs.count && options->interfaces.count &&
            source_of(options, offsetof(struct pt_options, interfaces)) == PT_FROM_FLAG)
                return pt_option_refuse(sentence, "-r reads a capture and -i captures live: it is "
                                                  "one or the other");
        return 0;
}

/* Opened twice, every packet of it would be seen twice. */
static int check_interfaces(const struct pt_texts *interfaces, char *sentence)
{
        for (size_t i = 0; i < interfaces->count; i++) {
                for (size_t j = 0; j < i; j++) {
                        if (strcmp(interfaces->list[i], interfaces->list[j]) == 0)
                                return pt_option_refuse(sentence, "interface %.200s is given twice",
                                                        interfaces->list[i]);
                }
        }
        return 0;
}

int pt_options_check(const struct pt_options *options, char sentence[PT_OPTION_SENTENCE])
{
        size_t standard_inputs = 0;

        for (size_t i = 0; i < options->inputs.count; i++)
                standard_inputs += strcmp(options->inputs.list[i], "-") == 0;
        if (standard_inputs > 1)
                return pt_option_refuse(sentence,
                                        "standard input is given twice, and can be read only once");
        if (options->follow && (options->inputs.count != 1 || standard_inputs))
                return pt_option_refuse(sentence,
                                        "--follow wants one -r with a file or a directory");
        if (options->since && options->until && options->since >= options->until)
                return pt_option_refuse(sentence, "--since is not before --until: nothing is left");
        if (check_interfaces(&options->interfaces, sentence) < 0)
                return -EINVAL;
        return check_source(options, sentence);
}

void pt_options_settle(struct pt_options *options)
{
        if (pt_options_live(options) && pt_option_is_default(options, &options->log))
                options->log |= PT_LOG_STATS | PT_LOG_STATE | PT_LOG_VISIBILITY;
}
