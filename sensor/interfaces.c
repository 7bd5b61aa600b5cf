#include "interfaces.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <string.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "say.h"

/* ---- -D ---- */

static const char *connection(bpf_u_int32 flags)
{
        switch (flags & PCAP_IF_CONNECTION_STATUS) {
        case PCAP_IF_CONNECTION_STATUS_CONNECTED:
                return "Connected";
        case PCAP_IF_CONNECTION_STATUS_DISCONNECTED:
                return "Disconnected";
        default:
                return NULL;
        }
}

static void list_one(FILE *file, unsigned number, const pcap_if_t *interface)
{
        const bpf_u_int32 flags = interface->flags;
        const struct {
                bool holds;
                const char *word;
        } words[] = {
                {flags & PCAP_IF_UP, "Up"},
                {flags & PCAP_IF_RUNNING, "Running"},
                {flags & PCAP_IF_LOOPBACK, "Loopback"},
                {flags & PCAP_IF_WIRELESS, "Wireless"},
                {!(flags & PCAP_IF_LOOPBACK) && connection(flags), connection(flags)},
        };
        const char *before = " [";

        fprintf(file, "%u.%s", number, interface->name);
        if (interface->description)
                fprintf(file, " (%s)", interface->description);
        for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
                if (!words[i].holds)
                        continue;
                fprintf(file, "%s%s", before, words[i].word);
                before = ", ";
        }
        fprintf(file, "%s\n", *before == ',' ? "]" : "");
}

/* libpcap finds more than network interfaces: what begins with no link header that is read. */
static bool is_network(const pcap_if_t *interface)
{
        return if_nametoindex(interface->name) || strcmp(interface->name, "any") == 0;
}

int pt_interfaces_list(FILE *file)
{
        char reason[PCAP_ERRBUF_SIZE] = "";
        unsigned number = 0;
        pcap_if_t *all;

        if (pcap_findalldevs(&all, reason) < 0) {
                pt_say_error("the interfaces cannot be listed: %s", reason);
                return -EIO;
        }
        for (const pcap_if_t *i = all; i; i = i->next) {
                if (is_network(i))
                        list_one(file, ++number, i);
        }
        pcap_freealldevs(all);
        return fflush(file) == 0 ? 0 : -EIO;
}

/* ---- those that are captured ---- */

int pt_interfaces_open(const struct pt_options *options, const struct pt_notify *notify,
                       struct pt_live **ret)
{
        const struct pt_live_settings settings = {
                .interfaces = (const char *const *)options->interfaces.list,
                .count = options->interfaces.count,
                .filter = options->filter,
                .ring = (size_t)options->ring,
                .snapshot = (int)options->snapshot,
                .promiscuous = !options->not_promiscuous,
                .beside = options->log & PT_LOG_OUTCOME,
                .notify = *notify,
        };
        char sentence[256];
        int r = pt_live_open(&settings, ret, sentence);

        if (r < 0)
                pt_say_error("%s", sentence);
        return r;
}

/* ---- -T ---- */

/* A socket that is bound to nothing receives nothing; that it can be made is what matters. */
static int check_permission(void)
{
        int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

        if (fd < 0) {
                pt_say_error("capturing is not permitted: %s: CAP_NET_RAW is needed",
                             strerror(errno));
                return -EINVAL;
        }
        close(fd);
        puts("permission to capture ok");
        return 0;
}

/* A link may come later, so nothing of this is a fault. */
static const char *state_of(const char *name)
{
        struct ifreq request = {0};
        int fd, r;

        if (strcmp(name, "any") == 0)
                return "ok";
        if (!if_nametoindex(name))
                return "is not there now";
        snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        r = fd < 0 ? -1 : ioctl(fd, SIOCGIFFLAGS, &request);
        if (fd >= 0)
                close(fd);
        return r == 0 && !(request.ifr_flags & IFF_UP) ? "is not up now" : "ok";
}

int pt_interfaces_check(const struct pt_options *options)
{
        const struct pt_texts *names = &options->interfaces;

        if (!pt_options_live(options))
                return 0;
        for (size_t i = 0; i < names->count; i++) {
                const char *name = names->list[i];

                if (strlen(name) >= IF_NAMESIZE) {
                        pt_say_error("interface %s: no name of an interface is that long", name);
                        return -EINVAL;
                }
                printf("interface %s %s\n", name, state_of(name));
        }
        return check_permission();
}
