#include "replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, const char *text, size_t length)
{
        while (length) {
                ssize_t n = write(fd, text, length);

                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n > 0) {
                        text += n;
                        length -= (size_t)n;
                }
        }
        return 0;
}

/* Give a file its text under a passing name, then its own name: readers see the old or the new. */
static int replace_file(const char *path, const char *text, size_t length)
{
        char *passing;
        int fd, r;

        if (asprintf(&passing, "%s.XXXXXX", path) < 0)
                return -ENOMEM;
        fd = mkostemp(passing, O_CLOEXEC);
        r = fd < 0 ? -errno : write_all(fd, text, length);
        if (r == 0 && fchmod(fd, 0640) < 0)
                r = -errno;
        if (fd >= 0 && close(fd) < 0 && r == 0)
                r = -errno;
        if (r == 0 && rename(passing, path) < 0)
                r = -errno;
        if (r < 0 && fd >= 0)
                unlink(passing);
        free(passing);
        return r;
}

/* Devices, FIFOs, /dev/stdout: there is nothing to replace, and renaming would take it away. */
static int write_through(const char *path, const char *text, size_t length)
{
        int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
        int r = fd < 0 ? -errno : write_all(fd, text, length);

        if (fd >= 0)
                close(fd);
        return r;
}

/* A regular file, or none yet; below /dev and /proc stand names for other things. */
static bool is_replaceable(const char *path)
{
        struct stat status;

        if (strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0)
                return false;
        return stat(path, &status) < 0 || S_ISREG(status.st_mode);
}

int pt_replace(const char *path, const char *text, size_t length)
{
        char *real;
        int r;

        if (strcmp(path, "-") == 0)
                return write_all(STDOUT_FILENO, text, length);
        if (!is_replaceable(path))
                return write_through(path, text, length);
        real = realpath(path, NULL); /* a link stays, what it leads to is replaced */
        r = replace_file(real ? real : path, text, length);
        free(real);
        return r;
}
