#include "io/capture/block.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
        TYPE_INTERFACE = 1,
        TYPE_OBSOLETE = 2, /* "Packet Block" of older drafts */
        TYPE_SIMPLE = 3,
        TYPE_ENHANCED = 6,
        TYPE_SECTION = 0x0a0d0d0a, /* reads the same in both byte orders */
};

enum {
        OPTION_END = 0,
        OPTION_RESOLUTION = 9,
        OPTION_OFFSET = 14,
};

#define SECTION_MAGIC 0x1a2b3c4du
#define SECTION_LEAST 28
#define LEAST 12 /* type, length, length again */

static uint32_t word(const struct pt_block *block, const uint8_t *bytes)
{
        uint32_t value;

        memcpy(&value, bytes, sizeof value);
        return block->swapped ? __builtin_bswap32(value) : value;
}

static uint16_t half(const struct pt_block *block, const uint8_t *bytes)
{
        uint16_t value;

        memcpy(&value, bytes, sizeof value);
        return block->swapped ? __builtin_bswap16(value) : value;
}

static uint64_t wide(const struct pt_block *block, const uint8_t *bytes)
{
        uint64_t value;

        memcpy(&value, bytes, sizeof value);
        return block->swapped ? __builtin_bswap64(value) : value;
}

/* ---- sections ---- */

/* A section says its byte order before its length can be read. */
static enum pt_record read_order(struct pt_block *block, struct pt_source *source,
                                 struct pt_record_fault *fault)
{
        uint32_t magic;

        if (!pt_source_want(source, LEAST))
                return pt_record_lack(source, fault, "a section's header", LEAST);
        memcpy(&magic, source->at + 8, sizeof magic);
        if (magic != SECTION_MAGIC && magic != __builtin_bswap32(SECTION_MAGIC))
                return pt_record_refuse(source, fault, "a section without its byte order magic");
        block->swapped = magic != SECTION_MAGIC;
        return PT_RECORD_FRAME;
}

static enum pt_record read_section(struct pt_block *block, const struct pt_source *source,
                                   uint32_t length, struct pt_record_fault *fault)
{
        unsigned major;

        if (length < SECTION_LEAST)
                return pt_record_refuse(source, fault, "a section header of length %u", length);
        major = half(block, source->at + 12);
        if (major != 1)
                return pt_record_refuse(source, fault, "pcapng version %u.%u is not read", major,
                                        half(block, source->at + 14));
        block->count = 0;
        return PT_RECORD_FRAME;
}

/* ---- interfaces ---- */

/* if_tsresol: a negative power of ten, or with the top bit set of two. */
static bool read_resolution(uint8_t value, uint64_t *ret)
{
        uint64_t second = 1;

        if (value & 0x80) {
                if ((value & 0x7f) > 63)
                        return false;
                *ret = second << (value & 0x7f);
                return true;
        }
        if (value > 19)
                return false;
        for (uint8_t i = 0; i < value; i++)
                second *= 10;
        *ret = second;
        return true;
}

static enum pt_record read_option(const struct pt_block *block, const struct pt_source *source,
                                  const uint8_t *value, unsigned code, size_t length,
                                  struct pt_block_interface *interface,
                                  struct pt_record_fault *fault)
{
        if (code == OPTION_RESOLUTION) {
                if (length != 1 || !read_resolution(value[0], &interface->second))
                        return pt_record_refuse(source, fault,
                                                "an interface whose time resolution (if_tsresol) "
                                                "cannot be: %zu octets, value %#x",
                                                length, length ? value[0] : 0);
        } else if (code == OPTION_OFFSET) {
                if (length != 8)
                        return pt_record_refuse(source, fault,
                                                "an interface whose time offset (if_tsoffset) has "
                                                "%zu octets, not 8",
                                                length);
                interface->offset = (int64_t)wide(block, value);
        }
        return PT_RECORD_FRAME;
}

static enum pt_record read_options(const struct pt_block *block, const struct pt_source *source,
                                   const uint8_t *at, const uint8_t *end,
                                   struct pt_block_interface *interface,
                                   struct pt_record_fault *fault)
{
        while (end - at >= 4) {
                unsigned code = half(block, at);
                size_t length = half(block, at + 2);
                enum pt_record r;

                at += 4;
                if (code == OPTION_END)
                        return PT_RECORD_FRAME;
                if ((size_t)(end - at) < (length + 3) / 4 * 4)
                        break;
                r = read_option(block, source, at, code, length, interface, fault);
                if (r != PT_RECORD_FRAME)
                        return r;
                at += (length + 3) / 4 * 4;
        }
        if (at == end)
                return PT_RECORD_FRAME;
        return pt_record_refuse(source, fault, "an interface whose options do not fit its block");
}

static bool keep(struct pt_block *block, const struct pt_block_interface *interface)
{
        if (block->count == block->room) {
                size_t room = block->room ? block->room * 2 : 4;
                struct pt_block_interface *larger =
                        realloc(block->interfaces, room * sizeof *larger);

                if (!larger)
                        return false;
                block->interfaces = larger;
                block->room = room;
        }
        block->interfaces[block->count++] = *interface;
        return true;
}

static enum pt_record read_interface(struct pt_block *block, const struct pt_source *source,
                                     uint32_t length, struct pt_record_fault *fault)
{
        const uint8_t *at = source->at;
        struct pt_block_interface interface = {.second = 1000000};
        enum pt_record r;

        if (length < LEAST + 8)
                return pt_record_refuse(source, fault, "an interface block of length %u", length);
        if (block->count == PT_BLOCK_INTERFACES)
                return pt_record_refuse(source, fault, "more than %d interfaces in a section",
                                        PT_BLOCK_INTERFACES);
        interface.linktype = half(block, at + 8);
        interface.snapshot = word(block, at + 12);
        r = read_options(block, source, at + 16, at + length - 4, &interface, fault);
        if (r != PT_RECORD_FRAME)
                return r;
        if (!keep(block, &interface)) {
                pt_record_refuse(source, fault, "%s", strerror(ENOMEM));
                fault->error = ENOMEM;
                return PT_RECORD_FAULT;
        }
        return PT_RECORD_FRAME;
}

/* ---- packets ---- */

/* Ticks since 1970 as nanoseconds; the nearest that 64 bits hold. */
static int64_t time_of(const struct pt_block_interface *interface, uint64_t ticks)
{
        __int128 time;

        if (interface->second == 1000000 && interface->offset == 0 && ticks < (uint64_t)1 << 52)
                return (int64_t)ticks * 1000;
        time = (__int128)ticks * 1000000000 / interface->second +
               (__int128)interface->offset * 1000000000;
        if (time > INT64_MAX)
                return INT64_MAX;
        return time < INT64_MIN ? INT64_MIN : (int64_t)time;
}

/* What a packet block says of its packet. */
struct packet {
        uint32_t interface;
        uint32_t header; /* octets of the block before the packet's own */
        uint64_t ticks;
        bool timed;
};

static struct packet read_packet(const struct pt_block *block, const uint8_t *at, uint32_t type,
                                 struct pt_frame *ret)
{
        struct packet packet = {.header = 28, .timed = true};

        if (type == TYPE_SIMPLE) {
                ret->captured = ret->length = word(block, at + 8);
                return (struct packet){.header = 12};
        }
        packet.interface = type == TYPE_ENHANCED ? word(block, at + 8) : half(block, at + 8);
        packet.ticks = (uint64_t)word(block, at + 12) << 32 | word(block, at + 16);
        ret->captured = word(block, at + 20);
        ret->length = word(block, at + 24);
        return packet;
}

static enum pt_record read_frame(const struct pt_block *block, const struct pt_source *source,
                                 uint32_t type, uint32_t length, struct pt_frame *ret,
                                 struct pt_record_fault *fault)
{
        const struct pt_block_interface *interface;
        struct packet packet;

        if (length < (type == TYPE_SIMPLE ? 16u : 32u))
                return pt_record_refuse(source, fault, "a packet block of length %u", length);
        packet = read_packet(block, source->at, type, ret);
        if (packet.interface >= block->count)
                return pt_record_refuse(source, fault,
                                        "a packet of interface %u, of %zu in the section",
                                        packet.interface, block->count);
        interface = &block->interfaces[packet.interface];
        /* A simple packet does not say how much of it was captured. */
        if (!packet.timed && interface->snapshot && ret->captured > interface->snapshot)
                ret->captured = interface->snapshot;
        if (ret->captured > length - packet.header - 4)
                return pt_record_refuse(source, fault, "a packet of %u octets in a block of %u",
                                        ret->captured, length);
        if (ret->captured > PT_RECORD_FRAME_MOST)
                return pt_record_refuse(source, fault, "a packet of %u octets, more than %u",
                                        ret->captured, PT_RECORD_FRAME_MOST);
        ret->bytes = source->at + packet.header;
        ret->linktype = interface->linktype;
        ret->time = packet.timed ? time_of(interface, packet.ticks) : 0;
        ret->odd_time = false;
        return PT_RECORD_FRAME;
}

/* ---- blocks ---- */

/* The whole next block in memory, its two lengths the same. */
static enum pt_record next_block(struct pt_block *block, struct pt_source *source,
                                 uint32_t *ret_type, uint32_t *ret_length,
                                 struct pt_record_fault *fault)
{
        uint32_t length;

        if (!pt_source_want(source, 8))
                return pt_record_lack(source, fault, "a block's header", 8);
        if (word(block, source->at) == TYPE_SECTION) {
                enum pt_record r = read_order(block, source, fault);

                if (r != PT_RECORD_FRAME)
                        return r;
        }
        length = word(block, source->at + 4);
        if (length < LEAST || length % 4)
                return pt_record_refuse(source, fault, "a block of length %u", length);
        if (length > PT_BLOCK_MOST)
                return pt_record_refuse(source, fault, "a block of length %u, more than %u", length,
                                        PT_BLOCK_MOST);
        if (!pt_source_want(source, length))
                return pt_record_lack(source, fault, "a block", length);
        if (word(block, source->at + length - 4) != length)
                return pt_record_refuse(source, fault, "a block of length %u that ends with %u",
                                        length, word(block, source->at + length - 4));
        *ret_type = word(block, source->at);
        *ret_length = length;
        return PT_RECORD_FRAME;
}

static bool is_packet(uint32_t type)
{
        return type == TYPE_ENHANCED || type == TYPE_SIMPLE || type == TYPE_OBSOLETE;
}

/* What stands between packets. */
static enum pt_record read_other(struct pt_block *block, const struct pt_source *source,
                                 uint32_t type, uint32_t length, struct pt_record_fault *fault)
{
        if (type == TYPE_SECTION)
                return read_section(block, source, length, fault);
        if (type == TYPE_INTERFACE)
                return read_interface(block, source, length, fault);
        return PT_RECORD_FRAME;
}

/* Up to the next packet block, which is then whole in memory. */
static enum pt_record to_packet(struct pt_block *block, struct pt_source *source,
                                uint32_t *ret_type, uint32_t *ret_length,
                                struct pt_record_fault *fault)
{
        for (;;) {
                enum pt_record r = next_block(block, source, ret_type, ret_length, fault);

                if (r != PT_RECORD_FRAME || is_packet(*ret_type))
                        return r;
                r = read_other(block, source, *ret_type, *ret_length, fault);
                if (r != PT_RECORD_FRAME)
                        return r;
                source->at += *ret_length;
        }
}

enum pt_record pt_block_open(struct pt_block *block, struct pt_source *source,
                             struct pt_record_fault *fault)
{
        uint32_t type = 0, length = 0;
        struct pt_frame frame;
        enum pt_record r;

        *block = (struct pt_block){0};
        if (!pt_source_want(source, SECTION_LEAST) && source->state == PT_SOURCE_END)
                return pt_record_refuse(source, fault, "cut inside the file header (%zu bytes)",
                                        pt_source_left(source));
        r = to_packet(block, source, &type, &length, fault);
        if (r == PT_RECORD_FRAME)
                r = read_frame(block, source, type, length, &frame, fault);
        return r == PT_RECORD_END || r == PT_RECORD_LATER ? PT_RECORD_FRAME : r;
}

void pt_block_close(struct pt_block *block)
{
        free(block->interfaces);
        block->interfaces = NULL;
        block->count = block->room = 0;
}

enum pt_record pt_block_next(struct pt_block *block, struct pt_source *source, struct pt_frame *ret,
                             struct pt_record_fault *fault)
{
        uint32_t type = 0, length = 0;
        enum pt_record r = to_packet(block, source, &type, &length, fault);

        if (r == PT_RECORD_FRAME)
                r = read_frame(block, source, type, length, ret, fault);
        if (r == PT_RECORD_FRAME)
                source->at += length;
        return r;
}
