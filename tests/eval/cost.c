/*
 * What the model of chance costs a SYN: the same frames go through the engine with and without it,
 * in turn, in one run.
 *
 *     eval-cost CAPTURE RULES PACKETS ROUNDS
 *
 * The linker puts __wrap_* between the engine and lib/history (see meson.build), so that what a try
 * costs can be left out of a round. The difference, for each eligible SYN, is printed as JSON, for
 * the SYNs of a capture (classic pcap, microseconds) at a pace of one a millisecond, and for SYNs
 * that are all new tries, most of which the history of ports takes up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "memory/history.h"
#include "io/rulebook.h"
#include "portent.h"

#define BATCH 16
#define FRESH 400000 /* SYNs that are all new tries */
#define CLIENTS 1000
#define BEGIN INT64_C(1700000000000000000)
#define PACE INT64_C(1000000) /* a SYN a millisecond: where there are fewer, nobody waits */

static bool with;

void __real_pt_history_add(struct pt_history *history, const struct pt_try *try);
void __real_pt_history_move_on(struct pt_history *history, int64_t time);
void __real_pt_history_fetch(const struct pt_history *history, const struct pt_address *client,
                             const struct pt_address *destination, uint16_t port, bool eligible,
                             unsigned step);
void __wrap_pt_history_add(struct pt_history *history, const struct pt_try *try);
void __wrap_pt_history_move_on(struct pt_history *history, int64_t time);
void __wrap_pt_history_fetch(const struct pt_history *history, const struct pt_address *client,
                             const struct pt_address *destination, uint16_t port, bool eligible,
                             unsigned step);

void __wrap_pt_history_add(struct pt_history *history, const struct pt_try *try)
{
        if (with)
                __real_pt_history_add(history, try);
}

void __wrap_pt_history_move_on(struct pt_history *history, int64_t time)
{
        if (with)
                __real_pt_history_move_on(history, time);
}

void __wrap_pt_history_fetch(const struct pt_history *history, const struct pt_address *client,
                             const struct pt_address *destination, uint16_t port, bool eligible,
                             unsigned step)
{
        if (with)
                __real_pt_history_fetch(history, client, destination, port, eligible, step);
}

static void fail(const char *words)
{
        fprintf(stderr, "eval-cost: %s\n", words);
        exit(1);
}

/* ---- frames ---- */

struct frames {
        struct pt_frame *list;
        size_t count;
        unsigned char *octets;
};

static uint32_t word(const unsigned char *at)
{
        uint32_t value;

        memcpy(&value, at, sizeof value);
        return value;
}

static unsigned char *read_all(const char *path, size_t most, size_t *ret_length)
{
        unsigned char *octets = malloc(most);
        FILE *file = fopen(path, "rb");

        if (!octets || !file)
                fail("the capture can't be read");
        *ret_length = fread(octets, 1, most, file);
        fclose(file);
        return octets;
}

/* IPv4 and TCP behind Ethernet, as the generator makes them. */
static bool is_syn(const unsigned char *o)
{
        return o[12] == 8 && o[13] == 0 && o[14] == 0x45 && o[23] == 6 && (o[47] & 0x12) == 2;
}

static struct frames read_frames(const char *path, size_t packets)
{
        size_t length, at = 24;
        struct frames f = {.list = calloc(packets, sizeof *f.list)};

        f.octets = read_all(path, packets * 800 + 24, &length);
        if (!f.list || length < 24 || word(f.octets) != 0xa1b2c3d4)
                fail("a classic pcap file of microseconds is wanted");
        for (;
             f.count < packets && at + 16 <= length && at + 16 + word(f.octets + at + 8) <= length;
             at += 16 + word(f.octets + at + 8)) {
                if (!is_syn(f.octets + at + 16))
                        continue;
                f.list[f.count] = (struct pt_frame){
                        .bytes = f.octets + at + 16,
                        .captured = word(f.octets + at + 8),
                        .length = word(f.octets + at + 12),
                        .linktype = 1,
                        .time = BEGIN + (int64_t)f.count * PACE,
                };
                f.count++;
        }
        return f;
}

/* A SYN from one of so many clients to a place and a port that it has not tried yet. */
static void write_syn(unsigned char *o, uint32_t number, uint32_t noise)
{
        static const unsigned char head[54] = {
                2, 0,  0, 0, 0,    2, 2,  0, 0, 0, 0,  1,           8, 0,    0x45, 0,
                0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, [46] = 0x50, 2, 0xff, 0xff};
        unsigned port = 4096 + noise % 45056, client = number % CLIENTS;

        memcpy(o, head, sizeof head);
        o[28] = (unsigned char)(client >> 8);
        o[29] = (unsigned char)(client & 255);
        o[30] = (unsigned char)(20 + (noise >> 8) % 80);
        o[31] = (unsigned char)(noise >> 16);
        o[32] = (unsigned char)(noise >> 24);
        o[33] = (unsigned char)(1 + noise % 250);
        o[34] = (unsigned char)(32 + (number >> 8 & 63));
        o[35] = (unsigned char)(number & 255);
        o[36] = (unsigned char)(port >> 8);
        o[37] = (unsigned char)(port & 255);
        memcpy(o + 38, &number, sizeof number);
}

static struct frames fresh_frames(void)
{
        struct frames f = {.list = calloc(FRESH, sizeof *f.list), .octets = malloc(54 * FRESH)};
        uint64_t state = 1;

        if (!f.list || !f.octets)
                fail("no memory");
        for (f.count = 0; f.count < FRESH; f.count++) {
                state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
                write_syn(f.octets + 54 * f.count, (uint32_t)f.count, (uint32_t)(state >> 32));
                f.list[f.count] = (struct pt_frame){
                        .bytes = f.octets + 54 * f.count,
                        .captured = 54,
                        .length = 54,
                        .linktype = 1,
                        .time = BEGIN + (int64_t)f.count * PACE,
                };
        }
        return f;
}

/* ---- rounds ---- */

static void ignore(void *context, const struct pt_event *event)
{
        (void)context, (void)event;
}

static double seconds(void)
{
        struct timespec now;

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static uint64_t eligible_of(const struct pt_engine *engine)
{
        const char *name;
        uint64_t value;

        for (size_t i = 0; pt_engine_counter(engine, i, &name, &value); i++)
                if (strcmp(name, "syn.eligible") == 0)
                        return value;
        fail("no counter syn.eligible");
        return 0;
}

/*
 * In each round the same frames meet the same state, some two thousand at a time. Of each piece the
 * shortest time of all rounds counts, for what else the machine does only adds.
 */
#define PIECE 2048

struct times {
        double *list;
        uint64_t eligible;
};

static void round_of(const struct frames *f, const struct pt_rules *rules, bool model,
                     struct times *times)
{
        const struct pt_receiver receiver = {.event = ignore};
        struct pt_settings settings;
        struct pt_engine *engine;

        pt_settings_default(&settings);
        if (pt_engine_new(&settings, rules, &receiver, &engine) < 0)
                fail("no engine");
        with = model;
        for (size_t i = 0; i < f->count; i += PIECE) {
                size_t count = f->count - i < PIECE ? f->count - i : PIECE;
                double start = seconds(), taken;

                for (size_t k = 0; k < count; k += BATCH)
                        pt_engine_packets(engine, f->list + i + k,
                                          count - k < BATCH ? count - k : BATCH);
                taken = seconds() - start;
                if (times->list[i / PIECE] <= 0 || taken < times->list[i / PIECE])
                        times->list[i / PIECE] = taken;
        }
        pt_engine_finish(engine);
        times->eligible = eligible_of(engine);
        pt_engine_free(engine);
}

static double sum(const struct times *times, size_t count)
{
        double all = 0;

        for (size_t i = 0; i < (count + PIECE - 1) / PIECE; i++)
                all += times->list[i];
        return all;
}

static void measure(const char *name, const struct frames *f, const struct pt_rules *rules,
                    unsigned rounds, const char *end)
{
        struct times bare = {.list = calloc(f->count / PIECE + 1, sizeof(double))};
        struct times whole = {.list = calloc(f->count / PIECE + 1, sizeof(double))};
        double a, b;

        if (!bare.list || !whole.list)
                fail("no memory");
        for (unsigned i = 0; i < rounds; i++) {
                round_of(f, rules, false, &bare);
                round_of(f, rules, true, &whole);
        }
        a = sum(&bare, f->count);
        b = sum(&whole, f->count);
        printf("\"%s\": {\"syns\": %zu, \"eligible\": %llu, \"syn_ns\": %.1f, "
               "\"model_ns\": %.1f, \"ratio\": %.3f}%s",
               name, f->count, (unsigned long long)whole.eligible, a / (double)f->count * 1e9,
               (b - a) / (double)whole.eligible * 1e9, b / a, end);
        free(bare.list);
        free(whole.list);
}

int main(int argc, char **argv)
{
        struct pt_rules *rules;
        struct pt_rule_error error;
        struct frames capture, fresh;
        unsigned rounds;

        if (argc != 5)
                fail("a capture, rules, packets and rounds are wanted");
        if (pt_rulebook_load((const char *const *)argv + 2, 1, &rules, &error) < 0)
                fail("the rules can't be read");
        rounds = (unsigned)strtoul(argv[4], NULL, 10);
        if (!rounds)
                fail("rounds are wanted");
        capture = read_frames(argv[1], strtoul(argv[3], NULL, 10));
        fresh = fresh_frames();
        printf("{");
        measure("capture", &capture, rules, rounds, ", ");
        measure("fresh", &fresh, rules, rounds, "}\n");
        pt_rules_free(rules);
        free(capture.list);
        free(capture.octets);
        free(fresh.list);
        free(fresh.octets);
        return 0;
}
