#include "io/output/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint64_t pt_queue_count(const char *bytes, size_t length)
{
        const char *end = bytes + length;
        uint64_t lines = 0;

        for (const char *p = bytes; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
                lines++;
        return lines;
}

size_t pt_queue_whole(const char *bytes, size_t length)
{
        const char *last = length ? memrchr(bytes, '\n', length) : NULL;

        return last ? (size_t)(last - bytes) + 1 : 0;
}

int pt_queue_init(struct pt_queue *queue, size_t capacity)
{
        *queue = (struct pt_queue){.bytes = malloc(2 * capacity), .capacity = capacity};
        return queue->bytes ? 0 : -ENOMEM;
}

void pt_queue_clear(struct pt_queue *queue)
{
        free(queue->bytes);
        *queue = (struct pt_queue){0};
}

char *pt_queue_room(struct pt_queue *queue, size_t *ret_length)
{
        size_t length = pt_queue_length(queue), room = queue->capacity - length;

        /* Twice the memory, so that lines are moved once for each `capacity` octets at most. */
        if (2 * queue->capacity - queue->tail < room) {
                memmove(queue->bytes, queue->bytes + queue->head, length);
                queue->head = 0;
                queue->tail = length;
        }
        *ret_length = room;
        return queue->bytes + queue->tail;
}

void pt_queue_grow(struct pt_queue *queue, size_t length)
{
        queue->lines += pt_queue_count(queue->bytes + queue->tail, length);
        queue->tail += length;
}

bool pt_queue_put(struct pt_queue *queue, const char *lines, size_t length)
{
        size_t room;
        char *place = pt_queue_room(queue, &room);

        if (length > room)
                return false;
        memcpy(place, lines, length);
        pt_queue_grow(queue, length);
        return true;
}

uint64_t pt_queue_take(struct pt_queue *queue, size_t length)
{
        uint64_t lines = pt_queue_count(pt_queue_front(queue), length);

        queue->head += length;
        queue->lines -= lines;
        if (queue->head == queue->tail)
                queue->head = queue->tail = 0; /* so a queue that empties uses few pages */
        return lines;
}
