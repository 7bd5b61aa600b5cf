#include "judging.h"

#include <criterion/criterion.h>

/* Design 5: near misses, by reason. The arithmetic is that of test-verdict.c. */

#define CLIENT "10.0.0.1"
#define OUTSIDE "192.0.2.77"
#define A "198.51.100.23" /* apt12: 10198, variant: 29898, swap16: 100.23.198.51 */
#define B "203.0.113.9"

static struct judging j;

static void make_judging(void)
{
        judging_begin(&j, make_usual_rules());
}

static void free_judging(void)
{
        judging_end(&j);
}

TestSuite(near, .init = make_judging, .fini = free_judging);

/* "excluded_port apt12", "" for none. A SYN that matches is none. */
static const char *near(double seconds, const char *client, const char *destination, uint16_t port)
{
        static char text[128];
        struct pt_syn syn = judging_syn(&j, seconds, client, destination, port);
        enum pt_near_miss reason;
        struct pt_match match;

        text[0] = '\0';
        if (strcmp(judged(&j, seconds, client, destination, port), "") != 0)
                return "match";
        if (pt_judge_near_miss(j.judge, &syn, &j.twins, j.given, &match, &reason)) {
                snprintf(text, sizeof text, "%s %s", pt_near_miss_name(reason), match.rule->id);
                cr_expect_eq(match.candidates, 1);
        }
        return text;
}

static const struct {
        const char *client;
        const char *destination;
        uint16_t port;
        const char *expected;
        const char *why;
} rows[] = {
        {CLIENT, A, 10198, "match", "no near miss but a match"},
        {CLIENT, A, 10199, "", "one off is as far as any"},
        {CLIENT, "80.101.0.1", 8080, "excluded_port apt12", "80 * 101"},
        {CLIENT, "192.168.1.1", 32257, "excluded_destination apt12", "192 * 168 + 1, private"},
        {CLIENT, "192.168.1.1", 32448, "excluded_destination variant", "192 * 169, private"},
        {CLIENT, "20.101.57.9", 2077, "outside_limits apt12", "the documented one: 2077 < 4096"},
        {CLIENT, "20.101.57.9", 3160, "outside_limits variant", "20 * 158"},
        {OUTSIDE, A, 10198, "no_dns apt12", "a client that is outside and was never given DNS"},
        {CLIENT, A, 0, "", "port 0 meets nothing"},
        {CLIENT, "2001:db8::1", 10198, "", "no arithmetic over an IPv6 address"},
        {CLIENT, "10.255.255.1", 2805, "outside_limits apt12",
         "10 * 255 + 255: private too, but its port is no port of the rule at all"},
        {CLIENT, "80.100.80.1", 8080, "excluded_port apt12", "80 * 100 + 80"},
};

Test(near, a_syn_that_fits_but_for_one_reason_is_a_near_miss) /* design 5 */
{
        for (size_t i = 0; i < ROWS(rows); i++)
                cr_expect_str_eq(near(1, rows[i].client, rows[i].destination, rows[i].port),
                                 rows[i].expected, "%s:%u: %s", rows[i].destination, rows[i].port,
                                 rows[i].why);
}

Test(near, the_nearest_reason_is_told) /* design 5 */
{
        static const char *const rules[] = {
                RULE("a", "\"port\": \"o1 * o2 + o3\", \"limits\": {\"ports\": [\"1-100\"]}"),
                RULE("b", "\"port\": \"o1 * o2 + o3\", \"limits\": {\"exclude_ports\": [10198]}"),
                RULE("c", "\"port\": \"o1 * o2 + o3\", \"limits\": "
                          "{\"exclude_destinations\": [\"198.51.100.0/24\"]}"),
        };

        for (size_t count = 1; count <= 3; count++) {
                static const char *const expected[] = {"outside_limits a", "excluded_port b",
                                                       "excluded_destination c"};

                free_judging();
                judging_begin(&j, make_rules(rules, count));
                cr_expect_str_eq(near(0, CLIENT, A, 10198), expected[count - 1]);
        }
}

Test(near, two_names_are_expired_when_the_cross_window_has_passed) /* design 9's near misses */
{
        give(&j.g, 0, CLIENT, "c2.example", B);
        give(&j.g, 0, CLIENT, "port.example", A);
        cr_expect_str_eq(near(60, CLIENT, B, 10198), "match");
        cr_expect_str_eq(near(61, CLIENT, B, 10198), "expired apt12");
        cr_expect_str_eq(near(61, CLIENT, B, 29898), "expired variant");
        cr_expect_str_eq(near(61, CLIENT, B, 10199), "");
}

/* The commonest case: both were looked up at once, and the SYN comes a quarter of an hour later. */
Test(near, two_names_are_expired_when_both_have)
{
        give(&j.g, 0, CLIENT, "c2.example", B);
        give(&j.g, 0, CLIENT, "port.example", A);
        cr_expect_str_eq(near(900, CLIENT, B, 10198), "expired apt12");
}

Test(near, a_calculated_address_is_expired_when_its_answer_is) /* design 3 */
{
        give(&j.g, 0, CLIENT, "a.example", A);
        cr_expect_str_eq(near(600, CLIENT, "100.23.198.51", 443), "match");
        cr_expect_str_eq(near(601, CLIENT, "100.23.198.51", 443), "expired swap16");
        cr_expect_str_eq(near(601, "10.0.0.2", "100.23.198.51", 443), "");
}

Test(near, a_calculated_address_may_be_private) /* design 3 */
{
        give(&j.g, 0, CLIENT, "a.example", "1.2.10.5");
        cr_expect_str_eq(near(1, CLIENT, "10.5.1.2", 443), "excluded_destination swap16");
}

Test(near, a_calculated_address_that_was_given_itself_is_an_ordinary_connection) /* design 3 */
{
        give(&j.g, 0, CLIENT, "a.example", A " 100.23.198.51");
        cr_expect_str_eq(near(1, CLIENT, "100.23.198.51", 443), "");
}

Test(near, in_a_lab_nothing_is_excluded_for_being_private)
{
        j.settings.lab = true;
        judging_again(&j);
        give(&j.g, 0, CLIENT, "a.example", "1.2.10.5");
        cr_expect_str_eq(near(1, CLIENT, "192.168.1.1", 32257), "match");
        cr_expect_str_eq(near(1, CLIENT, "10.5.1.2", 443), "match");
}

Test(near, every_reason_has_a_name)
{
        for (int reason = 0; reason < PT_NEAR_MISSES; reason++)
                cr_expect_not_null(pt_near_miss_name((enum pt_near_miss)reason));
        cr_expect_str_eq(pt_near_miss_name(PT_NEAR_NO_DNS), "no_dns");
}
