/*
 * capture: capture files written octet by octet, as draft-ietf-opsawg-pcap and
 * draft-ietf-opsawg-pcapng have them.
 */
#pragma once

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct bytes {
        uint8_t at[1 << 17];
        size_t length;
        bool big; /* numbers are written big endian */
};

static inline void put(struct bytes *b, const void *bytes, size_t length)
{
        cr_assert_leq(b->length + length, sizeof(b->at));
        memcpy(b->at + b->length, bytes, length);
        b->length += length;
}

static inline void put_number(struct bytes *b, uint64_t value, unsigned octets)
{
        for (unsigned i = 0; i < octets; i++) {
                unsigned shift = 8 * (b->big ? octets - 1 - i : i);
                uint8_t octet = (uint8_t)(value >> shift);
                put(b, &octet, 1);
        }
}

#define put16(b, value) put_number(b, value, 2)
#define put32(b, value) put_number(b, value, 4)

static inline void put_pcap(struct bytes *b, uint32_t magic, uint32_t snaplen, uint32_t link)
{
        put32(b, magic);
        put16(b, 2);
        put16(b, 4);
        put32(b, 0);
        put32(b, 0);
        put32(b, snaplen);
        put32(b, link);
}

#define MICRO 0xa1b2c3d4
#define NANO 0xa1b23c4d

static inline void put_record(struct bytes *b, uint32_t seconds, uint32_t fraction,
                              uint32_t captured, uint32_t length)
{
        static const uint8_t frame[64] = {0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2, 0x08, 0x00};

        put32(b, seconds);
        put32(b, fraction);
        put32(b, captured);
        put32(b, length);
        put(b, frame, captured);
}

static inline void put_section(struct bytes *b)
{
        put32(b, 0x0a0d0d0a);
        put32(b, 28);
        put32(b, 0x1a2b3c4d);
        put16(b, 1);
        put16(b, 0);
        put_number(b, UINT64_MAX, 8); /* section length: not said */
        put32(b, 28);
}

static inline void put_interface(struct bytes *b, uint16_t link, uint32_t snaplen)
{
        put32(b, 1);
        put32(b, 20);
        put16(b, link);
        put16(b, 0);
        put32(b, snaplen);
        put32(b, 20);
}

/* Enhanced packet block of one captured word, time in microseconds. */
static inline void put_packet(struct bytes *b, uint64_t time)
{
        put32(b, 6);
        put32(b, 36);
        put32(b, 0);
        put32(b, (uint32_t)(time >> 32));
        put32(b, (uint32_t)time);
        put32(b, 4);
        put32(b, 4);
        put(b, "\x45\x00\x00\x14", 4);
        put32(b, 36);
}

/* A block of a type that nobody knows. */
static inline void put_unknown(struct bytes *b)
{
        put32(b, 0x0bad0bad);
        put32(b, 16);
        put32(b, 0);
        put32(b, 16);
}

/* A file that has no name but this, until the test ends. */
static inline const char *as_file(const struct bytes *b)
{
        static char name[64];
        int fd = memfd_create("capture", MFD_CLOEXEC);

        cr_assert_geq(fd, 0);
        cr_assert_eq(write(fd, b->at, b->length), (ssize_t)b->length);
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        return name;
}
