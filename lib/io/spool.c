#include "spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "queue.h"

#define SUFFIX ".ndjson"
#define SEGMENT_NAME 32
#define SEGMENT_LEAST ((size_t)4 << 10)
#define CHUNK ((size_t)64 << 10)

struct segment {
        uint64_t number;
        uint64_t lines; /* not removed */
        size_t size;    /* octets of whole lines: what lies behind them is torn */
};

struct pt_spool {
        int folder;
        int lock;
        int fd; /* of the last segment, or -1 before the first line of this process */
        size_t bound, segment_bound;
        size_t octets; /* of all segments */
        struct segment *segments;
        size_t count;
        uint64_t next;              /* number of the next segment */
        size_t cursor;              /* in the first segment: where the first line stands */
        size_t reading, read_place; /* which segment is read, and where in it */
        bool data_dirty, folder_dirty, cursor_dirty;
        int failed; /* negative errno of a sync that nobody was told of */
        uint64_t torn;
};

static const char *segment_name(uint64_t number, char ret[SEGMENT_NAME])
{
        snprintf(ret, SEGMENT_NAME, "%016" PRIx64 SUFFIX, number);
        return ret;
}

/* A name for a folder: "unix:%2Frun%2Freader". What is too long for one ends in a number of it. */
static void folder_name(const char *destination, char ret[256])
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

static int write_whole(int fd, const char *bytes, size_t length, size_t *ret_written)
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

/* --- the cursor ------------------------------------------------------------------------------- */

static int save_cursor(struct pt_spool *spool)
{
        char text[64];
        size_t written;
        int fd, r;

        fd = openat(spool->folder, "cursor.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        int length = snprintf(text, sizeof(text), "%016" PRIx64 " %zu\n", spool->segments[0].number,
                              spool->cursor);
        r = write_whole(fd, text, (size_t)length, &written);
        if (!r && fsync(fd) < 0)
                r = -errno;
        close(fd);
        if (!r && renameat(spool->folder, "cursor.new", spool->folder, "cursor") < 0)
                r = -errno;
        if (r)
                return r;
        spool->folder_dirty = true;
        spool->cursor_dirty = false;
        return 0;
}

static bool parse_cursor(const char *text, uint64_t *ret_number, size_t *ret_place)
{
        char *end, *last;
        uint64_t number = strtoull(text, &end, 16);
        size_t place = strtoull(end, &last, 10);

        if (end - text != 16 || *end != ' ' || last == end || *last != '\n')
                return false;
        *ret_number = number;
        *ret_place = place;
        return true;
}

/* False if there is none, or nothing that we wrote. */
static bool load_cursor(struct pt_spool *spool, uint64_t *ret_number, size_t *ret_place)
{
        char text[64] = "";
        ssize_t n = -1;
        int fd = openat(spool->folder, "cursor", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

        if (fd >= 0) {
                n = read(fd, text, sizeof(text) - 1);
                close(fd);
        }
        return n > 0 && parse_cursor(text, ret_number, ret_place);
}

/* --- segments --------------------------------------------------------------------------------- */

static int add_segment(struct pt_spool *spool, const struct segment *segment)
{
        struct segment *more =
                realloc(spool->segments, (spool->count + 1) * sizeof(*spool->segments));

        if (!more)
                return -ENOMEM;
        spool->segments = more;
        spool->segments[spool->count++] = *segment;
        return 0;
}

/* The first segment is not needed any more. */
static void drop_first(struct pt_spool *spool)
{
        char name[SEGMENT_NAME];

        unlinkat(spool->folder, segment_name(spool->segments[0].number, name), 0);
        spool->octets -= spool->segments[0].size;
        spool->count--;
        memmove(spool->segments, spool->segments + 1, spool->count * sizeof(*spool->segments));
        spool->cursor = 0;
        spool->cursor_dirty = spool->folder_dirty = true;
        if (spool->reading)
                spool->reading--;
        else
                spool->read_place = 0;
        if (spool->count)
                return;
        /* Nothing is left. A cursor without its segment would be no harm, but says nothing. */
        unlinkat(spool->folder, "cursor", 0);
        if (spool->fd >= 0)
                close(spool->fd);
        spool->fd = -1;
        spool->data_dirty = spool->cursor_dirty = false;
}

static int new_segment(struct pt_spool *spool)
{
        struct segment segment = {.number = spool->next};
        char name[SEGMENT_NAME];
        int fd, r;

        fd = openat(spool->folder, segment_name(segment.number, name),
                    O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        spool->next++;
        r = add_segment(spool, &segment);
        if (r) {
                close(fd);
                return r;
        }
        if (spool->fd >= 0) {
                /* What is in the full one must not wait for a moment that never comes. */
                if (fdatasync(spool->fd) < 0)
                        spool->failed = -errno;
                close(spool->fd);
        }
        spool->fd = fd;
        spool->folder_dirty = true;
        return 0;
}

static struct segment *last_of(struct pt_spool *spool)
{
        return &spool->segments[spool->count - 1];
}

/* How many of these octets the next write is given; 0 if the spool is full. */
static size_t next_piece(const struct pt_spool *spool, const char *lines, size_t length,
                         size_t segment_room)
{
        size_t room = spool->octets < spool->bound ? spool->bound - spool->octets : 0;
        size_t least = (size_t)((const char *)memchr(lines, '\n', length) - lines) + 1;
        size_t most = segment_room < length ? segment_room : length;

        if (least > room)
                return 0;
        most = pt_queue_whole(lines, most < room ? most : room);
        return most ? most : least; /* a line longer than a segment has one of its own */
}

/* Write to the last segment; what was not whole is taken back. */
static int append(struct pt_spool *spool, const char *lines, size_t length, size_t *ret_taken)
{
        struct segment *segment = last_of(spool);
        size_t written = 0, whole;
        int r = write_whole(spool->fd, lines, length, &written);

        whole = pt_queue_whole(lines, written);
        segment->size += whole;
        segment->lines += pt_queue_count(lines, whole);
        spool->octets += whole;
        spool->data_dirty = spool->data_dirty || whole;
        *ret_taken = whole;
        if (written > whole && ftruncate(spool->fd, (off_t)segment->size) < 0) {
                /* Nothing may follow the torn line: what comes next goes to another segment. */
                close(spool->fd);
                spool->fd = -1;
        }
        return r;
}

int pt_spool_put(struct pt_spool *spool, const char *lines, size_t length, size_t *ret_taken)
{
        *ret_taken = 0;
        while (length) {
                size_t taken = 0, room = 0, piece;
                int r = 0;

                if (spool->fd >= 0 && last_of(spool)->size < spool->segment_bound)
                        room = spool->segment_bound - last_of(spool)->size;
                piece = next_piece(spool, lines, length, room ? room : spool->segment_bound);
                if (!piece)
                        return PT_SPOOL_FULL;
                if (spool->fd < 0 || (piece > room && last_of(spool)->size))
                        r = new_segment(spool);
                if (!r)
                        r = append(spool, lines, piece, &taken);
                *ret_taken += taken;
                if (r)
                        return r;
                lines += taken;
                length -= taken;
        }
        return PT_SPOOL_TAKEN;
}

/* --- reading and removing --------------------------------------------------------------------- */

static int open_segment(const struct pt_spool *spool, uint64_t number, int flags)
{
        char name[SEGMENT_NAME];

        return openat(spool->folder, segment_name(number, name), flags | O_CLOEXEC | O_NOFOLLOW);
}

/* All of `length` octets, or a negative errno. */
static int read_whole(int fd, char *bytes, size_t length, size_t place)
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

/* How long the line at `place` is. 0, or a negative errno. */
static int measure_line(int fd, size_t place, size_t size, size_t *ret)
{
        char bytes[4096];

        for (size_t at = place; at < size;) {
                size_t piece = size - at < sizeof(bytes) ? size - at : sizeof(bytes);
                const char *end;
                int r = read_whole(fd, bytes, piece, at);

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

static bool stands_first(const struct pt_spool *spool)
{
        return spool->reading == 0 && spool->read_place == spool->cursor;
}

static int read_segment(struct pt_spool *spool, int fd, char *bytes, size_t room,
                        size_t *ret_length, uint64_t *ret_too_long)
{
        const struct segment *segment = &spool->segments[spool->reading];
        size_t left = segment->size - spool->read_place;
        size_t length = left < room ? left : room;
        int r = read_whole(fd, bytes, length, spool->read_place);

        if (r)
                return r;
        length = pt_queue_whole(bytes, length);
        if (!length && stands_first(spool)) {
                r = measure_line(fd, spool->read_place, segment->size, &left);
                if (r)
                        return r;
                spool->read_place += left;
                pt_spool_remove(spool, left, 1);
                *ret_too_long = 1;
        }
        spool->read_place += length;
        *ret_length = length;
        return 0;
}

int pt_spool_read(struct pt_spool *spool, char *bytes, size_t room, size_t *ret_length,
                  uint64_t *ret_too_long)
{
        int fd, r;

        *ret_length = 0;
        *ret_too_long = 0;
        while (spool->reading < spool->count &&
               spool->read_place == spool->segments[spool->reading].size) {
                if (spool->reading + 1 == spool->count)
                        return 0;
                if (stands_first(spool)) {
                        drop_first(spool); /* an empty one: its first write failed */
                        continue;
                }
                spool->reading++;
                spool->read_place = 0;
        }
        if (spool->reading == spool->count)
                return 0;
        fd = open_segment(spool, spool->segments[spool->reading].number, O_RDONLY);
        if (fd < 0)
                return -errno;
        r = read_segment(spool, fd, bytes, room, ret_length, ret_too_long);
        close(fd);
        return r;
}

void pt_spool_rewind(struct pt_spool *spool)
{
        spool->reading = 0;
        spool->read_place = spool->cursor;
}

void pt_spool_remove(struct pt_spool *spool, size_t length, uint64_t lines)
{
        while (length) {
                struct segment *first = &spool->segments[0];
                size_t left = first->size - spool->cursor;

                spool->cursor_dirty = true;
                if (length < left) {
                        spool->cursor += length;
                        first->lines -= lines;
                        return;
                }
                length -= left;
                lines -= first->lines;
                drop_first(spool);
        }
}

uint64_t pt_spool_skip(struct pt_spool *spool)
{
        uint64_t lines;

        if (!spool->count)
                return 0;
        lines = spool->segments[0].lines;
        if (spool->count == 1 && spool->fd >= 0) {
                close(spool->fd);
                spool->fd = -1;
        }
        drop_first(spool);
        pt_spool_rewind(spool);
        return lines;
}

/* --- to the disk ------------------------------------------------------------------------------ */

bool pt_spool_is_synced(const struct pt_spool *spool)
{
        return !spool->data_dirty && !spool->folder_dirty && !spool->cursor_dirty;
}

int pt_spool_sync(struct pt_spool *spool)
{
        int r = spool->failed;

        spool->failed = 0;
        if (spool->data_dirty && spool->fd >= 0 && fdatasync(spool->fd) < 0) {
                /* The kernel forgets what it could not write: nothing more goes there. */
                r = -errno;
                close(spool->fd);
                spool->fd = -1;
        }
        spool->data_dirty = false;
        if (spool->cursor_dirty && spool->count) {
                int saved = save_cursor(spool);

                r = r ? r : saved;
        }
        spool->cursor_dirty = false;
        if (spool->folder_dirty && fsync(spool->folder) < 0)
                r = r ? r : -errno;
        spool->folder_dirty = false;
        return r;
}

/* --- opening ---------------------------------------------------------------------------------- */

/*
 * Count what a segment holds from `place` on, and cut off what is torn: a kill leaves a last line
 * without its end, a power failure zeros.
 */
static int scan_segment(struct pt_spool *spool, struct segment *segment, size_t place)
{
        static const size_t piece = CHUNK;
        char *bytes = malloc(piece);
        int fd = open_segment(spool, segment->number, O_RDWR), r = 0;
        size_t at = place, whole = place;
        struct stat status = {0};
        const char *zero = NULL;
        bool unreadable = false;

        if (!bytes || fd < 0 || fstat(fd, &status) < 0)
                r = bytes ? -errno : -ENOMEM;
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
        if (!r && whole < (size_t)status.st_size) {
                spool->torn++;
                if (!unreadable && ftruncate(fd, (off_t)whole) < 0)
                        r = -errno;
        }
        if (fd >= 0)
                close(fd);
        free(bytes);
        return r;
}

/* A place inside a line, or behind the end, is none of ours: deliver twice rather than not at all.
 */
static size_t check_place(const struct pt_spool *spool, uint64_t number, size_t place)
{
        int fd = open_segment(spool, number, O_RDONLY);
        char before = '\n';

        if (fd < 0)
                return 0;
        if (place && (pread(fd, &before, 1, (off_t)place - 1) != 1 || before != '\n'))
                place = 0;
        close(fd);
        return place;
}

static int compare_segments(const void *a, const void *b)
{
        const struct segment *one = a, *other = b;

        return one->number < other->number ? -1 : one->number > other->number;
}

static int list_segments(struct pt_spool *spool)
{
        int fd = openat(spool->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
        DIR *folder = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;

        if (!folder)
                return -errno;
        while (!r && (entry = readdir(folder))) {
                struct segment segment = {.number = strtoull(entry->d_name, NULL, 16)};
                char name[SEGMENT_NAME];

                if (strcmp(entry->d_name, segment_name(segment.number, name)) != 0)
                        continue;
                r = add_segment(spool, &segment);
        }
        closedir(folder);
        if (spool->count)
                qsort(spool->segments, spool->count, sizeof(*spool->segments), compare_segments);
        return r;
}

static int load(struct pt_spool *spool)
{
        uint64_t number = 0;
        size_t place = 0;
        bool found = load_cursor(spool, &number, &place);
        int r = list_segments(spool);

        spool->next = found ? number + 1 : 1;
        if (!r && spool->count && last_of(spool)->number >= spool->next)
                spool->next = last_of(spool)->number + 1;
        for (size_t i = 0; !r && i < spool->count; i++) {
                struct segment *segment = &spool->segments[i];
                bool first = i == 0 && found && segment->number == number;

                if (first)
                        spool->cursor = check_place(spool, number, place);
                r = scan_segment(spool, segment, first ? spool->cursor : 0);
                spool->octets += segment->size;
        }
        /* Empty ones at the front: a segment that was made, and then came the end. */
        while (!r && spool->count && !spool->segments[0].lines)
                drop_first(spool);
        pt_spool_rewind(spool);
        return r;
}

static int open_folder(const char *path)
{
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
                return -errno;
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int open_both(struct pt_spool *spool, const char *folder, const char *destination)
{
        char name[256], path[4096];

        folder_name(destination, name);
        if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) >= sizeof(path))
                return -ENAMETOOLONG;
        if (mkdir(folder, 0700) < 0 && errno != EEXIST)
                return -errno;
        spool->folder = open_folder(path);
        if (spool->folder < 0)
                return spool->folder;
        spool->lock =
                openat(spool->folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (spool->lock < 0 || flock(spool->lock, LOCK_EX | LOCK_NB) < 0)
                return -errno;
        return load(spool);
}

int pt_spool_open(const char *folder, const char *destination, size_t size, struct pt_spool **ret)
{
        struct pt_spool *spool = calloc(1, sizeof(*spool));

        if (!spool)
                return -ENOMEM;
        spool->folder = spool->lock = spool->fd = -1;
        spool->bound = size;
        spool->segment_bound = size / 8 < SEGMENT_LEAST ? SEGMENT_LEAST : size / 8;
        int r = open_both(spool, folder, destination);
        if (r) {
                spool->cursor_dirty = spool->folder_dirty = false; /* not ours to write */
                pt_spool_free(spool);
                return r;
        }
        *ret = spool;
        return 0;
}

struct pt_spool *pt_spool_free(struct pt_spool *spool)
{
        if (!spool)
                return NULL;
        if (!pt_spool_is_synced(spool))
                pt_spool_sync(spool);
        if (spool->fd >= 0)
                close(spool->fd);
        if (spool->lock >= 0)
                close(spool->lock);
        if (spool->folder >= 0)
                close(spool->folder);
        free(spool->segments);
        free(spool);
        return NULL;
}

uint64_t pt_spool_lines(const struct pt_spool *spool)
{
        uint64_t lines = 0;

        for (size_t i = 0; i < spool->count; i++)
                lines += spool->segments[i].lines;
        return lines;
}

uint64_t pt_spool_torn(const struct pt_spool *spool)
{
        return spool->torn;
}
