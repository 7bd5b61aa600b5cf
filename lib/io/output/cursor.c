#include "io/output/cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/output/segment.h"

int pt_cursor_save(int folder, const struct pt_cursor *cursor)
{
        char text[64];
        size_t written;
        int fd, r;

        fd = openat(folder, "cursor.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        int length =
                snprintf(text, sizeof(text), "%016" PRIx64 " %zu\n", cursor->number, cursor->place);
        r = pt_segment_write(fd, text, (size_t)length, &written);
        if (!r && fsync(fd) < 0)
                r = -errno;
        close(fd);
        if (!r && renameat(folder, "cursor.new", folder, "cursor") < 0)
                r = -errno;
        return r;
}

static bool parse(const char *text, struct pt_cursor *ret)
{
        char *end, *last;
        uint64_t number = strtoull(text, &end, 16);
        size_t place = strtoull(end, &last, 10);

        if (end - text != 16 || *end != ' ' || last == end || *last != '\n')
                return false;
        *ret = (struct pt_cursor){number, place};
        return true;
}

bool pt_cursor_load(int folder, struct pt_cursor *ret)
{
        char text[64] = "";
        ssize_t n = -1;
        int fd = openat(folder, "cursor", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

        if (fd >= 0) {
                n = read(fd, text, sizeof(text) - 1);
                close(fd);
        }
        return n > 0 && parse(text, ret);
}

void pt_cursor_remove(int folder)
{
        unlinkat(folder, "cursor", 0);
}
