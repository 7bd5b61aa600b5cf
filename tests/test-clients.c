#include "memory/clients.h"

#include "given.h"
#include "sound.h"

#include <criterion/criterion.h>

/*
 * Who gives way (design 8): unproven clients go first, then the oldest of the client that holds
 * most, an answer charged with its names in full; a proven client that holds less than its fair
 * share never loses a cell; unasked answers where queries are seen live in an eighth of the share.
 */

static struct given_hosts g;

/* Every address record that was ever learned is held, expired or evicted: none is lost. */
static uint64_t learned;

static uint64_t count(enum pt_counter counter)
{
        return g.counters.value[counter];
}

static void expect_conserved(void)
{
        sound_hosts(g.hosts);
        cr_expect_eq(learned, g.hosts->entries + count(PT_COUNT_CACHE_EXPIRED) +
                                      count(PT_COUNT_CACHE_EVICTED));
        cr_expect_eq(count(PT_COUNT_CACHE_EVICTED),
                     count(PT_COUNT_CACHE_EVICTED_UNPROVEN) + count(PT_COUNT_CACHE_EVICTED_GREEDY) +
                             count(PT_COUNT_CACHE_EVICTED_UNASKED),
                     "evicted, but for no cause");
}

/* All is forgotten: every cell must be back. */
static void forget_all(void)
{
        struct pt_hosts *hosts = g.hosts;

        while (hosts->idle_first) {
                struct client_cell *c = client_at(hosts, hosts->idle_first);

                if (c->oldest)
                        pt_clients_drop_answer(hosts, c->oldest);
                else
                        pt_clients_forget(hosts, hosts->idle_first);
        }
        cr_expect_eq(hosts->pool.used, 0);
        cr_expect_eq(hosts->entries, 0);
        cr_expect_eq(hosts->client_count, 0);
        cr_expect_eq(hosts->proven_holders, 0);
        sound_hosts(hosts); /* finds what is still linked from any head */
}

static void make_hosts_of(size_t memory)
{
        given_init(&g, memory);
        learned = 0;
}

static void make_hosts(void)
{
        make_hosts_of((size_t)1 << 19);
}

static void free_hosts(void)
{
        expect_conserved();
        forget_all();
        pt_hosts_free(g.hosts);
}

TestSuite(clients, .init = make_hosts, .fini = free_hosts);

static bool learn(double seconds, const char *client, bool asked, const char *question,
                  const char *records)
{
        struct pt_given given = given_to(&g, seconds, client, asked);
        struct make_word word;

        if (given_full(&g, &given, question, records) != PT_LEARNED)
                return false;
        while (make_word(&records, &word))
                learned += word.kind == 'A';
        return true;
}

/* One address of its own and, if it is wanted, a long name of its own. */
static bool learn_one(double seconds, const char *client, bool asked, unsigned number,
                      size_t name_length)
{
        char question[256], record[32];

        make_long_name(name_length, number, question);
        snprintf(record, sizeof record, "198.%u.%u.%u", number >> 16 & 255, number >> 8 & 255,
                 number & 255);
        return learn(seconds, client, asked, question, record);
}

/* How many of the answers `first` to `last` that learn_one() gave the client are still there. */
static unsigned kept(double seconds, const char *client, unsigned first, unsigned last)
{
        struct pt_address from = make_address(client);
        unsigned n = 0;

        for (unsigned number = first; number <= last; number++) {
                struct pt_address to = pt_address_from_ipv4(198u << 24 | (number & 0xffffff));

                n += pt_hosts_given(g.hosts, &from, &to, at(seconds)) != 0;
        }
        return n;
}

static uint32_t link_of(const char *client)
{
        struct pt_address address = make_address(client);

        return pt_clients_find(g.hosts, &address);
}

/* A million addresses of a network, one answer each. */
static void flood(double seconds, unsigned clients)
{
        struct pt_dns_address address = {.address = make_address("192.0.2.1"), .ttl = 60};
        struct pt_dns_answer answer = {
                .name_count = 1, .addresses = &address, .count = 1, .capacity = 1};
        struct pt_given given = given_to(&g, seconds, "10.0.0.0", false);

        answer.names[0] = make_name("flood.example");
        given.answer = &answer;
        for (unsigned i = 0; i < clients; i++) {
                given.client = pt_address_from_ipv4((10u << 24) + 0x100000 + i);
                cr_assert_eq(pt_hosts_learn(g.hosts, &given), PT_LEARNED);
                learned++;
        }
}

/* ---- unproven clients go first ---- */

Test(clients, a_million_clients_that_never_speak_take_nothing_from_one_that_does)
{
        for (unsigned i = 0; i < 40; i++)
                learn_one(0, "10.0.0.1", true, i, 100);
        flood(1, 1000000);
        cr_expect_eq(kept(2, "10.0.0.1", 0, 39), 40);
        cr_expect_gt(count(PT_COUNT_CACHE_EVICTED_UNPROVEN), 900000);
        cr_expect_eq(count(PT_COUNT_CACHE_EVICTED), count(PT_COUNT_CACHE_EVICTED_UNPROVEN));
        cr_expect_eq(count(PT_COUNT_CACHE_REFUSED), 0);
}

/* The first SYN after its answer proves a client as well as a query. */
Test(clients, a_client_is_proven_by_its_first_syn)
{
        for (unsigned i = 0; i < 40; i++)
                learn_one(0, "10.0.0.1", false, i, 20);
        spoke(&g, "10.0.0.1");
        for (unsigned i = 0; i < 40; i++)
                learn_one(0, "10.0.0.2", false, i, 20);
        flood(1, 100000);
        cr_expect_eq(kept(2, "10.0.0.1", 0, 39), 40);
        cr_expect_eq(kept(2, "10.0.0.2", 0, 39), 0);
        cr_expect_eq(link_of("10.0.0.2"), 0);
}

Test(clients, of_those_that_never_spoke_the_one_longest_without_an_answer_goes_first)
{
        unsigned fill;

        learn_one(0, "10.0.0.1", false, 1, 20);
        learn_one(0, "10.0.0.2", false, 2, 20);
        learn_one(0, "10.0.0.3", false, 3, 20);
        learn_one(1, "10.0.0.1", false, 4, 20); /* not the longest any more */
        fill = pt_pool_free(&g.hosts->pool) / 3;
        flood(2, fill + 1); /* client, answer, resolution: one too many */
        cr_expect_eq(link_of("10.0.0.2"), 0);
        cr_expect_neq(link_of("10.0.0.1"), 0);
        flood(2, fill + 4);
        cr_expect_eq(link_of("10.0.0.3"), 0);
}

/* It goes first when it is the only one too, before anybody who spoke. */
Test(clients, one_client_that_never_speaks_gives_way_to_itself)
{
        unsigned number = 0;

        for (unsigned i = 0; i < 10; i++)
                learn_one(0, "10.0.0.2", true, i, 20);
        while (!count(PT_COUNT_CACHE_EVICTED))
                cr_assert(learn_one(0, "10.0.0.1", true, ++number, 20));
        cr_assert_eq(kept(1, "10.0.0.1", 1, number), number - 1); /* its oldest gave way */
        for (unsigned i = 0; i < 10000; i++)
                learn_one(1, "10.0.0.3", false, i, 20);
        cr_expect_eq(kept(2, "10.0.0.2", 0, 9), 10);
        /* Its first answer needs four cells and there are none: that may take one or two. */
        cr_expect_geq(kept(2, "10.0.0.1", 1, number), number - 3,
                      "who spoke gave way to one who never did");
        cr_expect_eq(kept(2, "10.0.0.3", 9999, 9999), 1);
}

/* ---- then the client that holds most ---- */

Test(clients, one_greedy_client_with_long_names_takes_nothing_from_modest_ones)
{
        for (unsigned client = 1; client <= 10; client++)
                for (unsigned i = 0; i < 20; i++)
                        learn_one(0, make_ipv4(10u << 24 | client), true, i, 60);
        for (unsigned i = 0; i < 20000; i++)
                cr_assert(learn_one(0.01 * i, "10.0.1.1", true, 1000 + i, 255));
        for (unsigned client = 1; client <= 10; client++)
                cr_expect_eq(kept(200, make_ipv4(10u << 24 | client), 0, 19), 20);
        cr_expect_eq(count(PT_COUNT_CACHE_EVICTED), count(PT_COUNT_CACHE_EVICTED_GREEDY));
        /* It gave up its oldest: what it holds now are its last. */
        cr_expect_eq(kept(200, "10.0.1.1", 20999, 20999), 1);
        cr_expect_eq(kept(200, "10.0.1.1", 20500, 20999), 500);
        cr_expect_eq(kept(200, "10.0.1.1", 1000, 1100), 0);
}

/* 2 + 5 cells each, though the name is in the pool once: who shares a name pays for it as well. */
Test(clients, an_answer_is_charged_with_its_names_in_full)
{
        char question[256];

        make_long_name(255, 1, question);
        learn(0, "10.0.0.1", true, question, "192.0.2.1");
        cr_expect_eq(client_at(g.hosts, link_of("10.0.0.1"))->charge, 1 + 1 + 1 + 5);
        learn(1, "10.0.0.1", true, question, "192.0.2.2 192.0.2.3");
        cr_expect_eq(client_at(g.hosts, link_of("10.0.0.1"))->charge, 8 + 1 + 2 + 5);
        cr_expect_eq(g.hosts->pool.used, 1 + 2 + 3 + 5);
        learn(2, "10.0.0.1", true, question, "=cdn.example 192.0.2.3");
        cr_expect_eq(client_at(g.hosts, link_of("10.0.0.1"))->charge, 16 + 1 + 1 + 1 + 5 + 1);
}

Test(clients, clients_that_want_all_there_is_come_to_hold_the_same)
{
        uint32_t least = UINT32_MAX, most = 0;

        for (unsigned i = 0; i < 12000; i++)
                learn_one(0.01 * i, make_ipv4(10u << 24 | (i % 4)), true, i, 30 + i % 4 * 70);
        for (unsigned client = 0; client < 4; client++) {
                uint32_t charge =
                        client_at(g.hosts, link_of(make_ipv4(10u << 24 | client)))->charge;

                least = charge < least ? charge : least;
                most = charge > most ? charge : most;
        }
        cr_expect_gt(least * 10, most * 9, "%u to %u cells", least, most);
}

/* A second client beside one that holds all there is, its signature included. */
Test(clients, one_that_holds_everything_makes_room_for_a_second)
{

        learn_one(0, "10.0.0.1", true, 0, 20);
        cr_assert_not_null(pt_hosts_filter(g.hosts, link_of("10.0.0.1"), PT_FILTER_PORTS));
        for (unsigned i = 1; i < 10000; i++)
                learn_one(0.01 * i, "10.0.0.1", true, i, 20);
        cr_assert_lt(pt_pool_free(&g.hosts->pool), 4);
        cr_expect(learn_one(101, "10.0.0.2", true, 1, 20));
        cr_expect_eq(kept(102, "10.0.0.2", 1, 1), 1);
}

/* ---- unasked answers, where queries are seen ---- */

Test(clients, unasked_answers_live_in_an_eighth_of_the_share_of_a_client_that_asks)
{
        uint32_t share;

        for (unsigned i = 0; i < 50; i++)
                learn_one(0, "10.0.0.1", true, i, 20);
        for (unsigned i = 0; i < 50; i++)
                learn_one(0, "10.0.0.2", true, i, 20);
        share = g.hosts->pool.count / 2;
        for (unsigned i = 0; i < 5000; i++) {
                cr_assert(learn_one(1, "10.0.0.1", false, 1000 + i, 255));
                cr_assert_leq(client_at(g.hosts, link_of("10.0.0.1"))->charge_unasked, share / 8);
        }
        cr_expect_gt(client_at(g.hosts, link_of("10.0.0.1"))->charge_unasked, share / 8 - 8);
        cr_expect_eq(kept(2, "10.0.0.1", 0, 49), 50);
        cr_expect_eq(kept(2, "10.0.0.2", 0, 49), 50);
        cr_expect_eq(kept(2, "10.0.0.1", 5999, 5999), 1); /* the last of them */
        cr_expect_eq(count(PT_COUNT_CACHE_EVICTED), count(PT_COUNT_CACHE_EVICTED_UNASKED));
}

Test(clients, unasked_answers_push_out_nobody_else)
{
        unsigned number = 0;

        learn_one(0, "10.0.0.1", true, 0, 20);
        while (!count(PT_COUNT_CACHE_EVICTED_GREEDY)) /* another client holds all the rest */
                learn_one(0, "10.0.0.2", true, ++number, 20);
        for (unsigned i = 1; i < 1000; i++)
                cr_expect_not(learn_one(1, "10.0.0.1", false, i, 20) && i > 2);
        cr_expect_geq(kept(2, "10.0.0.2", 1, number), number - 1);
        cr_expect_eq(kept(2, "10.0.0.1", 0, 0), 1);
        cr_expect_geq(count(PT_COUNT_CACHE_REFUSED), 997); /* counted */
}

/* What counts for nobody any more is room for everybody. */
Test(clients, an_unasked_answer_finds_room_where_all_else_has_expired)
{
        learn_one(0, "10.0.0.1", true, 0, 20);
        for (unsigned i = 0; !count(PT_COUNT_CACHE_EVICTED); i++)
                learn_one(0, "10.0.0.2", true, i, 20);
        learn_one(7000, "10.0.0.1", true, 1, 20);
        for (unsigned i = 2; i < 20; i++)
                learn_one(7201, "10.0.0.1", false, i, 20);
        cr_expect_eq(kept(7202, "10.0.0.1", 2, 19), 18);
}

Test(clients, where_the_mirror_shows_no_queries_every_answer_counts)
{
        for (unsigned i = 0; i < 3000; i++)
                learn_one(0, "10.0.0.1", false, i, 20);
        spoke(&g, "10.0.0.1"); /* by a SYN: no query of it was ever seen */
        cr_expect_eq(kept(1, "10.0.0.1", 1000, 2999), 2000); /* of some 7 600 cells, 3 each */
}

Test(clients, an_old_unasked_answer_gives_way_to_a_new_one_behind_however_many_asked_ones)
{
        uint32_t most;

        learn_one(0, "10.0.0.1", true, 0, 20);
        for (unsigned i = 1; i < 400; i++)
                learn_one(0, "10.0.0.1", true, i, 20);
        most = pt_clients_share(g.hosts) / 8;
        for (unsigned i = 0; i < most; i++)
                cr_assert(learn_one(1, "10.0.0.1", false, 1000 + i, 20), "unasked answer %u", i);
}

/* ---- expired ones ---- */

/* Kept a little longer than they count: packets may be a second late, and SYNs wait. */
Test(clients, what_counts_for_nobody_goes_before_anything_that_counts)
{
        unsigned number = 0;

        for (; pt_pool_free(&g.hosts->pool) > 100; number++)
                learn_one(0, make_ipv4((10u << 24) + 256 + number / 50), true, number, 20);
        learn_one(0, "10.0.0.2", false, 5, 20); /* never spoke, and is old */
        for (unsigned i = 0; i < 2000; i++)
                cr_assert(learn_one(3700, "10.0.0.1", true, 100000 + i, 20));
        cr_expect_eq(kept(3701, "10.0.0.1", 100000, 101999), 2000);
        cr_expect_eq(count(PT_COUNT_CACHE_EVICTED), 0);
        cr_expect_gt(count(PT_COUNT_CACHE_EXPIRED), 1000);
}

Test(clients, what_still_counts_does_not_expire)
{
        for (unsigned i = 0; i < 100; i++)
                learn(0, "10.0.0.1", true, "a.example", "198.51.100.1/86400");
        for (unsigned i = 0; i < 100; i++)
                learn_one(3600, "10.0.0.1", true, i, 20);
        cr_expect_eq(count(PT_COUNT_CACHE_EXPIRED), 0);
        cr_expect_neq(given(&g, 3600, "10.0.0.1", "198.51.100.1"), 0);
}

/* Inside (4.4) is who was ever given DNS: expiry alone forgets nobody. */
Test(clients, a_client_is_remembered_beyond_its_answers_while_there_is_room)
{
        learn_one(0, "203.0.113.7", false, 1, 20);
        learn_one(100000, "10.0.0.1", false, 1, 20);
        cr_expect_neq(link_of("203.0.113.7"), 0);
}

/* ---- refusals ---- */

/* 1000 addresses under one owner are more than an eighth; the one under the other owner fits. */
static const char *many(const char *before, const char *after)
{
        static char records[32 * 1000];
        size_t length = (size_t)snprintf(records, sizeof records, "%s", before);

        for (unsigned i = 0; i < 1000; i++)
                length += (size_t)snprintf(records + length, sizeof records - length,
                                           " 198.51.%u.%u", i / 250, i % 250);
        snprintf(records + length, sizeof records - length, " %s", after);
        return records;
}

static void expect_refused_in_part(const char *records)
{
        struct pt_given given;

        learn_one(0, "10.0.0.1", true, 0, 20);
        given = given_to(&g, 1, "10.0.0.1", false);
        given_full(&g, &given, "a.example", records);
        learned += g.hosts->entries - 1;
        cr_expect_eq(g.hosts->entries, 2);
        cr_expect_eq(count(PT_COUNT_CACHE_REFUSED), 1000);
}

Test(clients, an_answer_whose_first_owner_is_refused_is_counted_in_part)
{
        expect_refused_in_part(many("", "@x 192.0.2.1"));
}

Test(clients, an_answer_whose_last_owner_is_refused_is_counted_in_part)
{
        expect_refused_in_part(many("192.0.2.1 @x", ""));
}

/* An answer of more cells than there are is refused, and nobody has been robbed for nothing. */
Test(clients, an_answer_that_cannot_fit_is_refused_and_counted)
{
        free_hosts();
        make_hosts_of((size_t)1 << 15); /* some 470 cells */
        for (unsigned i = 0; i < 20; i++)
                learn_one(0, "10.0.0.2", true, i, 20);
        cr_expect_not(learn(1, "10.0.0.1", true, "a.example", many("", "")));
        cr_expect_eq(count(PT_COUNT_CACHE_REFUSED), 1000);
        cr_expect_eq(kept(2, "10.0.0.2", 0, 19), 20);
}

/* ---- any order of things ---- */

struct holding {
        uint32_t oldest;
        uint32_t charge;
        int64_t oldest_time;
        uint32_t oldest_learned; /* tells a cell that was given out again */
};

#define CLIENTS 30

static void look(struct holding *holdings)
{
        for (unsigned i = 0; i < CLIENTS; i++) {
                struct pt_address address = pt_address_from_ipv4(10u << 24 | i);
                uint32_t link = pt_clients_find(g.hosts, &address);
                const struct client_cell *c = link ? client_at(g.hosts, link) : NULL;

                holdings[i] = (struct holding){0};
                if (!c || !c->oldest || !(c->flags & CLIENT_PROVEN))
                        continue;
                holdings[i].oldest = c->oldest;
                holdings[i].charge = c->charge;
                holdings[i].oldest_time = answer_at(g.hosts, c->oldest)->time;
                holdings[i].oldest_learned = answer_at(g.hosts, c->oldest)->number;
        }
}

/*
 * Who was proven and below the share before and after has what it had, but for what expired. (That
 * an answer makes older ones of its own client give way is no loss: it has the newer for them.)
 */
static void expect_fair(const struct holding *before, uint32_t share, int64_t now, uint32_t learner)
{
        struct holding after[CLIENTS];

        look(after);
        share = pt_clients_share(g.hosts) < share ? pt_clients_share(g.hosts) : share;
        for (unsigned i = 0; i < CLIENTS; i++) {
                if (!before[i].oldest || before[i].charge >= share || i == learner ||
                    before[i].oldest_time < now - INT64_C(3600000000000))
                        continue;
                cr_assert(after[i].oldest == before[i].oldest &&
                                  after[i].oldest_learned == before[i].oldest_learned,
                          "client %u held %u cells of a share of %u, and lost some", i,
                          before[i].charge, share);
        }
}

/* Returns who was given it. */
static unsigned learn_anything(double seconds, unsigned number)
{
        static const size_t lengths[] = {10, 40, 100, 255};
        char question[256], alias[256], records[1024] = "";
        unsigned client = (unsigned)rand() % CLIENTS, count_of = 1 + (unsigned)rand() % 4;
        struct pt_given given;

        if (client % 3 == 0) /* a third of them wants more than the others */
                count_of *= 5;
        make_long_name(lengths[(unsigned)rand() % 4], (unsigned)rand() % 100, question);
        make_long_name(lengths[(unsigned)rand() % 4], (unsigned)rand() % 100, alias);
        for (unsigned i = 0; i < count_of; i++) {
                size_t length = strlen(records);

                if (rand() % 7 == 0)
                        snprintf(records + length, sizeof records - length, "=%s ", alias);
                length = strlen(records);
                snprintf(records + length, sizeof records - length, "198.51.%d.%d ", rand() % 2,
                         rand() % 256);
        }
        given = given_to(&g, seconds, make_ipv4(10u << 24 | client),
                         client % 4 && rand() % 3 ? true : false);
        given.number = number; /* tells answers apart */
        given_full(&g, &given, question, records);
        return client;
}

static void random_run(unsigned seed, size_t memory, int operations)
{
        double seconds = 0;

        free_hosts();
        make_hosts_of(memory);
        srand(seed);
        for (int i = 1; i <= operations; i++) {
                struct holding before[CLIENTS];
                uint32_t share = pt_clients_share(g.hosts);
                const char *client = make_ipv4(10u << 24 | ((unsigned)rand() % CLIENTS));
                uint32_t learner = CLIENTS;

                seconds += rand() % 50 ? 0.5 : 500;
                look(before);
                switch (rand() % 8) {
                case 0:
                        spoke(&g, client);
                        break;
                case 1:
                        contact(&g, seconds, client, "198.51.0.1");
                        break;
                case 2:
                        if (link_of(client))
                                pt_hosts_filter(g.hosts, link_of(client), PT_FILTER_ADDRESSES);
                        break;
                default:
                        learner = learn_anything(seconds, (unsigned)i);
                        break;
                }
                expect_fair(before, share, at(seconds), learner);
                if (i % 16 == 0)
                        sound_hosts(g.hosts);
        }
        learned = g.hosts->entries + count(PT_COUNT_CACHE_EXPIRED) + count(PT_COUNT_CACHE_EVICTED);
}

Test(clients, no_order_of_things_breaks_a_link_or_takes_from_whom_holds_little)
{
        static const size_t memories[] = {1 << 15, 1 << 16, 1 << 17, 1 << 18};

        for (unsigned seed = 0; seed < 12; seed++)
                random_run(seed, memories[seed % ROWS(memories)], 3000);
}

/* Where all hold nearly the same, a few cells decide who holds most: it must be who does. */
Test(clients, of_clients_that_hold_nearly_the_same_none_below_the_share_loses_a_cell)
{
        for (unsigned seed = 0; seed < 20; seed++) {
                unsigned clients = 2 + seed % 4;

                free_hosts();
                make_hosts_of((size_t)1 << 16);
                srand(seed);
                for (unsigned i = 1; i < 3000; i++) {
                        struct holding before[CLIENTS];
                        uint32_t share = pt_clients_share(g.hosts);
                        unsigned learner = (unsigned)rand() % clients;

                        look(before);
                        learn_one(0.001 * i, make_ipv4(10u << 24 | learner), true, i,
                                  (unsigned)rand() % 8 ? 20 : 60);
                        /* An answer takes up to 4 cells: up to 3 may be free, and charged to
                         * nobody. */
                        expect_fair(before, share - 4, at(0.001 * i), learner);
                }
        }
}
