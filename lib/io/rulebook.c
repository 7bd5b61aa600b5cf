#include "io/rulebook.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rule/strict.h"

/* A fault that is not in the text. Returns -EINVAL. */
__attribute__((format(printf, 3, 4))) static int refuse(struct pt_rule_error *error,
                                                        const char *path, const char *format, ...)
{
        struct pt_strict_error at = {.line = 0};
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(at.sentence, sizeof at.sentence, format, arguments);
        va_end(arguments);
        pt_rule_error_write(error, path, &at);
        return -EINVAL;
}

static int refuse_errno(struct pt_rule_error *error, const char *path)
{
        return errno == ENOMEM ? -ENOMEM
                               : refuse(error, path, "this cannot be read: %s", strerror(errno));
}

/* To the end of the file, or as far as `room` goes. -1 with errno. */
static ssize_t read_all(int fd, char *buffer, size_t room)
{
        size_t used = 0;

        while (used < room) {
                ssize_t n = read(fd, buffer + used, room - used);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -1;
                if (n == 0)
                        break;
                used += (size_t)n;
        }
        return (ssize_t)used;
}

/* ports.json says how connections fall on the ports (../prior.h); all else is a rule. */
static bool is_prior_name(const char *path)
{
        const char *slash = strrchr(path, '/');

        return strcmp(slash ? slash + 1 : path, "ports.json") == 0;
}

static int load_descriptor(struct pt_rules_builder *builder, int fd, const char *path,
                           struct pt_rule_error *error)
{
        char *text = malloc(PT_RULEBOOK_FILE + 1);
        ssize_t length;
        int r;

        if (!text)
                return -ENOMEM;
        length = read_all(fd, text, PT_RULEBOOK_FILE + 1);
        if (length < 0)
                r = refuse_errno(error, path);
        else if ((size_t)length > PT_RULEBOOK_FILE)
                r = refuse(error, path, "this is larger than 1 MiB, and no rule is");
        else
                r = is_prior_name(path) ? pt_rules_ports(builder, path, text, (size_t)length, error)
                                        : pt_rules_add(builder, path, text, (size_t)length, error);
        free(text);
        return r;
}

static int load_file(struct pt_rules_builder *builder, const char *path,
                     struct pt_rule_error *error)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        int r;

        if (fd < 0)
                return refuse_errno(error, path);
        r = load_descriptor(builder, fd, path, error);
        close(fd);
        return r;
}

static int is_rule_name(const struct dirent *entry)
{
        const char *dot = strrchr(entry->d_name, '.');

        return entry->d_name[0] != '.' && dot && strcmp(dot, ".json") == 0 &&
               strcmp(entry->d_name, "schema.json") != 0;
}

/* Not alphasort(3), whose order is the locale's. */
static int compare_names(const struct dirent **a, const struct dirent **b)
{
        return strcmp((*a)->d_name, (*b)->d_name);
}

/* What lies in a directory is not asked for by name, so a pipe there must not make us wait. */
static int load_entry(struct pt_rules_builder *builder, const char *directory, const char *name,
                      struct pt_rule_error *error)
{
        size_t length = strlen(directory);
        struct stat st;
        char *path;
        int r;

        if (asprintf(&path, "%s%s%s", directory, length && directory[length - 1] == '/' ? "" : "/",
                     name) < 0)
                return -ENOMEM;
        if (stat(path, &st) < 0)
                r = refuse_errno(error, path);
        else if (!S_ISREG(st.st_mode))
                r = refuse(error, path, "this is no file");
        else
                r = load_file(builder, path, error);
        free(path);
        return r;
}

static int load_directory(struct pt_rules_builder *builder, const char *path,
                          struct pt_rule_error *error)
{
        struct dirent **entries;
        int count = scandir(path, &entries, is_rule_name, compare_names);
        int rules = 0;
        int r = 0;

        if (count < 0)
                return refuse_errno(error, path);
        for (int i = 0; i < count; i++)
                rules += !is_prior_name(entries[i]->d_name);
        if (count >= 0 && rules == 0)
                r = refuse(error, path, "there is no rule, *.json, in this directory");
        for (int i = 0; i < count; i++) {
                if (r == 0)
                        r = load_entry(builder, path, entries[i]->d_name, error);
                free(entries[i]);
        }
        free(entries);
        return r;
}

static int load_path(struct pt_rules_builder *builder, const char *path,
                     struct pt_rule_error *error)
{
        struct stat st;

        if (stat(path, &st) < 0)
                return refuse_errno(error, path);
        return S_ISDIR(st.st_mode) ? load_directory(builder, path, error)
                                   : load_file(builder, path, error);
}

int pt_rulebook_load(const char *const *paths, size_t count, struct pt_rules **ret,
                     struct pt_rule_error *error)
{
        struct pt_rules_builder *builder;
        struct pt_rules *rules = NULL;
        int r = pt_rules_builder_new(&builder);

        if (r < 0)
                return r;
        for (size_t i = 0; i < count && r == 0; i++)
                r = load_path(builder, paths[i], error);
        if (r == 0)
                r = pt_rules_finish(builder, &rules);
        pt_rules_builder_free(builder);
        if (r == 0 && count && rules->count == 0) {
                pt_rules_free(rules);
                r = refuse(error, paths[0], "there is no rule here");
        }
        if (r == 0)
                *ret = rules;
        return r;
}
