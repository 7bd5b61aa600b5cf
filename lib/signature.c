#include "signature.h"

#include <string.h>

#define PORT_WORDS (sizeof((struct pt_signature){0}.ports) / sizeof(uint64_t))
#define ADDRESS_WORDS (sizeof((struct pt_signature){0}.addresses) / sizeof(uint64_t))

/* Not keyed: whoever fills a filter on purpose fills his own, and costs himself a search. */
static uint64_t place_of(uint64_t value, size_t words)
{
        return (value * UINT64_C(0x9e3779b97f4a7c15) >> 32) % (words * 64);
}

static void filter_add(uint64_t *bits, size_t words, uint64_t value)
{
        uint64_t place = place_of(value, words);

        bits[place >> 6] |= UINT64_C(1) << (place & 63);
}

static bool filter_has(const uint64_t *bits, size_t words, uint64_t value)
{
        uint64_t place = place_of(value, words);

        return bits[place >> 6] >> (place & 63) & 1;
}

static bool filter_half_full(const uint64_t *bits, size_t words)
{
        int set = 0;

        for (size_t i = 0; i < words; i++)
                set += __builtin_popcountll(bits[i]);
        return set > (int)words * 32;
}

static void add_ports(const struct pt_judge *judge, struct pt_signature *s, uint32_t ipv4)
{
        uint16_t port;

        for (size_t i = 0; i < judge->rules->count; i++) {
                const struct pt_rule *rule = judge->rules->list[i];

                if (!rule->address && pt_rule_port(rule, ipv4, &port))
                        filter_add(s->ports, PORT_WORDS, port);
        }
}

static void add_addresses(const struct pt_judge *judge, struct pt_signature *s, uint32_t ipv4)
{
        uint32_t result;

        for (size_t i = 0; i < judge->rules->count; i++) {
                const struct pt_rule *rule = judge->rules->list[i];

                if (rule->address && pt_rule_address(rule, ipv4, &result))
                        filter_add(s->addresses, ADDRESS_WORDS, result);
        }
}

/* Add what the client was given in its `fresh` newest answers, none older than `oldest`. */
static void add_answers(const struct pt_judge *judge, uint32_t client, int64_t oldest,
                        uint32_t fresh, struct pt_signature *s,
                        void (*add)(const struct pt_judge *, struct pt_signature *, uint32_t))
{
        struct pt_hosts_walk walk = pt_hosts_walk(judge->hosts, client);
        struct pt_resolution_view view;

        while (fresh && pt_hosts_next(judge->hosts, &walk, 0, oldest, &view) &&
               view.answers_before < fresh)
                if (pt_address_is_ipv4(&view.address))
                        add(judge, s, pt_address_low32(&view.address));
}

bool pt_signature_port_fits(struct pt_judge *judge, uint32_t client, int64_t time, uint16_t port)
{
        uint32_t learned, fresh;
        struct pt_signature *s = pt_hosts_signature(judge->hosts, client, &learned);

        if (!s)
                return true;
        if (filter_half_full(s->ports, PORT_WORDS) &&
            time - s->ports_rebuilt > judge->settings.cross_window) {
                memset(s->ports, 0, sizeof s->ports);
                s->ports_rebuilt = time;
                s->ports_learned = 0;
        }
        fresh = learned - s->ports_learned;
        s->ports_learned = learned;
        add_answers(judge, client, pt_judge_cross_oldest(judge, time), fresh, s, add_ports);
        return filter_has(s->ports, PORT_WORDS, port);
}

bool pt_signature_address_fits(struct pt_judge *judge, uint32_t client, int64_t time, uint32_t ipv4)
{
        uint32_t learned, fresh;
        struct pt_signature *s = pt_hosts_signature(judge->hosts, client, &learned);

        if (!s)
                return true;
        if (filter_half_full(s->addresses, ADDRESS_WORDS) &&
            time - s->addresses_rebuilt > judge->settings.window) {
                memset(s->addresses, 0, sizeof s->addresses);
                s->addresses_rebuilt = time;
                s->addresses_learned = 0;
        }
        fresh = learned - s->addresses_learned;
        s->addresses_learned = learned;
        add_answers(judge, client, INT64_MIN, fresh, s, add_addresses);
        return filter_has(s->addresses, ADDRESS_WORDS, ipv4);
}
