#include "io/capture/classic.h"

#include <string.h>

#define FILE_HEADER 24
#define RECORD_HEADER 16
#define PATCHED_HEADER 24 /* of Kuznetsov's variant: interface, protocol, type */

#define MAGIC 0xa1b2c3d4u
#define MAGIC_NANO 0xa1b23c4du
#define MAGIC_PATCHED 0xa1b2cd34u

#define LINK_BITS 0x03ffffffu /* above them: whether and how long an FCS follows each frame */

static inline uint32_t word(const struct pt_classic *classic, const uint8_t *bytes)
{
        uint32_t value;

        memcpy(&value, bytes, sizeof value);
        return classic->swapped ? __builtin_bswap32(value) : value;
}

static uint16_t half(const struct pt_classic *classic, const uint8_t *bytes)
{
        uint16_t value;

        memcpy(&value, bytes, sizeof value);
        return classic->swapped ? __builtin_bswap16(value) : value;
}

static void read_magic(struct pt_classic *classic, const uint8_t *bytes)
{
        uint32_t magic = word(classic, bytes);

        if (magic != MAGIC && magic != MAGIC_NANO && magic != MAGIC_PATCHED) {
                classic->swapped = true;
                magic = word(classic, bytes);
        }
        classic->nano = magic == MAGIC_NANO;
        classic->header = magic == MAGIC_PATCHED ? PATCHED_HEADER : RECORD_HEADER;
}

/*
 * Version 2.3 exchanged the two lengths of a record, but not every program that wrote 2.3 did.
 * tcpdump of DG/UX wrote 543.0, with the lengths as before.
 */
static bool read_version(struct pt_classic *classic, unsigned major, unsigned minor)
{
        classic->lengths_swapped = major == 543 || minor < 3;
        classic->lengths_doubtful = major == 2 && minor == 3;
        return (major == 2 && minor <= 4) || (major == 543 && minor == 0);
}

enum pt_record pt_classic_open(struct pt_classic *classic, struct pt_source *source,
                               struct pt_record_fault *fault)
{
        unsigned major, minor;

        *classic = (struct pt_classic){0};
        if (!pt_source_want(source, FILE_HEADER)) {
                if (source->state != PT_SOURCE_END)
                        return pt_record_lack(source, fault, "the file header", FILE_HEADER);
                return pt_record_refuse(source, fault, "cut inside the file header (%zu bytes)",
                                        pt_source_left(source));
        }
        read_magic(classic, source->at);
        major = half(classic, source->at + 4);
        minor = half(classic, source->at + 6);
        if (!read_version(classic, major, minor))
                return pt_record_refuse(source, fault, "pcap version %u.%u is not read", major,
                                        minor);
        classic->snapshot = word(classic, source->at + 16);
        if (classic->snapshot == 0 || classic->snapshot > INT32_MAX)
                classic->snapshot = PT_RECORD_FRAME_MOST;
        classic->linktype = (int)(word(classic, source->at + 20) & LINK_BITS);
        /* A cooked capture of that variant has an Ethernet header made up beyond its snap length.
         */
        if (classic->header == PATCHED_HEADER && classic->linktype == PT_LINK_ETHERNET)
                classic->snapshot += 14;
        source->at += FILE_HEADER;
        return PT_RECORD_FRAME;
}

/* The fraction is signed: what programs mean that write -1 there is a little less than a second. */
static inline int64_t time_of(const struct pt_classic *classic, const uint8_t *header,
                              bool *ret_odd)
{
        int64_t seconds = word(classic, header);
        int64_t fraction = (int32_t)word(classic, header + 4);

        if (!classic->nano)
                fraction *= 1000;
        *ret_odd = fraction < 0 || fraction >= 1000000000;
        return seconds * 1000000000 + fraction;
}

static inline void read_lengths(const struct pt_classic *classic, const uint8_t *header,
                                struct pt_frame *ret)
{
        uint32_t first = word(classic, header + 8), second = word(classic, header + 12);
        bool swap = classic->lengths_swapped || (classic->lengths_doubtful && first > second);

        ret->captured = swap ? second : first;
        ret->length = swap ? first : second;
}

enum pt_record pt_classic_next(const struct pt_classic *classic, struct pt_source *source,
                               struct pt_frame *ret, struct pt_record_fault *fault)
{
        size_t whole = classic->header;

        if (!pt_source_want(source, whole))
                return pt_record_lack(source, fault, "a record's header", whole);
        read_lengths(classic, source->at, ret);
        if (ret->captured > PT_RECORD_FRAME_MOST)
                return pt_record_refuse(source, fault,
                                        "a record of %u octets, of which a frame has at most %u",
                                        ret->captured, PT_RECORD_FRAME_MOST);
        whole += ret->captured;
        if (!pt_source_want(source, whole))
                return pt_record_lack(source, fault, "a record", whole);
        ret->time = time_of(classic, source->at, &ret->odd_time);
        ret->bytes = source->at + classic->header;
        ret->linktype = classic->linktype;
        source->at += whole;
        if (ret->captured > classic->snapshot)
                ret->captured = classic->snapshot; /* as libpcap clips it */
        return PT_RECORD_FRAME;
}

static inline bool in_order(struct pt_record_order *order, int64_t time)
{
        if (time >= order->limit || time > order->time + order->ahead ||
            time < order->time - order->back)
                return false;
        if (time > order->time)
                order->time = time;
        return true;
}

__attribute__((hot)) size_t pt_classic_several(const struct pt_classic *classic,
                                               struct pt_source *source,
                                               struct pt_record_order *order, struct pt_frame *ret,
                                               size_t room)
{
        const uint8_t *at = source->at, *end = source->end;
        size_t header = classic->header, count = 0;

        for (; count < room && (size_t)(end - at) >= header; count++, ret++) {
                read_lengths(classic, at, ret);
                if (ret->captured > PT_RECORD_FRAME_MOST ||
                    (size_t)(end - at) - header < ret->captured)
                        break;
                ret->time = time_of(classic, at, &ret->odd_time);
                if (!in_order(order, ret->time))
                        break;
                ret->bytes = at + header;
                ret->linktype = classic->linktype;
                at += header + ret->captured;
                if (ret->captured > classic->snapshot)
                        ret->captured = classic->snapshot;
        }
        source->at = at;
        return count;
}
