/*
 * album: the frames that alerts may rest on, in a ring of memory: the newest stay, the oldest give
 * way. Of a frame that can be read again from its file, only the place is kept; of all others
 * (interfaces, pipes, compressed files) the octets.
 */
#pragma once

#include "portent.h"

struct pt_album;

/* A kept frame. `frame.bytes` is NULL where its octets stand in the file, at `frame.offset`. */
struct pt_album_frame {
        struct pt_frame frame;
        uint64_t query_number; /* as in struct pt_trace */
        uint32_t query_file;
        bool part;
};

/* `size` octets for frames, at least PT_ALBUM_LEAST. 0, or -ENOMEM. */
#define PT_ALBUM_LEAST ((size_t)1 << 20)
int pt_album_new(size_t size, struct pt_album **ret);

/* Takes NULL. Returns NULL. */
struct pt_album *pt_album_free(struct pt_album *album);

void pt_album_put(struct pt_album *album, const struct pt_trace *trace);

/* The frame of this number; false if it is not there, or not any longer. Valid until the next
 * put. */
bool pt_album_find(const struct pt_album *album, uint32_t file, uint64_t number,
                   struct pt_album_frame *ret);
