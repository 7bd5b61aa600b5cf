#include "io/capture/exhibit.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/capture/replay.h"

/* tests/evidence.py has tshark read such files; here are the ways in which a file can be amiss. */

static char folder[] = "/tmp/portent-exhibit-XXXXXX", path[64];
static struct pt_exhibit *exhibit;
static char sentence[256];

static void begin(void)
{
        cr_assert_not_null(mkdtemp(folder));
        snprintf(path, sizeof path, "%s/a.pcapng", folder);
}

static void end(void)
{
        exhibit = pt_exhibit_free(exhibit);
        unlink(path);
        rmdir(folder);
}

TestSuite(exhibit, .init = begin, .fini = end);

static void put(uint8_t first, int linktype, uint32_t length)
{
        uint8_t octets[4096] = {first};
        const struct pt_frame frame = {
                .bytes = octets,
                .captured = length,
                .length = length + 3,
                .linktype = linktype,
                .time = INT64_C(1700000000123456789),
        };

        cr_assert_eq(pt_exhibit_put(exhibit, &frame, "eth0", NULL, "why"), 0);
}

static void open_it(void)
{
        cr_assert_eq(pt_exhibit_open(path, "1", &exhibit, sentence), 0, "%s", sentence);
}

/* The first octets of the packets, as our own reader has them. */
static void expect(const char *firsts)
{
        const struct pt_replay_settings settings = {0};
        struct pt_replay_fault fault;
        struct pt_replay *replay;
        struct pt_frame frame;
        enum pt_replay_step step;
        char found[64] = "";
        size_t count = 0;

        cr_assert_eq(pt_replay_open(path, &settings, 0, &replay, &fault), 0, "%s", fault.sentence);
        while ((step = pt_replay_next(replay, &frame, &fault)) == PT_REPLAY_FRAME) {
                found[count++] = (char)frame.bytes[0];
                cr_expect_eq(frame.time, INT64_C(1700000000123456789));
                cr_expect_eq(frame.length, frame.captured + 3);
        }
        cr_expect_eq(step, PT_REPLAY_END, "%s", fault.sentence);
        cr_expect_str_eq(found, firsts);
        pt_replay_free(replay);
}

static off_t size(void)
{
        struct stat status;

        cr_assert_eq(stat(path, &status), 0);
        return status.st_size;
}

Test(exhibit, packets_of_several_links_are_read_back)
{
        open_it();
        put('a', 1, 61);
        put('b', 101, 62);
        cr_assert_eq(pt_exhibit_write(exhibit), 0);
        put('c', 1, 63);
        put('d', 101, 64);
        cr_assert_eq(pt_exhibit_write(exhibit), 0);
        expect("abcd");
}

Test(exhibit, nobody_else_may_read_it)
{
        struct stat status;

        umask(0);
        open_it();
        cr_assert_eq(stat(path, &status), 0);
        cr_expect_eq(status.st_mode & 0777, 0640);
}

Test(exhibit, another_run_adds_a_section)
{
        open_it();
        put('a', 1, 60);
        cr_assert_eq(pt_exhibit_write(exhibit), 0);
        exhibit = pt_exhibit_free(exhibit);
        open_it();
        put('b', 101, 60);
        cr_assert_eq(pt_exhibit_write(exhibit), 0);
        expect("ab");
}

/* As a machine leaves it that lost its power inside a write. */
Test(exhibit, a_torn_end_is_cut_off)
{
        off_t whole;

        open_it();
        put('a', 1, 60);
        cr_assert_eq(pt_exhibit_write(exhibit), 0);
        whole = size();
        put('x', 1, 60);
        cr_assert_eq(pt_exhibit_write(exhibit), 0);
        exhibit = pt_exhibit_free(exhibit);
        for (off_t torn = size() - 1; torn > whole; torn -= 5) {
                cr_assert_eq(truncate(path, torn), 0);
                open_it();
                put('b', 1, 60);
                cr_assert_eq(pt_exhibit_write(exhibit), 0);
                expect("ab");
                exhibit = pt_exhibit_free(exhibit);
                cr_assert_eq(truncate(path, whole), 0);
                open_it();
                put('x', 1, 60);
                cr_assert_eq(pt_exhibit_write(exhibit), 0);
                exhibit = pt_exhibit_free(exhibit);
        }
}

Test(exhibit, what_is_no_pcapng_stays_as_it_is)
{
        FILE *file = fopen(path, "w");

        fputs("somebody's own words, longer than a block", file);
        fclose(file);
        cr_expect_eq(pt_exhibit_open(path, "1", &exhibit, sentence), -EEXIST);
        cr_expect_neq(strstr(sentence, "no pcapng"), NULL, "%s", sentence);
        cr_expect_eq(size(), 41);
        file = fopen(path, "w");
        fputs("few", file);
        fclose(file);
        cr_expect_eq(pt_exhibit_open(path, "1", &exhibit, sentence), -EEXIST);
        cr_expect_eq(size(), 3);
}

Test(exhibit, one_file_has_one_writer)
{
        struct pt_exhibit *second;

        open_it();
        cr_expect_eq(pt_exhibit_open(path, "1", &second, sentence), -EBUSY, "%s", sentence);
        cr_expect_eq(pt_exhibit_open("/dev/null", "1", &second, sentence), -ENOTSUP);
        cr_expect_eq(pt_exhibit_open(folder, "1", &second, sentence), -EISDIR);
        cr_expect_eq(pt_exhibit_open("/nowhere/x", "1", &second, sentence), -ENOENT);
}

/* A full disk: half of a packet's block fits. */
Test(exhibit, what_does_not_fit_is_not_there_at_all)
{
        struct rlimit limit, before;

        open_it();
        put('a', 1, 60);
        cr_assert_eq(pt_exhibit_write(exhibit), 0);
        signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &before);
        limit = before;
        limit.rlim_cur = (rlim_t)size() + 200;
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        put('x', 101, 60); /* with an interface that is not there afterwards */
        put('x', 101, 2000);
        cr_expect_eq(pt_exhibit_write(exhibit), -EFBIG);
        expect("a");
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
        put('b', 101, 60);
        cr_assert_eq(pt_exhibit_write(exhibit), 0);
        expect("ab");
}
