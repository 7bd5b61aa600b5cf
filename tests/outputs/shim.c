/*
 * Faults that no kernel here can be made to have: preloaded into the program, it makes one system
 * call fail.
 *
 *      SHIM=call:errno:part:flag   the call (write, fdatasync, fsync, send) fails with this errno,
 * on descriptors whose path has this part in it, while the file `flag` is there. For send, the part
 * is ignored. With errno 0 the call does not fail: it does not come back before the file is gone.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static int fails(const char *call, int fd)
{
        static char name[32], part[128], flag[256];
        static int error = -1;
        const struct timespec moment = {.tv_nsec = 10000000};
        char link[64], path[512];
        const char *text = getenv("SHIM");
        ssize_t n;

        if (error < 0 &&
            (!text || sscanf(text, "%31[^:]:%d:%127[^:]:%255s", name, &error, part, flag) != 4))
                error = 0;
        if (!flag[0] || strcmp(call, name) != 0 || access(flag, F_OK) != 0)
                return 0;
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        n = readlink(link, path, sizeof path - 1);
        if (n < 0)
                return 0;
        path[n] = '\0';
        if (strcmp(call, "send") != 0 && !strstr(path, part))
                return 0;
        while (!error && access(flag, F_OK) == 0)
                nanosleep(&moment, NULL);
        if (!error)
                return 0;
        errno = error;
        return 1;
}

__attribute__((visibility("default"))) ssize_t write(int fd, const void *bytes, size_t length)
{
        static ssize_t (*next)(int, const void *, size_t);

        if (!next)
                *(void **)&next = dlsym(RTLD_NEXT, "write");
        return fails("write", fd) ? -1 : next(fd, bytes, length);
}

__attribute__((visibility("default"))) ssize_t send(int fd, const void *bytes, size_t length,
                                                    int flags)
{
        static ssize_t (*next)(int, const void *, size_t, int);

        if (!next)
                *(void **)&next = dlsym(RTLD_NEXT, "send");
        return fails("send", fd) ? -1 : next(fd, bytes, length, flags);
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
        static int (*next)(int);

        if (!next)
                *(void **)&next = dlsym(RTLD_NEXT, "fdatasync");
        return fails("fdatasync", fd) ? -1 : next(fd);
}

__attribute__((visibility("default"))) int fsync(int fd)
{
        static int (*next)(int);

        if (!next)
                *(void **)&next = dlsym(RTLD_NEXT, "fsync");
        return fails("fsync", fd) ? -1 : next(fd);
}
