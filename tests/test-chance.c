#include "chance.h"

#include "make.h"

#include <criterion/criterion.h>
#include <math.h>

/*
 * Design 5: until there is a history, the chance is the base rate of the
 * candidates among the ports that the rule admits; 1 / 2^32 each for calculated addresses.
 */

static double chance_of(const char *text, unsigned candidates)
{
        struct pt_rules *rules = make_rules(&text, 1);
        double chance = pt_chance(rules->list[0], candidates);

        pt_rules_free(rules);
        return chance;
}

#define NINE_PORTS RULE("nine", "\"port\": \"o1\", \"limits\": {\"ports\": [\"1-10\"], "        \
                                "\"exclude_ports\": [7]}")
#define BOTH RULE("both", "\"port\": \"o1\", \"address\": \"swap16(addr)\", "                   \
                          "\"limits\": {\"ports\": [\"1-10\"]}")

static const struct {
        const char *rule;
        unsigned candidates;
        double expected;
        const char *why;
} rows[] = {
        /* 4096..49151 are 45056 ports, less 11 that are excluded: 45045 */
        {APT12, 1, 1.0 / 45045, "one port of all that it admits"},
        {APT12, 10, 10.0 / 45045, "ten addresses, ten ports"},
        {VARIANT, 1, 1.0 / 45045, "the same limits"},
        {SWAP16, 1, 1.0 / 4294967296.0, "an address of 2^32"},
        {SWAP16, 40, 40.0 / 4294967296.0, "forty of them"},
        {BOTH, 1, 1.0 / 4294967296.0, "the address decides"},
        {NINE_PORTS, 1, 1.0 / 9, "ten ports less one"},
        {NINE_PORTS, 9, 1, "all there are"},
        {NINE_PORTS, 50, 1, "never more than certain"},
        {APT12, 0, 0, "nothing could match"},
};

Test(chance, it_is_the_part_of_the_candidates_among_what_the_rule_admits) /* design 5 */
{
        for (size_t i = 0; i < ROWS(rows); i++) {
                double is = chance_of(rows[i].rule, rows[i].candidates);

                cr_expect(fabs(is - rows[i].expected) <= rows[i].expected * 1e-12, "%s: %g",
                          rows[i].why, is);
        }
}
