#include "bed.h"

#include <criterion/criterion.h>
#include <errno.h>

/* Other rules and settings for an engine that runs. By hand: 198 * 51 + 100 = 10198 (apt12),
 * 198 * (51 + 100) = 29898 (variant), 198 * 51 + 23 = 10121 (fourth). */

#define CLIENT "10.0.0.1"
#define A "198.51.100.23"
#define B "203.0.113.9"
#define FOURTH RULE("fourth", "\"port\": \"o1 * o2 + o4\", " RULE_PUBLISHED)
#define FORWARD(id, by) \
        RULE(id, "\"address\": \"repeat(20, addr, x + " by ")\", \"limits\": {" RULE_PRIVATE "}")

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

TestSuite(reload, .init = begin, .fini = end);

/* The old rules are freed at once: who still looks at them is found by the sanitizer. */
static int reload(const char *const *texts, size_t count)
{
        struct pt_rules *rules = make_rules(texts, count);
        int r = pt_engine_reload(bed.engine, &bed.settings, rules);

        if (r < 0) {
                pt_rules_free(rules);
                return r;
        }
        pt_rules_free(bed.rules);
        bed.rules = rules;
        return 0;
}

#define RELOAD(...)                                                \
        do {                                                       \
                static const char *const texts_[] = {__VA_ARGS__}; \
                cr_assert_eq(reload(texts_, ROWS(texts_)), 0);     \
        } while (0)

Test(reload, what_clients_were_given_meets_the_new_rules)
{
        bed_answer(&bed, 0, CLIENT, "a.example", A);
        bed_syn(&bed, 1, CLIENT, A, 10121);
        bed_pass(&bed, 2);
        cr_expect_str_eq(bed_told(&bed), "", "no rule says 10121");
        RELOAD(FOURTH);
        bed_syn(&bed, 3, CLIENT, A, 10121);
        bed_syn(&bed, 3, CLIENT, A, 10198);
        bed_pass(&bed, 4);
        cr_expect_str_eq(bed_told(&bed),
                         "alert fourth dns_confirmed 73 10.0.0.1>198.51.100.23:"
                         "10121 from 198.51.100.23 a.example\n",
                         "and apt12 is gone");
}

Test(reload, a_signature_is_made_anew)
{
        bed_answer(&bed, 0, CLIENT, "a.example", A);
        bed_answer(&bed, 0, CLIENT, "b.example", B);
        bed_syn(&bed, 1, CLIENT, B, 10198); /* its signature is filled now */
        bed_pass(&bed, 2);
        cr_expect_str_eq(bed_told(&bed), "alert apt12 dns_other_address 73 10.0.0.1>203.0.113.9:"
                                         "10198 from 198.51.100.23 a.example\n");
        RELOAD(FOURTH);
        bed_answer(&bed, 2, CLIENT, "c.example", "203.0.113.77"); /* signed by whom is filled */
        bed_syn(&bed, 3, CLIENT, B, 10121);
        bed_pass(&bed, 4);
        cr_expect_str_eq(bed_told(&bed),
                         "alert fourth dns_other_address 73 10.0.0.1>203.0.113.9:"
                         "10121 from 198.51.100.23 a.example\n",
                         "a.example was not contacted");
}

Test(reload, a_costly_result_is_worked_out_anew)
{
        RELOAD(FORWARD("forward", "1"));
        bed_answer(&bed, 0, CLIENT, "a.example", A);
        bed_syn(&bed, 1, CLIENT, "198.51.100.43", 443);
        bed_pass(&bed, 2);
        cr_expect_str_eq(bed_told(&bed), "alert forward dns_confirmed 73 10.0.0.1>198.51.100.43:"
                                         "443 from 198.51.100.23 a.example\n");
        RELOAD(FORWARD("forward", "2"));
        bed_syn(&bed, 3, CLIENT, "198.51.100.63", 443);
        bed_syn(&bed, 3, CLIENT, "198.51.100.43", 444);
        bed_pass(&bed, 4);
        cr_expect_str_eq(bed_told(&bed), "alert forward dns_confirmed 73 10.0.0.1>198.51.100.63:"
                                         "443 from 198.51.100.23 a.example\n");
}

Test(reload, what_is_held_stays_held_under_a_rule_of_the_same_id) /* 4.10 */
{
        bed_syn(&bed, 0, CLIENT, A, 10198);
        bed_syn(&bed, 1, CLIENT, A, 10198);
        bed_pass(&bed, 2);
        cr_expect_str_eq(bed_told(&bed), "alert apt12 port_only 21 10.0.0.1>198.51.100.23:10198\n");
        /* another one before it in order of id: its place changes */
        RELOAD(RULE("aaa", "\"port\": \"o1 * o2 + o4\", " RULE_PUBLISHED), APT12);
        bed_syn(&bed, 3, CLIENT, A, 10198);
        bed_pass(&bed, 4);
        cr_expect_str_eq(bed_told(&bed), "", "held for 300 s");
        bed_syn(&bed, 400, CLIENT, A, 10198);
        bed_pass(&bed, 401);
        cr_expect_str_eq(bed_told(&bed), "alert apt12 port_only 21 10.0.0.1>198.51.100.23:10198 "
                                         "suppressed=2\n");
}

Test(reload, what_a_gone_rule_held_back_is_told) /* 4.10 */
{
        bed_syn(&bed, 0, CLIENT, A, 10198);
        bed_syn(&bed, 1, CLIENT, A, 10198);
        bed_syn(&bed, 1, CLIENT, A, 29898);
        bed_syn(&bed, 1, CLIENT, A, 29898);
        bed_pass(&bed, 2);
        bed_told(&bed);
        RELOAD(VARIANT);
        cr_expect_str_eq(bed_told(&bed), "repeats apt12 10.0.0.1>198.51.100.23:10198 pending=1\n");
        RELOAD(VARIANT, APT12);
        bed_syn(&bed, 3, CLIENT, A, 10198);
        bed_pass(&bed, 4);
        cr_expect_str_eq(bed_told(&bed), "alert apt12 port_only 21 10.0.0.1>198.51.100.23:10198\n",
                         "as if for the first time");
        cr_expect_str_eq(bed_finish(&bed),
                         "repeats variant 10.0.0.1>198.51.100.23:29898 pending=1\n");
}

Test(reload, there_is_room_for_more_rules_than_at_the_start)
{
        static char texts[PT_RULES][512];
        static const char *list[PT_RULES];
        const char *told;
        size_t also = 0;

        RELOAD(APT12);
        for (size_t i = 0; i < PT_RULES; i++) {
                snprintf(texts[i], sizeof texts[i],
                         "{\"id\": \"r%zu\", \"name\": \"r\", \"port\": \"o1 * o2 + o3\", "
                         "\"limits\": {\"ports\": [\"4096-49151\"]}}",
                         i);
                list[i] = texts[i];
        }
        cr_assert_eq(reload(list, PT_RULES), 0);
        bed_syn(&bed, 0, CLIENT, A, 10198);
        bed_pass(&bed, 1);
        told = bed_told(&bed);
        for (const char *at = strstr(told, "also="); at; at = strchr(at + 1, ','))
                also++;
        cr_expect_eq(also, PT_RULES - 1, "every other one is named: %zu", also);
}

static const char *const no_prefix[] = {"10.0.0.0/33", NULL};
static const char *const other_home[] = {"198.18.0.0/15", NULL};

Test(reload, settings_that_contradict_themselves_change_nothing)
{
        static const char *const fourth[] = {FOURTH};

        bed.settings.home_networks = no_prefix;
        cr_expect_eq(reload(fourth, 1), -EINVAL);
        pt_settings_default(&bed.settings);
        bed.settings.cross_window = bed.settings.max_window + 1;
        cr_expect_eq(reload(fourth, 1), -EINVAL);
        bed_syn(&bed, 0, CLIENT, A, 10198);
        bed_syn(&bed, 0, CLIENT, A, 10121);
        bed_pass(&bed, 1);
        cr_expect_str_eq(bed_told(&bed), "alert apt12 port_only 21 10.0.0.1>198.51.100.23:10198\n");
}

Test(reload, settings_that_shape_no_memory_take_effect)
{
        bed_syn(&bed, 0, "198.18.0.7", A, 10198);
        bed_syn(&bed, 0, CLIENT, "192.168.33.1", 192 * 168 + 33);
        bed_pass(&bed, 1);
        cr_expect_str_eq(bed_told(&bed), "", "not inside; a private destination");
        bed.settings.home_networks = other_home;
        bed.settings.lab = true;
        bed.settings.connection_events = true;
        bed.settings.connection_port_low = bed.settings.connection_port_high = 10198;
        bed.settings.throttle = 10 * PT_SECOND;
        RELOAD(APT12);
        bed_syn(&bed, 2, "198.18.0.7", A, 10198);
        bed_syn(&bed, 2, CLIENT, "192.168.33.1", 192 * 168 + 33);
        bed_syn(&bed, 13, "198.18.0.7", A, 10198);
        bed_pass(&bed, 14);
        cr_expect_str_eq(bed_told(&bed),
                         "connection 198.18.0.7>198.51.100.23:10198\n"
                         "alert apt12 port_only 21 198.18.0.7>198.51.100.23:10198\n"
                         "alert apt12 port_only 21 10.0.0.1>192.168.33.1:32289\n"
                         "connection 198.18.0.7>198.51.100.23:10198\n"
                         "alert apt12 port_only 21 198.18.0.7>198.51.100.23:10198\n");
}

Test(reload, settings_that_shape_memory_stay)
{
        bed.settings.memory = 1;
        bed.settings.window = 0;
        bed.settings.max_window = 0;
        bed.settings.reorder = -1;
        RELOAD(APT12);
        bed_answer(&bed, 0, CLIENT, "a.example", A);
        bed_syn(&bed, 599, CLIENT, A, 10198);
        bed_pass(&bed, 600);
        cr_expect_str_eq(bed_told(&bed),
                         "alert apt12 dns_confirmed 73 10.0.0.1>198.51.100.23:10198"
                         " from 198.51.100.23 a.example\n",
                         "within the window of the start");
}

Test(reload, a_syn_that_waits_is_judged_by_the_new_rules) /* 4.1 */
{
        bed_syn(&bed, 0, CLIENT, A, 10121);
        RELOAD(FOURTH);
        bed_pass(&bed, 1);
        cr_expect_str_eq(bed_told(&bed),
                         "alert fourth port_only 21 10.0.0.1>198.51.100.23:10121\n");
}
