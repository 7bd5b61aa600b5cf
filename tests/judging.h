/*
 * judging: hosts, rules and a judge, and what it finds as text, best first:
 *
 *      apt12 dns_confirmed 73 a.example 1; variant port_only 21 - 1
 *
 * rule, verdict, severity, question of the evidence, candidates.
 */
#pragma once

#include "given.h"
#include "judge/judge.h"

struct judging {
        struct given_hosts g;
        struct pt_hash_key key;
        struct pt_verdict_settings settings;
        struct pt_prefix home;
        struct pt_rules *rules;
        struct pt_history *history;
        struct pt_judge *judge;
        struct pt_twin_list twins; /* of the client of every SYN */
        uint32_t given;            /* of the last SYN: its destination */
        struct pt_match best;      /* of the last SYN */
};

static inline void judging_begin(struct judging *j, struct pt_rules *rules)
{
        memset(j, 0, sizeof *j);
        given_init(&j->g, (size_t)1 << 21);
        j->settings = (struct pt_verdict_settings){
                .yields = 1024,
                .reorder = INT64_C(50000000),
                .window = INT64_C(600000000000),
                .cross_window = INT64_C(60000000000),
        };
        j->rules = rules;
        if (pt_history_new(&(struct pt_history_room){64, 256, 256}, j->settings.window, rules,
                           &j->key, &j->g.counters, &j->history) < 0)
                abort();
        if (pt_judge_new(&j->settings, rules, j->g.hosts, j->history, &j->g.counters, &j->judge) <
            0)
                abort();
}

/* After a setting was changed. */
static inline void judging_again(struct judging *j)
{
        pt_judge_free(j->judge);
        if (pt_judge_new(&j->settings, j->rules, j->g.hosts, j->history, &j->g.counters,
                         &j->judge) < 0)
                abort();
}

static inline void judging_end(struct judging *j)
{
        j->judge = pt_judge_free(j->judge);
        j->history = pt_history_free(j->history);
        j->rules = pt_rules_free(j->rules);
        j->g.hosts = pt_hosts_free(j->g.hosts);
}

static inline struct pt_syn judging_syn(const struct judging *j, double seconds, const char *client,
                                        const char *destination, uint16_t port)
{
        struct pt_syn syn = {
                .time = at(seconds),
                .client = make_address(client),
                .destination = make_address(destination),
                .client_port = 40000,
                .destination_port = port,
        };

        syn.key = pt_hosts_canonical(j->g.hosts, &syn.destination);
        return syn;
}

static inline const char *judged(struct judging *j, double seconds, const char *client,
                                 const char *destination, uint16_t port)
{
        static char text[8192];
        struct pt_syn syn = judging_syn(j, seconds, client, destination, port);
        struct pt_judgement judgement = pt_judge_syn(j->judge, &syn, &j->twins);

        text[0] = '\0';
        j->given = judgement.given;
        for (size_t i = 0; i < judgement.count; i++)
                judgement.matches[i].chance = judgement.matches[i].share;
        pt_judgement_sort(&judgement);
        for (size_t i = 0; i < judgement.count; i++) {
                const struct pt_match *m = &judgement.matches[i];
                size_t length = strlen(text);

                snprintf(text + length, sizeof text - length, "%s%s %s %d %s %u", i ? "; " : "",
                         m->rule->id, pt_verdict_name(m->verdict), m->severity,
                         m->resolution ? question_of(&j->g, m->resolution) : "-", m->candidates);
        }
        if (judgement.count)
                j->best = judgement.matches[0];
        return text;
}

/* As the engine does: judged first, then the contact (4.5). */
static inline const char *connected(struct judging *j, double seconds, const char *client,
                                    const char *destination, uint16_t port)
{
        const char *text = judged(j, seconds, client, destination, port);

        contact(&j->g, seconds, client, destination);
        return text;
}
