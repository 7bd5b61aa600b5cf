#include "documents.h"
#include "document/ecs.h"
#include "make.h"
#include "memory/visibility.h"

#include "document/words.h"

static struct pt_counters counters;

static json_t *written(const struct pt_visibility *visibility)
{
        size_t length;
        char *text;

        cr_assert_eq(pt_ecs_visibility(visibility, &observer, CREATED, 7, &text, &length), 0);
        return parsed(text, length);
}

static struct pt_visibility *made(void)
{
        static const struct pt_hash_key key = {1, 2};
        struct pt_visibility *visibility;

        cr_assert_eq(pt_visibility_new(16, &key, &counters, &visibility), 0);
        pt_visibility_begin(visibility);
        return visibility;
}

Test(report, of_a_day)
{
        struct pt_address one = address("10.20.30.40"), two = address("10.20.30.41"),
                          to = address("198.51.100.23"), google = address("8.8.8.8");
        struct pt_visibility *visibility = made();
        json_t *root;

        pt_visibility_answer(visibility, &one, false, ANSWER_TIME, 0);
        for (unsigned i = 0; i < 4; i++)
                pt_visibility_syn(visibility, &(struct pt_visibility_syn){&one, &to, 10198, false,
                                                                          i == 0, true, SYN_TIME});
        pt_visibility_syn(visibility, &(struct pt_visibility_syn){&two, &google, 443, false, false,
                                                                  false, SYN_TIME});
        counters.value[PT_COUNT_CACHE_EVICTED_GREEDY] = 12;
        root = written(visibility);
        EXPECT(root, {"@timestamp", "'2026-11-24T06:00:00.123Z'"},
               {"data_stream",
                "{'type': 'logs', 'dataset': 'portent.visibility', 'namespace': 'default'}"},
               {"message", "'What the sensor could see'"}, {"event.kind", "'metric'"},
               {"event.action", "'visibility_report'"}, {"event.sequence", "7"},
               {"event.start", "'2026-11-24T04:12:05.205Z'"},
               {"event.end", "'2026-11-24T04:12:07.318Z'"}, {"event.duration", "2113000000"},
               {"event.reason",
                "'25 % of 4 eligible SYNs were preceded by an answer; of 2 clients 1 sent SYNs and"
                " were never seen to resolve, 1 used an encrypted resolver; 1 of 1 answers had no"
                " query'"},
               {"portent.visibility",
                "{'clients': 2, 'forgotten': 0, 'syns': 5, 'given': 1, 'eligible': 4,"
                " 'preceded': 1, 'preceded_share': 0.25, 'answers': 1, 'unasked': 1,"
                " 'silent_clients': 1, 'encrypted_clients': 1, 'dot': 0, 'doh': 1, 'names': 0,"
                " 'worst': [{'ip': '10.20.30.40', 'syns': 4, 'eligible': 4, 'preceded': 1,"
                "   'answers': 1}],"
                " 'silent': [{'ip': '10.20.30.41', 'syns': 1, 'eligible': 0, 'preceded': 0,"
                "   'answers': 0, 'dot': 0, 'doh': 1, 'names': 0}],"
                " 'encrypted': [{'ip': '10.20.30.41', 'syns': 1, 'eligible': 0, 'preceded': 0,"
                "   'answers': 0, 'dot': 0, 'doh': 1, 'names': 0}],"
                " 'gave_way': {'cache_evicted_greedy': 12}}"},
               {"related.ip", "['10.20.30.40', '10.20.30.41']"});
        json_decref(root);
        pt_visibility_free(visibility);
}

/* Every cause that there is, so that tests/schema/run finds a field for each. */
Test(report, every_cause_has_a_field)
{
        struct pt_visibility *visibility = made();
        json_t *root;

        for (size_t i = 0; i < PT_COUNTS; i++)
                counters.value[i] += 3;
        root = written(visibility);
        cr_expect_eq(json_object_size(at(root, "portent.visibility.gave_way")), 13);
        json_decref(root);
        pt_visibility_free(visibility);
}

Test(report, of_nothing)
{
        struct pt_visibility *visibility = made();
        json_t *root = written(visibility);

        EXPECT(root, {"event.start", NULL}, {"event.end", NULL},
               {"portent.visibility.preceded_share", NULL}, {"portent.visibility.worst", NULL},
               {"portent.visibility.clients", "0"}, {"portent.visibility.gave_way", NULL});
        json_decref(root);
        pt_visibility_free(visibility);
}
