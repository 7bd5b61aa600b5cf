"""What tshark sees in a capture: the addresses in DNS answers, and the SYNs, frame by frame."""

import ipaddress
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "oracle"))
sys.dont_write_bytecode = True

import capture  # noqa: E402

# Wireshark's own defaults but for these: it puts together whatever it can, and knows the ports that
# portent knows.
OPTIONS = ["-o", "ip.defragment:TRUE", "-o", "ipv6.defragment:TRUE",
           "-o", "tcp.desegment_tcp_streams:TRUE", "-o", "tcp.reassemble_out_of_order:TRUE",
           "-o", "tcp.relative_sequence_numbers:FALSE",
           "-d", "udp.port==8472,vxlan", "-d", "udp.port==6635,mpls"]
FILTER = "dns || (tcp.flags.syn == 1 && tcp.flags.ack == 0)"
SYN, CLEAR = 0x02, 0x01 | 0x04 | 0x10
IP = {"ip": ("ip.src", "ip.dst"), "ipv6": ("ipv6.src", "ipv6.dst")}
ADDRESSES = {"dns.a", "dns.aaaa", "dns.svcb.svcparam.ipv4hint.ip",
             "dns.svcb.svcparam.ipv6hint.ip"}


def plain(address):
    address = ipaddress.ip_address(address)
    return str(getattr(address, "ipv4_mapped", None) or address)


def shown(tree, name):
    return next((field.get("show") for field in tree.iter("field") if field.get("name") == name), None)


class Walk:
    """Through one frame's protocols, in their order: the innermost that carries each."""

    def __init__(self, number):
        self.number = number
        self.ends = None
        self.ports = None
        self.resolutions = set()
        self.syn = None

    def packet(self, packet):
        for proto in packet.findall("proto"):
            self.protocol(proto)

    def protocol(self, proto):
        name = proto.get("name")
        if name in IP:
            self.ends = [plain(shown(proto, field) or "::") for field in IP[name]]
            self.ports = self.syn = None
        elif name in ("tcp", "udp"):
            self.transport(name, proto)
        elif name == "dns" and self.ends and self.ports:
            self.answer(proto)
        for inner in proto.findall(".//proto"):  # an ICMP error quotes a packet, which is none
            inner.set("name", "")

    def transport(self, name, proto):
        ports = shown(proto, name + ".srcport"), shown(proto, name + ".dstport")
        if None in ports:
            return
        self.ports = [int(p) for p in ports]
        flags = shown(proto, "tcp.flags") if name == "tcp" else None
        self.syn = None
        if flags and int(flags, 0) & (SYN | CLEAR) == SYN and self.ends:
            self.syn = (*self.ends, *self.ports)

    def answer(self, proto):
        if self.ports[0] != 53 or shown(proto, "dns.flags.response") not in ("1", "True"):
            return
        question = shown(proto, "dns.qry.name")
        sections = [f for f in proto.findall("field") if f.get("show") == "Answers"]
        for record in (field for section in sections for field in section.findall("field")):
            for field in record.iter("field"):
                if field.get("name") in ADDRESSES:
                    self.resolutions.add((self.ends[1], "." if question == "<Root>" else question,
                                          plain(field.get("show")),
                                          int(shown(record, "dns.resp.ttl"))))


def sees(path):
    """Resolutions {(frame, client, question, address, ttl)} and SYNs {(frame, 4-tuple)}."""
    resolutions, syns = set(), set()
    for packet in capture.packets(str(path), *OPTIONS, "-Y", FILTER):
        number = int(packet.find("proto[@name='geninfo']/field[@name='num']").get("show"))
        walk = Walk(number)
        walk.packet(packet)
        resolutions |= {(number, *r) for r in walk.resolutions}
        if walk.syn:
            syns.add((number, *walk.syn))
    return resolutions, syns


if __name__ == "__main__":
    for found in sees(sys.argv[1]):
        for row in sorted(found, key=str):
            print(*row)
