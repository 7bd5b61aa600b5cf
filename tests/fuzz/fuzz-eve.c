/* Any object as a line of Suricata's or Zeek's. What is understood can be written and read. */
#include "io/logs/eve.h"
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
        MUST(logged.kind == said->logged.kind && logged.id == said->logged.id);
        MUST(logged.kind != PT_LOGGED_ANSWER || answer.count == said->answer.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        json_t *object = json_loadb((const char *)data, size, 0, NULL);
        struct pt_said said;

        if (!object)
                return 0;
        if (pt_eve_is(object) && pt_eve_line(object, &said) == PT_SAID_RECORD)
                check(&said);
        if (pt_zeek_is(object) && pt_zeek_json(object, &said) == PT_SAID_RECORD)
                check(&said);
        json_decref(object);
        return 0;
}
