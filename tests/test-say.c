#include "../sensor/say.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char text[8192];

/* What is said while standard error is a file; as the journal it is told of in $JOURNAL_STREAM. */
static FILE *listen_to(bool journal)
{
        FILE *file = tmpfile();
        struct stat status;
        char stream[64];

        cr_assert_not_null(file);
        cr_assert_eq(fstat(fileno(file), &status), 0);
        snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)status.st_dev,
                 (uintmax_t)status.st_ino + !journal);
        setenv("JOURNAL_STREAM", stream, 1);
        fflush(stderr);
        cr_assert_geq(dup2(fileno(file), STDERR_FILENO), 0);
        return file;
}

static const char *heard(FILE *file)
{
        size_t length;

        fflush(stderr);
        rewind(file);
        length = fread(text, 1, sizeof text - 1, file);
        text[length] = '\0';
        return text;
}

Test(say, a_line_for_people)
{
        FILE *file = listen_to(false);

        pt_say("%d %s", 2, "rules");
        pt_say_warning("look");
        cr_expect_str_eq(pt_say_last_error(), "");
        pt_say_error("no");
        cr_expect_str_eq(heard(file), "portent: 2 rules\nportent: look\nportent: no\n");
        cr_expect_str_eq(pt_say_last_error(), "no");
}

/* sd-daemon(3): 6 is information, 4 a warning, 3 an error. */
Test(say, a_line_for_the_journal_carries_its_priority)
{
        FILE *file = listen_to(true);

        pt_say("a");
        pt_say_warning("b");
        pt_say_error("c");
        cr_expect_str_eq(heard(file), "<6>a\n<4>b\n<3>c\n");
        cr_expect_str_eq(pt_say_last_error(), "c");
}

/* The name of a file must not write a second line, nor give a terminal orders. */
Test(say, one_line_without_control_characters)
{
        FILE *file = listen_to(true);
        char name[3001];

        pt_say("a\nb\x1b[2J\x7f\t\xc3\xa4");
        cr_expect_str_eq(heard(file), "<6>a?b?[2J??\xc3\xa4\n");
        memset(name, 'x', 3000);
        name[3000] = '\0';
        pt_say_error("%s", name);
        cr_expect_eq(strlen(pt_say_last_error()), 1279, "what is too long is cut");
}

Test(say, a_fault_with_and_without_a_place)
{
        struct pt_rule_error error = {.file = "rules/x.json",
                                      .line = 3,
                                      .column = 12,
                                      .path = "limits.ports[2]",
                                      .sentence = "no"};
        FILE *file = listen_to(false);

        pt_say_fault(&error);
        error.path[0] = '\0';
        pt_say_fault(&error);
        error.line = 0;
        pt_say_fault(&error);
        error.file[0] = '\0';
        pt_say_fault(&error);
        cr_expect_str_eq(heard(file), "portent: rules/x.json:3:12: limits.ports[2]: no\n"
                                      "portent: rules/x.json:3:12: no\n"
                                      "portent: rules/x.json: no\n"
                                      "portent: no\n");
}

Test(say, plurals)
{
        cr_expect_str_eq(pt_say_plural(0), "s");
        cr_expect_str_eq(pt_say_plural(1), "");
        cr_expect_str_eq(pt_say_plural(2), "s");
}
