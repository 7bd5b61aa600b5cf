/* Packets that come together are told of as if each had come alone. */
#include "bed.h"

#include <criterion/criterion.h>

#define FRAMES 4000

static struct bed beds[2]; /* one by one, and together */
static struct pt_frame frames[FRAMES];
static size_t frame_count;
static uint64_t state = 0x2545f4914f6cdd1d;

static unsigned random_below(unsigned bound)
{
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return (unsigned)(state % bound);
}

static void keep(const struct make *made, int64_t time)
{
        uint8_t *octets = malloc(made->length);

        cr_assert(octets && frame_count < FRAMES);
        memcpy(octets, made->octets, made->length);
        frames[frame_count] = (struct pt_frame){
                .bytes = octets,
                .captured = (uint32_t)made->length,
                .length = (uint32_t)made->length,
                .linktype = PT_LINK_ETHERNET,
                .time = time,
                .number = frame_count + 1,
        };
        frame_count++;
}

static void keep_message(int64_t time, const char *client, unsigned id, bool answer,
                         const char *question, const char *records)
{
        struct make message = {.length = 0}, frame = {.length = 0};

        make_message(&message, id, answer ? 0x8180 : 0x0100, question, PT_DNS_A,
                     answer ? records : "");
        if (answer)
                make_udp(&frame, BED_RESOLVER, 53, client, 33333, message.octets, message.length);
        else
                make_udp(&frame, client, 33333, BED_RESOLVER, 53, message.octets, message.length);
        keep(&frame, time);
}

static void keep_syn(int64_t time, const char *client, const char *destination, unsigned port)
{
        struct make frame = {.length = 0};

        make_tcp(&frame, client, 40000 + random_below(3), destination, port, random_below(4),
                 PT_TCP_SYN);
        keep(&frame, time);
}

/* Addresses whose ports the rules calculate, and clients that are given them and go there. */
static void keep_any(int64_t time)
{
        static const char *const clients[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3", "fd00::4"};
        static const char *const names[] = {"a.example", "b.example", "A.example"};
        static const char *const records[] = {"198.51.100.23", "203.0.113.9 198.51.100.23/2",
                                              "=c.example 203.0.113.9", "52.231.114.183", ""};
        static const char *const addresses[] = {"198.51.100.23", "203.0.113.9", "52.231.114.183",
                                                "192.0.2.80"};
        static const unsigned ports[] = {10198, 443, 122, 12126, 29900, 5000};
        const char *client = clients[random_below(3)];

        switch (random_below(3)) {
        case 0:
                keep_message(time, client, random_below(4), random_below(4) > 0,
                             names[random_below(ROWS(names))],
                             records[random_below(ROWS(records))]);
                break;
        default:
                keep_syn(time, client, addresses[random_below(ROWS(addresses))],
                         ports[random_below(ROWS(ports))]);
        }
}

/* Times that stand still, that step back for good and for one packet, that jump, and are none. */
static int64_t next_time(int64_t time)
{
        switch (random_below(40)) {
        case 0:
                return time - 3 * PT_SECOND;
        case 1:
                return time + 2 * PT_HOUR;
        case 2:
                return time - PT_SECOND / 2;
        case 3:
                return random_below(2) ? -1 : INT64_MAX;
        default:
                return time + (int64_t)random_below(4) * PT_SECOND / 100;
        }
}

static void setup(void)
{
        for (size_t i = 0; i < 2; i++) {
                bed_init(&beds[i]);
                beds[i].settings.near_misses = true;
                beds[i].settings.dns_events = true;
                beds[i].settings.connection_events = true;
                bed_begin(&beds[i]);
        }
}

static void teardown(void)
{
        for (size_t i = 0; i < frame_count; i++)
                free((void *)(uintptr_t)frames[i].bytes);
        bed_end(&beds[0]);
        bed_end(&beds[1]);
}

TestSuite(ahead, .init = setup, .fini = teardown);

static void expect_equal_counters(void)
{
        const char *name;
        uint64_t alone, together;

        for (size_t i = 0; pt_engine_counter(beds[0].engine, i, &name, &alone); i++) {
                cr_assert(pt_engine_counter(beds[1].engine, i, &name, &together));
                cr_expect_eq(together, alone, "%s: %llu together, %llu alone", name,
                             (unsigned long long)together, (unsigned long long)alone);
        }
}

/* Hand all frames to both, and compare what they tell after each `together` of them. */
static size_t expect_equal(size_t together)
{
        size_t length = 0;

        for (size_t at = 0; at < frame_count; at += together) {
                size_t count = frame_count - at < together ? frame_count - at : together;

                for (size_t i = 0; i < count; i++)
                        pt_engine_packet(beds[0].engine, &frames[at + i]);
                pt_engine_packets(beds[1].engine, &frames[at], count);
                length += beds[0].length;
                cr_assert_str_eq(bed_told(&beds[1]), bed_told(&beds[0]), "%zu at %zu", together,
                                 at);
        }
        pt_engine_finish(beds[0].engine);
        pt_engine_finish(beds[1].engine);
        cr_assert_str_eq(bed_told(&beds[1]), bed_told(&beds[0]));
        expect_equal_counters();
        return length;
}

Test(ahead, together_tells_what_alone_tells)
{
        int64_t time = BED_START;

        while (frame_count < FRAMES) {
                int64_t next = next_time(time);

                keep_any(next);
                if (next > BED_START / 2 && next < BED_START * 2)
                        time = next;
        }
        cr_expect_gt(expect_equal(100), FRAMES, "most packets are told of");
        cr_expect_gt(bed_count(&beds[1], PT_COUNT_ALERT_GENERATED), 10);
        cr_expect_gt(bed_count(&beds[1], PT_COUNT_CLOCK_EPOCHS), 0);
        cr_expect_gt(bed_count(&beds[1], PT_COUNT_CLOCK_FOREIGN), 0);
        cr_expect_gt(bed_count(&beds[1], PT_COUNT_CAPTURE_ODD_TIME), 0);
}

/* More addresses than there is room for at once: the messages are looked at in several parts. */
Test(ahead, messages_with_thousands_of_addresses_fit)
{
        static char records[2000 * 16];
        size_t length = 0;

        for (unsigned i = 0; i < 2000; i++)
                length += (size_t)snprintf(records + length, sizeof records - length, " 20.0.%u.%u",
                                           i / 256, i % 256);
        for (unsigned i = 0; i < 6; i++) {
                keep_message(BED_START + i, "10.0.0.1", i, true, i % 2 ? "b" : "a", records);
                keep_syn(BED_START + i, "10.0.0.1", "20.0.3.9", 4096 + i);
        }
        expect_equal(12);
        cr_expect_eq(bed_count(&beds[1], PT_COUNT_DNS_SKIPPED), 0);
        cr_expect_eq(bed_count(&beds[1], PT_COUNT_DNS_ANSWERS), 6 * 2000);
}

/* Octets in the doubtful packet are its own: those of the caller may be gone when it is settled. */
Test(ahead, a_packet_whose_time_is_in_doubt_may_be_the_last_of_those_that_come_together)
{
        struct make gone = {.length = 0};

        keep_message(BED_START, "10.0.0.1", 1, true, "a.example", "192.0.2.80");
        keep_message(BED_START + 2 * PT_HOUR, "10.0.0.1", 2, true, "b.example", "198.51.100.23");
        pt_engine_packets(beds[1].engine, frames, 2);
        memset((void *)(uintptr_t)frames[1].bytes, 0, frames[1].length);
        make_tcp(&gone, "10.0.0.1", 40000, "198.51.100.23", 10198, 1, PT_TCP_SYN);
        keep(&gone, BED_START + 2 * PT_HOUR);
        pt_engine_packets(beds[1].engine, frames + 2, 1);
        bed_finish(&beds[1]);
        cr_expect_eq(bed_count(&beds[1], PT_COUNT_ALERT_GENERATED), 1);
}
