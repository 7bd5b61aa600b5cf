#include "wire/unread.h"

#include <criterion/criterion.h>

Test(unread, packets_are_counted_by_their_number_in_the_order_met)
{
        struct pt_unread unread = {.count = 0};

        pt_unread_count(&unread, PT_LAYER_ETHERTYPE, 0x88e5);
        pt_unread_count(&unread, PT_LAYER_PROTOCOL, 50);
        pt_unread_count(&unread, PT_LAYER_ETHERTYPE, 0x88e5);
        pt_unread_count(&unread, PT_LAYER_ETHERTYPE, 50); /* the same number of something else */
        cr_assert_eq(unread.count, 3);
        cr_expect_eq(unread.rows[0].packets, 2);
        cr_expect_eq(unread.rows[0].number, 0x88e5);
        cr_expect_eq(unread.rows[1].layer, PT_LAYER_PROTOCOL);
        cr_expect_eq(unread.rows[1].packets, 1);
        cr_expect_eq(unread.rows[2].layer, PT_LAYER_ETHERTYPE);
        cr_expect_eq(unread.others, 0);
}

Test(unread, what_has_no_row_is_counted_together)
{
        struct pt_unread unread = {.count = 0};

        for (unsigned i = 0; i < PT_UNREAD_ROWS + 5; i++)
                pt_unread_count(&unread, PT_LAYER_ETHERTYPE, (uint16_t)(0x9999 + i));
        pt_unread_count(&unread, PT_LAYER_ETHERTYPE, 0x9999);
        cr_expect_eq(unread.count, PT_UNREAD_ROWS);
        cr_expect_eq(unread.rows[0].packets, 2);
        cr_expect_eq(unread.others, 5);
}

Test(unread, arp_is_ordinary_and_macsec_is_not)
{
        cr_expect(pt_unread_is_ordinary(PT_LAYER_ETHERTYPE, 0x0806));
        cr_expect(pt_unread_is_ordinary(PT_LAYER_PROTOCOL, 58));
        cr_expect_not(pt_unread_is_ordinary(PT_LAYER_ETHERTYPE, 0x88e5));
        cr_expect_not(pt_unread_is_ordinary(PT_LAYER_PROTOCOL, 50));
        cr_expect_not(pt_unread_is_ordinary(PT_LAYER_ETHERTYPE, 0x1234), "nobody knows it");
        cr_expect_str_eq(pt_unread_name(PT_LAYER_ETHERTYPE, 0x88e5), "802.1AE (MACsec)");
        cr_expect_null(pt_unread_name(PT_LAYER_ETHERTYPE, 0x1234));
        cr_expect_str_eq(pt_unread_layer_name(PT_LAYER_PROTOCOL), "IP protocol");
}
