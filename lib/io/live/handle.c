#include "io/live/handle.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "wire/packet.h"
#include "io/live/filter.h"
#include "io/live/pick.h"
#include "io/live/program.h"

/*
 * How long the kernel gathers frames before it wakes us, milliseconds. It hands over a block (256
 * KiB, libpcap's choice) that is full, and one that is not after this time. So this bounds the
 * delay; and, as a block with one frame is used up too, how long a stall of ours may last in light
 * traffic: 2.5 s with a ring of 32 MiB.
 */
#define GATHER 20

/* The ring of a second handle: it takes headers, and to lose some of them costs no alert. */
#define RING_BESIDE ((size_t)8 << 20)

static const struct {
        int dlt;
        int linktype;
} links[] = {
        {DLT_EN10MB, PT_LINK_ETHERNET}, {DLT_RAW, PT_LINK_RAW},   {DLT_LINUX_SLL, PT_LINK_SLL},
        {DLT_LINUX_SLL2, PT_LINK_SLL2}, {DLT_IPV4, PT_LINK_IPV4}, {DLT_IPV6, PT_LINK_IPV6},
};

static int set_link(struct pt_handle *handle, const char *name, char sentence[256])
{
        int dlt = pcap_datalink(handle->pcap);
        const char *link = pcap_datalink_val_to_name(dlt);

        for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
                if (links[i].dlt != dlt)
                        continue;
                handle->linktype = links[i].linktype;
                return 0;
        }
        snprintf(sentence, 256, "%s: its link type, %s, is not read", name,
                 link ? link : "which has no name");
        return -ENOTSUP;
}

/* What pcap_activate() returned, which may be a warning, in words for people. */
static int refuse(const struct pt_handle *handle, const char *name, int status, char sentence[256])
{
        const char *detail = pcap_geterr(handle->pcap);

        switch (status) {
        case PCAP_ERROR_NO_SUCH_DEVICE:
                snprintf(sentence, 256, "%s: there is no such interface (portent -D lists them)",
                         name);
                return -ENODEV;
        case PCAP_ERROR_PERM_DENIED:
        case PCAP_ERROR_PROMISC_PERM_DENIED:
                snprintf(sentence, 256, "%s: capturing is not permitted: CAP_NET_RAW is needed",
                         name);
                return -EPERM;
        case PCAP_ERROR_IFACE_NOT_UP:
                snprintf(sentence, 256,
                         "%s: the interface is not up: ip link set %s up does that, as root", name,
                         name);
                return -ENETDOWN;
        default:
                snprintf(sentence, 256, "%s: %.150s", name,
                         *detail ? detail : pcap_statustostr(status));
                return -EIO;
        }
}

static int activate(const struct pt_live_settings *settings, const char *name, bool promiscuous,
                    struct pt_handle *handle, char sentence[256])
{
        char reason[PCAP_ERRBUF_SIZE] = "";
        int status;

        handle->pcap = pcap_create(name, reason);
        if (!handle->pcap) {
                snprintf(sentence, 256, "%s: %.200s", name, reason);
                return -EIO;
        }
        pcap_set_snaplen(handle->pcap, settings->snapshot);
        pcap_set_buffer_size(handle->pcap, (int)settings->ring);
        pcap_set_timeout(handle->pcap, GATHER);
        pcap_set_promisc(handle->pcap, promiscuous);
        pcap_set_tstamp_precision(handle->pcap, PCAP_TSTAMP_PRECISION_NANO);
        status = pcap_activate(handle->pcap);
        if (status < 0)
                return refuse(handle, name, status, sentence);
        if (pcap_setnonblock(handle->pcap, 1, reason) < 0) {
                snprintf(sentence, 256, "%s: %.200s", name, reason);
                return -EIO;
        }
        handle->fraction =
                pcap_get_tstamp_precision(handle->pcap) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000;
        handle->fd = pcap_fileno(handle->pcap);
        return set_link(handle, name, sentence);
}

/* The user's expression first: what it drops is none of our business. */
static int narrow(const struct pt_handle *handle, const char *filter, struct bpf_program *ours)
{
        struct bpf_program users, both;
        int r;

        if (pcap_compile(handle->pcap, &users, filter, 1, PCAP_NETMASK_UNKNOWN) < 0)
                return -EINVAL;
        r = pt_filter_join(&users, ours, &both);
        pcap_freecode(&users);
        if (r < 0)
                return r;
        pt_filter_free(ours);
        *ours = both;
        return 0;
}

static int set_filter(struct pt_handle *handle, const char *name, const char *filter,
                      char sentence[256])
{
        struct bpf_program program = {0};
        int r = pt_filter_make(handle->linktype, &program);

        if (r == 0 && filter)
                r = narrow(handle, filter, &program);
        if (r == 0 && pcap_setfilter(handle->pcap, &program) < 0)
                r = -EINVAL;
        pt_filter_free(&program);
        if (r < 0)
                snprintf(sentence, 256, "%s: filter: %.150s", name,
                         r == -EINVAL ? pcap_geterr(handle->pcap) : strerror(-r));
        return r;
}

int pt_handle_open(const struct pt_live_settings *settings, const char *name, bool promiscuous,
                   struct pt_handle *ret, char sentence[256])
{
        int r = activate(settings, name, promiscuous, ret, sentence);

        return r ? r : set_filter(ret, name, settings->filter, sentence);
}

/* ---- a second one ---- */

/*
 * The kernel swaps one filter for the other between two packets. libpcap would attach one that
 * rejects all in between, and filter by itself, without a word, if the kernel took none.
 */
static int attach(const struct pt_handle *handle, struct bpf_program *program)
{
        struct sock_fprog filter = {.len = (unsigned short)program->bf_len,
                                    .filter = (struct sock_filter *)program->bf_insns};
        int none = 0;

        if (program->bf_len > BPF_MAXINSNS)
                return -E2BIG;
        if (setsockopt(handle->fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0)
                return 0;
        if (errno != ENOMEM)
                return -errno;
        /* There is no room for two (net.core.optmem_max): for a moment, all passes. */
        setsockopt(handle->fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof none);
        return setsockopt(handle->fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0
                       ? 0
                       : -errno;
}

static int join_users(const struct pt_handle *handle, struct bpf_program *program)
{
        struct bpf_program both;
        int r;

        if (!handle->users.bf_len)
                return 0;
        r = pt_filter_join(&handle->users, program, &both);
        if (r < 0)
                return r;
        pt_filter_free(program);
        *program = both;
        return 0;
}

static int follow(const struct pt_handle *handle, const struct pt_followed *list, size_t count)
{
        struct bpf_program program = {0};
        int r = pt_pick_make(handle->linktype, list, count, &program);

        if (r == 0)
                r = join_users(handle, &program);
        if (r == 0)
                r = pt_program_cook(&program, handle->linktype);
        if (r == 0)
                r = attach(handle, &program);
        pt_filter_free(&program);
        return r;
}

/* Too many for this kernel: how connections begin and end is more than nothing, and than a flood.
 */
int pt_handle_follow(struct pt_handle *handle, const struct pt_followed *list, size_t count)
{
        int r = follow(handle, list, count);

        if (r < 0 && count)
                follow(handle, NULL, 0);
        return r;
}

int pt_handle_open_beside(const struct pt_live_settings *settings, const char *name,
                          struct pt_handle *ret, char sentence[256])
{
        struct pt_live_settings own = *settings;
        int r;

        own.snapshot = PT_PICK_OCTETS;
        if (own.ring > RING_BESIDE)
                own.ring = RING_BESIDE;
        ret->beside = true;
        /* What the first one hears, it hears too: it need not be promiscuous. */
        r = activate(&own, name, false, ret, sentence);
        if (r < 0)
                return r;
        if (settings->filter &&
            pcap_compile(ret->pcap, &ret->users, settings->filter, 1, PCAP_NETMASK_UNKNOWN) < 0) {
                snprintf(sentence, 256, "%s: filter: %.150s", name, pcap_geterr(ret->pcap));
                return -EINVAL;
        }
        r = pt_handle_follow(ret, NULL, 0);
        if (r < 0)
                snprintf(sentence, 256, "%s: the kernel takes no filter for --log outcome: %s",
                         name, strerror(-r));
        return r;
}

void pt_handle_close(struct pt_handle *handle)
{
        pcap_freecode(&handle->users);
        if (handle->pcap)
                pcap_close(handle->pcap);
        *handle = (struct pt_handle){0};
}
