#include "memory/names.h"

#include "given.h"

#include <criterion/criterion.h>

static struct given_hosts g;

static void make_hosts(void)
{
        given_init(&g, 1 << 18);
}

static void free_hosts(void)
{
        pt_hosts_free(g.hosts);
}

TestSuite(names, .init = make_hosts, .fini = free_hosts);

static uint32_t hold(const char *text)
{
        struct pt_dns_name name = make_name(text);

        return pt_names_hold(g.hosts, &name, 0);
}

static bool is(uint32_t link, const char *text)
{
        struct pt_dns_name name = make_name(text);

        return pt_names_is(g.hosts, link, &name);
}

/*
 * Design 8: a name takes 1 to 5 cells. The first has 64 octets less 8 of hash, 3 links of 4, length
 * and 3 of filling: room for 40 at least; each further one has 64 less a link of 4: 60.
 * 40 + 4 * 60 = 280 is more than a name's 255.
 */
static const struct {
        size_t length;
        uint32_t cells;
} sizes[] = {
        {4, 1},   {39, 1},  {40, 1},  {41, 2},  {100, 2}, {101, 3},
        {160, 3}, {161, 4}, {220, 4}, {221, 5}, {255, 5},
};

Test(names, a_name_takes_one_to_five_cells_and_comes_out_as_it_went_in) /* design 8 */
{
        for (size_t i = 0; i < ROWS(sizes); i++) {
                char text[256];
                struct pt_dns_name name, back;
                uint32_t link;

                make_long_name(sizes[i].length, (unsigned)i % 10, text);
                name = make_name(text);
                cr_assert_eq(name.length, sizes[i].length);
                cr_expect_eq(pt_names_cells(&name), sizes[i].cells, "%zu octets", sizes[i].length);
                link = pt_names_hold(g.hosts, &name, 0);
                cr_expect_eq(g.hosts->pool.used, sizes[i].cells, "%zu octets", sizes[i].length);
                cr_expect_eq(pt_names_cells_of(g.hosts, link), sizes[i].cells);
                pt_names_read(g.hosts, link, &back);
                cr_expect_eq(back.length, name.length);
                cr_expect_arr_eq(back.wire, name.wire, name.length);
                pt_names_release(g.hosts, link);
                cr_expect_eq(g.hosts->pool.used, 0);
        }
}

Test(names, the_root_is_a_name)
{
        uint32_t link = hold(".");

        cr_expect(is(link, "."));
        cr_expect_not(is(link, "a"));
        pt_names_release(g.hosts, link);
        cr_expect_eq(g.hosts->pool.used, 0);
}

Test(names, a_name_is_kept_once_and_goes_with_its_last_use) /* design 8: interned */
{
        uint32_t first = hold("www.example"), again = hold("www.example");
        uint32_t other = hold("www.example.net");

        cr_expect_eq(first, again);
        cr_expect_neq(first, other);
        cr_expect_eq(g.hosts->pool.used, 2);
        pt_names_release(g.hosts, first);
        cr_expect_eq(g.hosts->pool.used, 2);
        cr_expect(is(first, "www.example"));
        pt_names_release(g.hosts, first);
        cr_expect_eq(g.hosts->pool.used, 1);
        cr_expect(is(other, "www.example.net"));
}

/* Case is kept for the reader (design 6), and ignored where names are compared (design 4.8). */
Test(names, names_that_differ_in_case_are_two_to_show_and_one_to_compare)
{
        uint32_t lower = hold("www.example"), upper = hold("WWW.Example"),
                 other = hold("ww.example");

        cr_expect_neq(lower, upper);
        pt_names_mark(g.hosts, lower, PT_NAME_CONTACTED);
        cr_expect_eq(pt_names_marks(g.hosts, lower), PT_NAME_CONTACTED);
        cr_expect_eq(pt_names_marks(g.hosts, upper), PT_NAME_CONTACTED);
        cr_expect_eq(pt_names_marks(g.hosts, other), 0);
        pt_names_mark(g.hosts, upper, PT_NAME_ASKED_CONTACTED);
        cr_expect_eq(pt_names_marks(g.hosts, lower), PT_NAME_CONTACTED | PT_NAME_ASKED_CONTACTED);
        pt_names_mark(g.hosts, upper, 0);
        cr_expect_eq(pt_names_marks(g.hosts, lower), 0);
        cr_expect(is(upper, "WWW.Example"));
        cr_expect_not(is(upper, "www.example"));
}

Test(names, a_name_differs_from_one_that_is_longer_by_its_last_cell)
{
        char text[256];
        uint32_t long_one = hold(make_long_name(255, 1, text));
        struct pt_dns_name name = make_name(text);

        name.wire[253] = 'y';
        cr_expect_not(pt_names_is(g.hosts, long_one, &name));
        name.wire[253] = 'x';
        cr_expect(pt_names_is(g.hosts, long_one, &name));
}

/* Uses are counted in a plain array beside. */
Test(names, no_order_of_holding_and_releasing_loses_a_cell)
{
        static uint32_t uses[200], links[200];
        char text[256];

        srand(4);
        for (int i = 0; i < 50000; i++) {
                unsigned which = (unsigned)rand() % 200;
                size_t length = 6 + which * 249 / 199;

                make_long_name(length, which, text);
                if (rand() % 2 && uses[which] < 5) {
                        uint32_t link = hold(text);

                        cr_assert(uses[which] == 0 || link == links[which]);
                        links[which] = link;
                        uses[which]++;
                } else if (uses[which]) {
                        cr_assert(is(links[which], text));
                        pt_names_release(g.hosts, links[which]);
                        uses[which]--;
                }
        }
        for (unsigned which = 0; which < 200; which++)
                while (uses[which]) {
                        pt_names_release(g.hosts, links[which]);
                        uses[which]--;
                }
        cr_expect_eq(g.hosts->pool.used, 0);
        for (uint64_t head = 0; head <= g.hosts->names.mask; head++)
                cr_assert_eq(g.hosts->names.link[head], 0);
}
