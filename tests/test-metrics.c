#include "document/metrics.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct pt_ecs_number numbers[] = {
        {"capture.packets", 812331, "Packets taken from the inputs."},
        {"cache.clients", 12, "Clients remembered now (gauge)."},
        {"cache.cells_total", 700, "Cells there are (gauge)."},
};

static const struct pt_ecs_output outputs[] = {
        {.destination = "events.ndjson",
         .generated = 102,
         .inherited = 6,
         .delivered = 5,
         .queued = 1,
         .spooled = 2,
         .disk_full = 10,
         .peer_down = 20,
         .queue_full = 30,
         .too_big = 40,
         .no_memory = 50,
         .resent = 8,
         .torn = 9},
        {.destination = "odd \"name\"\\\n", .generated = 7, .delivered = 7},
};

static const struct pt_metrics_alarm alarms[] = {{"no_packets", 0}, {"link_down", 2}};

static const struct pt_ecs_stats stats = {
        .numbers = numbers,
        .number_count = 3,
        .memory = 18350080,
        .outputs = outputs,
        .output_count = 2,
};

static const struct pt_metrics metrics = {
        .stats = &stats,
        .version = "0.1.0",
        .started = INT64_C(1795500000123999999),
        .alarms = alarms,
        .alarm_count = 2,
};

/* https://prometheus.io/docs/instrumenting/exposition_formats/, the text-based format. */
static const char expected[] =
        "# HELP portent_build_info Always 1; the label says which version runs.\n"
        "# TYPE portent_build_info gauge\n"
        "portent_build_info{version=\"0.1.0\"} 1\n"
        "# HELP portent_start_time_seconds When the sensor started, seconds since 1970.\n"
        "# TYPE portent_start_time_seconds gauge\n"
        "portent_start_time_seconds 1795500000.123\n"
        "# HELP portent_memory_bytes Resident memory.\n"
        "# TYPE portent_memory_bytes gauge\n"
        "portent_memory_bytes 18350080\n"
        "# HELP portent_alarm_active How many alarms of this name hold now.\n"
        "# TYPE portent_alarm_active gauge\n"
        "portent_alarm_active{alarm=\"no_packets\"} 0\n"
        "portent_alarm_active{alarm=\"link_down\"} 2\n"
        "# HELP portent_capture_packets_total Packets taken from the inputs.\n"
        "# TYPE portent_capture_packets_total counter\n"
        "portent_capture_packets_total 812331\n"
        "# HELP portent_cache_clients Clients remembered now (gauge).\n"
        "# TYPE portent_cache_clients gauge\n"
        "portent_cache_clients 12\n"
        "# HELP portent_cache_cells_capacity Cells there are (gauge).\n"
        "# TYPE portent_cache_cells_capacity gauge\n"
        "portent_cache_cells_capacity 700\n"
        "# HELP portent_output_generated_total Documents made for the output.\n"
        "# TYPE portent_output_generated_total counter\n"
        "portent_output_generated_total{destination=\"events.ndjson\"} 102\n"
        "portent_output_generated_total{destination=\"odd \\\"name\\\"\\\\\\n\"} 7\n"
        "# HELP portent_output_inherited_total Documents that an earlier run left.\n"
        "# TYPE portent_output_inherited_total counter\n"
        "portent_output_inherited_total{destination=\"events.ndjson\"} 6\n"
        "portent_output_inherited_total{destination=\"odd \\\"name\\\"\\\\\\n\"} 0\n"
        "# HELP portent_output_delivered_total Documents delivered.\n"
        "# TYPE portent_output_delivered_total counter\n"
        "portent_output_delivered_total{destination=\"events.ndjson\"} 5\n"
        "portent_output_delivered_total{destination=\"odd \\\"name\\\"\\\\\\n\"} 7\n"
        "# HELP portent_output_queued Documents that wait in memory.\n"
        "# TYPE portent_output_queued gauge\n"
        "portent_output_queued{destination=\"events.ndjson\"} 1\n"
        "portent_output_queued{destination=\"odd \\\"name\\\"\\\\\\n\"} 0\n"
        "# HELP portent_output_spooled Documents that wait on disk.\n"
        "# TYPE portent_output_spooled gauge\n"
        "portent_output_spooled{destination=\"events.ndjson\"} 2\n"
        "portent_output_spooled{destination=\"odd \\\"name\\\"\\\\\\n\"} 0\n"
        "# HELP portent_output_resent_total Documents given away once more.\n"
        "# TYPE portent_output_resent_total counter\n"
        "portent_output_resent_total{destination=\"events.ndjson\"} 8\n"
        "portent_output_resent_total{destination=\"odd \\\"name\\\"\\\\\\n\"} 0\n"
        "# HELP portent_output_torn_total Torn lines that were closed.\n"
        "# TYPE portent_output_torn_total counter\n"
        "portent_output_torn_total{destination=\"events.ndjson\"} 9\n"
        "portent_output_torn_total{destination=\"odd \\\"name\\\"\\\\\\n\"} 0\n"
        "# HELP portent_output_dropped_total Documents lost, by cause.\n"
        "# TYPE portent_output_dropped_total counter\n"
        "portent_output_dropped_total{destination=\"events.ndjson\",cause=\"disk_full\"} 10\n"
        "portent_output_dropped_total{destination=\"events.ndjson\",cause=\"peer_down\"} 20\n"
        "portent_output_dropped_total{destination=\"events.ndjson\",cause=\"queue_full\"} 30\n"
        "portent_output_dropped_total{destination=\"events.ndjson\",cause=\"too_big\"} 40\n"
        "portent_output_dropped_total{destination=\"events.ndjson\",cause=\"no_memory\"} 50\n"
        "portent_output_dropped_total{destination=\"odd \\\"name\\\"\\\\\\n\",cause=\"disk_full\"} "
        "0\n"
        "portent_output_dropped_total{destination=\"odd \\\"name\\\"\\\\\\n\",cause=\"peer_down\"} "
        "0\n"
        "portent_output_dropped_total{destination=\"odd "
        "\\\"name\\\"\\\\\\n\",cause=\"queue_full\"} 0\n"
        "portent_output_dropped_total{destination=\"odd \\\"name\\\"\\\\\\n\",cause=\"too_big\"} "
        "0\n"
        "portent_output_dropped_total{destination=\"odd \\\"name\\\"\\\\\\n\",cause=\"no_memory\"} "
        "0\n";

Test(metrics, as_the_textfile_collector_reads_them)
{
        size_t length;
        char *text;

        cr_assert_eq(pt_metrics_text(&metrics, &text, &length), 0);
        cr_expect_eq(strlen(text), length);
        cr_expect_str_eq(text, expected, "%s", text);
        free(text);
}

Test(metrics, what_is_not_there_is_not_named)
{
        const struct pt_ecs_stats bare = {.numbers = numbers, .number_count = 1};
        const struct pt_metrics few = {.stats = &bare, .version = "1", .started = 1};
        size_t length;
        char *text;

        cr_assert_eq(pt_metrics_text(&few, &text, &length), 0);
        cr_expect_null(strstr(text, "memory"));
        cr_expect_null(strstr(text, "alarm"));
        cr_expect_null(strstr(text, "output"));
        cr_expect_not_null(strstr(text, "portent_start_time_seconds 0.000\n"));
        free(text);
}
