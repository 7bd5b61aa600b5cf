/*
 * plan: how an engine's budget is divided. All memory is taken once, when it is made.
 */
#pragma once

#include "engine/state.h"

/* Of the messages looked at together, of the one whose time was in doubt, of one made of others. */
#define PT_PLAN_ADDRESSES ((size_t)3 * PT_MESSAGE_ADDRESSES)

/* What the fixed parts take; the rest of the budget is for hosts. */
struct pt_plan {
        uint32_t twins;
        uint32_t queries;
        uint32_t syns;
        uint32_t expected;
        uint32_t told;
        uint32_t held;
        uint32_t campaigns;
        uint32_t outbreaks;
        uint32_t seen_clients;
        uint32_t yields;
        size_t fragments;
        size_t streams;
        struct pt_history_room history;
        struct pt_outcomes_room outcomes;
        size_t hosts;
};

/* 0, or -EINVAL where the budget is too small. */
int pt_plan_memory(const struct pt_settings *settings, struct pt_plan *ret);
