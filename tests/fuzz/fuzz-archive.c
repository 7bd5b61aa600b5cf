/*
 * Any octets as one or two capture files: plain or compressed, followed or not, merged. The first
 * octet says how, the second where the first file ends, in 256ths.
 */
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/capture/archive.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FRAMES_MOST 200000 /* a bomb is harmless, but the fuzzer has no time for it */

enum {
        TWO = 1,
        FOLLOWED = 2,
        FILTERED = 4,
        BOUNDED = 8,
};

static int file_of(const uint8_t *data, size_t size, char name[32])
{
        int fd = memfd_create("capture", MFD_CLOEXEC);

        MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
        snprintf(name, 32, "/proc/self/fd/%d", fd);
        return fd;
}

static void tell(void *context, enum pt_archive_word word, const char *sentence)
{
        unsigned *told = context;

        MUST(word <= PT_ARCHIVE_SKIPPED);
        MUST(strlen(sentence) > 0 && strlen(sentence) < sizeof(struct pt_replay_fault));
        ++*told;
}

/* Every octet is read: a frame that does not lie in memory is found out. */
static unsigned touch(const struct pt_frame *frame)
{
        unsigned sum = 0;

        for (uint32_t i = 0; i < frame->captured; i++)
                sum += frame->bytes[i];
        return sum;
}

static volatile unsigned touched; /* so that no read is left out */

static void read_all(struct pt_archive *archive, unsigned flags)
{
        enum pt_archive_step step = PT_ARCHIVE_FRAME;
        struct pt_frame frame;
        unsigned later = 0;

        for (unsigned i = 0; step != PT_ARCHIVE_END && i < FRAMES_MOST && later < 3; i++) {
                step = pt_archive_next(archive, &frame);
                later += step == PT_ARCHIVE_LATER;
                MUST(step != PT_ARCHIVE_LATER || flags & FOLLOWED);
                if (step != PT_ARCHIVE_FRAME)
                        continue;
                touched = touch(&frame);
                MUST(frame.captured <= 262144);
                MUST(frame.number > 0);
                MUST(pt_archive_name(archive, frame.file));
                MUST(!(flags & BOUNDED) ||
                     (frame.time >= 1000000000 && frame.time < INT64_MAX / 2));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char names[2][32];
        const char *paths[] = {names[0], names[1]};
        struct pt_archive_settings settings = {.paths = paths, .count = 1, .tell = tell};
        struct pt_archive *archive;
        unsigned told = 0;
        int fds[2] = {-1, -1};
        size_t first;

        if (size < 2)
                return 0;
        first = size - 2;
        if (data[0] & TWO) {
                first = (size - 2) * data[1] / 256;
                fds[1] = file_of(data + 2 + first, size - 2 - first, names[1]);
                settings.count = 2;
        }
        fds[0] = file_of(data + 2, first, names[0]);
        settings.context = &told;
        settings.follow = data[0] & FOLLOWED && !(data[0] & TWO);
        settings.filter = data[0] & FILTERED ? "udp port 53" : NULL;
        settings.since = data[0] & BOUNDED ? 1000000000 : 0;
        settings.until = data[0] & BOUNDED ? INT64_MAX / 2 : 0;
        MUST(pt_archive_new(&settings, &archive) == 0);
        read_all(archive, settings.follow ? data[0] : data[0] & ~(unsigned)FOLLOWED);
        MUST(told > 0 || data[0] & (TWO | FOLLOWED)); /* what holds no frame is not opened */
        pt_archive_free(archive);
        close(fds[0]);
        if (fds[1] >= 0)
                close(fds[1]);
        return 0;
}
