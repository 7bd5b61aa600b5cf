#include "judge/chance.h"

#include "make.h"

#include <criterion/criterion.h>
#include <math.h>

/* Design 5: chance = 1 - (1 - share) ^ tries. Expected values by hand, or by bc(1) at 30 digits. */
static const struct {
        double share;
        unsigned tries;
        double expected;
        const char *why;
} rows[] = {
        {0, 100, 0, "nothing goes there"},
        {1.0 / 45045, 1, 1.0 / 45045, "one try has the share itself"},
        {1.0 / 45045, 100, 2.21756442534384e-3, "1 - (45044/45045)^100"},
        {1e-12, 1000, 9.999999995005e-10, "what is small beside 1 is not lost"},
        {0.5, 2, 0.75, "1 - 1/4"},
        {0.5, 10, 1 - 1.0 / 1024, "1 - 2^-10"},
        {1, 1, 1, "certain"},
        {1.5, 3, 1, "shares of many candidates may add up to more than 1"},
};

Test(chance, it_is_that_of_a_try_at_least_once) /* design 5 */
{
        for (size_t i = 0; i < ROWS(rows); i++) {
                double is = pt_chance(rows[i].share, rows[i].tries);

                cr_expect(fabs(is - rows[i].expected) <= rows[i].expected * 1e-9, "%s: %.12g",
                          rows[i].why, is);
        }
        cr_expect(fabs(pt_chance_addresses(40) - 40 / 4294967296.0) < 1e-20);
}

static const struct {
        int severity;
        double chance;
        int expected;
        const char *why;
} steps[] = {
        {73, 4.9e-4, 73, "below the step"},  {73, 5e-4, 47, "one step down"},
        {47, 5e-4, 21, "one step down"},     {21, 5e-4, 21, "never below 21"},
        {73, 1.9e-3, 47, "below the floor"}, {73, 2e-3, 21, "to the floor"},
        {47, 1, 21, "and no further"},
};

Test(chance, it_lowers_a_severity_by_a_step_and_to_the_floor) /* design 5 */
{
        const struct pt_chance_settings settings = {PT_CHANCE_STEP, PT_CHANCE_FLOOR};
        const struct pt_chance_settings off = {1, 1}, only_floor = {1, PT_CHANCE_FLOOR};

        for (size_t i = 0; i < ROWS(steps); i++) {
                int is = pt_chance_severity(&settings, steps[i].severity, steps[i].chance);

                cr_expect(is == steps[i].expected, "%d at %g, %s: %d", steps[i].severity,
                          steps[i].chance, steps[i].why, is);
                cr_expect(pt_chance_severity(&off, steps[i].severity, steps[i].chance) ==
                          steps[i].severity);
        }
        cr_expect(pt_chance_severity(&only_floor, 73, 1.9e-3) == 73);
        cr_expect(pt_chance_severity(&only_floor, 73, 2e-3) == 21);
}
