#include "io/capture/exhibit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTION 0x0a0d0d0au
#define MAGIC 0x1a2b3c4du
#define INTERFACE 1u
#define PACKET 6u

#define OPTION_COMMENT 1
#define OPTION_IF_NAME 2
#define OPTION_IF_DESCRIPTION 3
#define OPTION_USER_APPLICATION 4
#define OPTION_RESOLUTION 9
#define NANOSECONDS 9 /* ten to the power of minus this */

#define BLOCK_LEAST 12
#define INTERFACES_MOST 65536

struct interface {
        int linktype;
        char *name; /* NULL for none */
        char *from;
};

struct pt_exhibit {
        int fd;
        off_t end; /* of the last whole block */
        struct interface *interfaces;
        size_t count, room;
        size_t written; /* interfaces that are in the file */
        uint8_t *octets;
        size_t length, capacity;
        bool failed; /* something could not be put */
};

/* ---- octets ---- */

static void put(struct pt_exhibit *exhibit, const void *octets, size_t length)
{
        if (exhibit->failed)
                return;
        if (exhibit->capacity - exhibit->length < length) {
                size_t capacity = (exhibit->length + length) * 2;
                uint8_t *larger = realloc(exhibit->octets, capacity);

                if (!larger) {
                        exhibit->failed = true;
                        return;
                }
                exhibit->octets = larger;
                exhibit->capacity = capacity;
        }
        if (length)
                memcpy(exhibit->octets + exhibit->length, octets, length);
        exhibit->length += length;
}

static void put_word(struct pt_exhibit *exhibit, uint32_t value)
{
        put(exhibit, &value, sizeof value);
}

static void put_half(struct pt_exhibit *exhibit, unsigned value)
{
        uint16_t half = (uint16_t)value;

        put(exhibit, &half, sizeof half);
}

static void put_padded(struct pt_exhibit *exhibit, const void *octets, size_t length)
{
        static const uint8_t none[3];

        put(exhibit, octets, length);
        put(exhibit, none, (4 - length % 4) % 4);
}

static void put_option(struct pt_exhibit *exhibit, unsigned code, const void *value, size_t length)
{
        if (length > UINT16_MAX)
                length = UINT16_MAX;
        put_half(exhibit, code);
        put_half(exhibit, (unsigned)length);
        put_padded(exhibit, value, length);
}

static void put_text(struct pt_exhibit *exhibit, unsigned code, const char *text)
{
        if (text)
                put_option(exhibit, code, text, strlen(text));
}

/* A block begins with its length, which is known at its end. Returns where it begins. */
static size_t begin_block(struct pt_exhibit *exhibit, uint32_t type)
{
        size_t at = exhibit->length;

        put_word(exhibit, type);
        put_word(exhibit, 0);
        return at;
}

static void end_block(struct pt_exhibit *exhibit, size_t at)
{
        uint32_t length;

        put_word(exhibit, 0); /* the end of the options */
        length = (uint32_t)(exhibit->length - at + 4);
        put_word(exhibit, length);
        if (!exhibit->failed)
                memcpy(exhibit->octets + at + 4, &length, sizeof length);
}

/* ---- blocks ---- */

static void put_section(struct pt_exhibit *exhibit, const char *version)
{
        size_t at = begin_block(exhibit, SECTION);
        char text[64];

        snprintf(text, sizeof text, "portent %s", version);
        put_word(exhibit, MAGIC);
        put_half(exhibit, 1);
        put_half(exhibit, 0);
        put_word(exhibit, UINT32_MAX); /* its length is not known */
        put_word(exhibit, UINT32_MAX);
        put_text(exhibit, OPTION_USER_APPLICATION, text);
        end_block(exhibit, at);
}

static void put_interface(struct pt_exhibit *exhibit, const struct interface *interface)
{
        static const uint8_t resolution = NANOSECONDS;
        size_t at = begin_block(exhibit, INTERFACE);

        put_half(exhibit, (unsigned)interface->linktype);
        put_half(exhibit, 0);
        put_word(exhibit, 0); /* no snap length */
        put_text(exhibit, OPTION_IF_NAME, interface->name);
        put_text(exhibit, OPTION_IF_DESCRIPTION, interface->from);
        put_option(exhibit, OPTION_RESOLUTION, &resolution, sizeof resolution);
        end_block(exhibit, at);
}

static void put_packet(struct pt_exhibit *exhibit, size_t interface, const struct pt_frame *frame,
                       const char *comment)
{
        uint64_t time = frame->time < 0 ? 0 : (uint64_t)frame->time;
        size_t at = begin_block(exhibit, PACKET);

        put_word(exhibit, (uint32_t)interface);
        put_word(exhibit, (uint32_t)(time >> 32));
        put_word(exhibit, (uint32_t)time);
        put_word(exhibit, frame->captured);
        put_word(exhibit, frame->length);
        put_padded(exhibit, frame->bytes, frame->captured);
        put_text(exhibit, OPTION_COMMENT, comment);
        end_block(exhibit, at);
}

/* ---- interfaces ---- */

static bool same_text(const char *a, const char *b)
{
        return a == b || (a && b && strcmp(a, b) == 0);
}

/* Forget interfaces from `count` on. */
static void forget(struct pt_exhibit *exhibit, size_t count)
{
        while (exhibit->count > count) {
                struct interface *last = &exhibit->interfaces[--exhibit->count];

                free(last->name);
                free(last->from);
        }
}

static bool copy_text(const char *text, char **ret)
{
        *ret = text ? strdup(text) : NULL;
        return !text || *ret;
}

static bool grow(struct pt_exhibit *exhibit)
{
        size_t room = exhibit->room ? exhibit->room * 2 : 4;
        struct interface *larger;

        if (exhibit->count < exhibit->room)
                return true;
        if (exhibit->count == INTERFACES_MOST)
                return false;
        larger = realloc(exhibit->interfaces, room * sizeof *larger);
        if (!larger)
                return false;
        exhibit->interfaces = larger;
        exhibit->room = room;
        return true;
}

/* The number of the interface; a new one is put first. */
static size_t interface_of(struct pt_exhibit *exhibit, int linktype, const char *name,
                           const char *from)
{
        struct interface *interface;

        for (size_t i = 0; i < exhibit->count; i++)
                if (exhibit->interfaces[i].linktype == linktype &&
                    same_text(exhibit->interfaces[i].name, name) &&
                    same_text(exhibit->interfaces[i].from, from))
                        return i;
        if (!grow(exhibit)) {
                exhibit->failed = true;
                return 0;
        }
        interface = &exhibit->interfaces[exhibit->count++];
        *interface = (struct interface){.linktype = linktype};
        if (!copy_text(name, &interface->name) || !copy_text(from, &interface->from))
                exhibit->failed = true;
        put_interface(exhibit, interface);
        return exhibit->count - 1;
}

int pt_exhibit_put(struct pt_exhibit *exhibit, const struct pt_frame *frame, const char *interface,
                   const char *from, const char *comment)
{
        size_t number = interface_of(exhibit, frame->linktype, interface, from);

        put_packet(exhibit, number, frame, comment);
        return exhibit->failed ? -ENOMEM : 0;
}

/* ---- the file ---- */

static int write_all(int fd, const uint8_t *octets, size_t length, off_t at)
{
        while (length) {
                ssize_t done = pwrite(fd, octets, length, at);

                if (done < 0 && errno == EINTR)
                        continue;
                if (done < 0)
                        return -errno;
                octets += done;
                length -= (size_t)done;
                at += done;
        }
        return 0;
}

int pt_exhibit_write(struct pt_exhibit *exhibit)
{
        int r = exhibit->failed ? -ENOMEM : 0;

        if (r == 0)
                r = write_all(exhibit->fd, exhibit->octets, exhibit->length, exhibit->end);
        if (r == 0) {
                exhibit->end += (off_t)exhibit->length;
                exhibit->written = exhibit->count;
        } else {
                if (ftruncate(exhibit->fd, exhibit->end) < 0)
                        r = -errno; /* the next ones are written over what is there */
                forget(exhibit, exhibit->written);
        }
        exhibit->length = 0;
        exhibit->failed = false;
        return r;
}

/* Whole blocks from the beginning on: where the last one ends. -EEXIST if it is no pcapng. */
static int find_end(int fd, off_t size, off_t *ret)
{
        uint32_t words[3], again, length;
        bool swapped = false;
        off_t at = 0;

        while (size - at >= BLOCK_LEAST) {
                if (pread(fd, words, sizeof words, at) != sizeof words)
                        return -EIO;
                if (at == 0 && words[0] != SECTION)
                        return -EEXIST;
                if (words[0] == SECTION)
                        swapped = words[2] == __builtin_bswap32(MAGIC);
                length = swapped ? __builtin_bswap32(words[1]) : words[1];
                if (length < BLOCK_LEAST || length % 4 || length > size - at ||
                    pread(fd, &again, sizeof again, at + length - 4) != sizeof again ||
                    again != words[1])
                        break;
                at += length;
        }
        if (at == 0 && size > 0)
                return -EEXIST;
        *ret = at;
        return 0;
}

static int open_file(struct pt_exhibit *exhibit, const char *path)
{
        struct stat status;

        exhibit->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
        if (exhibit->fd < 0 || fstat(exhibit->fd, &status) < 0)
                return -errno;
        if (!S_ISREG(status.st_mode))
                return -ENOTSUP;
        if (flock(exhibit->fd, LOCK_EX | LOCK_NB) < 0)
                return -EBUSY;
        return find_end(exhibit->fd, status.st_size, &exhibit->end);
}

static void refuse(const char *path, int error, char sentence[256])
{
        const char *reason = strerror(-error);

        if (error == -ENOTSUP)
                reason = "no regular file";
        else if (error == -EBUSY)
                reason = "another portent writes to it";
        else if (error == -EEXIST)
                reason = "there already, and no pcapng file: it stays as it is";
        snprintf(sentence, 256, "evidence: %.150s: %.90s", path, reason);
}

int pt_exhibit_open(const char *path, const char *version, struct pt_exhibit **ret,
                    char sentence[256])
{
        struct pt_exhibit *exhibit = calloc(1, sizeof *exhibit);
        int r = -ENOMEM;

        if (exhibit) {
                exhibit->fd = -1;
                r = open_file(exhibit, path);
        }
        if (r == 0) {
                put_section(exhibit, version);
                r = pt_exhibit_write(exhibit);
        }
        /* What a torn block left behind the end. */
        if (r == 0 && ftruncate(exhibit->fd, exhibit->end) < 0)
                r = -errno;
        if (r < 0) {
                refuse(path, r, sentence);
                pt_exhibit_free(exhibit);
                return r;
        }
        *ret = exhibit;
        return 0;
}

struct pt_exhibit *pt_exhibit_free(struct pt_exhibit *exhibit)
{
        if (!exhibit)
                return NULL;
        forget(exhibit, 0);
        if (exhibit->fd >= 0)
                close(exhibit->fd);
        free(exhibit->interfaces);
        free(exhibit->octets);
        free(exhibit);
        return NULL;
}
