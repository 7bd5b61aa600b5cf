/*
 * program: classic BPF programs as we write them, step by step: from the link header to where IP
 * begins, with jumps to places that have names. Shared by filter and pick, and by nobody else.
 *
 * X leads behind the tags that stand in a frame, so that all offsets are the same with and without
 * them.
 */
#pragma once

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>

#define PT_PROGRAM_WHOLE 262144u /* what a filter returns for a frame to keep all of it */
#define PT_PROGRAM_TAGS 4        /* stepped over */
#define PT_PROGRAM_MOST 250      /* instructions: a conditional jump reaches 255 of them */

/* Where a link header says what follows it, and where that begins. */
struct pt_program_shape {
        int linktype;
        bool typed;
        uint32_t type;
        uint16_t begin;
};

/* That of a link type (LINKTYPE_...), NULL if no interface has it. */
const struct pt_program_shape *pt_program_shape(int linktype);

/* Places that are jumped to before they are written. */
enum pt_label {
        PT_NEXT, /* the instruction behind the jump */
        PT_PASS,
        PT_DROP,
        PT_TYPES,
        PT_NETWORK4,
        PT_NETWORK6,
        PT_TRANSPORT,
        PT_OPTIONS,
        PT_LLC,
        PT_TCP_HEADER,
        PT_UDP_HEADER,
        PT_LONG_HEADER,
        PT_SEARCH,
        PT_TAG, /* of PT_PROGRAM_TAGS + 1 */
        PT_LABELS = PT_TAG + PT_PROGRAM_TAGS + 1,
};

struct pt_program {
        struct bpf_insn code[PT_PROGRAM_MOST];
        uint8_t yes[PT_PROGRAM_MOST], no[PT_PROGRAM_MOST]; /* labels of the jumps */
        u_int count;
        u_int place[PT_LABELS];
        uint16_t begin; /* of the network header, without tags: these are counted in X */
};

void pt_program_put(struct pt_program *p, int code, uint32_t value, enum pt_label yes,
                    enum pt_label no);

/* One that is no conditional jump. */
void pt_program_say(struct pt_program *p, int code, uint32_t value);

/* The label names the next instruction. */
void pt_program_here(struct pt_program *p, enum pt_label label);

void pt_program_if_equal(struct pt_program *p, uint32_t value, enum pt_label yes, enum pt_label no);
void pt_program_if_bits(struct pt_program *p, uint32_t bits, enum pt_label yes, enum pt_label no);
void pt_program_go(struct pt_program *p, enum pt_label label);

/* An octet, two, or four of what X leads to, into A. */
void pt_program_load_octet(struct pt_program *p, uint32_t offset);
void pt_program_load_pair(struct pt_program *p, uint32_t offset);
void pt_program_load_word(struct pt_program *p, uint32_t offset);

/* X goes on by what A holds; by a number; by what the IPv4 header says that it is long. */
void pt_program_step(struct pt_program *p);
void pt_program_step_by(struct pt_program *p, uint32_t octets);
void pt_program_step_over_ipv4(struct pt_program *p);

/*
 * From the link header to PT_NETWORK4 or PT_NETWORK6; more tags than PT_PROGRAM_TAGS go to `deep`,
 * and what is neither IP nor a tag to PT_TYPES, with its ethertype in A.
 */
void pt_program_link(struct pt_program *p, const struct pt_program_shape *shape,
                     enum pt_label deep);

/* Places for names: every jump is written out. Jumps lead forward only. */
void pt_program_resolve(struct pt_program *p);

/*
 * For a socket whose frames come without a link header, as libpcap's cooked ones do: what is asked
 * of the header is asked of the kernel, and the rest lies that much further in front. 0; -EINVAL
 * if something is asked that the kernel does not know. Other link types stay as they are.
 */
int pt_program_cook(struct bpf_program *program, int linktype);
