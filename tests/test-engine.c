#include "bed.h"

#include <criterion/criterion.h>
#include <errno.h>

/* Settings, and design 4.1, 4.7, 4.12 and 4.13 by packets. */

#define CLIENT "10.0.0.1"
#define A "198.51.100.23" /* apt12: 198 * 51 + 100 = 10198 */
#define B "203.0.113.9"
#define CONFIRMED \
        "alert apt12 dns_confirmed 73 10.0.0.1>198.51.100.23:10198 from 198.51.100.23 a.example\n"
#define PORT_ONLY "alert apt12 port_only 21 10.0.0.1>198.51.100.23:10198\n"

static struct bed bed;

static void begin(void)
{
        bed_init(&bed);
        bed_begin(&bed);
}

static void end(void)
{
        bed_end(&bed);
}

TestSuite(engine, .init = begin, .fini = end);

static void again(void (*change)(struct pt_settings *))
{
        end();
        bed_init(&bed);
        if (change)
                change(&bed.settings);
        bed_begin(&bed);
}

/* ---- settings ---- */

static const char *const no_prefix[] = {"10.0.0.0/33", NULL};
static const char *const not_96[] = {"64:ff9b::/64", NULL};

static void memory_least(struct pt_settings *s)
{
        s->memory = PT_MEMORY_LEAST;
}
static void memory_less(struct pt_settings *s)
{
        s->memory = PT_MEMORY_LEAST - 1;
}
static void memory_none(struct pt_settings *s)
{
        s->memory = 0;
}
static void reorder_none(struct pt_settings *s)
{
        s->reorder = 0;
}
static void reorder_below(struct pt_settings *s)
{
        s->reorder = -1;
}
static void reorder_above(struct pt_settings *s)
{
        s->reorder = PT_SECOND + 1;
}
static void window_none(struct pt_settings *s)
{
        s->window = 0;
}
static void window_above(struct pt_settings *s)
{
        s->window = s->max_window + 1;
}
static void window_day(struct pt_settings *s)
{
        s->window = s->max_window = 24 * PT_HOUR;
}
static void window_more(struct pt_settings *s)
{
        s->max_window = 24 * PT_HOUR + 1;
}
static void cross_none(struct pt_settings *s)
{
        s->cross_window = 0;
}
static void cross_above(struct pt_settings *s)
{
        s->cross_window = s->max_window + 1;
}
static void throttle_none(struct pt_settings *s)
{
        s->throttle = 0;
}
static void throttle_day(struct pt_settings *s)
{
        s->throttle = 24 * PT_HOUR;
}
static void throttle_more(struct pt_settings *s)
{
        s->throttle = 24 * PT_HOUR + 1;
}
static void home_wrong(struct pt_settings *s)
{
        s->home_networks = no_prefix;
}
static void home_none(struct pt_settings *s)
{
        s->home_networks = NULL;
}
static void nat64_wrong(struct pt_settings *s)
{
        s->nat64_prefixes = not_96;
}
static void nat64_none(struct pt_settings *s)
{
        s->nat64_prefixes = NULL;
}

static const struct {
        void (*change)(struct pt_settings *);
        int expected;
        const char *why;
} settings[] = {
        {memory_least, 0, "8 MiB"},
        {memory_less, -EINVAL, "less"},
        {memory_none, -EINVAL, "nothing"},
        {reorder_none, 0, "no SYN waits"},
        {reorder_below, -EINVAL, "below zero"},
        {reorder_above, -EINVAL, "above a second"},
        {window_none, -EINVAL, "no window"},
        {window_above, -EINVAL, "above max_window"},
        {window_day, 0, "a day"},
        {window_more, -EINVAL, "more than a day"},
        {cross_none, -EINVAL, "no cross window"},
        {cross_above, -EINVAL, "above max_window"},
        {throttle_none, -EINVAL, "no hold"},
        {throttle_day, 0, "a day"},
        {throttle_more, -EINVAL, "more than a day"},
        {home_wrong, -EINVAL, "no prefix"},
        {home_none, 0, "no home networks"},
        {nat64_wrong, -EINVAL, "RFC 6052 has other lengths, this has /96 only"},
        {nat64_none, 0, "no NAT64"},
};

Test(engine, settings_that_contradict_themselves_are_refused)
{
        for (size_t i = 0; i < ROWS(settings); i++) {
                struct pt_receiver receiver = {bed_event, &bed};
                struct pt_engine *engine = NULL;
                struct pt_settings s;

                pt_settings_default(&s);
                settings[i].change(&s);
                cr_expect_eq(pt_engine_new(&s, bed.rules, &receiver, &engine), settings[i].expected,
                             "%s", settings[i].why);
                cr_expect_eq(engine != NULL, settings[i].expected == 0, "%s", settings[i].why);
                cr_expect_null(pt_engine_free(engine));
        }
}

Test(engine, the_defaults_are_those_of_the_design) /* design 4.1, 4.3, 4.7, 4.10, 8 */
{
        struct pt_settings s;

        memset(&s, 0xff, sizeof s);
        pt_settings_default(&s);
        cr_expect_eq(s.memory, (size_t)64 * 1024 * 1024);
        cr_expect_eq(s.reorder, 50000000);
        cr_expect_eq(s.window, 600 * PT_SECOND);
        cr_expect_eq(s.max_window, 3600 * PT_SECOND);
        cr_expect_eq(s.cross_window, 60 * PT_SECOND);
        cr_expect_eq(s.throttle, 300 * PT_SECOND);
        cr_expect(!s.lab && !s.near_misses && !s.dns_events && !s.connection_events);
}

Test(engine, every_counter_has_a_name_of_its_own)
{
        const char *name, *other;
        uint64_t value;

        for (size_t i = 0; i < PT_COUNTS; i++) {
                cr_assert(pt_engine_counter(bed.engine, i, &name, &value));
                for (size_t k = 0; k < i; k++) {
                        pt_engine_counter(bed.engine, k, &other, &value);
                        cr_assert_str_neq(name, other);
                }
                cr_expect_str_not_empty(pt_counter_description((enum pt_counter)i));
        }
        cr_expect_not(pt_engine_counter(bed.engine, PT_COUNTS, &name, &value));
}

Test(engine, an_input_without_packets_ends_as_well)
{
        cr_expect_str_eq(bed_finish(&bed), "");
        cr_expect_str_eq(bed_finish(&bed), "");
}

/* ---- the delay line (4.1) ---- */

static const struct {
        double answer; /* the SYN is at 0, and comes first */
        const char *expected;
        const char *why;
} orders[] = {
        {0, CONFIRMED, "at the same time"},
        {0.03, CONFIRMED, "a little later"},
        {0.05, CONFIRMED, "by exactly `reorder`"},
        {0.050000001, PORT_ONLY, "later than that: judged before the answer is learned"},
        {-0.5, CONFIRMED, "sent before, and mirrored after"},
};

Test(engine, a_syn_that_is_mirrored_before_its_answer_still_matches) /* 4.1 */
{
        for (size_t i = 0; i < ROWS(orders); i++) {
                again(NULL);
                bed_syn(&bed, 0, CLIENT, A, 10198);
                bed_answer(&bed, orders[i].answer, CLIENT, "a.example", A);
                cr_expect_str_eq(bed_finish(&bed), orders[i].expected, "%s", orders[i].why);
        }
}

Test(engine, a_syn_waits_until_packet_time_has_passed_its_own_by_reorder) /* 4.1 */
{
        bed_answer(&bed, 0, CLIENT, "a.example", A);
        bed_syn(&bed, 1, CLIENT, A, 10198);
        bed_pass(&bed, 1.05);
        cr_expect_str_eq(bed_told(&bed), "");
        bed_pass(&bed, 1.050000001);
        cr_expect_str_eq(bed_told(&bed), CONFIRMED);
        cr_expect_str_eq(bed_finish(&bed), "", "judged once");
}

Test(engine, idle_time_moves_the_line_on) /* 4.1 */
{
        bed_answer(&bed, 0, CLIENT, "a.example", A);
        bed_syn(&bed, 1, CLIENT, A, 10198);
        cr_expect(pt_engine_idle(bed.engine, bed_time(1.05)), "the SYN waits");
        cr_expect_str_eq(bed_told(&bed), "");
        cr_expect(!pt_engine_idle(bed.engine, bed_time(1.050000001)), "nothing waits");
        cr_expect_str_eq(bed_told(&bed), CONFIRMED);
        cr_expect_str_eq(bed_finish(&bed), "", "judged once");
}

Test(engine, idle_time_ends_a_doubt_as_a_packet_would) /* 4.1, 4.12 */
{
        bed_answer(&bed, 1000, CLIENT, "a.example", A);
        bed_syn(&bed, 10, CLIENT, A, 10198); /* the clock was set back */
        cr_expect(pt_engine_idle(bed.engine, bed_time(10.01)));
        cr_expect_eq(bed_count(&bed, PT_COUNT_CLOCK_EPOCHS), 1);
        cr_expect(!pt_engine_idle(bed.engine, bed_time(10.06)));
        cr_expect_str_eq(bed_told(&bed), CONFIRMED);
        bed_syn(&bed, 5000, CLIENT, A, 10198); /* a foreign time: idle time knows better */
        pt_engine_idle(bed.engine, bed_time(10.1));
        cr_expect_eq(bed_count(&bed, PT_COUNT_CLOCK_FOREIGN), 1);
        pt_engine_idle(bed.engine, INT64_MIN);
        pt_engine_idle(bed.engine, INT64_MAX);
        cr_expect_eq(bed_count(&bed, PT_COUNT_CLOCK_EPOCHS), 1);
        cr_expect_eq(bed_count(&bed, PT_COUNT_CLOCK_JUMPS), 0);
        bed_finish(&bed);
}

/* What a hold has counted is told by idle time too, a day after the last match (4.10). */
Test(engine, idle_time_forgets_what_is_held) /* 4.1, 4.10 */
{
        bed_answer(&bed, 0, CLIENT, "a.example", A);
        bed_syn(&bed, 1, CLIENT, A, 10198);
        bed_syn(&bed, 2, CLIENT, A, 10198);
        for (int i = 1; i <= 25; i++)
                pt_engine_idle(bed.engine, bed_time(i * 3600.0));
        cr_expect_str_eq(bed_finish(&bed),
                         CONFIRMED "repeats apt12 10.0.0.1>198.51.100.23:10198 pending=1\n");
}

Test(engine, the_end_of_the_input_flushes_the_line) /* 4.1 */
{
        bed_answer(&bed, 0, CLIENT, "a.example", A);
        bed_syn(&bed, 0, CLIENT, A, 10198);
        cr_expect_str_eq(bed_finish(&bed), CONFIRMED);
}

static void connections(struct pt_settings *s)
{
        s->connection_events = true;
}

Test(engine, syns_are_judged_in_the_order_of_their_time) /* 4.1 */
{
        again(connections);
        bed_syn(&bed, 1, CLIENT, A, 1);
        bed_syn(&bed, 0.97, CLIENT, A, 2);
        bed_syn(&bed, 1, CLIENT, A, 3);
        bed_syn(&bed, 0.98, CLIENT, A, 4);
        cr_expect_str_eq(bed_finish(&bed), "connection 10.0.0.1>198.51.100.23:2\n"
                                           "connection 10.0.0.1>198.51.100.23:4\n"
                                           "connection 10.0.0.1>198.51.100.23:1\n"
                                           "connection 10.0.0.1>198.51.100.23:3\n");
}

Test(engine, a_full_line_judges_the_oldest_early_and_counts_it) /* 4.1 */
{
        bed_syn(&bed, 0, CLIENT, A, 10198);
        for (int i = 1; i < 8192; i++)
                bed_syn(&bed, 0.000001 * i, "10.0.0.2", B, 443);
        cr_expect_str_eq(bed_told(&bed), "");
        cr_expect_eq(bed_count(&bed, PT_COUNT_CONNECTION_EARLY), 0);
        bed_syn(&bed, 0.01, "10.0.0.2", B, 443);
        cr_expect_str_eq(bed_told(&bed), PORT_ONLY);
        cr_expect_eq(bed_count(&bed, PT_COUNT_CONNECTION_EARLY), 1);
        bed_finish(&bed);
        cr_expect_eq(bed_count(&bed, PT_COUNT_CONNECTION_ATTEMPTS), 8193);
}

static void no_reorder(struct pt_settings *s)
{
        s->reorder = 0;
}

Test(engine, without_reorder_a_syn_waits_for_the_next_tick) /* 4.1 */
{
        again(no_reorder);
        bed_syn(&bed, 0, CLIENT, A, 10198);
        bed_answer(&bed, 0, CLIENT, "a.example", A);
        cr_expect_str_eq(bed_told(&bed), "");
        bed_pass(&bed, 0.000000001);
        cr_expect_str_eq(bed_told(&bed), CONFIRMED);
}

/* ---- time (4.12) ---- */

struct event {
        char what; /* 'a' answer, 's' SYN, '.' another packet */
        double time;
};

#define YEAR (365 * 86400.0)

static const struct {
        struct event events[8];
        const char *expected;
        const char *why;
} times[] = {
        {{{'a', 0}, {'s', 0}}, CONFIRMED, "time stands still"},
        {{{'.', 0}, {'a', 0}, {'.', 0}, {'s', 0}, {'.', 0}}, CONFIRMED, "time stands still"},
        {{{'a', 1000}, {'s', 500}, {'.', 501}}, CONFIRMED, "a step back between answer and SYN"},
        {{{'a', 1000}, {'s', 500}}, CONFIRMED, "a step back at the end of the input"},
        {{{'a', 1000}, {'.', 500}, {'s', 501}, {'.', 502}}, CONFIRMED, "a step back before both"},
        {{{'a', 1000}, {'.', 500}, {'.', 1099}, {'s', 1101}, {'.', 1102}},
         CONFIRMED,
         "500 was foreign, and 1101 is 101 s later"},
        {{{'a', 1000}, {'.', 500}, {'.', 501}, {'s', 1099}, {'.', 1100}},
         CONFIRMED,
         "an epoch: 599 s after the step"},
        {{{'a', 1000}, {'.', 500}, {'.', 501}, {'s', 1101}, {'.', 1102}},
         PORT_ONLY,
         "an epoch: 601 s after the step"},
        {{{'a', 0}, {'.', 10 * YEAR}, {'s', 1}, {'.', 2}},
         CONFIRMED,
         "one packet with a foreign time changes nothing"},
        {{{'a', 0}, {'.', -10 * YEAR}, {'s', 1}, {'.', 2}}, CONFIRMED, "the other way too"},
        {{{'.', 0}, {'a', 10 * YEAR}, {'s', 1}, {'.', 2}},
         CONFIRMED,
         "the answer is the foreign one: it is given the present"},
        {{{'a', 0}, {'s', 10 * YEAR}, {'.', 1}}, CONFIRMED, "the SYN is"},
        {{{'.', 0}, {'a', 10 * YEAR}, {'s', 10 * YEAR + 1}}, CONFIRMED, "a jump of ten years"},
        {{{'.', 0}, {'.', 10 * YEAR}, {'a', 10 * YEAR + 1}, {'s', 10 * YEAR + 2}},
         CONFIRMED,
         "and after it"},
        {{{'a', 0}, {'s', 10 * YEAR}, {'.', 10 * YEAR + 1}},
         PORT_ONLY,
         "what was given before the jump is long over"},
        {{{'.', 10 * YEAR}, {'a', 0}, {'s', 1}, {'.', 2}},
         CONFIRMED,
         "the first packet of the input is the foreign one"},
        {{{'.', 10 * YEAR}, {'a', 0}, {'s', 1}, {'.', 10 * YEAR + 1}, {'.', 10 * YEAR + 2}},
         CONFIRMED,
         "a capture inside another"},
        {{{'a', 100}, {'s', 99}, {'.', 101}},
         PORT_ONLY,
         "a SYN up to a second behind keeps its time: it was before the answer"},
        {{{'a', 100}, {'s', 99.95}, {'.', 101}}, CONFIRMED, "within `reorder`"},
        {{{'a', 0}, {'s', 3600}, {'.', 3601}}, PORT_ONLY, "max_window ahead: no jump, and 3600 s"},
};

static void play(const struct event *events)
{
        for (size_t i = 0; i < 8 && events[i].what; i++) {
                if (events[i].what == 'a')
                        bed_answer(&bed, events[i].time, CLIENT, "a.example", A);
                else if (events[i].what == 's')
                        bed_syn(&bed, events[i].time, CLIENT, A, 10198);
                else
                        bed_pass(&bed, events[i].time);
        }
}

Test(engine, time_may_stand_still_jump_ten_years_and_step_back_without_a_lost_match) /* 4.12 */
{
        for (size_t i = 0; i < ROWS(times); i++) {
                again(NULL);
                play(times[i].events);
                cr_expect_str_eq(bed_finish(&bed), times[i].expected, "%s", times[i].why);
        }
}

Test(engine, steps_are_counted_by_kind) /* 4.12 */
{
        bed_pass(&bed, 1000);
        bed_pass(&bed, 10); /* foreign */
        bed_pass(&bed, 1001);
        bed_pass(&bed, 10); /* an epoch */
        bed_pass(&bed, 11);
        bed_pass(&bed, 9999); /* a jump */
        bed_pass(&bed, 9999);
        bed_pass(&bed, 10); /* an epoch by the end of the input */
        bed_finish(&bed);
        cr_expect_eq(bed_count(&bed, PT_COUNT_CLOCK_FOREIGN), 1);
        cr_expect_eq(bed_count(&bed, PT_COUNT_CLOCK_EPOCHS), 2);
        cr_expect_eq(bed_count(&bed, PT_COUNT_CLOCK_JUMPS), 1);
}

Test(engine, times_out_of_range_are_set_to_its_end_and_counted)
{
        struct make m = {.length = 0};

        make_udp(&m, CLIENT, 1, B, 2, "", 0);
        bed_frame_at(&bed, INT64_MIN, m.octets, m.length, PT_LINK_ETHERNET);
        bed_frame_at(&bed, INT64_MAX, m.octets, m.length, PT_LINK_ETHERNET);
        bed_frame_at(&bed, -1, m.octets, m.length, PT_LINK_ETHERNET);
        bed_finish(&bed);
        cr_expect_eq(bed_count(&bed, PT_COUNT_CAPTURE_ODD_TIME), 3);
        cr_expect_eq(bed_count(&bed, PT_COUNT_CAPTURE_PACKETS), 3);
}

/* A packet that waits is kept whole: the caller's octets may be gone by then. */
Test(engine, the_octets_of_a_packet_that_waits_are_kept) /* 4.12 */
{
        struct make m = {.length = 0};

        bed_answer(&bed, 1000, CLIENT, "a.example", A);
        make_tcp(&m, CLIENT, 40000, A, 10198, 1, PT_TCP_SYN);
        bed_send(&bed, 5, &m);
        memset(&m, 0, sizeof m);
        cr_expect_str_eq(bed_finish(&bed), CONFIRMED);
}

Test(engine, a_huge_packet_that_waits_is_kept_as_far_as_there_is_room)
{
        static uint8_t octets[1 << 20];
        struct make m = {.length = 0};

        make_tcp(&m, CLIENT, 40000, A, 10198, 1, PT_TCP_SYN);
        memcpy(octets, m.octets, m.length);
        bed_pass(&bed, 1000);
        bed_frame_at(&bed, bed_time(5), octets, sizeof octets, PT_LINK_ETHERNET);
        cr_expect_str_eq(bed_finish(&bed), PORT_ONLY);
}

/* ---- determinism (4.13) ---- */

/* Traffic of every kind, from a seed: few clients, few addresses, so that much happens. */
static void traffic(unsigned seed, int packets, unsigned flood)
{
        static const char *const addresses[] = {A,
                                                B,
                                                "52.231.114.183",
                                                "51.145.123.29",
                                                "100.23.198.51",
                                                "207.46.130.100",
                                                "2001:db8::1",
                                                "64:ff9b::198.51.100.23"};
        static const unsigned ports[] = {10198, 12126, 7518, 9652, 29898, 443, 8080};
        double now = 0;

        srand(seed);
        for (int i = 0; i < packets; i++) {
                char client[32], name[32];
                const char *address = addresses[(unsigned)rand() % ROWS(addresses)];

                snprintf(client, sizeof client, "10.0.0.%d", rand() % 6);
                snprintf(name, sizeof name, "n%d.example", rand() % 10);
                now += rand() % 40 ? 0.01 * (rand() % 100) : 100;
                switch (rand() % 5) {
                case 0:
                        bed_ask(&bed, now, client, name, address);
                        break;
                case 1:
                        bed_answer(&bed, now - 0.3, client, name, address);
                        break;
                case 2:
                        bed_tcp(&bed, now, strchr(address, ':') ? "fd00::1" : client,
                                40000 + (unsigned)rand() % 4, address, 443, 1, PT_TCP_SYN);
                        break;
                default:
                        bed_syn(&bed, now, strchr(address, ':') ? "fd00::1" : client, address,
                                ports[(unsigned)rand() % ROWS(ports)]);
                        break;
                }
                for (unsigned k = 0; k < flood; k++) {
                        snprintf(client, sizeof client, "10.%d.%d.%d", 1 + rand() % 250,
                                 rand() % 256, rand() % 256);
                        bed_answer(&bed, now, client, name, address);
                }
        }
}

static char *run(uint64_t key, unsigned seed, int packets, unsigned flood, uint64_t *ret_evicted)
{
        char *told;

        end();
        bed_init(&bed);
        bed.settings.hash_key[0] = key;
        bed.settings.hash_key[1] = ~key * 77;
        bed.settings.near_misses = true;
        bed_begin(&bed);
        traffic(seed, packets, flood);
        told = strdup(bed_finish(&bed));
        *ret_evicted = bed_count(&bed, PT_COUNT_CACHE_EVICTED);
        return told;
}

Test(engine, the_same_packets_give_the_same_whatever_the_hash_key) /* 4.13 */
{
        uint64_t evicted;

        for (unsigned seed = 1; seed <= 5; seed++) {
                char *first = run(1, seed, 600, 0, &evicted);
                char *same = run(1, seed, 600, 0, &evicted);
                char *other = run(0xdeadbeefcafe, seed, 600, 0, &evicted);

                cr_assert_gt(strlen(first), 1000); /* much has happened */
                cr_assert_lt(strlen(first), sizeof bed.told - 1);
                cr_expect_str_eq(first, same);
                cr_expect_str_eq(first, other);
                free(first);
                free(same);
                free(other);
        }
}

Test(engine, who_gives_way_is_the_same_whatever_the_hash_key) /* 4.13, 8 */
{
        uint64_t evicted, evicted_other;
        char *first = run(1, 9, 500, 120, &evicted);
        char *other = run(0xdeadbeefcafe, 9, 500, 120, &evicted_other);

        cr_expect_gt(evicted, 0);
        cr_expect_eq(evicted, evicted_other);
        cr_expect_str_eq(first, other);
        free(first);
        free(other);
}
