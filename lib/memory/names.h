/*
 * names: domain names in the pool, each kept once, as often as its exact octets are in use.
 */
#pragma once

#include "memory/cells.h"

/* Cells that a name takes. */
uint32_t pt_names_cells(const struct pt_dns_name *name);

/*
 * The link of a name, used once more. The caller has seen to it that there are cells enough. `hash`
 * is its pt_dns_name_hash(), 0 where nobody made it.
 */
uint32_t pt_names_hold(struct pt_hosts *hosts, const struct pt_dns_name *name, uint64_t hash);
void pt_names_release(struct pt_hosts *hosts, uint32_t link);

void pt_names_read(const struct pt_hosts *hosts, uint32_t link, struct pt_dns_name *ret);
uint32_t pt_names_cells_of(const struct pt_hosts *hosts, uint32_t link);

/* These exact octets? */
bool pt_names_is(const struct pt_hosts *hosts, uint32_t link, const struct pt_dns_name *name);

/*
 * Add marks to a name, in whatever case it is written, or take all away (0); and ask for them. They
 * stand only while one SYN is judged.
 */
enum {
        PT_NAME_CONTACTED = 1,       /* an address that the client was given for it */
        PT_NAME_ASKED_CONTACTED = 2, /* and for which it asked */
};

void pt_names_mark(struct pt_hosts *hosts, uint32_t link, unsigned marks);
unsigned pt_names_marks(const struct pt_hosts *hosts, uint32_t link);
