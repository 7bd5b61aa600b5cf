#include "document/document.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "document/words.h"

#define FOREIGN 4096 /* octets of a text from outside that are kept */

struct pt_document pt_document_empty(void)
{
        struct pt_document doc = {
                .root = json_object(),
                .ips = json_array(),
                .hosts = json_array(),
        };

        doc.failed = !doc.root || !doc.ips || !doc.hosts;
        return doc;
}

struct pt_document pt_document(const struct pt_observer *observer, int64_t time, const char *type,
                               const char *dataset)
{
        struct pt_document doc = pt_document_empty();
        json_t *stream;

        doc.observer = observer;
        pt_document_time(&doc, doc.root, "@timestamp", time);
        pt_document_text(&doc, pt_document_object(&doc, doc.root, "ecs"), "version",
                         PT_DOCUMENT_ECS);
        stream = pt_document_object(&doc, doc.root, "data_stream");
        pt_document_text(&doc, stream, "type", type);
        pt_document_text(&doc, stream, "dataset", dataset);
        pt_document_text(&doc, stream, "namespace", "default");
        if (observer->test)
                pt_document_append(&doc, pt_document_array(&doc, doc.root, "tags"),
                                   "portent_self_test");
        return doc;
}

/* Text that grows, from malloc(): the caller frees it, whatever allocator jansson was given. */
struct line {
        char *text;
        size_t length;
        size_t size;
        bool failed;
};

static int line_append(const char *text, size_t length, void *context)
{
        struct line *line = context;

        /* jansson does not look whether the text of a key was taken: what follows it must not be.
         */
        if (line->failed)
                return -1;
        if (length > line->size - line->length) {
                size_t size = 2 * (line->length + length);
                char *grown = realloc(line->text, size);

                line->failed = !grown;
                if (!grown)
                        return -1;
                line->text = grown;
                line->size = size;
        }
        memcpy(line->text + line->length, text, length);
        line->length += length;
        return 0;
}

int pt_document_write(struct pt_document *doc, char **ret, size_t *ret_length)
{
        /* 15 digits: every number that was rounded to fewer comes out as it was rounded. */
        size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(15);
        struct line line = {0};
        bool failed = doc->failed || json_dump_callback(doc->root, line_append, &line, flags) < 0 ||
                      line_append("\n", 2, &line) < 0;

        json_decref(doc->root);
        json_decref(doc->ips);
        json_decref(doc->hosts);
        *doc = (struct pt_document){.failed = true};
        if (failed) {
                free(line.text);
                return -ENOMEM;
        }
        *ret = line.text;
        *ret_length = line.length - 1;
        return 0;
}

/* Takes over `value`, which is NULL if there was no memory for it. Returns it. */
static json_t *put(struct pt_document *doc, json_t *parent, const char *key, json_t *value)
{
        if (!parent || !value || json_object_set_new_nocheck(parent, key, value) < 0) {
                if (!parent)
                        json_decref(value);
                doc->failed = true;
                return NULL;
        }
        return value;
}

json_t *pt_document_object(struct pt_document *doc, json_t *parent, const char *key)
{
        json_t *there = json_object_get(parent, key);

        return there ? there : put(doc, parent, key, json_object());
}

json_t *pt_document_array(struct pt_document *doc, json_t *parent, const char *key)
{
        return put(doc, parent, key, json_array());
}

/* Octets of the sound UTF-8 sequence (RFC 3629) that a text begins with; 0 if it is none. */
static size_t utf8_sequence(const char *text)
{
        const uint8_t *b = (const uint8_t *)text;
        size_t length = b[0] < 0x80 ? 1 : b[0] >= 0xf0 ? 4 : b[0] >= 0xe0 ? 3 : 2;

        if (length > 1 && (b[0] < 0xc2 || b[0] > 0xf4))
                return 0;
        for (size_t i = 1; i < length; i++)
                if ((b[i] & 0xc0) != 0x80)
                        return 0;
        if ((b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xed && b[1] > 0x9f) ||
            (b[0] == 0xf0 && b[1] < 0x90) || (b[0] == 0xf4 && b[1] > 0x8f))
                return 0;
        return length;
}

/* A file's name may hold any octets: those that are no UTF-8 become \DDD, as in a DNS name. */
static json_t *foreign_text(const char *text)
{
        char sound[FOREIGN];
        size_t length = 0;

        while (*text && length + 4 < sizeof sound) {
                size_t sequence = utf8_sequence(text);

                if (sequence)
                        memcpy(sound + length, text, sequence);
                else
                        snprintf(sound + length, 5, "\\%03u", (unsigned)(uint8_t)*text);
                length += sequence ? sequence : 4;
                text += sequence ? sequence : 1;
        }
        return json_stringn_nocheck(sound, length);
}

void pt_document_text(struct pt_document *doc, json_t *parent, const char *key, const char *text)
{
        if (text && text[0])
                put(doc, parent, key, foreign_text(text));
}

void pt_document_integer(struct pt_document *doc, json_t *parent, const char *key, uint64_t value)
{
        /* ECS numbers are `long`. */
        put(doc, parent, key, json_integer((json_int_t)(value > INT64_MAX ? INT64_MAX : value)));
}

void pt_document_real(struct pt_document *doc, json_t *parent, const char *key, double value)
{
        if (isfinite(value))
                put(doc, parent, key, json_real(value));
}

/* Seven digits say more than any estimate knows, and sixteen look like a measurement. */
void pt_document_estimate(struct pt_document *doc, json_t *parent, const char *key, double value)
{
        char text[32];

        snprintf(text, sizeof text, "%.6e", value);
        pt_document_real(doc, parent, key, strtod(text, NULL));
}

void pt_document_boolean(struct pt_document *doc, json_t *parent, const char *key, bool value)
{
        put(doc, parent, key, json_boolean(value));
}

void pt_document_time(struct pt_document *doc, json_t *parent, const char *key, int64_t time)
{
        char text[PT_WORDS_TIME];

        pt_document_text(doc, parent, key, pt_words_time(time, text));
}

json_t *pt_document_append_object(struct pt_document *doc, json_t *array)
{
        json_t *object = json_object();

        if (json_array_append_new(array, object) == 0)
                return object;
        doc->failed = true;
        return NULL;
}

void pt_document_append(struct pt_document *doc, json_t *array, const char *text)
{
        size_t place;
        json_t *value;

        json_array_foreach(array, place,
                           value) if (strcmp(json_string_value(value), text) == 0) return;
        if (json_array_append_new(array, foreign_text(text)) < 0)
                doc->failed = true;
}

void pt_document_append_integer(struct pt_document *doc, json_t *array, json_int_t value)
{
        size_t place;
        json_t *there;

        json_array_foreach(array, place, there) if (json_integer_value(there) == value) return;
        if (json_array_append_new(array, json_integer(value)) < 0)
                doc->failed = true;
}

void pt_document_append_ip(struct pt_document *doc, json_t *array, const struct pt_address *address)
{
        char text[PT_ADDRESS_TEXT];

        pt_address_format(address, text);
        pt_document_append(doc, array, text);
        pt_document_append(doc, doc->ips, text);
}

void pt_document_append_host(struct pt_document *doc, json_t *array, const struct pt_dns_name *name)
{
        char text[PT_DNS_NAME_TEXT];

        pt_dns_name_format(name, text);
        pt_document_append(doc, array, text);
        pt_document_append(doc, doc->hosts, text);
}

void pt_document_ip(struct pt_document *doc, json_t *parent, const char *key,
                    const struct pt_address *address)
{
        char text[PT_ADDRESS_TEXT];

        pt_document_text(doc, parent, key, pt_address_format(address, text));
        pt_document_append(doc, doc->ips, text);
}

void pt_document_host(struct pt_document *doc, json_t *parent, const char *key,
                      const struct pt_dns_name *name)
{
        char text[PT_DNS_NAME_TEXT];

        pt_dns_name_format(name, text);
        pt_document_text(doc, parent, key, text);
        pt_document_append(doc, doc->hosts, text);
}
