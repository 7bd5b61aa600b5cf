/*
 * counter: everything that is counted, in one list: name in documents, and what it means.
 *
 * Nothing is dropped without a number that says so. A name here is the field portent.stats.NAME.
 */
#pragma once

#include <stdint.h>

#define PT_COUNTERS(X)                                                                            \
        X(CAPTURE_PACKETS, "capture.packets", "Packets taken from the inputs.")                   \
        X(CAPTURE_BYTES, "capture.bytes", "Bytes of those packets on the wire.")                  \
        X(CAPTURE_ODD_LENGTH, "capture.odd_length", "Packets captured longer than they were.")    \
        X(CAPTURE_ODD_TIME, "capture.odd_time", "Packet times out of range, made to fit.")        \
        X(LOG_LINES, "log.lines", "Lines of other programs' logs.")                               \
        X(LOG_OTHER, "log.other", "Those about nothing that is looked for.")                      \
        X(LOG_UNREADABLE, "log.unreadable", "Those that cannot be read.")                         \
        X(LOG_RECORDS, "log.records", "Answers, queries and connections out of other logs.")      \
        X(LOG_LATE, "log.late", "Those too far behind others in their log to be sorted.")         \
        X(CLOCK_EPOCHS, "clock.epochs", "Times the packet clock stepped back for good.")          \
        X(CLOCK_JUMPS, "clock.jumps", "Times it jumped ahead for good.")                          \
        X(CLOCK_FOREIGN, "clock.foreign", "Packets with a time that the next did not confirm.")   \
        X(DECODE_UDP, "decode.udp", "UDP datagrams.")                                             \
        X(DECODE_TCP, "decode.tcp", "TCP segments.")                                              \
        X(DECODE_OTHER_LINK, "decode.other_link", "Packets of a link type that is not read.")     \
        X(DECODE_OTHER_ETHERTYPE, "decode.other_ethertype", "Frames that carry no IP.")           \
        X(DECODE_OTHER_PROTOCOL, "decode.other_protocol", "IP that carries neither UDP nor TCP.") \
        X(DECODE_TUNNELS, "decode.tunnels", "Packets in tunnels of kinds that are not read.")     \
        X(DECODE_FRAGMENTS, "decode.fragments", "IP fragments that completed no datagram.")       \
        X(DECODE_SHORT, "decode.short", "Packets that end before a header does.")                 \
        X(DECODE_TRUNCATED, "decode.truncated", "Packets that the capture cut inside a header.")  \
        X(DECODE_MALFORMED, "decode.malformed", "Packets whose headers contradict themselves.")   \
        X(DECODE_TOO_DEEP, "decode.too_deep", "Packets with too many tags or headers.")           \
        X(TUNNEL_SNAP, "tunnel.snap", "Packets in 802.2 SNAP.")                                   \
        X(TUNNEL_PPP, "tunnel.ppp", "Packets in PPP.")                                            \
        X(TUNNEL_PPPOE, "tunnel.pppoe", "Packets in PPPoE.")                                      \
        X(TUNNEL_MPLS, "tunnel.mpls", "Packets in MPLS labels.")                                  \
        X(TUNNEL_PSEUDOWIRE, "tunnel.pseudowire", "Packets in Ethernet in MPLS.")                 \
        X(TUNNEL_IPIP, "tunnel.ipip", "Packets in IPv4 in IPv4.")                                 \
        X(TUNNEL_4IN6, "tunnel.4in6", "Packets in IPv4 in IPv6.")                                 \
        X(TUNNEL_6IN4, "tunnel.6in4", "Packets in IPv6 in IPv4.")                                 \
        X(TUNNEL_6IN6, "tunnel.6in6", "Packets in IPv6 in IPv6.")                                 \
        X(TUNNEL_GRE, "tunnel.gre", "Packets in GRE.")                                            \
        X(TUNNEL_NVGRE, "tunnel.nvgre", "Packets in NVGRE.")                                      \
        X(TUNNEL_ERSPAN1, "tunnel.erspan1", "Packets in ERSPAN type I.")                          \
        X(TUNNEL_ERSPAN2, "tunnel.erspan2", "Packets in ERSPAN type II.")                         \
        X(TUNNEL_ERSPAN3, "tunnel.erspan3", "Packets in ERSPAN type III.")                        \
        X(TUNNEL_VXLAN, "tunnel.vxlan", "Packets in VXLAN.")                                      \
        X(TUNNEL_GENEVE, "tunnel.geneve", "Packets in Geneve.")                                   \
        X(TUNNEL_GTP, "tunnel.gtp", "Packets in GTP-U.")                                          \
        X(TUNNEL_PPTP, "tunnel.pptp", "Packets in GRE version 1, which is not read.")             \
        X(TUNNEL_TEREDO, "tunnel.teredo", "Packets in Teredo, which is not read.")                \
        X(FRAGMENT_DATAGRAMS, "fragment.datagrams", "Datagrams put together from fragments.")     \
        X(FRAGMENT_WAITING, "fragment.waiting", "Datagrams that wait for more now (gauge).")      \
        X(FRAGMENT_COPIES, "fragment.copies", "Fragments seen twice.")                            \
        X(FRAGMENT_OVERLAPS, "fragment.overlaps",                                                 \
          "Datagrams dropped: fragments contradict each other.")                                  \
        X(FRAGMENT_MALFORMED, "fragment.malformed", "Fragments of no length, or past the end.")   \
        X(FRAGMENT_CUT, "fragment.cut", "Fragments that the capture cut.")                        \
        X(FRAGMENT_LOST, "fragment.lost", "Datagrams of which a fragment never came.")            \
        X(FRAGMENT_EVICTED, "fragment.evicted", "Datagrams given up for lack of room.")           \
        X(DNS_MESSAGES, "dns.messages", "DNS messages, to or from port 53.")                      \
        X(DNS_QUERIES, "dns.queries", "Queries among them.")                                      \
        X(DNS_RESPONSES, "dns.responses", "Responses among them that could be read.")             \
        X(DNS_ANSWERS, "dns.answers", "Address records learned.")                                 \
        X(DNS_SHORT, "dns.short", "Messages of fewer than 12 octets.")                            \
        X(DNS_OTHER_OPCODE, "dns.other_opcode", "Messages that are no query or answer.")          \
        X(DNS_BAD_QUESTION, "dns.bad_question", "Messages whose question cannot be read.")        \
        X(DNS_BAD_RECORD, "dns.bad_record", "Answers with a record that cannot be read.")         \
        X(DNS_SKIPPED, "dns.skipped", "Address records or hints of a wrong length or class.")     \
        X(DNS_CUT, "dns.cut", "Messages that the capture cut.")                                   \
        X(DNS_WRONG_WAY, "dns.wrong_way", "Queries from port 53, or responses to it.")            \
        X(DNS_TO_GROUP, "dns.to_group", "Answers to no single host.")                             \
        X(DNS_COPIES, "dns.copies", "Answers seen twice.")                                        \
        X(DNS_UNASKED, "dns.unasked", "Answers with addresses whose query was not seen.")         \
        X(DNS_TCP, "dns.tcp", "TCP segments to or from port 53 with data.")                       \
        X(STREAM_MESSAGES, "stream.messages", "Messages taken out of TCP.")                       \
        X(STREAM_FOLLOWED, "stream.followed",                                                     \
          "Directions of TCP connections followed now (gauge).")                                  \
        X(STREAM_COPIES, "stream.copies", "Segments all of which was there before.")              \
        X(STREAM_OVERLAPS, "stream.overlaps", "Segments that contradict what came before.")       \
        X(STREAM_UNSYNCED, "stream.unsynced", "Segments in mid-stream that begin no message.")    \
        X(STREAM_OUTSIDE, "stream.outside", "Segments far from where their flow stands.")         \
        X(STREAM_DROPPED, "stream.dropped", "Segments with too many holes before them.")          \
        X(STREAM_GAPS, "stream.gaps", "Holes given up because the flow went on.")                 \
        X(STREAM_UNFINISHED, "stream.unfinished", "Flows that ended inside a message.")           \
        X(STREAM_EVICTED, "stream.evicted", "Flows given up for lack of room.")                   \
        X(STREAM_URGENT, "stream.urgent", "Segments with urgent data, which counts as data.")     \
        X(TWIN_MACS, "twin.macs", "MACs whose addresses are remembered now (gauge).")             \
        X(TWIN_HOSTS, "twin.hosts", "Those of hosts: with two to eight addresses (gauge).")       \
        X(TWIN_ROUTERS, "twin.routers", "Those of routers: with more than eight (gauge).")        \
        X(TWIN_MATCHES, "twin.matches", "Matches by what another address of the host was given.") \
        X(TWIN_EVICTED, "twin.evicted", "MACs forgotten early for lack of room.")                 \
        X(QUERIES_EVICTED, "queries.evicted", "Queries forgotten early for lack of room.")        \
        X(CACHE_CLIENTS, "cache.clients", "Clients remembered now (gauge).")                      \
        X(CACHE_ENTRIES, "cache.entries", "Address records held now (gauge).")                    \
        X(CACHE_CELLS, "cache.cells", "Cells of 64 octets in use now (gauge).")                   \
        X(CACHE_CELLS_TOTAL, "cache.cells_total", "Cells there are (gauge).")                     \
        X(CACHE_EXPIRED, "cache.expired", "Address records forgotten because of their age.")      \
        X(CACHE_EVICTED, "cache.evicted", "Address records evicted for lack of room.")            \
        X(CACHE_EVICTED_UNPROVEN, "cache.evicted_unproven", "Those of clients that never spoke.") \
        X(CACHE_EVICTED_GREEDY, "cache.evicted_greedy", "Those of the client that held most.")    \
        X(CACHE_EVICTED_UNASKED, "cache.evicted_unasked", "Those that their client did not ask.") \
        X(CACHE_EVICTED_REPEATS, "cache.evicted_repeats", "Those given again a thousand times.")  \
        X(CACHE_REFUSED, "cache.refused", "Address records there was no room to learn.")          \
        X(CONNECTION_ATTEMPTS, "connection.attempts", "TCP SYNs seen.")                           \
        X(CONNECTION_COPIES, "connection.copies", "SYNs mirrored twice or retransmitted.")        \
        X(CONNECTION_QUIC, "connection.quic", "QUIC long headers to UDP port 443.")               \
        X(CONNECTION_EARLY, "connection.early", "SYNs judged early because too many waited.")     \
        X(CONNECTION_FORGOTTEN, "connection.forgotten", "SYNs forgotten early for lack of room.") \
        X(CONNECTION_TRACKED, "connection.tracked", "SYNs remembered now (gauge).")               \
        X(SYN_ELIGIBLE, "syn.eligible", "SYNs of inside clients that a port rule admits.")        \
        X(SYN_PRECEDED, "syn.preceded_by_answer", "Those whose destination DNS had given.")       \
        X(MATCH_APT12, "match.apt12", "Matches whose best rule is apt12.")                        \
        X(MATCH_VARIANT, "match.variant", "Matches whose best rule is variant.")                  \
        X(MATCH_OTHER, "match.other", "Matches of the other rules.")                              \
        X(MATCH_NO_VALUE, "match.no_value", "Evaluations that had no value.")                     \
        X(EXPECTATION_TOLD, "expectation.told", "Expectations told of answers.")                  \
        X(EXPECTATION_REPEATS, "expectation.repeats", "Those told not long before.")              \
        X(EXPECTATION_SKIPPED, "expectation.skipped", "Those that were too many for one answer.") \
        X(HISTORY_EVICTED, "history.evicted",                                                     \
          "Tries and ports of clients forgotten early for lack of room.")                         \
        X(ALERT_GENERATED, "alert.generated", "Alerts made, rotations and campaigns included.")   \
        X(ALERT_SUPPRESSED, "alert.suppressed", "Matches held back as repeats.")                  \
        X(ALERT_REPEATS, "alert.repeats", "Documents about repeats that were held back.")         \
        X(OUTCOME_TOLD, "outcome.told", "Outcomes of alerts' connections that were told.")        \
        X(OUTCOME_FULL, "outcome.full", "Alerts' connections not followed for lack of room.")     \
        X(OUTCOME_PACKETS, "outcome.packets", "Packets seen beside the capture, for outcomes.")   \
        X(HOLD_EVICTED, "hold.evicted", "Held matches forgotten early for lack of room.")         \
        X(ROTATION_EVICTED, "rotation.evicted", "Clients' matches forgotten for lack of room.")   \
        X(OUTBREAK_EVICTED, "campaign.evicted", "Clients of campaigns forgotten early for room.") \
        X(NEAR_EXCLUDED_PORT, "near_miss.excluded_port", "Fits, but the port is excluded.")       \
        X(NEAR_EXCLUDED_DESTINATION, "near_miss.excluded_destination",                            \
          "Fits, but the destination is private or excluded.")                                    \
        X(NEAR_OUTSIDE_LIMITS, "near_miss.outside_limits", "Fits, but outside the rule's ports.") \
        X(NEAR_EXPIRED, "near_miss.expired",                                                      \
          "Fits one of the newest answers, which no longer counts.")                              \
        X(NEAR_ALLOW_LISTED, "near_miss.allow_listed", "Matches that an allow list has.")         \
        X(NEAR_NO_DNS, "near_miss.no_dns", "Fits, but an outside client without any DNS.")

enum pt_counter {
#define PT_COUNTER_ENUM(name, text, description) PT_COUNT_##name,
        PT_COUNTERS(PT_COUNTER_ENUM)
#undef PT_COUNTER_ENUM
                PT_COUNTS,
};

struct pt_counters {
        uint64_t value[PT_COUNTS];
};

/* Name and meaning of a counter, in the order of the list. */
const char *pt_counter_name(enum pt_counter counter);
const char *pt_counter_description(enum pt_counter counter);
