/*
 * documents: what the tests of documents share: an observer, reading a line back, and looking up
 * fields in it by their names.
 */
#pragma once

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "events.h"

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

#define CREATED INT64_C(1795500000123999999) /* 2026-11-24T06:00:00.123999999Z */

static inline const char *file_name(void *context, uint32_t file)
{
        const char *const *files = context;

        return files[file];
}

static const char *files[] = {"span.pcap", "span2.pcap", "bad-\xff\xc3-\xc3\xa9\n.pcap"};

static struct pt_observer observer = {
        .name = "sensor-dmz-01",
        .hostname = "sensor-dmz-01",
        .version = "1.0.0",
        .interface = "eth1",
        .file_name = file_name,
        .file_context = files,
};

/* One line, NDJSON; also kept in $PT_DOCUMENTS, for tests/schema/run. Frees the text. */
static inline json_t *parsed(char *text, size_t length)
{
        const char *keep = getenv("PT_DOCUMENTS");
        json_error_t error;
        json_t *root;

        cr_assert_eq(strlen(text), length);
        cr_assert_eq(strchr(text, '\n'), text + length - 1, "one line");
        root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
        cr_assert(root, "%s at %d", error.text, error.position);
        if (keep) {
                FILE *file = fopen(keep, "a");

                cr_assert(file);
                fwrite(text, 1, length, file);
                fclose(file);
        }
        free(text);
        return root;
}

static inline json_t *document(const struct pt_event *event)
{
        size_t length;
        char *text;

        cr_assert_eq(pt_event_ecs(event, &observer, CREATED, 1042, &text, &length), 0);
        return parsed(text, length);
}

/* JSON with ' for ", to be read by people. */
static inline json_t *json(const char *text)
{
        char *copy = strdup(text);
        json_error_t error;
        json_t *value;

        for (char *at = copy; *at; at++)
                if (*at == '\'')
                        *at = '"';
        value = json_loads(copy, JSON_DECODE_ANY, &error);
        cr_assert(value, "%s: %s", error.text, text);
        free(copy);
        return value;
}

/* "portent.dns.ttl" -> the value, NULL if there is none. A number is a place in a list. */
static inline json_t *at(json_t *value, const char *path)
{
        char key[128];
        size_t length;

        for (; value && *path; path += length + (path[length] == '.')) {
                length = strcspn(path, ".");
                snprintf(key, sizeof key, "%.*s", (int)length, path);
                value = json_is_array(value) ? json_array_get(value, strtoul(key, NULL, 10))
                                             : json_object_get(value, key);
        }
        return value;
}

struct row {
        const char *path;
        const char *json; /* NULL: the field is not there */
};

static inline void expect(json_t *root, const struct row *rows, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                json_t *is = at(root, rows[i].path);
                json_t *wanted = rows[i].json ? json(rows[i].json) : NULL;
                char *text = is ? json_dumps(is, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

                cr_expect(wanted ? is && json_equal(is, wanted) : !is, "%s is %s, not %s",
                          rows[i].path, text ? text : "missing",
                          rows[i].json ? rows[i].json : "missing");
                json_decref(wanted);
                free(text);
        }
}

#define EXPECT(root, ...)                                 \
        do {                                              \
                const struct row rows_[] = {__VA_ARGS__}; \
                expect(root, rows_, ROWS(rows_));         \
        } while (0)
