/*
 * page: puts input right before an unreadable page, so that one octet read too many faults in every
 * build. The input of the previous call is gone afterwards.
 *
 * Hex text may hold spaces, and "61*63" for 63 octets 0x61.
 */
#pragma once

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_ROOM ((size_t)256 * 1024)

/* The end of the readable pages; mapped once per process. */
static inline uint8_t *page_end(void)
{
        static uint8_t *start;

        if (!start) {
                size_t page = (size_t)sysconf(_SC_PAGESIZE);

                start = mmap(NULL, PAGE_ROOM + page, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                if (start == MAP_FAILED || mprotect(start + PAGE_ROOM, page, PROT_NONE) < 0)
                        abort();
        }
        return start + PAGE_ROOM;
}

static inline const uint8_t *page_place(const void *bytes, size_t length)
{
        uint8_t *at = page_end() - length;

        if (length > PAGE_ROOM)
                abort();
        if (length > 0)
                memmove(at, bytes, length);
        return at;
}

static inline uint8_t hex_octet(const char *text)
{
        char digits[3] = {text[0], text[1], '\0'};

        if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1])) {
                fprintf(stderr, "not hex: \"%s\"\n", text);
                abort();
        }
        return (uint8_t)strtoul(digits, NULL, 16);
}

/* Returns how many octets the text stands for. */
static inline size_t hex_read(const char *text, uint8_t *ret, size_t room)
{
        size_t length = 0;

        for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
                uint8_t octet = hex_octet(text);
                unsigned long count = 1;
                char *end;

                text += 2;
                if (*text == '*') {
                        count = strtoul(text + 1, &end, 10);
                        text = end;
                }
                if (count > room - length)
                        abort();
                memset(ret + length, octet, count);
                length += count;
        }
        return length;
}

static inline const uint8_t *page_hex(const char *text, size_t *ret_length)
{
        static uint8_t bytes[PAGE_ROOM];

        *ret_length = hex_read(text, bytes, sizeof bytes);
        return page_place(bytes, *ret_length);
}
