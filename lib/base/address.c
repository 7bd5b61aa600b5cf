#include "base/address.h"

#include <arpa/inet.h>
#include <errno.h>

#define IPV4_BITS 96 /* bits of ::ffff:0:0/96, which an IPv4 address is held under */

const char *pt_address_format(const struct pt_address *a, char ret[PT_ADDRESS_TEXT])
{
        if (pt_address_is_ipv4(a) || pt_address_is_reserved(a))
                return inet_ntop(AF_INET, a->octets + 12, ret, PT_ADDRESS_TEXT);
        return inet_ntop(AF_INET6, a->octets, ret, PT_ADDRESS_TEXT);
}

int pt_address_parse(const char *text, struct pt_address *ret)
{
        uint8_t bytes[16];

        if (inet_pton(AF_INET, text, bytes) == 1)
                *ret = pt_address_from_bytes4(bytes);
        else if (inet_pton(AF_INET6, text, bytes) == 1 && !(bytes[0] == 0 && bytes[1] == 1))
                *ret = pt_address_from_bytes16(bytes);
        else
                return -EINVAL;
        return 0;
}

/* A decimal number of one to three digits, no sign, no leading zero. */
static int bits_parse(const char *text, unsigned limit, unsigned *ret)
{
        size_t digits = strspn(text, "0123456789");
        unsigned bits = 0;

        if (digits < 1 || digits > 3 || text[digits] || (digits > 1 && text[0] == '0'))
                return -EINVAL;
        for (size_t i = 0; i < digits; i++)
                bits = bits * 10 + (unsigned)(text[i] - '0');
        if (bits > limit)
                return -EINVAL;
        *ret = bits;
        return 0;
}

static bool host_bits_are_zero(const struct pt_prefix *p)
{
        for (unsigned bit = p->bits; bit < 128; bit++)
                if (p->address.octets[bit / 8] & 0x80 >> bit % 8)
                        return false;
        return true;
}

int pt_prefix_parse(const char *text, struct pt_prefix *ret)
{
        const char *slash = strchr(text, '/');
        size_t length = slash ? (size_t)(slash - text) : strlen(text);
        char address[PT_ADDRESS_TEXT];
        struct pt_prefix p;
        unsigned bits = 128;

        if (length >= sizeof address)
                return -EINVAL;
        memcpy(address, text, length);
        address[length] = '\0';
        if (pt_address_parse(address, &p.address) < 0)
                return -EINVAL;
        /* The length is counted in the family that the text is written in. */
        if (slash && strchr(address, ':')) {
                if (bits_parse(slash + 1, 128, &bits) < 0)
                        return -EINVAL;
        } else if (slash) {
                if (bits_parse(slash + 1, 32, &bits) < 0)
                        return -EINVAL;
                bits += IPV4_BITS;
        }
        p.bits = (uint8_t)bits;
        if (!host_bits_are_zero(&p))
                return -EINVAL;
        *ret = p;
        return 0;
}

/* Network order; compilers make one load of it. */
static inline uint64_t be64(const uint8_t *b)
{
        return (uint64_t)b[0] << 56 | (uint64_t)b[1] << 48 | (uint64_t)b[2] << 40 |
               (uint64_t)b[3] << 32 | (uint64_t)b[4] << 24 | (uint64_t)b[5] << 16 |
               (uint64_t)b[6] << 8 | b[7];
}

/* Does the prefix contain an address that stands as in the packet? */
static inline bool contains_plain(const struct pt_prefix *p, const struct pt_address *a)
{
        uint64_t differing = be64(p->address.octets) ^ be64(a->octets);

        if (p->bits == 0)
                return !pt_address_is_ipv4(a);
        if (p->bits <= 64)
                return differing >> (64 - p->bits) == 0 && !pt_address_is_ipv4(a);
        if (differing)
                return false;
        differing = be64(p->address.octets + 8) ^ be64(a->octets + 8);
        return differing >> (128 - p->bits) == 0 &&
               (p->bits >= IPV4_BITS || !pt_address_is_ipv4(a));
}

bool pt_prefix_contains(const struct pt_prefix *p, const struct pt_address *a)
{
        const struct pt_address plain = pt_address_plain(a);

        return contains_plain(p, &plain);
}

int pt_prefixes_find(const struct pt_prefixes *list, const struct pt_address *a)
{
        const struct pt_address plain = pt_address_plain(a);

        for (size_t i = 0; i < list->count; i++)
                if (contains_plain(&list->list[i], &plain))
                        return (int)i;
        return -1;
}

static bool ipv4_is_rfc1918(uint32_t ipv4)
{
        return ipv4 >> 24 == 10 || ipv4 >> 20 == 0xac1 || ipv4 >> 16 == 0xc0a8;
}

static bool ipv4_is_link_local(uint32_t ipv4)
{
        return ipv4 >> 16 == 0xa9fe;
}

bool pt_ipv4_is_private(uint32_t ipv4)
{
        return ipv4_is_rfc1918(ipv4) || ipv4_is_link_local(ipv4) || ipv4 >> 24 == 127;
}

bool pt_address_is_local(const struct pt_address *a)
{
        uint32_t ipv4 = pt_address_low32(a);

        if (pt_address_is_ipv4(a) || pt_address_is_reserved(a))
                return ipv4_is_rfc1918(ipv4) || ipv4_is_link_local(ipv4);
        /* fc00::/7 and fe80::/10 */
        return (a->octets[0] & 0xfe) == 0xfc ||
               (a->octets[0] == 0xfe && (a->octets[1] & 0xc0) == 0x80);
}

bool pt_address_is_group(const struct pt_address *a)
{
        static const struct pt_address unspecified;
        uint32_t ipv4 = pt_address_low32(a);

        if (pt_address_is_ipv4(a))
                return ipv4 >> 28 == 14 || ipv4 == UINT32_MAX || ipv4 == 0;
        return a->octets[0] == 0xff || pt_address_equal(a, &unspecified);
}
