#include "config.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rule/strict.h"

/* What a reader of one member is handed: the first option that the member's name leads to. */
struct place {
        struct pt_options *options;
        const struct pt_option *option;
        size_t depth; /* octets of the key that lead to this object */
};

static int read_value(struct pt_strict *s, json_t *value, void *into);
static int read_group(struct pt_strict *s, json_t *value, void *into);

static int set(struct pt_strict *s, const struct place *place, const char *text)
{
        char sentence[PT_OPTION_SENTENCE];
        int r = pt_option_set(place->options, place->option, PT_FROM_FILE, text, sentence);

        return r == -EINVAL ? pt_strict_refuse(s, "%.200s", sentence) : r;
}

static int read_element(struct pt_strict *s, json_t *value, void *into)
{
        if (!json_is_string(value))
                return pt_strict_refuse(s, "a text, \"...\", is expected here");
        return set(s, into, json_string_value(value));
}

static int read_list(struct pt_strict *s, json_t *value, struct place *place)
{
        if (json_is_array(value) && (int64_t)json_array_size(value) < place->option->low)
                return pt_strict_refuse(s, "this list is empty, and must not be");
        pt_option_begin(place->options, place->option, PT_FROM_FILE);
        return pt_strict_array(s, value, read_element, place);
}

static int read_number(struct pt_strict *s, json_t *value, const struct place *place)
{
        char text[PT_VALUE_TEXT];

        if (!json_is_integer(value) && place->option->type == PT_OPTION_NUMBER)
                return pt_strict_refuse(s, "a whole number is expected here");
        if (!json_is_integer(value))
                return pt_strict_refuse(s, "a size as \"64M\", or a number of octets, is expected "
                                           "here");
        snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return set(s, place, text);
}

static int read_fraction(struct pt_strict *s, json_t *value, const struct place *place)
{
        char text[PT_VALUE_TEXT];

        if (!json_is_number(value))
                return pt_strict_refuse(s, "a number above 0 and up to 1 is expected here");
        snprintf(text, sizeof text, "%.17g", json_number_value(value));
        return set(s, place, text);
}

/* The value of one option. */
static int read_value(struct pt_strict *s, json_t *value, void *into)
{
        struct place *place = into;
        enum pt_option_type type = place->option->type;

        place->options->line[place->option - pt_option_table] = pt_strict_line(s);
        if (pt_option_is_list(place->option))
                return read_list(s, value, place);
        if (type == PT_OPTION_FLAG) {
                if (!json_is_boolean(value))
                        return pt_strict_refuse(s, "true or false is expected here");
                return set(s, place, json_is_true(value) ? "true" : "false");
        }
        if (json_is_string(value))
                return set(s, place, json_string_value(value));
        if (type == PT_OPTION_SIZE || type == PT_OPTION_NUMBER)
                return read_number(s, value, place);
        if (type == PT_OPTION_FRACTION)
                return read_fraction(s, value, place);
        return pt_strict_refuse(s, "a text, \"...\", is expected here");
}

/* The names of the members below the first `depth` octets of `key`, and how each is read. */
static size_t find_members(struct pt_options *options, const char *key, size_t depth,
                           struct pt_strict_key *keys, struct place *places,
                           char names[][PT_VALUE_TEXT])
{
        size_t count = 0;

        for (size_t i = 0; i < pt_option_count; i++) {
                const struct pt_option *option = &pt_option_table[i];
                const char *name;
                size_t length;

                if (!option->key || strncmp(option->key, key, depth) != 0)
                        continue;
                name = option->key + depth;
                length = strcspn(name, ".");
                assert(length < PT_VALUE_TEXT);
                if (count && strncmp(names[count - 1], name, length) == 0 &&
                    names[count - 1][length] == '\0')
                        continue; /* of one group, which stand together in the table */
                snprintf(names[count], PT_VALUE_TEXT, "%.*s", (int)length, name);
                places[count] = (struct place){options, option, depth + length + 1};
                keys[count] =
                        (struct pt_strict_key){names[count], name[length] ? read_group : read_value,
                                               count * sizeof *places};
                count++;
        }
        return count;
}

/* ---- keys that are none ---- */

static const char *find_unknown(json_t *object, const struct pt_strict_key *keys, size_t count)
{
        for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
                const char *name = json_object_iter_key(i);
                size_t place = 0;

                while (place < count && strcmp(keys[place].name, name) != 0)
                        place++;
                if (place == count && name[0] != '#')
                        return name;
        }
        return NULL;
}

/* The key that was meant, if up to a third of its letters are wrong; else NULL. */
static const char *find_nearest(const char *name, const struct pt_strict_key *keys, size_t count)
{
        size_t smallest = SIZE_MAX;
        const char *nearest = NULL;

        for (size_t i = 0; i < count; i++) {
                size_t distance = pt_word_distance(name, keys[i].name);

                if (distance >= smallest || distance > strlen(keys[i].name) / 3)
                        continue;
                smallest = distance;
                nearest = keys[i].name;
        }
        return nearest;
}

/* "observer.name", as --help writes it? */
static bool is_dotted(const char *name)
{
        for (size_t i = 0; i < pt_option_count; i++) {
                const char *key = pt_option_table[i].key;

                if (key && strchr(key, '.') && strcmp(key, name) == 0)
                        return true;
        }
        return false;
}

static int read_nothing(struct pt_strict *s, json_t *value, void *into)
{
        (void)s;
        (void)value;
        (void)into;
        return 0;
}

/* A walk that reads no value stops at the first unknown key, with its place; the words are ours. */
static int refuse_unknown(struct pt_strict *s, json_t *object, const char *name,
                          const struct pt_strict_key *known, size_t count)
{
        const char *nearest = find_nearest(name, known, count);
        struct pt_strict_key keys[PT_OPTIONS_MOST];
        char *sentence = s->error->sentence;
        size_t size = sizeof s->error->sentence;
        int r;

        for (size_t i = 0; i < count; i++)
                keys[i] = (struct pt_strict_key){known[i].name, read_nothing, 0};
        r = pt_strict_object(s, object, keys, count, keys);
        if (is_dotted(name))
                snprintf(sentence, size,
                         "this key is unknown; a dot stands for an object: "
                         "{\"%.*s\": {\"%s\": ...}}",
                         (int)strcspn(name, "."), name, strchr(name, '.') + 1);
        else if (nearest)
                snprintf(sentence, size, "this key is unknown; did you mean %s?", nearest);
        else
                snprintf(sentence, size, "this key is unknown (see portent --help)");
        return r;
}

static int read_object(struct pt_strict *s, json_t *object, struct pt_options *options,
                       const char *key, size_t depth)
{
        struct pt_strict_key keys[PT_OPTIONS_MOST];
        struct place places[PT_OPTIONS_MOST];
        char names[PT_OPTIONS_MOST][PT_VALUE_TEXT];
        size_t count = find_members(options, key, depth, keys, places, names);
        const char *unknown = json_is_object(object) ? find_unknown(object, keys, count) : NULL;

        if (unknown)
                return refuse_unknown(s, object, unknown, keys, count);
        return pt_strict_object(s, object, keys, count, places);
}

/* The object of a group: "observer" of "observer.name". */
static int read_group(struct pt_strict *s, json_t *value, void *into)
{
        const struct place *place = into;

        return read_object(s, value, place->options, place->option->key, place->depth);
}

/* No answer counts longer than max_window: what would, is refused, where the file says it. */
static int check_windows(struct pt_strict *s, json_t *object, const struct pt_options *options)
{
        const struct {
                const char *key;
                int64_t value;
        } windows[] = {{"window", options->window}, {"cross_window", options->cross_window}};
        char text[PT_VALUE_TEXT], most[PT_VALUE_TEXT];

        pt_duration_format(options->max_window, most);
        for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
                const char *key = windows[i].key;

                if (windows[i].value <= options->max_window)
                        continue;
                pt_duration_format(windows[i].value, text);
                if (json_object_get(object, key)) {
                        pt_strict_enter_key(s, object, key);
                        return pt_strict_refuse(s, "%s is longer than max_window, which is %s",
                                                text, most);
                }
                pt_strict_enter_key(s, object, "max_window");
                return pt_strict_refuse(s, "%s is shorter than %s, which is %s", most, key, text);
        }
        return 0;
}

static void write_fault(struct pt_rule_error *error, const char *file,
                        const struct pt_strict_error *fault)
{
        *error = (struct pt_rule_error){.line = fault->line, .column = fault->column};
        snprintf(error->file, sizeof error->file, "%s", file);
        snprintf(error->path, sizeof error->path, "%s", fault->path);
        snprintf(error->sentence, sizeof error->sentence, "%s", fault->sentence);
}

int pt_config_read(const char *file, const char *text, size_t length, struct pt_options *options,
                   struct pt_rule_error *error)
{
        struct pt_strict_error fault = {0};
        struct pt_strict s;
        json_t *json = NULL;
        int r = pt_strict_parse(&s, text, length, &fault, &json);

        if (r == 0)
                r = read_object(&s, json, options, "", 0);
        if (r == 0)
                r = check_windows(&s, json, options);
        json_decref(json);
        if (r == -EINVAL)
                write_fault(error, file, &fault);
        return r;
}

static char *read_text(FILE *file, size_t *ret_length)
{
        char *text = malloc(PT_CONFIG_SIZE + 1);

        if (text)
                *ret_length = fread(text, 1, PT_CONFIG_SIZE + 1, file);
        return text;
}

static int refuse_file(struct pt_rule_error *error, const char *file, const char *sentence)
{
        struct pt_strict_error fault = {0};

        snprintf(fault.sentence, sizeof fault.sentence, "%s", sentence);
        write_fault(error, file, &fault);
        return -EINVAL;
}

int pt_config_load(const char *file, struct pt_options *options, struct pt_rule_error *error)
{
        FILE *stream = fopen(file, "re");
        size_t length = 0;
        char *text;
        int r;

        if (!stream)
                return refuse_file(error, file, strerror(errno));
        text = read_text(stream, &length);
        if (!text)
                r = -ENOMEM;
        else if (ferror(stream))
                r = refuse_file(error, file, strerror(errno));
        else if (length > PT_CONFIG_SIZE)
                r = refuse_file(error, file, "this is too long for a configuration");
        else
                r = pt_config_read(file, text, length, options, error);
        free(text);
        fclose(stream);
        return r;
}

/* ---- both, and what the engine is told ---- */

static int read_flags(int argc, char *const *argv, struct pt_options *options,
                      struct pt_rule_error *error)
{
        char sentence[PT_OPTION_SENTENCE];
        int r = pt_options_arguments(options, argc, argv, sentence);

        return r == -EINVAL ? refuse_file(error, "", sentence) : r;
}

/* The flags have said which file: begin again with it, and put them over it. */
static int read_both(int argc, char *const *argv, struct pt_options *options,
                     struct pt_rule_error *error)
{
        char *file = options->config;
        int r;

        options->config = NULL;
        pt_options_clear(options);
        r = pt_options_default(options);
        if (r == 0)
                r = pt_config_load(file, options, error);
        free(file);
        return r < 0 ? r : read_flags(argc, argv, options, error);
}

int pt_config_options(int argc, char *const *argv, struct pt_options *options,
                      struct pt_rule_error *error)
{
        char sentence[PT_OPTION_SENTENCE];
        int r = pt_options_default(options);

        if (r == 0)
                r = read_flags(argc, argv, options, error);
        if (r == 0 && options->config && !options->help && !options->version)
                r = read_both(argc, argv, options, error);
        if (r == 0 && pt_options_check(options, sentence) < 0)
                r = refuse_file(error, "", sentence);
        if (r == 0)
                pt_options_settle(options);
        return r;
}

struct pt_settings pt_config_settings(const struct pt_options *options)
{
        static const char *const none[] = {NULL};
        const struct pt_texts *home = &options->home_networks, *nat64 = &options->nat64_prefixes;
        struct pt_settings settings;

        pt_settings_default(&settings);
        settings.memory = (size_t)options->memory;
        settings.reorder = options->reorder;
        settings.window = options->window;
        settings.max_window = options->max_window;
        settings.cross_window = options->cross_window;
        settings.throttle = options->throttle;
        settings.chance_step = options->chance_step;
        settings.chance_floor = options->chance_floor;
        settings.lab = options->lab;
        settings.vlan_clients = options->vlan_clients;
        settings.tunnel_clients = options->tunnel_clients;
        settings.near_misses = options->near_misses;
        settings.dns_events = options->log & PT_LOG_DNS;
        settings.connection_events = options->log & PT_LOG_CONNECTION;
        settings.expectation_events = options->log & PT_LOG_EXPECTATION;
        settings.outcome_events = options->log & PT_LOG_OUTCOME;
        settings.outcome_beside = settings.outcome_events && pt_options_live(options);
        settings.expectation_skew = options->expectation_skew;
        settings.connection_port_low = options->connection_ports.low;
        settings.connection_port_high = options->connection_ports.high;
        settings.home_networks = home->count ? (const char *const *)home->list : none;
        settings.nat64_prefixes = nat64->count ? (const char *const *)nat64->list : none;
        return settings;
}
