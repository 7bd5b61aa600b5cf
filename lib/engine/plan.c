#include "engine/plan.h"

#include <errno.h>

#include "engine/expect.h"

int pt_plan_memory(const struct pt_settings *settings, struct pt_plan *ret)
{
        struct pt_plan plan = {
                .twins = 8192,
                .queries = 32768,
                .syns = 16384,
                .expected = 8192,
                .told = 4096,
                .held = 4096,
                .campaigns = 256,
                .outbreaks = 8192,
                .seen_clients = 4096,
                .yields = 16384,
                .outcomes = {.watched = PT_LINE_PLACES, .followed = PT_FOLLOWED_MOST},
                .history = {.clients = 2048, .networks = 16384, .parts = 16384}};
        size_t memory = settings->memory, fixed;

        if (memory < PT_MEMORY_LEAST)
                return -EINVAL;
        /* Enough for the new networks of a day of 1 000 clients, where there is room for that. */
        if (memory >= (size_t)64 << 20)
                plan.history.networks = plan.history.parts = 32768;
        /* A small budget shrinks these in step with the cells. */
        for (size_t full = (size_t)64 << 20; memory < full && plan.held > 512; full /= 2) {
                plan.twins /= 2;
                plan.queries /= 2;
                plan.syns /= 2;
                plan.expected /= 2;
                plan.told /= 2;
                plan.held /= 2;
                plan.campaigns /= 2;
                plan.outbreaks /= 2;
                plan.seen_clients /= 2;
                plan.yields /= 2;
                plan.outcomes.watched /= 2;
                plan.outcomes.followed /= 2;
                plan.history.clients /= 2;
                plan.history.networks /= 2;
                plan.history.parts /= 2;
        }
        plan.fragments = memory / 32;
        plan.streams = memory / 16;
        fixed = plan.fragments + pt_fragments_size() + plan.streams + pt_streams_size() +
                sizeof(struct pt_engine) + pt_hosts_besides() + pt_line_size() + PT_FRAME_KEPT +
                PT_PLAN_ADDRESSES * sizeof(struct pt_dns_address) +
                (PT_ARRIVALS + 2) * sizeof(struct pt_arrival) + pt_twins_size(plan.twins) +
                pt_recent_size(plan.queries, sizeof(struct pt_query)) +
                pt_recent_size(plan.syns, sizeof(struct pt_seen)) +
                pt_recent_size(plan.expected, sizeof(struct pt_expected)) +
                pt_recent_size(plan.told, sizeof(struct pt_told)) + pt_hold_size(plan.held) +
                pt_campaign_size(plan.campaigns) + pt_outbreak_size(plan.outbreaks) +
                pt_visibility_size(plan.seen_clients) + pt_history_size(&plan.history) +
                pt_judge_size(plan.yields) + PT_RULES * sizeof(void *) +
                PT_CAMPAIGN_MATCHES * sizeof(struct pt_dns_name);
        if (settings->outcome_events)
                fixed += pt_outcomes_size(&plan.outcomes);
        if (memory < fixed + memory / 4) /* hosts must have some of it */
                return -EINVAL;
        plan.hosts = memory - fixed;
        *ret = plan;
        return 0;
}
