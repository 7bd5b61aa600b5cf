#include "io/output/cursor.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "/tmp/test-cursor-XXXXXX";
static int folder = -1;

static void make_folder(void)
{
        cr_assert_not_null(mkdtemp(path));
        folder = open(path, O_RDONLY | O_DIRECTORY);
}

static void remove_folder(void)
{
        unlinkat(folder, "cursor", 0);
        unlinkat(folder, "cursor.new", 0);
        close(folder);
        rmdir(path);
}

TestSuite(cursor, .init = make_folder, .fini = remove_folder);

Test(cursor, what_is_saved_is_loaded)
{
        struct pt_cursor cursor = {UINT64_C(0xfedcba9876543210), 4711}, got = {0};

        cr_expect_not(pt_cursor_load(folder, &got));
        cr_expect_eq(pt_cursor_save(folder, &cursor), 0);
        cr_expect(pt_cursor_load(folder, &got));
        cr_expect_eq(got.number, cursor.number);
        cr_expect_eq(got.place, 4711);
        cursor.place = 7;
        cr_expect_eq(pt_cursor_save(folder, &cursor), 0);
        cr_expect(pt_cursor_load(folder, &got));
        cr_expect_eq(got.place, 7);
        cr_expect_neq(faccessat(folder, "cursor.new", F_OK, 0), 0);
        pt_cursor_remove(folder);
        cr_expect_not(pt_cursor_load(folder, &got));
}

Test(cursor, what_we_did_not_write_is_none)
{
        static const char *const texts[] = {"",
                                            "rubbish\n",
                                            "7 4711\n",
                                            "0000000000000007\n",
                                            "0000000000000007 \n",
                                            "0000000000000007 4711",
                                            "0000000000000007 4711x\n",
                                            "00000000000000007 4711\n",
                                            "000000000000000g 4711\n"};

        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
                struct pt_cursor got = {1, 2};
                int fd = openat(folder, "cursor", O_WRONLY | O_CREAT | O_TRUNC, 0600);

                cr_assert_eq(write(fd, texts[i], strlen(texts[i])), (ssize_t)strlen(texts[i]));
                close(fd);
                cr_expect_not(pt_cursor_load(folder, &got), "%s", texts[i]);
                cr_expect(got.number == 1 && got.place == 2);
        }
}

Test(cursor, one_that_cannot_be_written_leaves_the_old)
{
        struct pt_cursor cursor = {1, 2}, got = {0};

        cr_expect_eq(pt_cursor_save(folder, &cursor), 0);
        cr_assert_eq(mkdirat(folder, "cursor.new", 0700), 0);
        cursor.place = 3;
        cr_expect_eq(pt_cursor_save(folder, &cursor), -EISDIR);
        cr_expect(pt_cursor_load(folder, &got));
        cr_expect_eq(got.place, 2);
        unlinkat(folder, "cursor.new", AT_REMOVEDIR);
}
