#include "document/identity.h"

#include "base/hash.h"

#define TEXT 80 /* octets of action and rule with their NUL: more than any has */

static uint8_t *put_text(uint8_t *at, const char *text)
{
        size_t length = strnlen(text, TEXT - 1);

        memcpy(at, text, length);
        at[length] = '\0';
        return at + length + 1;
}

static uint8_t *put_number(uint8_t *at, uint64_t number, unsigned octets)
{
        while (octets--)
                *at++ = (uint8_t)(number >> 8 * octets);
        return at;
}

const char *pt_identity_text(const struct pt_identity *identity, char ret[PT_IDENTITY_TEXT])
{
        /* An arbitrary key that never changes, whatever keys the tables have. */
        static const struct pt_hash_key key = {0x706f7274656e7420, 0x6576656e742e6964};
        uint8_t input[TEXT + TEXT + 16 + 16 + 2 + 2 + 4 + 8], *at = input;
        struct pt_hash128 hash;

        at = put_text(at, identity->action);
        at = put_text(at, identity->rule);
        memcpy(at, identity->client.octets, 16);
        memcpy(at + 16, identity->other.octets, 16);
        at = put_number(at + 32, identity->client_port, 2);
        at = put_number(at, identity->other_port, 2);
        at = put_number(at, identity->number, 4);
        at = put_number(at, (uint64_t)identity->wall, 8);
        hash = pt_siphash24_128(&key, input, (size_t)(at - input));
        for (size_t i = 0; i < sizeof hash.octets; i++) {
                ret[2 * i] = "0123456789abcdef"[hash.octets[i] >> 4];
                ret[2 * i + 1] = "0123456789abcdef"[hash.octets[i] & 15];
        }
        ret[PT_IDENTITY_TEXT - 1] = '\0';
        return ret;
}
