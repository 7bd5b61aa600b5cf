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
        int64_t fraction;         /* nanoseconds that the second part of a packet time counts */
        bool beside;              /* its filter is ours alone, and can be changed */
        struct bpf_program users; /* of one beside: the user's expression; empty if there is none */
};

/*
 * 0, or a negative errno with a sentence for people: -EINVAL for the user's filter, -ENODEV,
 * -EPERM, -ENETDOWN, -ENOTSUP for a link type that is not read. `ret->pcap` is to be closed in both
 * cases, if it is one.
 */
int pt_handle_open(const struct pt_live_settings *settings, const char *name, bool promiscuous,
                   struct pt_handle *ret, char sentence[256]);

/* A second one, with no connection followed yet. As pt_handle_open(). */
int pt_handle_open_beside(const struct pt_live_settings *settings, const char *name,
                          struct pt_handle *ret, char sentence[256]);

/*
 * Of a second one: follow these. No packet is lost meanwhile. 0, or a negative errno, and none is
 * followed.
 */
int pt_handle_follow(struct pt_handle *handle, const struct pt_followed *list, size_t count);

void pt_handle_close(struct pt_handle *handle);
