/* The last words on standard error: what was seen, and why nothing was found if nothing was. */
#include <inttypes.h>
#include <string.h>

#include "rule/allow.h"
#include "base/counter.h"
#include "document/words.h"
#include "health.h"
#include "say.h"

static uint64_t count(const struct pt_health *health, const char *name)
{
        return pt_health_count(health->engine, name);
}

/* Are these numbers about packets that could not be read? */
static bool is_undecoded(const char *name)
{
        static const char *const names[] = {
                "log.unreadable",    "log.late",           "capture.odd_length",
                "capture.odd_time",  "decode.other_link",  "decode.tunnels",
                "decode.short",      "decode.truncated",   "decode.malformed",
                "decode.too_deep",   "dns.short",          "dns.bad_question",
                "dns.bad_record",    "dns.skipped",        "dns.cut",
                "stream.gaps",       "stream.unsynced",    "stream.outside",
                "stream.dropped",    "stream.unfinished",  "stream.evicted",
                "fragment.overlaps", "fragment.malformed", "fragment.cut",
                "fragment.lost",     "fragment.evicted",
        };

        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
                if (strcmp(name, names[i]) == 0)
                        return true;
        }
        return false;
}

static bool is_near_miss(const char *name)
{
        return strncmp(name, "near_miss.", strlen("near_miss.")) == 0;
}

static bool is_any(const char *name)
{
        (void)name;
        return true;
}

/* A line for each counter that is not 0: its number, name and meaning. */
static void say_counters(const struct pt_health *health, bool (*which)(const char *name))
{
        const char *name;
        uint64_t value;

        for (size_t i = 0; pt_engine_counter(health->engine, i, &name, &value); i++) {
                if (value && which(name))
                        pt_say("  %10" PRIu64 "  %-32s %s", value, name,
                               i < PT_COUNTS ? pt_counter_description((enum pt_counter)i) : "");
        }
}

static uint64_t sum_counters(const struct pt_health *health, bool (*which)(const char *name))
{
        uint64_t sum = 0, value;
        const char *name;

        for (size_t i = 0; pt_engine_counter(health->engine, i, &name, &value); i++)
                sum += which(name) ? value : 0;
        return sum;
}

static void say_seen(const struct pt_health *health)
{
        uint64_t packets = count(health, "capture.packets");
        uint64_t lines = count(health, "log.lines");
        uint64_t answers = count(health, "dns.responses");
        uint64_t addresses = count(health, "dns.answers");
        uint64_t syns = count(health, "connection.attempts");

        if (lines)
                pt_say("%" PRIu64 " line%s of logs, %" PRIu64 " of them answers, queries and "
                       "connections",
                       lines, pt_say_plural(lines), count(health, "log.records"));
        pt_say("%" PRIu64 " packet%s, %" PRIu64 " DNS answer%s with %" PRIu64 " address%s, %" PRIu64
               " TCP SYN%s",
               packets, pt_say_plural(packets), answers, pt_say_plural(answers), addresses,
               addresses == 1 ? "" : "es", syns, pt_say_plural(syns));
        pt_say("eligible SYNs (of an inside client, to a port that a rule admits): %" PRIu64
               ", preceded by an answer with their destination: %" PRIu64,
               count(health, "syn.eligible"), count(health, "syn.preceded_by_answer"));
}

/* Silence is no safety where little can be seen: below a half, or where DNS is encrypted. */
static void say_sight(const struct pt_health *health)
{
        const struct pt_visibility_report *seen = &health->seen;
        bool poor = seen->sum.preceded < seen->sum.eligible - seen->sum.preceded;
        char sentence[PT_WORDS_VISIBILITY];

        if (poor || seen->encrypted)
                pt_say("little could be seen: %s", pt_words_visibility(seen, sentence));
}

static void say_found(const struct pt_health *health)
{
        uint64_t alerts = count(health, "alert.generated");
        uint64_t repeats = count(health, "alert.suppressed");

        if (repeats)
                pt_say("%" PRIu64 " alert%s, and %" PRIu64 " repeat%s held back", alerts,
                       pt_say_plural(alerts), repeats, pt_say_plural(repeats));
        else
                pt_say("%" PRIu64 " alert%s", alerts, pt_say_plural(alerts));
}

/* By number, what is behind decode.other_* and decode.tunnels, unless every network has it. */
static void say_unread(const struct pt_health *health)
{
        struct pt_engine_unread row;

        for (size_t i = 0; pt_engine_unread(health->engine, i, &row); i++) {
                if (row.ordinary)
                        continue;
                pt_say("not read: %s 0x%x%s%s, %" PRIu64 " packet%s", row.layer, row.number,
                       row.name ? ", " : "", row.name ? row.name : "", row.packets,
                       pt_say_plural(row.packets));
        }
}

static void say_lists(const struct pt_health *health)
{
        if (sum_counters(health, is_near_miss)) {
                pt_say("near misses%s:", health->near_misses_told ? "" : " (see --near-misses)");
                say_counters(health, is_near_miss);
        }
        if (sum_counters(health, is_undecoded)) {
                pt_say("not decoded, or only in part:");
                say_counters(health, is_undecoded);
        }
        say_unread(health);
}

static uint64_t seen_any(const struct pt_health *health)
{
        return count(health, "capture.packets") + count(health, "log.records");
}

/* What was asked for comes before what the capture may lack. */
static const char *why_no_packet(const struct pt_health *health)
{
        if (health->filtered && health->outside)
                return "no packet between --since and --until passed the filter expression";
        if (health->filtered)
                return "no packet passed the filter expression";
        if (health->outside)
                return "no packet lies between --since and --until";
        return "there were no packets";
}

static const char *why_no_attempt(const struct pt_health *health)
{
        if (health->filtered && health->outside)
                return "no TCP SYN between --since and --until passed the filter expression";
        if (health->filtered)
                return "no TCP SYN passed the filter expression";
        if (health->outside)
                return "no TCP SYN lies between --since and --until";
        return "no TCP SYN was seen: the beginnings of connections are not in the capture";
}

/* Why no SYN could match, or NULL if some could have. */
static const char *why_no_syn(const struct pt_health *health)
{
        if (seen_any(health) == 0)
                return why_no_packet(health);
        if (count(health, "decode.udp") + count(health, "decode.tcp") +
                    count(health, "log.records") ==
            0)
                return "no packet carried UDP or TCP that could be read";
        if (count(health, "connection.attempts") == 0)
                return why_no_attempt(health);
        if (count(health, "syn.eligible") == 0 && sum_counters(health, is_near_miss) == 0)
                return "no SYN of an inside client went to a port that a rule admits (who is "
                       "inside: "
                       "see home_networks)";
        return NULL;
}

/* Why the DNS side knew nothing, or NULL if it did. */
static const char *why_no_answer(const struct pt_health *health)
{
        if (count(health, "dns.messages") == 0 && health->filtered)
                return "no DNS passed the filter expression: answers from port 53 are needed";
        if (count(health, "dns.messages") == 0)
                return "no DNS was seen: answers from port 53 are needed; encrypted DNS can't be "
                       "read";
        if (count(health, "dns.responses") == 0)
                return "no DNS answers were seen, only queries: the capture holds one direction";
        if (count(health, "dns.answers") == 0)
                return "no DNS answer held an address";
        if (count(health, "syn.eligible") && count(health, "syn.preceded_by_answer") == 0)
                return "no eligible SYN was preceded by a DNS answer with its destination";
        return NULL;
}

/* There are alerts. Could DNS have said more about them? */
static void say_weak(const struct pt_health *health)
{
        if (count(health, "dns.messages") == 0)
                pt_say("no DNS was seen: no verdict can be stronger than port_only");
        else if (count(health, "dns.answers") == 0)
                pt_say("no DNS answer with an address was seen: no verdict can be stronger than "
                       "port_only");
}

static void say_why(const struct pt_health *health)
{
        const char *syn = why_no_syn(health);
        const char *answer = seen_any(health) ? why_no_answer(health) : NULL;
        uint64_t near = sum_counters(health, is_near_miss);

        if (syn)
                pt_say("nothing found: %s", syn);
        if (answer)
                pt_say("nothing found: %s", answer);
        if (near)
                pt_say("nothing found: %" PRIu64 " SYN%s went where a rule calculates, but another "
                       "condition was not met",
                       near, pt_say_plural(near));
        if (!syn && !answer && !near)
                pt_say("nothing found: no SYN went where a rule calculates");
}

/* Which entries of the allow lists work. */
static void say_allowed(const struct pt_health *health)
{
        struct pt_allow_entry most[32];
        size_t used, entries;
        size_t count =
                pt_allow_most(health->allow, most, sizeof most / sizeof *most, &used, &entries);

        if (!entries)
                return;
        pt_say("allow lists: %zu of %zu entr%s allowed a match", used, entries,
               entries == 1 ? "y" : "ies");
        for (size_t i = 0; i < count; i++)
                pt_say("  %10" PRIu64 "  %s %s (%s:%u)", most[i].matches,
                       pt_allow_list_name(most[i].list), most[i].text, most[i].file, most[i].line);
        if (count < used)
                pt_say("  and %zu more", used - count);
}

void pt_health_last_word(const struct pt_health *health)
{
        const unsigned others =
                PT_LOG_DNS | PT_LOG_CONNECTION | PT_LOG_EXPECTATION | PT_LOG_OUTCOME;

        /* Whoever asked for other documents may want no connection. */
        if (!health->filtered || health->unread || health->options->log & others ||
            count(health, "alert.generated"))
                return;
        if (seen_any(health) == 0)
                pt_say_warning("nothing could be found: %s", why_no_packet(health));
        else if (count(health, "connection.attempts") == 0)
                pt_say_warning("nothing could be found: %s", why_no_attempt(health));
}

void pt_health_last_words(const struct pt_health *health, bool verbose)
{
        if (health->unread) {
                pt_say("no input could be read");
                return;
        }
        say_seen(health);
        say_sight(health);
        say_found(health);
        say_lists(health);
        if (count(health, "alert.generated") == 0)
                say_why(health);
        else
                say_weak(health);
        if (verbose) {
                say_allowed(health);
                pt_say("every counter that is not 0:");
                say_counters(health, is_any);
        }
}
