#include "io/output/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/output/cursor.h"
#include "io/output/folder.h"
#include "io/output/queue.h"
#include "io/output/segment.h"
#include "io/output/through.h"

#define PATIENCE INT64_C(500000000) /* nanoseconds, for the disk at the end */

struct pt_spool {
        int folder;
        int lock;
        int fd; /* of the last segment, or -1 before the first line of this process */
        size_t bound, segment_bound;
        size_t octets; /* of all segments */
        struct pt_segment *segments;
        size_t count;
        uint64_t next;                   /* number of the next segment */
        size_t cursor;                   /* in the first segment: where the first line stands */
        size_t reading, read_place;      /* which segment is read, and where in it */
        bool folder_dirty, cursor_dirty; /* segments have their own mark */
        struct pt_through *through;
        bool gave_up; /* on the disk, at the end */
        uint64_t torn, device;
};

/* --- segments --------------------------------------------------------------------------------- */

static int add_segment(struct pt_spool *spool, const struct pt_segment *segment)
{
        struct pt_segment *more =
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
        pt_segment_remove(spool->folder, spool->segments[0].number);
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
        pt_cursor_remove(spool->folder);
        if (spool->fd >= 0)
                close(spool->fd);
        spool->fd = -1;
        spool->cursor_dirty = false;
}

static int new_segment(struct pt_spool *spool)
{
        struct pt_segment segment = {.number = spool->next};
        int fd = pt_segment_make(spool->folder, segment.number), r;

        if (fd < 0)
                return fd;
        spool->next++;
        r = add_segment(spool, &segment);
        if (r) {
                close(fd);
                return r;
        }
        if (spool->fd >= 0)
                close(spool->fd); /* its mark stays: it is written through by its number */
        spool->fd = fd;
        spool->folder_dirty = true;
        return 0;
}

static struct pt_segment *last_of(struct pt_spool *spool)
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
        struct pt_segment *segment = last_of(spool);
        size_t written = 0, whole;
        int r = pt_segment_write(spool->fd, lines, length, &written);

        whole = pt_queue_whole(lines, written);
        segment->size += whole;
        segment->lines += pt_queue_count(lines, whole);
        spool->octets += whole;
        segment->dirty = segment->dirty || whole;
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

static bool stands_first(const struct pt_spool *spool)
{
        return spool->reading == 0 && spool->read_place == spool->cursor;
}

static int read_segment(struct pt_spool *spool, int fd, char *bytes, size_t room,
                        size_t *ret_length, uint64_t *ret_too_long)
{
        const struct pt_segment *segment = &spool->segments[spool->reading];
        size_t left = segment->size - spool->read_place;
        size_t length = left < room ? left : room;
        int r = pt_segment_read(fd, bytes, length, spool->read_place);

        if (r)
                return r;
        length = pt_queue_whole(bytes, length);
        if (!length && stands_first(spool)) {
                r = pt_segment_measure(fd, spool->read_place, segment->size, &left);
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
        fd = pt_segment_open(spool->folder, spool->segments[spool->reading].number, O_RDONLY);
        if (fd < 0)
                return fd;
        r = read_segment(spool, fd, bytes, room, ret_length, ret_too_long);
        close(fd);
        return r;
}

void pt_spool_rewind(struct pt_spool *spool)
{
        spool->reading = 0;
        spool->read_place = spool->cursor;
}

bool pt_spool_is_read(const struct pt_spool *spool)
{
        return !spool->count || (spool->reading + 1 == spool->count &&
                                 spool->read_place == spool->segments[spool->reading].size);
}

void pt_spool_pass(struct pt_spool *spool, size_t length)
{
        while (length) {
                size_t left = spool->segments[spool->reading].size - spool->read_place;

                if (length <= left) {
                        spool->read_place += length;
                        return;
                }
                length -= left;
                spool->reading++;
                spool->read_place = 0;
        }
}

void pt_spool_remove(struct pt_spool *spool, size_t length, uint64_t lines)
{
        while (length) {
                struct pt_segment *first = &spool->segments[0];
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

static bool is_dirty(const struct pt_spool *spool)
{
        for (size_t i = 0; i < spool->count; i++) {
                if (spool->segments[i].dirty)
                        return true;
        }
        return spool->folder_dirty || spool->cursor_dirty;
}

bool pt_spool_is_synced(const struct pt_spool *spool)
{
        return !is_dirty(spool) && !pt_through_is_busy(spool->through);
}

/* Everything that is not on the disk yet, less what a next round is for. */
static void begin_round(struct pt_spool *spool)
{
        struct pt_through_round round = {
                .has_cursor = spool->cursor_dirty && spool->count,
                .has_folder = spool->folder_dirty,
        };

        for (size_t i = 0; i < spool->count && round.count < PT_THROUGH_MOST; i++) {
                if (spool->segments[i].dirty)
                        round.segments[round.count++] = spool->segments[i].number;
                spool->segments[i].dirty = false;
        }
        if (round.has_cursor)
                round.cursor = (struct pt_cursor){spool->segments[0].number, spool->cursor};
        spool->cursor_dirty = spool->folder_dirty = false;
        pt_through_begin(spool->through, &round);
}

int pt_spool_sync(struct pt_spool *spool, bool *ret_ended)
{
        int r = 0;

        *ret_ended = pt_through_finish(spool->through, &r);
        if (r && spool->fd >= 0) {
                /* The kernel forgets what it could not write: nothing more goes there. */
                close(spool->fd);
                spool->fd = -1;
        }
        if (pt_through_is_busy(spool->through))
                return -EINPROGRESS;
        if (is_dirty(spool))
                begin_round(spool);
        return r;
}

int pt_spool_finish(struct pt_spool *spool)
{
        bool ended;
        int r = 0;

        /* One round may be under way, and another has what came since. */
        for (int i = 0; i < 2 && !r && !spool->gave_up && !pt_spool_is_synced(spool); i++) {
                pt_spool_sync(spool, &ended);
                pt_through_wait(spool->through, PATIENCE / 2);
                r = pt_spool_sync(spool, &ended);
        }
        spool->gave_up = spool->gave_up || r == -EINPROGRESS;
        return spool->gave_up ? -EINPROGRESS : r;
}

/* --- opening ---------------------------------------------------------------------------------- */

static int load(struct pt_spool *spool)
{
        struct pt_cursor cursor = {0};
        bool found = pt_cursor_load(spool->folder, &cursor);
        int r = pt_segment_list(spool->folder, &spool->segments, &spool->count);

        spool->next = found ? cursor.number + 1 : 1;
        if (!r && spool->count && last_of(spool)->number >= spool->next)
                spool->next = last_of(spool)->number + 1;
        for (size_t i = 0; !r && i < spool->count; i++) {
                struct pt_segment *segment = &spool->segments[i];
                size_t place = 0;
                bool torn = false;

                /* A place inside a line, or behind the end, is none of ours: deliver twice rather
                 * than not at all. */
                if (i == 0 && found && segment->number == cursor.number &&
                    pt_segment_begins(spool->folder, cursor.number, cursor.place))
                        place = spool->cursor = cursor.place;
                r = pt_segment_scan(spool->folder, segment, place, &torn);
                spool->torn += torn;
                spool->octets += segment->size;
        }
        /* Empty ones at the front: a segment that was made, and then came the end. */
        while (!r && spool->count && !spool->segments[0].lines)
                drop_first(spool);
        pt_spool_rewind(spool);
        return r;
}

static int open_all(struct pt_spool *spool, const char *folder, const char *destination)
{
        struct stat status;
        int r = pt_folder_open(folder, destination, &spool->folder, &spool->lock);

        if (r)
                return r;
        /* Of a file: on an overlay the device of a folder is another. */
        if (!fstat(spool->lock, &status))
                spool->device = status.st_dev;
        spool->through = pt_through_new(spool->folder);
        return spool->through ? load(spool) : -ENOMEM;
}

int pt_spool_open(const char *folder, const char *destination, size_t size, struct pt_spool **ret)
{
        struct pt_spool *spool = calloc(1, sizeof(*spool));

        if (!spool)
                return -ENOMEM;
        spool->folder = spool->lock = spool->fd = -1;
        spool->bound = size;
        spool->segment_bound = size / 8 < PT_SEGMENT_LEAST ? PT_SEGMENT_LEAST : size / 8;
        int r = open_all(spool, folder, destination);
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
        if (spool->through)
                pt_spool_finish(spool);
        pt_through_free(spool->through);
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

uint64_t pt_spool_device(const struct pt_spool *spool)
{
        return spool->device;
}
