/*
 * tap: one interface that is captured. A part of live, which knows of several.
 */
#pragma once

#include "portent.h"
#include "io/live/carrier.h"
#include "io/live/live.h"

struct pt_tap;

/*
 * 0, or a negative errno with a sentence. Borrows the name and the notify of the settings.
 * `beside`: with the second handle of the interface, which tells nothing of what becomes of it.
 */
int pt_tap_open(const struct pt_live_settings *settings, uint32_t place, bool beside,
                const struct pt_carrier *carrier, struct pt_tap **ret, char sentence[256]);
struct pt_tap *pt_tap_free(struct pt_tap *tap);

/* What to poll: -1 while its interface is awaited, and while a frame is held that was not taken. */
int pt_tap_descriptor(const struct pt_tap *tap);

/* Compare what is captured with what there is: tell changes, bind anew. */
void pt_tap_look(struct pt_tap *tap, const struct pt_carrier *carrier, int64_t now);

/* The frame at the front, valid until it is taken; NULL if there is none now. */
const struct pt_frame *pt_tap_peek(struct pt_tap *tap);
void pt_tap_take(struct pt_tap *tap);

/* May frames come: is its interface there, and its link up? */
bool pt_tap_is_up(const struct pt_tap *tap);

/* Is there one that was looked at and not taken? */
bool pt_tap_holds(const struct pt_tap *tap);

/* Did reading fail since the last look? */
bool pt_tap_failed(const struct pt_tap *tap);

struct pt_live_stats pt_tap_stats(struct pt_tap *tap);

/* Of one beside: follow these connections. 0, or a negative errno. */
int pt_tap_follow(struct pt_tap *tap, const struct pt_followed *list, size_t count);
