#include "io/capture/sieve.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

/* IPv4, UDP, from 192.0.2.1 port 1000 to 192.0.2.2 port 53; 14 octets of Ethernet before it. */
static const uint8_t ethernet[] = {
        2, 0,  0,  0, 0, 1,   2, 0, 0, 0,   0, 2, 8, 0, 0x45, 0, 0,  28, 0, 0, 0,
        0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 3, 0xe8, 0, 53, 0,  8, 0, 0,
};

static struct pt_frame frame(int linktype)
{
        size_t skipped = linktype == PT_LINK_ETHERNET ? 0 : 14;

        return (struct pt_frame){
                .bytes = ethernet + skipped,
                .captured = (uint32_t)(sizeof ethernet - skipped),
                .length = (uint32_t)(sizeof ethernet - skipped),
                .linktype = linktype,
        };
}

static int passes(const char *expression, int linktype)
{
        struct pt_frame f = frame(linktype);
        char reason[PT_SIEVE_REASON] = "";
        struct pt_sieve *filter;
        int r;

        cr_assert_eq(pt_sieve_new(expression, &filter), 0);
        r = pt_sieve_passes(filter, &f, reason);
        cr_expect_eq(pt_sieve_passes(filter, &f, reason), r); /* compiled before */
        cr_expect_eq(r == -EINVAL, strlen(reason) > 0);
        cr_expect_null(pt_sieve_free(filter));
        return r;
}

Test(sieve, each_link_type_has_its_own_program)
{
        cr_expect_eq(passes("udp port 53", PT_LINK_ETHERNET), 1);
        cr_expect_eq(passes("udp port 53", PT_LINK_RAW), 1);
        cr_expect_eq(passes("udp port 53", PT_LINK_RAW_OPENBSD), 1);
        cr_expect_eq(passes("udp port 53", PT_LINK_IPV4), 1);
        cr_expect_eq(passes("udp port 54", PT_LINK_ETHERNET), 0);
        cr_expect_eq(passes("udp port 54", PT_LINK_RAW), 0);
        cr_expect_eq(passes("ether host 02:00:00:00:00:01", PT_LINK_ETHERNET), 1);
}

Test(sieve, one_that_means_nothing_for_a_link_type_is_refused)
{
        cr_expect_eq(passes("ether host 02:00:00:00:00:01", PT_LINK_RAW), -EINVAL);
}

Test(sieve, frames_that_are_not_read_pass)
{
        cr_expect_eq(passes("udp port 54", 9999), 1);
}

Test(sieve, several_link_types_in_turn)
{
        char reason[PT_SIEVE_REASON];
        struct pt_sieve *filter;

        cr_assert_eq(pt_sieve_new("udp port 53", &filter), 0);
        for (int round = 0; round < 3; round++) {
                struct pt_frame a = frame(PT_LINK_ETHERNET), b = frame(PT_LINK_RAW);

                cr_expect_eq(pt_sieve_passes(filter, &a, reason), 1);
                cr_expect_eq(pt_sieve_passes(filter, &b, reason), 1);
        }
        pt_sieve_free(filter);
        cr_expect_null(pt_sieve_free(NULL));
}

Test(sieve, a_wrong_expression_has_a_reason)
{
        char reason[PT_SIEVE_REASON] = "";

        cr_expect_eq(pt_sieve_check("tcp prot 80", reason), -EINVAL);
        cr_expect(strstr(reason, "syntax error"), "%s", reason);
        cr_expect_eq(pt_sieve_check("tcp port 80", reason), 0);
}
