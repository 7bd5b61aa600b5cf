"""Rows E: fragments, of both versions. The address record is always in the second one."""
import struct

import frames
from frames import TCP, UDP, ethernet
from network import ethernet6
from rows import ALERTED, MS, S, UNASKED, Input, Moves, Record, Story, row

FRAGMENT = Moves({"decode.fragments": 1})
WHOLE = Moves({"fragment.datagrams": 1})
LOST, OVERLAP = Moves({"fragment.lost": 1}), Moves({"fragment.overlaps": 1})
COPY, BAD = Moves({"fragment.copies": 1}), Moves({"fragment.malformed": 1})
NUMBERS = iter(range(1, 1 << 30))


def times(count, moves):
    return Moves({name: count * value for name, value in moves.items()})


class Datagram:
    """A story's answer or SYN, as an IP payload to be cut into fragments."""

    def __init__(self, story, payload=None, protocol=UDP, number=None):
        self.story = story
        self.number = next(NUMBERS) & 0xFFFF if number is None else number
        self.protocol = protocol
        self.source, self.destination = story.resolver, story.client
        if payload is None:
            payload = frames.udp(53, 40000, story.answer())
        self.payload = frames.with_checksum(payload, protocol, self.source, self.destination)

    def part(self, start, end=None, *, more=None, change=b"", offset=None, protocol=None):
        """Octets of the payload as a fragment; `change` stands before what is left of them."""
        end = len(self.payload) if end is None else end
        more = end < len(self.payload) if more is None else more
        data = change + self.payload[start + len(change):end]
        offset = start if offset is None else offset
        protocol = self.protocol if protocol is None else protocol
        if len(self.source) == 4:
            packet = bytearray(frames.ipv4(self.source, self.destination, protocol, data,
                                           sums=False))
            packet[4:8] = struct.pack(">HH", self.number, more << 13 | offset >> 3)
            return ethernet(bytes(packet))
        head = struct.pack(">BBHI", protocol, 0, offset | more, self.number)
        return ethernet6(frames.ipv6(self.source, self.destination, 44, head + data))


def syn(story):
    return ethernet(story.syn()) if len(story.client) == 4 else ethernet6(story.syn())


def put_together(name, story, parts, moves=Moves(), completed=1, **more):
    """The fragments complete answers, the last of them the story's; the others complete none."""
    records = [part if isinstance(part, Record) else Record(part) for part in parts]
    return Input(name, [*records, Record(syn(story))],
                 times(len(records) - completed, FRAGMENT) + times(completed, WHOLE + UNASKED) +
                 ALERTED + moves,
                 client=story.client, alert="dns_confirmed", alone=True, **more)


def nothing_made(name, story, parts, moves, **more):
    records = [part if isinstance(part, Record) else Record(part) for part in parts]
    return Input(name, [*records, Record(syn(story))],
                 times(len(records), FRAGMENT) + ALERTED + moves, client=story.client,
                 alert="port_only", alone=True, **more)


@row("E1", "first fragments alone, of a million numbers (of 65 536, which is all that IPv4 has)",
     "suricata: 65535 trackers, 32 MiB, 60 s; Zeek: no limit found",
     "each is evicted or lost, and counted; a datagram of somebody else is still put together")
def e1():
    for ipv6, count, place in ((False, 1 << 16, slice(18, 20)), (True, 1000000, slice(58, 62))):
        story, flood = Story(ipv6), Story(ipv6)
        answer = Datagram(story)
        flood.resolver = (
            bytes.fromhex("fd00") + bytes(13) + b"\7" if ipv6 else bytes([10, 9, 9, 8]))
        one, flooding = bytearray(Datagram(flood, number=0).part(0, 8)), []
        for number in range(count):
            one[place] = number.to_bytes(place.stop - place.start, "big")
            flooding.append(Record(bytes(one), pause=0))
        # An eighth of a thousand datagrams waits for one source; the rest had to go before.
        yield put_together(f"one source, IPv6 {ipv6}", story,
                           [answer.part(0, 8), *flooding, answer.part(8)],
                           Moves({"fragment.lost": 128, "fragment.evicted": count - 128}))


@row("E2", "fragments that overlap in all eight ways, with the same data and with other data",
     "CVE-2024-32867 (3 bugs); teardrop",
     "the same data is fine; other data drops the datagram (RFC 5722): fragment.overlaps")
def e2():
    for ipv6 in (False, True):
        for start, end in ((0, 16), (8, 24), (24, 40), (16, 24), (24, 32), (16, 32), (8, 40)):
            for order in (0, 1):
                for same in (True, False):
                    yield overlapping(ipv6, start, end, order, same)
        story = Story(ipv6)
        answer = Datagram(story)
        yield nothing_made("teardrop", story, [answer.part(0, 40), answer.part(24, 28, more=False)],
                           OVERLAP)


def overlapping(ipv6, start, end, order, same):
    """A second fragment beside that of octets 16 to 31."""
    story = Story(ipv6)
    answer = Datagram(story)
    shared = range(max(start, 16), min(end, 32))
    other = b"" if same or not shared else answer.payload[start:shared[0]] + b"\xee"
    pair = [answer.part(16, 32), answer.part(start, end, change=other)]
    name = f"{start} to {end}, order {order}, same {same}, IPv6 {ipv6}"
    rest = [answer.part(0, 48), answer.part(48)]
    parts = (pair[::-1] if order else pair) + rest
    if other:
        return nothing_made(name, story, parts, OVERLAP)
    inside = 16 <= start and end <= 32
    copies = 1 if (inside and not order) or (order and start <= 16 and end >= 32) else 0
    return put_together(name, story, parts, times(copies, COPY))


@row("E3", "a late last fragment that makes a hole look complete", "suricata #6668, #6675",
     "a hole is a hole until its octets come; two ends contradict each other")
def e3():
    for ipv6 in (False, True):
        story = Story(ipv6)
        answer = Datagram(story)
        size = len(answer.payload)
        parts = [answer.part(0, 16), answer.part(24)]
        yield nothing_made("a hole of eight octets", story, parts, LOST)
        story = Story(ipv6)
        answer = Datagram(story)
        yield put_together("the last twice, then the hole", story, [
            answer.part(0, 16), answer.part(24), answer.part(24), answer.part(16, 24)], COPY)
        story = Story(ipv6)
        answer = Datagram(story)
        yield nothing_made("an end before what is there", story, [
            answer.part(0, 16), answer.part(24, 40), answer.part(16, 24, more=False)], OVERLAP)
        story = Story(ipv6)
        answer = Datagram(story)
        yield nothing_made("another end", story, [
            answer.part(24), answer.part(24, size - 1, more=False), answer.part(0, 24)], OVERLAP)


@row("E4", "the number used again: by the next datagram, by another protocol, in another VLAN",
     "CVE-2024-37151", "each datagram is its own; after a second of silence a number is new")
def e4():
    for ipv6 in (False, True):
        story, before = Story(ipv6), Story(ipv6)
        before.client = story.client
        first, second = Datagram(before, number=77), Datagram(story, number=77)
        yield put_together("at once, behind a whole one", story, [
            first.part(0, 24), first.part(24), second.part(0, 24), second.part(24)],
            completed=2)
        story, before = Story(ipv6), Story(ipv6)
        before.client = story.client
        first, second = Datagram(before, number=77), Datagram(story, number=77)
        yield put_together("behind one that was lost, two seconds later", story, [
            first.part(0, 24), Record(second.part(0, 24), pause=2 * S), second.part(24)], LOST)
        story = Story(ipv6)
        answer = Datagram(story)
        yield put_together("in two VLANs, as one mirror of two switches has it", story, [
            tagged(answer.part(0, 24), 5), tagged(answer.part(0, 24), 6),
            tagged(answer.part(24), 5)], COPY)
    story = Story()
    answer = Datagram(story)
    yield put_together("another protocol", story, [
        answer.part(0, 24), answer.part(24, protocol=TCP), answer.part(24)], LOST)


def tagged(frame, vlan):
    return frame[:12] + struct.pack(">HH", 0x8100, vlan) + frame[12:]


@row("E5", "fragments of no octet; ends off by one", "CVE-2024-45796, an integer underflow",
     "fragment.malformed, and the others are put together")
def e5():
    for ipv6 in (False, True):
        for place in (0, 24, 4096):
            story = Story(ipv6)
            answer = Datagram(story)
            for more in (True, False):
                if place == 0 and not more:
                    continue  # no fragment at all
                yield put_together(f"nothing at {place}, more {more}", story, [
                    answer.part(0, 24), answer.part(0, 0, offset=place, more=more),
                    answer.part(24)], BAD)
                story = Story(ipv6)
                answer = Datagram(story)
        for short in (1, 7):
            story = Story(ipv6)
            answer = Datagram(story)
            yield nothing_made(f"the second begins {short} octets late, as offsets can't say",
                               story, [answer.part(0, 24 - short, more=True), answer.part(24)],
                               BAD + LOST)


@row("E6", "offset and length past 65535; header and data past it",
     "Zeek 8d5434ef: a huge allocation",
     "fragment.malformed; the longest that can be is put together")
def e6():
    for ipv6 in (False, True):
        longest = 65535 if ipv6 else 65515
        for offset, size in ((65528, 8), (65528, 1400), (65512, 4 if not ipv6 else 24)):
            story = Story(ipv6)
            answer = Datagram(story)
            answer.payload += bytes(1400)
            bad = answer.part(0, size, offset=offset, more=False)
            answer.payload = answer.payload[:-1400]
            yield put_together(f"{size} octets at {offset}", story, [
                answer.part(0, 24), bad, answer.part(24)], BAD)
        story = Story(ipv6)
        answer = Datagram(story, frames.udp(53, 40000, story.answer() + bytes(
            longest - 8 - len(story.answer()))))
        yield put_together("the longest", story, [
            answer.part(start, min(start + 1400, longest)) for start in range(0, longest, 1400)])


@row("E7", "odd lengths; atomic ones; more after the last; reversed; a thousand times",
     "suricata ipv6.frag_invalid_length, exthdr_useless_fh",
     "fragment.malformed; atomic ones are whole packets; order and copies do not matter")
def e7():
    for ipv6 in (False, True):
        story = Story(ipv6)
        answer = Datagram(story)
        parts = [answer.part(start, min(start + 8, len(answer.payload)))
                 for start in range(0, len(answer.payload), 8)]
        yield put_together("eight octets each, reversed", story, parts[::-1])
        story = Story(ipv6)
        answer = Datagram(story)
        yield put_together("a thousand times", story, [
            *[Record(answer.part(0, 24), pause=0)] * 1000, answer.part(24)], times(999, COPY))
        story = Story(ipv6)
        answer = Datagram(story, frames.udp(53, 40000, story.answer() + bytes(
            -len(story.answer()) % 8)))
        yield nothing_made("more after the last", story, [
            answer.part(0, 24), answer.part(24, more=True)], LOST)
        for length in (1, 9, 23):
            story = Story(ipv6)
            answer = Datagram(story)
            yield put_together(f"a first fragment of {length}", story, [
                answer.part(0, length, more=True), answer.part(0, 24), answer.part(24)], BAD)
    story = Story(True)
    answer = Datagram(story)
    yield Input("atomic", [Record(answer.part(0)), Record(syn(story))], UNASKED + ALERTED,
                client=story.client, alert="dns_confirmed")


@row("E8", "a datagram put together that holds a fragment, or a tunnel",
     "suricata 1dc629d9, a deadlock of 2026", "eight levels are opened, of both kinds together")
def e8():
    story = Story()
    answer = Datagram(story)
    outer = Datagram(Story(), b"\0\0\x08\0" + frames.ipv4(
        story.resolver, story.client, UDP, answer.payload), 47)
    yield put_together("GRE inside", story, [outer.part(0, 24), outer.part(24)],
                       Moves({"tunnel.gre": 1}))
    story = Story()
    answer = Datagram(story)
    inner = [bytes(answer.part(0, 24)[14:]), bytes(answer.part(24)[14:])]
    outer = [Datagram(Story(), packet, 4) for packet in inner]
    yield put_together("fragments inside", story, [
        part for datagram in outer for part in (datagram.part(0, 24), datagram.part(24))],
        times(2, WHOLE) + Moves({"tunnel.ipip": 2}))
    for depth in (3, 4, 5):
        story = Story()
        packet = frames.ipv4(story.resolver, story.client, UDP, Datagram(story).payload)
        parts = [Record(part) for part in nest(packet, depth)]
        if depth < 5:
            yield put_together(f"{depth} in each other", story, parts,
                               times(depth - 1, WHOLE) + Moves({"tunnel.ipip": 1}))
        else:  # each is a datagram and a tunnel: the ninth level is not opened
            yield Input(f"{depth} in each other", parts, times(depth, FRAGMENT + WHOLE) +
                        Moves({"decode.too_deep": 1}), alone=True)


def nest(packet, depth):
    """IP in IP in two fragments, the second of which is in IP in two fragments, and so on."""
    parts = []
    for _ in range(depth):
        outer = Datagram(Story(), packet, 4)
        parts.append(outer.part(0, 24))
        last = outer.part(24)
        packet = bytes(last[14:])
    return [*parts, last]


@row("E9", "fragments of both versions whose addresses and numbers are the same",
     "suricata 24527d66: IPv6 read as IPv4, bounds skipped", "they never meet")
def e9():
    story = Story()
    answer = Datagram(story)
    mapped = Datagram(story, number=answer.number)
    mapped.source = bytes(10) + b"\xff\xff" + story.resolver
    mapped.destination = bytes(10) + b"\xff\xff" + story.client
    yield put_together("mapped addresses", story, [
        answer.part(0, 24), mapped.part(24), answer.part(24)], LOST)


@row("E10", "a header that is wrong in a datagram that was put together",
     "Zeek 28d267dc, a leak of 2026", "decode.malformed or what it is; nothing is kept of it")
def e10():
    for ipv6 in (False, True):
        for name, protocol, payload, fate in (
                ("UDP length 7", UDP, frames.udp(53, 40000, bytes(40), length=7), "malformed"),
                ("TCP offset 15", TCP, frames.tcp(53, 40000, words=15)[:28], "malformed"),
                ("ESP", 50, bytes(40), "other_protocol")):
            story = Story(ipv6)
            datagram = Datagram(story, payload, protocol)
            datagram.payload = payload
            size = len(payload) // 16 * 8
            yield Input(f"{name}, IPv6 {ipv6}", [Record(datagram.part(0, size)),
                                                 Record(datagram.part(size))],
                        FRAGMENT + WHOLE + Moves({f"decode.{fate}": 1}), alone=True)


@row("E11", "the UDP header in the first fragment only, the address in the second; SYNs in two",
     "suricata f4dcba6d", "the answer is learned, the SYN is matched; one lost is fragment.lost")
def e11():
    for ipv6 in (False, True):
        size = len(Datagram(Story(ipv6)).payload)
        for cut in range(8, size, 8):
            for order in (1, -1):
                story = Story(ipv6)
                answer = Datagram(story)
                parts = [answer.part(0, cut), answer.part(cut)]
                yield put_together(f"cut at {cut}, order {order}, IPv6 {ipv6}", story,
                                   parts[::order])
        for kept in (0, 1):
            story = Story(ipv6)
            answer = Datagram(story)
            parts = [answer.part(0, 24), answer.part(24)]
            yield nothing_made(f"part {kept} alone, IPv6 {ipv6}", story, [parts[kept]], LOST)
        for cut in (8, 16):
            story = Story(ipv6)
            opening = Datagram(story, story.segment(options=bytes(20)), TCP)
            opening.source, opening.destination = story.client, story.destination
            yield Input(f"a SYN cut at {cut}, IPv6 {ipv6}",
                        [Record(Datagram(story).part(0)) if ipv6 else
                         Record(ethernet(story.respond(story.answer()))),
                         Record(opening.part(0, cut)), Record(opening.part(cut))],
                        UNASKED + FRAGMENT + WHOLE + ALERTED, client=story.client,
                        alert="dns_confirmed", alone=True)
