/*
 * events: events made by hand, for the tests of documents and of lines.
 *
 * 10.20.30.40 asked 192.0.2.53 for update.example.net, whose CNAME is edge.example.org, and was
 * given 198.51.100.23 (198 * 51 + 100 = 10198, 198 * (51 + 100) = 29898); 2.113 s later it
 * connected.
 */
#pragma once

#include <criterion/criterion.h>
#include <string.h>

#include "engine/event.h"
#include "rule/formula.h"

/* 2026-11-24T04:12:07.318000000Z and 04:12:05.205Z; `date -u -d @1795493527` says so. */
#define SYN_TIME INT64_C(1795493527318000000)
#define ANSWER_TIME INT64_C(1795493525205000000)

static inline struct pt_address address(const char *text)
{
        struct pt_address ret;

        cr_assert_eq(pt_address_parse(text, &ret), 0, "%s", text);
        return ret;
}

/* A name from its labels, each with its length (octal) before it; the literal's own zero ends it.
 */
#define NAME(literal) name_of(literal, sizeof literal)

static inline struct pt_dns_name name_of(const char *wire, size_t length)
{
        struct pt_dns_name name = {.length = (uint8_t)length};

        memcpy(name.wire, wire, length);
        return name;
}

#define UPDATE NAME("\6update\7example\3net")
#define EDGE NAME("\4edge\7example\3org")

/* Compiled once and kept, so that no test has to free it. */
static inline struct pt_formula *formula(const char *text)
{
        static struct {
                char text[PT_FORMULA_TEXT];
                struct pt_formula *formula;
        } kept[16];
        struct pt_formula_error error;
        size_t i = 0;

        while (kept[i].formula && strcmp(kept[i].text, text) != 0)
                cr_assert_lt(++i, 16);
        if (!kept[i].formula) {
                cr_assert_eq(pt_formula_compile(text, &kept[i].formula, &error), 0, "%s",
                             error.sentence);
                strcpy(kept[i].text, text);
        }
        return kept[i].formula;
}

/* Rules as their files say; strings that the library never writes to. */
static char *authors[] = {(char *)"portent", NULL};

#define ATTACK "https://attack.mitre.org/"

static inline struct pt_rule rule(const char *id, const char *name, const char *port,
                                  const char *to)
{
        return (struct pt_rule){
                .id = (char *)id,
                .name = (char *)name,
                .description = (char *)"A client connects to a calculated port.",
                .version = (char *)"1",
                .category = (char *)"Command and Control",
                .ruleset = (char *)"portent-builtin",
                .license = (char *)"Apache-2.0",
                .reference = (char *)ATTACK "techniques/T1568/003/",
                .authors = authors,
                .tactic_id = (char *)"TA0011",
                .tactic_name = (char *)"Command and Control",
                .tactic_reference = (char *)ATTACK "tactics/TA0011/",
                .technique_id = (char *)"T1568",
                .technique_name = (char *)"Dynamic Resolution",
                .technique_reference = (char *)ATTACK "techniques/T1568/",
                .subtechnique_id = (char *)"T1568.003",
                .subtechnique_name = (char *)"DNS Calculation",
                .subtechnique_reference = (char *)ATTACK "techniques/T1568/003/",
                .port = port ? formula(port) : NULL,
                .address = to ? formula(to) : NULL,
        };
}

/* One event and all that it shows. Made by scene(), then changed where a test wants it other. */
struct scene {
        struct pt_prefix home[2];
        struct pt_rule apt12;
        struct pt_rule variant;
        struct pt_rule swap16;
        struct pt_rule both; /* port and address */
        struct pt_syn syn;
        struct pt_match match;
        struct pt_evidence evidence;
        struct pt_evidence destination;
        const struct pt_rule *also[2];
        struct pt_campaign_match matches[3];
        struct pt_rotation rotation;
        struct pt_dns_name names[2];
        struct pt_outbreak_found found;
        struct pt_held held;
        struct pt_event event;
};

static inline struct pt_evidence evidence_of_answer(void)
{
        return (struct pt_evidence){
                .client = address("10.20.30.40"),
                .address = address("198.51.100.23"),
                .key = address("198.51.100.23"),
                .ttl = 60,
                .time = ANSWER_TIME,
                .wall = ANSWER_TIME,
                .number = 48190,
                .id = 26187,
                .flags = 0x8180, /* QR RD RA */
                .question_type = PT_DNS_A,
                .asked = true,
                .resolver = address("192.0.2.53"),
                .chain = {UPDATE, EDGE},
                .chain_count = 2,
                .addresses = {address("198.51.100.23")},
                .ttls = {60},
                .address_count = 1,
                .names = {UPDATE},
                .name_count = 1,
        };
}

static inline struct pt_syn syn_to(const char *destination, uint16_t port)
{
        return (struct pt_syn){
                .time = SYN_TIME,
                .wall = SYN_TIME,
                .number = 48213,
                .sequence = 0x01020304,
                .client = address("10.20.30.40"),
                .destination = address(destination),
                .key = address(destination),
                .client_port = 51544,
                .destination_port = port,
        };
}

static inline void scene_alert(struct scene *s)
{
        s->event.kind = PT_EVENT_ALERT;
        s->event.alert.syn = &s->syn;
        s->event.alert.match = &s->match;
        s->event.alert.evidence = &s->evidence;
        s->event.alert.destination = &s->destination;
}

static inline struct scene *scene(void)
{
        static struct scene s;

        memset(&s, 0, sizeof s);
        cr_assert_eq(pt_prefix_parse("10.0.0.0/8", &s.home[0]), 0);
        cr_assert_eq(pt_prefix_parse("fc00::/7", &s.home[1]), 0);
        s.apt12 = rule("apt12", "port = o1 * o2 + o3", "o1 * o2 + o3", NULL);
        s.variant = rule("variant", "port = o1 * (o2 + o3)", "o1 * (o2 + o3)", NULL);
        s.swap16 = rule("swap16", "address = halves exchanged", NULL, "swap16(addr)");
        s.both = rule("both", "port and address", "o1 * o2 + o3", "swap16(addr)");
        s.syn = syn_to("198.51.100.23", 10198);
        s.match = (struct pt_match){
                .rule = &s.apt12,
                .verdict = PT_DNS_CONFIRMED,
                .severity = PT_SEVERITY_HIGH,
                .resolution = 1,
                .input = 0xc6336417, /* 198.51.100.23 */
                .candidates = 1,
                .destination_given = true,
                .chance = 1.0 / 45045, /* 2.2200022200e-05 */
                .tries = 1,
                .expected_per_day = 0.25,
        };
        s.evidence = evidence_of_answer();
        s.destination = s.evidence;
        s.event.home = (struct pt_prefixes){s.home, 2};
        scene_alert(&s);
        return &s;
}

static inline void scene_port_only(struct scene *s)
{
        s->match.verdict = PT_PORT_ONLY;
        s->match.severity = PT_SEVERITY_LOW;
        s->event.alert.evidence = NULL;
        s->event.alert.destination = NULL;
}

/*
 * APT12's shape: calc.example.net is 198.51.100.23 and gives the port, and 203.0.113.7 of
 * cc.example.net is connected to.
 */
static inline void scene_other_address(struct scene *s)
{
        s->syn = syn_to("203.0.113.7", 10198);
        s->evidence.chain[0] = NAME("\4calc\7example\3net");
        s->evidence.chain_count = 1;
        s->evidence.names[0] = s->evidence.chain[0];
        s->destination.address = s->destination.key = address("203.0.113.7");
        s->destination.chain[0] = NAME("\2cc\7example\3net");
        s->destination.chain_count = 1;
        s->match.verdict = PT_DNS_OTHER_ADDRESS;
        s->match.candidates = 3;
}

static inline void scene_other_client(struct scene *s)
{
        s->evidence.client = address("10.20.30.99");
        s->event.alert.destination = NULL;
        s->match.verdict = PT_DNS_OTHER_CLIENT;
        s->match.severity = PT_SEVERITY_MEDIUM;
        s->match.destination_given = false;
}

/* 132.198.176.65 was given, 176.65.132.198 was connected to. */
static inline void scene_address_rule(struct scene *s)
{
        s->syn = syn_to("176.65.132.198", 23004);
        s->evidence.address = s->evidence.key = address("132.198.176.65");
        s->evidence.addresses[0] = s->evidence.address;
        s->event.alert.destination = NULL;
        s->match.rule = &s->swap16;
        s->match.input = 0x84c6b041;
        s->match.destination_given = false;
}

static inline void scene_near_miss(struct scene *s, enum pt_near_miss reason)
{
        s->event.kind = PT_EVENT_NEAR_MISS;
        s->event.alert.reason = reason;
        s->match.severity = 0;
}

static inline void scene_rotation(struct scene *s)
{
        s->matches[0] = (struct pt_campaign_match){.destination = address("203.0.113.7"),
                                                   .source = {.address = address("203.0.113.7")},
                                                   .port = 113,
                                                   .verdict = PT_DNS_CONFIRMED};
        s->matches[1] = s->matches[0];
        s->matches[1].destination = address("198.51.100.23");
        s->matches[1].port = 10198;
        s->matches[2] = s->matches[1]; /* the port once more, elsewhere */
        s->matches[2].destination = address("198.51.100.24");
        s->rotation = (struct pt_rotation){.matches = s->matches,
                                           .match_count = 3,
                                           .count = 2,
                                           .chance = 4.93e-10,
                                           .verdict = PT_DNS_CONFIRMED};
        s->names[0] = NAME("\3one\7example\3net");
        s->names[1] = UPDATE;
        s->event.kind = PT_EVENT_ROTATION;
        memset(&s->event.alert, 0, sizeof s->event.alert);
        s->event.rotation.syn = &s->syn;
        s->event.rotation.match = &s->match;
        s->event.rotation.evidence = &s->evidence;
        s->event.rotation.rotation = &s->rotation;
        s->event.rotation.names = s->names;
        s->event.rotation.name_count = 2;
}

static inline void scene_campaign(struct scene *s, enum pt_outbreak_key key)
{
        s->found = (struct pt_outbreak_found){
                .key = key,
                .count = 3,
                .severity = PT_SEVERITY_MEDIUM,
                .verdict = PT_DNS_OTHER_ADDRESS,
                .first_wall = ANSWER_TIME,
                .last_wall = SYN_TIME,
                .clients = {address("10.20.30.40"), address("10.20.30.41")},
                .client_count = 2,
                .destinations = {address("198.51.100.23")},
                .destination_count = 1,
                .ports = {10198, 10199},
                .port_count = 2,
                .names = {UPDATE},
                .name_count = 1,
        };
        s->event.kind = PT_EVENT_CAMPAIGN;
        memset(&s->event.alert, 0, sizeof s->event.alert);
        s->event.campaign.syn = &s->syn;
        s->event.campaign.match = &s->match;
        s->event.campaign.evidence = &s->evidence;
        s->event.campaign.found = &s->found;
}

static inline void scene_repeats(struct scene *s)
{
        s->held = (struct pt_held){
                .client = address("10.20.30.40"),
                .destination = address("198.51.100.23"),
                .destination_port = 10198,
                .rule = &s->apt12,
                .verdict = PT_DNS_CONFIRMED,
                .severity = PT_SEVERITY_HIGH,
                .pending = 7,
                .first_wall = SYN_TIME + INT64_C(10000000000),
                .last_wall = SYN_TIME + INT64_C(70000000000),
        };
        s->event.kind = PT_EVENT_REPEATS;
        s->event.repeats = &s->held;
}

static inline void scene_connection(struct scene *s, bool given)
{
        s->event.kind = PT_EVENT_CONNECTION;
        memset(&s->event.alert, 0, sizeof s->event.alert);
        s->event.connection.syn = &s->syn;
        s->event.connection.destination = given ? &s->destination : NULL;
}

static inline void scene_expectation(struct scene *s)
{
        static struct pt_expectation e;

        e = (struct pt_expectation){
                .relation = PT_EXPECT_PAIR,
                .rule = &s->apt12,
                .client = s->syn.client,
                .resolver = address("192.0.2.53"),
                .address = address("198.51.100.23"),
                .has_destination = true,
                .destination = address("203.0.113.9"),
                .port = 10198,
                .question = &s->evidence.chain[0],
                .question_type = PT_DNS_A,
                .asked = true,
                .ttl = 60,
                .wall = ANSWER_TIME,
                .from = ANSWER_TIME + 1000000000,
                .until = ANSWER_TIME + INT64_C(60000000000),
        };
        s->event.kind = PT_EVENT_EXPECTATION;
        memset(&s->event.alert, 0, sizeof s->event.alert);
        s->event.expectation.of = &e;
        s->event.expectation.skew = 2000000000;
}

/* A DNS message written down octet for octet, and the event about it. */
struct message {
        uint8_t octets[4096];
        struct pt_dns dns;
        struct pt_dns_address addresses[64];
        struct pt_dns_answer answer;
        struct pt_packet packet;
        struct pt_frame frame;
};

static inline struct message *scene_dns(struct scene *s, const void *octets, size_t length)
{
        static struct message m;
        enum pt_dns_kind kind;

        memset(&m, 0, sizeof m);
        cr_assert_leq(length, sizeof m.octets);
        memcpy(m.octets, octets, length);
        cr_assert_eq(pt_dns_parse(m.octets, length, &m.dns), PT_DNS_OK);
        m.answer.addresses = m.addresses;
        m.answer.capacity = 64;
        kind = pt_dns_answer_read(&m.dns, &m.answer);
        cr_assert(kind == PT_DNS_OK || kind == PT_DNS_BAD_RECORD);
        m.packet = (struct pt_packet){
                .source = address("192.0.2.53"),
                .destination = address("10.20.30.40"),
                .source_port = 53,
                .destination_port = 53765,
                .protocol = 17,
                .has_mac = true,
                .has_destination_mac = true,
                .source_mac = {0x02, 0, 0, 0, 0, 0x53},
                .destination_mac = {0x02, 0, 0x5e, 0xab, 0xcd, 0xef},
        };
        m.frame = (struct pt_frame){.time = ANSWER_TIME, .number = 48190};
        s->event.kind = PT_EVENT_DNS;
        memset(&s->event.alert, 0, sizeof s->event.alert);
        s->event.dns.packet = &m.packet;
        s->event.dns.frame = &m.frame;
        s->event.dns.dns = &m.dns;
        s->event.dns.answer = &m.answer;
        s->event.dns.asked = true;
        s->event.dns.asked_wall = ANSWER_TIME - 23000000;
        return &m;
}

#define OCTETS(literal) literal, sizeof literal - 1

/* The answer of the story: id 26187 is 0x664b; a CNAME, then its A record. */
#define STORY                                                    \
        "\x66\x4b\x81\x80\0\1\0\2\0\0\0\0"                       \
        "\6update\7example\3net\0\0\1\0\1"                       \
        "\xc0\x0c\0\5\0\1\0\0\1\x2c\0\x12\4edge\7example\3org\0" \
        "\xc0\x30\0\1\0\1\0\0\0\x3c\0\4\xc6\x33\x64\x17"
