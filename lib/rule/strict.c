#include "rule/strict.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The second walk. The text was parsed before, so its syntax is right; the end is still watched. */
struct walk {
        const char *at;
        const char *end;
};

static void skip_blanks(struct walk *w)
{
        while (w->at < w->end && strchr(" \t\r\n", *w->at) && *w->at)
                w->at++;
}

static void skip_string(struct walk *w)
{
        for (w->at++; w->at < w->end && *w->at != '"'; w->at++) {
                if (*w->at == '\\')
                        w->at++;
        }
        w->at++;
}

/* Over a value of any depth, to the ',' or bracket behind it. */
static void skip_value(struct walk *w)
{
        size_t depth = 0;

        while (w->at < w->end) {
                char c = *w->at;

                if (c == '"') {
                        skip_string(w);
                        continue;
                }
                if (depth == 0 && (c == ',' || c == ']' || c == '}'))
                        return;
                if (c == '[' || c == '{')
                        depth++;
                if (c == ']' || c == '}')
                        depth--;
                w->at++;
        }
}

/* From a container's bracket to its member or element, the key of it first. */
static void step_down(struct walk *w, size_t place)
{
        w->at++;
        for (size_t i = 0; i < place; i++) {
                skip_value(w);
                w->at++;
        }
        skip_blanks(w);
}

static void skip_key(struct walk *w)
{
        skip_string(w);
        skip_blanks(w);
        w->at++;
        skip_blanks(w);
}

/* The offset of what the way leads to: its value, or the key before it. */
static size_t find(const struct pt_strict *s, bool key)
{
        struct walk w = {.at = s->text, .end = s->text + s->length};

        skip_blanks(&w);
        for (size_t i = 0; i < s->depth; i++) {
                step_down(&w, s->way[i].place);
                if (s->way[i].key && !(key && i + 1 == s->depth))
                        skip_key(&w);
        }
        return w.at < w.end ? (size_t)(w.at - s->text) : s->length;
}

static unsigned hex_value(char c)
{
        return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* Octets of UTF-8 that the character or escape at `at` stands for; `ret_length` is its own. */
static size_t decoded_length(const char *at, const char *end, size_t *ret_length)
{
        unsigned code = 0;

        *ret_length = 1;
        if (*at != '\\')
                return 1;
        *ret_length = 2;
        if (end - at < 6 || at[1] != 'u')
                return 1;
        *ret_length = 6;
        for (int i = 2; i < 6; i++)
                code = code << 4 | hex_value(at[i]);
        if (code >= 0xd800 && code < 0xdc00) {
                *ret_length = 12; /* a surrogate pair */
                return 4;
        }
        return code < 0x80 ? 1 : code < 0x800 ? 2 : 3;
}

/* The offset of a decoded octet in the string that begins at `offset`. */
static size_t find_octet(const struct pt_strict *s, size_t offset, size_t octet)
{
        const char *at = s->text + offset + 1, *end = s->text + s->length;
        size_t passed = 0;

        while (at < end && *at != '"') {
                size_t length;

                passed += decoded_length(at, end, &length);
                if (passed > octet || length > (size_t)(end - at))
                        break;
                at += length;
        }
        return (size_t)(at - s->text);
}

static void write_position(const struct pt_strict *s, size_t offset)
{
        s->error->line = 1;
        s->error->column = 1;
        for (size_t i = 0; i < offset && i < s->length; i++) {
                s->error->column++;
                if (s->text[i] == '\n') {
                        s->error->line++;
                        s->error->column = 1;
                }
        }
}

static void write_path(const struct pt_strict *s)
{
        char *path = s->error->path;
        size_t used = 0, size = sizeof s->error->path;

        path[0] = '\0';
        for (size_t i = 0; i < s->depth && used < size; i++) {
                const struct pt_strict_step *step = &s->way[i];
                int n;

                if (step->key)
                        n = snprintf(path + used, size - used, "%s%s", i ? "." : "", step->key);
                else
                        n = snprintf(path + used, size - used, "[%zu]", step->place);
                used += n > 0 ? (size_t)n : 0;
        }
}

/* Keys and tokens stand in errors, and errors go to terminals. */
static void blank_controls(char *text)
{
        for (; *text; text++) {
                if ((unsigned char)*text < 0x20 || *text == 0x7f)
                        *text = '?';
        }
}

__attribute__((format(printf, 3, 0))) static int refuse_at(struct pt_strict *s, size_t offset,
                                                           const char *format, va_list arguments)
{
        write_position(s, offset);
        write_path(s);
        vsnprintf(s->error->sentence, sizeof s->error->sentence, format, arguments);
        blank_controls(s->error->path);
        blank_controls(s->error->sentence);
        return -EINVAL;
}

__attribute__((format(printf, 2, 3))) static int refuse_key(struct pt_strict *s, const char *format,
                                                            ...)
{
        va_list arguments;

        va_start(arguments, format);
        refuse_at(s, find(s, true), format, arguments);
        va_end(arguments);
        return -EINVAL;
}

int pt_strict_refuse(struct pt_strict *s, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        refuse_at(s, find(s, false), format, arguments);
        va_end(arguments);
        return -EINVAL;
}

int pt_strict_refuse_octet(struct pt_strict *s, size_t octet, const char *sentence)
{
        pt_strict_refuse(s, "%s", sentence);
        write_position(s, find_octet(s, find(s, false), octet));
        return -EINVAL;
}

/* Where the token at fault begins, if jansson names it and has just read it; else `end`. */
static size_t find_token(const struct pt_strict *s, const char *fault, size_t end)
{
        const char *token = strstr(fault, "near '");
        size_t length;

        if (!token)
                return end;
        token += strlen("near '");
        length = strlen(token) - 1;
        return length <= end && memcmp(s->text + end - length, token, length) == 0 ? end - length
                                                                                   : end;
}

static bool begins(const char *text, const char *with)
{
        return strncmp(text, with, strlen(with)) == 0;
}

/* jansson says how many octets it has read; what it stumbled over are the last of them, or next. */
static size_t find_fault(const struct pt_strict *s, const json_error_t *fault)
{
        size_t read = fault->position > 0 ? (size_t)fault->position : 0;

        if (json_error_code(fault) == json_error_premature_end_of_input)
                return s->length;
        if (json_error_code(fault) == json_error_invalid_utf8 ||
            begins(fault->text, "control character") || begins(fault->text, "unexpected newline"))
                return read;
        if (json_error_code(fault) == json_error_duplicate_key ||
            begins(fault->text, "invalid token") || strstr(fault->text, "expected near"))
                return find_token(s, fault->text, read);
        return read > 0 ? read - 1 : 0;
}

static int refuse_syntax(struct pt_strict *s, const json_error_t *fault)
{
        switch (json_error_code(fault)) {
        case json_error_out_of_memory:
                return -ENOMEM;
        case json_error_duplicate_key:
                pt_strict_refuse(s, "this key stands twice in its object");
                break;
        case json_error_null_character:
        case json_error_null_byte_in_key:
                pt_strict_refuse(s, "\\u0000 is not allowed in a string");
                break;
        case json_error_numeric_overflow:
                pt_strict_refuse(s, "this number is too large");
                break;
        default:
                pt_strict_refuse(s, "this is no JSON: %s", fault->text);
        }
        write_position(s, find_fault(s, fault));
        return -EINVAL;
}

int pt_strict_parse(struct pt_strict *s, const char *text, size_t length,
                    struct pt_strict_error *error, json_t **ret)
{
        static const char mark[3] = "\xef\xbb\xbf"; /* of UTF-8: editors on Windows write it */
        json_error_t fault;
        json_t *json;

        if (length >= sizeof mark && memcmp(text, mark, sizeof mark) == 0) {
                text += sizeof mark;
                length -= sizeof mark;
        }
        json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &fault);
        s->text = text;
        s->length = length;
        s->depth = 0;
        s->error = error;
        if (!json)
                return refuse_syntax(s, &fault);
        *ret = json;
        return 0;
}

unsigned pt_strict_line(const struct pt_strict *s)
{
        size_t offset = find(s, false);
        unsigned line = 1;

        for (size_t i = 0; i < offset; i++)
                line += s->text[i] == '\n';
        return line;
}

static void enter(struct pt_strict *s, const char *key, size_t place)
{
        assert(s->depth < PT_STRICT_DEPTH); /* what readers know is not so deep */
        s->way[s->depth++] = (struct pt_strict_step){key, place};
}

void pt_strict_enter_key(struct pt_strict *s, json_t *object, const char *key)
{
        size_t place = 0;

        for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
                if (strcmp(json_object_iter_key(i), key) == 0)
                        break;
                place++;
        }
        enter(s, key, place);
}

void pt_strict_enter_element(struct pt_strict *s, size_t place)
{
        enter(s, NULL, place);
}

void pt_strict_leave(struct pt_strict *s)
{
        s->depth--;
}

static int refuse_unknown(struct pt_strict *s, const char *name, const struct pt_strict_key *keys,
                          size_t count)
{
        char known[200] = "";
        size_t used = 0;

        for (size_t i = 0; i < count && used < sizeof known; i++)
                used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? " " : "",
                                         keys[i].name);
        return refuse_key(s, "the key \"%.32s\" is unknown here; there are %s", name, known);
}

static int read_member(struct pt_strict *s, const char *name, json_t *value,
                       const struct pt_strict_key *keys, size_t count, void *into)
{
        for (size_t i = 0; i < count; i++) {
                if (strcmp(keys[i].name, name) == 0)
                        return keys[i].read(s, value, (char *)into + keys[i].offset);
        }
        return refuse_unknown(s, name, keys, count);
}

int pt_strict_object(struct pt_strict *s, json_t *object, const struct pt_strict_key *keys,
                     size_t count, void *into)
{
        size_t place = 0;
        int r = 0;

        if (!json_is_object(object))
                return pt_strict_refuse(s, "an object, {...}, is expected here");
        for (void *i = json_object_iter(object); i && !r; i = json_object_iter_next(object, i)) {
                const char *name = json_object_iter_key(i);

                enter(s, name, place++);
                if (name[0] != '#')
                        r = read_member(s, name, json_object_iter_value(i), keys, count, into);
                pt_strict_leave(s);
        }
        return r;
}

int pt_strict_array(struct pt_strict *s, json_t *array,
                    int (*read)(struct pt_strict *s, json_t *value, void *into), void *into)
{
        int r = 0;

        if (!json_is_array(array))
                return pt_strict_refuse(s, "a list, [...], is expected here");
        for (size_t i = 0; i < json_array_size(array) && r == 0; i++) {
                enter(s, NULL, i);
                r = read(s, json_array_get(array, i), into);
                pt_strict_leave(s);
        }
        return r;
}
