"""Rows A1 to A8: records that the format permits and no capture should hold. Rows B: the link."""
import struct

import frames
from frames import ethernet
from rows import (ALERTED, HOUR, MS, S, START, UNASKED, UNLEARNED, YEAR, Input, Moves, Record,
                  Story, row)

SHORT, TRUNCATED = Moves({"decode.short": 1}), Moves({"decode.truncated": 1})
OTHER = Moves({"decode.other_ethertype": 1})
ODD_LENGTH, ODD_TIME = Moves({"capture.odd_length": 1}), Moves({"capture.odd_time": 1})
FOREIGN = Moves({"clock.foreign": 1})
OPTIONS = bytes.fromhex("020405b40402080a0000000100000000") + bytes([1, 3, 3, 7])


@row("A1", "no octet at all", "libpcap hands up 0 octets; passivedns 9ab9dfe crashed on 1",
     "decode.short; decode.truncated where the wire had more")
def a1():
    for link in frames.LINKS:
        yield Input(f"link {link}, 0 of 0", [Record(b"")], SHORT, link=link)
        yield Input(f"link {link}, 0 of 60", [Record(b"", length=60)], TRUNCATED, link=link)
        yield Input(f"link {link}, 1 of 1", [Record(b"\x45")], SHORT, link=link)


@row("A2", "captured longer than the packet was", "passes libpcap, as 60 octets of 10",
     "capture.odd_length, and the smaller number counts")
def a2():
    story = Story()
    frame = ethernet(story.syn() + bytes(6))
    yield Input("60 of 10", [Record(frame, length=10)], ODD_LENGTH + SHORT)
    for length in range(54):
        yield Input(f"a SYN, 60 of {length}", [Record(frame, length=length)], ODD_LENGTH + SHORT)
    for length in range(54, 60):
        story = Story()
        frame = ethernet(story.syn() + bytes(6))
        yield Input(f"a whole SYN, 60 of {length}", [Record(frame, length=length)],
                    ODD_LENGTH + ALERTED, client=story.client, alert="port_only")
    story = Story()
    frame = ethernet(story.respond(story.answer()))
    yield Input("an answer of 1 octet less",
                [Record(frame, length=len(frame) - 1), Record(ethernet(story.syn()))],
                ODD_LENGTH + UNLEARNED + Moves({"dns.cut": 1, "dns.bad_record": 1}) + ALERTED,
                client=story.client, alert="port_only")


def message_fate(kept, question_end, whole, response=True):
    """What a message over UDP does of which `kept` of `whole` octets were captured."""
    moves = Moves({"decode.udp": 1, "dns.messages": 1})
    if kept < whole:
        moves["dns.cut"] = 1
    if kept < 12:
        return moves + Moves({"dns.short": 1})
    if kept < question_end:
        return moves + Moves({"dns.bad_question": 1})
    if not response:
        return moves + Moves({"dns.queries": 1})
    moves["dns.responses"] = 1
    if kept < whole:
        return moves + Moves({"dns.bad_record": 1})
    return UNASKED


QUESTION_END = 12 + len(frames.dotted("bad.example")) + 4


def cut_stories(ipv6, wrap, head):
    """The frames of stories cut at every octet; `head` is what stands before the transport."""
    size = len(wrap(Story(ipv6).syn(options=OPTIONS)))
    for kept in range(size):
        story = Story(ipv6)
        seen = kept >= head + 20
        yield Input(f"SYN, {kept} of {size}",
                    [Record(wrap(story.syn(options=OPTIONS))[:kept], length=size)],
                    ALERTED if seen else TRUNCATED, client=story.client,
                    alert="port_only" if seen else None)
    size = len(wrap(Story(ipv6).respond(Story(ipv6).answer())))
    for kept in range(size + 1):
        story = Story(ipv6)
        fate = TRUNCATED if kept < head + 8 else message_fate(
            kept - head - 8, QUESTION_END, size - head - 8)
        yield Input(f"answer, {kept} of {size}",
                    [Record(wrap(story.respond(story.answer()))[:kept], length=size),
                     Record(wrap(story.syn()))], fate + ALERTED, client=story.client,
                    alert="dns_confirmed" if kept == size else "port_only")
    query = frames.message([frames.question(frames.dotted("bad.example"))], flags=frames.RD)
    size = len(wrap(Story(ipv6).ask(query)))
    for kept in range(size + 1):
        fate = TRUNCATED if kept < head + 8 else message_fate(
            kept - head - 8, QUESTION_END, size - head - 8, response=False)
        yield Input(f"query, {kept} of {size}",
                    [Record(wrap(Story(ipv6).ask(query))[:kept], length=size)], fate)


@row("A3", "good frames cut at every octet", "Zeek 9.0.0-dev.902 read past the captured end",
     "decode.truncated inside a header, dns.cut inside a message; what is whole is used")
def a3():
    yield from cut_stories(False, ethernet, 34)
    yield from cut_stories(True, lambda p: ethernet(p, frames.IPV6), 54)
    yield from cut_stories(False, lambda p: ethernet(p, tags=((0x88A8, 7), (0x8100, 9))), 42)


def timed(name, when, moves, **more):
    """A client is given its address, then sends its SYN in a record with the stamp."""
    story = Story()
    return Input(name, [Record(ethernet(story.respond(story.answer()))),
                        Record(ethernet(story.syn()), stamp=when)], UNASKED + ALERTED + moves,
                 client=story.client, alert="dns_confirmed", alone=True, **more)


@row("A5", "a fraction of a second or more, or below zero",
     "passes libpcap, as 5e9 and as -1000 nanoseconds", "the sum counts; capture.odd_time")
def a5():
    seconds = START // S
    yield timed("5 000 000 us", (seconds, 5000000), ODD_TIME, stamp="2026-11-24T19:57:08.000Z",
                rest=5 * S)
    yield timed("-1 us", (seconds, 0xFFFFFFFF), ODD_TIME, stamp="2026-11-24T19:57:02.999Z")
    yield timed("1 999 999 999 ns", (seconds, 1999999999), ODD_TIME, nano=True,
                stamp="2026-11-24T19:57:04.999Z", rest=2 * S)
    yield timed("-1 ns", (seconds, 0xFFFFFFFF), ODD_TIME, nano=True,
                stamp="2026-11-24T19:57:02.999Z")


@row("A6", "seconds of -1, 0 and 2^31", "libpcap reads 32 bits with a sign; the draft of the format "
     "has none", "one foreign time changes nothing (4.12): the SYN is matched")
def a6():
    epoch, end = "1970-01-01T00:00:00.000Z", "2106-02-07T06:28:15.000Z"
    yield timed("-1", (0xFFFFFFFF, 0), FOREIGN, stamp=end)
    yield timed("0", (0, 0), FOREIGN, stamp=epoch)
    yield timed("2^31", (0x80000000, 0), FOREIGN, stamp="2038-01-19T03:14:08.000Z")
    yield timed("2^31 - 1", (0x7FFFFFFF, 999999), FOREIGN, stamp="2038-01-19T03:14:07.999Z")
    for name, stamp, time, move in (("-1", 0xFFFFFFFF, end, "clock.epochs"),
                                    ("0", 0, epoch, "clock.jumps")):
        story = Story()
        yield Input(f"{name}, the first of its file, then the present",
                    [Record(ethernet(story.syn()), stamp=(stamp, 0))],
                    ALERTED + Moves({move: 1}), client=story.client,
                    alert="port_only", stamp=time, alone=True)


def stepping(name, step, moves, back_again, verdict="dns_confirmed"):
    """A client is given its address, time steps, its SYN comes; then perhaps time steps back."""
    story, later = Story(), Story()
    return Input(name, [Record(ethernet(story.respond(story.answer()))),
                        Record(ethernet(story.syn()), pause=step),
                        Record(ethernet(later.respond(later.answer()))),
                        Record(ethernet(later.syn())),
                        *(Record(ethernet(Story().ask(b"")), pause=pause)
                          for pause in (-step, MS) if back_again)],
                 moves + UNASKED + UNASKED + ALERTED + ALERTED +
                 Moves({"decode.udp": 2 * back_again, "dns.messages": 2 * back_again,
                        "dns.short": 2 * back_again}),
                 client=story.client, alert=verdict, alone=True)


@row("A7", "time runs backwards by 1 s, 1 h, 10 y, and forwards again",
     "peafowl#32 crashed; suricata PR#1770 took the absolute value",
     "clock.epochs, clock.jumps; nothing expires at a step back")
def a7():
    epoch, jump = Moves({"clock.epochs": 1}), Moves({"clock.jumps": 1})
    # Up to a second behind a packet keeps its own time (4.12), and an answer that is more than
    # 50 ms younger than the SYN is no evidence (4.1): what comes behind the step is matched.
    yield stepping("1 s", -S, Moves(), True, "port_only")
    yield stepping("1 h", -HOUR, epoch, False)
    yield stepping("10 y", -10 * YEAR, epoch, False)
    yield stepping("2 h and forwards", -2 * HOUR, epoch + jump, True)
    yield stepping("10 y and forwards", -10 * YEAR, epoch + jump, True)


@row("A8", "time stands still; time jumps ten years", "the two ends of expiry",
     "no loss before expiry; clock.jumps, and the expiry of all that is held is bounded in time")
def a8():
    stories = [Story() for _ in range(1000)]
    records = [Record(ethernet(packet), pause=0) for story in stories
               for packet in (story.respond(story.answer()), story.syn())]
    yield Input("1000 stories at one moment", records,
                Moves({key: 1000 * value for key, value in (UNASKED + ALERTED).items()}),
                client=stories[999].client, alert="dns_confirmed", alone=True)
    stories = [Story() for _ in range(20000)]
    records = [Record(ethernet(story.respond(story.answer())), pause=1000) for story in stories]
    records.append(Record(ethernet(stories[0].syn()), pause=10 * YEAR))
    records.append(Record(ethernet(stories[0].ask(b"\0"))))
    yield Input("20000 answers, then ten years", records,
                Moves({key: 20000 * value for key, value in UNASKED.items()}) + ALERTED +
                Moves({"clock.jumps": 1, "decode.udp": 1, "dns.messages": 1, "dns.short": 1}),
                client=stories[0].client, alert="port_only", alone=True)


@row("B1", "Ethernet of 0 to 13 octets, unknown types, 802.3 lengths, LLC and SNAP",
     "suricata ethernet.pkt_too_small; tcpdump b7b72b7c",
     "decode.short; decode.other_ethertype for all but SNAP with an ethertype in it")
def b1():
    packet = Story().syn()
    for size in range(14):
        yield Input(f"{size} octets", [Record(ethernet(packet)[:size])], SHORT)
    for kind in (0x0806, 0x8035, 0x88CC, 0x88F7, 0x86DE, 0x0801, 0x5FFF, 0xFFFF):
        yield Input(f"type {kind:#x}", [Record(ethernet(packet, kind))], OTHER)
        yield Input(f"type {kind:#x} and nothing", [Record(ethernet(b"", kind))], OTHER)
    for length in (0, 1, 3, 40, 46, 1500, 1535):
        yield Input(f"length {length}", [Record(ethernet(packet, length))], OTHER)
        yield Input(f"length {length}, LLC", [Record(ethernet(b"\x42\x42\x03" + packet, length))],
                    OTHER)
        for size in (1, 3, 5, 8, 48):
            story = Story()
            snap = b"\xaa\xaa\x03\0\0\0\x08\0" + story.syn()
            # SNAP takes eight octets: whoever says less has none. A SYN takes 40 more.
            inside = 8 <= length <= 1500 and size >= 8
            seen = inside and min(size, length) >= 48
            yield Input(f"length {length}, {size} octets of SNAP",
                        [Record(ethernet(snap[:size], length))],
                        ALERTED if seen else SHORT if inside else OTHER, client=story.client,
                        alert="port_only" if seen else None)


@row("B2", "VLAN tags, cut at every octet, stacked one to nine times; VID 0",
     "suricata vlan.header_too_small, too_many_layers; lldpd CVE-2026-46433",
     "decode.short, decode.truncated; eight tags are read, nine are decode.too_deep")
def b2():
    tags = ((0x88A8, 0x2007), (0x8100, 0x0009))
    tagged = ethernet(Story().syn(), tags=tags)
    for size in range(14, 14 + 8):
        yield Input(f"{size} octets as sent", [Record(tagged[:size])], SHORT)
        yield Input(f"{size} octets captured", [Record(tagged[:size], length=62)], TRUNCATED)
    for kind in (0x8100, 0x88A8, 0x9100):
        for count in range(1, 9):
            story = Story()
            tags = tuple((kind, 100 + i) for i in range(count))
            yield Input(f"{count} times {kind:#x}",
                        [Record(ethernet(story.respond(story.answer()), tags=tags)),
                         Record(ethernet(story.syn(), tags=tags))], UNASKED + ALERTED,
                        client=story.client, alert="dns_confirmed",
                        vlans=["100", "101"][:count])
        yield Input(f"9 times {kind:#x}",
                    [Record(ethernet(Story().syn(), tags=((kind, 1),) * 9))],
                    Moves({"decode.too_deep": 1}))
    for name, tags, vlans in (("priority", ((0x8100, 0xE000),), []),
                              ("VID 0 before 5", ((0x8100, 0), (0x8100, 5)), ["5"]),
                              ("VID 4095", ((0x8100, 0xFFFF),), ["4095"])):
        story = Story()
        yield Input(name, [Record(ethernet(story.respond(story.answer()), tags=tags)),
                           Record(ethernet(story.syn(), tags=tags))], UNASKED + ALERTED,
                    client=story.client, alert="dns_confirmed", vlans=vlans)


@row("B3", "cooked, raw and BSD loopback frames that are too short; families nobody has",
     "suricata sll.pkt_too_small, ltnull.*",
     "decode.short, decode.malformed for neither version, decode.other_ethertype for no IP")
def b3():
    for link, head in ((113, 16), (276, 20), (0, 4), (108, 4), (101, 0)):
        wrap = frames.LINKS[link]
        for ipv6 in (False, True):
            story = Story(ipv6)
            yield Input(f"link {link}, sound {ipv6}",
                        [Record(wrap(story.respond(story.answer()))), Record(wrap(story.syn()))],
                        UNASKED + ALERTED, link=link, client=story.client, alert="dns_confirmed")
            frame = wrap(Story(ipv6).syn())
            for size in range(len(frame)):
                inside = size - head >= (40 if ipv6 else 20)
                # Behind a whole IP header its length says more than there is: short all the same.
                yield Input(f"link {link}, {size} octets{' inside IP' if inside else ''}",
                            [Record(frame[:size])], SHORT, link=link)
    for version in set(range(16)) - {4, 6}:
        yield Input(f"raw, version {version}", [Record(bytes([version << 4 | 5]) + bytes(60))],
                    Moves({"decode.malformed": 1}), link=101)
    for family in (0, 1, 3, 7, 25, 255, 0x1234, 0xFFFFFFFF):
        yield Input(f"family {family}", [Record(struct.pack("<I", family) + Story().syn())],
                    OTHER, link=0)
        yield Input(f"family {family}", [Record(struct.pack(">I", family) + Story().syn())],
                    OTHER, link=108)
    for kind in (0, 1, 4, 0x0806, 0xFFFF):
        yield Input(f"cooked, type {kind:#x}",
                    [Record(bytes(14) + struct.pack(">H", kind) + Story().syn())], OTHER, link=113)
        yield Input(f"cooked 2, type {kind:#x}",
                    [Record(struct.pack(">H", kind) + bytes(18) + Story().syn())], OTHER, link=276)
