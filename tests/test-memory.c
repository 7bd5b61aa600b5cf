#include "bed.h"
#include "sound.h"

#include <errno.h>
#include <criterion/criterion.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Design 8, by packets: who gives way where memory is short, and that nothing is allocated per
 * packet. The budget is the least there is, some 95 000 cells.
 */

/*
 * Every allocation of the process is counted. Under AddressSanitizer its own hook does that, else
 * the functions themselves stand here before those of the C library, and call those.
 */
static volatile uint64_t allocations, allocated; /* how many, and how many octets */

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define COUNTED_BY_HOOK
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(COUNTED_BY_HOOK)

int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));

static void on_malloc(const volatile void *at, size_t size)
{
        (void)at;
        allocations++;
        allocated += size;
}

static void on_free(const volatile void *at)
{
        (void)at;
}

static void count_allocations(void)
{
        cr_assert_gt(__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free), 0);
}

#else

/* Public, or the C library itself would not see them: qsort(3) allocates too. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *at, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

PT_PUBLIC void *malloc(size_t size)
{
        allocations++;
        allocated += size;
        return __libc_malloc(size);
}

PT_PUBLIC void *calloc(size_t count, size_t size)
{
        allocations++;
        allocated += count * size;
        return __libc_calloc(count, size);
}

PT_PUBLIC void *realloc(void *at, size_t size)
{
        allocations++;
        allocated += size;
        return __libc_realloc(at, size);
}

PT_PUBLIC void *aligned_alloc(size_t alignment, size_t size)
{
        allocations++;
        allocated += size;
        return __libc_memalign(alignment, size);
}

/* Large tables are mapped: see pages.h. The C library's own maps do not come by here. */
PT_PUBLIC void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
        allocations++;
        allocated += size;
        return (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
}

PT_PUBLIC int posix_memalign(void **ret, size_t alignment, size_t size)
{
        *ret = aligned_alloc(alignment, size);
        return *ret ? 0 : ENOMEM;
}

static void count_allocations(void)
{
}

#endif

#define CLIENT "10.0.0.1"
#define A "198.51.100.23" /* apt12: 198 * 51 + 100 = 10198 */
#define CONFIRMED \
        "alert apt12 dns_confirmed 73 10.0.0.1>198.51.100.23:10198 from 198.51.100.23 a.example"

static struct bed bed;

static void begin(void)
{
        bed_init(&bed);
        bed_begin(&bed);
}

static void end(void)
{
        sound_hosts(bed.engine->hosts);
        bed_end(&bed);
}

TestSuite(memory, .init = begin, .fini = end);

/* ---- nothing is allocated per packet ---- */

static void quiet(void *context, const struct pt_event *event)
{
        (void)event;
        ++*(uint64_t *)context;
}

/* Frames made beforehand: what the test itself takes must not count. */
static struct make frames[64];
static size_t frame_count;

static struct make *new_frame(void)
{
        return &frames[frame_count++];
}

static void make_dns_frame(const char *client, bool answer, unsigned id, const char *records)
{
        struct make m = {.length = 0};

        make_message(&m, id, answer ? 0x8180 : 0x0100, "www.example", PT_DNS_A,
                     answer ? records : "");
        if (answer)
                make_udp(new_frame(), BED_RESOLVER, 53, client, 33333, m.octets, m.length);
        else
                make_udp(new_frame(), client, 33333, BED_RESOLVER, 53, m.octets, m.length);
}

static void make_traffic(void)
{
        frame_count = 0;
        for (unsigned i = 0; i < 8; i++) {
                char client[32];

                snprintf(client, sizeof client, "10.0.0.%u", 1 + i);
                make_dns_frame(client, false, i, "");
                make_dns_frame(client, true, i, "=cdn.example 192.0.2.1 192.0.2.2 2001:db8::1");
                make_tcp(new_frame(), client, 40000, "192.0.2.1", 443, i, PT_TCP_SYN);
                make_tcp(new_frame(), client, 40000, "192.0.2.1", 5000, i, PT_TCP_SYN);
                make_tcp(new_frame(), client, 40000, "192.0.2.1", 5000, i, PT_TCP_ACK);
                make_udp(new_frame(), client, 50000, "192.0.2.2", 443, BED_QUIC_LONG, 5);
        }
}

/* Sends them in a circle; every packet is a little different by its time and its sequence number.
 */
static void send_traffic(uint64_t packets)
{
        for (uint64_t i = 0; i < packets; i++) {
                struct make *m = &frames[i % frame_count];
                struct pt_frame frame = {
                        .bytes = m->octets,
                        .captured = (uint32_t)m->length,
                        .length = (uint32_t)m->length,
                        .linktype = PT_LINK_ETHERNET,
                        .time = BED_START + (int64_t)i * 500000000,
                        .number = i + 1,
                };

                if (m->octets[23] == 6) /* TCP: the sequence number, so that few are copies */
                        memcpy(m->octets + 38, &i, 4);
                pt_engine_packet(bed.engine, &frame);
        }
}

Test(memory, a_hundred_thousand_packets_allocate_nothing) /* design 8 */
{
        uint64_t events = 0, before;

        make_traffic();
        end();
        bed_init(&bed);
        bed.settings.memory *= 2; /* so that answers expire before they must give way */
        bed.rules = make_usual_rules();
        cr_assert_eq(pt_engine_new(&bed.settings, bed.rules, &(struct pt_receiver){quiet, &events},
                                   &bed.engine),
                     0);
        count_allocations();
        free(malloc(1));
        cr_assert_gt(allocations, 0, "they are not counted");
        before = allocations;
        send_traffic(100000);
        cr_expect_eq(allocations, before, "%llu", (unsigned long long)(allocations - before));
        cr_expect_eq(events, 0);
        cr_expect_gt(bed_count(&bed, PT_COUNT_CACHE_EXPIRED), 0);
}

/* An alert is packets too: many rules that one SYN meets must be put in order without memory. */
Test(memory, an_alert_that_many_rules_meet_allocates_nothing) /* design 8 */
{
        static char texts[100][128];
        const char *list[100];
        uint64_t events = 0, before;

        for (int i = 0; i < 100; i++) {
                snprintf(texts[i], sizeof texts[i],
                         "{\"id\": \"r%02d\", \"name\": \"r\", \"port\": \"o1 * o2 + o3\"}", i);
                list[i] = texts[i];
        }
        end();
        bed_init(&bed);
        bed.rules = make_rules(list, 100);
        cr_assert_eq(pt_engine_new(&bed.settings, bed.rules, &(struct pt_receiver){quiet, &events},
                                   &bed.engine),
                     0);
        bed_answer(&bed, 0, CLIENT, "a.example", A);
        count_allocations();
        before = allocations;
        bed_syn(&bed, 1, CLIENT, A, 10198);
        bed_pass(&bed, 2);
        cr_expect_eq(events, 1);
        cr_expect_eq(allocations, before, "%llu", (unsigned long long)(allocations - before));
}

/* ---- who gives way ---- */

/* One answer each for `count` addresses from 10.1.0.0 on: a frame whose destination is changed. */
static void flood(double seconds, unsigned count)
{
        struct make m = {.length = 0}, frame = {.length = 0};

        make_message(&m, 1, 0x8180, "flood.example", PT_DNS_A, "192.0.2.9");
        make_udp(&frame, BED_RESOLVER, 53, "10.1.0.0", 33333, m.octets, m.length);
        for (unsigned i = 0; i < count; i++) {
                uint32_t client = (10u << 24 | 1u << 16) + i;

                for (int octet = 0; octet < 4; octet++)
                        frame.octets[30 + octet] = (uint8_t)(client >> (24 - 8 * octet));
                bed_send(&bed, seconds + i * 1e-6, &frame);
        }
}

static void fill_proven(double seconds, const char *client, unsigned answers)
{
        for (unsigned i = 0; i < answers; i++) {
                char name[64], address[32];

                snprintf(name, sizeof name, "n%u.example", i);
                snprintf(address, sizeof address, "192.%u.%u.1", 1 + i / 256, i % 256);
                bed_ask(&bed, seconds, client, name, address);
        }
}

Test(memory, a_million_clients_that_never_speak_take_nothing_from_one_that_does) /* design 8 */
{
        bed_ask(&bed, 0, CLIENT, "a.example", A);
        fill_proven(0, CLIENT, 100);
        flood(1, 1000000);
        cr_expect_gt(bed_count(&bed, PT_COUNT_CACHE_EVICTED_UNPROVEN), 900000);
        cr_expect_eq(bed_count(&bed, PT_COUNT_CACHE_EVICTED),
                     bed_count(&bed, PT_COUNT_CACHE_EVICTED_UNPROVEN));
        cr_expect_eq(bed_count(&bed, PT_COUNT_CACHE_REFUSED), 0);
        bed_syn(&bed, 10, CLIENT, A, 10198);
        cr_expect_str_eq(bed_finish(&bed), CONFIRMED " asked\n");
        /* Nothing of the hundred either. */
        for (unsigned i = 0; i < 100; i++) {
                struct pt_address client = make_address(CLIENT);
                struct pt_address to = pt_address_from_ipv4(192u << 24 | 1u << 16 | i << 8 | 1);

                cr_assert(pt_hosts_given(bed.engine->hosts, &client, &to, bed_time(10)));
        }
}

/* Its query was not seen, but it spoke: the first SYN after the answer proves it. */
Test(memory, a_client_that_is_proven_by_its_syn_keeps_what_it_was_given) /* design 8 */
{
        bed_answer(&bed, 0, CLIENT, "a.example", A);
        bed_answer(&bed, 0, "10.0.0.2", "a.example", A);
        bed_syn(&bed, 0.5, CLIENT, "192.0.2.1", 443);
        flood(1, 200000);
        bed_syn(&bed, 10, CLIENT, A, 10198);
        bed_syn(&bed, 10, "10.0.0.2", A, 10198); /* never spoke before, and lost it */
        cr_expect_str_eq(bed_finish(&bed), CONFIRMED
                         "\n"
                         "alert apt12 dns_other_client 47 10.0.0.2>198.51.100.23:10198 from "
                         "198.51.100.23 a.example\n"
                         "campaign name 2 dns_confirmed 73 10.0.0.2,10.0.0.1 names=a.example\n");
}

Test(memory, one_greedy_client_with_long_names_takes_nothing_from_a_modest_one) /* design 8 */
{
        char name[256], address[32];

        bed_ask(&bed, 0, CLIENT, "a.example", A);
        for (unsigned i = 0; i < 40000; i++) {
                snprintf(address, sizeof address, "192.0.%u.%u", i / 250 % 250, i % 250);
                bed_ask(&bed, 1 + i * 0.001, "10.0.0.2", make_long_name(255, i, name), address);
        }
        cr_expect_gt(bed_count(&bed, PT_COUNT_CACHE_EVICTED_GREEDY), 1000);
        bed_syn(&bed, 100, CLIENT, A, 10198);
        cr_expect_str_eq(bed_finish(&bed), CONFIRMED " asked\n");
}

/* Anybody can send answers to a client: where its queries are seen, those push out little. */
Test(memory, answers_that_a_client_did_not_ask_for_take_nothing_from_those_it_did) /* design 8 */
{
        char name[256], address[32];

        bed_ask(&bed, 0, CLIENT, "a.example", A);
        for (unsigned i = 0; i < 40000; i++) {
                snprintf(address, sizeof address, "192.0.%u.%u", i / 250 % 250, i % 250);
                bed_answer(&bed, 1 + i * 0.001, CLIENT, make_long_name(255, i, name), address);
        }
        cr_expect_gt(bed_count(&bed, PT_COUNT_CACHE_EVICTED_UNASKED), 1000);
        cr_expect_eq(bed_count(&bed, PT_COUNT_CACHE_EVICTED),
                     bed_count(&bed, PT_COUNT_CACHE_EVICTED_UNASKED));
        /* An eighth of the share of the one proven client there is: an eighth of all cells. */
        cr_expect_lt(bed_count(&bed, PT_COUNT_CACHE_CELLS),
                     bed_count(&bed, PT_COUNT_CACHE_CELLS_TOTAL) / 8 + 100);
        bed_syn(&bed, 100, CLIENT, A, 10198);
        cr_expect_str_eq(bed_finish(&bed), CONFIRMED " asked\n");
}

/* Every address record is learned, or refused; those learned are held, expired or evicted. */
Test(memory, every_address_record_is_accounted_for) /* design 8 */
{
        uint64_t expected = 1 + 100 + 300000;

        bed_ask(&bed, 0, CLIENT, "a.example", A);
        fill_proven(0, CLIENT, 100);
        flood(1, 150000);
        flood(8000, 150000);
        cr_expect_eq(bed_count(&bed, PT_COUNT_DNS_ANSWERS) +
                             bed_count(&bed, PT_COUNT_CACHE_REFUSED),
                     expected);
        cr_expect_eq(bed_count(&bed, PT_COUNT_DNS_ANSWERS),
                     bed_count(&bed, PT_COUNT_CACHE_ENTRIES) +
                             bed_count(&bed, PT_COUNT_CACHE_EXPIRED) +
                             bed_count(&bed, PT_COUNT_CACHE_EVICTED));
        cr_expect_gt(bed_count(&bed, PT_COUNT_CACHE_EXPIRED), 0);
}

/* ---- tables that are full say so ---- */

Test(memory, queries_and_syns_that_are_forgotten_early_are_counted) /* 4.2, 4.8 */
{
        for (unsigned i = 0; i < 40000; i++) {
                char client[32];

                snprintf(client, sizeof client, "10.2.%u.%u", i / 250, i % 250);
                bed_query_as(&bed, i * 1e-5, client, 33333, BED_RESOLVER, 1, "a.example");
                bed_syn(&bed, i * 1e-5, client, "192.0.2.1", 443);
        }
        bed_finish(&bed);
        cr_expect_gt(bed_count(&bed, PT_COUNT_QUERIES_EVICTED), 0);
        cr_expect_gt(bed_count(&bed, PT_COUNT_CONNECTION_FORGOTTEN), 0);
        cr_expect_eq(bed_count(&bed, PT_COUNT_CONNECTION_FORGOTTEN) +
                             bed_count(&bed, PT_COUNT_CONNECTION_TRACKED),
                     40000);
}

/* Minutes later nobody misses them: making room for others is no loss. */
Test(memory, what_is_too_old_to_matter_is_forgotten_without_a_count) /* 4.2, 4.8 */
{
        for (unsigned i = 0; i < 40000; i++) {
                bed_query_as(&bed, i * 1.0, CLIENT, 1024 + i % 60000, BED_RESOLVER, 1, "a.example");
                bed_syn(&bed, i * 1.0, CLIENT, "192.0.2.1", 443);
        }
        bed_finish(&bed);
        cr_expect_eq(bed_count(&bed, PT_COUNT_QUERIES_EVICTED), 0);
        cr_expect_eq(bed_count(&bed, PT_COUNT_CONNECTION_FORGOTTEN), 0);
}

/* Design 8: all is taken from one stated budget. Nine tenths of it at least should be of use. */
Test(memory, what_the_engine_takes_stays_within_the_budget)
{
        static const size_t budgets[] = {8, 9, 12, 16, 31, 32, 64, 100, 256};

        count_allocations();
        for (size_t i = 0; i < ROWS(budgets); i++) {
                uint64_t before;

                end();
                bed_init(&bed);
                bed.settings.memory = budgets[i] << 20;
                bed.rules = make_usual_rules();
                before = allocated;
                bed_begin(&bed);
                cr_expect_leq(allocated - before, bed.settings.memory, "%zu MiB: %llu octets",
                              budgets[i], (unsigned long long)(allocated - before));
                cr_expect_geq(allocated - before, bed.settings.memory / 10 * 9,
                              "%zu MiB: %llu octets", budgets[i],
                              (unsigned long long)(allocated - before));
        }
}
