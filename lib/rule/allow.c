#include "rule/allow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define PORTS 65536

struct pt_allow_builder {
        struct pt_entry *entries;
        size_t count, room;
        char **files;
        size_t file_count;
};

struct pt_allow {
        struct pt_entry *entries; /* in order of pt_entry_compare() */
        size_t count;
        char **files;
        size_t file_count;
        size_t begin[PT_ALLOW_LISTS + 1]; /* where the entries of each list begin */
        size_t below;                     /* where, among the names, those with *. begin */
        uint8_t bits[2][129];             /* lengths of prefix that occur, longest first */
        size_t bits_count[2];
        uint32_t *ports; /* entry of each port + 1; NULL if none has one */
};

static const char *const list_names[PT_ALLOW_LISTS] = {
        [PT_ALLOW_CLIENTS] = "client",
        [PT_ALLOW_DESTINATIONS] = "destination",
        [PT_ALLOW_NAMES] = "name",
        [PT_ALLOW_PORTS] = "port",
};

const char *pt_allow_list_name(enum pt_allow_list list)
{
        return list_names[list];
}

/* ---- made ---- */

int pt_allow_builder_new(struct pt_allow_builder **ret)
{
        struct pt_allow_builder *builder = calloc(1, sizeof *builder);

        if (!builder)
                return -ENOMEM;
        *ret = builder;
        return 0;
}

static void forget_entries(struct pt_allow_builder *builder, size_t from)
{
        while (builder->count > from)
                pt_entry_clear(&builder->entries[--builder->count]);
}

static void free_files(char **files, size_t count)
{
        for (size_t i = 0; i < count; i++)
                free(files[i]);
        free(files);
}

struct pt_allow_builder *pt_allow_builder_free(struct pt_allow_builder *builder)
{
        if (!builder)
                return NULL;
        forget_entries(builder, 0);
        free(builder->entries);
        free_files(builder->files, builder->file_count);
        free(builder);
        return NULL;
}

/* The builder keeps one copy of each file's name. NULL if there is no memory. */
static const char *keep_file(struct pt_allow_builder *builder, const char *file)
{
        char **files = realloc(builder->files, (builder->file_count + 1) * sizeof *files);

        if (!files)
                return NULL;
        builder->files = files;
        files[builder->file_count] = strdup(file);
        return files[builder->file_count] ? files[builder->file_count++] : NULL;
}

static int add_entry(struct pt_allow_builder *builder, const struct pt_entry *entry)
{
        if (builder->count == builder->room) {
                size_t room = builder->room ? 2 * builder->room : 64;
                struct pt_entry *entries =
                        realloc(builder->entries, room * sizeof *builder->entries);

                if (!entries)
                        return -ENOMEM;
                builder->entries = entries;
                builder->room = room;
        }
        builder->entries[builder->count] = *entry;
        builder->entries[builder->count].order = builder->count;
        builder->count++;
        return 0;
}

static int refuse(struct pt_rule_error *error, const char *file, unsigned line,
                  const struct pt_entry_fault *fault)
{
        *error = (struct pt_rule_error){.line = line, .column = fault->column};
        snprintf(error->file, sizeof error->file, "%s", file);
        snprintf(error->sentence, sizeof error->sentence, "%s", fault->sentence);
        return -EINVAL;
}

static int add_lines(struct pt_allow_builder *builder, enum pt_allow_list list, const char *file,
                     const char *text, size_t length, struct pt_rule_error *error)
{
        const char *end = text + length;
        struct pt_entry_fault fault;
        enum pt_entry_line kind;
        struct pt_entry entry;

        for (unsigned line = 1; text < end; line++) {
                const char *stop = memchr(text, '\n', (size_t)(end - text));
                int r = pt_entry_read(list, text, (size_t)((stop ? stop : end) - text), &kind,
                                      &entry, &fault);

                if (r < 0)
                        return r;
                if (kind == PT_ENTRY_BAD)
                        return refuse(error, builder->files[builder->file_count - 1], line, &fault);
                if (kind == PT_ENTRY_READ) {
                        entry.shown.file = file;
                        entry.shown.line = line;
                        r = add_entry(builder, &entry);
                }
                if (r < 0) {
                        pt_entry_clear(&entry);
                        return r;
                }
                text = stop ? stop + 1 : end;
        }
        return 0;
}

int pt_allow_add(struct pt_allow_builder *builder, enum pt_allow_list list, const char *file,
                 const char *text, size_t length, struct pt_rule_error *error)
{
        static const char mark[3] = "\xef\xbb\xbf"; /* of UTF-8: editors on Windows write it */
        size_t before = builder->count;
        const char *kept = keep_file(builder, file);
        int r;

        if (!kept)
                return -ENOMEM;
        if (length >= sizeof mark && memcmp(text, mark, sizeof mark) == 0) {
                text += sizeof mark;
                length -= sizeof mark;
        }
        r = add_lines(builder, list, kept, text, length, error);
        if (r < 0)
                forget_entries(builder, before);
        return r;
}

/* ---- finished ---- */

static int compare(const void *a, const void *b)
{
        const struct pt_entry *one = a, *other = b;
        int order = pt_entry_compare(one, other);

        if (order)
                return order;
        return one->order < other->order ? -1 : one->order > other->order;
}

/* What stands twice is one entry, the first. */
static void drop_doubles(struct pt_allow *allow)
{
        size_t kept = 0;

        for (size_t i = 0; i < allow->count; i++) {
                if (kept && pt_entry_compare(&allow->entries[kept - 1], &allow->entries[i]) == 0)
                        pt_entry_clear(&allow->entries[i]);
                else
                        allow->entries[kept++] = allow->entries[i];
        }
        allow->count = kept;
}

static void note_places(struct pt_allow *allow)
{
        size_t at = 0;

        for (unsigned list = 0; list < PT_ALLOW_LISTS; list++) {
                allow->begin[list] = at;
                while (at < allow->count && allow->entries[at].shown.list == list)
                        at++;
        }
        allow->begin[PT_ALLOW_LISTS] = allow->count;
        allow->below = allow->begin[PT_ALLOW_NAMES];
        while (allow->below < allow->begin[PT_ALLOW_NAMES + 1] &&
               !allow->entries[allow->below].name.below)
                allow->below++;
}

/* Entries stand in the order of their lengths: look from the last to the first. */
static void note_lengths(struct pt_allow *allow, enum pt_allow_list list)
{
        uint8_t *bits = allow->bits[list];
        size_t count = 0;

        for (size_t i = allow->begin[list + 1]; i > allow->begin[list]; i--) {
                uint8_t present = allow->entries[i - 1].prefix.bits;

                if (!count || bits[count - 1] != present)
                        bits[count++] = present;
        }
        allow->bits_count[list] = count;
}

/* The narrowest range that holds a port has it. `next` leads over ports that are taken. */
static int note_ports(struct pt_allow *allow)
{
        size_t begin = allow->begin[PT_ALLOW_PORTS], end = allow->begin[PT_ALLOW_PORTS + 1];
        uint32_t *next;

        if (begin == end)
                return 0;
        allow->ports = calloc(PORTS, sizeof *allow->ports);
        next = calloc(PORTS + 1, sizeof *next);
        if (!allow->ports || !next) {
                free(next);
                return -ENOMEM;
        }
        for (uint32_t port = 0; port <= PORTS; port++)
                next[port] = port;
        for (size_t i = begin; i < end; i++) {
                const struct pt_entry *entry = &allow->entries[i];

                for (uint32_t port = entry->ports.low; port <= entry->ports.high;) {
                        uint32_t open = next[port];

                        if (open == port && !allow->ports[port])
                                allow->ports[port] = (uint32_t)i + 1;
                        if (next[port] < (uint32_t)entry->ports.high + 1)
                                next[port] = (uint32_t)entry->ports.high + 1;
                        port = open > port ? open : port + 1;
                }
        }
        free(next);
        return 0;
}

/* Counts go on where the same entry stood in the set before. */
static void carry(struct pt_allow *allow, const struct pt_allow *before)
{
        size_t i = 0, j = 0;

        while (before && i < allow->count && j < before->count) {
                int order = pt_entry_compare(&allow->entries[i], &before->entries[j]);

                if (order == 0)
                        allow->entries[i].shown.matches = before->entries[j].shown.matches;
                i += order <= 0;
                j += order >= 0;
        }
}

int pt_allow_finish(struct pt_allow_builder *builder, const struct pt_allow *before,
                    struct pt_allow **ret)
{
        struct pt_allow *allow = calloc(1, sizeof *allow);

        if (!allow)
                return -ENOMEM;
        allow->entries = builder->entries;
        allow->count = builder->count;
        allow->files = builder->files;
        allow->file_count = builder->file_count;
        *builder = (struct pt_allow_builder){0};
        if (allow->count)
                qsort(allow->entries, allow->count, sizeof *allow->entries, compare);
        drop_doubles(allow);
        note_places(allow);
        note_lengths(allow, PT_ALLOW_CLIENTS);
        note_lengths(allow, PT_ALLOW_DESTINATIONS);
        if (note_ports(allow) < 0) {
                pt_allow_free(allow);
                return -ENOMEM;
        }
        carry(allow, before);
        *ret = allow;
        return 0;
}

struct pt_allow *pt_allow_free(struct pt_allow *allow)
{
        if (!allow)
                return NULL;
        for (size_t i = 0; i < allow->count; i++)
                pt_entry_clear(&allow->entries[i]);
        free(allow->entries);
        free_files(allow->files, allow->file_count);
        free(allow->ports);
        free(allow);
        return NULL;
}

bool pt_allow_entry(const struct pt_allow *allow, size_t place, struct pt_allow_entry *ret)
{
        if (!allow || place >= allow->count)
                return false;
        *ret = allow->entries[place].shown;
        return true;
}

/* ---- asked ---- */

/* The entry with this key from `begin` up to `end`, or NULL. */
static struct pt_allow_entry *search(const struct pt_allow *allow, size_t begin, size_t end,
                                     const struct pt_entry *key)
{
        while (begin < end) {
                size_t middle = begin + (end - begin) / 2;
                int order = pt_entry_compare(key, &allow->entries[middle]);

                if (order == 0)
                        return &allow->entries[middle].shown;
                if (order < 0)
                        end = middle;
                else
                        begin = middle + 1;
        }
        return NULL;
}

static struct pt_address cut_to(const struct pt_address *address, uint8_t bits)
{
        struct pt_address cut = {{0}};

        memcpy(cut.octets, address->octets, bits / 8);
        if (bits % 8)
                cut.octets[bits / 8] = (uint8_t)(address->octets[bits / 8] & (0xff00 >> bits % 8));
        return cut;
}

/* The longest prefix of the list that contains the address. */
static struct pt_allow_entry *find_prefix(const struct pt_allow *allow, enum pt_allow_list list,
                                          const struct pt_address *address)
{
        for (size_t i = 0; i < allow->bits_count[list]; i++) {
                uint8_t bits = allow->bits[list][i];
                struct pt_entry key = {.shown.list = list, .prefix = {cut_to(address, bits), bits}};
                struct pt_allow_entry *found = NULL;

                if (pt_prefix_contains(&key.prefix, address))
                        found = search(allow, allow->begin[list], allow->begin[list + 1], &key);
                if (found)
                        return found;
        }
        return NULL;
}

struct pt_allow_entry *pt_allow_connection(const struct pt_allow *allow,
                                           const struct pt_address *client,
                                           const struct pt_address *destination,
                                           const struct pt_address *key, uint16_t port)
{
        const struct pt_address plain = pt_address_plain(client);
        struct pt_allow_entry *found;

        if (!allow)
                return NULL;
        found = find_prefix(allow, PT_ALLOW_CLIENTS, &plain);
        if (!found)
                found = find_prefix(allow, PT_ALLOW_DESTINATIONS, destination);
        if (!found)
                found = find_prefix(allow, PT_ALLOW_DESTINATIONS, key);
        if (!found && allow->ports && allow->ports[port])
                found = &allow->entries[allow->ports[port] - 1].shown;
        return found;
}

struct pt_allow_entry *pt_allow_name(const struct pt_allow *allow, const struct pt_dns_name *name)
{
        uint8_t wire[256] = {name->length};
        struct pt_entry key = {.shown.list = PT_ALLOW_NAMES, .name = {false, wire}};
        struct pt_allow_entry *found;

        if (!allow || allow->begin[PT_ALLOW_NAMES] == allow->begin[PT_ALLOW_NAMES + 1])
                return NULL;
        for (size_t i = 0; i < name->length; i++) {
                uint8_t octet = name->wire[i];

                wire[1 + i] = octet >= 'A' && octet <= 'Z' ? (uint8_t)(octet | 0x20) : octet;
        }
        found = search(allow, allow->begin[PT_ALLOW_NAMES], allow->below, &key);
        key.name.below = true;
        /* Take away the first label, until the root is left. */
        for (size_t at = 0;
             !found && name->wire[at] && allow->below < allow->begin[PT_ALLOW_PORTS];) {
                at += 1u + name->wire[at];
                key.name.wire = wire + at; /* its length stands where the label before it ended */
                wire[at] = (uint8_t)(name->length - at);
                found = search(allow, allow->below, allow->begin[PT_ALLOW_NAMES + 1], &key);
        }
        return found;
}

/* ---- counted ---- */

/* Where the count keeps its order, and of equal ones the earlier entry stands first. */
static size_t insert(struct pt_allow_entry *list, size_t count, size_t room,
                     const struct pt_allow_entry *entry)
{
        size_t at = count;

        while (at && list[at - 1].matches < entry->matches)
                at--;
        if (at == room)
                return count;
        count += count < room;
        memmove(&list[at + 1], &list[at], (count - at - 1) * sizeof *list);
        list[at] = *entry;
        return count;
}

size_t pt_allow_most(const struct pt_allow *allow, struct pt_allow_entry *ret, size_t room,
                     size_t *ret_used, size_t *ret_entries)
{
        size_t count = 0, used = 0;

        for (size_t i = 0; allow && i < allow->count; i++) {
                if (!allow->entries[i].shown.matches)
                        continue;
                used++;
                count = insert(ret, count, room, &allow->entries[i].shown);
        }
        *ret_used = used;
        *ret_entries = allow ? allow->count : 0;
        return count;
}
