/* Any octets as the file of a log, all the way into the engine. Records come in the order of time.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/capture/replay.h"
#include "wire/logged.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void tell(void *context, const struct pt_event *event)
{
        (void)context;
        (void)event;
}

static struct pt_engine *make_engine(struct pt_rules **ret_rules)
{
        const struct pt_receiver receiver = {tell, NULL};
        struct pt_settings settings;
        struct pt_rules_builder *builder;
        struct pt_engine *engine;

        pt_settings_default(&settings);
        settings.memory = PT_MEMORY_LEAST;
        MUST(pt_rules_builder_new(&builder) == 0);
        MUST(pt_rules_finish(builder, ret_rules) == 0);
        pt_rules_builder_free(builder);
        MUST(pt_engine_new(&settings, *ret_rules, &receiver, &engine) == 0);
        return engine;
}

static void read_all(struct pt_replay *replay, struct pt_engine *engine)
{
        struct pt_log_count count;
        struct pt_replay_fault fault;
        struct pt_frame frame;
        uint64_t records = 0;
        int64_t last = 0;

        while (pt_replay_next(replay, &frame, &fault) == PT_REPLAY_FRAME) {
                MUST(frame.linktype == PT_LINK_LOGGED && frame.time >= last && frame.number > 0);
                last = frame.time;
                records++;
                pt_engine_packet(engine, &frame);
        }
        MUST(pt_replay_log(replay, &count));
        MUST(records + count.other + count.unreadable == count.lines);
        MUST(!count.unreadable == !count.reason && count.first <= count.lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct pt_engine *engine;
        static struct pt_rules *rules;
        const struct pt_replay_settings settings = {.buffer = 64};
        struct pt_replay_fault fault;
        struct pt_replay *replay;
        struct pt_log_count count;
        char path[32];
        int fd;

        if (!engine)
                engine = make_engine(&rules);
        fd = memfd_create("log", MFD_CLOEXEC);
        MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (pt_replay_open(path, &settings, 0, &replay, &fault) == 0) {
                if (pt_replay_log(replay, &count))
                        read_all(replay, engine);
                pt_replay_free(replay);
        }
        close(fd);
        return 0;
}
