"""Captures made by hand for the scenarios and attacks, and what the program says of them.

Frames come from tests/model/generate.py, which shares no code with the program.
"""

import collections
import ipaddress
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/model"))
import generate  # noqa: E402

PORTENT = os.environ.get("PORTENT", str(ROOT / "build-tests/sensor/portent"))
START = 1_700_006_400 * 10**9
RESOLVER = "10.0.0.1"


def apt12(address):
    a, b, c, _ = map(int, address.split("."))
    return a * b + c


def variant(address):
    a, b, c, _ = map(int, address.split("."))
    return a * (b + c)


def numbered(first, n):
    return str(ipaddress.ip_address(int(ipaddress.ip_address(first)) + n))


class Scene:
    """Packets, at seconds after START; they are written in order of time."""

    def __init__(self):
        self.records = []
        self.sequence = 0
        self.hosts = {}  # an address -> the one that gives its MAC, where that is another

    def put(self, time, frame):
        self.records.append((START + round(time * 10**9), len(self.records), frame))

    def mac(self, address):
        """Every address has a MAC of its own, unless `hosts` says that it is of another's host."""
        text = self.hosts.get(str(ipaddress.ip_address(address)))
        return b"\x02\x07" + (generate.addr(text) if text else address)[-4:]

    def frame(self, source, destination, *rest, vlans=()):
        made = generate.frame(source, destination, *rest, vlans=vlans)
        return self.mac(destination) + self.mac(source) + made[12:]

    def answer(self, time, client, name, *addresses, ttl=300, asked=True, resolver=None, id=7,
               vlans=()):
        resolver = resolver or ("fd00::1" if ":" in client else RESOLVER)
        client, resolver = generate.addr(client), generate.addr(resolver)
        qtype = 28 if ":" in addresses[0] else 1
        reply = generate.response(id, name, [(generate.addr(a), ttl) for a in addresses],
                                  qtype=qtype)
        if asked:
            self.put(time - 0.002, self.frame(
                client, resolver, 17,
                generate.udp(33333, 53, generate.query(id, name, qtype)), vlans=vlans))
        self.put(time, self.frame(resolver, client, 17, generate.udp(53, 33333, reply),
                                      vlans=vlans))

    def syn(self, time, client, destination, port, vlans=()):
        self.sequence += 1
        self.put(time, self.frame(
            generate.addr(client), generate.addr(destination), 6,
            generate.tcp(20000 + self.sequence % 40000, port, self.sequence), vlans=vlans))

    def visit(self, time, client, name, address, port):
        """Resolve a name, and connect at once."""
        self.answer(time, client, name, address)
        self.syn(time + 0.01, client, address, port)

    def run(self, *options):
        data = generate.write([(time, frame) for time, _, frame in sorted(self.records)], True)
        done = subprocess.run([PORTENT, "-r", "-", "--format", "ecs", "-q", "-R", ROOT / "rules",
                               *options], input=data, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.decode())
        return [json.loads(line) for line in done.stdout.splitlines()]


def severities(documents, client=None):
    """How many alerts of each severity, rotations with the rest, as {73: 1, 21: 2}."""
    return dict(collections.Counter(
        d["event"]["severity"] for d in documents
        if d["event"]["kind"] == "alert" and client in (None, d["source"]["ip"])))


def alerts(documents, client, port=None):
    return [d for d in documents if d["event"]["action"] == "dns_calculation_port_match"
            and d["source"]["ip"] == client and port in (None, d["destination"]["port"])]
