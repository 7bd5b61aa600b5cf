#include "io/live/carrier.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct pt_carrier {
        int asks;  /* a socket that ioctl() asks */
        int tells; /* the kernel's notices of changes, -1 if it gives none */
};

static int open_notices(void)
{
        struct sockaddr_nl group = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
        int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

        if (fd >= 0 && bind(fd, (const struct sockaddr *)&group, sizeof group) < 0) {
                close(fd);
                return -1;
        }
        return fd;
}

int pt_carrier_new(struct pt_carrier **ret)
{
        struct pt_carrier *carrier = calloc(1, sizeof *carrier);

        if (!carrier)
                return -ENOMEM;
        /* Any socket can ask; some sandboxes refuse one family, some another. */
        carrier->asks = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (carrier->asks < 0)
                carrier->asks = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        carrier->tells = open_notices();
        if (carrier->asks < 0) {
                int error = errno;

                pt_carrier_free(carrier);
                return -error;
        }
        *ret = carrier;
        return 0;
}

struct pt_carrier *pt_carrier_free(struct pt_carrier *carrier)
{
        if (!carrier)
                return NULL;
        if (carrier->asks >= 0)
                close(carrier->asks);
        if (carrier->tells >= 0)
                close(carrier->tells);
        free(carrier);
        return NULL;
}

int pt_carrier_descriptor(const struct pt_carrier *carrier)
{
        return carrier->tells;
}

/* What changed is not read out of the notices: some may be lost, and one can always ask. */
bool pt_carrier_changed(struct pt_carrier *carrier)
{
        char notice[8192];
        bool changed = carrier->tells < 0;

        while (carrier->tells >= 0 && (recv(carrier->tells, notice, sizeof notice, 0) >= 0 ||
                                       errno == ENOBUFS || errno == EINTR))
                changed = true;
        return changed;
}

struct pt_carrier_state pt_carrier_look(const struct pt_carrier *carrier, const char *name)
{
        struct pt_carrier_state state = {0};
        struct ifreq request = {0};

        snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
        if (ioctl(carrier->asks, SIOCGIFINDEX, &request) < 0)
                return state;
        state.index = request.ifr_ifindex;
        if (ioctl(carrier->asks, SIOCGIFFLAGS, &request) == 0)
                state.up = (request.ifr_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
        if (ioctl(carrier->asks, SIOCGIFHWADDR, &request) == 0)
                state.kind = request.ifr_hwaddr.sa_family;
        return state;
}
