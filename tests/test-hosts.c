#include "memory/hosts.h"

#include "memory/clients.h"
#include "given.h"
#include "sound.h"

#include <criterion/criterion.h>

/* Design 4.5 to 4.8. window 600 s, max_window 3600 s, reorder 50 ms. */

#define CLIENT "10.0.0.1"
#define OTHER "10.0.0.2"
#define A "198.51.100.23"
#define B "203.0.113.9"

static struct given_hosts g;

static void make_hosts(void)
{
        given_init(&g, 1 << 20);
}

static void free_hosts(void)
{
        sound_hosts(g.hosts);
        cr_expect_null(pt_hosts_free(g.hosts));
        cr_expect_null(pt_hosts_free(NULL));
}

TestSuite(hosts, .init = make_hosts, .fini = free_hosts);

/* ---- how long a resolution counts (4.7) ---- */

static const struct {
        const char *records;
        double time;
        bool counts;
        const char *why;
} lives[] = {
        {A "/60", 0, true, "at its own time"},
        {A "/60", 600, true, "until the window has passed"},
        {A "/60", 600.000000001, false, "and not a nanosecond longer"},
        {A "/0", 600, true, "a TTL of zero still has the window"},
        {A "/601", 601, true, "its TTL, where that is longer"},
        {A "/601", 601.000000001, false, "and not a nanosecond longer"},
        {A "/3600", 3600, true, "max_window"},
        {A "/86400", 3600, true, "a day's TTL counts for max_window"},
        {A "/86400", 3600.000000001, false, "and not a nanosecond longer"},
        {A "/2147483647", 3600, true, "the largest TTL there is"},
        {A "/2147483648", 600, true, "with the top bit set it counts as zero (RFC 2181 section 8)"},
        {A "/2147483648", 601, false, "so the window is all"},
        {A "/4294967295", 601, false, "the same"},
        {A "/60", -0.05, true, "a SYN may be older than its evidence by `reorder` (4.1)"},
        {A "/60", -0.050000001, false, "and no more"},
};

Test(hosts, a_resolution_counts_for_its_ttl_or_the_window_at_most_max_window) /* 4.7 */
{
        for (size_t i = 0; i < ROWS(lives); i++) {
                free_hosts();
                make_hosts();
                give(&g, 0, CLIENT, "a.example", lives[i].records);
                cr_expect_eq(given(&g, lives[i].time, CLIENT, A) != 0, lives[i].counts,
                             "%s at %.9f: %s", lives[i].records, lives[i].time, lives[i].why);
        }
}

Test(hosts, each_address_of_an_answer_has_its_own_ttl) /* 4.7 */
{
        give(&g, 0, CLIENT, "a.example", A "/60 " B "/900");
        cr_expect_not(given(&g, 700, CLIENT, A));
        cr_expect(given(&g, 700, CLIENT, B));
}

Test(hosts, use_refreshes_nothing) /* 4.7 */
{
        give(&g, 0, CLIENT, "a.example", A);
        for (int second = 100; second <= 600; second += 100) {
                cr_expect(given(&g, second, CLIENT, A));
                contact(&g, second, CLIENT, A);
        }
        cr_expect_not(given(&g, 601, CLIENT, A));
}

/* ---- which one ---- */

Test(hosts, a_newer_answer_stands_beside_the_older_ones) /* 4.7 */
{
        give(&g, 0, CLIENT, "old.example", A "/3600");
        give(&g, 10, CLIENT, "new.example", A "/60");
        cr_expect_str_eq(question_of(&g, given(&g, 20, CLIENT, A)), "new.example");
        /* The newer one counts no longer; the older still does. */
        cr_expect_str_eq(question_of(&g, given(&g, 700, CLIENT, A)), "old.example");
}

Test(hosts, of_two_of_one_time_the_one_learned_later_is_the_newest) /* 4.3, 4.7 */
{
        give(&g, 0, CLIENT, "first.example", A);
        give(&g, 0, CLIENT, "second.example", A);
        cr_expect_str_eq(question_of(&g, given(&g, 1, CLIENT, A)), "second.example");
}

/* A packet up to a second behind keeps its own time (4.12), and newest is by time (4.3, 4.7). */
Test(hosts, an_answer_that_comes_late_is_not_the_newest)
{
        give(&g, 10, CLIENT, "new.example", A);
        give(&g, 9.5, CLIENT, "late.example", A);
        cr_expect_str_eq(question_of(&g, given(&g, 11, CLIENT, A)), "new.example");
}

Test(hosts, an_answer_that_comes_late_is_not_the_newest_of_other_clients_either)
{
        struct pt_address client = make_address("10.0.0.3"), destination = make_address(A);

        give(&g, 10, CLIENT, "new.example", A);
        give(&g, 9.5, OTHER, "late.example", A);
        cr_expect_str_eq(
                question_of(&g, pt_hosts_given_other(g.hosts, &client, &destination, at(11))),
                "new.example");
}

static void expect_walk(double time, double oldest, const char *expected)
{
        struct pt_address client = make_address(CLIENT);
        struct pt_hosts_walk walk = pt_hosts_walk(g.hosts, pt_hosts_client(g.hosts, &client));
        struct pt_resolution_view view;
        char is[1024] = "";
        char text[PT_ADDRESS_TEXT];

        while (pt_hosts_next(g.hosts, &walk, at(time), at(oldest), &view))
                snprintf(is + strlen(is), sizeof is - strlen(is), "%s%s%s", *is ? " " : "",
                         pt_address_format(&view.address, text), view.counts ? "" : "!");
        cr_expect_str_eq(is, expected);
}

Test(hosts, the_walk_goes_from_the_newest_answer_in_the_order_of_its_records) /* 4.3 */
{
        give(&g, 0, CLIENT, "a.example", "192.0.2.1 192.0.2.2/3600 192.0.2.3");
        give(&g, 1, OTHER, "a.example", "192.0.2.99");
        give(&g, 2, CLIENT, "b.example", "192.0.2.4 =cdn.example 192.0.2.5");
        expect_walk(3, 0, "192.0.2.4 192.0.2.5 192.0.2.1 192.0.2.2 192.0.2.3");
        expect_walk(601, 0, "192.0.2.4 192.0.2.5 192.0.2.1! 192.0.2.2 192.0.2.3!");
        expect_walk(3, 2, "192.0.2.4 192.0.2.5");
        expect_walk(3, 2.1, "");
}

Test(hosts, the_walk_finds_a_late_answer_in_its_place) /* 4.12 */
{
        give(&g, 1, CLIENT, "a.example", "192.0.2.1");
        give(&g, 3, CLIENT, "c.example", "192.0.2.3 =x.example 192.0.2.33");
        give(&g, 2.5, CLIENT, "b.example", "192.0.2.2 =x.example 192.0.2.22");
        give(&g, 2.5, CLIENT, "d.example", "192.0.2.4");
        expect_walk(4, 0, "192.0.2.3 192.0.2.33 192.0.2.4 192.0.2.2 192.0.2.22 192.0.2.1");
}

Test(hosts, a_client_that_is_not_known_has_nothing_to_walk_through)
{
        struct pt_hosts_walk walk = pt_hosts_walk(g.hosts, 0);
        struct pt_resolution_view view;

        cr_expect_not(pt_hosts_next(g.hosts, &walk, at(0), 0, &view));
        expect_walk(0, 0, "");
}

Test(hosts, what_another_client_was_given_is_not_this_ones) /* 4.3 */
{
        struct pt_address client = make_address(CLIENT), other = make_address(OTHER);
        struct pt_address destination = make_address(A);

        give(&g, 0, OTHER, "a.example", A);
        cr_expect_not(given(&g, 1, CLIENT, A));
        cr_expect(pt_hosts_given_other(g.hosts, &client, &destination, at(1)));
        cr_expect_not(pt_hosts_given_other(g.hosts, &other, &destination, at(1)),
                      "it is not another client than itself");
        cr_expect_not(pt_hosts_given_other(g.hosts, &client, &destination, at(601)), "too old");
        give(&g, 5, CLIENT, "b.example", A);
        cr_expect_str_eq(
                question_of(&g, pt_hosts_given_other(g.hosts, &client, &destination, at(6))),
                "a.example");
}

Test(hosts, only_an_answer_makes_a_client_known) /* design 8 */
{
        struct pt_address client = make_address(CLIENT);

        spoke(&g, CLIENT);
        contact(&g, 0, CLIENT, A);
        cr_expect_eq(pt_hosts_client(g.hosts, &client), 0);
        give(&g, 1, CLIENT, "a.example", A);
        cr_expect_neq(pt_hosts_client(g.hosts, &client), 0);
        cr_expect_neq(pt_hosts_client(g.hosts, &client), 0);
}

/* ---- copies (4.7) ---- */

#define FIRST "198.51.100.23 203.0.113.9/300"

static const struct {
        double time;
        const char *resolver;
        uint16_t id;
        const char *question;
        const char *records;
        bool copy;
        const char *why;
} copies[] = {
        {0, "192.0.2.53", 7, "a.example", FIRST, true, "the very same"},
        {1, "192.0.2.53", 7, "a.example", FIRST, true, "a second later"},
        {-1, "192.0.2.53", 7, "a.example", FIRST, true, "a second earlier"},
        {1.000000001, "192.0.2.53", 7, "a.example", FIRST, false, "more than a second later"},
        {0, "192.0.2.54", 7, "a.example", FIRST, false, "another resolver"},
        {0, "192.0.2.53", 8, "a.example", FIRST, false, "another id"},
        {0, "192.0.2.53", 7, "A.example", FIRST, false, "other octets in the question"},
        {0, "192.0.2.53", 7, "b.example", FIRST, false, "another question"},
        {0, "192.0.2.53", 7, "a.example", "198.51.100.23 203.0.113.9/301", false, "another TTL"},
        {0, "192.0.2.53", 7, "a.example", "198.51.100.23", false, "an address less"},
        {0, "192.0.2.53", 7, "a.example", FIRST " 192.0.2.1", false, "an address more"},
        {0, "192.0.2.53", 7, "a.example", "203.0.113.9/300 198.51.100.23", false, "other order"},
};

Test(hosts, a_copy_of_the_same_answer_within_a_second_changes_nothing) /* 4.7 */
{
        for (size_t i = 0; i < ROWS(copies); i++) {
                struct pt_given given;
                uint32_t used;
                enum pt_learned learned;

                free_hosts();
                make_hosts();
                given = given_to(&g, 0, CLIENT, false);
                given.id = 7;
                cr_assert_eq(given_full(&g, &given, "a.example", FIRST), PT_LEARNED);
                used = g.hosts->pool.used;
                given = given_to(&g, copies[i].time, CLIENT, false);
                given.resolver = make_address(copies[i].resolver);
                given.id = copies[i].id;
                learned = given_full(&g, &given, copies[i].question, copies[i].records);
                cr_expect_eq(learned == PT_LEARNED_COPY, copies[i].copy, "%s", copies[i].why);
                cr_expect_eq(g.hosts->pool.used == used, copies[i].copy, "%s", copies[i].why);
        }
}

Test(hosts, an_answer_with_several_owners_has_copies_too) /* 4.7 */
{
        struct pt_given given = given_to(&g, 0, CLIENT, false);
        const char *records = "192.0.2.1 =cdn.example 192.0.2.2 192.0.2.3 @x.example 192.0.2.4";

        cr_expect_eq(given_full(&g, &given, "a.example", records), PT_LEARNED);
        given.time += 500000000;
        cr_expect_eq(given_full(&g, &given, "a.example", records), PT_LEARNED_COPY);
        cr_expect_eq(g.hosts->entries, 4);
}

Test(hosts, the_same_answer_to_another_type_of_question_is_no_copy) /* 4.7 */
{
        struct pt_given given = given_to(&g, 0, CLIENT, false);
        struct pt_dns_address address = {.address = make_address(A), .ttl = 60};
        struct pt_dns_answer answer = {
                .name_count = 1, .addresses = &address, .count = 1, .capacity = 1};

        answer.names[0] = make_name("a.example");
        given.answer = &answer;
        given.question_type = PT_DNS_A;
        cr_expect_eq(pt_hosts_learn(g.hosts, &given), PT_LEARNED);
        cr_expect_eq(pt_hosts_learn(g.hosts, &given), PT_LEARNED_COPY);
        given.question_type = 255; /* ANY */
        cr_expect_eq(pt_hosts_learn(g.hosts, &given), PT_LEARNED);
}

Test(hosts, the_same_answer_to_two_clients_is_no_copy) /* 4.7 */
{
        struct pt_given given = given_to(&g, 0, CLIENT, false);

        given_full(&g, &given, "a.example", A);
        given.client = make_address(OTHER);
        cr_expect_eq(given_full(&g, &given, "a.example", A), PT_LEARNED);
}

/* A busy forwarder is given many answers between an answer and its copy. */
Test(hosts, a_copy_is_known_however_many_answers_came_between) /* 4.7 */
{
        struct pt_given given = given_to(&g, 0, CLIENT, true);

        given_full(&g, &given, "a.example", A);
        for (int i = 0; i < 100; i++)
                give_asked(&g, 0.001 * i, CLIENT, "b.example", B);
        given.time = at(0.2);
        cr_expect_eq(given_full(&g, &given, "a.example", A), PT_LEARNED_COPY);
}

/* A client that polls one name for hours must not make each answer slower than the one before. */
Test(hosts, of_very_many_repeats_of_one_address_the_oldest_go_and_are_counted)
{
        for (int i = 0; i < 3000; i++)
                give(&g, i, CLIENT, "poll.example", A);
        cr_expect_eq(g.hosts->entries, 1024);
        cr_expect_eq(g.counters.value[PT_COUNT_CACHE_EVICTED_REPEATS], 3000 - 1024);
        cr_expect_neq(given(&g, 3000, CLIENT, A), 0);
        sound_hosts(g.hosts);
}

Test(hosts, repeats_that_nobody_asked_for_push_out_none_that_was_asked_for)
{
        struct pt_address client = make_address(CLIENT), a = make_address(A);

        pt_hosts_free(g.hosts); /* an eighth of its memory holds no 2 000 answers */
        given_init(&g, 8 << 20);
        give_asked(&g, 0, CLIENT, "poll.example", A);
        for (int i = 0; i < 2000; i++)
                give(&g, 1 + 0.1 * i, CLIENT, "forged.example", A);
        cr_expect_eq(g.hosts->entries, 1024);
        cr_expect(pt_hosts_given_asked(g.hosts, &client, &a, at(300)));
        sound_hosts(g.hosts);
}

/* Expiry shortens the list by itself: then none that counts is taken away. */
Test(hosts, repeats_that_expire_in_time_are_no_repeats_to_bound)
{
        for (int i = 0; i < 3000; i++)
                give(&g, 60 * i, CLIENT, "poll.example", A);
        cr_expect_eq(g.counters.value[PT_COUNT_CACHE_EVICTED_REPEATS], 0);
}

/* ---- contacts (4.5) ---- */

/* Was the question name of what gives `address` contacted before `time`? */
static bool contacted(double time, const char *client, const char *address)
{
        struct pt_address from = make_address(client);
        uint32_t link = given(&g, time, client, address);
        uint32_t client_link = pt_hosts_client(g.hosts, &from);
        bool ret;

        cr_assert(link);
        pt_hosts_mark_contacted(g.hosts, client_link, at(time), true);
        ret = pt_hosts_marked(g.hosts, link);
        pt_hosts_mark_contacted(g.hosts, client_link, at(time), false);
        cr_assert_not(pt_hosts_marked(g.hosts, link));
        return ret;
}

Test(hosts, a_name_is_contacted_strictly_before_and_within_the_window) /* 4.5 */
{
        give(&g, 0, CLIENT, "a.example", A "/3600");
        cr_expect_not(contacted(10, CLIENT, A));
        contact(&g, 10, CLIENT, A);
        cr_expect_not(contacted(10, CLIENT, A), "strictly before");
        cr_expect(contacted(10.000000001, CLIENT, A));
        cr_expect(contacted(610, CLIENT, A), "within the window");
        cr_expect_not(contacted(610.000000001, CLIENT, A), "and no longer");
}

Test(hosts, a_contact_at_the_same_time_does_not_hide_one_before_it) /* 4.5 */
{
        give(&g, 0, CLIENT, "a.example", A "/3600");
        contact(&g, 10, CLIENT, A);
        contact(&g, 20, CLIENT, A);
        cr_expect(contacted(20, CLIENT, A), "10 is before 20");
        contact(&g, 621, CLIENT, A);
        cr_expect_not(contacted(621, CLIENT, A), "20 is more than a window before");
        contact(&g, 1221, CLIENT, A);
        cr_expect(contacted(1221, CLIENT, A), "621 is exactly a window before");
}

Test(hosts, a_contact_to_one_address_of_a_name_is_one_to_the_name) /* 4.5 */
{
        give(&g, 0, CLIENT, "a.example", A " " B);
        give(&g, 1, CLIENT, "a.example", "2001:db8::1");
        contact(&g, 5, CLIENT, B);
        cr_expect(contacted(6, CLIENT, A));
        cr_expect(contacted(6, CLIENT, "2001:db8::1"), "A and AAAA alike");
}

Test(hosts, names_are_contacted_whatever_their_case) /* 4.5 */
{
        give(&g, 0, CLIENT, "a.example", A);
        give(&g, 1, CLIENT, "A.EXAMPLE", B);
        contact(&g, 5, CLIENT, B);
        cr_expect(contacted(6, CLIENT, A));
}

Test(hosts, it_is_the_question_that_is_contacted_not_the_owner) /* 4.5 */
{
        give(&g, 0, CLIENT, "a.example", "=cdn.example " A);
        give(&g, 1, CLIENT, "b.example", "=cdn.example " B);
        contact(&g, 5, CLIENT, B);
        cr_expect_not(contacted(6, CLIENT, A));
}

Test(hosts, another_clients_contact_is_not_this_ones) /* 4.5 */
{
        give(&g, 0, CLIENT, "a.example", A);
        give(&g, 0, OTHER, "a.example", A);
        contact(&g, 5, OTHER, A);
        cr_expect_not(contacted(6, CLIENT, A));
        cr_expect(contacted(6, OTHER, A));
}

Test(hosts, a_contact_marks_every_name_that_gave_the_address) /* 4.5 */
{
        give(&g, 0, CLIENT, "a.example", A);
        give(&g, 1, CLIENT, "b.example", A " " B);
        contact(&g, 5, CLIENT, A);
        cr_expect(contacted(6, CLIENT, B));
}

Test(hosts, a_contact_to_what_does_not_count_any_more_is_none) /* 4.5 */
{
        give(&g, 0, CLIENT, "a.example", A "/60 " B "/3600");
        contact(&g, 601, CLIENT, A);
        cr_expect_not(contacted(602, CLIENT, B));
}

/* Packets may be up to a second late: this SYN was sent before its address was given. */
Test(hosts, a_contact_before_the_answer_is_none) /* 4.5, 4.12 */
{
        give(&g, 10, CLIENT, "a.example", A);
        contact(&g, 9.5, CLIENT, A);
        cr_expect_not(contacted(11, CLIENT, A));
        contact(&g, 9.95, CLIENT, A);
        cr_expect(contacted(11, CLIENT, A), "within `reorder`");
}

Test(hosts, a_contact_passes_on_to_a_newer_resolution_while_the_older_counts) /* 4.5 */
{
        give(&g, 0, CLIENT, "a.example", A);
        contact(&g, 500, CLIENT, A);
        give(&g, 600, CLIENT, "b.example", A);
        cr_expect(contacted(700, CLIENT, A), "inherited at 600, when the older still counted");
}

Test(hosts, a_contact_is_forgotten_with_a_resolution_that_counts_no_more) /* 4.5 */
{
        give(&g, 0, CLIENT, "a.example", A);
        contact(&g, 500, CLIENT, A);
        give(&g, 600.1, CLIENT, "a.example", A);
        cr_expect_not(contacted(700, CLIENT, A));
}

Test(hosts, a_contact_that_passes_on_brings_the_one_before_it_with_it) /* 4.5 */
{
        give(&g, 0, CLIENT, "a.example", A);
        contact(&g, 10, CLIENT, A);
        contact(&g, 20, CLIENT, A);
        give(&g, 15, CLIENT, "b.example", A);
        cr_expect(contacted(20, CLIENT, A), "10 is before 20");
}

/* ---- IPv4 inside IPv6 (design 3) ---- */

Test(hosts, an_ipv4_address_inside_ipv6_is_looked_up_as_itself) /* design 3 */
{
        struct pt_address embedded = make_address("64:ff9b::198.51.100.23");
        struct pt_address other = make_address("64:ff9b:0:1::198.51.100.23");
        struct pt_address canonical = pt_hosts_canonical(g.hosts, &embedded);
        struct pt_address plain = make_address(A);

        cr_expect(pt_address_equal(&canonical, &plain));
        canonical = pt_hosts_canonical(g.hosts, &other);
        cr_expect(pt_address_equal(&canonical, &other), "not in a prefix that was named");
        canonical = pt_hosts_canonical(g.hosts, &plain);
        cr_expect(pt_address_equal(&canonical, &plain));
        give(&g, 0, CLIENT, "a.example", "64:ff9b::198.51.100.23");
        cr_expect(given(&g, 1, CLIENT, A));
}

/* ---- against a plain reference: all that was ever learned, searched from end to end ---- */

struct learned {
        int64_t time;
        int64_t contacts[64];
        size_t contact_count;
        uint32_t ttl;
        unsigned client;
        unsigned address;
        unsigned name;
        bool asked;
};

static struct learned reference[20000];
static size_t reference_count;

static bool reference_counts(const struct learned *r, int64_t time)
{
        int64_t life = 600;

        if (r->ttl < 0x80000000 && r->ttl > life)
                life = r->ttl < 3600 ? (int64_t)r->ttl : 3600;
        return r->time - 50000000 <= time && time <= r->time + life * 1000000000;
}

/* The newest of `client`, or of any other one; later learned first among equals. */
static const struct learned *reference_given(unsigned client, bool others, unsigned address,
                                             int64_t time)
{
        const struct learned *best = NULL;

        for (size_t i = 0; i < reference_count; i++) {
                const struct learned *r = &reference[i];

                if ((r->client == client) != others && r->address == address &&
                    reference_counts(r, time) && (!best || r->time >= best->time))
                        best = r;
        }
        return best;
}

/* Behind what was asked for, a contact of what was not counts for nothing (5). */
static bool reference_contacted(const struct learned *of, int64_t time)
{
        unsigned client = of->client, name = of->name;

        for (size_t i = 0; i < reference_count; i++) {
                const struct learned *r = &reference[i];

                if (r->client != client || r->name / 2 != name / 2 || !reference_counts(r, time) ||
                    (of->asked && !r->asked))
                        continue;
                for (size_t c = 0; c < r->contact_count; c++)
                        if (r->contacts[c] < time && r->contacts[c] >= time - 600000000000)
                                return true;
        }
        return false;
}

static void reference_contact(unsigned client, unsigned address, int64_t time)
{
        for (size_t i = 0; i < reference_count; i++) {
                struct learned *r = &reference[i];

                if (r->client != client || r->address != address || !reference_counts(r, time))
                        continue;
                if (r->contact_count == ROWS(r->contacts))
                        memmove(r->contacts, r->contacts + 1,
                                --r->contact_count * sizeof *r->contacts);
                r->contacts[r->contact_count++] = time;
        }
}

static void reference_learn(const struct learned *new)
{
        struct learned *r = &reference[reference_count];

        *r = *new;
        /* What it inherits: every contact of the older ones is worth what its latest is. */
        for (size_t i = 0; i < reference_count; i++) {
                const struct learned *old = &reference[i];

                if (old->client == r->client && old->address == r->address &&
                    reference_counts(old, r->time) && old->contact_count &&
                    (!r->contact_count ||
                     old->contacts[old->contact_count - 1] > r->contacts[r->contact_count - 1])) {
                        memcpy(r->contacts, old->contacts, sizeof r->contacts);
                        r->contact_count = old->contact_count;
                }
        }
        reference_count++;
}

/* Names 0 and 1 are one but for their case, and so on. */
static const char *name_text(unsigned name)
{
        static char text[32];

        snprintf(text, sizeof text, name % 2 ? "N%u.Example" : "n%u.example", name / 2);
        return text;
}

static const char *client_text(unsigned client)
{
        static char text[32];

        snprintf(text, sizeof text, "10.0.0.%u", client);
        return text;
}

#define CLIENTS 4
#define ADDRESSES 6

static void compare(int64_t time)
{
        for (unsigned client = 0; client < CLIENTS; client++)
                for (unsigned address = 0; address < ADDRESSES; address++) {
                        struct pt_address from = make_address(client_text(client));
                        struct pt_address to = pt_address_from_ipv4(0xc6336400 + address);
                        const struct learned *r = reference_given(client, false, address, time);
                        uint32_t link = pt_hosts_given(g.hosts, &from, &to, time);
                        bool is;

                        cr_assert_eq(link != 0, r != NULL);
                        if (r) {
                                cr_assert_str_eq(question_of(&g, link), name_text(r->name));
                                pt_hosts_mark_contacted(g.hosts, pt_hosts_client(g.hosts, &from),
                                                        time, true);
                                is = pt_hosts_marked(g.hosts, link);
                                pt_hosts_mark_contacted(g.hosts, pt_hosts_client(g.hosts, &from),
                                                        time, false);
                                cr_assert_eq(is, reference_contacted(r, time));
                        }
                        r = reference_given(client, true, address, time);
                        link = pt_hosts_given_other(g.hosts, &from, &to, time);
                        cr_assert_eq(link != 0, r != NULL);
                        if (r)
                                cr_assert_str_eq(question_of(&g, link), name_text(r->name));
                }
}

static void learn_random(int64_t time)
{
        static const uint32_t ttls[] = {0, 60, 700, 3600, 90000, 0x80000000};
        struct learned new = {
                .time = time,
                .ttl = ttls[(unsigned)rand() % ROWS(ttls)],
                .client = (unsigned)rand() % CLIENTS,
                .address = (unsigned)rand() % ADDRESSES,
                .name = (unsigned)rand() % 12,
                .asked = rand() % 2,
        };
        struct pt_given given = given_to(&g, 0, client_text(new.client), new.asked);
        char records[64];

        given.time = time;
        snprintf(records, sizeof records, "198.51.100.%u/%u", new.address, new.ttl);
        cr_assert_eq(given_full(&g, &given, name_text(new.name), records), PT_LEARNED);
        reference_learn(&new);
}

/* Steps between packets: some of one tick, and some that make things expire. */
static void compare_run(unsigned seed, int operations, int64_t most_late)
{
        static const int64_t steps[] = {0, 1, 1000000, 10000000000, 99999999999, 600000000000};
        int64_t now = at(0), contact_time = 0;

        srand(seed);
        reference_count = 0;
        for (int i = 0; i < operations; i++) {
                int64_t late = most_late && rand() % 3 == 0 ? rand() % most_late : 0;

                now += steps[(unsigned)rand() % ROWS(steps)];
                if (rand() % 2) {
                        learn_random(now - late);
                } else if (now > contact_time) { /* contacts come in order of time (4.1) */
                        unsigned client = (unsigned)rand() % CLIENTS;
                        unsigned address = (unsigned)rand() % ADDRESSES;
                        struct pt_address from = make_address(client_text(client));
                        struct pt_address to = pt_address_from_ipv4(0xc6336400 + address);

                        compare(now);
                        contact_time = now;
                        pt_hosts_contact(g.hosts, &from, &to, now);
                        reference_contact(client, address, now);
                        compare(now);
                }
        }
}

Test(hosts, whatever_is_learned_in_order_it_answers_as_a_plain_list_does) /* 4.5, 4.7 */
{
        for (unsigned seed = 0; seed < 10; seed++) {
                compare_run(seed, 400, 0);
                free_hosts();
                make_hosts();
        }
}

Test(hosts, whatever_is_learned_late_it_answers_as_a_plain_list_does) /* 4.5, 4.7, 4.12 */
{
        for (unsigned seed = 0; seed < 10; seed++) {
                compare_run(seed, 400, 1000000000);
                free_hosts();
                make_hosts();
        }
}

/* Of a client whose queries the mirror does not show, nothing needs to be searched for them. */
Test(hosts, a_client_asks_from_its_first_answer_on_that_was_asked_for)
{
        struct pt_address client = make_address(CLIENT);

        give(&g, 0, CLIENT, "forged.example", A);
        cr_expect_not(pt_hosts_asks(g.hosts, pt_hosts_client(g.hosts, &client)));
        give_asked(&g, 1, CLIENT, "www.example", A);
        cr_expect(pt_hosts_asks(g.hosts, pt_hosts_client(g.hosts, &client)));
        give(&g, 2, CLIENT, "forged.example", A);
        cr_expect(pt_hosts_asks(g.hosts, pt_hosts_client(g.hosts, &client)));
}
