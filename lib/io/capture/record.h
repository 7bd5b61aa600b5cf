/* record: what a reader of records finds at the place where its source stands. */
#pragma once

#include "wire/packet.h"
#include "io/capture/source.h"

#define PT_RECORD_REASON 160

/* libpcap calls a longer frame damage too. */
#define PT_RECORD_FRAME_MOST 262144

enum pt_record {
        PT_RECORD_FRAME, /* a frame; it borrows the source's octets */
        PT_RECORD_END,   /* the source ends where it should */
        PT_RECORD_LATER, /* nothing yet: the file grows. The source stands where it stood */
        PT_RECORD_FAULT, /* what begins here cannot be read */
};

struct pt_record_fault {
        uint64_t offset; /* where in the stream what cannot be read begins */
        char reason[PT_RECORD_REASON];
        int error; /* errno where the machine is in trouble, not the file; else 0 */
};

/*
 * Many frames at once come in this order: none is more than `ahead` later than the latest before
 * it, none more than `back` earlier, and all are before `limit`. `time` is that latest.
 */
struct pt_record_order {
        int64_t time;
        int64_t ahead;
        int64_t back;
        int64_t limit;
};

/* Writes the fault; `offset` is where the source stands. Returns PT_RECORD_FAULT. */
enum pt_record pt_record_refuse(const struct pt_source *source, struct pt_record_fault *fault,
                                const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * The source did not have the `wanted` octets of what begins at `at`: an end that is none in the
 * middle of something, a fault, or a wait. `what` names it.
 */
enum pt_record pt_record_lack(const struct pt_source *source, struct pt_record_fault *fault,
                              const char *what, size_t wanted);
