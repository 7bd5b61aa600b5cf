/*
 * eve: lines of Suricata's EVE output, one JSON object each: DNS of versions 1, 2 and 3, and flows.
 *
 * Version 1 has a line for each record of an answer, and the owner of the record stands where the
 * question would; versions 2 and 3 have a line for each answer, with its records one by one, or
 * grouped by type without owners and TTLs. A flow is logged when it ends, and counts if its
 * client's SYN was seen.
 */
#pragma once

#include <jansson.h>

#include "io/logs/said.h"

bool pt_eve_is(const json_t *object);

enum pt_said_kind pt_eve_line(const json_t *object, struct pt_said *said);
