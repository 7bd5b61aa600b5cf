/*
 * carrier: what the kernel says about network interfaces: is one there, has it a carrier, has
 * anything changed. libpcap tells none of this: a capture on a link that went down just falls
 * silent.
 *
 * Asking needs no privilege. Where netlink is refused, changes are found by asking once a second.
 */
#pragma once

#include <stdbool.h>

struct pt_carrier;

struct pt_carrier_state {
        int index; /* 0 if there is no interface of this name */
        int kind;  /* ARPHRD_..., which says what its frames begin with */
        bool up;   /* set up, and with a carrier */
};

/* 0, or a negative errno. */
int pt_carrier_new(struct pt_carrier **ret);

/* Takes NULL. Returns NULL. */
struct pt_carrier *pt_carrier_free(struct pt_carrier *carrier);

/* A descriptor that can be read when something has changed; -1 if there is none. */
int pt_carrier_descriptor(const struct pt_carrier *carrier);

/* Has any interface changed since this was asked last? True too where that is not known. */
bool pt_carrier_changed(struct pt_carrier *carrier);

struct pt_carrier_state pt_carrier_look(const struct pt_carrier *carrier, const char *name);
