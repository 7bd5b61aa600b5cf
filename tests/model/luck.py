"""Design section 5 in its plainest form: the history of ports, tries, and the chance of a match.

Nothing here gives way for lack of room: the captures of the model are small. How tries are counted is
part of what the program promises (lib/memory/history.h), so the counter of 512 cells is the same one.
"""

import collections
import dataclasses
import ipaddress
import math

import wire

HOUR = 3600 * 10**9
PRIOR = 10000
CELLS = 512
PERIODS = 16  # of a window
LOCAL = [ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
                                           "169.254.0.0/16", "fc00::/7", "fe80::/10")]


def faded(weight, hours):
    return weight * 0.5 ** (hours / 24)


def wide(address):
    """16 octets, IPv4 as ::ffff:a.b.c.d."""
    return address if len(address) == 16 else bytes(10) + b"\xff\xff" + address


def cell(destination, port):
    a, b = (int.from_bytes(wide(destination)[i:i + 8], "little") for i in (0, 8))
    a = (a ^ port) * 0x9e3779b97f4a7c15 % 2**64
    b = (b ^ a ^ a >> 32) * 0xbf58476d1ce4e5b9 % 2**64
    return ((b ^ b >> 29) * 0x94d049bb133111eb % 2**64) >> 55


@dataclasses.dataclass
class Client:
    cells: dict = dataclasses.field(default_factory=dict)  # cell -> {ports of a rule: period}
    brought: float = 0
    hour: int = 0


class Luck:
    def __init__(self, rules, window, home):
        self.rules, self.home = rules, home
        self.period = window // PERIODS + 1
        self.clients = collections.defaultdict(Client)
        self.networks = {}  # (port, network) -> when it was counted
        self.parts = collections.defaultdict(lambda: (0, 0))  # (client, port) -> hour, weight
        self.weight = collections.Counter()
        self.hour = None
        self.ports = {rule.id: frozenset(filter(rule.admits, range(65536))) for rule in rules}

    def fade(self, time):
        hour = time // HOUR
        if self.hour is None:
            self.hour = hour
        if hour > self.hour:
            for port in self.weight:
                self.weight[port] = faded(self.weight[port], hour - self.hour)
            self.hour = hour

    def own_part(self, client, port):
        hour, weight = self.parts[client, port]
        return faded(weight, self.hour - hour) if weight else 0

    def share(self, rule, client, port):
        ports = self.ports[rule.id]
        others = self.weight[port] - self.own_part(client, port) - 2
        seen = sum(weight for p, weight in self.weight.items() if p in ports)
        share = (PRIOR / len(ports) + max(others, 0)) / (PRIOR + seen)
        return max(share, 1 / len(ports))

    def forget(self, client, time):
        """Tries older than a window, by sixteenths of it."""
        now = time // self.period
        latest = max((period for sets in client.cells.values() for period in sets.values()),
                     default=now)
        if now <= latest:
            return
        for place, sets in list(client.cells.items()):
            last = max(sets.values())
            if now - last > PERIODS:
                del client.cells[place]

    def add(self, syn, time, admitting):
        """A SYN of an inside client, and the rules whose limits admit it."""
        self.fade(time)
        client = self.clients[syn.source]
        self.forget(client, time)
        sets = {self.ports[rule.id] for rule in admitting}
        noted = client.cells.setdefault(cell(syn.target, syn.dport), {})
        fresh = sets - noted.keys()
        for ports in sets | noted.keys():
            noted[ports] = time // self.period
        if fresh and any(rule.address is None for rule in admitting) and self.outside(syn.target):
            self.count(client, syn, time)

    def outside(self, address):
        ip = ipaddress.ip_address(address)
        return not any(ip in net for net in [*LOCAL, *self.home])

    def count(self, client, syn, time):
        where = syn.dport, syn.target[:3] if len(syn.target) == 4 else syn.target[:6]
        if where in self.networks and time - self.networks[where] < 24 * HOUR:
            return
        client.brought = faded(client.brought, self.hour - client.hour)
        client.hour = self.hour
        own = self.own_part(syn.source, syn.dport)
        if own + 1 > 2 or client.brought + 1 > 256:
            return
        client.brought += 1
        self.parts[syn.source, syn.dport] = self.hour, own + 1
        self.networks[where] = time
        self.weight[syn.dport] += 1

    def tries(self, rule, address, time):
        client = self.clients[address]
        self.forget(client, time)
        empty = CELLS - sum(self.ports[rule.id] in sets for sets in client.cells.values())
        if empty == CELLS:
            return 1
        return int(0.5 - CELLS * math.log(empty / CELLS)) if empty else 3194


def chance(share, tries):
    return 1 if share >= 1 else -math.expm1(tries * math.log1p(-share))


def lowered(severity, luck, step=5e-4, floor=2e-3):
    if luck >= floor:
        return 21
    if luck < step:
        return severity
    return 47 if severity == 73 else 21
