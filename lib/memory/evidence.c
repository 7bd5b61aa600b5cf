/*
 * evidence: a resolution and its answer, copied out of the cells for people to read.
 */
#include <string.h>

#include "memory/cells.h"
#include "memory/names.h"

/* As it stood in the record: back into the NAT64 prefix it was taken out of. */
static struct pt_address as_recorded(const struct pt_hosts *hosts, const struct resolution_cell *r)
{
        struct pt_address address = r->address;

        if (r->embedded) {
                address = hosts->settings.nat64.list[r->embedded - 1].address;
                memcpy(address.octets + 12, r->address.octets + 12, 4);
        }
        return address;
}

static void read_chain(const struct pt_hosts *hosts, const struct answer_cell *a,
                       struct pt_evidence *ret)
{
        pt_names_read(hosts, a->question, &ret->chain[0]);
        ret->chain_count = 1;
        ret->chain_broken = false;
        if (!a->chain)
                return;
        ret->chain_broken = chain_at(hosts, a->chain)->broken;
        for (uint32_t i = 0; i < chain_at(hosts, a->chain)->count; i++)
                pt_names_read(hosts, chain_at(hosts, a->chain)->names[i],
                              &ret->chain[ret->chain_count++]);
}

static void read_addresses(const struct pt_hosts *hosts, const struct answer_cell *a,
                           struct pt_evidence *ret)
{
        ret->address_count = 0;
        for (uint32_t link = a->first; link && ret->address_count < PT_EVIDENCE_ADDRESSES;) {
                const struct resolution_cell *r = resolution_at(hosts, link);

                ret->addresses[ret->address_count] = as_recorded(hosts, r);
                ret->mapped[ret->address_count] = r->flags & RESOLUTION_MAPPED;
                ret->hint[ret->address_count] = r->flags & RESOLUTION_HINT;
                ret->ttls[ret->address_count++] = r->ttl;
                link = r->sibling;
        }
}

/* The questions that gave this client this address: the chain of the pair, newest first. */
static void read_names(const struct pt_hosts *hosts, const struct resolution_cell *of,
                       struct pt_evidence *ret)
{
        uint32_t link = *pair_head(hosts, &client_at(hosts, of->client)->address, &of->address);

        ret->name_count = 0;
        for (; link && ret->name_count < PT_EVIDENCE_NAMES;
             link = resolution_at(hosts, link)->pair) {
                const struct resolution_cell *r = resolution_at(hosts, link);
                struct pt_dns_name *name = &ret->names[ret->name_count];
                bool known = false;

                if (r->client != of->client || !pt_address_equal(&r->address, &of->address))
                        continue;
                pt_names_read(hosts, answer_at(hosts, r->answer)->question, name);
                for (size_t i = 0; i < ret->name_count && !known; i++)
                        known = pt_dns_name_equal(&ret->names[i], name);
                ret->name_count += !known;
        }
}

/* Zeek never says under which names addresses stand, and who leaves out TTLs leaves them out too.
 */
static void read_source(const struct resolution_cell *r, struct pt_evidence *ret)
{
        ret->source = (enum pt_logged_source)((r->flags & RESOLUTION_SOURCE) >> 4);
        ret->lacks = (uint8_t)((r->flags & RESOLUTION_NO_TTL ? PT_LOGGED_NO_TTL : 0) |
                               (r->flags & RESOLUTION_NO_QUESTION ? PT_LOGGED_NO_QUESTION : 0));
        if (ret->source == PT_LOGGED_ZEEK || ret->lacks & PT_LOGGED_NO_TTL)
                ret->lacks |= PT_LOGGED_NO_OWNERS;
}

void pt_hosts_evidence(const struct pt_hosts *hosts, uint32_t resolution, struct pt_evidence *ret)
{
        const struct resolution_cell *r = resolution_at(hosts, resolution);
        const struct answer_cell *a = answer_at(hosts, r->answer);

        ret->client = client_at(hosts, r->client)->address;
        ret->address = as_recorded(hosts, r);
        ret->key = r->address;
        ret->ttl = r->ttl;
        ret->time = a->time;
        ret->wall = a->wall;
        ret->number = a->number;
        ret->file = a->file == UINT16_MAX ? UINT32_MAX : a->file;
        ret->id = a->id;
        ret->flags = a->flags;
        ret->question_type = a->question_type;
        ret->asked = r->flags & RESOLUTION_ASKED;
        ret->address_mapped = r->flags & RESOLUTION_MAPPED;
        ret->address_hint = r->flags & RESOLUTION_HINT;
        ret->resolver = a->resolver;
        read_source(r, ret);
        read_chain(hosts, a, ret);
        read_addresses(hosts, a, ret);
        read_names(hosts, r, ret);
}
