#include "io/output/peer.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(peer, destinations_are_checked)
{
        static const struct {
                const char *text;
                int result;
        } rows[] = {
                {"unix:/run/x", 0},
                {"unix:", -EINVAL},
                {"tcp:host:1", 0},
                {"tcp:192.0.2.1:65535", 0},
                {"tcp:[::1]:5044", 0},
                {"tcp:[2001:db8::1]", -EINVAL},
                {"tcp:::1:5044", -EINVAL}, /* where would the port begin? */
                {"tcp:host", -EINVAL},
                {"tcp:host:", -EINVAL},
                {"tcp::5044", -EINVAL},
                {"tcp:[]:5044", -EINVAL},
                {"tcp:host:0", -EINVAL},
                {"tcp:host:65536", -EINVAL},
                {"tcp:host:syslog", -EINVAL},
                {"tcp:host:+1", -EINVAL},
                {"./unix:x", 1},
                {"tpc:host:1", -EINVAL},
                {"unx:/run/x", -EINVAL},
                {"UNIX:/run/x", -EINVAL},
                {"tcp6:[::1]:1", -EINVAL},
                {"http://host/", -EINVAL},
                {"file:/var/log/x", -EINVAL},
                {"C:", -EINVAL},
                {"./tpc:host:1", 1},
                {"/tpc:host:1", 1},
                {"folder/tpc:host:1", 1},
                {"log-10:00", 1},
                {"10:00", 1},
                {":x", 1},
                {"tpc", 1},
                {"-", 1},
        };
        char sentence[256], longer[160];

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
                cr_expect_eq(pt_peer_check(rows[i].text, sentence), rows[i].result, "%s",
                             rows[i].text);
        memset(longer, 'x', sizeof longer);
        memcpy(longer, "unix:", 5);
        longer[5 + 107] = '\0';
        cr_expect_eq(pt_peer_check(longer, sentence), 0);
        longer[5 + 107] = 'x';
        longer[5 + 108] = '\0';
        cr_expect_eq(pt_peer_check(longer, sentence), -EINVAL);
}

Test(peer, host_and_port)
{
        char host[8], service[6];

        cr_expect(pt_peer_split("h:1", host, sizeof host, service, sizeof service));
        cr_expect_str_eq(host, "h");
        cr_expect_str_eq(service, "1");
        cr_expect(pt_peer_split("[::1]:5044", host, sizeof host, service, sizeof service));
        cr_expect_str_eq(host, "::1");
        cr_expect_str_eq(service, "5044");
        cr_expect_not(pt_peer_split("12345678:1", host, sizeof host, service, sizeof service));
        cr_expect_not(pt_peer_split("h:123456", host, sizeof host, service, sizeof service));
}
