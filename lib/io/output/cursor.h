/*
 * cursor: a file of a spool's folder that says where the first line stands which has not been
 * delivered: "0000000000000007 4711", a segment and a place in it. It is replaced whole.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pt_cursor {
        uint64_t number;
        size_t place;
};

/* 0, or a negative errno. It is on the disk when this returns, but for its name in the folder. */
int pt_cursor_save(int folder, const struct pt_cursor *cursor);

/* False if there is none, or nothing that we wrote. */
bool pt_cursor_load(int folder, struct pt_cursor *ret);

void pt_cursor_remove(int folder);
