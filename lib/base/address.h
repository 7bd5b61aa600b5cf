/*
 * address: IP addresses as 16 octets, prefixes, and their text.
 *
 * An IPv4 address is held IPv4-mapped (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2), so that one type
 * serves both families and ::ffff:0:0/96 off the wire is the IPv4 address it names.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PT_ADDRESS_TEXT 46 /* octets that pt_address_format() writes at most, with the NUL */

struct pt_address {
        uint8_t octets[16];
};

struct pt_prefix {
        struct pt_address address; /* host bits are zero */
        uint8_t bits;              /* 0..128; an IPv4 /n is held as 96 + n */
};

/* A borrowed list of prefixes. */
struct pt_prefixes {
        const struct pt_prefix *list;
        size_t count;
};

static inline bool pt_address_equal(const struct pt_address *a, const struct pt_address *b)
{
        return memcmp(a->octets, b->octets, sizeof a->octets) == 0;
}

static inline bool pt_address_is_ipv4(const struct pt_address *a)
{
        static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

        return memcmp(a->octets, mapped, sizeof mapped) == 0;
}

/*
 * Where an address holds, of an IPv4 address that several networks may have (RFC 1918): octets that
 * say in which VLAN or tunnel it was seen. All zero is everywhere. An address in a zone differs
 * from the same one in another, and is known by 0001::/16, which no host may have (RFC 4291 section
 * 4 reserves ::/8; a packet with such an address is malformed).
 */
struct pt_zone {
        uint8_t octets[8];
};

static inline bool pt_address_is_reserved(const struct pt_address *a)
{
        return a->octets[0] == 0 && a->octets[1] == 1;
}

static inline struct pt_address pt_address_in_zone(const struct pt_address *a,
                                                   const struct pt_zone *zone)
{
        static const struct pt_zone everywhere;
        struct pt_address ret = *a;

        if (memcmp(zone, &everywhere, sizeof everywhere) == 0 || !pt_address_is_ipv4(a))
                return ret;
        ret.octets[1] = 1;
        memcpy(ret.octets + 2, zone->octets, sizeof zone->octets);
        return ret;
}

/* The address as it stood in the packet. */
static inline struct pt_address pt_address_plain(const struct pt_address *a)
{
        struct pt_address ret = *a;

        if (pt_address_is_reserved(a))
                memset(ret.octets, 0, 10);
        return ret;
}

/* May both be of one host? Two IPv4 addresses must be in one zone; IPv6 has none. */
static inline bool pt_address_zones_agree(const struct pt_address *a, const struct pt_address *b)
{
        return !(pt_address_is_ipv4(a) || pt_address_is_reserved(a)) ||
               !(pt_address_is_ipv4(b) || pt_address_is_reserved(b)) ||
               memcmp(a->octets, b->octets, 10) == 0;
}

/* The last four octets as a number, the first of them highest. */
static inline uint32_t pt_address_low32(const struct pt_address *a)
{
        const uint8_t *o = a->octets + 12;

        return (uint32_t)o[0] << 24 | (uint32_t)o[1] << 16 | (uint32_t)o[2] << 8 | o[3];
}

static inline struct pt_address pt_address_from_ipv4(uint32_t ipv4)
{
        return (struct pt_address){{[10] = 0xff,
                                    [11] = 0xff,
                                    [12] = (uint8_t)(ipv4 >> 24),
                                    [13] = (uint8_t)(ipv4 >> 16),
                                    [14] = (uint8_t)(ipv4 >> 8),
                                    [15] = (uint8_t)ipv4}};
}

/* From 4 or 16 octets in network order, as they stand in a header or a record. */
static inline struct pt_address pt_address_from_bytes4(const uint8_t bytes[4])
{
        struct pt_address a = {{[10] = 0xff, [11] = 0xff}};

        memcpy(a.octets + 12, bytes, 4);
        return a;
}

static inline struct pt_address pt_address_from_bytes16(const uint8_t bytes[16])
{
        struct pt_address a;

        memcpy(a.octets, bytes, sizeof a.octets);
        return a;
}

/* Text as inet_ntop(3) writes it; an IPv4 address in its own form. Returns `ret`. */
const char *pt_address_format(const struct pt_address *a, char ret[PT_ADDRESS_TEXT]);

/* 0, or -EINVAL for anything that inet_pton(3) refuses. */
int pt_address_parse(const char *text, struct pt_address *ret);

/* "10.0.0.0/8", "fc00::/7", or an address alone. 0, or -EINVAL; also where host bits are set. */
int pt_prefix_parse(const char *text, struct pt_prefix *ret);

/* An IPv6 prefix contains no IPv4 address: ::/0 is every IPv6 address and no other. */
bool pt_prefix_contains(const struct pt_prefix *p, const struct pt_address *a);

/* The place of the first prefix of the list that contains the address, or -1. */
int pt_prefixes_find(const struct pt_prefixes *list, const struct pt_address *a);

static inline bool pt_prefixes_contain(const struct pt_prefixes *list, const struct pt_address *a)
{
        return pt_prefixes_find(list, a) >= 0;
}

/* 10/8, 172.16/12, 192.168/16, 127/8, 169.254/16: what the published query calls private. */
bool pt_ipv4_is_private(uint32_t ipv4);

/* RFC 1918, ULA (RFC 4193), link-local of both families. */
bool pt_address_is_local(const struct pt_address *a);

/* Multicast, limited broadcast or unspecified: no single host. */
bool pt_address_is_group(const struct pt_address *a);
