#include "bed.h"

#include <criterion/criterion.h>

#include "judge/outcome.h"

/* What becomes of a connection that was an alert, told by packets. */

#define CLIENT "10.0.0.1"
#define A "198.51.100.23" /* apt12: 198 * 51 + 100 = 10198 */
#define PORT 10198
#define ALERT \
        "alert apt12 dns_confirmed 73 10.0.0.1>198.51.100.23:10198 from 198.51.100.23 a.example\n"
#define OUTCOME "outcome apt12 10.0.0.1>198.51.100.23:10198 "

#define SYN 0x02
#define SYN_ACK 0x12
#define ACK 0x10
#define FIN 0x11
#define RST 0x14

static struct bed bed;

static void begin(void)
{
        bed_init(&bed);
        bed.settings.outcome_events = true;
        bed_begin(&bed);
        bed_answer(&bed, 0, CLIENT, "a.example", A);
}

static void end(void)
{
        bed_end(&bed);
}

TestSuite(outcome, .init = begin, .fini = end);

static void send(double time, bool out, uint32_t sequence, unsigned flags, size_t length)
{
        static const uint8_t octets[1024];
        struct make segment = {.length = 0}, frame = {.length = 0};

        make_put16(&segment, out ? 40000 : PORT);
        make_put16(&segment, out ? PORT : 40000);
        make_put32(&segment, sequence);
        make_put32(&segment, 0);
        make_put16(&segment, 5u << 12 | flags);
        make_put16(&segment, 64240);
        make_put32(&segment, 0);
        make_put(&segment, octets, length);
        make_ip(&frame, out ? CLIENT : A, out ? A : CLIENT, 6, &segment);
        bed_send(&bed, time, &frame);
}

/* Client and server, by their own sequence numbers, from 1000 and 5000 on. */
static void out(double time, uint32_t sequence, unsigned flags, size_t length)
{
        send(time, true, sequence, flags, length);
}

static void in(double time, uint32_t sequence, unsigned flags, size_t length)
{
        send(time, false, sequence, flags, length);
}

Test(outcome, nothing_comes_back)
{
        out(1, 1000, SYN, 0);
        out(2, 1000, SYN, 0);
        out(4, 1000, SYN, 0);
        bed_pass(&bed, 60.9);
        cr_expect_str_eq(bed_told(&bed), ALERT);
        bed_pass(&bed, 62);
        cr_expect_str_eq(bed_told(&bed), OUTCOME "silent timeout 0/3 0/0\n");
        cr_expect_str_eq(bed_finish(&bed), "");
}

/* The reset is there long before the SYN is judged. */
Test(outcome, refused_at_once)
{
        out(1, 1000, SYN, 0);
        in(1.001, 0, RST, 0);
        cr_expect_str_eq(bed_finish(&bed), ALERT OUTCOME "refused end_of_input 0/1 0/1\n");
}

/* Windows tries again, with the same ports and the same number. */
Test(outcome, refused_and_then_answered)
{
        out(1, 1000, SYN, 0);
        in(1.001, 0, RST, 0);
        out(1.5, 1000, SYN, 0);
        in(1.501, 0, RST, 0);
        bed_pass(&bed, 1.9);
        cr_expect_str_eq(bed_told(&bed), ALERT);
        out(2, 1000, SYN, 0);
        in(2.001, 5000, SYN_ACK, 0);
        in(2.1, 5001, RST, 0);
        bed_pass(&bed, 3);
        cr_expect_str_eq(bed_told(&bed), OUTCOME "answered reset 0/3 0/4\n");
}

/* 300 octets, 40 of them sent twice; 2000 back, of which one segment was not captured. */
Test(outcome, answered_and_closed)
{
        out(1, 1000, SYN, 0);
        in(1.001, 5000, SYN_ACK, 0);
        out(1.002, 1001, ACK, 0);
        out(1.003, 1001, ACK, 260);
        out(1.004, 1221, ACK, 80);
        in(1.005, 5001, ACK, 500);
        in(1.1, 6001, ACK, 1000);
        in(1.2, 7001, FIN, 0);
        cr_expect_str_eq(bed_told(&bed), ALERT);
        out(1.3, 1301, FIN, 0);
        bed_pass(&bed, 1.4);
        cr_expect_str_eq(bed_told(&bed), OUTCOME "answered closed 300/5 2000/4\n");
}

Test(outcome, all_of_it_before_the_syn_is_judged)
{
        out(1, 1000, SYN, 0);
        in(1.001, 5000, SYN_ACK, 0);
        out(1.002, 1001, ACK, 10);
        in(1.003, 5001, FIN, 20);
        out(1.004, 1011, FIN, 0);
        bed_pass(&bed, 2);
        bed_pass(&bed, 3);
        cr_expect_str_eq(bed_told(&bed), ALERT OUTCOME "answered closed 10/3 20/2\n");
}

Test(outcome, the_end_of_the_input_tells_what_is_known)
{
        out(1, 1000, SYN, 0);
        in(1.1, 5000, SYN_ACK, 0);
        out(1.2, 1001, ACK, 7);
        cr_expect_str_eq(bed_finish(&bed), ALERT OUTCOME "answered end_of_input 7/2 0/1\n");
}

Test(outcome, what_the_server_sent_before_we_looked_is_not_known)
{
        out(1, 1000, SYN, 0);
        in(1.1, 9001, ACK, 30);
        in(1.2, 9031, ACK, 5);
        cr_expect_str_eq(bed_finish(&bed),
                         ALERT OUTCOME "answered end_of_input 0/1 35/2 partial\n");
}

/* Its copy does not tell what was sent meanwhile: 500 octets of which nothing was seen. */
Test(outcome, a_syn_ack_that_comes_late_tells_nothing)
{
        out(1, 1000, SYN, 0);
        in(1.1, 5501, ACK, 30);
        in(1.2, 5000, SYN_ACK, 0);
        in(1.3, 5531, FIN, 0);
        out(1.4, 1001, FIN, 0);
        bed_pass(&bed, 2);
        cr_expect_str_eq(bed_told(&bed), ALERT OUTCOME "answered closed 0/2 30/3 partial\n");
}

/* tcpdump -s 60: headers, and 6 octets of what may be 1000. */
Test(outcome, what_the_capture_cut_off_counts)
{
        bed.snapshot = 60;
        out(1, 1000, SYN, 0);
        in(1.1, 5000, SYN_ACK, 0);
        out(1.2, 1001, ACK, 700);
        in(1.3, 5001, FIN, 1000);
        out(1.4, 1701, FIN, 300);
        bed_pass(&bed, 2);
        cr_expect_str_eq(bed_told(&bed), ALERT OUTCOME "answered closed 1000/3 1000/2\n");
}

Test(outcome, sequence_numbers_go_round)
{
        out(1, 0xfffffff0, SYN, 0);
        in(1.1, 0xffffffff, SYN_ACK, 0);
        for (unsigned i = 0; i < 10; i++) {
                out(1.2, 0xfffffff1 + i * 1000, ACK, 1000);
                in(1.2, i * 1000, ACK, 1000);
        }
        out(1.3, 0x80000000, ACK, 1000); /* out of any window */
        cr_expect_str_eq(bed_finish(&bed),
                         ALERT OUTCOME "answered end_of_input 10000/12 10000/11\n");
}

/* Repeats are held back, near misses are none, and others' connections are their own. */
Test(outcome, only_alerts_are_followed)
{
        out(1, 1000, SYN, 0);
        bed_syn(&bed, 2, CLIENT, A, PORT);     /* held back */
        bed_syn(&bed, 3, CLIENT, A, PORT + 1); /* no match */
        cr_expect_str_eq(bed_finish(&bed),
                         ALERT "repeats apt12 10.0.0.1>198.51.100.23:10198 pending=1\n" OUTCOME
                               "silent end_of_input 0/1 0/0\n");
        cr_expect_eq(bed_count(&bed, PT_COUNT_OUTCOME_TOLD), 1);
}

/* Another connection with the same ends is not the one that was an alert. */
Test(outcome, ports_are_used_again)
{
        out(1, 1000, SYN, 0);
        in(1.1, 5000, SYN_ACK, 0);
        out(2, 77000, SYN, 0);
        out(2.1, 77001, ACK, 50);
        in(2.2, 0, FIN, 70);
        cr_expect_str_eq(bed_finish(&bed),
                         ALERT OUTCOME "answered replaced 0/1 0/1\n"
                                       "repeats apt12 10.0.0.1>198.51.100.23:10198 pending=1\n");
}

Test(outcome, a_full_pool_is_counted)
{
        const struct pt_outcomes_room room = {16, 2};
        const struct pt_hash_key key = {1, 2};
        struct pt_outcomes *outcomes;
        struct pt_outcome outcome;
        struct pt_syn syn = {.client_port = 1, .destination_port = 2};

        cr_assert_eq(pt_outcomes_new(&room, false, &key, &outcomes), 0);
        for (uint16_t i = 0; i < 3; i++) {
                syn.client_port = i;
                syn.time = i;
                cr_expect_eq(pt_outcomes_follow(outcomes, &syn, "rule"), i < 2);
        }
        cr_expect_eq(pt_outcomes_due(outcomes), PT_OUTCOME_TIME);
        cr_expect_not(pt_outcomes_next(outcomes, PT_OUTCOME_TIME, false, &outcome));
        cr_expect(pt_outcomes_next(outcomes, PT_OUTCOME_TIME + 1, false, &outcome));
        cr_expect_eq(outcome.syn.client_port, 0);
        cr_expect_not(pt_outcomes_next(outcomes, PT_OUTCOME_TIME + 1, false, &outcome));
        cr_expect(pt_outcomes_next(outcomes, 0, true, &outcome));
        cr_expect_eq(outcome.end, PT_OUTCOME_END_OF_INPUT);
        cr_expect_not(pt_outcomes_next(outcomes, 0, true, &outcome));
        pt_outcomes_free(outcomes);
}

Test(outcome, without_being_asked_nothing_is_followed)
{
        end();
        bed_init(&bed);
        bed_begin(&bed);
        bed_answer(&bed, 0, CLIENT, "a.example", A);
        out(1, 1000, SYN, 0);
        cr_expect_str_eq(bed_finish(&bed), ALERT);
}

/* ---- live: what follows a SYN comes beside, and of most connections only how they begin and end
 */

static void begin_late(void)
{
        bed_init(&bed);
        bed.settings.outcome_events = true;
        bed.settings.outcome_beside = true;
        bed_begin(&bed);
        bed_answer(&bed, 0, CLIENT, "a.example", A);
}

TestSuite(beside, .init = begin_late, .fini = end);

/* As live hands them over: a SYN to the engine, all else beside it. */
static void out_late(double time, uint32_t sequence, unsigned flags, size_t length)
{
        bed.beside = flags != SYN;
        send(time, true, sequence, flags, length);
        bed.beside = false;
}

static void in_late(double time, uint32_t sequence, unsigned flags, size_t length)
{
        bed.beside = true;
        send(time, false, sequence, flags, length);
        bed.beside = false;
}

/* What passed before it was followed, 200 and 5000 octets, is known by what comes last. */
Test(beside, octets_that_were_hidden_count)
{
        out_late(1, 1000, SYN, 0);
        in_late(1.001, 5000, SYN_ACK, 0);
        bed_pass(&bed, 1.2);
        in_late(1.5, 10001, ACK, 100);
        out_late(1.6, 1201, FIN, 0);
        in_late(1.7, 10101, FIN, 7);
        bed_pass(&bed, 1.8);
        cr_expect_str_eq(bed_told(&bed), ALERT OUTCOME "answered closed 200/2 5107/3\n");
        cr_expect_eq(bed_count(&bed, PT_COUNT_OUTCOME_PACKETS), 4);
        cr_expect_eq(bed_count(&bed, PT_COUNT_CAPTURE_PACKETS), 4);
        cr_expect_eq(bed_count(&bed, PT_COUNT_DECODE_TCP), 1);
}

Test(beside, it_is_over_before_the_syn_is_judged)
{
        out_late(1, 1000, SYN, 0);
        in_late(1.001, 5000, SYN_ACK, 0);
        in_late(1.003, 5021, FIN, 0);
        out_late(1.004, 1011, FIN, 0);
        bed_pass(&bed, 2);
        bed_pass(&bed, 3);
        cr_expect_str_eq(bed_told(&bed), ALERT OUTCOME "answered closed 10/2 20/2\n");
}

Test(beside, refused_before_the_syn_is_judged)
{
        out_late(1, 1000, SYN, 0);
        in_late(1.001, 0, RST, 0);
        cr_expect_str_eq(bed_finish(&bed), ALERT OUTCOME "refused end_of_input 0/1 0/1\n");
}

/* Of which side nothing came since may have sent what nobody saw. */
Test(beside, what_may_have_been_hidden_is_said)
{
        static const struct {
                bool out, in;
                const char *told;
        } rows[] = {
                {false, false, "answered end_of_input 0/1 0/1 partial\n"},
                {true, false, "answered end_of_input 10/2 0/1 partial\n"},
                {false, true, "answered end_of_input 0/1 10/2 partial\n"},
                {true, true, "answered end_of_input 10/2 10/2\n"},
        };
        char expected[512];

        for (size_t i = 0; i < ROWS(rows); i++) {
                if (i) {
                        end();
                        begin_late();
                }
                out_late(1, 1000, SYN, 0);
                in_late(1.001, 5000, SYN_ACK, 0);
                bed_pass(&bed, 2);
                if (rows[i].out)
                        out_late(3, 1011, ACK, 0);
                if (rows[i].in)
                        in_late(3, 5001, ACK, 10);
                snprintf(expected, sizeof expected, ALERT OUTCOME "%s", rows[i].told);
                cr_expect_str_eq(bed_finish(&bed), expected);
        }
}

/* The filter may pass more than it must: a SYN came the other way too. */
Test(beside, a_syn_counts_once)
{
        out_late(1, 1000, SYN, 0);
        bed.beside = true;
        send(1, true, 1000, SYN, 0);
        bed_pass(&bed, 1.1); /* nothing about TCP */
        bed.beside = false;
        in_late(1.2, 5000, SYN_ACK, 0);
        cr_expect_str_eq(bed_finish(&bed), ALERT OUTCOME "answered end_of_input 0/1 0/1 partial\n");
        cr_expect_eq(bed_count(&bed, PT_COUNT_CONNECTION_ATTEMPTS), 1);
}

/* It moves no time: SYNs wait for what comes the usual way. */
Test(beside, nothing_is_judged_by_it)
{
        out_late(1, 1000, SYN, 0);
        in_late(9, 5000, SYN_ACK, 0);
        cr_expect_str_eq(bed_told(&bed), "");
        bed_pass(&bed, 1.2);
        cr_expect_str_eq(bed_told(&bed), ALERT);
}

Test(beside, who_is_followed_can_be_asked)
{
        struct pt_followed list[PT_FOLLOWED_MOST];
        const struct pt_followed expected = {
                .client = {[10] = 0xff, 0xff, 10, 0, 0, 1},
                .server = {[10] = 0xff, 0xff, 198, 51, 100, 23},
                .client_port = 40000,
                .server_port = PORT,
        };
        uint64_t before = pt_engine_follows(bed.engine);

        out_late(1, 1000, SYN, 0);
        cr_expect_eq(pt_engine_followed(bed.engine, list, PT_FOLLOWED_MOST), 0);
        cr_expect_eq(pt_engine_follows(bed.engine), before);
        bed_pass(&bed, 1.2);
        cr_assert_eq(pt_engine_followed(bed.engine, list, PT_FOLLOWED_MOST), 1);
        cr_expect_eq(memcmp(list, &expected, sizeof expected), 0);
        cr_expect_eq(pt_engine_followed(bed.engine, list, 0), 0);
        cr_expect_neq(pt_engine_follows(bed.engine), before);
        before = pt_engine_follows(bed.engine);
        in_late(1.3, 0, RST, 0);
        bed_pass(&bed, 62);
        cr_expect_eq(pt_engine_followed(bed.engine, list, PT_FOLLOWED_MOST), 0);
        cr_expect_neq(pt_engine_follows(bed.engine), before);
}

Test(beside, where_no_outcome_is_wanted_it_changes_nothing)
{
        end();
        bed_init(&bed);
        bed_begin(&bed);
        out_late(1, 1000, SYN, 0);
        in_late(1.1, 5000, SYN_ACK, 0);
        cr_expect_eq(pt_engine_followed(bed.engine, NULL, 0), 0);
        cr_expect_eq(pt_engine_follows(bed.engine), 0);
        cr_expect_eq(bed_count(&bed, PT_COUNT_OUTCOME_PACKETS), 1);
}
