#include "io/capture/archive.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "capture.h"
#include "packed.h"

static char folder[] = "/tmp/test-archive-XXXXXX";
static char said[4096];

static void enter(void)
{
        cr_assert_not_null(mkdtemp(folder));
        cr_assert_eq(chdir(folder), 0);
}

static void leave(void)
{
        char command[64];

        snprintf(command, sizeof command, "rm -rf %s", folder);
        cr_assert_eq(system(command), 0);
}

static void tell(void *context, enum pt_archive_word word, const char *sentence)
{
        static const char *const words[] = {"opened", "refused", "cut", "skipped"};

        (void)context;
        snprintf(said + strlen(said), sizeof said - strlen(said), "%s %s\n", words[word], sentence);
}

static void write_bytes(const char *name, const struct bytes *b)
{
        FILE *file = fopen(name, "wb");

        cr_assert_not_null(file);
        cr_assert_eq(fwrite(b->at, 1, b->length, file), b->length);
        fclose(file);
}

/* A capture of one frame for each second that the text names, as "5 7 100"; -1 ends it. */
static void write_capture(const char *name, const char *seconds)
{
        static struct bytes b;
        char *rest = (char *)seconds;

        b = (struct bytes){0};
        put_pcap(&b, MICRO, 65535, 1);
        while (*rest) {
                unsigned long second = strtoul(rest, &rest, 10);

                put_record(&b, (uint32_t)second, 0, 20, 20);
        }
        write_bytes(name, &b);
}

static size_t say(const struct pt_archive *archive, const struct pt_frame *frame, char *text,
                  size_t length)
{
        const char *name = pt_archive_name(archive, frame->file);
        const char *slash = strrchr(name, '/');

        cr_assert_lt(length, 8192 - 32);
        cr_expect_eq(frame->bytes[0], 0x02); /* octets of put_record() */
        return length + (size_t)sprintf(text + length, "%s%c%lld", length ? " " : "",
                                        slash ? slash[1] : name[0],
                                        (long long)(frame->time / 1000000000));
}

static void merge_by(const struct pt_archive_settings *settings, size_t room, char text[8192])
{
        struct pt_archive *archive;
        struct pt_frame frames[7];
        size_t length = 0, given;

        said[0] = text[0] = '\0';
        cr_assert_eq(pt_archive_new(settings, &archive), 0);
        while (pt_archive_several(archive, frames, room, &given) == PT_ARCHIVE_FRAME) {
                cr_assert(given >= 1 && given <= room);
                for (size_t i = 0; i < given; i++)
                        length = say(archive, &frames[i], text, length);
        }
        cr_expect_eq(pt_archive_next(archive, &frames[0]), PT_ARCHIVE_END);
        cr_expect_null(pt_archive_free(archive));
}

/*
 * What comes out of the inputs named, as "a5 b6": the name's first letter, the second. The same,
 * however many frames are taken at once.
 */
static const char *merge(const struct pt_archive_settings *more, size_t count,
                         const char *const *names)
{
        static char text[8192], other[8192];
        struct pt_archive_settings settings = *more;

        settings.paths = names;
        settings.count = count;
        settings.tell = tell;
        merge_by(&settings, 1, text);
        for (size_t room = 2; room <= 7; room++) {
                merge_by(&settings, room, other);
                cr_expect_str_eq(other, text, "%zu at once", room);
        }
        return text;
}

static const struct pt_archive_settings all;

#define MERGED(...)                                                       \
        merge(&all, sizeof(const char *[]){__VA_ARGS__} / sizeof(char *), \
              (const char *const[]){__VA_ARGS__})

Test(archive, files_that_overlap_are_merged_in_packet_time, .init = enter, .fini = leave)
{
        write_capture("a", "10 20 30 40");
        write_capture("b", "15 20 45");
        write_capture("c", "5 50");
        cr_expect_str_eq(MERGED("a", "b", "c"), "c5 a10 b15 a20 b20 a30 a40 b45 c50");
        /* Of frames of one moment, the file named first has its own first. */
        cr_expect_str_eq(MERGED("b", "c", "a"), "c5 a10 b15 b20 a20 a30 a40 b45 c50");
}

/* Each is opened when the one before it has ended: a thousand files want one descriptor. */
Test(archive, files_that_follow_one_another_are_open_one_at_a_time, .init = enter, .fini = leave)
{
        enum { FILES = 1100 }; /* more than the usual limit of descriptors */
        static char names[FILES][8];
        static const char *list[FILES];
        struct pt_archive_settings settings = {.paths = list, .count = FILES};
        struct pt_archive *archive;
        struct pt_frame frame;
        int64_t second = 0;

        for (int i = 0; i < FILES; i++) {
                char text[32];
                int place = (i * 7919) % FILES; /* named in another order */

                snprintf(names[place], sizeof names[place], "%d", i);
                list[place] = names[place];
                snprintf(text, sizeof text, "%d %d", 2 * i + 1, 2 * i + 2);
                write_capture(names[place], text);
        }
        cr_assert_eq(pt_archive_new(&settings, &archive), 0);
        while (pt_archive_next(archive, &frame) == PT_ARCHIVE_FRAME) {
                second++;
                cr_assert_eq(frame.time, second * 1000000000, "%lld", (long long)second);
        }
        cr_expect_eq(second, 2 * FILES);
        pt_archive_free(archive);
}

/* 4.12 for each input: one foreign time does not hold back the rest of its file. */
Test(archive, one_foreign_time_changes_no_order, .init = enter, .fini = leave)
{
        write_capture("b", "101 103 105 107");
        write_capture("a", "100 102 4000000 104 106");
        cr_expect_str_eq(MERGED("a", "b"), "a100 b101 a102 a4000000 b103 a104 b105 a106 b107");
        write_capture("a", "100 102 3 104 106");
        cr_expect_str_eq(MERGED("a", "b"), "a100 b101 a102 a3 b103 a104 b105 a106 b107");
        /* the first one too */
        write_capture("a", "4000000 102 104 106");
        cr_expect_str_eq(MERGED("a", "b"), "b101 a4000000 a102 b103 a104 b105 a106 b107");
}

/* Two that agree are the time. */
Test(archive, a_real_gap_is_waited_for, .init = enter, .fini = leave)
{
        write_capture("a", "100 10000 10001");
        write_capture("b", "101 5000 10000 10002");
        cr_expect_str_eq(MERGED("a", "b"), "a100 b101 b5000 a10000 b10000 a10001 b10002");
}

/* Small steps back within a file are the file's own order. */
Test(archive, the_order_within_a_file_stands, .init = enter, .fini = leave)
{
        write_capture("a", "100 102 101 103");
        write_capture("b", "101 102");
        cr_expect_str_eq(MERGED("a", "b"), "a100 b101 a102 a101 b102 a103");
}

Test(archive, one_alone_is_read_as_it_is, .init = enter, .fini = leave)
{
        write_capture("a", "100 4000000 3 102 1");
        cr_expect_str_eq(MERGED("a"), "a100 a4000000 a3 a102 a1");
        cr_expect_str_eq(said, "opened a\n");
}

Test(archive, a_bad_one_does_not_stop_the_others, .init = enter, .fini = leave)
{
        static struct bytes b;

        write_capture("a", "1 3");
        write_capture("b", "2 4");
        write_capture("e", "");
        b = (struct bytes){0};
        put_pcap(&b, MICRO, 65535, 1);
        put_record(&b, 2, 0, 20, 20);
        put_record(&b, 9, 0, 20, 20);
        b.length -= 3;
        write_bytes("c", &b);
        b.length = 30;
        write_bytes("d", &b);
        cr_expect_str_eq(MERGED("c", "b", "/nonexistent", "a", "d", "e"), "a1 c2 b2 a3 b4");
        cr_expect_str_eq(said, "refused /nonexistent: No such file or directory\n"
                               "opened d\n"
                               "cut d: byte 24: truncated: of the 16 octets of a record's header "
                               "there are 6\n"
                               "opened a\nopened c\nopened b\n"
                               "cut c: byte 60: truncated: of the 36 octets of a record there are "
                               "33\n");
}

/* What lies beside captures in a directory need not be one; what is named must be. */
Test(archive, other_files_in_a_directory_are_left_out, .init = enter, .fini = leave)
{
        static struct bytes b;

        mkdir("d", 0700);
        mkdir("d/sub", 0700);
        mkdir("empty", 0700);
        write_capture("d/b", "2");
        write_capture("d/sub/a", "1");
        b = (struct bytes){0};
        write_bytes("d/nothing", &b);
        put(&b, "words about the captures", 24);
        write_bytes("d/README", &b);
        b = (struct bytes){0};
        put(&b, "snoop\0\0\0 and so on", 18);
        write_bytes("d/x", &b);
        cr_expect_str_eq(MERGED("d", "empty", "d/README"), "a1 b2");
        cr_expect_str_eq(said,
                         "refused empty: a directory without files\n"
                         "skipped d/README: byte 0: neither pcap nor pcapng\n"
                         "skipped d/nothing: the file is empty\n"
                         "refused d/x: byte 0: a capture of the format snoop, which is not read: "
                         "editcap(1) converts it\n"
                         "refused d/README: byte 0: neither pcap nor pcapng\n"
                         "opened d/sub/a\nopened d/b\n");
}

Test(archive, since_and_until_bound_the_frames, .init = enter, .fini = leave)
{
        struct pt_archive_settings bounds = {.since = INT64_C(20000000000),
                                             .until = INT64_C(40000000000)};
        static const char *const names[] = {"a", "b"};
        struct pt_archive *archive;
        struct pt_frame frame;

        write_capture("a", "10 19 20 39 40 50");
        write_capture("b", "1 30");
        cr_expect_str_eq(merge(&bounds, 2, names), "a20 b30 a39");
        bounds.paths = names;
        bounds.count = 2;
        cr_assert_eq(pt_archive_new(&bounds, &archive), 0);
        while (pt_archive_next(archive, &frame) == PT_ARCHIVE_FRAME)
                cr_expect(frame.number == 2 || frame.number >= 3); /* as the file has them */
        cr_expect_eq(pt_archive_count(archive).outside, 5);
        pt_archive_free(archive);
}

Test(archive, compressed_and_plain_are_merged_alike, .init = enter, .fini = leave)
{
        static struct bytes b, c;

        write_capture("a", "1 3 5");
        b = c = (struct bytes){0};
        put_pcap(&b, NANO, 65535, 1);
        put_record(&b, 2, 0, 20, 20);
        put_record(&b, 4, 0, 20, 20);
        c.length = pack(PT_KIND_ZSTD, b.at, b.length, c.at, sizeof c.at);
        write_bytes("b", &c);
        cr_expect_str_eq(MERGED("a", "b"), "a1 b2 a3 b4 a5");
}
