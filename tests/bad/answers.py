"""Rows H15 to H17: sound messages that hold odd addresses, or come to somebody who did not ask."""
import ipaddress

import frames
from frames import A, AAAA, RD, TCP, dotted, ethernet, message, question, record
from messages import ASKED, HERE, NAME, ip_text, shown, story_of
from network import DNS_SHORT
from rows import (ALERTED, LEARNED, MS, OPENED, QUERY, S, UNASKED, UNLEARNED, Input, Moves, Record,
                  Story, row)

SILENT = UNASKED + OPENED


def packed(text):
    return ipaddress.ip_address(text).packed


def given(text, port, expected, ipv6=False):
    """A client is given an address and connects to it: a verdict, a near miss, or nothing."""
    story, address = Story(ipv6), packed(text)
    story.destination, story.port = address, port
    kind = A if len(address) == 4 else AAAA
    client = story.client
    # Who was given an IPv4 address as ::ffff:a.b.c.d connects to it over IPv4.
    target = address[12:] if address[:12] == bytes(10) + b"\xff\xff" else address
    if len(target) == 4:
        syn = frames.ip(client, target, TCP, frames.tcp(50000, port))
    else:
        syn = frames.ip(client, target, TCP, frames.tcp(50000, port))
    answer = message([question(NAME, kind)], [record(HERE, kind, address)])
    wrap = [ethernet(story.respond(answer), frames.IPV6 if len(client) == 16 else frames.IPV4),
            ethernet(syn, frames.IPV6 if len(target) == 16 else frames.IPV4)]
    text = ip_text(target)
    moves = SILENT
    if expected == "dns_confirmed":
        moves = UNASKED + ALERTED
    elif expected:
        moves = SILENT + Moves({f"near_miss.{expected}": 1})
    return Input(f"{text} port {port}", [Record(frame) for frame in wrap], moves, client=client,
                 alert=expected if expected == "dns_confirmed" else None, asked=False
                 if expected == "dns_confirmed" else None,
                 answers=[("bad.example", "A" if kind == A else "AAAA", 300, text)])


def absurd(text, port):
    """APT12's shape: the port comes from an absurd address, the connection goes to another one."""
    story, address = Story(), packed(text)
    story.port = port
    first = message([question(NAME)], [record(HERE, A, address)])
    second = message([question(dotted("c2.example"))], [record(HERE, A, story.given)])
    return story_of(f"port {port} from {text}", story,
                    (story.respond(first), story.respond(second), story.syn()),
                    UNASKED + UNASKED + ALERTED, alert="dns_other_address", asked=False)


@row("H15", "0.0.0.0, loopback, ::, ::1, IPv4-mapped, NAT64, link-local, multicast, broadcast, the "
     "client's own", "Unbound CVE-2026-50251", "they calculate as arithmetic says; the limits are "
     "the destination's (section 3): a port may come from an absurd address")
def h15():
    # o1 * o2 + o3 by hand: 0, 6, 0, 8129, 169 * 254 + 1, 224 * 20 + 3, 239 * 100 + 1,
    # 255 * 128 + 7, 255 * 255 + 255, 10 * 200 + 3; what is outside 4096 to 49151 is apt12-wide.
    yield given("0.0.0.0", 4096, None)
    yield given("0.0.6.0", 6, "dns_confirmed")
    yield given("127.0.0.1", 4096, None)
    yield given("127.64.1.5", 8129, "excluded_destination")
    yield given("169.254.1.9", 42927, "excluded_destination")
    yield given("192.168.3.4", 32259, "excluded_destination")
    yield given("224.20.3.4", 4483, "dns_confirmed")
    yield given("239.100.1.1", 23901, "dns_confirmed")
    yield given("255.128.7.1", 32647, "dns_confirmed")
    yield given("255.255.255.255", 65280, "dns_confirmed")
    yield given("::", 4096, None, True)
    yield given("::1", 4096, None, True)
    yield given("fe80::1", 4096, None, True)
    yield given("ff02::fb", 4096, None, True)
    yield given("2001:db8::c633:6417", 10198, None, True)
    yield given("::198.51.102.23", 10200, None, True)
    # ::ffff:0:0/96 and 64:ff9b::/96 count as the IPv4 address in them: 198 * 51 + 102.
    yield given("::ffff:198.51.102.23", 10200, "dns_confirmed")
    yield given("64:ff9b::198.51.103.23", 10201, "dns_confirmed", True)
    story = Story()
    yield story_of("the client's own", story, (story.respond(message(
        [ASKED], [record(HERE, A, story.client)])), frames.ip(
            story.client, story.client, TCP, frames.tcp(50000, 10 * story.client[1]
                                                        + story.client[2]))),
        SILENT, answers=[("bad.example", "A", 300, ip_text(story.client))])
    for text, port in (("127.64.2.5", 8130), ("169.254.2.9", 42928), ("192.168.5.4", 32261),
                       ("255.129.9.1", 32904)):
        yield absurd(text, port)


def asked(name, tell, outcome, **more):
    """A query and its answer, as `tell` writes them, then the SYN."""
    story = Story()
    packets = tell(story)
    return story_of(name, story, (*packets, story.syn()), QUERY + outcome + ALERTED, **more)


def query(number=0x4242, name=NAME):
    return message([question(name)], flags=RD, number=number)


@row("H16", "answers with no query, with another id, port, server or name; twice, late, to all",
     "who can send a datagram from port 53 past the mirror can plant answers",
     "4.8: not asked for, and that is said (portent.dns.asked, dns.unasked); dns.copies, to_group")
def h16():
    whole = {"alert": "dns_confirmed"}
    yield asked("asked", lambda s: (s.ask(query()), s.respond(s.answer())), LEARNED, asked=True,
                **whole)
    yield asked("asked in another case", lambda s: (
        s.ask(query(name=dotted("bAD.eXAMPLE"))), s.respond(s.answer())), LEARNED, asked=True,
        **whole)
    story = Story()
    yield story_of("no query", story, (story.respond(story.answer()), story.syn()),
                   UNASKED + ALERTED, asked=False, **whole)
    yield asked("another id", lambda s: (s.ask(query(0x4243)), s.respond(s.answer())), UNASKED,
                asked=False, **whole)
    yield asked("another port", lambda s: (s.ask(query(), 40001), s.respond(s.answer())), UNASKED,
                asked=False, **whole)
    yield asked("another name", lambda s: (s.ask(query(name=dotted("bad.examplf"))),
                                           s.respond(s.answer())), UNASKED, asked=False, **whole)

    def elsewhere(story):
        server, story.resolver = story.resolver, bytes([10, 9, 9, 8])
        packet = story.ask(query())
        story.resolver = server
        return packet, story.respond(story.answer())
    yield asked("another server", elsewhere, UNASKED, asked=False, **whole)
    yield asked("the query after its answer", lambda s: (
        s.respond(s.answer()), s.ask(query())), UNASKED, asked=False, **whole)
    yield asked("another client's query", lambda s: (
        Story().ask(query()), s.respond(s.answer())), UNASKED, asked=False, **whole)
    for seconds, outcome, told in ((29, LEARNED, True), (31, UNASKED, False)):
        story = Story()
        yield Input(f"{seconds} s after its query", [
            Record(ethernet(story.ask(query()))),
            Record(ethernet(story.respond(story.answer())), pause=seconds * S),
            Record(ethernet(story.syn()))], QUERY + outcome + ALERTED, client=story.client,
            asked=told, alert="dns_confirmed")
    story = Story()
    yield story_of("twice", story, (*[story.respond(story.answer())] * 2, story.syn()),
                   UNASKED + UNLEARNED + Moves({"dns.copies": 1}) + ALERTED, asked=False, **whole)
    for late in (1, 49, 60):
        story, verdict = Story(), "dns_confirmed" if late < 50 else "port_only"
        yield Input(f"{late} ms after the SYN", [
            Record(ethernet(story.syn())),
            Record(ethernet(story.respond(story.answer())), pause=late * MS)],
            UNASKED + ALERTED, client=story.client, alert=verdict,
            asked=False if verdict == "dns_confirmed" else None)
    for text in ("255.255.255.255", "224.0.0.251", "239.1.2.3", "0.0.0.0"):
        story = Story()
        client, story.client = story.client, packed(text)
        packet = story.respond(story.answer())
        story.client = client
        yield story_of(f"to {text}", story, (packet, story.syn()),
                       UNLEARNED + Moves({"dns.to_group": 1}) + ALERTED, alert="port_only")


def retold(frame, *, tags=(), mac=None, hops=63):
    """The frame as another switch shows it: other tags, other MAC addresses, a hop further."""
    head = bytearray(frame[14:])
    head[8 if head[0] >> 4 == 4 else 7] = hops
    again = bytearray(ethernet(bytes(head), frames.kind_of(head), tags))
    if mac:
        again[:12] = mac
    return bytes(again)


@row("H19", "every packet twice: in two VLANs, by two switches, a hop further, other MAC addresses",
     "mirrors of both directions, of both switches, of trunk and access port",
     "the copy changes nothing and tells nothing: dns.copies, connection.copies, one document")
def h19():
    for ipv6 in (False, True):
        for name, change in (("in another VLAN", {"tags": ((0x8100, 7),)}),
                             ("a hop further", {"hops": 62}),
                             ("with other MAC addresses", {"mac": bytes(range(12))}),
                             ("all of it", {"tags": ((0x88A8, 7), (0x8100, 8)), "hops": 9,
                                            "mac": bytes(range(12))})):
            for order in (1, -1):
                story = Story(ipv6)
                asked = question(dotted("bad.example"), AAAA if ipv6 else A)
                wrap = ethernet if not ipv6 else lambda p: ethernet(p, frames.IPV6)
                packets = [wrap(story.ask(message([asked], flags=RD))),
                           wrap(story.respond(story.answer())), wrap(story.syn())]
                records = [Record(frame) for packet in packets
                           for frame in (packet, retold(packet, **change))[::order]]
                yield Input(f"{name}, order {order}, IPv6 {ipv6}", records,
                            QUERY + QUERY + LEARNED + UNLEARNED + Moves({"dns.copies": 1}) +
                            ALERTED + OPENED + Moves({"connection.copies": 1}),
                            client=story.client, alert="dns_confirmed", asked=True,
                            question="bad.example", alone=True)
    story = Story()
    answer = story.respond(frames.message([question(dotted("none.example"))], flags=0x8183))
    yield Input("an answer without an address", [Record(ethernet(answer)),
                                                 Record(retold(ethernet(answer)))],
                UNLEARNED + UNLEARNED + Moves({"dns.copies": 1}), client=story.client,
                question="none.example", alone=True)


@row("H20", "mirrors that show one way: no query; the SYN before its answer; two clocks apart",
     "one-way taps, two interfaces", "an alert all the same; portent.dns.asked says what was seen")
def h20():
    for ipv6 in (False, True):
        wrap = ethernet if not ipv6 else lambda p: ethernet(p, frames.IPV6)
        for early in (0, 1, 10, 49):
            story = Story(ipv6)
            yield Input(f"the SYN {early} ms before, no query, IPv6 {ipv6}",
                        [Record(wrap(story.syn())),
                         Record(wrap(story.respond(story.answer())), pause=early * MS)],
                        UNASKED + ALERTED, client=story.client, alert="dns_confirmed",
                        asked=False, alone=True)
        story = Story(ipv6)
        yield Input(f"one interface 40 ms behind, IPv6 {ipv6}",
                    [Record(wrap(story.respond(story.answer()))),
                     Record(wrap(story.syn()), pause=-40 * MS)], UNASKED + ALERTED,
                    client=story.client, alert="dns_confirmed", asked=False, alone=True)
        story = Story(ipv6)
        yield Input(f"answers alone, IPv6 {ipv6}",
                    [Record(wrap(story.respond(story.answer())))], UNASKED, client=story.client,
                    alone=True)


@row("H17", "mDNS and LLMNR ports; the cache-flush bit; octets behind the message; 3 octets to 53",
     "what looks like DNS and is none", "decode.udp and no more; trailing octets are left alone")
def h17():
    for port in (5353, 5355, 137, 5354, 853, 54, 0):
        for dport in (port, 40000):
            story = Story()
            yield story_of(f"from port {port} to {dport}", story,
                           (story.respond(story.answer(), port, dport), story.syn()),
                           Moves({"decode.udp": 1}) + ALERTED, alert="port_only")
    for number, wrong in ((0, 5353), (0x4242, 5355)):
        story = Story()
        yield story_of(f"cache-flush bit, from {wrong}", story, (story.respond(message(
            [ASKED], [story.record(group=0x8001)], number=number), wrong, wrong), story.syn()),
            Moves({"decode.udp": 1}) + ALERTED, alert="port_only")
    for extra in (1, 2, 11, 500):
        story = Story()
        yield story_of(f"{extra} octets behind", story, (
            story.respond(story.answer() + b"\xff" * extra), story.syn()), UNASKED + ALERTED,
            alert="dns_confirmed", asked=False, answers=shown()(story))
    for size in range(4):
        story = Story()
        yield story_of(f"{size} octets to port 53", story, (story.ask(bytes(size)),), DNS_SHORT)
        story = Story()
        yield story_of(f"{size} octets from port 53", story, (story.respond(bytes(size)),),
                       DNS_SHORT)
