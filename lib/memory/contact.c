/*
 * contact: which names a client has contacted (design 4.5).
 */
#include "base/clock.h"
#include "memory/names.h"

void pt_hosts_contact(struct pt_hosts *hosts, const struct pt_address *client,
                      const struct pt_address *destination, int64_t time)
{
        uint32_t link = *pair_head(hosts, client, destination);

        for (; link; link = resolution_at(hosts, link)->pair) {
                struct resolution_cell *r = resolution_at(hosts, link);

                if (!is_pair(hosts, r, client, destination) || time <= r->contact ||
                    !counts(hosts, r, time))
                        continue;
                if (r->contact != PT_NEVER && r->contact >= time - hosts->settings.window)
                        r->flags |= RESOLUTION_CONTACTED_AGAIN;
                else
                        r->flags &= (uint8_t)~RESOLUTION_CONTACTED_AGAIN;
                r->contact = time;
        }
}

/*
 * Within the window and strictly before `time`. Only the last contact is kept; where it is not
 * before `time` (the same moment, or a SYN that came late), what counts is whether there was one
 * before it.
 */
static bool contact_counts(const struct pt_hosts *hosts, const struct resolution_cell *r,
                           int64_t time)
{
        if (r->contact == PT_NEVER || r->contact < time - hosts->settings.window)
                return false;
        if (r->contact < time)
                return true;
        return r->flags & RESOLUTION_CONTACTED_AGAIN;
}

static unsigned marks_of(const struct resolution_cell *r)
{
        return r->flags & RESOLUTION_ASKED ? PT_NAME_CONTACTED | PT_NAME_ASKED_CONTACTED
                                           : PT_NAME_CONTACTED;
}

void pt_hosts_mark_contacted(struct pt_hosts *hosts, uint32_t client, int64_t time, bool mark)
{
        struct pt_hosts_walk walk = pt_hosts_walk(hosts, client);
        struct pt_resolution_view view;
        int64_t oldest = time - hosts->settings.max_window - 2 * PT_SECOND; /* none before counts */

        while (pt_hosts_next(hosts, &walk, time, oldest, &view)) {
                const struct resolution_cell *r = resolution_at(hosts, view.link);

                if (view.counts && contact_counts(hosts, r, time))
                        pt_names_mark(hosts, answer_at(hosts, r->answer)->question,
                                      mark ? marks_of(r) : 0);
        }
}

bool pt_hosts_marked(const struct pt_hosts *hosts, uint32_t resolution)
{
        const struct resolution_cell *r = resolution_at(hosts, resolution);
        unsigned marks = pt_names_marks(hosts, answer_at(hosts, r->answer)->question);

        return marks & (r->flags & RESOLUTION_ASKED ? PT_NAME_ASKED_CONTACTED : PT_NAME_CONTACTED);
}
