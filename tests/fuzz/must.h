/* must: what has to hold whatever the input; a fuzzer and a debugger both stop here. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#define MUST(condition)                                                                            \
        do {                                                                                       \
                if (!(condition)) {                                                                \
                        fprintf(stderr, "%s:%d: must hold: %s\n", __FILE__, __LINE__, #condition); \
                        abort();                                                                   \
                }                                                                                  \
        } while (0)
