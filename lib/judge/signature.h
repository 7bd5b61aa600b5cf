/*
 * signature: is a search through all that a client was given worth its while (design 4.3)?
 *
 * A small filter for each client of the ports and addresses that the rules yield for what it was
 * given. It is filled when it is first asked, and kept up to date from then on; a client whose SYNs
 * never need it costs nothing. It may say yes in vain, never no in vain.
 */
#pragma once

#include "judge/judge.h"

bool pt_signature_port_fits(struct pt_judge *judge, uint32_t client, int64_t time, uint16_t port);
bool pt_signature_address_fits(struct pt_judge *judge, uint32_t client, int64_t time,
                               uint32_t ipv4);

/* What pt_hosts_set_sign() wants: the context is the judge. */
void pt_signature_sign(void *context, struct pt_filter *filters[PT_FILTER_KINDS], uint32_t ipv4);
