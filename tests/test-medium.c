#include "io/capture/medium.h"

#include <criterion/criterion.h>
#include <pcap/pcap.h>

#include "wire/packet.h"

/* Numbers of the registry of the file format, beside libpcap's own on this system. */
Test(medium, both_numbers_of_a_link_type)
{
        static const struct {
                int linktype, dlt;
                const char *name;
        } rows[] = {
                {0, DLT_NULL, "NULL"},
                {1, DLT_EN10MB, "EN10MB"},
                {101, DLT_RAW, "RAW"},
                {12, DLT_RAW, "RAW"},
                {14, DLT_RAW, "RAW"},
                {108, DLT_LOOP, "LOOP"},
                {228, DLT_IPV4, "IPV4"},
                {113, DLT_LINUX_SLL, "LINUX_SLL"},
                {276, DLT_LINUX_SLL2, "LINUX_SLL2"},
        };

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                cr_expect(pt_medium_is_read(rows[i].linktype));
                cr_expect_eq(pt_medium_dlt(rows[i].linktype), rows[i].dlt, "%d", rows[i].linktype);
                cr_expect_str_eq(pt_medium_name(rows[i].linktype), rows[i].name);
        }
        cr_expect_eq(pt_medium_of_dlt(DLT_RAW), PT_LINK_RAW);
        cr_expect_eq(pt_medium_of_dlt(DLT_EN10MB), PT_LINK_ETHERNET);
}

Test(medium, what_is_not_read_keeps_its_number)
{
        cr_expect(!pt_medium_is_read(105));
        cr_expect_eq(pt_medium_dlt(105), 105);
        cr_expect_eq(pt_medium_of_dlt(105), 105);
        cr_expect_str_eq(pt_medium_name(105), "IEEE802_11");
        cr_expect_null(pt_medium_name(9999));
}
