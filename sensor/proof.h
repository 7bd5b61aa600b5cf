/*
 * proof: with --evidence, the packets behind each alert go to a file of their own. It stands
 * between the engine and the outputs: the packets are in the file before the alert that names it is
 * written.
 */
#pragma once

#include "portent.h"
#include "output.h"

struct pt_proof;

struct pt_proof_settings {
        const char *path;
        bool live;
        struct pt_observer *observer; /* its evidence fields are written for each alert */
        struct pt_output *output;     /* where events go on to */
        struct pt_notify notify;      /* told when the file cannot be written, and when it can */
};

/* Totals since the start. */
struct pt_proof_stats {
        uint64_t packets;    /* in the file */
        uint64_t incomplete; /* alerts with fewer packets than they rest on */
        uint64_t failed;     /* of these, alerts whose packets could not be written */
};

/* 0, or a negative errno; it has been said. The strings are borrowed. */
int pt_proof_open(const struct pt_proof_settings *settings, struct pt_proof **ret);

/* Takes NULL. Returns NULL. */
struct pt_proof *pt_proof_free(struct pt_proof *proof);

/* What the engine tells goes here. */
struct pt_receiver pt_proof_receiver(struct pt_proof *proof);

struct pt_proof_stats pt_proof_stats(const struct pt_proof *proof);
