#include "load.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "io/lists.h"
#include "io/rulebook.h"
#include "rule/rule.h"
#include "say.h"

/* meson keeps this folder at the top of the one it builds in, and the program lies one below. */
#define BUILD_MARK "../meson-private"

static bool in_build_folder(void)
{
        char path[PATH_MAX];
        ssize_t length = readlink("/proc/self/exe", path, sizeof path - sizeof BUILD_MARK);
        char *slash;

        if (length <= 0)
                return false;
        path[length] = '\0';
        slash = strrchr(path, '/');
        if (!slash)
                return false;
        memcpy(slash + 1, BUILD_MARK, sizeof BUILD_MARK);
        return access(path, F_OK) == 0;
}

const char *pt_load_folder(void)
{
        return in_build_folder() ? PT_TREE_RULES : PT_RULES_FOLDER;
}

/* A rule that does not give what its own file expects is broken, and so are its alerts. */
static int check_vectors(const struct pt_rules *rules)
{
        int r = 0;

        for (size_t i = 0; i < rules->count; i++) {
                const struct pt_rule *rule = rules->list[i];
                char sentence[256];
                size_t vector = pt_rule_check_vectors(rule, sentence);

                if (vector == 0)
                        continue;
                pt_say_error("%s: rule %s: test vector %zu: %s", rule->file, rule->id, vector,
                             sentence);
                r = -EINVAL;
        }
        return r;
}

static int read_rules(const struct pt_texts *paths, struct pt_rules **ret)
{
        struct pt_rule_error error = {0};
        const char *folder = pt_load_folder();
        int r;

        if (paths->count)
                r = pt_rulebook_load((const char *const *)paths->list, paths->count, ret, &error);
        else
                r = pt_rulebook_load(&folder, 1, ret, &error);
        if (r < 0 && *error.sentence)
                pt_say_fault(&error);
        else if (r < 0)
                pt_say_error("the rules cannot be read: %s", strerror(-r));
        return r;
}

int pt_load_rules(const struct pt_texts *paths, struct pt_rules **ret)
{
        struct pt_rules *rules;
        int r = read_rules(paths, &rules);

        if (r < 0)
                return r;
        r = check_vectors(rules);
        if (r < 0) {
                pt_rules_free(rules);
                return r;
        }
        *ret = rules;
        return 0;
}

static int read_lists(const struct pt_options *options, struct pt_allow_builder *builder)
{
        struct pt_rule_error error = {0};
        int r = 0;

        for (unsigned list = 0; r == 0 && list < PT_ALLOW_LISTS; list++)
                for (size_t i = 0; r == 0 && i < options->allow[list].count; i++)
                        r = pt_lists_read(builder, list, options->allow[list].list[i], &error);
        if (r < 0 && *error.sentence)
                pt_say_fault(&error);
        else if (r < 0)
                pt_say_error("the allow lists cannot be read: %s", strerror(-r));
        return r;
}

int pt_load_allow(const struct pt_options *options, const struct pt_allow *before,
                  struct pt_allow **ret)
{
        struct pt_allow_builder *builder;
        size_t files = 0;
        int r;

        for (unsigned list = 0; list < PT_ALLOW_LISTS; list++)
                files += options->allow[list].count;
        if (!files) {
                *ret = NULL;
                return 0;
        }
        r = pt_allow_builder_new(&builder);
        if (r < 0)
                return r;
        r = read_lists(options, builder);
        if (r == 0)
                r = pt_allow_finish(builder, before, ret);
        pt_allow_builder_free(builder);
        return r;
}
