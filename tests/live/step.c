/*
 * A wall clock that is set: preloaded into the program, it moves CLOCK_REALTIME, and CLOCK_BOOTTIME
 * with it, and the time stamps of packets, which the kernel takes from the wall clock, by as much
 * as a file says. CLOCK_MONOTONIC is left as it is, so a step ahead is what a suspended machine
 * looks like too.
 *
 *      STEP=file       holds three int64_t, nanoseconds: from `at` (of the true wall clock) on it
 * is `after` ahead, and `before` until then; what is written there counts at once
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
#define PUBLIC __attribute__((visibility("default")))

struct step {
        int64_t before, at, after;
};

static const volatile struct step *step;

static int64_t moved(int64_t time)
{
        if (!step)
                return time;
        return time + (time < step->at ? step->before : step->after);
}

__attribute__((constructor)) static void begin(void)
{
        const char *path = getenv("STEP");
        int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        void *at;

        if (fd < 0)
                return;
        at = mmap(NULL, sizeof(struct step), PROT_READ, MAP_SHARED, fd, 0);
        close(fd);
        if (at != MAP_FAILED)
                step = at;
}

PUBLIC int clock_gettime(clockid_t clock, struct timespec *ret)
{
        static int (*next)(clockid_t, struct timespec *);
        int64_t time;
        int r;

        if (!next)
                *(void **)&next = dlsym(RTLD_NEXT, "clock_gettime");
        r = next(clock, ret);
        if (r == 0 && (clock == CLOCK_REALTIME || (clock == CLOCK_BOOTTIME && step))) {
                time = (int64_t)ret->tv_sec * SECOND + ret->tv_nsec;
                time = clock == CLOCK_REALTIME ? moved(time) : time + step->after;
                *ret = (struct timespec){time / SECOND, time % SECOND};
        }
        return r;
}

/* The sensor takes stamps of nanoseconds, which stand in tv_usec. */
PUBLIC int pcap_next_ex(pcap_t *handle, struct pcap_pkthdr **ret_header, const u_char **ret_bytes)
{
        static int (*next)(pcap_t *, struct pcap_pkthdr **, const u_char **);
        int64_t fraction, time;
        int r;

        if (!next)
                *(void **)&next = dlsym(RTLD_NEXT, "pcap_next_ex");
        r = next(handle, ret_header, ret_bytes);
        if (r == 1 && step) {
                fraction =
                        pcap_get_tstamp_precision(handle) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000;
                time = moved((int64_t)(*ret_header)->ts.tv_sec * SECOND +
                             (*ret_header)->ts.tv_usec * fraction);
                (*ret_header)->ts.tv_sec = time / SECOND;
                (*ret_header)->ts.tv_usec = time % SECOND / fraction;
        }
        return r;
}
