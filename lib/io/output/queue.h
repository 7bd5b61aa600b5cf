/*
 * queue: lines that wait in memory, first in, first out, in one piece of it that is taken at the
 * start. What is inside is whole lines, each ended by a newline.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pt_queue {
        char *bytes;
        size_t head, tail; /* what waits lies between them */
        size_t capacity;   /* octets that may wait; there is room for twice as many */
        uint64_t lines;
};

/* 0, or -ENOMEM. The memory costs nothing before it is used. */
int pt_queue_init(struct pt_queue *queue, size_t capacity);
void pt_queue_clear(struct pt_queue *queue);

/* Add whole lines at the end. False if they do not fit. */
bool pt_queue_put(struct pt_queue *queue, const char *lines, size_t length);

/* Where the next lines could be put, and how many octets of them. Then pt_queue_grow(). */
char *pt_queue_room(struct pt_queue *queue, size_t *ret_length);
void pt_queue_grow(struct pt_queue *queue, size_t length);

/* Remove whole lines from the front; returns how many. */
uint64_t pt_queue_take(struct pt_queue *queue, size_t length);

static inline const char *pt_queue_front(const struct pt_queue *queue)
{
        return queue->bytes + queue->head;
}

static inline size_t pt_queue_length(const struct pt_queue *queue)
{
        return queue->tail - queue->head;
}

/* How many lines end in these octets; and how many octets of them are whole lines. */
uint64_t pt_queue_count(const char *bytes, size_t length);
size_t pt_queue_whole(const char *bytes, size_t length);
