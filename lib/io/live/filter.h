/*
 * filter: what the kernel hands us of a live interface, as a classic BPF program of our own.
 *
 * It drops only what is known to hold nothing for us: TCP but for SYNs and DNS, UDP but for DNS,
 * QUIC long headers and tunnels, and protocols that every network has (ARP, ICMP). All else passes:
 * IP fragments, extension headers, tunnels, and encapsulations that nobody here reads, which are
 * counted.
 *
 * A text for pcap_compile() could not say this. Offsets behind a tag or an extension header are
 * fixed in such a text, and its word `vlan` shifts all words after it. Tags may stand in the frame,
 * or may have been taken out of it by the kernel: this steps over those that are there.
 */
#pragma once

#include <pcap/pcap.h>

/*
 * Make it for a link type (LINKTYPE_...). 0; -ENOMEM; -ENOTSUP for a link type that no interface
 * has. To be freed with pt_filter_free().
 */
int pt_filter_make(int linktype, struct bpf_program *ret);

/*
 * One program that passes what both do, `first` being asked first. 0; -ENOMEM; -EINVAL if `first`
 * ends in a way that no compiler writes.
 */
int pt_filter_join(const struct bpf_program *first, const struct bpf_program *second,
                   struct bpf_program *ret);

void pt_filter_free(struct bpf_program *program);
