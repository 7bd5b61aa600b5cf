#include "reckon.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000)
#define HOUR (3600 * SECOND)
#define WINDOW (600 * SECOND)
#define CROSS (60 * SECOND)
#define CLIENTS 65536 /* the low half of an address tells one from another */
#define RING 64       /* answers of a client that the cross search may see */
#define DECADES 7     /* of chance: below 1e-5, ..., from 0.1, and all */
#define RULES 5
#define SETS 3 /* of ports: the published band, the rest, all */

/* ---- a table from numbers to numbers ---- */

struct cell {
        uint64_t key; /* 0: empty */
        uint64_t value;
};

struct table {
        struct cell *cells;
        size_t size, used;
};

static uint64_t *find(struct table *t, uint64_t key);

static void grow(struct table *t)
{
        struct table old = *t;

        t->size = old.size ? old.size * 2 : 1024;
        t->used = 0;
        t->cells = calloc(t->size, sizeof *t->cells);
        if (!t->cells)
                abort();
        for (size_t i = 0; i < old.size; i++)
                if (old.cells[i].key)
                        *find(t, old.cells[i].key) = old.cells[i].value;
        free(old.cells);
}

/* Makes what is not there, with the value 0. */
static uint64_t *find(struct table *t, uint64_t key)
{
        if (t->used * 2 >= t->size)
                grow(t);
        for (size_t at = key * UINT64_C(0x9e3779b97f4a7c15) >> 20;; at++) {
                struct cell *c = &t->cells[at & (t->size - 1)];

                if (!c->key) {
                        c->key = key;
                        t->used++;
                }
                if (c->key == key)
                        return &c->value;
        }
}

static uint64_t pack(uint32_t client, uint32_t address, uint16_t port)
{
        return (uint64_t)(client & 0xffff) << 48 | (uint64_t)address << 16 | port;
}

/* ---- the rules ---- */

uint32_t reckon_apt12(uint32_t a)
{
        return (a >> 24) * (a >> 16 & 255) + (a >> 8 & 255);
}

uint32_t reckon_variant(uint32_t a)
{
        return (a >> 24) * ((a >> 16 & 255) + (a >> 8 & 255));
}

static bool in_band(uint32_t port)
{
        static const uint16_t excluded[] = {8080, 8443, 8000,  8888,  9090, 9200,
                                            9300, 9418, 27017, 27018, 28017};

        for (size_t i = 0; i < sizeof excluded / sizeof *excluded; i++)
                if (port == excluded[i])
                        return false;
        return port >= 4096 && port <= 49151;
}

static bool in_set(unsigned set, uint32_t port)
{
        bool usual = port == 0 || port == 80 || port == 443 || port > 65535;

        return set == 0 ? in_band(port) : !usual && (set == 2 || port < 4096 || port > 49151);
}

uint16_t reckon_port(uint32_t value, bool wraps)
{
        if (value > 65535)
                return wraps && in_set(2, value & 65535) ? (uint16_t)value : 0;
        return in_set(0, value) || in_set(1, value) ? (uint16_t)value : 0;
}

/* apt12, apt12-wide, variant, variant-wide, variant-wrapped */
static const unsigned set_of[RULES] = {0, 1, 0, 1, 2};

static uint16_t port_of(unsigned rule, uint32_t address)
{
        uint32_t value = rule < 2 ? reckon_apt12(address) : reckon_variant(address);

        if (rule == 4)
                value = value > 65535 ? value & 65535 : 0;
        return in_set(set_of[rule], value) ? (uint16_t)value : 0;
}

/* ---- the history of ports ---- */

static double prior[65536], prior_of[SETS];
static double weight[65536], weight_of[SETS], brought[CLIENTS];
static double admitted[SETS];
static struct table networks, parts, part_hours;
static uint64_t hour;
static uint64_t brought_hour[CLIENTS];

void reckon_prior(FILE *file)
{
        for (unsigned port = 0; port < 65536; port++)
                if (fscanf(file, "%lf", &prior[port]) != 1)
                        abort();
        for (unsigned set = 0; set < SETS; set++)
                for (unsigned port = 1; port < 65536; port++)
                        if (in_set(set, port)) {
                                prior_of[set] += prior[port];
                                admitted[set]++;
                        }
}

static void fade(uint64_t time)
{
        double by = pow(0.5, (double)(time / HOUR - hour) / 24);

        if (time / HOUR == hour)
                return;
        hour = time / HOUR;
        for (unsigned port = 0; port < 65536; port++)
                weight[port] *= by;
        for (unsigned set = 0; set < SETS; set++)
                weight_of[set] *= by;
}

/* What this client brought to this port, in millionths. */
static double part(uint32_t client, uint16_t port)
{
        uint64_t *value = find(&parts, pack(client, 1, port));

        return (double)*value / 1e6 *
               pow(0.5, (double)(hour - *find(&part_hours, pack(client, 1, port))) / 24);
}

static double share(unsigned set, uint32_t client, uint16_t port)
{
        double others = weight[port] - part(client, port) - 2;
        double s = (10000 * prior[port] / prior_of[set] + (others > 0 ? others : 0)) /
                   (10000 + weight_of[set]);

        return s > 1 / admitted[set] ? s : 1 / admitted[set];
}

/* Does the history take it up: the network on this port, today, and from this client? */
static bool is_new(uint32_t client, uint32_t destination, uint16_t port, uint64_t time)
{
        uint64_t counted = *find(&networks, pack(0, destination >> 8, port) | UINT64_C(1) << 63);
        double *b = &brought[client & 0xffff];

        *b *= pow(0.5, (double)(hour - brought_hour[client & 0xffff]) / 24);
        brought_hour[client & 0xffff] = hour;
        return (!counted || time - counted >= 24 * HOUR) && part(client, port) + 1 <= 2 &&
               *b + 1 <= 256;
}

static void observe(uint32_t client, uint32_t destination, uint16_t port, uint64_t time)
{
        uint64_t *counted = find(&networks, pack(0, destination >> 8, port) | UINT64_C(1) << 63);
        double own = part(client, port);

        if (!is_new(client, destination, port, time))
                return;
        brought[client & 0xffff] += 1;
        *counted = time;
        *find(&parts, pack(client, 1, port)) = (uint64_t)((own + 1) * 1e6);
        *find(&part_hours, pack(client, 1, port)) = hour;
        weight[port]++;
        for (unsigned set = 0; set < SETS; set++)
                weight_of[set] += in_set(set, port);
}

/* ---- tries within the window, exactly ---- */

struct tried {
        uint64_t time, key;
};

static struct tried *line;
static size_t line_first, line_end, line_room;
static struct table last_try;
static unsigned tries[CLIENTS][SETS];

static void expire(uint64_t time)
{
        for (; line_first < line_end && line[line_first].time + WINDOW < time; line_first++) {
                struct tried *t = &line[line_first];

                if (*find(&last_try, t->key) != t->time)
                        continue;
                for (unsigned set = 0; set < SETS; set++)
                        tries[t->key >> 48][set] -= in_set(set, t->key & 0xffff);
        }
}

static void try(uint32_t client, uint32_t destination, uint16_t port, uint64_t time)
{
        uint64_t key = pack(client, destination, port), *last = find(&last_try, key);

        if (!*last || *last + WINDOW < time)
                for (unsigned set = 0; set < SETS; set++)
                        tries[client & 0xffff][set] += in_set(set, port);
        *last = time;
        if (line_end == line_room) {
                memmove(line, line + line_first, (line_end - line_first) * sizeof *line);
                line_end -= line_first;
                line_first = 0;
                if (line_end * 2 >= line_room) {
                        line_room = line_room ? line_room * 2 : 4096;
                        line = realloc(line, line_room * sizeof *line);
                        if (!line)
                                abort();
                }
        }
        line[line_end++] = (struct tried){time, key};
}

/* ---- what the clients were given ---- */

static struct {
        uint64_t time;
        uint32_t address;
} ring[CLIENTS][RING];
static unsigned ring_end[CLIENTS];
static struct table given;

void reckon_given(uint32_t client, uint32_t address, uint64_t time)
{
        unsigned *end = &ring_end[client & 0xffff];

        ring[client & 0xffff][*end % RING].time = time;
        ring[client & 0xffff][*end % RING].address = address;
        (*end)++;
        *find(&given, pack(client, address, 1)) = time;
}

static bool is_given(uint32_t client, uint32_t address, uint64_t time)
{
        uint64_t at = *find(&given, pack(client, address, 1));

        return at && at + WINDOW >= time;
}

/* ---- the sums ---- */

static struct sums {
        double expected, variance;
        uint64_t matches;
} all_tries[DECADES], once[DECADES], all_cross[DECADES], once_cross[DECADES], each_cross[DECADES],
        scans[DECADES], scans_exact[DECADES], beyond[DECADES];
static struct table distinct, clusters, destinations;
static uint64_t distinct_tries, resolved_tries, exposed_tries, syns, published, published_distinct;

/* The matches among them, for the program's own figures to be held beside. */
static struct match {
        uint32_t client, destination;
        uint16_t port;
        unsigned rule;
        double share;
} * matches;
static size_t match_count, match_room;

static unsigned decade(double chance)
{
        int d = (int)floor(log10(chance)) + 6;

        return d < 0 ? 0 : d > 5 ? 5 : (unsigned)d;
}

/*
 * One candidate of a try: by `increment` its chance has grown. Whether it is a match depends on the
 * port and on the addresses alone, so all tries of a cluster match together, or none.
 */
static void add(struct sums *to, double increment, double chance, bool match,
                uint64_t weight_of_one)
{
        for (unsigned at = decade(chance);; at = DECADES - 1) {
                to[at].expected += increment;
                to[at].variance += (double)weight_of_one * increment;
                to[at].matches += match;
                if (at == DECADES - 1)
                        return;
        }
}

/* n tries of a cluster weigh n * n in the variance: the nth adds 2n - 1. */
static uint64_t weight_in(uint64_t cluster)
{
        uint64_t *n = find(&clusters, cluster);

        return 2 * ++*n - 1;
}

static double chance_of(double s, unsigned n)
{
        return -expm1(n * log1p(-s));
}

static void note_match(struct match match)
{
        if (match_count == match_room) {
                match_room = match_room ? match_room * 2 : 64;
                matches = realloc(matches, match_room * sizeof *matches);
                if (!matches)
                        abort();
        }
        matches[match_count++] = match;
}

/* A try that is being reckoned with. */
struct trying {
        uint32_t client, destination;
        uint16_t port;
        uint64_t time;
        bool first;  /* of this port at this destination's network, and the history takes it up */
        bool beyond; /* the first, but of a client that has brought all it may */
        bool scan;
};

/* n: tries up to now, this one included. */
static void direct(unsigned rule, const struct trying *t, unsigned n)
{
        uint16_t candidate = port_of(rule, t->destination);
        bool match = candidate == t->port;
        double s, increment;

        if (!candidate)
                return;
        s = share(set_of[rule], t->client, candidate);
        increment = s * pow(1 - s, n - 1);
        add(all_tries, increment, chance_of(s, n), match,
            weight_in(pack(0, t->destination >> 8, t->port) << 3 | rule | UINT64_C(1) << 60));
        if (t->scan) {
                add(scans, increment, chance_of(s, n), match, 1);
                add(scans_exact, fmin(1, n * s) - fmin(1, (n - 1) * s), fmin(1, n * s), match, 1);
        }
        if (t->first && !t->scan)
                add(once, increment, chance_of(s, n), match, 1);
        if (t->beyond && !t->scan)
                add(beyond, increment, chance_of(s, n), match, 1);
        if (match)
                note_match((struct match){t->client, t->destination, t->port, rule, s});
}

/* The addresses of a minute, newest first: each new port adds its share (4.3). */
static void cross(unsigned rule, const struct trying *t, unsigned n)
{
        uint16_t seen[RING];
        unsigned count = 0, end = ring_end[t->client & 0xffff];
        double s = 0;

        for (unsigned i = 1; i <= RING && i <= end; i++) {
                uint32_t address = ring[t->client & 0xffff][(end - i) % RING].address;
                uint16_t candidate = port_of(rule, address);
                bool new = candidate != 0 && address != t->destination;
                double increment;
                uint64_t weight_here;

                if (ring[t->client & 0xffff][(end - i) % RING].time + CROSS < t->time)
                        return;
                for (unsigned k = 0; k < count; k++)
                        new &= seen[k] != candidate;
                if (!new)
                        continue;
                seen[count++] = candidate;
                increment = share(set_of[rule], t->client, candidate);
                s += increment;
                increment *= pow(1 - s, n - 1);
                weight_here =
                        weight_in(pack(0, address >> 8, t->port) << 3 | rule | UINT64_C(1) << 61);
                add(all_cross, increment, chance_of(s, n), candidate == t->port, weight_here);
                if (weight_here == 1)
                        add(each_cross, increment, chance_of(s, n), candidate == t->port, 1);
                if (t->first)
                        add(once_cross, increment, chance_of(s, n), candidate == t->port, 1);
        }
}

/* Would a match be left at 73? Each such try costs what a random port costs. */
static bool exposed(const struct trying *t)
{
        unsigned set = in_band(t->port) ? 0 : 1, n = tries[t->client & 0xffff][set];

        return chance_of(share(set, t->client, t->port), n + 1) < 5e-4;
}

static void reckon_rules(const struct trying *t, bool resolved)
{
        for (unsigned rule = 0; rule < RULES; rule++) {
                unsigned n = tries[t->client & 0xffff][set_of[rule]];

                if (!in_set(set_of[rule], t->port))
                        continue;
                direct(rule, t, n + 1);
                if (resolved && !t->scan)
                        cross(rule, t, n + 1);
        }
}

static void reckon_try(struct trying t)
{
        uint64_t *known =
                find(&distinct, pack(t.client, t.destination >> 8, t.port) | UINT64_C(1) << 47);
        uint64_t *met = find(&destinations, pack(1, t.destination >> 8, t.port));
        bool fires = in_band(t.port) && (reckon_apt12(t.destination) == t.port ||
                                         reckon_variant(t.destination) == t.port);
        bool resolved = is_given(t.client, t.destination, t.time);

        syns++;
        published += fires;
        if (*known)
                return;
        t.first = !*met && is_new(t.client, t.destination, t.port, t.time);
        t.beyond = !*met && !t.first;
        *known = *met = 1;
        published_distinct += fires;
        distinct_tries++;
        resolved_tries += resolved;
        exposed_tries += resolved && exposed(&t);
        reckon_rules(&t, resolved);
}

void reckon_syn(uint32_t client, uint32_t destination, uint16_t port, uint64_t time,
                enum reckon_kind kind)
{
        if (port == 80 || port == 443)
                return;
        fade(time);
        expire(time);
        if (kind != RECKON_CAMPAIGN)
                reckon_try((struct trying){client, destination, port, time, false, false,
                                           kind == RECKON_SCAN});
        try(client, destination, port, time);
        observe(client, destination, port, time);
}

static void print_sums(FILE *file, const char *name, const struct sums *of)
{
        fprintf(file, "\"%s\": [", name);
        for (unsigned d = 0; d < DECADES; d++)
                fprintf(file, "%s[%.6f, %llu, %.6f]", d ? ", " : "", of[d].expected,
                        (unsigned long long)of[d].matches, of[d].variance);
        fprintf(file, "], ");
}

static void print_matches(FILE *file)
{
        static const char *const ids[RULES] = {"apt12", "apt12-wide", "variant", "variant-wide",
                                               "variant-wrapped"};

        fprintf(file, "\"matches\": [");
        for (size_t i = 0; i < match_count; i++)
                fprintf(file, "%s[%u, %u, %u, \"%s\", %.6e]", i ? ", " : "", matches[i].client,
                        matches[i].destination, matches[i].port, ids[matches[i].rule],
                        matches[i].share);
        fprintf(file, "]");
}

static void print_count(FILE *file, const char *name, uint64_t value)
{
        fprintf(file, "\"%s\": %llu, ", name, (unsigned long long)value);
}

void reckon_print(FILE *file)
{
        print_count(file, "syns", syns);
        print_count(file, "tries", distinct_tries);
        print_count(file, "resolved", resolved_tries);
        print_count(file, "exposed", exposed_tries);
        print_count(file, "published", published);
        print_count(file, "published_distinct", published_distinct);
        print_sums(file, "direct", all_tries);
        print_sums(file, "direct_once", once);
        print_sums(file, "scans", scans);
        print_sums(file, "scans_exact", scans_exact);
        print_sums(file, "direct_beyond", beyond);
        print_sums(file, "cross", all_cross);
        print_sums(file, "cross_once", once_cross);
        print_sums(file, "cross_each", each_cross);
        print_matches(file);
}
