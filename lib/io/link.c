#include "link.h"

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

struct pt_link {
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

int pt_link_new(struct pt_link **ret)
{
        struct pt_link *link = calloc(1, sizeof *link);

        if (!link)
                return -ENOMEM;
        /* Any socket can ask; some sandboxes refuse one family, some another. */
        link->asks = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (link->asks < 0)
                link->asks = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        link->tells = open_notices();
        if (link->asks < 0) {
                int error = errno;

                pt_link_free(link);
                return -error;
        }
        *ret = link;
        return 0;
}

struct pt_link *pt_link_free(struct pt_link *link)
{
        if (!link)
                return NULL;
        if (link->asks >= 0)
                close(link->asks);
        if (link->tells >= 0)
                close(link->tells);
        free(link);
        return NULL;
}

int pt_link_descriptor(const struct pt_link *link)
{
        return link->tells;
}

/* What changed is not read out of the notices: some may be lost, and one can always ask. */
bool pt_link_changed(struct pt_link *link)
{
        char notice[8192];
        bool changed = link->tells < 0;

        while (link->tells >= 0 && (recv(link->tells, notice, sizeof notice, 0) >= 0 ||
                                    errno == ENOBUFS || errno == EINTR))
                changed = true;
        return changed;
}

struct pt_link_state pt_link_look(const struct pt_link *link, const char *name)
{
        struct pt_link_state state = {0};
        struct ifreq request = {0};

        snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
        if (ioctl(link->asks, SIOCGIFINDEX, &request) < 0)
                return state;
        state.index = request.ifr_ifindex;
        if (ioctl(link->asks, SIOCGIFFLAGS, &request) == 0)
                state.up = (request.ifr_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
        if (ioctl(link->asks, SIOCGIFHWADDR, &request) == 0)
                state.kind = request.ifr_hwaddr.sa_family;
        return state;
}
