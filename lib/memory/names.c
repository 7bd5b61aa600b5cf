#include "memory/names.h"

#include <string.h>

static struct name_cell *name_at(const struct pt_hosts *hosts, uint32_t link)
{
        return pt_pool_at(&hosts->pool, link);
}

static struct name_more_cell *more_at(const struct pt_hosts *hosts, uint32_t link)
{
        return pt_pool_at(&hosts->pool, link);
}

static uint32_t cells_for(size_t length)
{
        if (length <= NAME_FIRST)
                return 1;
        return 1 + (uint32_t)((length - NAME_FIRST + NAME_MORE - 1) / NAME_MORE);
}

uint32_t pt_names_cells(const struct pt_dns_name *name)
{
        return cells_for(name->length);
}

uint32_t pt_names_cells_of(const struct pt_hosts *hosts, uint32_t link)
{
        return cells_for(name_at(hosts, link)->length);
}

void pt_names_read(const struct pt_hosts *hosts, uint32_t link, struct pt_dns_name *ret)
{
        const struct name_cell *n = name_at(hosts, link);
        size_t done = n->length < NAME_FIRST ? n->length : NAME_FIRST;
        uint32_t more = n->more;

        ret->length = n->length;
        memcpy(ret->wire, n->octets, done);
        while (done < n->length) {
                const struct name_more_cell *m = more_at(hosts, more);
                size_t part = n->length - done < NAME_MORE ? n->length - done : NAME_MORE;

                memcpy(ret->wire + done, m->octets, part);
                done += part;
                more = m->more;
        }
}

bool pt_names_is(const struct pt_hosts *hosts, uint32_t link, const struct pt_dns_name *name)
{
        const struct name_cell *n = name_at(hosts, link);
        size_t done = name->length < NAME_FIRST ? name->length : NAME_FIRST;
        uint32_t more = n->more;

        if (n->length != name->length || memcmp(n->octets, name->wire, done) != 0)
                return false;
        while (done < name->length) {
                const struct name_more_cell *m = more_at(hosts, more);
                size_t part = name->length - done < NAME_MORE ? name->length - done : NAME_MORE;

                if (memcmp(m->octets, name->wire + done, part) != 0)
                        return false;
                done += part;
                more = m->more;
        }
        return true;
}

static bool names_equal(const struct pt_hosts *hosts, uint32_t a, uint32_t b)
{
        struct pt_dns_name left, right;

        if (a == b)
                return true;
        if (name_at(hosts, a)->folded != name_at(hosts, b)->folded)
                return false;
        pt_names_read(hosts, a, &left);
        pt_names_read(hosts, b, &right);
        return pt_dns_name_equal(&left, &right);
}

/* The hash ignores case: all spellings of a name stand in one chain. */
void pt_names_mark(struct pt_hosts *hosts, uint32_t link, unsigned marks)
{
        unsigned wanted = marks ? name_at(hosts, link)->marks | marks : 0;
        uint32_t other;

        if (name_at(hosts, link)->marks == wanted)
                return;
        other = *pt_heads_at(&hosts->names, name_at(hosts, link)->folded);
        for (; other; other = name_at(hosts, other)->chain)
                if (names_equal(hosts, link, other))
                        name_at(hosts, other)->marks = (uint8_t)wanted;
}

unsigned pt_names_marks(const struct pt_hosts *hosts, uint32_t link)
{
        return name_at(hosts, link)->marks;
}

static void name_write(struct pt_hosts *hosts, struct name_cell *n, const struct pt_dns_name *name)
{
        size_t done = name->length < NAME_FIRST ? name->length : NAME_FIRST;
        uint32_t *next = &n->more;

        n->length = name->length;
        memcpy(n->octets, name->wire, done);
        while (done < name->length) {
                size_t part = name->length - done < NAME_MORE ? name->length - done : NAME_MORE;
                struct name_more_cell *m;

                *next = pt_pool_take(&hosts->pool);
                m = more_at(hosts, *next);
                memcpy(m->octets, name->wire + done, part);
                done += part;
                next = &m->more;
        }
}

uint32_t pt_names_hold(struct pt_hosts *hosts, const struct pt_dns_name *name, uint64_t hash)
{
        uint64_t folded = hash ? hash : pt_dns_name_hash(&hosts->settings.key, name);
        uint32_t *head = pt_heads_at(&hosts->names, folded);
        struct name_cell *n;
        uint32_t link;

        for (link = *head; link; link = n->chain) {
                n = name_at(hosts, link);
                if (n->folded == folded && pt_names_is(hosts, link, name)) {
                        n->uses++;
                        return link;
                }
        }
        link = pt_pool_take(&hosts->pool);
        n = name_at(hosts, link);
        n->folded = folded;
        n->uses = 1;
        n->chain = *head;
        *head = link;
        name_write(hosts, n, name);
        return link;
}

void pt_names_release(struct pt_hosts *hosts, uint32_t link)
{
        struct name_cell *n = name_at(hosts, link);
        uint32_t *chain;
        uint32_t more;

        if (--n->uses)
                return;
        chain = pt_heads_at(&hosts->names, n->folded);
        while (*chain != link)
                chain = &name_at(hosts, *chain)->chain;
        *chain = n->chain;
        for (more = n->more; more;) {
                uint32_t next = more_at(hosts, more)->more;

                pt_pool_give(&hosts->pool, more);
                more = next;
        }
        pt_pool_give(&hosts->pool, link);
}
