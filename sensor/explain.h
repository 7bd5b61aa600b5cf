/*
 * explain: what every rule calculates from an address, how, and which limit would drop it.
 */
#pragma once

#include <stdio.h>

#include "rule/rule.h"
#include "options.h"

/* 0, or -ENOMEM. The address is one that pt_address_parse() reads. */
int pt_explain(FILE *file, const struct pt_rules *rules, const struct pt_options *options,
               const char *address);
