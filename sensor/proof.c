#include "proof.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "document/alert.h"
#include "engine/event.h"
#include "io/capture/album.h"
#include "io/capture/exhibit.h"
#include "say.h"

#define MIB ((size_t)1 << 20)

/* Live, octets are kept; in replay mostly places in files, and an answer counts for an hour. */
#define MESSAGES_LIVE (8 * MIB)
#define MESSAGES_REPLAY (64 * MIB)

/* A SYN is judged after at most 8192 others. */
#define SYNS (4 * MIB)

#define FRAME_MOST 262144
#define PRINTS 5 /* a query and an answer, the same for the destination, the SYN */

struct print {
        struct pt_album_frame kept;
        const char *what;
};

struct pt_proof {
        struct pt_proof_settings settings;
        struct pt_exhibit *exhibit;
        struct pt_album *messages;
        struct pt_album *syns;
        struct pt_proof_stats stats;
        bool failing;
        /* The file that was read again last. */
        int fd;
        uint32_t file;
        uint8_t *octets; /* FRAME_MOST */
        /* Of the alert that is told now. */
        struct print prints[PRINTS];
        size_t count;
        bool complete;
};

/* ---- what belongs to an alert ---- */

static bool is_there(const struct pt_proof *proof, uint32_t file, uint64_t number)
{
        for (size_t i = 0; i < proof->count; i++)
                if (proof->prints[i].kept.frame.number == number &&
                    proof->prints[i].kept.frame.file == file)
                        return true;
        return false;
}

/* In the order of their times. */
static void insert(struct pt_proof *proof, const struct pt_album_frame *kept, const char *what)
{
        size_t at = proof->count++;

        for (; at && proof->prints[at - 1].kept.frame.time > kept->frame.time; at--)
                proof->prints[at] = proof->prints[at - 1];
        proof->prints[at] = (struct print){*kept, what};
}

static bool find(struct pt_proof *proof, const struct pt_album *album, uint32_t file,
                 uint64_t number, const char *what, struct pt_album_frame *ret)
{
        if (is_there(proof, file, number))
                return false;
        if (!number || !pt_album_find(album, file, number, ret)) {
                proof->complete = false;
                return false;
        }
        proof->complete = proof->complete && !ret->part;
        insert(proof, ret, what);
        return true;
}

static void find_answer(struct pt_proof *proof, const struct pt_evidence *evidence,
                        const char *what, const char *what_query)
{
        struct pt_album_frame answer, query;

        if (!evidence ||
            !find(proof, proof->messages, evidence->file, evidence->number, what, &answer))
                return;
        if (answer.query_number)
                find(proof, proof->messages, answer.query_file, answer.query_number, what_query,
                     &query);
}

/* What the three kinds of alerts rest on. */
static const struct pt_syn *look(const struct pt_event *event, const struct pt_evidence **ret,
                                 const struct pt_evidence **ret_destination)
{
        *ret_destination = NULL;
        switch (event->kind) {
        case PT_EVENT_ROTATION:
                *ret = event->rotation.evidence;
                return event->rotation.syn;
        case PT_EVENT_CAMPAIGN:
                *ret = event->campaign.evidence;
                return event->campaign.syn;
        default:
                *ret = event->alert.evidence;
                *ret_destination = event->alert.destination;
                return event->alert.syn;
        }
}

static void gather(struct pt_proof *proof, const struct pt_event *event)
{
        const struct pt_evidence *evidence, *destination;
        const struct pt_syn *syn = look(event, &evidence, &destination);
        struct pt_album_frame frame;

        proof->count = 0;
        proof->complete = true;
        find_answer(proof, evidence, "the DNS answer that it was calculated from", "its query");
        find_answer(proof, destination, "the DNS answer with the destination", "its query");
        find(proof, proof->syns, syn->file, syn->number, "the SYN", &frame);
}

/* ---- into the file ---- */

/* Octets that stand in a capture file are read again. */
static bool read_again(struct pt_proof *proof, struct pt_frame *frame)
{
        const struct pt_observer *observer = proof->settings.observer;
        const char *name = observer->file_name
                                   ? observer->file_name(observer->file_context, frame->file)
                                   : NULL;

        if (proof->fd < 0 || proof->file != frame->file) {
                if (proof->fd >= 0)
                        close(proof->fd);
                proof->fd = name ? open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1;
                proof->file = frame->file;
        }
        if (proof->fd < 0 || frame->captured > FRAME_MOST ||
            pread(proof->fd, proof->octets, frame->captured, (off_t)frame->offset) !=
                    (ssize_t)frame->captured)
                return false;
        frame->bytes = proof->octets;
        return true;
}

static int put(struct pt_proof *proof, const struct print *print, const char *id)
{
        const struct pt_observer *observer = proof->settings.observer;
        struct pt_frame frame = print->kept.frame;
        const char *interface = observer->interface, *from = NULL;
        char comment[256];

        if (frame.offset && !read_again(proof, &frame)) {
                proof->complete = false;
                return 0;
        }
        if (observer->interface_name)
                interface = observer->interface_name(observer->file_context, frame.file);
        if (observer->file_name)
                from = observer->file_name(observer->file_context, frame.file);
        snprintf(comment, sizeof comment, "portent event.id %s: %s%s", id, print->what,
                 print->kept.part ? " (the last of several frames that hold it)" : "");
        proof->settings.observer->evidence_packets++;
        return pt_exhibit_put(proof->exhibit, &frame, interface, from, comment);
}

static void tell(struct pt_proof *proof, int r)
{
        char sentence[160];
        const struct pt_notice notice = {
                .kind = r < 0 ? PT_NOTICE_OUTPUT_TROUBLE : PT_NOTICE_OUTPUT_RECOVERED,
                .level = r < 0 ? PT_NOTICE_ERROR : PT_NOTICE_INFO,
                .subject = proof->settings.path,
                .sentence = sentence,
        };

        if (r < 0)
                snprintf(sentence, sizeof sentence, "packets of alerts cannot be written: %s",
                         strerror(-r));
        else
                snprintf(sentence, sizeof sentence, "packets of alerts are written again");
        proof->failing = r < 0;
        if (proof->settings.notify.tell)
                proof->settings.notify.tell(proof->settings.notify.context, &notice);
        else
                pt_say("%s: %s", notice.subject, sentence);
}

static void write_evidence(struct pt_proof *proof, const struct pt_event *event)
{
        struct pt_observer *observer = proof->settings.observer;
        char id[PT_IDENTITY_TEXT];
        int r = 0, written;

        gather(proof, event);
        pt_alert_id(event, id);
        observer->evidence_packets = 0;
        for (size_t i = 0; r == 0 && i < proof->count; i++)
                r = put(proof, &proof->prints[i], id);
        written = pt_exhibit_write(proof->exhibit);
        if (r == 0)
                r = written;
        if (r < 0) {
                observer->evidence_packets = 0;
                proof->complete = false;
                proof->stats.failed++;
        }
        if ((r < 0) != proof->failing)
                tell(proof, r);
        proof->stats.packets += observer->evidence_packets;
        proof->stats.incomplete += !proof->complete;
        observer->evidence = proof->settings.path;
        observer->evidence_complete = proof->complete;
}

/* ---- what the engine tells ---- */

static void take_event(void *context, const struct pt_event *event)
{
        struct pt_proof *proof = context;
        enum pt_event_kind kind = pt_event_kind(event);

        if (kind == PT_EVENT_ALERT || kind == PT_EVENT_ROTATION || kind == PT_EVENT_CAMPAIGN)
                write_evidence(proof, event);
        pt_output_event(proof->settings.output, event);
        proof->settings.observer->evidence = NULL;
}

static void take_trace(void *context, const struct pt_trace *trace)
{
        struct pt_proof *proof = context;

        pt_album_put(trace->kind == PT_TRACE_SYN ? proof->syns : proof->messages, trace);
}

struct pt_receiver pt_proof_receiver(struct pt_proof *proof)
{
        return (struct pt_receiver){take_event, proof, take_trace};
}

struct pt_proof_stats pt_proof_stats(const struct pt_proof *proof)
{
        return proof->stats;
}

/* ---- beginning and end ---- */

int pt_proof_open(const struct pt_proof_settings *settings, struct pt_proof **ret)
{
        struct pt_proof *proof = calloc(1, sizeof *proof);
        char sentence[256];
        int r = -ENOMEM;

        snprintf(sentence, sizeof sentence, "%s", strerror(ENOMEM));
        if (proof) {
                proof->settings = *settings;
                proof->fd = -1;
                proof->octets = malloc(FRAME_MOST);
                r = proof->octets ? pt_album_new(SYNS, &proof->syns) : -ENOMEM;
        }
        if (r == 0)
                r = pt_album_new(settings->live ? MESSAGES_LIVE : MESSAGES_REPLAY,
                                 &proof->messages);
        if (r == 0)
                r = pt_exhibit_open(settings->path, PT_VERSION, &proof->exhibit, sentence);
        if (r < 0) {
                pt_say_error("%s", sentence);
                pt_proof_free(proof);
                return r;
        }
        *ret = proof;
        return 0;
}

struct pt_proof *pt_proof_free(struct pt_proof *proof)
{
        if (!proof)
                return NULL;
        pt_exhibit_free(proof->exhibit);
        pt_album_free(proof->messages);
        pt_album_free(proof->syns);
        if (proof->fd >= 0)
                close(proof->fd);
        free(proof->octets);
        free(proof);
        return NULL;
}
