/*
 * unread: what could not be read, by the number that says what it is. A sensor that goes blind says
 * so, and to what: "802.1AE (ethertype 0x88e5), 12 000 packets".
 */
#pragma once

#include "wire/packet.h"

#define PT_UNREAD_ROWS                                                             \
        32 /* different numbers that are told apart; a good mirror shows a handful \
            */

struct pt_unread_row {
        uint64_t packets;
        enum pt_layer layer;
        uint16_t number;
};

struct pt_unread {
        struct pt_unread_row rows[PT_UNREAD_ROWS]; /* in the order in which they were met */
        size_t count;
        uint64_t others; /* packets of numbers past those */
};

void pt_unread_count(struct pt_unread *unread, enum pt_layer layer, uint16_t number);

/* As "ethertype": for people. */
const char *pt_unread_layer_name(enum pt_layer layer);

/* As "802.1AE", NULL for a number that has no name here. */
const char *pt_unread_name(enum pt_layer layer, uint16_t number);

/* What every network has and nobody misses (ARP, ICMP): no packet of a client is inside. */
bool pt_unread_is_ordinary(enum pt_layer layer, uint16_t number);
