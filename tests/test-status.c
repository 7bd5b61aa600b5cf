#include "document/ecs.h"

#include "documents.h"

/* The four documents of a sensor's life, as Elastic's query for a sensor's health reads them. */

#define HASH "50d858e0985ecc7f60418aaf0cc5ab587f42c2570a884095a9e8ccacd0f6545c"

static json_t *written(const struct pt_ecs_state *state)
{
        size_t length;
        char *text;

        cr_assert_eq(pt_ecs_state(state, &observer, CREATED, 7, &text, &length), 0);
        return parsed(text, length);
}

Test(status, a_sensor_that_started)
{
        const struct pt_ecs_state state = {
                .action = "sensor_started",
                .type = "start",
                .level = "info",
                .outcome = "success",
                .message = "Sensor started, capturing on eth1",
                .phase = PT_ECS_RUNNING,
                .process = 811,
                .config_hash = HASH,
                .rules_hash = HASH,
                .rules = 12,
        };
        json_t *root = written(&state);

        EXPECT(root, {"@timestamp", "'2026-11-24T06:00:00.123Z'"},
               {"message", "'Sensor started, capturing on eth1'"},
               {"data_stream",
                "{'type': 'logs', 'dataset': 'portent.sensor', 'namespace': 'default'}"},
               {"event.kind", "'event'"}, {"event.category", "['process']"},
               {"event.type", "['start']"}, {"event.action", "'sensor_started'"},
               {"event.module", "'portent'"}, {"event.dataset", "'portent.sensor'"},
               {"event.provider", "'portent'"}, {"event.outcome", "'success'"},
               {"event.sequence", "7"}, {"event.reason", NULL}, {"event.start", NULL},
               {"log.level", "'info'"}, {"process", "{'name': 'portent', 'pid': 811}"},
               {"portent", "{'state': 'running', 'config': {'hash': '" HASH "'},"
                           " 'rules': {'hash': '" HASH "', 'count': 12}}"},
               {"observer.ingress.interface.name", "'eth1'"},
               {"related.hosts", "['sensor-dmz-01']"}, {"error", NULL});
        json_decref(root);
}

Test(status, a_state_is_no_event)
{
        const struct pt_ecs_state state = {
                .action = "sensor_state",
                .type = "info",
                .level = "info",
                .message = "Sensor is starting",
                .phase = PT_ECS_STARTING,
                .process = 1,
        };
        json_t *root = written(&state);

        EXPECT(root, {"event.kind", "'state'"}, {"event.type", "['info']"}, {"event.outcome", NULL},
               {"portent", "{'state': 'starting'}"});
        json_decref(root);
}

Test(status, trouble_has_a_name_a_time_and_a_number)
{
        const struct pt_ecs_alarm alarm = {"link_down", true, "eth2", 12};
        const struct pt_ecs_state state = {
                .action = "link_down",
                .type = "change",
                .level = "error",
                .outcome = "failure",
                .message = "eth2: the link is down",
                .reason = "no carrier",
                .error = "The interface disappeared",
                .phase = PT_ECS_DEGRADED,
                .since = CREATED - INT64_C(5000000000),
                .process = 811,
                .interface = "eth2",
                .alarm = &alarm,
        };
        json_t *root = written(&state);

        EXPECT(root, {"event.kind", "'event'"}, {"event.type", "['change']"},
               {"event.reason", "'no carrier'"}, {"event.start", "'2026-11-24T05:59:55.123Z'"},
               {"event.end", "'2026-11-24T06:00:00.123Z'"}, {"event.duration", "5000000000"},
               {"error", "{'message': 'The interface disappeared'}"},
               {"observer.ingress.interface.name", "'eth2'"}, {"log.level", "'error'"},
               {"portent", "{'state': 'degraded', 'alarm': {'name': 'link_down', 'active': true,"
                           " 'subject': 'eth2', 'count': 12}}"});
        json_decref(root);
}

Test(status, a_clock_that_was_set_back_gives_no_duration)
{
        const struct pt_ecs_alarm alarm = {"no_packets", false, NULL, 0};
        const struct pt_ecs_state state = {
                .action = "alarm_cleared",
                .type = "change",
                .level = "info",
                .phase = PT_ECS_RUNNING,
                .since = CREATED + 1,
                .process = 811,
                .alarm = &alarm,
        };
        json_t *root = written(&state);

        EXPECT(root, {"event.start", NULL}, {"event.duration", NULL},
               {"portent.alarm", "{'name': 'no_packets', 'active': false}"});
        json_decref(root);
}

Test(status, a_replay_names_its_inputs)
{
        const struct pt_ecs_input inputs[] = {
                {"span.pcap", UINT64_C(5000000000), HASH},
                {"-", 24, NULL},
        };
        const struct pt_ecs_state state = {
                .action = "sensor_stopped",
                .type = "end",
                .level = "info",
                .message = "Sensor stopped",
                .reason = "SIGTERM",
                .phase = PT_ECS_STOPPING,
                .process = 811,
                .inputs = inputs,
                .input_count = 2,
        };
        json_t *root = written(&state);

        EXPECT(root, {"portent.state", "'stopping'"},
               {"portent.inputs",
                "[{'name': 'span.pcap', 'size': 5000000000, 'sha256': '" HASH "'},"
                " {'name': '-', 'size': 24}]"});
        json_decref(root);
}

Test(status, each_has_an_id_of_its_own)
{
        struct pt_ecs_state state = {
                .action = "sensor_state", .type = "info", .level = "info", .process = 811};
        char ids[4][64];

        for (int i = 0; i < 4; i++) {
                size_t length;
                char *text;
                json_t *root;

                state.process = i == 1 ? 812 : 811;
                state.action = i == 2 ? "sensor_stopped" : "sensor_state";
                cr_assert_eq(
                        pt_ecs_state(&state, &observer, CREATED, i == 3 ? 8 : 7, &text, &length),
                        0);
                root = parsed(text, length);
                snprintf(ids[i], sizeof ids[i], "%s", json_string_value(at(root, "event.id")));
                cr_expect_eq(strlen(ids[i]), 32);
                json_decref(root);
                for (int k = 0; k < i; k++)
                        cr_expect_str_neq(ids[i], ids[k]);
        }
}
