#include "io/live/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "io/live/handle.h"
#include "io/since.h"

#define SECOND INT64_C(1000000000)
#define NOTHING 0xffff /* a protocol that no frame has: who is bound to it receives none */

/* A handle whose reading fails though its interface is well is tried again, ever more rarely. */
#define FAULTS 3
#define RETRY_MOST (60 * SECOND)

enum state {
        TAP_UP,
        TAP_DOWN, /* bound, but there is no carrier */
        TAP_LOST, /* bound to nothing: the interface is awaited */
};

struct pt_tap {
        const char *name;
        struct pt_notify notify;
        uint32_t place;
        bool any; /* the pseudo-interface of all, which never goes away */
        bool promiscuous;
        struct pt_handle handle;

        enum state state;
        int index;             /* what it is bound to, 0 if nothing */
        int kind;              /* of the interface that it was opened on */
        bool told_kind;        /* that what came back is of another kind */
        bool told_down;        /* that its link is down, and not yet that it is up */
        struct pt_since down;  /* since when */
        struct pt_since since; /* the last change for the worse */
        unsigned faults;       /* in a row */
        int64_t retry;         /* not before this, by CLOCK_MONOTONIC */
        int64_t patience;      /* until the retry after that */

        bool has_frame;
        struct pt_frame frame;
        uint64_t number;

        uint32_t received_before, dropped_before; /* libpcap's sums, which are of 32 bits */
        uint64_t missed_before;
        struct pt_live_stats total;
};

/* ---- what is told ---- */

static void tell(const struct pt_tap *tap, enum pt_notice_kind kind, enum pt_notice_level level,
                 const char *sentence)
{
        const struct pt_notice notice = {
                .kind = kind,
                .level = level,
                .subject = tap->name,
                .sentence = sentence,
                .since = pt_since_wall(tap->since),
        };

        if (tap->notify.tell)
                tap->notify.tell(tap->notify.context, &notice);
}

static void worsen(struct pt_tap *tap, enum state state, enum pt_notice_kind kind,
                   const char *sentence)
{
        if (tap->state == TAP_UP)
                tap->since = pt_since_now();
        tap->state = state;
        tell(tap, kind, PT_NOTICE_WARNING, sentence);
}

static void improve(struct pt_tap *tap, enum pt_notice_kind kind, const char *sentence)
{
        tap->state = TAP_UP;
        tell(tap, kind, PT_NOTICE_INFO, sentence);
        tap->since = (struct pt_since){0};
}

/* ---- the interface's own losses ---- */

static bool read_number(const char *name, const char *what, uint64_t *ret)
{
        char path[128], text[32];
        FILE *file;
        bool there;

        snprintf(path, sizeof path, "/sys/class/net/%.16s/statistics/%s", name, what);
        file = fopen(path, "re");
        if (!file)
                return false;
        there = fgets(text, sizeof text, file) != NULL;
        fclose(file);
        if (there)
                *ret = strtoull(text, NULL, 10);
        return there;
}

/* What libpcap counts as ps_ifdrop, but with a difference between none and unknown. */
static bool read_missed(const struct pt_tap *tap, uint64_t *ret)
{
        uint64_t missed, overrun;

        if (tap->any || !read_number(tap->name, "rx_missed_errors", &missed) ||
            !read_number(tap->name, "rx_fifo_errors", &overrun))
                return false;
        *ret = missed + overrun;
        return true;
}

struct pt_live_stats pt_tap_stats(struct pt_tap *tap)
{
        struct pcap_stat now;
        uint64_t missed;

        if (pcap_stats(tap->handle.pcap, &now) == 0) {
                tap->total.packets += (uint32_t)(now.ps_recv - tap->received_before);
                tap->total.dropped += (uint32_t)(now.ps_drop - tap->dropped_before);
                tap->received_before = now.ps_recv;
                tap->dropped_before = now.ps_drop;
        }
        if (tap->state != TAP_LOST && read_missed(tap, &missed)) {
                if (missed > tap->missed_before)
                        tap->total.interface_dropped += missed - tap->missed_before;
                tap->missed_before = missed;
                tap->total.interface_known = true;
        }
        return tap->total;
}

/* ---- opening ---- */

int pt_tap_open(const struct pt_live_settings *settings, uint32_t place, bool beside,
                const struct pt_carrier *carrier, struct pt_tap **ret, char sentence[256])
{
        struct pt_tap *tap = calloc(1, sizeof *tap);
        struct pt_carrier_state state;
        int r;

        if (!tap) {
                snprintf(sentence, 256, "%s", strerror(ENOMEM));
                return -ENOMEM;
        }
        tap->name = settings->interfaces[place];
        tap->place = place;
        tap->any = strcmp(tap->name, "any") == 0;
        if (beside) {
                r = pt_handle_open_beside(settings, tap->name, &tap->handle, sentence);
        } else {
                tap->notify = settings->notify;
                tap->promiscuous = settings->promiscuous && !tap->any;
                r = pt_handle_open(settings, tap->name, tap->promiscuous, &tap->handle, sentence);
        }
        if (r < 0) {
                pt_tap_free(tap);
                return r;
        }
        state = pt_carrier_look(carrier, tap->name);
        tap->index = state.index;
        tap->kind = state.kind;
        tap->patience = SECOND;
        read_missed(tap, &tap->missed_before);
        *ret = tap;
        return 0;
}

struct pt_tap *pt_tap_free(struct pt_tap *tap)
{
        if (!tap)
                return NULL;
        pt_handle_close(&tap->handle);
        free(tap);
        return NULL;
}

/* While a frame is held, its block can be read, and every poll would return at once. */
int pt_tap_descriptor(const struct pt_tap *tap)
{
        return tap->state == TAP_LOST || tap->has_frame ? -1 : tap->handle.fd;
}

bool pt_tap_is_up(const struct pt_tap *tap)
{
        return tap->state == TAP_UP;
}

/* ---- the interface comes and goes ---- */

static int bind_to(const struct pt_tap *tap, int index, uint16_t protocol)
{
        struct sockaddr_ll address = {
                .sll_family = AF_PACKET,
                .sll_protocol = htons(protocol),
                .sll_ifindex = index,
        };

        return bind(tap->handle.fd, (const struct sockaddr *)&address, sizeof address) < 0 ? -errno
                                                                                           : 0;
}

static int listen_to_all(const struct pt_tap *tap, int index, int option)
{
        struct packet_mreq membership = {.mr_ifindex = index, .mr_type = PACKET_MR_PROMISC};

        if (!tap->promiscuous)
                return 0;
        return setsockopt(tap->handle.fd, SOL_PACKET, option, &membership, sizeof membership) < 0
                       ? -errno
                       : 0;
}

/* An error that waits on the socket would make every poll return at once. */
static void clear_error(const struct pt_tap *tap)
{
        socklen_t length = sizeof(int);
        int error;

        getsockopt(tap->handle.fd, SOL_SOCKET, SO_ERROR, &error, &length);
}

/* What the ring still holds can be read, and is. */
static void lose(struct pt_tap *tap)
{
        char now[IF_NAMESIZE], sentence[128] = "the interface vanished: it is awaited";

        if (if_indextoname((unsigned)tap->index, now)) {
                /* Its name is what we were told to capture, and is another's now, or nobody's. */
                listen_to_all(tap, tap->index, PACKET_DROP_MEMBERSHIP);
                bind_to(tap, tap->index, NOTHING);
                snprintf(sentence, sizeof sentence,
                         "the interface was renamed to %s: one of its name is awaited", now);
        }
        clear_error(tap);
        tap->index = 0;
        worsen(tap, TAP_LOST, PT_NOTICE_CAPTURE_LOST, sentence);
}

static void give_up(struct pt_tap *tap, int64_t now)
{
        char sentence[160];

        snprintf(sentence, sizeof sentence, "it cannot be read (%.100s), and is tried again",
                 pcap_geterr(tap->handle.pcap));
        bind_to(tap, tap->index, NOTHING);
        clear_error(tap);
        tap->index = 0;
        tap->faults = 0;
        tap->retry = now + tap->patience;
        tap->patience = tap->patience * 2 < RETRY_MOST ? tap->patience * 2 : RETRY_MOST;
        worsen(tap, TAP_LOST, PT_NOTICE_CAPTURE_LOST, sentence);
}

static void refuse_kind(struct pt_tap *tap)
{
        if (!tap->told_kind)
                tell(tap, PT_NOTICE_CAPTURE_LOST, PT_NOTICE_ERROR,
                     "an interface of another kind has its name now: start portent anew to "
                     "capture it");
        tap->told_kind = true;
}

static void come_back(struct pt_tap *tap, const struct pt_carrier_state *state)
{
        if (state->kind != tap->kind) {
                refuse_kind(tap);
                return;
        }
        if (bind_to(tap, state->index, ETH_P_ALL) < 0)
                return; /* gone again, or not up: there will be another look */
        clear_error(tap);
        listen_to_all(tap, state->index, PACKET_ADD_MEMBERSHIP);
        tap->index = state->index;
        tap->told_kind = false;
        if (read_missed(tap, &tap->missed_before))
                tap->total.interface_known = true;
        improve(tap, PT_NOTICE_CAPTURE_RESUMED, "capture goes on");
}

static void go_down(struct pt_tap *tap)
{
        clear_error(tap);
        if (tap->told_down) { /* it was, then it vanished, and came back down */
                tap->state = TAP_DOWN;
                return;
        }
        worsen(tap, TAP_DOWN, PT_NOTICE_LINK_DOWN, "the link is down");
        tap->told_down = true;
        tap->down = tap->since;
}

/* Also of an interface that vanished while its link was down, and came back up. */
static void come_up(struct pt_tap *tap)
{
        tap->told_down = false;
        tap->since = tap->down;
        improve(tap, PT_NOTICE_LINK_UP, "the link is up");
}

void pt_tap_look(struct pt_tap *tap, const struct pt_carrier *carrier, int64_t now)
{
        struct pt_carrier_state state = {.up = true};

        if (!tap->any)
                state = pt_carrier_look(carrier, tap->name);
        if (tap->index != state.index && tap->index != 0)
                lose(tap);
        else if (tap->faults >= FAULTS && state.up)
                give_up(tap, now);
        if (!state.up)
                tap->faults = 0; /* which were its own */
        if (tap->state == TAP_LOST && (state.index || tap->any) && now >= tap->retry)
                come_back(tap, &state);
        if (tap->state == TAP_UP && !state.up)
                go_down(tap);
        else if (tap->state != TAP_LOST && state.up && tap->told_down)
                come_up(tap);
}

bool pt_tap_failed(const struct pt_tap *tap)
{
        return tap->faults > 0 && tap->state != TAP_LOST;
}

/* ---- reading ---- */

const struct pt_frame *pt_tap_peek(struct pt_tap *tap)
{
        struct pcap_pkthdr *header;
        const u_char *bytes;
        int r;

        if (tap->has_frame)
                return &tap->frame;
        r = pcap_next_ex(tap->handle.pcap, &header, &bytes);
        if (r < 0 && tap->faults < FAULTS)
                tap->faults++;
        if (r != 1)
                return NULL;
        tap->faults = 0;
        tap->patience = SECOND;
        tap->frame = (struct pt_frame){
                .bytes = bytes,
                .captured = header->caplen,
                .length = header->len,
                .linktype = tap->handle.linktype,
                .time = (int64_t)header->ts.tv_sec * SECOND +
                        header->ts.tv_usec * tap->handle.fraction,
                .number = ++tap->number,
                .file = tap->place,
        };
        tap->has_frame = true;
        return &tap->frame;
}

void pt_tap_take(struct pt_tap *tap)
{
        tap->has_frame = false;
}

bool pt_tap_holds(const struct pt_tap *tap)
{
        return tap->has_frame;
}

int pt_tap_follow(struct pt_tap *tap, const struct pt_followed *list, size_t count)
{
        return pt_handle_follow(&tap->handle, list, count);
}
