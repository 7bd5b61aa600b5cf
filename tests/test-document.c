#include "documents.h"

Test(document, an_observer_that_is_not_known)
{
        struct pt_observer nobody = {.interface = "", .hostname = ""};
        struct scene *s = scene();
        size_t length;
        json_t *root;
        char *text;

        scene_port_only(s);
        cr_assert_eq(pt_event_ecs(&s->event, &nobody, CREATED, 1, &text, &length), 0);
        root = parsed(text, length);
        EXPECT(root, {"observer", "{'type': 'ids', 'vendor': 'portent', 'product': 'portent'}"},
               {"portent.pcap", NULL}, {"related.hosts", NULL});
        json_decref(root);
}

/* ---- octets that are no text ---- */

Test(document, any_octet_of_a_name_survives)
{
        struct scene *s = scene();
        json_t *root;

        /* RFC 1035 section 5.1: \DDD */
        s->destination.chain[0] = NAME("\11a.\"\\\0\n\xe2\x80\xa8\1B");
        scene_connection(s, true);
        root = document(&s->event);
        cr_expect_str_eq(json_string_value(at(root, "destination.domain")),
                         "a\\046\"\\092\\000\\010\\226\\128\\168.B");
        json_decref(root);
}

Test(document, any_octet_of_a_file_name_becomes_utf8)
{
        static const struct {
                const char *name;
                const char *text;
                const char *why;
        } rows[] = {
                {"a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
                 "two, three and four octets"},
                {"\xff\xc3", "\\255\\195", "none, and one that is cut"},
                {"\xc0\xaf", "\\192\\175", "overlong (RFC 3629 section 3)"},
                {"\xe0\x9f\xbf", "\\224\\159\\191", "overlong"},
                {"\xf0\x8f\xbf\xbf", "\\240\\143\\191\\191", "overlong"},
                {"\xed\xa0\x80", "\\237\\160\\128", "half of a surrogate pair"},
                {"\xf4\x90\x80\x80", "\\244\\144\\128\\128", "above U+10FFFF"},
                {"\x80", "\\128", "continues nothing"},
                {"\xf5\x80\x80\x80", "\\245\\128\\128\\128", "above U+10FFFF"},
                {"a\nb", "a\nb", "JSON escapes it"},
        };
        const char *names[1];
        struct scene *s = scene();
        json_t *root;

        observer.file_context = names;
        for (size_t i = 0; i < ROWS(rows); i++) {
                names[0] = rows[i].name;
                root = document(&s->event);
                cr_expect_str_eq(json_string_value(at(root, "portent.pcap.file")), rows[i].text,
                                 "%s", rows[i].why);
                json_decref(root);
        }
        names[0] = "";
        root = document(&s->event);
        EXPECT(root, {"portent.pcap", NULL});
        json_decref(root);
}

/* The longest names and the longest arithmetic still give a sentence that can be searched. */
Test(document, a_reason_is_at_most_1024_characters)
{
        struct scene *s = scene();
        struct pt_dns_name name = {.length = 255};
        const char *reason;
        char text[900];
        json_t *root;

        for (size_t label = 0; label < 4; label++)
                name.wire[64 * label] = label < 3 ? 63 : 61;
        for (size_t i = 0; i < 254; i++)
                if (i % 64)
                        name.wire[i] = 0xff;
        scene_other_address(s);
        s->evidence.chain[0] = name;
        s->evidence.asked = false;
        s->destination.chain[0] = name;
        strcpy(text, "o1 * o2 + o3");
        while (strlen(text) + 6 < sizeof text)
                strcat(text, " + o4");
        s->apt12.port = formula(text);
        root = document(&s->event);
        reason = json_string_value(at(root, "event.reason"));
        cr_expect_leq(strlen(reason), 1024, "%s", reason);
        cr_expect(strstr(reason, "..."));
        cr_expect(strstr(reason, "; the name that gave it was not contacted"), "to its end: %s",
                  reason);
        cr_expect_eq(strlen(json_string_value(at(root, "destination.domain"))), 250 * 4 + 3,
                     "63 + 63 + 63 + 61 octets of four characters, three dots");
        json_decref(root);
}

/* ---- no memory ---- */

static size_t allocations_left;

static void *scarce(size_t size)
{
        return allocations_left && allocations_left-- ? malloc(size) : NULL;
}

/* Wherever memory runs out, the answer is -ENOMEM, nothing leaks (ASan), and later all is well. */
Test(document, memory_runs_out_at_every_place)
{
        struct scene *s = scene();
        int status = -1;
        size_t length;
        char *text;

        json_set_alloc_funcs(scarce, free);
        for (size_t i = 0; status != 0 && i < 2000; i++) {
                allocations_left = i;
                text = NULL;
                status = pt_event_ecs(&s->event, &observer, CREATED, 1, &text, &length);
                cr_assert(status == 0 || (status == -ENOMEM && !text), "after %zu", i);
        }
        json_set_alloc_funcs(malloc, free);
        cr_assert_eq(status, 0);
        json_decref(parsed(text, length));
}
