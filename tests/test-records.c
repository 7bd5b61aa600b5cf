#include "documents.h"

Test(records, an_address_that_was_not_kept_with_its_answer_is_shown)
{
        struct scene *s = scene();
        json_t *root;

        s->evidence.addresses[0] = address("192.0.2.7");
        s->evidence.ttls[0] = 5;
        s->evidence.address_count = 1;
        s->evidence.flags = 0x87b0; /* AA TC RD RA AD CD */
        s->evidence.question_type = 0;
        s->evidence.name_count = 0;
        root = document(&s->event);
        EXPECT(root, {"dns.answers.1.data", "'192.0.2.7'"}, {"dns.answers.1.ttl", "5"},
               {"dns.answers.2.data", "'198.51.100.23'"}, {"dns.answers.2.ttl", "60"},
               {"dns.answers.3", NULL}, {"dns.resolved_ip", "['192.0.2.7', '198.51.100.23']"},
               {"dns.header_flags", "['AA', 'TC', 'RD', 'RA', 'AD', 'CD']"},
               {"dns.question", "{'name': 'update.example.net'}"}, {"portent.dns.names", NULL});
        json_decref(root);
}

/* Each record with what is known of it: data only of A, AAAA and CNAME of a sound kind. */
Test(records, dns_records_of_all_kinds)
{
        static const char octets[] =
                "\0\1\x80\x0c\0\1\0\10\0\0\0\0" /* eight records */
                "\7example\0\0\xff\0\3"         /* ANY of class CH */
                "\xc0\x0c\0\x10\0\1\0\0\0\1\0\2\1x"
                "\xc0\x0c\0\x1c\0\1\xff\xff\xff\xff\0\x10\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
                "\xc0\x0c\0\1\0\1\0\0\0\0\0\3\1\2\3"     /* too short for an address */
                "\xc0\x0c\0\1\0\4\0\0\0\0\0\4\1\2\3\4"   /* of class HS */
                "\xc0\x0c\0\5\0\1\0\0\0\0\0\2\xc1\xff"   /* an alias of nothing in the message */
                "\xc0\x0c\0\x1c\0\1\0\0\0\0\0\4\1\2\3\4" /* AAAA, too short for one */
                "\0\xff\0\0\7\0\0\0\0\0\0"
                "\xc0\x0c\0\1\0\1\0\0\0\0\0\4\1\2\3\4";
        struct scene *s = scene();
        json_t *root;

        scene_dns(s, octets, sizeof octets - 1);
        root = document(&s->event);
        EXPECT(root, {"dns.response_code", "'RCODE12'"}, {"dns.question.type", "'ANY'"},
               {"dns.question.class", "'CH'"},
               {"dns.answers.0", "{'name': 'example', 'type': 'TXT', 'class': 'IN', 'ttl': 1}"},
               {"dns.answers.1.data", "'2001:db8::1'"}, {"dns.answers.1.ttl", "4294967295"},
               {"dns.answers.2", "{'name': 'example', 'type': 'A', 'class': 'IN', 'ttl': 0}"},
               {"dns.answers.3", "{'name': 'example', 'type': 'A', 'class': 'HS', 'ttl': 0}"},
               {"dns.answers.4", "{'name': 'example', 'type': 'CNAME', 'class': 'IN',"
                                 " 'ttl': 0}"},
               {"dns.answers.5", "{'name': 'example', 'type': 'AAAA', 'class': 'IN', 'ttl': 0}"},
               {"dns.answers.6", "{'name': '.', 'type': 'TYPE65280', 'class': 'CLASS7',"
                                 " 'ttl': 0}"},
               {"dns.answers.7.data", "'1.2.3.4'"},
               {"dns.resolved_ip", "['2001:db8::1', '1.2.3.4']"}, {"portent.dns.records", NULL});
        json_decref(root);
}

/* A record whose owner is a pointer to nowhere is counted, and no list is left empty for it. */
Test(records, a_dns_record_without_a_name)
{
        struct scene *s = scene();
        json_t *root;

        scene_dns(s, OCTETS("\0\1\x80\0\0\0\0\1\0\0\0\0"
                            "\xff\xff\0\2\0\1\0\0\0\0\0\0"));
        root = document(&s->event);
        EXPECT(root, {"dns.answers", NULL}, {"dns.resolved_ip", NULL});
        json_decref(root);
}

Test(records, the_first_64_records_are_written)
{
        struct scene *s = scene();
        uint8_t octets[12 + 65 * 15] = {0, 1, 0x80, 0, 0, 0, 0, 65};
        size_t length = 12;
        json_t *root;

        for (uint8_t i = 0; i < 65; i++) { /* the root's A records 192.0.2.0 to 192.0.2.64 */
                const uint8_t record[15] = {0, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, i};

                memcpy(octets + length, record, sizeof record);
                length += sizeof record;
        }
        scene_dns(s, octets, length);
        root = document(&s->event);
        cr_expect_eq(json_array_size(at(root, "dns.answers")), 64);
        cr_expect_eq(json_array_size(at(root, "dns.resolved_ip")), 64);
        EXPECT(root, {"dns.answers.63.data", "'192.0.2.63'"}, {"portent.dns.records", "65"},
               {"related.hosts", "['.', 'sensor-dmz-01']"});
        json_decref(root);
}
