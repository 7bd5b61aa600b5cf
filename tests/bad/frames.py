"""Frames, DNS messages and capture files from their octets, sound or not: every length, count and
version can be told to lie.

Addresses are bytes, 4 of IPv4 or 16 of IPv6; times are nanoseconds since 1970.
"""
import struct

TCP, UDP = 6, 17
FIN, SYN, RST, PUSH, ACK, URG, ECE, CWR = (1 << i for i in range(8))
A, NS, CNAME, TXT, AAAA, LOC, DNAME, OPT, NSEC, HTTPS = 1, 2, 5, 16, 28, 29, 39, 41, 47, 65
IPV4, IPV6 = 0x0800, 0x86DD
QR, RA, RD = 0x8000, 0x0080, 0x0100

RESOLVER = bytes([10, 9, 9, 9])
RESOLVER6 = bytes.fromhex("fd000000000000000000000000000053")
ROUTER_MAC, CLIENT_MAC = bytes.fromhex("00005e005301"), bytes.fromhex("00005e005340")


# ---- from the link to the transport ----

def ethernet(payload, kind=IPV4, tags=()):
    """`tags` are (TPID, TCI), outermost first."""
    tags = b"".join(struct.pack(">HH", *tag) for tag in tags)
    return ROUTER_MAC + CLIENT_MAC + tags + struct.pack(">H", kind) + payload


def checksum(data):
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def with_checksum(segment, protocol, source, destination):
    place = {TCP: 16, UDP: 6}.get(protocol)
    if place is None or len(segment) < place + 2:
        return segment
    pseudo = source + destination + struct.pack(">IHBB", len(segment), 0, 0, protocol)
    value = checksum(pseudo + segment) or 0xFFFF
    return segment[:place] + struct.pack(">H", value) + segment[place + 2:]


def ipv4(source, destination, protocol, payload, *, total=None, words=None, version=4,
         options=b"", sums=True):
    """`words` is the header's length field, in units of four octets."""
    words = 5 + len(options) // 4 if words is None else words
    total = 20 + len(options) + len(payload) if total is None else total
    if sums:
        payload = with_checksum(payload, protocol, source, destination)
    head = struct.pack(">BBHHHBBH", version << 4 | words, 0, total & 0xFFFF, 0x1234, 0, 64,
                       protocol, 0)
    value = checksum(head + source + destination + options) if sums else 0xDEAD
    return head[:10] + struct.pack(">H", value) + source + destination + options + payload


def ipv6(source, destination, protocol, payload, *, length=None, version=6):
    length = len(payload) if length is None else length
    return (struct.pack(">IHBB", version << 28, length & 0xFFFF, protocol, 64) + source +
            destination + payload)


def ip(source, destination, protocol, payload):
    if len(source) == 4:
        return ipv4(source, destination, protocol, payload)
    return ipv6(source, destination, protocol,
                with_checksum(payload, protocol, source, destination))


def udp(sport, dport, payload, *, length=None):
    length = 8 + len(payload) if length is None else length
    return struct.pack(">HHHH", sport, dport, length, 0) + payload


def tcp(sport, dport, flags=SYN, *, sequence=1, words=None, options=b"", data=b""):
    """`words` is the data offset, in units of four octets."""
    words = 5 + len(options) // 4 if words is None else words
    return (struct.pack(">HHIIBBHHH", sport, dport, sequence, 0, words << 4, flags, 64240, 0, 0) +
            options + data)


def kind_of(packet):
    return IPV4 if packet[0] >> 4 == 4 else IPV6


# What stands before an IP packet, by link type.
LINKS = {
    1: ethernet,
    0: lambda packet: struct.pack("<I", 2 if packet[0] >> 4 == 4 else 30) + packet,
    108: lambda packet: struct.pack(">I", 2 if packet[0] >> 4 == 4 else 24) + packet,
    101: lambda packet: packet,
    113: lambda packet: struct.pack(">HHH", 0, 1, 6) + CLIENT_MAC + bytes(2) +
    struct.pack(">H", kind_of(packet)) + packet,
    276: lambda packet: struct.pack(">HHIHBB", kind_of(packet), 0, 2, 1, 0, 6) +
    CLIENT_MAC + bytes(2) + packet,
}


# ---- DNS ----

def name(*labels):
    """The wire form of a name; no labels is the root."""
    labels = [label.encode() if isinstance(label, str) else label for label in labels]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def dotted(text):
    return name(*text.split("."))


def pointer(offset):
    return struct.pack(">H", 0xC000 | offset)


def question(wire, kind=A, group=1):
    return wire + struct.pack(">HH", kind, group)


def record(owner, kind, data, *, ttl=300, group=1, length=None):
    length = len(data) if length is None else length
    return owner + struct.pack(">HHIH", kind, group, ttl, length) + data


def message(questions=(), answers=(), *, more=b"", number=0x4242, flags=QR | RD | RA, counts=None):
    """`more` stands behind the answer section; `counts` is (QD, AN, NS, AR) if they are to lie."""
    counts = (len(questions), len(answers), 0, 0) if counts is None else counts
    return (struct.pack(">HHHHHH", number, flags, *counts) + b"".join(questions) +
            b"".join(answers) + more)


# ---- pcap ----

def pcap_header(link=1, *, order="<", nano=False, snaplen=262144, magic=None):
    magic = (0xA1B23C4D if nano else 0xA1B2C3D4) if magic is None else magic
    return struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen & 0xFFFFFFFF, link)


def pcap_record(seconds, fraction, frame, *, order="<", length=None, captured=None):
    length = len(frame) if length is None else length
    captured = len(frame) if captured is None else captured
    return struct.pack(order + "IIII", seconds & 0xFFFFFFFF, fraction & 0xFFFFFFFF, captured,
                       length) + frame


# ---- pcapng ----

def block(kind, body, *, order="<", length=None, trailer=None):
    body += bytes(-len(body) % 4)
    length = len(body) + 12 if length is None else length
    trailer = length if trailer is None else trailer
    return struct.pack(order + "II", kind, length) + body + struct.pack(order + "I", trailer)


def section(*, order="<", version=1, **lies):
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, version, 0, -1), order=order,
                 **lies)


def interface(link=1, snaplen=262144, options=b"", *, order="<", **lies):
    return block(1, struct.pack(order + "HHI", link, 0, snaplen) + options, order=order, **lies)


def resolution(value):
    """if_tsresol, and the end of options."""
    return struct.pack("<HHB3xHH", 9, 1, value, 0, 0)


def enhanced(time, frame, *, interface=0, captured=None, order="<", **lies):
    """`time` in the interface's own units: microseconds, unless if_tsresol says another."""
    captured = len(frame) if captured is None else captured
    return block(6, struct.pack(order + "IIIII", interface, time >> 32, time & 0xFFFFFFFF, captured,
                                len(frame)) + frame, order=order, **lies)


def simple(frame):
    return block(3, struct.pack("<I", len(frame)) + frame)
