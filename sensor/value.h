/*
 * value: durations, sizes, ranges of ports and addresses with a port, as people write them and as
 * they are shown again; and how far a word that people wrote is from one that they may have meant.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

#define PT_VALUE_TEXT 32 /* octets that the format functions write at most, with the final NUL */

struct pt_ports {
        uint16_t low;
        uint16_t high;
};

/* A whole number and ns, us, ms, s, m, h or d: "10m". Nanoseconds. False for anything else. */
bool pt_duration_parse(const char *text, int64_t *ret);
const char *pt_duration_format(int64_t duration, char ret[PT_VALUE_TEXT]);

/* A whole number of octets, or of K, M or G (powers of 1024): "64M". False for anything else. */
bool pt_size_parse(const char *text, int64_t *ret);
const char *pt_size_format(int64_t size, char ret[PT_VALUE_TEXT]);

/* "4096-49151", or one port. False for anything else, and for a range that begins behind its end.
 */
bool pt_ports_parse(const char *text, struct pt_ports *ret);
const char *pt_ports_format(struct pt_ports ports, char ret[PT_VALUE_TEXT]);

/*
 * An address, or one with a port behind it: "192.0.2.1", "192.0.2.1:443", "2001:db8::1",
 * "[2001:db8::1]:443". The port is 0 where there is none. False for anything else.
 */
bool pt_endpoint_parse(const char *text, struct pt_address *ret, uint16_t *ret_port);

/*
 * How many letters must be put in, left out, changed, or swapped with the next to make one word of
 * the other. Capitals are as small letters. SIZE_MAX for a word of PT_VALUE_TEXT octets or more.
 */
size_t pt_word_distance(const char *a, const char *b);
