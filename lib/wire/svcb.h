/*
 * svcb: the address hints of an SVCB or HTTPS record (RFC 9460): with them a client connects
 * without having asked for an address.
 */
#pragma once

#include "base/address.h"
#include "base/bytes.h"

struct pt_svcb {
        struct pt_reader parameters;
        struct pt_reader values; /* of the hint at hand */
        size_t size;             /* of one of them */
        bool own_name;           /* the target is the record's owner */
        bool failed;             /* the record is not as it should be: no more comes of it */
};

#define PT_SVCB_TARGET 2 /* where the target name begins in a record's data */

/* Begin with a record's data. An alias (priority 0) has no hints. */
struct pt_svcb pt_svcb(const uint8_t *data, size_t length);

/* The next address of ipv4hint or ipv6hint; false at the end, or with svcb->failed. */
bool pt_svcb_next(struct pt_svcb *svcb, struct pt_address *ret);
