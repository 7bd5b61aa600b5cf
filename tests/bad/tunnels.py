"""Rows B4 and B5: what packets are wrapped in."""
import struct

import frames
from frames import UDP, ethernet
from link import SHORT, TRUNCATED
from rows import ALERTED, OPENED, UNASKED, Input, Moves, Record, Story, row

MALFORMED = Moves({"decode.malformed": 1})
ENDS = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])  # of the tunnels


def over_ip(protocol, head, payload):
    return ethernet(frames.ipv4(*ENDS, protocol, head + payload))


def over_udp(port, head, payload):
    return over_ip(UDP, b"", frames.udp(50000, port, head + payload))


def over_ipv6(protocol, head, payload):
    ends = (bytes.fromhex("20010db8") + bytes(11) + bytes([end]) for end in (1, 2))
    return ethernet(frames.ipv6(*ends, protocol, head + payload), frames.IPV6)


def gre(flags, kind, fields=b""):
    return struct.pack(">HH", flags, kind) + fields


def label(number, bottom=True):
    return struct.pack(">I", number << 12 | bottom << 8 | 64)


def pppoe(packet, session=7):
    packet = b"\0\x21" + packet
    return ethernet(struct.pack(">BBHH", 0x11, 0, session, len(packet)) + packet, 0x8864)


def gtp(packet, flags=0x30, more=b""):
    head = struct.pack(">BBHI", flags, 255, len(packet) + len(more), 7) + more
    return over_udp(2152, head, packet)


ERSPAN2 = bytes.fromhex("0000000110000005 00000000".replace(" ", ""))
ERSPAN3 = bytes.fromhex("00000001200000050000000000000000")
VNI = struct.pack(">I", 100 << 8)
EXTENSION = bytes.fromhex("00010085 01100900".replace(" ", ""))

# Name: what portent.tunnel must say (type, id), the counters, and the frame around an IPv4 packet.
# Numbers are those of the registries; each head is written down as its document has it.
WRAPS = {
    "MPLS": (["mpls"], [100], lambda p: ethernet(label(100) + p, 0x8847)),
    "MPLS, three labels": (["mpls"], [100], lambda p: ethernet(
        label(100, False) + label(200, False) + label(300) + p, 0x8847)),
    "pseudowire with a control word": (["mpls"], [100], lambda p: ethernet(
        label(100) + bytes(4) + ethernet(p), 0x8847)),
    "pseudowire without": (["mpls"], [100], lambda p: ethernet(label(100) + ethernet(p), 0x8847)),
    "PPPoE": (["pppoe"], [7], pppoe),
    "SNAP": (None, None, lambda p: ethernet(b"\xaa\xaa\x03\0\0\0\x08\0" + p, 8 + len(p))),
    "IP in IP": (["ipip"], None, lambda p: over_ip(4, b"", p)),
    "4in6": (["4in6"], None, lambda p: over_ipv6(4, b"", p)),
    "MPLS in IP": (["mpls"], [100], lambda p: over_ip(137, label(100), p)),
    "MPLS in UDP": (["mpls"], [100], lambda p: over_udp(6635, label(100), p)),
    "GRE": (["gre"], None, lambda p: over_ip(47, gre(0, 0x0800), p)),
    "GRE, checksum": (["gre"], None, lambda p: over_ip(47, gre(0x8000, 0x0800, bytes(4)), p)),
    "GRE, key": (["gre"], [7], lambda p: over_ip(
        47, gre(0x2000, 0x0800, struct.pack(">I", 7)), p)),
    "GRE, sequence": (["gre"], None, lambda p: over_ip(47, gre(0x1000, 0x0800, bytes(4)), p)),
    "GRE, all of them and a route": (["gre"], [7], lambda p: over_ip(47, gre(
        0xF000, 0x0800, bytes(4) + struct.pack(">II", 7, 1) + b"\x08\0\0\x04" + bytes(8)), p)),
    "GRE over IPv6": (["gre"], None, lambda p: over_ipv6(47, gre(0, 0x0800), p)),
    "Ethernet in GRE": (["gre"], None, lambda p: over_ip(47, gre(0, 0x6558), ethernet(p))),
    "NVGRE": (["nvgre"], [100], lambda p: over_ip(47, gre(0x2000, 0x6558, VNI), ethernet(p))),
    "ERSPAN I": (["erspan1"], None, lambda p: over_ip(47, gre(0, 0x88BE), ethernet(p))),
    "ERSPAN II": (["erspan2"], [5], lambda p: over_ip(
        47, gre(0x1000, 0x88BE, ERSPAN2), ethernet(p))),
    "ERSPAN III": (["erspan3"], [5], lambda p: over_ip(
        47, gre(0x1000, 0x22EB, ERSPAN3), ethernet(p))),
    "VXLAN": (["vxlan"], [100], lambda p: over_udp(4789, b"\x08\0\0\0" + VNI, ethernet(p))),
    "VXLAN, Linux": (["vxlan"], [100], lambda p: over_udp(8472, b"\x08\0\0\0" + VNI, ethernet(p))),
    "Geneve, an option": (["geneve"], [100], lambda p: over_udp(
        6081, b"\x02\0\x65\x58" + VNI + b"\x01\x02\x80\x01" + bytes(4), ethernet(p))),
    "GTP-U": (["gtp"], [7], gtp),
    "GTP-U, an extension": (["gtp"], [7], lambda p: gtp(p, 0x34, EXTENSION)),
    "ERSPAN of a VXLAN": (["erspan2", "vxlan"], [5, 100], lambda p: over_ip(
        47, gre(0x1000, 0x88BE, ERSPAN2), over_udp(4789, b"\x08\0\0\0" + VNI, ethernet(p)))),
}
# Cut short these are taken for something else than what they were: see the last part of B4.
GUESSED = ("pseudowire without",)


def counted(types):
    return Moves({f"tunnel.{kind}": 1 for kind in types or ["snap"]})


def twice(moves):
    return moves + moves


@row("B4", "every tunnel that is read, cut at every octet, empty, with lengths that lie",
     "suricata gre.version0_recur; Zeek vxlan_empty_packet, geneve_invalid_version, truncated_GRE",
     "the packet inside counts; decode.truncated inside a header; tunnel.* by kind")
def b4():
    for name, (types, ids, wrap) in WRAPS.items():
        story = Story()
        yield Input(name, [Record(wrap(story.respond(story.answer()))), Record(wrap(story.syn()))],
                    UNASKED + ALERTED + twice(counted(types)), client=story.client,
                    alert="dns_confirmed", tunnel=(types, ids))
        if name in GUESSED:
            continue
        head = len(wrap(story.syn())) - 20  # up to the segment
        for kept in range(head + 20):
            whole = wrap(story.syn())
            yield Input(f"{name}, {kept} octets captured",
                        [Record(whole[:kept], length=len(whole))], cut_fate(name, kept))
        story = Story()
        yield Input(f"{name}, and trailing octets",
                    [Record(wrap(story.respond(story.answer())) + b"\xff" * 7),
                     Record(wrap(story.syn()) + b"\xff" * 7)],
                    UNASKED + ALERTED + twice(counted(types)), client=story.client,
                    alert="dns_confirmed", tunnel=(types, ids))
        # What ends where the frame does is short; else a length field says that there is no more.
        on_link = (name.startswith(("MPLS,", "pseudowire", "SNAP")) or
                   name in ("MPLS", "PPPoE", "4in6"))
        yield Input(f"{name}, empty", [Record(wrap(b""))], SHORT if on_link else MALFORMED)
    yield from unread()


def cut_fate(name, kept):
    """A datagram that ends inside VXLAN's, Geneve's or GTP's first eight octets names no tunnel."""
    datagram = 42
    if name.startswith("ERSPAN of"):
        datagram += 14 + 20 + 4 + len(ERSPAN2)
    if name.startswith(("VXLAN", "Geneve", "GTP", "ERSPAN of")) and 0 <= kept - datagram < 8:
        return Moves({"decode.udp": 1})
    if name == "SNAP" and 14 <= kept < 22:
        return Moves({"decode.other_ethertype": 1})
    return TRUNCATED


def unread():
    """Kinds that are counted, not read; numbers that no tunnel has."""
    packet = Story().syn()
    inside = Moves({"decode.tunnels": 1})
    yield Input("PPTP", [Record(over_ip(47, gre(0x2081, 0x880B, bytes(8)), packet))],
                inside + Moves({"tunnel.pptp": 1}))
    yield Input("Teredo", [Record(over_udp(3544, b"", b"\x60" + bytes(39)))],
                inside + Moves({"tunnel.teredo": 1}))
    yield Input("an associated channel", [Record(ethernet(label(100) + b"\x10\0\0\x07", 0x8847))],
                inside + Moves({"tunnel.mpls": 1}))
    for version in range(1, 8):
        yield Input(f"GRE version {version}", [Record(over_ip(47, gre(version, 0x0800), packet))],
                    inside + Moves({"tunnel.pptp": 1}))
    for version in (1, 2, 3):
        yield Input(f"Geneve version {version}", [Record(over_udp(
            6081, bytes([version << 6, 0, 8, 0]) + VNI, packet))], Moves({"decode.udp": 1}))
    for count in (16, 17, 64):
        yield Input(f"{count} labels", [Record(ethernet(
            label(1, False) * (count - 1) + label(1) + packet, 0x8847))],
            OPENED + Moves({"alert.generated": 1}) if count == 16 else
            Moves({"decode.too_deep": 1}))
    for flags, fate in ((0x4000, "decode.malformed"), (0xC000, "decode.malformed")):
        yield Input(f"GRE flags {flags:#x}, routes past the end",
                    [Record(over_ip(47, gre(flags, 0x0800, bytes(4)), b"\x08\0\0\xff" + packet))],
                    Moves({fate: 1}))
    yield Input("Geneve options past the end",
                [Record(over_udp(6081, b"\x3f\0\x65\x58" + VNI, ethernet(packet)))],
                Moves({"decode.malformed": 1}))
    yield Input("GTP-U, an extension without length",
                [Record(gtp(packet, 0x34, b"\0\0\0\x85\0\0\0\0"))], Moves({"decode.malformed": 1}))
    for length in (0, 1, 19, 39):
        yield Input(f"PPPoE, length {length}", [Record(ethernet(
            struct.pack(">BBHH", 0x11, 0, 7, length) + b"\0\x21" + packet, 0x8864))],
            Moves({"decode.malformed" if length < 22 else "decode.short": 1}))
    for kind in (0x88E5, 0x894F, 0x88E7, 0x22F3):
        yield Input(f"type {kind:#x}", [Record(ethernet(packet, kind))],
                    Moves({"decode.other_ethertype": 1}))
    story = Story()
    yield Input("an answer to the port of VXLAN",
                [Record(ethernet(story.respond(story.answer(), dport=4789))),
                 Record(ethernet(story.syn()))], UNASKED + ALERTED, client=story.client,
                alert="dns_confirmed", tunnel=(None, None))


NESTED = {
    "IP in IP": lambda p: frames.ipv4(*ENDS, 4, p),
    "GRE": lambda p: frames.ipv4(*ENDS, 47, gre(0, 0x0800) + p),
    "VXLAN": lambda p: frames.ipv4(*ENDS, UDP, frames.udp(
        50000, 4789, b"\x08\0\0\0" + VNI + ethernet(p))),
    "GTP-U": lambda p: frames.ipv4(*ENDS, UDP, frames.udp(
        50000, 2152, struct.pack(">BBHI", 0x30, 255, len(p), 7) + p)),
    "MPLS in IP": lambda p: frames.ipv4(*ENDS, 137, label(100) + p),
}


@row("B5", "one to 64 tunnels in each other", "suricata 7500c293, Zeek exceeded_tunnel_max_depth",
     "eight are opened, nine are decode.too_deep")
def b5():
    for name, wrap in NESTED.items():
        for depth in (1, 2, 7, 8, 9, 16, 64):
            story = Story()
            packets = story.respond(story.answer()), story.syn()
            for _ in range(depth):
                packets = tuple(wrap(packet) for packet in packets)
            deep = depth > 8
            yield Input(f"{depth} times {name}", [Record(ethernet(packet)) for packet in packets],
                        Moves({"decode.too_deep": 2}) if deep else UNASKED + ALERTED,
                        client=story.client, alert=None if deep else "dns_confirmed")
