/*
 * capture-differential: capture files read by us and by libpcap: the same frames, lengths, times
 * and link types; the same end, or a difference that is named here with its reason.
 *
 *     capture-differential MUTANTS SEED FILE...
 *
 * Each file as it is, then that many mutated copies of it. Prints how often each named difference
 * was met; ends with 1 at the first other one, and leaves its file in ./different.pcap.
 */
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/capture/medium.h"
#include "io/capture/replay.h"

/* What libpcap gives up on and we read: part of its words, and why. */
static struct {
        const char *words;
        const char *reason;
        unsigned long met;
} beyond[] = {
        {"different from the type of the first", "pcapng of several link types is read", 0},
        {"different from the snapshot length", "pcapng of several snap lengths is read", 0},
        {"pcapng block size", "sections of both byte orders are read", 0},
        {"no Interface Description", "a section without interfaces is a capture without packets",
         0},
        {"bigger than snaplen", "a pcapng packet longer than its interface's snap length is read",
         0},
        {"bigger than maximum", "(the same, where the snap length is the greatest)", 0},
        {"unsupported pcapng savefile version 1.", "any version 1 of pcapng is read", 0},
        {"block of type 1 in pcapng dump file is too short",
         "what the end of options is said to hold is not asked", 0},
        {"opt_endofopt option with length", "what the end of options is said to hold is not asked",
         0},
        {"more than one if_ts", "of two equal options the later counts", 0},
        {"Section Header Block in pcapng dump file has invalid length",
         "a long section header is read", 0},
};
#define BEYOND (sizeof beyond / sizeof *beyond)

enum {
        UNSIGNED_SECONDS,
        SIGNED_FRACTION,
        LINK_NOT_READ,
        TIME_OVERFLOW,
        FRACTION_OVERFLOW,
        SECTION_TRAILER,
        EARLY_SECTION,
        NAMED,
};
static const char *const reasons[NAMED] = {
        [UNSIGNED_SECONDS] = "seconds from 2038 on are unsigned, as the draft has them",
        [SIGNED_FRACTION] = "a fraction is signed; libpcap's is not in the other byte order",
        [LINK_NOT_READ] = "a link type that packet.h does not read is refused",
        [FRACTION_OVERFLOW] = "libpcap's arithmetic of a fraction of a second overflows",
        [TIME_OVERFLOW] = "libpcap's arithmetic of a time overflows, or wraps in 64 bits",
        [EARLY_SECTION] = "libpcap steps over a second section before the first interface",
        [SECTION_TRAILER] = "libpcap does not compare the two lengths of the first section",
};
static unsigned long named[NAMED];
static unsigned long frames, files;

static bool is_beyond(const char *words)
{
        for (size_t i = 0; i < BEYOND; i++) {
                if (strstr(words, beyond[i].words)) {
                        beyond[i].met++;
                        return true;
                }
        }
        return false;
}

static int different(const char *path, const char *format, uint64_t number, int64_t ours,
                     int64_t theirs)
{
        fprintf(stderr, "%s: packet %" PRIu64 ": %s: we have %" PRId64 ", libpcap %" PRId64 "\n",
                path, number, format, ours, theirs);
        return -1;
}

/* The sum that libpcap's seconds and nanoseconds mean, or the nearest that fits. */
static int64_t time_of(const struct timeval *time)
{
        __int128 sum = (__int128)time->tv_sec * 1000000000 + time->tv_usec;

        if (sum > INT64_MAX)
                return INT64_MAX;
        return sum < INT64_MIN ? INT64_MIN : (int64_t)sum;
}

static bool same_time(const struct pt_frame *frame, const struct timeval *time, bool pcapng)
{
        int64_t theirs = time_of(time);

        if (frame->time == theirs)
                return true;
        if (!pcapng && frame->time - theirs == INT64_C(1000000000) << 32) {
                named[UNSIGNED_SECONDS]++;
                return true;
        }
        if (!pcapng && (theirs - frame->time == INT64_C(1000) << 32 ||
                        theirs - frame->time == INT64_C(1) << 32)) {
                named[SIGNED_FRACTION]++;
                return true;
        }
        /* A fraction in units much finer than nanoseconds. */
        if (pcapng && frame->time >= 0 && theirs >= 0 &&
            frame->time / 1000000000 == theirs / 1000000000) {
                named[FRACTION_OVERFLOW]++;
                return true;
        }
        if (pcapng && (time->tv_usec < 0 || time->tv_usec > 999999999 || time->tv_sec < 0 ||
                       time->tv_sec > INT64_C(9223372035))) {
                named[TIME_OVERFLOW]++;
                return true;
        }
        return false;
}

static int same_frame(const char *path, const struct pt_frame *frame,
                      const struct pcap_pkthdr *header, const uint8_t *bytes, bool pcapng)
{
        if (frame->captured != header->caplen)
                return different(path, "captured", frame->number, frame->captured, header->caplen);
        if (frame->length != header->len)
                return different(path, "length", frame->number, frame->length, header->len);
        if (memcmp(frame->bytes, bytes, header->caplen) != 0)
                return different(path, "octets", frame->number, 0, 0);
        if (!same_time(frame, &header->ts, pcapng))
                return different(path, "time", frame->number, frame->time, time_of(&header->ts));
        frames++;
        return 0;
}

/* libpcap has opened it, we have not. */
static int not_opened(const char *path, pcap_t *pcap, const char *sentence)
{
        if (strstr(sentence, "link type") && strstr(sentence, "is not read")) {
                named[LINK_NOT_READ]++;
                return 0;
        }
        if (strstr(sentence, ": byte 0: a block of length") && strstr(sentence, "that ends with")) {
                named[SECTION_TRAILER]++;
                return 0;
        }
        if (strstr(sentence, "a section without its byte order magic")) {
                named[EARLY_SECTION]++;
                return 0;
        }
        /* We read on to the first packet before a capture is open: libpcap fails there too. */
        struct pcap_pkthdr *header;
        const u_char *bytes;

        if (pcap_next_ex(pcap, &header, &bytes) == PCAP_ERROR)
                return 0;
        fprintf(stderr, "%s: libpcap opens it, but: %s\n", path, sentence);
        return -1;
}

/* We have opened it, libpcap has not. */
static int opened(const char *path, const char *words)
{
        if (is_beyond(words))
                return 0;
        fprintf(stderr, "%s: we open it, but libpcap: %s\n", path, words);
        return -1;
}

static int read_both(const char *path, pcap_t *pcap, struct pt_replay *replay)
{
        bool pcapng = pcap_major_version(pcap) == 1;
        struct pt_replay_fault fault = {0};
        struct pcap_pkthdr *header;
        struct pt_frame frame;
        const u_char *bytes;

        for (;;) {
                int theirs = pcap_next_ex(pcap, &header, &bytes);
                enum pt_replay_step ours = pt_replay_next(replay, &frame, &fault);

                if (theirs == 1 && ours == PT_REPLAY_FRAME) {
                        /* 12 and 14 are raw IP in files of some systems, and not to libpcap here.
                         */
                        if (frame.linktype != pcap_datalink(pcap) &&
                            pt_medium_dlt(frame.linktype) != pcap_datalink(pcap))
                                return different(path, "link type", frame.number, frame.linktype,
                                                 pcap_datalink(pcap));
                        if (same_frame(path, &frame, header, bytes, pcapng) < 0)
                                return -1;
                        continue;
                }
                if (theirs == PCAP_ERROR_BREAK && ours == PT_REPLAY_END)
                        return 0;
                if (theirs == PCAP_ERROR && (ours == PT_REPLAY_CUT || is_beyond(pcap_geterr(pcap))))
                        return 0;
                fprintf(stderr, "%s: we have %d (%s), libpcap %d (%s)\n", path, (int)ours,
                        ours == PT_REPLAY_CUT ? fault.sentence : "", theirs,
                        theirs == PCAP_ERROR ? pcap_geterr(pcap) : "");
                return -1;
        }
}

static int compare(const char *path)
{
        const struct pt_replay_settings settings = {0};
        char words[PCAP_ERRBUF_SIZE];
        struct pt_replay_fault fault;
        struct pt_replay *replay = NULL;
        pcap_t *pcap =
                pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, words);
        int r = pt_replay_open(path, &settings, 0, &replay, &fault);

        files++;
        if (pcap && r == 0)
                r = read_both(path, pcap, replay);
        else if (pcap)
                r = not_opened(path, pcap, fault.sentence);
        else if (r == 0)
                r = opened(path, words);
        else
                r = 0;
        pt_replay_free(replay);
        if (pcap)
                pcap_close(pcap);
        return r;
}

/* ---- mutants ---- */

static uint64_t state;

static uint32_t random_below(uint32_t bound)
{
        state ^= state << 13; /* xorshift64 */
        state ^= state >> 7;
        state ^= state << 17;
        return (uint32_t)((state >> 16) % bound);
}

/* Headers stand at the beginning of files and of records: there most of the changes go. */
static size_t mutate(uint8_t *bytes, size_t size)
{
        static const uint32_t numbers[] = {
                0,  1,   4,          6,          12,         16,         20,     28,
                32, 101, 0x7fffffff, 0x80000000, 0xffffffff, 0x0a0d0d0a, 262144, 262145};
        unsigned changes = 1 + random_below(3);

        while (changes-- && size > 8) {
                size_t place = random_below((uint32_t)(random_below(2) ? size
                                                       : size < 200    ? size
                                                                       : 200));
                uint32_t number = numbers[random_below(sizeof numbers / sizeof *numbers)];

                switch (random_below(4)) {
                case 0:
                        bytes[place] ^= (uint8_t)(1u << random_below(8));
                        break;
                case 1:
                        bytes[place] = (uint8_t)random_below(256);
                        break;
                case 2:
                        place = place / 4 * 4;
                        if (place + 4 <= size)
                                memcpy(bytes + place, &number, 4);
                        break;
                default:
                        if (random_below(4) == 0)
                                size = place;
                }
        }
        return size;
}

static void leave(const uint8_t *bytes, size_t size)
{
        FILE *file = fopen("different.pcap", "wb");

        if (file) {
                fwrite(bytes, 1, size, file);
                fclose(file);
        }
}

static int compare_mutants(const char *path, unsigned long count)
{
        static uint8_t whole[1 << 20], mutant[1 << 20];
        char name[64];
        size_t size;
        FILE *file = fopen(path, "rb");

        if (!file)
                return -1;
        size = fread(whole, 1, sizeof whole, file);
        fclose(file);
        while (count--) {
                int fd = memfd_create("mutant", 0), r;
                size_t length;

                memcpy(mutant, whole, size);
                length = mutate(mutant, size);
                snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
                if (fd < 0 || write(fd, mutant, length) != (ssize_t)length)
                        return -1;
                r = compare(name);
                close(fd);
                if (r < 0) {
                        fprintf(stderr, "a mutant of %s, in different.pcap\n", path);
                        leave(mutant, length);
                        return -1;
                }
        }
        return 0;
}

int main(int argc, char **argv)
{
        unsigned long mutants = argc > 3 ? strtoul(argv[1], NULL, 10) : 0;

        if (argc < 4) {
                fprintf(stderr, "usage: capture-differential MUTANTS SEED FILE...\n");
                return 1;
        }
        state = strtoull(argv[2], NULL, 10) * 0x9e3779b97f4a7c15u + 1;
        for (int i = 3; i < argc; i++) {
                if (compare(argv[i]) < 0 || compare_mutants(argv[i], mutants) < 0)
                        return 1;
        }
        printf("%lu files, %lu frames the same\n", files, frames);
        for (size_t i = 0; i < NAMED; i++)
                printf("%8lu  %s\n", named[i], reasons[i]);
        for (size_t i = 0; i < BEYOND; i++)
                printf("%8lu  %s\n", beyond[i].met, beyond[i].reason);
        return 0;
}
