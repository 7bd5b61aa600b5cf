#include "io/capture/codec.h"

#include <errno.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

/* Why it went wrong, for all three. */
#define CUT "the data is cut"
#define GARBAGE "something else stands behind the compressed data"
#define GREEDY "it needs more than 128 MiB of memory to decompress"

#define WINDOW_LOG 27 /* PT_CODEC_MEMORY */

struct pt_codec;

struct methods {
        enum pt_kind kind;
        int (*open)(struct pt_codec *codec);
        enum pt_codec_step (*run)(struct pt_codec *codec, struct pt_codec_room *room, char *reason);
        void (*close)(struct pt_codec *codec);
};

struct pt_codec {
        const struct methods *methods;
        bool between; /* behind the end of a member or frame: the stream may end here */
        union {
                z_stream gzip;
                lzma_stream xz;
                ZSTD_DStream *zstd;
        };
};

static enum pt_codec_step fault(char *reason, const char *words)
{
        snprintf(reason, PT_CODEC_REASON, "%s", words);
        return PT_CODEC_FAULT;
}

/* ---- gzip ---- */

static int gzip_open(struct pt_codec *codec)
{
        return inflateInit2(&codec->gzip, MAX_WBITS + 16) == Z_OK ? 0 : -ENOMEM;
}

/* Between members, zeros are padding: tapes and some tools leave them. */
static void skip_padding(struct pt_codec_room *room)
{
        while (room->in_left && *room->in == 0) {
                room->in++;
                room->in_left--;
        }
}

static enum pt_codec_step gzip_inflate(struct pt_codec *codec, struct pt_codec_room *room,
                                       char *reason)
{
        z_stream *stream = &codec->gzip;
        int r;

        stream->next_in = (z_const Bytef *)room->in;
        stream->avail_in = (uInt)room->in_left;
        stream->next_out = room->out;
        stream->avail_out = (uInt)room->out_left;
        r = inflate(stream, Z_NO_FLUSH);
        room->in = stream->next_in;
        room->in_left = stream->avail_in;
        room->out = stream->next_out;
        room->out_left = stream->avail_out;
        if (r == Z_STREAM_END)
                codec->between = true;
        else if (r == Z_MEM_ERROR)
                return PT_CODEC_NO_MEMORY;
        else if (r != Z_OK && r != Z_BUF_ERROR)
                return fault(reason, stream->msg ? stream->msg : "the data is damaged");
        return PT_CODEC_GO;
}

static enum pt_codec_step gzip_run(struct pt_codec *codec, struct pt_codec_room *room, char *reason)
{
        enum pt_codec_step step = PT_CODEC_GO;

        while (step == PT_CODEC_GO && room->out_left) {
                size_t before = room->in_left, room_before = room->out_left;

                if (codec->between) {
                        skip_padding(room);
                        if (room->in_left == 0)
                                return room->last ? PT_CODEC_END : PT_CODEC_GO;
                        if (*room->in != 0x1f)
                                return fault(reason, GARBAGE);
                        inflateReset(&codec->gzip);
                        codec->between = false;
                }
                step = gzip_inflate(codec, room, reason);
                if (!codec->between && before == room->in_left && room_before == room->out_left)
                        return room->last && step == PT_CODEC_GO ? fault(reason, CUT) : step;
        }
        return step;
}

static void gzip_close(struct pt_codec *codec)
{
        inflateEnd(&codec->gzip);
}

/* ---- zstd ---- */

static int zstd_open(struct pt_codec *codec)
{
        codec->zstd = ZSTD_createDStream();
        if (!codec->zstd)
                return -ENOMEM;
        ZSTD_DCtx_setParameter(codec->zstd, ZSTD_d_windowLogMax, WINDOW_LOG);
        return 0;
}

static enum pt_codec_step zstd_fault(const struct pt_codec *codec, size_t code, char *reason)
{
        const char *words = ZSTD_getErrorName(code);

        if (strstr(words, "memory"))
                return strstr(words, "Frame requires") ? fault(reason, GREEDY) : PT_CODEC_NO_MEMORY;
        if (codec->between && strstr(words, "Unknown frame descriptor"))
                return fault(reason, GARBAGE);
        return fault(reason, words);
}

static enum pt_codec_step zstd_run(struct pt_codec *codec, struct pt_codec_room *room, char *reason)
{
        while (room->out_left) {
                ZSTD_inBuffer in = {room->in, room->in_left, 0};
                ZSTD_outBuffer out = {room->out, room->out_left, 0};
                size_t r;

                if (room->in_left == 0 && codec->between)
                        return room->last ? PT_CODEC_END : PT_CODEC_GO;
                r = ZSTD_decompressStream(codec->zstd, &out, &in);
                if (ZSTD_isError(r))
                        return zstd_fault(codec, r, reason);
                codec->between = r == 0;
                room->in += in.pos;
                room->in_left -= in.pos;
                room->out += out.pos;
                room->out_left -= out.pos;
                if (in.pos == 0 && out.pos == 0 && !codec->between)
                        return room->last ? fault(reason, CUT) : PT_CODEC_GO;
        }
        return PT_CODEC_GO;
}

static void zstd_close(struct pt_codec *codec)
{
        ZSTD_freeDStream(codec->zstd);
}

/* ---- xz ---- */

static int xz_open(struct pt_codec *codec)
{
        codec->xz = (lzma_stream)LZMA_STREAM_INIT;
        return lzma_stream_decoder(&codec->xz, PT_CODEC_MEMORY, LZMA_CONCATENATED) == LZMA_OK
                       ? 0
                       : -ENOMEM;
}

static enum pt_codec_step xz_run(struct pt_codec *codec, struct pt_codec_room *room, char *reason)
{
        lzma_stream *stream = &codec->xz;
        lzma_ret r;

        stream->next_in = room->in;
        stream->avail_in = room->in_left;
        stream->next_out = room->out;
        stream->avail_out = room->out_left;
        r = lzma_code(stream, room->last ? LZMA_FINISH : LZMA_RUN);
        room->in = stream->next_in;
        room->in_left = stream->avail_in;
        room->out = stream->next_out;
        room->out_left = stream->avail_out;
        switch (r) {
        case LZMA_OK:
                return PT_CODEC_GO;
        case LZMA_STREAM_END:
                return PT_CODEC_END;
        case LZMA_BUF_ERROR: /* no progress could be made: with input and room, never */
                return room->last && room->out_left ? fault(reason, CUT) : PT_CODEC_GO;
        case LZMA_MEM_ERROR:
                return PT_CODEC_NO_MEMORY;
        case LZMA_MEMLIMIT_ERROR:
                return fault(reason, GREEDY);
        case LZMA_OPTIONS_ERROR:
                return fault(reason, "it uses what this version of liblzma does not know");
        default:
                return fault(reason, "the data is damaged");
        }
}

static void xz_close(struct pt_codec *codec)
{
        lzma_end(&codec->xz);
}

/* ---- all of them ---- */

static const struct methods all[] = {
        {PT_KIND_GZIP, gzip_open, gzip_run, gzip_close},
        {PT_KIND_ZSTD, zstd_open, zstd_run, zstd_close},
        {PT_KIND_XZ, xz_open, xz_run, xz_close},
};

static const struct methods *find(enum pt_kind kind)
{
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
                if (all[i].kind == kind)
                        return &all[i];
        }
        return NULL;
}

bool pt_codec_knows(enum pt_kind kind)
{
        return find(kind) != NULL;
}

int pt_codec_new(enum pt_kind kind, struct pt_codec **ret)
{
        const struct methods *methods = find(kind);
        struct pt_codec *codec;
        int r;

        if (!methods)
                return -EINVAL;
        codec = calloc(1, sizeof *codec);
        if (!codec)
                return -ENOMEM;
        codec->methods = methods;
        r = methods->open(codec);
        if (r < 0) {
                free(codec);
                return r;
        }
        *ret = codec;
        return 0;
}

struct pt_codec *pt_codec_free(struct pt_codec *codec)
{
        if (codec)
                codec->methods->close(codec);
        free(codec);
        return NULL;
}

enum pt_codec_step pt_codec_run(struct pt_codec *codec, struct pt_codec_room *room,
                                char reason[PT_CODEC_REASON])
{
        return codec->methods->run(codec, room, reason);
}
