/*
 * describe: what other files say about the options, made from the table of them while building.
 *
 *     describe keys      the list of keys in portent.json(5)
 *     describe bash      the completion for bash
 *     describe zsh       the completion for zsh
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "options.h"

/* What stands behind a flag, as far as a shell can complete it. */
enum behind {
        BEHIND_NOTHING,
        BEHIND_ANYTHING,
        BEHIND_FILE,
        BEHIND_INTERFACE,
        BEHIND_FORMAT,
        BEHIND_KINDS,
};

static enum behind what_is_behind(const struct pt_option *option)
{
        if (!option->argument)
                return BEHIND_NOTHING;
        if (option->type == PT_OPTION_FORMAT)
                return BEHIND_FORMAT;
        if (option->type == PT_OPTION_KINDS)
                return BEHIND_KINDS;
        if (strstr(option->argument, "IFACE"))
                return BEHIND_INTERFACE;
        if (strstr(option->argument, "FILE") || strstr(option->argument, "DIR") ||
            strstr(option->argument, "DEST"))
                return BEHIND_FILE;
        return BEHIND_ANYTHING;
}

static void print_kinds(const char *between)
{
        for (unsigned i = 0; pt_log_kind_name(i); i++)
                printf("%s%s", i ? between : "", pt_log_kind_name(i));
}

/* ---- portent.json(5) ---- */

static const char *const types[PT_OPTION_TYPES] = {
        [PT_OPTION_FLAG] = "True or false.",
        [PT_OPTION_FRACTION] = "Number above 0, up to 1.",
        [PT_OPTION_PORTS] = "Text: a range of ports, or one.",
        [PT_OPTION_FORMAT] = "Text: ecs, text or auto.",
        [PT_OPTION_LIST] = "List of texts.",
        [PT_OPTION_OUTPUTS] = "List of texts.",
        [PT_OPTION_ADDRESSES] = "List of addresses, each with a port or without.",
        [PT_OPTION_PREFIXES] = "List of networks.",
        [PT_OPTION_NAT64] = "List of IPv6 networks of 96 bits.",
};

static void print_type(const struct pt_option *option)
{
        char low[PT_VALUE_TEXT], high[PT_VALUE_TEXT];

        if (option->type == PT_OPTION_DURATION)
                printf("Duration, %s to %s.\n", pt_duration_format(option->low, low),
                       pt_duration_format(option->high, high));
        else if (option->type == PT_OPTION_SIZE)
                printf("Size, %s to %s.\n", pt_size_format(option->low, low),
                       pt_size_format(option->high, high));
        else if (option->type == PT_OPTION_NUMBER)
                printf("Whole number, %" PRId64 " to %" PRId64 ".\n", option->low, option->high);
        else if (option->type == PT_OPTION_KINDS)
                printf("List of some of "), print_kinds(", "), puts(".");
        else
                puts(types[option->type] ? types[option->type] : "Text.");
        if (pt_option_is_list(option) && option->low > 0)
                puts("Must not be empty.");
}

/* A long list is broken at its commas. */
static void print_default(const char *initial)
{
        printf("Default:\n.Li ");
        for (; *initial; initial++) {
                putchar(*initial);
                if (*initial == ',')
                        printf(" ");
        }
        puts(" .");
}

static void print_key(const struct pt_option *option)
{
        printf(".It Ic %s\n", option->key);
        print_type(option);
        printf("%c%s.\n", toupper((unsigned char)option->help[0]), option->help + 1);
        if (option->initial)
                print_default(option->initial);
        if (option->name)
                printf("Option:\n.Fl -%s .\n", option->name);
}

static void print_keys(void)
{
        puts(".Bl -tag -width Ds");
        for (size_t i = 0; i < pt_option_count; i++) {
                if (pt_option_table[i].key)
                        print_key(&pt_option_table[i]);
        }
        puts(".El");
}

/* ---- bash ---- */

static const char bash_head[] =
        "# bash completion for portent(8), made from its table of options\n"
        "_portent() {\n"
        "        local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
        "        [ \"$cur\" = = ] && cur=\n"
        "        [ \"$before\" = = ] && before=${COMP_WORDS[COMP_CWORD - 2]}\n"
        "        COMPREPLY=()\n"
        "        case $before in\n";

static const char bash_tail[] = "        [[ $cur == -* ]] || return\n"
                                "        COMPREPLY=($(compgen -W \"$flags\" -- \"$cur\"))\n"
                                "}\n"
                                "complete -o default -F _portent portent\n";

static void print_bash_values(enum behind behind)
{
        printf("                ");
        if (behind == BEHIND_INTERFACE) {
                printf("COMPREPLY=($(compgen -W \"$(ls /sys/class/net)\" -- \"$cur\"))\n");
        } else if (behind == BEHIND_FORMAT) {
                printf("COMPREPLY=($(compgen -W \"ecs text auto\" -- \"$cur\"))\n");
        } else if (behind == BEHIND_KINDS) {
                printf("COMPREPLY=($(compgen -W \""), print_kinds(" ");
                printf("\" -P \"${cur%%\"${cur##*,}\"}\" -- \"${cur##*,}\"))\n");
        } else {
                /* Nothing is offered here: readline offers files, also those with a space. */
                printf(":\n");
        }
        puts("                return\n"
             "                ;;");
}

static void print_bash(void)
{
        fputs(bash_head, stdout);
        for (size_t i = 0; i < pt_option_count; i++) {
                const struct pt_option *option = &pt_option_table[i];

                if (!option->name || !option->argument)
                        continue;
                if (option->letter)
                        printf("        -%c | --%s)\n", option->letter, option->name);
                else
                        printf("        --%s)\n", option->name);
                print_bash_values(what_is_behind(option));
        }
        puts("        esac");
        printf("        local flags='");
        for (size_t i = 0; i < pt_option_count; i++) {
                const struct pt_option *option = &pt_option_table[i];

                if (option->letter)
                        printf("-%c ", option->letter);
                if (option->name)
                        printf("--%s ", option->name);
        }
        puts("'");
        fputs(bash_tail, stdout);
}

/* ---- zsh ---- */

/* A help text inside '...[ ]'. */
static void print_zsh_text(const char *text)
{
        for (; *text; text++) {
                if (*text == '\'')
                        fputs("'\\''", stdout);
                else if (*text == '[' || *text == ']' || *text == '\\')
                        printf("\\%c", *text);
                else
                        putchar(*text);
        }
}

static void print_zsh_values(const struct pt_option *option)
{
        enum behind behind = what_is_behind(option);

        if (behind == BEHIND_NOTHING)
                return;
        printf(":%s:", option->argument);
        if (behind == BEHIND_FILE)
                printf("_files");
        else if (behind == BEHIND_INTERFACE)
                printf("_net_interfaces");
        else if (behind == BEHIND_FORMAT)
                printf("(ecs text auto)");
        else if (behind == BEHIND_KINDS)
                printf("_sequence compadd - "), print_kinds(" ");
}

static void print_zsh_option(const struct pt_option *option)
{
        bool repeatable = pt_option_is_list(option) || option->type == PT_OPTION_FLAG;
        const char *star = repeatable ? "*" : "";

        if (option->letter && !repeatable)
                printf("'(-%c --%s)'", option->letter, option->name);
        if (option->letter)
                printf("%s{-%c%s,--%s%s}'[", *star ? "\\*" : "", option->letter,
                       option->argument ? "+" : "", option->name, option->argument ? "=" : "");
        else
                printf("'%s--%s%s[", star, option->name, option->argument ? "=" : "");
        print_zsh_text(option->help);
        printf("]");
        print_zsh_values(option);
        puts("' \\");
}

static void print_zsh(void)
{
        puts("#compdef portent\n"
             "# zsh completion for portent(8), made from its table of options\n"
             "_arguments -s -S \\");
        for (size_t i = 0; i < pt_option_count; i++) {
                if (pt_option_table[i].name) {
                        printf("        ");
                        print_zsh_option(&pt_option_table[i]);
                }
        }
        puts("        '*:filter expression:'");
}

int main(int argc, char **argv)
{
        static const struct {
                const char *name;
                void (*print)(void);
        } all[] = {{"keys", print_keys}, {"bash", print_bash}, {"zsh", print_zsh}};

        for (size_t i = 0; argc == 2 && i < sizeof all / sizeof *all; i++) {
                if (strcmp(argv[1], all[i].name) != 0)
                        continue;
                all[i].print();
                return fflush(stdout) == 0 ? 0 : 1;
        }
        fputs("usage: describe keys|bash|zsh\n", stderr);
        return 1;
}
