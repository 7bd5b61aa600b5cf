/*
 * sieve: a BPF expression, as in tcpdump, compiled for each link type that it meets.
 */
#pragma once

#include "wire/packet.h"

#define PT_SIEVE_REASON 160

struct pt_sieve;

/* Does this expression compile at all? 0; -ENOMEM; -EINVAL with a reason. */
int pt_sieve_check(const char *expression, char reason[PT_SIEVE_REASON]);

/* The expression is borrowed. 0, or -ENOMEM. */
int pt_sieve_new(const char *expression, struct pt_sieve **ret);

/* Takes NULL. Returns NULL. */
struct pt_sieve *pt_sieve_free(struct pt_sieve *filter);

/*
 * Does it let this frame pass? 1 or 0; -EINVAL with a reason where the expression means nothing for
 * the frame's link type ("ether host" for raw IP); -ENOMEM. Frames of link types that are not read
 * pass, to be counted as such.
 */
int pt_sieve_passes(struct pt_sieve *filter, const struct pt_frame *frame,
                    char reason[PT_SIEVE_REASON]);
