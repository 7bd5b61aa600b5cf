/*
 * replay: capture files -> frames, through libpcap. pcap (both byte orders, micro- and nanoseconds)
 * and pcapng; standard input.
 *
 * Frames come as the file has them: more bytes than the packet had, times before 1970, whatever.
 * Only a time that nanoseconds in 64 bits cannot hold is set to the nearest that they can.
 */
#pragma once

#include "../packet.h"

struct pt_replay;

enum pt_replay_step {
        PT_REPLAY_FRAME, /* one frame */
        PT_REPLAY_END,   /* the input ended where it should */
        PT_REPLAY_CUT,   /* the input cannot be read further: `fault` says where and why */
};

struct pt_replay_fault {
        uint64_t offset;    /* bytes into the input, where the part that cannot be read begins */
        char sentence[320]; /* file, offset and reason, for people */
};

/*
 * Open a capture. `path` "-" is standard input; `filter` is a BPF expression or NULL; `file` is
 * copied into every frame. 0; -ENOMEM; -EINVAL for a bad filter; -EBADMSG for what is no capture,
 * is compressed, or has a link type that packet.h does not read; another negative errno if it
 * cannot be opened or read (-EISDIR for a directory). On error `fault` is written.
 *
 * The start of the file is read here: on a pipe this waits until somebody writes.
 */
int pt_replay_open(const char *path, const char *filter, uint32_t file, struct pt_replay **ret,
                   struct pt_replay_fault *fault);

/*
 * The next frame that the filter passes, valid until the next call. Frames are numbered as the file
 * has them, also those that the filter drops. END and CUT repeat when asked again. A signal handler
 * that was installed without SA_RESTART ends the wait for a pipe with CUT ("Interrupted").
 */
enum pt_replay_step pt_replay_next(struct pt_replay *replay, struct pt_frame *ret,
                                   struct pt_replay_fault *fault);

/* Takes NULL. Returns NULL. */
struct pt_replay *pt_replay_free(struct pt_replay *replay);

/* Does this filter compile? 0, or -EINVAL with `fault`. */
int pt_replay_check_filter(const char *filter, struct pt_replay_fault *fault);
