#include "wire/dns.h"

#include "page.h"

#include <criterion/criterion.h>
#include <errno.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

/* Messages as hex text. The question stands at 12, the answer section begins at 29. */
#define HEADER(flags, questions, answers) "1234" flags questions answers "0000 0000 "
#define WWW "03 777777 07 6578616d706c65 00 " /* www.example */
#define CDN "03 63646e 07 6578616d706c65 00 " /* cdn.example */
#define EDGE "04 65646765 03 6e6574 00 "      /* edge.net */
#define QUESTION WWW "0001 0001 "
#define ASKED "c00c " /* pointer to the question */
#define RECORD(type, ttl, length) type "0001" ttl length
#define A(ttl, address) RECORD("0001", ttl, "0004") address " "
#define AAAA(ttl, address) RECORD("001c", ttl, "0010") address " "
#define CNAME(ttl, length) RECORD("0005", ttl, length) " "
#define ONE HEADER("8180", "0001", "0001") QUESTION
#define TWO HEADER("8180", "0001", "0002") QUESTION
#define THREE HEADER("8180", "0001", "0003") QUESTION
#define SOUND ASKED A("0000003c", "c6336417")

static enum pt_dns_kind parse(const char *hex, struct pt_dns *ret)
{
        size_t length;
        const uint8_t *message = page_hex(hex, &length);

        return pt_dns_parse(message, length, ret);
}

static const char *name_text(const struct pt_dns_name *name)
{
        static char text[PT_DNS_NAME_TEXT];

        cr_assert_eq(pt_dns_name_format(name, text), strlen(text));
        cr_assert_eq(name->length == 1, strcmp(text, ".") == 0);
        return text;
}

Test(dns, header_and_question_are_read)
{
        struct pt_dns dns;

        cr_assert_eq(parse(HEADER("85a3", "0001", "0002") WWW "001c 0003", &dns), PT_DNS_OK);
        cr_expect_eq(dns.id, 0x1234);
        cr_expect_eq(dns.flags, 0x85a3);
        cr_expect_eq(PT_DNS_RCODE(dns.flags), 3);
        cr_expect_eq(PT_DNS_OPCODE(dns.flags), 0);
        cr_expect_eq(dns.questions, 1);
        cr_expect_eq(dns.records, 2);
        cr_expect(dns.has_question);
        cr_expect_str_eq(name_text(&dns.question), "www.example");
        cr_expect_eq(dns.question_type, 28);
        cr_expect_eq(dns.question_class, 3);
        cr_expect_eq(dns.answers, 29);
        cr_expect_eq(dns.length, 29);
}

Test(dns, what_cannot_be_read_as_a_message_is_named)
{
        static const struct {
                const char *message;
                enum pt_dns_kind kind;
                const char *reason;
        } rows[] = {
                {"", PT_DNS_SHORT, "nothing"},
                {"12", PT_DNS_SHORT, "an octet"},
                {"1234 81", PT_DNS_SHORT, "three octets to port 53"},
                {"1234 8180 0001 0001 0000 00", PT_DNS_SHORT, "eleven of twelve"},
                {HEADER("8180", "0000", "0000"), PT_DNS_OK, "a header alone"},
                {HEADER("0100", "0001", "0000") QUESTION, PT_DNS_OK, "a query"},
                {HEADER("81c0", "0001", "0000") QUESTION, PT_DNS_OK, "with the Z bit"},
                {HEADER("8380", "0001", "0000") QUESTION, PT_DNS_OK, "truncated by the server"},
                {HEADER("818f", "0001", "0000") QUESTION, PT_DNS_OK, "rcode 15"},
                {HEADER("8980", "0001", "0000") QUESTION, PT_DNS_OTHER_OPCODE, "inverse query"},
                {HEADER("9180", "0001", "0000") QUESTION, PT_DNS_OTHER_OPCODE, "status"},
                {HEADER("9980", "0001", "0000") QUESTION, PT_DNS_OTHER_OPCODE, "opcode 3"},
                {HEADER("a180", "0001", "0000") QUESTION, PT_DNS_OTHER_OPCODE, "notify"},
                {HEADER("a980", "0001", "0000") QUESTION, PT_DNS_OTHER_OPCODE, "update"},
                {HEADER("f980", "0001", "0000") QUESTION, PT_DNS_OTHER_OPCODE, "opcode 15"},
                {HEADER("f980", "ffff", "ffff"), PT_DNS_OTHER_OPCODE,
                 "what another opcode counts is not read"},
                {HEADER("8180", "0001", "0000"), PT_DNS_BAD_QUESTION, "a question, and none there"},
                {HEADER("8180", "0001", "0000") WWW, PT_DNS_BAD_QUESTION, "a name alone"},
                {HEADER("8180", "0001", "0000") WWW "0001 00", PT_DNS_BAD_QUESTION, "half a class"},
                {HEADER("8180", "0001", "0000") "03 7777", PT_DNS_BAD_QUESTION, "half a label"},
                {HEADER("8180", "0001", "0000") "03 777777", PT_DNS_BAD_QUESTION, "no last zero"},
                {HEADER("8180", "0001", "0000") "c00c 0001 0001", PT_DNS_BAD_QUESTION,
                 "a name that is a pointer to itself"},
                {HEADER("8180", "0001", "0000") "c011 0001 0001 00", PT_DNS_BAD_QUESTION,
                 "a pointer forward"},
                {HEADER("8180", "0001", "0000") "40 0001 0001", PT_DNS_BAD_QUESTION,
                 "a label type that is none"},
                {HEADER("8180", "0002", "0000") QUESTION, PT_DNS_BAD_QUESTION, "one of two"},
                {HEADER("8180", "0002", "0000") QUESTION "c00c 0001 0001", PT_DNS_OK, "two of two"},
                {HEADER("8180", "0002", "0000") QUESTION "c00c 0001 00", PT_DNS_BAD_QUESTION,
                 "half of the second"},
                {HEADER("8180", "ffff", "0000") QUESTION, PT_DNS_BAD_QUESTION, "65535 questions"},
                {HEADER("8180", "0000", "ffff"), PT_DNS_OK, "claims about records wait"},
                {HEADER("8180", "0001", "0000") QUESTION "00*7 ", PT_DNS_OK, "something behind"},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_dns dns;

                cr_expect_eq(parse(rows[i].message, &dns), rows[i].kind, "%s", rows[i].reason);
        }
}

Test(dns, of_two_questions_the_first_is_kept_and_the_answers_stand_behind_both)
{
        struct pt_dns dns;

        cr_assert_eq(parse(HEADER("8180", "0002", "0000") QUESTION EDGE "001c 0001", &dns),
                     PT_DNS_OK);
        cr_expect_str_eq(name_text(&dns.question), "www.example");
        cr_expect_eq(dns.question_type, 1);
        cr_expect_eq(dns.answers, 43);
}

Test(dns, nothing_is_written_for_a_message_that_cannot_be_read)
{
        struct pt_dns dns;
        struct pt_dns before;

        memset(&dns, 0x55, sizeof dns);
        before = dns;
        cr_assert_eq(parse(HEADER("8180", "0002", "0000") QUESTION, &dns), PT_DNS_BAD_QUESTION);
        cr_expect_eq(memcmp(&dns, &before, sizeof dns), 0);
}

/* RFC 1035 section 4.1.4, RFC 9267 sections 2 to 4. */
Test(dns, names_are_read_through_pointers_that_lead_backwards)
{
        static const struct {
                const char *message;
                size_t offset;
                const char *text; /* NULL: no name */
                const char *reason;
        } rows[] = {
                {"00", 0, ".", "the root"},
                {"01 61 00", 0, "a", "one label"},
                {WWW, 0, "www.example", "two"},
                {WWW, 4, "example", "from the second on"},
                {WWW "c000", 13, "www.example", "a pointer alone"},
                {WWW "c004", 13, "example", "into the middle of a name"},
                {WWW "02 6e73 c004", 13, "ns.example", "labels, then a pointer"},
                {WWW "02 6e73 c004 c00d", 18, "ns.example", "to a name that ends in a pointer"},
                {WWW "02 6e73 c004 01 61 c00d", 18, "a.ns.example", "two pointers deep"},
                {"01 61 00 c002", 3, ".", "to the root"},
                {"ff*4 01 61 00 c004", 7, "a", "whatever stands before"},
                {"ff*300 01 61 00 c12c", 303, "a", "past the first 256 octets"},
                {"ff*16380 01 61 00 fffc", 16383, "a", "as far as a pointer goes"},
                {"05 01 61 00 7878 00 c001", 7, "a", "into a label: its octets read as a name"},
                {"c000", 0, NULL, "to itself"},
                {"00 c001", 1, NULL, "to itself, further on"},
                {"c002 c000", 0, NULL, "a circle of two"},
                {"c002 c000", 2, NULL, "from its other end"},
                {"c002 c004 c000", 4, NULL, "a circle of three"},
                {"01 61 c000", 0, NULL, "back to where the same name began"},
                {"01 61 01 62 c002", 0, NULL, "into its own second label"},
                {"01 61 01 62 c002", 2, NULL, "the same, read from there"},
                {"c002 00", 0, NULL, "forward"},
                {"00 c003 00", 1, NULL, "forward, to a sound name"},
                {"01 61 00 c0ff", 3, NULL, "past the message"},
                {"01 61 00 ffff", 3, NULL, "past it, as far as a pointer goes"},
                {"01 61 00 c0", 3, NULL, "one octet left for the pointer"},
                {"", 0, NULL, "nothing"},
                {"00", 1, NULL, "an offset at the end"},
                {"00", 2, NULL, "an offset past the end"},
                {"00", 70000, NULL, "far past"},
                {"01", 0, NULL, "a label without its octet"},
                {"01 61", 0, NULL, "no final zero"},
                {"03 6161", 0, NULL, "a label past the end"},
                {"3f 61*63 00", 0, "63", "the longest label"},
                {"3f 61*62", 0, NULL, "the longest label, one octet short"},
                {"40 61*64 00", 0, NULL, "64 octets: an extended label type (RFC 6891)"},
                {"41 61*65 00", 0, NULL, "a bit-string label (RFC 2673)"},
                {"80 00*130 ", 0, NULL, "a type that was never given out"},
                {"bf 61*191 00", 0, NULL, "highest of it"},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_dns_name name = {.length = 0};
                size_t length;
                const uint8_t *message = page_hex(rows[i].message, &length);
                int r = pt_dns_name_read(message, length, rows[i].offset, &name);

                cr_expect_eq(r, rows[i].text ? 0 : -EBADMSG, "%s", rows[i].reason);
                if (r < 0)
                        cr_expect_eq(name.length, 0, "%s: written", rows[i].reason);
                else if (strcmp(rows[i].text, "63") == 0)
                        cr_expect_eq(strlen(name_text(&name)), 63, "%s", rows[i].reason);
                else if (rows[i].text)
                        cr_expect_str_eq(name_text(&name), rows[i].text, "%s", rows[i].reason);
        }
}

/* RFC 1035 section 2.3.4: 255 octets with every length octet and the final zero. */
Test(dns, a_name_has_255_octets_at_most)
{
        static const struct {
                const char *message;
                size_t offset;
                unsigned length; /* 0: too long */
                const char *reason;
        } rows[] = {
                {"3f 61*63 3f 62*63 3f 63*63 3c 64*60 00", 0, 254, "254"},
                {"3f 61*63 3f 62*63 3f 63*63 3d 64*61 00", 0, 255, "255"},
                {"3f 61*63 3f 62*63 3f 63*63 3e 64*62 00", 0, 0, "256"},
                {"3f 61*63 3f 62*63 3f 63*63 3f 64*63 00", 0, 0, "257"},
                {"3d 61*61 00 3f 62*63 3f 63*63 3f 64*63 c000", 63, 255, "255 through a pointer"},
                {"3e 61*62 00 3f 62*63 3f 63*63 3f 64*63 c000", 64, 0, "256 through a pointer"},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_dns_name name = {.length = 0};
                size_t length;
                const uint8_t *message = page_hex(rows[i].message, &length);
                int r = pt_dns_name_read(message, length, rows[i].offset, &name);

                cr_expect_eq(r, rows[i].length ? 0 : -EBADMSG, "%s", rows[i].reason);
                cr_expect_eq(name.length, rows[i].length, "%s", rows[i].reason);
        }
}

/* Of every length but 2, which no name has: the last label is as long as it must be. */
Test(dns, names_of_every_length_are_read_whole)
{
        for (size_t length = 3; length <= 255; length++) {
                uint8_t wire[255];
                struct pt_dns_name name;
                size_t at = 0;

                memset(wire, 'a', sizeof wire);
                while (length - at > 1) {
                        size_t left = length - at - 1;

                        /* no label may leave a single octet for the next */
                        wire[at] = (uint8_t)(left > 64 ? 62 : left == 64 ? 61 : left - 1);
                        at += 1u + wire[at];
                }
                wire[at] = 0;
                memset(&name, 0x5a, sizeof name);
                cr_assert_eq(pt_dns_name_read(page_place(wire, length), length, 0, &name), 0,
                             "%zu octets", length);
                cr_expect_eq(name.length, length);
                cr_expect_arr_eq(name.wire, wire, length, "%zu octets", length);
        }
}

Test(dns, a_name_has_127_labels_at_most)
{
        uint8_t message[2 * 128 + 1];
        struct pt_dns_name name;

        for (size_t i = 0; i < sizeof message; i++)
                message[i] = i % 2 ? 'a' : 1;
        message[2 * 127] = 0;
        cr_expect_eq(pt_dns_name_read(page_place(message, 255), 255, 0, &name), 0);
        cr_expect_eq(name.length, 255);
        cr_expect_eq(strlen(name_text(&name)), 2 * 127 - 1);
        message[2 * 127] = 1;
        message[2 * 128] = 0;
        cr_expect_eq(pt_dns_name_read(page_place(message, 257), 257, 0, &name), -EBADMSG);
}

/* A name at 0, then pointers, each to the one before. */
Test(dns, a_name_takes_127_pointers_at_most)
{
        static const struct {
                unsigned pointers;
                int result;
        } rows[] = {{1, 0}, {2, 0}, {20, 0}, {127, 0}, {128, -EBADMSG}, {1000, -EBADMSG}};

        for (size_t i = 0; i < ROWS(rows); i++) {
                uint8_t message[4 + 2 * 1000] = {1, 'a', 0, 0};
                size_t length = 4 + 2 * rows[i].pointers;
                size_t target = 0;
                struct pt_dns_name name;

                for (size_t at = 4; at < length; at += 2) {
                        message[at] = (uint8_t)(0xc0 | target >> 8);
                        message[at + 1] = (uint8_t)target;
                        target = at;
                }
                cr_expect_eq(pt_dns_name_read(page_place(message, length), length, target, &name),
                             rows[i].result, "%u pointers", rows[i].pointers);
        }
}

/* Design section 6: every octet comes back from the text, and the text is one printable word. */
Test(dns, names_become_text_without_loss)
{
        static const struct {
                const char *wire;
                const char *text;
                const char *reason;
        } rows[] = {
                {"00", ".", "the root"},
                {"01 61 00", "a", "no final dot"},
                {"03 615a39 02 5f2d 00", "aZ9._-", "case and signs are kept"},
                {"03 612e62 00", "a\\046b", "a dot inside a label"},
                {"03 615c62 00", "a\\092b", "a backslash"},
                {"03 612062 00", "a\\032b", "a space"},
                {"03 612262 00", "a\"b", "a quotation mark is for the writer of JSON to escape"},
                {"01 00 00", "\\000", "a NUL"},
                {"02 0a0d 00", "\\010\\013", "line ends"},
                {"02 1f21 00", "\\031!", "last of the control characters, first as it is"},
                {"02 7e7f 00", "~\\127", "last as it is, and DEL"},
                {"02 8000 01 ff 00", "\\128\\000.\\255", "above ASCII"},
                {"03 c764c8 00", "\\199d\\200", "every hundred"},
                {"03 e280a8 00", "\\226\\128\\168", "U+2028, a line end to some"},
                {"02 2440 01 2f 00", "$@./", "what zone files would escape"},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_dns_name name;
                size_t length;
                const uint8_t *wire = page_hex(rows[i].wire, &length);

                cr_assert_eq(pt_dns_name_read(wire, length, 0, &name), 0, "%s", rows[i].reason);
                cr_expect_str_eq(name_text(&name), rows[i].text, "%s", rows[i].reason);
        }
}

Test(dns, the_longest_text_has_room)
{
        size_t length;
        const uint8_t *wire = page_hex("3f ff*63 3f ff*63 3f ff*63 3d ff*61 00", &length);
        struct pt_dns_name name;

        cr_assert_eq(pt_dns_name_read(wire, length, 0, &name), 0);
        cr_expect_eq(strlen(name_text(&name)), 4 * 250 + 3);
}

/* RFC 4343: only A to Z have another case. */
Test(dns, names_are_compared_without_ascii_case)
{
        static const struct {
                const char *a;
                const char *b;
                bool equal;
                const char *reason;
        } rows[] = {
                {"00", "00", true, "the root"},
                {"03 777777 00", "03 575757 00", true, "small and capital"},
                {"0a 6162636465 6667686970 00", "0a 4162634445 6667486950 00", true,
                 "longer than a word of the machine"},
                {"01 61 00", "01 62 00", false, "another letter"},
                {"01 41 00", "01 5a 00", false, "first and last capital"},
                {"02 617a 00", "02 415a 00", true, "first and last letter"},
                {"01 40 00", "01 60 00", false, "@ and ` are before the letters"},
                {"01 5b 00", "01 7b 00", false, "[ and { are behind them"},
                {"01 c1 00", "01 e1 00", false, "above ASCII there is no case"},
                {"01 da 00", "01 fa 00", false, "nor here"},
                {"01 00 00", "01 20 00", false, "nor below"},
                {"01 61 00", "02 6161 00", false, "another length"},
                {"02 6161 00", "01 61 01 61 00", false, "a label more"},
                {"03 610161 00", "01 61 01 61 00", false, "a length octet inside a label"},
                {"08 6162636465666768 00", "08 6162636465666769 00", false, "the last octet"},
                {"07 61626364656667 00", "07 61626364656666 00", false, "the eighth octet"},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_dns_name a, b;
                size_t length;
                const uint8_t *wire = page_hex(rows[i].a, &length);

                memset(&a, 0x11, sizeof a); /* what stands behind a name is no part of it */
                memset(&b, 0x22, sizeof b);
                cr_assert_eq(pt_dns_name_read(wire, length, 0, &a), 0, "%s", rows[i].reason);
                wire = page_hex(rows[i].b, &length);
                cr_assert_eq(pt_dns_name_read(wire, length, 0, &b), 0, "%s", rows[i].reason);
                cr_expect_eq(pt_dns_name_equal(&a, &b), rows[i].equal, "%s", rows[i].reason);
                cr_expect_eq(pt_dns_name_equal(&b, &a), rows[i].equal, "%s", rows[i].reason);
        }
}

/* Folded by hand; the hash itself has its published values in test-hash.c. */
Test(dns, equal_names_have_equal_hashes)
{
        static const struct pt_hash_key key = {1, 2};
        static const struct {
                const char *name;
                const char *folded;
                const char *reason;
        } rows[] = {
                {"00", "00", "the root"},
                {"04 4161 5a7a 00", "04 6161 7a7a 00", "first and last letter of both cases"},
                {"04 405b 607b 00", "04 405b 607b 00", "their neighbours are no letters"},
                {"02 c1da 00", "02 c1da 00", "nor is anything above ASCII"},
                {"3f 41*63 3f 42*63 3f 43*63 3d 44*61 00", "3f 61*63 3f 62*63 3f 63*63 3d 64*61 00",
                 "the longest"},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct pt_dns_name name;
                size_t length;
                const uint8_t *wire = page_hex(rows[i].name, &length);

                cr_assert_eq(pt_dns_name_read(wire, length, 0, &name), 0, "%s", rows[i].reason);
                wire = page_hex(rows[i].folded, &length);
                cr_expect_eq(pt_dns_name_hash(&key, &name), pt_hash_octets(&key, wire, length),
                             "%s", rows[i].reason);
        }
}

/* A message read to its end, and its addresses as lines of text: owner, TTL, address. */
struct reading {
        struct pt_dns dns;
        enum pt_dns_kind kind;
        struct pt_dns_address addresses[8192];
        struct pt_dns_answer answer;
        char text[65536];
};

static struct reading *reading(void)
{
        static struct reading r;

        return &r;
}

static void answer_read_bytes(const uint8_t *message, size_t length, size_t capacity)
{
        struct reading *r = reading();
        size_t used = 0;

        memset(&r->answer, 0x77, sizeof r->answer); /* nothing is taken for clean */
        r->answer.addresses = r->addresses;
        r->answer.capacity = capacity;
        r->text[0] = '\0';
        r->kind = pt_dns_parse(message, length, &r->dns);
        if (r->kind != PT_DNS_OK) {
                r->answer.count = 0;
                return;
        }
        r->kind = pt_dns_answer_read(&r->dns, &r->answer);
        for (size_t i = 0; i < r->answer.count && used < sizeof r->text; i++) {
                const struct pt_dns_address *a = &r->addresses[i];
                char address[PT_ADDRESS_TEXT];

                cr_assert_lt(a->owner, r->answer.name_count);
                used += (size_t)snprintf(r->text + used, sizeof r->text - used, "%s %u %s\n",
                                         name_text(&r->answer.names[a->owner]), a->ttl,
                                         pt_address_format(&a->address, address));
        }
}

static struct reading *answer_read(const char *hex, size_t capacity)
{
        size_t length;
        const uint8_t *message = page_hex(hex, &length);

        answer_read_bytes(message, length, capacity);
        return reading();
}

struct answer_row {
        const char *message;
        enum pt_dns_kind kind;
        const char *text;
        const char *reason;
        uint32_t skipped;
};

static void expect_answers(const struct answer_row *rows, size_t count)
{
        for (const struct answer_row *row = rows; row < rows + count; row++) {
                struct reading *r = answer_read(row->message, 64);

                cr_expect_eq(r->kind, row->kind, "%s: %s, not %s", row->reason,
                             pt_dns_kind_name(r->kind), pt_dns_kind_name(row->kind));
                cr_expect_str_eq(r->text, row->text, "%s: \"%s\"", row->reason, r->text);
                if (r->kind == PT_DNS_OK || r->kind == PT_DNS_BAD_RECORD)
                        cr_expect_eq(r->answer.skipped, row->skipped, "%s: %u skipped", row->reason,
                                     r->answer.skipped);
        }
}

#define WWW_60 "www.example 60 198.51.100.23\n"

/* RFC 9460: clients connect to hints without asking for addresses. The target is the owner. */
Test(dns, address_hints_count_as_addresses_of_the_target)
{
        static const struct answer_row rows[] = {
                {ONE ASKED "0041 0001 0000003c 000b 0001 00 0004 0004 c6336417", PT_DNS_OK, WWW_60,
                 "HTTPS, the owner itself"},
                {ONE ASKED "0040 0001 0000003c 000b 0001 00 0004 0004 c6336417", PT_DNS_OK, WWW_60,
                 "SVCB"},
                {TWO ASKED "0041 0001 0000003c 001a 0001 03 63646e 00 0001 0003 02 6832 "
                           "0004 0008 c6336417 c6336418" SOUND,
                 PT_DNS_OK, "cdn 60 198.51.100.23\ncdn 60 198.51.100.24\n" WWW_60,
                 "another target, and the address itself"},
                {TWO ASKED "0041 0003 0000003c 000b 0001 00 0004 0004 c6336417" SOUND, PT_DNS_OK,
                 WWW_60, "another class: not looked at"},
                {TWO ASKED "0041 0001 0000003c 000a 0001 00 0004 0003 c63364" SOUND, PT_DNS_OK,
                 WWW_60, "three octets", .skipped = 1},
        };

        expect_answers(rows, ROWS(rows));
        cr_expect(reading()->addresses[0].hint == false);
        answer_read(ONE ASKED "0041 0001 0000003c 000b 0001 00 0004 0004 c6336417", 64);
        cr_expect(reading()->addresses[0].hint);
        answer_read(ONE ASKED "0041 0001 0000003c 000f 0001 00 0004 0008 c6336417 c6336418", 1);
        cr_expect_eq(reading()->answer.count, 1);
        cr_expect_eq(reading()->answer.skipped, 1, "no room");
}

Test(dns, addresses_are_collected_with_owner_and_ttl)
{
        static const struct answer_row rows[] = {
                {HEADER("8180", "0001", "0000") QUESTION, PT_DNS_OK, "", "no record"},
                {ONE SOUND, PT_DNS_OK, WWW_60, "one"},
                {ONE WWW A("0000003c", "c6336417"), PT_DNS_OK, WWW_60, "its owner written out"},
                {ONE "03 575777 c010 " A("0000003c", "c6336417"), PT_DNS_OK, WWW_60,
                 "its owner in another case is the question, and the question keeps its own"},
                {TWO SOUND ASKED AAAA("0000012c", "20010db8 00*11 01"), PT_DNS_OK,
                 WWW_60 "www.example 300 2001:db8::1\n", "both families"},
                {TWO ASKED A("00000000", "00000000") ASKED A("00000000", "ffffffff"), PT_DNS_OK,
                 "www.example 0 0.0.0.0\nwww.example 0 255.255.255.255\n",
                 "absurd addresses, TTL 0"},
                {TWO ASKED A("7fffffff", "7f000001") ASKED A("80000000", "e00000fb"), PT_DNS_OK,
                 "www.example 2147483647 127.0.0.1\nwww.example 2147483648 224.0.0.251\n",
                 "the TTL as it stands (RFC 2181 section 8 reads the second as 0)"},
                {THREE ASKED AAAA("ffffffff", "00*16 ") ASKED AAAA("0000003c", "00*15 01")
                         ASKED AAAA("0000003c", "00*10 ffff c6336417"),
                 PT_DNS_OK, "www.example 4294967295 ::\nwww.example 60 ::1\n" WWW_60,
                 "AAAA: unspecified, loopback, mapped"},
                {TWO SOUND SOUND, PT_DNS_OK, WWW_60 WWW_60, "the same twice"},
                {ONE EDGE A("0000003c", "c6336417"), PT_DNS_OK, "edge.net 60 198.51.100.23\n",
                 "an owner that nobody asked for"},
                {ONE "00 " A("0000003c", "c6336417"), PT_DNS_OK, ". 60 198.51.100.23\n",
                 "the root"},
                {THREE ASKED RECORD("0010", "0000003c", "0005") "00 01010000 c02a" A(
                         "0000003c", "c6336417") "c02b" A("0000003c", "c6336418"),
                 PT_DNS_OK, "\\001 60 198.51.100.23\n\\000 60 198.51.100.24\n",
                 "two owners that begin an octet apart"},
                {HEADER("8183", "0001", "0001") QUESTION SOUND, PT_DNS_OK, WWW_60,
                 "an rcode that denies what stands there"},
                {HEADER("8380", "0001", "0001") QUESTION SOUND, PT_DNS_OK, WWW_60,
                 "the truncation bit"},
                {HEADER("8180", "0000", "0002") "03 777777 00 " A("0000003c", "c6336417") "c00c" A(
                         "0000003c", "c6336418"),
                 PT_DNS_OK, "www 60 198.51.100.23\nwww 60 198.51.100.24\n",
                 "no question: the first owner stands for it"},
                {HEADER("8180", "0000", "0002") "03 777777 00 " A(
                         "0000003c", "c6336417") "01 61 00" A("0000003c", "c6336418"),
                 PT_DNS_OK, "www 60 198.51.100.23\na 60 198.51.100.24\n", "and another beside it"},
                {HEADER("8180", "0002", "0001") QUESTION EDGE "0001 0001" SOUND, PT_DNS_OK, WWW_60,
                 "two questions"},
        };

        expect_answers(rows, ROWS(rows));
}

Test(dns, without_a_question_the_first_owner_stands_for_it)
{
        static const struct {
                const char *message;
                const char *first; /* name in its place */
                enum pt_dns_kind kind;
                unsigned owner; /* of the first address */
                const char *reason;
        } rows[] = {
                {HEADER("8180", "0000", "0001") WWW A("0000003c", "c6336417"), "www.example",
                 PT_DNS_OK, 0, "an address"},
                {HEADER("8180", "0000", "0002") WWW CNAME("0000003c", "000d") CDN
                 "c023" A("0000003c", "c6336417"),
                 "cdn.example", PT_DNS_OK, 0, "a CNAME before it"},
                {HEADER("8180", "0000", "0002") WWW RECORD("0001", "0000003c", "0000")
                         EDGE A("0000003c", "c6336417"),
                 "edge.net", PT_DNS_OK, 0, "an unsound one before it"},
                {HEADER("8180", "0000", "0001") WWW CNAME("0000003c", "000d") CDN, ".", PT_DNS_OK,
                 0, "no address"},
                {HEADER("8180", "0000", "0000"), ".", PT_DNS_OK, 0, "nothing"},
                {HEADER("8180", "0000", "0001") "c00c" A("0000003c", "c6336417"), ".",
                 PT_DNS_BAD_RECORD, 0, "an owner that cannot be read"},
                {HEADER("8180", "0000", "0002") "c018 0001 0003 0000003c 0000" WWW A("0000003c",
                                                                                     "c6336417"),
                 "www.example", PT_DNS_OK, 0, "a bad owner of a record that is not used"},
                {HEADER("8180", "0000",
                        "0002") "c01c 0005 0001 0000003c 0002 c018" WWW A("0000003c", "c6336417"),
                 "www.example", PT_DNS_BAD_RECORD, 0,
                 "a pointer forward to what was found first is still one"},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct reading *r = answer_read(rows[i].message, 64);

                cr_expect_eq(r->kind, rows[i].kind, "%s", rows[i].reason);
                cr_expect_str_eq(name_text(&r->answer.names[0]), rows[i].first, "%s",
                                 rows[i].reason);
                if (r->answer.count > 0)
                        cr_expect_eq(r->addresses[0].owner, rows[i].owner, "%s", rows[i].reason);
        }
}

Test(dns, records_that_are_no_address_are_stepped_over)
{
        static const struct answer_row rows[] = {
                {TWO ASKED RECORD("0001", "0000003c", "0000") SOUND, PT_DNS_OK, WWW_60, "A of 0",
                 1},
                {TWO ASKED RECORD("0001", "0000003c", "0001") "c6" SOUND, PT_DNS_OK, WWW_60,
                 "A of 1", 1},
                {TWO ASKED RECORD("0001", "0000003c", "0003") "c63364" SOUND, PT_DNS_OK, WWW_60,
                 "A of 3", 1},
                {TWO ASKED RECORD("0001", "0000003c", "0005") "c633641700" SOUND, PT_DNS_OK, WWW_60,
                 "A of 5", 1},
                {TWO ASKED RECORD("0001", "0000003c", "0010") "20010db8 00*12 " SOUND, PT_DNS_OK,
                 WWW_60, "A of 16", 1},
                {TWO ASKED RECORD("001c", "0000003c", "0000") SOUND, PT_DNS_OK, WWW_60, "AAAA of 0",
                 1},
                {TWO ASKED RECORD("001c", "0000003c", "0004") "c6336417" SOUND, PT_DNS_OK, WWW_60,
                 "AAAA of 4", 1},
                {TWO ASKED RECORD("001c", "0000003c", "000f") "00*15 " SOUND, PT_DNS_OK, WWW_60,
                 "AAAA of 15", 1},
                {TWO ASKED RECORD("001c", "0000003c", "0011") "00*17 " SOUND, PT_DNS_OK, WWW_60,
                 "AAAA of 17", 1},
                {TWO ASKED "0001 0003 0000003c 0004 c6336418" SOUND, PT_DNS_OK, WWW_60,
                 "class CHAOS", 1},
                {TWO ASKED "0001 00ff 0000003c 0004 c6336418" SOUND, PT_DNS_OK, WWW_60, "class ANY",
                 1},
                {TWO ASKED "0001 8001 0000003c 0004 c6336418" SOUND, PT_DNS_OK, WWW_60,
                 "multicast DNS's cache-flush bit", 1},
                {TWO ASKED "0005 0003 0000003c 0002 c00c" SOUND, PT_DNS_OK, WWW_60,
                 "a CNAME of class CHAOS"},
                {TWO ASKED RECORD("0010", "0000003c", "0004") "ff616161" SOUND, PT_DNS_OK, WWW_60,
                 "TXT, its string longer than the record"},
                {TWO ASKED RECORD("0041", "0000003c", "000a") "0001 00 0004 0003 c63364" SOUND,
                 PT_DNS_OK, WWW_60, "HTTPS, an address hint of three octets", .skipped = 1},
                {TWO ASKED RECORD("001d", "0000003c", "0001") "00" SOUND, PT_DNS_OK, WWW_60,
                 "LOC, an octet"},
                {TWO ASKED RECORD("002f", "0000003c", "0004") "c00c 0000" SOUND, PT_DNS_OK, WWW_60,
                 "NSEC, empty bitmap"},
                {TWO "00 0029 1000 00000000 0004 0008 ffff" SOUND, PT_DNS_OK, WWW_60,
                 "OPT, an option past the record"},
                {TWO ASKED RECORD("0027", "0000003c", "0002") "c010" SOUND, PT_DNS_OK, WWW_60,
                 "DNAME: the CNAME that is made from it stands beside it"},
                {TWO "c0ff" RECORD("0010", "0000003c", "0000") SOUND, PT_DNS_OK, WWW_60,
                 "a bad pointer under a record that is not read"},
                {TWO ASKED RECORD("ffff", "0000003c", "0000") SOUND, PT_DNS_OK, WWW_60,
                 "type 65535"},
                {ONE SOUND "00*30 ", PT_DNS_OK, WWW_60, "octets behind the message"},
                {ONE SOUND SOUND, PT_DNS_OK, WWW_60, "a record that is not counted"},
        };

        expect_answers(rows, ROWS(rows));
}

Test(dns, what_stands_before_a_bad_record_is_used)
{
        static const struct answer_row rows[] = {
                {ONE, PT_DNS_BAD_RECORD, "", "counted and not there"},
                {HEADER("8180", "0001", "ffff") QUESTION SOUND, PT_DNS_BAD_RECORD, WWW_60,
                 "65535 counted, one there"},
                {TWO SOUND "03 7777", PT_DNS_BAD_RECORD, WWW_60, "an owner cut"},
                {TWO SOUND "c0", PT_DNS_BAD_RECORD, WWW_60, "a pointer cut"},
                {TWO SOUND "40 61*64 00" A("0000003c", "c6336417"), PT_DNS_BAD_RECORD, WWW_60,
                 "a label type that is none"},
                {TWO SOUND "40 00" RECORD("0010", "0000003c", "0000"), PT_DNS_BAD_RECORD, WWW_60,
                 "the same, under a record that is not read"},
                {TWO SOUND ASKED "0001 0001 0000003c 00", PT_DNS_BAD_RECORD, WWW_60,
                 "a record header cut"},
                {TWO SOUND ASKED "0001 0001 0000003c 0004 c63364", PT_DNS_BAD_RECORD, WWW_60,
                 "an address cut"},
                {TWO SOUND ASKED RECORD("0010", "0000003c", "0005") "04616161", PT_DNS_BAD_RECORD,
                 WWW_60, "a length past the end"},
                {TWO SOUND ASKED RECORD("0010", "0000003c", "8000") "00*64 ", PT_DNS_BAD_RECORD,
                 WWW_60, "a length that is negative to some"},
                {TWO SOUND ASKED RECORD("0001", "0000003c", "ffff") "c6336417", PT_DNS_BAD_RECORD,
                 WWW_60, "the largest length"},
                {THREE SOUND "c0ff" A("0000003c", "c6336418") SOUND, PT_DNS_BAD_RECORD, WWW_60,
                 "an owner past the message"},
                {THREE SOUND "c02d" A("0000003c", "c6336418") SOUND, PT_DNS_BAD_RECORD, WWW_60,
                 "an owner that points to its own record"},
                {THREE SOUND "c031" A("0000003c", "c6336418") SOUND, PT_DNS_BAD_RECORD, WWW_60,
                 "an owner that points forward"},
                {THREE SOUND ASKED CNAME("0000003c", "0002") "c0ff" SOUND, PT_DNS_BAD_RECORD,
                 WWW_60, "a CNAME past the message"},
                {THREE SOUND ASKED CNAME("0000003c", "0002") "c039" SOUND, PT_DNS_BAD_RECORD,
                 WWW_60, "a CNAME that points to itself"},
                {THREE SOUND ASKED CNAME("0000003c", "0000") SOUND, PT_DNS_BAD_RECORD, WWW_60,
                 "a CNAME of no octets"},
                {THREE SOUND ASKED CNAME("0000003c", "0003") "c00c00" SOUND, PT_DNS_BAD_RECORD,
                 WWW_60, "a CNAME shorter than its record"},
                {THREE SOUND ASKED CNAME("0000003c", "0002") "0161" SOUND, PT_DNS_BAD_RECORD,
                 WWW_60, "a CNAME longer than its record"},
        };

        expect_answers(rows, ROWS(rows));
}

/* The way to the owner of an address, as names joined by '>'. */
static const char *chain_text(const struct pt_dns_answer *answer, uint8_t owner)
{
        static char text[PT_DNS_NAMES * 32];
        uint8_t chain[PT_DNS_NAMES];
        size_t count = pt_dns_answer_chain(answer, owner, chain);

        text[0] = '\0';
        cr_assert_leq(count, PT_DNS_NAMES);
        for (size_t i = 0; i < count; i++) {
                cr_assert_lt(chain[i], answer->name_count);
                if (i > 0)
                        strcat(text, ">");
                strcat(text, name_text(&answer->names[chain[i]]));
        }
        return text;
}

/* Resolvers give the records of a chain in any order. www.example was asked for. */
Test(dns, the_chain_leads_from_the_question_to_the_owner)
{
        static const struct {
                const char *message;
                const char *chain; /* to the owner of the first address */
                const char *reason;
        } rows[] = {
                {ONE SOUND, "www.example", "no CNAME"},
                {TWO ASKED CNAME("0000012c", "000d") CDN "c029" A("0000003c", "c6336417"),
                 "www.example>cdn.example", "one"},
                {THREE ASKED CNAME("0000012c", "000d") CDN "c029" CNAME("0000012c", "000a") EDGE
                 "c042" A("0000003c", "c6336417"),
                 "www.example>cdn.example>edge.net", "two"},
                {THREE EDGE A("0000003c", "c6336417") CDN CNAME("0000012c", "000a")
                         EDGE ASKED CNAME("0000012c", "000d") CDN,
                 "www.example>cdn.example>edge.net", "address first, chain backwards"},
                {THREE CDN CNAME("0000012c", "000a") EDGE EDGE A("0000003c", "c6336417")
                         ASKED CNAME("0000012c", "000d") CDN,
                 "www.example>cdn.example>edge.net", "address in the middle"},
                {TWO ASKED CNAME("0000012c", "000d") "03 43444e 07 4578616d706c65 00" CDN A(
                         "0000003c", "c6336417"),
                 "www.example>CDN.Example", "in another case"},
                {ONE EDGE A("0000003c", "c6336417"), "www.example>edge.net", "no way there"},
                {TWO ASKED CNAME("0000012c", "000d") CDN EDGE A("0000003c", "c6336417"),
                 "www.example>edge.net", "a way to somewhere else"},
                {TWO ASKED CNAME("0000012c", "0002") "c00c" SOUND, "www.example",
                 "a CNAME to itself"},
                {TWO ASKED CNAME("0000012c", "0002") "c00c" EDGE A("0000003c", "c6336417"),
                 "www.example>edge.net", "a CNAME to itself, and another owner"},
                {THREE ASKED CNAME("0000012c", "000d") CDN
                 "c029" CNAME("0000012c", "0002") "c00c" EDGE A("0000003c", "c6336417"),
                 "www.example>edge.net", "a circle through the question"},
                {THREE ASKED CNAME("0000012c", "000d") CDN
                 "c029" CNAME("0000012c", "0002") "c029" EDGE A("0000003c", "c6336417"),
                 "www.example>edge.net", "a circle beside the question"},
                {HEADER("8180", "0001", "0004") QUESTION ASKED CNAME("0000012c", "000d") CDN
                 "c029" CNAME("0000012c", "000a") EDGE
                 "c042" CNAME("0000012c", "0002") "c029"
                                                  "c042" A("0000003c", "c6336417"),
                 "www.example>cdn.example>edge.net", "an owner inside a circle"},
                {THREE ASKED CNAME("0000012c", "000d") CDN ASKED CNAME("0000012c", "000a")
                         EDGE CDN A("0000003c", "c6336417"),
                 "www.example>cdn.example", "two CNAMEs of one name: the first counts"},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                struct reading *r = answer_read(rows[i].message, 64);

                cr_assert_eq(r->kind, PT_DNS_OK, "%s", rows[i].reason);
                cr_assert_geq(r->answer.count, 1, "%s", rows[i].reason);
                cr_expect_str_eq(chain_text(&r->answer, r->addresses[0].owner), rows[i].chain,
                                 "%s: %s", rows[i].reason,
                                 chain_text(&r->answer, r->addresses[0].owner));
        }
}

Test(dns, a_cname_keeps_its_own_ttl)
{
        struct reading *r = answer_read(
                TWO ASKED CNAME("0000012c", "000d") CDN "c029" A("0000003c", "c6336417"), 64);

        cr_assert_eq(r->kind, PT_DNS_OK);
        cr_assert_eq(r->answer.name_count, 2);
        cr_expect_eq(r->answer.alias[0], 1);
        cr_expect_eq(r->answer.alias_ttl[0], 300);
        cr_expect_eq(r->answer.alias[1], 0);
        cr_expect_str_eq(r->text, "cdn.example 60 198.51.100.23\n");
}

Test(dns, addresses_past_the_room_for_them_are_counted)
{
        struct reading *r = answer_read(THREE SOUND SOUND SOUND, 2);

        cr_expect_eq(r->kind, PT_DNS_OK);
        cr_expect_eq(r->answer.count, 2);
        cr_expect_eq(r->answer.skipped, 1);
        r = answer_read(THREE SOUND SOUND SOUND, 0);
        cr_expect_eq(r->answer.count, 0);
        cr_expect_eq(r->answer.skipped, 3);
}

/* A message under construction, for those that are too long to write down. */
struct builder {
        uint8_t bytes[65536];
        size_t length;
        uint16_t records;
};

static void add(struct builder *b, const char *hex)
{
        b->length += hex_read(hex, b->bytes + b->length, sizeof b->bytes - b->length);
}

static struct builder *begin(void)
{
        static struct builder b;

        b.length = 0;
        b.records = 0;
        add(&b, HEADER("8180", "0001", "0000") QUESTION);
        return &b;
}

static void add_label(struct builder *b, unsigned number)
{
        char hex[16];

        snprintf(hex, sizeof hex, "03 6e %04x", number);
        add(b, hex);
}

static void add_address(struct builder *b)
{
        add(b, A("0000003c", "c6336417"));
        b->records++;
}

static struct reading *finish(struct builder *b, size_t capacity)
{
        b->bytes[6] = (uint8_t)(b->records >> 8);
        b->bytes[7] = (uint8_t)b->records;
        answer_read_bytes(page_place(b->bytes, b->length), b->length, capacity);
        return reading();
}

Test(dns, eighteen_names_are_remembered_and_more_are_the_question)
{
        struct builder *b = begin();
        struct reading *r;

        for (unsigned i = 0; i < 20; i++) {
                add_label(b, i);
                add(b, "00");
                add_address(b);
        }
        r = finish(b, 64);
        cr_assert_eq(r->kind, PT_DNS_OK);
        cr_assert_eq(r->answer.count, 20);
        cr_expect_eq(r->answer.name_count, PT_DNS_NAMES);
        for (size_t i = 0; i < 20; i++)
                cr_expect_eq(r->addresses[i].owner, i < 17 ? i + 1 : 0, "address %zu", i);
}

/* CNAMEs 0 -> 1 -> 2 ... from the question on, each written out. */
Test(dns, a_chain_longer_than_the_names_that_are_remembered_ends_there)
{
        struct builder *b = begin();
        struct reading *r;

        for (unsigned i = 0; i < 40; i++) {
                if (i == 0)
                        add(b, ASKED);
                else {
                        add_label(b, i);
                        add(b, "00");
                }
                add(b, CNAME("0000012c", "0005"));
                add_label(b, i + 1);
                add(b, "00");
                b->records++;
        }
        add_label(b, 40);
        add(b, "00");
        add_address(b);
        r = finish(b, 64);
        cr_assert_eq(r->kind, PT_DNS_OK);
        cr_assert_eq(r->answer.count, 1);
        cr_expect_eq(r->answer.name_count, PT_DNS_NAMES);
        cr_expect_eq(r->addresses[0].owner, 0);
        for (uint8_t i = 0; i < PT_DNS_NAMES; i++) {
                uint8_t chain[PT_DNS_NAMES];

                cr_expect_eq(r->answer.alias[i], i < PT_DNS_NAMES - 1 ? i + 1 : 0);
                cr_expect_eq(pt_dns_answer_chain(&r->answer, i, chain), i + 1u);
        }
}

/* A name of 126 labels, 253 octets, inside a TXT record of the root. Returns where it stands. */
static size_t add_long_name(struct builder *b)
{
        size_t at;

        add(b, "00 0010 0001 0000003c 00fd");
        b->records++;
        at = b->length;
        for (int i = 0; i < 126; i++)
                add(b, "01 61");
        add(b, "00");
        return at;
}

/* H12. What is found must stay right, and the time for it short, whatever the message. */
Test(dns, four_thousand_addresses_are_read_in_order)
{
        struct builder *b = begin();
        struct reading *r;

        for (unsigned i = 0; i < 4000; i++) {
                add(b, ASKED "0001 0001 0000003c 0004");
                b->bytes[b->length++] = 10;
                b->bytes[b->length++] = 0;
                b->bytes[b->length++] = (uint8_t)(i >> 8);
                b->bytes[b->length++] = (uint8_t)i;
                b->records++;
        }
        r = finish(b, 8192);
        cr_assert_eq(r->kind, PT_DNS_OK);
        cr_assert_eq(r->answer.count, 4000);
        cr_expect_eq(r->answer.name_count, 1);
        for (uint32_t i = 0; i < 4000; i++)
                cr_expect_eq(pt_address_low32(&r->addresses[i].address), 0x0a000000 + i);
}

/*
 * Owners "b" + a pointer into a name of 126 labels, each owner elsewhere, all of one name. Without
 * a bound each costs 127 labels; with it 64 are read, and what follows is the question's.
 */
Test(dns, names_behind_pointers_are_read_64_times_per_message)
{
        struct builder *b = begin();
        size_t name = add_long_name(b);
        struct reading *r;

        for (unsigned i = 0; i < 3000; i++) {
                add(b, "01 62");
                b->bytes[b->length++] = (uint8_t)(0xc0 | name >> 8);
                b->bytes[b->length++] = (uint8_t)name;
                add_address(b);
        }
        r = finish(b, 8192);
        cr_assert_eq(r->kind, PT_DNS_OK);
        cr_assert_eq(r->answer.count, 3000);
        for (size_t i = 0; i < 3000; i++)
                cr_expect_eq(r->addresses[i].owner, i < 64 ? 1 : 0, "address %zu", i);
}

/* A server that does not compress is honest, and each of its octets is looked at once. */
Test(dns, names_that_are_written_out_are_read_however_many)
{
        struct builder *b = begin();
        struct reading *r;

        for (unsigned i = 0; i < 2000; i++) {
                add(b, "01 61 01 62 00");
                add_address(b);
        }
        r = finish(b, 8192);
        cr_assert_eq(r->kind, PT_DNS_OK);
        cr_expect_eq(r->answer.name_count, 2);
        for (size_t i = 0; i < 2000; i++)
                cr_expect_eq(r->addresses[i].owner, 1, "address %zu", i);
}

/* A pointer seen before is known by its target, so the bound of 64 never meets these. */
Test(dns, two_owners_in_turn_are_told_apart_to_the_end)
{
        struct builder *b = begin();
        struct reading *r;

        add(b, EDGE);
        add_address(b);
        for (unsigned i = 1; i < 4000; i++) {
                add(b, i % 2 ? ASKED : "c01d");
                add_address(b);
        }
        r = finish(b, 8192);
        cr_assert_eq(r->kind, PT_DNS_OK);
        cr_assert_eq(r->answer.count, 4000);
        for (size_t i = 0; i < 4000; i++)
                cr_expect_eq(r->addresses[i].owner, i % 2 ? 0 : 1, "address %zu", i);
}

/* Every message cut at every octet: an address is there when its last octet is. */
Test(dns, a_message_cut_at_any_octet_is_read_as_far_as_it_goes)
{
        static const char *const messages[] = {
                THREE ASKED CNAME("0000012c", "000d") CDN
                "c029" A("0000003c", "c6336417") "c029" AAAA("0000003c", "20010db8 00*12 "),
                THREE SOUND EDGE A("0000003c", "c6336418") ASKED A("0000003c", "c6336419"),
        };
        static const size_t ends[][3] = {{54, 70, 98}, {45, 69, 85}};

        for (size_t m = 0; m < ROWS(messages); m++) {
                uint8_t whole[256];
                size_t length = hex_read(messages[m], whole, sizeof whole);

                cr_assert_eq(length, ends[m][2]);
                for (size_t at = 0; at <= length; at++) {
                        size_t records = 0;
                        struct reading *r = reading();
                        enum pt_dns_kind kind;

                        while (records < 3 && ends[m][records] <= at)
                                records++;
                        kind = at < 12        ? PT_DNS_SHORT
                               : at < 29      ? PT_DNS_BAD_QUESTION
                               : records == 3 ? PT_DNS_OK
                                              : PT_DNS_BAD_RECORD;
                        answer_read_bytes(page_place(whole, at), at, 64);
                        cr_expect_eq(r->kind, kind, "message %zu, %zu octets", m, at);
                        if (m == 0 && records > 0)
                                records--; /* the first is the CNAME */
                        cr_expect_eq(r->answer.count, records, "message %zu, %zu octets", m, at);
                }
        }
}

Test(dns, every_kind_has_a_name_of_its_own)
{
        for (int k = 0; k < PT_DNS_KINDS; k++) {
                const char *name = pt_dns_kind_name((enum pt_dns_kind)k);

                cr_assert_str_neq(name, "unknown", "%d", k);
                for (int other = 0; other < k; other++)
                        cr_expect_str_neq(pt_dns_kind_name((enum pt_dns_kind)other), name);
        }
        cr_expect_str_eq(pt_dns_kind_name(PT_DNS_KINDS), "unknown");
}
