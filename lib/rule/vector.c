#include "rule/vector.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse_ipv4(const char *text, uint32_t *ret)
{
        struct pt_address address;

        /* ::ffff:192.0.2.1 is the same address, but not how it is written here. */
        if (!text || strchr(text, ':') || pt_address_parse(text, &address) < 0)
                return -EINVAL;
        *ret = pt_address_low32(&address);
        return 0;
}

struct vector_reading {
        struct pt_rule_vector vector;
        bool has_address;
};

static int read_vector_address(struct pt_strict *s, json_t *value, void *into)
{
        struct vector_reading *reading = into;

        if (parse_ipv4(json_string_value(value), &reading->vector.address) < 0)
                return pt_strict_refuse(s, "an IPv4 address is expected here");
        reading->has_address = true;
        return 0;
}

static int read_vector_port(struct pt_strict *s, json_t *value, void *into)
{
        struct vector_reading *reading = into;

        if (!json_is_null(value) && (!json_is_integer(value) || json_integer_value(value) < 0))
                return pt_strict_refuse(s, "a number that the \"port\" expression gives, or null "
                                           "for no value, is expected here");
        reading->vector.has_port = true;
        reading->vector.port = json_is_null(value) ? -1 : json_integer_value(value);
        return 0;
}

static int read_vector_result(struct pt_strict *s, json_t *value, void *into)
{
        struct vector_reading *reading = into;
        uint32_t result = 0;

        if (!json_is_null(value) && parse_ipv4(json_string_value(value), &result) < 0)
                return pt_strict_refuse(s, "an IPv4 address, or null for none, is expected here");
        reading->vector.has_result = true;
        reading->vector.result = json_is_null(value) ? -1 : (int64_t)result;
        return 0;
}

static int read_vector(struct pt_strict *s, json_t *value, void *into)
{
        static const struct pt_strict_key keys[] = {
                {"address", read_vector_address, 0},
                {"port", read_vector_port, 0},
                {"result", read_vector_result, 0},
        };
        struct vector_reading reading = {.has_address = false};
        struct pt_rule *rule = into;
        int r = pt_strict_object(s, value, keys, sizeof keys / sizeof *keys, &reading);

        if (r < 0)
                return r;
        if (!reading.has_address)
                return pt_strict_refuse(s, "a vector needs an \"address\"");
        if (!reading.vector.has_port && !reading.vector.has_result)
                return pt_strict_refuse(s, "a vector needs a \"port\", a \"result\" or both");
        rule->vectors[rule->vector_count++] = reading.vector;
        return 0;
}

int pt_vector_read_list(struct pt_strict *s, json_t *value, void *into)
{
        struct pt_rule *rule = into;

        rule->vectors = calloc(json_array_size(value) + 1, sizeof *rule->vectors);
        if (!rule->vectors)
                return -ENOMEM;
        return pt_strict_array(s, value, read_vector, rule);
}

int pt_vector_check_keys(struct pt_strict *s, json_t *json, const struct pt_rule *rule)
{
        json_t *vectors = json_object_get(json, "vectors");
        int r = 0;

        for (size_t i = 0; i < rule->vector_count && r == 0; i++) {
                const struct pt_rule_vector *v = &rule->vectors[i];
                bool bad_port = v->has_port && !rule->port;

                if (!bad_port && !(v->has_result && !rule->address))
                        continue;
                pt_strict_enter_key(s, json, "vectors");
                pt_strict_enter_element(s, i);
                pt_strict_enter_key(s, json_array_get(vectors, i), bad_port ? "port" : "result");
                r = pt_strict_refuse(s, "the rule has no \"%s\" expression that could give this",
                                     bad_port ? "port" : "address");
        }
        return r;
}

static void write_value(char text[32], bool has, uint64_t value, bool as_address)
{
        uint32_t ipv4 = (uint32_t)value;

        if (!has)
                snprintf(text, 32, "no value");
        else if (as_address && value <= UINT32_MAX)
                snprintf(text, 32, "%u.%u.%u.%u", ipv4 >> 24, ipv4 >> 16 & 0xff, ipv4 >> 8 & 0xff,
                         ipv4 & 0xff);
        else
                snprintf(text, 32, "%" PRIu64, value);
}

/* Does the expression give what the vector says? -1 stands for no value. */
static bool check_vector(const struct pt_formula *formula, uint32_t address, int64_t expected,
                         bool as_address, char sentence[256])
{
        char is[32], wanted[32], of[32];
        uint64_t value = 0;
        bool has = pt_formula_evaluate(formula, address, &value);

        /* What is wider than an address is none. */
        if (as_address && value > UINT32_MAX)
                has = false;
        if (has ? expected >= 0 && value == (uint64_t)expected : expected < 0)
                return true;
        write_value(of, true, address, true);
        write_value(is, has, value, as_address);
        write_value(wanted, expected >= 0, (uint64_t)expected, as_address);
        snprintf(sentence, 256, "the %s expression gives %s for %s, and the vector says %s",
                 as_address ? "address" : "port", is, of, wanted);
        return false;
}

size_t pt_rule_check_vectors(const struct pt_rule *rule, char sentence[256])
{
        for (size_t i = 0; i < rule->vector_count; i++) {
                const struct pt_rule_vector *v = &rule->vectors[i];

                if (v->has_port && !check_vector(rule->port, v->address, v->port, false, sentence))
                        return i + 1;
                if (v->has_result &&
                    !check_vector(rule->address, v->address, v->result, true, sentence))
                        return i + 1;
        }
        return 0;
}
