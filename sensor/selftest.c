#include "selftest.h"

#include <inttypes.h>
#include <string.h>

#include "engine/event.h"
#include "rule/limit.h"
#include "rule/rule.h"
#include "say.h"

#define SECOND INT64_C(1000000000)
#define COUNT(list) (sizeof(list) / sizeof *(list))
#define TRIES 2000000    /* addresses that are looked at for one rule */
#define DOCUMENTATION 12 /* of each network that is for documentation */
#define TRIALS 64        /* of them that go through the engine: an allow list may let one pass */

#define NAME "\21portent-self-test\7invalid"
#define RESOLVER UINT32_C(0xc0000235) /* 192.0.2.53 */

/* Who connects: one that an allow list has is no use. */
static const uint32_t clients[] = {0xc000020a, 0x0affff0a, 0xac1fff0a, 0xc0a8ff0a};

struct frame {
        uint8_t octets[512];
        size_t length;
};

/* ---- frames ---- */

static void put(struct frame *f, const void *octets, size_t length)
{
        memcpy(f->octets + f->length, octets, length);
        f->length += length;
}

static void put16(struct frame *f, unsigned value)
{
        put(f, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static void put32(struct frame *f, uint32_t value)
{
        put16(f, value >> 16);
        put16(f, value & 0xffff);
}

/* Ethernet and IPv4 (RFC 791 section 3.1) around a payload. Checksums are not read. */
static struct frame packet(uint8_t protocol, uint32_t from, uint32_t to,
                           const struct frame *payload)
{
        struct frame f = {.length = 0};

        put(&f, "\2\0\0\0\0\2\2\0\0\0\0\1\x08\0", 14);
        put16(&f, 0x4500);
        put16(&f, (unsigned)(20 + payload->length));
        put32(&f, 0);
        put16(&f, 64u << 8 | protocol);
        put16(&f, 0);
        put32(&f, from);
        put32(&f, to);
        put(&f, payload->octets, payload->length);
        return f;
}

/* A query for the name, or the answer to it with one address (RFC 1035 section 4). */
static struct frame dns(uint32_t client, const uint32_t *address)
{
        struct frame message = {.length = 0}, datagram = {.length = 0};

        put16(&message, 0x7074);
        put16(&message, address ? 0x8180 : 0x0100);
        put16(&message, 1);
        put16(&message, address ? 1 : 0);
        put32(&message, 0);
        put(&message, NAME, sizeof NAME);
        put32(&message, 0x00010001);
        if (address) {
                put16(&message, 0xc00c);
                put32(&message, 0x00010001);
                put32(&message, 60);
                put16(&message, 4);
                put32(&message, *address);
        }
        put16(&datagram, address ? 53 : 49152);
        put16(&datagram, address ? 49152 : 53);
        put16(&datagram, (unsigned)(8 + message.length));
        put16(&datagram, 0);
        put(&datagram, message.octets, message.length);
        return address ? packet(17, RESOLVER, client, &datagram)
                       : packet(17, client, RESOLVER, &datagram);
}

static struct frame syn(uint32_t client, uint32_t destination, uint16_t port, uint32_t sequence)
{
        struct frame segment = {.length = 0};

        put16(&segment, 49153);
        put16(&segment, port);
        put32(&segment, sequence);
        put32(&segment, 0);
        put16(&segment, 0x5002);
        put16(&segment, 64240);
        put32(&segment, 0);
        return packet(6, client, destination, &segment);
}

/* ---- what must match ---- */

/* What a client is given, and where it then connects to. */
struct trial {
        uint32_t given;
        uint32_t destination;
        uint16_t port;
};

/* Some addresses for documentation first (RFC 5737), then any: a number's bits, mixed. */
static uint32_t candidate(uint32_t number)
{
        static const uint32_t documentation[] = {0xc6336400, 0xcb007100, 0xc0000200};
        uint64_t mixed;

        if (number < 3 * DOCUMENTATION)
                return documentation[number % 3] + 1 + number / 3;
        mixed = number * UINT64_C(0x9e3779b97f4a7c15);
        return (uint32_t)((mixed ^ mixed >> 29) * UINT64_C(0xd6e8feb86659fd93) >> 32);
}

static bool is_public(uint32_t ipv4)
{
        uint32_t first = ipv4 >> 24;

        return first != 0 && first < 224 && !pt_ipv4_is_private(ipv4);
}

static uint16_t first_port(const struct pt_rule *rule)
{
        for (unsigned port = 1; port <= UINT16_MAX; port++) {
                if (pt_rule_limit_port(rule, (uint16_t)port) == PT_RULE_ADMITTED)
                        return (uint16_t)port;
        }
        return 0;
}

/* Where would the rule lead from this address? False if it does not. */
static bool lead(const struct pt_selftest *test, const struct pt_rule *rule, uint32_t given,
                 uint16_t any_port, struct trial *ret)
{
        struct pt_address destination;

        ret->given = ret->destination = given;
        ret->port = any_port;
        if (!is_public(given))
                return false;
        if (rule->address && (!pt_rule_address(rule, given, &ret->destination) ||
                              ret->destination == given || !is_public(ret->destination)))
                return false;
        if (rule->port && !pt_rule_port(rule, given, &ret->port))
                return false;
        destination = pt_address_from_ipv4(ret->destination);
        return pt_rule_limit_port(rule, ret->port) == PT_RULE_ADMITTED &&
               (test->settings->lab ||
                !pt_prefixes_contain(&test->rules->zones[rule->zone], &destination));
}

/* ---- one run through the engine ---- */

/* What came out: events go on to the outputs, and an alert of the rule is noticed. */
struct run {
        const struct pt_selftest *test;
        const struct pt_rule *rule;
        struct pt_engine *engine;
        int64_t time;
        uint32_t sequence;
        unsigned first; /* client: another for each kind, for two alerts of one are a rotation */
        bool found;
};

static void receive(void *context, const struct pt_event *event)
{
        struct run *run = context;

        if (event->kind == PT_EVENT_CAMPAIGN)
                return; /* that both clients ask for our one name is no finding */
        if (event->kind == PT_EVENT_ALERT) {
                run->found |= event->alert.match->rule == run->rule;
                for (size_t i = 0; i < event->alert.also_count; i++)
                        run->found |= event->alert.also[i] == run->rule;
        }
        pt_output_event(run->test->output, event);
}

static void hand_in(struct run *run, const struct frame *f)
{
        const struct pt_frame frame = {
                .bytes = f->octets,
                .captured = (uint32_t)f->length,
                .length = (uint32_t)f->length,
                .linktype = 1,
                .time = run->time,
        };

        pt_engine_packet(run->engine, &frame);
        run->time += SECOND / 1000;
}

static void go(struct run *run, uint32_t client, const struct trial *trial)
{
        struct frame frame = dns(client, NULL);

        hand_in(run, &frame);
        frame = dns(client, &trial->given);
        hand_in(run, &frame);
        frame = syn(client, trial->destination, trial->port, ++run->sequence);
        hand_in(run, &frame);
        run->time += 2 * SECOND;
        pt_engine_idle(run->engine, run->time);
}

static const char *text(uint32_t ipv4, char ret[PT_ADDRESS_TEXT])
{
        struct pt_address address = pt_address_from_ipv4(ipv4);

        return pt_address_format(&address, ret);
}

static void say_found(const struct run *run, uint32_t client, const struct trial *trial)
{
        char from[PT_ADDRESS_TEXT], given[PT_ADDRESS_TEXT], to[PT_ADDRESS_TEXT];

        if (!run->test->quiet)
                pt_say("self-test: rule %s: %s was given %s and connected to %s:%u: an alert",
                       run->rule->id, text(client, from), text(trial->given, given),
                       text(trial->destination, to), trial->port);
}

/* Does this rule make an alert? An address that an allow list has is passed over. */
static bool try_rule(struct run *run, const struct pt_rule *rule)
{
        uint16_t port = first_port(rule);
        unsigned trials = 0;

        run->rule = rule;
        run->found = false;
        for (uint32_t i = 0; i < TRIES && trials < TRIALS; i++) {
                uint32_t client = clients[(run->first + trials) % COUNT(clients)];
                struct trial trial;

                if (!lead(run->test, rule, candidate(i), port, &trial))
                        continue;
                trials++;
                go(run, client, &trial);
                if (!run->found)
                        continue;
                say_found(run, client, &trial);
                return true;
        }
        if (!trials)
                pt_say_error("self-test: rule %s: no address was found that it leads anywhere from",
                             rule->id);
        else
                pt_say_error("self-test: rule %s: %u connections that it fits made no alert (is "
                             "there an allow list that has them?)",
                             rule->id, trials);
        return false;
}

/* The first rule of this kind that makes one. */
static bool try_kind(struct run *run, bool with_address, size_t *ret_rules)
{
        size_t count = 0;

        for (size_t i = 0; i < run->test->rules->count; i++) {
                const struct pt_rule *rule = run->test->rules->list[i];

                if ((rule->address != NULL) != with_address)
                        continue;
                count++;
                if (try_rule(run, rule)) {
                        *ret_rules += count;
                        return true;
                }
        }
        *ret_rules += count;
        return count == 0; /* there is nothing of this kind to go wrong */
}

static bool try_rules(const struct pt_selftest *test)
{
        struct run run = {.test = test, .time = test->now};
        const struct pt_receiver receiver = {receive, &run};
        int r = pt_engine_new(test->settings, test->rules, &receiver, &run.engine);
        size_t rules = 0;
        bool sound;

        if (r < 0) {
                pt_say_error("self-test: the engine cannot be made: %s", strerror(-r));
                return false;
        }
        pt_engine_allow(run.engine, test->allow);
        sound = try_kind(&run, false, &rules);
        run.first = 1;
        sound &= try_kind(&run, true, &rules);
        if (!rules)
                pt_say_error("self-test: there are no rules");
        pt_engine_finish(run.engine);
        pt_engine_free(run.engine);
        return sound && rules;
}

/* ---- outputs ---- */

static bool check_output(const struct pt_selftest *test, const char *destination,
                         const struct pt_sink_stats *s)
{
        uint64_t dropped = s->dropped_disk_full + s->dropped_peer_down + s->dropped_queue_full +
                           s->dropped_too_big + s->dropped_no_memory;

        if (dropped)
                pt_say_error("self-test: output %s: %" PRIu64 " lines were dropped", destination,
                             dropped);
        if (s->queued + s->spooled)
                pt_say_error("self-test: output %s: %" PRIu64 " lines wait: nobody takes them",
                             destination, s->queued + s->spooled);
        if (dropped || s->queued || s->spooled)
                return false;
        if (!s->delivered) {
                pt_say_error("self-test: output %s: nothing was written", destination);
                return false;
        }
        if (!test->quiet)
                pt_say("self-test: output %s: %" PRIu64 " line%s delivered", destination,
                       s->delivered, pt_say_plural(s->delivered));
        return true;
}

static bool check_outputs(const struct pt_selftest *test)
{
        const char *destination;
        struct pt_sink_stats s;
        bool sound = !pt_output_lost(test->output);

        for (size_t i = 0; pt_output_stats(test->output, i, &destination, &s); i++)
                sound &= check_output(test, destination, &s);
        return sound;
}

bool pt_selftest(const struct pt_selftest *test)
{
        bool rules = try_rules(test), outputs;

        pt_output_flush(test->output);
        pt_output_finish(test->output);
        outputs = check_outputs(test);
        if (!rules)
                pt_say_error("self-test failed: see the rules above");
        else if (!outputs)
                pt_say_error("self-test failed: see the outputs above");
        else if (!test->quiet)
                pt_say("self-test passed");
        return rules && outputs;
}
