#include "wire/svcb.h"

/* Service parameters (RFC 9460 section 14.3.2). */
#define IPV4HINT 4
#define IPV6HINT 6

/* The target stands there in full (section 2.2): no pointer, so that others can step over it. */
static void skip_name(struct pt_reader *r)
{
        uint8_t length;

        while (!r->failed && (length = pt_reader_u8(r)) != 0) {
                if (length >= 0x40)
                        r->failed = true;
                pt_reader_take(r, length);
        }
}

struct pt_svcb pt_svcb(const uint8_t *data, size_t length)
{
        struct pt_svcb svcb = {.parameters = pt_reader(data, length)};
        struct pt_reader *r = &svcb.parameters;
        uint16_t priority = pt_reader_be16(r);
        const uint8_t *target = r->at;

        skip_name(r);
        svcb.failed = r->failed;
        svcb.own_name = !svcb.failed && target[0] == 0;
        if (svcb.failed || priority == 0)
                svcb.parameters = pt_reader(data, 0);
        svcb.values = pt_reader(data, 0);
        return svcb;
}

static bool fail(struct pt_svcb *svcb)
{
        svcb->failed = true;
        svcb->parameters = svcb->values = pt_reader(svcb->parameters.at, 0);
        return false;
}

/* On to a hint: true if there is one. */
static bool next_hint(struct pt_svcb *svcb)
{
        struct pt_reader *r = &svcb->parameters;

        while (pt_reader_left(r) > 0) {
                uint16_t key = pt_reader_be16(r);
                struct pt_reader values = pt_reader_sub(r, pt_reader_be16(r));

                if (r->failed)
                        return fail(svcb);
                if (key != IPV4HINT && key != IPV6HINT)
                        continue;
                svcb->size = key == IPV4HINT ? 4 : 16;
                svcb->values = values;
                if (pt_reader_left(&values) == 0 || pt_reader_left(&values) % svcb->size != 0)
                        return fail(svcb);
                return true;
        }
        return false;
}

bool pt_svcb_next(struct pt_svcb *svcb, struct pt_address *ret)
{
        const uint8_t *octets;

        if (pt_reader_left(&svcb->values) == 0 && !next_hint(svcb))
                return false;
        octets = pt_reader_take(&svcb->values, svcb->size);
        *ret = svcb->size == 4 ? pt_address_from_bytes4(octets) : pt_address_from_bytes16(octets);
        return true;
}
