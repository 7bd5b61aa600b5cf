#include "options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "setter.h"

#define AT(member) offsetof(struct pt_options, member)
#define MILLISECOND INT64_C(1000000)
#define SECOND (1000 * MILLISECOND)
#define HOUR (3600 * SECOND)
#define MIB (INT64_C(1) << 20)

#define HOME_NETWORKS "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,169.254.0.0/16,fc00::/7,fe80::/10"

/* clang-format off */
const struct pt_option pt_option_table[] = {
        /*
         * group, letter, name, argument, key,
         * type, member, default, range,
         * meaning
         *
         * Ranges are those of pt_engine_new(), which says no sentence when it refuses one.
         */
        {PT_GROUP_INPUT, 'r', "read", "FILE|DIR", NULL,
         PT_OPTION_LIST, AT(inputs), NULL, 0, 0,
         "read this capture (pcap or pcapng) or log (Zeek's dns.log and conn.log, Suricata's EVE), "
         "also compressed by gzip, zstd or xz, all of them in this directory, or - for standard input; repeatable: they are one stream in packet time"},
        {PT_GROUP_INPUT, 0, "follow", NULL, NULL,
         PT_OPTION_FLAG, AT(follow), NULL, 0, 0,
         "read: go on when the file grows, or when new ones appear in the directory"},
        {PT_GROUP_INPUT, 0, "since", "TIME", NULL,
         PT_OPTION_MOMENT, AT(since), NULL, 0, 0,
         "read: only packets from this time on, as 2026-11-24T19:57:03Z or seconds since 1970"},
        {PT_GROUP_INPUT, 0, "until", "TIME", NULL,
         PT_OPTION_MOMENT, AT(until), NULL, 0, 0,
         "read: only packets before this time"},
        {PT_GROUP_INPUT, 'i', "interface", "IFACE", "interfaces",
         PT_OPTION_LIST, AT(interfaces), NULL, 0, 0,
         "capture live on this network interface; repeatable: all are one stream"},
        {PT_GROUP_INPUT, 'D', "list-interfaces", NULL, NULL,
         PT_OPTION_FLAG, AT(list_interfaces), NULL, 0, 0,
         "list the interfaces that can be captured, and leave"},
        {PT_GROUP_INPUT, 's', "snapshot-length", "SIZE", "capture.snapshot_length",
         PT_OPTION_SIZE, AT(snapshot), "256K", 68, MIB / 4,
         "live: octets taken of a packet at most; an answer that is cut is read in part"},
        {PT_GROUP_INPUT, 'p', "no-promiscuous-mode", NULL, "capture.no_promiscuous_mode",
         PT_OPTION_FLAG, AT(not_promiscuous), NULL, 0, 0,
         "live: take only what is addressed to this host"},
        {PT_GROUP_INPUT, 0, "ring-size", "SIZE", "capture.ring_size",
         PT_OPTION_SIZE, AT(ring), "32M", MIB, 1024 * MIB,
         "live: memory, for each interface, in which packets wait to be read"},
        {PT_GROUP_INPUT, 0, "home-network", "PREFIX", "home_networks",
         PT_OPTION_PREFIXES, AT(home_networks), HOME_NETWORKS, 0, 0,
         "a network whose hosts are inside, as those with private addresses are; repeatable"},
        {PT_GROUP_INPUT, 0, "vlan-clients", NULL, "clients.by_vlan",
         PT_OPTION_FLAG, AT(vlan_clients), NULL, 0, 0,
         "an IPv4 address in two VLANs is two clients, and a packet seen in both is two"},
        {PT_GROUP_INPUT, 0, "tunnel-clients", NULL, "clients.by_tunnel",
         PT_OPTION_FLAG, AT(tunnel_clients), NULL, 0, 0,
         "an IPv4 address behind two tunnel numbers (VNI, label, key) is two clients"},
        {PT_GROUP_OUTPUT, 'o', "output", "DEST", "outputs",
         PT_OPTION_OUTPUTS, AT(outputs), "-", 1, 0,
         "append what is found to this file, - for standard output; or write it to whoever listens "
         "at unix:PATH or tcp:HOST:PORT; repeatable"},
        {PT_GROUP_OUTPUT, 0, "queue-size", "SIZE", "output.queue_size",
         PT_OPTION_SIZE, AT(queue_size), "4M", 64 << 10, 1024 * MIB,
         "live: how much may wait in memory for each output"},
        {PT_GROUP_OUTPUT, 0, "spool", "DIR", "output.spool",
         PT_OPTION_TEXT, AT(spool), "/var/lib/portent/spool", 0, 0,
         "live: the folder where more waits on disk, in a spool for each output"},
        {PT_GROUP_OUTPUT, 0, "spool-size", "SIZE", "output.spool_size",
         PT_OPTION_SIZE, AT(spool_size), "64M", 0, 1048576 * MIB,
         "how large the spool of each output may be; 0 for none"},
        {PT_GROUP_OUTPUT, 0, "max-size", "SIZE", "output.max_size",
         PT_OPTION_SIZE, AT(max_size), "0", 0, 1048576 * MIB,
         "rename a file to FILE.1 before it grows beyond this, in place of an older FILE.1; 0 for "
         "never"},
        {PT_GROUP_OUTPUT, 0, "format", "FORMAT", "format",
         PT_OPTION_FORMAT, AT(format), "auto", 0, 0,
         "how: ecs (one JSON document a line), text (one readable line for each alert), or auto: "
         "text on a terminal, ecs elsewhere"},
        {PT_GROUP_OUTPUT, 0, "log", "KINDS", "log",
         PT_OPTION_KINDS, AT(log), "alert", 0, 0,
         "what else to write, separated by commas: dns, connection, stats, state, visibility, "
         "expectation, outcome; live, stats, state and visibility where this is not given"},
        {PT_GROUP_OUTPUT, 0, "connection-ports", "LOW-HIGH", "connection_ports",
         PT_OPTION_PORTS, AT(connection_ports), "1-65535", 0, 0,
         "destination ports that --log connection writes"},
        {PT_GROUP_OUTPUT, 0, "near-misses", NULL, "near_misses",
         PT_OPTION_FLAG, AT(near_misses), NULL, 0, 0,
         "write also what fits a rule's arithmetic and yet is no match, and why"},
        {PT_GROUP_OUTPUT, 0, "evidence", "FILE", "evidence",
         PT_OPTION_TEXT, AT(evidence), NULL, 0, 0,
         "append the packets behind each alert to this pcapng file, with the alert's event.id"},
        {PT_GROUP_OUTPUT, 0, "stats", "FILE", NULL,
         PT_OPTION_TEXT, AT(stats), NULL, 0, 0,
         "at the end, write all counters to this file as one JSON object"},
        {PT_GROUP_OUTPUT, 0, "metrics", "FILE", "metrics",
         PT_OPTION_TEXT, AT(metrics), NULL, 0, 0,
         "write all counters to this file for node_exporter's textfile collector, at the end, and "
         "live with every stats document"},
        {PT_GROUP_RULES, 'R', "rules", "DIR|FILE", "rules",
         PT_OPTION_LIST, AT(rules), NULL, 1, 0,
         "read rules from here and not from where they are installed; repeatable"},
        {PT_GROUP_RULES, 0, "allow-clients", "FILE", "allow.clients",
         PT_OPTION_LIST, AT(allow[PT_ALLOW_CLIENTS]), NULL, 0, 0,
         "a list of addresses and networks whose connections are no alert; repeatable"},
        {PT_GROUP_RULES, 0, "allow-destinations", "FILE", "allow.destinations",
         PT_OPTION_LIST, AT(allow[PT_ALLOW_DESTINATIONS]), NULL, 0, 0,
         "the same for addresses that are connected to; repeatable"},
        {PT_GROUP_RULES, 0, "allow-names", "FILE", "allow.names",
         PT_OPTION_LIST, AT(allow[PT_ALLOW_NAMES]), NULL, 0, 0,
         "the same for names of what is connected to, *.name for all below a name; repeatable"},
        {PT_GROUP_RULES, 0, "allow-ports", "FILE", "allow.ports",
         PT_OPTION_LIST, AT(allow[PT_ALLOW_PORTS]), NULL, 0, 0,
         "the same for ports and ranges of ports that are connected to; repeatable"},
        {PT_GROUP_RULES, 0, "lab", NULL, "lab",
         PT_OPTION_FLAG, AT(lab), NULL, 0, 0,
         "let private destinations count too, for closed laboratories"},
        {PT_GROUP_RULES, 0, "explain", "ADDRESS[:PORT]", NULL,
         PT_OPTION_ADDRESSES, AT(explain), NULL, 0, 0,
         "show what every rule calculates from this address, and which give this port; leave; "
         "repeatable"},
        {PT_GROUP_RUN, 'c', "config", "FILE", NULL,
         PT_OPTION_TEXT, AT(config), NULL, 0, 0,
         "read the configuration from this JSON file; a flag wins over it"},
        {PT_GROUP_RUN, 0, "memory", "SIZE", "memory",
         PT_OPTION_SIZE, AT(memory), "64M", 8 * MIB, 65536 * MIB,
         "the memory for all that is remembered, taken at the start"},
        {PT_GROUP_RUN, 0, "no-sandbox", NULL, NULL,
         PT_OPTION_FLAG, AT(no_sandbox), NULL, 0, 0,
         "live: keep capabilities and all system calls, for debugging"},
        {PT_GROUP_RUN, 'T', "test", NULL, NULL,
         PT_OPTION_FLAG, AT(test), NULL, 0, 0,
         "test configuration, rules and outputs, and leave"},
        {PT_GROUP_RUN, 0, "self-test", NULL, NULL,
         PT_OPTION_FLAG, AT(self_test), NULL, 0, 0,
         "send a made-up answer and connection through rules and outputs, and leave: an alert "
         "with the tag portent_self_test arrives"},
        {PT_GROUP_RUN, 0, "print-config", NULL, NULL,
         PT_OPTION_FLAG, AT(print_config), NULL, 0, 0,
         "print the configuration that is in effect, and leave"},
        {PT_GROUP_HELP, 'q', "quiet", NULL, NULL,
         PT_OPTION_FLAG, AT(quiet), NULL, 0, 0,
         "say nothing on standard error but faults"},
        {PT_GROUP_HELP, 'v', "verbose", NULL, NULL,
         PT_OPTION_FLAG, AT(verbose), NULL, 0, 0,
         "say more on standard error: rules, inputs, and every counter at the end"},
        {PT_GROUP_HELP, 'n', "numeric", NULL, NULL,
         PT_OPTION_FLAG, AT(numeric), NULL, 0, 0,
         "accepted for tcpdump's sake; names are never looked up"},
        {PT_GROUP_HELP, 'V', "version", NULL, NULL,
         PT_OPTION_FLAG, AT(version), NULL, 0, 0,
         "print the version, and leave"},
        {PT_GROUP_HELP, 'h', "help", NULL, NULL,
         PT_OPTION_FLAG, AT(help), NULL, 0, 0,
         "print this, and leave"},
        {PT_GROUP_FILE, 0, NULL, NULL, "reorder",
         PT_OPTION_DURATION, AT(reorder), "50ms", 0, SECOND,
         "how long a SYN waits for an answer that was captured behind it"},
        {PT_GROUP_FILE, 0, NULL, NULL, "window",
         PT_OPTION_DURATION, AT(window), "10m", 1, 24 * HOUR,
         "how long an answer counts at least"},
        {PT_GROUP_FILE, 0, NULL, NULL, "max_window",
         PT_OPTION_DURATION, AT(max_window), "1h", 1, 24 * HOUR,
         "how long an answer counts at most, whatever its TTL"},
        {PT_GROUP_FILE, 0, NULL, NULL, "cross_window",
         PT_OPTION_DURATION, AT(cross_window), "1m", 1, 24 * HOUR,
         "how long its addresses give ports for other destinations"},
        {PT_GROUP_FILE, 0, NULL, NULL, "throttle",
         PT_OPTION_DURATION, AT(throttle), "5m", 1, 24 * HOUR,
         "how long a repeated match is held back at first"},
        {PT_GROUP_FILE, 0, NULL, NULL, "expectation_skew",
         PT_OPTION_DURATION, AT(expectation_skew), "50ms", 0, 10 * SECOND,
         "how much earlier than their answer expectations begin, for clocks that differ"},
        {PT_GROUP_FILE, 0, NULL, NULL, "chance.step",
         PT_OPTION_FRACTION, AT(chance_step), "0.0005", 0, 1,
         "from this chance of luck on a match is one severity lower; 1: never"},
        {PT_GROUP_FILE, 0, NULL, NULL, "chance.floor",
         PT_OPTION_FRACTION, AT(chance_floor), "0.002", 0, 1,
         "from this chance of luck on it has the lowest severity; 1: never"},
        {PT_GROUP_FILE, 0, NULL, NULL, "nat64_prefixes",
         PT_OPTION_NAT64, AT(nat64_prefixes), "64:ff9b::/96", 0, 0,
         "IPv6 networks whose addresses end in an IPv4 address"},
        {PT_GROUP_FILE, 0, NULL, NULL, "stats_interval",
         PT_OPTION_DURATION, AT(stats_interval), "1m", SECOND, 24 * HOUR,
         "live: how often stats documents and the file of metrics are written"},
        {PT_GROUP_FILE, 0, NULL, NULL, "alarm.no_packets",
         PT_OPTION_DURATION, AT(alarm_no_packets), "5m", 0, 24 * HOUR,
         "live: how long no packet may come in before that is an alarm; 0s for ever"},
        {PT_GROUP_FILE, 0, NULL, NULL, "alarm.no_dns_answers",
         PT_OPTION_DURATION, AT(alarm_no_answers), "15m", 0, 24 * HOUR,
         "live: the same for DNS answers while other packets come in"},
        {PT_GROUP_FILE, 0, NULL, NULL, "alarm.no_syns",
         PT_OPTION_DURATION, AT(alarm_no_syns), "15m", 0, 24 * HOUR,
         "live: the same for TCP SYNs"},
        {PT_GROUP_FILE, 0, NULL, NULL, "alarm.interval",
         PT_OPTION_DURATION, AT(alarm_interval), "5m", SECOND, 24 * HOUR,
         "live: over how long shares are taken for the other alarms"},
        {PT_GROUP_FILE, 0, NULL, NULL, "alarm.least",
         PT_OPTION_NUMBER, AT(alarm_least), "100", 1, 1000000000,
         "live: how many answers, SYNs or packets make a share worth taking"},
        {PT_GROUP_FILE, 0, NULL, NULL, "alarm.few_clients",
         PT_OPTION_NUMBER, AT(alarm_few), "3", 1, 8,
         "live: how many clients that own nearly all answers are taken for resolvers"},
        {PT_GROUP_FILE, 0, NULL, NULL, "observer.name",
         PT_OPTION_TEXT, AT(observer_name), NULL, 0, 0,
         "the name of this sensor in documents (default: the host's)"},
};
/* clang-format on */

#define ROWS (sizeof pt_option_table / sizeof *pt_option_table)

const size_t pt_option_count = ROWS;

_Static_assert(ROWS <= PT_OPTIONS_MOST, "struct pt_options has a source for each option");

int pt_option_refuse(char sentence[PT_OPTION_SENTENCE], const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(sentence, PT_OPTION_SENTENCE, format, arguments);
        va_end(arguments);
        return -EINVAL;
}

void pt_option_begin(struct pt_options *options, const struct pt_option *option,
                     enum pt_option_source source)
{
        uint8_t *present = &options->source[option - pt_option_table];

        if (*present == source)
                return;
        *present = (uint8_t)source;
        if (option->type == PT_OPTION_KINDS)
                *(unsigned *)pt_option_at(options, option) = PT_LOG_ALERT;
        else if (pt_option_is_list(option))
                pt_setter_clear(pt_option_at(options, option));
}

int pt_option_set(struct pt_options *options, const struct pt_option *option,
                  enum pt_option_source source, const char *text, char sentence[PT_OPTION_SENTENCE])
{
        pt_option_begin(options, option, source);
        return pt_setter_set(option, pt_option_at(options, option), text, sentence);
}

bool pt_option_is_default(const struct pt_options *options, const void *member)
{
        size_t offset = (size_t)((const char *)member - (const char *)options);

        for (size_t i = 0; i < ROWS; i++) {
                if (pt_option_table[i].offset == offset)
                        return options->source[i] == PT_FROM_DEFAULT;
        }
        return false;
}

int pt_options_default(struct pt_options *ret)
{
        struct pt_options options = {.log = PT_LOG_ALERT};
        char sentence[PT_OPTION_SENTENCE];

        for (size_t i = 0; i < ROWS; i++) {
                const struct pt_option *option = &pt_option_table[i];
                int r = 0;

                if (option->initial)
                        r = pt_option_set(&options, option, PT_FROM_DEFAULT, option->initial,
                                          sentence);
                if (r < 0) {
                        pt_options_clear(&options);
                        return r;
                }
        }
        *ret = options;
        return 0;
}

void pt_options_clear(struct pt_options *options)
{
        for (size_t i = 0; i < ROWS; i++) {
                const struct pt_option *option = &pt_option_table[i];

                if (option->type == PT_OPTION_TEXT)
                        free(*(char **)pt_option_at(options, option));
                else if (pt_option_is_list(option) && option->type != PT_OPTION_KINDS)
                        pt_setter_clear(pt_option_at(options, option));
        }
        free(options->filter);
        *options = (struct pt_options){0};
}
