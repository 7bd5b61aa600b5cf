#include "replay.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * libpcap reads a file with two fread() calls per packet. With glibc's own small buffer and a lock
 * around each, that costs more than everything else that is done with a packet.
 */
#define BUFFER_SIZE ((size_t)256 << 10)

/* The bytes under libpcap's stream: counted, so that a fault has its place in a pipe too. */
struct input {
        int fd;
        uint64_t read; /* bytes taken from fd */
        int error;     /* errno of the read that failed, or 0 */
        bool end;
};

struct pt_replay {
        struct input input;
        FILE *stream; /* NULL once libpcap owns it */
        pcap_t *pcap;
        struct bpf_program filter;
        bool filtered;
        char *buffer;
        char name[144]; /* for sentences; a long path keeps its end */
        uint32_t file;
        int linktype;
        uint64_t number;
        enum pt_replay_step over; /* END or CUT once it is so, else FRAME */
        struct pt_replay_fault fault;
};

static ssize_t input_read(void *cookie, char *bytes, size_t size)
{
        struct input *input = cookie;

        ssize_t got = read(input->fd, bytes, size);
        if (got < 0)
                input->error = errno;
        else if (got == 0)
                input->end = true;
        else
                input->read += (uint64_t)got;
        return got;
}

static int input_close(void *cookie)
{
        struct input *input = cookie;

        int r = close(input->fd);
        input->fd = -1;
        return r;
}

/*
 * How far libpcap has read. These are the two members that the getc_unlocked() macro of <stdio.h>
 * compiles into every program; ftello() would ask the kernel once for each packet.
 */
static uint64_t consumed(const struct pt_replay *replay, FILE *stream)
{
        return replay->input.read - (uint64_t)(stream->_IO_read_end - stream->_IO_read_ptr);
}

static void name_set(struct pt_replay *replay, const char *path)
{
        size_t length = strlen(path);

        if (!strcmp(path, "-"))
                snprintf(replay->name, sizeof(replay->name), "standard input");
        else if (length < sizeof(replay->name))
                memcpy(replay->name, path, length + 1);
        else
                snprintf(replay->name, sizeof(replay->name), "...%s",
                         path + length - (sizeof(replay->name) - 4));
}

static void fault_set(const struct pt_replay *replay, struct pt_replay_fault *fault,
                      uint64_t offset, const char *reason)
{
        fault->offset = offset;
        snprintf(fault->sentence, sizeof(fault->sentence), "%s: byte %" PRIu64 ": %.140s",
                 replay->name, offset, reason);
}

/* What could not be opened has no offset to tell. */
static void fault_open(const struct pt_replay *replay, struct pt_replay_fault *fault,
                       const char *reason)
{
        fault->offset = 0;
        snprintf(fault->sentence, sizeof(fault->sentence), "%s: %.140s", replay->name, reason);
}

/* --- what the first bytes say ----------------------------------------------------------------- */

static const struct magic {
        uint8_t bytes[6];
        uint8_t length;
        bool capture; /* libpcap reads it */
        const char *what;
} magics[] = {
        {{0xa1, 0xb2, 0xc3, 0xd4}, 4, true, "pcap"},
        {{0xd4, 0xc3, 0xb2, 0xa1}, 4, true, "pcap, little endian"},
        {{0xa1, 0xb2, 0x3c, 0x4d}, 4, true, "pcap, nanoseconds"},
        {{0x4d, 0x3c, 0xb2, 0xa1}, 4, true, "pcap, nanoseconds, little endian"},
        {{0xa1, 0xb2, 0xcd, 0x34}, 4, true, "pcap, Kuznetsov's variant"},
        {{0x34, 0xcd, 0xb2, 0xa1}, 4, true, "pcap, Kuznetsov's variant, little endian"},
        {{0x0a, 0x0d, 0x0d, 0x0a}, 4, true, "pcapng"},
        {{0x1f, 0x8b}, 2, false, "gzip"},
        {{0x28, 0xb5, 0x2f, 0xfd}, 4, false, "zstd"},
        {{0xfd, '7', 'z', 'X', 'Z', 0x00}, 6, false, "xz"},
        {{0x04, 0x22, 0x4d, 0x18}, 4, false, "lz4"},
        {{'B', 'Z', 'h'}, 3, false, "bzip2"},
};

static const struct magic *magic_of(const char *bytes, uint64_t length)
{
        for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
                if (length >= magics[i].length && !memcmp(bytes, magics[i].bytes, magics[i].length))
                        return &magics[i];
        return NULL;
}

static uint32_t block_word(const uint8_t *bytes, bool big)
{
        if (big)
                return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                       (uint32_t)bytes[2] << 8 | bytes[3];
        return (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 |
               bytes[0];
}

/* The byte order of a pcapng section: its magic reads 1a 2b 3c 4d in big endian. */
static bool section_big(int fd, uint64_t offset)
{
        uint8_t magic[4];

        return pread(fd, magic, 4, (off_t)offset + 8) == 4 && magic[0] == 0x1a;
}

/*
 * libpcap reads pcapng block by block and says nothing about those that hold no packet. `good` is
 * where the last good packet ended, `failed` how far libpcap had read when it gave up: the block it
 * gave up on is the last that begins between the two. In a pipe there is no going back: `good`.
 */
static uint64_t block_at_fault(int fd, uint64_t good, uint64_t failed)
{
        bool big = section_big(fd, 0);
        uint8_t header[8];

        while (pread(fd, header, 8, (off_t)good) == 8) {
                if (block_word(header, true) == 0x0a0d0d0a)
                        big = section_big(fd, good);
                uint32_t length = block_word(header + 4, big);
                if (length < 12 || length % 4 || good + length >= failed)
                        break;
                good += length;
        }
        return good;
}

static bool is_pcapng(const struct pt_replay *replay)
{
        /* The buffer is filled again and again, so libpcap is asked once the file is open. */
        if (replay->pcap)
                return pcap_major_version(replay->pcap) == 1;
        const struct magic *magic = magic_of(replay->buffer, replay->input.read);
        return magic && !strcmp(magic->what, "pcapng");
}

/* --- opening ---------------------------------------------------------------------------------- */

/* Why libpcap refused the start of the file. Its own words are for programmers. */
static int refused(struct pt_replay *replay, const char *reason, struct pt_replay_fault *fault)
{
        const struct magic *magic = magic_of(replay->buffer, replay->input.read);
        char text[160];

        if (replay->input.error) {
                fault_set(replay, fault, replay->input.read, strerror(replay->input.error));
                return -replay->input.error;
        }
        if (replay->input.read == 0) {
                fault_set(replay, fault, 0, "the file is empty");
                return -EBADMSG;
        }
        if (magic && !magic->capture) {
                snprintf(text, sizeof(text),
                         "compressed with %s, which is not read: decompress it first", magic->what);
                fault_set(replay, fault, 0, text);
                return -EBADMSG;
        }
        if ((magic || replay->input.read < 4) && replay->input.end) {
                snprintf(text, sizeof(text), "cut inside the file header (%" PRIu64 " bytes): %s",
                         replay->input.read, reason);
                reason = text;
        } else if (!magic) {
                reason = "neither pcap nor pcapng";
        }
        uint64_t offset = 0;
        if (is_pcapng(replay))
                offset = block_at_fault(replay->input.fd, 0, consumed(replay, replay->stream));
        fault_set(replay, fault, offset, reason);
        return -EBADMSG;
}

/* A stream over the path that counts, with a buffer of ours and no locks. */
static int stream_open(struct pt_replay *replay, const char *path, struct pt_replay_fault *fault)
{
        static const cookie_io_functions_t functions = {.read = input_read, .close = input_close};
        struct stat status;

        if (!strcmp(path, "-"))
                replay->input.fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
        else
                replay->input.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (replay->input.fd < 0 || fstat(replay->input.fd, &status) < 0) {
                int error = errno;
                fault_open(replay, fault, strerror(error));
                return -error;
        }
        if (S_ISDIR(status.st_mode)) {
                fault_open(replay, fault, "a directory: name the captures in it one by one");
                return -EISDIR;
        }
        replay->buffer = calloc(1, BUFFER_SIZE);
        replay->stream = replay->buffer ? fopencookie(&replay->input, "rb", functions) : NULL;
        if (!replay->stream) {
                fault_open(replay, fault, strerror(ENOMEM));
                return -ENOMEM;
        }
        setvbuf(replay->stream, replay->buffer, _IOFBF, BUFFER_SIZE);
        __fsetlocking(replay->stream, FSETLOCKING_BYCALLER);
        return 0;
}

static const struct link {
        int dlt; /* libpcap's number, which differs between systems */
        int linktype;
} links[] = {
        {DLT_NULL, PT_LINK_NULL},
        {DLT_EN10MB, PT_LINK_ETHERNET},
        {DLT_RAW, PT_LINK_RAW},
        {PT_LINK_RAW_BSD, PT_LINK_RAW_BSD}, /* these two as a file may hold them, whatever */
        {PT_LINK_RAW_OPENBSD, PT_LINK_RAW_OPENBSD}, /* DLT_RAW is on the system that reads it */
        {PT_LINK_RAW, PT_LINK_RAW},
        {DLT_PPP, PT_LINK_PPP},
        {DLT_PPP_SERIAL, PT_LINK_PPP_HDLC},
        {DLT_PPP_ETHER, PT_LINK_PPP_ETHER},
        {DLT_PPP_PPPD, PT_LINK_PPP_PPPD},
        {DLT_PPP_WITH_DIR, PT_LINK_PPP_DIRECTED},
        {DLT_C_HDLC, PT_LINK_CISCO_HDLC},
        {DLT_LOOP, PT_LINK_LOOP},
        {DLT_LINUX_SLL, PT_LINK_SLL},
        {DLT_IPV4, PT_LINK_IPV4},
        {DLT_IPV6, PT_LINK_IPV6},
        {DLT_LINUX_SLL2, PT_LINK_SLL2},
};

/* A capture of something else must not look like one in which nothing was found. */
static int link_set(struct pt_replay *replay, struct pt_replay_fault *fault)
{
        int dlt = pcap_datalink(replay->pcap);
        const char *name = pcap_datalink_val_to_name(dlt);
        char text[128];

        for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
                if (links[i].dlt == dlt) {
                        replay->linktype = links[i].linktype;
                        return 0;
                }
        }
        snprintf(text, sizeof(text), "link type %d%s%s%s is not read", dlt, name ? " (" : "",
                 name ? name : "", name ? ")" : "");
        fault_set(replay, fault, is_pcapng(replay) ? 0 : 20, text);
        return -EBADMSG;
}

static int filter_set(struct pt_replay *replay, const char *filter, struct pt_replay_fault *fault)
{
        if (!filter || !*filter)
                return 0;
        if (pcap_compile(replay->pcap, &replay->filter, filter, 1, PCAP_NETMASK_UNKNOWN) < 0) {
                fault->offset = 0;
                snprintf(fault->sentence, sizeof(fault->sentence), "%s: filter: %.140s",
                         replay->name, pcap_geterr(replay->pcap));
                return -EINVAL;
        }
        replay->filtered = true;
        return 0;
}

static int open_all(struct pt_replay *replay, const char *path, const char *filter,
                    struct pt_replay_fault *fault)
{
        char reason[PCAP_ERRBUF_SIZE] = "";

        int r = stream_open(replay, path, fault);
        if (r < 0)
                return r;
        replay->pcap = pcap_fopen_offline_with_tstamp_precision(replay->stream,
                                                                PCAP_TSTAMP_PRECISION_NANO, reason);
        if (!replay->pcap)
                return refused(replay, reason, fault);
        replay->stream = NULL;
        r = link_set(replay, fault);
        return r < 0 ? r : filter_set(replay, filter, fault);
}

int pt_replay_open(const char *path, const char *filter, uint32_t file, struct pt_replay **ret,
                   struct pt_replay_fault *fault)
{
        struct pt_replay *replay = calloc(1, sizeof(*replay));
        if (!replay) {
                fault->offset = 0;
                snprintf(fault->sentence, sizeof(fault->sentence), "%.140s: %s", path,
                         strerror(ENOMEM));
                return -ENOMEM;
        }
        replay->input.fd = -1;
        replay->file = file;
        name_set(replay, path);

        int r = open_all(replay, path, filter, fault);
        if (r < 0) {
                pt_replay_free(replay);
                return r;
        }
        *ret = replay;
        return 0;
}

struct pt_replay *pt_replay_free(struct pt_replay *replay)
{
        if (!replay)
                return NULL;
        if (replay->filtered)
                pcap_freecode(&replay->filter);
        if (replay->pcap)
                pcap_close(replay->pcap); /* and with it the stream */
        else if (replay->stream)
                fclose(replay->stream);
        else if (replay->input.fd >= 0)
                close(replay->input.fd);
        free(replay->buffer);
        free(replay);
        return NULL;
}

/* --- reading ---------------------------------------------------------------------------------- */

/*
 * Files hold seconds before 1970, far beyond 2262, and fractions of more than a second. The sum is
 * what they mean; where 64 bits cannot hold it, the nearest that they can.
 */
static int64_t nanoseconds(const struct timeval *time)
{
        int64_t whole, sum;

        if (__builtin_mul_overflow((int64_t)time->tv_sec, INT64_C(1000000000), &whole))
                return time->tv_sec < 0 ? INT64_MIN : INT64_MAX;
        if (__builtin_add_overflow(whole, (int64_t)time->tv_usec, &sum))
                return whole < 0 ? INT64_MIN : INT64_MAX;
        return sum;
}

/* libpcap gave up on what begins at `good`, or on a later block of a pcapng file. */
static void cut(struct pt_replay *replay, uint64_t good)
{
        uint64_t failed = consumed(replay, pcap_file(replay->pcap));
        const char *reason = pcap_geterr(replay->pcap);

        if (replay->input.error)
                reason = strerror(replay->input.error);
        if (is_pcapng(replay))
                good = block_at_fault(replay->input.fd, good, failed);
        fault_set(replay, &replay->fault, good, reason);
        replay->over = PT_REPLAY_CUT;
}

enum pt_replay_step pt_replay_next(struct pt_replay *replay, struct pt_frame *ret,
                                   struct pt_replay_fault *fault)
{
        FILE *stream = pcap_file(replay->pcap);
        struct pcap_pkthdr *header;
        const u_char *bytes;

        while (replay->over == PT_REPLAY_FRAME) {
                uint64_t start = consumed(replay, stream);
                int r = pcap_next_ex(replay->pcap, &header, &bytes);
                if (r == PCAP_ERROR_BREAK && !replay->input.error) {
                        replay->over = PT_REPLAY_END;
                } else if (r != 1) {
                        cut(replay, start);
                } else {
                        replay->number++;
                        if (replay->filtered &&
                            !pcap_offline_filter(&replay->filter, header, bytes))
                                continue;
                        *ret = (struct pt_frame){
                                .bytes = bytes,
                                .captured = header->caplen,
                                .length = header->len,
                                .linktype = replay->linktype,
                                .time = nanoseconds(&header->ts),
                                .number = replay->number,
                                .file = replay->file,
                                .odd_time =
                                        header->ts.tv_usec < 0 || header->ts.tv_usec >= 1000000000,
                        };
                        return PT_REPLAY_FRAME;
                }
        }
        if (replay->over == PT_REPLAY_CUT)
                *fault = replay->fault;
        return replay->over;
}

int pt_replay_check_filter(const char *filter, struct pt_replay_fault *fault)
{
        struct bpf_program program;

        pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 65535);
        if (!pcap)
                return -ENOMEM;
        int r = pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN);
        if (r < 0) {
                fault->offset = 0;
                snprintf(fault->sentence, sizeof(fault->sentence), "filter: %.200s",
                         pcap_geterr(pcap));
        } else {
                pcap_freecode(&program);
        }
        pcap_close(pcap);
        return r < 0 ? -EINVAL : 0;
}
