#include "rule/prior.h"

#include <errno.h>
#include <stdlib.h>

#include "rule/rule.h"
#include "rule/strict.h"

#define PORTS 65535 /* port 0 is none */

int pt_prior_uniform(struct pt_prior **ret)
{
        struct pt_prior *prior = calloc(1, sizeof *prior);

        if (!prior)
                return -ENOMEM;
        for (unsigned port = 1; port <= PORTS; port++)
                prior->share[port] = (float)(1.0 / PORTS);
        *ret = prior;
        return 0;
}

/* What the file says, before it is made a distribution. */
struct reading {
        double uniform;
        double *weight; /* of each port */
};

static int read_uniform(struct pt_strict *s, json_t *value, void *into)
{
        double *uniform = into;

        if (!json_is_number(value) || json_number_value(value) <= 0 || json_number_value(value) > 1)
                return pt_strict_refuse(s, "a number above 0 and up to 1 is expected");
        *uniform = json_number_value(value);
        return 0;
}

/* "5222" or "6881-6889", with nothing before or behind. */
static int read_range(struct pt_strict *s, const char *key, unsigned *ret_low, unsigned *ret_high)
{
        unsigned numbers[2] = {0, 0};
        size_t count = 0;

        for (const char *p = key; count < 2; p++) {
                if (*p >= '0' && *p <= '9' && numbers[count] <= PORTS)
                        numbers[count] = numbers[count] * 10 + (unsigned)(*p - '0');
                else if (*p == '-' && count == 0 && p > key)
                        count = 1;
                else if (!*p && p > key && p[-1] != '-')
                        break;
                else
                        return pt_strict_refuse(s, "a port or a range as 6881-6889 is expected");
        }
        *ret_low = numbers[0];
        *ret_high = count ? numbers[1] : numbers[0];
        if (*ret_low == 0 || *ret_high > PORTS || *ret_low > *ret_high)
                return pt_strict_refuse(s, "ports are 1 to 65535, the lower one first");
        return 0;
}

static int read_weight(struct pt_strict *s, const char *key, json_t *value, double *weight)
{
        unsigned low = 0, high = 0;
        int r = read_range(s, key, &low, &high);

        if (r < 0)
                return r;
        if (!json_is_number(value) || json_number_value(value) <= 0 ||
            json_number_value(value) > 1e9)
                return pt_strict_refuse(s, "a weight above 0 and up to 1e9 is expected");
        for (unsigned port = low; port <= high; port++)
                weight[port] += json_number_value(value);
        return 0;
}

static int read_ports(struct pt_strict *s, json_t *object, void *into)
{
        double *weight = *(double **)into;
        const char *key;
        json_t *value;
        int r = 0;

        if (!json_is_object(object))
                return pt_strict_refuse(s, "an object is expected");
        json_object_foreach(object, key, value)
        {
                if (*key == '#')
                        continue;
                pt_strict_enter_key(s, object, key);
                r = read_weight(s, key, value, weight);
                pt_strict_leave(s);
                if (r < 0)
                        break;
        }
        return r;
}

static const struct pt_strict_key keys[] = {
        {"uniform", read_uniform, offsetof(struct reading, uniform)},
        {"ports", read_ports, offsetof(struct reading, weight)},
};

static void distribute(const struct reading *reading, struct pt_prior *prior)
{
        double uniform = reading->uniform, sum = 0;

        for (unsigned port = 1; port <= PORTS; port++)
                sum += reading->weight[port];
        if (sum <= 0)
                uniform = 1;
        for (unsigned port = 1; port <= PORTS; port++)
                prior->share[port] =
                        (float)(uniform / PORTS +
                                (sum > 0 ? (1 - uniform) * reading->weight[port] / sum : 0));
}

static int read_text(const char *text, size_t length, struct reading *reading,
                     struct pt_strict_error *at)
{
        struct pt_strict s;
        json_t *json;
        int r = pt_strict_parse(&s, text, length, at, &json);

        if (r < 0)
                return r;
        r = pt_strict_object(&s, json, keys, sizeof keys / sizeof *keys, reading);
        if (r == 0 && reading->uniform <= 0)
                r = pt_strict_refuse(&s, "the key \"uniform\" is missing");
        json_decref(json);
        return r;
}

int pt_prior_read(const char *file, const char *text, size_t length, struct pt_prior **ret,
                  struct pt_rule_error *error)
{
        struct reading reading = {.weight = calloc(PORTS + 1, sizeof(double))};
        struct pt_prior *prior = calloc(1, sizeof *prior);
        struct pt_strict_error at = {0};
        int r = reading.weight && prior ? read_text(text, length, &reading, &at) : -ENOMEM;

        if (r == -EINVAL)
                pt_rule_error_write(error, file, &at);
        if (r == 0)
                distribute(&reading, prior);
        free(reading.weight);
        if (r < 0) {
                free(prior);
                return r;
        }
        *ret = prior;
        return 0;
}
