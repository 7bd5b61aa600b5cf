/* instant: times as logs write them -> nanoseconds since 1970. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * "1591367999.305988", or a date with its clock: "2020-03-05T02:49:15.651291+0000", with Z or
 * +HH:MM as well. False for anything else, and for times before 1970 or after 2106.
 */
bool pt_instant_parse(const char *text, size_t length, int64_t *ret);

/* Seconds with a fraction, as "0.066852": a length of time. False if they are not, or above a day.
 */
bool pt_instant_span(const char *text, size_t length, int64_t *ret);
