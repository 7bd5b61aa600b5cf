#include "memory/sight.h"

#include <math.h>
#include <string.h>

void pt_sight_begin(struct pt_sight *sight)
{
        sight->answers = sight->syns = sight->given = 0;
        memset(sight->owners, 0, sizeof sight->owners);
        memset(sight->senders, 0, sizeof sight->senders);
}

static struct pt_sight_owner *find_owner(struct pt_sight *sight, const struct pt_address *client)
{
        struct pt_sight_owner *spare = NULL;

        for (size_t i = 0; i < PT_SIGHT_OWNERS; i++) {
                struct pt_sight_owner *o = &sight->owners[i];

                if (!o->answers)
                        spare = o;
                else if (pt_address_equal(&o->client, client))
                        return o;
        }
        return spare;
}

void pt_sight_answer(struct pt_sight *sight, const struct pt_address *client)
{
        struct pt_sight_owner *o = find_owner(sight, client);

        sight->answers++;
        if (o) {
                o->client = *client;
                o->answers++;
                return;
        }
        /* No room: this one and one of each that is followed cancel out. */
        for (size_t i = 0; i < PT_SIGHT_OWNERS; i++)
                sight->owners[i].answers--;
}

/* Not keyed: who aims at one bit makes himself look like fewer hosts, and silences no alert. */
static uint32_t bit_of(const struct pt_address *client)
{
        uint64_t high, low;

        memcpy(&high, client->octets, 8);
        memcpy(&low, client->octets + 8, 8);
        low ^= high * UINT64_C(0x9e3779b97f4a7c15);
        low = (low ^ low >> 32) * UINT64_C(0xd6e8feb86659fd93);
        low = (low ^ low >> 32) * UINT64_C(0xd6e8feb86659fd93);
        return (uint32_t)(low >> 32) % PT_SIGHT_SENDERS;
}

void pt_sight_syn(struct pt_sight *sight, const struct pt_address *client, bool given)
{
        uint32_t bit = bit_of(client);

        sight->senders[bit >> 6] |= UINT64_C(1) << (bit & 63);
        sight->syns++;
        sight->given += given;
}

unsigned pt_sight_owners(const struct pt_sight *sight, unsigned percent)
{
        bool taken[PT_SIGHT_OWNERS] = {false};
        uint64_t sum = 0;

        for (unsigned count = 1; sight->answers && count <= PT_SIGHT_OWNERS; count++) {
                size_t most = PT_SIGHT_OWNERS;

                for (size_t i = 0; i < PT_SIGHT_OWNERS; i++) {
                        if (!taken[i] && (most == PT_SIGHT_OWNERS ||
                                          sight->owners[i].answers > sight->owners[most].answers))
                                most = i;
                }
                taken[most] = true;
                sum += sight->owners[most].answers;
                if (sum >= sight->answers / 100 * percent + sight->answers % 100 * percent / 100)
                        return count;
        }
        return 0;
}

unsigned pt_sight_senders(const struct pt_sight *sight)
{
        unsigned set = 0;

        for (size_t i = 0; i < PT_SIGHT_SENDERS / 64; i++)
                set += (unsigned)__builtin_popcountll(sight->senders[i]);
        if (set == PT_SIGHT_SENDERS)
                set--; /* as many as can be told apart */
        return (unsigned)(PT_SIGHT_SENDERS *
                                  log((double)PT_SIGHT_SENDERS / (PT_SIGHT_SENDERS - set)) +
                          0.5);
}
