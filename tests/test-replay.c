#include "io/capture/replay.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture.h"
#include "packed.h"

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

static char path[] = "/tmp/test-replay-XXXXXX";

static const struct pt_replay_settings plain;

static void write_file(const struct bytes *b)
{
        int fd = mkstemp(path);

        cr_assert_geq(fd, 0);
        cr_assert_eq(write(fd, b->at, b->length), (ssize_t)b->length);
        close(fd);
}

static void remove_file(void)
{
        unlink(path);
}

static int open_with(const char *filter, uint32_t file, struct pt_replay **ret,
                     struct pt_replay_fault *fault)
{
        struct pt_replay_settings settings = {.filter = filter};

        return pt_replay_open(path, &settings, file, ret, fault);
}

static struct pt_replay *open_file(const char *filter)
{
        struct pt_replay *replay = NULL;
        struct pt_replay_fault fault = {0};

        cr_assert_eq(open_with(filter, 7, &replay, &fault), 0, "%s", fault.sentence);
        return replay;
}

static void expect_sentence(const struct pt_replay_fault *fault, uint64_t offset, const char *part)
{
        char place[32];

        snprintf(place, sizeof(place), "byte %llu", (unsigned long long)offset);
        cr_expect_eq(fault->offset, offset, "%s", fault->sentence);
        cr_expect(strstr(fault->sentence, place), "%s", fault->sentence);
        cr_expect(strstr(fault->sentence, part), "\"%s\" lacks \"%s\"", fault->sentence, part);
        cr_expect(!strncmp(fault->sentence, path, strlen(path)), "%s", fault->sentence);
}

/* --- what is read ------------------------------------------------------------------------------
 */

/* A14: both byte orders and both precisions, and the FCS bits of the link field. */
Test(replay, byte_order_and_precision_do_not_matter, .fini = remove_file)
{
        static const struct {
                bool big;
                uint32_t magic, fraction, link;
        } rows[] = {
                {false, MICRO, 250000, 1},          {true, MICRO, 250000, 1},
                {false, NANO, 250000000, 1},        {true, NANO, 250000000, 1},
                {false, MICRO, 250000, 0x44000001}, /* 4 octets of FCS, said to be there */
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct bytes b = {.big = rows[i].big};
                struct pt_frame frame;
                struct pt_replay_fault fault;

                put_pcap(&b, rows[i].magic, 65535, rows[i].link);
                put_record(&b, 1700000000, rows[i].fraction, 40, 60);
                put_record(&b, 1700000001, 0, 14, 14);
                memcpy(strrchr(path, '-') + 1, "XXXXXX", 6);
                write_file(&b);

                struct pt_replay *replay = open_file(NULL);
                cr_assert_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_FRAME);
                cr_expect_eq(frame.time, 1700000000250000000, "row %zu", i);
                cr_expect_eq(frame.captured, 40);
                cr_expect_eq(frame.length, 60);
                cr_expect_eq(frame.linktype, PT_LINK_ETHERNET);
                cr_expect_eq(frame.number, 1);
                cr_expect_eq(frame.file, 7);
                cr_expect_eq(frame.bytes[12], 0x08);
                cr_assert_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_FRAME);
                cr_expect_eq(frame.number, 2);
                cr_expect_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_END);
                cr_expect_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_END);
                cr_expect_null(pt_replay_free(replay));
                unlink(path);
        }
}

/* A1, A2, A5, A6: odd records come as they are; the engine counts them. */
Test(replay, odd_records_come_as_they_are, .fini = remove_file)
{
        static const struct {
                uint32_t magic, seconds, fraction, captured, length;
                int64_t time;
                const char *reason;
        } rows[] = {
                {MICRO, 1, 0, 0, 0, 1000000000, "no octets"},
                {MICRO, 1, 0, 60, 10, 1000000000, "more captured than there were"},
                {MICRO, 1, 5000000, 4, 4, 6000000000, "a fraction of five seconds"},
                {NANO, 5, 4294966296, 4, 4, 4999999000, "a fraction of -1000 ns"},
                {MICRO, 0, 0, 4, 4, 0, "1970"},
                {MICRO, 0xffffffff, 0, 4, 4, 4294967295000000000, "seconds are unsigned: 2106"},
                {MICRO, 0x7fffffff, 999999, 4, 4, 2147483647999999000,
                 "the last second of 31 bits, in 2038"},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct bytes b = {0};
                struct pt_frame frame;
                struct pt_replay_fault fault;

                put_pcap(&b, rows[i].magic, 65535, 1);
                put_record(&b, rows[i].seconds, rows[i].fraction, rows[i].captured, rows[i].length);
                memcpy(strrchr(path, '-') + 1, "XXXXXX", 6);
                write_file(&b);

                struct pt_replay *replay = open_file(NULL);
                cr_assert_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_FRAME, "%s",
                             rows[i].reason);
                cr_expect_eq(frame.time, rows[i].time, "%s: %lld", rows[i].reason,
                             (long long)frame.time);
                cr_expect_eq(frame.captured, rows[i].captured, "%s", rows[i].reason);
                cr_expect_eq(frame.length, rows[i].length, "%s", rows[i].reason);
                pt_replay_free(replay);
                unlink(path);
        }
}

/* A6: pcapng holds 64 bits of microseconds, which is more than nanoseconds in 64 bits can. */
Test(replay, a_time_beyond_64_bits_is_the_nearest_that_fits, .fini = remove_file)
{
        struct bytes b = {0};
        struct pt_frame frame;
        struct pt_replay_fault fault;

        put_section(&b);
        put_interface(&b, 101, 0);
        put_packet(&b, UINT64_MAX);
        put_packet(&b, 1700000000000001);
        write_file(&b);

        struct pt_replay *replay = open_file(NULL);
        cr_assert_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_FRAME);
        cr_expect_eq(frame.time, INT64_MAX);
        cr_assert_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_FRAME);
        cr_expect_eq(frame.time, 1700000000000001000);
        cr_expect_eq(frame.linktype, PT_LINK_RAW);
        pt_replay_free(replay);
}

/* A9: the numbers of the file format's registry, whatever libpcap calls them on this system. */
Test(replay, link_types_have_the_numbers_of_the_format, .fini = remove_file)
{
        static const struct {
                uint32_t link;
                int linktype; /* -1: refused */
        } rows[] = {
                {0, PT_LINK_NULL},
                {1, PT_LINK_ETHERNET},
                {101, PT_LINK_RAW},
                {14, PT_LINK_RAW_OPENBSD},
                {108, PT_LINK_LOOP},
                {113, PT_LINK_SLL},
                {228, PT_LINK_IPV4},
                {229, PT_LINK_IPV6},
                {276, PT_LINK_SLL2},
                {9, PT_LINK_PPP},
                {50, PT_LINK_PPP_HDLC},
                {51, PT_LINK_PPP_ETHER},
                {104, PT_LINK_CISCO_HDLC},
                {166, PT_LINK_PPP_PPPD},
                {204, PT_LINK_PPP_DIRECTED},
                {105, -1},  /* IEEE 802.11 */
                {9999, -1}, /* nobody's */
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct bytes b = {0};
                struct pt_replay *replay = NULL;
                struct pt_replay_fault fault;
                struct pt_frame frame;

                put_pcap(&b, MICRO, 65535, rows[i].link);
                put_record(&b, 1, 0, 14, 14);
                memcpy(strrchr(path, '-') + 1, "XXXXXX", 6);
                write_file(&b);
                int r = pt_replay_open(path, &plain, 0, &replay, &fault);
                if (rows[i].linktype < 0) {
                        char text[32];

                        snprintf(text, sizeof(text), "link type %u", rows[i].link);
                        cr_expect_eq(r, -EBADMSG, "%u", rows[i].link);
                        expect_sentence(&fault, 20, text);
                } else {
                        cr_assert_eq(r, 0, "%u", rows[i].link);
                        cr_assert_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_FRAME);
                        cr_expect_eq(frame.linktype, rows[i].linktype, "%u", rows[i].link);
                }
                pt_replay_free(replay);
                unlink(path);
        }
}

/* A13: the file's own snap length is no limit worth the name. */
Test(replay, a_snap_length_of_zero_means_any, .fini = remove_file)
{
        struct bytes b = {0};
        struct pt_frame frame;
        struct pt_replay_fault fault;

        put_pcap(&b, MICRO, 0, 1);
        put_record(&b, 1, 0, 60, 60);
        write_file(&b);
        struct pt_replay *replay = open_file(NULL);
        cr_assert_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_FRAME);
        cr_expect_eq(frame.captured, 60);
        pt_replay_free(replay);
}

/* A10: a header alone is a capture in which nothing happened. */
Test(replay, a_capture_without_packets_is_fine, .fini = remove_file)
{
        struct bytes b = {0};
        struct pt_frame frame;
        struct pt_replay_fault fault;

        put_pcap(&b, MICRO, 65535, 1);
        write_file(&b);
        struct pt_replay *replay = open_file(NULL);
        cr_expect_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_END);
        pt_replay_free(replay);
}

/* --- filters -----------------------------------------------------------------------------------
 */

Test(replay, a_filter_drops_frames_but_not_their_numbers, .fini = remove_file)
{
        struct bytes b = {0};
        struct pt_frame frame;
        struct pt_replay_fault fault;

        put_pcap(&b, MICRO, 65535, 1);
        put_record(&b, 1, 0, 20, 20);
        put_record(&b, 2, 0, 20, 60);
        put_record(&b, 3, 0, 20, 20);
        put_record(&b, 4, 0, 20, 60);
        write_file(&b);
        struct pt_replay *replay = open_file("greater 40");
        cr_assert_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_FRAME);
        cr_expect_eq(frame.number, 2);
        cr_assert_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_FRAME);
        cr_expect_eq(frame.number, 4);
        cr_expect_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_END);
        pt_replay_free(replay);
        pt_replay_free(open_file(""));
}

Test(replay, a_bad_filter_is_refused, .fini = remove_file)
{
        struct bytes b = {0};
        struct pt_replay *replay = NULL;
        struct pt_replay_fault fault;

        put_pcap(&b, MICRO, 65535, 101);
        write_file(&b);
        cr_expect_eq(open_with("tcp prot 80", 0, &replay, &fault), -EINVAL);
        cr_expect(strstr(fault.sentence, "filter: "), "%s", fault.sentence);
        /* fine elsewhere, but raw IP has no MAC addresses */
        cr_expect_eq(open_with("ether host 02:00:00:00:00:01", 0, &replay, &fault), -EINVAL);
        cr_expect_null(replay);

        cr_expect_eq(pt_replay_check_filter("udp port 53", &fault), 0);
        cr_expect_eq(pt_replay_check_filter("", &fault), 0);
        cr_expect_eq(pt_replay_check_filter("udp port", &fault), -EINVAL);
        cr_expect(strstr(fault.sentence, "filter: "), "%s", fault.sentence);
}

/* A20: the compiler of filters neither crashes nor hangs on what is far too long. */
Test(replay, a_filter_of_absurd_depth_is_refused)
{
        enum { DEPTH = 100000 };
        struct pt_replay_fault fault;
        char *filter = malloc(DEPTH + 1);

        cr_assert_not_null(filter);
        memset(filter, '(', DEPTH);
        filter[DEPTH] = '\0';
        cr_expect_eq(pt_replay_check_filter(filter, &fault), -EINVAL);
        free(filter);
}

/* --- what cannot be opened ---------------------------------------------------------------------
 */

/* A10, and what people hand over by mistake. */
Test(replay, what_is_no_capture_is_named, .fini = remove_file)
{
        static const struct {
                const char *bytes;
                size_t length;
                const char *sentence;
                int error; /* -EBADMSG if 0 */
        } rows[] = {
                {"", 0, "the file is empty", -ENOMSG},
                {"\xd4\xc3", 2, "cut inside the file header (2 bytes)", -ENOMSG},
                {"\xd4\xc3\xb2\xa1\x02\x00\x04\x00", 8, "cut inside the file header (8 bytes)"},
                {"\x0a\x0d\x0d\x0a\x1c\x00\x00\x00", 8, "cut inside the file header (8 bytes)"},
                {"\x1f\x8b\x08\x00\x00\x00\x00\x00", 8,
                 "decompressed: gzip, near byte 8 of the file: the data is cut"},
                {"\x28\xb5\x2f\xfd\x00\x00\x00\x00", 8,
                 "decompressed: zstd, near byte 8 of the file: the data is cut"},
                {"\xfd"
                 "7zXZ\x00\x00\x04",
                 8, "decompressed: xz, near byte 8 of the file: the data is cut"},
                {"\x04\x22\x4d\x18\x00\x00\x00\x00", 8, "compressed with lz4"},
                {"BZh91AY&", 8, "compressed with bzip2"},
                {"{\"a\": \"log of some other kind\"}\n", 32, "neither pcap nor pcapng", -ENOMSG},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct bytes b = {0};
                struct pt_replay *replay = NULL;
                struct pt_replay_fault fault;

                put(&b, rows[i].bytes, rows[i].length);
                memcpy(strrchr(path, '-') + 1, "XXXXXX", 6);
                write_file(&b);
                cr_expect_eq(pt_replay_open(path, &plain, 0, &replay, &fault),
                             rows[i].error ? rows[i].error : -EBADMSG, "row %zu", i);
                expect_sentence(&fault, 0, rows[i].sentence);
                cr_expect_null(replay);
                unlink(path);
        }
}

Test(replay, what_cannot_be_opened_says_why)
{
        struct pt_replay *replay = NULL;
        struct pt_replay_fault fault;

        cr_expect_eq(pt_replay_open("/nonexistent/x", &plain, 0, &replay, &fault), -ENOENT);
        cr_expect(strstr(fault.sentence, "/nonexistent/x"), "%s", fault.sentence);
        cr_expect(strstr(fault.sentence, strerror(ENOENT)), "%s", fault.sentence);
        cr_expect_eq(pt_replay_open("/tmp", &plain, 0, &replay, &fault), -EISDIR);
        cr_expect(strstr(fault.sentence, "a directory: name the captures in it"), "%s",
                  fault.sentence);
        cr_expect_null(replay);
        cr_expect_null(pt_replay_free(NULL));
}

/* Known by its content, whatever its name; several runs of the compressor in one file. */
Test(replay, a_compressed_capture_is_read, .fini = remove_file)
{
        static const enum pt_kind kinds[] = {PT_KIND_GZIP, PT_KIND_ZSTD, PT_KIND_XZ};

        for (size_t k = 0; k < ROWS(kinds); k++) {
                struct bytes b = {0}, c = {0};
                struct pt_frame frame;
                struct pt_replay_fault fault;

                put_pcap(&b, MICRO, 65535, 1);
                for (uint32_t i = 0; i < 100; i++)
                        put_record(&b, i, 0, 60, 60);
                c.length = pack(kinds[k], b.at, 1000, c.at, sizeof c.at);
                c.length += pack(kinds[k], b.at + 1000, b.length - 1000, c.at + c.length,
                                 sizeof c.at - c.length);
                memcpy(strrchr(path, '-') + 1, "XXXXXX", 6);
                write_file(&c);
                struct pt_replay *replay = open_file(NULL);
                for (int64_t i = 0; i < 100; i++) {
                        cr_assert_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_FRAME);
                        cr_expect_eq(frame.time, i * 1000000000);
                }
                cr_expect_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_END);
                pt_replay_free(replay);
                unlink(path);
        }
}

/* What came before the cut is there; the record that is not whole is named by its place in the
 * stream, the cut by its place in the file. */
Test(replay, a_cut_in_compressed_data_comes_after_its_frames, .fini = remove_file)
{
        struct bytes b = {0}, c = {0};
        struct pt_frame frame;
        struct pt_replay_fault fault = {0};
        uint64_t count = 0;

        put_pcap(&b, MICRO, 65535, 1);
        for (uint32_t i = 0; i < 100; i++)
                put_record(&b, i, i * 7919 % 1000000, 60, 60);
        c.length = pack(PT_KIND_GZIP, b.at, b.length, c.at, sizeof c.at);
        c.length -= 20; /* the trailer of 8, and some of the data */
        write_file(&c);
        struct pt_replay *replay = open_file(NULL);
        while (pt_replay_next(replay, &frame, &fault) == PT_REPLAY_FRAME)
                count++;
        cr_expect_gt(count, 50);
        cr_expect_lt(count, 100);
        expect_sentence(&fault, 24 + 76 * count, "the data is cut");
        cr_expect(strstr(fault.sentence, " decompressed: gzip, near byte "), "%s", fault.sentence);
        pt_replay_free(replay);
}

Test(replay, what_is_compressed_twice_is_refused, .fini = remove_file)
{
        struct bytes b = {0}, c = {0}, d = {0};
        struct pt_replay *replay = NULL;
        struct pt_replay_fault fault;

        put_pcap(&b, MICRO, 65535, 1);
        c.length = pack(PT_KIND_XZ, b.at, b.length, c.at, sizeof c.at);
        d.length = pack(PT_KIND_GZIP, c.at, c.length, d.at, sizeof d.at);
        write_file(&d);
        cr_expect_eq(pt_replay_open(path, &plain, 0, &replay, &fault), -EBADMSG);
        expect_sentence(&fault, 0, "compressed twice, with xz inside");
        cr_expect_null(replay);
}

/* A path longer than a sentence keeps its end, which tells files apart, and the reason. */
Test(replay, a_long_path_does_not_hide_the_reason)
{
        char name[1024];
        struct pt_replay *replay = NULL;
        struct pt_replay_fault fault;

        memset(name, 'x', sizeof(name));
        memcpy(name, "/tmp/", 5);
        for (size_t i = 100; i < sizeof(name); i += 100)
                name[i] = '/';
        memcpy(name + sizeof(name) - 8, "end.cap", 8);
        cr_expect_eq(pt_replay_open(name, &plain, 0, &replay, &fault), -ENOENT);
        cr_expect(strstr(fault.sentence, "xend.cap: "), "%s", fault.sentence);
        cr_expect(strstr(fault.sentence, strerror(ENOENT)), "%s", fault.sentence);
        cr_expect_eq(strncmp(fault.sentence, "...", 3), 0);
}

/* A read that fails is the machine's fault, not the capture's. /proc/self/mem has no page 0. */
Test(replay, a_failing_read_is_no_bad_capture)
{
        struct pt_replay *replay = NULL;
        struct pt_replay_fault fault;

        cr_expect_eq(pt_replay_open("/proc/self/mem", &plain, 0, &replay, &fault), -EIO);
        cr_expect(strstr(fault.sentence, strerror(EIO)), "%s", fault.sentence);
}

/* --- what is cut -------------------------------------------------------------------------------
 */

/* A11: after two good records of 16 + 20 octets, the third is cut at every octet. */
Test(replay, a_cut_record_is_found_at_its_beginning, .fini = remove_file)
{
        struct bytes b = {0};

        put_pcap(&b, MICRO, 65535, 1);
        put_record(&b, 1, 0, 20, 20);
        put_record(&b, 2, 0, 20, 20);
        put_record(&b, 3, 0, 20, 20);
        write_file(&b);
        for (off_t end = 24 + 3 * 36 - 1; end >= 24 + 2 * 36; end--) {
                struct pt_frame frame;
                struct pt_replay_fault fault = {0};

                cr_assert_eq(truncate(path, end), 0);
                struct pt_replay *replay = open_file(NULL);
                cr_assert_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_FRAME);
                cr_assert_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_FRAME);
                enum pt_replay_step step = pt_replay_next(replay, &frame, &fault);
                if (end == 24 + 2 * 36) {
                        cr_expect_eq(step, PT_REPLAY_END);
                } else {
                        cr_expect_eq(step, PT_REPLAY_CUT, "%lld", (long long)end);
                        expect_sentence(&fault, 96, "truncated");
                        fault = (struct pt_replay_fault){0};
                        cr_expect_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_CUT);
                        expect_sentence(&fault, 96, "truncated");
                }
                pt_replay_free(replay);
        }
}

/* A12; and that offsets do not rest on lengths that are clipped to the file's snap length (A13). */
Test(replay, a_record_of_two_gigabytes_is_a_fault, .fini = remove_file)
{
        struct bytes b = {0};
        struct pt_frame frame;
        struct pt_replay_fault fault;

        put_pcap(&b, MICRO, 16, 1);
        put_record(&b, 1, 0, 60, 60);
        put32(&b, 2);
        put32(&b, 0);
        put32(&b, 0x7fffffff);
        put32(&b, 0x7fffffff);
        write_file(&b);
        struct pt_replay *replay = open_file(NULL);
        cr_assert_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_FRAME);
        cr_expect_eq(frame.captured, 16);
        cr_expect_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_CUT);
        expect_sentence(&fault, 24 + 16 + 60, "");
        pt_replay_free(replay);
}

/* More than one buffer of 256 KiB, so that the place is not that in the buffer. */
Test(replay, offsets_hold_beyond_the_buffer, .fini = remove_file)
{
        struct bytes b = {0}, record = {0};
        struct pt_frame frame;
        struct pt_replay_fault fault;
        uint64_t count = 0;

        put_pcap(&b, MICRO, 65535, 1);
        write_file(&b);
        put_record(&record, 1, 0, 61, 61);
        FILE *f = fopen(path, "a");
        cr_assert_not_null(f);
        for (int i = 0; i < 10000; i++)
                cr_assert_eq(fwrite(record.at, 1, record.length, f), record.length);
        cr_assert_eq(fwrite(record.at, 1, 30, f), 30);
        cr_assert_eq(fclose(f), 0);

        struct pt_replay *replay = open_file(NULL);
        while (pt_replay_next(replay, &frame, &fault) == PT_REPLAY_FRAME)
                count++;
        cr_expect_eq(count, 10000);
        expect_sentence(&fault, 24 + 10000 * 77, "truncated");
        pt_replay_free(replay);
}

/* Each as it comes alone, whatever fits into memory together; and all of them valid together. */
Test(replay, several_frames_are_the_same_frames, .fini = remove_file)
{
        enum { COUNT = 300 };
        static const size_t buffers[] = {0, 64, 200, 1000};
        struct bytes b = {0};

        put_pcap(&b, MICRO, 65535, 1);
        for (uint32_t i = 0; i < COUNT; i++)
                put_record(&b, i, 0, 14 + i % 50, 1000 + i);
        b.length -= 3; /* the last one is cut */
        write_file(&b);
        for (size_t row = 0; row < ROWS(buffers); row++) {
                struct pt_replay_settings settings = {.buffer = buffers[row]};
                struct pt_replay_fault fault;
                struct pt_frame frames[7];
                struct pt_replay *replay;
                size_t number = 0, count, most = 0;

                cr_assert_eq(pt_replay_open(path, &settings, 0, &replay, &fault), 0);
                while (pt_replay_several(replay, frames, 7, &count, &fault) == PT_REPLAY_FRAME) {
                        cr_assert(count >= 1 && count <= 7);
                        most = count > most ? count : most;
                        for (size_t i = 0; i < count; i++, number++) {
                                cr_assert_eq(frames[i].number, number + 1);
                                cr_assert_eq(frames[i].length, 1000 + number);
                                cr_assert_eq(frames[i].captured, 14 + number % 50);
                                cr_assert_eq(frames[i].bytes[12], 0x08, "frame %zu", number);
                        }
                }
                cr_expect_eq(number, COUNT - 1);
                cr_expect(most == 7 || (buffers[row] && buffers[row] < 1000), "%zu", most);
                expect_sentence(&fault, b.length - (16 + 14 + 299 % 50 - 3), "truncated");
                pt_replay_free(replay);
        }
}

/*
 * A15, A16: the block that is at fault is named by its place, also when others, which hold no
 * packet, stand between it and the last good packet. Section 28, interface 20, packet 36 octets.
 */
Test(replay, a_pcapng_fault_is_the_block_at_fault, .fini = remove_file)
{
        enum { ODD_LENGTH, ZERO_LENGTH, HUGE, CUT, CUT_HEADER, ROWS_ };
        static const char *const reasons[] = {
                [ODD_LENGTH] = "a block of length 33",
                [ZERO_LENGTH] = "a block of length 0",
                [HUGE] = "length 2147483632, more than 16777216",
                [CUT] = "truncated: of the 36 octets of a block there are 35",
                [CUT_HEADER] = "truncated: of the 8 octets of a block's header there are 5",
        };

        for (int big = 0; big < 2; big++) {
                for (int row = 0; row < ROWS_; row++) {
                        struct bytes b = {.big = big};
                        struct pt_frame frame;
                        struct pt_replay_fault fault;

                        put_section(&b);
                        put_interface(&b, 1, 0);
                        put_packet(&b, 1);
                        put_unknown(&b);
                        put_unknown(&b);
                        if (row == CUT || row == CUT_HEADER) {
                                put_packet(&b, 2);
                                b.length -= row == CUT ? 1 : 31;
                        } else {
                                put32(&b, 6);
                                put32(&b, row == ODD_LENGTH    ? 33
                                          : row == ZERO_LENGTH ? 0
                                                               : 0x7ffffff0);
                                put32(&b, 0);
                        }
                        memcpy(strrchr(path, '-') + 1, "XXXXXX", 6);
                        write_file(&b);
                        struct pt_replay *replay = open_file(NULL);
                        cr_assert_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_FRAME);
                        cr_expect_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_CUT);
                        expect_sentence(&fault, 28 + 20 + 36 + 16 + 16, reasons[row]);
                        pt_replay_free(replay);
                        unlink(path);
                }
        }
}

/* A16: a packet before any interface: its link type is unknown. */
Test(replay, a_packet_before_any_interface_is_refused, .fini = remove_file)
{
        struct bytes b = {0};
        struct pt_replay *replay = NULL;
        struct pt_replay_fault fault;

        put_section(&b);
        put_unknown(&b);
        put_packet(&b, 1);
        write_file(&b);
        cr_expect_eq(pt_replay_open(path, &plain, 0, &replay, &fault), -EBADMSG);
        expect_sentence(&fault, 28 + 16, "");
}

/* --- pipes -------------------------------------------------------------------------------------
 */

/* A19: standard input is a pipe that a program fills in small pieces and closes too early. */
Test(replay, standard_input_is_read_and_its_cut_is_placed)
{
        struct bytes b = {0};
        struct pt_replay *replay = NULL;
        struct pt_frame frame;
        struct pt_replay_fault fault = {0};
        int ends[2];

        put_pcap(&b, MICRO, 65535, 1);
        put_record(&b, 1, 0, 20, 20);
        put_record(&b, 2, 0, 20, 20);
        cr_assert_eq(pipe(ends), 0);
        pid_t writer = fork();
        if (writer == 0) {
                for (size_t i = 0; i < b.length - 3; i += 7)
                        if (write(ends[1], b.at + i, i + 7 < b.length - 3 ? 7 : b.length - 3 - i) <
                            0)
                                _exit(1);
                _exit(0);
        }
        close(ends[1]);
        cr_assert_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
        close(ends[0]);
        cr_assert_eq(pt_replay_open("-", &plain, 0, &replay, &fault), 0, "%s", fault.sentence);
        cr_assert_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_FRAME);
        cr_expect_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_CUT);
        cr_expect_eq(fault.offset, 24 + 36);
        cr_expect_eq(strncmp(fault.sentence, "standard input: byte 60: ", 25), 0, "%s",
                     fault.sentence);
        pt_replay_free(replay);
        waitpid(writer, NULL, 0);
}

Test(replay, a_fifo_is_read, .fini = remove_file)
{
        struct bytes b = {0};
        struct pt_frame frame;
        struct pt_replay_fault fault;

        put_pcap(&b, MICRO, 65535, 1);
        put_record(&b, 1, 0, 20, 20);
        write_file(&b);
        unlink(path);
        cr_assert_eq(mkfifo(path, 0600), 0);
        pid_t writer = fork();
        if (writer == 0) {
                FILE *f = fopen(path, "w");
                _exit(!f || fwrite(b.at, 1, b.length, f) != b.length || fclose(f) != 0);
        }
        struct pt_replay *replay = open_file(NULL);
        cr_expect_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_FRAME);
        cr_expect_eq(pt_replay_next(replay, &frame, &fault), PT_REPLAY_END);
        pt_replay_free(replay);
        waitpid(writer, NULL, 0);
}
