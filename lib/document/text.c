#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "document/words.h"

#define LINE 16384 /* octets of a line at most, its end included; what is longer is cut */
#define NAME 256   /* characters of a name that are shown */

struct colour {
        const char *on;
        const char *off;
};

/* SGR sequences (ECMA-48), by severity. */
static struct colour colour_of(int severity, bool wanted)
{
        if (!wanted)
                return (struct colour){"", ""};
        if (severity >= PT_SEVERITY_CRITICAL)
                return (struct colour){"\x1b[1;35m", "\x1b[0m"};
        if (severity >= PT_SEVERITY_HIGH)
                return (struct colour){"\x1b[1;31m", "\x1b[0m"};
        if (severity >= PT_SEVERITY_MEDIUM)
                return (struct colour){"\x1b[33m", "\x1b[0m"};
        if (severity >= PT_SEVERITY_LOW)
                return (struct colour){"\x1b[36m", "\x1b[0m"};
        return (struct colour){"\x1b[2m", "\x1b[0m"};
}

static const char *severity_name(int severity)
{
        if (severity >= PT_SEVERITY_CRITICAL)
                return "CRITICAL";
        if (severity >= PT_SEVERITY_HIGH)
                return "HIGH";
        return severity >= PT_SEVERITY_MEDIUM ? "MEDIUM" : "LOW";
}

/* Time, and a word that says what the line is. Severity 0: no alert. */
static void say_head(struct pt_words *w, int64_t time, const char *word, int severity, bool colour)
{
        struct colour c = colour_of(severity, colour);
        char text[PT_WORDS_TIME];

        pt_words_say(w, "%s %s%s%s ", pt_words_time(time, text), c.on, word, c.off);
}

static void say_address(struct pt_words *w, const struct pt_address *address)
{
        char text[PT_ADDRESS_TEXT];

        pt_words_say(w, "%s", pt_address_format(address, text));
}

static void say_named(struct pt_words *w, const struct pt_evidence *destination)
{
        if (!destination)
                return;
        pt_words_say(w, " ");
        pt_words_say_name(w, &destination->chain[0], NAME);
}

static void say_way(struct pt_words *w, const struct pt_syn *syn)
{
        pt_words_say_endpoint(w, &syn->client, syn->client_port);
        pt_words_say(w, " -> ");
        pt_words_say_endpoint(w, &syn->destination, syn->destination_port);
}

/* " from 192.0.2.7 of calc.example.net", where it is not the destination that was calculated with
 */
static void say_from(struct pt_words *w, const struct pt_syn *syn,
                     const struct pt_evidence *evidence)
{
        if (!evidence || pt_words_about_destination(syn, evidence))
                return;
        pt_words_say(w, " from ");
        say_address(w, &evidence->address);
        pt_words_say(w, " of ");
        pt_words_say_name(w, &evidence->chain[0], NAME);
}

/* ", answered 2.113 s before, asked" */
static void say_answer(struct pt_words *w, const struct pt_syn *syn,
                       const struct pt_evidence *evidence)
{
        int64_t age = pt_words_age(syn, evidence);
        char text[PT_WORDS_DURATION];

        pt_words_say(w, ", answered %s %s", pt_words_duration(age, text),
                     age < 0 ? "after" : "before");
        if (!pt_address_equal(&evidence->client, &syn->client)) {
                pt_words_say(w, " to ");
                say_address(w, &evidence->client);
        }
        pt_words_say(w, evidence->asked ? ", asked" : ", query not seen");
}

static void say_evidence(struct pt_words *w, const struct pt_syn *syn, const struct pt_match *match,
                         const struct pt_evidence *evidence)
{
        char text[PT_WORDS_ARITHMETIC];

        say_from(w, syn, evidence);
        pt_words_say(w, " %s", pt_words_arithmetic(match, text));
        if (evidence)
                say_answer(w, syn, evidence);
}

static void say_alert(struct pt_words *w, const struct pt_event *event, bool colour)
{
        const struct pt_match *match = event->alert.match;
        const struct pt_syn *syn = event->alert.syn;

        say_head(w, syn->wall, severity_name(match->severity), match->severity, colour);
        pt_words_say(w, "%s %s ", match->rule->id, pt_verdict_name(match->verdict));
        say_way(w, syn);
        say_named(w, event->alert.destination);
        say_evidence(w, syn, match, event->alert.evidence);
        if (!event->alert.evidence)
                pt_words_say(w, ", no answer seen");
        if (match->verdict == PT_DNS_OTHER_ADDRESS && match->destination_given)
                pt_words_say(w, match->contacted ? ", name contacted" : ", name not contacted");
        pt_words_say(w, ", chance %.2g", match->chance);
        if (event->alert.suppressed)
                pt_words_say(w, ", %" PRIu64 " held back before", event->alert.suppressed);
        for (size_t i = 0; i < event->alert.also_count; i++)
                pt_words_say(w, "%s%s", i ? " " : ", also ", event->alert.also[i]->id);
}

static void say_near_miss(struct pt_words *w, const struct pt_event *event, bool colour)
{
        const struct pt_match *match = event->alert.match;
        const struct pt_syn *syn = event->alert.syn;

        say_head(w, syn->wall, "NEAR-MISS", 0, colour);
        pt_words_say(w, "%s %s ", match->rule->id, pt_near_miss_name(event->alert.reason));
        say_way(w, syn);
        say_named(w, event->alert.destination);
        say_evidence(w, syn, match, event->alert.evidence);
        if (event->alert.allowed)
                pt_words_say(w, ", %s allow-listed by %s",
                             pt_allow_list_name(event->alert.allowed->list),
                             event->alert.allowed->text);
}

static void say_rotation(struct pt_words *w, const struct pt_event *event, bool colour)
{
        const struct pt_rotation *rotation = event->rotation.rotation;

        say_head(w, event->rotation.syn->wall, severity_name(PT_SEVERITY_CRITICAL),
                 PT_SEVERITY_CRITICAL, colour);
        pt_words_say(w, "%s %s ", PT_RULE_ROTATION, pt_verdict_name(rotation->verdict));
        say_address(w, &event->rotation.syn->client);
        pt_words_say(w, " ->");
        for (size_t i = 0; i < rotation->match_count; i++) {
                pt_words_say(w, " ");
                pt_words_say_endpoint(w, &rotation->matches[i].destination,
                                      rotation->matches[i].port);
        }
        for (size_t i = 0; i < event->rotation.name_count; i++) {
                pt_words_say(w, i ? " " : ", names ");
                pt_words_say_name(w, &event->rotation.names[i], 64);
        }
        pt_words_say(w, ", chance %.2g", rotation->chance);
}

static void say_campaign(struct pt_words *w, const struct pt_event *event, bool colour)
{
        const struct pt_outbreak_found *found = event->campaign.found;
        const struct pt_syn *syn = event->campaign.syn;

        say_head(w, syn->wall, severity_name(found->severity), found->severity, colour);
        pt_words_say(w, PT_RULE_CAMPAIGN " %s %u clients by %s, last ",
                     pt_verdict_name(found->verdict), found->count,
                     pt_outbreak_key_name(found->key));
        say_way(w, syn);
        for (size_t i = 0; i < found->name_count; i++) {
                pt_words_say(w, i ? " " : ", names ");
                pt_words_say_name(w, &found->names[i], 64);
        }
        pt_words_say(w, ", clients");
        for (size_t i = 0; i < found->client_count; i++) {
                pt_words_say(w, " ");
                say_address(w, &found->clients[i]);
        }
        if (found->count > found->client_count)
                pt_words_say(w, " and %zu more", found->count - found->client_count);
}

static void say_repeats(struct pt_words *w, const struct pt_event *event, bool colour)
{
        const struct pt_held *held = event->repeats;
        char text[PT_WORDS_TIME];

        say_head(w, held->last_wall, "REPEATS", 0, colour);
        pt_words_say(w, "%s %s ", held->rule->id, pt_verdict_name(held->verdict));
        say_address(w, &held->client);
        pt_words_say(w, " -> ");
        pt_words_say_endpoint(w, &held->destination, held->destination_port);
        pt_words_say(w, " %" PRIu64 " more since %s", held->pending,
                     pt_words_time(held->first_wall, text));
}

static void say_connection(struct pt_words *w, const struct pt_event *event, bool colour)
{
        const struct pt_evidence *destination = event->connection.destination;
        const struct pt_syn *syn = event->connection.syn;

        say_head(w, syn->wall, "CONNECTION", 0, colour);
        say_way(w, syn);
        say_named(w, destination);
        if (destination)
                say_answer(w, syn, destination);
}

/* The addresses of an answer, and the way there where it took one. */
static void say_dns_addresses(struct pt_words *w, const struct pt_dns_answer *answer)
{
        const size_t most = 64;

        for (size_t i = 0; i < answer->count && i < most; i++) {
                pt_words_say(w, i ? " " : ": ");
                say_address(w, &answer->addresses[i].address);
        }
        if (answer->count > most)
                pt_words_say(w, " and %zu more", answer->count - most);
}

static void say_dns(struct pt_words *w, const struct pt_event *event, bool colour)
{
        const struct pt_packet *packet = event->dns.packet;
        const struct pt_dns *dns = event->dns.dns;
        char text[PT_WORDS_DNS];

        say_head(w, event->dns.frame->time, "DNS", 0, colour);
        pt_words_say_endpoint(w, &packet->destination, packet->destination_port);
        pt_words_say(w, " <- ");
        pt_words_say_endpoint(w, &packet->source, packet->source_port);
        if (dns->has_question) {
                pt_words_say(w, " %s ", pt_words_dns_type(dns->question_type, text));
                pt_words_say_name(w, &dns->question, NAME);
        }
        pt_words_say(w, " %s", pt_words_dns_code(dns->flags, text));
        say_dns_addresses(w, event->dns.answer);
        pt_words_say(w, event->dns.asked ? ", asked" : ", query not seen");
}

static void say_expectation(struct pt_words *w, const struct pt_event *event, bool colour)
{
        const struct pt_expectation *e = event->expectation.of;

        say_head(w, e->from, "EXPECTATION", 0, colour);
        pt_words_say(w, "%s %s ", e->rule->id, pt_words_relation(e->relation));
        say_address(w, &e->client);
        pt_words_say(w, " -> ");
        if (e->has_destination)
                say_address(w, &e->destination);
        else
                pt_words_say(w, "any");
        if (e->port)
                pt_words_say(w, " port %u", e->port);
        pt_words_say(w, ", ");
        pt_words_say_name(w, e->question, NAME);
        pt_words_say(w, " is ");
        say_address(w, &e->address);
}

static void say_outcome(struct pt_words *w, const struct pt_event *event, bool colour)
{
        const struct pt_outcome *outcome = event->outcome;

        say_head(w, outcome->last_wall, "OUTCOME", 0, colour);
        pt_words_say(w, "%s ", outcome->rule);
        say_way(w, &outcome->syn);
        pt_words_say(w, " %s, %" PRIu64 " octets sent, %" PRIu64 " received%s, %s",
                     pt_outcome_state_name(outcome->state), outcome->client.bytes,
                     outcome->server.bytes, outcome->partial ? " or more" : "",
                     pt_outcome_end_name(outcome->end));
}

int pt_event_text(const struct pt_event *event, const struct pt_observer *observer, bool colour,
                  char **ret, size_t *ret_length)
{
        static void (*const say[])(struct pt_words *, const struct pt_event *, bool colour) = {
                [PT_EVENT_ALERT] = say_alert,           [PT_EVENT_ROTATION] = say_rotation,
                [PT_EVENT_CAMPAIGN] = say_campaign,     [PT_EVENT_REPEATS] = say_repeats,
                [PT_EVENT_NEAR_MISS] = say_near_miss,   [PT_EVENT_DNS] = say_dns,
                [PT_EVENT_CONNECTION] = say_connection, [PT_EVENT_EXPECTATION] = say_expectation,
                [PT_EVENT_OUTCOME] = say_outcome,
        };
        char room[LINE], *line;
        struct pt_words words = pt_words(room, sizeof room - 1);

        if (observer->test)
                pt_words_say(&words, "[self-test] ");
        say[event->kind](&words, event, colour);
        line = malloc(words.length + 2);
        if (!line)
                return -ENOMEM;
        memcpy(line, room, words.length);
        memcpy(line + words.length, "\n", 2);
        *ret = line;
        *ret_length = words.length + 1;
        return 0;
}
