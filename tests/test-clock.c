#include "base/clock.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <stdlib.h>

/*
 * Expected values are counted by hand from design 4.12: engine time, in seconds after an origin
 * that no test depends on.
 */
#define ORIGIN (INT64_C(1700000000) * PT_SECOND)

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

static int64_t seconds(double s)
{
        return ORIGIN + (int64_t)(s * 1e9 + (s < 0 ? -0.5 : 0.5));
}

/* A clock fed as the engine feeds it. `told` holds what became of each packet, in order. */
struct feed {
        struct pt_clock clock;
        struct {
                int64_t time;
                enum pt_clock_step step;
        } told[64];
        size_t count;
};

static struct feed feed_new(void)
{
        return (struct feed){.clock = {.leap = PT_HOUR}};
}

static void feed_tell(struct feed *feed, int64_t time, enum pt_clock_step step)
{
        feed->told[feed->count].time = time;
        feed->told[feed->count++].step = step;
}

static void feed_settle(struct feed *feed, const int64_t *next)
{
        enum pt_clock_step step;
        int64_t time = pt_clock_settle(&feed->clock, next, &step);

        feed_tell(feed, time, step);
}

static void feed_packet(struct feed *feed, int64_t packet_time)
{
        int64_t time;

        if (feed->clock.waiting != PT_CLOCK_HERE)
                feed_settle(feed, &packet_time);
        if (pt_clock_read(&feed->clock, packet_time, &time) == PT_CLOCK_HERE)
                feed_tell(feed, time, PT_CLOCK_HERE);
}

static void feed_end(struct feed *feed)
{
        if (feed->clock.waiting != PT_CLOCK_HERE)
                feed_settle(feed, NULL);
}

struct packet {
        double time;     /* its own */
        double expected; /* engine time */
        enum pt_clock_step step;
};

static void expect(const struct packet *packets, size_t count, double now)
{
        struct feed feed = feed_new();

        for (size_t i = 0; i < count; i++)
                feed_packet(&feed, seconds(packets[i].time));
        feed_end(&feed);
        cr_assert_eq(feed.count, count);
        for (size_t i = 0; i < count; i++) {
                cr_expect_eq(feed.told[i].time, seconds(packets[i].expected),
                             "packet %zu: %.9f s is not %.9f s", i,
                             (double)(feed.told[i].time - ORIGIN) / 1e9, packets[i].expected);
                cr_expect_eq(feed.told[i].step, packets[i].step, "packet %zu: step %d", i,
                             feed.told[i].step);
        }
        cr_expect_eq(feed.clock.now, seconds(now));
}

#define HERE PT_CLOCK_HERE
#define BACK PT_CLOCK_BACK
#define AHEAD PT_CLOCK_AHEAD
#define DAY 86400.0
#define YEAR (365 * DAY)

Test(clock, times_in_order_are_taken_as_they_are) /* 4.12 */
{
        static const struct packet packets[] = {
                {0, 0, HERE},     {0.000000001, 0.000000001, HERE},
                {0.5, 0.5, HERE}, {0.5, 0.5, HERE},       /* time may stand still */
                {0.5, 0.5, HERE}, {3600.5, 3600.5, HERE}, /* ahead by exactly max_window: no jump */
        };

        expect(packets, ROWS(packets), 3600.5);
}

Test(clock, a_packet_up_to_a_second_behind_keeps_its_time_and_moves_nothing) /* 4.12 */
{
        static const struct packet packets[] = {
                {10, 10, HERE},     {9.5, 9.5, HERE},
                {9, 9, HERE}, /* exactly a second: not more than one */
                {10.5, 10.5, HERE}, {9.5, 9.5, HERE},
        };

        expect(packets, ROWS(packets), 10.5);
}

Test(clock, one_packet_with_a_foreign_time_changes_nothing) /* 4.12 */
{
        static const struct packet packets[] = {
                {10, 10, HERE},
                {8.999999999, 10, HERE}, /* a nanosecond more than a second behind */
                {11, 11, HERE},
                {3611.000000001, 11, HERE}, /* a nanosecond more than max_window ahead */
                {12, 12, HERE},
                {10 * YEAR, 12, HERE},
                {-10 * YEAR, 12, HERE}, /* foreign too, and of the other kind */
                {13, 13, HERE},
        };

        expect(packets, ROWS(packets), 13);
}

Test(clock, a_step_back_that_the_next_packet_confirms_goes_on_from_where_time_stood) /* 4.12 */
{
        static const struct packet packets[] = {
                {100, 100, HERE},     {50, 100, BACK}, /* began the epoch, and has the new time */
                {51, 101, HERE},      {50.5, 100.5, HERE},
                {60, 110, HERE},      {8, 110, BACK}, /* and a second epoch on top of it */
                {8.25, 110.25, HERE},
        };

        expect(packets, ROWS(packets), 110.25);
}

Test(clock, a_jump_ahead_that_the_next_packet_confirms_moves_time) /* 4.12 */
{
        static const struct packet packets[] = {
                {0, 0, HERE},
                {7200, 7200, AHEAD},
                {7200.5, 7200.5, HERE},
                {7200 + DAY, 7200 + DAY, AHEAD},
                {7201 + DAY, 7201 + DAY, HERE},
        };

        expect(packets, ROWS(packets), 7201 + DAY);
}

/* Nothing is remembered longer than that (four days are more than any hold or window). */
Test(clock, a_jump_of_ten_years_moves_time_by_four_days_and_it_goes_on_evenly) /* 4.12 */
{
        static const struct packet packets[] = {
                {0, 0, HERE},
                {10 * YEAR, 4 * DAY, AHEAD},
                {10 * YEAR + 1, 4 * DAY + 1, HERE},
                {10 * YEAR + 0.5, 4 * DAY + 0.5, HERE},
                {0, 4 * DAY + 1, BACK}, /* and back again */
                {1, 4 * DAY + 2, HERE},
        };

        expect(packets, ROWS(packets), 4 * DAY + 2);
}

Test(clock, at_the_end_of_the_input_there_is_nothing_left_to_disagree) /* 4.12 */
{
        static const struct packet back[] = {{100, 100, HERE}, {10, 100, BACK}};
        static const struct packet ahead[] = {{100, 100, HERE}, {3701, 3701, AHEAD}};

        expect(back, ROWS(back), 100);
        expect(ahead, ROWS(ahead), 3701);
}

Test(clock, what_disagrees_may_be_doubted_itself) /* 4.12 */
{
        static const struct packet packets[] = {
                {100, 100, HERE},
                {9000, 100, HERE}, /* the next is not ahead: foreign */
                {50, 100, BACK},   /* the next is back too: an epoch */
                {51, 101, HERE},
        };

        expect(packets, ROWS(packets), 101);
}

Test(clock, a_first_packet_with_a_foreign_time_costs_nothing_but_an_epoch) /* 4.12 */
{
        static const struct packet packets[] = {
                {10 * YEAR, 10 * YEAR, HERE}, /* nothing to compare it with */
                {0, 10 * YEAR, BACK},
                {1, 10 * YEAR + 1, HERE},
        };

        expect(packets, ROWS(packets), 10 * YEAR + 1);
}

Test(clock, leap_is_max_window_whatever_that_is) /* 4.12 */
{
        struct feed feed = {.clock = {.leap = 10 * PT_SECOND}};

        feed_packet(&feed, seconds(0));
        feed_packet(&feed, seconds(10));
        cr_expect_eq(feed.count, 2); /* 10 s are not more than 10 s */
        feed_packet(&feed, seconds(20.5));
        cr_expect_eq(feed.count, 2); /* waits */
        feed_packet(&feed, seconds(20.6));
        cr_expect_eq(feed.told[2].step, PT_CLOCK_AHEAD);
        cr_expect_eq(feed.told[3].time, seconds(20.6));
}

/* Engine time stays within what arithmetic on it can bear (clock.h), however it is driven. */
static void expect_sane(const struct feed *feed, int64_t before)
{
        cr_assert_geq(feed->clock.now, before);
        cr_assert_leq(feed->clock.now, PT_CLOCK_LATEST, "past the latest time there is");
        for (size_t i = 0; i < feed->count; i++) {
                cr_assert_leq(feed->told[i].time, feed->clock.now);
                cr_assert_geq(feed->told[i].time, 0);
        }
}

Test(clock, at_the_latest_time_there_is_time_stands_still)
{
        static const int64_t times[] = {
                PT_CLOCK_LATEST - PT_HOUR, /* the first packet says what time it is */
                0,
                1, /* an epoch that begins an hour before the end */
                PT_HOUR,
                2 * PT_HOUR,
                3 * PT_HOUR,
                3 * PT_HOUR + 1,
                PT_CLOCK_LATEST,
                PT_CLOCK_LATEST, /* a jump from there */
                0,
                0,
                PT_HOUR,
                PT_CLOCK_LATEST,
                5,
        };
        struct feed feed = feed_new();

        for (size_t i = 0; i < ROWS(times); i++) {
                int64_t before = feed.clock.now;

                feed_packet(&feed, times[i]);
                expect_sane(&feed, before);
        }
        feed_end(&feed);
        expect_sane(&feed, 0);
        cr_expect_eq(feed.clock.now, PT_CLOCK_LATEST);
}

/* 53 000 packets a day apart are a capture of a few megabytes. */
Test(clock, steps_of_a_day_over_and_over_never_overflow)
{
        struct feed feed = {.clock = {.leap = 24 * PT_HOUR}};
        int64_t before = 0;

        for (int round = 0; round < 5; round++) {
                for (int64_t time = 0; time <= PT_CLOCK_LATEST - 24 * PT_HOUR;
                     time += 24 * PT_HOUR) {
                        feed.count = 0;
                        feed_packet(&feed, time);
                        expect_sane(&feed, before);
                        before = feed.clock.now;
                }
                feed_packet(&feed, 1); /* confirms the step back, or what went before */
        }
}

/* A packet never gets a time ahead of the engine's, and the engine's never goes back. */
Test(clock, whatever_the_times_are_engine_time_never_goes_back)
{
        static const int64_t steps[] = {
                0,
                1,
                -1,
                PT_SECOND,
                -PT_SECOND,
                -PT_SECOND - 1,
                PT_HOUR,
                PT_HOUR + 1,
                -PT_HOUR,
                96 * PT_HOUR,
                -96 * PT_HOUR,
                INT64_C(1) << 60,
                -(INT64_C(1) << 60),
        };
        struct feed feed = feed_new();
        int64_t time = ORIGIN;
        unsigned random = 12345;

        for (int i = 0; i < 200000; i++) {
                int64_t before = feed.clock.now;

                random = random * 1103515245u + 12345u;
                time += steps[(random >> 16) % ROWS(steps)];
                if (time < 0)
                        time = 0;
                if (time > PT_CLOCK_LATEST)
                        time = PT_CLOCK_LATEST;
                feed.count = 0;
                feed_packet(&feed, time);
                expect_sane(&feed, before);
        }
}

Test(clock, idle_time_moves_on_and_decides_nothing) /* 4.1, 4.12 */
{
        static const struct {
                double idle, now;
                const char *why;
        } rows[] = {
                {5, 5, "time passes"},
                {4.5, 5, "engine time never goes back"},
                {3.9, 5,
                 "more than a second back: the clock was set, as the next packet will show"},
                {3605, 3605, "as far as a packet may be ahead"},
                {7205.5, 3605, "further: a jump, and not for us to make"},
        };
        struct feed feed = feed_new();

        pt_clock_idle(&feed.clock, seconds(1));
        cr_expect(!feed.clock.started, "the first packet begins");
        feed_packet(&feed, seconds(0));
        for (size_t i = 0; i < ROWS(rows); i++) {
                pt_clock_idle(&feed.clock, seconds(rows[i].idle));
                cr_expect_eq(feed.clock.now, seconds(rows[i].now), "%s", rows[i].why);
        }
        feed_packet(&feed, seconds(100)); /* waits */
        pt_clock_idle(&feed.clock, seconds(3606));
        cr_expect_eq(feed.clock.now, seconds(3605), "who waits is decided about first");
}

Test(clock, idle_time_is_counted_from_the_epoch) /* 4.12 */
{
        struct feed feed = feed_new();

        feed_packet(&feed, seconds(1000));
        feed_packet(&feed, seconds(10));
        feed_packet(&feed, seconds(11)); /* an epoch: 10 is 1000 */
        pt_clock_idle(&feed.clock, seconds(15));
        cr_expect_eq(feed.clock.now, seconds(1005));
}
