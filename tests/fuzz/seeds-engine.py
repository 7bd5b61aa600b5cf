#!/usr/bin/python3
"""Writes the first inputs of the fuzz target for the whole pipeline: corpus/engine.

A run gives the same files again. What a fuzzer found worth keeping is added to the folder by hand.
"""

import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
QUERY, ANSWER, SYN, QUIC = range(4)
NOW, MS, SECONDS, ABSOLUTE = (n << 3 for n in range(4))
START = 1700000000


def made(what, client=0, address=0, port=0, time=NOW, delta=b""):
    return bytes([0x80 | time]) + delta + struct.pack(">BBBH", what, client, address, port)


def raw(frame, link=0, time=NOW, delta=b"", cut=False):
    return bytes([time | link | (0x20 if cut else 0)]) + delta + struct.pack(">H", len(frame)) + frame


def at(second):
    return {"time": ABSOLUTE, "delta": struct.pack(">q", int(second * 10**9))}


def later(seconds):
    return {"time": SECONDS, "delta": struct.pack(">H", seconds)}


PAIR = made(QUERY) + made(ANSWER) + made(SYN, port=10198)
TWO_NAMES = made(ANSWER) + made(ANSWER, 8, 1) + made(SYN, 0, 1, 10198)

# An answer and a SYN as they are on the wire: Ethernet, IPv4, UDP or TCP.
ETHERNET = bytes.fromhex("020000000001020000000002" "0800")
DNS = bytes.fromhex("1234818000010001000000000161076578616d706c650000010001"
                    "c00c000100010000003c0004c6336417")


def ipv4(protocol, source, destination, payload):
    return (struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0)
            + bytes(source) + bytes(destination) + payload)


ANSWER_FRAME = ETHERNET + ipv4(17, (192, 0, 2, 53), (10, 0, 0, 9),
                               struct.pack(">HHHH", 53, 33333, 8 + len(DNS), 0) + DNS)
SYN_FRAME = ETHERNET + ipv4(6, (10, 0, 0, 9), (198, 51, 100, 23),
                            struct.pack(">HHIIBBHHH", 40000, 10198, 7, 0, 0x50, 2, 64240, 0, 0))

INPUTS = {
    "nothing": b"",
    "pair": b"\x0f" + PAIR,
    "pair-on-the-wire": b"\x0f" + raw(ANSWER_FRAME) + raw(SYN_FRAME),
    "pair-cut": b"\x0f" + raw(ANSWER_FRAME[:60], cut=True) + raw(SYN_FRAME[:40], cut=True),
    "pair-raw": b"\x0f" + raw(ANSWER_FRAME[14:], 6) + raw(SYN_FRAME[14:], 1),
    "two-names": b"\x02" + TWO_NAMES,
    "contacted": b"\x02" + made(ANSWER) + made(QUIC) + made(ANSWER, 8, 1)
                 + made(SYN, 0, 1, 10198, MS, b"\x10"),
    "swap16": b"\x00" + made(ANSWER) + made(SYN, 0, 3, 443),
    "near-misses": b"\x02" + made(SYN, 0, 6, 8080) + made(SYN, 0, 5, 32257) + made(SYN, 2, 0, 10198)
                   + made(ANSWER) + made(SYN, 0, 3, 443, **later(700)),
    "lab": b"\x01" + made(SYN, 0, 5, 32257),
    "hold": b"\x00" + PAIR + 5 * made(SYN, port=10198, **later(200)),
    "rotation": b"\x00" + made(ANSWER) + made(ANSWER, 4, 2) + made(ANSWER, 8, 7)
                + made(SYN, 0, 0, 10198) + made(SYN, 0, 2, 12126) + made(SYN, 0, 7, 7518),
    "stands-still": b"\x00" + 20 * PAIR,
    "step-back": b"\x00" + made(ANSWER) + made(SYN, port=10198, **at(START - 10**6)) + made(QUIC),
    "ten-years": b"\x00" + made(ANSWER) + made(ANSWER, **at(START + 315360000))
                 + made(SYN, port=10198),
    "foreign": b"\x00" + made(ANSWER) + made(QUERY, **at(0)) + made(SYN, port=10198, **at(START)),
    "first-is-latest": b"\x00" + made(ANSWER, **at(2**62 / 10**9)) + made(ANSWER, **at(0))
                       + made(SYN, port=10198, **later(3000)) + made(SYN, port=10198, **later(3000))
                       + made(SYN, port=10198, **later(3000)),
    "odd-times": b"\x00" + made(ANSWER, time=ABSOLUTE, delta=b"\x80" + 7 * b"\0")
                 + made(SYN, time=ABSOLUTE, delta=b"\x7f" + 7 * b"\xff") + PAIR,
}


def main():
    folder = os.path.join(HERE, "corpus", "engine")
    os.makedirs(folder, exist_ok=True)
    for name, octets in INPUTS.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(octets)


if __name__ == "__main__":
    main()
