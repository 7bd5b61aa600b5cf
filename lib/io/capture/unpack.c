#include "io/capture/unpack.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PIECE ((size_t)256 << 10)
#define PIECES 4
#define INPUT ((size_t)128 << 10)
#define LOOK_UP 100000000 /* nanoseconds after which a wait looks at `stop` */

struct piece {
        uint8_t *bytes;
        size_t length;
};

struct pt_unpack {
        struct pt_feed *feed;
        struct pt_codec *codec;
        const char *what; /* as people call the format */
        pthread_t thread;
        bool running;
        uint8_t *input; /* the thread's */
        size_t input_left;
        const uint8_t *input_at;
        bool last;
        size_t taken; /* octets of the oldest piece that were read: the reader's */

        pthread_mutex_t lock;
        pthread_cond_t changed;
        struct piece ring[PIECES];
        size_t first, count; /* of the pieces that are full */
        bool quit;           /* the reader wants no more */
        bool over;           /* the thread makes no more */
        int error;           /* and why: 0 for the end */
        char reason[PT_UNPACK_REASON];
};

/* ---- the thread ---- */

/* More input, if there is none. 0, or a negative errno. */
static int refill(struct pt_unpack *unpack)
{
        ssize_t got;

        if (unpack->input_left || unpack->last)
                return 0;
        got = pt_feed_read(unpack->feed, unpack->input, INPUT);
        if (got < 0)
                return (int)got;
        unpack->last = got == 0;
        unpack->input_at = unpack->input;
        unpack->input_left = (size_t)got;
        return 0;
}

static int explain(struct pt_unpack *unpack, const char *reason)
{
        snprintf(unpack->reason, sizeof unpack->reason, "%s, near byte %" PRIu64 " of the file: %s",
                 unpack->what, unpack->feed->taken - unpack->input_left, reason);
        return -EBADMSG;
}

/* Fill one piece. 0: go on; 1: this was the last; a negative errno. */
static int fill(struct pt_unpack *unpack, struct piece *piece)
{
        struct pt_codec_room room = {.out = piece->bytes, .out_left = PIECE};
        enum pt_codec_step step = PT_CODEC_GO;
        char reason[PT_CODEC_REASON];
        int r = 0;

        while (step == PT_CODEC_GO && room.out_left && r == 0) {
                /* What a pipe gave so far is not kept back until a piece is full. */
                if (!unpack->feed->regular && !unpack->input_left && room.out_left < PIECE)
                        break;
                r = refill(unpack);
                if (r < 0)
                        break;
                room.in = unpack->input_at;
                room.in_left = unpack->input_left;
                room.last = unpack->last;
                step = pt_codec_run(unpack->codec, &room, reason);
                unpack->input_at = room.in;
                unpack->input_left = room.in_left;
        }
        piece->length = PIECE - room.out_left;
        if (r < 0)
                return r;
        if (step == PT_CODEC_FAULT)
                return explain(unpack, reason);
        if (step == PT_CODEC_NO_MEMORY)
                return -ENOMEM;
        return step == PT_CODEC_END;
}

/* A piece that may be filled, NULL if none is wanted. */
static struct piece *empty_piece(struct pt_unpack *unpack)
{
        struct piece *piece = NULL;

        pthread_mutex_lock(&unpack->lock);
        while (unpack->count == PIECES && !unpack->quit)
                pthread_cond_wait(&unpack->changed, &unpack->lock);
        if (!unpack->quit)
                piece = &unpack->ring[(unpack->first + unpack->count) % PIECES];
        pthread_mutex_unlock(&unpack->lock);
        return piece;
}

static void hand_over(struct pt_unpack *unpack, const struct piece *piece, int r)
{
        pthread_mutex_lock(&unpack->lock);
        unpack->count += piece->length > 0;
        if (r != 0) {
                unpack->over = true;
                unpack->error = r < 0 ? r : 0;
        }
        pthread_cond_broadcast(&unpack->changed);
        pthread_mutex_unlock(&unpack->lock);
}

static void *decompress(void *context)
{
        struct pt_unpack *unpack = context;
        struct piece *piece;
        int r = 0;

        while (r == 0 && (piece = empty_piece(unpack))) {
                r = fill(unpack, piece);
                hand_over(unpack, piece, r);
        }
        return NULL;
}

/* ---- the reader ---- */

/* Signals are for the thread that called us: the other one takes none. */
static int start(struct pt_unpack *unpack)
{
        sigset_t all, before;
        int r;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(&unpack->thread, NULL, decompress, unpack);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        unpack->running = r == 0;
        return -r;
}

static const char *name_of(enum pt_kind kind)
{
        return kind == PT_KIND_GZIP ? "gzip" : kind == PT_KIND_ZSTD ? "zstd" : "xz";
}

static int make(struct pt_unpack *unpack, enum pt_kind kind, const uint8_t *first, size_t length)
{
        unpack->what = name_of(kind);
        unpack->input = malloc(length > INPUT ? length : INPUT);
        if (!unpack->input)
                return -ENOMEM;
        memcpy(unpack->input, first, length);
        unpack->input_at = unpack->input;
        unpack->input_left = length;
        for (size_t i = 0; i < PIECES; i++) {
                unpack->ring[i].bytes = malloc(PIECE);
                if (!unpack->ring[i].bytes)
                        return -ENOMEM;
        }
        return pt_codec_new(kind, &unpack->codec);
}

int pt_unpack_new(struct pt_feed *feed, enum pt_kind kind, const uint8_t *first, size_t length,
                  struct pt_unpack **ret)
{
        struct pt_unpack *unpack = calloc(1, sizeof *unpack);
        pthread_condattr_t monotonic;
        int r;

        if (!unpack)
                return -ENOMEM;
        unpack->feed = feed;
        pthread_mutex_init(&unpack->lock, NULL);
        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(&unpack->changed, &monotonic);
        pthread_condattr_destroy(&monotonic);
        r = make(unpack, kind, first, length);
        if (r == 0)
                r = start(unpack);
        if (r < 0) {
                pt_unpack_free(unpack);
                return r;
        }
        *ret = unpack;
        return 0;
}

struct pt_unpack *pt_unpack_free(struct pt_unpack *unpack)
{
        if (!unpack)
                return NULL;
        if (unpack->running) {
                pthread_mutex_lock(&unpack->lock);
                unpack->quit = true;
                unpack->feed->abandoned = true;
                pthread_cond_broadcast(&unpack->changed);
                pthread_mutex_unlock(&unpack->lock);
                pthread_join(unpack->thread, NULL);
        }
        pt_codec_free(unpack->codec);
        for (size_t i = 0; i < PIECES; i++)
                free(unpack->ring[i].bytes);
        free(unpack->input);
        pthread_cond_destroy(&unpack->changed);
        pthread_mutex_destroy(&unpack->lock);
        free(unpack);
        return NULL;
}

static void wait_a_little(struct pt_unpack *unpack)
{
        struct timespec until;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += LOOK_UP;
        if (until.tv_nsec >= 1000000000) {
                until.tv_nsec -= 1000000000;
                until.tv_sec++;
        }
        pthread_cond_timedwait(&unpack->changed, &unpack->lock, &until);
}

/* The oldest full piece; NULL if there will be none, or `stop` is set. Holds the lock. */
static struct piece *full_piece(struct pt_unpack *unpack)
{
        const volatile bool *stop = unpack->feed->stop;

        while (unpack->count == 0 && !unpack->over && !(stop && *stop))
                wait_a_little(unpack);
        return unpack->count ? &unpack->ring[unpack->first] : NULL;
}

ssize_t pt_unpack_read(struct pt_unpack *unpack, void *bytes, size_t size,
                       char reason[PT_UNPACK_REASON])
{
        struct piece *piece;
        ssize_t got;

        pthread_mutex_lock(&unpack->lock);
        piece = full_piece(unpack);
        if (!piece) {
                got = unpack->over ? unpack->error : -EINTR;
                snprintf(reason, PT_UNPACK_REASON, "%s",
                         got == -EBADMSG ? unpack->reason : strerror((int)-got));
                pthread_mutex_unlock(&unpack->lock);
                return got;
        }
        pthread_mutex_unlock(&unpack->lock);
        /* A full piece is the reader's until it gives it back. */
        if (size > piece->length - unpack->taken)
                size = piece->length - unpack->taken;
        memcpy(bytes, piece->bytes + unpack->taken, size);
        unpack->taken += size;
        if (unpack->taken == piece->length) {
                pthread_mutex_lock(&unpack->lock);
                unpack->taken = 0;
                unpack->first = (unpack->first + 1) % PIECES;
                unpack->count--;
                pthread_cond_broadcast(&unpack->changed);
                pthread_mutex_unlock(&unpack->lock);
        }
        return (ssize_t)size;
}
