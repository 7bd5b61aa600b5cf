/*
 * window: records that come out of order by a bounded amount -> records in order. A log has a
 * connection where it ended, perhaps hours behind its beginning. The window holds as many records
 * as fit into PT_WINDOW_OCTETS, and gives the earliest of them when it is full, and at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PT_WINDOW_OCTETS ((size_t)32 << 20)

struct pt_window_record {
        int64_t time;
        uint64_t number; /* of one time the lower comes first */
        uint32_t length;
        uint8_t *octets;
};

struct pt_window {
        struct pt_window_record *heap;
        size_t count;
        size_t room;
        size_t octets;
        size_t most; /* octets; 0: PT_WINDOW_OCTETS */
};

/* The record's octets are copied. 0, or -ENOMEM. */
int pt_window_put(struct pt_window *window, const struct pt_window_record *record);

/* Must one be taken before the next is put in? */
bool pt_window_full(const struct pt_window *window);

/* The earliest; its octets are the caller's to free. False if there is none. */
bool pt_window_take(struct pt_window *window, struct pt_window_record *ret);

void pt_window_clear(struct pt_window *window);
