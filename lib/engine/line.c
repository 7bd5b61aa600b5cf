#include "engine/line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"

/*
 * SYNs stay where they were put; what is kept in order is their places. The order has twice the
 * room, and moves back to the beginning when it has wandered to the end. Nearly all SYNs come in
 * order, so nearly all are appended; for one that does not, its place is searched by halves, and
 * the others move up by one block, so that no order of times costs more than that.
 */
struct pt_line {
        struct pt_syn syns[PT_LINE_PLACES];
        uint16_t order[2 * PT_LINE_PLACES];
        uint32_t first; /* of the order */
        uint32_t last;  /* behind its end */
        uint16_t free[PT_LINE_PLACES];
        uint32_t free_count;
};

int pt_line_new(struct pt_line **ret)
{
        struct pt_line *line = pt_pages_take(1, sizeof *line);

        if (!line)
                return -ENOMEM;
        for (uint32_t i = 0; i < PT_LINE_PLACES; i++)
                line->free[i] = (uint16_t)(PT_LINE_PLACES - 1 - i);
        line->free_count = PT_LINE_PLACES;
        *ret = line;
        return 0;
}

struct pt_line *pt_line_free(struct pt_line *line)
{
        pt_pages_give(line, 1, sizeof *line);
        return NULL;
}

size_t pt_line_size(void)
{
        return sizeof(struct pt_line);
}

bool pt_line_full(const struct pt_line *line)
{
        return line->free_count == 0;
}

/* The first place in the order whose SYN is later than `time`. */
static uint32_t place_for(const struct pt_line *line, int64_t time)
{
        uint32_t low = line->first, high = line->last;

        if (low == high || line->syns[line->order[high - 1]].time <= time)
                return high;
        while (low < high) {
                uint32_t middle = low + (high - low) / 2;

                if (line->syns[line->order[middle]].time <= time)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

void pt_line_put(struct pt_line *line, const struct pt_syn *syn)
{
        uint16_t place = line->free[--line->free_count];
        uint32_t at;

        line->syns[place] = *syn;
        if (line->last == 2 * PT_LINE_PLACES) {
                memmove(line->order, line->order + line->first,
                        (line->last - line->first) * sizeof *line->order);
                line->last -= line->first;
                line->first = 0;
        }
        at = place_for(line, syn->time);
        memmove(line->order + at + 1, line->order + at, (line->last - at) * sizeof *line->order);
        line->order[at] = place;
        line->last++;
}

const struct pt_syn *pt_line_peek(const struct pt_line *line, uint32_t place)
{
        if (place >= line->last - line->first)
                return NULL;
        return &line->syns[line->order[line->first + place]];
}

const struct pt_syn *pt_line_take(struct pt_line *line)
{
        uint16_t place;

        if (line->first == line->last)
                return NULL;
        place = line->order[line->first++];
        line->free[line->free_count++] = place;
        return &line->syns[place];
}
