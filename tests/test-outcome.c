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

        cr_assert_eq(pt_outcomes_new(&room, &key, &outcomes), 0);
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
