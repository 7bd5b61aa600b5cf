/* Any lines as columns of Zeek's, header and all. What is understood can be written and read. */
#include <string.h>

#include "io/logs/zeek.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct pt_said *said)
{
        static struct pt_dns_address room[PT_LOGGED_ADDRESSES];
        struct pt_dns_answer answer = {.addresses = room, .capacity = PT_LOGGED_ADDRESSES};
        uint8_t octets[PT_LOGGED_MOST];
        struct pt_logged logged;
        size_t length = pt_logged_write(&said->logged, &said->answer, octets);

        MUST(length <= sizeof octets);
        MUST(said->time >= 0 && said->logged.wall == said->time);
        MUST(pt_logged_read(octets, length, &logged, &answer) == 0);
        MUST(logged.kind == said->logged.kind && logged.wall == said->time);
        MUST(logged.kind != PT_LOGGED_ANSWER || answer.count == said->answer.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *at = (const char *)data, *end = at + size;
        struct pt_zeek zeek = {0};
        struct pt_said said;

        while (at < end) {
                const char *stop = memchr(at, '\n', (size_t)(end - at));
                size_t length = (size_t)((stop ? stop : end) - at);

                if (length && *at == '#')
                        pt_zeek_header(&zeek, at, length);
                else if (length && zeek.separator &&
                         pt_zeek_line(&zeek, at, length, &said) == PT_SAID_RECORD)
                        check(&said);
                at += length + 1;
        }
        return 0;
}
