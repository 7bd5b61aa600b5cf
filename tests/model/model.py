#!/usr/bin/python3
"""The second opinion: a slow, plain model of how a verdict is found (design section 4).

    model.py [--lab] [--window SECONDS] ... CAPTURE...     a JSON line per alert, rotation, repeats
    model.py --coverage [--seeds 1-10] [--packets 5000]    how often each branch was taken

It was written from the design, not from the sensor's code, and it forgets nothing and hurries
nowhere: where the sensor has cells, filters and heads, here are lists that are searched from one
end to the other. Only where its memory is full may the sensor say something else.

All times are integers, nanoseconds. "T" in a comment is the time of the SYN that is judged.
"""

import argparse
import bisect
import collections
import dataclasses
import functools
import ipaddress
import json
import signal
import sys

import luck
import wire
from branches import BRANCHES

SECOND = 10**9
DAY = 86400 * SECOND
LATEST = 2**62 - 1
VERDICTS = ("dns_confirmed", "dns_other_address", "dns_other_client", "port_only")


@dataclasses.dataclass
class Options:
    reorder: int = SECOND // 20
    window: int = 600 * SECOND
    max_window: int = 3600 * SECOND
    cross_window: int = 60 * SECOND
    throttle: int = 300 * SECOND
    places: int = 8192
    lab: bool = False
    vlan_clients: bool = False  # an IPv4 address in two VLANs is two clients
    tunnel_clients: bool = False  # and so it is behind two numbers of a tunnel
    home: tuple = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
                   "fc00::/7", "fe80::/10")


# --- Rules, design section 3 ------------------------------------------------------------------

PRIVATE = [ipaddress.ip_network(n) for n in
           ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16")]


def apt12(a):
    return a[0] * a[1] + a[2]


def variant(a):
    return a[0] * (a[1] + a[2])


def swap16(a):
    return a[2:] + a[:2]


def nymaim(a):
    value = int.from_bytes(a, "little")
    for _ in range(16):
        value ^= 0x87568289
        value = (value - 0x78643587) % 2**32
        value ^= 0x18482642
    return value.to_bytes(4, "little")


@dataclasses.dataclass
class Rule:
    id: str
    port: object = None  # IPv4 address -> number
    address: object = None  # IPv4 address -> IPv4 address
    first: int = 1
    last: int = 65535
    excluded: tuple = ()

    def admits(self, port):
        return self.first <= port <= self.last and port not in self.excluded

    @functools.cached_property
    def ports_admitted(self):
        return sum(map(self.admits, range(65536)))

    def calculated_port(self, address):
        four = wire.ipv4(address)
        return four and self.port(four)


PUBLISHED = {"first": 4096, "last": 49151,
             "excluded": (8080, 8443, 8000, 8888, 9090, 9200, 9300, 9418, 27017, 27018, 28017)}
RULES = {rule.id: rule for rule in (
    Rule("apt12", port=apt12, **PUBLISHED),
    Rule("variant", port=variant, **PUBLISHED),
    Rule("swap16", address=swap16),
    Rule("nymaim", address=nymaim))}


@functools.cache
def private(address):
    four = wire.ipv4(address)
    return four is not None and any(ipaddress.ip_address(four) in net for net in PRIVATE)


# --- What is remembered, design section 2 -----------------------------------------------------

@dataclasses.dataclass
class Answer:
    number: int  # of its packet
    serial: int  # learned as the n-th
    time: int
    client: bytes
    resolver: bytes
    id: int
    name: tuple
    qtype: int
    records: list
    asked: bool


@dataclasses.dataclass
class Resolution:
    answer: Answer
    place: int  # in the answer
    address: bytes
    life: int
    contacts: list

    @property
    def time(self):
        return self.answer.time

    def is_nat64(self):
        return self.answer.records[self.place][0] != self.address

    def newest_first(self):
        """Latest time, then later learned; within one answer the order of its records."""
        return -self.time, -self.answer.serial, self.place


@dataclasses.dataclass
class Match:
    rule: Rule
    verdict: str
    severity: int
    candidates: int
    chance: float  # of one try; of all once it is weighed
    evidence: Resolution = None
    port_from: bytes = None
    tries: int = 1
    twin: bytes = None
    asked: "Match" = None  # the weaker one that rests on what was asked for
    blind: bool = False  # DNS says nothing of the destination

    def rank(self):
        """4.6: severity, verdict, chance, rule.id."""
        return -self.severity, VERDICTS.index(self.verdict), self.chance, self.rule.id.encode()


@dataclasses.dataclass
class Hold:
    severity: int
    length: int
    until: int
    last: int
    serial: int
    destination: bytes  # of the first alert
    pending: int = 0


@dataclasses.dataclass
class Seen:
    """A match that counts for rotation."""
    destination: bytes
    port: int
    time: int
    chance: float
    verdict: str
    name: str


def lower(name):
    return tuple(label.lower() for label in name)


def network(address):
    """4.9: the /24, for IPv6 the /48."""
    return address[:3] if len(address) == 4 else address[:6]


class Model:
    def __init__(self, options=None, rules=None, emit=None):
        self.options = options or Options()
        self.rules = list((rules or RULES).values())
        self.home = [ipaddress.ip_network(n) for n in self.options.home]
        self.lines = []
        self.emit = emit or self.lines.append
        self.branches = collections.Counter({branch: 0 for branch in BRANCHES})
        self.serial = 0
        # 4.12
        self.now = None
        self.offset = 0
        self.waiting = None
        # 4.1, 4.2
        self.line = []
        self.copies = {}
        # 4.5, 4.7, 4.8
        self.queries = collections.defaultdict(list)
        self.answers = collections.defaultdict(list)  # by client
        self.of_client = collections.defaultdict(list)  # resolutions
        self.of_address = collections.defaultdict(list)
        self.of_pair = collections.defaultdict(list)
        self.of_name = collections.defaultdict(list)
        # 4.11: MAC -> address -> when it was seen there, when an answer for it went there
        self.carried = collections.defaultdict(dict)
        # one finding, not many: of a key, its clients (the latest last) and what was announced
        self.campaigns = collections.defaultdict(lambda: {"clients": {}, "announced": 0})
        # 4.9, 4.10
        self.rotations = collections.defaultdict(lambda: {"matches": [], "announced": 1})
        self.holds = {}
        # 5
        self.luck = luck.Luck(self.rules, self.options.window, self.home)

    def took(self, branch, condition=True):
        if condition:
            assert branch in self.branches, branch
            self.branches[branch] += 1

    def next_serial(self):
        self.serial += 1
        return self.serial

    # --- 4.12: packet time becomes engine time ------------------------------------------------

    def arrive(self, packet):
        packet.time = max(0, min(packet.time, LATEST))
        if self.now is None:
            self.took("4.12 first packet")
            self.now = packet.time
            self.process(packet, self.now)
            return
        settled = self.waiting is not None
        if settled:
            self.settle(agreed=self.step(packet) == self.step(self.waiting))
        if self.step(packet):
            self.took("4.12 step after step", settled)
            self.waiting = packet
            return
        time = packet.time + self.offset
        self.took("4.12 in order", time > self.now)
        self.took("4.12 same time", time == self.now)
        self.took("4.12 late", time < self.now)
        self.took("4.12 exactly a second late", time == self.now - SECOND)
        self.took("4.12 exactly max_window ahead", time == self.now + self.options.max_window)
        self.now = max(self.now, time)
        self.process(packet, time)

    def step(self, packet):
        """'back', 'ahead', or None: its time is near enough to be believed at once."""
        time = packet.time + self.offset
        if time < self.now - SECOND:
            return "back"
        return "ahead" if time > self.now + self.options.max_window else None

    def settle(self, agreed):
        """The packet that waited is processed: in the new time, or as one foreign packet."""
        packet, step = self.waiting, self.step(self.waiting)
        self.waiting = None
        if not agreed:
            self.took("4.12 one packet from the " + ("past" if step == "back" else "future"))
        elif step == "back":
            self.took("4.12 new epoch")
            self.offset = self.now - packet.time
        else:
            # Nothing is remembered for longer than four days, so no jump needs to be longer.
            ahead = packet.time + self.offset - self.now
            self.took("4.12 jump ahead", ahead <= 4 * DAY)
            self.took("4.12 jump of more than four days", ahead > 4 * DAY)
            self.offset -= max(0, ahead - 4 * DAY)
            self.now += min(ahead, 4 * DAY)
        self.process(packet, self.now)

    def end(self):
        """End of input: nothing is left to disagree, the line is flushed, pending counts leave."""
        if self.waiting:
            self.took("4.12 the input ends on a step")
            self.settle(agreed=True)
        self.took("4.1 end of input flushes", bool(self.line))
        while self.line:
            self.leave()
        self.forget(lambda hold: True, "4.10 end of run with a count")

    # --- 4.1: the delay line ------------------------------------------------------------------

    def process(self, packet, time):
        while self.line and self.line[0][0] + self.options.reorder < self.now:
            self.leave()
        self.forget(lambda hold: self.now > hold.last + DAY, "4.10 forgotten with a count")
        if packet.kind in ("query", "syn", "quic"):
            self.carry(packet.source_mac, packet.source, time)
        if packet.kind == "query":
            self.queries[packet.source, packet.sport].append((packet, time))
        elif packet.kind == "answer":
            self.learn(packet, time)
        elif packet.kind in ("syn", "quic"):
            if len(self.line) >= self.options.places:
                self.took("4.1 full line")
                self.leave()
            self.took("4.1 SYN that is already late", time + self.options.reorder < self.now)
            self.took("4.1 SYN overtakes another in the line",
                      bool(self.line) and time < self.line[-1][0])
            self.took("4.1 equal times in the line", any(time == e[0] for e in self.line))
            bisect.insort(self.line, (time, self.next_serial(), packet))

    def leave(self):
        time, _, packet = self.line.pop(0)
        packet.host = [packet.source, *self.twins(packet, time)]
        copy = packet.kind == "syn" and self.is_copy(packet, time)
        if packet.kind == "syn" and not copy:
            self.judge(packet, time)
        self.contact(packet, time, copy)

    # --- 4.2: one SYN, however often it is seen -----------------------------------------------

    def is_copy(self, syn, time):
        key = syn.source, syn.destination, syn.sport, syn.dport, syn.sequence
        last = self.copies.get(key)
        self.copies[key] = time if last is None else max(last, time)
        if last is None:
            return False
        copy = time <= last + 120 * SECOND
        self.took("4.2 copy", copy)
        self.took("4.2 copy after exactly two minutes", time == last + 120 * SECOND)
        self.took("4.2 copy before its first", time < last)
        self.took("4.2 later than two minutes, judged again", not copy)
        return copy

    # --- 4.7, 4.8: what a client is given -----------------------------------------------------

    def life(self, ttl):
        if ttl >= 2**31:  # RFC 2181 section 8: treat as zero
            ttl = 0
        return min(max(ttl * SECOND, self.options.window), self.options.max_window)

    def counts(self, resolution, time):
        """4.7 with 4.1: from `reorder` before the answer until the end of its life."""
        return (resolution.time <= time + self.options.reorder
                and time <= resolution.time + resolution.life)

    def learn(self, packet, time):
        client = packet.destination
        if client in (bytes(4), bytes(16), b"\xff" * 4) or self.is_multicast(client):
            self.took("4.7 answer to nobody")
            return
        if packet.records:
            self.carry(packet.destination_mac, client, time, received=True)
        answer = Answer(packet.number, self.next_serial(), time, client, packet.source, packet.id,
                        packet.name, packet.qtype, packet.records, self.was_asked(packet, time))
        if any(self.same_answer(answer, other) for other in self.answers[client]):
            self.took("4.7 answer copy")
            return
        self.answers[client].append(answer)
        self.took("4.7 answer without address", not answer.records)
        self.took("4.7 answer of several addresses", len(answer.records) > 1)
        for place, (address, ttl) in enumerate(answer.records):
            self.took("4.7 TTL of 0", ttl == 0)
            self.took("4.7 TTL with the top bit", ttl >= 2**31)
            self.add(Resolution(answer, place, wire.compared(address), self.life(ttl), []))

    @staticmethod
    def is_multicast(address):
        return ipaddress.ip_address(address).is_multicast

    def same_answer(self, a, b):
        """4.7: a mirrored copy changes nothing. Names are compared octet by octet."""
        def content(x):
            return x.resolver, x.id, x.name, x.qtype, x.records
        if content(a) != content(b):
            return False
        apart = abs(a.time - b.time)
        self.took("4.7 answer copy after exactly a second", apart == SECOND)
        self.took("4.7 answer again after a second", apart > SECOND)
        return apart <= SECOND

    def was_asked(self, answer, time):
        """4.8: same client, resolver, port, id and name (in any letters), within 30 s before."""
        asked = False
        for query, when in self.queries[answer.destination, answer.dport]:
            if not time - 30 * SECOND <= when <= time:
                self.took("4.8 query too old", when < time - 30 * SECOND)
            elif (query.destination, query.id, lower(query.name)) != (
                    answer.source, answer.id, lower(answer.name)):
                self.took("4.8 query to another resolver, port, id or name")
            else:
                asked = True
                self.took("4.8 asked, in other letters", query.name != answer.name)
                self.took("4.8 query exactly 30 s old", when == time - 30 * SECOND)
        self.took("4.8 asked" if asked else "4.8 not asked")
        return asked

    def add(self, new):
        client = new.answer.client
        older = self.of_pair[client, new.address]
        # 4.5: a contact passes on to a newer resolution of the address while the older counts.
        contacts = [c for r in older if self.counts(r, new.time) for c in r.contacts]
        if contacts:
            self.took("4.5 inherits a contact")
            new.contacts.append(max(contacts))
        else:
            self.took("4.5 the older counts no more, nothing inherited",
                      any(r.contacts for r in older))
        older.append(new)
        self.of_client[client].append(new)
        self.of_address[new.address].append(new)
        self.of_name[client, lower(new.answer.name)].append(new)

    # --- 4.11: twins --------------------------------------------------------------------------

    def carry(self, mac, address, time, received=False):
        """The MAC carries an address that sent something from it, or that an answer went to."""
        if mac[0] & 1 or not any(mac):  # a group's, or the loopback device's
            return
        seen, answered = self.carried[mac].get(address, (time, None))
        if received:
            answered = time if answered is None else max(answered, time)
        self.carried[mac][address] = max(seen, time), answered

    def twins(self, syn, time):
        """The other addresses of the sender, in order of their octets."""
        least = time - self.options.max_window
        carried = self.carried[syn.source_mac]
        seen = [address for address, (at, _) in carried.items() if at >= least]
        self.took("4.11 an address was forgotten", len(seen) < len(carried) and len(seen) > 1)
        self.took("4.11 exactly eight addresses", len(seen) == 8)
        if len(seen) > 8:
            self.took("4.11 more than eight addresses")
            return []
        found = []
        for address in seen:
            answered = carried[address][1]
            if address == syn.source:
                continue
            if (len(address) == len(syn.source) == 4 and
                    wire.zone_of(address) != wire.zone_of(syn.source)):
                continue
            if answered is None:
                self.took("4.11 a twin that received no answer")
            elif answered >= least:
                self.took("4.11 exactly max_window", answered == least)
                found.append(address)
        return sorted(found, key=lambda a: (len(a), wire.zone_of(a), luck.wide(a)))

    # --- 4.4, 4.5: inside, contacted ----------------------------------------------------------

    def inside(self, host):
        """Of the addresses of a host one suffices."""
        if self.is_inside(host[0]):
            return True
        found = any([self.is_inside(twin) for twin in host[1:]])
        self.took("4.11 inside by a twin", found)
        return found

    def is_inside(self, client):
        if any(ipaddress.ip_address(client) in net for net in self.home):
            self.took("4.4 inside by its network")
            return True
        self.took("4.4 inside by an answer", client in self.of_client)
        return client in self.of_client

    def contact(self, packet, time, copy):
        for client in packet.host:
            for resolution in self.of_pair.get((client, packet.target), ()):
                if self.counts(resolution, time):
                    self.took("4.5 contacted by " + ("SYN" if packet.kind == "syn" else "QUIC"))
                    self.took("4.5 a copy contacts", copy)
                    self.took("4.11 contact of a twin's resolution", client != packet.source)
                    resolution.contacts.append(time)

    def contacted(self, host, port_from, time):
        """4.5, 4.11: has the host contacted the name that gave this address?"""
        for client in host:
            if self.contacted_for(client, port_from, time):
                self.took("4.11 name contacted by a twin", client != port_from.answer.client)
                return True
        self.took("4.5 name not contacted")
        return False

    def contacted_for(self, client, port_from, time):
        """Within a window before T, at an address that this client was given for the name."""
        name = port_from.answer.name
        for other in self.of_name[client, lower(name)]:
            if not self.counts(other, time):
                continue
            if port_from.answer.asked and not other.answer.asked:
                self.took("5 a contact of what nobody asked for is passed",
                          any(time - self.options.window <= c < time for c in other.contacts))
                continue
            if any(time - self.options.window <= c < time for c in other.contacts):
                self.took("4.5 name contacted")
                self.took("4.5 name contacted, in other letters", other.answer.name != name)
                self.took("4.5 name contacted, over its other address",
                          other.address != port_from.address)
                return True
            self.took("4.5 contacted at this very time only", time in other.contacts)
            self.took("4.5 contacted longer than a window ago",
                      any(c < time - self.options.window for c in other.contacts))
        return False

    # --- 4.3, 4.6: judging --------------------------------------------------------------------

    def judge(self, syn, time):
        self.took("4.2 SYN judged")
        admitting = [rule for rule in self.rules if self.admitted(rule, syn)]
        self.luck.fade(time)
        matches = [match for rule in admitting
                   for match in [self.judge_rule(rule, syn, time)] if match]
        if admitting and self.inside(syn.host):
            self.luck.add(syn, time, admitting)
        for match in matches:
            self.weigh(match, syn, time)
        if not matches:
            return
        matches.sort(key=Match.rank)
        self.note_decision(matches)
        best = matches[0]
        suppressed = self.hold(syn, best, time)
        if suppressed is not None:
            evidence = best.evidence
            self.emit({
                "kind": "alert", "packet": syn.number, "rule": best.rule.id,
                "verdict": best.verdict, "severity": best.severity,
                "also": sorted(match.rule.id for match in matches[1:]),
                "suppressed": suppressed,
                "evidence_packet": evidence and evidence.answer.number,
                "asked": evidence and evidence.answer.asked,
                "port_from": best.port_from and wire.text(best.port_from),
                "twin": best.twin and wire.text(best.twin),
                "chance": best.chance, "tries": best.tries, "candidates": best.candidates})
        if best.verdict != "port_only":
            self.rotate(syn, best, time, held=suppressed is None)
            self.join(syn, best, time)

    def weigh(self, match, syn, time):
        """Section 5: what was the part of one try becomes the chance of all."""
        match.tries = self.luck.tries(match.rule, syn.source, time)
        match.chance = luck.chance(match.chance, match.tries)
        severity = luck.lowered(match.severity, match.chance)
        if match.asked:
            chance = luck.chance(match.asked.chance, match.tries)
            better = luck.lowered(match.asked.severity, chance) > severity
            self.took("5 what was asked for and contacted weighs more", better)
            if better:
                match.evidence, match.port_from = match.asked.evidence, match.asked.port_from
                match.candidates, match.severity = match.asked.candidates, match.asked.severity
                match.chance, severity = chance, luck.lowered(match.asked.severity, chance)
        self.took("5 lowered by luck", severity < match.severity)
        match.severity = severity

    def note_decision(self, matches):
        self.took("4.6 one rule", len(matches) == 1)
        self.took("4.6 three rules", len(matches) > 2)
        if len(matches) > 1:
            first, second = matches[0].rank(), matches[1].rank()
            place = next(i for i in range(4) if first[i] != second[i])
            self.took("4.6 %s decides" % ("severity", "verdict", "chance", "name")[place])

    def admitted(self, rule, syn):
        """Do the limits of the rule admit this port and destination? (Design section 3.)"""
        self.took("4.3 port 0", syn.dport == 0)
        self.took("4.3 excluded port", syn.dport in rule.excluded)
        self.took("4.3 port outside the band", not rule.first <= syn.dport <= rule.last)
        self.took("4.3 private destination", private(syn.target))
        return rule.admits(syn.dport) and (rule.address or self.public(syn.target))

    def public(self, address):
        return self.options.lab or not private(address)

    def judge_rule(self, rule, syn, time):
        """What each address of the host was given; of equals the SYN's own comes first (4.11)."""
        given = {}
        for client in syn.host:
            of_pair = self.of_pair.get((client, syn.target), ())
            self.note_ages(of_pair, time)
            given[client] = self.counting(of_pair, time)
        self.took("4.11 destination given to a twin",
                  not given[syn.source] and any(given.values()))
        found = [(client, self.judge_client(rule, syn, client, given, time))
                 for client in syn.host]
        found = [(client, match) for client, match in found if match]
        if not found:
            return None
        client, best = min(found, key=lambda pair: pair[1].rank()[:2])
        best.twin = client if client != syn.source else None
        self.took("4.11 twin's evidence is the best", client != syn.source)
        self.took("4.11 own evidence wins over a twin's as good", client == syn.source and any(
            match.rank()[:2] == best.rank()[:2] for other, match in found if other != client))
        return best

    def judge_client(self, rule, syn, client, given, time):
        """As if this address had sent the SYN; what was given to the host counts for each."""
        if rule.address:
            return self.judge_address(rule, syn, client, sum(given.values(), []), time)
        both = [self.judge_same(rule, syn, client, given[client], time),
                self.judge_cross(rule, syn, client, any(given.values()), time)]
        if all(both):
            winner = "same" if both[0].rank() < both[1].rank() else "other"
            self.took(f"4.3 both ways within a rule, the {winner} address wins")
        return min(filter(None, both), key=Match.rank, default=None)

    def counting(self, resolutions, time):
        """Those that count at T, newest first."""
        return sorted((r for r in resolutions if self.counts(r, time)),
                      key=Resolution.newest_first)

    def explaining(self, counting, time):
        """The newest from before the SYN explains it; else the newest that came behind it."""
        before = [r for r in counting if r.time <= time]
        self.took("4.3 an answer behind the SYN, and one before it",
                  bool(before) and before[0] is not counting[0])
        return (before or counting)[0]

    def note_ages(self, resolutions, time):
        options = self.options
        for r in resolutions:
            self.took("4.1 answer in time though after the SYN",
                      time < r.time <= time + options.reorder)
            self.took("4.1 answer exactly reorder after the SYN", r.time == time + options.reorder)
            self.took("4.1 answer too late for the SYN", r.time > time + options.reorder)
            self.took("4.7 TTL beyond the window",
                      r.time + options.window < time <= r.time + r.life)
            self.took("4.7 TTL capped by max_window", time > r.time + options.max_window
                      and r.life == options.max_window)
            self.took("4.7 expired", time > r.time + r.life)
            self.took("4.7 at its last moment", time == r.time + r.life)
        self.took("4.7 newest of several", sum(self.counts(r, time) for r in resolutions) > 1)

    def judge_same(self, rule, syn, client, given, time):
        """The port follows from the destination itself."""
        if rule.calculated_port(syn.target) != syn.dport:
            return None
        self.took("4.3 NAT64 destination", syn.target != syn.destination)
        chance = self.luck.share(rule, syn.source, syn.dport)
        if given:
            self.took("4.3 dns_confirmed")
            return Match(rule, "dns_confirmed", 73, 1, chance, self.explaining(given, time))
        if client != syn.source:
            return None
        others = [r for r in self.of_address[syn.target] if r.answer.client not in syn.host]
        self.note_ages(others, time)
        others = self.counting(others, time)
        if not self.inside(syn.host):  # 4.4
            self.took("4.4 not inside, " + ("other client" if others else "no evidence"))
            return None
        if others:
            self.took("4.3 dns_other_client")
            return Match(rule, "dns_other_client", 47, 1, chance, self.explaining(others, time))
        self.took("4.3 port_only")
        return Match(rule, "port_only", 21, 1, chance)

    def judge_cross(self, rule, syn, client, given, time):
        """The port follows from another address that the client was given lately. Behind what was
        asked for, only what was asked for counts (5)."""
        lately = self.lately_given(syn, client, time)
        asked = self.search_cross(rule, syn, [r for r in lately if r.answer.asked], given, time)
        chosen = self.search_cross(rule, syn, lately, given, time)
        if asked and chosen.severity == asked.severity:
            self.took("5 unasked answers are no candidates", asked.candidates < chosen.candidates)
            self.took("5 an unasked hit is passed", asked.evidence is not chosen.evidence)
            chosen = asked
        elif asked:
            self.took("5 an unasked hit, and one that was asked for and contacted")
            chosen.asked = asked
        if chosen:
            self.took(f"4.3 dns_other_address {chosen.severity}")
            self.took("4.3 dns_other_address, candidates before it", chosen.candidates > 1)
            self.took("4.3 dns_other_address, IPv6 destination", len(syn.target) == 16)
            self.took("4.3 dns_other_address, address from NAT64",
                      chosen.evidence.is_nat64())
            self.took("4.3 dns_other_address, private address", private(chosen.port_from))
        return chosen

    def search_cross(self, rule, syn, lately, given, time):
        ports = set()
        chosen = None
        for r in lately:
            port = rule.calculated_port(r.address)
            if port is not None and rule.admits(port):
                ports.add(port)
            if port != syn.dport:
                continue
            match = Match(rule, "dns_other_address", 21, len(ports),
                          sum(self.luck.share(rule, syn.source, p) for p in ports), r, r.address)
            if not given:
                match.blind = len(syn.target) == 4
                return match
            if not self.contacted(syn.host, r, time):
                self.took("4.3 dns_other_address, a contacted hit is passed", chosen is not None)
                match.severity = 73
                return match
            match.severity = 47
            chosen = chosen or match
        return chosen

    def lately_given(self, syn, client, time):
        found = []
        for r in self.of_client.get(client, ()):
            if r.address == syn.target or not self.counts(r, time):
                continue
            last = r.time + self.options.cross_window
            self.took("4.3 exactly cross_window", time == last)
            self.took("4.3 beyond cross_window", time > last)
            if time <= last:
                found.append(r)
        return sorted(found, key=Resolution.newest_first)

    def judge_address(self, rule, syn, client, given, time):
        """The destination follows from another address that the client was given."""
        visited = set()
        wanted = wire.ipv4(syn.target)
        for r in self.counting(self.of_client.get(client, ()), time):
            four = wire.ipv4(r.address)
            if four is None:
                continue
            visited.add(four)
            result = rule.address(four)
            if result != wanted:
                continue
            if rule.port and rule.port(four) != syn.dport:
                continue
            self.took("4.3 address rule, answer is its own swap", r.address == syn.target)
            known = [g for g in given if g.answer.asked or not r.answer.asked]
            self.took("4.3 address rule, destination was given",
                      bool(known) and r.address != syn.target)
            self.took("5 address rule, destination was given by what nobody asked for",
                      bool(given) and not known and r.address != syn.target)
            self.took("4.3 address rule, private result", not self.public(result))
            if known or r.address == syn.target or not self.public(result):
                continue
            self.took("4.3 address rule")
            self.took("4.3 address rule, candidates before it", len(visited) > 1)
            return Match(rule, "dns_confirmed", 73, len(visited), len(visited) / 2**32, r)
        return None

    # --- 4.10: the hold -----------------------------------------------------------------------

    def hold_key(self, syn, match):
        """A destination for itself; of which DNS says nothing its /24, and the first address of that."""
        own = syn.source, match.rule.id, syn.target, syn.dport
        network = syn.source, match.rule.id, syn.target[:3], syn.dport
        blind = match.blind or match.verdict == "port_only"
        if own in self.holds:
            self.took("4.10 no DNS evidence any more", blind)
            return own
        if blind:
            return network
        first = network in self.holds and self.holds[network].destination == syn.target
        self.took("4.10 DNS evidence after an alert without", first)
        self.took("4.10 DNS evidence beside an alert without", network in self.holds and not first)
        return network if first else own

    def hold(self, syn, match, time):
        """The suppressed count with which the match alerts, or None when it is held back."""
        key = self.hold_key(syn, match)
        hold = self.holds.get(key)
        if hold is None:
            self.took("4.10 first alert")
            self.holds[key] = Hold(match.severity, self.options.throttle,
                                   time + self.options.throttle, time, self.next_serial(),
                                   syn.target)
            return 0
        self.took("4.10 a sweep of a network", hold.destination != syn.target)
        hold.last, hold.serial = max(hold.last, time), self.next_serial()
        if time < hold.until:
            if match.severity <= hold.severity:
                self.took("4.10 held")
                hold.pending += 1
                return None
            self.took("4.10 higher severity passes")
            self.took("4.10 higher severity passes with a count", hold.pending > 0)
        else:
            self.took("4.10 hold doubles")
            self.took("4.10 hold doubles with a count", hold.pending > 0)
            self.took("4.10 exactly at the end of a hold", time == hold.until)
            self.took("4.10 lower severity after a hold", match.severity < hold.severity)
            hold.length = min(2 * hold.length, DAY)
            self.took("4.10 hold of a day", hold.length == DAY)
        hold.severity, hold.until = match.severity, time + hold.length
        suppressed, hold.pending = hold.pending, 0
        return suppressed

    def forget(self, condition, branch):
        """What is pending leaves, in the order in which the keys matched last."""
        gone = sorted((hold.serial, key) for key, hold in self.holds.items() if condition(hold))
        for _, key in gone:
            hold = self.holds.pop(key)
            client, rule, _, port = key
            self.took(branch, hold.pending > 0)
            self.took("4.10 forgotten", branch == "4.10 forgotten with a count")
            if hold.pending:
                self.emit({"kind": "repeats", "client": wire.text(client),
                           "destination": wire.text(hold.destination), "port": port, "rule": rule,
                           "count": hold.pending})

    # --- 4.9: rotation ------------------------------------------------------------------------

    def rotate(self, syn, match, time, held):
        state = self.rotations[syn.source]
        matches = state["matches"]
        matches[:] = [m for m in matches if m.time >= time - self.options.window]
        if not matches:
            self.took("4.9 nothing left, announced again from 1", state["announced"] > 1)
            state["announced"] = 1
        self.count_match(matches, syn, match, time)

        joint, networks, ports = 1.0, set(), set()
        for m in matches:
            if network(m.destination) in networks or m.port in ports:
                self.took("4.9 same /24 or port")
                continue
            joint *= m.chance
            networks.add(network(m.destination))
            ports.add(m.port)
        ports = {m.port for m in matches}
        count = min(len({network(m.destination) for m in matches}), len(ports))
        if count < 2 * state["announced"]:
            self.took("4.9 already announced", count > 1)
            return
        if joint > 1e-6:
            self.took("4.9 joint chance too high")
            return
        state["announced"] = 1 << (count.bit_length() - 1)
        self.took("4.9 alert at %s" % ("16 or more" if count >= 16 else state["announced"]))
        self.took("4.9 alert though the match is held", held)
        self.emit({
            "kind": "rotation", "packet": syn.number, "rule": "dns-calculation-rotation",
            "verdict": min((m.verdict for m in matches), key=VERDICTS.index), "severity": 99,
            "names": sorted({m.name for m in matches}),
            "ips": sorted({wire.text(m.destination) for m in matches}),
            "ports": sorted(ports), "count": count, "chance": joint})

    # --- one finding, not many: several clients with a name, destination or rule in common -----

    def join(self, syn, match, time):
        name = lower(match.evidence.answer.name)
        keys = [("name", name), ("destination", syn.target)]
        if match.severity >= 47:
            keys.append(("rule", match.rule.id))
        told = False
        for key in keys:
            clients = self.campaigns[key]["clients"]
            for client in [c for c, m in clients.items() if m["time"] < time - DAY]:
                self.took("campaign: a client is a day old")
                del clients[client]
            if not clients:
                self.campaigns[key]["announced"] = 0
            client = next((c for c in syn.host if c in clients), syn.source)
            self.took("campaign: a client that is known by its twin", client != syn.source)
            member = clients.pop(client, {"time": time, "severity": 0, "verdict": "port_only"})
            clients[client] = {
                "time": max(time, member["time"]), "name": name, "destination": syn.target,
                "port": syn.dport, "severity": max(match.severity, member["severity"]),
                "verdict": min(match.verdict, member["verdict"], key=VERDICTS.index)}
            if self.level(key):
                self.took("campaign: several levels at once", told)
                told = told or self.tell_campaign(key, syn)

    def level(self, key):
        """2, 4, 8, ... clients; of a rule 4, 8, 16, ..."""
        state = self.campaigns[key]
        least = 2 * state["announced"] or (4 if key[0] == "rule" else 2)
        count = len(state["clients"])
        if count < least:
            return False
        state["announced"] = 1 << (count.bit_length() - 1)
        return True

    def tell_campaign(self, key, syn):
        """Not what a more telling key has told: those of one name, a rule's of one destination."""
        members = self.campaigns[key]["clients"]
        names = {m["name"] for m in members.values()}
        destinations = {m["destination"] for m in members.values()}
        if (key[0] != "name" and len(names) == 1) or (key[0] == "rule" and len(destinations) == 1):
            self.took("campaign: told already by what is more telling")
            return False
        self.took("campaign: by " + key[0])
        severities = sorted((m["severity"] for m in members.values()), reverse=True)
        self.took("campaign: a rule's severity that four reach",
                  key[0] == "rule" and severities[0] != severities[3])
        latest = list(members.items())[-64:]
        self.emit({
            "kind": "campaign", "packet": syn.number, "rule": "dns-calculation-campaign",
            "verdict": min((m["verdict"] for m in members.values()), key=VERDICTS.index),
            "severity": severities[3 if key[0] == "rule" else 0], "key": key[0],
            "count": len(members), "clients": sorted({wire.text(client) for client, _ in latest}),
            "names": sorted({wire.name_text(m["name"]) for _, m in latest}),
            "ips": sorted({wire.text(m["destination"]) for _, m in latest}),
            "ports": sorted({m["port"] for _, m in latest})})
        return True

    def count_match(self, matches, syn, match, time):
        """Distinct by destination and port; a repeat refreshes the time, keeps the least chance."""
        for m in matches:
            if (m.destination, m.port) == (syn.target, syn.dport):
                self.took("4.9 counted once more")
                m.time, m.chance = max(m.time, time), min(m.chance, match.chance)
                m.verdict = min(m.verdict, match.verdict, key=VERDICTS.index)
                return
        if len(matches) == 64:
            self.took("4.9 the oldest of 64 goes")
            matches.remove(min(matches, key=lambda m: m.time))
        matches.append(Seen(syn.target, syn.dport, time, match.chance, match.verdict,
                            wire.name_text(match.evidence.answer.name)))


def run(data, options=None, rules=None):
    """The lines that a capture gives, and the model with its counts of branches."""
    model = Model(options, rules)
    for number, (time, frame) in enumerate(wire.records(data), 1):
        packet = wire.decode(number, time, frame)
        wire.zone_client(packet, model.options.vlan_clients, model.options.tunnel_clients)
        model.arrive(packet)
    model.end()
    return model.lines, model


def span(words):
    first, _, last = words.partition("-")
    return range(int(first), int(last or first) + 1)


def coverage(seeds, packets):
    import generate
    total = collections.Counter({branch: 0 for branch in BRANCHES})
    lines = collections.Counter()
    for seed in seeds:
        found, model = run(generate.capture(seed, packets))
        total.update(model.branches)
        lines.update(line["kind"] for line in found)
    for branch, count in total.items():
        print(f"{count:9} {branch}")
    print(", ".join(f"{count} {kind}" for kind, count in sorted(lines.items())))
    # A line holds 8192 SYNs: only a larger capture can fill it.
    missed = [b for b, count in total.items() if not count
              and not (b == "4.1 full line" and packets < generate.FLOOD)]
    print(f"{len(missed)} branches never taken" + "".join("\n  " + b for b in missed))
    return 1 if missed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("capture", nargs="*")
    parser.add_argument("--lab", action="store_true")
    parser.add_argument("--vlan-clients", action="store_true")
    parser.add_argument("--tunnel-clients", action="store_true")
    parser.add_argument("--rules", default=",".join(RULES), help="comma-separated")
    parser.add_argument("--home", action="append", metavar="PREFIX", help="instead of the default")
    for name in ("reorder", "window", "max-window", "cross-window", "throttle"):
        parser.add_argument("--" + name, type=float, metavar="SECONDS")
    parser.add_argument("--coverage", action="store_true")
    parser.add_argument("--seeds", type=span, default=span("1-10"), metavar="A-B")
    parser.add_argument("--packets", type=int, default=5000)
    arguments = parser.parse_args()
    if arguments.coverage:
        return coverage(arguments.seeds, arguments.packets)
    options = Options(lab=arguments.lab, vlan_clients=arguments.vlan_clients,
                      tunnel_clients=arguments.tunnel_clients)
    for name in ("reorder", "window", "max_window", "cross_window", "throttle"):
        if getattr(arguments, name) is not None:
            setattr(options, name, round(getattr(arguments, name) * SECOND))
    if arguments.home:
        options.home = tuple(arguments.home)
    rules = {name: RULES[name] for name in arguments.rules.split(",")}
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # into head
    for path in arguments.capture:
        with open(path, "rb") as file:
            for line in run(file.read(), options, rules)[0]:
                print(json.dumps(line))
    return 0


if __name__ == "__main__":
    sys.exit(main())
