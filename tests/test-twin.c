#include "memory/twin.h"

#include "make.h"

#include <criterion/criterion.h>

/* Design 4.11. Times in seconds; an address is forgotten after an hour here. */
#define HOUR 3600.0
#define CAPACITY 4

static const uint8_t HOST[6] = {0, 0, 0x5e, 0, 0x53, 0x40};
static const uint8_t OTHER_HOST[6] = {0, 0, 0x5e, 0, 0x53, 0x41};
static const uint8_t GROUP[6] = {0x33, 0x33, 0, 0, 0, 1};
static const uint8_t ZERO[6];

#define FOUR "10.0.0.1"
#define SIX "fd00::1"

static struct pt_counters counters;
static struct pt_twins twins;

static void init(void)
{
        static const struct pt_hash_key key = {1, 2};

        memset(&counters, 0, sizeof counters);
        cr_assert_eq(pt_twins_init(&twins, CAPACITY, (int64_t)(HOUR * 1e9), &key, &counters), 0);
}

static void deinit(void)
{
        pt_twins_deinit(&twins);
}

TestSuite(twin, .init = init, .fini = deinit);

static void received(const uint8_t mac[6], const char *address, double seconds)
{
        struct pt_address a = make_address(address);

        pt_twins_received(&twins, mac, pt_twins_hash(&twins, mac), &a, (int64_t)(seconds * 1e9));
}

static void sent(const uint8_t mac[6], const char *address, double seconds)
{
        struct pt_address a = make_address(address);

        pt_twins_sent(&twins, mac, pt_twins_hash(&twins, mac), &a, (int64_t)(seconds * 1e9));
}

/* "fd00::1 fd00::2" */
static const char *found(const uint8_t mac[6], const char *address, double seconds)
{
        static char text[PT_TWIN_MOST * (PT_ADDRESS_TEXT + 1)];
        struct pt_address own = make_address(address);
        char one[PT_ADDRESS_TEXT];
        struct pt_twin_list list;

        memset(&list, 0xa5, sizeof list);
        pt_twins_find(&twins, mac, pt_twins_hash(&twins, mac), &own, (int64_t)(seconds * 1e9),
                      &list);
        text[0] = '\0';
        for (size_t i = 0; i < list.count; i++) {
                strcat(text, i ? " " : "");
                strcat(text, pt_address_format(&list.addresses[i], one));
        }
        return text;
}

static uint64_t gauge(enum pt_counter counter, double seconds)
{
        pt_twins_gauge(&twins, (int64_t)(seconds * 1e9));
        return counters.value[counter];
}

Test(twin, the_address_that_an_answer_went_to_is_a_twin_of_the_one_that_sends)
{
        cr_expect_str_eq(found(HOST, FOUR, 0), "");
        received(HOST, SIX, 1);
        cr_expect_str_eq(found(HOST, FOUR, 2), SIX);
        cr_expect_str_eq(found(HOST, SIX, 2), "", "of itself nothing is a twin");
        cr_expect_str_eq(found(OTHER_HOST, FOUR, 2), "");
        sent(HOST, FOUR, 2);
        cr_expect_str_eq(found(HOST, SIX, 2), "", "no answer went to the other one");
        received(HOST, FOUR, 3);
        cr_expect_str_eq(found(HOST, SIX, 4), FOUR);
        cr_expect_eq(gauge(PT_COUNT_TWIN_HOSTS, 4), 1);
        cr_expect_eq(gauge(PT_COUNT_TWIN_ROUTERS, 4), 0);
}

Test(twin, they_come_in_order_of_their_octets)
{
        received(HOST, "fd00::2", 1);
        received(HOST, "2001:db8::9", 2);
        received(HOST, "192.0.2.9", 3);
        received(HOST, "10.9.9.9", 4);
        cr_expect_str_eq(found(HOST, FOUR, 5), "10.9.9.9 192.0.2.9 2001:db8::9 fd00::2");
}

Test(twin, nine_addresses_are_a_routers)
{
        char address[PT_ADDRESS_TEXT];

        for (int i = 1; i <= 8; i++) {
                snprintf(address, sizeof address, "fd00::%d", i);
                received(HOST, address, i);
        }
        cr_expect_str_eq(found(HOST, "fd00::8", 9),
                         "fd00::1 fd00::2 fd00::3 fd00::4 fd00::5 fd00::6 fd00::7");
        sent(HOST, FOUR, 10);
        cr_expect_str_eq(found(HOST, FOUR, 10), "");
        cr_expect_str_eq(found(HOST, "fd00::8", 10), "");
        cr_expect_eq(gauge(PT_COUNT_TWIN_HOSTS, 10), 0);
        cr_expect_eq(gauge(PT_COUNT_TWIN_ROUTERS, 10), 1);
        /* fd00::1 was seen at 1, so it counts until 3601; then there are eight again. */
        cr_expect_str_eq(found(HOST, FOUR, 3601), "");
        cr_expect_str_eq(found(HOST, FOUR, 3601.000000001),
                         "fd00::2 fd00::3 fd00::4 fd00::5 fd00::6 fd00::7 fd00::8");
}

Test(twin, with_more_than_nine_the_last_nine_decide)
{
        char address[PT_ADDRESS_TEXT];

        for (int i = 1; i <= 20; i++) {
                snprintf(address, sizeof address, "fd00::%d", i);
                received(HOST, address, i);
        }
        /* Of 12 to 20 the oldest counts until 3612: after that eight are left. */
        cr_expect_str_eq(found(HOST, "fd00::20", 3612), "");
        cr_expect_str_eq(found(HOST, "fd00::20", 3613),
                         "fd00::13 fd00::14 fd00::15 fd00::16 fd00::17 fd00::18 fd00::19");
}

Test(twin, an_address_that_sends_on_is_a_twin_no_longer_than_its_answer)
{
        received(HOST, SIX, 0);
        sent(HOST, SIX, 3000);
        cr_expect_str_eq(found(HOST, FOUR, HOUR), SIX);
        cr_expect_str_eq(found(HOST, FOUR, HOUR + 1), "");
}

Test(twin, a_late_packet_takes_nothing_back)
{
        char address[PT_ADDRESS_TEXT];

        received(HOST, SIX, 100);
        received(HOST, SIX, 99.5);
        sent(HOST, SIX, 99.5);
        cr_expect_str_eq(found(HOST, FOUR, HOUR + 100), SIX);
        for (int i = 1; i <= 9; i++) {
                snprintf(address, sizeof address, "10.0.0.%d", i);
                received(OTHER_HOST, address, 10 + i);
        }
        /* Older than all nine, it takes no place: at 3612 the one of 11 goes, and eight are left.
         */
        received(OTHER_HOST, "10.0.0.99", 10.5);
        cr_expect_str_eq(found(OTHER_HOST, "10.0.0.9", 3612),
                         "10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 10.0.0.8");
}

Test(twin, groups_and_zero_are_no_hosts)
{
        received(GROUP, SIX, 1);
        received(ZERO, SIX, 1);
        sent(ZERO, FOUR, 1);
        cr_expect_str_eq(found(GROUP, FOUR, 2), "");
        cr_expect_str_eq(found(ZERO, FOUR, 2), "");
        cr_expect_eq(gauge(PT_COUNT_TWIN_MACS, 2), 0);
}

Test(twin, the_mac_seen_longest_ago_gives_way)
{
        uint8_t mac[6] = {2};

        for (uint8_t i = 0; i < CAPACITY; i++) {
                mac[5] = i;
                received(mac, SIX, i);
        }
        mac[5] = 0;
        sent(mac, SIX, 100); /* so 1 is the oldest */
        received(HOST, SIX, 101);
        cr_expect_eq(counters.value[PT_COUNT_TWIN_EVICTED], 1);
        cr_expect_str_eq(found(mac, FOUR, 102), SIX);
        mac[5] = 1;
        cr_expect_str_eq(found(mac, FOUR, 102), "");
        cr_expect_eq(gauge(PT_COUNT_TWIN_MACS, 102), CAPACITY);
        /* What carries nothing any more gives way without a count. */
        received(OTHER_HOST, SIX, 2 * HOUR);
        cr_expect_eq(counters.value[PT_COUNT_TWIN_EVICTED], 1);
        cr_expect_eq(gauge(PT_COUNT_TWIN_MACS, 2 * HOUR), 1);
}
