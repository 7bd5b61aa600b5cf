#!/usr/bin/python3
"""Tunnels, fragments and DNS over TCP beside tshark.

    wrapped-tshark.py DUMP PORTENT [COUNT [SEED]]

Tunnels: packets in every wrapping of tests/bad/tunnels.py, some of them in two. DUMP (made of
dump.c) and tshark must see the same innermost addresses and ports. Fragments and TCP: answers in
pieces of any size, in any order, some twice; the documents of PORTENT must hold exactly the ids and
addresses that tshark finds when it puts them together. Exit status 0: no difference.
"""
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

import capture

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bad"))
sys.dont_write_bytecode = True

import fragments  # noqa: E402
import frames  # noqa: E402
import streams  # noqa: E402
import tunnels  # noqa: E402
from rows import Story  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
REASSEMBLE = ["-o", "ip.defragment:TRUE", "-o", "ipv6.defragment:TRUE",
              "-o", "tcp.desegment_tcp_streams:TRUE", "-o", "tcp.reassemble_out_of_order:TRUE"]


def fields(path, names, *options):
    words = ["tshark", "-n", "-r", str(path), "-T", "fields", *options]
    for name in names:
        words += ["-e", name]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


# ---- tunnels ----

def inner(dice):
    ends = bytes([10, *dice.randbytes(3)]), bytes([198, 51, 100, dice.randrange(1, 255)])
    ports = dice.randrange(30000, 40000), dice.randrange(10000, 20000)
    if dice.randrange(2):
        return frames.ipv4(*ends, frames.TCP, frames.tcp(*ports))
    return frames.ipv4(*ends, frames.UDP, frames.udp(*ports, bytes(dice.randrange(20))))


def wrapped(dice):
    _, _, wrap = dice.choice(list(tunnels.WRAPS.values()))
    packet = inner(dice)
    if dice.randrange(4) == 0:  # in two
        packet = dice.choice(list(tunnels.NESTED.values()))(packet)
    return wrap(packet)


def compare_tunnels(dump, folder, dice, count):
    path = folder / "tunnels.pcap"
    made = [wrapped(dice) for _ in range(count)]
    capture.write(str(path), 1, [(frame, len(frame)) for frame in made])
    ours = [tuple(row[2:6]) if row[1] in ("udp", "tcp") else row[1]
            for row in capture.dump(dump, "frame", str(path))]
    rows = fields(path, ("ip.src", "ip.dst", "tcp.srcport", "tcp.dstport", "udp.srcport",
                         "udp.dstport"), "-E", "occurrence=l", "-d", "udp.port==8472,vxlan",
                  "-d", "udp.port==6635,mpls")
    theirs = [(r[0], r[1], r[2] or r[4], r[3] or r[5]) for r in rows]
    wrong = [(f.hex(), we, they) for f, we, they in zip(made, ours, theirs) if we != they]
    for difference in wrong[:3]:
        print("tunnels, no reason for the difference:", *difference, sep="\n  ")
    print(f"{count} packets in tunnels, {len(wrong)} differences")
    return len(ours) == len(theirs) == count and not wrong


# ---- fragments and streams ----

def answers(dice, number):
    story = Story(ipv6=False)
    asked = frames.question(frames.dotted(f"n{number}.example"))
    given = [bytes([198, 18, *dice.randbytes(2)]) for _ in range(dice.randrange(1, 60))]
    message = frames.message([asked], [frames.record(frames.pointer(12), frames.A, a)
                                       for a in given], number=number)
    return story, message, given


def shuffled(dice, parts):
    """Neighbours change places, some come twice: as much disorder as tshark puts up with."""
    parts = list(parts)
    for i in range(len(parts) - 1):
        if dice.randrange(4) == 0:
            parts[i], parts[i + 1] = parts[i + 1], parts[i]
    return [part for part in parts for _ in range(1 + (dice.randrange(8) == 0))]


def cuts(dice, size, unit, least):
    at, places = 0, [0]
    while at < size:
        at += max(least, dice.randrange(1, 400)) // unit * unit or unit
        places.append(min(at, size))
    return list(zip(places, places[1:]))


def pieces(dice, number):
    story, message, given = answers(dice, number)
    if dice.randrange(2):
        datagram = fragments.Datagram(story, frames.udp(53, 40000, message), number=number)
        places = cuts(dice, len(datagram.payload), 8, 64)
        if len(places) < 2:
            places = [(0, 16), (16, len(datagram.payload))]
        return shuffled(dice, (datagram.part(*p) for p in places)), given
    stream = streams.Stream(story, message)
    parts = shuffled(dice, (stream.part(*p) for p in cuts(dice, len(stream.wire), 1, 2)))
    return [stream.open(), *parts, stream.send(b"", len(stream.wire), frames.FIN | frames.ACK)], given


def compare_pieces(portent, folder, dice, count):
    path = folder / "pieces.pcap"
    made = [pieces(dice, number) for number in range(1, count + 1)]
    told = [frame for parts, _ in made for frame in parts]
    capture.write(str(path), 1, [(frame, len(frame)) for frame in told])
    sent = {number + 1: sorted(".".join(map(str, a)) for a in given)
            for number, (_, given) in enumerate(made)}
    rows = fields(path, ("dns.id", "dns.a"), "-Y", "dns.flags.response==1", *REASSEMBLE)
    theirs = {int(row[0].split(",")[0], 0): sorted(set(row[1].split(","))) for row in rows if row[1]}
    done = subprocess.run([portent, "-q", "-r", path, "-R", ROOT / "rules", "--format", "ecs",
                           "--log", "dns", "-o", "-"], check=True, capture_output=True, text=True)
    ours = {int(d["dns"]["id"]): sorted(set(d["dns"]["resolved_ip"]))
            for d in map(json.loads, done.stdout.splitlines()) if d.get("dns")}
    wrong = [n for n in sent if not ours.get(n) == theirs.get(n) == sorted(set(sent[n]))]
    for number in wrong[:3]:
        print("pieces, no reason for the difference:", number, sent[number], ours.get(number),
              theirs.get(number), sep="\n  ")
    print(f"{count} answers in {len(told)} pieces, {len(wrong)} differences")
    return not wrong


def main():
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 300
    dice = random.Random(int(sys.argv[4]) if len(sys.argv) > 4 else 1)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        good = compare_tunnels(sys.argv[1], folder, dice, count)
        good &= compare_pieces(sys.argv[2], folder, dice, count)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
