#include "io/capture/catalogue.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/test-catalogue-XXXXXX";
static struct pt_catalogue catalogue;
static char troubles[512];

static void enter(void)
{
        cr_assert_not_null(mkdtemp(folder));
        cr_assert_eq(chdir(folder), 0);
}

static void leave(void)
{
        char command[64];

        pt_catalogue_clear(&catalogue);
        snprintf(command, sizeof command, "rm -rf %s", folder);
        cr_assert_eq(system(command), 0);
}

static void make(const char *path)
{
        int fd = open(path, O_WRONLY | O_CREAT, 0600);

        cr_assert_geq(fd, 0, "%s", path);
        close(fd);
}

static void tell(void *context, const char *path, int error)
{
        (void)context;
        snprintf(troubles + strlen(troubles), sizeof troubles - strlen(troubles), "%s: %s\n", path,
                 strerror(error));
}

static const struct pt_catalogue_walk walk = {.tell = tell};

static void expect(size_t count, const char *const *paths)
{
        cr_assert_eq(catalogue.count, count, "%zu", catalogue.count);
        for (size_t i = 0; i < count; i++)
                cr_expect_str_eq(catalogue.files[i].path, paths[i]);
}

Test(catalogue, a_directory_is_its_files_in_order_of_name, .init = enter, .fini = leave)
{
        static const char *const wanted[] = {"b.pcap",     "d/a",    "d/c/1", "d/c/2",
                                             "d/dangling", "d/pipe", "d/z"};

        mkdir("d", 0700);
        mkdir("d/c", 0700);
        mkdir("d/.hidden", 0700);
        mkfifo("d/pipe", 0600);
        symlink(".", "d/circle");
        symlink("nowhere", "d/dangling");
        make("d/z");
        make("d/c/2");
        make("d/a");
        make("d/c/1");
        make("d/.dot");
        make("d/.hidden/x");
        make("b.pcap");
        cr_assert_eq(pt_catalogue_add(&catalogue, "b.pcap", &walk), 0);
        cr_assert_eq(pt_catalogue_add(&catalogue, "d", &walk), 0);
        expect(7, wanted);
        cr_expect(!catalogue.files[0].found);
        cr_expect(catalogue.files[1].found);
        cr_expect_str_eq(troubles, "");
}

/* Looked at again, a directory adds what is new. */
Test(catalogue, what_is_known_is_not_added_again, .init = enter, .fini = leave)
{
        static const char *const wanted[] = {"d/b", "d/c", "d/a"};

        mkdir("d", 0700);
        make("d/b");
        make("d/c");
        cr_assert_eq(pt_catalogue_add(&catalogue, "d", &walk), 0);
        make("d/a");
        cr_assert_eq(pt_catalogue_add(&catalogue, "d", &walk), 0);
        expect(3, wanted);
}

Test(catalogue, what_is_named_is_kept_as_it_is, .init = enter, .fini = leave)
{
        static const char *const wanted[] = {"-", "/nonexistent/x", "-"};

        for (size_t i = 0; i < 3; i++)
                cr_assert_eq(pt_catalogue_add(&catalogue, wanted[i], &walk), 0);
        expect(3, wanted);
}

Test(catalogue, stop_ends_the_looking, .init = enter, .fini = leave)
{
        static const volatile bool stop = true;
        const struct pt_catalogue_walk told = {.tell = tell, .stop = &stop};

        mkdir("d", 0700);
        make("d/a");
        cr_assert_eq(pt_catalogue_add(&catalogue, "d", &told), 0);
        cr_expect_eq(catalogue.count, 0);
}
