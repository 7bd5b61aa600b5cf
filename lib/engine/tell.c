#include "engine/tell.h"

#include <stdlib.h>
#include <string.h>

#include "judge/chance.h"

#define SEEN_WITHIN (120 * PT_SECOND) /* 4.2 */

static void tell(struct pt_engine *engine, struct pt_event *event)
{
        event->home = (struct pt_prefixes){engine->home, engine->home_count};
        engine->receiver.event(engine->receiver.context, event);
}

void pt_tell_answer(struct pt_engine *engine, const struct pt_arrival *arrival,
                    const int64_t *asked_wall)
{
        struct pt_event event = {
                .kind = PT_EVENT_DNS,
                .dns =
                        {
                                .packet = &arrival->packet,
                                .frame = &arrival->frame,
                                .dns = &arrival->message.dns,
                                .answer = &arrival->message.answer,
                                .asked = asked_wall != NULL,
                                .asked_wall = asked_wall ? *asked_wall : 0,
                        },
        };

        tell(engine, &event);
}

void pt_tell_expectation(struct pt_engine *engine, const struct pt_expectation *expectation)
{
        struct pt_event event = {
                .kind = PT_EVENT_EXPECTATION,
                .expectation = {expectation, engine->settings.expectation_skew},
        };

        tell(engine, &event);
}

/* A resolution copied out, NULL for none. */
static const struct pt_evidence *evidence_of(struct pt_engine *engine, uint32_t resolution,
                                             struct pt_evidence *room)
{
        if (!resolution)
                return NULL;
        pt_hosts_evidence(engine->hosts, resolution, room);
        return room;
}

static void tell_connection(struct pt_engine *engine, const struct pt_syn *syn, uint32_t given)
{
        struct pt_event event = {.kind = PT_EVENT_CONNECTION};

        if (syn->destination_port < engine->settings.connection_port_low ||
            syn->destination_port > engine->settings.connection_port_high)
                return;
        event.connection.syn = syn;
        event.connection.destination = evidence_of(engine, given, &engine->destination);
        tell(engine, &event);
}

/* What was asked for, and whose name was contacted, where that leaves a higher severity (4.3). */
static void prefer_asked(const struct pt_chance_settings *settings, struct pt_match *match)
{
        double chance = pt_chance(match->asked.share, match->tries);

        if (pt_chance_severity(settings, PT_SEVERITY_MEDIUM, chance) <=
            pt_chance_severity(settings, match->severity, match->chance))
                return;
        match->severity = PT_SEVERITY_MEDIUM;
        match->resolution = match->asked.resolution;
        match->input = match->asked.input;
        match->candidates = match->asked.candidates;
        match->share = match->asked.share;
        match->chance = chance;
        match->contacted = true;
}

/* How likely the match is luck, and what that leaves of its severity (design 5). */
static void weigh(struct pt_engine *engine, const struct pt_syn *syn, struct pt_match *match)
{
        const struct pt_chance_settings settings = {engine->settings.chance_step,
                                                    engine->settings.chance_floor};
        int severity;

        match->tries = pt_history_tries(engine->history, match->rule, &syn->client, syn->time);
        match->chance = pt_chance(match->share, match->tries);
        if (match->asked.resolution)
                prefer_asked(&settings, match);
        match->expected_per_day = match->share * pt_history_per_day(engine->history, match->rule,
                                                                    match->destination_given);
        severity = pt_chance_severity(&settings, match->severity, match->chance);
        match->lowered = severity < match->severity;
        match->severity = severity;
}

/* ---- near misses: always counted, told when asked for ---- */

static void tell_near_miss(struct pt_engine *engine, const struct pt_syn *syn,
                           const struct pt_twin_list *twins, uint32_t given)
{
        static const enum pt_counter counter[PT_NEAR_MISSES] = {
                [PT_NEAR_EXPIRED] = PT_COUNT_NEAR_EXPIRED,
                [PT_NEAR_EXCLUDED_DESTINATION] = PT_COUNT_NEAR_EXCLUDED_DESTINATION,
                [PT_NEAR_EXCLUDED_PORT] = PT_COUNT_NEAR_EXCLUDED_PORT,
                [PT_NEAR_NO_DNS] = PT_COUNT_NEAR_NO_DNS,
                [PT_NEAR_OUTSIDE_LIMITS] = PT_COUNT_NEAR_OUTSIDE_LIMITS,
        };
        struct pt_event event = {.kind = PT_EVENT_NEAR_MISS};
        enum pt_near_miss reason;
        struct pt_match match;

        if (!pt_judge_near_miss(engine->judge, syn, twins, given, &match, &reason))
                return;
        pt_engine_count(engine, counter[reason]);
        if (!engine->settings.near_misses)
                return;
        weigh(engine, syn, &match);
        event.alert.syn = syn;
        event.alert.match = &match;
        event.alert.evidence = evidence_of(engine, match.resolution, &engine->evidence);
        event.alert.destination = evidence_of(engine, given, &engine->destination);
        event.alert.reason = reason;
        tell(engine, &event);
}

/* ---- allow lists (design 5): what one of them has is no match, and is counted ---- */

/*
 * The entry for a name that leads to the destination. CNAME targets count only where the records
 * lead from the question to the address: an answer may hold any others beside them.
 */
static struct pt_allow_entry *allowed_name(struct pt_engine *engine, uint32_t resolution)
{
        const struct pt_evidence *evidence = evidence_of(engine, resolution, &engine->destination);
        struct pt_allow_entry *entry = NULL;
        size_t names = evidence && !evidence->chain_broken ? evidence->chain_count : 1;

        for (size_t i = 0; evidence && !entry && i < names; i++)
                entry = pt_allow_name(engine->allow, &evidence->chain[i]);
        return entry;
}

/*
 * Lists describe the connection. So the names that count are those of its destination, and never
 * that of the address which gave the port: of it malware may ask any name, and one that is
 * allow-listed costs it nothing.
 */
static struct pt_allow_entry *allowed(struct pt_engine *engine, const struct pt_syn *syn,
                                      const struct pt_judgement *judgement)
{
        const struct pt_match *best = &judgement->matches[0];
        struct pt_allow_entry *entry = pt_allow_connection(
                engine->allow, &syn->client, &syn->destination, &syn->key, syn->destination_port);

        if (entry || judgement->given)
                return entry ? entry : allowed_name(engine, judgement->given);
        return best->verdict == PT_DNS_OTHER_CLIENT ? allowed_name(engine, best->resolution) : NULL;
}

/* True if the best match is allow-listed; it has then been counted and told. */
static bool tell_allowed(struct pt_engine *engine, const struct pt_syn *syn,
                         const struct pt_judgement *judgement)
{
        struct pt_event event = {.kind = PT_EVENT_NEAR_MISS};
        struct pt_allow_entry *entry;

        if (!engine->allow)
                return false;
        entry = allowed(engine, syn, judgement);
        if (!entry)
                return false;
        entry->matches++;
        pt_engine_count(engine, PT_COUNT_NEAR_ALLOW_LISTED);
        if (!engine->settings.near_misses)
                return true;
        event.alert.syn = syn;
        event.alert.match = &judgement->matches[0];
        event.alert.evidence =
                evidence_of(engine, judgement->matches[0].resolution, &engine->evidence);
        event.alert.destination = evidence_of(engine, judgement->given, &engine->destination);
        event.alert.reason = PT_NEAR_ALLOW_LISTED;
        event.alert.allowed = entry;
        tell(engine, &event);
        return true;
}

/* ---- repeats (4.10) ---- */

void pt_tell_held(struct pt_engine *engine, const struct pt_held *held)
{
        struct pt_event event = {.kind = PT_EVENT_REPEATS, .repeats = held};

        if (!held->pending)
                return;
        pt_engine_count(engine, PT_COUNT_ALERT_REPEATS);
        tell(engine, &event);
}

void pt_tell_repeats(struct pt_engine *engine, enum pt_forget which)
{
        struct pt_held held;

        while (pt_hold_forget(engine->hold, engine->clock.now, which, &held))
                pt_tell_held(engine, &held);
        engine->hold_due = pt_hold_due(engine->hold);
}

/* The hold must have a place for this match: the least recent one gives way with its last words. */
static void make_room(struct pt_engine *engine, const struct pt_syn *syn,
                      const struct pt_match *match)
{
        struct pt_held held;

        if (!pt_hold_full(engine->hold, syn, match) ||
            !pt_hold_forget(engine->hold, engine->clock.now, PT_FORGET_ROOM, &held))
                return;
        pt_engine_count(engine, PT_COUNT_HOLD_EVICTED);
        pt_tell_held(engine, &held);
}

/* ---- alerts ---- */

/* The other rules that the SYN meets, in order of id (4.6). */
static size_t other_rules(struct pt_engine *engine, const struct pt_judgement *judgement)
{
        size_t count = 0;

        for (size_t i = 1; i < judgement->count; i++) {
                const struct pt_rule *rule = judgement->matches[i].rule;
                size_t at = count++;

                for (; at && engine->also[at - 1]->place > rule->place; at--)
                        engine->also[at] = engine->also[at - 1];
                engine->also[at] = rule;
        }
        return count;
}

static void tell_alert(struct pt_engine *engine, const struct pt_syn *syn,
                       const struct pt_judgement *judgement)
{
        const struct pt_match *best = &judgement->matches[0];
        struct pt_event event = {.kind = PT_EVENT_ALERT};
        uint64_t suppressed;

        make_room(engine, syn, best);
        if (!pt_hold_pass(engine->hold, syn, best, &suppressed)) {
                pt_engine_count(engine, PT_COUNT_ALERT_SUPPRESSED);
                return;
        }
        pt_engine_count(engine, PT_COUNT_ALERT_GENERATED);
        event.alert.syn = syn;
        event.alert.match = best;
        event.alert.evidence = evidence_of(engine, best->resolution, &engine->evidence);
        event.alert.destination = evidence_of(engine, judgement->given, &engine->destination);
        event.alert.also = engine->also;
        event.alert.also_count = other_rules(engine, judgement);
        event.alert.suppressed = suppressed;
        tell(engine, &event);
        /* Of what a log tells no packet follows. */
        if (engine->outcomes && !syn->source &&
            !pt_outcomes_follow(engine->outcomes, syn, best->rule->id))
                pt_engine_count(engine, PT_COUNT_OUTCOME_FULL);
}

/* ---- what became of it ---- */

void pt_tell_outcomes(struct pt_engine *engine, bool over)
{
        struct pt_outcome outcome;
        struct pt_event event = {.kind = PT_EVENT_OUTCOME, .outcome = &outcome};

        while (pt_outcomes_next(engine->outcomes, engine->clock.now, over, &outcome)) {
                pt_engine_count(engine, PT_COUNT_OUTCOME_TOLD);
                tell(engine, &event);
        }
}

/* ---- rotation ---- */

/* The question names of the matches' evidence, as far as it is still remembered. */
static size_t rotation_names(struct pt_engine *engine, const struct pt_rotation *rotation)
{
        size_t count = 0;

        for (size_t i = 0; i < rotation->match_count; i++) {
                uint32_t link = pt_hosts_by_source(engine->hosts, &rotation->matches[i].source);
                bool known = false;

                if (!link)
                        continue;
                pt_hosts_evidence(engine->hosts, link, &engine->destination);
                for (size_t j = 0; j < count && !known; j++)
                        known = pt_dns_name_equal(&engine->names[j], &engine->destination.chain[0]);
                if (!known)
                        engine->names[count++] = engine->destination.chain[0];
        }
        return count;
}

static void tell_rotation(struct pt_engine *engine, const struct pt_syn *syn,
                          const struct pt_match *best)
{
        struct pt_source source = pt_hosts_source(engine->hosts, best->resolution);
        struct pt_event event = {.kind = PT_EVENT_ROTATION};
        struct pt_rotation rotation;

        if (!pt_campaign_add(engine->campaign, syn, best, &source, &rotation))
                return;
        pt_engine_count(engine, PT_COUNT_ALERT_GENERATED);
        event.rotation.syn = syn;
        event.rotation.match = best;
        event.rotation.rotation = &rotation;
        event.rotation.name_count = rotation_names(engine, &rotation);
        event.rotation.names = engine->names;
        event.rotation.evidence = evidence_of(engine, best->resolution, &engine->evidence);
        tell(engine, &event);
}

static void tell_campaign(struct pt_engine *engine, const struct pt_syn *syn,
                          const struct pt_twin_list *twins, const struct pt_match *best)
{
        const struct pt_evidence *evidence =
                evidence_of(engine, best->resolution, &engine->evidence);
        struct pt_event event = {.kind = PT_EVENT_CAMPAIGN};

        event.campaign.found =
                pt_outbreak_add(engine->outbreak, syn, twins, best, &evidence->chain[0]);
        if (!event.campaign.found)
                return;
        pt_engine_count(engine, PT_COUNT_ALERT_GENERATED);
        event.campaign.syn = syn;
        event.campaign.match = best;
        event.campaign.evidence = evidence;
        tell(engine, &event);
}

static void count_match(struct pt_engine *engine, const struct pt_match *best)
{
        engine->counters.value[PT_COUNT_TWIN_MATCHES] += best->by_twin;
        if (strcmp(best->rule->id, "apt12") == 0)
                pt_engine_count(engine, PT_COUNT_MATCH_APT12);
        else if (strcmp(best->rule->id, "variant") == 0)
                pt_engine_count(engine, PT_COUNT_MATCH_VARIANT);
        else
                pt_engine_count(engine, PT_COUNT_MATCH_OTHER);
}

/* `judgement`: NULL for QUIC. */
static void see(struct pt_engine *engine, const struct pt_syn *syn,
                const struct pt_judgement *judgement)
{
        const struct pt_visibility_syn seen = {
                .client = &syn->client,
                .destination = &syn->key,
                .port = syn->destination_port,
                .quic = syn->quic,
                .given = judgement && judgement->given,
                .eligible = judgement && judgement->eligible,
                .wall = syn->wall,
                .hash = syn->client_hash,
        };

        pt_visibility_syn(engine->visibility, &seen);
}

static void judge(struct pt_engine *engine, const struct pt_syn *syn,
                  const struct pt_twin_list *twins)
{
        struct pt_judgement judgement = pt_judge_syn(engine->judge, syn, twins);

        if (pt_judge_is_home(engine->judge, &syn->client)) {
                pt_sight_syn(&engine->sight, &syn->client, judgement.given != 0);
                see(engine, syn, &judgement);
        } else if (judgement.eligible) {
                see(engine, syn, &judgement);
        }
        if (engine->settings.connection_events)
                tell_connection(engine, syn, judgement.given);
        if (!judgement.count) {
                tell_near_miss(engine, syn, twins, judgement.given);
                return;
        }
        for (size_t i = 0; i < judgement.count; i++)
                weigh(engine, syn, &judgement.matches[i]);
        pt_judgement_sort(&judgement);
        if (tell_allowed(engine, syn, &judgement))
                return;
        count_match(engine, &judgement.matches[0]);
        tell_alert(engine, syn, &judgement);
        if (judgement.matches[0].verdict != PT_PORT_ONLY) {
                tell_rotation(engine, syn, &judgement.matches[0]);
                tell_campaign(engine, syn, twins, &judgement.matches[0]);
        }
        engine->hold_due = pt_hold_due(engine->hold);
}

/* ---- SYNs seen before (4.2) ---- */

static struct pt_recent_key syn_key(const struct pt_syn *syn)
{
        struct pt_recent_key key = {.hash = syn->seen_hash};

        memcpy(key.octets, &syn->client, 16);
        memcpy(key.octets + 16, &syn->destination, 16);
        memcpy(key.octets + 32, &syn->client_port, 2);
        memcpy(key.octets + 34, &syn->destination_port, 2);
        memcpy(key.octets + 36, &syn->sequence, 4);
        return key;
}

uint32_t pt_tell_hash(const struct pt_engine *engine, const struct pt_syn *syn)
{
        struct pt_recent_key key = syn_key(syn);

        pt_recent_hash(&engine->syns, &key);
        return key.hash;
}

/* The table is full: was the one that gives way still to count? */
static void count_forgotten(struct pt_engine *engine, int64_t now)
{
        const struct pt_seen *oldest = pt_recent_oldest(&engine->syns);

        if (pt_recent_full(&engine->syns) && oldest->time >= now - SEEN_WITHIN)
                pt_engine_count(engine, PT_COUNT_CONNECTION_FORGOTTEN);
}

static bool is_copy(struct pt_engine *engine, const struct pt_syn *syn)
{
        struct pt_recent_key key = syn_key(syn);
        struct pt_seen *seen = pt_recent_find(&engine->syns, &key);
        bool copy = seen && syn->time - seen->time <= SEEN_WITHIN;

        if (!seen)
                count_forgotten(engine, syn->time);
        seen = pt_recent_touch(&engine->syns, &key);
        if (!copy || syn->time > seen->time)
                seen->time = syn->time;
        return copy;
}

void pt_tell_syn(struct pt_engine *engine, const struct pt_syn *syn)
{
        struct pt_twin_list twins;

        twins.count = 0;
        if (syn->has_mac)
                pt_twins_find(&engine->twins, syn->client_mac, syn->mac_hash, &syn->client,
                              syn->time, &twins);
        if (!syn->quic) {
                if (is_copy(engine, syn))
                        pt_engine_count(engine, PT_COUNT_CONNECTION_COPIES);
                else
                        judge(engine, syn, &twins);
        } else if (pt_judge_is_home(engine->judge, &syn->client)) {
                see(engine, syn, NULL);
        }
        pt_hosts_contact(engine->hosts, &syn->client, &syn->key, syn->time);
        for (size_t i = 0; i < twins.count; i++)
                pt_hosts_contact(engine->hosts, &twins.addresses[i], &syn->key, syn->time);
}
