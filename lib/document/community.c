#include "document/community.h"

#include <nettle/base64.h>
#include <nettle/sha1.h>

/* Seed, two addresses, protocol, padding, two ports. */
#define INPUT (2 + 16 + 16 + 1 + 1 + 2 + 2)

static uint8_t *put(uint8_t *at, const void *bytes, size_t length)
{
        memcpy(at, bytes, length);
        return at + length;
}

static uint8_t *put_be16(uint8_t *at, uint16_t value)
{
        at[0] = (uint8_t)(value >> 8);
        at[1] = (uint8_t)value;
        return at + 2;
}

/* Does the source come first? Where the addresses are equal, the ports decide. */
static bool in_order(const struct pt_flow *flow)
{
        int order = memcmp(flow->source.octets, flow->destination.octets, 16);

        return order < 0 || (order == 0 && flow->source_port <= flow->destination_port);
}

const char *pt_community_id(const struct pt_flow *flow, char ret[PT_COMMUNITY_TEXT])
{
        bool forward = in_order(flow);
        const struct pt_address *first = forward ? &flow->source : &flow->destination;
        const struct pt_address *second = forward ? &flow->destination : &flow->source;
        size_t skip = flow->ipv6 ? 0 : 12;
        uint8_t input[INPUT], digest[SHA1_DIGEST_SIZE], *at = input;
        struct sha1_ctx sha1;

        at = put_be16(at, 0);
        at = put(at, first->octets + skip, 16 - skip);
        at = put(at, second->octets + skip, 16 - skip);
        *at++ = flow->protocol;
        *at++ = 0;
        at = put_be16(at, forward ? flow->source_port : flow->destination_port);
        at = put_be16(at, forward ? flow->destination_port : flow->source_port);

        sha1_init(&sha1);
        sha1_update(&sha1, (size_t)(at - input), input);
        sha1_digest(&sha1, sizeof digest, digest);
        memcpy(ret, "1:", 2);
        base64_encode_raw(ret + 2, sizeof digest, digest);
        ret[PT_COMMUNITY_TEXT - 1] = '\0';
        return ret;
}
