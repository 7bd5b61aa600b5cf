#include "wire/unread.h"

/* Named where it is met. `ordinary`: it carries no packet of a client. */
static const struct known {
        enum pt_layer layer;
        uint16_t number;
        bool ordinary;
        const char *name;
} all[] = {
        {PT_LAYER_ETHERTYPE, 0, true, "802.2 LLC, or no number at all"},
        {PT_LAYER_ETHERTYPE, 0x0806, true, "ARP"},
        {PT_LAYER_ETHERTYPE, 0x8035, true, "RARP"},
        {PT_LAYER_ETHERTYPE, 0x8809, true, "slow protocols (LACP)"},
        {PT_LAYER_ETHERTYPE, 0x8847, false, "MPLS with something else than IP or Ethernet inside"},
        {PT_LAYER_ETHERTYPE, 0x8863, true, "PPPoE discovery"},
        {PT_LAYER_ETHERTYPE, 0x888e, true, "802.1X"},
        {PT_LAYER_ETHERTYPE, 0x88be, false, "ERSPAN of an unknown version"},
        {PT_LAYER_ETHERTYPE, 0x88cc, true, "LLDP"},
        {PT_LAYER_ETHERTYPE, 0x88e5, false, "802.1AE (MACsec)"},
        {PT_LAYER_ETHERTYPE, 0x88e7, false, "802.1ah (MAC in MAC)"},
        {PT_LAYER_ETHERTYPE, 0x88f7, true, "PTP"},
        {PT_LAYER_ETHERTYPE, 0x894f, false, "NSH"},
        {PT_LAYER_ETHERTYPE, 0x8926, false, "VN-Tag"},
        {PT_LAYER_ETHERTYPE, 0x8903, false, "FabricPath"},
        {PT_LAYER_ETHERTYPE, 0x9000, true, "loopback test"},
        {PT_LAYER_ETHERTYPE, 0x22eb, false, "ERSPAN of an unknown version"},
        {PT_LAYER_ETHERTYPE, 0x22f3, false, "TRILL"},
        {PT_LAYER_PPP, 0x003d, false, "PPP multilink"},
        {PT_LAYER_PPP, 0x00fd, false, "PPP compressed"},
        {PT_LAYER_PPP, 0x8021, true, "PPP IPCP"},
        {PT_LAYER_PPP, 0x8057, true, "PPP IPV6CP"},
        {PT_LAYER_PPP, 0xc021, true, "PPP LCP"},
        {PT_LAYER_PPP, 0xc023, true, "PPP PAP"},
        {PT_LAYER_PPP, 0xc223, true, "PPP CHAP"},
        {PT_LAYER_PROTOCOL, 1, true, "ICMP"},
        {PT_LAYER_PROTOCOL, 2, true, "IGMP"},
        {PT_LAYER_PROTOCOL, 47, false, "GRE version 1 (PPTP)"},
        {PT_LAYER_PROTOCOL, 50, false, "ESP (IPsec)"},
        {PT_LAYER_PROTOCOL, 58, true, "ICMPv6"},
        {PT_LAYER_PROTOCOL, 59, true, "no next header"},
        {PT_LAYER_PROTOCOL, 88, true, "EIGRP"},
        {PT_LAYER_PROTOCOL, 89, true, "OSPF"},
        {PT_LAYER_PROTOCOL, 97, false, "EtherIP"},
        {PT_LAYER_PROTOCOL, 103, true, "PIM"},
        {PT_LAYER_PROTOCOL, 112, true, "VRRP"},
        {PT_LAYER_PROTOCOL, 115, false, "L2TP"},
        {PT_LAYER_PROTOCOL, 132, true, "SCTP"},
        {PT_LAYER_PORT, 2152, false, "GTP-U with something else than IP inside"},
        {PT_LAYER_PORT, 3544, false, "Teredo"},
};

static const struct known *find(enum pt_layer layer, uint16_t number)
{
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
                if (all[i].layer == layer && all[i].number == number)
                        return &all[i];
        return NULL;
}

void pt_unread_count(struct pt_unread *unread, enum pt_layer layer, uint16_t number)
{
        for (size_t i = 0; i < unread->count; i++) {
                struct pt_unread_row *row = &unread->rows[i];

                if (row->number == number && row->layer == layer) {
                        row->packets++;
                        return;
                }
        }
        if (unread->count == PT_UNREAD_ROWS) {
                unread->others++;
                return;
        }
        unread->rows[unread->count++] = (struct pt_unread_row){
                .packets = 1,
                .layer = layer,
                .number = number,
        };
}

const char *pt_unread_layer_name(enum pt_layer layer)
{
        static const char *const names[PT_LAYERS] = {
                [PT_LAYER_LINK] = "link type",   [PT_LAYER_ETHERTYPE] = "ethertype",
                [PT_LAYER_PPP] = "PPP protocol", [PT_LAYER_PROTOCOL] = "IP protocol",
                [PT_LAYER_PORT] = "UDP port",
        };

        return layer < PT_LAYERS ? names[layer] : "number";
}

const char *pt_unread_name(enum pt_layer layer, uint16_t number)
{
        const struct known *known = find(layer, number);

        return known ? known->name : NULL;
}

bool pt_unread_is_ordinary(enum pt_layer layer, uint16_t number)
{
        const struct known *known = find(layer, number);

        return known && known->ordinary;
}
