/*
 * reckon: what chance (design 5) says of made traffic, worked out a second time and in the plainest
 * form, and the denominators of the evaluation. Nothing here shares code with lib/.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Reads 65 536 shares, one a line. */
void reckon_prior(FILE *file);

/* The client was given the address at this time (microseconds). */
void reckon_given(uint32_t client, uint32_t address, uint64_t time);

enum reckon_kind { RECKON_INNOCENT, RECKON_SCAN, RECKON_CAMPAIGN };

/*
 * A SYN of an inside client. Those of scans are innocent too, but have sums of their own; those of
 * campaigns count for the history of ports only.
 */
void reckon_syn(uint32_t client, uint32_t destination, uint16_t port, uint64_t time,
                enum reckon_kind kind);

/* What came of it, as members of a JSON object. */
void reckon_print(FILE *file);

uint32_t reckon_apt12(uint32_t address);
uint32_t reckon_variant(uint32_t address);

/* The port that the shipped rules give for a formula's value, 0 for none. */
uint16_t reckon_port(uint32_t value, bool wraps);
