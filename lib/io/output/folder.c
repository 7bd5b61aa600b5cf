#include "io/output/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* A name for a folder: "unix:%2Frun%2Freader". What is too long for one ends in a number of it. */
static void name_of(const char *destination, char ret[256])
{
        uint64_t sum = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
        size_t used = 0;

        for (const char *p = destination; *p; p++) {
                bool plain = (*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') ||
                             (*p >= 'a' && *p <= 'z') || (*p && strchr("_-:", *p)) ||
                             (*p == '.' && p != destination);

                sum = (sum ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
                if (used > 220)
                        continue;
                used += (size_t)snprintf(ret + used, 256 - used, plain ? "%c" : "%%%02X",
                                         (unsigned char)*p);
        }
        if (used > 220)
                snprintf(ret + used, 256 - used, "+%016" PRIx64, sum);
}

int pt_folder_open(const char *folder, const char *destination, int *ret_folder, int *ret_lock)
{
        char name[256], path[4096];

        *ret_folder = *ret_lock = -1;
        name_of(destination, name);
        if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) >= sizeof(path))
                return -ENAMETOOLONG;
        if ((mkdir(folder, 0700) < 0 && errno != EEXIST) ||
            (mkdir(path, 0700) < 0 && errno != EEXIST))
                return -errno;
        *ret_folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (*ret_folder < 0)
                return -errno;
        *ret_lock = openat(*ret_folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        return *ret_lock < 0 || flock(*ret_lock, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}
