/*
 * codec: compressed octets -> octets: gzip (RFC 1952), zstd (RFC 8878), xz. What several runs of a
 * compressor have appended to a file is one stream, as their own tools read it.
 *
 * It keeps nothing but what the format wants: the window of the data, at most PT_CODEC_MEMORY. So a
 * small file that decompresses to something endless costs time, as long as it is read, not memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/capture/kind.h"

#define PT_CODEC_MEMORY ((uint64_t)128 << 20) /* what zstd --long and xz -9 need, and more */
#define PT_CODEC_REASON 96

enum pt_codec_step {
        PT_CODEC_GO,    /* it wants more input, or more room */
        PT_CODEC_END,   /* the last octet has come out */
        PT_CODEC_FAULT, /* the data is damaged, cut, or needs too much memory */
        PT_CODEC_NO_MEMORY,
};

/* What goes in and where it comes out; both move on. */
struct pt_codec_room {
        const uint8_t *in;
        size_t in_left;
        uint8_t *out;
        size_t out_left;
        bool last; /* nothing comes behind `in` */
};

struct pt_codec;

bool pt_codec_knows(enum pt_kind kind);

/* 0; -ENOMEM; -EINVAL for a kind that it does not know. */
int pt_codec_new(enum pt_kind kind, struct pt_codec **ret);

/* Takes NULL. Returns NULL. */
struct pt_codec *pt_codec_free(struct pt_codec *codec);

/*
 * Decompress until the input or the room is used up. With FAULT, `reason` says in a few words what
 * is wrong, and `in` stands near where.
 */
enum pt_codec_step pt_codec_run(struct pt_codec *codec, struct pt_codec_room *room,
                                char reason[PT_CODEC_REASON]);
