#include "io/capture/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int pt_source_open(struct pt_source *source, const char *path,
                   const struct pt_source_settings *settings)
{
        *source = (struct pt_source){
                .capacity = settings->buffer ? settings->buffer : PT_SOURCE_BUFFER,
                .feed = {.fd = -1,
                         .stop = settings->stop,
                         .follow = settings->follow,
                         .idle = settings->idle,
                         .hashed = settings->hashed},
        };
        source->buffer = malloc(source->capacity);
        if (!source->buffer)
                return -ENOMEM;
        source->at = source->end = source->buffer;
        return pt_feed_open(&source->feed, path);
}

void pt_source_close(struct pt_source *source)
{
        source->unpack = pt_unpack_free(source->unpack);
        pt_feed_close(&source->feed);
        free(source->buffer);
        source->buffer = NULL;
}

int pt_source_unpack(struct pt_source *source, enum pt_kind kind)
{
        int r;

        source->feed.idle = (struct pt_feed_idle){0};
        r = pt_unpack_new(&source->feed, kind, source->at, pt_source_left(source), &source->unpack);
        if (r < 0)
                return r;
        source->at = source->end = source->buffer;
        source->offset = 0;
        source->state = PT_SOURCE_MORE;
        return 0;
}

bool pt_source_digest(struct pt_source *source, char ret[PT_FEED_DIGEST])
{
        source->unpack = pt_unpack_free(source->unpack); /* it reads too */
        source->feed.abandoned = false;
        source->feed.follow = false;
        return pt_feed_digest(&source->feed, ret);
}

static void fail(struct pt_source *source, int error, const char *reason)
{
        source->state = PT_SOURCE_FAILED;
        source->error = error;
        snprintf(source->reason, sizeof source->reason, "%s", reason);
}

/* Room for `length` octets behind `at`: what is left moves to the beginning. */
static bool make_room(struct pt_source *source, size_t length)
{
        size_t left = pt_source_left(source);

        if (length > source->capacity) {
                uint8_t *larger = malloc(length);

                if (!larger) {
                        fail(source, ENOMEM, strerror(ENOMEM));
                        return false;
                }
                memcpy(larger, source->at, left);
                free(source->buffer);
                source->buffer = larger;
                source->capacity = length;
        } else {
                memmove(source->buffer, source->at, left);
        }
        source->at = source->buffer;
        source->end = source->buffer + left;
        return true;
}

static void take(struct pt_source *source)
{
        size_t left = pt_source_left(source);
        size_t room = source->capacity - left;
        char reason[PT_UNPACK_REASON] = "";
        ssize_t got = source->unpack
                              ? pt_unpack_read(source->unpack, source->buffer + left, room, reason)
                              : pt_feed_read(&source->feed, source->buffer + left, room);

        if (got > 0) {
                source->end += got;
                source->offset += (uint64_t)got;
        } else if (got == 0) {
                source->state = PT_SOURCE_END;
        } else if (got == -EAGAIN) {
                source->state = PT_SOURCE_LATER;
        } else {
                fail(source, (int)-got, *reason ? reason : strerror((int)-got));
        }
}

bool pt_source_fill(struct pt_source *source, size_t length)
{
        if (source->state == PT_SOURCE_LATER)
                source->state = PT_SOURCE_MORE;
        if (source->held && source->state == PT_SOURCE_MORE) {
                source->state = PT_SOURCE_LATER;
                return false;
        }
        if (source->state == PT_SOURCE_MORE && !make_room(source, length))
                return false;
        while (source->state == PT_SOURCE_MORE && pt_source_left(source) < length)
                take(source);
        return pt_source_left(source) >= length;
}
