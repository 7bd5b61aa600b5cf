#include "memory/visibility.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory/recent.h"

#define DOT_PORT 853
#define DOH_PORT 443

struct pt_visibility {
        struct pt_recent clients; /* payload: struct pt_visibility_client */
        struct pt_visibility_client sum;
        uint64_t forgotten;
        int64_t from;
        int64_t until;
        bool begun; /* something was seen in this period */
        struct pt_counters base;
        const struct pt_counters *counters;
};

int pt_visibility_new(uint32_t capacity, const struct pt_hash_key *key,
                      struct pt_counters *counters, struct pt_visibility **ret)
{
        struct pt_visibility *visibility = calloc(1, sizeof *visibility);

        if (!visibility || pt_recent_init(&visibility->clients, capacity,
                                          sizeof(struct pt_visibility_client), key) < 0) {
                free(visibility);
                return -ENOMEM;
        }
        visibility->counters = counters;
        *ret = visibility;
        return 0;
}

struct pt_visibility *pt_visibility_free(struct pt_visibility *visibility)
{
        if (visibility)
                pt_recent_deinit(&visibility->clients);
        free(visibility);
        return NULL;
}

size_t pt_visibility_size(uint32_t capacity)
{
        return sizeof(struct pt_visibility) +
               pt_recent_size(capacity, sizeof(struct pt_visibility_client));
}

void pt_visibility_begin(struct pt_visibility *visibility)
{
        pt_recent_clear(&visibility->clients);
        visibility->sum = (struct pt_visibility_client){0};
        visibility->forgotten = 0;
        visibility->from = visibility->until = 0;
        visibility->begun = false;
        visibility->base = *visibility->counters;
}

uint64_t pt_visibility_since(const struct pt_visibility *visibility, enum pt_counter counter)
{
        return visibility->counters->value[counter] - visibility->base.value[counter];
}

/* ---- public resolvers that answer over an encrypted connection ---- */

/*
 * Their names, as their operators publish them; what stands below one counts too (NextDNS gives
 * each customer a name of his own):
 *
 * Google        developers.google.com/speed/public-dns/docs/doh, .../dns-over-tls
 * Cloudflare    developers.cloudflare.com/1.1.1.1/encryption/, and those made for browsers:
 *               wiki.mozilla.org/Trusted_Recursive_Resolver (mozilla.), chromium's list of DoH
 *               providers, net/dns/public/doh_provider_entry.cc (chrome.)
 * Quad9         docs.quad9.net/services/
 * OpenDNS       support.opendns.com/hc/en-us/articles/360038086532 (doh.)
 * AdGuard       adguard-dns.io/en/public-dns.html
 * NextDNS       help.nextdns.io
 * CleanBrowsing cleanbrowsing.org/guides/dnsoverhttps
 * Mullvad       mullvad.net/en/help/dns-over-https-and-dns-over-tls
 * Apple         iCloud Private Relay: developer.apple.com/icloud/prepare-your-network/ (mask.)
 */
#define NAME(literal)                                       \
        {                                                   \
                (const uint8_t *)(literal), sizeof(literal) \
        }

static const struct {
        const uint8_t *wire; /* in lower case; the literal's own zero ends it */
        size_t length;
} names[] = {
        NAME("\3dns\6google"),
        NAME("\16cloudflare-dns\3com"),
        NAME("\3one\3one\3one\3one"),
        NAME("\3dns\5quad9\3net"),
        NAME("\4dns9\5quad9\3net"),
        NAME("\5dns10\5quad9\3net"),
        NAME("\5dns11\5quad9\3net"),
        NAME("\3doh\7opendns\3com"),
        NAME("\3doh\14familyshield\7opendns\3com"),
        NAME("\3dns\13adguard-dns\3com"),
        NAME("\3dns\7nextdns\2io"),
        NAME("\3doh\15cleanbrowsing\3org"),
        NAME("\3dns\7mullvad\3net"),
        NAME("\4mask\6icloud\3com"),
        NAME("\7mask-h2\6icloud\3com"),
};

static bool ends_the_same(const struct pt_dns_name *name, size_t offset, const uint8_t *wire,
                          size_t length)
{
        for (size_t i = 0; i < length; i++) {
                uint8_t c = name->wire[offset + i];

                if (c >= 'A' && c <= 'Z')
                        c = (uint8_t)(c | 0x20); /* RFC 4343; no label is so long */
                if (c != wire[i])
                        return false;
        }
        return true;
}

bool pt_visibility_is_resolver_name(const struct pt_dns_name *name)
{
        size_t offset = 0;

        while (offset < name->length && name->wire[offset]) {
                for (size_t i = 0; i < sizeof names / sizeof *names; i++)
                        if (names[i].length == name->length - offset &&
                            ends_the_same(name, offset, names[i].wire, names[i].length))
                                return true;
                offset += (size_t)name->wire[offset] + 1;
        }
        return false;
}

/* Their addresses, from the same pages. Port 443 of these is nothing else. */
static const uint8_t addresses4[][4] = {
        {8, 8, 8, 8},        {8, 8, 4, 4},         {1, 1, 1, 1},        {1, 0, 0, 1},
        {1, 1, 1, 2},        {1, 0, 0, 2},         {1, 1, 1, 3},        {1, 0, 0, 3},
        {9, 9, 9, 9},        {149, 112, 112, 112}, {9, 9, 9, 10},       {149, 112, 112, 10},
        {9, 9, 9, 11},       {149, 112, 112, 11},  {208, 67, 222, 222}, {208, 67, 220, 220},
        {208, 67, 222, 123}, {208, 67, 220, 123},  {94, 140, 14, 14},   {94, 140, 15, 15},
        {194, 242, 2, 2},
};

#define GOOGLE6 0x20, 0x01, 0x48, 0x60, 0x48, 0x60, 0, 0, 0, 0, 0, 0, 0, 0
#define CLOUDFLARE6 0x26, 0x06, 0x47, 0x00, 0x47, 0x00, 0, 0, 0, 0, 0, 0, 0, 0

static const uint8_t addresses6[][16] = {
        {GOOGLE6, 0x88, 0x88},
        {GOOGLE6, 0x88, 0x44},
        {CLOUDFLARE6, 0x11, 0x11},
        {CLOUDFLARE6, 0x10, 0x01},
        {0x26, 0x20, 0, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfe},
        {0x26, 0x20, 0, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x09},
        {0x26, 0x20, 0x01, 0x19, 0, 0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x35},
        {0x26, 0x20, 0x01, 0x19, 0, 0x53, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x53},
};

bool pt_visibility_is_resolver(const struct pt_address *address)
{
        if (!pt_address_is_ipv4(address)) {
                for (size_t i = 0; i < sizeof addresses6 / sizeof *addresses6; i++)
                        if (memcmp(address->octets, addresses6[i], 16) == 0)
                                return true;
                return false;
        }
        for (size_t i = 0; i < sizeof addresses4 / sizeof *addresses4; i++)
                if (memcmp(address->octets + 12, addresses4[i], 4) == 0)
                        return true;
        return false;
}

/* ---- what is counted ---- */

static struct pt_recent_key key_of(const struct pt_address *client)
{
        struct pt_recent_key key = {0};

        memcpy(key.octets, client->octets, 16);
        return key;
}

uint32_t pt_visibility_hash(const struct pt_visibility *visibility, const struct pt_address *client)
{
        struct pt_recent_key key = key_of(client);

        pt_recent_hash(&visibility->clients, &key);
        return key.hash;
}

void pt_visibility_fetch(const struct pt_visibility *visibility, uint32_t hash, unsigned step)
{
        if (step == 0)
                pt_recent_prefetch(&visibility->clients, hash);
        else if (step == 1)
                pt_recent_prefetch_entry(&visibility->clients, hash);
}

static struct pt_visibility_client *client_of(struct pt_visibility *visibility,
                                              const struct pt_address *client, uint32_t hash)
{
        struct pt_recent_key key = key_of(client);
        struct pt_visibility_client *c;

        key.hash = hash ? hash : pt_visibility_hash(visibility, client);
        if (pt_recent_full(&visibility->clients) && !pt_recent_find(&visibility->clients, &key))
                visibility->forgotten++;
        c = pt_recent_touch(&visibility->clients, &key);
        c->client = *client;
        return c;
}

static void note_time(struct pt_visibility *visibility, int64_t wall)
{
        if (!visibility->begun || wall < visibility->from)
                visibility->from = wall;
        if (!visibility->begun || wall > visibility->until)
                visibility->until = wall;
        visibility->begun = true;
}

void pt_visibility_syn(struct pt_visibility *visibility, const struct pt_visibility_syn *syn)
{
        bool dot = !syn->quic && syn->port == DOT_PORT;
        bool doh = syn->port == DOH_PORT && pt_visibility_is_resolver(syn->destination);
        struct pt_visibility_client *of[2] = {&visibility->sum, NULL};

        if (syn->quic && !doh)
                return;
        of[1] = client_of(visibility, syn->client, syn->hash);
        for (size_t i = 0; i < 2; i++) {
                of[i]->syns += !syn->quic;
                of[i]->given += !syn->quic && syn->given;
                of[i]->eligible += syn->eligible;
                of[i]->preceded += syn->eligible && syn->given;
                of[i]->dot += dot;
                of[i]->doh += doh;
        }
        note_time(visibility, syn->wall);
}

void pt_visibility_query(struct pt_visibility *visibility, const struct pt_address *client,
                         const struct pt_dns_name *question)
{
        if (!pt_visibility_is_resolver_name(question))
                return;
        visibility->sum.names++;
        client_of(visibility, client, 0)->names++;
}

void pt_visibility_answer(struct pt_visibility *visibility, const struct pt_address *client,
                          bool asked, int64_t wall, uint32_t hash)
{
        struct pt_visibility_client *c = client_of(visibility, client, hash);

        c->answers++;
        c->unasked += !asked;
        visibility->sum.answers++;
        visibility->sum.unasked += !asked;
        note_time(visibility, wall);
}

/* ---- the report ---- */

static uint64_t unseen(const struct pt_visibility_client *c)
{
        return c->eligible - c->preceded;
}

static uint64_t silent_syns(const struct pt_visibility_client *c)
{
        return c->answers || c->given ? 0 : c->syns; /* an answer may go to its twin (4.11) */
}

static uint64_t encrypted(const struct pt_visibility_client *c)
{
        return c->dot + c->doh + c->names;
}

/* Those with most stand first; of equals the one with the lower address. */
static void rank(struct pt_visibility_list *list, const struct pt_visibility_client *c,
                 uint64_t (*of)(const struct pt_visibility_client *))
{
        size_t at = list->count;

        if (!of(c))
                return;
        while (at && (of(list->clients[at - 1]) < of(c) ||
                      (of(list->clients[at - 1]) == of(c) &&
                       memcmp(list->clients[at - 1]->client.octets, c->client.octets, 16) > 0)))
                at--;
        if (at == PT_VISIBILITY_LISTED)
                return;
        if (list->count < PT_VISIBILITY_LISTED)
                list->count++;
        memmove(list->clients + at + 1, list->clients + at,
                (list->count - at - 1) * sizeof(const void *));
        list->clients[at] = c;
}

void pt_visibility_report(const struct pt_visibility *visibility, struct pt_visibility_report *ret)
{
        const struct pt_visibility_client *c;

        *ret = (struct pt_visibility_report){
                .from = visibility->from,
                .until = visibility->until,
                .sum = visibility->sum,
                .clients = visibility->clients.count,
                .forgotten = visibility->forgotten,
        };
        for (c = pt_recent_oldest(&visibility->clients); c;
             c = pt_recent_younger(&visibility->clients, c)) {
                ret->silent += silent_syns(c) > 0;
                ret->encrypted += encrypted(c) > 0;
                rank(&ret->worst, c, unseen);
                rank(&ret->never, c, silent_syns);
                rank(&ret->hidden, c, encrypted);
        }
}
