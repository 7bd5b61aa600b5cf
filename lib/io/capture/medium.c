#include "io/capture/medium.h"

#include <pcap/pcap.h>
#include <stddef.h>

#include "wire/packet.h"

/* Where several link types are one to libpcap, the first is what it is called in files of today. */
static const struct {
        int linktype;
        int dlt;
} links[] = {
        {PT_LINK_NULL, DLT_NULL},
        {PT_LINK_ETHERNET, DLT_EN10MB},
        {PT_LINK_PPP, DLT_PPP},
        {PT_LINK_PPP_HDLC, DLT_PPP_SERIAL},
        {PT_LINK_PPP_ETHER, DLT_PPP_ETHER},
        {PT_LINK_PPP_PPPD, DLT_PPP_PPPD},
        {PT_LINK_PPP_DIRECTED, DLT_PPP_WITH_DIR},
        {PT_LINK_CISCO_HDLC, DLT_C_HDLC},
        {PT_LINK_RAW, DLT_RAW},
        {PT_LINK_RAW_BSD, DLT_RAW},
        {PT_LINK_RAW_OPENBSD, DLT_RAW},
        {PT_LINK_LOOP, DLT_LOOP},
        {PT_LINK_SLL, DLT_LINUX_SLL},
        {PT_LINK_IPV4, DLT_IPV4},
        {PT_LINK_IPV6, DLT_IPV6},
        {PT_LINK_SLL2, DLT_LINUX_SLL2},
};
#define LINKS (sizeof links / sizeof *links)

bool pt_medium_is_read(int linktype)
{
        for (size_t i = 0; i < LINKS; i++) {
                if (links[i].linktype == linktype)
                        return true;
        }
        return false;
}

int pt_medium_dlt(int linktype)
{
        for (size_t i = 0; i < LINKS; i++) {
                if (links[i].linktype == linktype)
                        return links[i].dlt;
        }
        return linktype;
}

int pt_medium_of_dlt(int dlt)
{
        for (size_t i = 0; i < LINKS; i++) {
                if (links[i].dlt == dlt)
                        return links[i].linktype;
        }
        return dlt;
}

const char *pt_medium_name(int linktype)
{
        return pcap_datalink_val_to_name(pt_medium_dlt(linktype));
}
