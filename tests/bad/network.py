"""Rows C: IPv4. Rows D: IPv6. Rows F: UDP and TCP."""
import struct

import frames
from frames import ACK, CWR, ECE, FIN, PUSH, RST, SYN, TCP, UDP, URG, ethernet
from link import OPTIONS, QUESTION_END, SHORT, TRUNCATED
from rows import ALERTED, UNASKED, UNLEARNED, Input, Moves, Record, Story, row

MALFORMED, DEEP = Moves({"decode.malformed": 1}), Moves({"decode.too_deep": 1})
OTHER = Moves({"decode.other_protocol": 1})
CUT, BAD_RECORD = Moves({"dns.cut": 1}), Moves({"dns.bad_record": 1})
DNS_SHORT = Moves({"decode.udp": 1, "dns.messages": 1, "dns.short": 1})
BAD_QUESTION = Moves({"decode.udp": 1, "dns.messages": 1, "dns.bad_question": 1})


def ethernet6(packet):
    return ethernet(packet, frames.IPV6)


def packet4(story, segment=None, **lies):
    """The story's SYN, or another segment of its client's, in an IPv4 header that may lie."""
    segment = story.segment() if segment is None else segment
    return frames.ipv4(story.client, story.given, TCP, segment, **lies)


def answer4(story, datagram=None, **lies):
    datagram = frames.udp(53, 40000, story.answer()) if datagram is None else datagram
    return frames.ipv4(story.resolver, story.client, UDP, datagram, **lies)


def bad(name, *packets, moves, wrap=ethernet):
    """Nothing can be made of these."""
    return Input(name, [Record(wrap(packet)) for packet in packets], moves)


def told(name, story, *packets, wrap=ethernet, moves=UNASKED + ALERTED):
    """The answer is learned, the SYN is matched."""
    return Input(name, [Record(wrap(packet)) for packet in packets], moves, client=story.client,
                 alert="dns_confirmed", asked=False)


def unlearned(name, story, *packets, moves, wrap=ethernet):
    """The answer is not learned: what the SYN meets is its port alone."""
    return Input(name, [Record(wrap(packet)) for packet in (*packets, story.syn())],
                 moves + ALERTED, client=story.client, alert="port_only")


# ---- IPv4 ----

@row("C1", "every IP version in frames of type 0x0800 and 0x86dd", "tcpdump CVE-2016-7974",
     "decode.malformed for any but 4 and 6")
def c1():
    for version in range(16):
        if version != 4:
            yield bad(f"version {version}", packet4(Story(), version=version), moves=MALFORMED)
        if version != 6:
            story = Story(True)
            yield bad(f"IPv6, version {version}", frames.ipv6(
                story.client, story.destination, TCP, story.segment(), version=version),
                moves=MALFORMED, wrap=ethernet6)


@row("C2", "header length below 5, beyond what was captured, beyond the total length",
     "suricata hlen_too_small, iplen_smaller_than_hlen; Zeek 0e34f2e0",
     "decode.malformed; decode.short or decode.truncated where the frame ends first")
def c2():
    for words in range(5):
        yield bad(f"{words} words", packet4(Story(), words=words), moves=MALFORMED)
    for words in range(11, 16):
        yield bad(f"{words} words of a total of 40", packet4(Story(), words=words), moves=MALFORMED)
        yield bad(f"{words} words as sent", packet4(Story(), words=words, total=200), moves=SHORT)
        yield Input(f"{words} words captured",
                    [Record(ethernet(packet4(Story(), words=words, total=200)), length=214)],
                    TRUNCATED)


@row("C3", "total length 0 (offload), below the header, beyond what was sent, 65535",
     "tcpdump 25fae3c8; Zeek udp_contents", "what is there is used, unless it is below the header")
def c3():
    for total in (0, 41, 100, 1500, 65535):
        story = Story()
        size = 28 + len(story.answer())
        yield told(f"total {total}", story, answer4(story, total=total and max(total, size + 1)),
                   packet4(story, total=total))
    for total in range(1, 20):
        yield bad(f"total {total}", packet4(Story(), total=total), moves=MALFORMED)
    # The IP length leaves no room for the header that the protocol field promises.
    for total in range(20, 40):
        yield bad(f"TCP in {total}", packet4(Story(), total=total), moves=MALFORMED)
    for total in range(20, 28):
        yield bad(f"UDP in {total}", answer4(Story(), total=total), moves=MALFORMED)


@row("C4", "a trailer behind the total length that looks like a SYN or an answer",
     "tcpdump d6cf0925 cut at the payload's end", "nothing behind the total length is read")
def c4():
    story = Story()
    yield bad("SYN in the trailer", packet4(story, b"") + story.segment(), moves=MALFORMED)
    yield bad("ports in the IP length, the rest in the trailer", packet4(
        story, story.segment(), total=24), moves=MALFORMED)
    story = Story()
    yield unlearned("answer in the trailer", story, answer4(story, total=28),
                    moves=DNS_SHORT + CUT)
    story = Story()
    yield unlearned("answer in the trailer, its UDP length honest", story,
                    answer4(story, frames.udp(53, 40000, b"")) + story.answer(), moves=DNS_SHORT)
    for missing in range(1, 17):
        story = Story()
        total = 28 + len(story.answer()) - missing
        yield unlearned(f"the last {missing} octets in the trailer", story,
                        answer4(story, total=total), moves=UNLEARNED + CUT + BAD_RECORD)
    story = Story()
    yield told("honest padding", story, answer4(story) + b"\xff" * 60, packet4(story) + b"\xff" * 6)


@row("C5", "IPv4 options of length 0, 1, past the end; all 40 octets",
     "CVE-2017-13022, CVE-2017-13037; 9fc0b539, an endless loop of 1999",
     "options are stepped over by the header's length: answer and SYN are used")
def c5():
    for text in ("07000000", "07010000", "07ff0000", "0727" + "00" * 38, "01" * 40, "00" * 40,
                 "83" * 40, "ff" * 40, "440f0500" + "ff" * 36, "94040000", "00ffffff"):
        options, story = bytes.fromhex(text), Story()
        yield told(f"options {text}", story, answer4(story, options=options),
                   packet4(story, options=options))


@row("C6", "wrong checksums; UDP of 0 to 7 and TCP of 0 to 19 octets",
     "Zeek bad_IP_checksum; offload makes wrong sums normal",
     "wrong sums are accepted; decode.malformed: the IP length has no room for the header")
def c6():
    story = Story()
    yield told("wrong sums", story, answer4(story, sums=False), packet4(story, sums=False))
    for size in range(20):
        yield bad(f"TCP of {size}", packet4(Story(), Story().segment()[:size]), moves=MALFORMED)
    for size in range(8):
        yield bad(f"UDP of {size}", answer4(Story(), frames.udp(53, 4, b"")[:size]),
                  moves=MALFORMED)


# ---- IPv6 ----

def packet6(story, protocol=TCP, payload=None, **lies):
    payload = story.segment() if payload is None else payload
    return frames.ipv6(story.client, story.destination, protocol, payload, **lies)


def answer6(story, protocol=UDP, payload=None, **lies):
    payload = frames.udp(53, 40000, story.answer()) if payload is None else payload
    return frames.ipv6(story.resolver, story.client, protocol, payload, **lies)


@row("D1", "payload length 0 with and without a jumbogram, beyond and below what was sent",
     "tcpdump bbcd77cd, 6bc9e72a", "0 is to the frame's end; nothing behind the length is read")
def d1():
    jumbo = struct.pack(">BBBBI", TCP, 0, 0xC2, 4, 70000)
    for name, syn in (("0", packet6(Story(True), length=0)),
                      ("0, jumbogram", packet6(Story(True), 0, jumbo + Story().segment(),
                                               length=0)),
                      ("1500", packet6(Story(True), length=1500)),
                      ("65535", packet6(Story(True), length=65535))):
        yield bad(f"length {name}", syn, moves=ALERTED, wrap=ethernet6)
    story = Story(True)
    datagram = frames.udp(53, 40000, story.answer(), length=0)
    yield told("UDP length 0 in a jumbogram (RFC 2675)", story,
               answer6(story, 0, struct.pack(">BBBBI", UDP, 0, 0xC2, 4, 8 + len(datagram)) +
                       datagram, length=0), packet6(story), wrap=ethernet6)
    for length in range(1, 20):
        yield bad(f"TCP in {length}", packet6(Story(True), length=length), moves=MALFORMED,
                  wrap=ethernet6)
    for length in range(1, 8):
        yield bad(f"UDP in {length}", answer6(Story(True), length=length), moves=MALFORMED,
                  wrap=ethernet6)
    story = Story(True)
    yield unlearned("answer in the trailer", story, answer6(story, length=8),
                    moves=DNS_SHORT + CUT, wrap=ethernet6)


# Type, and an example: next header first, its length second.
EXTENSIONS = {
    0: "PP010104000000000000000000000000", 43: "PP020001000000000000000000000000" + "00" * 8,
    44: "PP00000012345678", 51: "PP04000000000100000000010000000000000000000000000000"[:48],
    60: "PP00010400000000", 135: "PP01000000000000" + "00" * 8, 139: "PP04000000000000" + "00" * 32,
    140: "PP00000000000000",
}


def extension(kind, following):
    return bytes.fromhex(EXTENSIONS[kind].replace("PP", f"{following:02x}"))


@row("D2", "each extension header cut at every octet",
     "CVE-2017-12985, CVE-2017-13031, CVE-2017-13725; tests/hoobr_rt6_print.pcap",
     "decode.truncated, decode.short, or decode.malformed where the payload length ends it")
def d2():
    for kind in EXTENSIONS:
        head = extension(kind, TCP)
        story = Story(True)
        yield bad(f"header {kind}, whole", packet6(story, kind, head + story.segment()),
                  moves=ALERTED, wrap=ethernet6)
        for size in range(len(head)):
            packet = packet6(story, kind, head + story.segment())
            kept = ethernet6(packet[:40 + size])
            yield Input(f"header {kind}, {size} captured", [Record(kept, length=14 + len(packet))],
                        TRUNCATED)
            yield Input(f"header {kind}, {size} sent", [Record(kept)], SHORT)
            if size:
                yield bad(f"header {kind}, {size} of payload length",
                          packet6(story, kind, head + story.segment(), length=size),
                          moves=MALFORMED, wrap=ethernet6)


def chain(*kinds):
    following = (*kinds[1:], TCP)
    return b"".join(extension(kind, after) for kind, after in zip(kinds, following))


@row("D3", "1 to 200 extension headers, repeated, out of order, duplicated",
     "Suricata 54c2804c, bug 908, ran in circles; Zeek 95029bd4 crashed",
     "eight are read; 64 and more are decode.too_deep, in bounded time")
def d3():
    for kind in EXTENSIONS:
        for count in range(1, 9):
            story = Story(True)
            yield bad(f"{count} times {kind}",
                      packet6(story, kind, chain(*(kind,) * count) + story.segment()),
                      moves=ALERTED, wrap=ethernet6)
        for count in (64, 65, 100, 199, 200):
            story = Story(True)
            yield bad(f"{count} times {kind}",
                      packet6(story, kind, chain(*(kind,) * count) + story.segment()),
                      moves=DEEP, wrap=ethernet6)
    for kinds in ((60, 0), (43, 0, 60), (51, 44, 43, 60, 0), (44, 44), (0, 60, 0, 60),
                  (140, 139, 135)):
        story = Story(True)
        yield bad(f"order {kinds}", packet6(story, kinds[0], chain(*kinds) + story.segment()),
                  moves=ALERTED, wrap=ethernet6)


@row("D4", "option lengths past the header, below zero after subtraction, PadN of 0",
     "Zeek 743d42f2 ipv6-options-negative-length; zero_len_padn",
     "options are not read, headers are stepped over by their own length")
def d4():
    for kind in (0, 60):
        for option in ("01ff00000000", "c2fe00000000", "010000000000", "000000000000",
                       "05ffffffffff", "01040000c20a", "630401010101", "ffffffffffff"):
            story, head = Story(True), bytes([TCP, 0]) + bytes.fromhex(option)
            yield bad(f"header {kind}, options {option}",
                      packet6(story, kind, head + story.segment()), moves=ALERTED, wrap=ethernet6)


@row("D5", "routing type 0, AH lengths, mobility, ESP, no next header, protocols nobody knows",
     "Zeek b171f947 overflowed on mobile IPv6; CVE-2015-0261",
     "stepped over, or decode.other_protocol; decode.malformed for a length past its payload")
def d5():
    for left in (0, 1, 255):
        story = Story(True)
        yield bad(f"routing type 0, {left} left",
                  packet6(story, 43, bytes([TCP, 2, 0, left]) + bytes(20) + story.segment()),
                  moves=ALERTED, wrap=ethernet6)
    for words in (0, 1, 4, 7):
        # An AH of 8, 12, 24 or 36 octets (RFC 4302 section 2.2), over both versions.
        head = bytes([TCP, words]) + bytes(4 * (words + 2) - 2)
        for name, story, packet, wrap in (
                ("IPv6", Story(True), lambda s, h: packet6(s, 51, h), ethernet6),
                ("IPv4", Story(), lambda s, h: frames.ipv4(s.client, s.given, 51, h), ethernet)):
            yield bad(f"AH length {words}, {name}", packet(story, head + story.segment()),
                      moves=ALERTED, wrap=wrap)
            yield bad(f"AH length 255, {name}",
                      packet(story, bytes([TCP, 255]) + head[2:] + story.segment()),
                      moves=MALFORMED, wrap=wrap)
    for kind in (0, 43, 60, 135, 139, 140):
        story = Story(True)
        yield bad(f"header {kind} of 2048 octets",
                  packet6(story, kind, bytes([TCP, 255]) + bytes(40) + story.segment()),
                  moves=MALFORMED, wrap=ethernet6)
    for protocol in (50, 58, 59, 61, 89, 103, 114, 132, 200, 253, 254, 255):
        story = Story(True)
        yield bad(f"next header {protocol}", packet6(story, protocol), moves=OTHER, wrap=ethernet6)
        yield bad(f"next header {protocol} and nothing", packet6(story, protocol, b""), moves=OTHER,
                  wrap=ethernet6)
        yield bad(f"protocol {protocol}",
                  frames.ipv4(Story().client, story.given, protocol, story.segment()), moves=OTHER)


# ---- UDP and TCP ----

@row("F1", "UDP length 0 to 7, beyond the IP payload, below it",
     "suricata udp.hlen_too_small, udp.len_invalid; f941ceae",
     "decode.malformed; dns.cut where it says more than there is; nothing behind it is read")
def f1():
    for length in range(8):
        story = Story()
        yield unlearned(f"length {length}", story, answer4(story, frames.udp(
            53, 40000, story.answer(), length=length)), moves=MALFORMED)
    for more in (1, 2, 8, 100, 1400):
        story = Story()
        length = 8 + len(story.answer()) + more
        yield told(f"{more} more", story, answer4(story, frames.udp(
            53, 40000, story.answer(), length=length)), packet4(story),
            moves=UNASKED + CUT + ALERTED)
    story = Story()
    yield told("65535", story, answer4(story, frames.udp(53, 40000, story.answer(), length=65535)),
               packet4(story), moves=UNASKED + CUT + ALERTED)
    for kept in range(len(Story().answer())):
        story = Story()
        fate = (DNS_SHORT if kept < 12 else BAD_QUESTION if kept < QUESTION_END else
                UNLEARNED + BAD_RECORD)
        yield unlearned(f"{kept} octets of message", story, answer4(story, frames.udp(
            53, 40000, story.answer(), length=8 + kept)), moves=fate)


@row("F2", "TCP data offset below 5, beyond the segment; options of length 0, 1, past the end",
     "suricata tcp.hlen_too_small; Zeek tcp_option_*_invalid_len",
     "decode.malformed; options are not read, the SYN is")
def f2():
    for words in range(5):
        yield bad(f"offset {words}", packet4(Story(), Story().segment(words=words)),
                  moves=MALFORMED)
    for words in range(6, 16):
        yield bad(f"offset {words} in 20 octets", packet4(Story(), Story().segment(words=words)),
                  moves=MALFORMED)
        story = Story()
        yield told(f"offset {words}", story, answer4(story), packet4(
            story, story.segment(words=words, options=OPTIONS * 2)))
    for text in ("02000000", "02010000", "02ff0000", "0204", "ff" * 40, "00" * 40, "01" * 40,
                 "0801" * 20, "1e" * 40, "13120000"):
        options = bytes.fromhex(text)
        story = Story()
        words = 5 + (len(options) + 3) // 4
        yield told(f"options {text}", story, answer4(story), packet4(
            story, story.segment(words=words, options=options + bytes(-len(options) % 4))))


@row("F3", "SYN with data, with FIN, RST, ACK, with URG and the rest; ten times the same",
     "Zeek baroque_SYN, bad_SYN_ack", "4.2: SYN set, ACK, RST and FIN clear; copies are one")
def f3():
    for extra in range(256):
        flags = SYN ^ extra
        story = Story()
        if flags & SYN and not flags & (ACK | RST | FIN):
            yield told(f"flags {flags:#04x}", story, answer4(story),
                       packet4(story, story.segment(flags)))
        else:
            packets = answer4(story), packet4(story, story.segment(flags))
            yield Input(f"flags {flags:#04x}", [Record(ethernet(packet)) for packet in packets],
                        UNASKED + Moves({"decode.tcp": 1}), client=story.client)
    for data in (b"\0", b"GET / HTTP/1.1\r\n\r\n", bytes(1400)):
        story = Story()
        yield told(f"{len(data)} octets of data", story, answer4(story),
                   packet4(story, story.segment(SYN | PUSH | URG | ECE | CWR, data=data)))
    story = Story()
    yield told("ten times", story, answer4(story), *(packet4(story) for _ in range(10)),
               moves=UNASKED + ALERTED + Moves({"decode.tcp": 9, "connection.attempts": 9,
                                                "connection.copies": 9}))
    story = Story()
    syns = [packet4(story, story.segment(sequence=number)) for number in range(10)]
    yield told("ten times with other sequence numbers", story, answer4(story), *syns,
               moves=UNASKED + ALERTED + Moves({"decode.tcp": 9, "connection.attempts": 9,
                                                "alert.suppressed": 9, "alert.repeats": 1}))
