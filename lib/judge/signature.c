#include "judge/signature.h"

#include <string.h>

#define WORDS (sizeof((struct pt_filter){0}.bits) / sizeof(uint64_t))

/* Not keyed: whoever fills a filter on purpose fills his own, and makes his own SYNs be searched.
 */
static uint64_t place_of(uint32_t value)
{
        return (value * UINT64_C(0x9e3779b97f4a7c15) >> 32) * (WORDS * 64) >> 32;
}

static void filter_add(struct pt_filter *f, uint32_t value)
{
        uint64_t place = place_of(value);

        f->bits[place >> 6] |= UINT64_C(1) << (place & 63);
}

static bool filter_has(const struct pt_filter *f, uint32_t value)
{
        uint64_t place = place_of(value);

        return f->bits[place >> 6] >> (place & 63) & 1;
}

static bool filter_crowded(const struct pt_filter *f)
{
        int set = 0;

        for (size_t i = 0; i < WORDS; i++)
                set += __builtin_popcountll(f->bits[i]);
        return set > (int)WORDS * 16; /* a quarter: every fourth search is in vain */
}

static void sign_ports(struct pt_judge *judge, struct pt_filter *f, uint32_t ipv4)
{
        size_t count = pt_judge_ports(judge, ipv4);

        for (size_t i = 0; i < count; i++)
                filter_add(f, (uint32_t)judge->values[i]);
}

static void sign_addresses(struct pt_judge *judge, struct pt_filter *f, uint32_t ipv4)
{
        uint32_t result;

        for (size_t i = 0; i < judge->rules->count; i++) {
                const struct pt_rule *rule = judge->rules->list[i];

                if (rule->address && pt_judge_result(judge, rule, ipv4, &result))
                        filter_add(f, result);
        }
}

void pt_signature_sign(void *context, struct pt_filter *filters[PT_FILTER_KINDS], uint32_t ipv4)
{
        if (filters[PT_FILTER_PORTS])
                sign_ports(context, filters[PT_FILTER_PORTS], ipv4);
        if (filters[PT_FILTER_ADDRESSES])
                sign_addresses(context, filters[PT_FILTER_ADDRESSES], ipv4);
}

/*
 * Fill the filter with what the client was given: with all of it on first use (what counts no
 * longer still makes near misses), and with what was given since `oldest` where the filter has
 * grown full and the last time is longer ago than what it is about counts.
 */
static void fill(struct pt_judge *judge, uint32_t client, struct pt_filter *f, int64_t time,
                 int64_t oldest, int64_t span,
                 void (*add)(struct pt_judge *, struct pt_filter *, uint32_t))
{
        struct pt_hosts_walk walk;
        struct pt_resolution_view view;
        uint32_t round = pt_hosts_round(judge->hosts);

        if (f->filled == round && time - f->rebuilt <= span)
                return;
        if (f->filled == round && !filter_crowded(f)) {
                f->rebuilt = time; /* and is looked at again after another span */
                return;
        }
        if (f->filled != round)
                oldest = INT64_MIN;
        memset(f->bits, 0, sizeof f->bits);
        f->rebuilt = time;
        f->filled = round;
        walk = pt_hosts_walk(judge->hosts, client);
        while (pt_hosts_next(judge->hosts, &walk, time, oldest, &view))
                if (pt_address_is_ipv4(&view.address))
                        add(judge, f, pt_address_low32(&view.address));
}

bool pt_signature_port_fits(struct pt_judge *judge, uint32_t client, int64_t time, uint16_t port)
{
        struct pt_filter *f = pt_hosts_filter(judge->hosts, client, PT_FILTER_PORTS);

        if (!f)
                return true;
        fill(judge, client, f, time, pt_judge_cross_oldest(judge, time),
             judge->settings.cross_window, sign_ports);
        return filter_has(f, port);
}

bool pt_signature_address_fits(struct pt_judge *judge, uint32_t client, int64_t time, uint32_t ipv4)
{
        struct pt_filter *f = pt_hosts_filter(judge->hosts, client, PT_FILTER_ADDRESSES);

        if (!f)
                return true;
        fill(judge, client, f, time, INT64_MIN, judge->settings.window, sign_addresses);
        return filter_has(f, ipv4);
}
