/*
 * messages: DNS messages made from a seed, for a comparison with another decoder. Most are sound;
 * half are then damaged in a few places.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#define MESSAGE_ROOM 4096

struct message {
        uint8_t bytes[MESSAGE_ROOM];
        size_t length;
        size_t known[256]; /* where names and their later labels begin */
        size_t known_count;
};

struct chance {
        uint64_t state; /* not 0 */
};

/* xorshift64* (Vigna 2016) */
static inline uint32_t roll(struct chance *c, uint32_t below)
{
        c->state ^= c->state >> 12;
        c->state ^= c->state << 25;
        c->state ^= c->state >> 27;
        return (uint32_t)((c->state * 0x2545f4914f6cdd1d) >> 32) % below;
}

static inline void put(struct message *m, unsigned value, int octets)
{
        for (int i = octets - 1; i >= 0; i--)
                m->bytes[m->length++] = (uint8_t)(value >> 8 * i);
}

static inline void put_label(struct message *m, struct chance *c)
{
        static const char *const words[] = {"www", "example", "com",     "net",  "cdn",
                                            "a",   "WWW",     "Example", "x--y", "_tcp"};
        uint32_t kind = roll(c, 20);

        if (m->known_count < sizeof m->known / sizeof m->known[0])
                m->known[m->known_count++] = m->length;
        if (kind == 0) { /* any octets */
                uint32_t octets = 1 + roll(c, 12);

                put(m, octets, 1);
                while (octets-- > 0)
                        put(m, roll(c, 256), 1);
        } else if (kind == 1) { /* long */
                uint32_t octets = 40 + roll(c, 24);

                put(m, octets, 1);
                while (octets-- > 0)
                        put(m, 'a' + roll(c, 26), 1);
        } else {
                const char *word = words[roll(c, sizeof words / sizeof words[0])];

                put(m, (unsigned)strlen(word), 1);
                memcpy(m->bytes + m->length, word, strlen(word));
                m->length += strlen(word);
        }
}

/* Four labels, 249 to 257 octets with the final zero: near the 255 allowed. */
static inline void put_long_name(struct message *m, struct chance *c)
{
        for (int i = 0; i < 4; i++) {
                uint32_t octets = i < 3 ? 63 : 55 + roll(c, 9);

                put(m, octets, 1);
                while (octets-- > 0)
                        put(m, 'a', 1);
        }
        put(m, 0, 1);
}

static inline void put_name(struct message *m, struct chance *c)
{
        size_t known = m->known_count; /* before this name: it must not point into itself */
        uint32_t labels = roll(c, 4);

        if (roll(c, 80) == 0) {
                put_long_name(m, c);
                return;
        }
        if (known == 0 && labels == 0)
                labels = 2;
        while (labels-- > 0)
                put_label(m, c);
        if (known > 0 && roll(c, 3) > 0) {
                size_t target = m->known[roll(c, 3) ? 0 : roll(c, (uint32_t)known)];

                put(m, 0xc000 | (unsigned)target, 2);
        } else {
                put(m, 0, 1);
        }
}

/* Pointers, each to the one before, and names may point to the last: near the 127 allowed. */
static inline void put_pointers(struct message *m, struct chance *c)
{
        uint32_t count = 110 + roll(c, 30);
        size_t target = m->known_count ? m->known[0] : 11;

        while (count-- > 0) {
                put(m, 0xc000 | (unsigned)target, 2);
                target = m->length - 2;
        }
        m->known[0] = target;
        if (m->known_count == 0)
                m->known_count = 1;
}

static inline void put_data(struct message *m, struct chance *c, unsigned type)
{
        switch (type) {
        case 1:
                put(m, roll(c, UINT32_MAX), 4);
                break;
        case 28:
                for (int i = 0; i < 4; i++)
                        put(m, roll(c, UINT32_MAX), 4);
                break;
        case 5:
        case 2:
        case 12:
        case 39:
                put_name(m, c);
                break;
        case 15:
                put(m, 10, 2);
                put_name(m, c);
                break;
        case 16:
                put(m, 4, 1);
                put(m, 0x74657874, 4);
                break;
        case 6:
                put_name(m, c);
                put_name(m, c);
                for (int i = 0; i < 5; i++)
                        put(m, roll(c, UINT32_MAX), 4);
                break;
        default:
                if (roll(c, 6) == 0)
                        put_pointers(m, c);
                break;
        }
}

static inline void put_record(struct message *m, struct chance *c)
{
        static const uint16_t types[] = {1, 1, 1, 1,  1,  28, 28, 28, 5,
                                         5, 5, 2, 12, 15, 16, 6,  39, 65280};
        static const uint32_t ttls[] = {0, 1, 60, 300, 86400, 0x7fffffff, 0x80000000, 0xffffffff};
        unsigned type = types[roll(c, sizeof types / sizeof types[0])];
        size_t at, end;

        put_name(m, c);
        put(m, type, 2);
        put(m, roll(c, 30) ? 1 : roll(c, 300), 2);
        put(m, ttls[roll(c, sizeof ttls / sizeof ttls[0])], 4);
        at = m->length;
        put(m, 0, 2);
        put_data(m, c, type);
        end = m->length;
        m->length = at;
        put(m, (unsigned)(end - at - 2), 2);
        m->length = end;
}

static inline void message_damage(struct message *m, struct chance *c)
{
        static const uint8_t telling[] = {0, 1, 4, 5, 12, 16, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff};
        size_t at = roll(c, (uint32_t)m->length);

        switch (roll(c, 7)) {
        case 0:
                m->bytes[at] = (uint8_t)roll(c, 256);
                break;
        case 1:
        case 2:
                m->bytes[at] = telling[roll(c, sizeof telling)];
                break;
        case 3:
                m->bytes[at] ^= (uint8_t)(1 << roll(c, 8));
                break;
        case 4: /* a pointer, to anywhere near */
                if (at + 1 < m->length) {
                        size_t target = (at + 40 - roll(c, 80)) % m->length;

                        m->bytes[at] = (uint8_t)(0xc0 | target >> 8);
                        m->bytes[at + 1] = (uint8_t)target;
                }
                break;
        case 5:
                m->length = at;
                break;
        default: /* an octet is lost */
                memmove(m->bytes + at, m->bytes + at + 1, m->length - at - 1);
                m->length--;
                break;
        }
}

static inline void message_make(struct message *m, struct chance *c)
{
        uint32_t odd = roll(c, 20);
        unsigned questions = odd == 0 ? 0 : odd == 1 ? 2 : 1;
        unsigned counts[3] = {roll(c, 9), roll(c, 3), roll(c, 3)};

        m->length = 0;
        m->known_count = 0;
        put(m, roll(c, 65536), 2);
        put(m, roll(c, 50) ? 0x8180 : roll(c, 65536), 2);
        put(m, questions, 2);
        for (int i = 0; i < 3; i++)
                put(m, counts[i], 2);
        for (unsigned i = 0; i < questions; i++) {
                put_name(m, c);
                put(m, roll(c, 2) ? 1 : 28, 2);
                put(m, 1, 2);
        }
        for (unsigned i = 0; i < counts[0] + counts[1] + counts[2]; i++)
                put_record(m, c);
        if (roll(c, 2))
                for (uint32_t i = 1 + roll(c, 3); i > 0 && m->length > 0; i--)
                        message_damage(m, c);
}
