"""What a row of the checklist is made of, and the canary that stands behind each bad input."""
import collections
import dataclasses
import itertools

import frames

START = 1795550223 * 10**9  # 2026-11-24T19:57:03Z: when every file begins
MS, S = 10**6, 10**9
HOUR, YEAR = 3600 * S, 365 * 86400 * S

Moves = collections.Counter

# What the parts of a sound story do to the counters.
QUERY = Moves({"decode.udp": 1, "dns.messages": 1, "dns.queries": 1})
UNLEARNED = Moves({"decode.udp": 1, "dns.messages": 1, "dns.responses": 1})
LEARNED = UNLEARNED + Moves({"dns.answers": 1})
UNASKED = LEARNED + Moves({"dns.unasked": 1})
OPENED = Moves({"decode.tcp": 1, "connection.attempts": 1})
ALERTED = OPENED + Moves({"alert.generated": 1})
CANARY = QUERY + LEARNED + ALERTED


@dataclasses.dataclass(slots=True)
class Record:
    frame: bytes
    length: int = None  # on the wire; as captured if None
    stamp: tuple = None  # seconds and fraction as the file has them, instead of the present
    pause: int = MS  # how long after the record before it


@dataclasses.dataclass
class Input:
    """Records, and what must come of them."""
    name: str
    records: list
    moves: Moves
    link: int = 1
    client: bytes = None  # whose documents are looked at
    alert: str = None  # the verdict of its one alert
    asked: bool = None
    stamp: str = None  # @timestamp of that alert
    vlans: list = None  # network.vlan.id, network.inner.vlan.id
    tunnel: tuple = None  # portent.tunnel.type and .id, None for none
    answers: list = None  # [(owner, type, TTL, data)] of its DNS document
    question: str = None
    nano: bool = False
    alone: bool = False  # needs a file of its own
    rest: int = 0  # time that passes before the canary
    row: str = ""

    def batch(self):
        """Inputs with the same expectations share a file, so that no two mistakes cancel out."""
        return (self.row, self.link, self.nano, self.alert, self.asked,
                tuple(sorted(self.moves.items())), self.name if self.alone else "")


@dataclasses.dataclass
class File:
    """A whole capture file, and what must be said of it."""
    name: str
    data: bytes
    canaries: list = dataclasses.field(default_factory=list)  # clients whose alert it must give
    offset: int = None  # where it cannot be read further; None if all of it can
    reason: str = ""  # a regular expression
    moves: Moves = dataclasses.field(default_factory=Moves)
    stamp: str = None  # @timestamp of the canaries' alerts
    row: str = ""


@dataclasses.dataclass
class Row:
    id: str
    name: str
    why: str
    expect: str
    make: object


ROWS = []


def row(id, name, why, expect):
    def put(make):
        ROWS.append(Row(id, name, why, expect, make))
        return make
    return put


# ---- who is in the stories ----

# What all canaries are given: 198 * 51 + 100 = 10198.
GIVEN, PORT = bytes([198, 51, 100, 23]), 10198
canary_numbers = itertools.count(1)
story_numbers = itertools.count(256)  # from 256 on, so that 100.70.0.x is never used: see Story


def canary(link=1):
    """A fresh client, and its query, answer and SYN as frames."""
    number = next(canary_numbers)
    client = bytes([10, 192 + (number >> 16), number >> 8 & 255, number & 255])
    wrap, asked = frames.LINKS[link], frames.question(frames.dotted("canary.example"))
    packets = (
        frames.ip(client, frames.RESOLVER, frames.UDP, frames.udp(
            40000, 53, frames.message([asked], number=number & 0xFFFF, flags=frames.RD))),
        frames.ip(frames.RESOLVER, client, frames.UDP, frames.udp(
            53, 40000, frames.message([asked], [frames.record(frames.pointer(12), frames.A, GIVEN)],
                                      number=number & 0xFFFF))),
        frames.ip(client, GIVEN, frames.TCP, frames.tcp(50000, PORT, sequence=number)),
    )
    return client, [wrap(packet) for packet in packets]


class Story:
    """A client with an address of its own to be given: 100.70.x.y, which makes 100 * 70 + x.

    Nobody else is given that address: the verdict about its SYN tells whether the answer was
    learned. (x is never 0: there `variant`, 100 * (70 + x), would give the same port.)
    """

    def __init__(self, ipv6=False):
        number = next(story_numbers)
        low = bytes([number >> 16, number >> 8 & 255, number & 255])
        self.given = bytes([100, 70, number >> 8 & 255, number & 255])
        self.port = 7000 + (number >> 8 & 255)
        self.client = bytes([10, 64 | low[0]]) + low[1:]
        self.resolver = frames.RESOLVER
        self.destination = self.given
        if ipv6:
            self.client = bytes.fromhex("fd00") + bytes(11) + low
            self.resolver = frames.RESOLVER6
            # A NAT64 address (RFC 6052) counts as the IPv4 address in it.
            self.destination = bytes.fromhex("0064ff9b") + bytes(8) + self.given

    def respond(self, message, sport=53, dport=40000):
        return frames.ip(self.resolver, self.client, frames.UDP, frames.udp(sport, dport, message))

    def ask(self, message, sport=40000, dport=53):
        return frames.ip(self.client, self.resolver, frames.UDP, frames.udp(sport, dport, message))

    def record(self, owner=frames.pointer(12), **more):
        kind = frames.A if len(self.destination) == 4 else frames.AAAA
        return frames.record(owner, kind, self.destination, **more)

    def answer(self):
        asked = frames.question(frames.dotted("bad.example"),
                                frames.A if len(self.destination) == 4 else frames.AAAA)
        return frames.message([asked], [self.record()])

    def syn(self, **more):
        return frames.ip(self.client, self.destination, frames.TCP, self.segment(**more))

    def segment(self, flags=frames.SYN, **more):
        return frames.tcp(50000, self.port, flags, **more)
