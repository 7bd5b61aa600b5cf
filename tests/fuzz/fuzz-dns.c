/* Any octets as a DNS message: what is read must be sound, and its names survive their text. */
#include "wire/dns.h"

#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t text_octet(const char **text)
{
        const char *t = *text;

        MUST(t[0] > 0x20 && t[0] < 0x7f);
        if (t[0] != '\\') {
                *text += 1;
                return (uint8_t)t[0];
        }
        for (int i = 1; i < 4; i++)
                MUST(t[i] >= '0' && t[i] <= '9');
        *text += 4;
        return (uint8_t)((t[1] - '0') * 100 + (t[2] - '0') * 10 + (t[3] - '0'));
}

/* The name that a text stands for. */
static struct pt_dns_name text_read(const char *text)
{
        struct pt_dns_name name = {.length = 0};

        while (*text && strcmp(text, ".") != 0) {
                uint8_t *length = &name.wire[name.length++];

                for (*length = 0; *text && *text != '.'; (*length)++)
                        name.wire[name.length++] = text_octet(&text);
                MUST(*length > 0);
                if (*text == '.')
                        text++;
        }
        name.length++;
        return name;
}

static void check_name(const struct pt_dns_name *name)
{
        char text[PT_DNS_NAME_TEXT];
        struct pt_dns_name again;

        MUST(name->length >= 1);
        MUST(pt_dns_name_format(name, text) == strlen(text));
        again = text_read(text);
        MUST(again.length == name->length);
        MUST(memcmp(again.wire, name->wire, name->length) == 0);
        MUST(pt_dns_name_equal(&again, name));
}

static void check_answer(const struct pt_dns *dns, const struct pt_dns_answer *answer)
{
        MUST(answer->name_count >= 1 && answer->name_count <= PT_DNS_NAMES);
        MUST(answer->count <= answer->capacity);
        /* One address a record; of the hints in one, each takes four octets at least. */
        MUST(answer->count + answer->skipped <= dns->records + dns->length / 4);
        for (uint8_t i = 0; i < answer->name_count; i++) {
                uint8_t chain[PT_DNS_NAMES];
                size_t count = pt_dns_answer_chain(answer, i, chain);

                check_name(&answer->names[i]);
                MUST(answer->alias[i] < answer->name_count);
                MUST(count >= 1 && count <= answer->name_count);
                MUST(chain[0] == 0 && chain[count - 1] == i);
                for (uint8_t other = 0; other < i; other++)
                        MUST(!pt_dns_name_equal(&answer->names[other], &answer->names[i]));
        }
        for (size_t i = 0; i < answer->count; i++)
                MUST(answer->addresses[i].owner < answer->name_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct pt_dns_address addresses[64];
        struct pt_dns_answer answer = {.addresses = addresses, .capacity = 64};
        struct pt_dns_name name;
        struct pt_dns dns;
        enum pt_dns_kind kind = pt_dns_parse(data, size, &dns);

        MUST(kind != PT_DNS_BAD_RECORD && kind < PT_DNS_KINDS);
        if (kind == PT_DNS_OK) {
                MUST(dns.answers >= 12 && dns.answers <= size);
                if (dns.has_question)
                        check_name(&dns.question);
                kind = pt_dns_answer_read(&dns, &answer);
                MUST(kind == PT_DNS_OK || kind == PT_DNS_BAD_RECORD);
                check_answer(&dns, &answer);
        }
        /* Names at any place: the message's own id says where. */
        if (size >= 2 && pt_dns_name_read(data, size, (size_t)(data[0] << 8 | data[1]), &name) == 0)
                check_name(&name);
        return 0;
}
