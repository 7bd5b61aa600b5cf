#include "io/live/pick.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/live/program.h"
#include "wire/packet.h"

#define LEAF 8 /* numbers that are compared one by one */

/* A leaf has an instruction for each number and two ends, a fork two, and there are fewer forks. */
#define MOST (PT_FOLLOWED_MOST + 4 * (PT_FOLLOWED_MOST / (LEAF / 2) + 1))

#define SPREAD 0x9e3779b1u /* odd, with bits of all sizes: ports fill 32 bits */

enum {
        TCP = 6,
        DNS = 53,
};

/* Places of the kernel's scratch memory; program.c has 0. */
enum {
        HEADER = 1,    /* where the network header begins: X */
        ADDRESSES = 2, /* all their words, exclusive or */
        PORT = 3,
};

/* ---- the number of a connection ---- */

static uint32_t words_of(const uint8_t address[16])
{
        uint32_t sum = 0;

        for (int i = 0; i < 16; i += 4)
                sum ^= (uint32_t)address[i] << 24 | (uint32_t)address[i + 1] << 16 |
                       (uint32_t)address[i + 2] << 8 | address[i + 3];
        return sum;
}

/* Of IPv4 addresses, what stands before the four octets is the same in both, and goes away. */
static uint32_t number_of(const struct pt_followed *connection)
{
        uint32_t ports = connection->client_port ^ connection->server_port;

        return words_of(connection->client) ^ words_of(connection->server) ^ ports * SPREAD;
}

static void write_addresses(struct pt_program *p, uint32_t from, uint32_t to)
{
        pt_program_say(p, BPF_STX, HEADER);
        pt_program_load_word(p, from);
        pt_program_say(p, BPF_ST, ADDRESSES);
        for (uint32_t at = from + 4; at < to; at += 4) {
                pt_program_load_word(p, at);
                pt_program_say(p, BPF_LDX | BPF_MEM, ADDRESSES);
                pt_program_say(p, BPF_ALU | BPF_XOR | BPF_X, 0);
                pt_program_say(p, BPF_ST, ADDRESSES);
                pt_program_say(p, BPF_LDX | BPF_MEM, HEADER);
        }
}

/* Into A; X leads nowhere any more. */
static void write_number(struct pt_program *p)
{
        pt_program_load_pair(p, 0);
        pt_program_say(p, BPF_ST, PORT);
        pt_program_load_pair(p, 2);
        pt_program_say(p, BPF_LDX | BPF_MEM, PORT);
        pt_program_say(p, BPF_ALU | BPF_XOR | BPF_X, 0);
        pt_program_say(p, BPF_ALU | BPF_MUL | BPF_K, SPREAD);
        pt_program_say(p, BPF_LDX | BPF_MEM, ADDRESSES);
        pt_program_say(p, BPF_ALU | BPF_XOR | BPF_X, 0);
}

/* ---- the way there ---- */

static void write_network(struct pt_program *p)
{
        pt_program_here(p, PT_NETWORK4);
        pt_program_load_octet(p, 9);
        pt_program_if_equal(p, TCP, PT_NEXT, PT_DROP);
        pt_program_load_pair(p, 6);
        pt_program_if_bits(p, 0x3fff, PT_DROP, PT_NEXT); /* a fragment */
        write_addresses(p, 12, 20);
        pt_program_step_over_ipv4(p);
        pt_program_go(p, PT_TCP_HEADER);
        pt_program_here(p, PT_NETWORK6);
        pt_program_load_octet(p, 6);
        pt_program_if_equal(p, TCP, PT_NEXT, PT_DROP);
        write_addresses(p, 8, 40);
        pt_program_step_by(p, 40);
}

static void write_tcp(struct pt_program *p)
{
        pt_program_here(p, PT_TCP_HEADER);
        pt_program_load_pair(p, 0);
        pt_program_if_equal(p, DNS, PT_DROP, PT_NEXT);
        pt_program_load_pair(p, 2);
        pt_program_if_equal(p, DNS, PT_DROP, PT_NEXT);
        pt_program_load_octet(p, 13);
        pt_program_say(p, BPF_ALU | BPF_AND | BPF_K,
                       PT_TCP_SYN | PT_TCP_ACK | PT_TCP_RST | PT_TCP_FIN);
        pt_program_if_equal(p, PT_TCP_SYN, PT_DROP, PT_NEXT);
        pt_program_if_bits(p, PT_TCP_SYN | PT_TCP_RST | PT_TCP_FIN, PT_PASS, PT_NEXT);
        write_number(p);
        pt_program_go(p, PT_SEARCH);
}

static void write_way(struct pt_program *p, const struct pt_program_shape *shape)
{
        pt_program_link(p, shape, PT_DROP);
        write_network(p);
        write_tcp(p);
        pt_program_here(p, PT_TYPES);
        pt_program_here(p, PT_DROP);
        pt_program_say(p, BPF_RET | BPF_K, 0);
        pt_program_here(p, PT_PASS);
        pt_program_say(p, BPF_RET | BPF_K, PT_PICK_OCTETS);
        pt_program_here(p, PT_SEARCH);
        pt_program_resolve(p);
}

/* ---- is it one of those? ---- */

struct search {
        struct bpf_insn code[MOST];
        u_int count;
};

static void put(struct search *s, int code, uint32_t value, u_int yes, u_int no)
{
        assert(s->count < MOST);
        s->code[s->count++] = (struct bpf_insn){
                .code = (u_short)code, .jt = (u_char)yes, .jf = (u_char)no, .k = value};
}

static void write_leaf(struct search *s, const uint32_t *numbers, u_int count)
{
        for (u_int i = 0; i < count; i++)
                put(s, BPF_JMP | BPF_JEQ | BPF_K, numbers[i], count - i, 0);
        put(s, BPF_RET | BPF_K, 0, 0, 0);
        if (count)
                put(s, BPF_RET | BPF_K, PT_PICK_OCTETS, 0, 0);
}

/* A conditional jump does not reach over half of them, an unconditional one does. */
static void write_search(struct search *s, const uint32_t *numbers, u_int count)
{
        u_int half = count / 2, fork;

        if (count <= LEAF) {
                write_leaf(s, numbers, count);
                return;
        }
        put(s, BPF_JMP | BPF_JGE | BPF_K, numbers[half], 0, 1);
        fork = s->count;
        put(s, BPF_JMP | BPF_JA, 0, 0, 0);
        write_search(s, numbers, half);
        s->code[fork].k = s->count - fork - 1;
        write_search(s, numbers + half, count - half);
}

static int compare(const void *a, const void *b)
{
        uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;

        return (one > other) - (one < other);
}

int pt_pick_make(int linktype, const struct pt_followed *list, size_t count,
                 struct bpf_program *ret)
{
        const struct pt_program_shape *shape = pt_program_shape(linktype);
        uint32_t numbers[PT_FOLLOWED_MOST];
        struct pt_program p = {.count = 0};
        struct search s = {.count = 0};

        if (!shape)
                return -ENOTSUP;
        if (count > PT_FOLLOWED_MOST)
                count = PT_FOLLOWED_MOST;
        for (size_t i = 0; i < count; i++)
                numbers[i] = number_of(&list[i]);
        qsort(numbers, count, sizeof *numbers, compare);
        write_way(&p, shape);
        write_search(&s, numbers, (u_int)count);
        ret->bf_insns = calloc(p.count + s.count, sizeof *p.code);
        if (!ret->bf_insns)
                return -ENOMEM;
        memcpy(ret->bf_insns, p.code, p.count * sizeof *p.code);
        memcpy(ret->bf_insns + p.count, s.code, s.count * sizeof *s.code);
        ret->bf_len = p.count + s.count;
        return 0;
}
