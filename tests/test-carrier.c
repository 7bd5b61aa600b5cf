/* What can be asked without any privilege; changes are the business of tests/live. */
#include "io/live/carrier.h"

#include <criterion/criterion.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <net/if.h>

static struct pt_carrier *carrier;

static void begin(void)
{
        cr_assert_eq(pt_carrier_new(&carrier), 0);
}

static void end(void)
{
        carrier = pt_carrier_free(carrier);
        cr_expect_null(pt_carrier_free(NULL));
}

TestSuite(carrier, .init = begin, .fini = end);

Test(carrier, the_loopback_is_known)
{
        struct pt_carrier_state state = pt_carrier_look(carrier, "lo");

        cr_expect_eq(state.index, (int)if_nametoindex("lo"));
        cr_expect_eq(state.kind, ARPHRD_LOOPBACK);
}

Test(carrier, what_is_not_there_has_no_index)
{
        static const char *const names[] = {"no-such-link", "", "a-name-of-more-than-15-letters",
                                            "lo "};

        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
                struct pt_carrier_state state = pt_carrier_look(carrier, names[i]);

                cr_expect_eq(state.index, 0, "%s", names[i]);
                cr_expect(!state.up, "%s", names[i]);
        }
}

Test(carrier, where_notices_come_nothing_has_changed_by_itself)
{
        pt_carrier_changed(carrier); /* whatever was before */
        if (pt_carrier_descriptor(carrier) >= 0)
                cr_expect(!pt_carrier_changed(carrier));
        else
                cr_expect(pt_carrier_changed(carrier), "not known: look");
}
