/*
 * report: the document about what the sensor could see: portent.visibility.
 */
#include <stdio.h>
#include <string.h>

#include "document/document.h"
#include "document/ecs.h"
#include "memory/visibility.h"
#include "document/words.h"

/* What gives way when room is short, by cause. */
static const enum pt_counter causes[] = {
        PT_COUNT_FRAGMENT_EVICTED,      PT_COUNT_STREAM_EVICTED,
        PT_COUNT_QUERIES_EVICTED,       PT_COUNT_CACHE_EVICTED_UNPROVEN,
        PT_COUNT_CACHE_EVICTED_GREEDY,  PT_COUNT_CACHE_EVICTED_UNASKED,
        PT_COUNT_CACHE_EVICTED_REPEATS, PT_COUNT_CONNECTION_EARLY,
        PT_COUNT_CONNECTION_FORGOTTEN,  PT_COUNT_HISTORY_EVICTED,
        PT_COUNT_HOLD_EVICTED,          PT_COUNT_ROTATION_EVICTED,
        PT_COUNT_OUTBREAK_EVICTED,
};

static double share(uint64_t part, uint64_t of)
{
        return (double)part / (double)of;
}

/* One list of clients, with what makes them stand in it. */
static void clients(struct pt_document *doc, json_t *group, const char *key,
                    const struct pt_visibility_list *list)
{
        json_t *array, *object;

        if (!list->count)
                return;
        array = pt_document_array(doc, group, key);
        for (size_t i = 0; i < list->count; i++) {
                const struct pt_visibility_client *c = list->clients[i];

                object = pt_document_append_object(doc, array);
                pt_document_ip(doc, object, "ip", &c->client);
                pt_document_integer(doc, object, "syns", c->syns);
                pt_document_integer(doc, object, "eligible", c->eligible);
                pt_document_integer(doc, object, "preceded", c->preceded);
                pt_document_integer(doc, object, "answers", c->answers);
                if (c->dot + c->doh + c->names) {
                        pt_document_integer(doc, object, "dot", c->dot);
                        pt_document_integer(doc, object, "doh", c->doh);
                        pt_document_integer(doc, object, "names", c->names);
                }
        }
}

/* "cache.evicted_greedy" becomes gave_way.cache_evicted_greedy: a field, no object. */
static void gave_way(struct pt_document *doc, json_t *group, const struct pt_visibility *visibility)
{
        json_t *object = NULL;

        for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
                uint64_t value = pt_visibility_since(visibility, causes[i]);
                char name[64];

                if (!value)
                        continue;
                snprintf(name, sizeof name, "%s", pt_counter_name(causes[i]));
                for (char *dot = name; (dot = strchr(dot, '.'));)
                        *dot = '_';
                object = object ? object : pt_document_object(doc, group, "gave_way");
                pt_document_integer(doc, object, name, value);
        }
}

static void sums(struct pt_document *doc, json_t *group, const struct pt_visibility_report *report)
{
        const struct pt_visibility_client *sum = &report->sum;

        pt_document_integer(doc, group, "clients", report->clients);
        pt_document_integer(doc, group, "forgotten", report->forgotten);
        pt_document_integer(doc, group, "syns", sum->syns);
        pt_document_integer(doc, group, "given", sum->given);
        pt_document_integer(doc, group, "eligible", sum->eligible);
        pt_document_integer(doc, group, "preceded", sum->preceded);
        if (sum->eligible)
                pt_document_real(doc, group, "preceded_share", share(sum->preceded, sum->eligible));
        pt_document_integer(doc, group, "answers", sum->answers);
        pt_document_integer(doc, group, "unasked", sum->unasked);
        pt_document_integer(doc, group, "silent_clients", report->silent);
        pt_document_integer(doc, group, "encrypted_clients", report->encrypted);
        pt_document_integer(doc, group, "dot", sum->dot);
        pt_document_integer(doc, group, "doh", sum->doh);
        pt_document_integer(doc, group, "names", sum->names);
}

const char *pt_words_visibility(const struct pt_visibility_report *report,
                                char ret[PT_WORDS_VISIBILITY])
{
        const struct pt_visibility_client *sum = &report->sum;
        struct pt_words words = pt_words(ret, PT_WORDS_VISIBILITY);

        if (sum->eligible)
                pt_words_say(&words, "%.0f %% of %llu eligible SYNs were preceded by an answer; ",
                             100 * share(sum->preceded, sum->eligible),
                             (unsigned long long)sum->eligible);
        pt_words_say(&words,
                     "of %llu clients %llu sent SYNs and were never seen to resolve, %llu used an "
                     "encrypted resolver; %llu of %llu answers had no query",
                     (unsigned long long)report->clients, (unsigned long long)report->silent,
                     (unsigned long long)report->encrypted, (unsigned long long)sum->unasked,
                     (unsigned long long)sum->answers);
        return ret;
}

int pt_ecs_visibility(const struct pt_visibility *visibility, const struct pt_observer *observer,
                      int64_t created, uint64_t sequence, char **ret, size_t *ret_length)
{
        struct pt_document doc = pt_document(observer, created, "logs", "portent.visibility");
        json_t *event = pt_document_object(&doc, doc.root, "event"), *group;
        struct pt_visibility_report report;
        char reason[PT_WORDS_VISIBILITY];

        pt_visibility_report(visibility, &report);
        pt_document_text(&doc, doc.root, "message", "What the sensor could see");
        pt_document_text(&doc, event, "kind", "metric");
        pt_document_append(&doc, pt_document_array(&doc, event, "category"), "network");
        pt_document_append(&doc, pt_document_array(&doc, event, "type"), "info");
        pt_document_text(&doc, event, "module", "portent");
        pt_document_text(&doc, event, "dataset", "portent.visibility");
        pt_document_text(&doc, event, "provider", "portent");
        pt_document_text(&doc, event, "action", "visibility_report");
        pt_document_time(&doc, event, "created", created);
        pt_document_integer(&doc, event, "sequence", sequence);
        pt_document_text(&doc, event, "reason", pt_words_visibility(&report, reason));
        if (report.until > 0) {
                pt_document_time(&doc, event, "start", report.from);
                pt_document_time(&doc, event, "end", report.until);
                pt_document_integer(&doc, event, "duration",
                                    (uint64_t)(report.until - report.from));
        }
        group = pt_document_object(&doc, pt_document_object(&doc, doc.root, "portent"),
                                   "visibility");
        sums(&doc, group, &report);
        clients(&doc, group, "worst", &report.worst);
        clients(&doc, group, "silent", &report.never);
        clients(&doc, group, "encrypted", &report.hidden);
        gave_way(&doc, group, visibility);
        pt_document_observer(&doc);
        pt_document_related(&doc);
        return pt_document_write(&doc, ret, ret_length);
}
