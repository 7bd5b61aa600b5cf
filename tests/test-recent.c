#include "memory/recent.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct pt_hash_key hash_key = {1, 2};

static const struct pt_recent_key *key_of(const struct pt_recent *recent, unsigned number)
{
        static struct pt_recent_key key;

        memset(&key, 0, sizeof key);
        memcpy(key.octets, &number, sizeof number);
        pt_recent_hash(recent, &key);
        return &key;
}

static void touch(struct pt_recent *recent, unsigned number, unsigned payload)
{
        *(unsigned *)pt_recent_touch(recent, key_of(recent, number)) = payload;
}

static int oldest(const struct pt_recent *recent)
{
        const unsigned *payload = pt_recent_oldest(recent);

        return payload ? (int)*payload : -1;
}

static void make_table(struct pt_recent *recent, uint32_t capacity)
{
        cr_assert_eq(pt_recent_init(recent, capacity, sizeof(unsigned), &hash_key), 0);
}

Test(recent, what_was_touched_is_found_by_its_key_and_nothing_else_is)
{
        struct pt_recent recent;
        struct pt_recent_key key;

        make_table(&recent, 4);
        touch(&recent, 1, 11);
        touch(&recent, 2, 22);
        cr_expect_eq(*(unsigned *)pt_recent_find(&recent, key_of(&recent, 1)), 11);
        cr_expect_eq(*(unsigned *)pt_recent_find(&recent, key_of(&recent, 2)), 22);
        cr_expect_null(pt_recent_find(&recent, key_of(&recent, 3)));
        key = *key_of(&recent, 1);
        key.octets[PT_RECENT_KEY - 1] = 1; /* its last octet belongs to a key too */
        cr_expect_null(pt_recent_find(&recent, &key), "though its hash were the same");
        pt_recent_hash(&recent, &key);
        cr_expect_null(pt_recent_find(&recent, &key));
        pt_recent_deinit(&recent);
}

Test(recent, a_new_entry_is_clear_whoever_had_its_place_before)
{
        struct pt_recent recent;

        make_table(&recent, 1);
        touch(&recent, 1, 0xffffffff);
        cr_expect_eq(*(unsigned *)pt_recent_touch(&recent, key_of(&recent, 2)), 0);
        pt_recent_deinit(&recent);
}

Test(recent, the_one_touched_longest_ago_gives_way)
{
        struct pt_recent recent;

        make_table(&recent, 3);
        touch(&recent, 1, 1);
        touch(&recent, 2, 2);
        touch(&recent, 3, 3);
        cr_expect(pt_recent_full(&recent));
        touch(&recent, 1, 1); /* the youngest again */
        cr_expect_eq(oldest(&recent), 2);
        touch(&recent, 4, 4);
        cr_expect_null(pt_recent_find(&recent, key_of(&recent, 2)));
        cr_expect_not_null(pt_recent_find(&recent, key_of(&recent, 1)));
        cr_expect_eq(oldest(&recent), 3);
        cr_expect_eq(recent.count, 3);
        pt_recent_deinit(&recent);
}

Test(recent, to_find_is_not_to_touch)
{
        struct pt_recent recent;

        make_table(&recent, 2);
        touch(&recent, 1, 1);
        touch(&recent, 2, 2);
        cr_expect_not_null(pt_recent_find(&recent, key_of(&recent, 1)));
        cr_expect_eq(oldest(&recent), 1);
        pt_recent_deinit(&recent);
}

Test(recent, an_empty_table_has_no_oldest)
{
        struct pt_recent recent;

        make_table(&recent, 2);
        cr_expect_null(pt_recent_oldest(&recent));
        touch(&recent, 1, 1);
        pt_recent_drop_oldest(&recent);
        cr_expect_null(pt_recent_oldest(&recent));
        cr_expect_null(pt_recent_find(&recent, key_of(&recent, 1)));
        cr_expect_eq(recent.count, 0);
        pt_recent_deinit(&recent);
}

Test(recent, payloads_are_where_numbers_of_eight_octets_may_stand)
{
        struct pt_recent recent;

        cr_assert_eq(pt_recent_init(&recent, 3, 13, &hash_key), 0);
        for (unsigned i = 0; i < 3; i++)
                cr_expect_eq((uintptr_t)pt_recent_touch(&recent, key_of(&recent, i)) % 8, 0);
        pt_recent_deinit(&recent);
}

Test(recent, nothing_is_left_after_it_was_taken_down_and_a_second_time_is_harmless)
{
        struct pt_recent recent;

        make_table(&recent, 2);
        pt_recent_deinit(&recent);
        pt_recent_deinit(&recent);
        cr_expect_null(recent.entries);
}

/* ---- against a plain list: the youngest at its end ---- */

struct list {
        struct {
                unsigned key;
                unsigned payload;
        } entries[64];
        size_t count;
        size_t capacity;
};

static size_t list_find(const struct list *list, unsigned key)
{
        size_t place = 0;

        while (place < list->count && list->entries[place].key != key)
                place++;
        return place;
}

static void list_remove(struct list *list, size_t place)
{
        memmove(list->entries + place, list->entries + place + 1,
                (--list->count - place) * sizeof *list->entries);
}

static void list_touch(struct list *list, unsigned key, unsigned payload)
{
        size_t place = list_find(list, key);

        if (place < list->count)
                list_remove(list, place);
        else if (list->count == list->capacity)
                list_remove(list, 0);
        list->entries[list->count].key = key;
        list->entries[list->count++].payload = payload;
}

static void compare(const struct pt_recent *recent, const struct list *list, unsigned keys)
{
        cr_assert_eq(recent->count, list->count);
        cr_assert_eq(pt_recent_full(recent), list->count == list->capacity);
        cr_assert_eq(oldest(recent), list->count ? (int)list->entries[0].payload : -1);
        for (unsigned key = 0; key < keys; key++) {
                const unsigned *payload = pt_recent_find(recent, key_of(recent, key));
                size_t place = list_find(list, key);

                cr_assert_eq(payload != NULL, place < list->count, "key %u", key);
                if (payload)
                        cr_assert_eq(*payload, list->entries[place].payload);
        }
}

Test(recent, no_order_of_operations_makes_it_differ_from_a_plain_list)
{
        static const uint32_t capacities[] = {1, 2, 5, 64};

        srand(2);
        for (size_t c = 0; c < sizeof capacities / sizeof *capacities; c++) {
                struct list list = {.capacity = capacities[c]};
                unsigned keys = capacities[c] * 2 + 1;
                struct pt_recent recent;

                make_table(&recent, capacities[c]);
                for (unsigned i = 0; i < 4000; i++) {
                        unsigned key = (unsigned)rand() % keys;

                        if (rand() % 4) {
                                touch(&recent, key, i);
                                list_touch(&list, key, i);
                        } else if (list.count) {
                                pt_recent_drop_oldest(&recent);
                                list_remove(&list, 0);
                        }
                        compare(&recent, &list, keys);
                }
                while (list.count) { /* in order of age, to the end */
                        cr_assert_eq(oldest(&recent), (int)list.entries[0].payload);
                        pt_recent_drop_oldest(&recent);
                        list_remove(&list, 0);
                }
                cr_assert_null(pt_recent_oldest(&recent));
                pt_recent_deinit(&recent);
        }
}

Test(recent, entries_come_in_order_of_age_and_any_of_them_goes)
{
        struct pt_recent recent;
        unsigned *payload;

        make_table(&recent, 4);
        for (unsigned i = 1; i <= 4; i++)
                touch(&recent, i, i);
        touch(&recent, 2, 2); /* 1 3 4 2 */
        payload = pt_recent_younger(&recent, pt_recent_oldest(&recent));
        cr_expect_eq(*payload, 3);
        pt_recent_drop(&recent, payload);
        cr_expect_null(pt_recent_find(&recent, key_of(&recent, 3)));
        payload = pt_recent_younger(&recent, pt_recent_oldest(&recent));
        cr_expect_eq(*payload, 4);
        payload = pt_recent_younger(&recent, payload);
        cr_expect_eq(*payload, 2);
        cr_expect_null(pt_recent_younger(&recent, payload));
        touch(&recent, 5, 5); /* takes the place that was given back */
        cr_expect_eq(recent.count, 4);
        cr_expect_eq(oldest(&recent), 1);
        pt_recent_deinit(&recent);
}
