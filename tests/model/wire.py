"""Reading a capture: pcap records, frames, and the little of DNS that design section 4 needs.

Only what the generated captures hold is read: classic pcap of micro- or nanoseconds, Ethernet with
VLAN tags, IPv4, IPv6, TCP, UDP, DNS over UDP, and all of that in VXLAN, GRE, or IP in IP. Whatever
else comes along is a packet that is counted by the clock (design 4.12) and says nothing.

Addresses are bytes: four of them for IPv4, sixteen for IPv6. ::ffff:a.b.c.d is a.b.c.d.
64:ff9b::a.b.c.d stays what it is on the wire, and is a.b.c.d wherever addresses are compared
(design section 3): a client behind 464XLAT is given A records and connects to 64:ff9b::/96.
"""

import ipaddress
import struct
from dataclasses import dataclass, field

MAPPED = bytes(10) + b"\xff\xff"  # ::ffff:0:0/96
NAT64 = bytes.fromhex("0064ff9b") + bytes(8)  # 64:ff9b::/96, RFC 6052

A, AAAA, IN = 1, 28, 1
TAGS = (0x8100, 0x88A8)
IPV6_OPTIONS = (0, 43, 60)  # hop-by-hop, routing, destination options: all of one shape


@dataclass
class Packet:
    number: int  # 1-based, in its file
    time: int  # nanoseconds, as the file has them
    kind: str = "other"  # syn, quic, query, answer
    source: bytes = b""
    destination: bytes = b""
    source_mac: bytes = b""
    destination_mac: bytes = b""
    vlans: tuple = ()  # the two outermost
    tunnels: tuple = ()  # the two outermost: (kind, number or None)
    sport: int = 0
    dport: int = 0
    sequence: int = 0
    id: int = 0
    name: tuple = ()
    qtype: int = 0
    records: list = field(default_factory=list)  # (address, TTL), in the order of the answer

    @property
    def target(self):
        """The destination as it is compared."""
        return compared(self.destination)


class Malformed(Exception):
    pass


def address(raw):
    return raw[12:] if len(raw) == 16 and raw.startswith(MAPPED) else raw


def compared(addr):
    """What counts as the address: the IPv4 address inside a NAT64 prefix, else itself."""
    return addr[12:] if len(addr) == 16 and addr.startswith(NAT64) else addr


def ipv4(addr):
    """The IPv4 address that the arithmetic sees, or None."""
    addr = compared(addr)
    return addr if len(addr) == 4 else None


def text(addr):
    return str(ipaddress.ip_address(addr))


def name_text(labels):
    """A name as the documents write it (design section 6)."""
    def octet(o):
        return chr(o) if 0x21 <= o <= 0x7E and o not in b".\\" else "\\%03d" % o
    return ".".join("".join(map(octet, label)) for label in labels) or "."


def records(data):
    """Yields (time, frame) for every record of a classic pcap file, of either byte order."""
    magics = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}
    for order in "<>":
        magic, _, _, _, _, _, link = struct.unpack_from(order + "IHHiIII", data)
        if magic in magics:
            break
    else:
        raise ValueError("not a classic pcap file")
    if link & 0xFFFF != 1:
        raise ValueError("not Ethernet")
    offset = 24
    while offset + 16 <= len(data):
        seconds, fraction, captured, _ = struct.unpack_from(order + "IIII", data, offset)
        offset += 16
        yield seconds * 10**9 + fraction * magics[magic], data[offset:offset + captured]
        offset += captured


# Which kind of tunnel comes before which: only twins that have nothing else to tell them apart by ask.
KINDS = ("gre", "nvgre", "vxlan")


class Zoned(bytes):
    """An IPv4 address in a VLAN or a tunnel, where those are part of who a client is."""

    def __new__(cls, addr, zone):
        zoned = super().__new__(cls, addr)
        zoned.zone = zone
        return zoned

    def __eq__(self, other):
        return bytes.__eq__(self, other) and self.zone == zone_of(other)

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        return hash((bytes(self), self.zone))


def zone_of(addr):
    """(outer VLAN, kind of tunnel, inner VLAN, the tunnel's number), or nothing."""
    return getattr(addr, "zone", ())


def zone_client(packet, vlans, tunnels):
    """The end of a packet that is the client becomes one of its VLANs, its tunnel, or both."""
    end = "destination" if packet.kind == "answer" else "source"
    if packet.kind == "other" or len(getattr(packet, end)) != 4:
        return
    outer, inner = (*(packet.vlans if vlans else ()), 0, 0)[:2]
    numbered = [t for t in packet.tunnels if t[1] is not None] if tunnels else []
    if not (outer or numbered):
        return
    kind, number = numbered[-1] if numbered else (None, 0)
    kind = KINDS.index(kind) + 1 if kind else 0
    setattr(packet, end, Zoned(getattr(packet, end), (outer, kind, inner, number)))


def decode(number, time, frame):
    packet = Packet(number, time)
    try:
        ethernet(packet, frame)
    except (Malformed, IndexError, struct.error):
        return Packet(number, time)
    return packet


def ethernet(packet, frame):
    packet.destination_mac, packet.source_mac = frame[:6], frame[6:12]
    offset = 12
    kind, = struct.unpack_from(">H", frame, offset)
    while kind in TAGS:
        tag, = struct.unpack_from(">H", frame, offset + 2)
        if len(packet.vlans) < 2:
            packet.vlans += (tag & 0xFFF,)
        offset += 4
        kind, = struct.unpack_from(">H", frame, offset)
    network(packet, kind, frame[offset + 2:])


def network(packet, kind, data):
    if kind == 0x0800:
        transport(packet, *ip4(packet, data))
    elif kind == 0x86DD:
        transport(packet, *ip6(packet, data))


def ip4(packet, data):
    header = (data[0] & 15) * 4
    total, _, fragment = struct.unpack_from(">HHH", data, 2)
    if data[0] >> 4 != 4 or header < 20 or not header <= total <= len(data) or fragment & 0x3FFF:
        raise Malformed
    packet.source, packet.destination = data[12:16], data[16:20]
    return data[9], data[header:total]


def ip6(packet, data):
    length, protocol = struct.unpack_from(">HB", data, 4)
    if data[0] >> 4 != 6 or 40 + length > len(data):
        raise Malformed
    packet.source, packet.destination = address(data[8:24]), address(data[24:40])
    rest = data[40:40 + length]
    while protocol in IPV6_OPTIONS:
        protocol, rest = rest[0], rest[8 + rest[1] * 8:]
    return protocol, rest


def transport(packet, protocol, data):
    if protocol == 6:
        tcp(packet, data)
    elif protocol == 17:
        udp(packet, data)
    elif protocol == 47:
        gre(packet, data)
    elif protocol in (4, 41):
        enter(packet, "ip", None)
        network(packet, 0x0800 if protocol == 4 else 0x86DD, data)


def enter(packet, kind, number):
    if len(packet.tunnels) < 2:
        packet.tunnels += ((kind, number),)


def gre(packet, data):
    """RFC 2784 with the key of RFC 2890; RFC 7637 has Ethernet behind it, and its number in the key."""
    flags, kind = struct.unpack_from(">HH", data)
    if flags & ~0x2000:
        raise Malformed
    key, = struct.unpack_from(">I", data, 4) if flags else (None,)
    if kind == 0x6558:
        enter(packet, "nvgre" if flags else "gre", key >> 8 if flags else None)
        ethernet(packet, data[8 if flags else 4:])
    else:
        enter(packet, "gre", key)
        network(packet, kind, data[8 if flags else 4:])


def tcp(packet, data):
    packet.sport, packet.dport, packet.sequence = struct.unpack_from(">HHI", data)
    if len(data) < 20 or not 20 <= (data[12] >> 4) * 4 <= len(data):
        raise Malformed
    if data[13] & 0x17 == 0x02:  # 4.2: SYN set; ACK, RST, FIN clear
        packet.kind = "syn"


def udp(packet, data):
    packet.sport, packet.dport, length = struct.unpack_from(">HHH", data)
    if not 8 <= length <= len(data):
        raise Malformed
    payload = data[8:length]
    if packet.dport == 4789 and packet.sport != 53:  # RFC 7348
        enter(packet, "vxlan", int.from_bytes(payload[4:7], "big"))
        ethernet(packet, payload[8:])
    elif packet.sport == 53 or packet.dport == 53:
        dns(packet, payload)
    elif packet.dport == 443 and len(payload) >= 5 and payload[0] & 0x80:
        packet.kind = "quic"  # a long header, RFC 8999 section 5.1


def dns(packet, message):
    packet.id, flags, questions, answers = struct.unpack_from(">HHHH", message)
    response, opcode = flags >> 15, flags >> 11 & 15
    offset = 12
    for _ in range(questions):
        name, offset = dns_name(message, offset)
        qtype, _ = struct.unpack_from(">HH", message, offset)
        offset += 4
        packet.name, packet.qtype = name, qtype
    if not response and packet.dport == 53:
        packet.kind = "query"
    if not response or opcode or packet.sport != 53:
        return
    for _ in range(answers):
        _, offset = dns_name(message, offset)
        rtype, rclass, ttl, length = struct.unpack_from(">HHIH", message, offset)
        offset += 10
        if (rtype, rclass, length) in ((A, IN, 4), (AAAA, IN, 16)):
            packet.records.append((address(message[offset:offset + length]), ttl))
        offset += length
    packet.kind = "answer"


def dns_name(message, offset):
    """The labels of a name and the offset after it. A pointer goes strictly backwards."""
    labels, end, limit = [], None, offset
    while message[offset]:
        length = message[offset]
        if length >= 0xC0:
            target = struct.unpack_from(">H", message, offset)[0] & 0x3FFF
            if target >= limit:
                raise Malformed
            end = end or offset + 2
            offset = limit = target
        elif length < 64:
            labels.append(message[offset + 1:offset + 1 + length])
            offset += 1 + length
        else:
            raise Malformed
    return tuple(labels), end or offset + 1


def describe(packet):
    """One line for a person who looks for the reason of a difference."""
    at = "%d.%09d" % divmod(packet.time, 10**9)
    if packet.kind == "other":
        return f"#{packet.number} {at} other"
    line = (f"#{packet.number} {at} {packet.kind} {text(packet.source)} {packet.sport} > "
            f"{text(packet.destination)} {packet.dport} "
            f"({packet.source_mac.hex(':')} > {packet.destination_mac.hex(':')})")
    if packet.kind == "syn":
        return line + f" seq {packet.sequence}"
    if packet.kind == "quic":
        return line
    line += f" id {packet.id} {name_text(packet.name)} type {packet.qtype}"
    return line + "".join(f" {text(a)}/{ttl}" for a, ttl in packet.records)
