#include "../sensor/progress.h"

#include <criterion/criterion.h>

#define SECOND INT64_C(1000000000)
#define MIB (UINT64_C(1) << 20)

/* Hand arithmetic: rate = taken / elapsed, left = (total - taken) / rate. */
Test(progress, rate_and_time_left_are_by_octets)
{
        static const struct {
                uint64_t taken, total;
                int64_t elapsed;
                const char *text;
        } rows[] = {
                {512 * MIB, 1024 * MIB, SECOND,
                 "50 %, 512.0 MiB of 1.0 GiB, 512.0 MiB/s, 1 s left"},
                {100 * MIB, 1000 * MIB, 10 * SECOND,
                 "10 %, 100.0 MiB of 1000.0 MiB, 10.0 MiB/s, 1 min 30 s left"},
                {1 * MIB, 1001 * MIB, 10 * SECOND,
                 "0 %, 1.0 MiB of 1001.0 MiB, 102.4 KiB/s, 2 h 46 min left"},
                {1000, 1000, SECOND, "100 %, 1000 B of 1000 B, 1000 B/s, 0 s left"},
                {3 * MIB, 0, 2 * SECOND, "3.0 MiB, 1.5 MiB/s"},       /* a pipe */
                {3 * MIB, 2 * MIB, 2 * SECOND, "3.0 MiB, 1.5 MiB/s"}, /* it has grown */
                {0, 2 * MIB, SECOND, "0 B, 0 B/s"},
        };

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                char text[PT_PROGRESS_TEXT];

                cr_expect_str_eq(
                        pt_progress_format(rows[i].taken, rows[i].total, rows[i].elapsed, text),
                        rows[i].text);
        }
}
