#include "io/capture/sieve.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/capture/medium.h"

#define LINKS_MOST 32 /* more than medium.c knows */
#define SNAPSHOT 262144

struct compiled {
        int linktype;
        struct bpf_program program;
};

struct pt_sieve {
        const char *expression;
        size_t count;
        struct compiled list[LINKS_MOST];
};

static int compile(const char *expression, int linktype, struct bpf_program *ret,
                   char reason[PT_SIEVE_REASON])
{
        pcap_t *pcap = pcap_open_dead(pt_medium_dlt(linktype), SNAPSHOT);
        int r = 0;

        if (!pcap)
                return -ENOMEM;
        if (pcap_compile(pcap, ret, expression, 1, PCAP_NETMASK_UNKNOWN) < 0) {
                snprintf(reason, PT_SIEVE_REASON, "%.150s", pcap_geterr(pcap));
                r = -EINVAL;
        }
        pcap_close(pcap);
        return r;
}

int pt_sieve_check(const char *expression, char reason[PT_SIEVE_REASON])
{
        struct bpf_program program;
        int r = compile(expression, PT_LINK_ETHERNET, &program, reason);

        if (r == 0)
                pcap_freecode(&program);
        return r;
}

int pt_sieve_new(const char *expression, struct pt_sieve **ret)
{
        struct pt_sieve *filter = calloc(1, sizeof *filter);

        if (!filter)
                return -ENOMEM;
        filter->expression = expression;
        *ret = filter;
        return 0;
}

struct pt_sieve *pt_sieve_free(struct pt_sieve *filter)
{
        for (size_t i = 0; filter && i < filter->count; i++)
                pcap_freecode(&filter->list[i].program);
        free(filter);
        return NULL;
}

/* 0 with the program; -EINVAL, -ENOMEM. */
static int find(struct pt_sieve *filter, int linktype, const struct bpf_program **ret,
                char reason[PT_SIEVE_REASON])
{
        struct compiled *next = &filter->list[filter->count];
        int r;

        for (size_t i = 0; i < filter->count; i++) {
                if (filter->list[i].linktype == linktype) {
                        *ret = &filter->list[i].program;
                        return 0;
                }
        }
        if (filter->count == LINKS_MOST)
                return -ENOMEM;
        r = compile(filter->expression, linktype, &next->program, reason);
        if (r < 0)
                return r;
        next->linktype = linktype;
        filter->count++;
        *ret = &next->program;
        return 0;
}

int pt_sieve_passes(struct pt_sieve *filter, const struct pt_frame *frame,
                    char reason[PT_SIEVE_REASON])
{
        const struct bpf_program *program;
        int r;

        if (!pt_medium_is_read(frame->linktype))
                return 1;
        r = find(filter, frame->linktype, &program, reason);
        if (r < 0)
                return r;
        return bpf_filter(program->bf_insns, frame->bytes, frame->length, frame->captured) != 0;
}
