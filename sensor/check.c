#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rule/allow.h"
#include "io/capture/replay.h"
#include "rule/rule.h"
#include "interfaces.h"
#include "load.h"
#include "say.h"

static int check_configuration(const struct pt_options *options)
{
        /* It was read before: a fault in it would have ended the run. */
        if (options->config)
                printf("configuration %s ok\n", options->config);
        else
                puts("configuration (no file) ok");
        return 0;
}

static int check_filter(const struct pt_options *options)
{
        struct pt_replay_fault fault;

        if (!options->filter)
                return 0;
        if (pt_replay_check_filter(options->filter, &fault) < 0) {
                pt_say_error("%s", fault.sentence);
                return -EINVAL;
        }
        printf("filter \"%s\" ok\n", options->filter);
        return 0;
}

/* The rules, and an engine with them: the memory is there, the settings agree. */
static int check_rules(const struct pt_options *options, const struct pt_settings *settings)
{
        static const struct pt_receiver nobody;
        struct pt_engine *engine;
        struct pt_rules *rules;
        char size[PT_VALUE_TEXT];
        int r = pt_load_rules(&options->rules, &rules);

        if (r < 0)
                return -EINVAL;
        for (size_t i = 0; i < rules->count; i++)
                printf("rule %s (%s, %zu test vector%s) ok\n", rules->list[i]->id,
                       rules->list[i]->file, rules->list[i]->vector_count,
                       pt_say_plural(rules->list[i]->vector_count));
        r = pt_engine_new(settings, rules, &nobody, &engine);
        if (r < 0) {
                pt_say_error("the engine cannot be made: %s", strerror(-r));
        } else {
                printf("memory %s ok\n", pt_size_format(options->memory, size));
                pt_engine_free(engine);
        }
        pt_rules_free(rules);
        return r < 0 ? -EINVAL : 0;
}

static int check_allow(const struct pt_options *options)
{
        struct pt_allow_entry most;
        size_t used, entries;
        struct pt_allow *allow;

        if (pt_load_allow(options, NULL, &allow) < 0)
                return -EINVAL;
        pt_allow_most(allow, &most, 0, &used, &entries);
        if (allow)
                printf("allow lists (%zu entr%s) ok\n", entries, entries == 1 ? "y" : "ies");
        pt_allow_free(allow);
        return 0;
}

/* Could the file be made? Asked of its folder, for a test leaves nothing behind. */
static int check_folder(const char *path)
{
        char *copy = strdup(path);
        int r = 0;

        if (!copy)
                return -ENOMEM;
        if (faccessat(AT_FDCWD, dirname(copy), W_OK | X_OK, AT_EACCESS) < 0)
                r = -errno;
        free(copy);
        return r;
}

int pt_check_file(const char *path)
{
        struct stat status;

        if (strcmp(path, "-") == 0)
                return 0;
        if (stat(path, &status) < 0)
                return errno == ENOENT ? check_folder(path) : -errno;
        if (S_ISDIR(status.st_mode))
                return -EISDIR;
        return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0 ? -errno : 0;
}

/* The reader of a socket may come later: only what is wrong by itself is a fault. */
static bool is_socket(const char *destination)
{
        return strncmp(destination, "unix:", 5) == 0 || strncmp(destination, "tcp:", 4) == 0;
}

/* May such a socket be made? A sandbox may forbid it. */
static int check_family(const char *destination)
{
        bool internet = strncmp(destination, "tcp:", 4) == 0;
        int fd = socket(internet ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0) {
                pt_say_error("output %s: such sockets cannot be made here: %s%s", destination,
                             strerror(errno),
                             internet ? ": the service needs the drop-in tcp.conf for it" : "");
                return -EINVAL;
        }
        close(fd);
        printf("output %s ok (whether anyone listens is not tried)\n", destination);
        return 0;
}

static int check_output(const char *what, const char *path)
{
        int r;

        if (is_socket(path))
                return check_family(path);
        r = pt_check_file(path);
        if (r < 0) {
                pt_say_error("%s %s: %s", what, path, strerror(-r));
                return -EINVAL;
        }
        printf("%s %s ok\n", what, strcmp(path, "-") == 0 ? "standard output" : path);
        return 0;
}

/* Where lines wait that no output takes. It is made if it is not there; its folder must be. */
static int check_spool(const struct pt_options *options)
{
        struct stat status;
        int r = 0;

        if (!pt_options_live(options) || !options->spool_size)
                return 0;
        if (stat(options->spool, &status) < 0)
                r = errno == ENOENT ? check_folder(options->spool) : -errno;
        else if (!S_ISDIR(status.st_mode))
                r = -ENOTDIR;
        else if (faccessat(AT_FDCWD, options->spool, W_OK | X_OK, AT_EACCESS) < 0)
                r = -errno;
        if (r < 0 && pt_option_is_default(options, &options->spool)) {
                printf("spool %s cannot be used: %s: what does not fit the queue may be lost\n",
                       options->spool, strerror(-r));
                return 0;
        }
        if (r < 0) {
                pt_say_error("spool %s: %s", options->spool, strerror(-r));
                return -EINVAL;
        }
        printf("spool %s ok\n", options->spool);
        return 0;
}

/* ---- files that must differ ---- */

static bool same_file(const char *a, const char *b)
{
        struct stat one, other;

        if (strcmp(a, "-") == 0 || strcmp(b, "-") == 0)
                return false;
        if (stat(a, &one) < 0 || stat(b, &other) < 0)
                return strcmp(a, b) == 0;
        /* Terminals, /dev/null and the like are shared without harm. */
        return S_ISREG(one.st_mode) && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* Is `path` the same file as one of the first `count` of the list? */
static int refuse_same(const char *path, const struct pt_texts *texts, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                if (!same_file(path, texts->list[i]))
                        continue;
                pt_say_error("%s and %s are one file", path, texts->list[i]);
                return -EINVAL;
        }
        return 0;
}

/* An alert appended to the capture that it is about would spoil the evidence. */
int pt_check_files(const struct pt_options *options)
{
        const struct pt_texts *outputs = &options->outputs, *inputs = &options->inputs;
        int r = 0;

        for (size_t i = 0; r == 0 && i < outputs->count; i++) {
                r = refuse_same(outputs->list[i], inputs, inputs->count);
                if (r == 0)
                        r = refuse_same(outputs->list[i], outputs, i);
        }
        if (r == 0 && options->stats) {
                r = refuse_same(options->stats, inputs, inputs->count);
                if (r == 0)
                        r = refuse_same(options->stats, outputs, outputs->count);
        }
        if (r == 0 && options->metrics) {
                r = refuse_same(options->metrics, inputs, inputs->count);
                if (r == 0)
                        r = refuse_same(options->metrics, outputs, outputs->count);
        }
        if (r == 0 && options->evidence) {
                r = refuse_same(options->evidence, inputs, inputs->count);
                if (r == 0)
                        r = refuse_same(options->evidence, outputs, outputs->count);
        }
        return r;
}

/* ---- all of it ---- */

static size_t check_places(const struct pt_options *options)
{
        const struct {
                const char *what, *path;
        } rows[] = {
                {"stats", options->stats},
                {"metrics", options->metrics},
                {"evidence", options->evidence},
        };
        size_t faults = 0;

        for (size_t i = 0; i < options->outputs.count; i++)
                faults += check_output("output", options->outputs.list[i]) < 0;
        faults += check_spool(options) < 0;
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
                faults += rows[i].path && check_output(rows[i].what, rows[i].path) < 0;
        return faults;
}

/* All faults are said, not only the first; and in the end, what stands between the good lines. */
int pt_check(const struct pt_options *options, const struct pt_settings *settings)
{
        size_t faults = 0;

        setvbuf(stdout, NULL, _IOLBF, 0); /* faults stand between the lines they belong to */
        faults += check_configuration(options) < 0;
        faults += pt_check_files(options) < 0;
        faults += check_filter(options) < 0;
        faults += pt_interfaces_check(options) < 0;
        faults += check_rules(options, settings) < 0;
        faults += check_allow(options) < 0;
        faults += check_places(options);
        if (!faults)
                return 0;
        fflush(stdout);
        pt_say_error("%zu fault%s: with %s the sensor does not start", faults,
                     pt_say_plural(faults), faults == 1 ? "it" : "them");
        return -EINVAL;
}
