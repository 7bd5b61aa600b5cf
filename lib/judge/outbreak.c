#include "judge/outbreak.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory/recent.h"

#define KEY 17 /* octets: which kind, and 16 for what it is */

/* What clients may have in common. */
struct group {
        uint8_t key[KEY];
        uint32_t generation; /* members of an older one of the same key are not its own */
        uint32_t clients;
        uint32_t announced;      /* the number that was told, 0 before the first */
        struct pt_dns_name name; /* of a name: as it was seen last */
};

/* A client in one of them. */
struct member {
        uint8_t key[KEY];
        uint32_t generation;
        struct pt_address client;
        struct pt_address destination; /* of its last match */
        uint8_t name[KEY];             /* the key of that match's name */
        uint16_t port;
        enum pt_verdict verdict; /* the best */
        int severity;            /* the highest */
        int64_t last;            /* engine time */
        int64_t first_wall;
        int64_t last_wall;
};

struct pt_outbreak {
        struct pt_recent groups;
        struct pt_recent members;
        uint32_t generation;
        struct pt_counters *counters;
        struct pt_outbreak_found found;
};

static uint32_t groups_for(uint32_t capacity)
{
        return capacity / 8 ? capacity / 8 : 1;
}

int pt_outbreak_new(uint32_t capacity, const struct pt_hash_key *key, struct pt_counters *counters,
                    struct pt_outbreak **ret)
{
        struct pt_outbreak *outbreak = calloc(1, sizeof *outbreak);

        if (!outbreak || pt_recent_init(&outbreak->groups, groups_for(capacity),
                                        sizeof(struct group), key) < 0) {
                free(outbreak);
                return -ENOMEM;
        }
        if (pt_recent_init(&outbreak->members, capacity, sizeof(struct member), key) < 0) {
                pt_outbreak_free(outbreak);
                return -ENOMEM;
        }
        outbreak->counters = counters;
        *ret = outbreak;
        return 0;
}

struct pt_outbreak *pt_outbreak_free(struct pt_outbreak *outbreak)
{
        if (outbreak) {
                pt_recent_deinit(&outbreak->members);
                pt_recent_deinit(&outbreak->groups);
        }
        free(outbreak);
        return NULL;
}

size_t pt_outbreak_size(uint32_t capacity)
{
        return sizeof(struct pt_outbreak) + pt_recent_size(capacity, sizeof(struct member)) +
               pt_recent_size(groups_for(capacity), sizeof(struct group));
}

const char *pt_outbreak_key_name(enum pt_outbreak_key key)
{
        static const char *const names[] = {
                [PT_OUTBREAK_NAME] = "name",
                [PT_OUTBREAK_DESTINATION] = "destination",
                [PT_OUTBREAK_RULE] = "rule",
        };

        return names[key];
}

/* ---- keys ---- */

static void hashed_key(const struct pt_outbreak *outbreak, enum pt_outbreak_key kind,
                       const void *octets, size_t length, uint8_t ret[KEY])
{
        struct pt_hash128 hash = pt_siphash24_128(&outbreak->groups.key, octets, length);

        ret[0] = (uint8_t)kind;
        memcpy(ret + 1, hash.octets, 16);
}

/* RFC 4343: letters of names are compared without their case. */
static void name_key(const struct pt_outbreak *outbreak, const struct pt_dns_name *name,
                     uint8_t ret[KEY])
{
        uint8_t lower[sizeof name->wire];

        for (size_t i = 0; i < name->length; i++) {
                uint8_t c = name->wire[i];

                lower[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
        }
        hashed_key(outbreak, PT_OUTBREAK_NAME, lower, name->length, ret);
}

static struct pt_recent_key group_key(const struct pt_outbreak *outbreak, const uint8_t key[KEY])
{
        struct pt_recent_key ret = {0};

        memcpy(ret.octets, key, KEY);
        pt_recent_hash(&outbreak->groups, &ret);
        return ret;
}

static struct pt_recent_key member_key(const struct pt_outbreak *outbreak, const uint8_t key[KEY],
                                       const struct pt_address *client)
{
        struct pt_recent_key ret = {0};

        memcpy(ret.octets, key, KEY);
        memcpy(ret.octets + KEY, client->octets, 16);
        pt_recent_hash(&outbreak->members, &ret);
        return ret;
}

/* ---- who gives way ---- */

static struct group *group_of(struct pt_outbreak *outbreak, const struct member *member)
{
        struct pt_recent_key key = group_key(outbreak, member->key);
        struct group *group = pt_recent_find(&outbreak->groups, &key);

        return group && group->generation == member->generation ? group : NULL;
}

/* With its last client a group is forgotten, and what was told of it. */
static void forget_oldest(struct pt_outbreak *outbreak)
{
        struct member *member = pt_recent_oldest(&outbreak->members);
        struct group *group = group_of(outbreak, member);

        if (group && !--group->clients)
                pt_recent_drop(&outbreak->groups, group);
        pt_recent_drop_oldest(&outbreak->members);
}

static void forget_old(struct pt_outbreak *outbreak, int64_t now)
{
        const struct member *oldest;

        while ((oldest = pt_recent_oldest(&outbreak->members)) &&
               oldest->last < now - PT_OUTBREAK_WITHIN)
                forget_oldest(outbreak);
}

static void count_evicted(struct pt_outbreak *outbreak)
{
        outbreak->counters->value[PT_COUNT_OUTBREAK_EVICTED]++;
}

static struct group *touch_group(struct pt_outbreak *outbreak, const uint8_t of[KEY])
{
        struct pt_recent_key key = group_key(outbreak, of);
        struct group *group = pt_recent_find(&outbreak->groups, &key);

        if (!group && pt_recent_full(&outbreak->groups))
                count_evicted(outbreak);
        group = pt_recent_touch(&outbreak->groups, &key);
        if (!group->generation) {
                memcpy(group->key, of, KEY);
                group->generation = ++outbreak->generation;
        }
        return group;
}

/* The address that the host is known by here: its own, or the first twin's that is known, or its
 * own. */
static const struct pt_address *known_as(const struct pt_outbreak *outbreak, const uint8_t of[KEY],
                                         const struct pt_address *client,
                                         const struct pt_twin_list *twins)
{
        struct pt_recent_key key = member_key(outbreak, of, client);
        size_t count = twins ? twins->count : 0;

        if (!count || pt_recent_find(&outbreak->members, &key))
                return client;
        for (size_t i = 0; i < count; i++) {
                key = member_key(outbreak, of, &twins->addresses[i]);
                if (pt_recent_find(&outbreak->members, &key))
                        return &twins->addresses[i];
        }
        return client;
}

static struct member *touch_member(struct pt_outbreak *outbreak, const uint8_t of[KEY],
                                   const struct pt_address *client)
{
        struct pt_recent_key key = member_key(outbreak, of, client);

        if (pt_recent_full(&outbreak->members) && !pt_recent_find(&outbreak->members, &key)) {
                count_evicted(outbreak);
                forget_oldest(outbreak);
        }
        return pt_recent_touch(&outbreak->members, &key);
}

/* ---- a match ---- */

static void begin_member(struct member *m, struct group *group, const struct pt_address *client,
                         const struct pt_syn *syn, const struct pt_match *match)
{
        *m = (struct member){
                .generation = group->generation,
                .client = *client,
                .verdict = match->verdict,
                .severity = match->severity,
                .last = syn->time,
                .first_wall = syn->wall,
                .last_wall = syn->wall,
        };
        memcpy(m->key, group->key, KEY);
        group->clients++;
}

/* The group, with this client in it. */
static struct group *join(struct pt_outbreak *outbreak, const uint8_t key[KEY],
                          const struct pt_syn *syn, const struct pt_twin_list *twins,
                          const struct pt_match *match, const uint8_t name[KEY])
{
        const struct pt_address *client = known_as(outbreak, key, &syn->client, twins);
        /* The member first: making room for it may end the group. */
        struct member *m = touch_member(outbreak, key, client);
        struct group *group = touch_group(outbreak, key);

        if (m->generation != group->generation)
                begin_member(m, group, client, syn, match);
        m->destination = syn->key;
        m->port = syn->destination_port;
        memcpy(m->name, name, KEY);
        m->verdict = match->verdict < m->verdict ? match->verdict : m->verdict;
        m->severity = match->severity > m->severity ? match->severity : m->severity;
        m->last = syn->time > m->last ? syn->time : m->last;
        m->first_wall = syn->wall < m->first_wall ? syn->wall : m->first_wall;
        m->last_wall = syn->wall > m->last_wall ? syn->wall : m->last_wall;
        return group;
}

/* A rule is coarse: two clients that meet the same one have little in common. */
static uint32_t first_level(enum pt_outbreak_key kind)
{
        return kind == PT_OUTBREAK_RULE ? 4 : 2;
}

/* True if a number of clients is reached that is to be told. */
static bool reaches(struct group *group)
{
        uint32_t level = first_level((enum pt_outbreak_key)group->key[0]);

        if (group->announced)
                level = group->announced * 2;
        if (group->clients < level)
                return false;
        while (level * 2 <= group->clients)
                level *= 2;
        group->announced = level;
        return true;
}

/* ---- what is told ---- */

static void list_address(struct pt_address *list, size_t *count, const struct pt_address *address)
{
        for (size_t i = 0; i < *count; i++)
                if (pt_address_equal(&list[i], address))
                        return;
        if (*count < PT_OUTBREAK_LISTED)
                list[(*count)++] = *address;
}

static void list_port(struct pt_outbreak_found *found, uint16_t port)
{
        for (size_t i = 0; i < found->port_count; i++)
                if (found->ports[i] == port)
                        return;
        if (found->port_count < PT_OUTBREAK_LISTED)
                found->ports[found->port_count++] = port;
}

static void list_name(struct pt_outbreak *outbreak, const uint8_t key[KEY])
{
        struct pt_outbreak_found *found = &outbreak->found;
        struct pt_recent_key wanted = group_key(outbreak, key);
        const struct group *group = pt_recent_find(&outbreak->groups, &wanted);

        if (!group)
                return;
        for (size_t i = 0; i < found->name_count; i++)
                if (pt_dns_name_equal(&found->names[i], &group->name))
                        return;
        if (found->name_count < PT_OUTBREAK_LISTED)
                found->names[found->name_count++] = group->name;
}

static void list_member(struct pt_outbreak *outbreak, const struct member *m)
{
        struct pt_outbreak_found *found = &outbreak->found;

        found->verdict = m->verdict < found->verdict ? m->verdict : found->verdict;
        if (m->first_wall < found->first_wall)
                found->first_wall = m->first_wall;
        if (m->last_wall > found->last_wall)
                found->last_wall = m->last_wall;
        if (found->client_count == PT_OUTBREAK_LISTED)
                return;
        list_address(found->clients, &found->client_count, &m->client);
        list_address(found->destinations, &found->destination_count, &m->destination);
        list_port(found, m->port);
        list_name(outbreak, m->name);
}

/*
 * The highest severity that enough of the clients reach. A name or a destination ties them
 * together, so one is enough; who merely meets the same rule is not raised by another's match. A
 * number of clients raises nothing either: users of an innocent service, whose port fits by chance,
 * are many too.
 */
static int severity_of(enum pt_outbreak_key kind, const unsigned reached[3])
{
        static const int severities[3] = {PT_SEVERITY_HIGH, PT_SEVERITY_MEDIUM, PT_SEVERITY_LOW};
        unsigned enough = kind == PT_OUTBREAK_RULE ? first_level(kind) : 1;

        for (size_t i = 0; i < 2; i++)
                if (reached[i] >= enough)
                        return severities[i];
        return severities[2];
}

/*
 * Clients that all came by one name are told by that name, and those of one destination by the
 * destination: what is less telling adds nothing.
 */
static bool is_covered(enum pt_outbreak_key kind, bool one_name, bool one_destination)
{
        return (one_name && kind != PT_OUTBREAK_NAME) ||
               (one_destination && kind == PT_OUTBREAK_RULE);
}

/*
 * Looks through all members: it happens once for each level of a group. False if there is nothing
 * to tell that a more telling group has not told.
 */
static bool describe(struct pt_outbreak *outbreak, const struct group *group)
{
        struct pt_outbreak_found *found = &outbreak->found;
        const struct member *first = NULL;
        bool one_name = true, one_destination = true;
        unsigned reached[3] = {0};

        *found = (struct pt_outbreak_found){
                .key = (enum pt_outbreak_key)group->key[0],
                .count = group->clients,
                .verdict = PT_PORT_ONLY,
                .first_wall = INT64_MAX,
                .last_wall = INT64_MIN,
        };
        for (const struct member *m = pt_recent_youngest(&outbreak->members); m;
             m = pt_recent_older(&outbreak->members, m)) {
                if (m->generation != group->generation)
                        continue;
                first = first ? first : m;
                one_name = one_name && memcmp(m->name, first->name, KEY) == 0;
                one_destination =
                        one_destination && pt_address_equal(&m->destination, &first->destination);
                reached[0] += m->severity >= PT_SEVERITY_HIGH;
                reached[1] += m->severity >= PT_SEVERITY_MEDIUM;
                reached[2]++;
                list_member(outbreak, m);
        }
        found->severity = severity_of(found->key, reached);
        return !is_covered(found->key, one_name, one_destination);
}

const struct pt_outbreak_found *pt_outbreak_add(struct pt_outbreak *outbreak,
                                                const struct pt_syn *syn,
                                                const struct pt_twin_list *twins,
                                                const struct pt_match *match,
                                                const struct pt_dns_name *question)
{
        uint8_t keys[PT_OUTBREAK_KEYS][KEY] = {{0}};
        size_t count = match->severity >= PT_SEVERITY_MEDIUM ? PT_OUTBREAK_KEYS : PT_OUTBREAK_RULE;
        const char *rule = match->rule->id;
        bool told = false;

        forget_old(outbreak, syn->time);
        name_key(outbreak, question, keys[PT_OUTBREAK_NAME]);
        keys[PT_OUTBREAK_DESTINATION][0] = PT_OUTBREAK_DESTINATION;
        memcpy(keys[PT_OUTBREAK_DESTINATION] + 1, syn->key.octets, 16);
        hashed_key(outbreak, PT_OUTBREAK_RULE, rule, strlen(rule), keys[PT_OUTBREAK_RULE]);
        for (size_t i = 0; i < count; i++) {
                struct group *group =
                        join(outbreak, keys[i], syn, twins, match, keys[PT_OUTBREAK_NAME]);

                if (i == PT_OUTBREAK_NAME)
                        group->name = *question;
                if (reaches(group) && !told)
                        told = describe(outbreak, group);
        }
        return told ? &outbreak->found : NULL;
}
