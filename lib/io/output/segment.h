/*
 * segment: a file of whole lines in a spool's folder, with a number for a name.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PT_SEGMENT_LEAST ((size_t)4 << 10)

struct pt_segment {
        uint64_t number;
        uint64_t lines; /* not removed */
        size_t size;    /* octets of whole lines: what lies behind them is torn */
        bool dirty;     /* not all of it is on the disk */
};

/* 0, or a negative errno; `*ret_written` octets were written in both cases. */
int pt_segment_write(int fd, const char *bytes, size_t length, size_t *ret_written);

/* A descriptor, or a negative errno. */
int pt_segment_make(int folder, uint64_t number);
int pt_segment_open(int folder, uint64_t number, int flags);
void pt_segment_remove(int folder, uint64_t number);

/* All of `length` octets at a place. 0, or a negative errno. */
int pt_segment_read(int fd, char *bytes, size_t length, size_t place);

/* How long the line at a place is. 0, or a negative errno. */
int pt_segment_measure(int fd, size_t place, size_t size, size_t *ret);

/*
 * Count what a segment holds from `place` on, and cut off what is torn: a kill leaves a last line
 * without its end, a power failure zeros. `*ret_torn` then.
 */
int pt_segment_scan(int folder, struct pt_segment *segment, size_t place, bool *ret_torn);

/* May a line begin there? */
bool pt_segment_begins(int folder, uint64_t number, size_t place);

/* All there are, by number. 0, or a negative errno; the caller frees the array in both cases. */
int pt_segment_list(int folder, struct pt_segment **ret, size_t *ret_count);
