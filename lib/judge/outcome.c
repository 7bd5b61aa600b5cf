#include "judge/outcome.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory/recent.h"

#define FAR (1u << 30) /* no window reaches further (RFC 7323 section 2.3) */

/* One direction, by TCP's sequence numbers. */
struct way {
        uint64_t bytes;
        uint64_t packets;
        uint32_t next; /* sequence number behind what was seen */
        bool known;    /* `next` is known */
        bool late;     /* more was seen than what opens it */
        bool fin;
};

/* A connection as its packets tell it. */
struct track {
        struct way client, server;
        int64_t last_wall;
        uint32_t sequence; /* of its SYN */
        bool client_low;   /* which end of the key the client is */
        bool begun;
        bool begins_known; /* the server's first sequence number was seen */
        uint8_t state;     /* enum pt_outcome_state */
        uint8_t end;       /* enum pt_outcome_end */
};

struct followed {
        struct track track;
        struct pt_syn syn;
        char rule[PT_RULE_ID + 1];
};

struct pt_outcomes {
        struct pt_recent watched;  /* payload: struct track */
        struct pt_recent followed; /* payload: struct followed */
        uint32_t ended;            /* of those followed */
        uint64_t changes;          /* of which they are */
        bool late;
};

const char *pt_outcome_state_name(enum pt_outcome_state state)
{
        static const char *const names[PT_OUTCOME_STATES] = {"silent", "refused", "answered"};

        return names[state];
}

const char *pt_outcome_end_name(enum pt_outcome_end end)
{
        static const char *const names[PT_OUTCOME_ENDS] = {"open",     "closed",  "reset",
                                                           "replaced", "timeout", "end_of_input"};

        return names[end];
}

size_t pt_outcomes_size(const struct pt_outcomes_room *room)
{
        return sizeof(struct pt_outcomes) + pt_recent_size(room->watched, sizeof(struct track)) +
               pt_recent_size(room->followed, sizeof(struct followed));
}

int pt_outcomes_new(const struct pt_outcomes_room *room, bool late, const struct pt_hash_key *key,
                    struct pt_outcomes **ret)
{
        struct pt_outcomes *outcomes = calloc(1, sizeof *outcomes);
        int r = -ENOMEM;

        if (outcomes)
                r = pt_recent_init(&outcomes->watched, room->watched, sizeof(struct track), key);
        if (r == 0)
                r = pt_recent_init(&outcomes->followed, room->followed, sizeof(struct followed),
                                   key);
        if (r < 0) {
                pt_outcomes_free(outcomes);
                return r;
        }
        outcomes->late = late;
        *ret = outcomes;
        return 0;
}

struct pt_outcomes *pt_outcomes_free(struct pt_outcomes *outcomes)
{
        if (!outcomes)
                return NULL;
        pt_recent_deinit(&outcomes->watched);
        pt_recent_deinit(&outcomes->followed);
        free(outcomes);
        return NULL;
}

/* ---- both directions of a connection have one key ---- */

static bool is_low(const struct pt_address *a, uint16_t a_port, const struct pt_address *b,
                   uint16_t b_port)
{
        int order = memcmp(a, b, sizeof *a);

        return order < 0 || (order == 0 && a_port < b_port);
}

static struct pt_recent_key key_of(const struct pt_outcomes *outcomes, const struct pt_address *a,
                                   uint16_t a_port, const struct pt_address *b, uint16_t b_port)
{
        bool low = is_low(a, a_port, b, b_port);
        struct pt_recent_key key = {0};

        memcpy(key.octets + (low ? 0 : 16), a, 16);
        memcpy(key.octets + (low ? 16 : 0), b, 16);
        memcpy(key.octets + (low ? 32 : 34), &a_port, 2);
        memcpy(key.octets + (low ? 34 : 32), &b_port, 2);
        pt_recent_hash(&outcomes->watched, &key);
        return key;
}

/* ---- what a packet tells ---- */

static void go_on(struct way *way, uint32_t sequence, uint32_t length, bool syn)
{
        uint32_t ahead = sequence + length - way->next;

        way->packets++;
        way->late = way->late || !syn;
        if (!way->known) {
                way->known = true;
                way->next = sequence;
                ahead = length;
        }
        if (ahead < FAR) { /* else it is a copy, or foreign */
                way->bytes += ahead;
                way->next += ahead;
        }
}

static void from_server(struct track *track, const struct pt_packet *packet)
{
        bool syn = packet->tcp_flags & PT_TCP_SYN, rst = packet->tcp_flags & PT_TCP_RST;

        if (rst) {
                track->server.packets++;
                /* Windows tries again, with the same ports and number: it may be answered yet. */
                if (track->state == PT_OUTCOME_ANSWERED)
                        track->end = PT_OUTCOME_RESET;
                else
                        track->state = PT_OUTCOME_REFUSED;
                return;
        }
        track->state = PT_OUTCOME_ANSWERED;
        /* One that comes behind octets, sent again, does not tell how many those were. */
        track->begins_known = track->begins_known || (syn && !track->server.known);
        go_on(&track->server, packet->tcp_sequence + syn, packet->tcp_octets, syn);
}

static void from_client(struct track *track, const struct pt_packet *packet)
{
        bool syn = packet->tcp_flags & PT_TCP_SYN;

        if (packet->tcp_flags & PT_TCP_RST) {
                track->client.packets++;
                track->end = PT_OUTCOME_RESET;
                return;
        }
        go_on(&track->client, packet->tcp_sequence + syn, packet->tcp_octets, syn);
}

/* A FIN that comes before all octets before it is one still: they cannot be waited for. */
static void take(struct track *track, const struct pt_packet *packet, bool client, int64_t wall)
{
        struct way *way = client ? &track->client : &track->server;

        if (track->end != PT_OUTCOME_OPEN)
                return;
        if (client)
                from_client(track, packet);
        else
                from_server(track, packet);
        way->fin = way->fin || packet->tcp_flags & PT_TCP_FIN;
        if (track->client.fin && track->server.fin && track->end == PT_OUTCOME_OPEN)
                track->end = PT_OUTCOME_CLOSED;
        track->last_wall = wall;
}

static bool is_new(const struct track *track, const struct pt_packet *packet)
{
        uint8_t flags = packet->tcp_flags & (PT_TCP_SYN | PT_TCP_ACK | PT_TCP_RST | PT_TCP_FIN);

        return flags == PT_TCP_SYN && (!track || track->sequence != packet->tcp_sequence);
}

void pt_outcomes_packet(struct pt_outcomes *outcomes, const struct pt_packet *packet, int64_t wall)
{
        bool low = is_low(&packet->source, packet->source_port, &packet->destination,
                          packet->destination_port);
        struct pt_recent_key key = key_of(outcomes, &packet->source, packet->source_port,
                                          &packet->destination, packet->destination_port);
        struct followed *followed = pt_recent_find(&outcomes->followed, &key);
        struct track *track = pt_recent_find(&outcomes->watched, &key);

        if (followed && followed->track.end == PT_OUTCOME_OPEN) {
                bool replaced = is_new(&followed->track, packet);

                if (replaced)
                        followed->track.end = PT_OUTCOME_REPLACED;
                else
                        take(&followed->track, packet, low == followed->track.client_low, wall);
                outcomes->ended += followed->track.end != PT_OUTCOME_OPEN;
                if (!replaced)
                        return;
        }
        if (is_new(track, packet)) {
                track = pt_recent_touch(&outcomes->watched, &key);
                *track = (struct track){
                        .sequence = packet->tcp_sequence, .client_low = low, .begun = true};
        }
        if (track && track->begun)
                take(track, packet, low == track->client_low, wall);
}

/* ---- following ---- */

bool pt_outcomes_follow(struct pt_outcomes *outcomes, const struct pt_syn *syn, const char *rule)
{
        const struct pt_address client = pt_address_plain(&syn->client);
        struct pt_recent_key key = key_of(outcomes, &client, syn->client_port, &syn->destination,
                                          syn->destination_port);
        const struct track *track = pt_recent_find(&outcomes->watched, &key);
        struct followed *followed;

        if (pt_recent_full(&outcomes->followed) || pt_recent_find(&outcomes->followed, &key))
                return false;
        followed = pt_recent_touch(&outcomes->followed, &key);
        followed->syn = *syn;
        snprintf(followed->rule, sizeof followed->rule, "%s", rule);
        followed->track = (struct track){
                .client = {.packets = 1, .next = syn->sequence + 1, .known = true},
                .last_wall = syn->wall,
                .sequence = syn->sequence,
                .client_low =
                        is_low(&client, syn->client_port, &syn->destination, syn->destination_port),
                .begun = true,
        };
        if (track && track->sequence == syn->sequence &&
            track->client_low == followed->track.client_low)
                followed->track = *track;
        if (track)
                pt_recent_drop(&outcomes->watched, track);
        outcomes->ended += followed->track.end != PT_OUTCOME_OPEN;
        outcomes->changes++;
        return true;
}

size_t pt_outcomes_followed(const struct pt_outcomes *outcomes, const struct pt_syn **ret,
                            size_t room)
{
        const struct followed *followed = pt_recent_oldest(&outcomes->followed);
        size_t count = 0;

        for (; followed && count < room; count++) {
                ret[count] = &followed->syn;
                followed = pt_recent_younger(&outcomes->followed, followed);
        }
        return count;
}

uint64_t pt_outcomes_changes(const struct pt_outcomes *outcomes)
{
        return outcomes->changes;
}

/*
 * Every segment says how far its sender had come. So what was hidden is known by what came later,
 * and a side of which nothing came later may have sent more.
 */
static bool is_partial(const struct track *track, bool late)
{
        if (track->state != PT_OUTCOME_ANSWERED)
                return false;
        return !track->begins_known || (late && (!track->client.late || !track->server.late));
}

static struct pt_outcome outcome_of(const struct followed *followed, bool late, bool over)
{
        const struct track *track = &followed->track;
        struct pt_outcome outcome = {
                .syn = followed->syn,
                .state = (enum pt_outcome_state)track->state,
                .end = (enum pt_outcome_end)track->end,
                .client = {track->client.bytes, track->client.packets},
                .server = {track->server.bytes, track->server.packets},
                .partial = is_partial(track, late),
                .last_wall = track->last_wall,
        };

        memcpy(outcome.rule, followed->rule, sizeof outcome.rule);
        if (outcome.end == PT_OUTCOME_OPEN)
                outcome.end = over ? PT_OUTCOME_END_OF_INPUT : PT_OUTCOME_TIMEOUT;
        return outcome;
}

bool pt_outcomes_next(struct pt_outcomes *outcomes, int64_t now, bool over, struct pt_outcome *ret)
{
        const struct followed *followed = pt_recent_oldest(&outcomes->followed);

        if (!followed)
                return false;
        if (outcomes->ended)
                while (followed && followed->track.end == PT_OUTCOME_OPEN)
                        followed = pt_recent_younger(&outcomes->followed, followed);
        else if (!over && followed->syn.time + PT_OUTCOME_TIME >= now)
                return false;
        if (!followed)
                return false;
        *ret = outcome_of(followed, outcomes->late, over);
        outcomes->ended -= followed->track.end != PT_OUTCOME_OPEN;
        pt_recent_drop(&outcomes->followed, followed);
        outcomes->changes++;
        return true;
}

int64_t pt_outcomes_due(const struct pt_outcomes *outcomes)
{
        const struct followed *followed = pt_recent_oldest(&outcomes->followed);

        if (outcomes->ended)
                return INT64_MIN;
        return followed ? followed->syn.time + PT_OUTCOME_TIME : INT64_MAX;
}
