#include "effect.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

#define SOURCE 512 /* octets of where a value comes from */

static json_t *texts_json(const struct pt_texts *texts)
{
        json_t *list = json_array();

        for (size_t i = 0; i < texts->count; i++)
                json_array_append_new(list, json_string(texts->list[i]));
        return list;
}

static json_t *kinds_json(unsigned log)
{
        json_t *list = json_array();

        for (unsigned i = 0; pt_log_kind_name(i); i++) {
                if (log & 1u << i)
                        json_array_append_new(list, json_string(pt_log_kind_name(i)));
        }
        return list;
}

/* The value of an option as the file would have it; NULL if it has none. */
static json_t *value_json(const struct pt_options *options, const struct pt_option *option)
{
        const void *value = (const char *)options + option->offset;
        char text[PT_VALUE_TEXT];

        switch (option->type) {
        case PT_OPTION_FLAG:
                return json_boolean(*(const bool *)value);
        case PT_OPTION_TEXT:
                return *(char *const *)value ? json_string(*(char *const *)value) : NULL;
        case PT_OPTION_DURATION:
                return json_string(pt_duration_format(*(const int64_t *)value, text));
        case PT_OPTION_SIZE:
                return json_string(pt_size_format(*(const int64_t *)value, text));
        case PT_OPTION_NUMBER:
                return json_integer(*(const int64_t *)value);
        case PT_OPTION_FRACTION:
                return json_real(*(const double *)value);
        case PT_OPTION_PORTS:
                return json_string(pt_ports_format(*(const struct pt_ports *)value, text));
        case PT_OPTION_FORMAT:
                return json_string(pt_format_name(*(const enum pt_format *)value));
        case PT_OPTION_KINDS:
                return kinds_json(*(const unsigned *)value);
        default:
                return texts_json(value);
        }
}

/* "default", "--window", "/etc/portent/portent.json:3" */
static json_t *source_json(const struct pt_options *options, const struct pt_option *option)
{
        size_t row = (size_t)(option - pt_option_table);
        char text[SOURCE];

        switch (options->source[row]) {
        case PT_FROM_FILE:
                return json_sprintf("%s:%u", options->config ? options->config : "file",
                                    options->line[row]);
        case PT_FROM_FLAG:
                snprintf(text, sizeof text, "--%s", option->name);
                return json_string(text);
        default:
                return json_string("default");
        }
}

/* The object that the dots of a key lead to, made on the way; `ret_name` is what is left. */
static json_t *find_group(json_t *object, const char *key, const char **ret_name)
{
        for (const char *dot; object && (dot = strchr(key, '.')); key = dot + 1) {
                char group[PT_VALUE_TEXT];
                json_t *inner;

                assert((size_t)(dot - key) < sizeof group);
                snprintf(group, sizeof group, "%.*s", (int)(dot - key), key);
                inner = json_object_get(object, group);
                if (!inner && json_object_set_new(object, group, inner = json_object()) < 0)
                        inner = NULL;
                object = inner;
        }
        *ret_name = key;
        return object;
}

/* One key, and before it the comment about it. 0, or -1. */
static int put(json_t *object, const struct pt_option *option, json_t *value, json_t *source)
{
        char comment[PT_VALUE_TEXT + 2];
        const char *name;
        int r = 0;

        object = find_group(object, option->key, &name);
        snprintf(comment, sizeof comment, "# %s", name);
        if (source)
                r = json_object_set_new(object, comment, source);
        return json_object_set_new(object, name, value) < 0 ? -1 : r;
}

/* Everything that a configuration can say; NULL if there is no memory for it. */
static json_t *make_object(const struct pt_options *given, bool with_sources)
{
        struct pt_options options = *given;
        char *folder[2] = {(char *)pt_load_folder(), NULL};
        json_t *object = json_object();
        int r = object ? 0 : -1;

        if (!options.rules.count)
                options.rules = (struct pt_texts){folder, 1};
        for (size_t i = 0; r == 0 && i < pt_option_count; i++) {
                const struct pt_option *option = &pt_option_table[i];
                json_t *value = option->key ? value_json(&options, option) : NULL;

                if (value)
                        r = put(object, option, value,
                                with_sources ? source_json(&options, option) : NULL);
        }
        if (r == 0)
                return object;
        json_decref(object);
        return NULL;
}

static int write_hash(json_t *object, const struct pt_options *options)
{
        char hash[PT_EFFECT_HASH];
        int r = pt_effect_hash(options, hash);

        if (r == 0 && json_object_set_new(object, "# sha256", json_string(hash)) < 0)
                r = -ENOMEM;
        return r;
}

int pt_effect_print(FILE *file, const struct pt_options *options)
{
        json_t *object = make_object(options, true);
        int r = object ? write_hash(object, options) : -ENOMEM;

        if (r == 0 && (json_dumpf(object, file, JSON_INDENT(8) | JSON_REAL_PRECISION(15)) < 0 ||
                       fputc('\n', file) == EOF))
                r = -EIO;
        json_decref(object);
        return r;
}

static int update(const char *text, size_t length, void *sha)
{
        sha256_update(sha, length, (const uint8_t *)text);
        return 0;
}

int pt_effect_hash(const struct pt_options *options, char ret[PT_EFFECT_HASH])
{
        json_t *object = make_object(options, false);
        uint8_t digest[SHA256_DIGEST_SIZE];
        struct sha256_ctx sha;
        int r;

        if (!object)
                return -ENOMEM;
        sha256_init(&sha);
        r = json_dump_callback(object, update, &sha,
                               JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
        json_decref(object);
        if (r < 0)
                return -ENOMEM;
        sha256_digest(&sha, sizeof digest, digest);
        for (size_t i = 0; i < sizeof digest; i++)
                snprintf(ret + 2 * i, 3, "%02x", digest[i]);
        return 0;
}

bool pt_effect_same(const struct pt_options *a, const struct pt_options *b,
                    const struct pt_option *option)
{
        json_t *one = value_json(a, option), *other = value_json(b, option);
        bool same = (!one && !other) || json_equal(one, other);

        json_decref(one);
        json_decref(other);
        return same;
}
