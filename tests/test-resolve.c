#include "io/output/resolve.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

/* The first address of a name as text, or why there is none. */
static const char *look_up(const char *host, int *ret_waits)
{
        static char text[INET6_ADDRSTRLEN];
        const struct addrinfo *addresses;
        struct pt_resolve *resolve;
        const char *why = NULL;
        int r;

        *ret_waits = 0;
        cr_assert_eq(pt_resolve_start(host, "5044", &resolve), 0);
        while ((r = pt_resolve_result(resolve, &addresses, &why)) == -EINPROGRESS) {
                cr_assert_lt(++*ret_waits, 4000);
                poll(NULL, 0, 5);
        }
        if (r < 0) {
                cr_expect_eq(r, -EHOSTUNREACH);
                pt_resolve_free(resolve);
                return why;
        }
        cr_assert_eq(getnameinfo(addresses->ai_addr, addresses->ai_addrlen, text, sizeof text, NULL,
                                 0, NI_NUMERICHOST),
                     0);
        cr_expect_null(pt_resolve_free(resolve));
        return text;
}

Test(resolve, numbers_are_answered_at_once)
{
        int waits;

        cr_expect_str_eq(look_up("192.0.2.7", &waits), "192.0.2.7");
        cr_expect_eq(waits, 0);
        cr_expect_str_eq(look_up("2001:db8::7", &waits), "2001:db8::7");
        cr_expect_eq(waits, 0);
}

/* /etc/hosts. A thread answers, and signals are not for it. */
Test(resolve, a_name_is_looked_up_aside, .timeout = 60)
{
        int waits;
        const char *address = look_up("localhost", &waits);

        cr_expect(!strcmp(address, "127.0.0.1") || !strcmp(address, "::1"), "%s", address);
}

/* RFC 6761: .invalid does not exist; without a resolver, that it cannot be asked. */
Test(resolve, a_name_that_is_none_says_why, .timeout = 60)
{
        int waits;

        cr_expect_gt(strlen(look_up("no-such-host.invalid", &waits)), 10);
}

Test(resolve, a_question_that_nobody_waits_for_ends_by_itself, .timeout = 60)
{
        struct pt_resolve *resolve;

        for (int i = 0; i < 8; i++) {
                cr_assert_eq(pt_resolve_start("localhost", "5044", &resolve), 0);
                cr_expect_null(pt_resolve_free(resolve));
        }
        cr_expect_null(pt_resolve_free(NULL));
        poll(NULL, 0, 300); /* under the sanitizer, what a thread left would be told */
}
