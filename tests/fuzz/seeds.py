#!/usr/bin/python3
"""Writes the first inputs of the fuzz targets for frames and messages: corpus/frame, corpus/dns,
corpus/fragment,
corpus/stream.

A run gives the same files again. What a fuzzer found worth keeping is added to the folders by hand.
"""

import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
ETHERNET, RAW, SLL, SLL2, NULL, LOOP, IPV4, IPV6 = range(8)  # places in fuzz-frame.c's list
PPP, HDLC, PPPOE = 11, 12, 13

CLIENT4, SERVER4 = bytes([10, 0, 0, 1]), bytes([198, 51, 100, 23])
CLIENT6 = bytes.fromhex("20010db8000000000000000000000001")
SERVER6 = bytes.fromhex("20010db8000000000000000000000002")
MACS = bytes.fromhex("020000000002020000000001")


def name(text):
    labels = text.encode().split(b".") if text else []
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def record(owner, kind, data, ttl=60, cls=1):
    return owner + struct.pack(">HHIH", kind, cls, ttl, len(data)) + data


def message(records=(), question=name("www.example") + b"\0\x01\0\x01", flags=0x8180):
    header = struct.pack(">HHHHHH", 0x1234, flags, 1 if question else 0, len(records), 0, 0)
    return header + question + b"".join(records)


ASKED = b"\xc0\x0c"  # the question's name, at 12


def chain(count):
    """A CNAME from each name to the next, and an address at the end."""
    names = [name("n%d.example" % i) for i in range(count + 1)]
    records = [record(names[i], 5, names[i + 1]) for i in range(count)]
    return message(records + [record(names[count], 1, SERVER4)], names[0] + b"\0\x01\0\x01")


def pointers(count):
    """An owner that is `count` pointers deep, all inside a TXT record."""
    at = len(message()) + 11
    data = name("a") + b"".join(
        struct.pack(">H", 0xC000 | (at if i == 0 else at + 3 + 2 * (i - 1))) for i in range(count))
    last = struct.pack(">H", 0xC000 | (at + 3 + 2 * (count - 1)))
    return message([record(b"\0", 16, data), record(last, 1, SERVER4)])


LONGEST = b"".join(bytes([n]) + b"\xff" * n for n in (63, 63, 63, 61)) + b"\0"

DNS = {
    "answer": message([record(ASKED, 1, SERVER4), record(ASKED, 28, SERVER6)]),
    "query": message(flags=0x0100),
    "no-question": message([record(name("www"), 1, SERVER4)], b""),
    "denied": message(flags=0x8183),
    "notify": message(flags=0xA180),
    "cname": message([record(ASKED, 5, name("cdn.example")), record(b"\xc0\x29", 1, SERVER4)]),
    "cname-last": message([record(name("cdn.example"), 1, SERVER4),
                           record(ASKED, 5, name("cdn.example"))]),
    "cname-circle": message([record(ASKED, 5, name("a")), record(name("a"), 5, ASKED),
                             record(name("b"), 1, SERVER4)]),
    "cname-itself": message([record(ASKED, 5, ASKED), record(ASKED, 1, SERVER4)]),
    "chain-17": chain(17),
    "chain-25": chain(25),
    "pointers-127": pointers(127),
    "pointers-128": pointers(128),
    "pointer-itself": message([record(b"\xc0\x1d", 1, SERVER4)]),
    "pointer-forward": message([record(b"\xc0\x30", 1, SERVER4)]),
    "pointer-header": message([record(b"\xc0\x04", 1, SERVER4)]),
    "longest-name": message([record(LONGEST, 1, SERVER4)]),
    "name-of-256": message([record(b"\1a" + LONGEST, 1, SERVER4)]),
    "octets": message([record(b"\x09" + b"\0\n\".\\ \x7f\x80\xff" + b"\0", 1, SERVER4)]),
    "other-types": message([record(ASKED, 16, b"\xffaaa"), record(b"\0", 41, b"\0\x08\xff\xff"),
                            record(ASKED, 39, b"\xc0\x10"), record(ASKED, 1, SERVER4)]),
    "wrong-lengths": message([record(ASKED, 1, b"abc"), record(ASKED, 28, SERVER4),
                              record(ASKED, 1, SERVER4, cls=3), record(ASKED, 1, SERVER4)]),
    "record-cut": message([record(ASKED, 1, SERVER4), record(ASKED, 1, SERVER4)])[:-1],
    "https-hints": message([record(ASKED, 65, b"\0\1\0\0\1\0\3\2h2\0\4\0\x08" + SERVER4 * 2 +
                                   b"\0\6\0\x10" + SERVER6)], name("www") + b"\0\x41\0\1"),
    "svcb-target": message([record(ASKED, 64, b"\0\1" + name("cdn.example") + b"\0\4\0\4" +
                                   SERVER4)]),
    "https-alias": message([record(ASKED, 65, b"\0\0" + name("cdn.example"))]),
    "https-lies": message([record(ASKED, 65, b"\0\1\0\0\4\0\3abc"), record(ASKED, 1, SERVER4)]),
    "many": message([record(ASKED, 1, struct.pack(">I", i)) for i in range(70)]),
}


def udp(data=b"", length=None):
    return struct.pack(">HHHH", 54321, 53, len(data) + 8 if length is None else length, 0) + data


def tcp(options=b"", flags=2):
    words = (20 + len(options)) // 4
    return struct.pack(">HHIIBBHHH", 49153, 2069, 7, 0, words << 4, flags, 65535, 0, 0) + options


def ipv4(protocol, payload, fragment=0, options=b"", total=None):
    length = 20 + len(options) + len(payload) if total is None else total
    return struct.pack(">BBHHHBBH", 0x45 + len(options) // 4, 0, length, 1, fragment, 64, protocol,
                       0) + CLIENT4 + SERVER4 + options + payload


def ipv6(following, payload, length=None):
    length = len(payload) if length is None else length
    return struct.pack(">IHBB", 6 << 28, length, following, 64) + CLIENT6 + SERVER6 + payload


def extensions(*kinds, last, payload):
    """Options headers of 8 octets, of these kinds, before the payload."""
    for kind in reversed(kinds):
        payload = bytes([last, 0, 1, 4, 0, 0, 0, 0]) + payload
        last = kind
    return ipv6(last, payload)


def frame(link, octets, missing=0):
    return struct.pack(">BH", link, missing) + octets


def ethernet(kind, payload, missing=0, tags=b""):
    return frame(ETHERNET, MACS + tags + struct.pack(">H", kind) + payload, missing)


def inside(port, data):
    return struct.pack(">HHHH", 50000, port, len(data) + 8, 0) + data


ANSWER4 = ipv4(17, udp(DNS["answer"]))
SYN4 = ipv4(6, tcp(b"\x02\x04\x05\xb4"))
COOKED = bytes.fromhex("00000001000602000000000100000800")
COOKED2 = bytes.fromhex("0800000000000002000100060200000000010000")

FRAMES = {
    "udp4": ethernet(0x0800, ANSWER4),
    "tcp4": ethernet(0x0800, SYN4),
    "udp6": ethernet(0x86DD, ipv6(17, udp(DNS["answer"]))),
    "tcp6": ethernet(0x86DD, ipv6(6, tcp())),
    "vlan": ethernet(0x0800, SYN4, tags=bytes.fromhex("81000064")),
    "qinq": ethernet(0x0800, SYN4, tags=bytes.fromhex("88a80064810000c8")),
    "nine-tags": ethernet(0x0800, SYN4, tags=bytes.fromhex("81000001") * 9),
    "arp": ethernet(0x0806, bytes(28)),
    "mpls": ethernet(0x8847, b"\0\1\1\x40" + SYN4),
    "pseudowire": ethernet(0x8847, b"\0\1\1\x40" + bytes(4) + MACS + b"\x08\0" + SYN4),
    "pseudowire-plain": ethernet(0x8847, b"\0\1\1\x40" + MACS + b"\x08\0" + SYN4),
    "pppoe": ethernet(0x8864, b"\x11\0\0\7\0\x2e\0\x21" + SYN4),
    "snap": ethernet(52, b"\xaa\xaa\3\0\0\0\x08\0" + SYN4),
    "ppp": frame(PPP, b"\xff\3\0\x21" + SYN4),
    "hdlc": frame(HDLC, b"\x0f\0\x08\0" + SYN4),
    "pppoe-alone": frame(PPPOE, b"\x11\0\0\7\0\x2e\0\x21" + SYN4),
    "ipip": ethernet(0x0800, ipv4(4, SYN4)),
    "6in4": ethernet(0x0800, ipv4(41, ipv6(6, tcp()))),
    "4in6": ethernet(0x86DD, ipv6(4, SYN4)),
    "gre-all": ethernet(0x0800, ipv4(47, b"\xf0\0\x08\0" + bytes(12) + b"\x08\0\0\4" +
                                     bytes(8) + SYN4)),
    "nvgre": ethernet(0x0800, ipv4(47, b"\x20\0\x65\x58\0\0\x64\0" + MACS + b"\x08\0" + SYN4)),
    "erspan1": ethernet(0x0800, ipv4(47, b"\0\0\x88\xbe" + MACS + b"\x08\0" + SYN4)),
    "erspan2": ethernet(0x0800, ipv4(47, b"\x10\0\x88\xbe\0\0\0\1\x10\x64\0\5" + bytes(4) + MACS +
                                     b"\x08\0" + SYN4)),
    "erspan3": ethernet(0x0800, ipv4(47, b"\x10\0\x22\xeb\0\0\0\1\x20\x64\0\5" + bytes(7) + b"\1" +
                                     bytes(8) + MACS + b"\x08\0" + SYN4)),
    "vxlan": ethernet(0x0800, ipv4(17, inside(4789, b"\x08\0\0\0\0\0\x64\0" + MACS + b"\x08\0" +
                                              SYN4))),
    "geneve": ethernet(0x0800, ipv4(17, inside(6081, b"\2\0\x65\x58\0\0\x64\0" + bytes(8) + MACS +
                                               b"\x08\0" + SYN4))),
    "gtp": ethernet(0x0800, ipv4(17, inside(2152, b"\x34\xff\0\x34\0\0\0\7\0\0\0\x85\1\x10\1\0" +
                                            SYN4))),
    "teredo": ethernet(0x0800, ipv4(17, inside(3544, ipv6(6, tcp())))),
    "options": ethernet(0x0800, ipv4(6, tcp(), options=b"\x94" * 40)),
    "offload": ethernet(0x0800, ipv4(6, tcp(), total=0)),
    "fragment4": ethernet(0x0800, ipv4(17, udp(), fragment=0x2000)),
    "authentication": ethernet(0x0800, ipv4(51, bytes.fromhex("060100000000000000000000") + tcp())),
    "gre": ethernet(0x0800, ipv4(47, b"\0\0\x08\0" + SYN4)),
    "truncated": ethernet(0x0800, SYN4[:30], missing=200),
    "padding": ethernet(0x0800, ipv4(6, tcp()) + bytes(6)),
    "udp-length-0": ethernet(0x0800, ipv4(17, udp(b"abc", length=0))),
    "extensions": ethernet(0x86DD, extensions(0, 43, 60, 135, last=17, payload=udp(b"abc"))),
    "seventeen-extensions": ethernet(0x86DD, extensions(*[60] * 17, last=17, payload=udp())),
    "fragment6": ethernet(0x86DD, ipv6(44, bytes.fromhex("1100000100000001") + udp())),
    "atomic": ethernet(0x86DD, ipv6(44, bytes.fromhex("1100000000000001") + udp())),
    "jumbogram": ethernet(0x86DD, ipv6(0, bytes.fromhex("1100c20400010010") + udp(b"abc", length=0),
                                       length=0), missing=65535),
    "raw4": frame(RAW, SYN4),
    "raw6": frame(RAW, ipv6(6, tcp())),
    "cooked": frame(SLL, COOKED + SYN4),
    "cooked2": frame(SLL2, COOKED2 + SYN4),
    "null": frame(NULL, b"\2\0\0\0" + SYN4),
    "null6": frame(NULL, b"\x1e\0\0\0" + ipv6(6, tcp())),
    "loop": frame(LOOP, b"\0\0\0\2" + SYN4),
    "ipv4": frame(IPV4, SYN4),
    "ipv6": frame(IPV6, ipv6(6, tcp())),
}


def piece(which, odd, units, length, time=0):
    return struct.pack(">BBHBB", which, odd, units, length, time)


MORE, CUT, LIES, LONG, SLOW = 1, 2, 4, 8, 16
WHOLE = piece(1, MORE, 0, 16) + piece(1, 0, 2, 5)
FRAGMENTS = {
    "whole": WHOLE,
    "reversed": piece(1, 0, 2, 5) + piece(1, MORE, 0, 16),
    "copies": WHOLE * 3,
    "again": WHOLE + piece(1, MORE | LIES, 0, 16) + piece(1, LIES, 2, 5),
    "overlap": piece(1, MORE, 0, 32) + piece(1, MORE | LIES, 2, 32) + piece(1, 0, 6, 5),
    "overlap-same": piece(1, MORE, 0, 32) + piece(1, MORE, 2, 32) + piece(1, 0, 6, 5),
    "teardrop": piece(1, MORE, 0, 40) + piece(1, 0, 3, 4),
    "hole": piece(1, MORE, 0, 16) + piece(1, 0, 4, 5) + piece(1, MORE, 2, 16),
    "two-ends": piece(1, 0, 4, 5) + piece(1, 0, 4, 6),
    "empty": piece(1, MORE, 0, 16) + piece(1, 0, 2, 0) + piece(1, 0, 2, 5),
    "past-the-end": piece(1, 0, 0x1FFF, 9) + piece(33, 0, 0x1FFF, 7),
    "cut": piece(1, MORE | CUT, 0, 16) + piece(1, 0, 2, 5),
    "lost": piece(1, MORE, 0, 16) + piece(2, MORE | SLOW, 0, 16, 31) + WHOLE,
    "used-again": piece(1, MORE, 0, 16) + piece(1, MORE | LIES | SLOW, 0, 16, 2) +
                  piece(1, LIES, 2, 5),
    "large": b"".join(piece(1, MORE | LONG, 31 * 8 * i, 248) for i in range(33)),
    "many": b"".join(piece(which, MORE, 0, 16) for which in range(64)) +
            b"".join(piece(which, 0, 2, 5) for which in range(64)),
}


def segment(which, flags, odd, offset, length):
    return struct.pack(">BBBHH", which, flags, odd, offset, length)


SYN_ACK, ACK, FIN_ACK, RST = 0x12, 0x10, 0x11, 0x04
OPEN = segment(0, SYN_ACK, 0, 0, 0)
STREAMS = {
    "one": OPEN + segment(0, ACK, 0, 0, 14),
    "all": OPEN + segment(0, ACK, 0, 0, 8192),
    "octets": OPEN + b"".join(segment(0, ACK, 0, i, 1) for i in range(60)),
    "backwards": OPEN + b"".join(segment(0, ACK, 0, i, 1) for i in reversed(range(60))),
    "hole": OPEN + segment(0, ACK, 0, 0, 8) + segment(0, ACK, 0, 9, 40) + segment(0, RST, 0, 0, 0),
    "wrap": segment(1, SYN_ACK, 0, 0, 0) + segment(1, ACK, 0, 90, 60) + segment(1, ACK, 0, 0, 90),
    "mid-stream": segment(2, ACK, 0, 14, 20),
    "overlap": OPEN + segment(0, ACK, 1, 4, 20) + segment(0, ACK, 0, 0, 60),
    "far": OPEN + segment(0, ACK, 0, 0, 8) + segment(0, ACK, 4, 1000, 30) +
           segment(0, ACK, 0, 8, 30),
    "end": OPEN + segment(0, FIN_ACK, 0, 0, 20),
    "garbage": OPEN + segment(0, ACK, 16, 0, 60) + b"\0\x0c" + b"\xff" * 60,
    "silence": OPEN + segment(0, ACK, 0, 0, 8) + segment(0, ACK, 8, 8, 8) * 4,
    "client": segment(0, ACK, 2, 0, 14),
}


def main():
    for folder, inputs in (("frame", FRAMES), ("dns", DNS), ("fragment", FRAGMENTS),
                           ("stream", STREAMS)):
        path = os.path.join(HERE, "corpus", folder)
        os.makedirs(path, exist_ok=True)
        for title, octets in inputs.items():
            with open(os.path.join(path, title), "wb") as file:
                file.write(octets)


if __name__ == "__main__":
    main()
