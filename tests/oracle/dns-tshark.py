#!/usr/bin/python3
"""Our DNS decoder beside tshark, over messages made from a seed.

    dns-tshark.py DUMP [MESSAGES [SEED]]

DUMP is the program made of dump.c. Where both read a message they must see the same addresses under
the same owners with the same TTLs; where only one does, there must be one of the reasons below.
Exit status 0: no difference without a reason.
"""

import collections
import os
import random
import struct
import sys
import tempfile

import capture

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, DNAME, PRIVATE = 1, 2, 5, 6, 12, 15, 16, 28, 39, 65280
ADDRESS_OCTETS = {A: 4, AAAA: 16}
TELLING = (0, 1, 4, 5, 12, 16, 0x3F, 0x40, 0x7F, 0x80, 0xC0, 0xFF)

SAME = "no difference"
OPCODE = "only tshark: another opcode"
FAULT_ELSEWHERE = "only we: a fault that tshark meets in what we do not read"
FORWARD = "only tshark: a pointer that does not lead backwards"
MANY = "only tshark: more than 127 pointers"
LONG = "only tshark: a name of more than 255 octets"
RESERVED = "only tshark: a label type that nobody uses"
CNAME_LENGTH = "only tshark: a CNAME that does not fill its record"
BOTH_STOP = "both stop at a fault"


class Message:
    """A message under construction."""

    def __init__(self, dice):
        self.dice = dice
        self.octets = bytearray()
        self.known = []  # where names and their later labels begin

    def name(self):
        dice, begun = self.dice, []
        if dice.randrange(60) == 0:
            for length in (63, 63, 63, dice.randrange(55, 64)):
                self.octets += bytes([length]) + b"a" * length
            self.octets.append(0)
            return
        for _ in range(dice.randrange(0 if self.known else 1, 4)):
            begun.append(len(self.octets))
            if dice.randrange(20) == 0:
                label = bytes(dice.randrange(128) for _ in range(dice.randrange(1, 12)))
            else:
                label = dice.choice((b"www", b"example", b"com", b"cdn", b"a", b"WWW", b"_tcp"))
            self.octets += bytes([len(label)]) + label
        if self.known and dice.randrange(3):
            target = self.known[0] if dice.randrange(3) else dice.choice(self.known)
            self.octets += struct.pack(">H", 0xC000 | target)
        else:
            self.octets.append(0)
        self.known += begun

    def pointers(self):
        """Pointers, each to the one before; later names may begin at the last."""
        target = self.known[0] if self.known else 11
        for _ in range(self.dice.randrange(110, 140)):
            self.octets += struct.pack(">H", 0xC000 | target)
            target = len(self.octets) - 2
        self.known.insert(0, target)

    def data(self, kind):
        if kind in ADDRESS_OCTETS:
            self.octets += self.dice.randbytes(ADDRESS_OCTETS[kind])
        elif kind == MX:
            self.octets += b"\0\x0a"
            self.name()
        elif kind == TXT:
            self.octets += b"\4text"
        elif kind == SOA:
            self.name()
            self.name()
            self.octets += self.dice.randbytes(20)
        elif kind != PRIVATE:
            self.name()
        elif self.dice.randrange(4) == 0:
            self.pointers()

    def record(self):
        dice = self.dice
        kind = dice.choice((A, A, A, A, A, AAAA, AAAA, AAAA, CNAME, CNAME, CNAME, NS, PTR, MX, TXT,
                            SOA, DNAME, PRIVATE))
        self.name()
        ttl = dice.choice((0, 1, 60, 300, 86400, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF))
        self.octets += struct.pack(">HHI", kind, 1 if dice.randrange(30) else 3, ttl) + b"\0\0"
        begin = len(self.octets)
        self.data(kind)
        struct.pack_into(">H", self.octets, begin - 2, len(self.octets) - begin)

    def damage(self):
        dice, octets = self.dice, self.octets
        at = dice.randrange(len(octets))
        what = dice.randrange(6)
        if what == 0:
            octets[at] = dice.randrange(256)
        elif what == 1:
            octets[at] = dice.choice(TELLING)
        elif what == 2:
            octets[at] ^= 1 << dice.randrange(8)
        elif what == 3 and at + 1 < len(octets):
            target = (at + dice.randrange(-40, 40)) % len(octets)
            struct.pack_into(">H", octets, at, 0xC000 | target)
        elif what == 4:
            del octets[at:]
        else:
            del octets[at]


def make(dice):
    m = Message(dice)
    questions = dice.choice((1,) * 18 + (0, 2))
    counts = [dice.randrange(9), dice.randrange(3), dice.randrange(3)]
    flags = 0x8180 if dice.randrange(50) else dice.randrange(65536)
    m.octets += struct.pack(">HHHHHH", dice.randrange(65536), flags, questions, *counts)
    for _ in range(questions):
        m.name()
        m.octets += struct.pack(">HH", dice.choice((A, AAAA)), 1)
    for _ in range(sum(counts)):
        m.record()
    if dice.randrange(2):
        for _ in range(dice.randrange(1, 4)):
            if m.octets:
                m.damage()
    return bytes(m.octets)


# What stands at a place of a message, read as leniently as tshark does.


def name_end(octets, at):
    """Where what follows a name begins, or None for a name without an end."""
    while octets[at] != 0 and octets[at] < 0xC0:
        if octets[at] > 63 or at + 1 + octets[at] >= len(octets):
            return None
        at += 1 + octets[at]
    return at + (1 if octets[at] == 0 else 2)


def name_fault(octets, at):
    """Why we refuse a name, or None."""
    run, pointers, length = at, 0, 0
    while octets[at] != 0:
        if octets[at] >= 0xC0:
            at = struct.unpack_from(">H", octets, at)[0] & 0x3FFF
            pointers += 1
            if at >= run:
                return FORWARD
            if pointers > 127:
                return MANY
            run = at
        elif octets[at] > 63:
            return RESERVED
        else:
            length += 1 + octets[at]
            if length > 254:
                return LONG
            at += 1 + octets[at]
    return None


def record_fault(octets, at, kind, length):
    """Why we stop at a record that gives an address or an alias, or None. `at` is its owner."""
    data = name_end(octets, at) + 10
    fault = name_fault(octets, at)
    if fault or kind != CNAME:
        return fault
    if name_end(octets, data) != data + length:
        return CNAME_LENGTH
    return name_fault(octets, data)


def stop_fault(octets):
    """Why we stop at some record of the answer section, or None."""
    questions, records = struct.unpack_from(">HH", octets, 4)
    at = 12
    try:
        for _ in range(questions):
            at = name_end(octets, at) + 4
        for _ in range(records):
            if name_end(octets, at) is None:
                return name_fault(octets, at)
            kind, group, _, length = struct.unpack_from(">HHIH", octets, name_end(octets, at))
            needed = kind == CNAME or length == ADDRESS_OCTETS.get(kind)
            fault = record_fault(octets, at, kind, length) if needed and group == 1 else None
            if fault:
                return fault
            at = name_end(octets, at) + 10 + length
    except (IndexError, struct.error):
        pass
    return None


def labels_of(text):
    """The labels of a name in our notation."""
    label, labels, at = bytearray(), [], 0
    while text != "." and at < len(text):
        if text[at] == ".":
            labels.append(bytes(label))
            label = bytearray()
        elif text[at] == "\\":
            label.append(int(text[at + 1:at + 4]))
            at += 3
        else:
            label.append(ord(text[at]))
        at += 1
    return labels + [bytes(label)] if text != "." else []


ESCAPES = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}


def as_tshark(text):
    """The name as tshark writes it; None where it writes something that others share."""
    octets = b".".join(labels_of(text)).lower()
    if any(octet >= 0x80 for octet in octets) or octets.startswith(b"\0"):
        return None
    written = "".join(chr(o) if 0x20 <= o < 0x7F else ESCAPES.get(o, "\\%03o" % o) for o in octets)
    return written or "<root>"


Seen = collections.namedtuple("Seen", "malformed question addresses")


def field(tree, name):
    return next((f for f in tree.iter("field") if f.get("name") == name), None)


def shown(tree, name):
    f = field(tree, name)
    return (f.get("show") or "") if f is not None else ""


def tshark_sees(packet):
    addresses = []
    answers = [f for f in packet.iter("field") if f.get("show") == "Answers"]
    for record in answers[0].findall("field") if answers else ():
        address = field(record, "dns.a")
        address = field(record, "dns.aaaa") if address is None else address
        ttl = field(record, "dns.resp.ttl")
        if address is None or ttl is None or shown(record, "dns.resp.class") != "0x0001":
            continue
        if int(shown(record, "dns.resp.len")) != len(bytes.fromhex(address.get("value"))):
            continue  # an address record of a wrong length: we count and pass it
        addresses.append((shown(record, "dns.resp.name").lower(), int(ttl.get("show")),
                          address.get("show")))
    malformed = any(p.get("name") == "_ws.malformed" for p in packet.iter("proto"))
    return Seen(malformed, shown(packet, "dns.qry.name").lower(), addresses)


def same(ours, theirs):
    """One address of ours, as text of three words, and one of tshark's."""
    owner, ttl, address = ours.split(" ")
    written = as_tshark(owner)
    return (int(ttl), address) == theirs[1:] and written in (None, theirs[0])


def is_prefix(ours, theirs):
    return len(ours) <= len(theirs) and all(same(o, t) for o, t in zip(ours, theirs))


def judge(octets, ours, theirs):
    """The reason for a difference, or None where there is none good enough."""
    kind, addresses = ours[1], ours[6:]
    if kind == "other_opcode":
        return OPCODE
    if kind == "short":
        return BOTH_STOP if len(octets) < 12 else None
    if kind == "bad_question":
        if theirs.malformed or theirs.question.startswith("<"):
            return BOTH_STOP
        try:
            return name_fault(octets, 12)
        except (IndexError, struct.error):
            return None
    theirs_first = theirs.addresses[:len(addresses)]
    if kind == "ok" and not theirs.malformed:
        return SAME if len(addresses) == len(theirs.addresses) and is_prefix(
            addresses, theirs.addresses) else None
    if kind == "ok":
        # tshark's last record may be one that it could not finish.
        whole = len(theirs.addresses) <= len(addresses)
        return FAULT_ELSEWHERE if whole and is_prefix(
            addresses[:len(theirs.addresses)], theirs.addresses) else None
    if len(theirs_first) < len(addresses) and not theirs.malformed:
        return None
    if not is_prefix(addresses[:len(theirs_first)], theirs_first):
        return None
    return BOTH_STOP if theirs.malformed else stop_fault(octets)


def main():
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 3000
    dice = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    messages = [make(dice) for _ in range(count)]
    tally, compared, bad = collections.Counter(), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "dns.pcap")
        capture.write(path, 101, [capture.ipv4(17, capture.udp(53, 20000 + i % 20000, m))
                                  for i, m in enumerate(messages)])
        ours = capture.dump(program, "dns", path)
        theirs = [tshark_sees(p) for p in capture.packets(path)]
    if not len(ours) == len(theirs) == count:
        sys.exit("%d messages, we saw %d, tshark %d" % (count, len(ours), len(theirs)))
    for octets, we, they in zip(messages, ours, theirs):
        reason = judge(octets, we, they)
        if reason is None:
            bad += 1
            print("no reason for the difference:", octets.hex(), we, they, sep="\n  ")
        tally[reason] += 1
        compared += len(we[6:]) if reason == SAME else 0
    print("%d messages, %d addresses compared" % (count, compared))
    for reason, number in tally.most_common():
        print("%8d  %s" % (number, reason))
    return 1 if bad or compared < count / 2 else 0


if __name__ == "__main__":
    sys.exit(main())
