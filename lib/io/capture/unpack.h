/*
 * unpack: a compressed feed, decompressed by a thread of its own while the caller does something
 * else with what has come out. A few pieces wait between the two, never more.
 */
#pragma once

#include "io/capture/codec.h"
#include "io/capture/feed.h"

#define PT_UNPACK_REASON 160

struct pt_unpack;

/*
 * `first` is what was already read of the feed, copied; from now on nobody else may read it. 0, or
 * a negative errno.
 */
int pt_unpack_new(struct pt_feed *feed, enum pt_kind kind, const uint8_t *first, size_t length,
                  struct pt_unpack **ret);

/* Ends the thread, whatever it is doing. Takes NULL. Returns NULL. */
struct pt_unpack *pt_unpack_free(struct pt_unpack *unpack);

/*
 * The next octets, at most `size`. Above 0: how many; 0: the end; -EBADMSG: what follows is damaged
 * or cut, with a reason; -EINTR: the feed's `stop` was set; another negative errno of the feed.
 */
ssize_t pt_unpack_read(struct pt_unpack *unpack, void *bytes, size_t size,
                       char reason[PT_UNPACK_REASON]);
