/*
 * given: answers into hosts, without packets. Times are seconds after GIVEN_START, as people count.
 */
#pragma once

#include "memory/cells.h"
#include "make.h"

#define GIVEN_START (INT64_C(1700000000) * 1000000000)

static inline int64_t at(double seconds)
{
        return GIVEN_START + (int64_t)(seconds * 1e9 + (seconds < 0 ? -0.5 : 0.5));
}

#define GIVEN_KEY                                                          \
        {                                                                  \
                UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210) \
        }

struct given_hosts {
        struct pt_hosts *hosts;
        struct pt_counters counters;
        struct pt_prefix nat64;
        uint16_t id; /* of the next answer: each has its own */
};

static inline struct pt_hosts_settings given_settings(size_t memory)
{
        return (struct pt_hosts_settings){
                .memory = memory,
                .reorder = INT64_C(50000000),
                .window = INT64_C(600000000000),
                .max_window = INT64_C(3600000000000),
                .key = GIVEN_KEY,
        };
}

static inline void given_init(struct given_hosts *g, size_t memory)
{
        struct pt_hosts_settings settings = given_settings(memory);

        memset(g, 0, sizeof *g);
        if (pt_prefix_parse("64:ff9b::/96", &g->nat64) < 0)
                abort();
        settings.nat64 = (struct pt_prefixes){&g->nat64, 1};
        if (pt_hosts_new(&settings, &g->counters, &g->hosts) < 0)
                abort();
}

/* The records as pt_dns_answer_read() makes them of a message. */
static inline enum pt_learned given_full(struct given_hosts *g, struct pt_given *given,
                                         const char *question, const char *records)
{
        static struct pt_dns_address addresses[4096];
        struct pt_dns_answer answer = {.addresses = addresses, .capacity = ROWS(addresses)};
        struct make message = {.length = 0};
        struct pt_dns dns;

        make_message(&message, given->id, 0x8180, question, PT_DNS_A, records);
        if (pt_dns_parse(message.octets, message.length, &dns) != PT_DNS_OK ||
            pt_dns_answer_read(&dns, &answer) != PT_DNS_OK)
                make_fail("no answer", records);
        given->question_type = dns.question_type;
        given->flags = dns.flags;
        given->answer = &answer;
        return pt_hosts_learn(g->hosts, given);
}

static inline struct pt_given given_to(struct given_hosts *g, double seconds, const char *client,
                                       bool asked)
{
        return (struct pt_given){
                .client = make_address(client),
                .resolver = make_address("192.0.2.53"),
                .time = at(seconds),
                .wall = at(seconds),
                .number = 1,
                .id = ++g->id,
                .asked = asked,
        };
}

static inline enum pt_learned give(struct given_hosts *g, double seconds, const char *client,
                                   const char *question, const char *records)
{
        struct pt_given given = given_to(g, seconds, client, false);

        return given_full(g, &given, question, records);
}

static inline enum pt_learned give_asked(struct given_hosts *g, double seconds, const char *client,
                                         const char *question, const char *records)
{
        struct pt_given given = given_to(g, seconds, client, true);

        return given_full(g, &given, question, records);
}

static inline uint32_t given(const struct given_hosts *g, double seconds, const char *client,
                             const char *destination)
{
        struct pt_address from = make_address(client), to = make_address(destination);

        return pt_hosts_given(g->hosts, &from, &to, at(seconds));
}

static inline void spoke(struct given_hosts *g, const char *client)
{
        struct pt_address address = make_address(client);

        pt_hosts_prove(g->hosts, &address);
}

static inline void contact(struct given_hosts *g, double seconds, const char *client,
                           const char *destination)
{
        struct pt_address from = make_address(client), to = make_address(destination);

        pt_hosts_contact(g->hosts, &from, &to, at(seconds));
}

/* Its question, "" for no resolution. */
static inline const char *question_of(const struct given_hosts *g, uint32_t resolution)
{
        static char text[PT_DNS_NAME_TEXT];
        static struct pt_evidence evidence;

        text[0] = '\0';
        if (resolution) {
                pt_hosts_evidence(g->hosts, resolution, &evidence);
                pt_dns_name_format(&evidence.chain[0], text);
        }
        return text;
}
