/*
 * source: a file, decompressed if need be, as a stream of octets in memory. Readers of records
 * borrow them from its buffer: nothing is copied again.
 */
#pragma once

#include "io/capture/unpack.h"

#define PT_SOURCE_BUFFER ((size_t)256 << 10) /* PT_REPLAY_BUFFER */
#define PT_SOURCE_REASON 160

struct pt_source_settings {
        const volatile bool *stop; /* no wait goes on once it is set; NULL: nobody sets it */
        bool follow;               /* the file grows */
        bool hashed;               /* for pt_source_digest() */
        struct pt_feed_idle idle;  /* told while nothing is unpacked: that is another thread's */
        size_t buffer;             /* 0: PT_SOURCE_BUFFER */
};

enum pt_source_state {
        PT_SOURCE_MORE,   /* there may be more than is in memory */
        PT_SOURCE_LATER,  /* not yet: the file grows (-EAGAIN of a feed) */
        PT_SOURCE_END,    /* no octet follows those in memory */
        PT_SOURCE_FAILED, /* what follows cannot be read: `error` and `reason` */
};

struct pt_source {
        const uint8_t *at;  /* the next octet */
        const uint8_t *end; /* behind the last one in memory */
        enum pt_source_state state;
        bool held;                     /* what is in memory stays where it is: more comes LATER */
        int error;                     /* errno of what failed */
        char reason[PT_SOURCE_REASON]; /* and a sentence */
        uint64_t offset;               /* of `end` in the stream */
        uint8_t *buffer;
        size_t capacity;
        struct pt_feed feed;
        struct pt_unpack *unpack; /* NULL where the feed is the stream */
};

/* 0, or a negative errno. pt_source_close() afterwards in any case. */
int pt_source_open(struct pt_source *source, const char *path,
                   const struct pt_source_settings *settings);
void pt_source_close(struct pt_source *source);

/*
 * What has come so far is the beginning of something compressed: from now on the stream is what
 * comes out of it. The source must stand at its beginning. 0, or a negative errno.
 */
int pt_source_unpack(struct pt_source *source, enum pt_kind kind);

/* As pt_feed_digest(): of the file as it lies there. Nothing more is read afterwards. */
bool pt_source_digest(struct pt_source *source, char ret[PT_FEED_DIGEST]);

/* The long way of pt_source_want(). */
bool pt_source_fill(struct pt_source *source, size_t length);

/*
 * Are there `length` octets at `at`? Reads on if there are not, and moves what is there: pointers
 * into the buffer from before do not hold. If not, `state` says why.
 */
static inline bool pt_source_want(struct pt_source *source, size_t length)
{
        return __builtin_expect((size_t)(source->end - source->at) >= length, 1) ||
               pt_source_fill(source, length);
}

static inline size_t pt_source_left(const struct pt_source *source)
{
        return (size_t)(source->end - source->at);
}

/* Where `at` is in the stream. */
static inline uint64_t pt_source_offset(const struct pt_source *source)
{
        return source->offset - pt_source_left(source);
}
