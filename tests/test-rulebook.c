#include "io/rulebook.h"

#include "rule/prior.h"

#include "tree.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

/* A folder of this test's own, into which it changes. */
static void enter_folder(void)
{
        char folder[] = "/tmp/test-rulebook-XXXXXX";

        cr_assert_not_null(mkdtemp(folder));
        cr_assert_eq(chdir(folder), 0);
}

static void leave_folder(void)
{
        char folder[4096], command[4200];

        cr_assert_not_null(getcwd(folder, sizeof folder));
        snprintf(command, sizeof command, "rm -rf '%s'", folder);
        cr_assert_eq(chdir("/"), 0);
        cr_assert_eq(system(command), 0);
}

static void write_file(const char *path, const char *text)
{
        FILE *file = fopen(path, "w");

        cr_assert_not_null(file, "%s", path);
        fputs(text, file);
        fclose(file);
}

static void write_rule(const char *path, const char *id)
{
        char text[256];

        snprintf(text, sizeof text, "{\"id\": \"%s\", \"name\": \"n\", \"port\": \"o1\"}\n", id);
        write_file(path, text);
}

static int load(const char *a, const char *b, struct pt_rules **ret, struct pt_rule_error *error)
{
        const char *paths[] = {a, b};

        memset(error, 0xff, sizeof *error);
        return pt_rulebook_load(paths, b ? 2 : 1, ret, error);
}

static void expect_refusal(const char *a, const char *b, const char *file, unsigned line,
                           const char *sentence)
{
        struct pt_rules *rules = NULL;
        struct pt_rule_error error;

        cr_expect_eq(load(a, b, &rules, &error), -EINVAL, "%s", a);
        cr_expect_null(rules);
        cr_expect_str_eq(error.file, file);
        cr_expect_eq(error.line, line, "%s: line %u", a, error.line);
        cr_expect_str_eq(error.sentence, sentence);
}

Test(rulebook, files_and_directories_make_one_set, .init = enter_folder, .fini = leave_folder)
{
        struct pt_rules *rules;
        struct pt_rule_error error;

        mkdir("d", 0755);
        write_rule("d/2.json", "two");
        write_rule("d/1.json", "one");
        write_rule("three", "three");
        cr_assert_eq(load("three", "d/", &rules, &error), 0);
        cr_expect_eq(rules->count, 3);
        cr_expect_str_eq(rules->list[0]->file, "d/1.json");
        cr_expect_str_eq(rules->list[1]->file, "three", "a file given by name may be named freely");
        cr_expect_str_eq(rules->list[2]->file, "d/2.json");
        pt_rules_free(rules);
}

/* ports.json is no rule, but what chance begins with (design 5): half of all on port 7. */
Test(rulebook, a_prior_lies_beside_the_rules, .init = enter_folder, .fini = leave_folder)
{
        struct pt_rules *rules;
        struct pt_rule_error error;

        mkdir("d", 0755);
        write_file("d/ports.json", "{\"uniform\": 0.5, \"ports\": {\"7\": 3}}");
        expect_refusal("d", NULL, "d", 0, "there is no rule, *.json, in this directory");
        write_rule("d/a.json", "a");
        cr_assert_eq(load("d", NULL, &rules, &error), 0);
        cr_expect_eq(rules->count, 1);
        cr_expect(rules->prior->share[7] > 0.5f && rules->prior->share[7] < 0.5001f);
        pt_rules_free(rules);
        write_file("d/ports.json", "{\n\"ports\": {}}");
        expect_refusal("d", NULL, "d/ports.json", 1, "the key \"uniform\" is missing");
}

/* In order of name: of two faults, the first file's is told. */
Test(rulebook, a_directory_is_read_in_order_of_name, .init = enter_folder, .fini = leave_folder)
{
        mkdir("d", 0755);
        write_file("d/b.json", "{\n1}");
        write_file("d/a.json", "{\n\n2}");
        write_rule("d/A.json", "a");
        expect_refusal("d", NULL, "d/a.json", 3,
                       "this is no JSON: string or '}' expected near '2'");
        write_rule("d/a.json", "a");
        expect_refusal("d", NULL, "d/a.json", 1, "the rule of d/A.json has this id too");
}

/* They lie beside the rules in the source tree; and editors leave hidden files. */
Test(rulebook, what_is_no_rule_is_passed_over, .init = enter_folder, .fini = leave_folder)
{
        static const char *const others[] = {"d/schema.json", "d/.a.json",         "d/README",
                                             "d/a.json~",     "d/a.json.dpkg-old", "d/json",
                                             "d/rule.jsonl"};
        struct pt_rules *rules;
        struct pt_rule_error error;

        mkdir("d", 0755);
        mkdir("d/elastic", 0755);
        for (size_t i = 0; i < ROWS(others); i++)
                write_file(others[i], "no rule");
        expect_refusal("d", NULL, "d", 0, "there is no rule, *.json, in this directory");
        write_rule("d/a.json", "a");
        cr_assert_eq(load("d", NULL, &rules, &error), 0);
        cr_expect_eq(rules->count, 1);
        pt_rules_free(rules);
        expect_refusal("d/schema.json", NULL, "d/schema.json", 1,
                       "this is no JSON: '[' or '{' expected near 'no'");
}

Test(rulebook, what_cannot_be_read_is_said, .init = enter_folder, .fini = leave_folder)
{
        expect_refusal("nowhere", NULL, "nowhere", 0,
                       "this cannot be read: No such file or directory");
        write_rule("good.json", "good");
        expect_refusal("good.json", "nowhere/a.json", "nowhere/a.json", 0,
                       "this cannot be read: No such file or directory");
        expect_refusal("good.json/a.json", NULL, "good.json/a.json", 0,
                       "this cannot be read: Not a directory");
        expect_refusal("/proc/self/mem", NULL, "/proc/self/mem", 0,
                       "this cannot be read: Input/output error");
        mkdir("d", 0755);
        cr_assert_eq(symlink("gone", "d/a.json"), 0);
        expect_refusal("d", NULL, "d/a.json", 0, "this cannot be read: No such file or directory");
        unlink("d/a.json");
        mkdir("d/a.json", 0755);
        expect_refusal("d", NULL, "d/a.json", 0, "this is no file");
        rmdir("d/a.json");
        /* nobody writes into it: to open it would wait for ever */
        cr_assert_eq(mkfifo("d/a.json", 0644), 0);
        expect_refusal("d", NULL, "d/a.json", 0, "this is no file");
}

/* 1 MiB is read, one octet more is not. */
Test(rulebook, a_file_is_at_most_1_mib_large, .init = enter_folder, .fini = leave_folder)
{
        struct pt_rules *rules;
        struct pt_rule_error error;
        FILE *file;

        write_rule("a.json", "a");
        file = fopen("a.json", "a");
        cr_assert_not_null(file);
        while (ftell(file) < 1 << 20)
                fputc('\n', file);
        fclose(file);
        cr_assert_eq(load("a.json", NULL, &rules, &error), 0);
        pt_rules_free(rules);
        file = fopen("a.json", "a");
        cr_assert_not_null(file);
        fputc('\n', file);
        fclose(file);
        expect_refusal("a.json", NULL, "a.json", 0, "this is larger than 1 MiB, and no rule is");
        expect_refusal("/dev/zero", NULL, "/dev/zero", 0,
                       "this is larger than 1 MiB, and no rule is");
}

Test(rulebook, no_path_is_an_empty_set)
{
        struct pt_rules *rules;
        struct pt_rule_error error;

        cr_assert_eq(pt_rulebook_load(NULL, 0, &rules, &error), 0);
        cr_expect_eq(rules->count, 0);
        pt_rules_free(rules);
}

/* The folder as it stands in the tree, with the schema beside the rules. */
Test(rulebook, the_shipped_folder_loads)
{
        char path[4096];
        struct pt_rules *rules;
        struct pt_rule_error error;

        cr_assert_eq(load(tree_path("rules", path), NULL, &rules, &error), 0, "%s: %s", error.file,
                     error.sentence);
        cr_expect_geq(rules->count, 4);
        pt_rules_free(rules);
}
