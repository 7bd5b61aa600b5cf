#include "document/words.h"

#include <inttypes.h>
#include <math.h>

/* So much of a name and of the arithmetic that a sentence with two names stays below its limit. */
#define NAME 160
#define ARITHMETIC 250

static void say_address(struct pt_words *words, const struct pt_address *address)
{
        char text[PT_ADDRESS_TEXT];

        pt_words_say(words, "%s", pt_address_format(address, text));
}

/* "10.20.30.40 resolved update.example.net to 198.51.100.23" */
static void say_answer(struct pt_words *words, const struct pt_evidence *evidence)
{
        say_address(words, &evidence->client);
        if (evidence->asked) {
                pt_words_say(words, " resolved ");
                pt_words_say_name(words, &evidence->chain[0], NAME);
                pt_words_say(words, " to ");
                say_address(words, &evidence->address);
                return;
        }
        pt_words_say(words, " was given ");
        say_address(words, &evidence->address);
        pt_words_say(words, " for ");
        pt_words_say_name(words, &evidence->chain[0], NAME);
        pt_words_say(words, " (no query seen)");
}

/* The answer and then the SYN, or, where the mirror swapped them, the other way round (4.1). */
static void say_answer_and_syn(struct pt_words *words, const struct pt_syn *syn,
                               const struct pt_evidence *evidence)
{
        int64_t age = pt_words_age(syn, evidence);
        char text[PT_WORDS_DURATION];

        say_answer(words, evidence);
        pt_words_say(words, age < 0 ? ", %s after " : " and %s later ",
                     pt_words_duration(age, text));
        if (!pt_address_equal(&evidence->client, &syn->client)) { /* a twin (4.11) */
                pt_words_say(words, "the same host, as ");
                say_address(words, &syn->client);
                pt_words_say(words, ", ");
        } else if (age < 0) {
                pt_words_say(words, "it ");
        }
        pt_words_say(words, "connected to ");
        pt_words_say_endpoint(words, &syn->destination, syn->destination_port);
}

static void say_syn(struct pt_words *words, const struct pt_syn *syn)
{
        say_address(words, &syn->client);
        pt_words_say(words, " connected to ");
        pt_words_say_endpoint(words, &syn->destination, syn->destination_port);
}

static void say_arithmetic(struct pt_words *words, const struct pt_match *match)
{
        char text[PT_WORDS_ARITHMETIC];

        pt_words_arithmetic(match, text);
        pt_words_say(words, "; %.*s%s", ARITHMETIC, text, strlen(text) > ARITHMETIC ? "..." : "");
}

/* The three shapes of dns_other_address: 73, 47 and 21 of the table in design 4.3. */
static void say_other_address(struct pt_words *words, const struct pt_syn *syn,
                              const struct pt_match *match, const struct pt_evidence *evidence,
                              const struct pt_evidence *destination)
{
        say_answer_and_syn(words, syn, evidence);
        if (!match->destination_given) {
                pt_words_say(words, ", which no answer gave it");
        } else if (destination) {
                pt_words_say(words, ", which it was given for ");
                pt_words_say_name(words, &destination->chain[0], NAME);
        } else {
                pt_words_say(words, ", which it was given too");
        }
        pt_words_say(words, "; the port comes from the other address");
        say_arithmetic(words, match);
        if (match->destination_given)
                pt_words_say(words, match->contacted ? "; the name that gave it was contacted too"
                                                     : "; the name that gave it was not contacted");
}

static void say_other_client(struct pt_words *words, const struct pt_syn *syn,
                             const struct pt_match *match, const struct pt_evidence *evidence)
{
        int64_t age = pt_words_age(syn, evidence);
        char text[PT_WORDS_DURATION];

        say_syn(words, syn);
        say_arithmetic(words, match);
        pt_words_say(words, "; another client, ");
        say_answer(words, evidence);
        pt_words_say(words, ", %s %s", pt_words_duration(age, text), age < 0 ? "after" : "before");
}

static void say_match(struct pt_words *words, const struct pt_event *event)
{
        const struct pt_match *match = event->alert.match;
        const struct pt_evidence *evidence = event->alert.evidence;
        const struct pt_syn *syn = event->alert.syn;

        if (evidence && match->verdict == PT_DNS_OTHER_ADDRESS) {
                say_other_address(words, syn, match, evidence, event->alert.destination);
        } else if (evidence && match->verdict == PT_DNS_OTHER_CLIENT) {
                say_other_client(words, syn, match, evidence);
        } else if (evidence) {
                say_answer_and_syn(words, syn, evidence);
                say_arithmetic(words, match);
        } else {
                say_syn(words, syn);
                say_arithmetic(words, match);
                if (event->kind == PT_EVENT_ALERT)
                        pt_words_say(words, "; no DNS answer with this address was seen");
        }
}

/* Of a log it is said here what it does not say: there is no packet to look it up in. */
static void say_logged(struct pt_words *words, const struct pt_syn *syn)
{
        if (!syn->source)
                return;
        pt_words_say(words, "; read from a log of %s, which has finished connections only",
                     syn->source == PT_LOGGED_ZEEK ? "Zeek" : "Suricata");
        if (syn->lacks & PT_LOGGED_LATE)
                pt_words_say(words, ", and had this one so far behind others that it was judged "
                                    "with what was known later");
}

/* The chance in words (design 5), as "by luck 1 of 45045 innocent clients had matched by now". */
static void say_chance(struct pt_words *words, const struct pt_match *match)
{
        double clients = match->chance > 0 ? floor(1 / match->chance + 0.5) : INFINITY;

        if (!isfinite(clients))
                return;
        pt_words_say(words, "; by luck 1 of %.0f innocent clients had matched by now (%u %s)",
                     clients, match->tries, match->tries == 1 ? "try" : "tries");
        if (match->lowered)
                pt_words_say(words, ", which lowers the severity");
}

static void say_near_miss(struct pt_words *words, const struct pt_event *event)
{
        unsigned port = event->alert.syn->destination_port;

        say_match(words, event);
        pt_words_say(words, "; no match, because ");
        switch (event->alert.reason) {
        case PT_NEAR_ALLOW_LISTED:
                pt_words_say(words, "the %s is allow-listed, by %s in %s line %u",
                             pt_allow_list_name(event->alert.allowed->list),
                             event->alert.allowed->text, event->alert.allowed->file,
                             event->alert.allowed->line);
                break;
        case PT_NEAR_EXCLUDED_PORT:
                pt_words_say(words, "the rule excludes port %u", port);
                break;
        case PT_NEAR_EXCLUDED_DESTINATION:
                pt_words_say(words, "the rule excludes this destination");
                break;
        case PT_NEAR_OUTSIDE_LIMITS:
                pt_words_say(words, "port %u is outside the rule's limits", port);
                break;
        case PT_NEAR_EXPIRED:
                pt_words_say(words, "the answer no longer counted");
                break;
        case PT_NEAR_NO_DNS:
        case PT_NEAR_MISSES:
                pt_words_say(words, "the client is outside and was never given a DNS answer");
                break;
        }
}

static void say_rotation(struct pt_words *words, const struct pt_event *event)
{
        const struct pt_rotation *rotation = event->rotation.rotation;

        say_address(words, &event->rotation.syn->client);
        pt_words_say(words,
                     " connected to %zu calculated destinations, on %u or more different networks"
                     " and ports; joint chance %.2g; the last was ",
                     rotation->match_count, rotation->count, rotation->chance);
        pt_words_say_endpoint(words, &event->rotation.syn->destination,
                              event->rotation.syn->destination_port);
        say_arithmetic(words, event->rotation.match);
}

static void say_campaign(struct pt_words *words, const struct pt_event *event)
{
        static const char *const common[PT_OUTBREAK_KEYS] = {
                [PT_OUTBREAK_NAME] = "the name ",
                [PT_OUTBREAK_DESTINATION] = "the destination ",
                [PT_OUTBREAK_RULE] = "the rule ",
        };
        const struct pt_outbreak_found *found = event->campaign.found;

        pt_words_say(words, "%u clients have %s", found->count, common[found->key]);
        if (found->key == PT_OUTBREAK_NAME)
                pt_words_say_name(words, &event->campaign.evidence->chain[0], NAME);
        else if (found->key == PT_OUTBREAK_DESTINATION)
                say_address(words, &event->campaign.syn->destination);
        else
                pt_words_say(words, "%s", event->campaign.match->rule->id);
        pt_words_say(words, " in common within a day; the last was ");
        say_address(words, &event->campaign.syn->client);
        pt_words_say(words, ", which connected to ");
        pt_words_say_endpoint(words, &event->campaign.syn->destination,
                              event->campaign.syn->destination_port);
        say_arithmetic(words, event->campaign.match);
}

static void say_repeats(struct pt_words *words, const struct pt_held *held)
{
        char first[PT_WORDS_TIME], last[PT_WORDS_TIME];

        say_address(words, &held->client);
        pt_words_say(words, " connected to ");
        pt_words_say_endpoint(words, &held->destination, held->destination_port);
        pt_words_say(words, " %" PRIu64 " more %s between %s and %s, held back after the alert",
                     held->pending, held->pending == 1 ? "time" : "times",
                     pt_words_time(held->first_wall, first), pt_words_time(held->last_wall, last));
}

static void say_outcome(struct pt_words *words, const struct pt_outcome *outcome)
{
        static const char *const states[PT_OUTCOME_STATES] = {
                [PT_OUTCOME_SILENT] = "was not answered",
                [PT_OUTCOME_REFUSED] = "was refused",
                [PT_OUTCOME_ANSWERED] = "was answered",
        };
        char text[PT_WORDS_DURATION];

        pt_words_say(words, "the connection of ");
        say_address(words, &outcome->syn.client);
        pt_words_say(words, " to ");
        pt_words_say_endpoint(words, &outcome->syn.destination, outcome->syn.destination_port);
        pt_words_say(words, " %s: %" PRIu64 " octets sent, %" PRIu64 " received",
                     states[outcome->state], outcome->client.bytes, outcome->server.bytes);
        pt_words_say(words, outcome->partial ? " or more" : "");
        if (outcome->end == PT_OUTCOME_CLOSED || outcome->end == PT_OUTCOME_RESET)
                pt_words_say(words, ", %s after %s",
                             outcome->end == PT_OUTCOME_CLOSED ? "closed" : "reset",
                             pt_words_duration(outcome->last_wall - outcome->syn.wall, text));
}

const char *pt_words_reason(const struct pt_event *event, char ret[PT_WORDS_REASON])
{
        struct pt_words words = pt_words(ret, PT_WORDS_REASON);

        switch (event->kind) {
        case PT_EVENT_ALERT:
                say_match(&words, event);
                say_chance(&words, event->alert.match);
                say_logged(&words, event->alert.syn);
                break;
        case PT_EVENT_NEAR_MISS:
                say_near_miss(&words, event);
                break;
        case PT_EVENT_ROTATION:
                say_rotation(&words, event);
                say_logged(&words, event->rotation.syn);
                break;
        case PT_EVENT_CAMPAIGN:
                say_campaign(&words, event);
                break;
        case PT_EVENT_REPEATS:
                say_repeats(&words, event->repeats);
                break;
        case PT_EVENT_OUTCOME:
                say_outcome(&words, event->outcome);
                break;
        case PT_EVENT_DNS:
        case PT_EVENT_CONNECTION:
        case PT_EVENT_EXPECTATION:
                break;
        }
        return ret;
}

const char *pt_words_next_step(const struct pt_event *event)
{
        static const char *const alerts[] = {
                [PT_DNS_CONFIRMED] =
                        "Find on source.ip the process that had source.port at @timestamp; "
                        "network.community_id joins other records of the connection. Look for "
                        "other clients that asked for dns.question.name, then block it and "
                        "destination.ip.",
                [PT_DNS_OTHER_ADDRESS] =
                        "Find on source.ip the process that had source.port at @timestamp "
                        "(network.community_id joins) and asked for dns.question.name, which gave "
                        "the port. If it is not known, look for both names elsewhere and block "
                        "them and destination.ip.",
                [PT_DNS_OTHER_CLIENT] =
                        "See why portent.dns.client.ip has the answer: if it is a resolver or "
                        "proxy, its log tells whether source.ip asked. Then find on source.ip the "
                        "process that had source.port at @timestamp (network.community_id joins).",
                [PT_PORT_ONLY] =
                        "Weak alone: no answer with destination.ip was seen. Look in the logs of "
                        "resolvers, or for encrypted DNS of source.ip, and find there the process "
                        "that had source.port at @timestamp (network.community_id joins).",
        };

        switch (event->kind) {
        case PT_EVENT_ALERT:
                return alerts[event->alert.match->verdict];
        case PT_EVENT_ROTATION:
                return "Isolate source.ip, and find there the process that had source.port at "
                       "@timestamp (network.community_id joins). Block portent.rotation.names and "
                       ".ips, and look for other clients of them.";
        case PT_EVENT_CAMPAIGN:
                return "Take portent.campaign.clients as one case: look at one of them for the "
                       "process (source.ip, source.port at @timestamp), search for it on the "
                       "others, and block portent.campaign.names and .ips. A service that all of "
                       "them use belongs on an allow list.";
        case PT_EVENT_NEAR_MISS:
        case PT_EVENT_REPEATS:
        case PT_EVENT_DNS:
        case PT_EVENT_CONNECTION:
        case PT_EVENT_EXPECTATION:
        case PT_EVENT_OUTCOME:
                break;
        }
        return NULL;
}
