#include <criterion/criterion.h>
#include <string.h>

#include "io/logs/instant.h"

/* date -u -d ... +%s says the same. */
Test(instant, times_are_read_as_zeek_and_suricata_write_them)
{
        static const struct {
                const char *text;
                int64_t time;
        } rows[] = {
                {"1591367999.305988", INT64_C(1591367999305988000)},
                {"1764000000", INT64_C(1764000000000000000)},
                {"0.5", 500000000},
                {"2020-03-05T02:49:15.651291+0000", INT64_C(1583376555651291000)},
                {"2020-03-05T02:49:15.651291Z", INT64_C(1583376555651291000)},
                {"2015-10-20T16:07:21.584630-0600", INT64_C(1445378841584630000)},
                {"2026-08-28T23:24:37.607735+08:00", INT64_C(1787930677607735000)},
                {"2017-07-05T18:13:00+0000", INT64_C(1499278380000000000)},
        };
        int64_t time;

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                cr_expect(pt_instant_parse(rows[i].text, strlen(rows[i].text), &time), "%s",
                          rows[i].text);
                cr_expect_eq(time, rows[i].time, "%s: %lld", rows[i].text, (long long)time);
        }
}

Test(instant, anything_else_is_no_time)
{
        static const char *const texts[] = {
                "",
                "-",
                "-1.0",
                "1e9",
                "1764000000.",
                "1764000000.1x",
                "99999999999",
                "2020-02-30T00:00:00Z",
                "2020-13-01T00:00:00Z",
                "2020-03-05T02:49:15",
                "2020-03-05T24:00:00Z",
                "2020-03-05T02:49:15+9900",
                "1969-12-31T23:59:59Z",
                "2020-03-05",
        };
        int64_t time;

        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
                cr_expect(!pt_instant_parse(texts[i], strlen(texts[i]), &time), "%s", texts[i]);
        cr_expect(!pt_instant_parse("1\0"
                                    "5",
                                    3, &time));
        cr_expect(pt_instant_span("0.066852", 8, &time) && time == 66852000);
        cr_expect(!pt_instant_span("86401", 5, &time));
}
