#!/usr/bin/python3
"""Our frame decoder beside tshark, over frames of every link type made from a seed.

    frame-tshark.py DUMP [FRAMES PER LINK TYPE [SEED]]

DUMP is the program made of dump.c. Where both see UDP or TCP they must see the same addresses,
ports, flags, sequence number, payload length, MAC address and VLANs; where only one does, there
must be one of the reasons below. Exit status 0: no difference without a reason.
"""

import collections
import ipaddress
import os
import random
import struct
import sys
import tempfile

import capture

ETHERNET, RAW, LOOP, SLL, IPV4, IPV6, SLL2, NULL = 1, 101, 108, 113, 228, 229, 276, 0
LINKS = {"Ethernet": ETHERNET, "raw": RAW, "loop": LOOP, "cooked": SLL, "IPv4": IPV4, "IPv6": IPV6,
         "cooked 2": SLL2, "null": NULL}
TCP, UDP, FRAGMENT, AUTHENTICATION = 6, 17, 44, 51
EXTENSIONS = (0, 43, 60, 135, 139, 140)
TELLING = (0, 1, 4, 5, 6, 8, 17, 44, 51, 0x40, 0x45, 0x60, 0x81, 0x86, 0xC0, 0xDD, 0xFF)


def transport(dice):
    payload = bytes(dice.randrange(40))
    source, destination = dice.randrange(30000, 40000), dice.randrange(30000, 40000)
    if dice.randrange(2):
        length = 8 + len(payload)
        if dice.randrange(12) == 0:
            length = dice.choice((0, 7, 8, length - 1, length + 1, 65535)) % 65536
        return UDP, struct.pack(">HHHH", source, destination, length, 0) + payload
    options = b"\1" * 4 * dice.choice((0, 0, 1, 5, 10))
    offset = 5 + len(options) // 4
    if dice.randrange(12) == 0:
        offset = dice.randrange(16)
    flags = dice.choice((2, 2, 18, 16, 24, 4, 1, 0, 255))
    header = struct.pack(">HHIIBBHHH", source, destination, dice.randrange(2 ** 32), 0,
                         offset << 4, flags, 65535, 0, 0)
    return TCP, header + options + payload


def fragment_bits(dice):
    if dice.randrange(12):
        return dice.choice((0, 0x4000))
    return dice.choice((0x2000, 1, 0x2001, 0x1FFF, 0x8000))


def ipv4(dice):
    protocol, payload = transport(dice)
    options = b"\1" * 4 * dice.choice((0,) * 8 + (1, 10))
    if dice.randrange(20) == 0:
        protocol = dice.choice((1, 50, 89, 132, 255))
    if dice.randrange(20) == 0:
        payload = bytes([protocol, 4, 0, 0]) + bytes(20) + payload
        protocol = AUTHENTICATION
    total = 20 + len(options) + len(payload)
    if dice.randrange(12) == 0:
        total = dice.choice((0, 19, 20, 27, total - 1, total + 1, 65535))
    header = struct.pack(">BBHHHBBH", 0x45 + len(options) // 4, 0, total, 1, fragment_bits(dice),
                         64, protocol, 0)
    addresses = bytes([10, dice.randrange(256), 0, 1, 203, 0, 113, dice.randrange(256)])
    return header + addresses + options + payload + bytes(dice.choice((0, 0, 6, 20)))


def ipv6(dice):
    following, payload = transport(dice)
    for _ in range(dice.choice((0, 0, 0, 1, 1, 2, 3, 17)) if dice.randrange(3) == 0 else 0):
        kind = dice.choice(EXTENSIONS[:4] + (FRAGMENT, AUTHENTICATION, 60, 60))
        if kind == FRAGMENT:
            bits = dice.choice((0, 0, 6, 1, 8, 0xFFF8))
            payload = struct.pack(">BBHI", following, 0, bits, 7) + payload
        elif kind == AUTHENTICATION:
            payload = bytes([following, 4, 0, 0]) + bytes(20) + payload
        elif kind == 43:  # a type that nobody knows, no segments left
            payload = bytes([following, 0, 200, 0, 0, 0, 0, 0]) + payload
        else:
            payload = bytes([following, 0, 1, 4, 0, 0, 0, 0]) + payload
        following = kind
    if dice.randrange(20) == 0:
        following = dice.choice((50, 58, 59, 89, 255))
    length = len(payload)
    if dice.randrange(12) == 0:
        length = dice.choice((0, 1, 7, length - 1 if length else 0, length + 1, 65535))
    source = bytes.fromhex("20010db8") + bytes(11) + bytes([dice.randrange(1, 256)])
    header = struct.pack(">IHBB", 6 << 28, length, following, 64)
    return header + source + source[::-1] + payload + bytes(dice.choice((0, 0, 6)))


def tags(dice):
    octets = b""
    for _ in range(dice.choice((0,) * 8 + (1, 1, 1, 2, 3, 8, 9))):
        octets += struct.pack(">HH", dice.choice((0x8100, 0x8100, 0x88A8, 0x9100)),
                              dice.choice((0, 1, 100, 4095, 0xE000, 0xA064)))
    return octets


def frame(dice, link):
    version = dice.choice((4, 4, 6))
    if link in (IPV4, IPV6):
        version = 4 if link == IPV4 else 6
    packet = ipv4(dice) if version == 4 else ipv6(dice)
    kind = struct.pack(">H", 0x0800 if version == 4 else 0x86DD)
    mac = bytes([2, 0, 0, 0, 0, dice.randrange(256)])
    if link == ETHERNET:
        return bytes([2, 0, 0, 0, 1, 1]) + mac + tags(dice) + kind + packet
    if link == SLL:
        return struct.pack(">HHH", 0, 1, 6) + mac + b"\0\0" + kind + packet
    if link == SLL2:
        return kind + struct.pack(">HIHBB", 0, 2, 1, 0, 6) + mac + b"\0\0" + packet
    if link == NULL:
        family = 2 if version == 4 else dice.choice((24, 28, 30))
        return struct.pack(dice.choice("<>") + "I", family) + packet
    if link == LOOP:
        return struct.pack(">I", 2 if version == 4 else 24) + packet
    return packet


def damaged(dice, octets):
    octets = bytearray(octets)
    for _ in range(dice.choice((0, 0, 1, 1, 2))):
        at = dice.randrange(min(len(octets), 90))
        octets[at] = dice.choice((dice.randrange(256), dice.choice(TELLING),
                                  octets[at] ^ 1 << dice.randrange(8)))
    wire = len(octets)
    if dice.randrange(6) == 0:
        del octets[dice.randrange(wire):]  # by the capture
    elif dice.randrange(12) == 0:
        del octets[dice.randrange(wire):]  # by the sender
        wire = len(octets)
    return bytes(octets), wire


FIELDS = ("ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport", "tcp.dstport", "udp.srcport",
          "udp.dstport", "tcp.flags", "tcp.seq_raw", "tcp.len", "udp.length", "eth.src",
          "sll.src.eth", "vlan.id", "ip.version", "ip.len", "ip.hdr_len", "ip.frag_offset",
          "ip.flags.mf", "ipv6.plen", "ipv6.fraghdr.offset", "ipv6.fraghdr.more", "tcp.hdr_len",
          "frame.protocols", "_ws.malformed", "_ws.short", "ip.proto", "ipv6.nxt", "sll.hatype")

# Only these are to be read: whatever else tshark knows to find inside is not ours.
PROTOCOLS = ("frame", "eth", "ethertype", "vlan", "ieee8021ad", "sll", "null", "raw", "ip", "ipv6",
             "ipv6.dstopts", "ipv6.hopopts", "ipv6.fraghdr", "ipv6.routing", "ah", "mipv6", "hip",
             "shim6", "udp", "tcp")


def tshark_sees(path):
    options = []
    for protocol in capture.tshark_protocols() - set(PROTOCOLS):
        options += ["--disable-protocol", protocol]
    for preference in ("ip.defragment", "ipv6.defragment", "tcp.relative_sequence_numbers",
                       "tcp.desegment_tcp_streams", "tcp.analyze_sequence_numbers"):
        options += ["-o", preference + ":FALSE"]
    options += ["-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=;"]
    for name in FIELDS:
        options += ["-e", name]
    with capture.tshark(path, *options) as process:
        for line in process.stdout:
            values = line.decode().rstrip("\n").split("\t")
            yield dict(zip(FIELDS, (v.split(";") if v else [] for v in values)))


SAME = "no difference"
NEITHER = "neither sees UDP or TCP"
PART = "only tshark: part of a header, the rest is not there"
FIRST_FRAGMENT = "only tshark: a first fragment"
SHORT_TCP = "only tshark: a TCP header length below 20"
SHORT_UDP = "only tshark: a UDP length below 8"
TUNNEL = "only tshark: IP inside IP"
DEEP = "only tshark: more than 8 tags or 16 extension headers"
RESERVED = "only tshark: an address of 1::/16, which no host has (RFC 4291 section 4)"
FAMILY = "only tshark: a loopback family that may be an ethertype"
OPTIONS = "only we: an option that does not fit its header"
BEHIND = "only we: behind a mobility, HIP or shim6 header"
NO_LENGTH = "only we: IPv6 payload length 0"
HARDWARE = "only we: a cooked header of other hardware"


def first(sees, *names):
    return next((sees[name][0] for name in names if sees[name]), None)


def number(sees, *names):
    value = first(sees, *names)
    return None if value is None else int(value, 0)


def is_set(sees, name):
    return any(value in ("1", "True") for value in sees[name])


def protocols(sees):
    return (first(sees, "frame.protocols") or "").split(":")


def is_reserved(sees):
    return any(int(ipaddress.ip_address(address)) >> 112 == 1
               for name in ("ipv6.src", "ipv6.dst") for address in sees[name])


def broken(sees):
    return bool(sees["_ws.malformed"] or sees["_ws.short"])


def plain(address):
    address = ipaddress.ip_address(address)
    return getattr(address, "ipv4_mapped", None) or address


def vlans(octets, sees):
    """Numbers of the two outermost tags that name a VLAN."""
    numbers = sees["vlan.id"]
    if "ieee8021ad" in protocols(sees):  # has its own fields for tags in tags, out of order here
        numbers, at = [], 12
        while octets[at:at + 2] in (b"\x81\x00", b"\x88\xa8", b"\x91\x00"):
            numbers.append(str(struct.unpack_from(">H", octets, at + 2)[0] & 0xFFF))
            at += 4
    return [n for n in numbers if n != "0"][:2]


# What dump says of a packet, in order.
Packet = collections.namedtuple("Packet", "number kind source destination source_port "
                                "destination_port flags sequence payload cut mac vlans")


def same_ends(p, sees):
    return (plain(p.source) == plain(first(sees, "ip.src", "ipv6.src"))
            and plain(p.destination) == plain(first(sees, "ip.dst", "ipv6.dst"))
            and int(p.source_port) == number(sees, p.kind + ".srcport")
            and int(p.destination_port) == number(sees, p.kind + ".dstport"))


def same_transport(p, sees):
    if p.kind == "udp":
        length = number(sees, "udp.length") - 8
        return bool(p.cut) or length in (-8, int(p.payload))
    length = number(sees, "tcp.len")  # none where tshark met the end of the capture
    return (int(p.flags) == number(sees, "tcp.flags") & 0xFF
            and int(p.sequence) == number(sees, "tcp.seq_raw")
            and (bool(p.cut) or length in (None, int(p.payload))))


def same(octets, ours, sees):
    """Everything of a packet that both see."""
    p = Packet(*ours)
    if not sees[p.kind + ".srcport"] or not same_ends(p, sees) or not same_transport(p, sees):
        return False
    return (p.mac == (first(sees, "eth.src", "sll.src.eth") or "")
            and [n for n in p.vlans.split(",") if n] == vlans(octets, sees))


def only_tshark(kind, sees):
    if kind in ("short", "truncated") and broken(sees):
        return PART
    if kind == "fragment" and (is_set(sees, "ip.flags.mf") or is_set(sees, "ipv6.fraghdr.more")):
        return FIRST_FRAGMENT
    if kind == "tunnel" and len(sees["ip.src"]) + len(sees["ipv6.src"]) > 1:
        return TUNNEL
    if kind == "other_ethertype" and protocols(sees)[0] == "null":
        return FAMILY
    if kind == "too_deep" and len(protocols(sees)) > 8:
        return DEEP
    if sees["tcp.hdr_len"] and number(sees, "tcp.hdr_len") < 20:
        return SHORT_TCP
    if kind != "malformed":
        return None
    if sees["udp.length"] and number(sees, "udp.length") < 8:
        return SHORT_UDP
    if is_reserved(sees):
        return RESERVED
    return PART if broken(sees) else None


def only_we(sees):
    if protocols(sees)[-1] in ("mipv6", "hip", "shim6"):
        return BEHIND
    if number(sees, "ipv6.plen") == 0:
        return NO_LENGTH
    last = protocols(sees)[-1]
    if broken(sees) and last in ("ip", "ipv6.hopopts", "ipv6.dstopts", "ipv6.routing"):
        return OPTIONS
    if sees["sll.hatype"] and number(sees, "sll.hatype") != 1:
        return HARDWARE
    return None


def judge(octets, ours, sees):
    """The reason for a difference, or None where there is none good enough."""
    we = ours[1] in ("tcp", "udp")  # then it has all the fields of Packet
    they = bool(sees["tcp.srcport"] or sees["udp.srcport"])
    if we and they:
        return SAME if same(octets, ours, sees) else None
    if we:
        return only_we(sees)
    return only_tshark(ours[1], sees) if they else NEITHER


def run(program, dice, path, link, count):
    frames = [damaged(dice, frame(dice, link)) for _ in range(count)]
    capture.write(path, link, frames)
    ours = capture.dump(program, "frame", path)
    theirs = list(tshark_sees(path))
    if not len(ours) == len(theirs) == count:
        sys.exit("link type %d: %d frames, we saw %d, tshark %d"
                 % (link, count, len(ours), len(theirs)))
    for octets, we, they in zip(frames, ours, theirs):
        reason = judge(octets[0], we, they)
        if reason is None:
            seen = {name: values for name, values in they.items() if values}
            print("no reason for the difference, link type %d:" % link, octets[0].hex(),
                  octets[1], we, seen, sep="\n  ")
        yield reason


def main():
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    dice = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    tally = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        for link in LINKS.values():
            tally.update(run(program, dice, os.path.join(folder, "frames.pcap"), link, count))
    print("%d frames" % sum(tally.values()))
    for reason, frames in tally.most_common():
        print("%8d  %s" % (frames, reason))
    return 1 if tally[None] or tally[SAME] < sum(tally.values()) / 2 else 0


if __name__ == "__main__":
    sys.exit(main())
