/*
 * classic: the records of a pcap file (draft-ietf-opsawg-pcap). Both byte orders, micro- and
 * nanoseconds, versions 2.0 to 2.4, and Kuznetsov's variant with its longer headers.
 *
 * Frames come as the file has them: more octets than the packet had, fractions of five seconds.
 * Seconds are unsigned, as the draft has it: they go on until 2106.
 */
#pragma once

#include "io/capture/record.h"

struct pt_classic {
        bool swapped; /* the file's byte order is not ours */
        bool nano;
        bool lengths_swapped; /* the frame's length stands before that of what was captured */
        bool lengths_doubtful;
        int linktype;
        uint32_t snapshot;
        uint32_t header; /* octets before each frame */
};

/* Read the file header. PT_RECORD_FRAME if records may follow, else as pt_classic_next(). */
enum pt_record pt_classic_open(struct pt_classic *classic, struct pt_source *source,
                               struct pt_record_fault *fault);

/* The next frame; `number` and `file` are the caller's to fill in. */
enum pt_record pt_classic_next(const struct pt_classic *classic, struct pt_source *source,
                               struct pt_frame *ret, struct pt_record_fault *fault);

/*
 * The same for many: at most `room` frames, as far as they lie in memory, have nothing wrong and
 * come in order. What there is beyond them is left to pt_classic_next(). Returns how many.
 */
size_t pt_classic_several(const struct pt_classic *classic, struct pt_source *source,
                          struct pt_record_order *order, struct pt_frame *ret, size_t room);
