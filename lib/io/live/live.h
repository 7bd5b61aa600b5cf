/*
 * live: network interfaces -> frames, through libpcap. Nothing here ever waits: the caller polls
 * the descriptors, and takes what there is. Several interfaces are one stream, in packet time.
 *
 * An interface that goes down, vanishes, is renamed or comes back is told through `notify`, and
 * its capture goes on by itself. That needs no privilege: CAP_NET_RAW is needed to make a packet
 * socket, but not to bind one that is there. So each handle is made once, at the start, and is
 * bound anew when an interface of its name is there again; the process that reads frames holds no
 * capability by then, and there is no helper that does.
 */
#pragma once

#include <poll.h>

#include "portent.h"
#include "io/notice.h"

struct pt_live;

struct pt_live_settings {
        const char *const *interfaces;
        size_t count;
        const char *filter; /* a BPF expression of the user's, or NULL */
        size_t ring;        /* octets of the kernel's ring, for each interface */
        int snapshot;       /* octets kept of a frame at most */
        bool promiscuous;
        bool beside; /* a second handle for each interface: see below */
        struct pt_notify notify;
};

/* Totals since the start, of one interface or of all. */
struct pt_live_stats {
        uint64_t packets;           /* that passed the filter, lost ones included */
        uint64_t dropped;           /* of these, for lack of room in the ring */
        uint64_t interface_dropped; /* that the interface lost before */
        bool interface_known;       /* whether it says how many that is */
};

/*
 * Open every interface. 0, or a negative errno with a sentence: -ENODEV if there is no such
 * interface, -EPERM without the capability, -EINVAL for a bad filter.
 */
int pt_live_open(const struct pt_live_settings *settings, struct pt_live **ret, char sentence[256]);

/* Takes NULL. Returns NULL. */
struct pt_live *pt_live_free(struct pt_live *live);

/* How many descriptors there are to poll at most. */
size_t pt_live_descriptors(const struct pt_live *live);

/* Write them, with what to poll them for; how many they are. */
size_t pt_live_poll(const struct pt_live *live, struct pollfd *ret);

/*
 * After each poll: look after the interfaces. `now` is CLOCK_MONOTONIC in nanoseconds; returns when
 * to come back at the latest.
 */
int64_t pt_live_serve(struct pt_live *live, int64_t now);

/*
 * The next frame, valid until the next call; false if there is none now. Its `file` is the place of
 * the interface in the settings. With several interfaces, a frame is kept for a moment until no
 * other can hold an earlier one: come back within PT_LIVE_TICK if pt_live_waits().
 */
bool pt_live_next(struct pt_live *live, struct pt_frame *ret);
bool pt_live_waits(const struct pt_live *live);

#define PT_LIVE_TICK INT64_C(10000000)

/*
 * How far packet time may be behind the wall clock when a frame is handed out, with an idle
 * machine: the kernel gathers frames, and we sort those of several interfaces. Whoever says that
 * nothing came until now, must mean this long before now.
 */
#define PT_LIVE_LAG INT64_C(60000000)

/*
 * With `beside`, each interface has a second handle, whose filter can be changed: it brings what
 * opens and ends TCP connections, and all of those that are to be followed. The first handle, its
 * filter and its counters know nothing of that. Of one handle a frame comes, never of both.
 */

/* Did the frame that was handed out last come from a second handle? */
bool pt_live_is_beside(const struct pt_live *live);

/*
 * These are followed from now on, and no others. 0, or a negative errno: on some interface none is,
 * and this should be tried again. Needs no privilege.
 */
int pt_live_follow(struct pt_live *live, const struct pt_followed *list, size_t count);

/* Are there second handles? And what they counted, all together. */
bool pt_live_has_beside(const struct pt_live *live);
struct pt_live_stats pt_live_stats_beside(struct pt_live *live);

/* The name of an interface by its place, NULL behind the last. */
const char *pt_live_name(const struct pt_live *live, uint32_t place);

/* Of all interfaces together, or of one. */
struct pt_live_stats pt_live_stats(struct pt_live *live);
struct pt_live_stats pt_live_stats_of(struct pt_live *live, uint32_t place);
