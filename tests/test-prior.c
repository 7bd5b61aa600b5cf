#include "rule/prior.h"

#include "make.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>

static int read_text(const char *text, struct pt_prior **ret, struct pt_rule_error *error)
{
        memset(error, 0, sizeof *error);
        return pt_prior_read("ports.json", text, strlen(text), ret, error);
}

static double sum_of(const struct pt_prior *prior)
{
        double sum = 0;

        for (size_t port = 0; port < 65536; port++)
                sum += (double)prior->share[port];
        return sum;
}

/* A quarter evenly on 65535 ports; three quarters on 10, 11 and 20, as 1 : 1 : 4. */
Test(prior, weights_are_shared_out) /* design 5 */
{
        struct pt_prior *prior;
        struct pt_rule_error error;
        const double even = 0.25 / 65535;

        cr_assert_eq(read_text("{\"#\": \"why\", \"uniform\": 0.25,"
                               " \"ports\": {\"10-11\": 1, \"20\": 4, \"#\": 0}}",
                               &prior, &error),
                     0);
        cr_expect(fabs((double)prior->share[10] - (even + 0.125)) < 1e-7);
        cr_expect(fabs((double)prior->share[11] - (even + 0.125)) < 1e-7);
        cr_expect(fabs((double)prior->share[20] - (even + 0.5)) < 1e-7);
        cr_expect(fabs((double)prior->share[65535] - even) < 1e-12);
        cr_expect((double)prior->share[0] <= 0, "there is no port 0");
        cr_expect(fabs(sum_of(prior) - 1) < 1e-4);
        free(prior);
}

Test(prior, without_weights_all_are_alike)
{
        struct pt_prior *prior;
        struct pt_rule_error error;

        cr_assert_eq(read_text("{\"uniform\": 0.25, \"ports\": {}}", &prior, &error), 0);
        cr_expect(fabs((double)prior->share[443] * 65535 - 1) < 1e-6);
        free(prior);
        cr_assert_eq(pt_prior_uniform(&prior), 0);
        cr_expect(fabs((double)prior->share[1] * 65535 - 1) < 1e-6);
        cr_expect(fabs(sum_of(prior) - 1) < 1e-4);
        free(prior);
}

static const struct {
        const char *text;
        unsigned line;
        const char *path, *sentence;
} faults[] = {
        {"{\"ports\": {}}", 1, "", "the key \"uniform\" is missing"},
        {"{\"uniform\": 0}", 1, "uniform", "a number above 0 and up to 1 is expected"},
        {"{\"uniform\": 1.5}", 1, "uniform", "a number above 0 and up to 1 is expected"},
        {"{\"uniform\": \"1\"}", 1, "uniform", "a number above 0 and up to 1 is expected"},
        {"{\"uniform\": 1,\n\"ports\": 3}", 2, "ports", "an object is expected"},
        {"{\"uniform\": 1,\n\"ports\": {\n\"http\": 1}}", 3, "ports.http",
         "a port or a range as 6881-6889 is expected"},
        {"{\"uniform\": 1, \"ports\": {\"7-\": 1}}", 1, "ports.7-",
         "a port or a range as 6881-6889 is expected"},
        {"{\"uniform\": 1, \"ports\": {\"-7\": 1}}", 1, "ports.-7",
         "a port or a range as 6881-6889 is expected"},
        {"{\"uniform\": 1, \"ports\": {\"\": 1}}", 1, "ports.",
         "a port or a range as 6881-6889 is expected"},
        {"{\"uniform\": 1, \"ports\": {\"0\": 1}}", 1, "ports.0",
         "ports are 1 to 65535, the lower one first"},
        {"{\"uniform\": 1, \"ports\": {\"9-7\": 1}}", 1, "ports.9-7",
         "ports are 1 to 65535, the lower one first"},
        {"{\"uniform\": 1, \"ports\": {\"65536\": 1}}", 1, "ports.65536",
         "ports are 1 to 65535, the lower one first"},
        {"{\"uniform\": 1, \"ports\": {\"99999999999999999999\": 1}}", 1,
         "ports.99999999999999999999", "a port or a range as 6881-6889 is expected"},
        {"{\"uniform\": 1, \"ports\": {\"7\": 0}}", 1, "ports.7",
         "a weight above 0 and up to 1e9 is expected"},
        {"{\"uniform\": 1, \"ports\": {\"7\": 1e300}}", 1, "ports.7",
         "a weight above 0 and up to 1e9 is expected"},
};

Test(prior, what_is_wrong_is_said_with_its_place)
{
        for (size_t i = 0; i < ROWS(faults); i++) {
                struct pt_prior *prior = NULL;
                struct pt_rule_error error;

                cr_expect_eq(read_text(faults[i].text, &prior, &error), -EINVAL, "%s",
                             faults[i].text);
                cr_expect_null(prior);
                cr_expect_eq(error.line, faults[i].line, "%s: %u", faults[i].text, error.line);
                cr_expect_str_eq(error.path, faults[i].path);
                cr_expect_str_eq(error.sentence, faults[i].sentence);
        }
}
