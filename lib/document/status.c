/*
 * status: the document about how the sensor itself fares: portent.sensor.
 */
#include "document/document.h"
#include "document/ecs.h"
#include "document/identity.h"

static const char *const phases[] = {
        [PT_ECS_STARTING] = "starting",
        [PT_ECS_RUNNING] = "running",
        [PT_ECS_DEGRADED] = "degraded",
        [PT_ECS_STOPPING] = "stopping",
};

const char *pt_ecs_phase_name(enum pt_ecs_phase phase)
{
        return phases[phase];
}

/* A state is no event of a packet: who says it, what, and when make it this one and no other. */
static void state_id(struct pt_document *doc, json_t *group, const struct pt_ecs_state *state,
                     int64_t created, uint64_t sequence)
{
        struct pt_identity identity = {
                .action = state->action,
                .rule = doc->observer->name ? doc->observer->name : "",
                .number = (uint32_t)sequence,
                .wall = created,
        };
        char id[PT_IDENTITY_TEXT];

        memcpy(identity.client.octets, &state->process, sizeof state->process);
        pt_document_text(doc, group, "id", pt_identity_text(&identity, id));
}

static void state_event(struct pt_document *doc, const struct pt_ecs_state *state, int64_t created,
                        uint64_t sequence)
{
        json_t *group = pt_document_object(doc, doc->root, "event");

        /* Without a change it is a state, as ECS has it; with one, an event. */
        pt_document_text(doc, group, "kind", strcmp(state->type, "info") ? "event" : "state");
        pt_document_append(doc, pt_document_array(doc, group, "category"), "process");
        pt_document_append(doc, pt_document_array(doc, group, "type"), state->type);
        pt_document_text(doc, group, "module", "portent");
        pt_document_text(doc, group, "dataset", "portent.sensor");
        pt_document_text(doc, group, "provider", "portent");
        pt_document_text(doc, group, "action", state->action);
        state_id(doc, group, state, created, sequence);
        pt_document_time(doc, group, "created", created);
        pt_document_integer(doc, group, "sequence", sequence);
        pt_document_text(doc, group, "outcome", state->outcome);
        pt_document_text(doc, group, "reason", state->reason);
        if (state->since && state->since <= created) {
                pt_document_time(doc, group, "start", state->since);
                pt_document_time(doc, group, "end", created);
                pt_document_integer(doc, group, "duration", (uint64_t)(created - state->since));
        }
}

static void state_alarm(struct pt_document *doc, json_t *portent, const struct pt_ecs_alarm *alarm)
{
        json_t *group = pt_document_object(doc, portent, "alarm");

        pt_document_text(doc, group, "name", alarm->name);
        pt_document_boolean(doc, group, "active", alarm->active);
        pt_document_text(doc, group, "subject", alarm->subject);
        if (alarm->count)
                pt_document_integer(doc, group, "count", alarm->count);
}

static void state_inputs(struct pt_document *doc, json_t *portent, const struct pt_ecs_state *state)
{
        json_t *list = pt_document_array(doc, portent, "inputs");

        for (size_t i = 0; i < state->input_count; i++) {
                json_t *input = pt_document_append_object(doc, list);

                pt_document_text(doc, input, "name", state->inputs[i].name);
                pt_document_integer(doc, input, "size", state->inputs[i].size);
                pt_document_text(doc, input, "sha256", state->inputs[i].sha256);
        }
}

static void state_portent(struct pt_document *doc, const struct pt_ecs_state *state)
{
        json_t *portent = pt_document_object(doc, doc->root, "portent");

        pt_document_text(doc, portent, "state", phases[state->phase]);
        if (state->config_hash)
                pt_document_text(doc, pt_document_object(doc, portent, "config"), "hash",
                                 state->config_hash);
        if (state->rules_hash) {
                json_t *rules = pt_document_object(doc, portent, "rules");

                pt_document_text(doc, rules, "hash", state->rules_hash);
                pt_document_integer(doc, rules, "count", state->rules);
        }
        if (state->alarm)
                state_alarm(doc, portent, state->alarm);
        if (state->input_count)
                state_inputs(doc, portent, state);
}

int pt_ecs_state(const struct pt_ecs_state *state, const struct pt_observer *observer,
                 int64_t created, uint64_t sequence, char **ret, size_t *ret_length)
{
        struct pt_observer where = *observer;
        struct pt_document doc;
        json_t *process;

        if (state->interface)
                where.interface = state->interface;
        doc = pt_document(&where, created, "logs", "portent.sensor");
        pt_document_text(&doc, doc.root, "message", state->message);
        state_event(&doc, state, created, sequence);
        pt_document_text(&doc, pt_document_object(&doc, doc.root, "log"), "level", state->level);
        process = pt_document_object(&doc, doc.root, "process");
        pt_document_text(&doc, process, "name", "portent");
        pt_document_integer(&doc, process, "pid", (uint64_t)state->process);
        if (state->error)
                pt_document_text(&doc, pt_document_object(&doc, doc.root, "error"), "message",
                                 state->error);
        state_portent(&doc, state);
        pt_document_observer(&doc);
        pt_document_related(&doc);
        return pt_document_write(&doc, ret, ret_length);
}
