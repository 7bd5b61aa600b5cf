#include "wire/svcb.h"

#include <criterion/criterion.h>

#include "page.h"

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

/* What a record's data hints at, as text; "!" behind it if the record is not as it should be. */
static const char *hints(const char *hex)
{
        static char text[1024];
        size_t length, at = 0;
        const uint8_t *data = page_hex(hex, &length);
        struct pt_svcb svcb = pt_svcb(data, length);
        struct pt_address address;

        text[0] = '\0';
        while (pt_svcb_next(&svcb, &address)) {
                char name[PT_ADDRESS_TEXT];

                at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", at ? " " : "",
                                       pt_address_format(&address, name));
        }
        cr_expect_not(pt_svcb_next(&svcb, &address));
        if (svcb.failed)
                snprintf(text + at, sizeof text - at, "!");
        return text;
}

#define SVC "0001 00 " /* priority 1, the owner itself */

/* The first three are of RFC 9460 appendix D.2, figures 6, 7 and 8. */
Test(svcb, address_hints_are_found_among_the_parameters)
{
        static const struct {
                const char *data, *hints, *reason;
        } rows[] = {
                {"0010 03666f6f 076578616d706c65 03636f6d 00 0003 0002 0035", "", "a port"},
                {"0001 03666f6f 076578616d706c65 03636f6d 00 029b 0005 68656c6c6f", "",
                 "a key of one's own"},
                {"0001 03666f6f 076578616d706c65 03636f6d 00 0006 0020 "
                 "20010db8000000000000000000000001 20010db8000000000000000000530001",
                 "2001:db8::1 2001:db8::53:1", "two IPv6 hints"},
                {SVC "0001 0003 02 6832 0004 0008 c6336417 c6336418 0006 0010 20010db8 00*11 01",
                 "198.51.100.23 198.51.100.24 2001:db8::1", "as servers send them"},
                {SVC, "", "no parameters"},
                {SVC "0004 0004 c6336417 ffff 0000", "198.51.100.23", "an empty value behind"},
                {SVC "0006 0010 00*10 ffff c6336417", "198.51.100.23", "a mapped address"},
                {"0000 03666f6f 00", "", "an alias"},
                {"0000 03666f6f 00 0004 0004 c6336417", "", "of an alias nothing else counts"},
                {SVC "0004 0003 c63364", "!", "three octets"},
                {SVC "0004 0000", "!", "no address"},
                {SVC "0004 0004 c6336417 0004 0005 c633641800", "198.51.100.23!", "five octets"},
                {SVC "0004 0004 c6336417 0006 000f 00*15", "198.51.100.23!", "fifteen octets"},
                {SVC "0004 ffff 01", "!", "a value past the end"},
                {SVC "0004", "!", "half a parameter"},
                {SVC "0004 0004 c6336417 00", "198.51.100.23!", "an octet too many"},
                {"", "!", "nothing"},
                {"00", "!", "half a priority"},
                {"0001", "!", "no target"},
                {"0001 03666f", "!", "half a target"},
                {"0001 c00c 0004 0004 c6336417", "!", "a pointer in the target"},
        };

        for (size_t i = 0; i < ROWS(rows); i++)
                cr_expect_str_eq(hints(rows[i].data), rows[i].hints, "%s: %s", rows[i].reason,
                                 hints(rows[i].data));
}

Test(svcb, the_root_as_target_is_the_owner_itself)
{
        cr_expect(pt_svcb((const uint8_t *)"\0\1\0", 3).own_name);
        cr_expect_not(pt_svcb((const uint8_t *)"\0\1\1a\0", 5).own_name);
        cr_expect_not(pt_svcb((const uint8_t *)"\0\1", 2).own_name);
}
