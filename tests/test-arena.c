#include "../sensor/arena.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* AddressSanitizer has an allocator of its own, which ends the test where it has no memory. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define WATCHED
#endif

#if defined(WATCHED)
size_t __sanitizer_get_current_allocated_bytes(void);

static size_t in_use(void)
{
        return __sanitizer_get_current_allocated_bytes();
}
#else
static size_t in_use(void)
{
        return mallinfo2().uordblks;
}
#endif

/* Documents that are thrown away as a whole, again and again, take no more memory than one. */
Test(arena, thrown_away_as_a_whole)
{
        size_t before = 0;

        cr_assert_eq(pt_arena_begin(1 << 16), 0);
        for (unsigned i = 0; i < 1000; i++) {
                json_t *document = json_object();

                cr_assert_not_null(document);
                for (unsigned j = 0; j < 20; j++) {
                        char key[8];

                        snprintf(key, sizeof key, "k%u", j);
                        cr_assert_eq(json_object_set_new(document, key, json_integer(j)), 0);
                }
                cr_assert_eq(json_integer_value(json_object_get(document, "k7")), 7);
                pt_arena_reset(); /* and nobody has freed the document */
                if (i == 0)
                        before = in_use();
        }
        cr_expect_eq(in_use(), before);
        pt_arena_end();
}

/* What does not fit is as good: it comes from malloc, and is freed there. */
Test(arena, a_document_larger_than_it)
{
        char text[4001];
        size_t before;

        memset(text, 'x', 4000);
        text[4000] = '\0';
        cr_assert_eq(pt_arena_begin(1024), 0);
        before = in_use();
        json_t *string = json_string(text);
        cr_assert_str_eq(json_string_value(string), text);
        cr_expect_gt(in_use(), before);
        json_decref(string);
        cr_expect_eq(in_use(), before);
        pt_arena_reset();
        pt_arena_end();
}

/* What was made before is freed where it came from, and what is made afterwards too. */
Test(arena, before_and_after)
{
        json_t *before = json_string("before"), *after;

        cr_assert_eq(pt_arena_begin(1024), 0);
        json_decref(before);
        cr_expect_eq((uintptr_t)json_object() % 16, 0, "memory for any type");
        pt_arena_end();
        after = json_string("after");
        cr_expect_str_eq(json_string_value(after), "after");
        json_decref(after);
}

#if !defined(WATCHED)
Test(arena, no_memory_for_it)
{
        cr_expect_lt(pt_arena_begin(SIZE_MAX / 2), 0);
        json_t *document = json_object();
        cr_expect_not_null(document, "jansson goes on with malloc");
        json_decref(document);
}
#endif
