#include "memory/tries.h"

#include "make.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define CLIENTS 5
#define WINDOW PT_TRIES_PERIODS

static struct pt_tries tries;
static struct pt_hash_key key = {1, 2};
static bool evicted;

static void begin(void)
{
        if (pt_tries_init(&tries, CLIENTS, &key) < 0)
                abort();
}

static void end(void)
{
        pt_tries_deinit(&tries);
}

TestSuite(tries, .init = begin, .fini = end);

static struct pt_address host(unsigned number)
{
        char text[32];

        snprintf(text, sizeof text, "10.0.%u.%u", number >> 8, number & 255);
        return make_address(text);
}

static struct pt_tries_client *touch(unsigned number, int64_t period)
{
        struct pt_address address = host(number);

        return pt_tries_touch(&tries, &address, period, &evicted);
}

static bool known(unsigned number)
{
        struct pt_address address = host(number);

        return pt_tries_find(&tries, &address) != NULL;
}

static uint8_t note(struct pt_tries_client *client, unsigned place, uint8_t sets, int64_t period)
{
        struct pt_address destination = host(place);

        return pt_tries_note(client, &destination, 5000, sets, period);
}

/* 10.0.0.3 is renewed, so 10.0.0.2 is the oldest when there is no room for a sixth. */
Test(tries, whose_last_try_was_longest_ago_makes_room)
{
        for (unsigned i = 1; i <= CLIENTS; i++)
                touch(i, 100 + i);
        touch(1, 110);
        cr_assert(!evicted);
        touch(6, 111);
        cr_assert(evicted); /* its last try was 9 periods ago */
        cr_assert(!known(2) && known(1) && known(3) && known(6));
        touch(7, 103 + WINDOW + 1);
        cr_assert(!evicted); /* 10.0.0.3 tried nothing for more than a window */
        cr_assert(!known(3) && known(4));
}

/* More clients than heads: whatever chains there are, each is found while it is among the last. */
Test(tries, many_that_come_and_go_are_found_while_they_are_there)
{
        for (unsigned i = 0; i < 3000; i++) {
                touch(i, i);
                for (unsigned k = 0; k < 8 && k <= i; k++)
                        cr_assert_eq(known(i - k), k < CLIENTS, "%u after %u", i - k, i);
        }
}

Test(tries, a_new_client_begins_with_nothing_and_has_a_serial_of_its_own)
{
        struct pt_tries_client *first = touch(0, 1), *last;
        uint32_t serial = first->serial;

        note(first, 9, 1, 1);
        for (unsigned i = 1; i <= CLIENTS; i++)
                last = touch(i, 2);
        cr_assert_eq(last, first); /* its place was given on */
        cr_assert_neq(last->serial, serial);
        cr_assert_eq(note(last, 9, 1, 2), 1);
}

Test(tries, a_try_is_new_until_it_was_made_and_after_a_window)
{
        struct pt_tries_client *c = touch(1, 1000);

        cr_assert_eq(note(c, 9, 1, 1000), 1);
        cr_assert_eq(note(c, 9, 3, 1000), 2); /* the second set had none */
        cr_assert_eq(note(touch(1, 1000 + WINDOW), 9, 3, 1000 + WINDOW), 0);
        cr_assert_eq(note(touch(1, 1001 + 2 * WINDOW), 9, 3, 1001 + 2 * WINDOW), 3);
        cr_assert_eq(pt_tries_count(c, 1), 1);
        pt_tries_clear(&tries);
        cr_assert_eq(note(c, 9, 3, c->period), 3);
}

/* After 256 periods an age of 256 would look like one of 0. */
Test(tries, what_is_too_old_does_not_look_young_again)
{
        for (int64_t later = WINDOW + 1; later < 700; later++) {
                struct pt_tries_client *c = touch(1, 1000 * later);

                note(c, 9, 1, 1000 * later);
                touch(1, 1000 * later + later / 2); /* on the way a sweep may come */
                cr_assert_eq(note(touch(1, 1000 * later + later), 9, 1, 1000 * later + later), 1,
                             "%d periods later", (int)later);
        }
}

/* A guess is about what was tried: none for an old try. */
Test(tries, the_guess_is_the_client_for_a_new_try_only)
{
        struct pt_address client = host(1), destination = host(9);
        struct pt_tries_client *c = touch(1, 50);

        pt_tries_fetch(&tries, &client, &destination, 5000);
        cr_assert_eq(pt_tries_guess(&tries, &client, &destination, 5000, 50), c);
        note(c, 9, 1, 50);
        cr_assert_null(pt_tries_guess(&tries, &client, &destination, 5000, 50));
        cr_assert_eq(pt_tries_guess(&tries, &client, &destination, 5000, 51 + WINDOW), c);
}
