/*
 * spool: lines that wait on disk, first in, first out, over the end of the program and of the
 * machine. A folder for each destination holds segments, files of whole lines with a number for a
 * name; `cursor`, which says where the first line stands that has not been delivered; and `lock`,
 * which one process holds.
 *
 * What the kernel has taken outlives a kill at any moment. It is written through to the disk by
 * pt_spool_sync(), which the owner calls about once a second and at the end: so a power failure
 * costs the lines since then, and lines that were delivered in that time are delivered again. What
 * was torn meanwhile is cut off, and counted. A thread of its own waits for the disk; the owner
 * never does, but half a second at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct pt_spool;

enum pt_spool_result {
        PT_SPOOL_TAKEN,
        PT_SPOOL_FULL, /* its size is reached */
};

/*
 * Open or make the spool of a destination in a folder, which is made too, but not what that stands
 * in. `size` bounds the octets of all segments. 0; -EWOULDBLOCK: another process has it; or
 * another negative errno.
 */
int pt_spool_open(const char *folder, const char *destination, size_t size, struct pt_spool **ret);

/* Writes through to the disk, as far as that goes. Takes NULL. Returns NULL. */
struct pt_spool *pt_spool_free(struct pt_spool *spool);

/*
 * Add whole lines at the end. enum pt_spool_result, or a negative errno; in both cases, those of
 * the first `*ret_taken` octets are in.
 */
int pt_spool_put(struct pt_spool *spool, const char *lines, size_t length, size_t *ret_taken);

/*
 * Read on, at most `room` octets, whole lines. Each is read once; after pt_spool_rewind() all that
 * were not removed are. A line for which there is not enough room is removed if it stands first:
 * `*ret_too_long` is 1 then. 0, or a negative errno: then the rest of this segment cannot be read,
 * and pt_spool_skip() gives it up.
 */
int pt_spool_read(struct pt_spool *spool, char *bytes, size_t room, size_t *ret_length,
                  uint64_t *ret_too_long);
void pt_spool_rewind(struct pt_spool *spool);

/* Have all lines been read that are in it? */
bool pt_spool_is_read(const struct pt_spool *spool);

/* As if these octets, whole lines that are next, had been read. */
void pt_spool_pass(struct pt_spool *spool, size_t length);

/* The first `length` octets, `lines` whole lines, which were read, are not needed any more. */
void pt_spool_remove(struct pt_spool *spool, size_t length, uint64_t lines);

/* Give up what is left of the segment at the front. Returns how many lines those were. */
uint64_t pt_spool_skip(struct pt_spool *spool);

/*
 * Begin to write through to the disk what is not there yet, and do not wait for it: ask again,
 * until pt_spool_is_synced(). 0; -EINPROGRESS: an earlier begin has not come to its end yet; or,
 * when it has, which `*ret_ended` says, another negative errno.
 */
int pt_spool_sync(struct pt_spool *spool, bool *ret_ended);

/* The same, and wait for all of it, but not for long: -EINPROGRESS if that was not enough. */
int pt_spool_finish(struct pt_spool *spool);
bool pt_spool_is_synced(const struct pt_spool *spool);

/* Lines in it, and torn ones that were cut off when it was opened. */
uint64_t pt_spool_lines(const struct pt_spool *spool);
uint64_t pt_spool_torn(const struct pt_spool *spool);

/* The device that it was on when it was opened. */
uint64_t pt_spool_device(const struct pt_spool *spool);
