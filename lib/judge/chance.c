#include "judge/chance.h"

#include <math.h>

#include "judge/verdict.h"

/* 1 - (1 - share)^tries, without losing what is small beside 1. */
double pt_chance(double share, unsigned tries)
{
        return share < 1 ? -expm1(tries * log1p(-share)) : 1;
}

double pt_chance_addresses(unsigned candidates)
{
        return (double)candidates / 4294967296.0;
}

int pt_chance_severity(const struct pt_chance_settings *settings, int severity, double chance)
{
        if (settings->floor < 1 && chance >= settings->floor)
                return PT_SEVERITY_LOW;
        if (settings->step >= 1 || chance < settings->step)
                return severity;
        return severity > PT_SEVERITY_MEDIUM ? PT_SEVERITY_MEDIUM : PT_SEVERITY_LOW;
}
