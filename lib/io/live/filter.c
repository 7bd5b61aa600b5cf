#include "io/live/filter.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "io/live/program.h"
#include "wire/packet.h"
#include "wire/tunnel.h"
#include "wire/unread.h"

enum {
        LENGTHS = 0x0600, /* below this it is no ethertype but a length: LLC follows */
        SNAP = 0xaaaa,
        TCP = 6,
        UDP = 17,
        ICMPV6 = 58,
        HOP_BY_HOP = 0,
        DNS = 53,
        QUIC = 443,
};

/* A holds one that is neither IP nor a tag. */
static void write_other_types(struct pt_program *p)
{
        pt_program_here(p, PT_TYPES);
        pt_program_put(p, BPF_JMP | BPF_JGE | BPF_K, LENGTHS, PT_NEXT, PT_LLC);
        for (uint32_t type = LENGTHS; type <= UINT16_MAX; type++)
                if (pt_unread_is_ordinary(PT_LAYER_ETHERTYPE, (uint16_t)type))
                        pt_program_if_equal(p, type, PT_DROP, PT_NEXT);
        pt_program_say(p, BPF_RET | BPF_K, PT_PROGRAM_WHOLE);
        pt_program_here(p, PT_LLC); /* of which SNAP alone can hold IP */
        pt_program_load_pair(p, 0);
        pt_program_if_equal(p, SNAP, PT_PASS, PT_DROP);
}

/* ---- from there to the transport header ---- */

static void write_ipv4(struct pt_program *p)
{
        pt_program_here(p, PT_NETWORK4);
        pt_program_load_pair(p, 6);
        pt_program_if_bits(p, 0x3fff, PT_PASS, PT_NEXT); /* a fragment: offset, or more to follow */
        pt_program_load_octet(p, 9);
        pt_program_say(p, BPF_ST, 0);
        pt_program_step_over_ipv4(p);
        pt_program_go(p, PT_TRANSPORT);
}

static void write_ipv6(struct pt_program *p)
{
        pt_program_here(p, PT_NETWORK6);
        pt_program_load_octet(p, 6);
        pt_program_say(p, BPF_ST, 0);
        pt_program_step_by(p, 40);
        pt_program_say(p, BPF_LD | BPF_MEM, 0);
        pt_program_if_equal(p, HOP_BY_HOP, PT_OPTIONS, PT_TRANSPORT);
        pt_program_here(p, PT_OPTIONS); /* which multicast listeners send all day long */
        pt_program_load_octet(p, 0);
        pt_program_if_equal(p, ICMPV6, PT_DROP, PT_PASS);
}

/* ---- the transport header ---- */

static void write_tcp(struct pt_program *p)
{
        pt_program_here(p, PT_TCP_HEADER);
        pt_program_load_pair(p, 0);
        pt_program_if_equal(p, DNS, PT_PASS, PT_NEXT);
        pt_program_load_pair(p, 2);
        pt_program_if_equal(p, DNS, PT_PASS, PT_NEXT);
        pt_program_load_octet(p, 13);
        pt_program_say(p, BPF_ALU | BPF_AND | BPF_K,
                       PT_TCP_SYN | PT_TCP_ACK | PT_TCP_RST | PT_TCP_FIN);
        pt_program_if_equal(p, PT_TCP_SYN, PT_PASS, PT_DROP);
}

static void write_udp(struct pt_program *p)
{
        pt_program_here(p, PT_UDP_HEADER);
        pt_program_load_pair(p, 0);
        pt_program_if_equal(p, DNS, PT_PASS, PT_NEXT);
        pt_program_load_pair(p, 2);
        pt_program_if_equal(p, DNS, PT_PASS, PT_NEXT);
        for (uint32_t port = 0; port <= UINT16_MAX; port++)
                if (pt_tunnel_port((uint16_t)port))
                        pt_program_if_equal(p, port, PT_PASS, PT_NEXT);
        pt_program_if_equal(p, QUIC, PT_LONG_HEADER, PT_DROP);
        pt_program_here(p, PT_LONG_HEADER);
        pt_program_load_octet(p, 8);
        pt_program_if_bits(p, 0x80, PT_PASS, PT_DROP);
}

static void write_transport(struct pt_program *p)
{
        pt_program_here(p, PT_TRANSPORT);
        pt_program_say(p, BPF_LD | BPF_MEM, 0);
        pt_program_if_equal(p, TCP, PT_TCP_HEADER, PT_NEXT);
        pt_program_if_equal(p, UDP, PT_UDP_HEADER, PT_NEXT);
        for (uint32_t protocol = 0; protocol <= UINT8_MAX; protocol++)
                if (pt_unread_is_ordinary(PT_LAYER_PROTOCOL, (uint16_t)protocol))
                        pt_program_if_equal(p, protocol, PT_DROP, PT_NEXT);
        pt_program_say(p, BPF_RET | BPF_K, PT_PROGRAM_WHOLE);
}

/* Jumps lead forward only: so what is led to comes behind, and the two ends last. */
static void write_all(struct pt_program *p, const struct pt_program_shape *shape)
{
        pt_program_link(p, shape, PT_PASS); /* so many tags are counted */
        if (shape->typed)
                write_other_types(p);
        write_ipv4(p);
        write_ipv6(p);
        write_transport(p);
        write_tcp(p);
        write_udp(p);
        pt_program_here(p, PT_PASS);
        pt_program_say(p, BPF_RET | BPF_K, PT_PROGRAM_WHOLE);
        pt_program_here(p, PT_DROP);
        pt_program_say(p, BPF_RET | BPF_K, 0);
}

/* ---- the program ---- */

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
        const struct pt_program_shape *shape = pt_program_shape(linktype);
        struct pt_program p = {.count = 0};

        if (!shape)
                return -ENOTSUP;
        write_all(&p, shape);
        pt_program_resolve(&p);
        return copy(p.code, p.count, ret);
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
