#include "io/capture/album.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEADS 65536u
#define UNIT 8u /* entries begin at multiples of this */

/*
 * Places are counted on and on: an entry at place p lies at p modulo the size. So a place is known
 * to be overwritten when it is before the oldest entry that is left, and chains need no unlinking.
 */
struct entry {
        uint32_t size;   /* octets, up to the next entry; all that is written where none fits */
        uint64_t before; /* place of the entry before it in its chain, 0 for none */
        struct pt_album_frame kept;
};

struct pt_album {
        size_t size;
        uint64_t next;   /* place */
        uint64_t oldest; /* place */
        uint64_t *heads; /* places of the newest entries */
        uint8_t *memory;
};

int pt_album_new(size_t size, struct pt_album **ret)
{
        struct pt_album *album = calloc(1, sizeof *album);

        if (!album)
                return -ENOMEM;
        album->size = size / UNIT * UNIT;
        album->next = album->oldest = album->size; /* no place is 0 */
        album->heads = calloc(HEADS, sizeof *album->heads);
        album->memory = calloc(1, album->size);
        if (!album->heads || !album->memory) {
                pt_album_free(album);
                return -ENOMEM;
        }
        *ret = album;
        return 0;
}

struct pt_album *pt_album_free(struct pt_album *album)
{
        if (!album)
                return NULL;
        free(album->heads);
        free(album->memory);
        free(album);
        return NULL;
}

static struct entry *at(const struct pt_album *album, uint64_t place)
{
        return (struct entry *)(void *)(album->memory + place % album->size);
}

static uint64_t *head(const struct pt_album *album, uint32_t file, uint64_t number)
{
        uint64_t mixed = (number ^ (uint64_t)file << 40) * UINT64_C(0x9e3779b97f4a7c15);

        return &album->heads[mixed >> 48];
}

/* Room for `size` octets in one piece: what lies there is forgotten. */
static void make_room(struct pt_album *album, size_t size)
{
        size_t rest = album->size - album->next % album->size;

        if (rest < size) {
                while (album->oldest + album->size < album->next + rest)
                        album->oldest += at(album, album->oldest)->size;
                *(uint32_t *)(void *)at(album, album->next) = (uint32_t)rest;
                album->next += rest;
        }
        while (album->oldest + album->size < album->next + size)
                album->oldest += at(album, album->oldest)->size;
}

void pt_album_put(struct pt_album *album, const struct pt_trace *trace)
{
        const struct pt_frame *frame = trace->frame;
        size_t octets = frame->offset ? 0 : frame->captured;
        size_t size = (sizeof(struct entry) + octets + UNIT - 1) / UNIT * UNIT;
        uint64_t *chain = head(album, frame->file, frame->number);
        struct entry *entry;

        if (size > album->size / 2)
                return; /* no frame is as long as that */
        make_room(album, size);
        entry = at(album, album->next);
        *entry = (struct entry){
                .size = (uint32_t)size,
                .before = *chain,
                .kept = {*frame, trace->query_number, trace->query_file, trace->part},
        };
        entry->kept.frame.bytes = NULL;
        if (octets)
                memcpy(entry + 1, frame->bytes, octets);
        *chain = album->next;
        album->next += size;
}

bool pt_album_find(const struct pt_album *album, uint32_t file, uint64_t number,
                   struct pt_album_frame *ret)
{
        uint64_t place = *head(album, file, number);

        while (place && place >= album->oldest) {
                const struct entry *entry = at(album, place);

                if (entry->kept.frame.number == number && entry->kept.frame.file == file) {
                        *ret = entry->kept;
                        if (!ret->frame.offset)
                                ret->frame.bytes = (const uint8_t *)(entry + 1);
                        return true;
                }
                place = entry->before;
        }
        return false;
}
