#!/usr/bin/python3
"""Seeded random captures that go into every corner of design section 4, many times.

    generate.py --seed N --packets M -o FILE

Few clients, few names, and addresses whose formulas give ports of the published band, so that a
SYN at random has a good chance to match; and episodes that walk to the edges of the rules: exactly
a window later and one clock tick beside it, a hold until it is a day long, an address given by a
name that was contacted over another one. Odd seeds are captures of nanoseconds.

Events are put on a time line first, in the order of the wire; then the clock of the capture is
spoilt (design 4.12): single packets with a foreign time, steps, epochs, time that stands still.
"""

import argparse
import random
import struct
import sys

import model
import wire

US, MS, SECOND, MINUTE, HOUR = 10**3, 10**6, 10**9, 60 * 10**9, 3600 * 10**9
DAY, YEAR = 24 * HOUR, 365 * 24 * HOUR
FLOOD = 12000  # a capture of so many packets has one burst that fills the delay line


# --- Frames -----------------------------------------------------------------------------------

def addr(words):
    return wire.ipaddress.ip_address(words).packed


def checksum(data):
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def mac_of(address):
    """Hosts with several addresses, a router with hosts behind it, and whoever has its own MAC."""
    for number, mates in enumerate((*HOSTS, BEHIND)):
        if address in mates:
            return b"\x02\0\0\1\0" + bytes([number])
    if address[:-2] == PRIVACY:
        return mac_of(HOSTS[0][0])
    if address[:3] == QUIET:
        return mac_of(BEHIND[0])
    return b"\x02\0\0" + address[-3:]


def frame(source, destination, protocol, payload, vlans=(), options=b"", extension=False,
          mac=None):
    """Ethernet, tags, and IPv4 (with options) or IPv6 (with a destination options header)."""
    link = mac_of(destination) + (mac or mac_of(source))
    for kind, tag in zip((0x88A8, 0x8100)[2 - len(vlans):], vlans):
        link += struct.pack(">HH", kind, tag)
    if len(source) == 4:
        head = struct.pack(">BBHHHBBH", 0x45 + len(options) // 4, 0,
                           20 + len(options) + len(payload), 0, 0x4000, 64, protocol, 0)
        head += source + destination + options
        head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
        return link + b"\x08\0" + head + payload
    if extension:
        payload = bytes((protocol, 0, 1, 4, 0, 0, 0, 0)) + payload
        protocol = 60
    head = struct.pack(">IHBB", 6 << 28, len(payload), protocol, 64) + source + destination
    return link + b"\x86\xdd" + head + payload


ENDS = addr("192.0.2.1"), addr("192.0.2.2")  # of tunnels


def vxlan(data, number):
    """The frame in VXLAN."""
    inner = struct.pack(">II", 0x08000000, number << 8) + data
    return frame(*ENDS, 17, udp(50000, 4789, inner), mac=b"\x02\0\0\x03\0\x01")


def gre(data, key=None, bridged=False):
    """The frame, or its packet alone, in GRE."""
    kind, inner = (b"\x65\x58", data) if bridged else packet_of(data)
    head = b"\0\0" + kind if key is None else b"\x20\0" + kind + struct.pack(">I", key)
    return frame(*ENDS, 47, head + inner, mac=b"\x02\0\0\x03\0\x01")


def ip_in_ip(data):
    kind, inner = packet_of(data)
    return frame(*ENDS, 4 if kind == b"\x08\0" else 41, inner, mac=b"\x02\0\0\x03\0\x01")


def packet_of(data):
    """The ethertype behind the tags, and what it stands for."""
    offset = 12
    while struct.unpack_from(">H", data, offset)[0] in wire.TAGS:
        offset += 4
    return data[offset:offset + 2], data[offset + 2:]


def tcp(sport, dport, sequence, flags=0x02):
    return struct.pack(">HHIIBBHHH", sport, dport, sequence, 0, 0x50, flags, 64240, 0, 0)


def udp(sport, dport, payload):
    return struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload


def labels(words):
    return b"".join(bytes([len(w)]) + w.encode() for w in words.split(".")) + b"\0"


def record(owner, rtype, ttl, data, rclass=wire.IN):
    return owner + struct.pack(">HHIH", rtype, rclass, ttl, len(data)) + data


def query(id, name, qtype=wire.A):
    return struct.pack(">HHHHHH", id, 0x0100, 1, 0, 0, 0) + labels(name) + struct.pack(
        ">HH", qtype, wire.IN)


def response(id, name, addresses, qtype=wire.A, alias=None, noise=False, flags=0x8180):
    """addresses: (address, TTL). alias: the records belong to it, and a CNAME leads there."""
    records, owner = [], b"\xc0\x0c"
    message = labels(name) + struct.pack(">HH", qtype, wire.IN)
    if alias:
        # The alias ends in the last label of the question, written as a pointer to it.
        last = 12 + len(name.encode()) - len(name.split(".")[-1])
        target = labels(alias)[:-1] + struct.pack(">H", 0xC000 | last)
        records.append(record(owner, 5, 300, target))
        owner = struct.pack(">H", 0xC000 | 12 + len(message) + 12)
    if noise:  # another class, another type: neither is an address that was given
        records.append(record(owner, wire.A, 60, b"\x05\x06\x07\x08", rclass=3))
        records.append(record(owner, 16, 60, b"\x03abc"))
    records += [record(owner, wire.A if len(a) == 4 else wire.AAAA, ttl, a)
                for a, ttl in addresses]
    additional = [record(labels("glue.example"), wire.A, 60, b"\x14\xfa\x00\x09"),
                  b"\0" + struct.pack(">HHIH", 41, 1232, 0, 0)] if noise else []
    head = struct.pack(">HHHHHH", id, flags, 1, len(records), 0, len(additional))
    return head + message + b"".join(records + additional)


def write(records, nano):
    """A classic pcap file of (nanoseconds, frame)."""
    magic, unit = (0xA1B23C4D, 1) if nano else (0xA1B2C3D4, 1000)
    out = [struct.pack("<IHHiIII", magic, 2, 4, 0, 0, 262144, 1)]
    for time, data in records:
        out.append(struct.pack("<IIII", time // SECOND, time % SECOND // unit, len(data),
                               len(data)) + data)
    return b"".join(out)


# --- The world --------------------------------------------------------------------------------

CLIENTS = [addr(a) for a in (
    "10.0.0.5", "192.168.1.7", "172.16.3.3", "203.0.113.9", "fd00::5", "2001:db8:1::9")]
HOSTS = [[addr(a) for a in mates] for mates in (  # each of one MAC (design 4.11)
    ("10.0.0.5", "fd00::5"), ("192.168.1.7", "fe80::7"), ("203.0.113.9", "2001:db8:1::9"))]
BEHIND = [addr(a) for a in ("172.16.3.3", "169.254.7.7")]  # a router, and so are the quiet ones
QUIET = addr("10.7.7.0")[:3]
PRIVACY = addr("fd00::5:0")[:-2]  # more addresses of the first host
RARE_CLIENTS = [addr(a) for a in ("169.254.7.7", "fe80::7", "100.64.0.8")]
OUTSIDERS = [addr(a) for a in ("198.18.0.77", "8.8.4.4", "2001:db8:ffff::1")]
RESOLVERS = {4: [addr("10.0.0.1"), addr("9.9.9.9")], 16: [addr("fd00::1"), addr("2620:fe::fe")]}
NAMES = ("a.example", "b.example", "c2.evil.test", "port.evil.test", "www.cdn.test", "x.y.z.test",
         "flux.test", "under_score.test", "t")
TTLS = (0, 0, 1, 5, 30, 60, 300, 600, 601, 1800, 3600, 86400, 2**31 - 1, 2**31, 2**32 - 1)


def nymaim_source(a):
    """The address for which DNS must answer so that Nymaim connects to a."""
    value = int.from_bytes(a, "little")
    for _ in range(16):
        value = (((value ^ 0x18482642) + 0x78643587) % 2**32) ^ 0x87568289
    return value.to_bytes(4, "little")


def in_band(port):
    return 4096 <= port <= 49151 and port not in model.PUBLISHED["excluded"]


class World:
    """Addresses, and what every client was given lately (so that a SYN can aim)."""

    def __init__(self, rng):
        self.rng = rng
        pool = [self.public(lambda a: in_band(model.apt12(a))) for _ in range(10)]
        pool += [self.public(lambda a: in_band(model.variant(a))) for _ in range(5)]
        pool += [a[:3] + bytes([a[3] ^ 1]) for a in pool[:3]]  # in one /24, so of one port
        pool += [addr("40.126.20.1"), addr("50.100.60.2"), addr("55.92.0.3")]  # all apt12 5060
        pool += [addr("20.250.0.5"), addr("40.120.0.6")]  # both formulas agree
        pool += [addr("40.201.40.9"), addr("45.200.0.9")]  # 8080 (excluded) and 9000
        pool += [addr("20.101.57.9"), addr("200.250.20.1")]  # below and above the band
        pool += [addr("252.200.0.7")]  # variant above 49151
        self.fixed = addr("90.80.90.80")  # its own swap
        self.private = [addr(a) for a in (
            "172.31.200.1", "192.168.5.5", "169.254.9.9", "127.100.1.1", "10.200.200.3")]
        self.swaps = [a[2:] + a[:2] for a in pool[:4]] + [addr("90.81.10.1"), self.fixed]
        self.nymaims = [nymaim_source(a) for a in pool[4:7]]
        self.six = [addr("2001:db8:77::%x" % i) for i in range(1, 4)]
        self.nat64 = [wire.NAT64 + a for a in pool[:3] + pool[-6:-5] + self.private[1:2]]
        self.mapped = [wire.MAPPED + a for a in pool[2:4]]
        self.pool = pool
        self.given = {client: [] for client in CLIENTS + RARE_CLIENTS + OUTSIDERS}

    def public(self, wanted):
        while True:
            a = bytes(self.rng.randrange(1, 224) for _ in range(4))
            if wanted(a) and not model.private(a):
                return a

    def address(self):
        """One for an answer."""
        groups = ((self.pool, 60), (self.swaps, 12), (self.nymaims, 6), (self.private, 6),
                  (self.six, 5), (self.nat64, 6), (self.mapped, 2))
        group, = self.rng.choices([g for g, _ in groups], [w for _, w in groups])
        return self.rng.choice(group)

    def mate(self, client):
        """The client, or now and then another address of its host."""
        mates = next((mates for mates in HOSTS if client in mates), None)
        return self.rng.choice(mates) if mates and self.rng.random() < 0.5 else client

    def destination(self, client):
        """One for a SYN: what the client was given, or the result of an address rule, or any."""
        rng, given = self.rng, [wire.address(a) for a in self.given[self.mate(client)][-12:]]
        four = [a for a in given if len(a) == 4]
        roll = rng.random()
        if roll < 0.5 and given:
            choice = rng.choice(given)
        elif roll < 0.62 and four:
            choice = rng.choice((model.swap16, model.nymaim))(rng.choice(four))
        elif roll < 0.66:
            choice = rng.choice(self.private)
        else:
            choice = rng.choice(self.pool)
        if len(choice) == len(client):
            return choice
        if len(client) == 4:
            return wire.ipv4(choice) or rng.choice(self.pool)
        return wire.NAT64 + choice if rng.random() < 0.4 else rng.choice(self.six)

    def port(self, client, destination):
        rng = self.rng
        four = wire.ipv4(destination) or rng.choice(self.pool)
        given = self.given[self.mate(client)][-8:]
        given = [a for a in map(wire.ipv4, map(wire.address, given)) if a]
        other = rng.choice(given) if given else rng.choice(self.pool)
        formula = rng.choices((model.apt12, model.variant), (3, 2))[0]
        roll = rng.random()
        if roll < 0.45:
            port = formula(four)
        elif roll < 0.85:
            port = formula(other)
        elif roll < 0.9:
            port = formula(four) + rng.choice((-1, 1))
        else:
            port = rng.choice((0, 80, 443, 8080, 9000, 4095, 4096, 49151, 49152, 65535))
        return port if 0 <= port < 65536 else port % 65536


# --- The time line ----------------------------------------------------------------------------

class Generator:
    def __init__(self, seed, packets, tunnels=False):
        self.rng = random.Random(seed)
        self.tunnels = random.Random(seed + 1000) if tunnels else None
        self.nano = bool(seed & 1)
        self.unit = 1 if self.nano else US
        self.packets = packets
        self.world = World(self.rng)
        self.calm = 0, 0  # between them the clock is not spoilt
        self.events = []  # (time on the wire, serial, time written, frame)
        self.tempo = self.rng.choice((0.3, 1, 1))  # the share of long pauses
        self.time = self.rng.choice((5 * SECOND,) + (1_700_000_000 * SECOND,) * 7)

    def put(self, time, data, written=None):
        rng = self.rng
        if written is None:
            written = time
            if rng.random() < 0.04:  # a multi-queue card: a little out of order
                written -= rng.choice((rng.randrange(80 * MS), rng.randrange(1050 * MS), SECOND))
        self.events.append((time, len(self.events), written, data))

    def edge(self, length):
        """Exactly so long, or one tick more or less."""
        return length + self.rng.choice((-1, 0, 0, 1)) * self.unit

    def wrap(self, source, destination, protocol, payload):
        rng = self.rng
        vlans = rng.choices(((), (120,), (7, 120)), (88, 10, 2))[0]
        mac = mac_of(BEHIND[0]) if rng.random() < 0.01 else None  # seen behind the router too
        data = frame(source, destination, protocol, payload, vlans, mac=mac,
                     options=rng.choices((b"", b"\x01\x01\x01\x00"), (97, 3))[0],
                     extension=rng.random() < 0.03)
        return self.tunnel(data) if self.tunnels else data

    def tunnel(self, data):
        """Mostly one number; the same one of another kind; none; two, of which the inner one counts."""
        ways = ((lambda: data, 20), (lambda: vxlan(data, 7), 60), (lambda: vxlan(data, 0x010007), 4),
                (lambda: gre(data, 7), 3), (lambda: gre(data, 7 << 8, bridged=True), 3),
                (lambda: gre(data), 2), (lambda: gre(data, bridged=True), 1),
                (lambda: ip_in_ip(data), 2), (lambda: vxlan(vxlan(data, 7), 9), 2),
                (lambda: vxlan(ip_in_ip(data), 7), 2), (lambda: vxlan(vxlan(vxlan(data, 8), 7), 9), 1))
        way, = self.tunnels.choices([w for w, _ in ways], [n for _, n in ways])
        return way()

    def client(self):
        if self.rng.random() < 0.03:
            return self.rng.choice(RARE_CLIENTS)
        return self.rng.choice(CLIENTS)

    def name(self):
        name = self.rng.choice(NAMES)
        roll = self.rng.random()
        return name.upper() if roll < 0.08 else name.title() if roll < 0.16 else name

    def answer(self, time, client, addresses, name=None, ttl=None, sport=None):
        """A query (mostly), its answer, and now and then a copy of the answer."""
        rng = self.rng
        name, id = name or self.name(), rng.randrange(65536)
        resolver, sport = rng.choice(RESOLVERS[len(client)]), sport or rng.randrange(1024, 65536)
        qtype = wire.AAAA if addresses and len(addresses[0]) == 16 else wire.A
        records = [(a, rng.choice(TTLS) if ttl is None else ttl) for a in addresses]
        if rng.random() < 0.7:
            self.query(time, client, resolver, sport, id, name, qtype)
        alias = "edge.node" if rng.random() < 0.3 else None
        message = response(id, name, records, qtype, alias, noise=rng.random() < 0.1,
                           flags=rng.choices((0x8180, 0x8183, 0x8380), (94, 3, 3))[0])
        self.put(time, self.wrap(resolver, client, 17, udp(53, sport, message)))
        self.world.given[client] += addresses
        roll = rng.random()
        if roll < 0.12:
            delays = rng.choice(([10 * US], [3 * MS, 7 * MS], [self.edge(SECOND)],
                                 [900 * MS, 1800 * MS], [2 * SECOND]))
            for delay in delays:
                self.put(time + delay, self.wrap(resolver, client, 17, udp(53, sport, message)))
        elif roll < 0.2 and records:  # nearly a copy: something that a copy must not change
            other, rename, reid = records[::-1], name, id
            change = rng.randrange(4)
            if change == 0:
                other = [(a, t // 2) for a, t in records]
            elif change == 1:
                rename = name.swapcase()
            elif change == 2:
                reid = id ^ 1
            message = response(reid, rename, other, qtype)
            self.put(time + rng.randrange(MS, SECOND),
                     self.wrap(resolver, client, 17, udp(53, sport, message)))

    def query(self, time, client, resolver, sport, id, name, qtype):
        rng = self.rng
        roll = rng.random()
        delay = rng.randrange(200 * US, 80 * MS)
        if roll < 0.06:
            delay = self.edge(30 * SECOND)
        elif roll < 0.09:
            id ^= 1
        elif roll < 0.12:
            sport ^= 1
        elif roll < 0.15:
            name = "other." + name
        elif roll < 0.18:
            resolver = RESOLVERS[len(client)][resolver == RESOLVERS[len(client)][0]]
        elif roll < 0.24:
            name = name.swapcase()
        self.put(max(0, time - delay), self.wrap(client, resolver, 17,
                                                 udp(sport, 53, query(id, name, qtype))))

    def syn(self, time, client, destination, port, repeats=True, flags=0x02):
        rng = self.rng
        sport, sequence = rng.randrange(1024, 65536), rng.randrange(2**32)
        data = self.wrap(client, destination, 6, tcp(sport, port, sequence, flags))
        self.put(time, data)
        roll = rng.random()
        if not repeats or roll > 0.22:
            return
        delays = ([20 * US], [SECOND, 3 * SECOND, 7 * SECOND], [500 * MS, SECOND],
                  [self.edge(2 * MINUTE)], [100 * SECOND, 200 * SECOND, 300 * SECOND],
                  [4 * MINUTE], [2 * MINUTE, self.edge(4 * MINUTE)])
        again = self.wrap(client, destination, 6, tcp(sport, port, sequence, flags))
        for delay in rng.choice(delays):
            self.put(time + delay, again)
        if rng.random() < 0.1:  # a copy that arrives later and says that it was earlier
            self.put(time + 200 * MS, again, max(0, time - rng.randrange(700 * MS)))

    def quic(self, time, client, destination, payload=b"\xc3\0\0\0\x01\x08"):
        self.put(time, self.wrap(client, destination, 17,
                                 udp(self.rng.randrange(1024, 65536), 443, payload)))

    # --- Anything -------------------------------------------------------------------------

    def anything(self):
        weights = ((self.some_answer, 30), (self.some_syn, 46), (self.some_pair, 16),
                   (self.some_quic, 5), (self.noise, 5), (self.scan, 3))
        act, = self.rng.choices([a for a, _ in weights], [w for _, w in weights])
        act(self.time)

    def some_answer(self, time):
        rng = self.rng
        count = rng.choices((0, 1, 2, 3, 8), (4, 60, 20, 10, 6))[0]
        client = self.client()
        if rng.random() < 0.03:
            client = rng.choice([c for c in OUTSIDERS if c != OUTSIDERS[0]])
        if rng.random() < 0.01:
            client = addr("224.0.0.251")
            self.world.given.setdefault(client, [])
        self.answer(time, client, [self.world.address() for _ in range(count)])

    def some_syn(self, time):
        client = self.client()
        destination = self.world.destination(client)
        self.syn(time, client, destination, self.world.port(client, destination))

    def some_pair(self, time):
        """An answer and the SYN that it leads to, in this order or up to 60 ms in the other."""
        rng, client = self.rng, self.client()
        address = self.world.address()
        self.answer(time, client, [address])
        address = wire.address(address)
        if len(address) != len(client):
            address = self.world.destination(client)
        delay = rng.choice((rng.randrange(400 * US), rng.randrange(MS, 3 * SECOND), self.edge(0),
                            -rng.randrange(60 * MS), -rng.randrange(60 * MS),
                            -self.edge(50 * MS)))
        self.syn(max(0, time + delay), client, address, self.world.port(client, address))

    def some_quic(self, time):
        client = self.client()
        payload = self.rng.choice((b"\xc3\0\0\0\x01\x08", b"\x80\0\0\0\0", b"\x40\0\0\0\0\0",
                                   b"\xc0\0\0\0", b""))
        self.quic(time, client, self.world.destination(client), payload)

    def noise(self, time):
        rng, client = self.rng, self.client()
        destination = self.world.destination(client)
        port = self.world.port(client, destination)
        kind = rng.randrange(4)
        if kind == 0:
            self.syn(time, client, destination, port, flags=rng.choice(
                (0x12, 0x10, 0x04, 0x06, 0x03, 0x14, 0x18)))
        elif kind == 1:
            self.put(time, b"\xff" * 6 + b"\x02\0\0\0\0\x05\x08\x06" + bytes(28))
        elif kind == 2:
            self.put(time, self.wrap(client, destination, 17, udp(5000, port, b"hello")))
        else:  # SYN with ECN, which is a SYN
            self.syn(time, client, destination, port, flags=0xC2)

    def scan(self, time):
        """From the internet to addresses whose ports fit: nobody's alert (design 4.4)."""
        source = self.rng.choice(OUTSIDERS)
        for i in range(self.rng.randrange(1, 6)):
            destination = self.world.destination(source)
            self.syn(time + i * 3 * MS, source, destination,
                     self.world.port(source, destination), repeats=False)

    # --- Episodes -------------------------------------------------------------------------

    def fresh(self, formula=model.apt12):
        return self.world.public(lambda a: in_band(formula(a)))

    def four_client(self):
        return self.rng.choice(CLIENTS[:4])

    def quiet_client(self):
        """One that does nothing else (mostly)."""
        client = addr("10.7.7.%d" % self.rng.randrange(256))
        self.world.given.setdefault(client, [])
        return client

    def two_names(self):
        """APT12's shape: the port comes from a name that is (or is not) contacted."""
        rng, time, client = self.rng, self.time, self.four_client()
        c2, b, b2 = self.fresh(), self.fresh(), self.fresh()
        mode = rng.randrange(8)
        if mode == 5:  # two answers yield the port, the newer one was contacted
            b = addr("50.100.60.2")
            self.answer(time - 3 * SECOND, client, [addr("40.126.20.1")], "silent.test")
        self.answer(time, client, [b, b2] if mode == 2 else [b], "port.test",
                    ttl=rng.choice((60, 1800)))
        self.answer(time + 10 * MS, client, [c2], "c2.test")
        if mode in (1, 5):  # contacted, perhaps in the very moment of the SYN
            self.syn(time + rng.choice((20 * MS, 30 * MS)), client, b, 443)
        elif mode == 2:  # over its other address
            rng.choice((self.syn_443, self.quic))(time + 20 * MS, client, b2)
        elif mode == 3:  # a newer answer in other letters
            self.syn(time + 12 * MS, client, b, 443)
            self.answer(time + 20 * MS, client, [b], "PORT.test")
        elif mode == 4:  # over the AAAA record
            six = rng.choice(self.world.six)
            self.answer(time + 12 * MS, client, [six], "Port.Test")
            self.quic(time + 22 * MS, client, b)
        elif mode == 6:  # over an address that another name gave as well
            self.answer(time - SECOND, client, [b], "old.test")
            self.syn(time - MS, client, b, 80)
        delay = rng.choice((30 * MS, 30 * MS, 2 * SECOND, self.edge(MINUTE)))
        self.syn(time + delay, client, c2, model.apt12(b))

    def forged(self):
        """Beside what a client asked for somebody forges answers (design 5)."""
        rng, time, client = self.rng, self.time, self.four_client()
        c2, b, id = self.fresh(), addr("40.126.20.1"), rng.randrange(60000)
        forge = rng.sample(range(1, 400), rng.choice((2, 30, 40)))
        self.ask(time, client, [c2], "c2.test", id)
        self.ask(time + MS, client, [b], rng.choice(("port.test", "Port.test")), id + 1)
        if rng.random() < 0.5:  # the same port under another name
            self.ask(time + 2 * MS, client, [addr("50.100.60.2")], "silent.test", id + 2, False)
        if rng.random() < 0.5:  # the name that gives the port, at an address that is used
            self.ask(time + 2 * MS, client, [c2], "port.test", id + 3, False)
        for i in forge:
            address = bytes((100, 100 + i // 4, i % 4 * 64, 9))
            self.ask(time + 3 * MS, client, [address], "f%d.test" % i, id + 4 + i, False)
        for address in rng.sample((c2, b, addr("50.100.60.2")), rng.randrange(3)):
            self.syn(time + 5 * MS, client, address, 443)
        self.syn(time + 30 * MS, client, c2, rng.choice((5060, 5060, model.apt12(c2))))
        swapped, hidden = addr("132.198.176.65"), addr("176.65.132.198")
        self.ask(time + 31 * MS, client, [swapped], "swap.test", id + 5000)
        self.ask(time + 32 * MS, client, [hidden], "hide.test", id + 5001, rng.random() < 0.3)
        self.syn(time + 40 * MS, client, hidden, 23789)

    def ask(self, time, client, addresses, name, id, asked=True):
        resolver = RESOLVERS[len(client)][0]
        if asked:
            self.put(time - MS // 2, self.wrap(client, resolver, 17,
                                               udp(5353, 53, query(id, name))))
        message = response(id, name, [(a, 60) for a in addresses])
        self.put(time, self.wrap(resolver, client, 17, udp(53, 5353, message)))
        self.world.given[client] += addresses

    def twins(self):
        """One address of a host is given what another one uses (design 4.11)."""
        rng, time = self.rng, self.time
        one, other = rng.sample(rng.choice(HOSTS), 2)
        c2, b = self.fresh(), self.fresh()
        mode = rng.randrange(7)
        if mode == 0:  # answered here, connected from there
            self.answer(time, one, [c2], "twin.test", ttl=60)
            self.syn(time + 20 * MS, other, c2, model.apt12(c2))
            return
        if mode == 1:  # the result of an address rule, perhaps given to the other one
            self.answer(time, one, [c2[2:] + c2[:2]], "swap.test", ttl=60)
            if rng.random() < 0.5:
                self.answer(time + MS, other, [c2], "c2.test", ttl=60)
            self.syn(time + 20 * MS, other, c2, rng.choice((80, model.apt12(c2))))
            return
        self.answer(time, one if mode < 5 else other, [b], "port.test", ttl=60)
        self.answer(time + MS, one if mode % 2 else other, [c2], "c2.test", ttl=60)
        if mode == 4:  # given to both: own evidence first
            self.answer(time + 2 * MS, other, [b], "port.test", ttl=60)
        if mode > 2 and rng.random() < 0.7:  # the name was contacted, by one of them
            self.answer(time + 3 * MS, rng.choice((one, other)), [b], "PORT.test", ttl=60)
            rng.choice((self.syn_443, self.quic))(time + 10 * MS, rng.choice((one, other)), b)
        self.syn(time + 20 * MS, other, c2, model.apt12(b))

    def many_addresses(self):
        """A host with six to nine addresses, until an hour after they were seen."""
        rng, time = self.rng, self.time
        one, other = HOSTS[0]
        for n in range(rng.randrange(5, 9)):
            address = PRIVACY + bytes((0, n + 1))
            self.world.given.setdefault(address, [])
            if rng.random() < 0.5:
                self.answer(time + n * SECOND, address, [self.fresh()], "many.test")
            else:
                self.syn_443(time + n * SECOND, address, rng.choice(self.world.six))
        c2 = self.fresh()
        at = time + rng.choice((10 * SECOND, self.edge(HOUR), self.edge(HOUR + SECOND)))
        self.answer(at - 30 * MS, one, [c2], "twin.test", ttl=60)
        self.syn(at, other, c2, model.apt12(c2), repeats=False)

    def old_twin(self):
        """The answer is as old as it may be."""
        one, other = self.rng.sample(self.rng.choice(HOSTS), 2)
        c2 = self.fresh()
        self.answer(self.time, one, [c2], "twin.test", ttl=3600)
        self.syn(self.time + self.edge(HOUR), other, c2, model.apt12(c2), repeats=False)

    def syn_443(self, time, client, destination):
        self.syn(time, client, destination, 443, repeats=False)

    def old_contact(self):
        """Contacts of a window ago and longer; inherited, or no more."""
        rng, time, client = self.rng, self.time, self.four_client()
        b, c2 = self.fresh(), self.fresh()
        ttl = rng.choice((60, 900, 3600))
        self.answer(time, client, [b], "port.test", ttl=ttl)
        self.syn_443(time + SECOND, client, b)
        if rng.random() < 0.5:
            self.put(time + 2 * SECOND, self.wrap(client, b, 6, tcp(4000, 443, 77)))
            self.put(time + 62 * SECOND, self.wrap(client, b, 6, tcp(4000, 443, 77)))
        later = rng.choice((5 * MINUTE, 9 * MINUTE, 590 * SECOND, self.edge(10 * MINUTE),
                            20 * MINUTE, self.edge(HOUR)))
        self.answer(time + later, client, [b], "port.test", ttl=60)
        self.answer(time + later, client, [c2], "c2.test")
        at = rng.choice((time + later + 10 * MS, time + self.edge(601 * SECOND),
                         time + SECOND + later, time + later + 50 * SECOND))
        self.syn(at, client, c2, model.apt12(b))

    def crowd(self):
        """Many candidates: the chance is high, and no rotation comes of two such matches."""
        time, client = self.time, self.four_client()
        for n in range(3):
            self.answer(time + n * MS, client, [self.fresh() for _ in range(24)],
                        "crowd%d.test" % n, ttl=60)
        given = self.world.given[client][-72:]
        for n, b in enumerate(given[20:24] + given[:3]):
            self.syn(time + SECOND * (n + 1), client, self.fresh(), model.apt12(b))

    def rotation(self):
        self.rotate(self.rng.choice((2, 3, 5, 9)), self.rng.randrange(20 * MS, 70 * SECOND))

    def long_rotation(self):
        self.rotate(70, 5 * SECOND)

    def slow_rotation(self):
        """Some matches grow old, some are refreshed; and the last moment of a window."""
        self.rotate(6, 130 * SECOND, again=True)
        self.rotate(3, self.edge(10 * MINUTE), client=self.quiet_client())

    def held_rotation(self):
        """Holds grow longer than a window: what is held back is new to the rotation again."""
        client, time = self.quiet_client(), self.time
        found = [self.fresh() for _ in range(3)]
        for delay in (0, 301, 905, 905 + 610, 905 + 1230):
            for n, a in enumerate(found):
                at = time + (delay + n) * SECOND
                self.answer(at, client, [a], "held%d.test" % n, ttl=60)
                self.syn(at + 5 * MS, client, a, model.apt12(a), repeats=False)

    def rotate(self, length, pause, again=False, client=None):
        rng, time, client = self.rng, self.time, client or self.four_client()
        found, near = [], None
        for n in range(length):
            formula = rng.choice((model.apt12, model.variant))
            a = self.fresh(formula)
            if near and rng.random() < 0.2:  # the /24 of the one before, or its port
                a = rng.choice((near[:3] + bytes([n + 1]), addr("50.100.60.2"),
                                addr("55.92.0.3")))
            near = a
            at = time + n * pause
            self.answer(at, client, [a], "flux.test" if rng.random() < 0.5 else "r%d.test" % n)
            port = formula(a) % 65536
            self.syn(at + 5 * MS, client, a, port)
            found.append((a, port))
            if again:
                self.syn(at + 20 * SECOND, client, *rng.choice(found))

    def long_hold(self):
        """A hold that doubles until it is a day long."""
        rng, client, a = self.rng, self.four_client(), self.fresh()
        time, length = self.time, 5 * MINUTE
        for _ in range(rng.choice((4, 11, 12))):
            self.syn(time, client, a, model.apt12(a), repeats=False)
            for _ in range(rng.randrange(3)):
                self.syn(time + rng.randrange(length), client, a, model.apt12(a), repeats=False)
            time += rng.choice((length, self.edge(length), length + MINUTE))
            length = min(2 * length, DAY)
        if rng.random() < 0.5:
            self.syn(time + self.edge(DAY), client, a, model.apt12(a))

    def rise_and_fall(self):
        """One key, other evidence each time: 21, 47, 73, and down again."""
        rng, time = self.rng, self.time
        client, other = rng.sample(CLIENTS[:3], 2)
        a = self.fresh()
        if rng.random() < 0.5:  # not so fresh: the same key, again and again
            a = self.world.pool[0]
        steps = [None, other, None, client, None, None]
        if rng.random() < 0.3:
            steps = [client, None, None]
        for giver in steps:
            if giver:
                self.answer(time, giver, [a], ttl=60)
                time += rng.randrange(MS, SECOND)
            for _ in range(rng.choice((1, 1, 2))):
                self.syn(time, client, a, model.apt12(a), repeats=False)
                time += rng.choice((2 * SECOND, 40 * SECOND, 5 * MINUTE, 11 * MINUTE))

    def sweep(self):
        """Addresses of one network, and some of them are given by DNS in between."""
        rng, time, client = self.rng, self.time, self.four_client()
        network = self.fresh()[:3]
        found = [network + bytes([n]) for n in rng.sample(range(1, 255), 3)]
        for _ in range(rng.randrange(4, 9)):
            a = rng.choice(found)
            if rng.random() < 0.3:
                self.answer(time, client, [a], ttl=60)
                time += rng.randrange(MS, SECOND)
            self.syn(time, client, a, model.apt12(a), repeats=False)
            time += rng.choice((2 * SECOND, 40 * SECOND, 5 * MINUTE, 11 * MINUTE))

    def edges_of_life(self):
        """The last moment of a resolution, and a tick after."""
        rng, time, client = self.rng, self.time, self.four_client()
        a, other = self.fresh(), self.fresh()
        ttl = rng.choice((0, 60, 599, 600, 601, 1800, 3599, 3600, 3601, 86400, 2**31 - 1, 2**31))
        life = min(max(0 if ttl == 2**31 else ttl, 600), 3600)
        self.answer(time, client, [a], ttl=ttl)
        for delay in (self.edge(life * SECOND), rng.randrange(life * SECOND, 4000 * SECOND)):
            self.syn(time + delay, client, a, model.apt12(a), repeats=False)
            self.syn(time + delay, client, model.swap16(a), rng.randrange(1, 65536))
        self.syn(time + self.edge(MINUTE), client, other, model.apt12(a))

    def before_the_answer(self):
        rng, time, client, a = self.rng, self.time, self.four_client(), self.fresh()
        for delay in (self.edge(50 * MS), rng.randrange(60 * MS)):
            self.syn(time - delay, client, a, model.apt12(a), repeats=False)
        self.answer(time, client, [a])
        if rng.random() < 0.5:  # nothing behind: the answer itself must not move the line past it
            self.time += 100 * MS

    def address_rules(self):
        rng, time, client = self.rng, self.time, self.four_client()
        formula = rng.choice((model.swap16, model.nymaim))
        a = rng.choice((self.fresh(), self.world.fixed, addr("90.81.10.1")))
        if formula is model.nymaim:
            a = nymaim_source(self.fresh())
        result = formula(a)
        given = [self.fresh() for _ in range(rng.randrange(4))]
        self.answer(time, client, given + [a], ttl=60)
        if rng.random() < 0.2:
            self.answer(time + MS, client, [result])
        port = rng.choice((80, 7193, model.apt12(result), model.variant(result) % 65536,
                           model.apt12(a)))
        self.syn(time + 2 * MS, client, result, port)

    def two_rules(self):
        """Both formulas from two different addresses: chance or name decides."""
        rng, time, client = self.rng, self.time, self.four_client()
        port = rng.choice((5040, 7560, 10080, 15120))
        x = self.world.public(lambda a: model.apt12(a) == port and model.variant(a) != port)
        c2 = x if rng.random() < 0.4 else self.fresh()
        y = self.world.public(lambda a: model.variant(a) == port and model.apt12(a) != port)
        for n, a in enumerate(rng.sample((x, y, self.fresh(), self.fresh()), 4)):
            if a == c2:  # the destination itself: given to it, to another, to nobody
                giver = rng.choice((client, CLIENTS[0], None))
                if giver:
                    self.answer(time + n * MS, giver, [a], "n%d.test" % n, ttl=60)
            else:
                self.answer(time + n * MS, client, [a], "n%d.test" % n, ttl=60)
        if rng.random() < 0.5:
            self.answer(time + 5 * MS, client, [c2], "c2.test", ttl=60)
            self.syn_443(time + 6 * MS, client, rng.choice((x, y)))
        if rng.random() < 0.3:  # and an address rule
            self.answer(time + 7 * MS, client, [c2[2:] + c2[:2]], "swap.test", ttl=60)
        self.syn(time + 20 * MS, client, c2, port)

    def flood(self):
        """More SYNs within `reorder` than the line has places; their answers come too late."""
        time = self.time
        self.calm = time, time + 50 * MS
        late = [(self.four_client(), self.fresh()) for _ in range(6)]
        for n in range(8500):
            if n % 60 == 0 and n < 360:
                client, a = late[n // 60]
                self.syn(time + n * 4 * US, client, a, model.apt12(a), repeats=False)
            at = time + n * 4 * US
            self.put(at, frame(OUTSIDERS[0], self.world.pool[0], 6, tcp(40000, n, n)), at)
        for client, a in late:
            self.answer(time + 40 * MS, client, [a])

    # --- From the time line to the file -----------------------------------------------------

    def fill(self):
        rng = self.rng
        episodes = [self.two_names, self.old_contact, self.rotation, self.rise_and_fall,
                    self.edges_of_life, self.before_the_answer, self.address_rules,
                    self.two_rules, self.twins, self.twins, self.many_addresses, self.forged,
                    self.old_twin] * (1 + self.packets // 300)
        rare = [self.crowd, self.long_rotation, self.slow_rotation, self.slow_rotation,
                self.slow_rotation, self.long_hold, self.long_hold, self.held_rotation,
                self.held_rotation, self.held_rotation, self.sweep, self.sweep] * (1 + self.packets // 5000)
        deck = episodes + rare
        rng.shuffle(deck)
        if self.packets >= FLOOD:
            deck.append(self.flood)
        every = max(1, self.packets // (3 * len(deck)))
        step = 0
        while len(self.events) < self.packets:
            step += 1
            if step % every == 0 and deck:
                deck.pop()()
            else:
                self.anything()
            self.time += self.pause()

    def pause(self):
        rng = self.rng
        roll = rng.random()
        if roll > 0.84 and rng.random() > self.tempo:
            roll = rng.uniform(0, 0.84)
        for share, least, most in ((0.05, 0, 1), (0.6, 0, 20 * MS), (0.84, 20 * MS, 2 * SECOND),
                                   (0.95, 2 * SECOND, MINUTE), (0.99, MINUTE, 15 * MINUTE),
                                   (0.9975, HOUR, 6 * HOUR)):
            if roll < share:
                return rng.randrange(least, most)
        return rng.randrange(DAY, 3 * DAY)

    def spoil(self):
        """The clock of the capture (design 4.12). `last` is where an engine would stand."""
        rng, out, skew, last, still = self.rng, [], 0, None, None
        alternate = 0
        for _, _, time, data in sorted(self.events)[:self.packets]:
            stamp = time + skew
            before = stamp if last is None else last
            last = max(before, stamp)
            roll = 1 if self.calm[0] <= time <= self.calm[1] else rng.random()
            if roll < 1 / 400:
                stamp = self.stepped(before)
                skew, last = stamp - time, stamp
            elif roll < 1 / 120:
                stamp = self.stepped(rng.choice((before, stamp)))
            elif roll < 1 / 100:
                alternate = 6
            elif roll < 1 / 80:
                still = [stamp, rng.randrange(3, 30)]
            if alternate:
                alternate -= 1
                stamp += (-5 if alternate % 2 else 7200) * SECOND
            if still:
                stamp = still[0]
                still[1] -= 1
                still = still if still[1] else None
            stamp = max(0, stamp - stamp % self.unit)
            out.append((stamp, data))
        if rng.random() < 0.5:
            out[-1] = (max(0, self.stepped(out[-1][0])), out[-1][1])
        return out

    def stepped(self, stamp):
        rng = self.rng
        tick = self.unit
        steps = (-SECOND, -SECOND - tick, HOUR, HOUR + tick, -rng.randrange(SECOND, 10 * SECOND),
                 -rng.randrange(MINUTE, 9 * HOUR), -10 * YEAR,
                 rng.randrange(HOUR, 9 * HOUR), rng.randrange(HOUR, 4 * DAY),
                 4 * DAY, 5 * DAY, 10 * YEAR)
        while True:
            other = stamp + rng.choice(steps)
            if 0 <= other < 2_000_000_000 * SECOND or not 0 <= stamp < 2_000_000_000 * SECOND:
                return max(0, other)


def capture(seed, packets, tunnels=False):
    generator = Generator(seed, packets, tunnels)
    generator.fill()
    return write(generator.spoil(), generator.nano)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--packets", type=int, default=5000)
    parser.add_argument("-o", dest="output", required=True, metavar="FILE")
    parser.add_argument("--tunnels", action="store_true", help="put packets into tunnels")
    arguments = parser.parse_args()
    with open(arguments.output, "wb") as file:
        file.write(capture(arguments.seed, arguments.packets, arguments.tunnels))
    return 0


if __name__ == "__main__":
    sys.exit(main())
