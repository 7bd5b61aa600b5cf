#include "../sensor/moment.h"

#include <criterion/criterion.h>

/* Seconds as date -u -d TEXT +%s gives them. */
Test(moment, times_are_read_as_rfc_3339_has_them)
{
        static const struct {
                const char *text;
                int64_t seconds, nanoseconds;
        } rows[] = {
                {"2026-11-24T19:57:03Z", 1795550223, 0},
                {"2026-11-24T19:57:03.25Z", 1795550223, 250000000},
                {"2026-11-24T19:57:03.123456789987Z", 1795550223, 123456789},
                {"2026-11-24t19:57:03z", 1795550223, 0},
                {"2026-11-24 19:57:03Z", 1795550223, 0},
                {"2026-11-24T20:57:03+01:00", 1795550223, 0},
                {"2026-11-24T14:27:03-05:30", 1795550223, 0},
                {"2026-11-24", 1795478400, 0},
                {"1970-01-01T00:00:00Z", 0, 0},
                {"2024-02-29T00:00:00Z", 1709164800, 0},
                {"2000-03-01T00:00:00Z", 951868800, 0},
                {"2100-03-01T00:00:00Z", 4107542400, 0},
                {"2016-12-31T23:59:60Z", 1483228800, 0}, /* a leap second */
                {"1795550223", 1795550223, 0},
                {"1795550223.000000001", 1795550223, 1},
                {"0", 0, 0},
        };

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                int64_t time = -1;

                cr_expect(pt_moment_parse(rows[i].text, &time), "%s", rows[i].text);
                cr_expect_eq(time, rows[i].seconds * 1000000000 + rows[i].nanoseconds, "%s: %lld",
                             rows[i].text, (long long)time);
        }
}

Test(moment, anything_else_is_refused)
{
        static const char *const rows[] = {
                "",
                "now",
                "yesterday",
                "-1",
                "1.",
                ".5",
                "1e9",
                "2026-11-24T19:57Z",
                "2026-11-24T19:57:03", /* which zone? */
                "2026-11-24T19:57:03+1:00",
                "2026-11-24T19:57:03+24:00",
                "2026-11-24T19:57:03Z ",
                " 2026-11-24T19:57:03Z",
                "2026-11-24T24:00:00Z",
                "2026-11-24T19:60:03Z",
                "2026-11-24T19:57:61Z",
                "2026-13-01",
                "2026-00-01",
                "2026-02-29",
                "2100-02-29",
                "2026-04-31",
                "2026-11-00",
                "1969-12-31T23:59:59Z",
                "1970-01-01T00:00:00+00:01",
                "9999-12-31T23:59:59Z",
                "9999999999999",
                "99999999999",
                "2026-11-24T19:57:03.Z",
                "24.11.2026",
        };

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                int64_t time = -7;

                cr_expect(!pt_moment_parse(rows[i], &time), "\"%s\"", rows[i]);
                cr_expect_eq(time, -7);
        }
}
