"""Rows F4 to F8 and G: DNS over TCP, in segments of every kind."""
import struct

import frames
from frames import ACK, FIN, PUSH, RST, SYN, TCP, URG, ethernet
from fragments import times
from network import ethernet6
from rows import ALERTED, QUERY, UNASKED, Input, Moves, Record, Story, row

SEGMENT = Moves({"decode.tcp": 1})
DATA = SEGMENT + Moves({"dns.tcp": 1})
MESSAGE = Moves({"stream.messages": 1})
ANSWER = UNASKED - Moves({"decode.udp": 1})
START = 1000  # the first octet's sequence number


class Stream:
    """A story's answer on its way over TCP, behind its length."""

    def __init__(self, story, message=None, sport=53, start=START):
        self.story, self.sport, self.start = story, sport, start
        message = story.answer() if message is None else message
        self.wire = struct.pack(">H", len(message)) + message

    def send(self, data, offset=0, flags=ACK | PUSH, urgent=0):
        segment = bytearray(frames.tcp(self.sport, 40000, flags, sequence=(
            self.start + offset) & 0xFFFFFFFF, data=data))
        segment[18:20] = struct.pack(">H", urgent)
        packet = frames.ip(self.story.resolver, self.story.client, TCP, bytes(segment))
        return wrap(packet)

    def open(self):
        return self.send(b"", -1, SYN | ACK)

    def part(self, start, end=None, **more):
        end = len(self.wire) if end is None else end
        return self.send(self.wire[start:end], start, **more)


def wrap(packet):
    return ethernet(packet) if packet[0] >> 4 == 4 else ethernet6(packet)


def told(name, story, segments, moves=Moves(), messages=1, data=None):
    """The segments hold the answer; `data` of them hold octets at all."""
    records = [part if isinstance(part, Record) else Record(part) for part in segments]
    data = len(records) - 1 if data is None else data
    return Input(name, [*records, Record(wrap(story.syn()))],
                 times(len(records) - data, SEGMENT) + times(data, DATA) + ANSWER + ALERTED +
                 times(messages, MESSAGE) + moves, client=story.client, alert="dns_confirmed",
                 alone=True)


def untold(name, story, segments, moves=Moves(), data=None):
    records = [part if isinstance(part, Record) else Record(part) for part in segments]
    data = len(records) - 1 if data is None else data
    return Input(name, [*records, Record(wrap(story.syn()))],
                 times(len(records) - data, SEGMENT) + times(data, DATA) + ALERTED + moves,
                 client=story.client, alert="port_only", alone=True)


@row("F4", "a SYN sent again with another sequence number; urgent octets in the stream",
     "CVE-2025-59147, CVE-2024-55629: ways around a sensor",
     "the data says which SYN was meant; urgent octets are octets (RFC 6093), stream.urgent")
def f4():
    for lie in (-11, 9, 1000000, 1 << 31):
        for late in (False, True):
            story = Story()
            stream = Stream(story)
            other = stream.send(b"", lie, SYN | ACK)
            parts = ([stream.open(), stream.part(0, 20), other, stream.part(20)] if late else
                     [other, stream.open(), stream.part(0, 20), stream.part(20)])
            yield told(f"{lie}, late {late}", story, parts, data=2)
    for urgent in (0, 1, 20, 65535):
        story = Story()
        stream = Stream(story)
        yield told(f"urgent {urgent}", story, [
            stream.open(), stream.part(0, 20, flags=ACK | URG, urgent=urgent), stream.part(20)],
            Moves({"stream.urgent": 1}))


@row("F5", "sequence numbers that wrap, that lie far ahead, that end past 2^32", "Zeek ea80f21e",
     "they count modulo 2^32; what lies far outside is stream.outside, and nothing is lost by it")
def f5():
    for ipv6 in (False, True):
        for place in (1, 2, 10, 30, 50):
            story = Story(ipv6)
            stream = Stream(story, start=(1 << 32) - place)
            yield told(f"wraps after {place}, IPv6 {ipv6}", story, [
                stream.open(), stream.part(20), stream.part(0, 20)])
    for far in (65537, 1 << 20, (1 << 31) - 100):
        story = Story()
        stream = Stream(story)
        yield told(f"{far} ahead", story, [
            stream.open(), stream.part(0, 20), stream.send(b"x" * 40, far), stream.part(20)],
            Moves({"stream.outside": 1}))
    story = Story()
    stream = Stream(story)
    yield told("an old one", story, [
        stream.open(), stream.part(0, 20), stream.send(b"x" * 40, -100), stream.part(20)],
        Moves({"stream.copies": 1}))


@row("F6", "a hole that is never filled; one octet a segment; overlaps with other octets",
     "Zeek tcp_max_initial_window, above_hole",
     "what stood before a hole is used when the flow ends; what came first stands")
def f6():
    for ipv6 in (False, True):
        story = Story(ipv6)
        stream = Stream(story)
        size = len(stream.wire)
        yield told(f"octet by octet, IPv6 {ipv6}", story, [
            stream.open(), *(stream.part(i, i + 1) for i in range(size))])
        story = Story(ipv6)
        stream = Stream(story)
        yield told(f"octet by octet from behind, IPv6 {ipv6}", story, [
            stream.open(), *(stream.part(i, i + 1) for i in reversed(range(size)))])
        story = Story(ipv6)
        stream = Stream(story)
        yield told(f"every octet twice, IPv6 {ipv6}", story, [
            stream.open(), *(stream.part(i, i + 1) for i in range(size - 1) for _ in (1, 2)),
            stream.part(size - 1)], Moves({"stream.copies": size - 1}))
        story = Story(ipv6)
        stream = Stream(story)
        yield told(f"other octets later, IPv6 {ipv6}", story, [
            stream.open(), stream.part(20, 40), stream.send(b"x" * 20, 20), stream.part(0, 20),
            stream.part(40)], Moves({"stream.overlaps": 1}))
        story = Story(ipv6)
        stream = Stream(story, story.answer() + bytes(40))
        yield told(f"a hole behind the address, then the end, IPv6 {ipv6}", story, [
            stream.open(), stream.part(0, size + 10), stream.part(size + 20),
            stream.send(b"", 2000, RST)],
            Moves({"stream.unfinished": 1, "dns.cut": 1}), data=2)
        story = Story(ipv6)
        stream = Stream(story)
        yield untold(f"a hole, and no end, IPv6 {ipv6}", story, [
            stream.open(), stream.part(0, 20), stream.part(30)],
            Moves({"stream.unfinished": 1}))


@row("F7", "taken up in mid-stream; RST or FIN, then the ports again; one direction alone",
     "suricata 70808a4f, zeek#394", "a flow begins where a message does; stream.unsynced counts")
def f7():
    for ipv6 in (False, True):
        story = Story(ipv6)
        stream = Stream(story)
        yield told(f"no SYN, IPv6 {ipv6}", story, [stream.part(0)], data=1)
        story = Story(ipv6)
        stream = Stream(story)
        yield told(f"the end of another message first, IPv6 {ipv6}", story, [
            stream.send(b"\xff" * 30, -30), stream.part(0, 20), stream.part(20)],
            Moves({"stream.unsynced": 1}), data=3)
        for end in (RST, FIN | ACK):
            story = Story(ipv6)
            first = Stream(story, frames.message([frames.question(b"\0")]))
            second = Stream(story, start=1 << 24)
            yield told(f"used again behind {end:#x}, IPv6 {ipv6}", story, [
                first.open(), first.part(0), first.send(b"", len(first.wire), end),
                second.open(), second.part(0, 20), second.part(20)],
                Moves({"dns.messages": 1, "dns.responses": 1}), messages=2, data=3)
        story = Story(ipv6)
        query = Stream(story, frames.message([frames.question(
            frames.dotted("bad.example"))], flags=frames.RD))
        story.resolver, story.client = story.client, story.resolver
        segment = frames.tcp(40000, 53, ACK, sequence=1, data=query.wire)
        packet = frames.ip(story.resolver, story.client, TCP, segment)
        yield Input(f"the query alone, IPv6 {ipv6}", [Record(wrap(packet))],
                    DATA + MESSAGE + QUERY - Moves({"decode.udp": 1}))


@row("F8", "a merged segment of more than 64 KiB; one that is longer than IP allows",
     "receive offload hands them up", "every message in it is taken")
def f8():
    story = Story()
    stream = Stream(story)
    count, data = 2000, b""
    for number in range(count):
        filler = frames.message([frames.question(frames.dotted("filler.example"))], number=number)
        data += struct.pack(">H", len(filler)) + filler
    data += stream.wire
    segment = frames.tcp(53, 40000, ACK, sequence=START, data=data)
    packet = frames.ipv4(story.resolver, story.client, TCP, segment, total=0)
    yield told(f"{len(data)} octets", story, [stream.open(), ethernet(packet)],
               times(count, Moves({"dns.messages": 1, "dns.responses": 1})), messages=count + 1)


@row("G1", "lengths of 0, 1, 11, 12 and 65535; a length in two segments; one never satisfied",
     "suricata ecc63481, 2d4df194", "dns.short; the message behind is taken; stream.unfinished")
def g1():
    for ipv6 in (False, True):
        for length in (0, 1, 11):
            story = Story(ipv6)
            stream = Stream(story)
            stream.wire = struct.pack(">H", length) + bytes(length) + stream.wire
            yield told(f"length {length}, IPv6 {ipv6}", story, [stream.open(), stream.part(0)],
                       Moves({"dns.messages": 1, "dns.short": 1}), messages=2)
        size = len(Stream(Story(ipv6)).wire)
        for cut in range(1, size):
            story = Story(ipv6)
            stream = Stream(story)
            yield told(f"cut at {cut}, IPv6 {ipv6}", story, [
                stream.open(), stream.part(0, cut), stream.part(cut)])
    story = Story()
    stream = Stream(story)
    stream.wire = b"\xff\xff" + stream.wire[2:]
    yield untold("65535, never satisfied", story, [stream.open(), stream.part(0)],
                 Moves({"stream.unfinished": 1}))
    story = Story()
    stream = Stream(story)
    stream.wire = b"\xff\xff" + stream.wire[2:]
    yield told("65535, then the end", story, [
        stream.open(), stream.part(0), stream.send(b"", len(stream.wire), FIN | ACK)],
        Moves({"stream.unfinished": 1, "dns.cut": 1}), data=1)
    story = Story()
    stream = Stream(story, story.answer() + bytes(65535 - len(story.answer())))
    yield told("65535, satisfied", story, [stream.open(), *(
        stream.part(start, min(start + 1400, 65537)) for start in range(0, 65537, 1400))])


@row("G2", "twenty thousand tiny messages in a stream, in a segment",
     "Zeek a66533f4, a stack overflow (oss-fuzz 24272); suricata c7f44447",
     "each is dns.short; the message behind them is taken")
def g2():
    story = Story()
    stream = Stream(story)
    stream.wire = bytes(2) * 20000 + stream.wire
    parts = [stream.part(start, min(start + 1400, len(stream.wire)))
             for start in range(0, len(stream.wire), 1400)]
    tiny = times(20000, Moves({"dns.messages": 1, "dns.short": 1}))
    yield told("in a stream", story, [stream.open(), *parts], tiny, messages=20001)
    story = Story()
    stream = Stream(story)
    stream.wire = bytes(2) * 20000 + stream.wire
    yield told("in a segment", story, [stream.open(), stream.part(0)], tiny, messages=20001)


@row("G3", "garbage behind a message; other protocols on port 53; data from the client alone",
     "TLS and HTTP are tried on every port", "the message is taken; what is none is counted")
def g3():
    for name, garbage in (("HTTP", b"GET / HTTP/1.1\r\n\r\n"),
                          ("TLS", bytes.fromhex("16030100c8010000c40303") + bytes(40)),
                          ("zeros", b"\0"), ("ones", b"\xff" * 30)):
        story = Story()
        stream = Stream(story)
        stream.wire += garbage
        yield told(f"{name} behind", story, [stream.open(), stream.part(0)],
                   Moves({"stream.unfinished": 1}))
        story = Story()
        stream = Stream(story)
        other = Stream(story, start=1 << 20)
        other.wire = garbage
        yield told(f"{name} before, in mid-stream", story, [other.part(0), stream.part(0)],
                   Moves({"stream.unsynced": 1}), data=2)
