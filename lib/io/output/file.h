/*
 * file: lines appended to a file, or written to what a path or standard output is else: a FIFO, a
 * terminal, a device (see pipe.h).
 *
 * A write that fails half way is taken back, and what an earlier run left torn is closed with a
 * newline when the file is opened. What is written is not synced: the kernel does that in its own
 * time (about 30 s), so a power failure may cost the last lines; a kill costs none.
 *
 * Live, the file is locked (flock) as long as it is open, so that no second sensor writes to it;
 * a file that was deleted is made again, with the lines whose write found that out. In replay the
 * lock is held for each write, so that several can share a file; it is not waited for longer than
 * 100 ms, as anyone who may read the file can hold it.
 */
#pragma once

#include "io/output/channel.h"

struct pt_file_settings {
        const char *destination; /* "-" is standard output */
        bool live;
        uint64_t max_size; /* octets: a file that would grow beyond it is renamed to FILE.1, which
                              takes the place of an older one; 0 for no bound */
};

/* 0, or -ENOMEM. Nothing is opened yet. Borrows the destination. */
int pt_file_new(const struct pt_file_settings *settings, struct pt_channel **ret);

/* Why a path could not be opened, in words. */
const char *pt_file_trouble(const char *path, int error);
