/*
 * block: the blocks of a pcapng file (draft-ietf-opsawg-pcapng). Sections of either byte order,
 * interfaces of different link types, snap lengths and time resolutions; enhanced, simple and the
 * obsolete packet blocks. All other blocks are stepped over, whatever their type.
 */
#pragma once

#include "io/capture/record.h"

#define PT_BLOCK_INTERFACES \
        65536 /* in a section at most; the obsolete packet block knows no more */
#define PT_BLOCK_MOST ((uint32_t)16 << 20) /* octets of a block, as libpcap has it */

struct pt_block_interface {
        int linktype;
        uint32_t snapshot; /* 0: none */
        uint64_t second;   /* ticks of its clock */
        int64_t offset;    /* seconds to add */
};

struct pt_block {
        bool swapped; /* this section's byte order is not ours */
        struct pt_block_interface *interfaces;
        size_t count, room;
};

/*
 * Read on until a packet comes next, so that the interfaces before it are known. PT_RECORD_FRAME if
 * pt_block_next() is to be asked (also where the file ends here: it may hold no packet), else as
 * that. pt_block_close() afterwards in any case.
 */
enum pt_record pt_block_open(struct pt_block *block, struct pt_source *source,
                             struct pt_record_fault *fault);
void pt_block_close(struct pt_block *block);

/* The next frame; `number` and `file` are the caller's to fill in. A simple packet's time is 0. */
enum pt_record pt_block_next(struct pt_block *block, struct pt_source *source, struct pt_frame *ret,
                             struct pt_record_fault *fault);
