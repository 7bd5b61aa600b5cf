/* The text of --help, made from the table of options. */
#include <string.h>

#include "options.h"

#define INDENT 27 /* where the sentences begin */
#define WIDTH 80

static const char *const titles[PT_GROUPS] = {
        [PT_GROUP_INPUT] = "Input", [PT_GROUP_OUTPUT] = "Output",
        [PT_GROUP_RULES] = "Rules", [PT_GROUP_RUN] = "Run",
        [PT_GROUP_HELP] = "Words",  [PT_GROUP_FILE] = "In the configuration only",
};

static const char head[] =
        "usage: portent -r FILE|DIR [-r ...]... [options] [filter expression]\n"
        "       portent -i IFACE [-i IFACE]... [options] [filter expression]\n"
        "       portent -D\n"
        "       portent --explain ADDRESS[:PORT]\n"
        "       portent -T [options]\n"
        "\n"
        "Find hosts that calculate a port or an address from a DNS answer (MITRE ATT&CK\n"
        "T1568.003). The filter is a BPF expression, see pcap-filter(7).\n";

static const char tail[] =
        "\n"
        "The configuration is a JSON object with the keys shown above; dots are groups:\n"
        "{\"window\": \"10m\", \"observer\": {\"name\": \"dmz\"}}. Keys that start with # are\n"
        "comments.\n"
        "\n"
        "Exit status: 0 done; 1 wrong usage, configuration or rules; 2 an input could not\n"
        "be read or was cut; 3 could not start, or an output was lost.\n";

/* Words of a text, from column `at` on, broken before the margin. */
static void print_wrapped(FILE *file, const char *text, size_t at)
{
        size_t column = at;

        while (*text) {
                size_t length = strcspn(text, " ");

                if (column > INDENT && column + 1 + length > WIDTH) {
                        fprintf(file, "\n%*s", INDENT, "");
                        column = INDENT;
                } else if (column > INDENT) {
                        fputc(' ', file);
                        column++;
                }
                fprintf(file, "%.*s", (int)length, text);
                column += length;
                text += length;
                text += strspn(text, " ");
        }
        fputc('\n', file);
}

static void append(char *text, size_t size, const char *more)
{
        size_t used = strlen(text);

        snprintf(text + used, size - used, "%s", more);
}

/* "[key memory; default 64M]", as far as there is something to say. */
static void append_facts(char *text, size_t size, const struct pt_option *option)
{
        bool key = option->key && option->name, initial = option->initial;

        if (!key && !initial)
                return;
        append(text, size, " [");
        if (key) {
                append(text, size, "key ");
                append(text, size, option->key);
        }
        if (key && initial)
                append(text, size, "; ");
        if (initial) {
                append(text, size, "default ");
                /* Blanks behind commas, so that a long list can be broken. */
                for (const char *at = option->initial; *at; at++)
                        append(text, size, *at == ',' ? ", " : (char[]){*at, '\0'});
        }
        append(text, size, "]");
}

static void print_row(FILE *file, const struct pt_option *option)
{
        char text[640];
        int used;

        if (!option->name)
                used = fprintf(file, "  %s", option->key);
        else if (option->letter)
                used = fprintf(file, "  -%c, --%s", option->letter, option->name);
        else
                used = fprintf(file, "      --%s", option->name);
        if (option->argument)
                used += fprintf(file, " %s", option->argument);
        if (used + 1 >= INDENT)
                fprintf(file, "\n%*s", INDENT, "");
        else
                fprintf(file, "%*s", INDENT - used, "");
        snprintf(text, sizeof text, "%s", option->help);
        append_facts(text, sizeof text, option);
        print_wrapped(file, text, INDENT);
}

void pt_options_help(FILE *file)
{
        fputs(head, file);
        for (unsigned group = 0; group < PT_GROUPS; group++) {
                fprintf(file, "\n%s:\n", titles[group]);
                for (size_t i = 0; i < pt_option_count; i++) {
                        if (pt_option_table[i].group == group)
                                print_row(file, &pt_option_table[i]);
                }
        }
        fputs(tail, file);
}
