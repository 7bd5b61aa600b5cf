/*
 * selftest: does an alert get out? For a port rule and for an address rule an answer and a SYN are
 * made in memory that must match, and go the way of captured packets through decoding, memory,
 * rules, allow lists and outputs. Nothing is sent or captured.
 *
 * Addresses are those of documentation where a rule admits one of them (RFC 5737), and the name is
 * portent-self-test.invalid. What is written is marked by the observer: see pt_observer.test.
 */
#pragma once

#include "portent.h"
#include "output.h"

struct pt_selftest {
        const struct pt_settings *settings;
        const struct pt_rules *rules;
        struct pt_allow *allow;
        struct pt_output *output; /* is finished afterwards */
        int64_t now;              /* wall clock, nanoseconds */
        bool quiet;
};

/* True if each alert was made, and every output delivered it. Every step is said. */
bool pt_selftest(const struct pt_selftest *test);
