#include "io/live/filter.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/packet.h"
#include "wire/tunnel.h"
#include "wire/unread.h"

#define WHOLE 262144u /* what a filter returns for a frame that passes: octets of it to keep */
#define TAGS 4        /* stepped over; more pass, and are counted */
#define MOST 250      /* instructions: a conditional jump reaches 255 of them */

enum {
        IPV4 = 0x0800,
        IPV6 = 0x86dd,
        LENGTHS = 0x0600, /* below this it is no ethertype but a length: LLC follows */
        SNAP = 0xaaaa,
        TCP = 6,
        UDP = 17,
        ICMPV6 = 58,
        HOP_BY_HOP = 0,
        DNS = 53,
        QUIC = 443,
};

/* Where a link header says what follows it, and where that begins. */
static const struct shape {
        int linktype;
        bool typed;
        uint16_t type, begin;
} shapes[] = {
        {PT_LINK_ETHERNET, true, 12, 14}, {PT_LINK_SLL, true, 14, 16}, {PT_LINK_SLL2, true, 0, 20},
        {PT_LINK_RAW, false, 0, 0},       {PT_LINK_IPV4, false, 0, 0}, {PT_LINK_IPV6, false, 0, 0},
};

/* Places that are jumped to before they are written. */
enum label {
        NEXT, /* the instruction behind the jump */
        PASS,
        DROP,
        TYPES,
        NETWORK4,
        NETWORK6,
        TRANSPORT,
        OPTIONS,
        LLC,
        TCP_HEADER,
        UDP_HEADER,
        LONG_HEADER,
        TAG, /* of TAGS + 1 */
        LABELS = TAG + TAGS + 1,
};

struct writer {
        struct bpf_insn code[MOST];
        uint8_t yes[MOST], no[MOST]; /* labels of the jumps */
        u_int count;
        u_int place[LABELS];
        uint16_t begin; /* of the network header, without tags: these are counted in X */
};

static void put(struct writer *w, int code, uint32_t value, enum label yes, enum label no)
{
        assert(w->count < MOST);
        w->code[w->count] = (struct bpf_insn){.code = (u_short)code, .k = value};
        w->yes[w->count] = (uint8_t)yes;
        w->no[w->count] = (uint8_t)no;
        w->count++;
}

static void say(struct writer *w, int code, uint32_t value)
{
        put(w, code, value, NEXT, NEXT);
}

static void here(struct writer *w, enum label label)
{
        w->place[label] = w->count;
}

static void if_equal(struct writer *w, uint32_t value, enum label yes, enum label no)
{
        put(w, BPF_JMP | BPF_JEQ | BPF_K, value, yes, no);
}

static void if_bits(struct writer *w, uint32_t bits, enum label yes, enum label no)
{
        put(w, BPF_JMP | BPF_JSET | BPF_K, bits, yes, no);
}

/* An octet, or two, of what X leads to, into A. */
static void load_octet(struct writer *w, uint32_t offset)
{
        say(w, BPF_LD | BPF_B | BPF_IND, w->begin + offset);
}

static void load_pair(struct writer *w, uint32_t offset)
{
        say(w, BPF_LD | BPF_H | BPF_IND, w->begin + offset);
}

/* X goes on by what A holds. */
static void step(struct writer *w)
{
        say(w, BPF_ALU | BPF_ADD | BPF_X, 0);
        say(w, BPF_MISC | BPF_TAX, 0);
}

static void step_by(struct writer *w, uint32_t octets)
{
        say(w, BPF_LD | BPF_IMM, octets);
        step(w);
}

/* ---- from the link to the network header ---- */

/* A holds an ethertype, behind `tags` tags. */
static void write_types(struct writer *w, int tags)
{
        static const uint16_t tag_types[] = {PT_ETHERTYPE_VLAN, PT_ETHERTYPE_QINQ,
                                             PT_ETHERTYPE_QINQ_OLD};
        enum label next = (enum label)(TAG + tags);

        if_equal(w, IPV4, NETWORK4, NEXT);
        if_equal(w, IPV6, NETWORK6, NEXT);
        for (int i = 0; i < 3; i++)
                if_equal(w, tag_types[i], next, i == 2 ? TYPES : NEXT);
        here(w, next);
        if (tags == TAGS) {
                say(w, BPF_RET | BPF_K, WHOLE);
                return;
        }
        load_pair(w, 2); /* the ethertype behind the tag */
        say(w, BPF_ST, 0);
        step_by(w, 4);
        say(w, BPF_LD | BPF_MEM, 0);
        write_types(w, tags + 1);
}

/* A holds one that is neither IP nor a tag. */
static void write_other_types(struct writer *w)
{
        here(w, TYPES);
        put(w, BPF_JMP | BPF_JGE | BPF_K, LENGTHS, NEXT, LLC);
        for (uint32_t type = LENGTHS; type <= UINT16_MAX; type++)
                if (pt_unread_is_ordinary(PT_LAYER_ETHERTYPE, (uint16_t)type))
                        if_equal(w, type, DROP, NEXT);
        say(w, BPF_RET | BPF_K, WHOLE);
        here(w, LLC); /* of which SNAP alone can hold IP */
        load_pair(w, 0);
        if_equal(w, SNAP, PASS, DROP);
}

static void write_link(struct writer *w, const struct shape *shape)
{
        say(w, BPF_LDX | BPF_IMM, 0);
        if (shape->typed) {
                /* With an offset that is fixed: the kernel knows no cooked header, and libpcap
                 * translates this one place. */
                say(w, BPF_LD | BPF_H | BPF_ABS, shape->type);
                write_types(w, 0);
                write_other_types(w);
                return;
        }
        load_octet(w, 0);
        say(w, BPF_ALU | BPF_AND | BPF_K, 0xf0);
        if_equal(w, 0x40, NETWORK4, NEXT);
        if_equal(w, 0x60, NETWORK6, DROP);
}

/* ---- from there to the transport header ---- */

static void write_ipv4(struct writer *w)
{
        here(w, NETWORK4);
        load_pair(w, 6);
        if_bits(w, 0x3fff, PASS, NEXT); /* a fragment: offset, or more to follow */
        load_octet(w, 9);
        say(w, BPF_ST, 0);
        load_octet(w, 0);
        say(w, BPF_ALU | BPF_AND | BPF_K, 15);
        say(w, BPF_ALU | BPF_LSH | BPF_K, 2);
        step(w);
        put(w, BPF_JMP | BPF_JA, 0, TRANSPORT, TRANSPORT);
}

static void write_ipv6(struct writer *w)
{
        here(w, NETWORK6);
        load_octet(w, 6);
        say(w, BPF_ST, 0);
        step_by(w, 40);
        say(w, BPF_LD | BPF_MEM, 0);
        if_equal(w, HOP_BY_HOP, OPTIONS, TRANSPORT);
        here(w, OPTIONS); /* which multicast listeners send all day long */
        load_octet(w, 0);
        if_equal(w, ICMPV6, DROP, PASS);
}

/* ---- the transport header ---- */

static void write_tcp(struct writer *w)
{
        here(w, TCP_HEADER);
        load_pair(w, 0);
        if_equal(w, DNS, PASS, NEXT);
        load_pair(w, 2);
        if_equal(w, DNS, PASS, NEXT);
        load_octet(w, 13);
        say(w, BPF_ALU | BPF_AND | BPF_K, PT_TCP_SYN | PT_TCP_ACK | PT_TCP_RST | PT_TCP_FIN);
        if_equal(w, PT_TCP_SYN, PASS, DROP);
}

static void write_udp(struct writer *w)
{
        here(w, UDP_HEADER);
        load_pair(w, 0);
        if_equal(w, DNS, PASS, NEXT);
        load_pair(w, 2);
        if_equal(w, DNS, PASS, NEXT);
        for (uint32_t port = 0; port <= UINT16_MAX; port++)
                if (pt_tunnel_port((uint16_t)port))
                        if_equal(w, port, PASS, NEXT);
        if_equal(w, QUIC, LONG_HEADER, DROP);
        here(w, LONG_HEADER);
        load_octet(w, 8);
        if_bits(w, 0x80, PASS, DROP);
}

static void write_transport(struct writer *w)
{
        here(w, TRANSPORT);
        say(w, BPF_LD | BPF_MEM, 0);
        if_equal(w, TCP, TCP_HEADER, NEXT);
        if_equal(w, UDP, UDP_HEADER, NEXT);
        for (uint32_t protocol = 0; protocol <= UINT8_MAX; protocol++)
                if (pt_unread_is_ordinary(PT_LAYER_PROTOCOL, (uint16_t)protocol))
                        if_equal(w, protocol, DROP, NEXT);
        say(w, BPF_RET | BPF_K, WHOLE);
}

/* Jumps lead forward only: so what is led to comes behind, and the two ends last. */
static void write_all(struct writer *w, const struct shape *shape)
{
        w->begin = shape->begin;
        write_link(w, shape);
        write_ipv4(w);
        write_ipv6(w);
        write_transport(w);
        write_tcp(w);
        write_udp(w);
        here(w, PASS);
        say(w, BPF_RET | BPF_K, WHOLE);
        here(w, DROP);
        say(w, BPF_RET | BPF_K, 0);
}

/* ---- the program ---- */

static u_int distance(const struct writer *w, u_int from, uint8_t label)
{
        u_int there = label == NEXT ? from + 1 : w->place[label];

        assert(there > from && there - from <= MOST);
        return there - from - 1;
}

static void resolve(struct writer *w)
{
        for (u_int i = 0; i < w->count; i++) {
                struct bpf_insn *insn = &w->code[i];

                if (BPF_CLASS(insn->code) != BPF_JMP)
                        continue;
                if (BPF_OP(insn->code) == BPF_JA) {
                        insn->k = distance(w, i, w->yes[i]);
                        continue;
                }
                insn->jt = (u_char)distance(w, i, w->yes[i]);
                insn->jf = (u_char)distance(w, i, w->no[i]);
        }
}

static int copy(const struct bpf_insn *code, u_int count, struct bpf_program *ret)
{
        ret->bf_insns = calloc(count, sizeof *code);
        if (!ret->bf_insns)
                return -ENOMEM;
        memcpy(ret->bf_insns, code, count * sizeof *code);
        ret->bf_len = count;
        return 0;
}

int pt_filter_make(int linktype, struct bpf_program *ret)
{
        const struct shape *shape = NULL;
        struct writer w = {0};

        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
                if (shapes[i].linktype == linktype)
                        shape = &shapes[i];
        if (!shape)
                return -ENOTSUP;
        write_all(&w, shape);
        resolve(&w);
        return copy(w.code, w.count, ret);
}

/* What the first lets pass goes on to the second: its every "keep" becomes a jump there. */
int pt_filter_join(const struct bpf_program *first, const struct bpf_program *second,
                   struct bpf_program *ret)
{
        u_int count = first->bf_len + second->bf_len;
        struct bpf_insn *code = calloc(count, sizeof *code);

        if (!code)
                return -ENOMEM;
        memcpy(code, first->bf_insns, first->bf_len * sizeof *code);
        memcpy(code + first->bf_len, second->bf_insns, second->bf_len * sizeof *code);
        for (u_int i = 0; i < first->bf_len; i++) {
                if (BPF_CLASS(code[i].code) != BPF_RET)
                        continue;
                if (BPF_RVAL(code[i].code) != BPF_K) {
                        free(code);
                        return -EINVAL;
                }
                if (code[i].k != 0)
                        code[i] = (struct bpf_insn){
                                .code = BPF_JMP | BPF_JA,
                                .k = first->bf_len - i - 1,
                        };
        }
        *ret = (struct bpf_program){.bf_len = count, .bf_insns = code};
        return 0;
}

void pt_filter_free(struct bpf_program *program)
{
        free(program->bf_insns);
        *program = (struct bpf_program){0};
}
