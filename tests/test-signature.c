#include "judge/signature.h"

#include "judging.h"

#include <criterion/criterion.h>

/* Design 4.3: a filter may say yes in vain, never no in vain; and it should mostly say no. */

#define CLIENT "10.0.0.1"

static struct judging j;

static void make_judging(void)
{
        judging_begin(&j, make_usual_rules());
}

static void free_judging(void)
{
        judging_end(&j);
}

TestSuite(signature, .init = make_judging, .fini = free_judging);

static uint32_t client(void)
{
        struct pt_address address = make_address(CLIENT);

        return pt_hosts_client(j.g.hosts, &address);
}

static bool port_fits(double seconds, uint16_t port)
{
        return pt_signature_port_fits(j.judge, client(), at(seconds), port);
}

static bool address_fits(double seconds, uint32_t ipv4)
{
        return pt_signature_address_fits(j.judge, client(), at(seconds), ipv4);
}

Test(signature, what_the_rules_yield_for_what_was_given_fits) /* 4.3 */
{
        give(&j.g, 0, CLIENT, "a.example", "2001:db8::1 198.51.100.23");
        cr_expect(port_fits(1, 10198));
        cr_expect(port_fits(1, 29898));
        cr_expect(address_fits(1, 0x6417c633)); /* 100.23.198.51 */
}

/* Two ports and one address of one answer: 2 and 1 of 384 bits; twice that is luck enough. */
Test(signature, little_else_fits_where_little_was_given)
{
        unsigned ports = 0, addresses = 0;

        give(&j.g, 0, CLIENT, "a.example", "198.51.100.23");
        for (unsigned i = 0; i < 10000; i++) {
                ports += port_fits(1, (uint16_t)(4096 + i));
                addresses += address_fits(1, 0x50000000 + i * 65537);
        }
        cr_expect_lt(ports, 10000 * 2 / 384 * 2, "%u ports of 10000", ports);
        cr_expect_lt(addresses, 10000 / 384 * 2, "%u addresses of 10000", addresses);
}

Test(signature, an_answer_learned_since_it_was_asked_last_fits) /* 4.3 */
{
        give(&j.g, 0, CLIENT, "a.example", "198.51.100.23");
        cr_expect(port_fits(1, 10198));
        give(&j.g, 2, CLIENT, "b.example", "52.231.114.183");
        give(&j.g, 2, CLIENT, "c.example", "51.145.123.29");
        cr_expect(port_fits(3, 12126)); /* 52 * 231 + 114 */
        cr_expect(port_fits(3, 7518));  /* 51 * 145 + 123 */
        cr_expect(port_fits(3, 10198));
        cr_expect(address_fits(3, 0x72b734e7)); /* 114.183.52.231 */
}

/* A browser fills any filter. When what filled it has grown old, it is made anew. */
Test(signature, a_filter_that_is_full_of_old_answers_is_made_anew) /* 4.3 */
{
        char record[32];
        unsigned fit = 0;

        for (unsigned i = 0; i < 2000; i++) {
                snprintf(record, sizeof record, "%u.%u.%u.9", 11 + i % 180, i % 251, i % 253);
                give(&j.g, 0, CLIENT, "a.example", record);
        }
        for (unsigned port = 4096; port < 5096; port++)
                fit += port_fits(1, (uint16_t)port);
        cr_expect_eq(fit, 1000); /* useless */
        give(&j.g, 100, CLIENT, "b.example", "198.51.100.23");
        cr_expect(port_fits(101, 10198));
        fit = 0;
        for (unsigned port = 4096; port < 5096; port++)
                fit += port_fits(101, (uint16_t)port);
        cr_expect_lt(fit, 100, "%u of 1000", fit);
}

Test(signature, a_filter_of_addresses_is_made_anew_and_forgets_nothing_that_counts) /* 4.3, 4.7 */
{
        char record[32];

        give(&j.g, 0, CLIENT, "long.example", "198.51.100.23/3600");
        for (unsigned i = 0; i < 2000; i++) {
                snprintf(record, sizeof record, "%u.%u.%u.9", 11 + i % 180, i % 251, i % 253);
                give(&j.g, 1, CLIENT, "a.example", record);
                cr_assert(address_fits(1, 0x6417c633));
        }
        for (unsigned second = 100; second <= 3600; second += 100)
                cr_assert(address_fits(second, 0x6417c633), "at %u", second);
}

/* Where there is no cell for it, every search is made. */
Test(signature, without_room_for_it_everything_fits)
{
        give_asked(&j.g, 0, CLIENT, "a.example", "198.51.100.23");
        while (pt_pool_take(&j.g.hosts->pool))
                ;
        cr_expect(port_fits(2, 5555));
        cr_expect(address_fits(2, 12345));
        cr_expect_str_eq(judged(&j, 2, CLIENT, "100.23.198.51", 443),
                         "swap16 dns_confirmed 73 a.example 1");
}

/* ---- never no in vain: a plain list beside it ---- */

static struct {
        int64_t time;
        uint32_t ipv4;
} list[4000];

static void never_in_vain(unsigned seed, double most_step)
{
        size_t count = 0;
        double now = 0;

        srand(seed);
        for (int i = 0; i < 4000; i++) {
                now += most_step * (rand() % 1000) / 1000;
                if (rand() % 2) {
                        uint32_t ipv4 = (uint32_t)rand() % 0xe0000000;
                        /* up to a second late (4.12) */
                        double time = now - (rand() % 4 ? 0 : 1.0 * (rand() % 1000) / 1000);

                        give(&j.g, time, CLIENT, "a.example", make_ipv4(ipv4));
                        list[count].time = at(time);
                        list[count++].ipv4 = ipv4;
                        continue;
                }
                for (size_t k = count; client() && k > 0 && k + 300 > count; k--) {
                        uint32_t a = list[k - 1].ipv4;
                        unsigned port = (a >> 24) * (a >> 16 & 255) + (a >> 8 & 255);

                        if (at(now) <= list[k - 1].time + INT64_C(60000000000) && port > 0)
                                cr_assert(port_fits(now, (uint16_t)port));
                        if (at(now) <= list[k - 1].time + INT64_C(600000000000))
                                cr_assert(address_fits(now, a << 16 | a >> 16));
                }
        }
}

Test(signature, it_never_says_no_in_vain) /* 4.3 */
{
        static const double steps[] = {0.01, 0.5, 20, 200};

        for (unsigned i = 0; i < ROWS(steps); i++) {
                free_judging();
                make_judging();
                never_in_vain(i, steps[i]);
        }
}
