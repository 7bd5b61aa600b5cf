#include "base/counter.h"

static const struct {
        const char *name;
        const char *description;
} counters[PT_COUNTS] = {
#define PT_COUNTER_ROW(name, text, description) [PT_COUNT_##name] = {text, description},
        PT_COUNTERS(PT_COUNTER_ROW)
#undef PT_COUNTER_ROW
};

const char *pt_counter_name(enum pt_counter counter)
{
        return counters[counter].name;
}

const char *pt_counter_description(enum pt_counter counter)
{
        return counters[counter].description;
}
