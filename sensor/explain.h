/*
 * explain: what every rule calculates from an address, how, and which limit would drop it; and of
 * an address with a port, which rules give that port, and which do not.
 */
#pragma once

#include <stdio.h>

#include "rule/rule.h"
#include "options.h"

/* 0, or -ENOMEM. The text is one that pt_endpoint_parse() reads. */
int pt_explain(FILE *file, const struct pt_rules *rules, const struct pt_options *options,
               const char *text);
