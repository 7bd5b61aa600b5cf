#include "engine/expect.h"

#include <string.h>

#include "engine/tell.h"

/* The answer at hand, and how much of it was told. */
struct forecast {
        struct pt_engine *engine;
        const struct pt_given *given;
        unsigned told;
        unsigned pairs;
};

/* ---- each once ---- */

static struct pt_recent_key key_of(const struct pt_engine *engine, const struct pt_expectation *e)
{
        struct pt_recent_key key = {0};
        uint64_t rule = pt_siphash24(&engine->key, e->rule->id, strlen(e->rule->id));

        memcpy(key.octets, &e->client, 16);
        if (e->relation != PT_EXPECT_OTHER_ADDRESS) /* a whole /24 has one port */
                memcpy(key.octets + 16, e->address.octets + 12, 4);
        if (e->has_destination)
                memcpy(key.octets + 20, &e->destination, 16);
        memcpy(key.octets + 36, &e->port, 2);
        key.octets[38] = (uint8_t)e->relation;
        memcpy(key.octets + 40, &rule, 8); /* places change when rules are reloaded */
        pt_recent_hash(&engine->expected, &key);
        return key;
}

static void tell(struct forecast *f, const struct pt_expectation *e)
{
        struct pt_engine *engine = f->engine;
        struct pt_recent_key key = key_of(engine, e);
        struct pt_expected *expected = pt_recent_find(&engine->expected, &key);
        int64_t now = f->given->time;

        if (expected && now < expected->again) {
                pt_engine_count(engine, PT_COUNT_EXPECTATION_REPEATS);
                return;
        }
        if (f->told == PT_EXPECT_MOST ||
            (e->relation == PT_EXPECT_PAIR && f->pairs == PT_EXPECT_PAIRS)) {
                pt_engine_count(engine, PT_COUNT_EXPECTATION_SKIPPED);
                return;
        }
        expected = pt_recent_touch(&engine->expected, &key);
        expected->again = now + (e->until - e->from) / 2;
        f->told++;
        f->pairs += e->relation == PT_EXPECT_PAIR;
        pt_engine_count(engine, PT_COUNT_EXPECTATION_TOLD);
        pt_tell_expectation(engine, e);
}

/* ---- what the rules expect ---- */

/* May the rule's connection go there (section 3)? In a laboratory it may go everywhere. */
static bool may_go(const struct pt_engine *engine, const struct pt_rule *rule,
                   const struct pt_address *destination)
{
        return engine->settings.lab ||
               !pt_prefixes_contain(&engine->rules->zones[rule->zone], destination);
}

static bool port_of(const struct pt_engine *engine, const struct pt_rule *rule,
                    const struct pt_address *address, uint16_t *ret)
{
        return pt_rule_port(rule, pt_address_low32(address), ret) &&
               pt_rule_admits_port(engine->rules, rule, *ret);
}

/*
 * A rule with an address expression: the destination must be none that was given (section 3), nor
 * the address itself, which hosts may have had no room to learn.
 */
static void expect_address(struct forecast *f, struct pt_expectation e)
{
        struct pt_engine *engine = f->engine;
        uint32_t result;

        if (!pt_rule_address(e.rule, pt_address_low32(&e.address), &result) ||
            result == pt_address_low32(&e.address) ||
            (!engine->settings.lab && pt_ipv4_is_private(result)))
                return;
        if (e.rule->port && !port_of(engine, e.rule, &e.address, &e.port))
                return;
        e.relation = PT_EXPECT_CALCULATED_ADDRESS;
        e.has_destination = true;
        e.destination = pt_address_from_ipv4(result);
        if (may_go(engine, e.rule, &e.destination) &&
            !pt_hosts_given(engine->hosts, &e.client, &e.destination, f->given->time))
                tell(f, &e);
}

/* A rule with a port expression alone: at the address itself, or at any other for a short time. */
static void expect_port(struct forecast *f, struct pt_expectation e,
                        const struct pt_address *record)
{
        struct pt_engine *engine = f->engine;

        if (!port_of(engine, e.rule, &e.address, &e.port))
                return;
        if (may_go(engine, e.rule, &e.address)) {
                e.relation = PT_EXPECT_SAME_ADDRESS;
                e.has_destination = true;
                e.destination = *record; /* the client connects to what it was given */
                tell(f, &e);
        }
        e.relation = PT_EXPECT_OTHER_ADDRESS;
        e.has_destination = false;
        e.until = e.wall + engine->settings.cross_window;
        tell(f, &e);
}

/* How long an answer with this TTL counts (4.7). */
static int64_t counts_for(const struct pt_settings *settings, uint32_t ttl)
{
        int64_t span = (int64_t)ttl * PT_SECOND;

        span = span > settings->window ? span : settings->window;
        return span < settings->max_window ? span : settings->max_window;
}

static void expect_record(struct forecast *f, const struct pt_dns_address *record)
{
        const struct pt_given *given = f->given;
        struct pt_expectation e = {
                .client = given->client,
                .resolver = given->resolver,
                .address = pt_hosts_canonical(f->engine->hosts, &record->address),
                .question = &given->answer->names[0],
                .question_type = given->question_type,
                .asked = given->asked,
                .ttl = record->ttl,
                .wall = given->wall,
                .from = given->wall,
                .until = given->wall + counts_for(&f->engine->settings, record->ttl),
        };

        if (!pt_address_is_ipv4(&e.address))
                return;
        for (size_t i = 0; i < f->engine->rules->count; i++) {
                e.rule = f->engine->rules->list[i];
                if (e.rule->address)
                        expect_address(f, e);
                else
                        expect_port(f, e, &record->address);
        }
}

/* ---- exact pairs: the port of one name's address at the address of another ---- */

struct live {
        struct pt_resolution_view list[PT_EXPECT_FEW];
        size_t count;
};

/*
 * The addresses that the client was given within the cross window, each where it is newest. False
 * if there are too many.
 */
static bool read_live(const struct pt_engine *engine, const struct pt_given *given,
                      struct live *ret)
{
        uint32_t client = pt_hosts_client(engine->hosts, &given->client);
        int64_t oldest = given->time - engine->settings.cross_window;
        struct pt_hosts_walk walk;
        struct pt_resolution_view view;

        ret->count = 0;
        if (!client)
                return false;
        walk = pt_hosts_walk(engine->hosts, client);
        while (pt_hosts_next(engine->hosts, &walk, given->time, oldest, &view)) {
                if (!view.counts || !pt_address_is_ipv4(&view.address) ||
                    !pt_hosts_is_newest(engine->hosts, view.link, given->time))
                        continue;
                if (ret->count == PT_EXPECT_FEW)
                        return false;
                ret->list[ret->count++] = view;
        }
        return true;
}

/* Ports from the address of one view, at the address of the other. */
static void expect_pair(struct forecast *f, const struct pt_resolution_view *from,
                        const struct pt_resolution_view *to)
{
        struct pt_engine *engine = f->engine;
        const struct pt_evidence *evidence = &engine->evidence;
        struct pt_expectation e;

        pt_hosts_evidence(engine->hosts, from->link, &engine->evidence);
        pt_hosts_evidence(engine->hosts, to->link, &engine->destination);
        e = (struct pt_expectation){
                .relation = PT_EXPECT_PAIR,
                .client = f->given->client,
                .resolver = evidence->resolver,
                .address = from->address,
                .has_destination = true,
                .destination = engine->destination.address,
                .question = &evidence->chain[0],
                .question_type = evidence->question_type,
                .asked = evidence->asked,
                .ttl = evidence->ttl,
                .wall = evidence->wall,
                .from = f->given->wall, /* the later of the two answers */
                .until = evidence->wall + engine->settings.cross_window,
        };
        for (size_t i = 0; i < engine->rules->count; i++) {
                e.rule = engine->rules->list[i];
                if (!e.rule->address && port_of(engine, e.rule, &e.address, &e.port) &&
                    may_go(engine, e.rule, &to->address))
                        tell(f, &e);
        }
}

static void expect_pairs(struct forecast *f)
{
        int64_t now = f->given->time;
        struct live live;

        if (!read_live(f->engine, f->given, &live))
                return;
        for (size_t i = 0; i < live.count; i++)
                for (size_t j = 0; j < live.count; j++) /* the older pairs were told before */
                        if (i != j && (live.list[i].time == now || live.list[j].time == now))
                                expect_pair(f, &live.list[i], &live.list[j]);
}

void pt_expect_answer(struct pt_engine *engine, const struct pt_given *given)
{
        struct forecast f = {.engine = engine, .given = given};

        for (size_t i = 0; i < given->answer->count; i++)
                expect_record(&f, &given->answer->addresses[i]);
        expect_pairs(&f);
}
