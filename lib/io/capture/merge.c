#include "io/capture/merge.h"

static bool before(const struct pt_strand *a, const struct pt_strand *b)
{
        if (a->time != b->time)
                return a->time < b->time;
        return a->frame.file < b->frame.file;
}

static void swap(struct pt_strand **a, struct pt_strand **b)
{
        struct pt_strand *kept = *a;

        *a = *b;
        *b = kept;
}

void pt_merge_push(struct pt_merge *merge, struct pt_strand *strand)
{
        size_t place = merge->count++;

        merge->list[place] = strand;
        while (place && before(merge->list[place], merge->list[(place - 1) / 2])) {
                swap(&merge->list[place], &merge->list[(place - 1) / 2]);
                place = (place - 1) / 2;
        }
}

void pt_merge_again(struct pt_merge *merge)
{
        size_t place = 0;

        for (;;) {
                size_t least = place, child = 2 * place + 1;

                for (size_t i = child; i < child + 2 && i < merge->count; i++) {
                        if (before(merge->list[i], merge->list[least]))
                                least = i;
                }
                if (least == place)
                        return;
                swap(&merge->list[place], &merge->list[least]);
                place = least;
        }
}

void pt_merge_pop(struct pt_merge *merge)
{
        merge->list[0] = merge->list[--merge->count];
        pt_merge_again(merge);
}
