/*
 * prior: how innocent connections fall on the ports before a sensor has seen any (design 5). Read
 * from rules/ports.json, beside the rules.
 */
#pragma once

#include <stddef.h>

#include "portent.h" /* struct pt_rule_error */

struct pt_prior {
        float share[65536]; /* of each port; they add up to 1; none is 0 but port 0 */
};

/* Every port the same. 0, or -ENOMEM. */
int pt_prior_uniform(struct pt_prior **ret);

/*
 * Reads {"uniform": 0.5, "ports": {"5222": 3, "6881-6889": 1}}: a part of all connections, more
 * than 0, falls evenly on all ports, the rest on those named, by their weights (a weight is each
 * port's of a range). 0; -ENOMEM; -EINVAL with `error` written.
 */
int pt_prior_read(const char *file, const char *text, size_t length, struct pt_prior **ret,
                  struct pt_rule_error *error);
