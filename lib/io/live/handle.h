/*
 * handle: a libpcap handle for one interface, opened with what portent needs of it.
 */
#pragma once

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>

#include "io/live/live.h"

struct pt_handle {
        pcap_t *pcap; /* non-blocking, with the filter in the kernel */
        int fd;
        int linktype;
        int64_t fraction; /* nanoseconds that the second part of a packet time counts */
};

/*
 * 0, or a negative errno with a sentence for people: -EINVAL for the user's filter, -ENODEV,
 * -EPERM, -ENETDOWN, -ENOTSUP for a link type that is not read. `ret->pcap` is to be closed in both
 * cases, if it is one.
 */
int pt_handle_open(const struct pt_live_settings *settings, const char *name, bool promiscuous,
                   struct pt_handle *ret, char sentence[256]);
