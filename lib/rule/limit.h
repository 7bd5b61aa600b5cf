/*
 * limit: which connections a rule is about: their destination ports, and the destinations that it
 * leaves out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "rule/strict.h"

#define PT_LIMIT_WORDS (65536 / 64)

struct pt_limit {
        uint64_t ports[PT_LIMIT_WORDS];  /* a bit for each port within "ports" */
        uint64_t except[PT_LIMIT_WORDS]; /* and for each of "exclude_ports" */
        struct pt_prefix *excluded;      /* destinations, in an order of their own, none twice */
        size_t excluded_count;
};

/* No limits: every port but 0, every destination. NULL: no memory. */
struct pt_limit *pt_limit_new(void);

/* Takes NULL. Returns NULL. */
struct pt_limit *pt_limit_free(struct pt_limit *limits);

/* Reads the "limits" object of a rule. 0; -ENOMEM; -EINVAL with the error of `s` written. */
int pt_limit_read(struct pt_strict *s, json_t *value, struct pt_limit *limits);

static inline bool pt_limit_has(const uint64_t ports[PT_LIMIT_WORDS], uint16_t port)
{
        return ports[port / 64] >> port % 64 & 1;
}

static inline bool pt_limit_admit(const struct pt_limit *limits, uint16_t port)
{
        return pt_limit_has(limits->ports, port) && !pt_limit_has(limits->except, port);
}

/* How many ports they admit. */
unsigned pt_limit_count(const struct pt_limit *limits);

/* Do both leave out the same destinations? */
bool pt_limit_same_excluded(const struct pt_limit *a, const struct pt_limit *b);
