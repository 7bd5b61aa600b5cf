#include "io/output/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/output/queue.h"

#define SUFFIX ".ndjson"
#define NAME 32
#define CHUNK ((size_t)64 << 10)

static const char *name_of(uint64_t number, char ret[NAME])
{
        snprintf(ret, NAME, "%016" PRIx64 SUFFIX, number);
        return ret;
}

int pt_segment_write(int fd, const char *bytes, size_t length, size_t *ret_written)
{
        size_t done = 0;
        int r = 0;

        while (!r && done < length) {
                ssize_t n = write(fd, bytes + done, length - done);

                if (n >= 0)
                        done += (size_t)n;
                else if (errno != EINTR)
                        r = -errno;
        }
        *ret_written = done;
        return r;
}

int pt_segment_make(int folder, uint64_t number)
{
        char name[NAME];
        int fd = openat(folder, name_of(number, name),
                        O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);

        return fd < 0 ? -errno : fd;
}

int pt_segment_open(int folder, uint64_t number, int flags)
{
        char name[NAME];
        int fd = openat(folder, name_of(number, name), flags | O_CLOEXEC | O_NOFOLLOW);

        return fd < 0 ? -errno : fd;
}

void pt_segment_remove(int folder, uint64_t number)
{
        char name[NAME];

        unlinkat(folder, name_of(number, name), 0);
}

int pt_segment_read(int fd, char *bytes, size_t length, size_t place)
{
        size_t done = 0;

        while (done < length) {
                ssize_t n = pread(fd, bytes + done, length - done, (off_t)(place + done));

                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n == 0)
                        return -EIO; /* somebody has cut it */
                if (n > 0)
                        done += (size_t)n;
        }
        return 0;
}

int pt_segment_measure(int fd, size_t place, size_t size, size_t *ret)
{
        char bytes[4096];

        for (size_t at = place; at < size;) {
                size_t piece = size - at < sizeof(bytes) ? size - at : sizeof(bytes);
                const char *end;
                int r = pt_segment_read(fd, bytes, piece, at);

                if (r)
                        return r;
                end = memchr(bytes, '\n', piece);
                if (end) {
                        *ret = at + (size_t)(end - bytes) + 1 - place;
                        return 0;
                }
                at += piece;
        }
        return -EIO;
}

int pt_segment_scan(int folder, struct pt_segment *segment, size_t place, bool *ret_torn)
{
        static const size_t piece = CHUNK;
        char *bytes = malloc(piece);
        int fd = pt_segment_open(folder, segment->number, O_RDWR), r = 0;
        size_t at = place, whole = place;
        struct stat status = {0};
        const char *zero = NULL;
        bool unreadable = false;

        if (!bytes || fd < 0 || fstat(fd, &status) < 0)
                r = !bytes ? -ENOMEM : fd < 0 ? fd : -errno;
        while (!r && !zero && at < (size_t)status.st_size) {
                ssize_t n = pread(fd, bytes, piece, (off_t)at);

                if (n <= 0) {
                        unreadable = true;
                        break;
                }
                zero = memchr(bytes, '\0', (size_t)n);
                size_t good = zero ? (size_t)(zero - bytes) : (size_t)n;
                if (pt_queue_whole(bytes, good))
                        whole = at + pt_queue_whole(bytes, good);
                segment->lines += pt_queue_count(bytes, good);
                at += good;
        }
        segment->size = whole;
        *ret_torn = !r && whole < (size_t)status.st_size;
        if (*ret_torn && !unreadable && ftruncate(fd, (off_t)whole) < 0)
                r = -errno;
        if (fd >= 0)
                close(fd);
        free(bytes);
        return r;
}

bool pt_segment_begins(int folder, uint64_t number, size_t place)
{
        int fd = pt_segment_open(folder, number, O_RDONLY);
        char before = '\n';
        bool begins;

        if (fd < 0)
                return false;
        begins = !place || (pread(fd, &before, 1, (off_t)place - 1) == 1 && before == '\n');
        close(fd);
        return begins;
}

static int compare(const void *a, const void *b)
{
        const struct pt_segment *one = a, *other = b;

        return one->number < other->number ? -1 : one->number > other->number;
}

int pt_segment_list(int folder, struct pt_segment **ret, size_t *ret_count)
{
        int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
        DIR *listing = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;

        if (!listing)
                return -errno;
        while (!r && (entry = readdir(listing))) {
                uint64_t number = strtoull(entry->d_name, NULL, 16);
                struct pt_segment *more;
                char name[NAME];

                if (strcmp(entry->d_name, name_of(number, name)) != 0)
                        continue;
                more = realloc(*ret, (*ret_count + 1) * sizeof(*more));
                if (!more) {
                        r = -ENOMEM;
                        break;
                }
                more[(*ret_count)++] = (struct pt_segment){.number = number};
                *ret = more;
        }
        closedir(listing);
        if (*ret_count)
                qsort(*ret, *ret_count, sizeof(**ret), compare);
        return r;
}
