#include "../sensor/replace.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[128], other[128];

static void make_folder(void)
{
        snprintf(folder, sizeof folder, "/tmp/test-replace-XXXXXX");
        cr_assert_not_null(mkdtemp(folder));
        snprintf(path, sizeof path, "%s/file", folder);
        snprintf(other, sizeof other, "%s/other", folder);
}

static void remove_folder(void)
{
        unlink(path);
        unlink(other);
        rmdir(folder);
}

TestSuite(replace, .init = make_folder, .fini = remove_folder);

static void expect_text(const char *name, const char *text)
{
        char got[64] = "";
        int fd = open(name, O_RDONLY);

        cr_assert_geq(fd, 0);
        cr_assert_geq(read(fd, got, sizeof got - 1), 0);
        close(fd);
        cr_expect_str_eq(got, text);
}

static ino_t number_of(const char *name)
{
        struct stat status = {0};

        cr_expect_eq(lstat(name, &status), 0);
        return status.st_ino;
}

/* Whoever has the old one open reads it to its end. */
Test(replace, a_reader_has_the_old_text_or_the_new_one)
{
        char got[64] = "";
        struct stat status;
        int reader;

        cr_expect_eq(pt_replace(path, "old\n", 4), 0);
        reader = open(path, O_RDONLY);
        cr_expect_eq(pt_replace(path, "new\n", 4), 0);
        cr_expect_eq(read(reader, got, sizeof got), 4);
        close(reader);
        cr_expect_str_eq(got, "old\n");
        expect_text(path, "new\n");
        cr_assert_eq(stat(path, &status), 0);
        cr_expect_eq(status.st_mode & 0777, 0640);
}

Test(replace, a_link_stays_and_what_it_leads_to_is_replaced)
{
        ino_t link;

        cr_assert_eq(pt_replace(other, "old\n", 4), 0);
        cr_assert_eq(symlink("other", path), 0);
        link = number_of(path);
        cr_expect_eq(pt_replace(path, "new\n", 4), 0);
        cr_expect_eq(number_of(path), link);
        expect_text(other, "new\n");
}

/* A FIFO would be gone, and its reader would wait for ever. */
Test(replace, a_fifo_is_written_to)
{
        char got[64] = "";
        int reader;

        cr_assert_eq(mkfifo(path, 0600), 0);
        reader = open(path, O_RDONLY | O_NONBLOCK);
        cr_expect_eq(pt_replace(path, "new\n", 4), 0);
        cr_expect_eq(read(reader, got, sizeof got), 4);
        close(reader);
        cr_expect_str_eq(got, "new\n");
        struct stat status;
        cr_assert_eq(stat(path, &status), 0);
        cr_expect(S_ISFIFO(status.st_mode));
}

Test(replace, a_device_stays_one)
{
        struct stat status;

        cr_expect_eq(pt_replace("/dev/null", "new\n", 4), 0);
        cr_expect_eq(pt_replace("/dev/full", "new\n", 4), -ENOSPC);
        cr_assert_eq(stat("/dev/null", &status), 0);
        cr_expect(S_ISCHR(status.st_mode));
}

/* RLIMIT_FSIZE stands for a full disk. */
Test(replace, the_old_text_stays_where_the_new_one_cannot_be_written)
{
        struct rlimit limit = {.rlim_cur = 2, .rlim_max = RLIM_INFINITY};

        cr_assert_eq(pt_replace(path, "old\n", 4), 0);
        signal(SIGXFSZ, SIG_IGN);
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        cr_expect_eq(pt_replace(path, "new\n", 4), -EFBIG);
        limit.rlim_cur = RLIM_INFINITY;
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        expect_text(path, "old\n");
        unlink(path);
        cr_expect_eq(rmdir(folder), 0, "a passing file was left behind");
        cr_assert_eq(mkdir(folder, 0700), 0);
        cr_expect_eq(pt_replace("/nonexistent/file", "new\n", 4), -ENOENT);
        cr_expect_eq(pt_replace(folder, "new\n", 4), -EISDIR);
}
