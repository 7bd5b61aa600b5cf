/*
 * stats: the document about what was counted: portent.stats.
 */
#include <stdio.h>

#include "document/document.h"
#include "document/ecs.h"

#define MOST 32 /* entries of allow lists that are told */

/* "output.dropped.disk_full": an object for each name before a dot. */
static void nested(struct pt_document *doc, json_t *parent, const char *name, uint64_t value)
{
        const char *dot;
        char key[64];

        while ((dot = strchr(name, '.'))) {
                snprintf(key, sizeof key, "%.*s", (int)(dot - name), name);
                parent = pt_document_object(doc, parent, key);
                name = dot + 1;
        }
        pt_document_integer(doc, parent, name, value);
}

static void output_numbers(struct pt_document *doc, json_t *group,
                           const struct pt_ecs_output *output)
{
        nested(doc, group, "generated", output->generated);
        nested(doc, group, "inherited", output->inherited);
        nested(doc, group, "delivered", output->delivered);
        nested(doc, group, "queued", output->queued);
        nested(doc, group, "spooled", output->spooled);
        nested(doc, group, "dropped.disk_full", output->disk_full);
        nested(doc, group, "dropped.peer_down", output->peer_down);
        nested(doc, group, "dropped.queue_full", output->queue_full);
        nested(doc, group, "dropped.too_big", output->too_big);
        nested(doc, group, "dropped.no_memory", output->no_memory);
        nested(doc, group, "resent", output->resent);
        nested(doc, group, "torn", output->torn);
}

static void outputs(struct pt_document *doc, json_t *group, const struct pt_ecs_stats *stats)
{
        struct pt_ecs_output sum = {0};
        json_t *list, *object;

        for (size_t i = 0; i < stats->output_count; i++) {
                sum.generated += stats->outputs[i].generated;
                sum.inherited += stats->outputs[i].inherited;
                sum.delivered += stats->outputs[i].delivered;
                sum.queued += stats->outputs[i].queued;
                sum.spooled += stats->outputs[i].spooled;
                sum.disk_full += stats->outputs[i].disk_full;
                sum.peer_down += stats->outputs[i].peer_down;
                sum.queue_full += stats->outputs[i].queue_full;
                sum.too_big += stats->outputs[i].too_big;
                sum.no_memory += stats->outputs[i].no_memory;
                sum.resent += stats->outputs[i].resent;
                sum.torn += stats->outputs[i].torn;
        }
        output_numbers(doc, pt_document_object(doc, group, "output"), &sum);
        if (!stats->output_count)
                return;
        list = pt_document_array(doc, group, "outputs");
        for (size_t i = 0; i < stats->output_count; i++) {
                object = pt_document_append_object(doc, list);
                pt_document_text(doc, object, "destination", stats->outputs[i].destination);
                output_numbers(doc, object, &stats->outputs[i]);
        }
}

/* The entries of allow lists that work, and how many do not. */
static void allow_lists(struct pt_document *doc, json_t *group, const struct pt_allow *allow)
{
        struct pt_allow_entry most[MOST];
        size_t used, entries, count = pt_allow_most(allow, most, MOST, &used, &entries);
        json_t *list, *object;

        if (!entries)
                return;
        nested(doc, group, "allow.entries", entries);
        nested(doc, group, "allow.used", used);
        if (!count)
                return;
        list = pt_document_array(doc, pt_document_object(doc, group, "allow"), "most");
        for (size_t i = 0; i < count; i++) {
                object = pt_document_append_object(doc, list);
                pt_document_text(doc, object, "list", pt_allow_list_name(most[i].list));
                pt_document_text(doc, object, "entry", most[i].text);
                pt_document_text(doc, object, "file", most[i].file);
                pt_document_integer(doc, object, "line", most[i].line);
                pt_document_integer(doc, object, "matches", most[i].matches);
        }
}

static uint64_t number_of(const struct pt_ecs_stats *stats, const char *name)
{
        for (size_t i = 0; i < stats->number_count; i++) {
                if (strcmp(stats->numbers[i].name, name) == 0)
                        return stats->numbers[i].value;
        }
        return 0;
}

/* The sensor's own eyesight: of the SYNs that might match, how many did we see an answer for? */
static void share(struct pt_document *doc, json_t *group, const struct pt_ecs_stats *stats)
{
        uint64_t eligible = number_of(stats, "syn.eligible");
        uint64_t preceded = number_of(stats, "syn.preceded_by_answer");

        if (eligible)
                pt_document_real(doc, pt_document_object(doc, group, "syn"), "preceded_share",
                                 (double)preceded / (double)eligible);
}

static void portent_stats(struct pt_document *doc, const struct pt_ecs_stats *stats)
{
        json_t *portent = pt_document_object(doc, doc->root, "portent");
        json_t *group = pt_document_object(doc, portent, "stats");

        pt_document_integer(doc, group, "uptime", (uint64_t)stats->uptime);
        for (size_t i = 0; i < stats->number_count; i++)
                nested(doc, group, stats->numbers[i].name, stats->numbers[i].value);
        share(doc, group, stats);
        if (stats->memory)
                nested(doc, group, "memory.bytes", stats->memory);
        outputs(doc, group, stats);
        allow_lists(doc, group, stats->allow);
}

int pt_ecs_stats(const struct pt_ecs_stats *stats, const struct pt_observer *observer,
                 int64_t created, uint64_t sequence, char **ret, size_t *ret_length)
{
        struct pt_document doc = pt_document(observer, created, "metrics", "portent.stats");
        json_t *group = pt_document_object(&doc, doc.root, "event");

        pt_document_text(&doc, group, "kind", "metric");
        pt_document_text(&doc, group, "module", "portent");
        pt_document_text(&doc, group, "dataset", "portent.stats");
        pt_document_text(&doc, group, "provider", "portent");
        pt_document_text(&doc, group, "action", "sensor_stats");
        pt_document_time(&doc, group, "created", created);
        pt_document_integer(&doc, group, "sequence", sequence);
        portent_stats(&doc, stats);
        pt_document_observer(&doc);
        pt_document_related(&doc);
        return pt_document_write(&doc, ret, ret_length);
}

int pt_ecs_stats_object(const struct pt_ecs_stats *stats, char **ret, size_t *ret_length)
{
        struct pt_document doc = pt_document_empty();

        portent_stats(&doc, stats);
        return pt_document_write(&doc, ret, ret_length);
}
