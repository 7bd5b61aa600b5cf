/*
 * standing: which troubles there are now, and so whether the sensor runs well.
 */
#pragma once

#include "health.h"

/* What a notice is in documents. Those that begin something are ended by the next of the list. */
struct pt_standing_notice {
        const char *action;
        const char *alarm; /* of a beginning, and of its end */
        const char *outcome;
        bool begins, ends;
};

extern const struct pt_standing_notice pt_standing_notices[PT_NOTICE_KINDS];

enum pt_ecs_phase pt_standing_phase(const struct pt_health *health);

/* A notice that ends something ends what the one before it in the list began. */
void pt_standing_remember(struct pt_health *health, const struct pt_health_notice *notice);

/* How many there are that a notice of this kind began. */
uint64_t pt_standing_troubles(const struct pt_health *health, enum pt_notice_kind kind);
