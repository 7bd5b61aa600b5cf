#include "io/logs/window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OVERHEAD (sizeof(struct pt_window_record) + 16) /* with that of malloc(3) */

static bool before(const struct pt_window_record *a, const struct pt_window_record *b)
{
        return a->time != b->time ? a->time < b->time : a->number < b->number;
}

static int make_room(struct pt_window *window)
{
        size_t room = window->room ? 2 * window->room : 1024;
        struct pt_window_record *heap;

        if (window->count < window->room)
                return 0;
        heap = realloc(window->heap, room * sizeof *heap);
        if (!heap)
                return -ENOMEM;
        window->heap = heap;
        window->room = room;
        return 0;
}

int pt_window_put(struct pt_window *window, const struct pt_window_record *record)
{
        struct pt_window_record kept = *record;
        size_t place;

        if (make_room(window) < 0)
                return -ENOMEM;
        kept.octets = malloc(record->length ? record->length : 1);
        if (!kept.octets)
                return -ENOMEM;
        memcpy(kept.octets, record->octets, record->length);
        place = window->count++;
        for (; place && before(&kept, &window->heap[(place - 1) / 2]); place = (place - 1) / 2)
                window->heap[place] = window->heap[(place - 1) / 2];
        window->heap[place] = kept;
        window->octets += record->length + OVERHEAD;
        return 0;
}

bool pt_window_full(const struct pt_window *window)
{
        return window->octets >= (window->most ? window->most : PT_WINDOW_OCTETS);
}

bool pt_window_take(struct pt_window *window, struct pt_window_record *ret)
{
        struct pt_window_record last;
        size_t place = 0, child;

        if (!window->count)
                return false;
        *ret = window->heap[0];
        window->octets -= ret->length + OVERHEAD;
        last = window->heap[--window->count];
        while ((child = 2 * place + 1) < window->count) {
                if (child + 1 < window->count &&
                    before(&window->heap[child + 1], &window->heap[child]))
                        child++;
                if (!before(&window->heap[child], &last))
                        break;
                window->heap[place] = window->heap[child];
                place = child;
        }
        window->heap[place] = last;
        return true;
}

void pt_window_clear(struct pt_window *window)
{
        for (size_t i = 0; i < window->count; i++)
                free(window->heap[i].octets);
        free(window->heap);
        *window = (struct pt_window){0};
}
