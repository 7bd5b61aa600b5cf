/*
 * kernel: frames for tests of the programs that run in the kernel, by link type, and where to find
 * more of them. pcap_offline_filter() is the interpreter, which is not ours.
 */
#pragma once

#include <criterion/criterion.h>
#include <dirent.h>
#include <pcap/pcap.h>
#include <stdio.h>

#include "make.h"

#define CLIENT "10.0.0.1"
#define SERVER "198.51.100.23"
#define SIX "2001:db8::1"
#define SERVER_SIX "2001:db8::2"

static const int links[] = {PT_LINK_ETHERNET, PT_LINK_SLL,  PT_LINK_SLL2,
                            PT_LINK_RAW,      PT_LINK_IPV4, PT_LINK_IPV6};

static inline bool passes(const struct bpf_program *program, const void *octets, size_t length)
{
        const struct pcap_pkthdr header = {.caplen = (bpf_u_int32)length,
                                           .len = (bpf_u_int32)length};

        return pcap_offline_filter(program, &header, octets) > 0;
}

static inline void udp(struct make *m, const char *from, unsigned from_port, const char *to,
                       unsigned to_port, uint8_t first)
{
        const uint8_t payload[40] = {first};

        m->length = 0;
        make_udp(m, from, from_port, to, to_port, payload, sizeof payload);
}

static inline void tcp(struct make *m, const char *from, unsigned from_port, const char *to,
                       unsigned to_port, unsigned flags)
{
        m->length = 0;
        make_tcp(m, from, from_port, to, to_port, 1, flags);
}

static inline void protocol(struct make *m, const char *from, const char *to, unsigned number,
                            uint8_t first)
{
        struct make payload = {.length = 0};

        make_put(&payload, (uint8_t[40]){first}, 40);
        m->length = 0;
        make_ip(m, from, to, number, &payload);
}

static inline void ethertype(struct make *m, unsigned type, unsigned first)
{
        m->length = 0;
        make_put(m, (uint8_t[12]){2, 0, 0, 0, 0, 1, 2}, 12);
        make_put16(m, type);
        make_put16(m, first);
        make_put(m, (uint8_t[44]){0}, 44);
}

static inline void insert(struct make *m, size_t at, const void *octets, size_t length)
{
        uint8_t rest[2048];
        size_t behind = m->length - at;

        cr_assert(behind <= sizeof rest);
        memcpy(rest, m->octets + at, behind);
        m->length = at;
        make_put(m, octets, length);
        make_put(m, rest, behind);
}

static inline void tag(struct make *m, unsigned type)
{
        insert(m, 12, (uint8_t[]){(uint8_t)(type >> 8), (uint8_t)type, 0, 42}, 4);
}

/* An extension header of 8 octets behind the IPv6 header of an untagged frame. */
static inline void extend(struct make *m, uint8_t number)
{
        uint8_t header[8] = {m->octets[20], 0, 1, 4};

        m->octets[20] = number;
        m->octets[19] = (uint8_t)(m->octets[19] + sizeof header);
        insert(m, 54, header, sizeof header);
}

static inline void option(struct make *m, size_t words)
{
        uint8_t none[40];

        memset(none, 1, sizeof none); /* no operation, RFC 791 */
        m->octets[14] = (uint8_t)(m->octets[14] + words);
        m->octets[17] = (uint8_t)(m->octets[17] + 4 * words);
        insert(m, 34, none, 4 * words);
}

/* Calls `each` for the files of a folder of the checkout whose names end so; how many there were.
 */
static inline size_t each_file(const char *folder, const char *end,
                               void (*each)(const char *, void *), void *context)
{
        DIR *there = opendir(folder);
        struct dirent *entry;
        char path[512];
        size_t count = 0;

        cr_assert_not_null(there, "%s", folder);
        while ((entry = readdir(there))) {
                size_t length = strlen(entry->d_name);

                if (entry->d_name[0] == '.' || length < strlen(end) ||
                    strcmp(entry->d_name + length - strlen(end), end) != 0)
                        continue;
                snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
                each(path, context);
                count++;
        }
        closedir(there);
        return count;
}
