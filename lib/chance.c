#include "chance.h"

double pt_chance(const struct pt_rule *rule, unsigned candidates)
{
        double values = rule->address ? 4294967296.0 : (double)rule->ports_admitted;
        double chance = (double)candidates / values;

        return chance < 1 ? chance : 1;
}
