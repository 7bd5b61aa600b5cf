#include "document/ecs.h"

#include "base/counter.h"
#include "documents.h"

static const struct pt_ecs_output two_outputs[] = {
        {"events.ndjson", 102, 6, 5, 1, 2, 10, 20, 30, 40, 50, 8, 9},
        {"unix:/run/reader", 1004, 10, 7, 3, 4, 100, 200, 300, 400, 500, 50, 60},
};

Test(stats, counters_become_nested_objects)
{
        struct pt_ecs_number numbers[PT_COUNTS + 1];
        struct pt_ecs_stats stats = {
                .numbers = numbers,
                .number_count = PT_COUNTS + 1,
                .uptime = INT64_C(600000000000),
                .memory = 18350080,
                .outputs = two_outputs,
                .output_count = 2,
        };
        size_t length;
        json_t *root;
        char *text;

        for (size_t i = 0; i < PT_COUNTS; i++)
                numbers[i] = (struct pt_ecs_number){pt_counter_name((enum pt_counter)i), i};
        numbers[PT_COUNTS] = (struct pt_ecs_number){"capture.received", 812340}; /* the kernel's */
        numbers[PT_COUNT_CAPTURE_PACKETS].value = 812331;
        numbers[PT_COUNT_CAPTURE_BYTES].value = UINT64_MAX;
        cr_assert_eq(pt_ecs_stats(&stats, &observer, CREATED, 3, &text, &length), 0);
        root = parsed(text, length);
        EXPECT(root, {"@timestamp", "'2026-11-24T06:00:00.123Z'"},
               {"data_stream", "{'type': 'metrics', 'dataset': 'portent.stats',"
                               " 'namespace': 'default'}"},
               {"event", "{'kind': 'metric', 'module': 'portent', 'dataset': 'portent.stats',"
                         " 'provider': 'portent', 'action': 'sensor_stats',"
                         " 'created': '2026-11-24T06:00:00.123Z', 'sequence': 3}"},
               {"portent.stats.uptime", "600000000000"}, {"portent.stats.memory.bytes", "18350080"},
               {"portent.stats.capture.packets", "812331"},
               {"portent.stats.capture.received", "812340"},
               {"portent.stats.capture.bytes", "9223372036854775807"},
               {"portent.stats.output",
                "{'generated': 1106, 'inherited': 16, 'delivered': 12, 'queued': 4, 'spooled': 6,"
                " 'dropped': {'disk_full': 110, 'peer_down': 220, 'queue_full': 330,"
                " 'too_big': 440, 'no_memory': 550}, 'resent': 58, 'torn': 69}"},
               {"portent.stats.outputs.0",
                "{'destination': 'events.ndjson', 'generated': 102, 'inherited': 6,"
                " 'delivered': 5, 'queued': 1, 'spooled': 2,"
                " 'dropped': {'disk_full': 10, 'peer_down': 20, 'queue_full': 30,"
                " 'too_big': 40, 'no_memory': 50}, 'resent': 8, 'torn': 9}"},
               {"portent.stats.outputs.1.destination", "'unix:/run/reader'"},
               {"portent.stats.outputs.2", NULL});
        for (size_t i = 2; i < PT_COUNTS; i++) {
                char path[128];

                snprintf(path, sizeof path, "portent.stats.%s", numbers[i].name);
                cr_expect_eq(json_integer_value(at(root, path)), (json_int_t)i, "%s", path);
        }
        json_decref(root);
}

Test(stats, the_object_of_stats_alone)
{
        struct pt_ecs_number number = {"capture.packets", 1};
        struct pt_ecs_stats stats = {.numbers = &number, .number_count = 1, .uptime = 2};
        json_t *root, *wanted;
        size_t length;
        char *text;

        cr_assert_eq(pt_ecs_stats_object(&stats, &text, &length), 0);
        cr_assert_eq(strlen(text), length);
        root = json_loads(text, 0, NULL);
        wanted =
                json("{'portent': {'stats': {'uptime': 2, 'capture': {'packets': 1},"
                     " 'output': {'generated': 0, 'inherited': 0, 'delivered': 0, 'queued': 0,"
                     " 'spooled': 0, 'dropped': {'disk_full': 0, 'peer_down': 0,"
                     " 'queue_full': 0, 'too_big': 0, 'no_memory': 0}, 'resent': 0, 'torn': 0}}}}");
        cr_expect(json_equal(root, wanted), "%s", text);
        json_decref(root);
        json_decref(wanted);
        free(text);
}
