#include "io/live/program.h"

#include <assert.h>
#include <errno.h>
#include <linux/filter.h>

#include "wire/decoder.h"
#include "wire/packet.h"

static const struct pt_program_shape shapes[] = {
        {PT_LINK_ETHERNET, true, 12, 14}, {PT_LINK_SLL, true, 14, 16}, {PT_LINK_SLL2, true, 0, 20},
        {PT_LINK_RAW, false, 0, 0},       {PT_LINK_IPV4, false, 0, 0}, {PT_LINK_IPV6, false, 0, 0},
};

const struct pt_program_shape *pt_program_shape(int linktype)
{
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
                if (shapes[i].linktype == linktype)
                        return &shapes[i];
        return NULL;
}

/* ---- words ---- */

void pt_program_put(struct pt_program *p, int code, uint32_t value, enum pt_label yes,
                    enum pt_label no)
{
        assert(p->count < PT_PROGRAM_MOST);
        p->code[p->count] = (struct bpf_insn){.code = (u_short)code, .k = value};
        p->yes[p->count] = (uint8_t)yes;
        p->no[p->count] = (uint8_t)no;
        p->count++;
}

void pt_program_say(struct pt_program *p, int code, uint32_t value)
{
        pt_program_put(p, code, value, PT_NEXT, PT_NEXT);
}

void pt_program_here(struct pt_program *p, enum pt_label label)
{
        p->place[label] = p->count;
}

void pt_program_if_equal(struct pt_program *p, uint32_t value, enum pt_label yes, enum pt_label no)
{
        pt_program_put(p, BPF_JMP | BPF_JEQ | BPF_K, value, yes, no);
}

void pt_program_if_bits(struct pt_program *p, uint32_t bits, enum pt_label yes, enum pt_label no)
{
        pt_program_put(p, BPF_JMP | BPF_JSET | BPF_K, bits, yes, no);
}

void pt_program_load_octet(struct pt_program *p, uint32_t offset)
{
        pt_program_say(p, BPF_LD | BPF_B | BPF_IND, p->begin + offset);
}

void pt_program_load_pair(struct pt_program *p, uint32_t offset)
{
        pt_program_say(p, BPF_LD | BPF_H | BPF_IND, p->begin + offset);
}

void pt_program_step(struct pt_program *p)
{
        pt_program_say(p, BPF_ALU | BPF_ADD | BPF_X, 0);
        pt_program_say(p, BPF_MISC | BPF_TAX, 0);
}

void pt_program_step_by(struct pt_program *p, uint32_t octets)
{
        pt_program_say(p, BPF_LD | BPF_IMM, octets);
        pt_program_step(p);
}

void pt_program_load_word(struct pt_program *p, uint32_t offset)
{
        pt_program_say(p, BPF_LD | BPF_W | BPF_IND, p->begin + offset);
}

void pt_program_go(struct pt_program *p, enum pt_label label)
{
        pt_program_put(p, BPF_JMP | BPF_JA, 0, label, label);
}

void pt_program_step_over_ipv4(struct pt_program *p)
{
        pt_program_load_octet(p, 0);
        pt_program_say(p, BPF_ALU | BPF_AND | BPF_K, 15);
        pt_program_say(p, BPF_ALU | BPF_LSH | BPF_K, 2);
        pt_program_step(p);
}

/* ---- from the link to the network header ---- */

/* A holds an ethertype, behind `tags` tags. */
static void write_types(struct pt_program *p, int tags, enum pt_label deep)
{
        static const uint16_t tag_types[] = {PT_ETHERTYPE_VLAN, PT_ETHERTYPE_QINQ,
                                             PT_ETHERTYPE_QINQ_OLD};
        enum pt_label next = (enum pt_label)(PT_TAG + tags);

        pt_program_if_equal(p, PT_ETHERTYPE_IPV4, PT_NETWORK4, PT_NEXT);
        pt_program_if_equal(p, PT_ETHERTYPE_IPV6, PT_NETWORK6, PT_NEXT);
        for (int i = 0; i < 3; i++)
                pt_program_if_equal(p, tag_types[i], next, i == 2 ? PT_TYPES : PT_NEXT);
        pt_program_here(p, next);
        if (tags == PT_PROGRAM_TAGS) {
                pt_program_go(p, deep);
                return;
        }
        pt_program_load_pair(p, 2); /* the ethertype behind the tag */
        pt_program_say(p, BPF_ST, 0);
        pt_program_step_by(p, 4);
        pt_program_say(p, BPF_LD | BPF_MEM, 0);
        write_types(p, tags + 1, deep);
}

void pt_program_link(struct pt_program *p, const struct pt_program_shape *shape, enum pt_label deep)
{
        p->begin = shape->begin;
        pt_program_say(p, BPF_LDX | BPF_IMM, 0);
        if (shape->typed) {
                /* With an offset that is fixed: the kernel knows no cooked header, and libpcap
                 * translates this one place. */
                pt_program_say(p, BPF_LD | BPF_H | BPF_ABS, shape->type);
                write_types(p, 0, deep);
                return;
        }
        pt_program_load_octet(p, 0);
        pt_program_say(p, BPF_ALU | BPF_AND | BPF_K, 0xf0);
        pt_program_if_equal(p, 0x40, PT_NETWORK4, PT_NEXT);
        pt_program_if_equal(p, 0x60, PT_NETWORK6, PT_DROP);
}

/* ---- the end ---- */

static u_int distance(const struct pt_program *p, u_int from, uint8_t label)
{
        u_int there = label == PT_NEXT ? from + 1 : p->place[label];

        assert(there > from && there - from <= PT_PROGRAM_MOST);
        return there - from - 1;
}

void pt_program_resolve(struct pt_program *p)
{
        for (u_int i = 0; i < p->count; i++) {
                struct bpf_insn *insn = &p->code[i];

                if (BPF_CLASS(insn->code) != BPF_JMP)
                        continue;
                if (BPF_OP(insn->code) == BPF_JA) {
                        insn->k = distance(p, i, p->yes[i]);
                        continue;
                }
                insn->jt = (u_char)distance(p, i, p->yes[i]);
                insn->jf = (u_char)distance(p, i, p->no[i]);
        }
}

/* ---- without a link header ---- */

static const struct {
        int linktype;
        uint32_t header;
        uint32_t offset, ancillary;
} fields[] = {
        {PT_LINK_SLL, 16, 0, SKF_AD_PKTTYPE},   {PT_LINK_SLL, 16, 14, SKF_AD_PROTOCOL},
        {PT_LINK_SLL2, 20, 0, SKF_AD_PROTOCOL}, {PT_LINK_SLL2, 20, 4, SKF_AD_IFINDEX},
        {PT_LINK_SLL2, 20, 8, SKF_AD_HATYPE},   {PT_LINK_SLL2, 20, 10, SKF_AD_PKTTYPE},
};

static int cook(struct bpf_insn *insn, int linktype)
{
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
                if (fields[i].linktype != linktype)
                        continue;
                if (insn->k >= (uint32_t)SKF_AD_OFF)
                        return 0; /* it asks the kernel already */
                if (insn->k >= fields[i].header) {
                        insn->k -= fields[i].header;
                        return 0;
                }
                if (insn->k == fields[i].offset) {
                        insn->k = (uint32_t)SKF_AD_OFF + fields[i].ancillary;
                        return 0;
                }
        }
        return -EINVAL;
}

int pt_program_cook(struct bpf_program *program, int linktype)
{
        int r = 0;

        if (linktype != PT_LINK_SLL && linktype != PT_LINK_SLL2)
                return 0;
        for (u_int i = 0; r == 0 && i < program->bf_len; i++) {
                struct bpf_insn *insn = &program->bf_insns[i];
                unsigned mode = BPF_MODE(insn->code);

                if ((BPF_CLASS(insn->code) == BPF_LD || BPF_CLASS(insn->code) == BPF_LDX) &&
                    (mode == BPF_ABS || mode == BPF_IND || mode == BPF_MSH))
                        r = cook(insn, linktype);
        }
        return r;
}
