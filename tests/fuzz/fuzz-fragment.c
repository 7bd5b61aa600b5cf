/*
 * Fragments of eight datagrams in any order, with any offsets, lengths and times, some of which
 * contradict each other. A datagram whose fragments all tell one truth comes out as that; whatever
 * happened, one of another source is put together afterwards, and in the end nothing waits.
 *
 * A fragment is six octets: number, source and version; what is odd about it; offset in units
 * (two); length in octets (one, times eight if the second octet says so); time since the one
 * before.
 */
#include "wire/fragment.h"

#include <string.h>

#include "base/clock.h"

#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
        MORE = 1,
        CUT = 2,
        LIES = 4,  /* its octets differ from what the others say */
        LONG = 8,  /* length times eight */
        SLOW = 16, /* time in seconds, not milliseconds */
};

static uint8_t truth(unsigned number, size_t at)
{
        return (uint8_t)(number * 31 + at * 7 + at / 256);
}

struct story {
        struct pt_fragments *fragments;
        struct pt_counters counters;
        int64_t time;
        bool lied[256];
};

static bool put(struct story *s, unsigned which, unsigned odd, uint16_t units, uint32_t length,
                const uint8_t **ret, uint32_t *ret_length)
{
        static uint8_t octets[2048];
        struct pt_packet p = {
                .source = pt_address_from_ipv4(0xc0000200 + (which >> 3 & 3)),
                .destination = pt_address_from_ipv4(0x0a000001),
                .protocol = 17,
                .ipv6 = which >> 5 & 1,
                .payload = octets,
                .payload_length = length,
                .payload_cut = odd & CUT,
                .fragment = {which & 7, (uint16_t)(units * 8), odd & MORE},
        };

        for (uint32_t i = 0; i < length; i++)
                octets[i] = (uint8_t)(truth(which, p.fragment.offset + i) + (odd & LIES ? 1 : 0));
        s->lied[which] |= odd & LIES;
        if (!pt_fragments_put(s->fragments, &p, s->time, ret, ret_length))
                return false;
        MUST(p.protocol == 17);
        return true;
}

static void check_whole(const struct story *s, unsigned which, const uint8_t *whole,
                        uint32_t length)
{
        MUST(length > 0 && length <= 65535);
        for (uint32_t i = 0; i < length && !s->lied[which]; i++)
                MUST(whole[i] == truth(which, i));
}

static void put_all(struct story *s, const uint8_t *data, size_t size)
{
        for (; size >= 6; data += 6, size -= 6) {
                unsigned which = data[0] & 63, odd = data[1];
                uint32_t length = data[4] * (odd & LONG ? 8u : 1u);
                const uint8_t *whole;

                s->time += data[5] * (odd & SLOW ? PT_SECOND : PT_SECOND / 1000);
                if (put(s, which, odd, (uint16_t)((data[2] << 8 | data[3]) & 0x1fff), length,
                        &whole, &length))
                        check_whole(s, which, whole, length);
                MUST(pt_fragments_waiting(s->fragments) <= 64);
        }
}

/* Of a source and a number that nobody else has. */
static void put_canary(struct story *s)
{
        const uint8_t *whole;
        uint32_t length;

        MUST(!put(s, 24 + 7 + 128, MORE, 0, 1480, &whole, &length));
        MUST(put(s, 24 + 7 + 128, 0, 185, 33, &whole, &length));
        MUST(length == 1513);
        check_whole(s, 24 + 7 + 128, whole, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct pt_hash_key key = {1, 2};
        static struct story s;

        memset(&s, 0, sizeof s);
        MUST(pt_fragments_new((size_t)128 << 10, &key, &s.counters, &s.fragments) == 0);
        put_all(&s, data, size);
        s.time += 3600 * PT_SECOND;
        put_canary(&s);
        pt_fragments_finish(s.fragments);
        MUST(pt_fragments_waiting(s.fragments) == 0);
        put_canary(&s);
        pt_fragments_free(s.fragments);
        return 0;
}
