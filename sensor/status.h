/*
 * status: how the program ends (design 7).
 */
#pragma once

enum pt_status {
        PT_STATUS_DONE = 0,
        PT_STATUS_USAGE = 1, /* wrong usage, configuration or rules */
        PT_STATUS_INPUT = 2, /* an input could not be read, or was cut */
        PT_STATUS_START = 3, /* could not start, or lost its capture or an output */
        PT_STATUS_GO = -1,   /* nothing has ended yet */
};
